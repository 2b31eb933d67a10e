// SPDX-License-Identifier: MIT
/*
 * What the attention kernels have in common: their arguments, and what becomes of a score. Before it: HEAD_SIZE.
 */
layout(constant_id = 5) const bool SHAPED = false; /* soft_cap or alibi is not 0 */

layout(set = 0, binding = 0, std430) readonly buffer Q { float q[]; };
layout(set = 0, binding = 1, std430) readonly buffer Keys { uint keys[]; };
layout(set = 0, binding = 2, std430) readonly buffer Values { uint values[]; };
layout(set = 0, binding = 3, std430) readonly buffer Step { uint step_words[]; };
layout(set = 0, binding = 4, std430) buffer Y { float y[]; };
layout(set = 0, binding = 5, std430) readonly buffer Sinks { float sinks[]; };

layout(push_constant) uniform Push {
	uint q_first, keys_first, values_first, step_first, y_first; /* starts of the views, in words */
	uint rows;
	uint heads;
	uint kv_heads;
	uint capacity;
	float scale;
	uint window; /* keys that a query sees at most */
	float soft_cap; /* 0: none */
	float alibi; /* the largest bias; 0: none */
	uint sinks_first;
	uint has_sinks;
};

/* The head of query number n of the work-group, and where that lies in q and y. */
uint query_head(uint n, uint ratio)
{
	return gl_WorkGroupID.x * ratio + n % ratio;
}

uint query_start(uint n, uint ratio)
{
	return (n / ratio * heads + query_head(n, ratio)) * HEAD_SIZE;
}

/* One beyond the last key, and the first key, that a query at a position sees. */
uint last_key(uint position)
{
	return min(position + 1, capacity);
}

uint first_key(uint position)
{
	return position + 1 > window ? position + 1 - window : 0;
}

/* A head's bias for a key that lies one position back: powers of two, evenly spaced in their exponents. */
float alibi_slope(uint head)
{
	uint whole = 1u << findMSB(heads);

	return head < whole ? exp2(-alibi / float(whole) * float(head + 1)) :
			      exp2(-0.5 * alibi / float(whole) * float(2 * (head - whole) + 1));
}

/* @slope and @back count only in shaped attention. */
float shape_score(float score, float slope, uint back)
{
	if (!SHAPED)
		return score;
	if (soft_cap > 0.0)
		score = soft_cap - 2.0 * soft_cap / (exp(2.0 * score / soft_cap) + 1.0);
	return score - slope * float(back);
}
