/* SPDX-License-Identifier: MIT */
/* What the parts of the tokenizer share: the vocabulary, and a list of symbols being merged. */
#ifndef HEARTH_HM_TOKENIZER_INTERNAL_H
#define HEARTH_HM_TOKENIZER_INTERNAL_H

#include "tokenizer.h"

enum hm_token_type {
	HM_TOKEN_NORMAL = 1,
	HM_TOKEN_UNKNOWN = 2,
	HM_TOKEN_CONTROL = 3,
	HM_TOKEN_USER_DEFINED = 4,
	HM_TOKEN_UNUSED = 5,
	HM_TOKEN_BYTE = 6,
};

/* How byte-level BPE cuts a text into words before merging. */
enum hm_pre {
	HM_PRE_GPT2,
	HM_PRE_LLAMA3, /* up to three digits together */
	HM_PRE_QWEN2,  /* each digit alone */
	HM_PRE_SMOLLM, /* GPT-2's, each digit alone */
};

struct hm_vocab_token {
	const char *bytes; /* in the tokenizer's one string block */
	uint32_t length;
	float score;
	uint8_t type;
};

/* Open-addressing tables: slots hold index + 1, 0 is empty; sizes are powers of two. */
struct hm_table {
	uint32_t *slots;
	uint32_t mask;
};

struct hm_tokenizer {
	bool bpe;
	bool add_bos;
	bool add_space;
	enum hm_pre pre;
	uint32_t bos;
	uint32_t eos;
	uint32_t eot;
	uint32_t unknown;
	uint32_t count;
	struct hm_vocab_token *tokens;
	char *strings;
	struct hm_table by_text;
	uint32_t byte_token[256];
	/* BPE: merge i joins tokens merges[i].left and .right into .joined; a lower i goes first. */
	struct hm_merge {
		uint32_t left;
		uint32_t right;
		uint32_t joined;
	} *merges;
	uint32_t merge_count;
	struct hm_table by_pair;
};

/* Ids made so far; grows as needed. */
struct hm_token_list {
	uint32_t *ids;
	size_t count;
	size_t capacity;
};

int hm_list_add(struct hm_token_list *list, uint32_t id);

/* The token whose text is exactly these bytes, or HM_NO_TOKEN. */
uint32_t hm_vocab_find(const struct hm_tokenizer *tokenizer, const char *bytes, size_t length);

/* Bytes of the UTF-8 character at @text, 1 for what is none. @codepoint: U+FFFD then; may be NULL. */
size_t hm_utf8_next(const char *text, size_t length, uint32_t *codepoint);

/*
 * A symbol is a stretch of text, or of token ids, that merging makes longer; -1 ends the list in both directions.
 */
struct hm_symbol {
	int32_t previous;
	int32_t next;
	const char *bytes;
	uint32_t length; /* 0: swallowed by its left neighbour */
	uint32_t token;
};

/* A possible merge of symbol @left with @right, as it was when @length bytes long together. */
struct hm_candidate {
	int32_t left;
	int32_t right;
	float score; /* higher goes first; ties: the leftmost */
	uint32_t length;
	uint32_t joined;
};

/*
 * Merges neighbours best first until none can be. @find says whether two symbols can be merged: it fills in score and
 * joined and returns true. Symbols are changed in place. -ENOMEM or 0.
 */
int hm_merge_symbols(const struct hm_tokenizer *tokenizer, struct hm_symbol *symbols, size_t count,
		     bool (*find)(const struct hm_tokenizer *tokenizer,
				  const struct hm_symbol *left, const struct hm_symbol *right,
				  struct hm_candidate *candidate));

int hm_tokenize_spm(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		    struct hm_token_list *list);
int hm_tokenize_bpe(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		    struct hm_token_list *list);
/* Byte-level BPE writes bytes as printable characters: the byte of @codepoint, or -1. */
int hm_bpe_byte(uint32_t codepoint);
/* The UTF-8 spelling of @byte; its length. */
size_t hm_bpe_spell(uint8_t byte, char spelling[2]);

int hm_table_create(struct hm_table *table, size_t count);
static inline uint32_t hm_hash(const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	uint32_t hash = 2166136261u; /* FNV-1a */

	while (length--)
		hash = (hash ^ *p++) * 16777619u;
	return hash ^ hash >> 15;
}

#endif /* HEARTH_HM_TOKENIZER_INTERNAL_H */
