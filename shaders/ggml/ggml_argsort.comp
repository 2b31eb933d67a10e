// SPDX-License-Identifier: MIT
/*
 * y[rank, r] = the place in row r of a of its element of that rank, equal elements in the order of their places. An
 * element's rank is how many come before it: a comparison with each, which suits rows of up to some thousands. One
 * work-group a row. Only the first y.ne[0] ranks are written.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

layout(constant_id = 1) const bool DESCENDING = false;

TENSOR(1, a)
TENSOR(2, y)
READER(a)

void main()
{
	tensor a = get_tensor(0);
	tensor y = get_tensor(1);
	uint rows = a.ne.y * a.ne.z * a.ne.w;

	for (uint r = gl_WorkGroupID.x; r < rows; r += gl_NumWorkGroups.x) {
		uvec3 row = unravel_row(r, a);
		uint a_row = row_at(a, row);
		uint y_row = row_at(y, row);

		for (uint i = gl_LocalInvocationIndex; i < a.ne.x; i += gl_WorkGroupSize.x) {
			float value = read_a(TYPE_F32, a_row, a.nb.x, i);
			uint rank = 0;

			for (uint j = 0; j < a.ne.x; j++) {
				float other = read_a(TYPE_F32, a_row, a.nb.x, j);
				bool before = DESCENDING ? other > value : other < value;

				if (before || (other == value && j < i))
					rank++;
			}
			if (rank < y.ne.x)
				y_words[(y_row + rank * y.nb.x) >> 2] = i;
		}
	}
}
