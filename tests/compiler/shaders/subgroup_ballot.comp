#version 460
// SPDX-License-Identifier: MIT
// Ballots and what can be asked of them; the masks of neighbours.
#extension GL_KHR_shader_subgroup_ballot : require
layout(local_size_x = 44) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * 44u;
	uint a = v[i], at = i * 12u;
	uvec4 b = subgroupBallot((a & 1u) != 0u);
	o[at + 0u] = b.x;
	o[at + 1u] = b.y | b.z | b.w;
	o[at + 2u] = subgroupInverseBallot(b) ? 1u : 0u;
	o[at + 3u] = subgroupBallotBitExtract(b, 3u) ? 1u : 0u;
	o[at + 4u] = subgroupBallotBitCount(b);
	o[at + 5u] = subgroupBallotInclusiveBitCount(b);
	o[at + 6u] = subgroupBallotExclusiveBitCount(b);
	o[at + 7u] = subgroupBallotFindLSB(b);
	o[at + 8u] = subgroupBallotFindMSB(b);
	o[at + 9u] = subgroupBroadcastFirst(a);
	o[at + 10u] = subgroupBroadcast(a, 2u);
	o[at + 11u] = gl_SubgroupEqMask.x ^ gl_SubgroupGeMask.x * 3u ^ gl_SubgroupLtMask.x * 5u ^
		      gl_SubgroupLeMask.x * 7u ^ gl_SubgroupGtMask.x * 11u;
}
