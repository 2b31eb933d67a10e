// SPDX-License-Identifier: MIT
// One number for each kind of subgroup operation; KIND says which.
#version 460
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_shuffle_relative : require
#extension GL_KHR_shader_subgroup_clustered : require
#extension GL_KHR_shader_subgroup_quad : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Out { uint results[64]; };
void main()
{
	uint lane = gl_SubgroupInvocationID, result = 0;
#if KIND == 0
	result = subgroupElect() ? 1 : 0;
#elif KIND == 1
	result = (subgroupAll(lane < 1000) ? 1 : 0) + (subgroupAny(lane == 1) ? 2 : 0) +
		 (subgroupAllEqual(lane) ? 4 : 0);
#elif KIND == 2
	result = subgroupExclusiveAdd(lane) + (subgroupMax(lane) << 16);
#elif KIND == 3
	result = subgroupBallotBitCount(subgroupBallot((lane & 1) == 0)) + (subgroupBroadcast(lane, 3) << 8);
#elif KIND == 4
	result = subgroupShuffleXor(lane * 2, 5);
#elif KIND == 5
	uint up = subgroupShuffleUp(lane, 2);
	result = lane >= 2 ? up : 77;
#elif KIND == 6
	result = subgroupClusteredAdd(lane, 4);
#elif KIND == 7
	result = subgroupQuadSwapHorizontal(lane) * 100 + subgroupQuadBroadcast(lane, 2);
#endif
	results[gl_SubgroupID * gl_SubgroupSize + lane] = result;
}
