// SPDX-License-Identifier: MIT
/*
 * Appends keys and values to the cache at the step's position; rows beyond the capacity are dropped.
 * One invocation writes one word of the cache: one F32 or two F16 numbers.
 */
#version 450

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer K { float k[]; };
layout(set = 0, binding = 1, std430) readonly buffer V { float v[]; };
layout(set = 0, binding = 2, std430) readonly buffer Step { uint step_words[]; };
layout(set = 0, binding = 3, std430) buffer Keys { uint keys[]; };
layout(set = 0, binding = 4, std430) buffer Values { uint values[]; };

layout(push_constant) uniform Push {
	uint k_first, v_first, step_first, keys_first, values_first; /* starts of the views, in words */
	uint row_words; /* of a position in the cache */
	uint capacity;
};

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uint row = gl_WorkGroupID.y;
	uint start = step_words[step_first];

	/* In this order nothing overflows. */
	if (i >= row_words || start >= capacity || row >= capacity - start)
		return;

	uint at = (start + row) * row_words + i;
	uint from = row * row_words + i;

#ifdef KV_F16
	keys[keys_first + at] = packHalf2x16(vec2(k[k_first + 2 * from], k[k_first + 2 * from + 1]));
	values[values_first + at] = packHalf2x16(vec2(v[v_first + 2 * from], v[v_first + 2 * from + 1]));
#else
	keys[keys_first + at] = floatBitsToUint(k[k_first + from]);
	values[values_first + at] = floatBitsToUint(v[v_first + from]);
#endif
}
