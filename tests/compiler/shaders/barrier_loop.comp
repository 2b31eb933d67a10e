#version 460
// SPDX-License-Identifier: MIT
// Barriers inside nested uniform loops, with accumulators carried around them and a break that all take.
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared uint s[32];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_GlobalInvocationID.x;
	uint acc = 0u, x = v[i];
	for (uint t = 0u; t < 4u; t++) {
		for (uint u = 0u; u <= t; u++) {
			barrier();
			s[(l + t) & 31u] = x + u;
			barrier();
			for (uint k = 0u; k < (l & 3u); k++)
				acc += s[(l * 5u + k) & 31u];
			x = x * 3u + 1u;
		}
		if (t == gl_WorkGroupID.x + 1u)
			break;
		acc ^= t;
	}
	o[i] = acc + x;
}
