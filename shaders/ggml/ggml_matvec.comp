// SPDX-License-Identifier: MIT
/*
 * y[m, n, b, c] = Σk w[k, m, b', c'] · x[k, n, b, c] for few n, with any strides: a work-group computes ROWS outputs
 * of one column, its invocations along k.
 *
 * EXPERTS: y[m, n, t] = Σk w[k, m, expert[n, t]] · x[k, n % x.ne[1], t].
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

layout(constant_id = 1) const uint TYPE_W = TYPE_F32;
layout(constant_id = 2) const uint TYPE_X = TYPE_F32;
layout(constant_id = 3) const bool EXPERTS = false;

TENSOR(1, w)
TENSOR(2, x)
TENSOR(3, expert)
TENSOR(4, y)
READER(w)
READER(x)
WRITER(y)

#include "ggml_team.glsl"

#define ROWS 4

void main()
{
	tensor w = get_tensor(0);
	tensor x = get_tensor(1);
	tensor expert = get_tensor(2);
	tensor y = get_tensor(3);
	uint first_m = gl_WorkGroupID.x * ROWS;
	uint columns = y.ne.y * y.ne.z * y.ne.w;

	for (uint c = gl_WorkGroupID.y; c < columns; c += gl_NumWorkGroups.y) {
		uvec3 column = unravel_row(c, y);
		uvec2 w_batch = EXPERTS ? uvec2(0) : column.yz / (y.ne.zw / w.ne.zw);
		uint x_row = row_at(x, EXPERTS ? uvec3(column.x % x.ne.y, column.yz) : column);
		float sums[ROWS];
		uint rows[ROWS];
		bool known = true;

		if (EXPERTS) {
			w_batch.x = expert_words[(expert.at + column.x * expert.nb.x + column.y * expert.nb.y) >> 2];
			known = w_batch.x < w.ne.z;
			w_batch.x = min(w_batch.x, w.ne.z - 1);
		}
		[[unroll]] for (uint i = 0; i < ROWS; i++) {
			sums[i] = 0.0;
			rows[i] = row_at(w, uvec3(min(first_m + i, w.ne.y - 1), w_batch));
		}
		for (uint k = gl_LocalInvocationIndex; k < w.ne.x; k += gl_WorkGroupSize.x) {
			float activation = read_x(TYPE_X, x_row, x.nb.x, k);

			[[unroll]] for (uint i = 0; i < ROWS; i++)
				sums[i] = fma(read_w(TYPE_W, rows[i], w.nb.x, k), activation, sums[i]);
		}
		[[unroll]] for (uint i = 0; i < ROWS; i++) {
			float total = team_sum(sums[i]);

			if (gl_LocalInvocationIndex == 0 && first_m + i < y.ne.x)
				write_y(TYPE_F32, row_at(y, column), y.nb.x, first_m + i, known ? total : 0.0);
		}
	}
}
