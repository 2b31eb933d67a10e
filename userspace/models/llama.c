// SPDX-License-Identifier: MIT
/*
 * Transformers of the Llama kind as operations of the runtime. What is computed is fixed when a recording is made; tokens,
 * position and result lie in small shared buffers, so that a step costs one submission and nothing is recorded twice.
 */
#include "llama.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UPLOAD_STEP_BYTES (16u << 20)
#define UPLOAD_STEP_ROWS  16u /* what hearth_matrix_write() wants multiples of */
#define WAIT_SLICE_NS	  1000000000ull
#define MAX_ROWS	  512u

struct layer {
	struct hearth_buffer *attn_norm;
	struct hearth_buffer *ffn_norm;
	/* NULL where the model has none. */
	struct hearth_buffer *q_bias, *k_bias, *v_bias, *q_norm, *k_norm;
	struct hearth_buffer *attn_post_norm, *ffn_post_norm;
	struct hearth_matrix q, k, v, output, gate, up, down;
	/* Of a mixture of experts, and the expert that all rows go to. */
	struct hearth_matrix router, experts_gate, experts_up, experts_down;
	struct hearth_matrix shared_router, shared_gate, shared_up, shared_down;
	struct hearth_kv_cache cache;
};

struct hm_llama {
	struct hm_params params;
	struct hm_llama_options options;
	struct hearth_device *device;
	struct hearth_stream *stream;
	struct layer *layers;
	struct hearth_matrix embedding;
	struct hearth_matrix output;
	struct hearth_buffer *output_norm;
	float *rope_factors; /* NULL: none */
	/* Activations, each [max_rows × …]. */
	struct hearth_buffer *x, *normed, *q, *k, *v, *attention, *gate, *up;
	/* The same of a mixture of experts, or NULL. */
	struct hearth_buffer *router_logits, *selected, *expert_weights, *expert_out;
	struct hearth_buffer *logits;			   /* [vocabulary] of the last row */
	struct hearth_buffer *tokens, *step, *best;	   /* shared with the host */
	struct hearth_recording *recordings[MAX_ROWS + 1]; /* by rows */
	uint64_t weight_bytes;
	uint64_t weight_total;
	uint64_t cache_bytes;
};

static int device_error(struct hm_error *error, enum hearth_status status)
{
	return hm_fail(error, status == HEARTH_ERROR_OUT_OF_MEMORY ? -ENOMEM : -EIO, "%s: %s",
		       hearth_status_string(status), hearth_last_error());
}

static void progress(const struct hm_llama *m, const char *stage, uint64_t done, uint64_t total)
{
	if (m->options.progress)
		m->options.progress(m->options.progress_user, stage, done, total);
}

static struct hearth_view all_of(struct hearth_buffer *buffer)
{
	return (struct hearth_view){ .buffer = buffer };
}

/* ---- Loading ---- */

static int upload(struct hm_llama *m, const struct hm_gguf_tensor *tensor,
		  struct hearth_buffer **buffer, struct hm_error *error)
{
	enum hearth_status status;
	uint64_t offset, part;

	status = hearth_buffer_create(m->device, tensor->bytes, HEARTH_BUFFER_DEVICE, buffer);
	for (offset = 0; !status && offset < tensor->bytes; offset += part) {
		part = tensor->bytes - offset;
		if (part > UPLOAD_STEP_BYTES)
			part = UPLOAD_STEP_BYTES;
		status = hearth_buffer_write(*buffer, offset, tensor->data + offset, part);
		m->weight_bytes += part;
		progress(m, "loading weights", m->weight_bytes, m->weight_total);
	}
	return status ? device_error(error, status) : 0;
}

static int upload_matrix(struct hm_llama *m, const struct hm_gguf_tensor *tensor,
			 struct hearth_matrix *matrix, struct hm_error *error)
{
	uint64_t row_bytes = tensor->bytes / tensor->dims[1] / tensor->dims[2];
	uint64_t step = UPLOAD_STEP_BYTES / row_bytes / UPLOAD_STEP_ROWS * UPLOAD_STEP_ROWS;
	enum hearth_status status;
	uint32_t first, rows;

