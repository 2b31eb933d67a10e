// SPDX-License-Identifier: MIT
/*
 * Writes small model files for the fuzz target to begin with, into a folder: both kinds of tokenizer, each with a
 * whole model of one layer, and metadata of every type.
 *
 *	usage: model-corpus FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gguf_builder.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { DIM = 32, HIDDEN = 32, KV_DIM = 16, EXPERTS = 3 };
/* What a model's layer is made of. */
enum layer { PLAIN, MIXTURE, JOINED };
/* Element types and bytes of a block by GGUF's numbers; a block of the quantized has 32 elements. */
enum { F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8 };
enum { Q4_0_BYTES = 18, Q8_0_BYTES = 34 };

static const char *const archs[] = { "llama", "qwen3moe", "phi3" };

/* The same of every architecture. */
static void put_number(struct gguf_builder *b, enum layer layer, const char *name, uint32_t value)
{
	char key[96];

	snprintf(key, sizeof(key), "%s.%s", archs[layer], name);
	gb_u32(b, key, value);
}

static void put_real(struct gguf_builder *b, enum layer layer, const char *name, float value)
{
	char key[96];

	snprintf(key, sizeof(key), "%s.%s", archs[layer], name);
	gb_f32(b, key, value);
}

static void parameters(struct gguf_builder *b, const char *name, enum layer layer,
		       const char *template)
{
	static const float floats[] = { 0.5f, -1 };
	static const int32_t ints[] = { 1, -1, 3 };

	gb_start(b);
	gb_string(b, "general.architecture", archs[layer]);
	gb_string(b, "general.name", name);
	gb_string(b, "tokenizer.chat_template", template);
	put_number(b, layer, "context_length", 16);
	put_number(b, layer, "embedding_length", DIM);
	put_number(b, layer, "block_count", 1);
	put_number(b, layer, "feed_forward_length", HIDDEN);
	put_number(b, layer, "attention.head_count", 4);
	put_number(b, layer, "attention.head_count_kv", 2);
	put_real(b, layer, "attention.layer_norm_rms_epsilon", 1e-5f);
	put_real(b, layer, "rope.freq_base", 10000);
	if (layer == MIXTURE) {
		put_number(b, layer, "expert_count", EXPERTS);
		put_number(b, layer, "expert_used_count", 2);
		put_number(b, layer, "expert_feed_forward_length", HIDDEN);
	}
	if (layer == JOINED) {
		put_number(b, layer, "rope.scaling.original_context_length", 8);
		put_real(b, layer, "rope.scaling.attn_factor", 1.2f);
	}
	gb_f32s(b, "extra.floats", floats, COUNT(floats));
	gb_i32s(b, "extra.ints", ints, COUNT(ints));
}

static uint64_t row_bytes(uint32_t type)
{
	return type == F32    ? 4 * DIM
	       : type == F16  ? 2 * DIM
	       : type == Q4_0 ? Q4_0_BYTES
			      : Q8_0_BYTES;
}

struct matrix {
	const char *name;
	uint64_t rows;
};

static void put_matrices(struct gguf_builder *b, const struct matrix *matrices, size_t count,
			 uint32_t type, uint64_t stack)
{
	char name[64];

	for (size_t i = 0; i < count; i++) {
		uint64_t bytes = row_bytes(type) * matrices[i].rows;

		snprintf(name, sizeof(name), "blk.0.%s.weight", matrices[i].name);
		if (stack)
			gb_stack(b, name, type, DIM, matrices[i].rows, stack, bytes * stack);
		else
			gb_tensor(b, name, type, DIM, matrices[i].rows, bytes);
	}
}

static void tensors(struct gguf_builder *b, uint64_t vocabulary, uint32_t type, enum layer layer)
{
	static const struct matrix attention[] = { { "attn_q", DIM },
						   { "attn_k", KV_DIM },
						   { "attn_v", KV_DIM },
						   { "attn_output", DIM } };
	static const struct matrix plain[] = { { "ffn_gate", HIDDEN },
					       { "ffn_up", HIDDEN },
					       { "ffn_down", DIM } };
	static const struct matrix experts[] = { { "ffn_gate_exps", HIDDEN },
						 { "ffn_up_exps", HIDDEN },
						 { "ffn_down_exps", DIM } };
	static const struct matrix router[] = { { "ffn_gate_inp", EXPERTS } };
	static const struct matrix joined[] = { { "attn_qkv", DIM + 2 * KV_DIM },
						{ "attn_output", DIM },
						{ "ffn_up", 2 * HIDDEN },
						{ "ffn_down", DIM } };

	gb_tensor(b, "token_embd.weight", type, DIM, vocabulary, row_bytes(type) * vocabulary);
	gb_tensor(b, "output_norm.weight", F32, DIM, 1, 4 * DIM);
	gb_tensor(b, "blk.0.attn_norm.weight", F32, DIM, 1, 4 * DIM);
	gb_tensor(b, "blk.0.ffn_norm.weight", F32, DIM, 1, 4 * DIM);
	if (layer == JOINED) {
		put_matrices(b, joined, COUNT(joined), type, 0);
		gb_vector(b, "rope_factors_short.weight", F32, DIM / 8, DIM / 2);
		gb_vector(b, "rope_factors_long.weight", F32, DIM / 8, DIM / 2);
		return;
	}
	put_matrices(b, attention, COUNT(attention), type, 0);
	if (layer == PLAIN) {
		put_matrices(b, plain, COUNT(plain), type, 0);
		return;
	}
	put_matrices(b, router, COUNT(router), F32, 0);
	put_matrices(b, experts, COUNT(experts), type, EXPERTS);
	gb_vector(b, "blk.0.attn_q_norm.weight", F32, DIM / 4, DIM);
	gb_vector(b, "blk.0.attn_k_norm.weight", F32, DIM / 4, DIM);
}

