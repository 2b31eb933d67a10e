#version 460
// SPDX-License-Identifier: MIT
// REFUSED: a branch that holds a barrier and has code behind it
layout(local_size_x = 256) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(push_constant) uniform Push { uint flag; };
shared uint t[256];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_GlobalInvocationID.x;

	if (flag != 0u) {
		t[l] = o[i];
		barrier();
		if (t[l ^ 1u] > 5u)
			return;
		o[i] = t[l ^ 1u];
	}
	o[i] += 7u;
}