	matrix->type = (enum hearth_type)tensor->type;
	matrix->columns = (uint32_t)tensor->dims[0];
	matrix->rows = (uint32_t)(tensor->dims[1] * tensor->dims[2]);
	/* Of each expert's matrix, where there are experts. */
	if (m->options.precision == HEARTH_PRECISION_FAST)
		matrix->type = hearth_matrix_best_type(m->device, matrix->type,
						       (uint32_t)tensor->dims[1], matrix->columns);
	if (!step)
		step = UPLOAD_STEP_ROWS;
	status = hearth_buffer_create(m->device, tensor->bytes, HEARTH_BUFFER_DEVICE,
				      &matrix->view.buffer);
	for (first = 0; !status && first < matrix->rows; first += rows) {
		rows = matrix->rows - first < step ? matrix->rows - first : (uint32_t)step;
		status = hearth_matrix_write(matrix, first, rows, tensor->data + first * row_bytes);
		m->weight_bytes += rows * row_bytes;
		progress(m, "loading weights", m->weight_bytes, m->weight_total);
	}
	return status ? device_error(error, status) : 0;
}

static int create_cache(struct hm_llama *m, struct hearth_kv_cache *cache, struct hm_error *error)
{
	enum hearth_status status;
	uint64_t bytes;

	cache->type = m->options.kv_type;
	cache->capacity = m->options.context;
	cache->kv_heads = m->params.kv_heads;
	cache->head_size = m->params.head_size;
	bytes = hearth_row_bytes(cache->type, (uint64_t)cache->kv_heads * cache->head_size) *
		cache->capacity;
	status = hearth_buffer_create(m->device, bytes, HEARTH_BUFFER_DEVICE, &cache->keys.buffer);
	if (!status)
		status = hearth_buffer_create(m->device, bytes, HEARTH_BUFFER_DEVICE,
					      &cache->values.buffer);
	m->cache_bytes += 2 * bytes;
	return status ? device_error(error, status) : 0;
}

static int load_layer(struct hm_llama *m, const struct hm_layer_tensors *t, struct layer *layer,
		      struct hm_error *error)
{
	const struct {
		const struct hm_gguf_tensor *tensor;
		struct hearth_matrix *matrix;
	} matrices[] = {
		{ t->attn_q, &layer->q },
		{ t->attn_k, &layer->k },
		{ t->attn_v, &layer->v },
		{ t->attn_output, &layer->output },
		{ t->ffn_gate, &layer->gate },
		{ t->ffn_up, &layer->up },
		{ t->ffn_down, &layer->down },
		{ t->router, &layer->router },
		{ t->experts_gate, &layer->experts_gate },
		{ t->experts_up, &layer->experts_up },
		{ t->experts_down, &layer->experts_down },
		{ t->shared_router, &layer->shared_router },
		{ t->shared_gate, &layer->shared_gate },
		{ t->shared_up, &layer->shared_up },
		{ t->shared_down, &layer->shared_down },
	};
	const struct {
		const struct hm_gguf_tensor *tensor;
		struct hearth_buffer **buffer;
	} vectors[] = {
		{ t->attn_norm, &layer->attn_norm },
		{ t->ffn_norm, &layer->ffn_norm },
		{ t->attn_q_bias, &layer->q_bias },
		{ t->attn_k_bias, &layer->k_bias },
		{ t->attn_v_bias, &layer->v_bias },
		{ t->attn_q_norm, &layer->q_norm },
		{ t->attn_k_norm, &layer->k_norm },
		{ t->attn_post_norm, &layer->attn_post_norm },
		{ t->ffn_post_norm, &layer->ffn_post_norm },
	};
	size_t i;
	int ret = 0;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]) && !ret; i++)
		if (vectors[i].tensor)
			ret = upload(m, vectors[i].tensor, vectors[i].buffer, error);
	for (i = 0; i < sizeof(matrices) / sizeof(matrices[0]) && !ret; i++)
		if (matrices[i].tensor)
			ret = upload_matrix(m, matrices[i].tensor, matrices[i].matrix, error);
	return ret ? ret : create_cache(m, &layer->cache, error);
}

