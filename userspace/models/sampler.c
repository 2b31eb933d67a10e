// SPDX-License-Identifier: MIT
/*
 * Sampling: the top-k largest logits, softmax at the temperature, the smallest set of them whose probability
 * reaches top-p, then one draw. Random numbers are PCG32 (O'Neill 2014).
 */
#include "sampler.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
	float logit;
	uint32_t token;
};

struct hm_sampler {
	struct hm_sampler_options options;
	uint64_t state;
	uint32_t size;
	double *weights;
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

struct hm_sampler *hm_sampler_create(const struct hm_sampler_options *options, uint32_t size)
{
	struct hm_sampler *sampler;

	sampler = calloc(1, sizeof(*sampler) + (size_t)size * sizeof(sampler->candidates[0]));
	if (!sampler)
		return NULL;
	sampler->weights = calloc((size_t)size + 1, sizeof(*sampler->weights));
	if (!sampler->weights) {
		free(sampler);
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
	free(sampler->weights);
	free(sampler);
}

static uint32_t greedy(const float *logits, uint32_t size)
{
	float best = -INFINITY;
	uint32_t i, token = 0;

	for (i = 0; i < size; i++) {
		if (logits[i] > best) {
			best = logits[i];
			token = i;
		}
	}
	return token;
}

/* Largest first; equal ones by token, so that the order does not depend on qsort. */
static int compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->logit != y->logit)
		return x->logit > y->logit ? -1 : 1;
	return x->token < y->token ? -1 : x->token > y->token;
}

uint32_t hm_sampler_next(struct hm_sampler *sampler, const float *logits)
{
	const struct hm_sampler_options *options = &sampler->options;
	struct candidate *candidates = sampler->candidates;
	uint32_t i, count = 0, kept;
	double total = 0, sum = 0, draw;

	if (!(options->temperature > 0))
		return greedy(logits, sampler->size);
	for (i = 0; i < sampler->size; i++)
		if (logits[i] > -INFINITY)
			candidates[count++] = (struct candidate){ logits[i], i };
	if (!count)
		return 0;
	qsort(candidates, count, sizeof(*candidates), compare);
	if (options->top_k && options->top_k < count)
		count = options->top_k;
	for (i = 0; i < count; i++) {
		sampler->weights[i] = exp(((double)candidates[i].logit - candidates[0].logit) /
					  options->temperature);
		total += sampler->weights[i];
	}
	for (kept = 0; kept < count;) {
		sum += sampler->weights[kept++];
		if (sum >= options->top_p * total)
			break;
	}
	draw = (random_u32(sampler) + 0.5) / 4294967296.0 * sum;
	for (i = 0; i + 1 < kept; i++) {
		draw -= sampler->weights[i];
		if (draw < 0)
			break;
	}
	return candidates[i].token;
}
