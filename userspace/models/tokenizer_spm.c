// SPDX-License-Identifier: MIT
/*
 * SentencePiece's unigram-by-merging, as Llama models use it: characters are joined into the known token
 * of highest score, again and again; what then is no token falls back to byte tokens.
 */
#include "tokenizer_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char space_mark[] = "\xe2\x96\x81"; /* U+2581 stands for a space */

static bool find(const struct hm_tokenizer *tokenizer, const struct hm_symbol *left,
		 const struct hm_symbol *right, struct hm_candidate *candidate)
{
	uint32_t token = hm_vocab_find(tokenizer, left->bytes, left->length + right->length);

	if (token == HM_NO_TOKEN)
		return false;
	candidate->score = tokenizer->tokens[token].score;
	candidate->joined = token;
	return true;
}

/* The text with spaces marked, one in front if the model wants it. */
static char *mark_spaces(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
			 size_t *marked_length)
{
	char *marked, *out;
	size_t i;

	if (length > (SIZE_MAX - 3) / 3)
		return NULL;
	out = marked = malloc(length * 3 + 4);
	if (!marked)
		return NULL;
	for (i = 0; i < length + 1; i++) {
		if (i ? text[i - 1] == ' ' : tokenizer->add_space) {
			memcpy(out, space_mark, 3);
			out += 3;
		} else if (i) {
			*out++ = text[i - 1];
		}
	}
	*marked_length = (size_t)(out - marked);
	return marked;
}

static int emit(const struct hm_tokenizer *tokenizer, const struct hm_symbol *symbol,
		struct hm_token_list *list)
{
	uint32_t i, token, last = HM_NO_TOKEN;
	int ret = 0;

	token = symbol->token;
	if (token != HM_NO_TOKEN)
		return hm_list_add(list, token);
	for (i = 0; i < symbol->length && !ret; i++) {
		token = tokenizer->byte_token[(uint8_t)symbol->bytes[i]];
		/* Without byte tokens a whole character is one unknown token. */
		if (token == HM_NO_TOKEN)
			token = tokenizer->unknown;
		if (token == HM_NO_TOKEN || (token == tokenizer->unknown && last == token))
			continue;
		ret = hm_list_add(list, token);
		last = token;
	}
	return ret;
}

int hm_tokenize_spm(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		    struct hm_token_list *list)
{
	struct hm_symbol *symbols;
	size_t marked_length, offset = 0, count = 0, i;
	char *marked;
	int ret = 0;

	if (!length)
		return 0;
	marked = mark_spaces(tokenizer, text, length, &marked_length);
	if (!marked)
		return -ENOMEM;
	symbols = marked_length < INT32_MAX ? calloc(marked_length + 1, sizeof(*symbols)) : NULL;
	if (!symbols) {
		free(marked);
		return -ENOMEM;
	}
	while (offset < marked_length) {
		struct hm_symbol *symbol = &symbols[count];

		symbol->bytes = marked + offset;
		symbol->length =
			(uint32_t)hm_utf8_next(marked + offset, marked_length - offset, NULL);
		symbol->token = hm_vocab_find(tokenizer, symbol->bytes, symbol->length);
		offset += symbol->length;
		symbol->previous = (int32_t)count - 1;
		symbol->next = offset < marked_length ? (int32_t)count + 1 : -1;
		count++;
	}
	ret = hm_merge_symbols(tokenizer, symbols, count, find);
	for (i = 0; i < count && !ret; i++)
		if (symbols[i].length)
			ret = emit(tokenizer, &symbols[i], list);
	free(symbols);
	free(marked);
	return ret;
}
