// SPDX-License-Identifier: MIT
/*
 * Element by element: y = f(a) or f(a, b), where a and b are repeated to y's shape. A work-group computes a
 * stretch of rows, so that only the index along the row differs between its invocations.
 *
 * RESHAPED: a has another shape of as many elements, and is read in its own order.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

/* As enum hg_map in userspace/ggml/hg_elementwise.c has them. */
#define MAP_COPY	0
#define MAP_ADD		1
#define MAP_SUB		2
#define MAP_MUL		3
#define MAP_DIV		4
#define MAP_SCALE	5
#define MAP_CLAMP	6
#define MAP_SQR		7
#define MAP_SQRT	8
#define MAP_LOG		9
#define MAP_SIN		10
#define MAP_COS		11
#define MAP_ABS		12
#define MAP_SGN		13
#define MAP_NEG		14
#define MAP_STEP	15
#define MAP_TANH	16
#define MAP_ELU		17
#define MAP_RELU	18
#define MAP_SIGMOID	19
#define MAP_GELU	20
#define MAP_GELU_QUICK	21
#define MAP_SILU	22
#define MAP_HARDSWISH	23
#define MAP_HARDSIGMOID 24
#define MAP_EXP		25
#define MAP_GELU_ERF	26
#define MAP_FLOOR	27
#define MAP_CEIL	28
#define MAP_TRUNC	29
#define MAP_LEAKY_RELU	30
#define MAP_REGLU	31
#define MAP_GEGLU	32
#define MAP_SWIGLU	33
#define MAP_GEGLU_ERF	34
#define MAP_GEGLU_QUICK 35
#define MAP_WORDS	36 /* copies of 32-bit words, of whatever meaning */
#define MAP_HALVES	37
#define MAP_SOFTPLUS	38

layout(constant_id = 1) const uint MAP = MAP_COPY;
layout(constant_id = 2) const uint TYPE_A = TYPE_F32;
layout(constant_id = 3) const uint TYPE_B = TYPE_F32;
layout(constant_id = 4) const uint TYPE_Y = TYPE_F32;
layout(constant_id = 5) const bool RESHAPED = false;
layout(constant_id = 6) const uint STRETCH = 256; /* elements of a row for one work-group */

TENSOR(1, a)
TENSOR(2, b)
TENSOR(3, y)
READER(a)
READER(b)
WRITER(y)

#define BINARY (MAP >= MAP_ADD && MAP <= MAP_DIV || MAP >= MAP_REGLU && MAP <= MAP_GEGLU_QUICK)

float safe_tanh(float x)
{
	return 1.0 - 2.0 / (exp(2.0 * x) + 1.0);
}

/* Abramowitz and Stegun 7.1.26; off by less than 2e-7. */
float erf(float x)
{
	float t = 1.0 / (1.0 + 0.3275911 * abs(x));
	float poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t +
		      0.254829592) * t;

	return sign(x) * (1.0 - poly * exp(-x * x));
}

float sigmoid(float x)
{
	return 1.0 / (1.0 + exp(-x));
}

float gelu(float x)
{
	return 0.5 * x * (1.0 + safe_tanh(0.79788456080286535588 * x * (1.0 + 0.044715 * x * x)));
}

float gelu_erf(float x)
{
	return 0.5 * x * (1.0 + erf(x * 0.70710678118654752440));
}

float gelu_quick(float x)
{
	return x * sigmoid(1.702 * x);
}

