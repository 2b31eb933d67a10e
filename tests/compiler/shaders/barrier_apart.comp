#version 460
// SPDX-License-Identifier: MIT
// Branches that hold a barrier, in which invocations go apart where none comes to the barrier.
layout(local_size_x = 48) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared uint s[48];
shared uint t[48];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_GlobalInvocationID.x;
	uint mine = v[i], r = mine;
	uint twice = mine * 2u;

	if ((mine & 1u) != 0u) {
		r += 5u;
	} else {
		if ((mine & 2u) == 0u) {
			if (l < 20u)
				r ^= 9u;
			else
				r *= 7u;
		} else {
			s[l] = mine * 3u;
			barrier();
			r += s[47u - l];
			t[l] = s[l ^ 1u] + s[46u - l + (l & 1u) * 2u];
			barrier();
			r += t[l];
		}
	}
	o[i] = r + twice;
}
