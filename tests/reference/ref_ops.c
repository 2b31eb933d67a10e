// SPDX-License-Identifier: MIT
/*
 * The operations of hearth.h in float64, as their definitions read: one loop for one sum, no
 * blocking, no online softmax. It shares no code with the runtime, so that a mistake in one does not
 * hide in the other.
 */
#include "ref_ops.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define BLOCK		  32  /* elements of a block of the block types */
#define Q8_0_BLOCK_BYTES  34  /* f16 scale, 32 × int8 */
#define Q4_0_BLOCK_BYTES  18  /* f16 scale, 32 nibbles; IQ4_NL too */
#define MXFP4_BLOCK_BYTES 17  /* exponent, 32 nibbles */
#define K_BLOCK		  256 /* elements of a block of the K types */

/* ---- Number formats ---- */

double ref_f16_to_double(uint16_t bits)
{
	double sign = bits & 0x8000 ? -1.0 : 1.0;
	int exponent = (bits >> 10) & 0x1f;
	int fraction = bits & 0x3ff;

	if (exponent == 0x1f)
		return fraction ? (double)NAN : sign * (double)INFINITY;
	if (exponent == 0)
		return sign * ldexp(fraction, -24);
	return sign * ldexp(fraction + 1024, exponent - 25);
}

uint16_t ref_double_to_f16(double value)
{
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	double magnitude = fabs(value);
	int exponent;

	if (isnan(value))
		return sign | 0x7e00;
	if (magnitude >= 65520.0) /* half-way from the largest number to the next would-be one */
		return sign | 0x7c00;
	if (magnitude < ldexp(1.0, -14)) /* subnormal: multiples of 2^-24 */
		return sign | (uint16_t)nearbyint(ldexp(magnitude, 24));
	frexp(magnitude, &exponent); /* magnitude = m · 2^exponent, 0.5 ≤ m < 1 */
	/* A fraction that rounds up to 2048 carries into the exponent, as it should. */
	return sign | (uint16_t)(((exponent + 14) << 10) +
				 ((int)nearbyint(ldexp(magnitude, 11 - exponent)) - 1024));
}

static uint16_t load_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void store_u16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

/* Types of 4 bits that are indices: IQ4_NL's numbers, and twice MXFP4's. */
static const int8_t iq4_numbers[16] = { -127, -104, -83, -65, -49, -35, -22, -10,
					1,    13,   25,	 38,  53,  69,	89,  113 };
