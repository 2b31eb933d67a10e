// SPDX-License-Identifier: MIT
/* Where data lies: push and specialization constants, block layouts, arrays of buffers, narrow storage. */
#include <string.h>

#include "harness.h"

#define SSBO HC_BINDING_STORAGE_BUFFER
#define UBO  HC_BINDING_UNIFORM_BUFFER

static void put_float(uint8_t *at, float f)
{
	memcpy(at, &f, sizeof(f));
}

static float get_float(const uint8_t *at)
{
	float f;

	memcpy(&f, at, sizeof(f));
	return f;
}

/* Small whole numbers and quarters: sums and products of a few are exact. */
static void fill_floats(uint8_t *at, uint32_t bytes)
{
	for (uint32_t i = 0; i + 4 <= bytes; i += 4)
		put_float(at + i, (float)((int)(test_random() >> 8) % 64) * 0.25f);
}

static uint32_t bits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

/* push: uint a @0, float f @4, uvec3 v @16, uint64 big @32, uint list[4] @40, uint16 @56 */
static void prepare_push(struct run *r)
{
	for (int i = 0; i < 60; i += 4) {
		uint32_t w = test_random();

		memcpy(r->push + i, &w, 4);
	}
	put_float(r->push + 4, 1.5f);
}

static uint32_t push_word(const struct run *r, int at)
{
	uint32_t w;

	memcpy(&w, r->push + at, 4);
	return w;
}

static void expect_push(struct run *r)
{
	for (uint32_t i = 0; i < 32; i++)
		WANT(r, 0)
	[i] = push_word(r, 0) + bits_of(1.5f) + push_word(r, 16) * 3 + push_word(r, 24) +
	      push_word(r, 36) * 5 + push_word(r, 32) + push_word(r, 40 + 4 * (i & 3)) +
	      (push_word(r, 56) & 0xffff) * i;
}

/* local size 10 × 2, N 9, F 3.5, FLIP true, NEGATIVE -9 */
static void expect_spec(struct run *r)
{
	uint32_t n = r->c->local[0] == 10 ? 9 : 5;

	for (uint32_t i = 0; i < 40; i++) {
		uint32_t v = (n * 2 + 1) * i;

		for (uint32_t k = 0; k < n; k++)
			v += k * i;
		v = ~v;
		v += i % (n + 3) * 3 + 14 + (uint32_t)-9 + 77 + 10;
		WANT(r, 0)[i] = v;
	}
}

#define SPEC_BIG -123456789012345

static void expect_spec_op(struct run *r)
{
	const int64_t big = SPEC_BIG, n = -7;
	const uint16_t narrow = 300, wrapped = (uint16_t)(300 * 300);
	int64_t *want = (int64_t *)r->want[0];

	want[0] = big * -3 + 11;
	want[1] = big / -7;
	want[2] = big % 1000 + 1000; /* OpSMod has the divisor's sign */
	want[3] = (int64_t)((uint64_t)big >> 3);
	want[4] = wrapped;
	want[5] = big + (big < -4 ? 100 : 0) + (narrow == wrapped ? 1000 : 0);
	want[6] = n + n * 2 * 3 + ~n * 5;
	want[7] = (big - 1) * 3 + 9 - big;
	want[7] += (int64_t)((double)0.7f * 1e10) + 7001; /* 0.7 in 16 bits is 0.7001953125 */
}

/* std140: list @0 stride 16, m @96 columns of 16, rm (row-major, 2 columns × 3 rows: 3 rows of 16) @144, inner @192 stride 16 */
static void prepare_ubo(struct run *r)
{
	fill_floats(r->data[1], r->c->buffers[1].bytes);
}

static void expect_ubo(struct run *r)
{
	const uint8_t *u = r->data[1];

	for (uint32_t i = 0; i < 16; i++) {
		const uint8_t *inner = u + 192;

		WANTF(r, 0)[i * 4] = get_float(u + i % 6 * 16);
		WANTF(r, 0)[i * 4 + 1] = get_float(u + 96 + i % 3 * 16 + (i + 1) % 3 * 4);
		WANTF(r, 0)
		[i * 4 + 2] = get_float(u + 144 + 16 + (i & 1) * 4) +
			      get_float(inner + (i & 1) * 16 + 8) * 2.0f;
		WANTF(r, 0)
		[i * 4 + 3] = get_float(inner + (i >> 1 & 1) * 16 + 12) + get_float(u + 228);
	}
}

