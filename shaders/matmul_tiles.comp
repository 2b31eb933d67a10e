// SPDX-License-Identifier: MIT
/*
 * y[r][n] = Σk x[r][k] · w[n][k] (+ residual[r][n]): activations in blocks of bytes, as quantise.comp makes them, and weights
 * in tiles, multiplied as bytes. For one row and for many. With EXPERTS, rows are slots of a mixture of experts, gathered by
 * experts_group.comp as for matmul.comp, and the matrices of the experts lie one after the other.
 *
 * A lane is a row of weights, so that sums stay in their lanes and weights are read in the order of memory; activations are
 * the same for all lanes. A subgroup computes TILE_R rows of TILE_N tiles' outputs; subgroups of a work-group take
 * different rows and share the weights through caches.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_integer_dot_product : require
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_basic : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 8; /* of the device's subgroups, 8 or 16 */
layout(constant_id = 2) const uint TILE_R = 1;
layout(constant_id = 3) const uint TILE_N = 2;

layout(set = 0, binding = 0, std430) readonly buffer Weights { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer X { uint x_words[]; };
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
	uint n_count; /* outputs of an expert: a multiple of LANES */
	uint x_row_words;
	uint x_share; /* slots that have a row of activations in common */
	uint first_expert, expert_count; /* whose weights are bound */
	uint used, selected_stride;
	uint slots;
#else
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of a row, of this dispatch: a multiple of LANES */
	uint x_row_words;
	uint add_residual;
	uint rows;
	uint y_stride; /* outputs of a row */
	uint residual_stride;
#endif
};

#include "tiles.glsl"

void main()
{
	uint lane = gl_SubgroupInvocationID;
	uint first_tile = gl_WorkGroupID.x * TILE_N;
#ifdef EXPERTS
	uint tile = groups_first + slots + 3 * gl_WorkGroupID.y;
	uint expert = groups[tile] - first_expert;
	uint first_row = groups[tile + 1] + gl_SubgroupID * TILE_R;
	uint end = groups[tile + 1] + groups[tile + 2];
	uint w_matrix = w_first + expert * (columns / PAIR * PAIR_WORDS * n_count);

	if (expert >= expert_count)
		return;
#else
	uint first_row = (gl_WorkGroupID.y * (gl_WorkGroupSize.x / LANES) + gl_SubgroupID) * TILE_R;
	uint end = rows;
	uint w_matrix = w_first;
#endif
	uint pairs = columns / PAIR;
	uint w_start[TILE_N];
	uint x_start[TILE_R];
	float sums[TILE_R][TILE_N];

	if (first_row >= end)
		return;
	/* What is beyond the last is computed like the last and not written. */
	[[unroll]] for (uint n = 0; n < TILE_N; n++)
		w_start[n] = w_matrix + min(first_tile + n, n_count / LANES - 1) *
				       (pairs * PAIR_WORDS * LANES) + lane;
	[[unroll]] for (uint r = 0; r < TILE_R; r++) {
		uint row = min(first_row + r, end - 1);

#ifdef EXPERTS
		row = groups[groups_first + row] / x_share;
#endif
		x_start[r] = x_first + row * x_row_words;
		[[unroll]] for (uint n = 0; n < TILE_N; n++)
			sums[r][n] = 0.0;
	}

	for (uint pair = 0; pair < pairs; pair++) {
		uint w_at = pair * (PAIR_WORDS * LANES);
		vec2 scales[TILE_N];

		[[unroll]] for (uint n = 0; n < TILE_N; n++)
			scales[n] = unpackHalf2x16(w_words[w_start[n] + w_at + PAIR_NUMBERS * LANES]);
		[[unroll]] for (uint block = 0; block < 2; block++) {
			int dots[TILE_R][TILE_N];

#if defined(TYPE_Q8_0)
			uint x_word = (pair * 2 + block) * 8;
			uint x_at = x_word / LANES * (2 * LANES) + x_word % LANES;
			uint x_scale = LANES;

			[[unroll]] for (uint word = 0; word < BLOCK_NUMBERS; word++) {
				int weights[TILE_N];

				[[unroll]] for (uint n = 0; n < TILE_N; n++)
					weights[n] = int(w_words[w_start[n] + w_at +
								 (block * BLOCK_NUMBERS + word) * LANES]);
				[[unroll]] for (uint r = 0; r < TILE_R; r++) {
					int x = int(x_words[x_start[r] + x_at + word]);

					[[unroll]] for (uint n = 0; n < TILE_N; n++) {
						int dot = dotPacked4x8EXT(weights[n], x);

						dots[r][n] = word == 0 ? dot : dots[r][n] + dot;
					}
				}
			}
#else
			uint x_at = pair / (LANES / 8) * (4 * LANES) + pair % (LANES / 8) * 8 + block * 4;
			uint x_scale = 2 * LANES;

			[[unroll]] for (uint word = 0; word < BLOCK_NUMBERS; word++) {
				uint low[TILE_N];
				uint high[TILE_N];

				[[unroll]] for (uint n = 0; n < TILE_N; n++) {
					uint both = w_words[w_start[n] + w_at +
							    (block * BLOCK_NUMBERS + word) * LANES];

					low[n] = both & 0x0f0f0f0fu;
					high[n] = (both >> 4) & 0x0f0f0f0fu;
				}
				[[unroll]] for (uint r = 0; r < TILE_R; r++) {
					int x_low = int(x_words[x_start[r] + x_at + word]);
					int x_high = int(x_words[x_start[r] + x_at + LANES + word]);

					[[unroll]] for (uint n = 0; n < TILE_N; n++) {
						int dot = dotPacked4x8EXT(x_low, low[n]) +
							  dotPacked4x8EXT(x_high, high[n]);

						dots[r][n] = word == 0 ? dot : dots[r][n] + dot;
					}
				}
			}
			[[unroll]] for (uint r = 0; r < TILE_R; r++) {
				int eights = int(x_words[x_start[r] + x_at + 3 * LANES]);

				[[unroll]] for (uint n = 0; n < TILE_N; n++)
					dots[r][n] -= eights;
			}
#endif
			[[unroll]] for (uint r = 0; r < TILE_R; r++) {
				float scale = uintBitsToFloat(x_words[x_start[r] + x_at + x_scale]);

				[[unroll]] for (uint n = 0; n < TILE_N; n++)
					sums[r][n] = fma(float(dots[r][n]),
							 scale * (block == 0 ? scales[n].x : scales[n].y),
							 sums[r][n]);
			}
		}
	}

	[[unroll]] for (uint r = 0; r < TILE_R; r++) {
		uint row = first_row + r;

		[[unroll]] for (uint n = 0; n < TILE_N; n++) {
			uint column = (first_tile + n) * LANES + lane;

			if (row < end && column < n_count) {
				float sum = sums[r][n];

#ifdef EXPERTS
				y[y_first + groups[groups_first + row] * n_count + column] = sum;
#else
				if (add_residual != 0)
					sum += residual[residual_first + row * residual_stride + column];
				y[y_first + row * y_stride + column] = sum;
#endif
			}
		}
	}
}
