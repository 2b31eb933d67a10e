// SPDX-License-Identifier: MIT
/*
 * ggml-model: runs a GGUF model of the Llama kind on ggml's CPU backend, through ggml's public interface, with the graph
 * that llama.cpp makes of it: weights in the CPU's repacked layouts where it has one, a F16 cache, flash attention, a
 * thread pool, and a graph that is kept as long as it fits. What hearth-run is compared with; shares no code with it.
 *
 *	ggml-model [--device NAME] …	on another of ggml's devices, such as Vulkan0, and all of it there
 *	ggml-model --ids MODEL COUNT THREADS ID…	continues the tokens greedily: "ID LEAD" a line, where LEAD is how far the
 *							best logit leads the second
 *	ggml-model --speed MODEL PROMPT COUNT THREADS	"prompt T/S T/CPU" and "text T/S T/CPU", after a warm-up: tokens a
 *							second, and a second of processor time
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>
#include <gguf.h>

#define MAX_LAYERS  128
#define MAX_NODES   8192
#define KV_STEP	    256 /* the graph sees the cache in multiples of this */
#define MASK_ROWS   64	/* rows of the mask come in multiples of this */
#define MAX_CONTEXT 2048

struct layer {
	struct ggml_tensor *attn_norm, *q, *k, *v, *q_bias, *k_bias, *v_bias, *q_norm, *k_norm,
		*out;
	struct ggml_tensor *ffn_norm, *gate, *up, *down;
	struct ggml_tensor *qkv; /* NULL: they are apart */
	struct ggml_tensor *router, *experts_gate, *experts_up, *experts_down; /* NULL: none */
	struct ggml_tensor *shared_router, *shared_gate, *shared_up, *shared_down;
	struct ggml_tensor *attn_post_norm, *ffn_post_norm; /* NULL: none */
	struct ggml_tensor *keys, *values;
};

/* A step of @rows tokens that sees @seen positions of the cache. */
struct graph {
	struct ggml_context *context;
	struct ggml_cgraph *ggml;
	ggml_gallocr_t memory;
	int rows, seen;
	struct ggml_tensor *tokens, *positions, *cells, *mask, *window_mask, *last, *logits;
};

struct model {
	ggml_backend_dev_t device;
	ggml_backend_t backend;
	int layer_count, dim, heads, kv_heads, head_size, rope_dims, rope_mode, vocabulary;
	int window, window_period; /* 0: no layer has one; all have one */
	int experts_used;
	bool gemma, experts_normalise;
	float rope_magnitude;
	float epsilon, rope_base, rope_base_window, attention_cap, logit_cap;
	struct ggml_tensor *embedding, *output_norm, *output, *rope_factors;
	struct layer layers[MAX_LAYERS];
	struct graph graph;
	float *logits;
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "ggml-model: %s: %s\n", what, detail);
	exit(1);
}

static void *need(void *pointer, const char *what)
{
	if (!pointer)
		die(what, "cannot be had");
	return pointer;
}

/* ---- Loading ---- */

struct loader {
	struct gguf_context *gguf;
	struct ggml_context *meta;
	FILE *file;
	struct ggml_context *plain, *packed; /* tensors in ordinary memory, in repacked layouts */
	ggml_backend_buffer_type_t packed_type;
	const char *arch;
};

static int64_t find_key(const struct loader *l, const char *name)
{
	char key[128];

	snprintf(key, sizeof(key), "%s.%s", l->arch, name);
	return gguf_find_key(l->gguf, key);
}

static int number(const struct loader *l, const char *name, int fallback)
{
	int64_t key = find_key(l, name);

	return key < 0 ? fallback : (int)gguf_get_val_u32(l->gguf, key);
}

static float real(const struct loader *l, const char *name, float fallback)
{
	int64_t key = find_key(l, name);

	return key < 0 ? fallback : gguf_get_val_f32(l->gguf, key);
}