static int create_activations(struct hm_llama *m, struct hm_error *error)
{
	const struct hm_params *p = &m->params;
	uint64_t rows = m->options.max_rows;
	uint64_t q = (uint64_t)p->heads * p->head_size, kv = (uint64_t)p->kv_heads * p->head_size;
	uint64_t slots = rows * p->experts_used;
	uint64_t shared = rows * p->shared_hidden, experts = slots * p->expert_hidden;
	uint64_t hidden = !p->experts ? rows * p->hidden : experts > shared ? experts : shared;
	const struct {
		struct hearth_buffer **buffer;
		uint64_t words;
		enum hearth_buffer_kind kind;
	} wanted[] = {
		{ &m->x, rows * p->dim, HEARTH_BUFFER_DEVICE },
		{ &m->normed, rows * p->dim, HEARTH_BUFFER_DEVICE },
		{ &m->q, rows * q, HEARTH_BUFFER_DEVICE },
		{ &m->k, rows * kv, HEARTH_BUFFER_DEVICE },
		{ &m->v, rows * kv, HEARTH_BUFFER_DEVICE },
		{ &m->attention, rows * q, HEARTH_BUFFER_DEVICE },
		{ &m->gate, hidden, HEARTH_BUFFER_DEVICE },
		{ &m->up, hidden, HEARTH_BUFFER_DEVICE },
		{ &m->router_logits, rows * p->experts, HEARTH_BUFFER_DEVICE },
		{ &m->selected, slots, HEARTH_BUFFER_DEVICE },
		{ &m->expert_weights, slots, HEARTH_BUFFER_DEVICE },
		{ &m->expert_out, slots * p->dim, HEARTH_BUFFER_DEVICE },
		{ &m->logits, p->vocabulary, HEARTH_BUFFER_DEVICE },
		{ &m->tokens, rows, HEARTH_BUFFER_SHARED },
		{ &m->step, sizeof(struct hearth_step) / 4, HEARTH_BUFFER_SHARED },
		{ &m->best, 1, HEARTH_BUFFER_SHARED },
	};
	enum hearth_status status = HEARTH_OK;
	size_t i;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && !status; i++)
		if (wanted[i].words)
			status = hearth_buffer_create(m->device, 4 * wanted[i].words,
						      wanted[i].kind, wanted[i].buffer);
	if (!status)
		status = hearth_stream_create(m->device, &m->stream);
	return status ? device_error(error, status) : 0;
}

static int load_rope_factors(struct hm_llama *m, const struct hm_gguf_tensor *tensor,
			     struct hm_error *error)
{
	m->rope_factors = malloc(tensor->bytes);
	if (!m->rope_factors)
		return hm_fail(error, -ENOMEM, "%.*s: out of memory", (int)tensor->name.length,
			       tensor->name.bytes);
	memcpy(m->rope_factors, tensor->data, tensor->bytes);
	m->weight_bytes += tensor->bytes;
	return 0;
}

static int load(struct hm_llama *m, const struct hm_gguf *gguf, const struct hm_tensors *t,
		struct hm_error *error)
{
	uint64_t i;
	int ret;

	for (i = 0; i < hm_gguf_tensor_count(gguf); i++)
		m->weight_total += hm_gguf_tensor_at(gguf, i)->bytes;
	ret = upload_matrix(m, t->embedding, &m->embedding, error);
	if (!ret)
		ret = upload(m, t->output_norm, &m->output_norm, error);
	if (!ret && t->output != t->embedding)
		ret = upload_matrix(m, t->output, &m->output, error);
	else
		m->output = m->embedding;
	if (!ret && hm_rope_factors(&m->params, t, m->options.context))
		ret = load_rope_factors(m, hm_rope_factors(&m->params, t, m->options.context),
					error);
	for (i = 0; i < m->params.layers && !ret; i++)
		ret = load_layer(m, &t->layers[i], &m->layers[i], error);
	return ret ? ret : create_activations(m, error);
}

/* Caches of block types want rows of whole pairs of blocks. */
static int check_kv_type(const struct hm_gguf *gguf, const struct hm_params *p,
			 enum hearth_type type, struct hm_error *error)
{
	uint32_t row = p->kv_heads * p->head_size;

	switch (type) {
	case HEARTH_TYPE_F32:
	case HEARTH_TYPE_F16:
		return 0;
	case HEARTH_TYPE_Q8_0:
	case HEARTH_TYPE_Q4_0:
		if (row % 64 == 0 && p->head_size % 4 == 0)
			return 0;
		return hm_fail(error, -ENOTSUP,
			       "%s: a cache in blocks wants %u key heads of %u to be a multiple of "
			       "64 numbers, and heads of 4; take f16",
			       hm_gguf_name(gguf), p->kv_heads, p->head_size);
	default:
		return hm_fail(error, -EINVAL, "cache type %d, expected F32, F16, Q8_0 or Q4_0",
			       type);
	}
}

