/* SPDX-License-Identifier: MIT */
/*
 * A Llama-architecture model on a device: weights in device memory, one recording for each number of rows that a
 * step has, replayed with the step's tokens and position. One sequence at a time; one thread at a time.
 */
#ifndef HEARTH_HM_LLAMA_H
#define HEARTH_HM_LLAMA_H

#include <hearth.h>

#include "params.h"

struct hm_llama;

/*
 * @context: longest sequence, 0 for the trained length.
 * @kv_type: of the key and value cache: HEARTH_TYPE_F32, _F16, _Q8_0 or _Q4_0; see struct hearth_kv_cache.
 * @max_rows: most tokens of one step.
 * @precision: of products with weights, see hearth.h.
 * @progress: called while something takes long: @stage says what, @done of @total (0: not known) are through.
 */
struct hm_llama_options {
	uint32_t context;
	enum hearth_type kv_type;
	uint32_t max_rows;
	enum hearth_precision precision;
	void (*progress)(void *user, const char *stage, uint64_t done, uint64_t total);
	void *progress_user;
};

/* Uploads the weights; @gguf may be closed afterwards. Errors as params.h, and -EIO for the device's (the message is its). */
int hm_llama_create(const struct hm_gguf *gguf, struct hearth_device *device,
		    const struct hm_llama_options *options, struct hm_llama **llama,
		    struct hm_error *error);
void hm_llama_destroy(struct hm_llama *llama);

const struct hm_params *hm_llama_params(const struct hm_llama *llama);
uint32_t hm_llama_context(const struct hm_llama *llama);
/* Bytes of weights on the device, and of the key and value caches. */
uint64_t hm_llama_weight_bytes(const struct hm_llama *llama);
uint64_t hm_llama_cache_bytes(const struct hm_llama *llama);
/* Dispatches and copies of a step of @rows tokens; 0 if none was prepared. They are recorded once, whatever the number of steps. */
uint32_t hm_llama_operations(const struct hm_llama *llama, uint32_t rows);

/*
 * Records what a step of @rows rows needs, compiling kernels on first use; steps do it by themselves, this only
 * takes the time beforehand.
 */
int hm_llama_prepare(struct hm_llama *llama, uint32_t rows, struct hm_error *error);

/*
 * Runs @rows tokens at positions @position …, and waits. The cache must hold the positions before; those from
 * @position on are overwritten. -EINVAL if rows or positions do not fit, or a token is not of the vocabulary.
 */
int hm_llama_step(struct hm_llama *llama, const uint32_t *tokens, uint32_t rows, uint32_t position,
		  struct hm_error *error);

/* Of the last step's last row: the most likely token, and all logits [vocabulary]. */
uint32_t hm_llama_argmax(const struct hm_llama *llama);
int hm_llama_logits(struct hm_llama *llama, float *logits, struct hm_error *error);

#endif /* HEARTH_HM_LLAMA_H */
