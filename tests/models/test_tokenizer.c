// SPDX-License-Identifier: MIT
/* Both tokenizers over small vocabularies whose results can be worked out by hand, and the sampler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gguf_builder.h"
#include "sampler.h"
#include "tokenizer.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct hm_tokenizer *tokenizer_of(struct gguf_builder *b)
{
	struct hm_tokenizer *tokenizer;
	struct hm_error error;
	struct hm_gguf *gguf;

	gb_finish(b);
	assert_int_equal(hm_gguf_open_memory("test.gguf", b->bytes, b->size, &gguf, &error), 0);
	if (hm_tokenizer_create(gguf, &tokenizer, &error))
		fail_msg("%s", error.text);
	hm_gguf_close(gguf);
	gb_free(b);
	return tokenizer;
}

static void expect_tokens(const struct hm_tokenizer *tokenizer, const char *text, size_t count,
			  const uint32_t *expected)
{
	struct hm_error error;
	uint32_t *tokens;
	size_t n, i;

	assert_int_equal(hm_tokenize(tokenizer, text, strlen(text), &tokens, &n, &error), 0);
	for (i = 0; i < n && i < count; i++)
		if (tokens[i] != expected[i])
			fail_msg("\"%s\": token %zu is %u, expected %u", text, i, tokens[i],
				 expected[i]);
	if (n != count)
		fail_msg("\"%s\": %zu tokens, expected %zu", text, n, count);
	free(tokens);
}

#define expect(tokenizer, text, ...)                                               \
	expect_tokens(tokenizer, text, COUNT(((const uint32_t[]){ __VA_ARGS__ })), \
		      (const uint32_t[]){ __VA_ARGS__ })

/* ids: 0 <unk>, 1 <s>, 2 </s>, 3 … 258 bytes, then pieces; a higher score is merged first. */
#define FIRST_PIECE 259
static struct hm_tokenizer *spm(void)
{
	static const struct {
		const char *text;
		float score;
	} pieces[] = {
		{ "▁", -9 }, { "a", -9 },  { "b", -9 },	  { "c", -9 },	 { "ab", -1 },
		{ "bc", 0 }, { "▁a", -2 }, { "▁ab", -3 }, { "abc", -4 }, { "é", -9 },
	};
	const char *texts[FIRST_PIECE + COUNT(pieces)] = { "<unk>", "<s>", "</s>" };
	float scores[FIRST_PIECE + COUNT(pieces)] = { 0 };
	int32_t types[FIRST_PIECE + COUNT(pieces)] = { 2, 3, 3 };
	static char bytes[256][8];
	struct gguf_builder b;
	size_t i;

	for (i = 0; i < 256; i++) {
		snprintf(bytes[i], sizeof(bytes[i]), "<0x%02X>", (unsigned int)i);
		texts[3 + i] = bytes[i];
		types[3 + i] = 6;
	}
	for (i = 0; i < COUNT(pieces); i++) {
		texts[FIRST_PIECE + i] = pieces[i].text;
		scores[FIRST_PIECE + i] = pieces[i].score;
		types[FIRST_PIECE + i] = 1;
	}
	gb_start(&b);
	gb_string(&b, "tokenizer.ggml.model", "llama");
	gb_strings(&b, "tokenizer.ggml.tokens", texts, COUNT(texts));
	gb_f32s(&b, "tokenizer.ggml.scores", scores, COUNT(scores));
	gb_i32s(&b, "tokenizer.ggml.token_type", types, COUNT(types));
	gb_u32(&b, "tokenizer.ggml.bos_token_id", 1);
	gb_u32(&b, "tokenizer.ggml.eos_token_id", 2);
	gb_u32(&b, "tokenizer.ggml.unknown_token_id", 0);
	return tokenizer_of(&b);
}

