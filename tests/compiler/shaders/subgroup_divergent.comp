#version 460
// SPDX-License-Identifier: MIT
// Subgroup operations under conditions count only the invocations that take part.
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_KHR_shader_subgroup_ballot : require
layout(local_size_x = 44) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * 44u;
	uint a = v[i], r = 0u;
	if ((a & 1u) != 0u) {
		r = subgroupAdd(a >> 4) + subgroupExclusiveAdd(1u);
		if ((a & 2u) != 0u)
			r ^= subgroupMax(a) + (subgroupElect() ? 1u : 0u);
	} else {
		r = subgroupBallotBitCount(subgroupBallot((a & 4u) != 0u)) * 1000u + subgroupBroadcastFirst(a);
	}
	uint rounds = a & 3u;
	for (uint k = 0u; k < rounds; k++)
		r += subgroupAdd(1u) * k;
	o[i] = r;
}
