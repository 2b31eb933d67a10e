#version 460
// SPDX-License-Identifier: MIT
// Barriers in branches that all invocations of a work-group take alike, and values that live across them.
layout(local_size_x = 48) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared uint s[48];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_GlobalInvocationID.x;
	uint mine = v[i], r = mine * 3u;
	s[l] = mine;
	if ((gl_WorkGroupID.x & 1u) == 0u) {
		barrier();
		r += s[47u - l];
		barrier();
		s[l] = r;
	} else {
		r ^= 7u;
	}
	barrier();
	o[i] = r + s[(l + 1u) % 48u] + mine;
}
