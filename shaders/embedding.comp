// SPDX-License-Identifier: MIT
/*
 * y[r][:] = table[tokens[r]][:]. One dispatch serves the tokens first_token … first_token + n_count - 1,
 * so that a table larger than a binding can be served in parts; the first part also writes the zeros
 * of tokens that are not in the table.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool WHOLE_WORDS = true;

layout(set = 0, binding = 0, std430) readonly buffer Table { uint w_words[]; };
layout(set = 0, binding = 1, std430) readonly buffer Tokens { uint tokens[]; };
layout(set = 0, binding = 2, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, tokens_first, y_first; /* where the views start, in words */
	uint columns;
	uint units; /* of a row */
	uint first_token;
	uint n_count;
	uint table_rows;
};

#define WEIGHT_WORD(i) w_words[i]
#include "weights.glsl"

void main()
{
	uint u = gl_GlobalInvocationID.x;
	uint row = gl_WorkGroupID.y;
	uint token = tokens[tokens_first + row];
	float values[UNIT];
	float scale = 0.0;
	bool absent = token >= table_rows;

	if (u >= units)
		return;
	if (absent ? first_token > 0 : token < first_token || token - first_token >= n_count)
		return;
	[[unroll]] for (uint e = 0; e < UNIT; e++)
		values[e] = 0.0;
	if (!absent)
		scale = read_unit(token - first_token, columns, w_first, u, values);
	[[unroll]] for (uint e = 0; e < UNIT; e++) {
		uint k = unit_element(u, e);

		if (k < columns)
			y[y_first + row * columns + k] = scale * values[e];
	}
}