/* Whether the CPU multiplies with such a matrix in memory of @type. */
static bool multiplies(ggml_backend_dev_t device, ggml_backend_buffer_type_t type,
		       const struct ggml_tensor *like)
{
	struct ggml_init_params params = { 8 * ggml_tensor_overhead(), NULL, true };
	struct ggml_context *context = need(ggml_init(params), "a context");
	struct ggml_tensor *w = ggml_dup_tensor(context, like);
	struct ggml_tensor *x = ggml_new_tensor_2d(context, GGML_TYPE_F32, like->ne[0], 512);
	struct ggml_tensor *y = ggml_mul_mat(context, w, x);
	bool yes;

	w->buffer = ggml_backend_buft_alloc_buffer(type, 0);
	yes = ggml_backend_dev_supports_op(device, y);
	ggml_backend_buffer_free(w->buffer);
	ggml_free(context);
	return yes;
}

/* The first of the CPU's own layouts that takes the matrices; NULL if none does. */
static ggml_backend_buffer_type_t choose_layout(ggml_backend_dev_t device,
						const struct ggml_tensor *like)
{
	ggml_backend_dev_get_extra_bufts_t get =
		(ggml_backend_dev_get_extra_bufts_t)ggml_backend_reg_get_proc_address(
			ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts");
	ggml_backend_buffer_type_t *types = get ? get(device) : NULL;

	for (; types && *types; types++)
		if (multiplies(device, *types, like))
			return *types;
	return NULL;
}

static struct ggml_tensor *want(struct loader *l, struct model *m, int layer, const char *name,
				bool matrix, bool required)
{
	char full[128];
	struct ggml_tensor *meta, *tensor;

	if (layer < 0)
		snprintf(full, sizeof(full), "%s", name);
	else
		snprintf(full, sizeof(full), "blk.%d.%s", layer, name);
	meta = ggml_get_tensor(l->meta, full);
	if (!meta) {
		if (required)
			die(full, "missing");
		return NULL;
	}
	if (matrix && !l->packed_type)
		matrix = false;
	if (matrix && !multiplies(m->device, l->packed_type, meta))
		matrix = false;
	tensor = ggml_dup_tensor(matrix ? l->packed : l->plain, meta);
	return ggml_set_name(tensor, full);
}

static void read_data(struct loader *l, struct ggml_context *context)
{
	struct ggml_tensor *t;

	for (t = ggml_get_first_tensor(context); t; t = ggml_get_next_tensor(context, t)) {
		int64_t index = gguf_find_tensor(l->gguf, t->name);
		size_t bytes = ggml_nbytes(t);
		void *data;

		if (index < 0)
			continue;
		data = need(malloc(bytes), "memory");
		if (fseek(l->file,
			  (long)(gguf_get_data_offset(l->gguf) +
				 gguf_get_tensor_offset(l->gguf, index)),
			  SEEK_SET) ||
		    fread(data, 1, bytes, l->file) != bytes)
			die(t->name, "cannot be read");
		ggml_backend_tensor_set(t, data, 0, bytes);
		free(data);
	}
}

static void load_layer(struct loader *l, struct model *m, int i)
{
	struct layer *layer = &m->layers[i];
	int64_t row = (int64_t)m->kv_heads * m->head_size;

	layer->attn_norm = want(l, m, i, "attn_norm.weight", false, true);
	layer->qkv = want(l, m, i, "attn_qkv.weight", true, false);
	layer->q = want(l, m, i, "attn_q.weight", true, !layer->qkv);
	layer->k = want(l, m, i, "attn_k.weight", true, !layer->qkv);
	layer->v = want(l, m, i, "attn_v.weight", true, !layer->qkv);
	layer->q_bias = want(l, m, i, "attn_q.bias", false, false);
	layer->k_bias = want(l, m, i, "attn_k.bias", false, false);
	layer->v_bias = want(l, m, i, "attn_v.bias", false, false);
	layer->q_norm = want(l, m, i, "attn_q_norm.weight", false, false);
	layer->k_norm = want(l, m, i, "attn_k_norm.weight", false, false);
	layer->out = want(l, m, i, "attn_output.weight", true, true);
	layer->attn_post_norm = want(l, m, i, "post_attention_norm.weight", false, false);
	layer->ffn_post_norm = want(l, m, i, "post_ffw_norm.weight", false, false);
	layer->ffn_norm = want(l, m, i, "ffn_norm.weight", false, true);
	layer->router = want(l, m, i, "ffn_gate_inp.weight", false, false);
	layer->experts_gate = want(l, m, i, "ffn_gate_exps.weight", false, layer->router != NULL);
	layer->experts_up = want(l, m, i, "ffn_up_exps.weight", false, layer->router != NULL);
	layer->experts_down = want(l, m, i, "ffn_down_exps.weight", false, layer->router != NULL);
	layer->shared_router = want(l, m, i, "ffn_gate_inp_shexp.weight", false, false);
	layer->shared_gate = want(l, m, i, "ffn_gate_shexp.weight", true, false);
	layer->shared_up = want(l, m, i, "ffn_up_shexp.weight", true, false);
	layer->shared_down = want(l, m, i, "ffn_down_shexp.weight", true, false);
	layer->gate = want(l, m, i, "ffn_gate.weight", true, !layer->router && !layer->qkv);
	layer->up = want(l, m, i, "ffn_up.weight", true, !layer->router);
	layer->down = want(l, m, i, "ffn_down.weight", true, !layer->router);
	layer->keys = ggml_new_tensor_2d(l->plain, GGML_TYPE_F16, row, MAX_CONTEXT);
	layer->values = ggml_new_tensor_2d(l->plain, GGML_TYPE_F16, row, MAX_CONTEXT);
}

static void set_threads(struct model *m, int threads)
{
	ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(m->device);
	ggml_backend_set_n_threads_t set =
		(ggml_backend_set_n_threads_t)ggml_backend_reg_get_proc_address(
			reg, "ggml_backend_set_n_threads");
	struct ggml_threadpool *(*pool_new)(struct ggml_threadpool_params *) =
		(struct ggml_threadpool * (*)(struct ggml_threadpool_params *))
			ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_new");
	void (*pool_set)(ggml_backend_t, struct ggml_threadpool *) =
		(void (*)(ggml_backend_t, struct ggml_threadpool *))
			ggml_backend_reg_get_proc_address(reg, "ggml_backend_cpu_set_threadpool");
	struct ggml_threadpool_params params = ggml_threadpool_params_default(threads);

	if (set)
		set(m->backend, threads);
	if (pool_new && pool_set)
		pool_set(m->backend, need(pool_new(&params), "a thread pool"));
}

/* @device: NULL for the CPU. */
static void load(struct model *m, const char *device, const char *path, int threads)
{
	struct loader l = { 0 };
	struct gguf_init_params gguf_params = { .no_alloc = true, .ctx = &l.meta };
	struct ggml_init_params params = { 4096 * ggml_tensor_overhead(), NULL, true };
	struct ggml_tensor *first;

	ggml_backend_load_all();
	m->device = need(device ? ggml_backend_dev_by_name(device)
				: ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU),
			 device ?: "ggml's CPU backend");
	m->backend = need(ggml_backend_dev_init(m->device, NULL), "its backend");
	set_threads(m, threads);
	l.gguf = need(gguf_init_from_file(path, gguf_params), path);
	l.file = need(fopen(path, "rb"), path);
	l.arch = gguf_get_val_str(l.gguf, gguf_find_key(l.gguf, "general.architecture"));
	l.plain = need(ggml_init(params), "a context");
	l.packed = need(ggml_init(params), "a context");
	m->layer_count = number(&l, "block_count", 0);
	m->dim = number(&l, "embedding_length", 0);
	m->heads = number(&l, "attention.head_count", 0);
	m->kv_heads = number(&l, "attention.head_count_kv", m->heads);
	m->head_size = number(&l, "attention.key_length", m->heads ? m->dim / m->heads : 0);
	m->rope_dims = number(&l, "rope.dimension_count", m->head_size);
	m->rope_mode = strcmp(l.arch, "llama") ? GGML_ROPE_TYPE_NEOX : GGML_ROPE_TYPE_NORMAL;
	m->rope_base = real(&l, "rope.freq_base", 10000);
	m->epsilon = real(&l, "attention.layer_norm_rms_epsilon", 1e-5f);
	m->experts_used = number(&l, "expert_used_count", 0);
	m->experts_normalise = strcmp(l.arch, "qwen2moe") != 0;
	m->gemma = !strncmp(l.arch, "gemma", 5);
	m->window = number(&l, "attention.sliding_window", 0);
	m->window_period = number(&l, "attention.sliding_window_pattern", 0);
	m->rope_base_window = strcmp(l.arch, "gemma3") ? m->rope_base : 10000;
	m->attention_cap = real(&l, "attn_logit_softcapping", 0);
	m->logit_cap = real(&l, "final_logit_softcapping", 0);
	if (m->layer_count < 1 || m->layer_count > MAX_LAYERS || m->heads < 1)
		die(path, "not a model that is known here");
	first = need(ggml_get_tensor(l.meta, "blk.0.attn_output.weight"),
		     "blk.0.attn_output.weight");
	l.packed_type = choose_layout(m->device, first);
	fprintf(stderr, "ggml-model: %s, weights in %s\n", ggml_backend_dev_description(m->device),
		l.packed_type ? ggml_backend_buft_name(l.packed_type) : "ordinary memory");
	m->embedding = want(&l, m, -1, "token_embd.weight", false, true);
	m->output_norm = want(&l, m, -1, "output_norm.weight", false, true);
	/* Of the two for contexts that are short and long, those for what the model was trained for. */
	m->rope_factors =
		want(&l, m, -1,
		     number(&l, "context_length", 0) >
				     number(&l, "rope.scaling.original_context_length", INT32_MAX)
			     ? "rope_factors_long.weight"
			     : "rope_freqs.weight",
		     false, false);
	m->rope_magnitude = real(&l, "rope.scaling.attn_factor", 1);
	m->output = want(&l, m, -1, "output.weight", true, false);
	if (!m->output) /* the embedding again, in the layout for products */
		m->output = want(&l, m, -1, "token_embd.weight", true, true);
	m->vocabulary = (int)m->output->ne[1];
	for (int i = 0; i < m->layer_count; i++)
		load_layer(&l, m, i);
	need(ggml_backend_alloc_ctx_tensors_from_buft(l.plain,
						      ggml_backend_dev_buffer_type(m->device)),
	     "memory");
	if (l.packed_type && ggml_get_first_tensor(l.packed))
		need(ggml_backend_alloc_ctx_tensors_from_buft(l.packed, l.packed_type), "memory");
	for (int i = 0; i < m->layer_count; i++) {
		ggml_backend_tensor_memset(m->layers[i].keys, 0, 0, ggml_nbytes(m->layers[i].keys));
		ggml_backend_tensor_memset(m->layers[i].values, 0, 0,
					   ggml_nbytes(m->layers[i].values));
	}
	read_data(&l, l.plain);
	read_data(&l, l.packed);
	fclose(l.file);
	gguf_free(l.gguf);
	m->logits = need(malloc(sizeof(float) * (size_t)m->vocabulary), "memory");
}

