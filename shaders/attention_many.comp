// SPDX-License-Identifier: MIT
/*
 * Causal grouped-query attention for many rows: the prompt.
 *
 * A work-group serves THREADS_R · QUERIES queries of one key and value head (a query is a row and a head
 * that shares those keys, numbered row · ratio + head of the group). Keys are taken CHUNK at a time:
 * staged transposed, so that neighbouring invocations hold scores of neighbouring keys; then
 * exponentials with a running maximum and sum; then the weighted sum of values, neighbouring
 * invocations at neighbouring elements. No more than CHUNK scores of a query ever exist.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

#define THREADS_N 16 /* neighbouring invocations along keys and along the head */
#define QUERIES	  4  /* of an invocation */

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint THREADS_R = 8; /* THREADS_N · THREADS_R = the local size */
layout(constant_id = 2) const uint HEAD_SIZE = 64; /* a multiple of THREADS_N · KV_UNIT */
layout(constant_id = 3) const uint KEYS = 2; /* keys of an invocation */

#include "attention.glsl"
#include "kv.glsl"

const uint HEAD_UNITS = HEAD_SIZE / KV_UNIT;
const uint UNITS = HEAD_UNITS / THREADS_N; /* of the head, of an invocation */
const uint CHUNK = THREADS_N * KEYS;
const uint GROUP_QUERIES = THREADS_R * QUERIES;

shared float key_tile[HEAD_SIZE * CHUNK]; /* transposed: [element][key] */
shared float scores[GROUP_QUERIES * CHUNK];
shared float weights[GROUP_QUERIES * CHUNK];

void stage_keys(uint start, uint stride, uint head_at, uint count)
{
	for (uint at = 0; at < HEAD_UNITS * CHUNK; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;
		uint key = i % CHUNK;
		uint unit = i / CHUNK;
		float elements[KV_UNIT];

		if (i < HEAD_UNITS * CHUNK) {
			uint row_at = start + min(key, count - 1) * stride;

			kv_read(keys, row_at, head_at + unit, elements);
			[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
				key_tile[(KV_UNIT * unit + e) * CHUNK + key] = elements[e];
		}
	}
}

void main()
{
	uint ratio = heads / kv_heads;
	uint thread_n = gl_LocalInvocationIndex % THREADS_N;
	uint thread_r = gl_LocalInvocationIndex / THREADS_N;
	uint first_query = gl_WorkGroupID.y * GROUP_QUERIES;
	uint last_query = rows * ratio - 1;
	uint position = step_words[step_first];
	uint stride = KV_ROW_WORDS(kv_heads * HEAD_SIZE);
	uint head_at = gl_WorkGroupID.x * HEAD_UNITS;
	uint start[QUERIES]; /* of the query in q and y */
	uint at_position[QUERIES];
	uint limit[QUERIES]; /* keys that a query sees: before this, … */
	uint least[QUERIES]; /* … and from this on */
	float slope[QUERIES];
	float maximum[QUERIES];
	float total[QUERIES];
	float accumulated[QUERIES][UNITS * KV_UNIT];
	uint key_count = min(position + min(first_query + GROUP_QUERIES - 1, last_query) / ratio + 1,
			     capacity);

	[[unroll]] for (uint n = 0; n < QUERIES; n++) {
		uint number = min(first_query + thread_r * QUERIES + n, last_query);

		start[n] = query_start(number, ratio);
		at_position[n] = position + number / ratio;
		limit[n] = last_key(at_position[n]);
		least[n] = first_key(at_position[n]);
		slope[n] = SHAPED && alibi > 0.0 ? alibi_slope(query_head(number, ratio)) : 0.0;
		/* A sink is a key with this score and no value. */
		maximum[n] = has_sinks != 0 ? sinks[sinks_first + query_head(number, ratio)] : NO_SCORE;
		total[n] = has_sinks != 0 ? 1.0 : 0.0;
		[[unroll]] for (uint d = 0; d < UNITS * KV_UNIT; d++)
			accumulated[n][d] = 0.0;
	}

	for (uint first = first_key(position + first_query / ratio); first < key_count; first += CHUNK) {
		uint count = min(CHUNK, key_count - first);
		float dots[QUERIES][KEYS];
		float decay[QUERIES];

		stage_keys(keys_first + first * stride, stride, head_at, count);
		[[unroll]] for (uint n = 0; n < QUERIES; n++)
			[[unroll]] for (uint k = 0; k < KEYS; k++)
				dots[n][k] = 0.0;
		barrier();
		for (uint d = 0; d < HEAD_SIZE; d++) {
			[[unroll]] for (uint n = 0; n < QUERIES; n++) {
				float element = q[q_first + start[n] + d];

				[[unroll]] for (uint k = 0; k < KEYS; k++)
					dots[n][k] = fma(element,
							 key_tile[d * CHUNK + k * THREADS_N + thread_n],
							 dots[n][k]);
			}
		}
		[[unroll]] for (uint n = 0; n < QUERIES; n++)
			[[unroll]] for (uint k = 0; k < KEYS; k++) {
				uint key = k * THREADS_N + thread_n;

				dots[n][k] = first + key < limit[n] && first + key >= least[n] ?
						     shape_score(dots[n][k] * scale, slope[n],
								 at_position[n] - first - key) :
						     NO_SCORE;
				scores[(thread_r * QUERIES + n) * CHUNK + key] = dots[n][k];
			}
		barrier();
		[[unroll]] for (uint n = 0; n < QUERIES; n++)
			decay[n] = maximum[n];
		for (uint k = 0; k < CHUNK; k++)
			[[unroll]] for (uint n = 0; n < QUERIES; n++)
				maximum[n] = max(maximum[n], scores[(thread_r * QUERIES + n) * CHUNK + k]);
		[[unroll]] for (uint n = 0; n < QUERIES; n++) {
			decay[n] = exp(decay[n] - maximum[n]);
			[[unroll]] for (uint k = 0; k < KEYS; k++)
				weights[(thread_r * QUERIES + n) * CHUNK + k * THREADS_N + thread_n] =
					dots[n][k] > NO_SCORE ? exp(dots[n][k] - maximum[n]) : 0.0;
		}
		barrier();
		[[unroll]] for (uint n = 0; n < QUERIES; n++) {
			total[n] *= decay[n];
			[[unroll]] for (uint d = 0; d < UNITS * KV_UNIT; d++)
				accumulated[n][d] *= decay[n];
		}
		for (uint k = 0; k < count; k++) {
			uint value_at = values_first + (first + k) * stride;

			float weight[QUERIES];

			[[unroll]] for (uint n = 0; n < QUERIES; n++) {
				weight[n] = weights[(thread_r * QUERIES + n) * CHUNK + k];
				total[n] += weight[n];
			}
			[[unroll]] for (uint w = 0; w < UNITS; w++) {
				float elements[KV_UNIT];

				kv_read(values, value_at, head_at + w * THREADS_N + thread_n, elements);
				[[unroll]] for (uint n = 0; n < QUERIES; n++)
					[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
						accumulated[n][w * KV_UNIT + e] =
							fma(weight[n], elements[e],
							    accumulated[n][w * KV_UNIT + e]);
			}
		}
		barrier();
	}

	[[unroll]] for (uint n = 0; n < QUERIES; n++)
		if (first_query + thread_r * QUERIES + n <= last_query)
			[[unroll]] for (uint w = 0; w < UNITS; w++)
				[[unroll]] for (uint e = 0; e < KV_UNIT; e++)
					y[y_first + start[n] + KV_UNIT * (w * THREADS_N + thread_n) + e] =
						accumulated[n][w * KV_UNIT + e] / total[n];
}
