// SPDX-License-Identifier: MIT
/*
 * Recognises chat templates by the marks that they write, and writes conversations with these marks: once, as pieces that are
 * marks, or text, which then become a text or tokens.
 */
#include "chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Recognising ---- */

/* Where @text first is in the source from @from on, or NULL. */
static const char *find(const char *source, size_t length, const char *text)
{
	return memmem(source, length, text, strlen(text));
}

static bool has(const char *source, size_t length, const char *text)
{
	return find(source, length, text) != NULL;
}

/* Literals stand in quotes of either kind. */
static bool has_quoted(const char *source, size_t length, const char *text)
{
	static const char quotes[] = "'\"";
	char quoted[64];

	for (size_t i = 0; i < 2; i++) {
		snprintf(quoted, sizeof(quoted), "%c%s%c", quotes[i], text, quotes[i]);
		if (has(source, length, quoted))
			return true;
	}
	return false;
}

/* Spaces around the marks: "[INST] text [/INST]answer" and others; the first generation has them before the mark too. */
static void read_mistral(const char *source, size_t length, struct hm_chat *chat)
{
	chat->open = has_quoted(source, length, " [INST] ")  ? " [INST] "
		     : has_quoted(source, length, "[INST] ") ? "[INST] "
							     : "[INST]";
	chat->close = has_quoted(source, length, " [/INST]") ? " [/INST]" : "[/INST]";
	chat->before_answer = has(source, length, "' ' + message['content']") ||
					      has(source, length, "\" \" + message[\"content\"]")
				      ? " "
				      : "";
	chat->after_answer =
		has(source, length, "eos_token + ' '") || has(source, length, "eos_token + \" \"")
			? " "
			: "";
}

/*
 * What ChatML's templates write where there is no message of the system: a literal of the mark, the role, a line's end, and the text up
 * to the mark that ends it. A literal that ends before belongs to messages that there are.
 */
static void read_default_system(const char *source, size_t length, struct hm_chat *chat)
{
	static const char start[] = "<|im_start|>system\\n", end[] = "<|im_end|>";
	const char *at = source, *stop = source + length;

	while ((at = find(at, (size_t)(stop - at), start)) != NULL) {
		const char *last;

		at += strlen(start);
		last = find(at, (size_t)(stop - at), end);
		if (!last || last == at || memchr(at, '\'', (size_t)(last - at)) ||
		    memchr(at, '"', (size_t)(last - at)) || memchr(at, '{', (size_t)(last - at)) ||
		    (size_t)(last - at) >= sizeof(chat->system))
			continue;
		memcpy(chat->system, at, (size_t)(last - at));
		chat->system[last - at] = 0;
		return;
	}
}

/* The marks of each family, in an order in which none is taken for another. */
static const struct {
	enum hm_chat_family family;
	const char *name;
	const char *marks[2]; /* all of them */
} families[] = {
	{ HM_CHAT_CHATML, "ChatML", { "<|im_start|>", "<|im_end|>" } },
	{ HM_CHAT_LLAMA3, "Llama 3", { "<|start_header_id|>", "<|eot_id|>" } },
	{ HM_CHAT_GEMMA, "Gemma", { "<start_of_turn>", "<end_of_turn>" } },
	{ HM_CHAT_PHI3, "Phi-3", { "<|user|>", "<|end|>" } },
	{ HM_CHAT_LLAMA2, "Llama 2", { "[INST]", "<<SYS>>" } },
	{ HM_CHAT_MISTRAL, "Mistral", { "[INST]", "[/INST]" } },
};

#define FAMILY_COUNT (sizeof(families) / sizeof(families[0]))

const char *hm_chat_family_name(enum hm_chat_family family)
{
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		if (families[i].family == family)
			return families[i].name;
	return "unknown";
}

int hm_chat_recognise(const char *name, const char *source, size_t length, struct hm_chat *chat,
		      struct hm_error *error)
{
	size_t i = 0;

