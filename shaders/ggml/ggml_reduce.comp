// SPDX-License-Identifier: MIT
/*
 * What needs sums or maxima over a row: norms, softmax, sums. One work-group a row. a and y are F32; y has
 * a's shape, or rows of one element for the sums.
 *
 * Softmax: y = softmax(a · scale + slope · mask), the mask repeated over dimensions 2 and 3, the slope that of
 * the head; with sinks, each head has one more column that is not written.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

/* As enum hg_reduce in userspace/ggml/hg_rows.c has them. */
#define REDUCE_RMS_NORM 0
#define REDUCE_NORM	1
#define REDUCE_L2_NORM	2
#define REDUCE_SOFT_MAX 3
#define REDUCE_SUM	4
#define REDUCE_MEAN	5

layout(constant_id = 1) const uint REDUCE = REDUCE_RMS_NORM;
layout(constant_id = 2) const uint TYPE_MASK = TYPE_F32;
layout(constant_id = 3) const bool MASKED = false;
layout(constant_id = 4) const bool SINKS = false;

TENSOR(1, a)
TENSOR(2, mask)
TENSOR(3, sinks)
TENSOR(4, y)
READER(a)
READER(mask)
READER(sinks)
WRITER(y)

#include "ggml_team.glsl"

#define FLOATS (4 * TENSOR_WORDS) /* epsilon or scale, then max_bias, m0, m1, heads_log2 */

float read(tensor a, uint row, uint i)
{
	return read_a(TYPE_F32, row, a.nb.x, i);
}

void write(tensor y, uint row, uint i, float value)
{
	write_y(TYPE_F32, row, y.nb.x, i, value);
}

/* Sum of the row's elements, or of their squares. */
float sum(tensor a, uint row, float minus, bool squares)
{
	float total = 0.0;

	for (uint i = gl_LocalInvocationIndex; i < a.ne.x; i += gl_WorkGroupSize.x) {
		float value = read(a, row, i) - minus;

		total += squares ? value * value : value;
	}
	return team_sum(total);
}

void scale_row(tensor a, uint a_row, tensor y, uint y_row, float minus, float factor)
{
	for (uint i = gl_LocalInvocationIndex; i < a.ne.x; i += gl_WorkGroupSize.x)
		write(y, y_row, i, (read(a, a_row, i) - minus) * factor);
}

float slope_of(uint head)
{
	float m0 = float_parameter(FLOATS + 2);
	float m1 = float_parameter(FLOATS + 3);
	uint heads_log2 = parameters[FLOATS + 4];

	if (float_parameter(FLOATS + 1) <= 0.0)
		return 1.0;
	return head < heads_log2 ? pow(m0, float(head + 1)) : pow(m1, float(2 * (head - heads_log2) + 1));
}

float logit(tensor a, uint a_row, tensor mask, uint mask_row, float slope, uint i)
{
	float value = read(a, a_row, i) * float_parameter(FLOATS);

	if (MASKED)
		value += slope * read_mask(TYPE_MASK, mask_row, mask.nb.x, i);
	return value;
}

void soft_max(tensor a, uint a_row, tensor y, uint y_row, uvec3 row)
{
	tensor mask = get_tensor(1);
	tensor sinks = get_tensor(2);
	uint mask_row = MASKED ? row_at(mask, uvec3(row.x, row.yz % mask.ne.zw)) : 0;
	float slope = slope_of(row.y);
	float highest = uintBitsToFloat(0xff800000u);
	float total = 0.0;
	float sink = 0.0;

	for (uint i = gl_LocalInvocationIndex; i < a.ne.x; i += gl_WorkGroupSize.x)
		highest = max(highest, logit(a, a_row, mask, mask_row, slope, i));
	highest = team_max(highest);
	if (SINKS) {
		sink = read_sinks(TYPE_F32, sinks.at, sinks.nb.x, row.y);
		highest = max(highest, sink);
	}
	for (uint i = gl_LocalInvocationIndex; i < a.ne.x; i += gl_WorkGroupSize.x) {
		float value = exp(logit(a, a_row, mask, mask_row, slope, i) - highest);

		total += value;
		write(y, y_row, i, value);
	}
	total = team_sum(total);
	if (SINKS)
		total += exp(sink - highest);
	total = 1.0 / total;
	/* Each invocation changes what it wrote itself. */
	for (uint i = gl_LocalInvocationIndex; i < a.ne.x; i += gl_WorkGroupSize.x)
		write(y, y_row, i, uintBitsToFloat(y_words[(y_row + i * y.nb.x) >> 2]) * total);
}

void main()
{
	tensor a = get_tensor(0);
	tensor y = get_tensor(3);
	uint rows = a.ne.y * a.ne.z * a.ne.w;
	float count = float(a.ne.x);

	for (uint r = gl_WorkGroupID.x; r < rows; r += gl_NumWorkGroups.x) {
		uvec3 row = unravel_row(r, a);
		uint a_row = row_at(a, row);
		uint y_row = row_at(y, row);
		float first = float_parameter(FLOATS);

		if (REDUCE == REDUCE_RMS_NORM) {
			float squares = sum(a, a_row, 0.0, true);

			scale_row(a, a_row, y, y_row, 0.0, 1.0 / sqrt(squares / count + first));
		} else if (REDUCE == REDUCE_NORM) {
			float mean = sum(a, a_row, 0.0, false) / count;
			float squares = sum(a, a_row, mean, true);

			scale_row(a, a_row, y, y_row, mean, 1.0 / sqrt(squares / count + first));
		} else if (REDUCE == REDUCE_L2_NORM) {
			float squares = sum(a, a_row, 0.0, true);

			scale_row(a, a_row, y, y_row, 0.0, 1.0 / max(sqrt(squares), first));
		} else if (REDUCE == REDUCE_SOFT_MAX) {
			soft_max(a, a_row, y, y_row, row);
		} else {
			float total = sum(a, a_row, 0.0, false);

			if (gl_LocalInvocationIndex == 0)
				write(y, y_row, 0, REDUCE == REDUCE_MEAN ? total / count : total);
		}
	}
}
