// SPDX-License-Identifier: MIT
/*
 * y[n] = Σk x[k] · w[n][k] (+ residual[n]): one row of activations.
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
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of this dispatch */
	uint units;   /* of a row */
	uint add_residual;
};

#define WEIGHT_WORD(i) w_words[i]
#include "weights.glsl"
#include "team.glsl"

shared float planes[UNIT * CHUNK];

void stage(uint first_unit, uint count)
{
	[[unroll]] for (uint i = 0; i < UNIT; i++) {
		for (uint at = 0; at < count; at += gl_WorkGroupSize.x) {
			uint u = at + gl_LocalInvocationIndex;
			uint k = unit_element(first_unit + u, i);

			if (u < count)
				planes[i * CHUNK + u] = k < columns ? x[x_first + k] : 0.0;
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

/* Outputs first … first + ROWS - 1 of this team. All teams come here together. */
void compute(uint first)
{
	uint row[ROWS];
	float sums[ROWS];

	/* Rows beyond the last are computed like the last and not written. */
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		row[r] = min(first + r, n_count - 1);
		sums[r] = 0.0;
	}
	for (uint at = 0; at < units; at += CHUNK) {
		uint count = min(CHUNK, units - at);
		uint whole = count / team_lanes;

		stage(at, count);
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
			if (add_residual != 0)
				sum += residual[residual_first + first + r];
			y[y_first + first + r] = sum;
		}
	}
}

void main()
{
	uint start = gl_WorkGroupID.x * GROUP_ROWS;

	for (uint at = 0; at < GROUP_ROWS; at += team_count * ROWS) {
		uint mine = at + team_index * ROWS;

		/* Teams that GROUP_ROWS leaves without work stay for the barriers. */
		compute(mine < GROUP_ROWS ? start + mine : n_count);
	}
}
