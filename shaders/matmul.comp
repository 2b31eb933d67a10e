// SPDX-License-Identifier: MIT
/*
 * y[r][n] = Σk x[r][k] · w[n][k] (+ residual[r][n]): many rows of activations. A bias is a residual whose rows are
 * all the same: its stride is 0. With EXPERTS, rows are slots of a mixture of experts, each to be multiplied with the matrix of
 * the expert that it has selected; experts_group.comp has made tiles of slots with the same expert.
 *
 * A work-group computes a tile of y. THREADS_N neighbouring invocations lie along n, so that they read
 * neighbouring weights and write neighbouring outputs and all read the same activation; each computes
 * TILE_R × TILE_N outputs. Tiles of x (row-major) and of w (transposed, dequantised) go through shared memory.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

#define UNROLL_K 4 /* divides STEP_K */

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint THREADS_N = 16;
layout(constant_id = 2) const uint THREADS_R = 16; /* THREADS_N · THREADS_R = the local size */
layout(constant_id = 3) const bool WHOLE_WORDS = true;
/*
 * k staged at a time; 32 for block types. THREADS_N is a multiple of 16, and THREADS_R · UNIT divides 4 · STEP_K.
 */
layout(constant_id = 4) const uint STEP_K = 32;
/* Outputs of an invocation: TILE_R · TILE_N of them, and TILE_N weights, should find room in registers. */
layout(constant_id = 5) const uint TILE_R = 4;
layout(constant_id = 6) const uint TILE_N = 4;

const uint GROUP_R = THREADS_R * TILE_R;
const uint GROUP_N = THREADS_N * TILE_N;

layout(set = 0, binding = 0, std430) readonly buffer Weights { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer X { float x[]; };
#ifdef EXPERTS
layout(set = 0, binding = 2, std430) readonly buffer Groups { uint groups[]; };
#else
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
#endif
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
#ifdef EXPERTS
	uint w_first, x_first, groups_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count;	/* outputs of an expert */
	uint units;	/* of a row of weights */
	uint x_share;	/* slots that have a row of activations in common */
	uint first_expert, expert_count; /* whose weights are bound */
	uint used, selected_stride;
	uint slots;
#else
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of a row, of this dispatch */
	uint units;   /* of a row of weights */
	uint add_residual;
	uint rows;
	uint y_stride; /* outputs of a row */
	uint residual_stride;
#endif
};

#define WEIGHT_WORD(i) w_words[i]
#include "weights.glsl"

shared float x_tile[GROUP_R * STEP_K];
shared float w_tile[STEP_K * GROUP_N];

#ifdef EXPERTS
/* Number @i of those in order of their experts. */
uint slot_at(uint i)
{
	return groups[groups_first + i];
}
#endif

/* Rows from @first_row on; beyond @end they are like the last before it. */
void stage_x(uint first_row, uint end, uint first_k)
{
	for (uint at = 0; at < GROUP_R * STEP_K; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;
		uint row = min(first_row + i / STEP_K, end - 1);
		uint k = first_k + i % STEP_K;

#ifdef EXPERTS
		row = slot_at(row) / x_share;
#endif
		if (GROUP_R * STEP_K % gl_WorkGroupSize.x == 0 || i < GROUP_R * STEP_K)
			x_tile[i] = k < columns ? x[x_first + row * columns + k] : 0.0;
	}
}

/* Sixteen neighbours at sixteen rows: that makes stores contiguous. */
void stage_w(uint first_row, uint first_n, uint first_k)
{
	const uint step_units = STEP_K / UNIT;
	float values[UNIT];

	for (uint at = 0; at < GROUP_N * step_units; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;
		uint n = i / (16 * step_units) * 16 + i % 16;
		uint u = i / 16 % step_units;
		uint unit = first_k / UNIT + u;
		float scale = 0.0;

		[[unroll]] for (uint e = 0; e < UNIT; e++)
			values[e] = 0.0;
		if (unit < units)
			scale = read_unit(first_row + min(first_n + n, n_count - 1), columns, w_first, unit, values);
		if (GROUP_N * step_units % gl_WorkGroupSize.x != 0 && i >= GROUP_N * step_units)
			break;
		[[unroll]] for (uint e = 0; e < UNIT; e++)
			w_tile[unit_element(u, e) * GROUP_N + n] = scale * values[e];
	}
}

void main()
{
	uint thread_n = gl_LocalInvocationIndex % THREADS_N;
	uint thread_r = gl_LocalInvocationIndex / THREADS_N;
	uint first_n = gl_WorkGroupID.x * GROUP_N;
#ifdef EXPERTS
	uint tile = groups_first + slots + 3 * gl_WorkGroupID.y;
	uint expert = groups[tile] - first_expert;
	uint first_row = groups[tile + 1];
	uint end = first_row + groups[tile + 2];

	if (expert >= expert_count || first_row == end)
		return;

	uint w_row = expert * n_count;
#else
	uint first_row = gl_WorkGroupID.y * GROUP_R;
	uint end = rows;
	uint w_row = 0;
#endif
	float sums[TILE_R][TILE_N];

	[[unroll]] for (uint r = 0; r < TILE_R; r++)
		[[unroll]] for (uint n = 0; n < TILE_N; n++)
			sums[r][n] = 0.0;

	for (uint first_k = 0; first_k < columns; first_k += STEP_K) {
		stage_x(first_row, end, first_k);
		stage_w(w_row, first_n, first_k);
		barrier();
		/* Several k a turn, so that addresses are computed once for them. */
		for (uint first = 0; first < STEP_K; first += UNROLL_K) {
			uint w_at = first * GROUP_N + thread_n;
			uint x_at = thread_r * (TILE_R * STEP_K) + first;

			[[unroll]] for (uint k = 0; k < UNROLL_K; k++) {
				float weights[TILE_N];

				[[unroll]] for (uint n = 0; n < TILE_N; n++)
					weights[n] = w_tile[w_at + (k * GROUP_N + n * THREADS_N)];
				[[unroll]] for (uint r = 0; r < TILE_R; r++) {
					float activation = x_tile[x_at + (r * STEP_K + k)];

					[[unroll]] for (uint n = 0; n < TILE_N; n++)
						sums[r][n] = fma(activation, weights[n], sums[r][n]);
				}
			}
		}
		barrier();
	}

	[[unroll]] for (uint r = 0; r < TILE_R; r++) {
		uint row = first_row + thread_r * TILE_R + r;

		[[unroll]] for (uint n = 0; n < TILE_N; n++) {
			uint column = first_n + n * THREADS_N + thread_n;

			if (row < end && column < n_count) {
				float sum = sums[r][n];

#ifdef EXPERTS
				y[y_first + slot_at(row) * n_count + column] = sum;
#else
				if (add_residual != 0)
					sum += residual[residual_first + row * residual_stride + column];
				y[y_first + row * y_stride + column] = sum;
#endif
			}
		}
	}
}
