#version 450
// SPDX-License-Identifier: MIT
// Behind the last barrier of a loop's turn, or of the shader, each invocation may leave on its own.
layout(local_size_x = 48) in;
layout(set = 0, binding = 0) buffer Out { uint o[]; };
layout(set = 0, binding = 1) buffer In { uint v[]; };
shared uint s[48];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_WorkGroupID.x * 48 + l, sum = 0;

	for (uint t = 0; t < 3; t++) {
		s[(l + t) % 48] = v[i] + t;
		barrier();
		uint x = s[47 - l];
		barrier();
		if (((x ^ t) & 1) != 0)
			continue;
		sum += x;
		if ((x & 2) != 0)
			continue;
		for (uint k = 0; k < (l & 3); k++) {
			if ((x >> k & 4) != 0)
				break;
			sum += 100;
		}
	}
	o[i] = sum;
	s[l] = sum;
	barrier();
	if (l >= 7 && (v[i] & 1) == 0)
		return;
	o[i] = s[(l + 1) % 48];
	for (uint k = 0; k < 4; k++) {
		if ((v[i] >> k & 3) == 3)
			return;
		o[i] += k;
	}
	if (l >= 24)
		return;
	o[i] ^= 0x80000000u;
}