/* struct Part { uint a @0; uvec2 b @8; uint c[3] @16 }, size 28, stride 32; Out: parts @8; In: list @16 */
static void expect_ssbo(struct run *r)
{
	const uint32_t *in = WORDS(r, 1);

	for (uint32_t i = 0; i < 8; i++) {
		const uint32_t *p = in + 4 + i * 8;
		uint32_t *q = WANT(r, 0) + 2 + i * 8;

		q[0] = p[0] + in[1];
		q[2] = p[3] * 2 + 1;
		q[3] = p[2] * 2;
		for (int k = 0; k < 3; k++)
			q[4 + k] = p[4 + k] ^ (k == (int)(i % 3) ? 0xffff : 0);
	}
	WANT(r, 0)[0] = in[2];
}

static void expect_buffer_array(struct run *r)
{
	for (uint32_t i = 0; i < 32; i++) {
		uint32_t v = 0;

		for (int k = 0; k < 3; k++)
			v = v * 7 + WORDS(r, 1 + k)[i];
		WANT(r, 0)[i] = v + WORDS(r, 1 + (i / 16 & 1))[i ^ 1] + WORDS(r, 4)[i];
	}
}

static void expect_nonuniform(struct run *r)
{
	for (uint32_t i = 0; i < 32; i++) {
		uint32_t n = i * 5 % 3;

		WANT(r, 0)[i] = WORDS(r, 1 + n)[i] + r->c->buffers[1 + n].bytes / 4;
		WANT(r, 1 + (n + 1) % 3)[32 + i] = i;
		WANT(r, 1 + (n + 2) % 3)[64 + i] += n;
	}
}

static void expect_float_atomics(struct run *r)
{
	float *want = WANTF(r, 0);

	for (uint32_t i = 0; i < run_invocations(r); i++) {
		float x = (float)(WORDS(r, 1)[i] & 1023);

		want[0] += x;
		want[1] = -x < want[1] ? -x : want[1];
		want[2] = x > want[2] ? x : want[2];
	}
	want[3] = 7;
}

static void expect_dynamic(struct run *r)
{
	for (uint32_t i = 0; i < 32; i++)
		WANT(r, 0)[i] = WORDS(r, 2)[i] * WORDS(r, 1)[0] + WORDS(r, 1)[3];
}

/* In: head @0, items @8 with stride 16 */
static void expect_length(struct run *r)
{
	for (uint32_t i = 0; i < 16; i++)
		WANT(r, 0)[i] = (100 - 8) / 16 * 1000 + 16;
}

static void expect_robust(struct run *r)
{
	const uint32_t words = r->c->buffers[1].bytes / 4;

	for (uint32_t i = 0; i < 48; i++) {
		uint32_t a = i < words ? WORDS(r, 1)[i] : 0;
		uint32_t b = i * 1000 + 5 < words ? WORDS(r, 1)[i * 1000 + 5] : 0;

		for (uint32_t k = 0; k < 4; k++)
			if (i * 29 % 47 + k < words)
				a += WORDS(r, 1)[i * 29 % 47 + k] * (2 * k + 3);
		if (i < 32)
			WANT(r, 0)[i] = a + b;
	}
}

#define ROW_STRIDE 9

static void prepare_rows(struct run *r)
{
	const uint32_t stride = ROW_STRIDE;

	memcpy(r->push, &stride, 4);
}

static void expect_rows(struct run *r)
{
	const uint32_t *v = WORDS(r, 1);
	const uint16_t *halves = (const uint16_t *)r->data[4];

	for (uint32_t i = 0; i < 48; i++) {
		const uint32_t *row = v + i * 7 % 13 * ROW_STRIDE + 2, *mine;
		uint32_t x = row[3] * 3 + row[1] * 5 - row[0] * 7 + (row[2] ^ row[5]);

		x += v[4 * i] + 2 * v[4 * i + 1] + 3 * v[4 * i + 2] + 4 * v[4 * i + 3];
		x ^= v[2 * i + 1] * 11 + v[2 * i];
		x += v[3 * i + 2] - v[3 * i] * v[3 * i + 1];
		if ((i & 3) != 1) {
			const uint32_t *q = WORDS(r, 2) + i * 5 % 16 * 4;
			const uint32_t *p = WORDS(r, 3) + i * 11 % 32 * 2;
			const uint16_t *h = halves + i * 13 % 29;

			x += q[0] + 3 * q[1] + 5 * q[2] + 9 * q[3] + p[0] * p[1];
			x += h[0] + h[1] * 3u + h[6] * 5u;
		}
		mine = WORDS(r, 0) + 48 + (i ^ 5) * 3;
		x += mine[0];
		WANT(r, 0)[48 + (i ^ 5) * 3 + 1] = x;
		x ^= x * 2 + mine[2];
		WANT(r, 0)[i] = x;
	}
}

