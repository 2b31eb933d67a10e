// SPDX-License-Identifier: MIT
/*
 * Reading weights of every type from a buffer of 32-bit words, so that no 8- or 16-bit storage is
 * needed. Define one of TYPE_F32, TYPE_F16, TYPE_Q8_0, TYPE_Q4_0 before including this file, and
 *
 *	WEIGHT_WORD(i)	word i of the weights' buffer
 *	WHOLE_WORDS	constant: every row starts on a word and is a whole number of units (F32: columns a
 *			multiple of 4; F16: even columns; block types: an even number of blocks a row).
 *			Otherwise rows start on any half word.
 *
 * A row is read in units of UNIT elements that one invocation decodes from one word, or from four (F32):
 *
 *	unit_element(u, i)
 *			the column of element i of unit u
 *	read_unit(row, columns, first_word, u, values)
 *			decodes unit u of a row of a matrix that starts at first_word; returns the scale
 *			that the values still have to be multiplied with. u must lie in the row.
 *
 * Neighbouring invocations should take neighbouring units: they then read neighbouring words.
 */

/* Halves are numbered through the buffer; the word that starts at a half may straddle two words. */
uint word_at_half(uint at)
{
	uint word = WEIGHT_WORD(at >> 1);

	if ((at & 1) != 0)
		word = (word >> 16) | (WEIGHT_WORD((at >> 1) + 1) << 16);
	return word;
}

float half_at(uint at)
{
	vec2 both = unpackHalf2x16(WEIGHT_WORD(at >> 1));

	return (at & 1) != 0 ? both.y : both.x;
}

#if defined(TYPE_F32)
#define UNIT 4

uint unit_element(uint u, uint i)
{
	return 4 * u + i;
}

float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	uint at = first_word + row * columns + 4 * u;

	[[unroll]] for (uint i = 0; i < UNIT; i++) {
		values[i] = 0.0;
		if (WHOLE_WORDS || 4 * u + i < columns)
			values[i] = uintBitsToFloat(WEIGHT_WORD(at + i));
	}
	return 1.0;
}

#elif defined(TYPE_F16)
#define UNIT 2

uint unit_element(uint u, uint i)
{
	return 2 * u + i;
}

float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	if (WHOLE_WORDS) {
		vec2 both = unpackHalf2x16(WEIGHT_WORD(first_word + row * (columns / 2) + u));

		values[0] = both.x;
		values[1] = both.y;
	} else {
		uint at = 2 * first_word + row * columns + 2 * u;

		values[0] = half_at(at);
		values[1] = 0.0;
		if (2 * u + 1 < columns)
			values[1] = half_at(at + 1);
	}
	return 1.0;
}

#else
/*
 * Block types. A block is BLOCK_HALVES half words: the scale, then UNITS_PER_BLOCK words of numbers.
 * Two blocks together are a whole number of words; in the pair the numbers of the first block are
 * shifted by a half, those of the second are not. Reading word u and word u + 1 of the pair serves both,
 * with neighbouring invocations always at neighbouring words.
 */
#if defined(TYPE_Q8_0)
#define UNIT		4
#define UNITS_PER_BLOCK 8
#define BLOCK_HALVES	17
#else
#define UNIT		8
#define UNITS_PER_BLOCK 4
#define BLOCK_HALVES	9
#endif

uint unit_element(uint u, uint i)
{
#if defined(TYPE_Q8_0)
	return 4 * u + i;
#else
	/* Low nibbles are elements 0 … 15 of the block, high nibbles 16 … 31. */
	return (u / 4) * 32 + (i / 4) * 16 + (u % 4) * 4 + i % 4;
#endif
}

float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	float scale;
	uint bits;

	if (WHOLE_WORDS) {
		uint pair = first_word + (row * (columns / 64) + u / (2 * UNITS_PER_BLOCK)) * BLOCK_HALVES;
		uint in_pair = u % (2 * UNITS_PER_BLOCK);
		uint low = WEIGHT_WORD(pair + in_pair);
		uint high = WEIGHT_WORD(pair + in_pair + 1);
		float first_scale = unpackHalf2x16(WEIGHT_WORD(pair)).x;
		float second_scale = unpackHalf2x16(WEIGHT_WORD(pair + BLOCK_HALVES / 2)).y;
		bool is_first = in_pair < UNITS_PER_BLOCK;

		bits = is_first ? (low >> 16) | (high << 16) : high;
		scale = is_first ? first_scale : second_scale;
	} else {
		uint block = row * (columns / 32) + u / UNITS_PER_BLOCK;
		uint at = 2 * first_word + block * BLOCK_HALVES;

		bits = word_at_half(at + 1 + 2 * (u % UNITS_PER_BLOCK));
		scale = half_at(at);
	}
#if defined(TYPE_Q8_0)
	[[unroll]] for (int i = 0; i < 4; i++)
		values[i] = float(int(bits << (24 - 8 * i)) >> 24);
#else
	[[unroll]] for (int i = 0; i < 4; i++) {
		values[i] = float(int((bits >> (8 * i)) & 15u) - 8);
		values[i + 4] = float(int((bits >> (8 * i + 4)) & 15u) - 8);
	}
#endif
	return scale;
}
#endif