static const int8_t mxfp4_numbers[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

static int nibble_of(const uint8_t *bytes, uint32_t in_block)
{
	return in_block < 16 ? bytes[in_block] & 15 : bytes[in_block - 16] >> 4;
}

/* The 6-bit scale and offset of eighth @j of a block of Q4_K or Q5_K; @packed: 12 bytes. */
static void k_scale(const uint8_t *packed, uint32_t j, uint32_t *scale, uint32_t *offset)
{
	*scale = j < 4 ? packed[j] & 63 : (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
	*offset = j < 4 ? packed[j + 4] & 63 : packed[j + 4] >> 4 | packed[j] >> 6 << 4;
}

static double k_weight(const uint8_t *block, bool five_bits, uint32_t i)
{
	const uint8_t *numbers = block + (five_bits ? 48 : 16) + i / 64 * 32;
	uint32_t j = i / 32, scale, offset;
	int q = i & 32 ? numbers[i % 32] >> 4 : numbers[i % 32] & 15;

	if (five_bits && block[16 + i % 32] >> j & 1)
		q += 16;
	k_scale(block + 4, j, &scale, &offset);
	return ref_f16_to_double(load_u16(block)) * scale * q -
	       ref_f16_to_double(load_u16(block + 2)) * offset;
}

static double q6_k_weight(const uint8_t *block, uint32_t i)
{
	uint32_t half = i / 128, quarter = i / 32 % 4, l = i % 32;
	uint8_t low = block[64 * half + 32 * (quarter & 1) + l];
	uint8_t high = block[128 + 32 * half + l];
	int q = (quarter & 2 ? low >> 4 : low & 15) | (high >> 2 * quarter & 3) << 4;

	return ref_f16_to_double(load_u16(block + 208)) *
	       (int8_t)block[192 + 8 * half + 2 * quarter + l / 16] * (q - 32);
}

double ref_weight(const void *row_bytes, enum hearth_type type, uint32_t column)
{
	const uint8_t *row = row_bytes;
	uint32_t in_block = column % BLOCK;
	const uint8_t *block;
	uint32_t bits;
	float f32;
	int nibble;

	switch (type) {
	case HEARTH_TYPE_Q4_0_TILES: /* a device's own */
	case HEARTH_TYPE_Q8_0_TILES:
		break;
	case HEARTH_TYPE_F32:
		memcpy(&f32, row + 4ull * column, sizeof(f32));
		return f32;
	case HEARTH_TYPE_F16:
		return ref_f16_to_double(load_u16(row + 2ull * column));
	case HEARTH_TYPE_Q8_0:
		block = row + (uint64_t)(column / BLOCK) * Q8_0_BLOCK_BYTES;
		return ref_f16_to_double(load_u16(block)) * (int8_t)block[2 + in_block];
	case HEARTH_TYPE_Q4_0:
		block = row + (uint64_t)(column / BLOCK) * Q4_0_BLOCK_BYTES;
		nibble = in_block < 16 ? block[2 + in_block] & 15 : block[2 + in_block - 16] >> 4;
		return ref_f16_to_double(load_u16(block)) * (nibble - 8);
	case HEARTH_TYPE_BF16:
		bits = (uint32_t)load_u16(row + 2ull * column) << 16;
		memcpy(&f32, &bits, sizeof(f32));
		return f32;
	case HEARTH_TYPE_IQ4_NL:
		block = row + (uint64_t)(column / BLOCK) * Q4_0_BLOCK_BYTES;
		return ref_f16_to_double(load_u16(block)) *
		       iq4_numbers[nibble_of(block + 2, in_block)];
	case HEARTH_TYPE_MXFP4:
		block = row + (uint64_t)(column / BLOCK) * MXFP4_BLOCK_BYTES;
		return ldexp(mxfp4_numbers[nibble_of(block + 1, in_block)], block[0] - 128);
	case HEARTH_TYPE_Q4_K:
	case HEARTH_TYPE_Q5_K:
		block = row + column / K_BLOCK * ref_row_bytes(type, K_BLOCK);
		return k_weight(block, type == HEARTH_TYPE_Q5_K, column % K_BLOCK);
	case HEARTH_TYPE_Q6_K:
		return q6_k_weight(row + column / K_BLOCK * ref_row_bytes(type, K_BLOCK),
				   column % K_BLOCK);
	}
	return (double)NAN;
}

void ref_dequantise_row(const void *row_bytes, enum hearth_type type, uint32_t columns, double *out)
{
	for (uint32_t i = 0; i < columns; i++)
		out[i] = ref_weight(row_bytes, type, i);
}

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

/* The scale maps the largest magnitude to ±127. */
static void quantise_q8_0(const float *values, uint8_t *block)
{
	double largest = 0;
	double scale;

	for (int i = 0; i < BLOCK; i++)
		largest = fmax(largest, fabs(values[i]));
	store_u16(block, ref_double_to_f16(largest / 127));
	scale = ref_f16_to_double(load_u16(block));
	for (int i = 0; i < BLOCK; i++) {
		int q = scale > 0 ? (int)nearbyint(values[i] / scale) : 0;

		block[2 + i] = (uint8_t)(int8_t)clamp(q, -127, 127);
	}
}

/* The element of largest magnitude, with its sign, maps to -8: the longer end of the range. */
static void quantise_q4_0(const float *values, uint8_t *block)
{
	double extreme = 0;
	double scale;

	for (int i = 0; i < BLOCK; i++)
		if (fabs(values[i]) > fabs(extreme))
			extreme = values[i];
	store_u16(block, ref_double_to_f16(extreme / -8));
	scale = ref_f16_to_double(load_u16(block));
	memset(block + 2, 0, BLOCK / 2);
	for (int i = 0; i < BLOCK; i++) {
		int q = scale != 0 ? (int)nearbyint(values[i] / scale) + 8 : 8;

		q = clamp(q, 0, 15);
		block[2 + i % 16] |= (uint8_t)(i < 16 ? q : q << 4);
	}
}

/* The index of the number nearest to @value. */
static uint32_t nearest(double value, const int8_t numbers[16])
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < 16; i++)
		if (fabs(value - numbers[i]) < fabs(value - numbers[best]))
			best = i;
	return best;
}

static double largest_of(const float *values, uint32_t count)
{
	double largest = 0;

	for (uint32_t i = 0; i < count; i++)
		largest = fmax(largest, fabs(values[i]));
	return largest;
}

