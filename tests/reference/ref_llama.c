// SPDX-License-Identifier: MIT
/*
 * ref-llama: continues a text greedily with a GGUF model, computed in float64 from the
 * operations of ref_ops.h. What hearth-run writes on any device is compared with this. Reads the file with
 * the same reader and tokenizer as hearth-run, and computes everything by itself.
 *
 *	ref-llama MODEL.gguf PROMPT [TOKENS]		writes the text, as hearth-run does
 *	ref-llama --ids MODEL.gguf PROMPT [TOKENS]	writes the new tokens, one a line
 *	ref-llama --margins MODEL.gguf PROMPT [TOKENS]	and how far the best logit leads the second
 *	ref-llama --kv-type=TYPE …			with keys and values rounded to a type, f32, f16, q8_0 or q4_0
 *	ref-llama --context=N …				with room for N tokens, not what the model was trained for
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "params.h"
#include "ref_ops.h"
#include "tokenizer.h"

struct model {
	struct hm_params p;
	struct hm_tensors t;
	uint32_t capacity;
	double **keys; /* [layers] of [capacity × kv_heads × head_size] */
	double **values;
	double *x, *normed, *q, *k, *v, *attention, *gate, *up, *logits, *scores;
	double *weight;	      /* of norms */
	double *rope_factors; /* NULL: none */
	bool round_kv;
	enum hearth_type kv_type;
	double *router, *expert_weights;
	uint32_t *selected;
};

static void *need(size_t count)
{
	void *memory = calloc(count ? count : 1, sizeof(double));

	if (!memory) {
		fprintf(stderr, "ref-llama: out of memory\n");
		exit(1);
	}
	return memory;
}

static void create(struct model *m, uint32_t capacity)
{
	const struct hm_params *p = &m->p;
	size_t q = (size_t)p->heads * p->head_size, kv = (size_t)p->kv_heads * p->head_size;
	uint32_t i;

	m->capacity = capacity;
	m->keys = need(p->layers);
	m->values = need(p->layers);
	for (i = 0; i < p->layers; i++) {
		m->keys[i] = need(capacity * kv);
		m->values[i] = need(capacity * kv);
	}
	m->x = need(p->dim);
	m->normed = need(p->dim);
	m->q = need(q);
	m->k = need(kv);
	m->v = need(kv);
	m->attention = need(q > p->dim ? q : p->dim);
	m->gate = need(p->hidden + p->expert_hidden + p->shared_hidden);
	m->up = need(p->hidden + p->expert_hidden + p->shared_hidden);
	m->router = need(p->experts);
	m->expert_weights = need(p->experts_used);
	m->selected = need(p->experts_used);
	m->logits = need(p->vocabulary);
	m->scores = need(capacity);
	m->weight = need(p->dim > p->head_size ? p->dim : p->head_size);
	if (hm_rope_factors(p, &m->t, capacity)) {
		m->rope_factors = need(p->rope_dims / 2);
		ref_dequantise_row(hm_rope_factors(p, &m->t, capacity)->data, HEARTH_TYPE_F32,
				   p->rope_dims / 2, m->rope_factors);
	}
}

static void add_bias(const struct hm_gguf_tensor *bias, double *x)
{
	uint32_t i, count = bias ? (uint32_t)bias->dims[0] : 0;

	for (i = 0; i < count; i++)
		x[i] += ref_weight(bias->data, HEARTH_TYPE_F32, i);
}

/* Over each head. */
static void norm_heads(struct model *m, const struct hm_gguf_tensor *tensor, double *x,
		       uint32_t heads)
{
	if (!tensor)
		return;
	ref_dequantise_row(tensor->data, HEARTH_TYPE_F32, m->p.head_size, m->weight);
	ref_rms_norm(x, m->weight, x, heads, m->p.head_size, m->p.epsilon);
}

static void rope(struct model *m, double *x, uint32_t position, uint32_t heads, bool window)
{
	const struct hm_params *p = &m->p;
	bool local = window && p->rope_base_window > 0;

	ref_rope_scaled(x, position, 1, heads, p->head_size, p->rope_dims,
			local ? p->rope_base_window : p->rope_base,
			p->rope_halves ? HEARTH_ROPE_HALVES : HEARTH_ROPE_PAIRS,
			local ? 1 : p->rope_scale, m->rope_factors, p->rope_magnitude);
}

static void norm(struct model *m, const struct hm_gguf_tensor *tensor)
{
	ref_dequantise_row(tensor->data, HEARTH_TYPE_F32, m->p.dim, m->weight);
	ref_rms_norm(m->x, m->weight, m->normed, 1, m->p.dim, m->p.epsilon);
}

static void multiply(const struct hm_gguf_tensor *w, const double *x, const double *residual,
		     double *y)
{
	ref_matmul(w->data, (enum hearth_type)w->type, (uint32_t)w->dims[1], (uint32_t)w->dims[0],
		   x, residual, y, NULL, 1);
}

