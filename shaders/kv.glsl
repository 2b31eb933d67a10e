// SPDX-License-Identifier: MIT
/*
 * Reading the key and value cache from words: F32, or with KV_F16, KV_Q8_0, KV_Q4_0 these types. A row is all heads of a
 * position; unit u of it is its elements KV_UNIT · u ….
 *
 *	KV_ROW_WORDS(elements)		words of a row
 *	kv_read(words, at, u, numbers)	numbers = unit u of the row that starts at word at of a buffer
 *
 * Rows of block types are whole pairs of blocks, as in weights.glsl: the numbers of a pair's first block are shifted by half a
 * word, those of the second are not.
 */
#if defined(KV_F16)
#define KV_UNIT		       2
#define KV_ROW_WORDS(elements) ((elements) / 2)
#define kv_read(words, at, u, numbers)                            \
	{                                                         \
		vec2 kv_both = unpackHalf2x16(words[(at) + (u)]); \
		numbers[0] = kv_both.x;                           \
		numbers[1] = kv_both.y;                           \
	}
#elif defined(KV_Q8_0) || defined(KV_Q4_0)
#define KV_UNIT 4
#if defined(KV_Q8_0)
#define KV_PAIR_WORDS	       17
#define KV_BLOCK_WORDS	       8 /* of numbers */
#define kv_number(bits, u, e)  (int((bits) << (24 - 8 * (e))) >> 24)
#else
#define KV_PAIR_WORDS	       9
#define KV_BLOCK_WORDS	       4
/* The first half of a block is low nibbles. */
#define kv_number(bits, u, e)  (int(((bits) >> (8 * (e) + ((u) & 4))) & 15u) - 8)
#endif
#define KV_ROW_WORDS(elements) ((elements) / 64 * KV_PAIR_WORDS)
#define kv_read(words, at, u, numbers)                                                         \
	{                                                                                      \
		uint kv_pair = (at) + (u) / 16 * KV_PAIR_WORDS;                                \
		bool kv_second = ((u) & 8) != 0;                                               \
		uint kv_word = kv_pair + (kv_second ? KV_BLOCK_WORDS : 0) + (u) % KV_BLOCK_WORDS; \
		uint kv_low = words[kv_word];                                                  \
		uint kv_high = words[kv_word + 1];                                             \
		uint kv_bits = kv_second ? kv_high : (kv_low >> 16) | (kv_high << 16);         \
		vec2 kv_halves = unpackHalf2x16(words[kv_second ? kv_pair + KV_BLOCK_WORDS : kv_pair]); \
		float kv_scale = kv_second ? kv_halves.y : kv_halves.x;                        \
		[[unroll]] for (int kv_e = 0; kv_e < 4; kv_e++)                                \
			numbers[kv_e] = kv_scale * float(kv_number(kv_bits, u, kv_e));         \
	}
#else
#define KV_UNIT			       1
#define KV_ROW_WORDS(elements)	       (elements)
#define kv_read(words, at, u, numbers) numbers[0] = uintBitsToFloat(words[(at) + (u)])
#endif

/* Lower than any score, yet finite: exp() of a difference of two such numbers is defined. */
#define NO_SCORE (-1.0e30)
