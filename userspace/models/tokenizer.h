/* SPDX-License-Identifier: MIT */
/*
 * Text to token ids and back, as a GGUF file's tokenizer.ggml.* entries say: SentencePiece ("llama") and
 * byte-level BPE ("gpt2"). Immutable once created; all functions are thread-safe.
 */
#ifndef HEARTH_HM_TOKENIZER_H
#define HEARTH_HM_TOKENIZER_H

#include "gguf.h"

#define HM_NO_TOKEN UINT32_MAX

struct hm_tokenizer;

/* Copies what it needs; the file may be closed afterwards. */
int hm_tokenizer_create(const struct hm_gguf *gguf, struct hm_tokenizer **tokenizer,
			struct hm_error *error);
void hm_tokenizer_destroy(struct hm_tokenizer *tokenizer);

uint32_t hm_tokenizer_size(const struct hm_tokenizer *tokenizer);
/* HM_NO_TOKEN if the model has none. */
uint32_t hm_tokenizer_bos(const struct hm_tokenizer *tokenizer);
uint32_t hm_tokenizer_eos(const struct hm_tokenizer *tokenizer);
/* Does the model want that token at the start of every text? */
bool hm_tokenizer_adds_bos(const struct hm_tokenizer *tokenizer);
/* The token with this text that is never made from text, or was added to the vocabulary by its makers; or HM_NO_TOKEN. */
uint32_t hm_tokenizer_special(const struct hm_tokenizer *tokenizer, const char *text,
			      size_t length);
/* Is it one of the tokens that end a text? */
bool hm_tokenizer_is_end(const struct hm_tokenizer *tokenizer, uint32_t token);

/*
 * Ids of @text (any bytes; what is not UTF-8 becomes byte tokens). The model's own wish decides whether a
 * start-of-text token comes first. Control tokens are never made from text. *@tokens is for free().
 */
int hm_tokenize(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		uint32_t **tokens, size_t *count, struct hm_error *error);

/* The same for a part of a text: no start-of-text token comes first. */
int hm_tokenize_part(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		     uint32_t **tokens, size_t *count, struct hm_error *error);

/*
 * The bytes that @token adds to a text: at most @capacity are written to @bytes, and their number is returned
 * in any case. Control tokens add nothing. A character may be spread over several tokens. @first: the token
 * starts a text, so the space that SentencePiece puts there is left out.
 */
size_t hm_token_bytes(const struct hm_tokenizer *tokenizer, uint32_t token, bool first, char *bytes,
		      size_t capacity);

#endif /* HEARTH_HM_TOKENIZER_H */
