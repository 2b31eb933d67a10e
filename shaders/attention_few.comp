// SPDX-License-Identifier: MIT
/*
 * Causal grouped-query attention for few rows: a step of generation.
 *
 * A work-group serves QUERIES queries of one key and value head; a query is a row and a head that shares
 * those keys, numbered row · ratio + head of the group. Keys are taken CHUNK at a time: scores (a team a
 * key, lanes along the head), their exponentials with a running maximum and sum, then the weighted
 * sum of values (an invocation an element of the head, or several invocations each a part of the keys).
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;
layout(constant_id = 2) const uint HEAD_SIZE = 64;
layout(constant_id = 3) const uint CHUNK = 64; /* keys at a time */

#include "attention.glsl"
#include "kv.glsl"
#include "team.glsl"

const uint HEAD_UNITS = HEAD_SIZE / KV_UNIT;

shared float query[QUERIES * HEAD_SIZE]; /* in planes, like matvec's activations */
shared float scores[QUERIES * CHUNK];
shared float maximum[QUERIES];
shared float total[QUERIES];
shared float decay[QUERIES]; /* what earlier sums are multiplied with */
shared float sums[QUERIES * KV_UNIT * gl_WorkGroupSize.x];

void main()
{
	uint ratio = heads / kv_heads;
	uint first_query = gl_WorkGroupID.y * QUERIES;
	uint last_query = rows * ratio - 1;
	uint position = step_words[step_first];
	uint self = gl_LocalInvocationIndex;
	uint stride = KV_ROW_WORDS(kv_heads * HEAD_SIZE);
	uint head_at = gl_WorkGroupID.x * HEAD_UNITS;
	/* The values' turn: this invocation's unit of the head, and which keys it takes. */
	uint parts = gl_WorkGroupSize.x / HEAD_UNITS;
	uint unit = self % HEAD_UNITS;
	uint part = self / HEAD_UNITS;
	bool idle = part >= parts;
	float accumulated[QUERIES][KV_UNIT];
	uint at_position[QUERIES]; /* of a query */
	uint limit[QUERIES]; /* keys that a query sees: before this, … */
	uint least[QUERIES]; /* … and from this on */
	float slope[QUERIES];
	uint key_count = 0;

	/* Loops that are to vanish have no loop inside, for compilers that unroll only such. */
	[[unroll]] for (uint n = 0; n < QUERIES; n++) {
		at_position[n] = position + min(first_query + n, last_query) / ratio;
		limit[n] = last_key(at_position[n]);
		least[n] = first_key(at_position[n]);
		slope[n] = SHAPED && alibi > 0.0 ?
				   alibi_slope(query_head(min(first_query + n, last_query), ratio)) : 0.0;
		key_count = max(key_count, limit[n]);
		[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
			accumulated[n][e] = 0.0;
	}
	for (uint at = 0; at < QUERIES * HEAD_SIZE; at += gl_WorkGroupSize.x) {
		uint i = at + self;
		uint number = min(first_query + i / HEAD_SIZE, last_query);
		uint d = i % HEAD_SIZE;

		if (i < QUERIES * HEAD_SIZE)
			query[i - d + (d % KV_UNIT) * HEAD_UNITS + d / KV_UNIT] =
				q[q_first + query_start(number, ratio) + d] * scale;
	}
	if (self < QUERIES) {
		uint head = query_head(min(first_query + self, last_query), ratio);

		/* A sink is a key with this score and no value. */
		maximum[self] = has_sinks != 0 ? sinks[sinks_first + head] : NO_SCORE;
		total[self] = has_sinks != 0 ? 1.0 : 0.0;
	}
	barrier();

	for (uint first = least[0]; first < key_count; first += CHUNK) {
		uint count = min(CHUNK, key_count - first);

		/* Scores. All teams go round the same number of times. */
		for (uint at = 0; at < count; at += team_count) {
			uint key = min(at + team_index, count - 1);
			uint start = keys_first + (first + key) * stride;
			float dots[QUERIES];

			[[unroll]] for (uint n = 0; n < QUERIES; n++)
				dots[n] = 0.0;
			for (uint lane_at = 0; lane_at < HEAD_UNITS; lane_at += team_lanes) {
				uint i = lane_at + team_lane;
				float elements[KV_UNIT];

				if (i < HEAD_UNITS) {
					kv_read(keys, start, head_at + i, elements);
					[[unroll]] for (uint n = 0; n < QUERIES; n++)
						[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
							dots[n] = fma(query[n * HEAD_SIZE +
									    e * HEAD_UNITS + i],
								      elements[e], dots[n]);
				}
			}
			[[unroll]] for (uint n = 0; n < QUERIES; n++) {
				float dot = team_sum(dots[n]);

				if (team_lane == 0 && at + team_index < count)
					scores[n * CHUNK + key] =
						first + key < limit[n] && first + key >= least[n] ?
							shape_score(dot, slope[n],
								    at_position[n] - first - key) :
							NO_SCORE;
			}
		}
		barrier();

		/* Exponentials. */
		for (uint n = 0; n < QUERIES; n++) {
			float largest = maximum[n];
			float sum = 0.0;

			for (uint lane_at = 0; lane_at < count; lane_at += team_lanes) {
				uint i = lane_at + team_lane;

				if (i < count)
					largest = max(largest, scores[n * CHUNK + i]);
			}
			largest = team_max(largest);
			barrier(); /* all have read the scores that team n % team_count now replaces */
			if (team_index == n % team_count)
				for (uint lane_at = 0; lane_at < count; lane_at += team_lanes) {
					uint i = lane_at + team_lane;

					if (i < count) {
						float score = scores[n * CHUNK + i];
						float weight =
							score > NO_SCORE ? exp(score - largest) : 0.0;

						scores[n * CHUNK + i] = weight;
						sum += weight;
					}
				}
			sum = team_sum(sum);
			if (team_index == n % team_count && team_lane == 0) {
				decay[n] = exp(maximum[n] - largest);
				total[n] = total[n] * decay[n] + sum;
				maximum[n] = largest;
			}
		}
		barrier();

		/* Weighted values. */
		[[unroll]] for (uint n = 0; n < QUERIES; n++)
			[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
				accumulated[n][e] *= decay[n];
		if (!idle) {
			for (uint key = part; key < count; key += parts) {
				float elements[KV_UNIT];
				uint start = values_first + (first + key) * stride;

				kv_read(values, start, head_at + unit, elements);
				[[unroll]] for (uint n = 0; n < QUERIES; n++)
					[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
						accumulated[n][e] = fma(scores[n * CHUNK + key],
									elements[e],
									accumulated[n][e]);
			}
		}
		barrier();
	}

	[[unroll]] for (uint n = 0; n < QUERIES; n++)
		[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
			sums[(n * KV_UNIT + e) * gl_WorkGroupSize.x + self] = accumulated[n][e];
	barrier();
	for (uint n = 0; n < QUERIES && first_query + n <= last_query; n++) {
		for (uint at = 0; at < HEAD_SIZE; at += gl_WorkGroupSize.x) {
			uint i = at + self;
			uint from = (n * KV_UNIT + i % KV_UNIT) * gl_WorkGroupSize.x + i / KV_UNIT;
			float sum = 0.0;

			if (i < HEAD_SIZE) {
				for (uint p = 0; p < parts; p++)
					sum += sums[from + p * HEAD_UNITS];
				y[y_first + query_start(first_query + n, ratio) + i] = sum / total[n];
			}
		}
	}
}
