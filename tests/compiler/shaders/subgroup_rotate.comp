// SPDX-License-Identifier: MIT
#version 460
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_rotate : require
// Values handed round a subgroup, and round clusters of four.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;

	o[2u * i] = subgroupRotate(v[i], v[0] & 3u);
	o[2u * i + 1u] = subgroupClusteredRotate(v[i], 3u, 4u);
}
