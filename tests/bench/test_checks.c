// SPDX-License-Identifier: MIT
/*
 * The parts of hearth-bench that must not be trusted because they look right: the checks, which have to find what is
 * wrong and pass what is right, and the reading of result files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json.h"
#include "modules.h"
#include "sha256.h"

#define ROWS	5
#define W_ROWS	37
#define COLUMNS 96
#define SAMPLES 64

static const enum hearth_type types[] = { HEARTH_TYPE_F32, HEARTH_TYPE_F16, HEARTH_TYPE_Q8_0,
					  HEARTH_TYPE_Q4_0 };

struct product {
	uint8_t w[4 * W_ROWS * COLUMNS];
	float x[ROWS * COLUMNS], y[ROWS * W_ROWS];
	enum hearth_type type;
};

/* y as a device with float32 sums would compute it. */
static void compute(struct product *p)
{
	uint64_t row_bytes = hearth_row_bytes(p->type, COLUMNS);

	for (uint32_t r = 0; r < ROWS; r++)
		for (uint32_t n = 0; n < W_ROWS; n++) {
			float sum = 0;

			for (uint32_t k = 0; k < COLUMNS; k++)
				sum += p->x[r * COLUMNS + k] *
				       (float)bench_element(p->w + n * row_bytes, p->type, k);
			p->y[r * W_ROWS + n] = sum;
		}
}

static void start(struct product *p, enum hearth_type type)
{
	struct bench_random random = { 1 };

	p->type = type;
	bench_fill(p->w, type, W_ROWS * COLUMNS, &random);
	bench_fill(p->x, HEARTH_TYPE_F32, ROWS * COLUMNS, &random);
	compute(p);
}

static struct bench_check check(const struct product *p)
{
	struct bench_check c;

	bench_check_matmul(p->w, p->type, W_ROWS, COLUMNS, p->x, p->y, ROWS, SAMPLES, &c);
	return c;
}

static void test_right_products_pass(void **state)
{
	static struct product p;

	(void)state;
	for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++) {
		struct bench_check c;

		start(&p, types[t]);
		c = check(&p);
		assert_true(c.pass);
		assert_int_equal(c.samples, SAMPLES);
		assert_int_equal(c.outputs, ROWS * W_ROWS);
		assert_string_equal(c.message, "");
		assert_true(c.max_scaled <= c.tolerance);
	}
}

/* Samples start with the corners, so a corner that is off by little must be found. */
static void test_wrong_products_are_found(void **state)
{
	static const uint32_t corners[] = { 0, W_ROWS - 1, (ROWS - 1) * W_ROWS, ROWS * W_ROWS - 1 };
	static struct product p;
	struct bench_check c;

	(void)state;
	for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++)
		for (size_t i = 0; i < sizeof(corners) / sizeof(*corners); i++) {
			start(&p, types[t]);
			p.y[corners[i]] += 0.01f;
			c = check(&p);
			assert_false(c.pass);
			assert_int_not_equal(c.wrong, 0);
			assert_non_null(strstr(c.message, "expected"));
		}
}

/* One weight of a row read as its neighbour, one nibble swapped: what a driver's mistake looks like. */
static void test_wrong_decoding_is_found(void **state)
{
	static struct product p, q;
	struct bench_check c;

	(void)state;
	start(&p, HEARTH_TYPE_Q4_0);
	q = p;
	for (size_t block = 0; block < W_ROWS * COLUMNS / 32; block++)
		for (size_t i = 2; i < 18; i++)
			q.w[18 * block + i] =
				(uint8_t)(p.w[18 * block + i] << 4 | p.w[18 * block + i] >> 4);
	compute(&q);
	memcpy(p.y, q.y, sizeof(p.y));
	c = check(&p);
	assert_false(c.pass);
}

static void test_every_output_is_looked_at(void **state)
{
	const uint32_t unwritten = BENCH_UNWRITTEN;
	static struct product p;
	struct bench_check c;

	(void)state;
	for (uint32_t i = 0; i < ROWS * W_ROWS; i++) {
		start(&p, HEARTH_TYPE_F32);
		memcpy(&p.y[i], &unwritten, 4);
		c = check(&p);
		assert_false(c.pass);
		assert_non_null(strstr(c.message, "was not written"));
		p.y[i] = INFINITY;
		c = check(&p);
		assert_false(c.pass);
		assert_non_null(strstr(c.message, "not a finite number"));
	}
}