static void quantise_table(const float *values, const int8_t numbers[16], double scale,
			   uint8_t *nibbles)
{
	memset(nibbles, 0, BLOCK / 2);
	for (int i = 0; i < BLOCK; i++) {
		uint32_t q = nearest(scale != 0 ? values[i] / scale : 0, numbers);

		nibbles[i % 16] |= (uint8_t)(i < 16 ? q : q << 4);
	}
}

static void quantise_iq4_nl(const float *values, uint8_t *block)
{
	store_u16(block, ref_double_to_f16(largest_of(values, BLOCK) / 120));
	quantise_table(values, iq4_numbers, ref_f16_to_double(load_u16(block)), block + 2);
}

/* The largest magnitude comes between 3 and 6, the largest number there is. */
static void quantise_mxfp4(const float *values, uint8_t *block)
{
	double largest = largest_of(values, BLOCK);
	int exponent = largest > 0 ? ilogb(largest) - 2 + 127 : 0;

	block[0] = (uint8_t)clamp(exponent, 0, 254);
	quantise_table(values, mxfp4_numbers, ldexp(1, block[0] - 128), block + 1);
}

/* Each 32 numbers get the range from the lesser of 0 and the least to the largest. */
static void quantise_k(const float *values, bool five_bits, uint8_t *block)
{
	double scales[8], offsets[8], scale = 0, offset = 0;
	int most = five_bits ? 31 : 15;
	uint8_t *packed = block + 4, *numbers = block + (five_bits ? 48 : 16);

	for (int j = 0; j < 8; j++) {
		double least = 0, largest = 0;

		for (int i = 0; i < 32; i++) {
			least = fmin(least, values[32 * j + i]);
			largest = fmax(largest, values[32 * j + i]);
		}
		scales[j] = (largest - least) / most;
		offsets[j] = -least;
		scale = fmax(scale, scales[j] / 63);
		offset = fmax(offset, offsets[j] / 63);
	}
	memset(block, 0, five_bits ? 176 : 144);
	store_u16(block, ref_double_to_f16(scale));
	store_u16(block + 2, ref_double_to_f16(offset));
	scale = ref_f16_to_double(load_u16(block));
	offset = ref_f16_to_double(load_u16(block + 2));
	for (int j = 0; j < 8; j++) {
		int s = scale > 0 ? clamp((int)nearbyint(scales[j] / scale), 1, 63) : 0;
		int m = offset > 0 ? clamp((int)nearbyint(offsets[j] / offset), 0, 63) : 0;

		if (j < 4) {
			packed[j] |= (uint8_t)s;
			packed[j + 4] |= (uint8_t)m;
		} else {
			packed[j + 4] |= (uint8_t)((s & 15) | (m & 15) << 4);
			packed[j - 4] |= (uint8_t)(s >> 4 << 6);
			packed[j] |= (uint8_t)(m >> 4 << 6);
		}
		for (int i = 0; i < 32; i++) {
			double value = values[32 * j + i] + offset * m;
			int q = s ? clamp((int)nearbyint(value / (scale * s)), 0, most) : 0;

			numbers[j / 2 * 32 + i] |= (uint8_t)((q & 15) << 4 * (j % 2));
			if (five_bits)
				block[16 + i] |= (uint8_t)(q >> 4 << j);
		}
	}
}

static void quantise_q6_k(const float *values, uint8_t *block)
{
	double scale = largest_of(values, K_BLOCK) / 31 / 127;

	memset(block, 0, 210);
	store_u16(block + 208, ref_double_to_f16(scale));
	scale = ref_f16_to_double(load_u16(block + 208));
	for (int i = 0; i < K_BLOCK; i++) {
		int half = i / 128, quarter = i / 32 % 4, l = i % 32;
		uint8_t *sixteen = &block[192 + 8 * half + 2 * quarter + l / 16];
		int q;

		if (i % 16 == 0 && scale > 0)
			*sixteen = (uint8_t)clamp(
				(int)nearbyint(largest_of(values + i, 16) / 31 / scale), 1, 127);
		q = *sixteen ? clamp((int)nearbyint(values[i] / (scale * *sixteen)), -32, 31) + 32
			     : 32;
		block[64 * half + 32 * (quarter & 1) + l] |=
			(uint8_t)((q & 15) << (quarter & 2 ? 4 : 0));
		block[128 + 32 * half + l] |= (uint8_t)(q >> 4 << 2 * quarter);
	}
}

