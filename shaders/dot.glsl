// SPDX-License-Identifier: MIT
/*
 * Products of weights in blocks (TYPE_Q8_0 or TYPE_Q4_0) with activations in blocks of bytes, a word of weights for each
 * lane. Needs LANES, w_words and x_words.
 *
 * Two blocks of weights, PAIR columns, are PAIR_WORDS whole words. A step is STEP_PAIRS pairs in STEP_PARTS parts, in each
 * of which every lane has one word of weights. The activations of a step are STEP_WORDS words for each lane, so laid
 * out that all lanes read neighbouring words: see quantise.comp.
 */
#define PAIR 64

#if defined(TYPE_Q8_0)
#define PAIR_WORDS 17
/* A block is 8 words: with 8 lanes a part, so that a pair is a step of two parts. */
const uint STEP_PARTS = LANES == 8 ? 2 : 1;
const uint STEP_PAIRS = LANES == 8 ? 1 : LANES / 16;
const uint STEP_WORDS = 2 * STEP_PARTS; /* for each part, the numbers and their scale */
#else
#define PAIR_WORDS 9
/* A pair has 8 words of numbers, each of elements j … j + 3 and j + 16 … j + 19 of a block. */
const uint STEP_PARTS = 1;
const uint STEP_PAIRS = LANES / 8;
const uint STEP_WORDS = 4; /* numbers for low nibbles, for high ones, their scale, and 8 times their sum */
#endif

/* Of the part under way. */
float x_scale;
int x_low;
#if defined(TYPE_Q4_0)
int x_high;
int x_eights; /* 8 · the sum of the block's numbers in one of its lanes, 0 in the others */
#endif

void part_activations(uint x_at, uint part)
{
#if defined(TYPE_Q8_0)
	x_low = int(x_words[x_at + 2 * part * LANES]);
	x_scale = uintBitsToFloat(x_words[x_at + (2 * part + 1) * LANES]);
#else
	x_low = int(x_words[x_at]);
	x_high = int(x_words[x_at + LANES]);
	x_scale = uintBitsToFloat(x_words[x_at + 2 * LANES]);
	x_eights = int(x_words[x_at + 3 * LANES]);
#endif
}

/* The word that starts in the middle of word @at. */
uint straddling(uint low, uint high)
{
	return (low >> 16) | (high << 16);
}

#if defined(TYPE_Q8_0)
float part_product(uint start, uint step, uint pairs, uint part, uint lane, float sum)
{
	uint scale, bits;

	if (LANES == 8) {
		uint at = start + step * PAIR_WORDS;

		if (part == 0) {
			bits = straddling(w_words[at + lane], w_words[at + lane + 1]);
			scale = w_words[at];
		} else {
			bits = w_words[at + 9 + lane];
			scale = w_words[at + 8] >> 16;
		}
	} else {
		uint pair = LANES == 16 ? step : min(step * STEP_PAIRS + lane / 16, pairs - 1);
		uint at = start + pair * PAIR_WORDS;
		uint word = LANES == 16 ? lane : lane % 16;
		uint high = w_words[at + word + 1];
		bool is_first = (lane & 8u) == 0;

		bits = is_first ? straddling(w_words[at + word], high) : high;
		scale = is_first ? w_words[at] : w_words[at + 8] >> 16;
	}
	return fma(float(dotPacked4x8EXT(int(bits), x_low)), unpackHalf2x16(scale).x * x_scale, sum);
}
#else
float part_product(uint start, uint step, uint pairs, uint part, uint lane, float sum)
{
	bool is_first = (lane & 4u) == 0;
	uint scale, low, high;

	if (LANES == 16 && 2 * step + 1 < pairs) {
		/* Lanes 8 … 15 are at the next pair, 9 words on: their words lie one further. */
		uint at = start + step * (2 * PAIR_WORDS);
		uint words[3];

		[[unroll]] for (uint i = 0; i < 3; i++)
			words[i] = w_words[at + i + lane];
		low = lane < 8 ? words[0] : words[1];
		high = lane < 8 ? words[1] : words[2];
		scale = is_first ? w_words[at] : w_words[at + 4] >> 16;
		if (lane >= 8)
			scale = is_first ? w_words[at + 9] : w_words[at + 13] >> 16;
	} else {
		uint pair = LANES == 8 ? step : min(step * STEP_PAIRS + lane / 8, pairs - 1);
		uint at = start + pair * PAIR_WORDS;
		uint word = LANES == 8 ? lane : lane % 8;

		low = w_words[at + word];
		high = w_words[at + word + 1];
		scale = is_first ? w_words[at] : w_words[at + 4] >> 16;
	}

	uint bits = is_first ? straddling(low, high) : high;
	int dot = dotPacked4x8EXT(x_low, bits & 0x0f0f0f0fu) +
		  dotPacked4x8EXT(x_high, (bits >> 4) & 0x0f0f0f0fu) - x_eights;

	return fma(float(dot), unpackHalf2x16(scale).x * x_scale, sum);
}
#endif