static void expect_storage8(struct run *r)
{
	const int8_t *v = (const int8_t *)r->data[1];
	const uint16_t *w = (const uint16_t *)r->data[2];

	for (uint32_t i = 0; i < 64; i++)
		r->want[0][i] = (uint8_t)(v[i] * 3 + (w[i ^ 3] >> 4));
}

#define PART_BYTES (8u * 32u)

static void expect_address(struct run *r)
{
	const uint32_t *v = WORDS(r, 1), *w = WORDS(r, 2);

	for (uint32_t i = 0; i < 64; i++) {
		uint32_t x = (v[i] & 1 ? w : v)[i] + v[63 - i], at = 0;

		x = x * 3 + w[i * 2] - w[i * 2 + 1];
		for (uint32_t k = 0; k < 4; k++) {
			x ^= v[at + k];
			at += x & 3;
		}
		WANT(r, 0)[i] = x + v[i / 2 * 2 + 1];
	}
}

static const struct shader_case cases[] = {
	{ "push",
	  { 16, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 128, 0, 0, SSBO } },
	  .push_bytes = 60,
	  .prepare = prepare_push,
	  .expect = expect_push },
	{ "spec",
	  { 10, 2, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 160, 0, 0, SSBO } },
	  .spec = { { 0, 4, 10 },
		    { 1, 4, 9 },
		    { 2, 4, 0x40600000 },
		    { 3, 4, 1 },
		    { 4, 4, 0xfffffff7 } },
	  .spec_count = 5,
	  .expect = expect_spec },
	{ "spec_op",
	  { 8, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = { { 64, 0, 0, SSBO } },
	  .spec = { { 0, 4, 0xfffffff9 },
		    { 1, 8, (uint64_t)SPEC_BIG },
		    { 2, 2, 300 },
		    { 3, 4, 1 },
		    { 4, 4, 0x3f333333 } },
	  .spec_count = 5,
	  .expect = expect_spec_op },
	{ "ubo_std140",
	  { 8, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 256, 0, 0, SSBO }, { 240, 0, 1, UBO } },
	  .prepare = prepare_ubo,
	  .expect = expect_ubo },
	{ "ssbo_std430",
	  { 8, 1, 1 },
	  { 1, 1, 1 },
	  .buffers = { { 8 + PART_BYTES, 0, 0, SSBO }, { 16 + PART_BYTES, 0, 1, SSBO } },
	  .expect = expect_ssbo },
	{ "buffer_array",
	  { 16, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 128, 0, 0, SSBO },
		       { 128, 0, 1, SSBO },
		       { 128, 0, 1, SSBO, .array_next = true },
		       { 128, 0, 1, SSBO, .array_next = true },
		       { 128, 1, 4, SSBO } },
	  .expect = expect_buffer_array },
	{ "nonuniform",
	  { 16, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 128, 0, 0, SSBO },
		       { 384, 0, 1, SSBO },
		       { 388, 0, 1, SSBO, .array_next = true },
		       { 512, 0, 1, SSBO, .array_next = true } },
	  .expect = expect_nonuniform },
	{ "float_atomics",
	  { 64, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 16, 0, 0, SSBO }, { 768, 0, 1, SSBO } },
	  .expect = expect_float_atomics },
	{ "dynamic",
	  { 16, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 128, 0, 0, SSBO },
		       { 16, 0, 1, UBO, .dynamic = true },
		       { 128, 0, 2, SSBO, .dynamic = true } },
	  .expect = expect_dynamic },
	{ "length",
	  { 8, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 64, 0, 0, SSBO }, { 100, 0, 1, SSBO } },
	  .expect = expect_length },
	{ "robust",
	  { 16, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 128, 0, 0, SSBO }, { 160, 0, 1, SSBO } },
	  .flags = HC_COMPILE_ROBUST,
	  .expect = expect_robust },
	{ "rows",
	  { 24, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 4 * (48 + 3 * 56), 0, 0, SSBO },
		       { 4 * 192, 0, 1, SSBO },
		       { 256, 0, 2, SSBO },
		       { 256, 0, 3, SSBO },
		       { 72, 0, 4, SSBO } },
	  .push_bytes = 4,
	  .prepare = prepare_rows,
	  .expect = expect_rows },
	{ "storage8",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 64, 0, 0, SSBO }, { 64, 0, 1, SSBO }, { 128, 0, 2, SSBO } },
	  .expect = expect_storage8 },
	{ "buffer_address",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 256, 0, 0, SSBO }, { 256, 0, 1, SSBO }, { 512, 0, 2, SSBO } },
	  .push_bytes = 24,
	  .push_addresses = 3,
	  .expect = expect_address },
};

const struct case_list memory_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