static void test_spm(void **state)
{
	enum { SPACE = FIRST_PIECE, A, B, C, AB, BC, SPACE_A, SPACE_AB, ABC, E_ACUTE };
	struct hm_tokenizer *t = spm();

	(void)state;
	/* "bc" has the best score: a + bc, where "▁a" then joins. */
	expect(t, "abc", 1, SPACE_A, BC);
	expect(t, "ab", 1, SPACE_AB);
	expect(t, "a b", 1, SPACE_A, SPACE, B);
	expect(t, "é", 1, SPACE, E_ACUTE);
	/* No piece: bytes, of a character and of what is none. */
	expect(t, "z", 1, SPACE, 3 + 'z');
	expect(t, "\xff", 1, SPACE, 3 + 0xff);
	expect(t, "", 1);
	/* A control token is not made from its text. */
	expect(t, "</s>", 1, SPACE, 3 + '<', 3 + '/', 3 + 's', 3 + '>');
	assert_true(hm_tokenizer_is_end(t, 2));
	assert_false(hm_tokenizer_is_end(t, 1));
	hm_tokenizer_destroy(t);
}

static void expect_bytes(const struct hm_tokenizer *tokenizer, uint32_t token, bool first,
			 const char *expected)
{
	char bytes[16];
	size_t length = hm_token_bytes(tokenizer, token, first, bytes, sizeof(bytes));

	assert_int_equal(length, strlen(expected));
	assert_memory_equal(bytes, expected, length);
}

static void test_spm_text(void **state)
{
	struct hm_tokenizer *t = spm();
	char small[1];

	(void)state;
	expect_bytes(t, FIRST_PIECE + 6, false, " a");
	expect_bytes(t, FIRST_PIECE + 6, true, "a");
	expect_bytes(t, 3 + 0xe9, false, "\xe9");
	expect_bytes(t, 1, false, "");
	expect_bytes(t, 100000, false, "");
	assert_int_equal(hm_token_bytes(t, FIRST_PIECE + 4, false, small, 1), 2);
	assert_int_equal(small[0], 'a');
	hm_tokenizer_destroy(t);
}

/* Byte-level BPE: ids 0 … 255 are bytes in the order of their spelling, then merged tokens. */
static struct hm_tokenizer *bpe(const char *pre)
{
	/* "Ġ" (U+0120) spells a space, "Ċ" (U+010A) a line break. */
	static const char *const more[] = {
		"ab", "abc", "Ġa", "bc", "12", "ll", "'ll", "ĠĠ", "ĊĊ"
	};
	static const char *const merges[] = { "a b",  "ab c", "Ġ a", "1 2", "l l",
					      "' ll", "b c",  "Ġ Ġ", "Ċ Ċ", "x y" };
	const char *texts[256 + COUNT(more)];
	static char spelled[256][4];
	struct gguf_builder b;
	uint32_t i, other = 0x100;

	for (i = 0; i < 256; i++) {
		bool self = (i > ' ' && i < 127) || (i > 160 && i != 173);
		uint32_t c = self ? i : other++;

		if (c < 0x80)
			snprintf(spelled[i], 4, "%c", (char)c);
		else
			snprintf(spelled[i], 4, "%c%c", (char)(0xc0 | c >> 6),
				 (char)(0x80 | (c & 63)));
		texts[i] = spelled[i];
	}
	memcpy(texts + 256, more, sizeof(more));
	gb_start(&b);
	gb_string(&b, "tokenizer.ggml.model", "gpt2");
	gb_string(&b, "tokenizer.ggml.pre", pre);
	gb_strings(&b, "tokenizer.ggml.tokens", texts, COUNT(texts));
	gb_strings(&b, "tokenizer.ggml.merges", merges, COUNT(merges));
	gb_bool(&b, "tokenizer.ggml.add_bos_token", 0);
	return tokenizer_of(&b);
}