static uint16_t float_to_bf16(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16); /* no NaN comes here */
}

void ref_quantise_row(const float *values, enum hearth_type type, uint32_t columns, void *out)
{
	uint8_t *bytes = out;

	switch (type) {
	case HEARTH_TYPE_Q4_0_TILES: /* a device's own */
	case HEARTH_TYPE_Q8_0_TILES:
		break;
	case HEARTH_TYPE_F32:
		memcpy(out, values, 4ull * columns);
		break;
	case HEARTH_TYPE_F16:
		for (uint32_t i = 0; i < columns; i++)
			store_u16(bytes + 2ull * i, ref_double_to_f16(values[i]));
		break;
	case HEARTH_TYPE_Q8_0:
		for (uint32_t i = 0; i < columns / BLOCK; i++)
			quantise_q8_0(values + BLOCK * i, bytes + (uint64_t)i * Q8_0_BLOCK_BYTES);
		break;
	case HEARTH_TYPE_Q4_0:
		for (uint32_t i = 0; i < columns / BLOCK; i++)
			quantise_q4_0(values + BLOCK * i, bytes + (uint64_t)i * Q4_0_BLOCK_BYTES);
		break;
	case HEARTH_TYPE_BF16:
		for (uint32_t i = 0; i < columns; i++)
			store_u16(bytes + 2ull * i, float_to_bf16(values[i]));
		break;
	case HEARTH_TYPE_IQ4_NL:
		for (uint32_t i = 0; i < columns / BLOCK; i++)
			quantise_iq4_nl(values + BLOCK * i, bytes + (uint64_t)i * Q4_0_BLOCK_BYTES);
		break;
	case HEARTH_TYPE_MXFP4:
		for (uint32_t i = 0; i < columns / BLOCK; i++)
			quantise_mxfp4(values + BLOCK * i, bytes + (uint64_t)i * MXFP4_BLOCK_BYTES);
		break;
	case HEARTH_TYPE_Q4_K:
	case HEARTH_TYPE_Q5_K:
		for (uint32_t i = 0; i < columns / K_BLOCK; i++)
			quantise_k(values + K_BLOCK * i, type == HEARTH_TYPE_Q5_K,
				   bytes + i * ref_row_bytes(type, K_BLOCK));
		break;
	case HEARTH_TYPE_Q6_K:
		for (uint32_t i = 0; i < columns / K_BLOCK; i++)
			quantise_q6_k(values + K_BLOCK * i,
				      bytes + i * ref_row_bytes(type, K_BLOCK));
		break;
	}
}

uint64_t ref_row_bytes(enum hearth_type type, uint32_t columns)
{
	switch (type) {
	case HEARTH_TYPE_Q4_0_TILES: /* a device's own */
	case HEARTH_TYPE_Q8_0_TILES:
		break;
	case HEARTH_TYPE_F32:
		return 4ull * columns;
	case HEARTH_TYPE_F16:
		return 2ull * columns;
	case HEARTH_TYPE_Q8_0:
		return (uint64_t)(columns / BLOCK) * Q8_0_BLOCK_BYTES;
	case HEARTH_TYPE_Q4_0:
	case HEARTH_TYPE_IQ4_NL:
		return (uint64_t)(columns / BLOCK) * Q4_0_BLOCK_BYTES;
	case HEARTH_TYPE_BF16:
		return 2ull * columns;
	case HEARTH_TYPE_MXFP4:
		return (uint64_t)(columns / BLOCK) * MXFP4_BLOCK_BYTES;
	case HEARTH_TYPE_Q4_K:
		return (uint64_t)(columns / K_BLOCK) * 144;
	case HEARTH_TYPE_Q5_K:
		return (uint64_t)(columns / K_BLOCK) * 176;
	case HEARTH_TYPE_Q6_K:
		return (uint64_t)(columns / K_BLOCK) * 210;
	}
	return 0;
}

/* ---- Operations ---- */

void ref_embedding(const void *table, enum hearth_type type, uint32_t table_rows, uint32_t columns,
		   const uint32_t *tokens, double *y, uint32_t rows)
{
	uint64_t row_bytes = ref_row_bytes(type, columns);

	for (uint32_t r = 0; r < rows; r++) {
		double *out = y + (uint64_t)r * columns;

		if (tokens[r] < table_rows)
			ref_dequantise_row((const uint8_t *)table + tokens[r] * row_bytes, type,
					   columns, out);
		else
			memset(out, 0, sizeof(*out) * columns);
	}
}

