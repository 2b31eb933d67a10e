// SPDX-License-Identifier: MIT
/*
 * The graphs of the cases: an operation each, and a layer of a Llama and of a Qwen model as llama.cpp builds it. What
 * a case's numbers mean is said in the header.
 */
#include "gt_graphs.h"

static struct ggml_tensor *input(struct ggml_context *context, enum ggml_type type,
				 enum gt_layout layout, int64_t a, int64_t b, int64_t c, int64_t d)
{
	struct ggml_tensor *t;

	switch (layout) {
	case GT_PART:
		t = ggml_new_tensor_4d(context, type, 2 * a, b + 1, c, d);
		return ggml_view_4d(context, t, a, b, c, d, t->nb[1], t->nb[2], t->nb[3],
				    t->nb[1] + ggml_row_size(type, a));
	case GT_TRANSPOSED:
		return ggml_transpose(context, ggml_new_tensor_4d(context, type, b, a, c, d));
	case GT_PERMUTED:
		return ggml_permute(context, ggml_new_tensor_4d(context, type, a, c, b, d), 0, 2, 1,
				    3);
	default:
		return ggml_new_tensor_4d(context, type, a, b, c, d);
	}
}

struct ggml_tensor *gt_binary(struct ggml_context *context, const struct gt_case *c)
{
	static struct ggml_tensor *(*const functions[])(struct ggml_context *, struct ggml_tensor *,
							struct ggml_tensor *) = {
		ggml_add,
		ggml_sub,
		ggml_mul,
		ggml_div,
	};
	const int64_t ne[4] = { c->n[4] & 1 ? 70 : 1, c->n[4] & 2 ? 5 : 1, c->n[4] & 4 ? 6 : 1,
				c->n[4] & 8 ? 2 : 1 };
	struct ggml_tensor *a = input(context, c->n[1], c->n[3], 70, 5, 6, 2);

	return functions[c->n[0]](context, a, gt_positive(context, c->n[2], ne));
}

struct ggml_tensor *gt_unary(struct ggml_context *context, const struct gt_case *c)
{
	static const int64_t ne[4] = { 67, 4, 3, 2 };
	struct ggml_tensor *a = input(context, c->n[1], c->n[2], 67, 4, 3, 2);

	switch (c->n[0]) {
	case -1:
		return ggml_sqr(context, a);
	case -2:
		return ggml_sqrt(context, gt_positive(context, c->n[1], ne));
	case -3:
		return ggml_log(context, gt_positive(context, c->n[1], ne));
	case -4:
		return ggml_sin(context, a);
	case -5:
		return ggml_cos(context, a);
	case -6:
		return ggml_leaky_relu(context, a, 0.1f, false);
	case -7:
		return ggml_clamp(context, a, -0.5f, 0.3f);
	default:
		return ggml_unary(context, a, c->n[0]);
	}
}

struct ggml_tensor *gt_glu(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = ggml_new_tensor_3d(context, c->n[1], 150, 5, 3);
	struct ggml_tensor *half;

	switch (c->n[2]) {
	case 2:
		return ggml_glu_split(context, a, ggml_new_tensor_3d(context, c->n[1], 150, 5, 3),
				      c->n[0]);
	case 3:
		half = ggml_view_3d(context, a, 75, 5, 3, a->nb[1], a->nb[2], 75 * a->nb[0]);
		return ggml_glu_split(context,
				      ggml_view_3d(context, a, 75, 5, 3, a->nb[1], a->nb[2], 0),
				      half, c->n[0]);
	default:
		return ggml_glu(context, a, c->n[0], c->n[2] == 1);
	}
}

struct ggml_tensor *gt_copy(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = input(context, c->n[0], c->n[2], 64, 6, 3, 2);

	switch (c->n[3]) {
	case 1:
		return ggml_cpy(context, a, ggml_new_tensor_4d(context, c->n[1], 32, 3, 2, 12));
	case 2:
		return ggml_cont(context, a);
	case 3:
		return ggml_cpy(context, a, input(context, c->n[1], GT_PART, 64, 6, 3, 2));
	default:
		return ggml_cpy(context, a, ggml_new_tensor_4d(context, c->n[1], 64, 6, 3, 2));
	}
}

struct ggml_tensor *gt_parts(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = ggml_new_tensor_4d(context, c->n[0], 20, 3, 2, 2);

	if (c->n[1] < 4) {
		int64_t ne[4] = { 20, 3, 2, 2 };

		ne[c->n[1]] = 7;
		return ggml_concat(context, a, ggml_new_tensor(context, c->n[0], 4, ne), c->n[1]);
	}
	if (c->n[1] == 4)
		return ggml_repeat(context, a, ggml_new_tensor_4d(context, c->n[0], 40, 9, 2, 4));
	return ggml_scale_bias(context, a, 1.25f, -0.75f);
}

/* ---- Row by row ---- */

struct ggml_tensor *gt_norm(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = input(context, GGML_TYPE_F32, c->n[2], c->n[1], 5, 3, 2);

	switch (c->n[0]) {
	case 0:
		return ggml_rms_norm(context, a, 1e-5f);
	case 1:
		return ggml_norm(context, a, 1e-5f);
	case 2:
		return ggml_l2_norm(context, a, 1e-5f);
	case 3:
		return ggml_sum_rows(context, a);
	default:
		return ggml_mean(context, a);
	}
}

