// SPDX-License-Identifier: MIT
/*
 * The tokenizer's vocabulary: reads and checks tokenizer.ggml.*, finds tokens by text, and turns ids back
 * into text. The two ways to cut a text are in tokenizer_spm.c and tokenizer_bpe.c.
 */
#include "tokenizer_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VOCABULARY	(1u << 22)
#define MAX_TOKEN_BYTES 65535u

int hm_list_add(struct hm_token_list *list, uint32_t id)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		uint32_t *ids = reallocarray(list->ids, capacity, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		list->ids = ids;
		list->capacity = capacity;
	}
	list->ids[list->count++] = id;
	return 0;
}

size_t hm_utf8_next(const char *text, size_t length, uint32_t *codepoint)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = (const uint8_t *)text;
	size_t more, i;
	uint32_t value;

	if (codepoint)
		*codepoint = 0xfffd;
	if (p[0] < 0x80) {
		if (codepoint)
			*codepoint = p[0];
		return 1;
	}
	more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || more >= length)
		return 1;
	value = p[0] & (0x3fu >> more);
	for (i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 1;
	if (codepoint)
		*codepoint = value;
	return more + 1;
}

int hm_table_create(struct hm_table *table, size_t count)
{
	size_t size = 16;

	while (size < count * 2)
		size *= 2;
	table->slots = calloc(size, sizeof(*table->slots));
	table->mask = (uint32_t)size - 1;
	return table->slots ? 0 : -ENOMEM;
}

uint32_t hm_vocab_find(const struct hm_tokenizer *tokenizer, const char *bytes, size_t length)
{
	uint32_t slot, index;

	for (slot = hm_hash(bytes, length);; slot++) {
		const struct hm_vocab_token *token;

		index = tokenizer->by_text.slots[slot & tokenizer->by_text.mask];
		if (!index)
			return HM_NO_TOKEN;
		token = &tokenizer->tokens[index - 1];
		if (token->length == length && !memcmp(token->bytes, bytes, length))
			return index - 1;
	}
}

/* Only what may come from text is found by text: the first of equal ones. */
static void index_token(struct hm_tokenizer *tokenizer, uint32_t id)
{
	const struct hm_vocab_token *token = &tokenizer->tokens[id];
	uint32_t slot;

	if (token->type == HM_TOKEN_CONTROL || token->type == HM_TOKEN_UNKNOWN ||
	    token->type == HM_TOKEN_UNUSED || token->type == HM_TOKEN_BYTE || !token->length ||
	    hm_vocab_find(tokenizer, token->bytes, token->length) != HM_NO_TOKEN)
		return;
	for (slot = hm_hash(token->bytes, token->length);
	     tokenizer->by_text.slots[slot & tokenizer->by_text.mask]; slot++)
		;
	tokenizer->by_text.slots[slot & tokenizer->by_text.mask] = id + 1;
}

static int load_vocabulary(struct hm_tokenizer *tokenizer, const struct hm_gguf *gguf,
			   struct hm_error *error)
{
	const struct hm_gguf_entry *texts, *scores, *types;
	const uint8_t *cursor;
	size_t bytes = 0;
	char *out;
	uint32_t i;
	int ret;

