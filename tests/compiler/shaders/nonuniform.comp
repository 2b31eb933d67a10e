// SPDX-License-Identifier: MIT
#version 460
#extension GL_EXT_nonuniform_qualifier : require
// An array of storage buffers that each invocation indexes for itself; reads, writes, atomics and lengths.
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) buffer In { uint v[]; } list[3];

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uint n = nonuniformEXT((i * 5u) % 3u);

	o[i] = list[n].v[i] + uint(list[n].v.length());
	list[nonuniformEXT((n + 1u) % 3u)].v[32u + i] = i;
	atomicAdd(list[nonuniformEXT((n + 2u) % 3u)].v[64u + i], n);
}