/* x + w · y, or with a norm x + norm(w · y). */
static void add_part(struct model *m, const struct hm_gguf_tensor *w,
		     const struct hm_gguf_tensor *post_norm, const double *y)
{
	if (!post_norm) {
		multiply(w, y, m->x, m->x);
		return;
	}
	multiply(w, y, NULL, m->normed);
	ref_dequantise_row(post_norm->data, HEARTH_TYPE_F32, m->p.dim, m->weight);
	ref_rms_norm(m->normed, m->weight, m->normed, 1, m->p.dim, m->p.epsilon);
	ref_add(m->x, m->normed, m->x, m->p.dim);
}

/* Keys or values as a cache of the type holds them. */
static void keep(const struct model *m, const double *x, double *kept)
{
	uint32_t count = m->p.kv_heads * m->p.head_size;
	float *values;
	void *row;

	memcpy(kept, x, count * sizeof(*x));
	if (!m->round_kv)
		return;
	values = need(count);
	row = need(count);
	for (uint32_t i = 0; i < count; i++)
		values[i] = (float)x[i];
	ref_quantise_row(values, m->kv_type, count, row);
	ref_dequantise_row(row, m->kv_type, count, kept);
	free(values);
	free(row);
}

/* x + weight · down · (silu(gate · normed) * (up · normed)), with matrix @number of each stack. */
static void add_expert(struct model *m, const struct hm_gguf_tensor *gate_stack,
		       const struct hm_gguf_tensor *up_stack,
		       const struct hm_gguf_tensor *down_stack, uint32_t number, double weight)
{
	struct hm_gguf_tensor gate = *gate_stack, up = *up_stack, down = *down_stack;
	uint32_t hidden = (uint32_t)gate.dims[1];
	double *out = m->attention; /* done with, and of dim numbers or more */

	gate.data += gate.bytes / gate.dims[2] * number;
	up.data += up.bytes / up.dims[2] * number;
	down.data += down.bytes / down.dims[2] * number;
	multiply(&gate, m->normed, NULL, m->gate);
	multiply(&up, m->normed, NULL, m->up);
	ref_silu_mul(m->gate, m->up, m->gate, hidden);
	multiply(&down, m->gate, NULL, out);
	for (uint32_t i = 0; i < m->p.dim; i++)
		m->x[i] += weight * out[i];
}

static void add_experts(struct model *m, const struct hm_layer_tensors *t)
{
	const struct hm_params *p = &m->p;
	double weight;

	multiply(t->router, m->normed, NULL, m->router);
	ref_experts_select(m->router, m->selected, m->expert_weights, 1, p->experts,
			   p->experts_used, false, p->experts_normalise, 1);
	for (uint32_t s = 0; s < p->experts_used; s++)
		add_expert(m, t->experts_gate, t->experts_up, t->experts_down, m->selected[s],
			   m->expert_weights[s]);
	if (!t->shared_gate)
		return;
	multiply(t->shared_router, m->normed, NULL, &weight);
	add_expert(m, t->shared_gate, t->shared_up, t->shared_down, 0, 1 / (1 + exp(-weight)));
}

/* One token through the whole model. */
static void step(struct model *m, uint32_t token, uint32_t position)
{
	const struct hm_params *p = &m->p;
	size_t kv = (size_t)p->kv_heads * p->head_size;
	uint32_t i;

	ref_embedding(m->t.embedding->data, (enum hearth_type)m->t.embedding->type, p->vocabulary,
		      p->dim, &token, m->x, 1);
	ref_scale(m->x, m->x, p->dim, p->embedding_scale, 0);
	for (i = 0; i < p->layers; i++) {
		const struct hm_layer_tensors *t = &m->t.layers[i];
		bool window = hm_layer_has_window(p, i);
		const struct ref_attention shape = {
			.scale = p->attention_scale,
			.soft_cap = p->attention_cap,
			.window = window ? p->window : 0,
		};

		norm(m, t->attn_norm);
		multiply(t->attn_q, m->normed, NULL, m->q);
		multiply(t->attn_k, m->normed, NULL, m->k);
		multiply(t->attn_v, m->normed, NULL, m->v);
		add_bias(t->attn_q_bias, m->q);
		add_bias(t->attn_k_bias, m->k);
		add_bias(t->attn_v_bias, m->v);
		norm_heads(m, t->attn_q_norm, m->q, p->heads);
		norm_heads(m, t->attn_k_norm, m->k, p->kv_heads);
		rope(m, m->q, position, p->heads, window);
		rope(m, m->k, position, p->kv_heads, window);
		keep(m, m->k, m->keys[i] + position * kv);
		keep(m, m->v, m->values[i] + position * kv);
		ref_attention(m->q, m->keys[i], m->values[i], m->attention, NULL, m->scores,
			      position, 1, p->heads, p->kv_heads, p->head_size, &shape);
		add_part(m, t->attn_output, t->attn_post_norm, m->attention);
		norm(m, t->ffn_norm);
		if (p->experts) {
			add_experts(m, t);
			continue;
		}
		multiply(t->ffn_gate, m->normed, NULL, m->gate);
		multiply(t->ffn_up, m->normed, NULL, m->up);
		if (p->gelu)
			ref_gelu_mul(m->gate, m->up, m->gate, p->hidden);
		else
			ref_silu_mul(m->gate, m->up, m->gate, p->hidden);
		add_part(m, t->ffn_down, t->ffn_post_norm, m->gate);
	}
	norm(m, m->t.output_norm);
	multiply(m->t.output, m->normed, NULL, m->logits);
	ref_scale(m->logits, m->logits, p->vocabulary, 1, p->logit_cap);
}