	ret = hm_gguf_array(gguf, "tokenizer.ggml.tokens", HM_GGUF_STRING, true, &texts, error);
	if (ret)
		return ret;
	if (!texts->count || texts->count > MAX_VOCABULARY)
		return hm_fail(error, -EINVAL,
			       "%s: metadata tokenizer.ggml.tokens: %llu tokens, expected 1 to %u",
			       hm_gguf_name(gguf), (unsigned long long)texts->count,
			       MAX_VOCABULARY);
	tokenizer->count = (uint32_t)texts->count;
	ret = hm_gguf_array(gguf, "tokenizer.ggml.scores", HM_GGUF_F32, !tokenizer->bpe, &scores,
			    error);
	if (ret && (ret != -ENOENT || !tokenizer->bpe))
		return ret;
	ret = hm_gguf_array(gguf, "tokenizer.ggml.token_type", HM_GGUF_I32, false, &types, error);
	if (ret && ret != -ENOENT)
		return ret;
	if ((scores && scores->count != texts->count) || (types && types->count != texts->count))
		return hm_fail(error, -EINVAL,
			       "%s: metadata tokenizer.ggml.%s: %llu entries, expected one for "
			       "each of %u tokens",
			       hm_gguf_name(gguf),
			       scores && scores->count != texts->count ? "scores" : "token_type",
			       (unsigned long long)(scores && scores->count != texts->count
							    ? scores->count
							    : types->count),
			       tokenizer->count);
	cursor = texts->data;
	for (i = 0; i < tokenizer->count; i++)
		bytes += hm_gguf_next_string(&cursor).length;
	tokenizer->tokens = calloc(tokenizer->count, sizeof(*tokenizer->tokens));
	tokenizer->strings = malloc(bytes + 1);
	if (!tokenizer->tokens || !tokenizer->strings ||
	    hm_table_create(&tokenizer->by_text, tokenizer->count))
		return hm_fail(error, -ENOMEM, "%s: out of memory", hm_gguf_name(gguf));
	cursor = texts->data;
	out = tokenizer->strings;
	for (i = 0; i < tokenizer->count; i++) {
		struct hm_vocab_token *token = &tokenizer->tokens[i];
		struct hm_string text = hm_gguf_next_string(&cursor);
		int32_t type = HM_TOKEN_NORMAL;

		if (types)
			memcpy(&type, types->data + 4 * (size_t)i, sizeof(type));
		if (text.length > MAX_TOKEN_BYTES || type < 0 || type > HM_TOKEN_BYTE)
			return hm_fail(error, -EINVAL,
				       "%s: token %u: %zu bytes of type %d, expected at most %u of "
				       "type 0 to 6",
				       hm_gguf_name(gguf), i, text.length, type, MAX_TOKEN_BYTES);
		memcpy(out, text.bytes, text.length);
		token->bytes = out;
		token->length = (uint32_t)text.length;
		token->type = (uint8_t)type;
		if (scores)
			memcpy(&token->score, scores->data + 4 * (size_t)i, sizeof(token->score));
		if (token->score != token->score)
			return hm_fail(error, -EINVAL, "%s: token %u: score is not a number",
				       hm_gguf_name(gguf), i);
		out += text.length;
		index_token(tokenizer, i);
	}
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of a token spelled "<0xNN>", or -1. */
static int byte_of_token(const struct hm_vocab_token *token)
{
	int high, low;

	if (token->length != 6 || memcmp(token->bytes, "<0x", 3) || token->bytes[5] != '>')
		return -1;
	high = hex_digit(token->bytes[3]);
	low = hex_digit(token->bytes[4]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static void find_byte_tokens(struct hm_tokenizer *tokenizer)
{
	char spelling[2];
	uint32_t i;
	int byte;

	for (i = 0; i < 256; i++) {
		tokenizer->byte_token[i] = HM_NO_TOKEN;
		if (tokenizer->bpe) {
			size_t length = hm_bpe_spell((uint8_t)i, spelling);

			tokenizer->byte_token[i] = hm_vocab_find(tokenizer, spelling, length);
		}
	}
	for (i = 0; !tokenizer->bpe && i < tokenizer->count; i++) {
		byte = tokenizer->tokens[i].type == HM_TOKEN_BYTE
			       ? byte_of_token(&tokenizer->tokens[i])
			       : -1;
		if (byte >= 0)
			tokenizer->byte_token[byte] = i;
	}
}

static int load_merges(struct hm_tokenizer *tokenizer, const struct hm_gguf *gguf,
		       struct hm_error *error)
{
	const struct hm_gguf_entry *merges;
	char joined[2 * MAX_TOKEN_BYTES];
	const uint8_t *cursor;
	uint64_t i;
	int ret;

	ret = hm_gguf_array(gguf, "tokenizer.ggml.merges", HM_GGUF_STRING, true, &merges, error);
	if (ret)
		return ret;
	if (merges->count > MAX_VOCABULARY)
		return hm_fail(
			error, -EINVAL,
			"%s: metadata tokenizer.ggml.merges: %llu merges, expected at most %u",
			hm_gguf_name(gguf), (unsigned long long)merges->count, MAX_VOCABULARY);
	tokenizer->merge_count = (uint32_t)merges->count;
	tokenizer->merges = calloc(merges->count + 1, sizeof(*tokenizer->merges));
	if (!tokenizer->merges || hm_table_create(&tokenizer->by_pair, merges->count))
		return hm_fail(error, -ENOMEM, "%s: out of memory", hm_gguf_name(gguf));
	cursor = merges->data;
	for (i = 0; i < merges->count; i++) {
		struct hm_string text = hm_gguf_next_string(&cursor);
		struct hm_merge *merge = &tokenizer->merges[i];
		/* The first character may itself be a space in no vocabulary: search from the second. */
		const char *space =
			text.length > 1 ? memchr(text.bytes + 1, ' ', text.length - 1) : NULL;
		uint32_t pair[2], slot;
		size_t left;

		if (!space || text.length - 1 > sizeof(joined))
			return hm_fail(error, -EINVAL,
				       "%s: metadata tokenizer.ggml.merges: entry %llu is no pair "
				       "of tokens",
				       hm_gguf_name(gguf), (unsigned long long)i);
		left = (size_t)(space - text.bytes);
		memcpy(joined, text.bytes, left);
		memcpy(joined + left, space + 1, text.length - left - 1);
		merge->left = hm_vocab_find(tokenizer, text.bytes, left);
		merge->right = hm_vocab_find(tokenizer, space + 1, text.length - left - 1);
		merge->joined = hm_vocab_find(tokenizer, joined, text.length - 1);
		/* Lists carry merges of tokens that the vocabulary dropped; they can never happen. */
		if (merge->left == HM_NO_TOKEN || merge->right == HM_NO_TOKEN ||
		    merge->joined == HM_NO_TOKEN)
			continue;
		pair[0] = merge->left;
		pair[1] = merge->right;
		for (slot = hm_hash(pair, sizeof(pair));
		     tokenizer->by_pair.slots[slot & tokenizer->by_pair.mask]; slot++)
			;
		tokenizer->by_pair.slots[slot & tokenizer->by_pair.mask] = (uint32_t)i + 1;
	}
	return 0;
}

static int special(const struct hm_tokenizer *tokenizer, const struct hm_gguf *gguf,
		   const char *key, uint32_t *token, struct hm_error *error)
{
	int ret;

	*token = HM_NO_TOKEN;
	ret = hm_gguf_u32(gguf, key, false, token, error);
	if (ret == -ENOENT)
		return 0;
	if (!ret && *token != HM_NO_TOKEN && *token >= tokenizer->count)
		return hm_fail(error, -EINVAL,
			       "%s: metadata %s: is %u, expected less than the %u tokens",
			       hm_gguf_name(gguf), key, *token, tokenizer->count);
	return ret;
}

static bool is(struct hm_string string, const char *text)
{
	return string.length == strlen(text) && !memcmp(string.bytes, text, string.length);
}

/* Which kind of tokenizer, and for BPE how it cuts words. */
static int load_kind(struct hm_tokenizer *tokenizer, const struct hm_gguf *gguf,
		     struct hm_error *error)
{
	static const struct {
		const char *name;
		enum hm_pre pre;
	} known[] = {
		{ "gpt-2", HM_PRE_GPT2 },    { "llama-bpe", HM_PRE_LLAMA3 },
		{ "llama3", HM_PRE_LLAMA3 }, { "llama-v3", HM_PRE_LLAMA3 },
		{ "qwen2", HM_PRE_QWEN2 },   { "smollm", HM_PRE_SMOLLM },
	};
	struct hm_string kind, pre;
	size_t i;
	int ret;

	ret = hm_gguf_string(gguf, "tokenizer.ggml.model", true, &kind, error);
	if (ret)
		return ret;
	tokenizer->bpe = is(kind, "gpt2");
	if (!tokenizer->bpe && !is(kind, "llama"))
		return hm_fail(error, -ENOTSUP,
			       "%s: metadata tokenizer.ggml.model: \"%.*s\" is not supported "
			       "(supported: llama gpt2)",
			       hm_gguf_name(gguf), (int)(kind.length < 64 ? kind.length : 64),
			       kind.bytes);
	if (!tokenizer->bpe)
		return 0;
	ret = hm_gguf_string(gguf, "tokenizer.ggml.pre", true, &pre, error);
	if (ret)
		return ret;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is(pre, known[i].name)) {
			tokenizer->pre = known[i].pre;
			return 0;
		}
	}
	return hm_fail(error, -ENOTSUP,
		       "%s: metadata tokenizer.ggml.pre: \"%.*s\" is not supported (supported: "
		       "gpt-2 llama-bpe qwen2 smollm)",
		       hm_gguf_name(gguf), (int)(pre.length < 64 ? pre.length : 64), pre.bytes);
}

static int optional_bool(const struct hm_gguf *gguf, const char *key, bool *value,
			 struct hm_error *error)
{
	int ret = hm_gguf_bool(gguf, key, false, value, error);

