// SPDX-License-Identifier: MIT
/*
 * Appends keys and values to a cache of type Q8_0 or Q4_0 (KV_Q4_0) at the step's position; rows beyond the capacity are
 * dropped. Numbers become the nearest multiples of their block's scale as it is stored. One invocation writes a pair of blocks
 * of keys and of values, which is a whole number of words.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require

#define BLOCK 32
#ifdef KV_Q4_0
#define BLOCK_BYTES 18
#else
#define BLOCK_BYTES 34
#endif
#define PAIR_WORDS	(BLOCK_BYTES / 2)
#define LARGEST_HALF	65504.0

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

float numbers[2 * BLOCK];
uint words[PAIR_WORDS];

void put_byte(uint at, uint value)
{
	words[at / 4] |= value << (8 * (at % 4));
}

void pack_block(uint block)
{
	uint at = block * BLOCK_BYTES;
	float largest = 0.0;
	float extreme = 0.0; /* the largest magnitude, with its sign */

	for (uint i = 0; i < BLOCK; i++) {
		float number = numbers[block * BLOCK + i];

		if (abs(number) > largest) {
			largest = abs(number);
			extreme = number;
		}
	}
#ifdef KV_Q4_0
	float wanted = clamp(extreme / -8.0, -LARGEST_HALF, LARGEST_HALF);
#else
	float wanted = min(largest / 127.0, LARGEST_HALF);
#endif
	uint bits = packHalf2x16(vec2(wanted, 0.0)) & 0xffffu;
	float scale = unpackHalf2x16(bits).x;

	put_byte(at, bits & 255u);
	put_byte(at + 1, bits >> 8);
#ifdef KV_Q4_0
	for (uint i = 0; i < BLOCK; i++) {
		float number = scale != 0.0 ? numbers[block * BLOCK + i] / scale : 0.0;
		uint q = uint(clamp(roundEven(number) + 8.0, 0.0, 15.0));

		put_byte(at + 2 + i % 16, i < 16 ? q : q << 4);
	}
#else
	for (uint i = 0; i < BLOCK; i++) {
		float number = scale != 0.0 ? numbers[block * BLOCK + i] / scale : 0.0;

		put_byte(at + 2 + i, uint(int(clamp(roundEven(number), -127.0, 127.0))) & 255u);
	}
#endif
}

void pack_pair()
{
	for (uint i = 0; i < PAIR_WORDS; i++)
		words[i] = 0;
	pack_block(0);
	pack_block(1);
}

void main()
{
	uint pairs = row_words / PAIR_WORDS;
	uint pair = gl_GlobalInvocationID.x;
	uint row = gl_WorkGroupID.y;
	uint start = step_words[step_first];

	/* In this order nothing overflows. */
	if (pair >= pairs || start >= capacity || row >= capacity - start)
		return;

	uint at = (start + row) * row_words + pair * PAIR_WORDS;
	uint from = (row * pairs + pair) * (2 * BLOCK);

	for (uint i = 0; i < 2 * BLOCK; i++)
		numbers[i] = k[k_first + from + i];
	pack_pair();
	for (uint i = 0; i < PAIR_WORDS; i++)
		keys[keys_first + at + i] = words[i];
	for (uint i = 0; i < 2 * BLOCK; i++)
		numbers[i] = v[v_first + from + i];
	pack_pair();
	for (uint i = 0; i < PAIR_WORDS; i++)
		values[values_first + at + i] = words[i];
}