void ref_rms_norm(const double *x, const double *weight, double *y, uint32_t rows, uint32_t columns,
		  double epsilon)
{
	for (uint32_t r = 0; r < rows; r++) {
		const double *in = x + (uint64_t)r * columns;
		double *out = y + (uint64_t)r * columns;
		double sum = 0;
		double factor;

		for (uint32_t i = 0; i < columns; i++)
			sum += in[i] * in[i];
		factor = 1 / sqrt(sum / columns + epsilon);
		for (uint32_t i = 0; i < columns; i++)
			out[i] = in[i] * factor * weight[i];
	}
}

void ref_matmul(const void *w, enum hearth_type type, uint32_t w_rows, uint32_t w_columns,
		const double *x, const double *residual, double *y, double *magnitude,
		uint32_t rows)
{
	uint64_t row_bytes = ref_row_bytes(type, w_columns);

	for (uint32_t n = 0; n < w_rows; n++) {
		const uint8_t *w_row = (const uint8_t *)w + n * row_bytes;

		for (uint32_t r = 0; r < rows; r++) {
			uint64_t at = (uint64_t)r * w_rows + n;

			y[at] = residual ? residual[at] : 0;
			if (magnitude)
				magnitude[at] = fabs(y[at]);
		}
		/* Each weight is decoded once, for all rows of x. */
		for (uint32_t k = 0; k < w_columns; k++) {
			double weight = ref_weight(w_row, type, k);

			for (uint32_t r = 0; r < rows; r++) {
				double product = x[(uint64_t)r * w_columns + k] * weight;

				y[(uint64_t)r * w_rows + n] += product;
				if (magnitude)
					magnitude[(uint64_t)r * w_rows + n] += fabs(product);
			}
		}
	}
}

void ref_rope(double *x, uint32_t position, uint32_t rows, uint32_t heads, uint32_t head_size,
	      uint32_t dims, double base, enum hearth_rope mode)
{
	ref_rope_scaled(x, position, rows, heads, head_size, dims, base, mode, 1, NULL, 1);
}

void ref_rope_scaled(double *x, uint32_t position, uint32_t rows, uint32_t heads,
		     uint32_t head_size, uint32_t dims, double base, enum hearth_rope mode,
		     double scale, const double *factors, double magnitude)
{
	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t h = 0; h < heads; h++) {
			double *head = x + ((uint64_t)r * heads + h) * head_size;

			for (uint32_t i = 0; i < dims / 2; i++) {
				double angle = ((double)position + r) * scale *
					       pow(base, -2.0 * i / dims) /
					       (factors ? factors[i] : 1);
				double *a = mode == HEARTH_ROPE_PAIRS ? &head[2 * i] : &head[i];
				double *b = mode == HEARTH_ROPE_PAIRS ? &head[2 * i + 1]
								      : &head[i + dims / 2];
				double first = *a;
				double second = *b;

				*a = magnitude * (first * cos(angle) - second * sin(angle));
				*b = magnitude * (first * sin(angle) + second * cos(angle));
			}
		}
	}
}

/* A head's bias for one position: 2^(-alibi · …), evenly spaced exponents over the largest power of two of heads. */
static double alibi_slope(uint32_t head, uint32_t heads, double alibi)
{
	uint32_t whole = 1;

	while (2 * whole <= heads)
		whole *= 2;
	if (head < whole)
		return pow(2, -alibi / whole * (head + 1));
	return pow(2, -alibi / 2 / whole * (2 * (head - whole) + 1));
}

/* One query at position @last against those positions of one key and value head that it sees. Strides are in elements. */
static void attend(const double *q, const double *keys, const double *values, double *y,
		   double *magnitude, double *scores, uint32_t last, uint64_t stride,
		   uint32_t head_size, uint32_t head, uint32_t heads,
		   const struct ref_attention *shape)
{
	uint32_t first = shape->window && last >= shape->window ? last + 1 - shape->window : 0;
	double slope = shape->alibi > 0 ? alibi_slope(head, heads, shape->alibi) : 0;
	double largest = shape->sinks ? shape->sinks[head] : -INFINITY;
	double total;

	for (uint32_t j = first; j <= last; j++) {
		double dot = 0;

		for (uint32_t d = 0; d < head_size; d++)
			dot += q[d] * keys[j * stride + d];
		scores[j] = shape->scale * dot;
		if (shape->soft_cap > 0)
			scores[j] = shape->soft_cap * tanh(scores[j] / shape->soft_cap);
		scores[j] -= slope * (last - j);
		largest = fmax(largest, scores[j]);
	}
	total = shape->sinks ? exp(shape->sinks[head] - largest) : 0;
	for (uint32_t j = first; j <= last; j++) {
		scores[j] = exp(scores[j] - largest);
		total += scores[j];
	}
	for (uint32_t d = 0; d < head_size; d++) {
		double sum = 0;
		double absolute = 0;

		for (uint32_t j = first; j <= last; j++) {
			sum += scores[j] * values[j * stride + d];
			absolute += fabs(scores[j] * values[j * stride + d]);
		}
		y[d] = sum / total;
		if (magnitude)
			magnitude[d] = absolute / total;
	}
}

