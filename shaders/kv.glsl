// SPDX-License-Identifier: MIT
/*
 * Reading the key and value cache, F32 or (KV_F16) F16, from words: KV_UNIT elements a word.
 */
#ifdef KV_F16
#define KV_UNIT 2
#define kv_decode(word, out_values)                           \
	{                                                     \
		vec2 kv_both = unpackHalf2x16(word);          \
		out_values[0] = kv_both.x;                    \
		out_values[1] = kv_both.y;                    \
	}
#else
#define KV_UNIT 1
#define kv_decode(word, out_values) out_values[0] = uintBitsToFloat(word)
#endif

/* Lower than any score, yet finite: exp() of a difference of two such numbers is defined. */
#define NO_SCORE (-1.0e30)
