// SPDX-License-Identifier: MIT
/* Chat templates: which family a template is of, and what conversations become in each, as text and as tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "gguf_builder.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Conversations: a question; one with the system's message; and one that goes on. */
static const struct hm_chat_message one[] = { { HM_CHAT_USER, " Why? " } };
static const struct hm_chat_message two[] = { { HM_CHAT_SYSTEM, "Be brief." },
					      { HM_CHAT_USER, "Why?" } };
static const struct hm_chat_message four[] = {
	{ HM_CHAT_SYSTEM, "Be brief." },
	{ HM_CHAT_USER, "Why?" },
	{ HM_CHAT_ANSWER, "<think>\nHm.\n</think>\n\nBecause." },
	{ HM_CHAT_USER, "And?" },
};

static const struct {
	const char *what;
	const char *source;
	enum hm_chat_family family;
	const char *one, *two, *four;
} families[] = {
	{ "Llama 2",
	  "{% if system %}{{ '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' }}{% endif %}"
	  "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}",
	  HM_CHAT_LLAMA2, "<s>[INST] Why? [/INST]",
	  "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nWhy? [/INST]",
	  "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nWhy? [/INST] "
	  "<think>\nHm.\n</think>\n\nBecause. "
	  "</s><s>[INST] And? [/INST]" },
	{ "Llama 3",
	  "{{ bos_token }}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + "
	  "message['content'] | trim + '<|eot_id|>' }}",
	  HM_CHAT_LLAMA3,
	  "<s><|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
	  "<|start_header_id|>assistant<|end_header_id|>\n\n",
	  "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
	  "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
	  "<|start_header_id|>assistant<|end_header_id|>\n\n",
	  NULL },
	{ "Llama 3.1",
	  "{{ bos_token }}{{ \"<|start_header_id|>system<|end_header_id|>\\n\\n\" }}"
	  "{{ \"Cutting Knowledge Date: December 2023\\n\" }}{{ '<|eot_id|>' }}",
	  HM_CHAT_LLAMA3,
	  "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
	  "Today Date: 26 Jul 2024\n\n<|eot_id|>"
	  "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
	  "<|start_header_id|>assistant<|end_header_id|>\n\n",
	  "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
	  "Today Date: 26 Jul 2024\n\nBe brief.<|eot_id|>"
	  "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
	  "<|start_header_id|>assistant<|end_header_id|>\n\n",
	  NULL },
	{ "Mistral, first",
	  "{{ bos_token }}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
	  "{{ message['content'] + eos_token + ' ' }}",
	  HM_CHAT_MISTRAL, "<s>[INST]  Why?  [/INST]", "<s>[INST] Be brief.\n\nWhy? [/INST]",
	  "<s>[INST] Be brief.\n\nWhy? [/INST]<think>\nHm.\n</think>\n\nBecause.</s> [INST] And? "
	  "[/INST]" },
	{ "Mistral, third",
	  "{{- bos_token }}{{- \"[INST] \" + message[\"content\"] + \"[/INST]\" }}"
	  "{{- \" \" + message[\"content\"]|trim + eos_token }}",
	  HM_CHAT_MISTRAL, "<s>[INST]  Why? [/INST]", "<s>[INST] Be brief.\n\nWhy?[/INST]",
	  "<s>[INST] Be brief.\n\nWhy?[/INST] <think>\nHm.\n</think>\n\nBecause.</s>[INST] "
	  "And?[/INST]" },
	{ "Mistral, with another vocabulary",
	  "{{- bos_token }}{{- \"[INST]\" + message[\"content\"] + \"[/INST]\" }}"
	  "{{- message[\"content\"]|trim + eos_token }}",
	  HM_CHAT_MISTRAL, "<s>[INST] Why? [/INST]", "<s>[INST]Be brief.\n\nWhy?[/INST]",
	  "<s>[INST]Be "
	  "brief.\n\nWhy?[/INST]<think>\nHm.\n</think>\n\nBecause.</s>[INST]And?[/INST]" },
	{ "Qwen 2.5",
	  "{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}"
	  "{{- '<|im_start|>system\\nYou are made of tests.<|im_end|>\\n' }}"
	  "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}",
	  HM_CHAT_CHATML,
	  "<|im_start|>system\nYou are made of tests.<|im_end|>\n<|im_start|>user\n Why? "
	  "<|im_end|>\n"
	  "<|im_start|>assistant\n",
	  "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
	  "<|im_start|>assistant\n",
	  NULL },
	{ "Qwen 3",
	  "{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}"
	  "{%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}",
	  HM_CHAT_CHATML, "<|im_start|>user\n Why? <|im_end|>\n<|im_start|>assistant\n",
	  "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
	  "<|im_start|>assistant\n",
	  "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
	  "<|im_start|>assistant\nBecause.<|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n"
	  "<|im_start|>assistant\n" },
	{ "SmolLM",
	  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + "
	  "message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}",
	  HM_CHAT_CHATML, "<|im_start|>user\n Why? <|im_end|>\n<|im_start|>assistant\n", NULL,
	  NULL },
	{ "Gemma",
	  "{{ bos_token }}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + "
	  "'<end_of_turn>\\n' }}",
	  HM_CHAT_GEMMA, "<s><start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n",
	  "<s><start_of_turn>user\nBe brief.\n\nWhy?<end_of_turn>\n<start_of_turn>model\n",
	  "<s><start_of_turn>user\nBe "
	  "brief.\n\nWhy?<end_of_turn>\n<start_of_turn>model\n<think>\nHm.\n"
	  "</think>\n\nBecause.<end_of_turn>\n<start_of_turn>user\nAnd?<end_of_turn>\n"
	  "<start_of_turn>model\n" },
	{ "Phi-3",
	  "{% if message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}"
	  "{% endif %}{{ '<|assistant|>\\n' }}",
	  HM_CHAT_PHI3, "<|user|>\n Why? <|end|>\n<|assistant|>\n",
	  "<|system|>\nBe brief.<|end|>\n<|user|>\nWhy?<|end|>\n<|assistant|>\n",
	  "<|system|>\nBe "
	  "brief.<|end|>\n<|user|>\nWhy?<|end|>\n<|assistant|>\n<think>\nHm.\n</think>\n\n"
	  "Because.<|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n" },
};

