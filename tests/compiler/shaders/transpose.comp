#version 460
// SPDX-License-Identifier: MIT
// A two-dimensional work-group that transposes tiles through shared memory.
layout(local_size_x = 8, local_size_y = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared uint s[8][9];

void main()
{
	uvec2 l = gl_LocalInvocationID.xy, g = gl_WorkGroupID.xy;
	uint width = gl_NumWorkGroups.x * 8u, height = gl_NumWorkGroups.y * 8u;
	s[l.y][l.x] = v[(g.y * 8u + l.y) * width + g.x * 8u + l.x];
	barrier();
	o[(g.x * 8u + l.y) * height + g.y * 8u + l.x] = s[l.x][l.y];
}
