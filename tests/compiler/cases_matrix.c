// SPDX-License-Identifier: MIT
/* Cooperative matrices, against sums in double precision. */
#include <math.h>
#include <string.h>

#include "harness.h"

#define SSBO HC_BINDING_STORAGE_BUFFER

enum { M = 48, N = 32, K = 64 };

/* Numbers of half precision between -4 and 4. */
static float small_number(void)
{
	return (float)((int)(test_random() % 2048) - 1024) / 256;
}

static void fill_halves(struct run *r, int buffer)
{
	_Float16 *to = (_Float16 *)r->data[buffer];

	for (uint32_t i = 0; i < r->c->buffers[buffer].bytes / 2; i++)
		to[i] = (_Float16)small_number();
}

static void fill_floats(struct run *r, int buffer)
{
	for (uint32_t i = 0; i < r->c->buffers[buffer].bytes / 4; i++)
		FLOATS(r, buffer)[i] = small_number();
}

static void prepare_halves(struct run *r)
{
	fill_halves(r, 1);
	fill_halves(r, 2);
	fill_floats(r, 3);
}

static void prepare_floats(struct run *r)
{
	fill_floats(r, 1);
	fill_floats(r, 2);
	fill_floats(r, 3);
}

static double number(struct run *r, int buffer, bool half, uint32_t i)
{
	return half ? (double)((_Float16 *)r->data[buffer])[i] : FLOATS(r, buffer)[i];
}

static void expect_product(struct run *r, bool half, bool a_columns, bool b_columns, bool d_columns)
{
	for (uint32_t i = 0; i < M; i++) {
		for (uint32_t j = 0; j < N; j++) {
			double sum = FLOATS(r, 3)[i * N + j];

			for (uint32_t k = 0; k < K; k++)
				sum += number(r, 1, half, a_columns ? k * M + i : i * K + k) *
				       number(r, 2, half, b_columns ? j * K + k : k * N + j);
			WANTF(r, 0)[d_columns ? j * M + i : i * N + j] = (float)sum;
		}
	}
}

static void expect_half(struct run *r)
{
	expect_product(r, true, false, true, false);
}

static void expect_half_sums(struct run *r)
{
	expect_product(r, true, true, false, true);
}

static void expect_float(struct run *r)
{
	expect_product(r, false, false, false, true);
}

static void expect_float_columns(struct run *r)
{
	expect_product(r, false, true, true, false);
}

static void expect_signed(struct run *r)
{
	const int8_t *a = (int8_t *)r->data[1], *b = (int8_t *)r->data[2];

	for (uint32_t i = 0; i < M; i++)
		for (uint32_t j = 0; j < N; j++) {
			uint32_t sum = WORDS(r, 3)[i * N + j];

			for (uint32_t k = 0; k < K; k++)
				sum += (uint32_t)(a[i * K + k] * b[j * K + k]);
			WANT(r, 0)[i * N + j] = sum;
		}
}

static void expect_unsigned(struct run *r)
{
	const uint8_t *a = r->data[1], *b = r->data[2];

	for (uint32_t i = 0; i < M; i++)
		for (uint32_t j = 0; j < N; j++) {
			uint32_t sum = WORDS(r, 3)[i * N + j];

			for (uint32_t k = 0; k < K; k++)
				sum += (uint32_t)a[k * M + i] * b[k * N + j];
			WANT(r, 0)[j * M + i] = sum;
		}
}

static void prepare_shared(struct run *r)
{
	fill_halves(r, 1);
	fill_halves(r, 2);
}

static void expect_shared(struct run *r)
{
	for (uint32_t i = 0; i < 64; i++)
		for (uint32_t j = 0; j < 64; j++) {
			double sum = 0;

			for (uint32_t k = 0; k < 64; k++)
				sum += number(r, 1, true, i * 64 + k) *
				       number(r, 2, true, j * 64 + k);
			WANTF(r, 0)[i * 64 + j] = (float)sum;
		}
}

static void prepare_elements(struct run *r)
{
	uint32_t one = 1;

	fill_floats(r, 1);
	memcpy(r->push, &one, 4);
}