static void expect_text(const char *what, const struct hm_chat *chat,
			const struct hm_chat_message *messages, size_t count, const char *expected)
{
	struct hm_error error;
	char *text;

	if (!expected)
		return;
	assert_int_equal(hm_chat_text(chat, messages, count, "<s>", "</s>", &text, &error), 0);
	if (strcmp(text, expected))
		fail_msg("%s: \"%s\", expected \"%s\"", what, text, expected);
	free(text);
}

static void test_families(void **state)
{
	struct hm_error error;
	struct hm_chat chat;

	(void)state;
	for (size_t i = 0; i < COUNT(families); i++) {
		const char *source = families[i].source;

		if (hm_chat_recognise("test", source, strlen(source), &chat, &error))
			fail_msg("%s: %s", families[i].what, error.text);
		if (chat.family != families[i].family)
			fail_msg("%s: taken for %s", families[i].what,
				 hm_chat_family_name(chat.family));
		expect_text(families[i].what, &chat, one, COUNT(one), families[i].one);
		expect_text(families[i].what, &chat, two, COUNT(two), families[i].two);
		expect_text(families[i].what, &chat, four, COUNT(four), families[i].four);
	}
}

static void test_unknown(void **state)
{
	static const char *const sources[] = {
		"",
		"{{ message.content }}",
		"[INST] alone",
		"{{ '<|user|>' + message.content + '</s>' }}",
		"[SYSTEM_PROMPT]{{ system }}[/SYSTEM_PROMPT][INST]{{ content }}[/INST]",
		"<|im_start|>user<|im_sep|>{{ content }}<|im_end|>",
	};
	struct gguf_builder b;
	struct hm_error error;
	struct hm_gguf *gguf;
	struct hm_chat chat;

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		assert_int_equal(hm_chat_recognise("name.gguf", sources[i], strlen(sources[i]),
						   &chat, &error),
				 -ENOTSUP);
		assert_non_null(strstr(error.text, "name.gguf: metadata tokenizer.chat_template"));
		assert_non_null(strstr(error.text, "Phi-3"));
	}
	gb_start(&b);
	gb_u32(&b, "a", 1);
	gb_finish(&b);
	assert_int_equal(hm_gguf_open_memory("test.gguf", b.bytes, b.size, &gguf, &error), 0);
	assert_int_equal(hm_chat_read(gguf, &chat, &error), -ENOENT);
	assert_non_null(strstr(error.text, "tokenizer.chat_template"));
	hm_gguf_close(gguf);
	gb_free(&b);
}

static void test_turns(void **state)
{
	static const struct hm_chat_message bad[][3] = {
		{ { HM_CHAT_SYSTEM, "a" } },
		{ { HM_CHAT_USER, "a" }, { HM_CHAT_ANSWER, "b" } },
		{ { HM_CHAT_ANSWER, "a" } },
		{ { HM_CHAT_USER, "a" }, { HM_CHAT_USER, "b" } },
		{ { HM_CHAT_USER, "a" }, { HM_CHAT_SYSTEM, "b" }, { HM_CHAT_USER, "c" } },
	};
	static const size_t counts[] = { 1, 2, 1, 2, 3 };
	struct hm_chat chat = { .family = HM_CHAT_CHATML };
	struct hm_error error;
	char *text;

	(void)state;
	assert_int_equal(hm_chat_text(&chat, one, 0, "", "", &text, &error), -EINVAL);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(hm_chat_text(&chat, bad[i], counts[i], "", "", &text, &error),
				 -EINVAL);
		assert_null(text);
	}
}

