#version 460
// SPDX-License-Identifier: MIT
// Values of other invocations, by number, by distance and by exclusive or.
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_shuffle_relative : require
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * 64u;
	uint a = v[i], at = i * 6u, n = gl_SubgroupSize, l = gl_SubgroupInvocationID;
	o[at + 0u] = subgroupShuffle(a, (l * 3u + 1u) % n);
	o[at + 1u] = subgroupShuffleXor(a, 5u);
	uint up = subgroupShuffleUp(a, 2u);
	o[at + 2u] = l >= 2u ? up : 0u;
	uint down = subgroupShuffleDown(a, 3u);
	o[at + 3u] = l + 3u < n ? down : 0u;
	o[at + 4u] = subgroupShuffle(a, a % n);
	vec2 w = subgroupShuffleXor(vec2(float(a & 255u), float(l)), 1u);
	o[at + 5u] = uint(w.x) * 100u + uint(w.y);
}
