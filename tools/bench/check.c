// SPDX-License-Identifier: MIT
/*
 * The float64 side of the correctness checks. It decodes weights by itself and shares no code with the runtime, so
 * that a mistake there cannot hide here.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOAT_UNIT 0x1p-24 /* half a unit in the last place of a float32 near 1 */
#define BLOCK	   32

uint64_t bench_random(struct bench_random *random)
{
	uint64_t x = random->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random->state = x;
	return x * 0x2545f4914f6cdd1dull;
}

static void put16(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
}

void bench_fill(void *bytes, enum hearth_type type, uint64_t elements, struct bench_random *random)
{
	uint8_t *out = bytes;
	uint64_t r = 0, block_bytes = hearth_row_bytes(type, BLOCK);
	uint32_t *f32 = bytes;
	uint16_t *f16 = bytes;

	switch (type) {
	case HEARTH_TYPE_F32:
		for (uint64_t i = 0; i < elements; i++) {
			r = i % 2 ? r >> 32 : bench_random(random);
			f32[i] = ((uint32_t)r & 0x80ffffffu) | 0x3f000000u;
		}
		break;
	case HEARTH_TYPE_F16:
		for (uint64_t i = 0; i < elements; i++) {
			r = i % 4 ? r >> 16 : bench_random(random);
			f16[i] = ((uint16_t)r & 0x87ffu) | 0x3800u;
		}
		break;
	case HEARTH_TYPE_Q8_0:
	case HEARTH_TYPE_Q4_0:
		for (uint64_t i = 0; i < elements / BLOCK; i++, out += block_bytes) {
			/* Scales of 2^-7 to 2^-5, and of 2^-3 to 2^-1. */
			put16(out, (uint16_t)((bench_random(random) & 0x7ff) |
					      (type == HEARTH_TYPE_Q8_0 ? 0x2000 : 0x3000)));
			for (uint64_t b = 2; b < block_bytes; b += 8) {
				r = bench_random(random);
				memcpy(out + b, &r, 8);
			}
		}
		break;
	default: /* not measured */
		break;
	}
}

static double half(const uint8_t *bytes)
{
	uint32_t bits = bytes[0] | (uint32_t)bytes[1] << 8;
	int exponent = (int)(bits >> 10 & 31);
	double magnitude =
		exponent ? ldexp(1024 + (bits & 1023), exponent - 25) : ldexp(bits & 1023, -24);

	return bits & 0x8000 ? -magnitude : magnitude;
}

double bench_element(const void *row, enum hearth_type type, uint64_t column)
{
	const uint8_t *bytes = row;
	uint32_t i = column % BLOCK;
	float f32;

	switch (type) {
	case HEARTH_TYPE_F32:
		memcpy(&f32, bytes + 4 * column, 4);
		return (double)f32;
	case HEARTH_TYPE_F16:
		return half(bytes + 2 * column);
	case HEARTH_TYPE_Q8_0:
		bytes += column / BLOCK * 34;
		return half(bytes) * (int8_t)bytes[2 + i];
	case HEARTH_TYPE_Q4_0:
		bytes += column / BLOCK * 18;
		return half(bytes) * ((bytes[2 + i % 16] >> (i < 16 ? 0 : 4) & 15) - 8);
	default:
		break;
	}
	return NAN;
}

double bench_tolerance_matmul(uint32_t terms)
{
	return fmax(4 * sqrt(terms) * FLOAT_UNIT, 0x1p-18);
}

double bench_tolerance_attention(uint32_t keys)
{
	return 16 * sqrt((double)keys + 256) * FLOAT_UNIT;
}

/* @columns: of y. */
static void check_finite(struct bench_check *check, const float *y, uint64_t rows, uint64_t columns)
{
	check->outputs = rows * columns;
	for (uint64_t i = 0; i < rows * columns; i++) {
		uint32_t bits;

		memcpy(&bits, &y[i], 4);
		if ((bits & 0x7f800000u) != 0x7f800000u)
			continue;
		if (!check->wrong++)
			snprintf(check->message, sizeof(check->message), "output [%llu][%llu] %s",
				 (unsigned long long)(i / columns),
				 (unsigned long long)(i % columns),
				 bits == BENCH_UNWRITTEN ? "was not written"
							 : "is not a finite number");
	}
}

static void compare(struct bench_check *check, uint64_t row, uint64_t column, float got,
		    double expected, double magnitude)
{
	double error = fabs((double)got - expected);
	double scaled = error == 0 ? 0 : error / magnitude;

	check->samples++;
	if (!(scaled <= check->tolerance)) {
		if (!check->wrong++)
			snprintf(check->message, sizeof(check->message),
				 "output [%llu][%llu] is %.9g, expected %.9g ± %.2g",
				 (unsigned long long)row, (unsigned long long)column, (double)got,
				 expected, check->tolerance * magnitude);
	}
	if (!(error <= check->max_error))
		check->max_error = error;
	if (!(scaled <= check->max_scaled))
		check->max_scaled = scaled;
}

