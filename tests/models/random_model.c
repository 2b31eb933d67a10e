// SPDX-License-Identifier: MIT
/*
 * random-model: writes a GGUF file with the architecture and the shape of a known model, or of a tiny one, and random
 * weights. Speed depends on shapes and types alone; and what a tiny one computes can be compared with other programs.
 *
 *	random-model ARCH SHAPE TYPE FILE [SEED]
 *
 * The same arguments give the same file. Text is bytes: the vocabulary is the 256 bytes, some merges, an end, and unused
 * tokens up to the shape's size. The types are those of hearth.h; vectors are always F32. Large matrices repeat their rows.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gguf.h"
#include "gguf_builder.h"
#include "ref_ops.h"
#include "tokenizer_internal.h"

#define DISTINCT_ROWS 1024u /* of a matrix */

struct shape {
	const char *name;
	uint32_t dim, hidden, layers, heads, kv_heads, head_size, vocabulary;
	bool tied; /* the output matrix is the embedding */
};

static const struct shape shapes[] = {
	{ "tiny", 64, 160, 3, 4, 2, 16, 320, false },
	{ "tiny-tied", 128, 192, 2, 6, 3, 32, 288, true },
	{ "tiny-k", 256, 512, 2, 4, 2, 64, 320, false },
	{ "qwen2.5-0.5b", 896, 4864, 24, 14, 2, 64, 151936, true },
	{ "qwen3-0.6b", 1024, 3072, 28, 16, 8, 128, 151936, true },
	/* With 4 of its 48 layers: for qwen3-a3b. */
	{ "qwen3-30b-a3b", 2048, 1536, 4, 32, 4, 128, 151936, true },
	{ "llama-3.2-1b", 2048, 8192, 16, 32, 8, 64, 128256, true },
};

static const struct arch {
	const char *name;
	const char *pre; /* how its tokenizer cuts words */
	bool bias, head_norms, rope_factors, post_norms;
	float rope_base;
	uint32_t window; /* 0: none */
	float attention_cap, logit_cap;
	const char *written_as;		/* general.architecture, where that is another name */
	uint32_t experts, experts_used; /* 0: the feed-forward part is one */
	bool shared_expert;
	bool joined; /* q, k and v one matrix, the feed-forward part's two another; and factors for long contexts */
} archs[] = {
	{ "llama", "llama-bpe", false, false, false, false, 10000, 0, 0, 0, NULL, 0, 0, false,
	  false },
	{ "llama3", "llama-bpe", false, false, true, false, 500000, 0, 0, 0, "llama", 0, 0, false,
	  false },
	{ "mistral", "llama-bpe", false, false, false, false, 10000, 24, 0, 0, "llama", 0, 0,
	  false },
	{ "qwen2", "qwen2", true, false, false, false, 1000000, 0, 0, 0, NULL, 0, 0, false, false },
	{ "qwen3", "qwen2", false, true, false, false, 1000000, 0, 0, 0, NULL, 0, 0, false, false },
	{ "gemma2", "qwen2", false, false, false, true, 10000, 24, 5, 3, NULL, 0, 0, false, false },
	{ "gemma3", "qwen2", false, true, false, true, 1000000, 24, 0, 0, NULL, 0, 0, false,
	  false },
	{ "mixtral", "llama-bpe", false, false, false, false, 10000, 0, 0, 0, "llama", 4, 2,
	  false },
	{ "qwen2moe", "qwen2", true, false, false, false, 1000000, 0, 0, 0, NULL, 6, 2, true,
	  false },
	{ "qwen3moe", "qwen2", false, true, false, false, 1000000, 0, 0, 0, NULL, 16, 4, false,
	  false },
	{ "qwen3-a3b", "qwen2", false, true, false, false, 1000000, 0, 0, 0, "qwen3moe", 128, 8,
	  false, false },
	{ "phi3", "llama-bpe", false, false, false, false, 10000, 24, 0, 0, NULL, 0, 0, false,
	  true },
};

