// SPDX-License-Identifier: MIT
/*
 * y[r][n] = Σk x[r][k] · w[n][k] (+ residual[r][n]): many rows of activations in blocks of bytes, as quantise.comp makes
 * them, and weights in blocks, multiplied as bytes.
 *
 * A work-group computes a tile of y as matmul.comp does. Words of weights go through shared memory, transposed, with
 * their scales as F32; activations are read as they lie, by all invocations of a row at the same address.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_integer_dot_product : require
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint THREADS_N = 16;
layout(constant_id = 2) const uint THREADS_R = 16; /* THREADS_N · THREADS_R = the local size */
layout(constant_id = 3) const uint LANES = 8;	   /* that the activations are laid out for */
layout(constant_id = 4) const uint STEP = 2;	   /* pairs of blocks staged at a time */
layout(constant_id = 5) const uint TILE_R = 4;
layout(constant_id = 6) const uint TILE_N = 2;

const uint GROUP_R = THREADS_R * TILE_R;
const uint GROUP_N = THREADS_N * TILE_N;

layout(set = 0, binding = 0, std430) readonly buffer Weights { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer X { uint x_words[]; };
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of a row, of this dispatch */
	uint x_row_words;
	uint add_residual;
	uint rows;
	uint y_stride; /* outputs of a row */
	uint residual_stride;
};

#define PAIR 64 /* columns of two blocks */

#if defined(TYPE_Q8_0)
#define PAIR_WORDS   17
#define PAIR_NUMBERS 16 /* words of them */
#else
#define PAIR_WORDS   9
#define PAIR_NUMBERS 8
#endif
#define BLOCK_NUMBERS (PAIR_NUMBERS / 2)

shared uint w_tile[STEP * PAIR_NUMBERS * GROUP_N];
shared float w_scales[STEP * 2 * GROUP_N];

uint pair_start(uint n, uint pair, uint pairs)
{
	return w_first + (min(n, n_count - 1) * pairs + min(pair, pairs - 1)) * PAIR_WORDS;
}

void stage(uint first_n, uint first_pair, uint pairs)
{
	/* Neighbours at neighbouring words. */
	for (uint at = 0; at < STEP * PAIR_NUMBERS * GROUP_N; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;
		uint word = i % PAIR_NUMBERS;
		uint n = i / PAIR_NUMBERS % GROUP_N;
		uint pair = i / (PAIR_NUMBERS * GROUP_N);

		if (STEP * PAIR_NUMBERS * GROUP_N % gl_WorkGroupSize.x != 0 && pair >= STEP)
			break;

		uint start = pair_start(first_n + n, first_pair + pair, pairs);
		uint high = w_words[start + word + 1];
		uint straddling = (w_words[start + word] >> 16) | (high << 16);

		w_tile[(pair * PAIR_NUMBERS + word) * GROUP_N + n] =
			word < BLOCK_NUMBERS ? straddling : high;
	}
	for (uint at = 0; at < STEP * 2 * GROUP_N; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;
		uint n = i % GROUP_N;
		uint block = i / GROUP_N;

		if (STEP * 2 * GROUP_N % gl_WorkGroupSize.x != 0 && block >= 2 * STEP)
			break;

		uint start = pair_start(first_n + n, first_pair + block / 2, pairs);
		uint word = (block & 1) == 0 ? w_words[start] : w_words[start + BLOCK_NUMBERS] >> 16;

		w_scales[i] = unpackHalf2x16(word).x;
	}
}

void main()
{
	uint thread_n = gl_LocalInvocationIndex % THREADS_N;
	uint thread_r = gl_LocalInvocationIndex / THREADS_N;
	uint first_n = gl_WorkGroupID.x * GROUP_N;
	uint first_row = gl_WorkGroupID.y * GROUP_R;
	uint pairs = columns / PAIR;
	uint x_start[TILE_R];
	float sums[TILE_R][TILE_N];

	[[unroll]] for (uint r = 0; r < TILE_R; r++) {
		x_start[r] = x_first + min(first_row + thread_r * TILE_R + r, rows - 1) * x_row_words;
		[[unroll]] for (uint n = 0; n < TILE_N; n++)
			sums[r][n] = 0.0;
	}

	for (uint first_pair = 0; first_pair < pairs; first_pair += STEP) {
		uint count = 2 * min(STEP, pairs - first_pair);

		stage(first_n, first_pair, pairs);
		barrier();
		for (uint block = 0; block < count; block++) {
			uint w_at = block * BLOCK_NUMBERS * GROUP_N + thread_n;
			int dots[TILE_R][TILE_N];
			float scales[TILE_N];

#if defined(TYPE_Q8_0)
			uint x_word = (first_pair * 2 + block) * 8;
			uint x_at = x_word / LANES * (2 * LANES) + x_word % LANES;
			uint x_scale = LANES;

			[[unroll]] for (uint word = 0; word < BLOCK_NUMBERS; word++) {
				int weights[TILE_N];

				[[unroll]] for (uint n = 0; n < TILE_N; n++)
					weights[n] = int(w_tile[w_at + (word * GROUP_N + n * THREADS_N)]);
				[[unroll]] for (uint r = 0; r < TILE_R; r++) {
					int x = int(x_words[x_start[r] + x_at + word]);

					[[unroll]] for (uint n = 0; n < TILE_N; n++) {
						int dot = dotPacked4x8EXT(weights[n], x);

						dots[r][n] = word == 0 ? dot : dots[r][n] + dot;
					}
				}
			}
#else
			uint x_pair = first_pair + block / 2;
			uint x_at = x_pair / (LANES / 8) * (4 * LANES) + x_pair % (LANES / 8) * 8 +
				    (block & 1) * 4;
			uint x_scale = 2 * LANES;

			[[unroll]] for (uint word = 0; word < BLOCK_NUMBERS; word++) {
				uint low[TILE_N];
				uint high[TILE_N];

				[[unroll]] for (uint n = 0; n < TILE_N; n++) {
					uint both = w_tile[w_at + (word * GROUP_N + n * THREADS_N)];

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
			[[unroll]] for (uint n = 0; n < TILE_N; n++)
				scales[n] = w_scales[block * GROUP_N + n * THREADS_N + thread_n];
			[[unroll]] for (uint r = 0; r < TILE_R; r++) {
				float scale = uintBitsToFloat(x_words[x_start[r] + x_at + x_scale]);

				[[unroll]] for (uint n = 0; n < TILE_N; n++)
					sums[r][n] = fma(float(dots[r][n]), scale * scales[n], sums[r][n]);
			}
		}
		barrier();
	}

	[[unroll]] for (uint r = 0; r < TILE_R; r++) {
		uint row = first_row + thread_r * TILE_R + r;

		[[unroll]] for (uint n = 0; n < TILE_N; n++) {
			uint column = first_n + n * THREADS_N + thread_n;

			if (row < rows && column < n_count) {
				float sum = sums[r][n];

				if (add_residual != 0)
					sum += residual[residual_first + row * residual_stride + column];
				y[y_first + row * y_stride + column] = sum;
			}
		}
	}
}