static void finish(struct gguf_builder *b, const char *folder, const char *name, const char *text)
{
	char path[4096];
	FILE *file;

	gb_finish(b);
	memcpy(b->bytes + b->size - strlen(text), text, strlen(text));
	snprintf(path, sizeof(path), "%s/%s.gguf", folder, name);
	file = fopen(path, "wb");
	if (!file || fwrite(b->bytes, 1, b->size, file) != b->size || fclose(file)) {
		perror(path);
		exit(1);
	}
	gb_free(b);
}

static void sentencepiece(const char *folder, const char *name, uint32_t type, enum layer layer)
{
	static const char *const pieces[] = { "<unk>", "<s>", "</s>", "<0x0A>", "<0x61>", "▁",
					      "a",     "b",   "c",    "ab",	"bc",	  "▁a",
					      "▁ab",   "abc", "é",    "l",	"ll",	  "'ll" };
	float scores[COUNT(pieces)];
	int32_t types[COUNT(pieces)];
	struct gguf_builder b;

	for (size_t i = 0; i < COUNT(pieces); i++) {
		scores[i] = -(float)i;
		types[i] = i == 0 ? 2 : i < 3 ? 3 : i < 5 ? 6 : 1;
	}
	parameters(&b, name, layer,
		   layer == JOINED
			   ? "{{ '<|user|>' + c + '<|end|>' }}"
			   : "{{ bos_token + ' [INST] ' + c + ' [/INST]' + eos_token + ' ' }}");
	gb_string(&b, "tokenizer.ggml.model", "llama");
	gb_strings(&b, "tokenizer.ggml.tokens", pieces, COUNT(pieces));
	gb_f32s(&b, "tokenizer.ggml.scores", scores, COUNT(scores));
	gb_i32s(&b, "tokenizer.ggml.token_type", types, COUNT(types));
	gb_u32(&b, "tokenizer.ggml.bos_token_id", 1);
	gb_u32(&b, "tokenizer.ggml.eos_token_id", 2);
	gb_u32(&b, "tokenizer.ggml.unknown_token_id", 0);
	gb_bool(&b, "tokenizer.ggml.add_space_prefix", 1);
	tensors(&b, COUNT(pieces), type, layer);
	finish(&b, folder, name, "abc a'll é\n");
}

static void byte_pairs(const char *folder, const char *name, const char *pre, uint32_t type,
		       enum layer layer)
{
	static const char *const pieces[] = { "a",  "b",  "c",	"x",  "1",   "2",      "l",
					      "'",  "Ġ",  "Ċ",	"Ã",  "©",   "ab",     "abc",
					      "Ġa", "bc", "12", "ll", "'ll", "<|end|>" };
	static const char *const merges[] = { "a b", "ab c", "Ġ a", "b c", "1 2", "l l", "' ll" };
	int32_t types[COUNT(pieces)];
	struct gguf_builder b;

	for (size_t i = 0; i < COUNT(pieces); i++)
		types[i] = i + 1 == COUNT(pieces) ? 3 : 1;
	parameters(&b, name, layer,
		   "{{ '<|im_start|>system\\nYou are.<|im_end|>\\n' }}{{ c.split('</think>') }}");
	gb_string(&b, "tokenizer.ggml.model", "gpt2");
	gb_string(&b, "tokenizer.ggml.pre", pre);
	gb_strings(&b, "tokenizer.ggml.tokens", pieces, COUNT(pieces));
	gb_i32s(&b, "tokenizer.ggml.token_type", types, COUNT(types));
	gb_strings(&b, "tokenizer.ggml.merges", merges, COUNT(merges));
	gb_u32(&b, "tokenizer.ggml.eos_token_id", COUNT(pieces) - 1);
	gb_u32(&b, "tokenizer.ggml.eot_token_id", COUNT(pieces) - 1);
	gb_bool(&b, "tokenizer.ggml.add_bos_token", 0);
	tensors(&b, COUNT(pieces), type, layer);
	finish(&b, folder, name, "abc a'll 12  x\n\nb");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: model-corpus FOLDER\n");
		return 2;
	}
	sentencepiece(argv[1], "sentencepiece-f32", F32, PLAIN);
	sentencepiece(argv[1], "sentencepiece-q8_0", Q8_0, PLAIN);
	byte_pairs(argv[1], "gpt-2-f16", "gpt-2", F16, PLAIN);
	byte_pairs(argv[1], "qwen2-q4_0", "qwen2", Q4_0, PLAIN);
	byte_pairs(argv[1], "llama-bpe-f16", "llama-bpe", F16, PLAIN);
	byte_pairs(argv[1], "experts-q4_0", "qwen2", Q4_0, MIXTURE);
	sentencepiece(argv[1], "joined-q8_0", Q8_0, JOINED);
	return 0;
}