/* ---- The graph ---- */

static struct ggml_tensor *norm(struct model *m, struct ggml_context *c, struct ggml_tensor *x,
				struct ggml_tensor *weight)
{
	return ggml_mul(c, ggml_rms_norm(c, x, m->epsilon), weight);
}

static struct ggml_tensor *project(struct ggml_context *c, struct ggml_tensor *w,
				   struct ggml_tensor *bias, struct ggml_tensor *x)
{
	struct ggml_tensor *y = ggml_mul_mat(c, w, x);

	return bias ? ggml_add(c, y, bias) : y;
}

static bool has_window(const struct model *m, const struct layer *layer)
{
	return m->window && (!m->window_period || (layer - m->layers + 1) % m->window_period != 0);
}

static struct ggml_tensor *rope(struct model *m, struct ggml_tensor *x, bool window)
{
	struct graph *g = &m->graph;

	return ggml_rope_ext(g->context, x, g->positions, m->rope_factors, m->rope_dims,
			     m->rope_mode, 4096, window ? m->rope_base_window : m->rope_base, 1, 0,
			     m->rope_magnitude, 32, 1);
}

static struct ggml_tensor *seen(struct model *m, struct ggml_tensor *cache)
{
	struct ggml_context *c = m->graph.context;
	size_t head = ggml_row_size(cache->type, m->head_size);

