// SPDX-License-Identifier: MIT
/*
 * What a hostile model file can reach before anything is computed: the GGUF reader, the model's parameters and
 * tensors, the tokenizer that the file describes, and its chat template. Its last bytes are also the text that is tokenized. Any
 * outcome is right but a crash, a leak, a read outside of the file, or a result that contradicts itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "fuzz.h"
#include "params.h"
#include "tokenizer.h"

#define TEXT_BYTES 64
#define MAX_TOKENS 2000 /* of a vocabulary, looked at */

static void require(int truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void use_text(const struct hm_tokenizer *tokenizer, const char *text, size_t length)
{
	struct hm_error error = { "" };
	uint32_t *tokens;
	size_t count, i;

	if (hm_tokenize(tokenizer, text, length, &tokens, &count, &error)) {
		require(error.text[0], "a text is refused without a message");
		return;
	}
	for (i = 0; i < count; i++)
		require(tokens[i] < hm_tokenizer_size(tokenizer),
			"a text has a token that the vocabulary has not");
	free(tokens);
}

static void use_chat(const struct hm_gguf *gguf, const struct hm_tokenizer *tokenizer)
{
	static const struct hm_chat_message messages[] = {
		{ HM_CHAT_SYSTEM, "s" },
		{ HM_CHAT_USER, " a<|im_end|>" },
		{ HM_CHAT_ANSWER, "<think>b</think>\n\nc" },
		{ HM_CHAT_USER, "" },
	};
	struct hm_error error = { "" };
	struct hm_chat chat;
	uint32_t *tokens, end;
	size_t count;
	char *text;

	if (hm_chat_read(gguf, &chat, &error)) {
		require(error.text[0], "a template is refused without a message");
		return;
	}
	end = hm_chat_end(&chat, tokenizer);
	require(end == HM_NO_TOKEN || end < hm_tokenizer_size(tokenizer),
		"an answer ends with no token");
	for (size_t first = 0; first < 2; first++) {
		require(!hm_chat_text(&chat, messages + first, 4 - first, "<s>", "</s>", &text,
				      &error) &&
				text[0],
			"a conversation has no text");
		free(text);
		if (hm_chat_tokens(&chat, tokenizer, messages + first, 4 - first, &tokens, &count,
				   &error))
			continue;
		for (size_t i = 0; i < count; i++)
			require(tokens[i] < hm_tokenizer_size(tokenizer),
				"a conversation has a token that the vocabulary has not");
		free(tokens);
	}
}

static void use_tokenizer(const struct hm_gguf *gguf, const uint8_t *data, size_t size)
{
	static const char *const texts[] = { "", "abc abc", "  a'll 123\n\n x", "\xc3\xa9\xff<s>" };
	struct hm_error error = { "" };
	struct hm_tokenizer *tokenizer;
	uint32_t token, count;
	char bytes[64];
	size_t i;

	if (hm_tokenizer_create(gguf, &tokenizer, &error)) {
		require(error.text[0] && !tokenizer, "a tokenizer is refused without a message");
		return;
	}
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		use_text(tokenizer, texts[i], strlen(texts[i]));
	i = size < TEXT_BYTES ? size : TEXT_BYTES;
	use_text(tokenizer, (const char *)data + size - i, i);
	count = hm_tokenizer_size(tokenizer);
	for (token = 0; token < count && token < MAX_TOKENS; token++) {
		hm_token_bytes(tokenizer, token, token % 2, bytes, sizeof(bytes));
		hm_tokenizer_is_end(tokenizer, token);
	}
	hm_token_bytes(tokenizer, UINT32_MAX, false, bytes, sizeof(bytes));
	use_chat(gguf, tokenizer);
	hm_tokenizer_destroy(tokenizer);
}

static uint64_t sum(const uint8_t *bytes, uint64_t count)
{
	uint64_t total = 0;

	while (count--)
		total += bytes[count];
	return total;
}

static void use_params(const struct hm_gguf *gguf)
{
	struct hm_error error = { "" };
	static volatile uint64_t sink;
	struct hm_tensors tensors;
	struct hm_params params;

	if (hm_params_read(gguf, &params, &error) ||
	    hm_tensors_read(gguf, &params, &tensors, &error)) {
		require(error.text[0], "a model is refused without a message");
		return;
	}
	for (uint64_t i = 0; i < hm_gguf_tensor_count(gguf); i++) {
		const struct hm_gguf_tensor *tensor = hm_gguf_tensor_at(gguf, i);

		sink += sum(tensor->data, tensor->bytes);
	}
	hm_tensors_free(&tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hm_error error = { "" };
	struct hm_gguf *gguf;

	if (hm_gguf_open_memory("input", data, size, &gguf, &error)) {
		require(error.text[0], "a file is refused without a message");
		return 0;
	}
	use_tokenizer(gguf, data, size);
	use_params(gguf);
	hm_gguf_close(gguf);
	return 0;
}
