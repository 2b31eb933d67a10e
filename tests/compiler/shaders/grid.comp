#version 460
// SPDX-License-Identifier: MIT
// The built-in ids of a three-dimensional grid, with a base.
layout(local_size_x = 3, local_size_y = 2, local_size_z = 4) in;
layout(std430, set = 0, binding = 0) buffer Out { uvec4 o[]; };

void main()
{
	uvec3 w = gl_WorkGroupID - uvec3(5u, 0u, 7u);
	uint linear = w.x + gl_NumWorkGroups.x * (w.y + gl_NumWorkGroups.y * w.z);
	uint at = linear * 24u + gl_LocalInvocationIndex;
	o[at] = uvec4(gl_GlobalInvocationID, gl_LocalInvocationIndex * 1000u + gl_LocalInvocationID.x +
		      gl_LocalInvocationID.y * 10u + gl_LocalInvocationID.z * 100u);
}
