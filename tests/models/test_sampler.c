// SPDX-License-Identifier: MIT
/* Sampling: what each rule leaves, seen from many draws; penalties; the same seed gives the same tokens. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sampler.h"

#define SIZE  8
#define DRAWS 20000

static const struct hm_sampler_options neutral = {
	.temperature = 1,
	.typical = 1,
	.top_p = 1,
	.repeat_penalty = 1,
	.last_tokens = 4,
	.seed = 7,
};

/* Probabilities 0.4, 0.3, 0.15, 0.1, 0.05, and three impossible ones. */
static const float probabilities[SIZE] = { 0.1f, 0.4f, 0.15f, 0, 0.3f, 0.05f, 0, 0 };

static void count_draws(const struct hm_sampler_options *options, double shares[SIZE])
{
	struct hm_sampler *sampler = hm_sampler_create(options, SIZE);
	float logits[SIZE];

	assert_non_null(sampler);
	for (int i = 0; i < SIZE; i++) {
		logits[i] = i == 6 ? NAN : logf(probabilities[i]);
		shares[i] = 0;
	}
	for (int i = 0; i < DRAWS; i++)
		shares[hm_sampler_next(sampler, logits)] += 1.0 / DRAWS;
	hm_sampler_destroy(sampler);
}

/* @kept: a bit for each token that must have been left. */
static void expect_kept(const struct hm_sampler_options *options, uint32_t kept)
{
	double shares[SIZE], total = 0;

	for (int i = 0; i < SIZE; i++)
		total += kept >> i & 1 ? probabilities[i] : 0;
	count_draws(options, shares);
	for (int i = 0; i < SIZE; i++) {
		double want = kept >> i & 1 ? probabilities[i] / total : 0;

		assert_true(fabs(shares[i] - want) <= (want > 0 ? 0.02 : 0));
	}
}

static void test_rules(void **state)
{
	struct hm_sampler_options options = neutral;

	(void)state;
	expect_kept(&options, 0x37);
	options.top_k = 2;
	expect_kept(&options, 0x12);
	options = neutral;
	options.top_p = 0.69f; /* 0.4 + 0.3 reach it */
	expect_kept(&options, 0x12);
	options.top_p = 0.71f;
	expect_kept(&options, 0x16);
	options = neutral;
	options.min_p = 0.3f; /* at least 0.12 */
	expect_kept(&options, 0x16);
	options = neutral;
	/* The entropy is 1.39: surprises are 1.20 (0.3), 0.92 (0.4), 1.90 (0.15), 2.30 (0.1), 3.00 (0.05). */
	options.typical = 0.29f;
	expect_kept(&options, 0x10);
	options.typical = 0.5f;
	expect_kept(&options, 0x12);
}

static void test_temperature(void **state)
{
	struct hm_sampler_options options = neutral;
	double shares[SIZE];

	(void)state;
	options.temperature = 0;
	count_draws(&options, shares);
	assert_true(fabs(shares[1] - 1) < 1e-9);
	options.temperature = 0.5f; /* squares: 0.16 of 0.2950 */
	count_draws(&options, shares);
	assert_true(fabs(shares[1] - 0.16 / 0.295) < 0.02);
}

static void test_penalties(void **state)
{
	const float logits[4] = { 2, 1.9f, -1, -1.1f };
	struct hm_sampler_options options = neutral;
	struct hm_sampler *sampler;

	(void)state;
	options.temperature = 0;
	assert_false(hm_sampler_is_needed(&options));
	options.repeat_penalty = 1.2f;
	assert_true(hm_sampler_is_needed(&options));
	sampler = hm_sampler_create(&options, 4);
	assert_int_equal(hm_sampler_next(sampler, logits), 0);
	hm_sampler_accept(sampler, 0);
	assert_int_equal(hm_sampler_next(sampler, logits), 1);
	hm_sampler_accept(sampler, 9); /* no token of the vocabulary */
	for (int i = 0; i < 4; i++)    /* pushes token 0 out of the last four */
		hm_sampler_accept(sampler, 3);
	assert_int_equal(hm_sampler_next(sampler, logits), 0);
	hm_sampler_destroy(sampler);

	options.repeat_penalty = 1;
	options.frequency_penalty = 0.06f;
	sampler = hm_sampler_create(&options, 4);
	hm_sampler_accept(sampler, 0);
	assert_int_equal(hm_sampler_next(sampler, logits), 0);
	hm_sampler_accept(sampler, 0);
	assert_int_equal(hm_sampler_next(sampler, logits), 1);
	hm_sampler_destroy(sampler);

	options.frequency_penalty = 0;
	options.presence_penalty = 0.2f;
	sampler = hm_sampler_create(&options, 4);
	hm_sampler_accept(sampler, 0);
	assert_int_equal(hm_sampler_next(sampler, logits), 1);
	hm_sampler_destroy(sampler);
}

static void test_seed(void **state)
{
	float logits[SIZE];
	struct hm_sampler_options options = neutral;
	struct hm_sampler *a = hm_sampler_create(&options, SIZE), *b, *c;
	int same = 0;

	(void)state;
	b = hm_sampler_create(&options, SIZE);
	options.seed = 8;
	c = hm_sampler_create(&options, SIZE);
	for (int i = 0; i < SIZE; i++)
		logits[i] = 0.1f * (float)i;
	for (int i = 0; i < 100; i++) {
		uint32_t token = hm_sampler_next(a, logits);

		assert_int_equal(token, hm_sampler_next(b, logits));
		same += token == hm_sampler_next(c, logits);
	}
	assert_true(same < 50);
	hm_sampler_destroy(a);
	hm_sampler_destroy(b);
	hm_sampler_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_temperature),
		cmocka_unit_test(test_penalties),
		cmocka_unit_test(test_seed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
