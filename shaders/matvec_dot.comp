// SPDX-License-Identifier: MIT
/*
 * y[n] = Σk x[k] · w[n][k] (+ residual[n]): one row of activations in blocks of bytes, as quantise.comp makes them, and
 * weights in blocks, multiplied as bytes.
 *
 * A subgroup of LANES computes ROWS outputs, its lanes along k: an invocation takes a word of numbers in a step. Rows of
 * weights start on words. With up to 16 lanes, words come from loads at neighbouring addresses and selections
 * between them, which on a processor with vectors cost less than loads from any address.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_integer_dot_product : require
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_basic : require

/* More rows share what is read of the activations; fewer read memory in longer stretches. */
#if defined(TYPE_Q8_0)
#define ROWS 4
#else
#define ROWS 2
#endif

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 8; /* of the device's subgroups; at least 8 */

layout(set = 0, binding = 0, std430) readonly buffer Weights { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer X { uint x_words[]; };
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of this dispatch */
	uint units;
	uint add_residual;
};

#include "dot.glsl"

void main()
{
	uint first = (gl_WorkGroupID.x * (gl_WorkGroupSize.x / LANES) + gl_SubgroupID) * ROWS;
	uint lane = gl_SubgroupInvocationID;
	uint pairs = columns / PAIR;
	uint start[ROWS];
	float sums[ROWS];

	/* Rows beyond the last are computed like the last and not written. */
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		start[r] = w_first + min(first + r, n_count - 1) * (pairs * PAIR_WORDS);
		sums[r] = 0.0;
	}
	for (uint step = 0; step * STEP_PAIRS < pairs; step++) {
		uint x_at = x_first + step * (STEP_WORDS * LANES) + lane;

		[[unroll]] for (uint part = 0; part < STEP_PARTS; part++) {
			part_activations(x_at, part);
			[[unroll]] for (uint r = 0; r < ROWS; r++)
				sums[r] = part_product(start[r], step, pairs, part, lane, sums[r]);
		}
	}
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		float sum = subgroupAdd(sums[r]);

		if (lane == 0 && first + r < n_count) {
			if (add_residual != 0)
				sum += residual[residual_first + first + r];
			y[y_first + first + r] = sum;
		}
	}
}