struct ggml_tensor *gt_soft_max(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = ggml_new_tensor_4d(context, GGML_TYPE_F32, c->n[0], 7, 6, 2);
	struct ggml_tensor *mask = NULL;
	struct ggml_tensor *out;

	if (c->n[1] >= 0)
		mask = ggml_new_tensor_4d(context, c->n[1], c->n[0], 7, c->n[3], 1);
	out = ggml_soft_max_ext(context, a, mask, c->f[0], c->f[1]);
	if (c->n[2])
		ggml_soft_max_add_sinks(out, ggml_new_tensor_1d(context, GGML_TYPE_F32, 6));
	return out;
}

struct ggml_tensor *gt_rows(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *b;

	if (!c->n[1]) {
		b = gt_indices(context, GGML_TYPE_I32, 11, 9, 3, 2);
		return ggml_get_rows(context,
				     ggml_new_tensor_4d(context, c->n[0], c->n[4], 11, 3, 2), b);
	}
	b = gt_indices(context, c->n[3], 22, 9, 1, 2);
	return ggml_set_rows(context, ggml_new_tensor_4d(context, c->n[2], c->n[4], 22, 3, 2),
			     ggml_new_tensor_4d(context, GGML_TYPE_F32, c->n[4], 9, 3, 2), b);
}

struct ggml_tensor *gt_argsort(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = ggml_new_tensor_4d(context, GGML_TYPE_F32, c->n[0], 5, 3, 2);

	return c->n[2] ? ggml_argsort_top_k(context, a, c->n[2])
		       : ggml_argsort(context, a, c->n[1]);
}

struct ggml_tensor *gt_rope(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = input(context, c->n[0], c->n[4], 64, 3, 9, 2);
	struct ggml_tensor *position = gt_indices(context, GGML_TYPE_I32, 50, 9, 1, 1);
	struct ggml_tensor *factors = NULL;
	const int64_t ne[4] = { 32, 1, 1, 1 };

	if (c->n[3])
		factors = gt_positive(context, GGML_TYPE_F32, ne);
	return (c->n[5] ? ggml_rope_ext_back
			: ggml_rope_ext)(context, a, position, factors, c->n[2], c->n[1], 512,
					 10000.0f, c->f[0], c->f[1], c->f[2], 32.0f, 1.0f);
}

/* ---- Products and attention ---- */

struct ggml_tensor *gt_matmul(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *w =
		input(context, c->n[0], c->n[4], c->n[6], c->n[7], c->n[2], c->n[9] ? 2 : 1);

	return ggml_mul_mat(context, w,
			    input(context, c->n[8], c->n[5], c->n[6], c->n[1], c->n[3], 2));
}

struct ggml_tensor *gt_experts(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *w = ggml_new_tensor_3d(context, c->n[0], c->n[3], 36, 5);
	struct ggml_tensor *x =
		ggml_new_tensor_3d(context, GGML_TYPE_F32, c->n[3], c->n[2] & 1 ? 2 : 1, c->n[1]);
	struct ggml_tensor *chosen = gt_indices(context, GGML_TYPE_I32, 5, 4, c->n[1], 1);

	/* Of all in order, as ggml_argsort_top_k() makes them, and dense. */
	chosen = c->n[2] & 2 ? ggml_view_2d(context, chosen, 2, c->n[1], chosen->nb[1], 0)
			     : gt_indices(context, GGML_TYPE_I32, 5, 2, c->n[1], 1);
	return ggml_mul_mat_id(context, w, x, chosen);
}

struct ggml_tensor *gt_attention(struct ggml_context *context, const struct gt_case *c)
{
	int64_t d = c->n[1];
	enum gt_layout layout = c->n[7] ? GT_PERMUTED : GT_DENSE;
	struct ggml_tensor *q = input(context, GGML_TYPE_F32, layout, d, c->n[2], 4, 1);
	struct ggml_tensor *k = input(context, c->n[0], layout, d, c->n[3], c->n[4], 1);
	struct ggml_tensor *v = input(context, c->n[0], layout, d, c->n[3], c->n[4], 1);
	struct ggml_tensor *mask = c->n[5] ? gt_causal_mask(context, c->n[3], c->n[2]) : NULL;
	struct ggml_tensor *out =
		ggml_flash_attn_ext(context, q, k, v, mask, 0.125f, c->n[5] ? c->f[0] : 0, c->f[1]);

	/* As llama.cpp asks for it. With less, sums of products of bytes exceed what ggml-vulkan keeps them in. */
	ggml_flash_attn_ext_set_prec(out, GGML_PREC_F32);
	if (c->n[6])
		ggml_flash_attn_ext_add_sinks(out, ggml_new_tensor_1d(context, GGML_TYPE_F32, 4));
	return out;
}

/* ---- A layer of a model, as llama.cpp builds it ---- */