/* How far the best logit leads the second. */
static double margin(const struct model *m, uint32_t best)
{
	double second = -INFINITY;
	uint32_t i;

	for (i = 0; i < m->p.vocabulary; i++)
		if (i != best && m->logits[i] > second)
			second = m->logits[i];
	return m->logits[best] - second;
}

static void put_text(const struct hm_tokenizer *tokenizer, uint32_t token, bool first)
{
	char bytes[65536];

	fwrite(bytes, 1, hm_token_bytes(tokenizer, token, first, bytes, sizeof(bytes)), stdout);
}

static bool set_kv_type(struct model *m, const char *name)
{
	static const struct {
		const char *name;
		enum hearth_type type;
	} types[] = {
		{ "f32", HEARTH_TYPE_F32 },
		{ "f16", HEARTH_TYPE_F16 },
		{ "q8_0", HEARTH_TYPE_Q8_0 },
		{ "q4_0", HEARTH_TYPE_Q4_0 },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(name, types[i].name)) {
			m->round_kv = true;
			m->kv_type = types[i].type;
			return true;
		}
	}
	return false;
}

/* What follows @name in one of the arguments, which is taken out; NULL: there is none. */
static const char *take_option(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++) {
		const char *value = argv[i] + strlen(name);

		if (strncmp(argv[i], name, strlen(name)) != 0)
			continue;
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(*argv));
		--*argc;
		return value;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *context = take_option(&argc, argv, "--context=");
	const char *kv = take_option(&argc, argv, "--kv-type=");
	bool margins = argc > 1 && !strcmp(argv[1], "--margins");
	bool ids = margins || (argc > 1 && !strcmp(argv[1], "--ids"));
	struct hm_error error = { "wrong usage" };
	struct hm_tokenizer *tokenizer;
	struct model m = { 0 };
	struct hm_gguf *gguf;
	uint32_t *prompt, best, written = 0, most = UINT32_MAX, position;
	size_t count, i;

	argc -= ids;
	argv += ids;
	if (argc < 3 || argc > 4 || (kv && !set_kv_type(&m, kv))) {
		fprintf(stderr, "usage: ref-llama [--kv-type=TYPE] [--context=N] [--ids|--margins] "
				"MODEL.gguf "
				"PROMPT [TOKENS]\n");
		return 2;
	}
	if (argc == 4)
		most = (uint32_t)strtoul(argv[3], NULL, 10);
	if (hm_gguf_open(argv[1], &gguf, &error) || hm_tokenizer_create(gguf, &tokenizer, &error) ||
	    hm_params_read(gguf, &m.p, &error) || hm_tensors_read(gguf, &m.p, &m.t, &error) ||
	    hm_tokenize(tokenizer, argv[2], strlen(argv[2]), &prompt, &count, &error)) {
		fprintf(stderr, "ref-llama: %s\n", error.text);
		return 1;
	}
	create(&m, context ? (uint32_t)strtoul(context, NULL, 10) : m.p.context);
	if (!count || count >= m.capacity) {
		fprintf(stderr, "ref-llama: the prompt has %zu tokens, the context %u\n", count,
			m.capacity);
		return 1;
	}
	for (i = 0; i < count; i++) {
		step(&m, prompt[i], (uint32_t)i);
		if (!ids)
			put_text(tokenizer, prompt[i],
				 i == (prompt[0] == hm_tokenizer_bos(tokenizer)));
	}
	for (position = (uint32_t)count;; position++) {
		ref_argmax(m.logits, &best, 1, m.p.vocabulary);
		if (hm_tokenizer_is_end(tokenizer, best))
			break;
		if (margins)
			printf("%u %.6f\n", best, margin(&m, best));
		else if (ids)
			printf("%u\n", best);
		else
			put_text(tokenizer, best, false);
		fflush(stdout);
		if (++written == most || position == m.capacity)
			break;
		step(&m, best, position);
	}
	if (!ids)
		putchar('\n');
	return 0;
}
