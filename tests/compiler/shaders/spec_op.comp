#version 460
// SPDX-License-Identifier: MIT
#extension GL_EXT_shader_explicit_arithmetic_types : require
// Constants of all widths that are computed from specialization constants.
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { int64_t o[]; };
layout(constant_id = 0) const int N = 5;
layout(constant_id = 1) const int64_t BIG = 7L;
layout(constant_id = 2) const uint16_t SHORT = 3us;
layout(constant_id = 3) const bool YES = false;
layout(constant_id = 4) const float F = 0.0;

const int64_t PRODUCT = BIG * -3L + 11L;
const int64_t QUOTIENT = BIG / -7L, REST = BIG % 1000L;
const uint64_t SHIFTED = uint64_t(BIG) >> 3u;
const uint16_t WRAPPED = uint16_t(SHORT * SHORT);
const int64_t CHOSEN = YES ? BIG : 1L;
const bool LESS = BIG < -4L, EQUAL = SHORT == WRAPPED;
const double WIDE = double(F);
const float16_t NARROW = float16_t(F);
const ivec3 THREE = ivec3(N, N * 2, ~N);
const i64vec2 TWO = i64vec2(BIG, 9L) - i64vec2(1L, BIG);

void main()
{
	o[0] = PRODUCT;
	o[1] = QUOTIENT;
	o[2] = REST;
	o[3] = int64_t(SHIFTED);
	o[4] = int64_t(WRAPPED);
	o[5] = CHOSEN + (LESS ? 100L : 0L) + (EQUAL ? 1000L : 0L);
	o[6] = int64_t(THREE.x) + int64_t(THREE.y) * 3L + int64_t(THREE.z) * 5L;
	o[7] = TWO.x * 3L + TWO.y + int64_t(WIDE * 1e10lf) + int64_t(float(NARROW) * 1e4);
}