static void test_bpe(void **state)
{
	enum { AB = 256, ABC, SPACE_A, BC, N12, LL, WILL, SPACES, BREAKS };
	struct hm_tokenizer *t = bpe("gpt-2");

	(void)state;
	expect(t, "abc", ABC);
	expect(t, " a", SPACE_A);
	/* The space belongs to the word after it; "a" is then taken before "b" can have it. */
	expect(t, "abc abc", ABC, ' ', ABC);
	expect(t, "a'll", 'a', WILL);
	expect(t, "12", N12);
	expect(t, "   a", SPACES, SPACE_A);
	expect(t, "\xc3\xa9", 0xc3, 0xa9);
	expect(t, "\xff", 0xff);
	hm_tokenizer_destroy(t);

	t = bpe("qwen2");
	expect(t, "12", '1', '2');
	expect(t, "\n\na", BREAKS, 'a');
	expect(t, "a'LL", 'a', '\'', 'L', 'L');
	hm_tokenizer_destroy(t);

	t = bpe("llama-bpe");
	expect(t, "12", N12);
	/* A word that is a token is taken whole. */
	expect(t, "bc", BC);
	hm_tokenizer_destroy(t);

	t = bpe("smollm");
	expect(t, "12 1", '1', '2', ' ', '1');
	hm_tokenizer_destroy(t);
}

static void test_refused(void **state)
{
	static const char *const texts[] = { "a", "b" };
	static const float scores[] = { 0 };
	struct hm_tokenizer *tokenizer;
	struct gguf_builder b;
	struct hm_error error;
	struct hm_gguf *gguf;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		static const char *const says[] = { "\"wordpiece\" is not supported",
						    "scores: 1 entries", "bos_token_id: is 7" };

		gb_start(&b);
		gb_string(&b, "tokenizer.ggml.model", i ? "llama" : "wordpiece");
		gb_strings(&b, "tokenizer.ggml.tokens", texts, i == 1 ? 2 : 1);
		gb_f32s(&b, "tokenizer.ggml.scores", scores, 1);
		gb_u32(&b, "tokenizer.ggml.bos_token_id", 7);
		gb_finish(&b);
		assert_int_equal(hm_gguf_open_memory("test.gguf", b.bytes, b.size, &gguf, &error),
				 0);
		assert_true(hm_tokenizer_create(gguf, &tokenizer, &error) < 0);
		assert_null(tokenizer);
		if (!strstr(error.text, says[i]))
			fail_msg("message \"%s\" does not say \"%s\"", error.text, says[i]);
		hm_gguf_close(gguf);
		gb_free(&b);
	}
}

static void test_sampler(void **state)
{
	const float logits[] = { 1, 3, NAN, 2.5f, -INFINITY, 3 };
	struct hm_sampler_options options = {
		.temperature = 0, .typical = 1, .top_p = 1, .repeat_penalty = 1, .seed = 5
	};
	struct hm_sampler *a = hm_sampler_create(&options, COUNT(logits)), *b;
	uint32_t seen[COUNT(logits)] = { 0 };
	int i;

	(void)state;
	assert_int_equal(hm_sampler_next(a, logits), 1);
	hm_sampler_destroy(a);

	/* The same seed gives the same tokens, and only possible ones. */
	options.temperature = 1;
	a = hm_sampler_create(&options, COUNT(logits));
	b = hm_sampler_create(&options, COUNT(logits));
	for (i = 0; i < 4000; i++) {
		uint32_t token = hm_sampler_next(a, logits);

		assert_int_equal(token, hm_sampler_next(b, logits));
		seen[token]++;
	}
	assert_int_equal(seen[2] + seen[4], 0);
	/* Probabilities are 0.05, 0.37, 0, 0.22, 0, 0.37. */
	assert_in_range(seen[0], 120, 280);
	assert_in_range(seen[1], 1300, 1640);
	assert_in_range(seen[3], 750, 1050);
	hm_sampler_destroy(a);
	hm_sampler_destroy(b);

	/* The two best reach the probability asked for. */
	options.top_p = 0.7f;
	a = hm_sampler_create(&options, COUNT(logits));
	for (i = 0; i < 200; i++) {
		uint32_t token = hm_sampler_next(a, logits);

		assert_true(token == 1 || token == 5);
	}
	hm_sampler_destroy(a);

	options.top_p = 1;
	options.top_k = 1;
	a = hm_sampler_create(&options, COUNT(logits));
	for (i = 0; i < 50; i++)
		assert_int_equal(hm_sampler_next(a, logits), 1);
	hm_sampler_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spm),	cmocka_unit_test(test_spm_text),
		cmocka_unit_test(test_bpe),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sampler),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
