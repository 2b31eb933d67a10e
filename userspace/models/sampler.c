// SPDX-License-Identifier: MIT
/*
 * Sampling: a list of candidates, largest logit first, that each rule makes shorter; then one draw. Random numbers are
 * PCG32 (O'Neill 2014), typical probability is that of Meister et al. 2022.
 */
#include "sampler.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
	double logit;
	double weight; /* what a rule needs it for */
	uint32_t token;
};

struct hm_sampler {
	struct hm_sampler_options options;
	uint64_t state;
	uint32_t size;
	uint32_t *recent; /* the last tokens, in a ring of options.last_tokens */
	uint32_t recent_count;
	uint32_t recent_next;
	uint32_t *counts; /* [size] how often each is among them */
	struct candidate candidates[];
};

#define PCG_MULTIPLIER 6364136223846793005ull
#define PCG_INCREMENT  1442695040888963407ull

static uint32_t random_u32(struct hm_sampler *sampler)
{
	uint64_t old = sampler->state;
	uint32_t word = (uint32_t)(((old >> 18) ^ old) >> 27), turn = (uint32_t)(old >> 59);

	sampler->state = old * PCG_MULTIPLIER + PCG_INCREMENT;
	return word >> turn | word << (-turn & 31);
}

bool hm_sampler_is_needed(const struct hm_sampler_options *options)
{
	return options->temperature > 0 ||
	       (options->last_tokens &&
		(options->repeat_penalty != 1 || options->frequency_penalty != 0 ||
		 options->presence_penalty != 0));
}

struct hm_sampler *hm_sampler_create(const struct hm_sampler_options *options, uint32_t size)
{
	struct hm_sampler *sampler;

	sampler = calloc(1, sizeof(*sampler) + (size_t)size * sizeof(sampler->candidates[0]));
	if (!sampler)
		return NULL;
	sampler->counts = calloc((size_t)size + 1, sizeof(*sampler->counts));
	sampler->recent = calloc((size_t)options->last_tokens + 1, sizeof(*sampler->recent));
	if (!sampler->counts || !sampler->recent) {
		hm_sampler_destroy(sampler);
		return NULL;
	}
	sampler->options = *options;
	sampler->size = size;
	sampler->state = options->seed + PCG_INCREMENT;
	random_u32(sampler);
	return sampler;
}

void hm_sampler_destroy(struct hm_sampler *sampler)
{
	if (!sampler)
		return;
	free(sampler->recent);
	free(sampler->counts);
	free(sampler);
}

void hm_sampler_accept(struct hm_sampler *sampler, uint32_t token)
{
	uint32_t most = sampler->options.last_tokens;

	if (token >= sampler->size || !most)
		return;
	if (sampler->recent_count == most)
		sampler->counts[sampler->recent[sampler->recent_next]]--;
	else
		sampler->recent_count++;
	sampler->recent[sampler->recent_next] = token;
	sampler->recent_next = (sampler->recent_next + 1) % most;
	sampler->counts[token]++;
}

static double penalised(const struct hm_sampler *sampler, double logit, uint32_t token)
{
	const struct hm_sampler_options *o = &sampler->options;
	uint32_t count = sampler->counts[token];

	if (!count)
		return logit;
	logit = logit > 0 ? logit / o->repeat_penalty : logit * o->repeat_penalty;
	return logit - (double)count * o->frequency_penalty - o->presence_penalty;
}

/* Largest first; equal ones by token, so that the order does not depend on qsort. */
static int by_logit(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->logit != y->logit)
		return x->logit > y->logit ? -1 : 1;
	return x->token < y->token ? -1 : x->token > y->token;
}

static int by_weight(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return x->token < y->token ? -1 : x->token > y->token;
}

/* Weights become exp((logit - the largest) / temperature); their sum. */
static double weigh(struct candidate *candidates, uint32_t count, double temperature)
{
	double total = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		candidates[i].weight =
			exp((candidates[i].logit - candidates[0].logit) / temperature);
		total += candidates[i].weight;
	}
	return total;
}

/*
 * Those whose surprise is nearest to the expected one, until they reach probability @most. They stay in order of
 * their logits.
 */
static uint32_t keep_typical(struct candidate *candidates, uint32_t count, double most)
{
	double total = weigh(candidates, count, 1), largest = candidates[0].logit, expected = 0,
	       sum = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		double p = candidates[i].weight / total;

		expected -= p > 0 ? p * log(p) : 0;
	}
	for (i = 0; i < count; i++) /* -log p, less what is expected */
		candidates[i].weight =
			fabs(log(total) - (candidates[i].logit - largest) - expected);
	qsort(candidates, count, sizeof(*candidates), by_weight);
	for (i = 0; i < count && sum <= most;)
		sum += exp(candidates[i++].logit - largest) / total;
	qsort(candidates, i, sizeof(*candidates), by_logit);
	return i;
}

static uint32_t keep_top_p(struct candidate *candidates, uint32_t count, double most)
{
	double total = weigh(candidates, count, 1), sum = 0;
	uint32_t kept;

	for (kept = 0; kept < count && (!kept || sum < most * total);)
		sum += candidates[kept++].weight;
	return kept;
}

static uint32_t keep_min_p(const struct candidate *candidates, uint32_t count, double least)
{
	uint32_t kept = 1;

	while (kept < count && candidates[kept].logit >= candidates[0].logit + log(least))
		kept++;
	return kept;
}

static uint32_t draw(struct hm_sampler *sampler, uint32_t count)
{
	struct candidate *candidates = sampler->candidates;
	double left = (random_u32(sampler) + 0.5) / 4294967296.0 *
		      weigh(candidates, count, sampler->options.temperature);
	uint32_t i;

	for (i = 0; i + 1 < count; i++) {
		left -= candidates[i].weight;
		if (left < 0)
			break;
	}
	return candidates[i].token;
}

uint32_t hm_sampler_next(struct hm_sampler *sampler, const float *logits)
{
	const struct hm_sampler_options *options = &sampler->options;
	struct candidate *candidates = sampler->candidates;
	uint32_t i, count = 0;

	for (i = 0; i < sampler->size; i++)
		if (logits[i] > -INFINITY)
			candidates[count++] =
				(struct candidate){ .logit = penalised(sampler, logits[i], i),
						    .token = i };
	if (!count)
		return 0;
	if (!(options->temperature > 0)) {
		uint32_t best = 0;

		for (i = 1; i < count; i++)
			if (candidates[i].logit > candidates[best].logit)
				best = i;
		return candidates[best].token;
	}
	qsort(candidates, count, sizeof(*candidates), by_logit);
	if (options->top_k && options->top_k < count)
		count = options->top_k;
	if (options->typical < 1)
		count = keep_typical(candidates, count, options->typical);
	if (options->top_p < 1)
		count = keep_top_p(candidates, count, options->top_p);
	if (options->min_p > 0)
		count = keep_min_p(candidates, count, options->min_p);
	return draw(sampler, count);
}
