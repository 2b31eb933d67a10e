// SPDX-License-Identifier: MIT
// Subgroup numbers, and a sum over each subgroup.
#version 460
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Out { uint size; uint count; uint sum[64]; };
void main()
{
	uint i = gl_LocalInvocationIndex;
	size = gl_SubgroupSize;
	count = gl_NumSubgroups;
	sum[i] = subgroupAdd(i);
}
