#version 460
// SPDX-License-Identifier: MIT
// A sum over the work-group in shared memory, with a barrier in each round of a uniform loop.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared uint s[64];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_GlobalInvocationID.x;
	s[l] = v[i];
	barrier();
	for (uint n = 32u; n > 0u; n >>= 1) {
		if (l < n)
			s[l] += s[l + n];
		barrier();
	}
	if (l == 0u)
		o[gl_WorkGroupID.x] = s[0];
}
