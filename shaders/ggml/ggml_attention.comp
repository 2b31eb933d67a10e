// SPDX-License-Identifier: MIT
/*
 * Flash attention: one work-group a query row and head. Keys are taken as many at a time as there are
 * invocations: each computes one logit, then all add up the values weighted by the exponentials, with the
 * running maximum and sum of an online softmax.
 *
 * q [dk, queries, heads, batch], k and v [d, keys, heads', batch'], mask [keys, queries, heads'', batch''],
 * y [dv, heads, queries, batch]; k, v and mask are repeated.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

layout(constant_id = 1) const uint TYPE_K = TYPE_F16;
layout(constant_id = 2) const uint TYPE_V = TYPE_F16;
layout(constant_id = 3) const bool MASKED = false;
layout(constant_id = 4) const bool SINKS = false;
layout(constant_id = 5) const uint MAX_DK = 128;
layout(constant_id = 6) const uint MAX_DV = 128;

TENSOR(1, q)
TENSOR(2, k)
TENSOR(3, v)
TENSOR(4, mask)
TENSOR(5, sinks)
TENSOR(6, y)
READER(q)
READER(k)
READER(v)
READER(mask)
READER(sinks)
WRITER(y)

#include "ggml_team.glsl"

#define WORDS (6 * TENSOR_WORDS) /* scale, softcap, max_bias, m0, m1, heads_log2 */

shared float query[MAX_DK];
shared float weights[gl_WorkGroupSize.x];
shared float sums[MAX_DV];

const float lowest = -3.0e38;

float slope_of(uint head)
{
	uint heads_log2 = parameters[WORDS + 5];

	if (float_parameter(WORDS + 2) <= 0.0)
		return 1.0;
	return head < heads_log2 ? pow(float_parameter(WORDS + 3), float(head + 1))
				 : pow(float_parameter(WORDS + 4), float(2 * (head - heads_log2) + 1));
}

void attend(tensor q, tensor k, tensor v, tensor y, uint queries, uvec3 row)
{
	tensor mask = get_tensor(3);
	tensor sinks = get_tensor(4);
	float scale = float_parameter(WORDS);
	float softcap = float_parameter(WORDS + 1);
	uint self = gl_LocalInvocationIndex;
	uint q_row = row_at(q, row);
	uvec2 k_batch = row.yz / (q.ne.zw / k.ne.zw);
	uvec2 v_batch = row.yz / (q.ne.zw / v.ne.zw);
	uint mask_row = MASKED ? row_at(mask, uvec3(row.x, row.yz % mask.ne.zw)) : 0;
	float slope = slope_of(row.y);
	float highest = lowest;
	float total = 0.0;

	for (uint i = self; i < q.ne.x; i += gl_WorkGroupSize.x)
		query[i] = read_q(TYPE_F32, q_row, q.nb.x, i) * scale;
	for (uint i = self; i < v.ne.x; i += gl_WorkGroupSize.x)
		sums[i] = 0.0;
	barrier();

	for (uint first = 0; first < k.ne.y; first += gl_WorkGroupSize.x) {
		uint key = first + self;
		uint count = min(gl_WorkGroupSize.x, k.ne.y - first);
		float bias = 0.0;
		float dot = lowest;
		bool seen = key < k.ne.y;

		if (MASKED && seen) {
			bias = read_mask(TYPE_F16, mask_row, mask.nb.x, key);
			seen = !isinf(bias);
		}
		if (seen) {
			uint k_row = row_at(k, uvec3(key, k_batch));

			dot = 0.0;
			for (uint i = 0; i < k.ne.x; i++)
				dot = fma(query[i], read_k(TYPE_K, k_row, k.nb.x, i), dot);
			if (softcap != 0.0)
				dot = softcap * (1.0 - 2.0 / (exp(2.0 * dot) + 1.0));
			dot += slope * bias;
		}

		float before = highest;

		highest = max(highest, team_max(dot));

		float weight = seen ? exp(dot - highest) : 0.0;
		float fade = exp(before - highest);

		weights[self] = weight;
		total = total * fade + team_sum(weight);
		for (uint i = self; i < v.ne.x; i += gl_WorkGroupSize.x) {
			float value = sums[i] * fade;

			for (uint j = 0; j < count; j++) {
				float w = weights[j];

				if (w != 0.0)
					value = fma(w, read_v(TYPE_V, row_at(v, uvec3(first + j, v_batch)),
							      v.nb.x, i), value);
			}
			sums[i] = value;
		}
		barrier();
	}

	float factor = 1.0;

	if (SINKS) {
		float sink = read_sinks(TYPE_F32, sinks.at, sinks.nb.x, row.y);
		float top = max(highest, sink);

		factor = exp(highest - top);
		total = total * factor + exp(sink - top);
	}
	factor = total == 0.0 ? 0.0 : factor / total;

	uint y_row = row_at(y, uvec3(row.y, row.x, row.z));

	for (uint i = self; i < v.ne.x; i += gl_WorkGroupSize.x)
		write_y(TYPE_F32, y_row, y.nb.x, i, sums[i] * factor);
	barrier();
}

void main()
{
	tensor q = get_tensor(0);
	tensor k = get_tensor(1);
	tensor v = get_tensor(2);
	tensor y = get_tensor(5);
	uint rows = q.ne.y * q.ne.z * q.ne.w;

	for (uint r = gl_WorkGroupID.x; r < rows; r += gl_NumWorkGroups.x)
		attend(q, k, v, y, q.ne.y, unravel_row(r, q));
}