/* The four corners first, where tiles are cut off, then anywhere. */
static uint32_t place(uint32_t sample, int dimension, uint32_t count, struct bench_random *random)
{
	uint64_t r = bench_random(random);

	if (sample < 4)
		return sample >> dimension & 1 ? count - 1 : 0;
	return (uint32_t)(r % count);
}

void bench_check_matmul(const void *w, enum hearth_type type, uint32_t w_rows, uint32_t columns,
			const float *x, const float *y, uint32_t rows, uint32_t samples,
			struct bench_check *check)
{
	bench_check_matmul_within(w, type, w_rows, columns, x, y, rows, samples,
				  bench_tolerance_matmul(columns), check);
}

void bench_check_rows(const float *y, const double *expected, const double *magnitude,
		      uint32_t rows, uint32_t columns, double tolerance, struct bench_check *check)
{
	*check = (struct bench_check){ .reference = "float64", .tolerance = tolerance };
	check_finite(check, y, rows, columns);
	for (uint64_t i = 0; i < (uint64_t)rows * columns; i++)
		compare(check, i / columns, i % columns, y[i], expected[i],
			fabs(magnitude ? magnitude[i] : expected[i]));
	check->pass = !check->wrong;
}

void bench_check_matmul_within(const void *w, enum hearth_type type, uint32_t w_rows,
			       uint32_t columns, const float *x, const float *y, uint32_t rows,
			       uint32_t samples, double tolerance, struct bench_check *check)
{
	struct bench_random random = { 0x9e3779b97f4a7c15ull };
	uint64_t row_bytes = hearth_row_bytes(type, columns);

	*check = (struct bench_check){ .reference = "float64", .tolerance = tolerance };
	check_finite(check, y, rows, w_rows);
	for (uint32_t s = 0; s < samples; s++) {
		uint64_t r = place(s, 0, rows, &random), n = place(s, 1, w_rows, &random);
		const uint8_t *w_row = (const uint8_t *)w + n * row_bytes;
		double sum = 0, magnitude = 0;

		for (uint32_t k = 0; k < columns; k++) {
			double product = (double)x[r * columns + k] * bench_element(w_row, type, k);

			sum += product;
			magnitude += fabs(product);
		}
		compare(check, r, n, y[r * w_rows + n], sum, magnitude);
	}
	check->pass = !check->wrong;
}

void bench_check_attention(const struct bench_attention *a, const float *q, const void *keys,
			   const void *values, const float *y, uint32_t samples,
			   struct bench_check *check)
{
	struct bench_random random = { 0x9e3779b97f4a7c15ull };
	uint32_t size = a->head_size, all = a->position + a->rows;
	uint64_t stride = (uint64_t)a->kv_heads * size;
	double *scores = malloc(sizeof(*scores) * all);

	*check = (struct bench_check){ .reference = "float64",
				       .tolerance = bench_tolerance_attention(all) };
	if (!scores) {
		snprintf(check->message, sizeof(check->message), "not checked: out of memory");
		return;
	}
	check_finite(check, y, a->rows, (uint64_t)a->heads * size);
	for (uint32_t s = 0; s < samples; s++) {
		uint64_t r = place(s, 0, a->rows, &random), h = place(s, 1, a->heads, &random);
		uint64_t kv = h / (a->heads / a->kv_heads), at = (r * a->heads + h) * size;
		uint64_t count = a->position + r + 1;
		double most = -INFINITY, total = 0;

		for (uint64_t j = 0; j < count; j++) {
			double score = 0;

			for (uint32_t d = 0; d < size; d++)
				score += (double)q[at + d] *
					 bench_element(keys, a->type, j * stride + kv * size + d);
			scores[j] = a->scale * score;
			most = fmax(most, scores[j]);
		}
		for (uint64_t j = 0; j < count; j++)
			total += scores[j] = exp(scores[j] - most);
		for (uint32_t d = 0; d < size; d++) {
			double sum = 0, magnitude = 0;

			for (uint64_t j = 0; j < count; j++) {
				double v =
					bench_element(values, a->type, j * stride + kv * size + d);

				sum += scores[j] / total * v;
				magnitude += scores[j] / total * fabs(v);
			}
			compare(check, r, h * size + d, y[at + d], sum, magnitude);
		}
	}
	free(scores);
	check->pass = !check->wrong;
}
