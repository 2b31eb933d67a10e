#version 460
// SPDX-License-Identifier: MIT
// Half precision in storage and in arithmetic, rounded after each operation.
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_shader_16bit_storage : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { float16_t o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { float16_t v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	precise float16_t a = v[i], b = v[i ^ 5u];
	precise float16_t r = a * b;
	r = r + a;
	r = r - b * float16_t(0.5);
	if (a < b)
		r = -r;
	r = r / (abs(b) + float16_t(1.0));
	o[i] = max(r, float16_t(-8.0));
}