	return ret == -ENOENT ? 0 : ret;
}

int hm_tokenizer_create(const struct hm_gguf *gguf, struct hm_tokenizer **out,
			struct hm_error *error)
{
	struct hm_tokenizer *tokenizer = calloc(1, sizeof(*tokenizer));
	int ret;

	*out = NULL;
	if (!tokenizer)
		return hm_fail(error, -ENOMEM, "%s: out of memory", hm_gguf_name(gguf));
	ret = load_kind(tokenizer, gguf, error);
	if (!ret)
		ret = load_vocabulary(tokenizer, gguf, error);
	if (!ret && tokenizer->bpe)
		ret = load_merges(tokenizer, gguf, error);
	if (!ret)
		ret = special(tokenizer, gguf, "tokenizer.ggml.bos_token_id", &tokenizer->bos,
			      error);
	if (!ret)
		ret = special(tokenizer, gguf, "tokenizer.ggml.eos_token_id", &tokenizer->eos,
			      error);
	if (!ret)
		ret = special(tokenizer, gguf, "tokenizer.ggml.eot_token_id", &tokenizer->eot,
			      error);
	if (!ret)
		ret = special(tokenizer, gguf, "tokenizer.ggml.unknown_token_id",
			      &tokenizer->unknown, error);
	tokenizer->add_space = !tokenizer->bpe;
	tokenizer->add_bos = !tokenizer->bpe || tokenizer->pre == HM_PRE_LLAMA3;
	if (!ret)
		ret = optional_bool(gguf, "tokenizer.ggml.add_bos_token", &tokenizer->add_bos,
				    error);
	if (!ret)
		ret = optional_bool(gguf, "tokenizer.ggml.add_space_prefix", &tokenizer->add_space,
				    error);
	if (!ret && tokenizer->add_bos && tokenizer->bos == HM_NO_TOKEN)
		ret = hm_fail(error, -EINVAL,
			      "%s: metadata tokenizer.ggml.bos_token_id: missing, though "
			      "add_bos_token asks for it",
			      hm_gguf_name(gguf));
	if (ret) {
		hm_tokenizer_destroy(tokenizer);
		return ret;
	}
	find_byte_tokens(tokenizer);
	*out = tokenizer;
	return 0;
}

void hm_tokenizer_destroy(struct hm_tokenizer *tokenizer)
{
	if (!tokenizer)
		return;
	free(tokenizer->by_pair.slots);
	free(tokenizer->merges);
	free(tokenizer->by_text.slots);
	free(tokenizer->strings);
	free(tokenizer->tokens);
	free(tokenizer);
}

uint32_t hm_tokenizer_size(const struct hm_tokenizer *tokenizer)
{
	return tokenizer->count;
}

uint32_t hm_tokenizer_bos(const struct hm_tokenizer *tokenizer)
{
	return tokenizer->bos;
}

uint32_t hm_tokenizer_eos(const struct hm_tokenizer *tokenizer)
{
	return tokenizer->eos;
}

bool hm_tokenizer_adds_bos(const struct hm_tokenizer *tokenizer)
{
	return tokenizer->add_bos;
}

uint32_t hm_tokenizer_special(const struct hm_tokenizer *tokenizer, const char *text, size_t length)
{
	for (uint32_t i = 0; i < tokenizer->count; i++) {
		const struct hm_vocab_token *token = &tokenizer->tokens[i];

		if ((token->type == HM_TOKEN_CONTROL || token->type == HM_TOKEN_USER_DEFINED) &&
		    token->length == length && !memcmp(token->bytes, text, length))
			return i;
	}
	return HM_NO_TOKEN;
}

bool hm_tokenizer_is_end(const struct hm_tokenizer *tokenizer, uint32_t token)
{
	return token != HM_NO_TOKEN && (token == tokenizer->eos || token == tokenizer->eot);
}

static int tokenize(const struct hm_tokenizer *tokenizer, bool add_bos, const char *text,
		    size_t length, uint32_t **tokens, size_t *count, struct hm_error *error)
{
	struct hm_token_list list = { 0 };
	int ret = 0;

	*tokens = NULL;
	*count = 0;
	if (add_bos)
		ret = hm_list_add(&list, tokenizer->bos);
	if (!ret)
		ret = tokenizer->bpe ? hm_tokenize_bpe(tokenizer, text, length, &list)
				     : hm_tokenize_spm(tokenizer, text, length, &list);
	if (ret) {
		free(list.ids);
		return hm_fail(error, ret, "no memory to cut a text of %zu bytes into tokens",
			       length);
	}
	*tokens = list.ids;
	*count = list.count;
	return 0;
}

int hm_tokenize(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		uint32_t **tokens, size_t *count, struct hm_error *error)
{
	return tokenize(tokenizer, tokenizer->add_bos, text, length, tokens, count, error);
}

int hm_tokenize_part(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		     uint32_t **tokens, size_t *count, struct hm_error *error)
{
	return tokenize(tokenizer, false, text, length, tokens, count, error);
}

struct sink {
	char *bytes;
	size_t capacity;
	size_t length;
};

static void put(struct sink *sink, char byte)
{
	if (sink->length < sink->capacity)
		sink->bytes[sink->length] = byte;
	sink->length++;
}

static void put_bpe(struct sink *sink, const struct hm_vocab_token *token)
{
	uint32_t codepoint;
	size_t offset = 0, step, i;
	int byte;

	while (offset < token->length) {
		step = hm_utf8_next(token->bytes + offset, token->length - offset, &codepoint);
		byte = token->type == HM_TOKEN_USER_DEFINED ? -1 : hm_bpe_byte(codepoint);
		if (byte >= 0)
			put(sink, (char)byte);
		else
			for (i = 0; i < step; i++)
				put(sink, token->bytes[offset + i]);
		offset += step;
	}
}

static void put_spm(struct sink *sink, const struct hm_vocab_token *token, bool skip_space)
{
	int byte = token->type == HM_TOKEN_BYTE ? byte_of_token(token) : -1;
	uint32_t i;

	if (byte >= 0) {
		put(sink, (char)byte);
		return;
	}
	for (i = 0; i < token->length; i++) {
		if (token->length - i >= 3 && !memcmp(token->bytes + i, "\xe2\x96\x81", 3)) {
			if (i || !skip_space)
				put(sink, ' ');
			i += 2;
		} else {
			put(sink, token->bytes[i]);
		}
	}
}

size_t hm_token_bytes(const struct hm_tokenizer *tokenizer, uint32_t token, bool first, char *bytes,
		      size_t capacity)
{
	struct sink sink = { .bytes = bytes, .capacity = capacity };
	const struct hm_vocab_token *entry;

	if (token >= tokenizer->count)
		return 0;
	entry = &tokenizer->tokens[token];
	if (entry->type == HM_TOKEN_CONTROL || entry->type == HM_TOKEN_UNUSED)
		return 0;
	if (tokenizer->bpe)
		put_bpe(&sink, entry);
	else
		put_spm(&sink, entry, first && tokenizer->add_space);
	return sink.length;
}