float apply(float a, float b)
{
	float p0 = float_parameter(3 * TENSOR_WORDS);
	float p1 = float_parameter(3 * TENSOR_WORDS + 1);

	switch (MAP) {
	case MAP_ADD: return a + b;
	case MAP_SUB: return a - b;
	case MAP_MUL: return a * b;
	case MAP_DIV: return a / b;
	case MAP_SCALE: return a * p0 + p1;
	case MAP_CLAMP: return min(max(a, p0), p1);
	case MAP_SQR: return a * a;
	case MAP_SQRT: return sqrt(a);
	case MAP_LOG: return log(a);
	case MAP_SIN: return sin(a);
	case MAP_COS: return cos(a);
	case MAP_ABS: return abs(a);
	case MAP_SGN: return sign(a);
	case MAP_NEG: return -a;
	case MAP_STEP: return a > 0.0 ? 1.0 : 0.0;
	case MAP_TANH: return safe_tanh(a);
	case MAP_ELU: return a > 0.0 ? a : exp(a) - 1.0;
	case MAP_RELU: return max(a, 0.0);
	case MAP_SIGMOID: return sigmoid(a);
	case MAP_GELU: return gelu(a);
	case MAP_GELU_QUICK: return gelu_quick(a);
	case MAP_SILU: return a * sigmoid(a);
	case MAP_HARDSWISH: return a * min(1.0, max(0.0, (a + 3.0) / 6.0));
	case MAP_HARDSIGMOID: return min(1.0, max(0.0, (a + 3.0) / 6.0));
	case MAP_EXP: return exp(a);
	case MAP_GELU_ERF: return gelu_erf(a);
	case MAP_FLOOR: return floor(a);
	case MAP_CEIL: return ceil(a);
	case MAP_TRUNC: return trunc(a);
	case MAP_LEAKY_RELU: return a > 0.0 ? a : a * p0;
	case MAP_REGLU: return max(a, 0.0) * b;
	case MAP_GEGLU: return gelu(a) * b;
	case MAP_SWIGLU: return a * sigmoid(a) * b;
	case MAP_GEGLU_ERF: return gelu_erf(a) * b;
	case MAP_GEGLU_QUICK: return gelu_quick(a) * b;
	case MAP_SOFTPLUS: return a > 20.0 ? a : log(1.0 + exp(a));
	default: return a;
	}
}

void map(uint a_row, uint a_nb0, uint a_i, uint b_row, uint b_nb0, uint b_i, uint y_row, uint y_nb0, uint i)
{
	if (MAP == MAP_WORDS) {
		y_words[(y_row + i * y_nb0) >> 2] = a_words[(a_row + a_i * a_nb0) >> 2];
	} else if (MAP == MAP_HALVES) {
		y_halves[(y_row + i * y_nb0) >> 1] = a_halves[(a_row + a_i * a_nb0) >> 1];
	} else {
		float second = BINARY ? read_b(TYPE_B, b_row, b_nb0, b_i) : 0.0;

		write_y(TYPE_Y, y_row, y_nb0, i, apply(read_a(TYPE_A, a_row, a_nb0, a_i), second));
	}
}

void main()
{
	tensor a = get_tensor(0);
	tensor b = get_tensor(1);
	tensor y = get_tensor(2);
	uint rows = y.ne.y * y.ne.z * y.ne.w;
	uint first = gl_WorkGroupID.x * STRETCH;
	uint last = min(first + STRETCH, y.ne.x);

	for (uint r = gl_WorkGroupID.y; r < rows; r += gl_NumWorkGroups.y) {
		uvec3 row = unravel_row(r, y);
		uint y_row = row_at(y, row);
		uint a_row = RESHAPED ? 0 : row_at(a, row % a.ne.yzw);
		uint b_row = BINARY ? row_at(b, row % b.ne.yzw) : 0;

		for (uint at = first; at < last; at += gl_WorkGroupSize.x) {
			uint i = at + gl_LocalInvocationIndex;

			if (i < last) {
				uint a_i = i;
				uint b_i = i;

				if (RESHAPED) {
					uint linear = r * y.ne.x + i;

					a_row = row_at(a, unravel_row(linear / a.ne.x, a));
					a_i = linear % a.ne.x;
				} else if (a.ne.x != y.ne.x) {
					a_i = i % a.ne.x;
				}
				if (BINARY && b.ne.x != y.ne.x)
					b_i = i % b.ne.x;
				map(a_row, a.nb.x, a_i, b_row, b.nb.x, b_i, y_row, y.nb.x, i);
			}
		}
	}
}