	return ggml_permute(c,
			    ggml_view_3d(c, cache, m->head_size, m->kv_heads, m->graph.seen, head,
					 cache->nb[1], 0),
			    0, 2, 1, 3);
}

static struct ggml_tensor *attend(struct model *m, struct layer *layer, struct ggml_tensor *x)
{
	struct graph *g = &m->graph;
	struct ggml_context *c = g->context;
	bool window = has_window(m, layer);
	struct ggml_tensor *q, *k, *v, *y;

	if (layer->qkv) {
		size_t head = sizeof(float) * (size_t)m->head_size;

		y = ggml_mul_mat(c, layer->qkv, x);
		q = ggml_view_3d(c, y, m->head_size, m->heads, g->rows, head, y->nb[1], 0);
		k = ggml_view_3d(c, y, m->head_size, m->kv_heads, g->rows, head, y->nb[1],
				 head * (size_t)m->heads);
		v = ggml_cont(c, ggml_view_2d(c, y, (int64_t)m->head_size * m->kv_heads, g->rows,
					      y->nb[1], head * (size_t)(m->heads + m->kv_heads)));
	} else {
		q = project(c, layer->q, layer->q_bias, x);
		k = project(c, layer->k, layer->k_bias, x);
		v = project(c, layer->v, layer->v_bias, x);
		q = ggml_reshape_3d(c, q, m->head_size, m->heads, g->rows);
		k = ggml_reshape_3d(c, k, m->head_size, m->kv_heads, g->rows);
	}
	if (layer->q_norm)
		q = norm(m, c, q, layer->q_norm);
	if (layer->k_norm)
		k = norm(m, c, k, layer->k_norm);
	q = rope(m, q, window);
	k = ggml_reshape_2d(c, rope(m, k, window), (int64_t)m->head_size * m->kv_heads, g->rows);
	ggml_build_forward_expand(g->ggml, ggml_set_rows(c, layer->keys, k, g->cells));
	ggml_build_forward_expand(g->ggml, ggml_set_rows(c, layer->values, v, g->cells));
	y = ggml_flash_attn_ext(c, ggml_permute(c, q, 0, 2, 1, 3), seen(m, layer->keys),
				seen(m, layer->values), window ? g->window_mask : g->mask,
				1 / sqrtf((float)m->head_size), 0, m->attention_cap);
	y = ggml_reshape_2d(c, y, (int64_t)m->head_size * m->heads, g->rows);
	return ggml_mul_mat(c, layer->out, y);
}

