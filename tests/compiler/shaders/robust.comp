#version 460
// SPDX-License-Identifier: MIT
// Accesses outside the buffers: reads give zero, writes are dropped.
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uint r = v[i] + v[i * 1000u + 5u];
	uint at = i * 29u % 47u;
	r += v[at] * 3u + v[at + 1u] * 5u + v[at + 2u] * 7u + v[at + 3u] * 9u;
	if (i < 32u)
		o[i] = r;
	o[i + 32u] = 0xdeadu;
	o[0x3fffff00u + i] = 1u;
}