void ref_attention(const double *q, const double *keys, const double *values, double *y,
		   double *magnitude, double *scores, uint32_t position, uint32_t rows,
		   uint32_t heads, uint32_t kv_heads, uint32_t head_size,
		   const struct ref_attention *shape)
{
	uint64_t stride = (uint64_t)kv_heads * head_size;

	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t h = 0; h < heads; h++) {
			uint64_t at = ((uint64_t)r * heads + h) * head_size;
			uint64_t kv_at = (uint64_t)(h / (heads / kv_heads)) * head_size;

			attend(q + at, keys + kv_at, values + kv_at, y + at,
			       magnitude ? magnitude + at : NULL, scores, position + r, stride,
			       head_size, h, heads, shape);
		}
	}
}

void ref_scale(const double *x, double *y, uint64_t count, double scale, double soft_cap)
{
	for (uint64_t i = 0; i < count; i++)
		y[i] = soft_cap > 0 ? soft_cap * tanh(scale * x[i] / soft_cap) : scale * x[i];
}

void ref_gelu_mul(const double *a, const double *b, double *y, uint64_t count)
{
	const double factor = sqrt(2 / acos(-1.0));

	for (uint64_t i = 0; i < count; i++)
		y[i] = a[i] * (1 + tanh(factor * (a[i] + 0.044715 * a[i] * a[i] * a[i]))) / 2 *
		       b[i];
}

void ref_silu_mul(const double *a, const double *b, double *y, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		y[i] = a[i] / (1 + exp(-a[i])) * b[i];
}

/* Whether @a comes before @b, of places in order of their numbers; NaN comes last. */
static bool comes_first(const double *numbers, uint32_t a, uint32_t b)
{
	if (isnan(numbers[a]) != isnan(numbers[b]))
		return isnan(numbers[b]);
	return numbers[a] > numbers[b] ||
	       ((numbers[a] == numbers[b] || isnan(numbers[a])) && a < b);
}

void ref_experts_select(const double *logits, uint32_t *selected, double *weights, uint32_t rows,
			uint32_t experts, uint32_t used, bool sigmoid, bool normalise, double scale)
{
	for (uint32_t r = 0; r < rows; r++) {
		const double *row = logits + (uint64_t)r * experts;
		uint32_t *places = selected + (uint64_t)r * used;
		double *out = weights + (uint64_t)r * used;
		double all = 0, chosen = 0;

		for (uint32_t e = 0; e < experts; e++) {
			uint32_t place = 0;

			for (uint32_t other = 0; other < experts; other++)
				place += other != e && comes_first(row, other, e);
			if (place < used)
				places[place] = e;
		}
		for (uint32_t e = 0; e < experts; e++)
			all += exp(row[e] - row[places[0]]);
		for (uint32_t s = 0; s < used; s++) {
			double logit = row[places[s]];

			out[s] =
				sigmoid ? 1 / (1 + exp(-logit)) : exp(logit - row[places[0]]) / all;
			chosen += out[s];
		}
		for (uint32_t s = 0; s < used; s++)
			out[s] *= scale / (normalise ? chosen : 1);
	}
}

void ref_add(const double *a, const double *b, double *y, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		y[i] = a[i] + b[i];
}

void ref_argmax(const double *x, uint32_t *index, uint32_t rows, uint32_t columns)
{
	for (uint32_t r = 0; r < rows; r++) {
		const double *row = x + (uint64_t)r * columns;
		uint32_t best = 0;

		for (uint32_t i = 1; i < columns; i++)
			if (row[i] > row[best] || (isnan(row[best]) && !isnan(row[i])))
				best = i;
		index[r] = best;
	}
}