static void expect_elements(struct run *r)
{
	float *o = WANTF(r, 0), sum = 0;

	for (uint32_t i = 0; i < 256; i++)
		sum += FLOATS(r, 1)[i];
	for (uint32_t i = 0; i < 256; i++) {
		float x = FLOATS(r, 1)[i], y = FLOATS(r, 1)[256 + i % 16 * 16 + i / 16];

		o[0 * 256 + i] = x + y;
		o[1 * 256 + i] = x - y;
		o[2 * 256 + i] = x * y;
		o[3 * 256 + i] = x / (y * y + 1);
		o[4 * 256 + i] = -x * 3;
		o[5 * 256 + i] = x + x;
		o[6 * 256 + i] = (float)(_Float16)x;
		o[7 * 256 + i] = (float)(int)(x * 100);
		o[8 * 256 + i] = (float)(int8_t)((int8_t)(x * 5) + (int8_t)(y * 5));
		o[9 * 256 + i] = x > 0 ? x : x * 0.25f + 1;
		o[10 * 256 + i] = sum;
		o[11 * 256 + i] = x * 2 + 2 * y - (x * 3 + y);
		o[12 * 256 + i] = 4 * y + 2 * x * 10;
	}
	o[13 * 256] = 256;
}

static void expect_robust(struct run *r)
{
	uint32_t count = r->c->buffers[1].bytes / 4, small = r->c->buffers[2].bytes / 4;

	for (uint32_t i = 0; i < 16; i++)
		for (uint32_t j = 0; j < 16; j++) {
			uint32_t by_row = 100 + i * 20 + j, by_column = 100 + j * 20 + i;

			WANT(r, 0)[i * 16 + j] = by_row < count ? WORDS(r, 1)[by_row] : 0;
			WANT(r, 0)
			[256 + i * 16 + j] = by_column < count ? WORDS(r, 1)[by_column] : 0;
			WANT(r, 0)[512 + i * 16 + j] = 0;
			if (3 + j * 18 + i < small)
				WANT(r, 2)[3 + j * 18 + i] = WORDS(r, 1)[i * 16 + j];
		}
}

#define PRODUCT(size)                                                    \
	{                                                                \
		{ M * N * 4, 0, 0, SSBO }, { M * K * size, 0, 1, SSBO }, \
			{ K * N * size, 0, 2, SSBO },                    \
		{                                                        \
			M *N * 4, 0, 3, SSBO                             \
		}                                                        \
	}

static const struct shader_case cases[] = {
	{ "matrix_half",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = PRODUCT(2),
	  .prepare = prepare_halves,
	  .expect = expect_half,
	  .close = true,
	  .absolute = 1e-3 },
	/* Sums are rounded to half precision after each of four products. */
	{ "matrix_half_sums",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = PRODUCT(2),
	  .prepare = prepare_halves,
	  .expect = expect_half_sums,
	  .close = true,
	  .relative = 2e-3,
	  .absolute = 0.2 },
	{ "matrix_float",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = PRODUCT(4),
	  .prepare = prepare_floats,
	  .expect = expect_float,
	  .close = true,
	  .absolute = 1e-3 },
	{ "matrix_float_columns",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = PRODUCT(4),
	  .prepare = prepare_floats,
	  .expect = expect_float_columns,
	  .close = true,
	  .absolute = 1e-3 },
	{ "matrix_signed",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = PRODUCT(1),
	  .expect = expect_signed },
	{ "matrix_unsigned",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = PRODUCT(1),
	  .expect = expect_unsigned },
	{ "matrix_shared",
	  { 64, 1, 1 },
	  { 2, 2, 1 },
	  .buffers = { { 64 * 64 * 4, 0, 0, SSBO },
		       { 64 * 64 * 2, 0, 1, SSBO },
		       { 64 * 64 * 2, 0, 2, SSBO } },
	  .prepare = prepare_shared,
	  .expect = expect_shared,
	  .close = true,
	  .absolute = 1e-3 },
	{ "matrix_elements",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = { { (13 * 256 + 1) * 4, 0, 0, SSBO }, { 512 * 4, 0, 1, SSBO } },
	  .push_bytes = 4,
	  .prepare = prepare_elements,
	  .expect = expect_elements,
	  .close = true,
	  .relative = 1e-6,
	  .absolute = 1e-4 },
	{ "matrix_robust",
	  { 32, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = { { 768 * 4, 0, 0, SSBO }, { 300 * 4, 0, 1, SSBO }, { 200 * 4, 0, 2, SSBO } },
	  .flags = HC_COMPILE_ROBUST,
	  .expect = expect_robust },
};

const struct case_list matrix_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