/* What the experts of each row make of it; @x: [dim × rows]. */
static struct ggml_tensor *ask_experts(struct model *m, struct layer *layer, struct ggml_tensor *x)
{
	struct ggml_context *c = m->graph.context;
	int64_t rows = x->ne[1], experts = layer->router->ne[1], used = m->experts_used;
	struct ggml_tensor *all = ggml_soft_max(c, ggml_mul_mat(c, layer->router, x));
	struct ggml_tensor *chosen = ggml_argsort_top_k(c, all, (int)used);
	struct ggml_tensor *weights =
		ggml_get_rows(c, ggml_reshape_3d(c, all, 1, experts, rows), chosen);
	struct ggml_tensor *row = ggml_reshape_3d(c, x, x->ne[0], 1, rows), *y, *sum = NULL;

	if (m->experts_normalise) {
		weights = ggml_reshape_2d(c, weights, used, rows);
		weights = ggml_div(c, weights, ggml_sum_rows(c, weights));
		weights = ggml_reshape_3d(c, weights, 1, used, rows);
	}
	y = ggml_swiglu_split(c, ggml_mul_mat_id(c, layer->experts_gate, row, chosen),
			      ggml_mul_mat_id(c, layer->experts_up, row, chosen));
	y = ggml_mul(c, ggml_mul_mat_id(c, layer->experts_down, y, chosen), weights);
	for (int64_t i = 0; i < used; i++) {
		struct ggml_tensor *part =
			ggml_view_2d(c, y, x->ne[0], rows, y->nb[2], (size_t)i * y->nb[1]);

		sum = sum ? ggml_add(c, sum, part) : part;
	}
	if (!layer->shared_gate)
		return used > 1 ? sum : ggml_cont(c, sum);
	y = ggml_swiglu_split(c, ggml_mul_mat(c, layer->shared_gate, x),
			      ggml_mul_mat(c, layer->shared_up, x));
	y = ggml_mul_mat(c, layer->shared_down, y);
	return ggml_add(c, sum,
			ggml_mul(c, y, ggml_sigmoid(c, ggml_mul_mat(c, layer->shared_router, x))));
}

