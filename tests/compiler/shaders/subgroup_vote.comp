#version 460
// SPDX-License-Identifier: MIT
// Votes.
#extension GL_KHR_shader_subgroup_vote : require
layout(local_size_x = 44) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_LocalInvocationIndex + gl_WorkGroupID.x * 44u;
	uint a = v[i], r = 0u;
	r |= subgroupAll(a != 0u) ? 1u : 0u;
	r |= subgroupAll((a & 1u) != 0u) ? 2u : 0u;
	r |= subgroupAny((a & 63u) == 9u) ? 4u : 0u;
	r |= subgroupAny(a == 0u) ? 8u : 0u;
	r |= subgroupAllEqual(a) ? 16u : 0u;
	r |= subgroupAllEqual(gl_WorkGroupID.x) ? 32u : 0u;
	o[i] = r;
}
