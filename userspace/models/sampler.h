/* SPDX-License-Identifier: MIT */
/* Chooses the next token from logits: greedily, or by temperature, top-k and top-p with a seed. */
#ifndef HEARTH_HM_SAMPLER_H
#define HEARTH_HM_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

struct hm_sampler_options {
	float temperature; /* 0: greedy */
	uint32_t top_k;	   /* 0: all */
	float top_p;	   /* 1: all */
	uint64_t seed;
};

struct hm_sampler;

/* For vocabularies of @size tokens; NULL when memory ran out. One thread at a time. */
struct hm_sampler *hm_sampler_create(const struct hm_sampler_options *options, uint32_t size);
void hm_sampler_destroy(struct hm_sampler *sampler);

/*
 * @logits: [size]; NaN counts as impossible. The same seed and logits give the same tokens everywhere: the random
 * numbers are integers, and probabilities are computed in double precision in a fixed order.
 */
uint32_t hm_sampler_next(struct hm_sampler *sampler, const float *logits);

#endif /* HEARTH_HM_SAMPLER_H */
