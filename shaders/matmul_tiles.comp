// SPDX-License-Identifier: MIT
/*
 * y[r][n] = Σk x[r][k] · w[n][k] (+ residual[r][n]): activations in blocks of bytes, as quantise.comp makes them, and weights
 * in tiles, multiplied as bytes. For one row and for many.
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
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of a row, of this dispatch: a multiple of LANES */
	uint x_row_words;
	uint add_residual;
	uint rows;
	uint y_stride; /* outputs of a row */
	uint residual_stride;
};

#include "tiles.glsl"

void main()
{
	uint lane = gl_SubgroupInvocationID;
	uint first_tile = gl_WorkGroupID.x * TILE_N;
	uint first_row = (gl_WorkGroupID.y * (gl_WorkGroupSize.x / LANES) + gl_SubgroupID) * TILE_R;
	uint pairs = columns / PAIR;
	uint w_start[TILE_N];
	uint x_start[TILE_R];
	float sums[TILE_R][TILE_N];

	if (first_row >= rows)
		return;
	/* What is beyond the last is computed like the last and not written. */
	[[unroll]] for (uint n = 0; n < TILE_N; n++)
		w_start[n] = w_first + min(first_tile + n, n_count / LANES - 1) *
				       (pairs * PAIR_WORDS * LANES) + lane;
	[[unroll]] for (uint r = 0; r < TILE_R; r++) {
		x_start[r] = x_first + min(first_row + r, rows - 1) * x_row_words;
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

			if (row < rows && column < n_count) {
				float sum = sums[r][n];

				if (add_residual != 0)
					sum += residual[residual_first + row * residual_stride + column];
				y[y_first + row * y_stride + column] = sum;
			}
		}
	}
}
