// SPDX-License-Identifier: MIT
// Every work-group says who it is, and all are counted.
#version 460
layout(local_size_x = 4, local_size_y = 2, local_size_z = 2) in;
struct Group { uint x, y, z, invocations; };
layout(set = 0, binding = 0) buffer Data { uint total; uint nx, ny, nz; Group group[]; };
void main()
{
	uvec3 n = gl_NumWorkGroups;
	uvec3 g = gl_WorkGroupID;
	uint at = (g.x % 8) + 8 * ((g.y % 4) + 4 * (g.z % 4));
	atomicAdd(group[at].invocations, 1);
	if (gl_LocalInvocationIndex == 0) {
		atomicAdd(total, 1);
		group[at].x = g.x;
		group[at].y = g.y;
		group[at].z = g.z;
		nx = n.x;
		ny = n.y;
		nz = n.z;
	}
}
