// SPDX-License-Identifier: MIT
/*
 * y[n] = Σk x[k] · w[n][k] (+ residual[n]): one row of activations. With EXPERTS, one row for each slot of a mixture of
 * experts, with the matrix of the expert that the slot has selected.
 *
 * A team computes ROWS outputs at a time, its lanes along k. The activations are staged in shared memory in
 * planes, plane i holding element i of every unit of weights, so that neighbouring lanes read
 * neighbouring numbers whatever the weights' type.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

#define ROWS 4

layout(local_size_x_id = 0) in;
layout(constant_id = 2) const uint CHUNK = 512; /* units staged at a time; a multiple of 32 */
layout(constant_id = 3) const bool WHOLE_WORDS = true;
layout(constant_id = 4) const uint GROUP_ROWS = 16; /* outputs of a work-group; a multiple of ROWS */

layout(set = 0, binding = 0, std430) readonly buffer Weights { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer X { float x[]; };
#ifdef EXPERTS
layout(set = 0, binding = 2, std430) readonly buffer Selected { uint selected[]; };
#else
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
#endif
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
#ifdef EXPERTS
	uint w_first, x_first, selected_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count;	/* outputs of an expert */
	uint units;	/* of a row */
	uint x_share;	/* slots that have a row of activations in common */
	uint first_expert, expert_count; /* whose weights are bound */
	uint used;	      /* slots of a row */
	uint selected_stride; /* of a row */
#else
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of this dispatch */
	uint units;   /* of a row */
	uint add_residual;
#endif
};

#define WEIGHT_WORD(i) w_words[i]
#include "weights.glsl"
#include "team.glsl"

shared float planes[UNIT * CHUNK];

void stage(uint x_start, uint first_unit, uint count)
{
	[[unroll]] for (uint i = 0; i < UNIT; i++) {
		for (uint at = 0; at < count; at += gl_WorkGroupSize.x) {
			uint u = at + gl_LocalInvocationIndex;
			uint k = unit_element(first_unit + u, i);

			if (u < count)
				planes[i * CHUNK + u] = k < columns ? x[x_start + k] : 0.0;
		}
	}
}

void accumulate(uint row[ROWS], uint first_unit, uint u, inout float sums[ROWS])
{
	float values[UNIT];
	float activations[UNIT];

	[[unroll]] for (uint i = 0; i < UNIT; i++)
		activations[i] = planes[i * CHUNK + u];
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		float scale = read_unit(row[r], columns, w_first, first_unit + u, values);
		float dot = values[0] * activations[0];

		[[unroll]] for (uint i = 1; i < UNIT; i++)
			dot = fma(values[i], activations[i], dot);
		sums[r] = fma(scale, dot, sums[r]);
	}
}

/*
 * Outputs first … first + ROWS - 1 of this team, which are rows w_row + first … of the weights. All teams come here together.
 */
void compute(uint first, uint w_row, uint x_start, uint y_start)
{
	uint row[ROWS];
	float sums[ROWS];

	/* Rows beyond the last are computed like the last and not written. */
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		row[r] = w_row + min(first + r, n_count - 1);
		sums[r] = 0.0;
	}
	for (uint at = 0; at < units; at += CHUNK) {
		uint count = min(CHUNK, units - at);
		uint whole = count / team_lanes;

		stage(x_start, at, count);
		barrier();
		for (uint i = 0; i < whole; i++)
			accumulate(row, at, i * team_lanes + team_lane, sums);
		if (whole * team_lanes + team_lane < count)
			accumulate(row, at, whole * team_lanes + team_lane, sums);
		barrier();
	}
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		float sum = team_sum(sums[r]);

		if (team_lane == 0 && first + r < n_count) {
#ifndef EXPERTS
			if (add_residual != 0)
				sum += residual[residual_first + first + r];
#endif
			y[y_start + first + r] = sum;
		}
	}
}

void main()
{
	uint start = gl_WorkGroupID.x * GROUP_ROWS;
#ifdef EXPERTS
	uint slot = gl_WorkGroupID.y;
	uint expert = selected[selected_first + slot / used * selected_stride + slot % used] - first_expert;

	if (expert >= expert_count)
		return;

	uint w_row = expert * n_count;
	uint x_start = x_first + slot / x_share * columns;
	uint y_start = y_first + slot * n_count;
#else
	uint w_row = 0;
	uint x_start = x_first;
	uint y_start = y_first;
#endif

	for (uint at = 0; at < GROUP_ROWS; at += team_count * ROWS) {
		uint mine = at + team_index * ROWS;

		/* Teams that GROUP_ROWS leaves without work stay for the barriers. */
		compute(mine < GROUP_ROWS ? start + mine : n_count, w_row, x_start, y_start);
	}
}