	*chat = (struct hm_chat){ .bos = has(source, length, "bos_token") };
	while (i < FAMILY_COUNT && !(has(source, length, families[i].marks[0]) &&
				     has(source, length, families[i].marks[1])))
		i++;
	/* Later Mistrals have marks for the system, and Phi-4 has others between ChatML's, that are not written here. */
	if (i == FAMILY_COUNT || has(source, length, "[SYSTEM_PROMPT]") ||
	    has(source, length, "<|im_sep|>"))
		return hm_fail(
			error, -ENOTSUP,
			"%s: metadata tokenizer.chat_template: is none that is known (known: "
			"Llama 2 and 3, Mistral, ChatML (Qwen, SmolLM), Gemma, Phi-3); it "
			"starts with \"%.*s\"",
			name, (int)(length < 60 ? length : 60), source);
	chat->family = families[i].family;
	chat->dates = has(source, length, "Cutting Knowledge Date");
	chat->thoughts = has(source, length, "</think>");
	if (chat->family == HM_CHAT_MISTRAL)
		read_mistral(source, length, chat);
	if (chat->family == HM_CHAT_CHATML)
		read_default_system(source, length, chat);
	return 0;
}

int hm_chat_read(const struct hm_gguf *gguf, struct hm_chat *chat, struct hm_error *error)
{
	struct hm_string source;
	int ret = hm_gguf_string(gguf, "tokenizer.chat_template", true, &source, error);

	return ret ? ret
		   : hm_chat_recognise(hm_gguf_name(gguf), source.bytes, source.length, chat,
				       error);
}

/* ---- Writing ---- */

enum piece {
	PIECE_TEXT,
	PIECE_MARK, /* a token, where the vocabulary has it */
	PIECE_BOS,
	PIECE_EOS,
};

struct writer {
	int (*put)(struct writer *writer, enum piece piece, const char *text, size_t length);
	int ret; /* of the first put() that failed; nothing is put after it */
};

static void put_bytes(struct writer *w, enum piece piece, const char *text, size_t length)
{
	if (!w->ret)
		w->ret = w->put(w, piece, text, length);
}

static void put(struct writer *w, const char *text)
{
	put_bytes(w, PIECE_TEXT, text, strlen(text));
}

static void put_mark(struct writer *w, const char *text)
{
	put_bytes(w, PIECE_MARK, text, strlen(text));
}

static void put_trimmed(struct writer *w, const char *text)
{
	static const char blank[] = " \t\n\v\f\r";
	size_t length;

	text += strspn(text, blank);
	length = strlen(text);
	while (length && strchr(blank, text[length - 1]))
		length--;
	put_bytes(w, PIECE_TEXT, text, length);
}

/* An answer as later turns see it. */
static const char *without_thoughts(const struct hm_chat *chat, const char *text)
{
	static const char end[] = "</think>";
	const char *at;

	while (chat->thoughts && (at = strstr(text, end)) != NULL) {
		text = at + strlen(end);
		text += strspn(text, "\n");
	}
	return text;
}

static void write_llama2(struct writer *w, const struct hm_chat_message *m, const char *system)
{
	if (m->role == HM_CHAT_ANSWER) {
		put(w, " ");
		put_trimmed(w, m->text);
		put(w, " ");
		put_bytes(w, PIECE_EOS, NULL, 0);
		return;
	}
	put_bytes(w, PIECE_BOS, NULL, 0);
	put_mark(w, "[INST]");
	put(w, " ");
	if (system) {
		put(w, "<<SYS>>\n");
		put(w, system);
		put(w, "\n<</SYS>>\n\n");
	}
	put_trimmed(w, m->text);
	put(w, " ");
	put_mark(w, "[/INST]");
}

/* A mark with the spaces around it. */
static void put_spaced_mark(struct writer *w, const char *spaced, const char *mark)
{
	const char *at = strstr(spaced, mark);

	put_bytes(w, PIECE_TEXT, spaced, (size_t)(at - spaced));
	put_mark(w, mark);
	put(w, at + strlen(mark));
}

static void write_mistral(struct writer *w, const struct hm_chat *chat,
			  const struct hm_chat_message *m, const char *system)
{
	if (m->role == HM_CHAT_ANSWER) {
		put(w, chat->before_answer);
		put_trimmed(w, m->text);
		put_bytes(w, PIECE_EOS, NULL, 0);
		put(w, chat->after_answer);
		return;
	}
	put_spaced_mark(w, chat->open, "[INST]");
	if (system) {
		put(w, system);
		put(w, "\n\n");
	}
	put(w, m->text);
	put_spaced_mark(w, chat->close, "[/INST]");
}

