#version 460
// SPDX-License-Identifier: MIT
// 8- and 16-bit storage: bytes and half words loaded, computed with, stored.
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_16bit_storage : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { uint8_t o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { int8_t v[]; };
layout(std430, set = 0, binding = 2) readonly buffer In2 { uint16_t w[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	o[i] = uint8_t(int(v[i]) * 3 + int(w[i ^ 3u] >> 4us));
}
