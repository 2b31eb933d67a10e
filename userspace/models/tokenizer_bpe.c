// SPDX-License-Identifier: MIT
/*
 * Byte-level BPE, as GPT-2 introduced it: the text is cut into words by the model's rule, each byte is
 * written as a printable character, and neighbours are merged in the order of the model's list.
 */
#include "tokenizer_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/*
 * GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the other 68 for U+0100 and on, in order.
 */
static bool stands_for_itself(uint32_t byte)
{
	return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) ||
	       (byte >= 0xae && byte <= 0xff);
}

int hm_bpe_byte(uint32_t codepoint)
{
	uint32_t byte, other = 0x100;

	if (codepoint < 0x100)
		return stands_for_itself(codepoint) ? (int)codepoint : -1;
	for (byte = 0; byte < 256; byte++)
		if (!stands_for_itself(byte) && other++ == codepoint)
			return (int)byte;
	return -1;
}

size_t hm_bpe_spell(uint8_t byte, char spelling[2])
{
	uint32_t codepoint = byte, i;

	if (!stands_for_itself(byte)) {
		codepoint = 0x100;
		for (i = 0; i < byte; i++)
			codepoint += !stands_for_itself(i);
	}
	if (codepoint < 0x80) {
		spelling[0] = (char)codepoint;
		return 1;
	}
	spelling[0] = (char)(0xc0 | codepoint >> 6);
	spelling[1] = (char)(0x80 | (codepoint & 0x3f));
	return 2;
}

enum class {
	CLASS_OTHER,
	CLASS_LETTER,
	CLASS_NUMBER,
	CLASS_SPACE,
	CLASS_END,
};

/* Where the word cutter stands. */
struct cursor {
	const char *text;
	size_t length;
	size_t offset;
};

static enum class class_at(const struct cursor *c, size_t offset, size_t *bytes,
			   uint32_t *codepoint) {
	if (offset >= c->length){ *bytes = 0; *codepoint = 0; return CLASS_END; }
*bytes = hm_utf8_next(c->text + offset, c->length - offset, codepoint);
if ((*codepoint >= 9 && *codepoint <= 13) || *codepoint == 0x85)
	return CLASS_SPACE;
switch (utf8proc_category((utf8proc_int32_t)*codepoint)) {
case UTF8PROC_CATEGORY_LU:
case UTF8PROC_CATEGORY_LL:
case UTF8PROC_CATEGORY_LT:
case UTF8PROC_CATEGORY_LM:
case UTF8PROC_CATEGORY_LO:
	return CLASS_LETTER;
case UTF8PROC_CATEGORY_ND:
case UTF8PROC_CATEGORY_NL:
case UTF8PROC_CATEGORY_NO:
	return CLASS_NUMBER;
case UTF8PROC_CATEGORY_ZS:
case UTF8PROC_CATEGORY_ZL:
case UTF8PROC_CATEGORY_ZP:
	return CLASS_SPACE;
default:
	return CLASS_OTHER;
}
}

/* The end of a run of at most @most characters of @wanted that starts at @offset. */
static size_t run_end(const struct cursor *c, size_t offset, enum class wanted, size_t most)
{
	uint32_t codepoint;
	size_t bytes;

	while (most-- && class_at(c, offset, &bytes, &codepoint) == wanted)
		offset += bytes;
	return offset;
}

/* An English contraction ('s, 't, 're, 've, 'm, 'll, 'd) at @offset: its length, or 0. */
static size_t contraction(const struct cursor *c, bool any_case)
{
	static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };
	const char *at = c->text + c->offset;
	size_t left = c->length - c->offset, i, j, n;

	if (!left || *at != '\'')
		return 0;
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		n = strlen(endings[i]);
		if (left < n + 1)
			continue;
		for (j = 0; j < n; j++)
			if ((any_case ? at[j + 1] | 0x20 : at[j + 1]) != endings[i][j])
				break;
		if (j == n)
			return n + 1;
	}
	return 0;
}

/*
 * White space at the cursor: all of it at the end of the text; else all but the last character, which belongs
 * to the next word. With @newlines, a stretch ends after its last line break if it has one.
 */
static size_t space_end(const struct cursor *c, bool newlines)
{
	size_t offset = c->offset, last = offset, after_break = 0, bytes;
	uint32_t codepoint;

	while (class_at(c, offset, &bytes, &codepoint) == CLASS_SPACE) {
		last = offset;
		offset += bytes;
		if (codepoint == '\n' || codepoint == '\r')
			after_break = offset;
	}
	if (newlines && after_break)
		return after_break;
	if (offset == c->length || last == c->offset)
		return offset;
	return last;
}

/* The end of GPT-2's next word. */
static size_t word_end_gpt2(const struct cursor *c, bool single_digits)
{
	size_t bytes, start = c->offset, ending = contraction(c, false);
	uint32_t codepoint;
	enum class class;

	if (ending)
		return start + ending;
	class = class_at(c, start, &bytes, &codepoint);
	if (single_digits && class == CLASS_NUMBER)
		return start + bytes;
	if (codepoint == ' ') {
		enum class next = class_at(c, start + 1, &bytes, &codepoint);

		if (next != CLASS_SPACE && next != CLASS_END &&
		    !(single_digits && next == CLASS_NUMBER)) {
			start++;
			class = next;
		}
	}
	if (class == CLASS_SPACE)
		return space_end(c, false);
	return run_end(c, start, class, SIZE_MAX);
}

