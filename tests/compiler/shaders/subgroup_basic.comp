#version 460
// SPDX-License-Identifier: MIT
// What an invocation knows of its subgroup. The size of the work-group is no multiple of any subgroup.
#extension GL_KHR_shader_subgroup_basic : require
layout(local_size_x = 44) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint at = (gl_WorkGroupID.x * 44u + gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID) * 4u;
	o[at] = gl_SubgroupSize;
	o[at + 1u] = gl_NumSubgroups;
	o[at + 2u] = subgroupElect() ? 1u : 0u;
	subgroupBarrier();
	o[at + 3u] = gl_SubgroupID * 100u + gl_SubgroupInvocationID;
}