int hm_llama_create(const struct hm_gguf *gguf, struct hearth_device *device,
		    const struct hm_llama_options *options, struct hm_llama **llama,
		    struct hm_error *error)
{
	struct hm_tensors tensors;
	struct hm_params params;
	struct hm_llama *m;
	int ret;

	*llama = NULL;
	ret = hm_params_read(gguf, &params, error);
	if (ret)
		return ret;
	if (options->context > params.context)
		return hm_fail(error, -EINVAL,
			       "%s: context of %u tokens asked for, the model was trained for %u",
			       hm_gguf_name(gguf), options->context, params.context);
	if (!options->max_rows || options->max_rows > MAX_ROWS)
		return hm_fail(error, -EINVAL, "%u rows a step, expected 1 to %u",
			       options->max_rows, MAX_ROWS);
	ret = check_kv_type(gguf, &params, options->kv_type, error);
	if (ret)
		return ret;
	/* The last row of the activations must start where a view may. */
	if (params.dim % 4)
		return hm_fail(error, -ENOTSUP,
			       "%s: metadata embedding_length: is %u, a device needs a "
			       "multiple of 4",
			       hm_gguf_name(gguf), params.dim);
	if ((uint64_t)options->max_rows * params.experts_used *
		    (params.expert_hidden > params.dim ? params.expert_hidden : params.dim) >
	    UINT32_MAX)
		return hm_fail(
			error, -ENOTSUP,
			"%s: %u experts of %u numbers for each of %u rows a step are too many",
			hm_gguf_name(gguf), params.experts_used, params.expert_hidden,
			options->max_rows);
	ret = hm_tensors_read(gguf, &params, &tensors, error);
	if (ret)
		return ret;
	m = calloc(1, sizeof(*m));
	if (m)
		m->layers = calloc(params.layers, sizeof(*m->layers));
	if (!m || !m->layers) {
		ret = hm_fail(error, -ENOMEM, "%s: out of memory", hm_gguf_name(gguf));
		goto out;
	}
	m->params = params;
	m->options = *options;
	if (!m->options.context)
		m->options.context = params.context;
	m->device = device;
	ret = load(m, gguf, &tensors, error);
out:
	hm_tensors_free(&tensors);
	if (ret)
		hm_llama_destroy(m);
	else
		*llama = m;
	return ret;
}

static void destroy_matrix(struct hearth_matrix *matrix)
{
	hearth_buffer_destroy(matrix->view.buffer);
}