/* The end of the next word as Llama 3 and Qwen 2 cut them. */
static size_t word_end_llama3(const struct cursor *c, size_t digits)
{
	size_t bytes, next_bytes, start = c->offset, ending = contraction(c, true), end;
	uint32_t codepoint, next_codepoint;
	enum class class, next;

	if (ending)
		return start + ending;
	class = class_at(c, start, &bytes, &codepoint);
	if (class == CLASS_LETTER)
		return run_end(c, start, CLASS_LETTER, SIZE_MAX);
	if (class == CLASS_NUMBER)
		return run_end(c, start, CLASS_NUMBER, digits);
	next = class_at(c, start + bytes, &next_bytes, &next_codepoint);
	/* One character that is no line break may lead a word. */
	if (next == CLASS_LETTER && codepoint != '\n' && codepoint != '\r')
		return run_end(c, start + bytes, CLASS_LETTER, SIZE_MAX);
	if (class == CLASS_OTHER || (codepoint == ' ' && next == CLASS_OTHER)) {
		end = run_end(c, class == CLASS_OTHER ? start : start + 1, CLASS_OTHER, SIZE_MAX);
		while (end < c->length && (c->text[end] == '\n' || c->text[end] == '\r'))
			end++;
		return end;
	}
	return space_end(c, true);
}

static size_t word_end(const struct hm_tokenizer *tokenizer, const struct cursor *c)
{
	switch (tokenizer->pre) {
	case HM_PRE_LLAMA3:
		return word_end_llama3(c, 3);
	case HM_PRE_QWEN2:
		return word_end_llama3(c, 1);
	case HM_PRE_SMOLLM:
		return word_end_gpt2(c, true);
	case HM_PRE_GPT2:
	default:
		return word_end_gpt2(c, false);
	}
}

static bool find(const struct hm_tokenizer *tokenizer, const struct hm_symbol *left,
		 const struct hm_symbol *right, struct hm_candidate *candidate)
{
	uint32_t pair[2] = { left->token, right->token };
	uint32_t slot, index;

	if (!tokenizer->by_pair.slots)
		return false;
	for (slot = hm_hash(pair, sizeof(pair));; slot++) {
		index = tokenizer->by_pair.slots[slot & tokenizer->by_pair.mask];
		if (!index)
			return false;
		if (tokenizer->merges[index - 1].left == pair[0] &&
		    tokenizer->merges[index - 1].right == pair[1])
			break;
	}
	candidate->score = -(float)(index - 1);
	candidate->joined = tokenizer->merges[index - 1].joined;
	return true;
}

/* Llama 3 takes a word that is a token as it is, even where its merges would not lead there. */
static uint32_t whole_word(const struct hm_tokenizer *tokenizer, const char *word, size_t length)
{
	char spelled[256] = "", *out = spelled;
	size_t i;

	if (tokenizer->pre != HM_PRE_LLAMA3 || length > sizeof(spelled) / 2)
		return HM_NO_TOKEN;
	for (i = 0; i < length; i++)
		out += hm_bpe_spell((uint8_t)word[i], out);
	return hm_vocab_find(tokenizer, spelled, (size_t)(out - spelled));
}

/* One word: its bytes are symbols, each a token of the vocabulary. */
static int tokenize_word(const struct hm_tokenizer *tokenizer, const char *word, size_t length,
			 struct hm_symbol *symbols, struct hm_token_list *list)
{
	uint32_t whole = whole_word(tokenizer, word, length);
	size_t i, count = 0;
	int ret;

	if (whole != HM_NO_TOKEN)
		return hm_list_add(list, whole);
	for (i = 0; i < length; i++) {
		uint32_t token = tokenizer->byte_token[(uint8_t)word[i]];

		if (token == HM_NO_TOKEN)
			token = tokenizer->unknown;
		if (token == HM_NO_TOKEN)
			continue;
		symbols[count] = (struct hm_symbol){
			.previous = (int32_t)count - 1,
			.next = (int32_t)count + 1,
			.bytes = word + i,
			.length = 1,
			.token = token,
		};
		count++;
	}
	if (!count)
		return 0;
	symbols[count - 1].next = -1;
	ret = hm_merge_symbols(tokenizer, symbols, count, find);
	for (i = 0; i < count && !ret; i++)
		if (symbols[i].length)
			ret = hm_list_add(list, symbols[i].token);
	return ret;
}

int hm_tokenize_bpe(const struct hm_tokenizer *tokenizer, const char *text, size_t length,
		    struct hm_token_list *list)
{
	struct cursor c = { .text = text, .length = length };
	struct hm_symbol *symbols;
	int ret = 0;

	if (!length)
		return 0;
	symbols = length < INT32_MAX ? calloc(length, sizeof(*symbols)) : NULL;
	if (!symbols)
		return -ENOMEM;
	while (c.offset < length && !ret) {
		size_t end = word_end(tokenizer, &c);

		ret = tokenize_word(tokenizer, text + c.offset, end - c.offset, symbols, list);
		c.offset = end;
	}
	free(symbols);
	return ret;
}
