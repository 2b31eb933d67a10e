// SPDX-License-Identifier: MIT
/*
 * Rotary positions, in place: one invocation a pair of elements. Pairs may also be scaled.
 *
 * The angle position · base^(-2i/dims) loses all its digits in float32 at large positions, and the
 * precision that Vulkan asks of sin and cos is low. So the host gives each pair's frequency as a 64-bit
 * fraction of a turn; multiplied by the position in integers, what overflows is whole turns, and the
 * rest is exact. Sine and cosine of an eighth of a turn are short polynomials.
 */
#version 450

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool HALVES = false; /* pairs are (i, i + dims/2), not (2i, 2i + 1) */

layout(set = 0, binding = 0, std430) buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Step { uint step_words[]; };
/* [dims / 2] × { low, high } words of the frequency in turns · 2^64 */
layout(set = 0, binding = 2, std430) readonly buffer Frequencies { uint frequencies[]; };

layout(push_constant) uniform Push {
	uint x_first, step_first, frequencies_first; /* where the views start, in words */
	uint heads;
	uint head_size;
	uint pairs; /* dims / 2 */
	float magnitude;
};

/* The upper word of the product. */
uint multiply_high(uint a, uint b)
{
	uint low = (a & 0xffffu) * (b & 0xffffu);
	uint middle = (a >> 16) * (b & 0xffffu) + (low >> 16);
	uint middle2 = (a & 0xffffu) * (b >> 16) + (middle & 0xffffu);

	return (a >> 16) * (b >> 16) + (middle >> 16) + (middle2 >> 16);
}

/* (cosine, sine) of turns · 2^32. */
vec2 cos_sin(uint turns)
{
	uint quarter = (turns + 0x20000000u) >> 30;
	/* 2π / 2^32 */
	float angle = float(int(turns - (quarter << 30))) * 1.4629180792671596e-9;
	float square = angle * angle;
	float sine = angle + angle * square * (-1.6666667e-1 + square * (8.3333333e-3 +
		     square * (-1.9841270e-4 + square * 2.7557319e-6)));
	float cosine = 1.0 - 0.5 * square + square * square * (4.1666668e-2 + square *
		       (-1.3888889e-3 + square * (2.4801587e-5 - square * 2.7557319e-7)));
	vec2 turned = (quarter & 1u) != 0 ? vec2(-sine, cosine) : vec2(cosine, sine);

	return (quarter & 2u) != 0 ? -turned : turned;
}

void main()
{
	uint index = gl_GlobalInvocationID.x;
	uint row = gl_WorkGroupID.y;
	uint head = index / pairs;
	uint i = index % pairs;

	if (head >= heads)
		return;

	uint position = step_words[step_first] + row;
	uint low = frequencies[frequencies_first + 2 * i];
	uint high = frequencies[frequencies_first + 2 * i + 1];
	vec2 turn = cos_sin(position * high + multiply_high(position, low)) * magnitude;
	uint start = x_first + (row * heads + head) * head_size;
	uint at = start + (HALVES ? i : 2 * i);
	uint other = start + (HALVES ? i + pairs : 2 * i + 1);
	float a = x[at];
	float b = x[other];

	x[at] = a * turn.x - b * turn.y;
	x[other] = a * turn.y + b * turn.x;
}
