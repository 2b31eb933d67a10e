#version 460
// SPDX-License-Identifier: MIT
// An array of storage buffers with a uniform index, and another descriptor set.
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; } list[3];
layout(std430, set = 1, binding = 4) readonly buffer Other { uint w[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uint r = 0u;
	for (uint k = 0u; k < 3u; k++)
		r = r * 7u + list[k].v[i];
	o[i] = r + list[gl_WorkGroupID.x & 1u].v[i ^ 1u] + w[i];
}