/* ---- Attention: one head size, computed here in float64 another way, key by key ---- */

#define POSITION  6
#define Q_ROWS	  3
#define HEADS	  4
#define KV_HEADS  2
#define HEAD_SIZE 32
#define KEYS	  (POSITION + Q_ROWS)

struct scene {
	struct bench_attention a;
	float q[Q_ROWS * HEADS * HEAD_SIZE], y[Q_ROWS * HEADS * HEAD_SIZE];
	float keys[KEYS * KV_HEADS * HEAD_SIZE], values[KEYS * KV_HEADS * HEAD_SIZE];
};

static void attend(struct scene *s, bool causal)
{
	for (uint32_t r = 0; r < Q_ROWS; r++)
		for (uint32_t h = 0; h < HEADS; h++) {
			uint32_t at = (r * HEADS + h) * HEAD_SIZE, kv = h / 2 * HEAD_SIZE;
			double total = 0, sums[HEAD_SIZE] = { 0 };

			for (uint32_t j = 0; j < (causal ? POSITION + r + 1 : KEYS); j++) {
				double score = 0;

				for (uint32_t d = 0; d < HEAD_SIZE; d++)
					score += (double)s->q[at + d] *
						 (double)s->keys[j * KV_HEADS * HEAD_SIZE + kv + d];
				total += exp(s->a.scale * score);
				for (uint32_t d = 0; d < HEAD_SIZE; d++)
					sums[d] +=
						exp(s->a.scale * score) *
						(double)s
							->values[j * KV_HEADS * HEAD_SIZE + kv + d];
			}
			for (uint32_t d = 0; d < HEAD_SIZE; d++)
				s->y[at + d] = (float)(sums[d] / total);
		}
}

static void test_attention(void **state)
{
	static struct scene s;
	struct bench_random random = { 7 };
	struct bench_check c;

	(void)state;
	s.a = (struct bench_attention){ POSITION,  Q_ROWS,	    HEADS, KV_HEADS,
					HEAD_SIZE, HEARTH_TYPE_F32, 0.125 };
	bench_fill(s.q, HEARTH_TYPE_F32, Q_ROWS * HEADS * HEAD_SIZE, &random);
	bench_fill(s.keys, HEARTH_TYPE_F32, KEYS * KV_HEADS * HEAD_SIZE, &random);
	bench_fill(s.values, HEARTH_TYPE_F32, KEYS * KV_HEADS * HEAD_SIZE, &random);
	attend(&s, true);
	bench_check_attention(&s.a, s.q, s.keys, s.values, s.y, SAMPLES, &c);
	assert_true(c.pass);
	assert_int_equal(c.samples, SAMPLES * HEAD_SIZE);
	s.y[Q_ROWS * HEADS * HEAD_SIZE - 1] *= 1.01f;
	bench_check_attention(&s.a, s.q, s.keys, s.values, s.y, SAMPLES, &c);
	assert_false(c.pass);
	/* Looking at keys that come later. */
	attend(&s, false);
	bench_check_attention(&s.a, s.q, s.keys, s.values, s.y, SAMPLES, &c);
	assert_false(c.pass);
}

/* ---- Files ---- */

static void expect_json(const char *text, const char *error_part)
{
	char error[256] = "";
	struct json *json = json_parse(text, strlen(text), error, sizeof(error));

	if (error_part) {
		assert_null(json);
		assert_non_null(strstr(error, error_part));
	} else {
		assert_non_null(json);
	}
	json_free(json);
}