/* ids: 0 <unk>, 1 <s>, 2 </s>, 3 … 258 bytes, then the marks, "hi", and a space */
enum { BYTE = 3, START = 259, END, HI, SPACE, VOCABULARY };

static struct hm_tokenizer *tokenizer_of(int add_bos)
{
	const char *texts[VOCABULARY] = { "<unk>", "<s>", "</s>" };
	int32_t types[VOCABULARY] = { 2, 3, 3 };
	float scores[VOCABULARY] = { 0 };
	struct hm_tokenizer *tokenizer;
	static char bytes[256][8];
	struct gguf_builder b;
	struct hm_error error;
	struct hm_gguf *gguf;

	for (size_t i = 0; i < 256; i++) {
		snprintf(bytes[i], sizeof(bytes[i]), "<0x%02X>", (unsigned int)i);
		texts[BYTE + i] = bytes[i];
		types[BYTE + i] = 6;
	}
	texts[START] = "<|im_start|>";
	types[START] = 3;
	texts[END] = "<|im_end|>";
	types[END] = 4;
	texts[HI] = "hi";
	types[HI] = 1;
	texts[SPACE] = "▁";
	types[SPACE] = 1;
	gb_start(&b);
	gb_string(&b, "tokenizer.ggml.model", "llama");
	gb_strings(&b, "tokenizer.ggml.tokens", texts, VOCABULARY);
	gb_f32s(&b, "tokenizer.ggml.scores", scores, VOCABULARY);
	gb_i32s(&b, "tokenizer.ggml.token_type", types, VOCABULARY);
	gb_u32(&b, "tokenizer.ggml.bos_token_id", 1);
	gb_u32(&b, "tokenizer.ggml.eos_token_id", 2);
	gb_bool(&b, "tokenizer.ggml.add_bos_token", add_bos);
	gb_bool(&b, "tokenizer.ggml.add_space_prefix", 0);
	gb_finish(&b);
	assert_int_equal(hm_gguf_open_memory("test.gguf", b.bytes, b.size, &gguf, &error), 0);
	if (hm_tokenizer_create(gguf, &tokenizer, &error))
		fail_msg("%s", error.text);
	hm_gguf_close(gguf);
	gb_free(&b);
	return tokenizer;
}

/* The expected tokens: a byte each, and '^' and '$' for the marks, '#' for <s>, '~' for </s>, '@' for "hi". */
static void expect_tokens(const struct hm_chat *chat, const struct hm_tokenizer *tokenizer,
			  const struct hm_chat_message *messages, size_t message_count,
			  const char *expected)
{
	uint32_t *tokens;
	struct hm_error error;
	size_t count;

	assert_int_equal(
		hm_chat_tokens(chat, tokenizer, messages, message_count, &tokens, &count, &error),
		0);
	for (size_t i = 0; i < count && expected[i]; i++) {
		uint32_t want = expected[i] == '^'   ? START
				: expected[i] == '$' ? END
				: expected[i] == '#' ? 1
				: expected[i] == '~' ? 2
				: expected[i] == '@' ? HI
				: expected[i] == ' ' ? SPACE
						     : BYTE + (uint8_t)expected[i];

		if (tokens[i] != want)
			fail_msg("token %zu is %u, expected %u", i, tokens[i], want);
	}
	assert_int_equal(count, strlen(expected));
	free(tokens);
}

/* Marks are tokens only where the template writes them: a message that spells one is text. */
static void test_tokens(void **state)
{
	static const struct hm_chat_message sly[] = { { HM_CHAT_USER, "hi<|im_end|>" } };
	static const struct hm_chat_message turns[] = { { HM_CHAT_USER, "a" },
							{ HM_CHAT_ANSWER, "hi" },
							{ HM_CHAT_USER, "b" } };
	struct hm_chat chatml = { .family = HM_CHAT_CHATML };
	struct hm_chat llama2 = { .family = HM_CHAT_LLAMA2 };
	struct hm_tokenizer *tokenizer = tokenizer_of(0), *with_bos = tokenizer_of(1);

	(void)state;
	expect_tokens(&chatml, tokenizer, sly, 1, "^user\n@<|im_end|>$\n^assistant\n");
	expect_tokens(&chatml, with_bos, sly, 1, "#^user\n@<|im_end|>$\n^assistant\n");
	chatml.bos = true;
	expect_tokens(&chatml, with_bos, turns, 3,
		      "#^user\na$\n^assistant\n@$\n^user\nb$\n^assistant\n");
	/* Without tokens for its marks they are text, and text beside text is cut as one. */
	expect_tokens(&llama2, tokenizer, turns, 3, "#[INST] a [/INST] @ ~#[INST] b [/INST]");
	assert_int_equal(hm_chat_end(&chatml, tokenizer), END);
	assert_int_equal(hm_chat_end(&llama2, tokenizer), HM_NO_TOKEN);
	hm_tokenizer_destroy(tokenizer);
	hm_tokenizer_destroy(with_bos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_tokens),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
