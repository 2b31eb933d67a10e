#version 460
#extension GL_EXT_control_flow_attributes : require
// SPDX-License-Identifier: MIT
// More sums than registers, in a loop that also counts, steps and may end early.
layout(local_size_x = 20) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
layout(push_constant) uniform Push { uint rounds; uint last; };

#define ROWS	6
#define COLUMNS 5

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uint sums[ROWS][COLUMNS];
	uint step = 1u, count = 0u;

	[[unroll]] for (int r = 0; r < ROWS; r++)
		[[unroll]] for (int c = 0; c < COLUMNS; c++)
			sums[r][c] = uint(r * COLUMNS + c) + i;
	if ((i & 3u) != 2u) {
		for (uint k = 0u; k < rounds; k++) {
			if (step * k > last)
				break;
			[[unroll]] for (int r = 0; r < ROWS; r++)
				[[unroll]] for (int c = 0; c < COLUMNS; c++)
					sums[r][c] += v[(k + uint(r) * 7u) % 64u] * v[(k + step) % 8u * 60u + i + uint(c)];
			step = step * 5u % 61u;
			count += k ^ step;
		}
	}
	uint h = count + step;
	[[unroll]] for (int r = 0; r < ROWS; r++)
		[[unroll]] for (int c = 0; c < COLUMNS; c++)
			h = h * 31u + sums[r][c];
	o[i] = h;
}