static void build(struct model *m, int rows, int seen_positions)
{
	struct ggml_init_params params = { MAX_NODES * ggml_tensor_overhead() +
						   ggml_graph_overhead_custom(MAX_NODES, false),
					   NULL, true };
	struct graph *g = &m->graph;
	struct ggml_context *c;
	struct ggml_tensor *x;

	if (g->context) {
		ggml_gallocr_free(g->memory);
		ggml_free(g->context);
	}
	g->rows = rows;
	g->seen = seen_positions;
	g->context = c = need(ggml_init(params), "a context");
	g->ggml = ggml_new_graph_custom(c, MAX_NODES, false);
	g->tokens = ggml_new_tensor_1d(c, GGML_TYPE_I32, rows);
	g->positions = ggml_new_tensor_1d(c, GGML_TYPE_I32, rows);
	g->cells = ggml_new_tensor_1d(c, GGML_TYPE_I64, rows);
	g->last = ggml_new_tensor_1d(c, GGML_TYPE_I32, 1);
	g->mask = ggml_new_tensor_2d(c, GGML_TYPE_F16, seen_positions, GGML_PAD(rows, MASK_ROWS));
	ggml_set_input(g->tokens);
	ggml_set_input(g->positions);
	ggml_set_input(g->cells);
	ggml_set_input(g->last);
	g->window_mask = ggml_dup_tensor(c, g->mask);
	ggml_set_input(g->mask);
	ggml_set_input(g->window_mask);
	x = ggml_get_rows(c, m->embedding, g->tokens);
	if (m->gemma)
		x = ggml_scale(c, x, sqrtf((float)m->dim));
	for (int i = 0; i < m->layer_count; i++) {
		struct layer *layer = &m->layers[i];
		struct ggml_tensor *y = attend(m, layer, norm(m, c, x, layer->attn_norm));

		if (i == m->layer_count - 1) { /* only the last row is wanted */
			y = ggml_get_rows(c, y, g->last);
			x = ggml_get_rows(c, x, g->last);
		}
		if (layer->attn_post_norm)
			y = norm(m, c, y, layer->attn_post_norm);
		x = ggml_add(c, y, x);
		y = norm(m, c, x, layer->ffn_norm);
		if (layer->router) {
			x = ggml_add(c, ask_experts(m, layer, y), x);
			continue;
		}
		if (layer->qkv)
			y = ggml_swiglu(c, ggml_mul_mat(c, layer->up, y));
		else
			y = (m->gemma ? ggml_geglu_split : ggml_swiglu_split)(
				c, ggml_mul_mat(c, layer->gate, y), ggml_mul_mat(c, layer->up, y));
		y = ggml_mul_mat(c, layer->down, y);
		if (layer->ffn_post_norm)
			y = norm(m, c, y, layer->ffn_post_norm);
		x = ggml_add(c, y, x);
	}
	g->logits = ggml_mul_mat(c, m->output, norm(m, c, x, m->output_norm));
	if (m->logit_cap > 0)
		g->logits = ggml_scale(c, ggml_tanh(c, ggml_scale(c, g->logits, 1 / m->logit_cap)),
				       m->logit_cap);
	ggml_set_output(g->logits);
	ggml_build_forward_expand(g->ggml, g->logits);
	/* What no layer reads has to be in memory all the same. */
	ggml_build_forward_expand(g->ggml, g->mask);
	ggml_build_forward_expand(g->ggml, g->window_mask);
	g->memory = need(ggml_gallocr_new(ggml_backend_dev_buffer_type(m->device)), "memory");
	if (!ggml_gallocr_alloc_graph(g->memory, g->ggml))
		die("the graph", "no memory");
}

/* ---- Running ---- */

