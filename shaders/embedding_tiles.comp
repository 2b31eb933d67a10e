// SPDX-License-Identifier: MIT
/*
 * y[r][:] = table[tokens[r]][:] of a table in tiles; otherwise like embedding.comp. One invocation decodes a word of numbers.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 8;

layout(set = 0, binding = 0, std430) readonly buffer Table { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer Tokens { uint tokens[]; };
layout(set = 0, binding = 2, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, tokens_first, y_first; /* where the views start, in words */
	uint columns;
	uint units; /* words of numbers of a row */
	uint first_token; /* a multiple of LANES */
	uint n_count;
	uint table_rows;
};

#include "tiles.glsl"

void main()
{
	uint u = gl_GlobalInvocationID.x;
	uint row = gl_WorkGroupID.y;
	uint token = tokens[tokens_first + row];
	bool absent = token >= table_rows;

	if (u >= units)
		return;
	if (absent ? first_token > 0 : token < first_token || token - first_token >= n_count)
		return;

	uint word = u % PAIR_NUMBERS;
	uint at = absent ? 0 : token - first_token;
	uint tile = at / LANES * (columns / PAIR) + u / PAIR_NUMBERS;
	uint start = w_first + tile * (PAIR_WORDS * LANES) + at % LANES;
	uint bits = w_words[start + word * LANES];
	vec2 scales = unpackHalf2x16(w_words[start + PAIR_NUMBERS * LANES]);
	float scale = absent ? 0.0 : word < BLOCK_NUMBERS ? scales.x : scales.y;
	uint to = y_first + row * columns + u / PAIR_NUMBERS * PAIR + word / BLOCK_NUMBERS * 32 +
		  word % BLOCK_NUMBERS * 4;

	[[unroll]] for (uint i = 0; i < 4; i++) {
#if defined(TYPE_Q8_0)
		y[to + i] = scale * float(bitfieldExtract(int(bits), int(8 * i), 8));
#else
		y[to + i] = scale * float(int((bits >> (8 * i)) & 15u) - 8);
		y[to + 16 + i] = scale * float(int((bits >> (8 * i + 4)) & 15u) - 8);
#endif
	}
}