/* The head of a message: a role, between marks or after one. */
static void write_head(struct writer *w, const struct hm_chat *chat, enum hm_chat_role role)
{
	static const char *const roles[] = { "system", "user", "assistant" };
	static const char *const phi3[] = { "<|system|>", "<|user|>", "<|assistant|>" };

	switch (chat->family) {
	case HM_CHAT_LLAMA3:
		put_mark(w, "<|start_header_id|>");
		put(w, roles[role]);
		put_mark(w, "<|end_header_id|>");
		put(w, "\n\n");
		return;
	case HM_CHAT_GEMMA:
		put_mark(w, "<start_of_turn>");
		put(w, role == HM_CHAT_ANSWER ? "model\n" : "user\n");
		return;
	case HM_CHAT_PHI3:
		put_mark(w, phi3[role]);
		put(w, "\n");
		return;
	default:
		put_mark(w, "<|im_start|>");
		put(w, roles[role]);
		put(w, "\n");
	}
}

static const char *end_mark(enum hm_chat_family family)
{
	switch (family) {
	case HM_CHAT_LLAMA3:
		return "<|eot_id|>";
	case HM_CHAT_GEMMA:
		return "<end_of_turn>";
	case HM_CHAT_PHI3:
		return "<|end|>";
	case HM_CHAT_CHATML:
		return "<|im_end|>";
	default:
		return NULL; /* the token that ends texts */
	}
}

/* @before: text that comes first in the message; may be NULL. */
static void write_message(struct writer *w, const struct hm_chat *chat,
			  const struct hm_chat_message *m, const char *before)
{
	bool trims = chat->family == HM_CHAT_LLAMA3 || chat->family == HM_CHAT_GEMMA;
	const char *text = m->role == HM_CHAT_ANSWER ? without_thoughts(chat, m->text) : m->text;

	write_head(w, chat, m->role);
	if (before)
		put(w, before);
	if (before && chat->family == HM_CHAT_GEMMA)
		put(w, "\n\n");
	if (trims)
		put_trimmed(w, text);
	else
		put(w, text);
	put_mark(w, end_mark(chat->family));
	if (chat->family != HM_CHAT_LLAMA3)
		put(w, "\n");
}

/* Llama 3.1's day is the one that its template names where it is given none. */
static const char dates[] = "Cutting Knowledge Date: December 2023\n"
			    "Today Date: 26 Jul 2024\n\n";

static int check(const struct hm_chat_message *messages, size_t count, struct hm_error *error)
{
	size_t first = count && messages[0].role == HM_CHAT_SYSTEM, i;

	for (i = first; i < count; i++)
		if (messages[i].role != ((i - first) % 2 ? HM_CHAT_ANSWER : HM_CHAT_USER))
			break;
	if (i == count && count > first && messages[count - 1].role == HM_CHAT_USER)
		return 0;
	return hm_fail(
		error, -EINVAL,
		"message %zu of %zu of a conversation: expected the system's, if at all, then the "
		"user's and answers in turns, the user's first and last",
		i < count ? i + 1 : count, count);
}

static void write_all(struct writer *w, const struct hm_chat *chat,
		      const struct hm_chat_message *messages, size_t count)
{
	bool in_user = chat->family == HM_CHAT_LLAMA2 || chat->family == HM_CHAT_MISTRAL ||
		       chat->family == HM_CHAT_GEMMA;
	bool given = messages[0].role == HM_CHAT_SYSTEM;
	struct hm_chat_message system = { HM_CHAT_SYSTEM, given ? messages[0].text : chat->system };
	bool has_system = given || *system.text;

	if (chat->bos && chat->family != HM_CHAT_LLAMA2)
		put_bytes(w, PIECE_BOS, NULL, 0);
	if (!in_user && (has_system || chat->dates))
		write_message(w, chat, &system, chat->dates ? dates : NULL);
	for (size_t i = given; i < count; i++) {
		/* Where the system has no message of its own, it is a part of the user's first. */
		const char *before = in_user && has_system && i == given ? system.text : NULL;

		if (chat->family == HM_CHAT_LLAMA2)
			write_llama2(w, &messages[i], before);
		else if (chat->family == HM_CHAT_MISTRAL)
			write_mistral(w, chat, &messages[i], before);
		else
			write_message(w, chat, &messages[i], before);
	}
	if (chat->family != HM_CHAT_LLAMA2 && chat->family != HM_CHAT_MISTRAL)
		write_head(w, chat, HM_CHAT_ANSWER);
}

/* ---- As text ---- */

struct text_writer {
	struct writer base;
	const char *bos, *eos;
	char *bytes;
	size_t length;
};

