// SPDX-License-Identifier: MIT
/*
 * Reading weights of every type from a buffer of 32-bit words, so that no 8- or 16-bit storage is
 * needed. Define one of TYPE_F32, TYPE_F16, TYPE_BF16, TYPE_Q8_0, TYPE_Q4_0, TYPE_IQ4_NL, TYPE_MXFP4, TYPE_Q4_K, TYPE_Q5_K,
 * TYPE_Q6_K before including this file, and
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

#elif defined(TYPE_BF16)
#define UNIT 2

uint unit_element(uint u, uint i)
{
	return 2 * u + i;
}

float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	uint at = 2 * first_word + row * columns + 2 * u;
	uint both = WHOLE_WORDS ? WEIGHT_WORD(at >> 1) : word_at_half(at);

	values[0] = uintBitsToFloat(both << 16);
	values[1] = 2 * u + 1 < columns ? uintBitsToFloat(both & 0xffff0000u) : 0.0;
	return 1.0;
}

#elif defined(TYPE_IQ4_NL) || defined(TYPE_MXFP4) || defined(TYPE_Q4_K) || defined(TYPE_Q5_K) || defined(TYPE_Q6_K)
/* A unit is four neighbours, from four bytes of numbers. */
#define UNIT 4

uint unit_element(uint u, uint i)
{
	return 4 * u + i;
}

/* Bytes are numbered through the buffer. */
uint word_at_byte(uint at)
{
	uint word = WEIGHT_WORD(at >> 2);
	uint shift = 8 * (at & 3);

	if (shift != 0)
		word = (word >> shift) | (WEIGHT_WORD((at >> 2) + 1) << (32 - shift));
	return word;
}

uint byte_at(uint at)
{
	return (WEIGHT_WORD(at >> 2) >> (8 * (at & 3))) & 255u;
}

#if defined(TYPE_IQ4_NL)
/* { f16 scale; nibbles[16] }: elements 0 … 15 are low nibbles, indices into a table. */
const int TABLE[16] = int[16](-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	uint at = 2 * first_word + (row * (columns / 32) + u / 8) * 9;
	uint bits = word_at_half(at + 1 + 2 * (u % 4)) >> (u & 4);

	[[unroll]] for (uint i = 0; i < 4; i++)
		values[i] = float(TABLE[(bits >> (8 * i)) & 15u]);
	return half_at(at);
}
#elif defined(TYPE_MXFP4)
/* { exponent; nibbles[16] }: numbers of 4 bits, here doubled, times 2^(exponent - 128). */
const int TABLE[16] = int[16](0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	uint at = 4 * first_word + (row * (columns / 32) + u / 8) * 17;
	uint bits = word_at_byte(at + 1 + 4 * (u % 4)) >> (u & 4);
	uint exponent = byte_at(at);

	[[unroll]] for (uint i = 0; i < 4; i++)
		values[i] = float(TABLE[(bits >> (8 * i)) & 15u]);
	return uintBitsToFloat(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
}
#elif defined(TYPE_Q6_K)
/*
 * 256 numbers of 6 bits: { low nibbles[128]; upper pairs of bits[64]; int8 scale[16]; f16 scale }. Of each half of 128,
 * quarter t has its low nibbles in bytes 32 (t % 2) …, shifted by 4 (t / 2), and its upper bits shifted by 2 t.
 */
float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	uint at = 4 * first_word + (row * (columns / 256) + u / 64) * 210;
	uint upper = u / 32 % 2;
	uint quarter = u / 8 % 4;
	uint l = u % 8 * 4;
	uint low = word_at_byte(at + 64 * upper + 32 * (quarter & 1) + l) >> (2 * (quarter & 2));
	uint high = word_at_byte(at + 128 + 32 * upper + l) >> (2 * quarter);
	int scale = int(byte_at(at + 192 + 8 * upper + l / 16 + 2 * quarter) << 24) >> 24;

	[[unroll]] for (uint i = 0; i < 4; i++)
		values[i] = float(int(((low >> (8 * i)) & 15u) | (((high >> (8 * i)) & 3u) << 4)) - 32);
	return half_at((at + 208) >> 1) * float(scale);
}
#else
/*
 * 256 numbers of 4 or 5 bits, in eights of 32 with a scale and an offset of 6 bits each: { f16 scale, offset; 12 bytes of
 * those; for 5 bits, fifth bits[32]; nibbles[128] }. Of each 64, the first 32 are low nibbles.
 */
#if defined(TYPE_Q4_K)
#define K_WORDS	      36
#define K_NUMBERS_AT  4
#else
#define K_WORDS	      44
#define K_NUMBERS_AT  12
#endif

float read_unit(uint row, uint columns, uint first_word, uint u, out float values[UNIT])
{
	uint at = first_word + (row * (columns / 256) + u / 64) * K_WORDS;
	uint eighth = u / 8 % 8;
	uint word = u % 8;
	uint bits = (WEIGHT_WORD(at + K_NUMBERS_AT + eighth / 2 * 8 + word) >> (4 * (eighth & 1))) & 0x0f0f0f0fu;
	uint shift = 8 * (eighth & 3);
	uint first = WEIGHT_WORD(at + 1) >> shift;
	uint second = WEIGHT_WORD(at + 2) >> shift;
	uint third = WEIGHT_WORD(at + 3) >> shift;
	uint scale = eighth < 4 ? first & 63u : (third & 15u) | ((first & 0xc0u) >> 2);
	uint offset = eighth < 4 ? second & 63u : ((third >> 4) & 15u) | ((second & 0xc0u) >> 2);
	vec2 both = unpackHalf2x16(WEIGHT_WORD(at)) * vec2(float(scale), float(offset));

#if defined(TYPE_Q5_K)
	bits |= ((WEIGHT_WORD(at + 4 + word) >> eighth) & 0x01010101u) << 4;
#endif
	[[unroll]] for (uint i = 0; i < 4; i++)
		values[i] = float((bits >> (8 * i)) & 31u) * both.x - both.y;
	return 1.0;
}
#endif

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
