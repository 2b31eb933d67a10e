/* SPDX-License-Identifier: MIT */
/*
 * Conversations as models were trained to read them. Files carry a program that writes them (tokenizer.chat_template, in
 * Jinja); here it is not run, but recognised by the marks that it writes, and these are written natively: Llama 2 and 3, Mistral,
 * ChatML (Qwen 2, 2.5 and 3, SmolLM), Gemma 2 and 3, Phi-3.
 */
#ifndef HEARTH_HM_CHAT_H
#define HEARTH_HM_CHAT_H

#include "tokenizer.h"

enum hm_chat_family {
	HM_CHAT_LLAMA2,
	HM_CHAT_LLAMA3,
	HM_CHAT_MISTRAL,
	HM_CHAT_CHATML,
	HM_CHAT_GEMMA,
	HM_CHAT_PHI3,
};

#define HM_CHAT_SYSTEM_BYTES 256

/*
 * What is known of a template.
 * @bos: it starts with the token that starts texts.
 * @dates: Llama 3.1 and later: what the model knows, and a day, stand before the system's message.
 * @thoughts: what models thought before they answered is left out of earlier answers (Qwen 3).
 * @open, @close, @before_answer, @after_answer: Mistral's generations differ in the spaces around their marks.
 * @system: the system's message where a conversation has none; "": none.
 */
struct hm_chat {
	enum hm_chat_family family;
	bool bos;
	bool dates;
	bool thoughts;
	const char *open, *close, *before_answer, *after_answer;
	char system[HM_CHAT_SYSTEM_BYTES];
};

enum hm_chat_role {
	HM_CHAT_SYSTEM,
	HM_CHAT_USER,
	HM_CHAT_ANSWER,
};

struct hm_chat_message {
	enum hm_chat_role role;
	const char *text;
};

/* -ENOTSUP if the template is none that is known. @name stands in messages. */
int hm_chat_recognise(const char *name, const char *source, size_t length, struct hm_chat *chat,
		      struct hm_error *error);
/* The template of a file; -ENOENT if it has none. */
int hm_chat_read(const struct hm_gguf *gguf, struct hm_chat *chat, struct hm_error *error);
const char *hm_chat_family_name(enum hm_chat_family family);

/*
 * A conversation up to where the model is to answer: at most one message of the system, first, then messages of the user
 * and answers in turns, the user's first and last; anything else is -EINVAL. The text is what a template would write, with @bos and
 * @eos for the tokens that start and end texts, and is for free().
 */
int hm_chat_text(const struct hm_chat *chat, const struct hm_chat_message *messages, size_t count,
		 const char *bos, const char *eos, char **text, struct hm_error *error);

/*
 * The same as tokens: marks become the tokens that the vocabulary has for them, or text where it has none; messages are only ever
 * text. *@tokens is for free().
 */
int hm_chat_tokens(const struct hm_chat *chat, const struct hm_tokenizer *tokenizer,
		   const struct hm_chat_message *messages, size_t count, uint32_t **tokens,
		   size_t *token_count, struct hm_error *error);

/* The mark that ends an answer, as the tokens that end texts do too; HM_NO_TOKEN if these are all. */
uint32_t hm_chat_end(const struct hm_chat *chat, const struct hm_tokenizer *tokenizer);

#endif /* HEARTH_HM_CHAT_H */