static int append(char **bytes, size_t *length, const char *text, size_t more)
{
	char *longer = realloc(*bytes, *length + more + 1);

	if (!longer)
		return -ENOMEM;
	memcpy(longer + *length, text, more);
	*bytes = longer;
	*length += more;
	longer[*length] = 0;
	return 0;
}

static int put_as_text(struct writer *writer, enum piece piece, const char *text, size_t length)
{
	struct text_writer *w = (struct text_writer *)writer;

	if (piece == PIECE_BOS || piece == PIECE_EOS) {
		text = piece == PIECE_BOS ? w->bos : w->eos;
		length = strlen(text);
	}
	return append(&w->bytes, &w->length, length ? text : "", length);
}

int hm_chat_text(const struct hm_chat *chat, const struct hm_chat_message *messages, size_t count,
		 const char *bos, const char *eos, char **text, struct hm_error *error)
{
	struct text_writer w = { .base = { .put = put_as_text }, .bos = bos, .eos = eos };
	int ret = check(messages, count, error);

	*text = NULL;
	if (ret)
		return ret;
	write_all(&w.base, chat, messages, count);
	if (w.base.ret) {
		free(w.bytes);
		return hm_fail(error, w.base.ret, "no memory for a conversation");
	}
	*text = w.bytes;
	return 0;
}

/* ---- As tokens ---- */

struct token_writer {
	struct writer base;
	const struct hm_tokenizer *tokenizer;
	struct hm_error *error;
	/* Text that no token was made of so far: neighbouring pieces are cut together. */
	char *bytes;
	size_t length;
	uint32_t *tokens;
	size_t count;
};

static int add_tokens(struct token_writer *w, const uint32_t *tokens, size_t count)
{
	uint32_t *longer = reallocarray(w->tokens, w->count + count + 1, sizeof(*longer));

	if (!longer)
		return -ENOMEM;
	memcpy(longer + w->count, tokens, count * sizeof(*tokens));
	w->tokens = longer;
	w->count += count;
	return 0;
}

static int cut_text(struct token_writer *w)
{
	uint32_t *tokens;
	size_t count;
	int ret;

	if (!w->length)
		return 0;
	ret = hm_tokenize_part(w->tokenizer, w->bytes, w->length, &tokens, &count, w->error);
	if (ret)
		return ret;
	w->length = 0;
	if (count)
		ret = add_tokens(w, tokens, count);
	free(tokens);
	return ret;
}

static int put_as_tokens(struct writer *writer, enum piece piece, const char *text, size_t length)
{
	struct token_writer *w = (struct token_writer *)writer;
	uint32_t token = piece == PIECE_BOS    ? hm_tokenizer_bos(w->tokenizer)
			 : piece == PIECE_EOS  ? hm_tokenizer_eos(w->tokenizer)
			 : piece == PIECE_MARK ? hm_tokenizer_special(w->tokenizer, text, length)
					       : HM_NO_TOKEN;
	int ret;

	if (token == HM_NO_TOKEN)
		return length ? append(&w->bytes, &w->length, text, length) : 0;
	ret = cut_text(w);
	return ret ? ret : add_tokens(w, &token, 1);
}

int hm_chat_tokens(const struct hm_chat *chat, const struct hm_tokenizer *tokenizer,
		   const struct hm_chat_message *messages, size_t count, uint32_t **tokens,
		   size_t *token_count, struct hm_error *error)
{
	struct token_writer w = { .base = { .put = put_as_tokens },
				  .tokenizer = tokenizer,
				  .error = error };
	struct hm_chat with_bos = *chat;
	int ret = check(messages, count, error);

	*tokens = NULL;
	*token_count = 0;
	if (ret)
		return ret;
	/* Some files leave it to the tokenizer. */
	with_bos.bos |= hm_tokenizer_adds_bos(tokenizer);
	write_all(&w.base, &with_bos, messages, count);
	ret = w.base.ret ? w.base.ret : cut_text(&w);
	free(w.bytes);
	if (ret) {
		free(w.tokens);
		return ret == -ENOMEM ? hm_fail(error, ret, "no memory for a conversation") : ret;
	}
	*tokens = w.tokens;
	*token_count = w.count;
	return 0;
}

uint32_t hm_chat_end(const struct hm_chat *chat, const struct hm_tokenizer *tokenizer)
{
	const char *mark = end_mark(chat->family);

	return mark ? hm_tokenizer_special(tokenizer, mark, strlen(mark)) : HM_NO_TOKEN;
}