static void test_json(void **state)
{
	char deep[200], error[256], text[256] = "";
	struct json *json, *again;
	FILE *file;

	(void)state;
	expect_json("{\"a\": [1, -2.5e3, true, false, null, \"\\u00e9\\ud83d\\ude00\\n\"]}", NULL);
	expect_json(" 0 ", NULL);
	expect_json("", "expected a value");
	expect_json("{\"a\": 1,}", "expected a string");
	expect_json("[1 2]", "expected ','");
	expect_json("[1", "expected ','");
	expect_json("{\"a\" 1}", "expected ':'");
	expect_json("\"abc", "no end");
	expect_json("\"\\", "no end");
	expect_json("\"\\x\"", "escape");
	expect_json("\"\\u0000\"", "escape");
	expect_json("\"\\ud800\"", "escape");
	expect_json("\"\xff\"", "character");
	expect_json("\"\xc0\x80\"", "character");
	expect_json("01", "follows");
	expect_json("1.", "point");
	expect_json("1e", "exponent");
	expect_json("1e999", "too large");
	expect_json("1 1", "follows");
	memset(deep, '[', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	expect_json(deep, "nested");
	assert_null(json_parse("1\0", 2, error, sizeof(error)));
	/* What is written can be read, and is the same. */
	json = json_new(JSON_OBJECT);
	json_add_string(json, "text", "a \"b\" \\ \x01 é \xff");
	json_add_number(json, "third", 1.0 / 3);
	json_add_number(json, "large", 1e12);
	json_add_number(json, "none", INFINITY);
	file = fmemopen(text, sizeof(text), "w");
	assert_non_null(file);
	json_write(file, json);
	fclose(file);
	again = json_parse(text, strlen(text), error, sizeof(error));
	assert_non_null(again);
	assert_string_equal(json_string(again, "text"), "a \"b\" \\ \x01 é ?");
	assert_true(json_number(again, "third", 0) == 1.0 / 3);
	assert_true(json_number(again, "large", 0) == 1e12);
	assert_int_equal(json_get(again, "none")->kind, JSON_NULL);
	assert_string_equal(json_string(again, "nothing"), "");
	assert_string_equal(json_string(again, "third"), "");
	json_free(json);
	json_free(again);
}

/* The examples of FIPS 180-4, and a length at which padding needs a block of its own. */
static void test_sha256(void **state)
{
	static const struct {
		const char *data, *sha256;
	} known[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		char text[SHA256_TEXT];

		sha256_text(known[i].data, strlen(known[i].data), text);
		assert_string_equal(text, known[i].sha256);
	}
}

/* Modules of one and of two functions among other words, then what only looks like modules. */
static void test_modules(void **state)
{
	enum { FUNCTION = 5 << 16 | 54, END = 1 << 16 | 56, CAPABILITY = 2 << 16 | 17 };
	static const uint32_t words[] = {
		0,	    0x07230203, 0x00010500, 7,	      9, 0,	     CAPABILITY, 1,
		FUNCTION,   1,		2,	    0,	      3, END,	     0,		 0,
		0x07230203, 0x00010000, 7,	    9,	      0, FUNCTION,   1,		 2,
		0,	    3,		END,	    FUNCTION, 1, 4,	     0,		 3,
		END,	    0x07230203, 0x00020000, 7,	      9, 0,	     FUNCTION,	 1,
		2,	    0,		3,	    END, /* no such version */
		0x07230203, 0x00010000, 7,	    9,	      0, FUNCTION,   1,		 2,
		0,	    3,		0,	    END, /* an empty instruction */
		0x07230203, 0x00010000, 7,	    9,	      0, CAPABILITY, /* cut off */
	};
	size_t all = sizeof(words) / sizeof(*words), at = 0, count;

	(void)state;
	assert_ptr_equal(bench_next_module(words, all, &at, &count), words + 1);
	assert_int_equal(count, 13);
	assert_int_equal(at, 14);
	assert_ptr_equal(bench_next_module(words, all, &at, &count), words + 16);
	assert_int_equal(count, 17);
	assert_null(bench_next_module(words, all, &at, &count));
	at = 0;
	assert_null(bench_next_module(words, 13, &at, &count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_products_pass),
		cmocka_unit_test(test_wrong_products_are_found),
		cmocka_unit_test(test_wrong_decoding_is_found),
		cmocka_unit_test(test_every_output_is_looked_at),
		cmocka_unit_test(test_attention),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_modules),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
