// SPDX-License-Identifier: MIT
#version 460
#extension GL_EXT_shader_atomic_float : require
#extension GL_EXT_shader_atomic_float2 : require
// Sums, minima and maxima of small whole numbers, exact in any order.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { float sum, least, most, last; };
layout(std430, set = 0, binding = 1) readonly buffer In { int v[]; };
shared float part;

void main()
{
	float x = float(v[gl_GlobalInvocationID.x] & 1023);

	if (gl_LocalInvocationIndex == 0u)
		part = 0.0;
	barrier();
	atomicAdd(part, x);
	atomicMin(least, -x);
	atomicMax(most, x);
	barrier();
	if (gl_LocalInvocationIndex == 0u) {
		atomicAdd(sum, atomicExchange(part, 0.0));
		atomicExchange(last, 7.0);
	}
}
