/* SPDX-License-Identifier: MIT */
/*
 * Chooses the next token from logits: penalties for what was said lately, then the top-k largest, those of typical
 * probability, those that together reach top-p, those of at least min-p of the largest; of what is left one is drawn at
 * the temperature. The order is llama.cpp's.
 */
#ifndef HEARTH_HM_SAMPLER_H
#define HEARTH_HM_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * @repeat_penalty: logits of tokens among the last @last_tokens are divided by it, or multiplied if they are negative.
 * @frequency_penalty: is subtracted from them for each time that the token occurs there; @presence_penalty: once.
 */
struct hm_sampler_options {
	float temperature;	 /* 0: greedy, after the penalties */
	uint32_t top_k;		 /* 0: all */
	float typical;		 /* 1: all */
	float top_p;		 /* 1: all */
	float min_p;		 /* 0: all */
	float repeat_penalty;	 /* 1: none */
	float frequency_penalty; /* 0: none */
	float presence_penalty;	 /* 0: none */
	uint32_t last_tokens;
	uint64_t seed;
};

struct hm_sampler;

/* For vocabularies of @size tokens; NULL when memory ran out. One thread at a time. */
struct hm_sampler *hm_sampler_create(const struct hm_sampler_options *options, uint32_t size);
void hm_sampler_destroy(struct hm_sampler *sampler);

/* Whether the options make another choice than the most likely token. */
bool hm_sampler_is_needed(const struct hm_sampler_options *options);

/* Tells of a token of the text, the prompt's and those chosen, for the penalties. */
void hm_sampler_accept(struct hm_sampler *sampler, uint32_t token);

/*
 * @logits: [size]; NaN counts as impossible. The same seed, logits and accepted tokens give the same tokens everywhere:
 * the random numbers are integers, and probabilities are computed in double precision in a fixed order.
 */
uint32_t hm_sampler_next(struct hm_sampler *sampler, const float *logits);

#endif /* HEARTH_HM_SAMPLER_H */
