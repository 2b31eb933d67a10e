// SPDX-License-Identifier: MIT
/*
 * y[r][n] = Σk x[r][k] · w[n][k] (+ residual[r][n]): many rows of activations. A bias is a residual whose rows are
 * all the same: its stride is 0.
 *
 * A work-group computes a tile of y. THREADS_N neighbouring invocations lie along n, so that they read
 * neighbouring weights and write neighbouring outputs and all read the same activation; each computes
 * 4 × 4 outputs. Tiles of x (row-major) and of w (transposed, dequantised) go through shared memory.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

#define TILE_R 4 /* outputs of an invocation */
#define TILE_N 4

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint THREADS_N = 16;
layout(constant_id = 2) const uint THREADS_R = 16; /* THREADS_N · THREADS_R = the local size */
layout(constant_id = 3) const bool WHOLE_WORDS = true;
/*
 * k staged at a time; 32 for block types. THREADS_N is a multiple of 16, and THREADS_R · UNIT divides 4 · STEP_K.
 */
layout(constant_id = 4) const uint STEP_K = 32;
/*
 * How invocations share out the weights: sixteen neighbours at sixteen rows, which makes stores contiguous, or
 * along the rows, which makes loads contiguous.
 */
layout(constant_id = 5) const bool STAGE_ALONG_N = true;

const uint GROUP_R = THREADS_R * TILE_R;
const uint GROUP_N = THREADS_N * TILE_N;

layout(set = 0, binding = 0, std430) readonly buffer Weights { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of a row, of this dispatch */
	uint units;   /* of a row of weights */
	uint add_residual;
	uint rows;
	uint y_stride; /* outputs of a row */
	uint residual_stride;
};

#define WEIGHT_WORD(i) w_words[i]
#include "weights.glsl"

shared float x_tile[GROUP_R * STEP_K];
shared float w_tile[STEP_K * GROUP_N];

/* Tiles are whole multiples of the work-group, so that all its invocations loop alike. */
void stage_x(uint first_row, uint first_k)
{
	for (uint at = 0; at < GROUP_R * STEP_K; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;
		uint row = min(first_row + i / STEP_K, rows - 1);
		uint k = first_k + i % STEP_K;

		x_tile[i] = k < columns ? x[x_first + row * columns + k] : 0.0;
	}
}

void stage_w(uint first_n, uint first_k)
{
	const uint step_units = STEP_K / UNIT;
	float values[UNIT];

	for (uint at = 0; at < GROUP_N * step_units; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;
		uint n = STAGE_ALONG_N ? i / (16 * step_units) * 16 + i % 16 : i / step_units;
		uint u = STAGE_ALONG_N ? i / 16 % step_units : i % step_units;
		uint unit = first_k / UNIT + u;
		float scale = 0.0;

		[[unroll]] for (uint e = 0; e < UNIT; e++)
			values[e] = 0.0;
		if (unit < units)
			scale = read_unit(min(first_n + n, n_count - 1), columns, w_first, unit, values);
		[[unroll]] for (uint e = 0; e < UNIT; e++)
			w_tile[unit_element(u, e) * GROUP_N + n] = scale * values[e];
	}
}

void main()
{
	uint thread_n = gl_LocalInvocationIndex % THREADS_N;
	uint thread_r = gl_LocalInvocationIndex / THREADS_N;
	uint first_n = gl_WorkGroupID.x * GROUP_N;
	uint first_row = gl_WorkGroupID.y * GROUP_R;
	float sums[TILE_R][TILE_N];

	[[unroll]] for (uint r = 0; r < TILE_R; r++)
		[[unroll]] for (uint n = 0; n < TILE_N; n++)
			sums[r][n] = 0.0;

	for (uint first_k = 0; first_k < columns; first_k += STEP_K) {
		stage_x(first_row, first_k);
		stage_w(first_n, first_k);
		barrier();
		for (uint k = 0; k < STEP_K; k++) {
			float weights[TILE_N];

			[[unroll]] for (uint n = 0; n < TILE_N; n++)
				weights[n] = w_tile[k * GROUP_N + n * THREADS_N + thread_n];
			[[unroll]] for (uint r = 0; r < TILE_R; r++) {
				float activation = x_tile[(thread_r * TILE_R + r) * STEP_K + k];

				[[unroll]] for (uint n = 0; n < TILE_N; n++)
					sums[r][n] = fma(activation, weights[n], sums[r][n]);
			}
		}
		barrier();
	}

	[[unroll]] for (uint r = 0; r < TILE_R; r++) {
		uint row = first_row + thread_r * TILE_R + r;

		[[unroll]] for (uint n = 0; n < TILE_N; n++) {
			uint column = first_n + n * THREADS_N + thread_n;

			if (row < rows && column < n_count) {
				uint at = row * y_stride + column;
				float sum = sums[r][n];

				if (add_residual != 0)
					sum += residual[residual_first + row * residual_stride + column];
				y[y_first + at] = sum;
			}
		}
	}
}