void hm_llama_destroy(struct hm_llama *m)
{
	uint32_t i;

	if (!m)
		return;
	hearth_stream_destroy(m->stream);
	for (i = 0; i <= MAX_ROWS; i++)
		hearth_recording_destroy(m->recordings[i]);
	if (m->output.view.buffer != m->embedding.view.buffer)
		destroy_matrix(&m->output);
	destroy_matrix(&m->embedding);
	struct hearth_buffer *const buffers[] = {
		m->output_norm, m->x,
		m->normed,	m->q,
		m->k,		m->v,
		m->attention,	m->gate,
		m->up,		m->router_logits,
		m->selected,	m->expert_weights,
		m->expert_out,	m->logits,
		m->tokens,	m->step,
		m->best,
	};

	for (i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
		hearth_buffer_destroy(buffers[i]);
	for (i = 0; m->layers && i < m->params.layers; i++) {
		struct layer *layer = &m->layers[i];
		struct hearth_matrix *const matrices[] = {
			&layer->q,
			&layer->k,
			&layer->v,
			&layer->output,
			&layer->gate,
			&layer->up,
			&layer->down,
			&layer->router,
			&layer->experts_gate,
			&layer->experts_up,
			&layer->experts_down,
			&layer->shared_router,
			&layer->shared_gate,
			&layer->shared_up,
			&layer->shared_down,
		};
		size_t j;

		struct hearth_buffer *const vectors[] = {
			layer->attn_norm, layer->ffn_norm,	 layer->q_bias,
			layer->k_bias,	  layer->v_bias,	 layer->q_norm,
			layer->k_norm,	  layer->attn_post_norm, layer->ffn_post_norm
		};

		for (j = 0; j < sizeof(vectors) / sizeof(vectors[0]); j++)
			hearth_buffer_destroy(vectors[j]);
		for (j = 0; j < sizeof(matrices) / sizeof(matrices[0]); j++)
			destroy_matrix(matrices[j]);
		hearth_buffer_destroy(layer->cache.keys.buffer);
		hearth_buffer_destroy(layer->cache.values.buffer);
	}
	free(m->rope_factors);
	free(m->layers);
	free(m);
}

const struct hm_params *hm_llama_params(const struct hm_llama *m)
{
	return &m->params;
}

uint32_t hm_llama_context(const struct hm_llama *m)
{
	return m->options.context;
}

uint64_t hm_llama_weight_bytes(const struct hm_llama *m)
{
	return m->weight_bytes;
}

uint64_t hm_llama_cache_bytes(const struct hm_llama *m)
{
	return m->cache_bytes;
}

uint32_t hm_llama_operations(const struct hm_llama *m, uint32_t rows)
{
	return rows <= MAX_ROWS ? hearth_recording_length(m->recordings[rows]) : 0;
}

/* ---- Recording ---- */

/* The operations of a recording under way; after the first failure nothing more is recorded. */
struct recorder {
	struct hm_llama *m;
	struct hearth_recording *recording;
	enum hearth_status status;
	uint32_t rows;
	uint64_t done;
	uint64_t total;
};

#define OP(r, op, ...)                                                                  \
	do {                                                                            \
		if (!(r)->status) {                                                     \
			progress((r)->m, "preparing kernels", (r)->done++, (r)->total); \
			(r)->status = hearth_op_##op((r)->recording, __VA_ARGS__);      \
		}                                                                       \
	} while (0)

/* normed · w + bias, if there is one. */
static void record_projection(struct recorder *r, const struct hearth_matrix *w,
			      struct hearth_buffer *bias, struct hearth_view y)
{
	struct hearth_view normed = all_of(r->m->normed), none = { 0 };

	if (bias)
		OP(r, matmul_bias, w, normed, all_of(bias), y, r->rows);
	else
		OP(r, matmul, w, normed, none, y, r->rows);
}

/* x + w · y, or with a norm x + norm(w · y). */
static void record_residual(struct recorder *r, const struct hearth_matrix *w,
			    struct hearth_buffer *post_norm, struct hearth_view y)
{
	const struct hm_params *p = &r->m->params;
	struct hearth_view x = all_of(r->m->x), normed = all_of(r->m->normed), none = { 0 };

	if (!post_norm) {
		OP(r, matmul, w, y, x, x, r->rows);
		return;
	}
	OP(r, matmul, w, y, none, normed, r->rows);
	OP(r, rms_norm, normed, all_of(post_norm), normed, r->rows, p->dim, p->epsilon);
	OP(r, add, x, normed, x, r->rows * p->dim);
}

static void record_attention(struct recorder *r, struct layer *layer, bool window)
{
	struct hm_llama *m = r->m;
	const struct hm_params *p = &m->params;
	struct hearth_view x = all_of(m->x), normed = all_of(m->normed), step = all_of(m->step);
	struct hearth_view q = all_of(m->q), k = all_of(m->k), v = all_of(m->v);
	struct hearth_view attention = all_of(m->attention);
	bool local_rope = window && p->rope_base_window > 0;
	const struct hearth_rope_info rope = {
		.struct_size = sizeof(rope),
		.dims = p->rope_dims,
		.base = local_rope ? p->rope_base_window : p->rope_base,
		.mode = p->rope_halves ? HEARTH_ROPE_HALVES : HEARTH_ROPE_PAIRS,
		.scale = local_rope ? 1 : p->rope_scale,
		.factors = m->rope_factors,
		.magnitude = p->rope_magnitude,
	};
	const struct hearth_attention_info shape = {
		.struct_size = sizeof(shape),
		.scale = p->attention_scale,
		.soft_cap = p->attention_cap,
		.window = window ? p->window : 0,
	};

	OP(r, rms_norm, x, all_of(layer->attn_norm), normed, r->rows, p->dim, p->epsilon);
	record_projection(r, &layer->q, layer->q_bias, q);
	record_projection(r, &layer->k, layer->k_bias, k);
	record_projection(r, &layer->v, layer->v_bias, v);
	if (layer->q_norm)
		OP(r, rms_norm, q, all_of(layer->q_norm), q, r->rows * p->heads, p->head_size,
		   p->epsilon);
	if (layer->k_norm)
		OP(r, rms_norm, k, all_of(layer->k_norm), k, r->rows * p->kv_heads, p->head_size,
		   p->epsilon);
	OP(r, rope_scaled, q, step, r->rows, p->heads, p->head_size, &rope);
	OP(r, rope_scaled, k, step, r->rows, p->kv_heads, p->head_size, &rope);
	OP(r, kv_store, k, v, &layer->cache, step, r->rows);
	OP(r, attention_shaped, q, &layer->cache, step, attention, r->rows, p->heads, &shape);
	record_residual(r, &layer->output, layer->attn_post_norm, attention);
}

/* An expert that all rows go to, with a weight of its own for each. x grows by what it makes of normed. */
static void record_shared_expert(struct recorder *r, struct layer *layer)
{
	struct hm_llama *m = r->m;
	const struct hm_params *p = &m->params;
	struct hearth_view x = all_of(m->x), normed = all_of(m->normed), none = { 0 };
	struct hearth_view gate = all_of(m->gate), up = all_of(m->up);
	struct hearth_view logits = all_of(m->router_logits), weights = all_of(m->expert_weights);
	struct hearth_view out = all_of(m->expert_out);
	const struct hearth_experts_info info = {
		.struct_size = sizeof(info),
		.experts = 1,
		.used = 1,
		.gating = HEARTH_GATING_SIGMOID,
	};

	OP(r, matmul, &layer->shared_router, normed, none, logits, r->rows);
	OP(r, experts_select, logits, all_of(m->selected), weights, r->rows, &info);
	OP(r, matmul, &layer->shared_gate, normed, none, gate, r->rows);
	OP(r, matmul, &layer->shared_up, normed, none, up, r->rows);
	OP(r, silu_mul, gate, up, gate, r->rows * p->shared_hidden);
	OP(r, matmul, &layer->shared_down, gate, none, out, r->rows);
	OP(r, experts_sum, out, weights, x, x, r->rows, 1, p->dim);
}

/* x grows by what the experts of each row make of normed. */
static void record_experts(struct recorder *r, struct layer *layer)
{
	struct hm_llama *m = r->m;
	const struct hm_params *p = &m->params;
	uint32_t experts = p->experts, used = p->experts_used;
	struct hearth_view x = all_of(m->x), normed = all_of(m->normed), none = { 0 };
	struct hearth_view gate = all_of(m->gate), up = all_of(m->up);
	struct hearth_view logits = all_of(m->router_logits), weights = all_of(m->expert_weights);
	struct hearth_view selected = all_of(m->selected), out = all_of(m->expert_out);
	const struct hearth_experts_info info = {
		.struct_size = sizeof(info),
		.experts = experts,
		.used = used,
		.normalise = p->experts_normalise,
	};

	OP(r, matmul, &layer->router, normed, none, logits, r->rows);
	OP(r, experts_select, logits, selected, weights, r->rows, &info);
	OP(r, experts_matmul, &layer->experts_gate, experts, normed, false, selected, 0, gate,
	   r->rows, used);
	OP(r, experts_matmul, &layer->experts_up, experts, normed, false, selected, 0, up, r->rows,
	   used);
	OP(r, silu_mul, gate, up, gate, r->rows * used * p->expert_hidden);
	OP(r, experts_matmul, &layer->experts_down, experts, gate, true, selected, 0, out, r->rows,
	   used);
	OP(r, experts_sum, out, weights, x, x, r->rows, used, p->dim);
	if (p->shared_hidden)
		record_shared_expert(r, layer);
}

static void record_feed_forward(struct recorder *r, struct layer *layer)
{
	struct hm_llama *m = r->m;
	const struct hm_params *p = &m->params;
	struct hearth_view x = all_of(m->x), normed = all_of(m->normed), none = { 0 };
	struct hearth_view gate = all_of(m->gate), up = all_of(m->up);

	OP(r, rms_norm, x, all_of(layer->ffn_norm), normed, r->rows, p->dim, p->epsilon);
	if (p->experts) {
		record_experts(r, layer);
		return;
	}
	OP(r, matmul, &layer->gate, normed, none, gate, r->rows);
	OP(r, matmul, &layer->up, normed, none, up, r->rows);
	if (p->gelu)
		OP(r, gelu_mul, gate, up, gate, r->rows * p->hidden);
	else
		OP(r, silu_mul, gate, up, gate, r->rows * p->hidden);
	record_residual(r, &layer->down, layer->ffn_post_norm, gate);
}

/* Only the last row's logits are wanted. */
static void record_output(struct recorder *r)
{
	struct hm_llama *m = r->m;
	const struct hm_params *p = &m->params;
	struct hearth_view last = { .buffer = m->x, .offset = 4ull * p->dim * (r->rows - 1) };
	struct hearth_view normed = all_of(m->normed), logits = all_of(m->logits), none = { 0 };

	OP(r, rms_norm, last, all_of(m->output_norm), normed, 1, p->dim, p->epsilon);
	OP(r, matmul, &m->output, normed, none, logits, 1);
	if (p->logit_cap > 0)
		OP(r, scale, logits, logits, p->vocabulary, 1, p->logit_cap);
	OP(r, argmax, logits, all_of(m->best), 1, p->vocabulary);
}

static int record(struct hm_llama *m, uint32_t rows, struct hm_error *error)
{
	struct recorder r = { .m = m, .rows = rows, .total = m->params.layers * 24ull + 4 };
	uint32_t i;

	r.status = hearth_recording_create(m->device, &r.recording);
	if (!r.status)
		r.status = hearth_recording_set_precision(r.recording, m->options.precision);
	OP(&r, embedding, &m->embedding, all_of(m->tokens), all_of(m->x), rows);
	if (m->params.embedding_scale != 1)
		OP(&r, scale, all_of(m->x), all_of(m->x), rows * m->params.dim,
		   m->params.embedding_scale, 0);
	for (i = 0; i < m->params.layers; i++) {
		record_attention(&r, &m->layers[i], hm_layer_has_window(&m->params, i));
		record_feed_forward(&r, &m->layers[i]);
	}
	record_output(&r);
	if (!r.status)
		r.status = hearth_recording_end(r.recording);
	if (r.status) {
		hearth_recording_destroy(r.recording);
		return device_error(error, r.status);
	}
	progress(m, "preparing kernels", r.total, r.total);
	m->recordings[rows] = r.recording;
	return 0;
}

int hm_llama_prepare(struct hm_llama *m, uint32_t rows, struct hm_error *error)
{
	if (!rows || rows > m->options.max_rows)
		return hm_fail(error, -EINVAL, "a step of %u tokens, expected 1 to %u", rows,
			       m->options.max_rows);
	return m->recordings[rows] ? 0 : record(m, rows, error);
}

/* ---- Running ---- */

int hm_llama_step(struct hm_llama *m, const uint32_t *tokens, uint32_t rows, uint32_t position,
		  struct hm_error *error)
{
	struct hearth_step step = { .position = position };
	enum hearth_status status;
	uint64_t slices = 0;
	uint32_t i;
	int ret;

	ret = hm_llama_prepare(m, rows, error);
	if (ret)
		return ret;
	if (position > m->options.context || rows > m->options.context - position)
		return hm_fail(error, -EINVAL, "tokens %u to %u do not fit a context of %u",
			       position, position + rows - 1, m->options.context);
	for (i = 0; i < rows; i++)
		if (tokens[i] >= m->params.vocabulary)
			return hm_fail(error, -EINVAL,
				       "token %u, expected less than the vocabulary's %u",
				       tokens[i], m->params.vocabulary);
	memcpy(hearth_buffer_map(m->tokens), tokens, 4ull * rows);
	memcpy(hearth_buffer_map(m->step), &step, sizeof(step));
	status = hearth_stream_submit(m->stream, m->recordings[rows]);
	if (status)
		return device_error(error, status);
	/* In slices, so that somebody who watches a slow device sees that it works. */
	do {
		status = hearth_stream_wait(m->stream, WAIT_SLICE_NS);
		if (status == HEARTH_ERROR_TIMEOUT)
			progress(m, "computing", ++slices, 0);
	} while (status == HEARTH_ERROR_TIMEOUT);
	return status ? device_error(error, status) : 0;
}

uint32_t hm_llama_argmax(const struct hm_llama *m)
{
	uint32_t token;

	memcpy(&token, hearth_buffer_map(m->best), sizeof(token));
	return token;
}

int hm_llama_logits(struct hm_llama *m, float *logits, struct hm_error *error)
{
	enum hearth_status status =
		hearth_buffer_read(m->logits, 0, logits, 4ull * m->params.vocabulary);

	return status ? device_error(error, status) : 0;
}