static const struct {
	const char *name;
	enum hearth_type type;
	uint32_t file_type; /* general.file_type */
} types[] = {
	{ "f32", HEARTH_TYPE_F32, 0 },	      { "f16", HEARTH_TYPE_F16, 1 },
	{ "q4_0", HEARTH_TYPE_Q4_0, 2 },      { "q8_0", HEARTH_TYPE_Q8_0, 7 },
	{ "bf16", HEARTH_TYPE_BF16, 32 },     { "q4_k", HEARTH_TYPE_Q4_K, 14 },
	{ "q5_k", HEARTH_TYPE_Q5_K, 16 },     { "q6_k", HEARTH_TYPE_Q6_K, 18 },
	{ "iq4_nl", HEARTH_TYPE_IQ4_NL, 25 }, { "mxfp4", HEARTH_TYPE_MXFP4, 38 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Random numbers around @mean; matrices have rows, vectors none. */
struct tensor {
	char name[64];
	enum hearth_type type;
	uint32_t rows, columns;
	float mean, spread;
	uint32_t stack; /* of so many matrices; 0: none */
};

struct model {
	const struct arch *arch;
	const struct shape *shape;
	enum hearth_type type;
	uint64_t seed;
	struct tensor *tensors;
	size_t count;
};

static void die(const char *what)
{
	fprintf(stderr, "random-model: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- What is in it ---- */

static void add(struct model *m, int layer, const char *name, uint32_t rows, uint32_t columns,
		float mean, float spread)
{
	struct tensor *t;

	m->tensors = reallocarray(m->tensors, m->count + 1, sizeof(*m->tensors));
	if (!m->tensors)
		die("memory");
	t = &m->tensors[m->count++];
	*t = (struct tensor){ .type = rows ? m->type : HEARTH_TYPE_F32,
			      .rows = rows,
			      .columns = columns,
			      .mean = mean,
			      .spread = spread };
	if (layer < 0)
		snprintf(t->name, sizeof(t->name), "%s", name);
	else
		snprintf(t->name, sizeof(t->name), "blk.%d.%s", layer, name);
}

/* So spread that a product with numbers around 1 is around 1. */
static void add_matrix(struct model *m, int layer, const char *name, uint32_t rows,
		       uint32_t columns)
{
	add(m, layer, name, rows, columns, 0, sqrtf(3.0f / (float)columns));
}

static void add_stack(struct model *m, int layer, const char *name, uint32_t rows, uint32_t columns)
{
	add_matrix(m, layer, name, rows, columns);
	m->tensors[m->count - 1].stack = m->arch->experts;
}

static bool is_mixtral(const struct model *m)
{
	return m->arch->written_as && !strcmp(m->arch->written_as, "llama");
}

/* Of an expert: half of what the shape's feed-forward part has, where files say so; Mixtral's do not. */
static uint32_t expert_hidden(const struct model *m)
{
	return is_mixtral(m) ? m->shape->hidden : m->shape->hidden / 2;
}

static void add_experts(struct model *m, int layer)
{
	const struct shape *s = m->shape;
	uint32_t hidden = expert_hidden(m);

	/* F32, as in models that are quantised; and clear of what is nearly equal. */
	add(m, layer, "ffn_gate_inp.weight", m->arch->experts, s->dim, 0,
	    4 * sqrtf(3.0f / (float)s->dim));
	m->tensors[m->count - 1].type = HEARTH_TYPE_F32;
	add_stack(m, layer, "ffn_gate_exps.weight", hidden, s->dim);
	add_stack(m, layer, "ffn_up_exps.weight", hidden, s->dim);
	add_stack(m, layer, "ffn_down_exps.weight", s->dim, hidden);
	if (!m->arch->shared_expert)
		return;
	add(m, layer, "ffn_gate_inp_shexp.weight", 0, s->dim, 0, 0.5f);
	add_matrix(m, layer, "ffn_gate_shexp.weight", s->hidden, s->dim);
	add_matrix(m, layer, "ffn_up_shexp.weight", s->hidden, s->dim);
	add_matrix(m, layer, "ffn_down_shexp.weight", s->dim, s->hidden);
}

static void add_layer(struct model *m, int layer)
{
	const struct shape *s = m->shape;
	uint32_t q = s->heads * s->head_size, kv = s->kv_heads * s->head_size;

	add(m, layer, "attn_norm.weight", 0, s->dim, 1, 0.2f);
	if (m->arch->joined) {
		add_matrix(m, layer, "attn_qkv.weight", q + 2 * kv, s->dim);
	} else {
		add_matrix(m, layer, "attn_q.weight", q, s->dim);
		add_matrix(m, layer, "attn_k.weight", kv, s->dim);
		add_matrix(m, layer, "attn_v.weight", kv, s->dim);
	}
	if (m->arch->bias) {
		add(m, layer, "attn_q.bias", 0, q, 0, 0.5f);
		add(m, layer, "attn_k.bias", 0, kv, 0, 0.5f);
		add(m, layer, "attn_v.bias", 0, kv, 0, 0.5f);
	}
	if (m->arch->head_norms) {
		add(m, layer, "attn_q_norm.weight", 0, s->head_size, 1, 0.2f);
		add(m, layer, "attn_k_norm.weight", 0, s->head_size, 1, 0.2f);
	}
	add_matrix(m, layer, "attn_output.weight", s->dim, q);
	if (m->arch->post_norms) {
		add(m, layer, "post_attention_norm.weight", 0, s->dim, 1, 0.2f);
		add(m, layer, "post_ffw_norm.weight", 0, s->dim, 1, 0.2f);
	}
	add(m, layer, "ffn_norm.weight", 0, s->dim, 1, 0.2f);
	if (m->arch->experts) {
		add_experts(m, layer);
		return;
	}
	if (m->arch->joined) {
		add_matrix(m, layer, "ffn_up.weight", 2 * s->hidden, s->dim);
	} else {
		add_matrix(m, layer, "ffn_gate.weight", s->hidden, s->dim);
		add_matrix(m, layer, "ffn_up.weight", s->hidden, s->dim);
	}
	add_matrix(m, layer, "ffn_down.weight", s->dim, s->hidden);
}

static void list_tensors(struct model *m)
{
	const struct shape *s = m->shape;

	add(m, -1, "token_embd.weight", s->vocabulary, s->dim, 0, 1);
	add(m, -1, "output_norm.weight", 0, s->dim, 1, 0.2f);
	if (!s->tied)
		add_matrix(m, -1, "output.weight", s->vocabulary, s->dim);
	if (m->arch->rope_factors)
		add(m, -1, "rope_freqs.weight", 0, s->head_size / 2, 8, 7);
	if (m->arch->joined) {
		add(m, -1, "rope_factors_long.weight", 0, s->head_size / 2, 8, 7);
		add(m, -1, "rope_factors_short.weight", 0, s->head_size / 2, 1.5f, 0.5f);
	}
	for (uint32_t i = 0; i < s->layers; i++)
		add_layer(m, (int)i);
}

/* ---- Metadata ---- */

static void put_tokenizer(const struct model *m, struct gguf_builder *b)
{
	static const char *const pairs[][2] = {
		{ "t", "h" }, { "i", "n" }, { "e", "r" }, { "th", "e" }
	};
	uint32_t count = m->shape->vocabulary, end = 256 + COUNT(pairs);
	const char **texts = calloc(count, sizeof(*texts));
	int32_t *kinds = calloc(count, sizeof(*kinds));
	const char *merges[COUNT(pairs)];

	if (!texts || !kinds)
		die("memory");
	for (uint32_t i = 0; i < count; i++) {
		char text[32] = "";

		kinds[i] = i < end    ? HM_TOKEN_NORMAL
			   : i == end ? HM_TOKEN_CONTROL
				      : HM_TOKEN_UNUSED;
		if (i < 256)
			text[hm_bpe_spell((uint8_t)i, text)] = 0;
		else if (i < end)
			snprintf(text, sizeof(text), "%s%s", pairs[i - 256][0], pairs[i - 256][1]);
		else
			snprintf(text, sizeof(text), i == end ? "<|end|>" : "<|unused %u|>", i);
		texts[i] = strdup(text);
		if (!texts[i])
			die("memory");
	}
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s %s", pairs[i][0], pairs[i][1]);
		merges[i] = strdup(text);
		if (!merges[i])
			die("memory");
	}
	gb_string(b, "tokenizer.ggml.model", "gpt2");
	gb_string(b, "tokenizer.ggml.pre", m->arch->pre);
	gb_strings(b, "tokenizer.ggml.tokens", texts, count);
	gb_i32s(b, "tokenizer.ggml.token_type", kinds, count);
	gb_strings(b, "tokenizer.ggml.merges", merges, COUNT(pairs));
	gb_u32(b, "tokenizer.ggml.bos_token_id", end);
	gb_u32(b, "tokenizer.ggml.eos_token_id", end);
	gb_bool(b, "tokenizer.ggml.add_bos_token", 0);
	gb_string(b, "tokenizer.chat_template",
		  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + "
		  "'<|im_end|>\\n' }}{% endfor %}{{ '<|im_start|>assistant\\n' }}");
	for (uint32_t i = 0; i < count; i++)
		free((char *)texts[i]);
	for (size_t i = 0; i < COUNT(pairs); i++)
		free((char *)merges[i]);
	free(texts);
	free(kinds);
}

static void put_metadata(const struct model *m, uint32_t file_type, struct gguf_builder *b)
{
	const struct shape *s = m->shape;
	const char *arch = m->arch->written_as ? m->arch->written_as : m->arch->name;
	const struct {
		const char *name;
		uint32_t value;
	} numbers[] = {
		{ "context_length", 4096 },
		{ "embedding_length", s->dim },
		{ "block_count", s->layers },
		{ "feed_forward_length", s->hidden },
		{ "attention.head_count", s->heads },
		{ "attention.head_count_kv", s->kv_heads },
		{ "attention.key_length", s->head_size },
		{ "attention.value_length", s->head_size },
		{ "rope.dimension_count", s->head_size },
		{ "vocab_size", s->vocabulary },
	};
	char key[96];

	gb_string(b, "general.architecture", arch);
	snprintf(key, sizeof(key), "random %s %s", m->arch->name, s->name);
	gb_string(b, "general.name", key);
	gb_u32(b, "general.file_type", file_type);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		snprintf(key, sizeof(key), "%s.%s", arch, numbers[i].name);
		gb_u32(b, key, numbers[i].value);
	}
	snprintf(key, sizeof(key), "%s.attention.layer_norm_rms_epsilon", arch);
	gb_f32(b, key, 1e-6f);
	snprintf(key, sizeof(key), "%s.rope.freq_base", arch);
	gb_f32(b, key, m->arch->rope_base);
	if (m->arch->experts) {
		const struct {
			const char *name;
			uint32_t value;
		} more[] = {
			{ "expert_count", m->arch->experts },
			{ "expert_used_count", m->arch->experts_used },
			{ "expert_feed_forward_length", expert_hidden(m) },
			{ "expert_shared_feed_forward_length", s->hidden },
		};
		size_t count = m->arch->shared_expert ? 4 : is_mixtral(m) ? 2 : 3;

		for (size_t i = 0; i < count; i++) {
			snprintf(key, sizeof(key), "%s.%s", arch, more[i].name);
			gb_u32(b, key, more[i].value);
		}
	}
	if (m->arch->joined) {
		snprintf(key, sizeof(key), "%s.rope.scaling.original_context_length", arch);
		gb_u32(b, key, 1024);
		snprintf(key, sizeof(key), "%s.rope.scaling.attn_factor", arch);
		gb_f32(b, key, 1.19f);
	}
	if (m->arch->window) {
		snprintf(key, sizeof(key), "%s.attention.sliding_window", arch);
		gb_u32(b, key, m->arch->window);
	}
	if (m->arch->post_norms) { /* both kinds of layers in models of few */
		snprintf(key, sizeof(key), "%s.attention.sliding_window_pattern", arch);
		gb_u32(b, key, 2);
	}
	if (m->arch->attention_cap > 0) {
		snprintf(key, sizeof(key), "%s.attn_logit_softcapping", arch);
		gb_f32(b, key, m->arch->attention_cap);
		snprintf(key, sizeof(key), "%s.final_logit_softcapping", arch);
		gb_f32(b, key, m->arch->logit_cap);
	}
	put_tokenizer(m, b);
}

/* ---- Data ---- */

static float random_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (float)(*state >> 40) / (float)(1 << 23) - 1.0f;
}

static void write_tensor(const struct model *m, size_t index, FILE *file)
{
	static const uint8_t zeros[GB_ALIGNMENT];
	const struct tensor *t = &m->tensors[index];
	uint64_t state = (m->seed * 1000003 + index + 1) * 0x9e3779b97f4a7c15u;
	uint32_t rows = (t->rows ? t->rows : 1) * (t->stack ? t->stack : 1),
		 distinct = rows < DISTINCT_ROWS ? rows : DISTINCT_ROWS;
	uint64_t row_bytes = ref_row_bytes(t->type, t->columns), left;
	float *values = malloc(4ull * t->columns);
	uint8_t *bytes = malloc(row_bytes * distinct);

	if (!values || !bytes)
		die("memory");
	for (int i = 0; i < 8; i++)
		random_number(&state);
	for (uint32_t r = 0; r < distinct; r++) {
		for (uint32_t i = 0; i < t->columns; i++)
			values[i] = t->mean + t->spread * random_number(&state);
		ref_quantise_row(values, t->type, t->columns, bytes + r * row_bytes);
	}
	for (left = row_bytes * rows; left;) {
		uint64_t part = left < row_bytes * distinct ? left : row_bytes * distinct;

		if (fwrite(bytes, 1, part, file) != part)
			die("writing");
		left -= part;
	}
	left = (GB_ALIGNMENT - row_bytes * rows % GB_ALIGNMENT) % GB_ALIGNMENT;
	if (fwrite(zeros, 1, left, file) != left)
		die("writing");
	free(values);
	free(bytes);
}

int main(int argc, char **argv)
{
	struct gguf_builder b;
	struct model m = { .seed = 1 };
	uint32_t file_type = 0;
	bool typed = false;
	FILE *file;

	for (size_t i = 0; argc > 1 && i < COUNT(archs); i++)
		if (!strcmp(argv[1], archs[i].name))
			m.arch = &archs[i];
	for (size_t i = 0; argc > 2 && i < COUNT(shapes); i++)
		if (!strcmp(argv[2], shapes[i].name))
			m.shape = &shapes[i];
	for (size_t i = 0; argc > 3 && i < COUNT(types); i++) {
		if (!strcmp(argv[3], types[i].name)) {
			m.type = types[i].type;
			file_type = types[i].file_type;
			typed = true;
		}
	}
	if (argc < 5 || argc > 6 || !m.arch || !m.shape || !typed) {
		fprintf(stderr, "usage: random-model ARCH SHAPE TYPE FILE [SEED]\nARCH:");
		for (size_t i = 0; i < COUNT(archs); i++)
			fprintf(stderr, " %s", archs[i].name);
		fprintf(stderr, "\nSHAPE:");
		for (size_t i = 0; i < COUNT(shapes); i++)
			fprintf(stderr, " %s", shapes[i].name);
		fprintf(stderr, "\nTYPE:");
		for (size_t i = 0; i < COUNT(types); i++)
			fprintf(stderr, " %s", types[i].name);
		fprintf(stderr, "\n");
		return 2;
	}
	if (argc == 6)
		m.seed = strtoull(argv[5], NULL, 10);
	file = fopen(argv[4], "wb");
	if (!file)
		die(argv[4]);
	gb_start(&b);
	put_metadata(&m, file_type, &b);
	list_tensors(&m);
	for (size_t i = 0; i < m.count; i++) {
		const struct tensor *t = &m.tensors[i];
		uint64_t row_bytes = ref_row_bytes(t->type, t->columns);

		if (t->stack)
			gb_stack(&b, t->name, t->type, t->columns, t->rows, t->stack,
				 row_bytes * t->rows * t->stack);
		else if (t->rows)
			gb_tensor(&b, t->name, t->type, t->columns, t->rows, row_bytes * t->rows);
		else
			gb_vector(&b, t->name, t->type, t->columns, row_bytes);
	}
	gb_finish_header(&b);
	if (fwrite(b.bytes, 1, b.size, file) != b.size)
		die("writing");
	for (size_t i = 0; i < m.count; i++)
		write_tensor(&m, i, file);
	if (fclose(file))
		die(argv[4]);
	gb_free(&b);
	free(m.tensors);
	return 0;
}
