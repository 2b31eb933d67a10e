#version 460
// SPDX-License-Identifier: MIT
// Reductions over clusters, and exchanges within quads.
#extension GL_KHR_shader_subgroup_clustered : require
#extension GL_KHR_shader_subgroup_quad : require
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * 64u;
	uint a = v[i], at = i * 8u;
	o[at + 0u] = subgroupClusteredAdd(a, 4u);
	o[at + 1u] = subgroupClusteredMax(a, 2u);
	o[at + 2u] = subgroupClusteredXor(a, 8u);
	o[at + 3u] = subgroupClusteredAdd(a, 1u);
	o[at + 4u] = subgroupQuadBroadcast(a, 2u);
	o[at + 5u] = subgroupQuadSwapHorizontal(a);
	o[at + 6u] = subgroupQuadSwapVertical(a);
	o[at + 7u] = subgroupQuadSwapDiagonal(a);
}