static void step(struct model *m, const int32_t *tokens, int rows, int position)
{
	int seen_positions = GGML_PAD(position + rows, KV_STEP);
	struct graph *g = &m->graph;
	int32_t last = rows - 1;
	ggml_fp16_t none = ggml_fp32_to_fp16(-INFINITY), all = ggml_fp32_to_fp16(0);
	ggml_fp16_t *mask;

	if (seen_positions > MAX_CONTEXT)
		die("the context", "is too small");
	if (g->rows != rows || g->seen != seen_positions)
		build(m, rows, seen_positions);
	mask = need(malloc(ggml_nbytes(g->mask)), "memory");
	for (int64_t r = 0; r < g->mask->ne[1]; r++)
		for (int64_t j = 0; j < g->seen; j++)
			mask[r * g->seen + j] = r < rows && j <= position + r ? all : none;
	for (int32_t r = 0; r < rows; r++) {
		int32_t at = position + r;
		int64_t cell = at;

		ggml_backend_tensor_set(g->positions, &at, (size_t)r * sizeof(at), sizeof(at));
		ggml_backend_tensor_set(g->cells, &cell, (size_t)r * sizeof(cell), sizeof(cell));
	}
	ggml_backend_tensor_set(g->tokens, tokens, 0, (size_t)rows * sizeof(*tokens));
	ggml_backend_tensor_set(g->last, &last, 0, sizeof(last));
	ggml_backend_tensor_set(g->mask, mask, 0, ggml_nbytes(g->mask));
	for (int64_t r = 0; m->window && r < rows; r++)
		for (int64_t j = 0; j <= position + r - m->window; j++)
			mask[r * g->seen + j] = none;
	ggml_backend_tensor_set(g->window_mask, mask, 0, ggml_nbytes(g->mask));
	free(mask);
	if (ggml_backend_graph_compute(m->backend, g->ggml) != GGML_STATUS_SUCCESS)
		die("the graph", "failed");
	ggml_backend_tensor_get(g->logits, m->logits, 0, sizeof(float) * (size_t)m->vocabulary);
}

static int32_t best(const struct model *m, float *lead)
{
	int32_t at = 0;
	float second = -INFINITY;

	for (int32_t i = 1; i < m->vocabulary; i++)
		if (m->logits[i] > m->logits[at])
			at = i;
	for (int32_t i = 0; i < m->vocabulary; i++)
		if (i != at && m->logits[i] > second)
			second = m->logits[i];
	*lead = m->logits[at] - second;
	return at;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Says how many of @count a second there were since the two times. */
static void rate(const char *what, int count, double start, double start_cpu)
{
	printf("%s %.3f %.3f\n", what, count / (now(CLOCK_MONOTONIC) - start),
	       count / (now(CLOCK_PROCESS_CPUTIME_ID) - start_cpu));
}

static void speed(struct model *m, int prompt, int count)
{
	int32_t *tokens = need(calloc((size_t)prompt + 1, sizeof(*tokens)), "memory"), token;
	double start, start_cpu;
	float lead;

	for (int i = 0; i < prompt; i++)
		tokens[i] = (i * 37 + 11) % 200;
	step(m, tokens, prompt, 0);
	start = now(CLOCK_MONOTONIC);
	start_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	step(m, tokens, prompt, 0);
	rate("prompt", prompt, start, start_cpu);
	token = best(m, &lead);
	step(m, &token, 1, prompt);
	start = now(CLOCK_MONOTONIC);
	start_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < count; i++) {
		step(m, &token, 1, prompt + i);
		token = best(m, &lead);
	}
	rate("text", count, start, start_cpu);
	free(tokens);
}

static void continue_text(struct model *m, int count, char **ids, int id_count)
{
	int32_t *tokens = need(calloc((size_t)id_count, sizeof(*tokens)), "memory"), token;
	int position = id_count;
	float lead;

	for (int i = 0; i < id_count; i++) {
		tokens[i] = (int32_t)strtol(ids[i], NULL, 10);
		if (tokens[i] < 0 || tokens[i] >= m->vocabulary)
			die(ids[i], "not a token");
	}
	step(m, tokens, id_count, 0);
	for (int i = 0; i < count; i++) {
		token = best(m, &lead);
		printf("%d %.6f\n", token, (double)lead);
		if (i + 1 < count)
			step(m, &token, 1, position++);
	}
	free(tokens);
}

int main(int argc, char **argv)
{
	static struct model m;
	const char *device = NULL;

	if (argc > 2 && !strcmp(argv[1], "--device")) {
		device = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc > 5 && !strcmp(argv[1], "--ids")) {
		load(&m, device, argv[2], atoi(argv[4]));
		continue_text(&m, atoi(argv[3]), argv + 5, argc - 5);
	} else if (argc == 6 && !strcmp(argv[1], "--speed")) {
		load(&m, device, argv[2], atoi(argv[5]));
		speed(&m, atoi(argv[3]), atoi(argv[4]));
	} else {
		fprintf(stderr,
			"usage: ggml-model [--device NAME] --ids MODEL COUNT THREADS ID…\n"
			"       ggml-model [--device NAME] --speed MODEL PROMPT COUNT THREADS\n");
		return 2;
	}
	return 0;
}
