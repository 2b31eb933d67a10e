#version 460
// SPDX-License-Identifier: MIT
// Values that a loop with barriers changes: from what is gone then, from what is still needed, in turns, and deeper inside.
layout(local_size_x = 40) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
layout(push_constant) uniform Push { uint rounds; };
shared uint tile[40];
shared uint other[40];

void main()
{
	uint l = gl_LocalInvocationIndex;
	uint at = gl_WorkGroupID.x * 40u;
	uint a = l, b = l * 3u, c = l + 7u, d = l ^ 9u, e = 1u + l;

	for (uint k = 0u; k < rounds; k++) {
		tile[l] = v[(at + k * 40u + l) % 120u];
		barrier();
		a = a * 3u + tile[(l + 1u) % 40u];
		uint b_next = b * 5u + tile[(l + 2u) % 40u];
		uint c_next = d * 7u + tile[(l + 3u) % 40u];
		uint e_next = e;
		barrier();
		other[l] = b + b_next;
		d = c;
		c = c_next;
		b = b_next;
		for (uint j = 0u; j < 2u; j++) {
			barrier();
			e_next = e_next * 3u + e + other[(l + 5u + j) % 40u];
			barrier();
		}
		e = e_next;
		barrier();
	}
	o[at + l] = a + 3u * b + 5u * c + 7u * d + 11u * e;
}
