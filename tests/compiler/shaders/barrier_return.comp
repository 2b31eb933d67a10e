#version 460
// SPDX-License-Identifier: MIT
// Invocations leave branches that hold barriers and have code behind them, and loops, each on its own.
layout(local_size_x = 48) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
layout(std430, set = 0, binding = 2) readonly buffer Flags { uint flags[]; };
shared uint s[48];
shared uint u[48];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_GlobalInvocationID.x, r = v[i];
	uint flag = flags[gl_WorkGroupID.x];

	if ((flag & 1u) != 0u) {
		s[l] = r;
		barrier();
		uint x = s[l ^ 1u];

		if ((x & 3u) == 0u) {
			o[i] = r + 1u;
			return;
		}
		for (uint k = 0u; k < 4u + (l & 1u); k++) {
			if (((x >> k) & 7u) == 5u) {
				o[i] = r + k;
				return;
			}
			r += x >> k;
		}
		if (l >= 32u && (flag & 2u) != 0u) {
			o[i] = r ^ 77u;
			return;
		}
		r ^= x;
	}
	r += 7u;
	for (uint t = 0u; t < 3u; t++) {
		if ((flag & 4u) != 0u) {
			u[l] = r;
			barrier();
			uint y = u[47u - l];

			barrier();
			r += y;
			if ((y & 1u) != 0u)
				continue;
			r ^= t + 3u;
		}
		r = r * 5u + t;
		if (t == 2u && (r & 2u) != 0u)
			break;
		r += 11u;
	}
	if ((flag & 8u) != 0u) {
		// Nobody comes to the barrier where some have left.
		if (r == 0x12345678u)
			barrier();
		if ((r & 4u) != 0u && (flag & 16u) != 0u) {
			o[i] = 5u;
			return;
		}
		if ((r & 24u) == 8u)
			return;
	}
	o[i] = r;
}
