// SPDX-License-Identifier: MIT
/*
 * Rows of activations as bytes: blocks of 32, each with a scale that maps the largest magnitude to 127.
 *
 * What products with weights read in one go lies together: for Q8_0, LANES words of numbers (of LANES / 8 blocks), then
 * the scale of each word's block LANES times; for Q4_0 (ORDER_Q4_0), for LANES / 8 pairs of blocks, words 0 … 3 of each
 * block, then words 4 … 7, then the scales, then in the first word of a block 8 times the sum of its numbers, which is
 * what the weights' offset comes to, and 0 in its other three. Rows are filled up with zeros to whole steps. One invocation makes one word.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_clustered : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 8;
layout(constant_id = 2) const bool ORDER_Q4_0 = false;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) buffer Q { uint q_words[]; };

layout(push_constant) uniform Push {
	uint x_first, q_first; /* where the views start, in words */
	uint columns;
	uint words; /* of numbers, of a row; a multiple of LANES */
	uint row_words; /* of a row with its scales */
};

void main()
{
	uint word = gl_GlobalInvocationID.x;
	uint row = gl_WorkGroupID.y;
	uint start = x_first + row * columns;
	float values[4];
	float largest = 0.0;

	[[unroll]] for (uint i = 0; i < 4; i++) {
		uint k = 4 * word + i;

		values[i] = k < columns ? x[start + min(k, columns - 1)] : 0.0;
		largest = max(largest, abs(values[i]));
	}
	largest = subgroupClusteredMax(largest, 8);

	float factor = largest > 0.0 ? 127.0 / largest : 0.0;
	uint packed = 0;
	int sum = 0;

	[[unroll]] for (uint i = 0; i < 4; i++) {
		int number = int(roundEven(values[i] * factor));

		packed |= (uint(number) & 255u) << (8 * i);
		sum += number;
	}
	sum = subgroupClusteredAdd(sum, 8);

	if (word >= words)
		return;

	uint scale = floatBitsToUint(largest / 127.0);
	uint at = q_first + row * row_words;

	if (ORDER_Q4_0) {
		uint pair = word / 16;
		uint group = LANES / 8;
		uint lane = pair % group * 8 + (word & 8) / 2 + word % 4;

		at += pair / group * (4 * LANES) + lane;
		q_words[at + ((word & 4) != 0 ? LANES : 0)] = packed;
		if ((word & 4) == 0) {
			q_words[at + 2 * LANES] = scale;
			q_words[at + 3 * LANES] = (word & 7) == 0 ? uint(8 * sum) : 0;
		}
	} else {
		at += word / LANES * (2 * LANES) + word % LANES;
		q_words[at] = packed;
		q_words[at + LANES] = scale;
	}
}
