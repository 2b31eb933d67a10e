// SPDX-License-Identifier: MIT
/*
 * y[m, n, b, c] = Σk w[k, m, b', c'] · x[k, n, b, c], w repeated over b and c, with any strides: what the runtime's
 * matmul, which wants dense rows, does not take. A work-group of 64 computes 32 × 32 outputs, each invocation
 * 4 × 4.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

layout(constant_id = 1) const uint TYPE_W = TYPE_F32;
layout(constant_id = 2) const uint TYPE_X = TYPE_F32;

TENSOR(1, w)
TENSOR(2, x)
TENSOR(3, y)
READER(w)
READER(x)
WRITER(y)

#define TILE   32
#define STEP_K 16

shared float w_tile[STEP_K * TILE];
shared float x_tile[STEP_K * TILE];

void main()
{
	tensor w = get_tensor(0);
	tensor x = get_tensor(1);
	tensor y = get_tensor(2);
	uint first_m = gl_WorkGroupID.x * TILE;
	uint thread_m = gl_LocalInvocationIndex % 8;
	uint thread_n = gl_LocalInvocationIndex / 8;
	uint batches = y.ne.z * y.ne.w;
	uint tiles_n = (y.ne.y + TILE - 1) / TILE;

	for (uint tile = gl_WorkGroupID.y; tile < tiles_n * batches; tile += gl_NumWorkGroups.y) {
		uint first_n = tile % tiles_n * TILE;
		uvec2 batch = uvec2(tile / tiles_n % y.ne.z, tile / tiles_n / y.ne.z);
		uvec2 w_batch = batch / (y.ne.zw / w.ne.zw);
		float sums[4][4];

		[[unroll]] for (uint i = 0; i < 4; i++)
			[[unroll]] for (uint j = 0; j < 4; j++)
				sums[i][j] = 0.0;

		for (uint first_k = 0; first_k < w.ne.x; first_k += STEP_K) {
			for (uint at = 0; at < STEP_K * TILE; at += 64) {
				uint i = at + gl_LocalInvocationIndex;
				uint k = first_k + i % STEP_K;
				uint m = min(first_m + i / STEP_K, y.ne.x - 1);
				uint n = min(first_n + i / STEP_K, y.ne.y - 1);
				bool inside = k < w.ne.x;

				w_tile[i % STEP_K * TILE + i / STEP_K] =
					inside ? read_w(TYPE_W, row_at(w, uvec3(m, w_batch)), w.nb.x, k) : 0.0;
				x_tile[i % STEP_K * TILE + i / STEP_K] =
					inside ? read_x(TYPE_X, row_at(x, uvec3(n, batch)), x.nb.x, k) : 0.0;
			}
			barrier();
			for (uint k = 0; k < STEP_K; k++) {
				float weights[4];

				[[unroll]] for (uint i = 0; i < 4; i++)
					weights[i] = w_tile[k * TILE + 8 * i + thread_m];
				[[unroll]] for (uint j = 0; j < 4; j++) {
					float activation = x_tile[k * TILE + 8 * j + thread_n];

					[[unroll]] for (uint i = 0; i < 4; i++)
						sums[i][j] = fma(weights[i], activation, sums[i][j]);
				}
			}
			barrier();
		}
		[[unroll]] for (uint j = 0; j < 4; j++) {
			[[unroll]] for (uint i = 0; i < 4; i++) {
				uint m = first_m + 8 * i + thread_m;
				uint n = first_n + 8 * j + thread_n;

				if (m < y.ne.x && n < y.ne.y)
					write_y(TYPE_F32, row_at(y, uvec3(n, batch)), y.nb.x, m, sums[i][j]);
			}
		}
	}
}