#define EMBED	 256 /* a multiple of the longest block of weights */
#define HEADS	 4
#define KV_HEADS 2
#define HEAD	 64
#define FF	 512
#define CACHE	 64

static struct ggml_tensor *weights(struct ggml_context *context, enum ggml_type type, int64_t in,
				   int64_t out)
{
	return ggml_new_tensor_2d(context, type, in, out);
}

static struct ggml_tensor *norm(struct ggml_context *context, struct ggml_tensor *x, int64_t size)
{
	return ggml_mul(context, ggml_rms_norm(context, x, 1e-6f),
			ggml_new_tensor_1d(context, GGML_TYPE_F32, size));
}

/* One of q, k, v: [HEAD, heads, tokens]; Qwen 2 adds a bias, Qwen 3 norms each head. */
static struct ggml_tensor *project(struct ggml_context *context, struct ggml_tensor *x,
				   const struct gt_case *c, int heads, struct ggml_tensor *position)
{
	bool qwen = c->n[1];
	struct ggml_tensor *y =
		ggml_mul_mat(context, weights(context, c->n[0], EMBED, HEAD * heads), x);

	if (qwen)
		y = ggml_add(context, y, ggml_new_tensor_1d(context, GGML_TYPE_F32, HEAD * heads));
	y = ggml_reshape_3d(context, y, HEAD, heads, c->n[2]);
	if (!position)
		return y;
	if (qwen)
		y = norm(context, y, HEAD);
	return ggml_rope_ext(context, y, position, NULL, HEAD,
			     qwen ? GGML_ROPE_TYPE_NEOX : GGML_ROPE_TYPE_NORMAL, 0, 10000, 1, 0, 1,
			     32, 1);
}

/* Writes @rows into a cache and looks at it as heads: [HEAD, CACHE, KV_HEADS]. */
static struct ggml_tensor *cached(struct ggml_context *context, struct ggml_tensor *rows,
				  struct ggml_tensor *places)
{
	struct ggml_tensor *cache =
		ggml_new_tensor_2d(context, GGML_TYPE_F16, HEAD * KV_HEADS, CACHE);
	int64_t tokens = rows->ne[2];

	cache = ggml_set_rows(context, cache,
			      ggml_reshape_2d(context, rows, HEAD * KV_HEADS, tokens), places);
	cache = ggml_view_3d(context, cache, HEAD, KV_HEADS, CACHE,
			     ggml_row_size(GGML_TYPE_F16, HEAD), cache->nb[1], 0);
	return ggml_permute(context, cache, 0, 2, 1, 3);
}

static struct ggml_tensor *attend(struct ggml_context *context, const struct gt_case *c,
				  struct ggml_tensor *q, struct ggml_tensor *k,
				  struct ggml_tensor *v)
{
	struct ggml_tensor *mask = gt_causal_mask(context, CACHE, c->n[2]);
	struct ggml_tensor *y;

	q = ggml_permute(context, q, 0, 2, 1, 3);
	if (c->n[3]) {
		y = ggml_flash_attn_ext(context, q, k, v, mask, 0.17f, 0, 0);
		ggml_flash_attn_ext_set_prec(y, GGML_PREC_F32);
	} else {
		y = ggml_mul_mat(context, k, q);
		y = ggml_soft_max_ext(context, y, ggml_cast(context, mask, GGML_TYPE_F32), 0.17f,
				      0);
		v = ggml_cont(context, ggml_transpose(context, v));
		y = ggml_cont(context,
			      ggml_permute(context, ggml_mul_mat(context, v, y), 0, 2, 1, 3));
	}
	return ggml_reshape_2d(context, y, HEAD * HEADS, c->n[2]);
}

struct ggml_tensor *gt_layer(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *tokens = gt_indices(context, GGML_TYPE_I32, 50, c->n[2], 1, 1);
	struct ggml_tensor *position = ggml_new_tensor_1d(context, GGML_TYPE_I32, c->n[2]);
	struct ggml_tensor *places = gt_indices(context, GGML_TYPE_I64, CACHE, c->n[2], 1, 1);
	struct ggml_tensor *x =
		ggml_get_rows(context, weights(context, c->n[0], EMBED, 50), tokens);
	struct ggml_tensor *y = norm(context, x, EMBED);
	struct ggml_tensor *q = project(context, y, c, HEADS, position);
	struct ggml_tensor *k = cached(context, project(context, y, c, KV_HEADS, position), places);
	struct ggml_tensor *v = cached(context, project(context, y, c, KV_HEADS, NULL), places);

	y = attend(context, c, q, k, v);
	x = ggml_add(context, x,
		     ggml_mul_mat(context, weights(context, c->n[0], HEAD * HEADS, EMBED), y));
	y = norm(context, x, EMBED);
	y = ggml_swiglu_split(context,
			      ggml_mul_mat(context, weights(context, c->n[0], EMBED, FF), y),
			      ggml_mul_mat(context, weights(context, c->n[0], EMBED, FF), y));
	x = ggml_add(context, x, ggml_mul_mat(context, weights(context, c->n[0], FF, EMBED), y));
	return ggml_mul_mat(context, weights(context, c->n[0], EMBED, 50), norm(context, x, EMBED));
}
