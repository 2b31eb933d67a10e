// SPDX-License-Identifier: MIT
/*
 * The ggml plugin on each device that it offers: every operation that it claims, over types, shapes, strides and
 * repetitions, and a layer of a Llama and of a Qwen model, against ggml's CPU backend. The plugin is found by
 * GGML_BACKEND_PATH, as a user's would be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gt.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

#define EXACT	     1e-12
#define CLOSE	     1e-7 /* F32, another order of summation, other functions */
#define CLOSE_16     2e-6 /* F16 results */
#define CLOSE_Q	     5e-4 /* the CPU backend rounds activations where weights are blocks, or F16 */

static int tests;
static int failures;

/* The cases of one operation so far. */
static struct {
	bool good;
	int compared;
} group;

static void check(const struct gt_backends *backends, gt_builder build, const struct gt_case *c,
		  double most)
{
	if (!gt_compare(backends, build, c, most, &group.compared))
		group.good = false;
}

static void finish(const char *name, int least)
{
	bool good = group.good && group.compared >= least;

	if (group.compared < least)
		printf("# %d cases compared, expected %d at least\n", group.compared, least);
	printf("%s %d - %s, %d cases\n", good ? "ok" : "not ok", ++tests, name, group.compared);
	failures += !good;
	fflush(stdout);
	group.good = true;
	group.compared = 0;
}

/* ---- Layouts of inputs ---- */

enum layout {
	DENSE,
	PART,	    /* a view of the middle of larger rows */
	TRANSPOSED, /* dimensions 0 and 1 lie the other way round */
	PERMUTED,   /* dimensions 1 and 2 do */
	LAYOUTS,
};

static struct ggml_tensor *input(struct ggml_context *context, enum ggml_type type,
				 enum layout layout, int64_t a, int64_t b, int64_t c, int64_t d)
{
	struct ggml_tensor *t;

	switch (layout) {
	case PART:
		t = ggml_new_tensor_4d(context, type, 2 * a, b + 1, c, d);
		return ggml_view_4d(context, t, a, b, c, d, t->nb[1], t->nb[2], t->nb[3],
				    t->nb[1] + ggml_row_size(type, a));
	case TRANSPOSED:
		return ggml_transpose(context, ggml_new_tensor_4d(context, type, b, a, c, d));
	case PERMUTED:
		return ggml_permute(context, ggml_new_tensor_4d(context, type, a, c, b, d), 0, 2, 1,
				    3);
	default:
		return ggml_new_tensor_4d(context, type, a, b, c, d);
	}
}

static const enum ggml_type float_types[] = { GGML_TYPE_F32, GGML_TYPE_F16 };
static const enum ggml_type weight_types[] = { GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0,
					       GGML_TYPE_Q4_0 };

/* ---- Element by element ---- */

/* n: operation, type of a, type of b, layout of a, which dimensions b has (bits) */
static struct ggml_tensor *build_binary(struct ggml_context *context, const struct gt_case *c)
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

static void test_binary(const struct gt_backends *backends)
{
	for (int op = 0; op < 4; op++)
		for (int layout = 0; layout < LAYOUTS; layout++)
			for (int dims = 0; dims < 16; dims++) {
				struct gt_case c = { { op, GGML_TYPE_F32, GGML_TYPE_F32, layout,
						       dims } };

				/* The CPU backend wants whole rows. */
				if (layout == TRANSPOSED)
					continue;
				check(backends, build_binary, &c, CLOSE);
				c.n[1] = GGML_TYPE_F16;
				c.n[2] = float_types[dims & 1];
				check(backends, build_binary, &c, CLOSE_16);
			}
	finish("ADD, SUB, MUL, DIV", 300);
}

/* n: unary operation or -1 - index of a function, type, layout */
static struct ggml_tensor *build_unary(struct ggml_context *context, const struct gt_case *c)
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

static void test_unary(const struct gt_backends *backends)
{
	static const int unclaimed[] = { GGML_UNARY_OP_EXPM1, GGML_UNARY_OP_XIELU,
					 GGML_UNARY_OP_ROUND };

	for (int op = -7; op < GGML_UNARY_OP_COUNT; op++)
		for (int type = 0; type < COUNT(float_types); type++)
			for (int layout = DENSE; layout <= PART; layout++) {
				const struct gt_case c = { { op, float_types[type], layout } };

				/* The CPU backend's LEAKY_RELU takes dense F32 only. */
				if (op == unclaimed[0] || op == unclaimed[1] ||
				    op == unclaimed[2] || (op == -6 && (type || layout == PART)))
					continue;
				check(backends, build_unary, &c, type ? CLOSE_16 : CLOSE);
			}
	finish("UNARY, SQR, SQRT, LOG, SIN, COS, LEAKY_RELU, CLAMP", 80);
}

/* n: operation, type, 0 one tensor, 1 one swapped, 2 two, 3 two views of one */
static struct ggml_tensor *build_glu(struct ggml_context *context, const struct gt_case *c)
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

static void test_glu(const struct gt_backends *backends)
{
	static const int ops[] = { GGML_GLU_OP_REGLU, GGML_GLU_OP_GEGLU, GGML_GLU_OP_SWIGLU,
				   GGML_GLU_OP_GEGLU_ERF, GGML_GLU_OP_GEGLU_QUICK };

	for (int op = 0; op < COUNT(ops); op++)
		for (int type = 0; type < COUNT(float_types); type++)
			for (int form = 0; form < 4; form++) {
				const struct gt_case c = { { ops[op], float_types[type], form } };

				check(backends, build_glu, &c, CLOSE_16);
			}
	finish("GLU", 40);
}

/* n: type from, type to, layout from, 0 cpy, 1 cpy to another shape, 2 cont, 3 cpy into a view */
static struct ggml_tensor *build_copy(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = input(context, c->n[0], c->n[2], 64, 6, 3, 2);

	switch (c->n[3]) {
	case 1:
		return ggml_cpy(context, a, ggml_new_tensor_4d(context, c->n[1], 32, 3, 2, 12));
	case 2:
		return ggml_cont(context, a);
	case 3:
		return ggml_cpy(context, a, input(context, c->n[1], PART, 64, 6, 3, 2));
	default:
		return ggml_cpy(context, a, ggml_new_tensor_4d(context, c->n[1], 64, 6, 3, 2));
	}
}

static void test_copy(const struct gt_backends *backends)
{
	for (int from = 0; from < COUNT(weight_types); from++)
		for (int to = 0; to < COUNT(float_types); to++)
			for (int layout = 0; layout < LAYOUTS; layout++)
				for (int form = 0; form < 4; form++) {
					const struct gt_case c = { { weight_types[from],
								     float_types[to], layout,
								     form } };
					bool blocks = from > 1;

					if (blocks &&
					    (layout != DENSE || form == 2 || form == 3 || to))
						continue;
					check(backends, build_copy, &c, EXACT);
				}
	finish("CPY, CONT", 60);
}

/* n: type, what */
static struct ggml_tensor *build_parts(struct ggml_context *context, const struct gt_case *c)
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

static void test_parts(const struct gt_backends *backends)
{
	for (int what = 0; what < 6; what++) {
		const struct gt_case c = { { GGML_TYPE_F32, what } };

		check(backends, build_parts, &c, what == 5 ? CLOSE : EXACT);
	}
	finish("CONCAT, REPEAT, SCALE", 6);
}

/* ---- Row by row ---- */

/* n: operation, columns, layout */
static struct ggml_tensor *build_norm(struct ggml_context *context, const struct gt_case *c)
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

static void test_norm(const struct gt_backends *backends)
{
	static const int columns[] = { 1, 33, 64, 1025 };

	for (int op = 0; op < 5; op++)
		for (int i = 0; i < COUNT(columns); i++)
			for (int layout = 0; layout < LAYOUTS; layout++) {
				const struct gt_case c = { { op, columns[i], layout } };

				/* The CPU backend wants whole rows; a mean of one number has no norm. */
				if (layout == TRANSPOSED || (op == 1 && columns[i] == 1))
					continue;
				check(backends, build_norm, &c, CLOSE);
			}
	finish("RMS_NORM, NORM, L2_NORM, SUM_ROWS, MEAN", 50);
}

/* n: columns, type of mask or -1, sinks; f: scale, bias */
static struct ggml_tensor *build_soft_max(struct ggml_context *context, const struct gt_case *c)
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

static void test_soft_max(const struct gt_backends *backends)
{
	static const int columns[] = { 1, 32, 77, 300 };
	static const int masks[] = { -1, GGML_TYPE_F32, GGML_TYPE_F16 };

	for (int i = 0; i < COUNT(columns); i++)
		for (int mask = 0; mask < COUNT(masks); mask++)
			for (int sinks = 0; sinks < 2; sinks++)
				for (int bias = 0; bias < (mask ? 2 : 1); bias++) {
					const struct gt_case c = { { columns[i], masks[mask], sinks,
								     bias ? 3 : 1 },
								   { 0.7f, bias ? 8 : 0 } };

					check(backends, build_soft_max, &c, CLOSE);
				}
	finish("SOFT_MAX", 40);
}

/* n: type, 1 for SET_ROWS, type of result, type of indices, columns */
static struct ggml_tensor *build_rows(struct ggml_context *context, const struct gt_case *c)
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

static void test_rows(const struct gt_backends *backends)
{
	static const int columns[] = { 32, 96, 1088 };

	for (int i = 0; i < COUNT(columns); i++) {
		for (int type = 0; type < COUNT(weight_types); type++) {
			const struct gt_case c = { { weight_types[type], 0, 0, 0, columns[i] } };

			check(backends, build_rows, &c, CLOSE);
		}
		for (int type = 0; type < COUNT(float_types); type++)
			for (int index = 0; index < 2; index++) {
				const struct gt_case c = { { 0, 1, float_types[type],
							     index ? GGML_TYPE_I64 : GGML_TYPE_I32,
							     columns[i] } };

				check(backends, build_rows, &c, EXACT);
			}
	}
	finish("GET_ROWS, SET_ROWS", 20);
}

/* n: columns, order, number of a top or 0 */
static struct ggml_tensor *build_argsort(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *a = ggml_new_tensor_4d(context, GGML_TYPE_F32, c->n[0], 5, 3, 2);

	return c->n[2] ? ggml_argsort_top_k(context, a, c->n[2])
		       : ggml_argsort(context, a, c->n[1]);
}

static void test_argsort(const struct gt_backends *backends)
{
	static const int columns[] = { 1, 8, 60, 128, 200 };

	for (int i = 0; i < COUNT(columns); i++)
		for (int order = 0; order < 2; order++) {
			struct gt_case c = { { columns[i], order } };

			check(backends, build_argsort, &c, EXACT);
			c.n[2] = (columns[i] + 3) / 4;
			check(backends, build_argsort, &c, EXACT);
		}
	finish("ARGSORT", 20);
}

/* n: type, mode, dims, factors, layout, backwards; f: freq_scale, ext_factor, attn_factor */
static struct ggml_tensor *build_rope(struct ggml_context *context, const struct gt_case *c)
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

static void test_rope(const struct gt_backends *backends)
{
	static const int modes[] = { GGML_ROPE_TYPE_NORMAL, GGML_ROPE_TYPE_NEOX };

	for (int i = 0; i < 256; i++) {
		const struct gt_case c = {
			{ float_types[i & 1], modes[i >> 1 & 1], i & 4 ? 64 : 40, i >> 3 & 1,
			  i & 16 ? PART : PERMUTED, i >> 5 & 1 },
			{ i & 64 ? 0.5f : 1, i & 128 ? 0.75f : 0, i & 128 ? 1.2f : 1 },
		};

		check(backends, build_rope, &c, i & 1 ? CLOSE_16 : CLOSE);
	}
	finish("ROPE, ROPE_BACK", 200);
}

/* ---- Products and attention ---- */

/* n: type, columns of x, heads of w, heads of x, layout of w, layout of x, k, m, type of x */
static struct ggml_tensor *build_matmul(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *w = input(context, c->n[0], c->n[4], c->n[6], c->n[7], c->n[2], 1);

	return ggml_mul_mat(context, w,
			    input(context, c->n[8], c->n[5], c->n[6], c->n[1], c->n[3], 2));
}

static void test_matmul(const struct gt_backends *backends)
{
	static const int vectors[] = { 1, 3, 9, 40 };
	static const int heads[][2] = { { 1, 1 }, { 1, 3 }, { 2, 6 } };
	static const int shapes[][2] = { { 64, 17 }, { 288, 70 } };

	for (int type = 0; type < COUNT(weight_types); type++)
		for (int i = 0; i < COUNT(vectors) * COUNT(heads) * COUNT(shapes); i++)
			for (int layout = 0; layout < LAYOUTS; layout++) {
				const int *head = heads[i / COUNT(vectors) % COUNT(heads)];
				const int *shape = shapes[i / COUNT(vectors) / COUNT(heads)];
				struct gt_case c = { { weight_types[type],
						       vectors[i % COUNT(vectors)], head[0],
						       head[1], layout, DENSE, shape[0], shape[1],
						       GGML_TYPE_F32 } };

				/* Rows of weights are whole, in ggml. */
				if (layout != TRANSPOSED)
					check(backends, build_matmul, &c, CLOSE_Q);
				c.n[4] = DENSE;
				c.n[5] = layout == TRANSPOSED ? PART : layout;
				c.n[8] = type == 1 && layout == TRANSPOSED ? GGML_TYPE_F16
									   : GGML_TYPE_F32;
				check(backends, build_matmul, &c, CLOSE_Q);
			}
	finish("MUL_MAT", 400);
}

/* n: type, tokens, whether each expert has its own x */
static struct ggml_tensor *build_experts(struct ggml_context *context, const struct gt_case *c)
{
	struct ggml_tensor *w = ggml_new_tensor_3d(context, c->n[0], 96, 35, 5);
	struct ggml_tensor *x =
		ggml_new_tensor_3d(context, GGML_TYPE_F32, 96, c->n[2] ? 2 : 1, c->n[1]);

	return ggml_mul_mat_id(context, w, x, gt_indices(context, GGML_TYPE_I32, 5, 2, c->n[1], 1));
}

static void test_experts(const struct gt_backends *backends)
{
	static const int tokens[] = { 1, 4, 33 };

	for (int type = 0; type < COUNT(weight_types); type++)
		for (int i = 0; i < 2 * COUNT(tokens); i++) {
			const struct gt_case c = { { weight_types[type], tokens[i / 2], i & 1 } };

			check(backends, build_experts, &c, CLOSE_Q);
		}
	finish("MUL_MAT_ID", 20);
}

/* n: type of k and v, size of heads, queries, keys, kv heads, mask, sinks, cache as llama.cpp lays it out */
static struct ggml_tensor *build_attention(struct ggml_context *context, const struct gt_case *c)
{
	int64_t d = c->n[1];
	enum layout layout = c->n[7] ? PERMUTED : DENSE;
	struct ggml_tensor *q = input(context, GGML_TYPE_F32, layout, d, c->n[2], 4, 1);
	struct ggml_tensor *k = input(context, c->n[0], layout, d, c->n[3], c->n[4], 1);
	struct ggml_tensor *v = input(context, c->n[0], layout, d, c->n[3], c->n[4], 1);
	struct ggml_tensor *mask = c->n[5] ? gt_causal_mask(context, c->n[3], c->n[2]) : NULL;
	struct ggml_tensor *out =
		ggml_flash_attn_ext(context, q, k, v, mask, 0.125f, c->n[5] ? c->f[0] : 0, c->f[1]);

	if (c->n[6])
		ggml_flash_attn_ext_add_sinks(out, ggml_new_tensor_1d(context, GGML_TYPE_F32, 4));
	return out;
}

static void test_attention(const struct gt_backends *backends)
{
	static const int sizes[] = { 64, 96, 128 };
	static const int shapes[][2] = { { 1, 7 }, { 1, 200 }, { 5, 65 }, { 33, 128 } };

	for (int type = 0; type < COUNT(weight_types); type++)
		for (int size = 0; size < COUNT(sizes); size++)
			for (int i = 0; i < 8 * COUNT(shapes); i++) {
				const struct gt_case c = {
					{ weight_types[type], sizes[size], shapes[i >> 3][0],
					  shapes[i >> 3][1], i & 1 ? 2 : 4, i & 2, i & 4, i & 1 },
					{ i & 4 ? 8 : 0, i & 1 ? 10 : 0 },
				};

				check(backends, build_attention, &c, CLOSE_Q);
			}
	finish("FLASH_ATTN_EXT", 300);
}

/* ---- A layer of a model, as llama.cpp builds it ---- */

#define EMBED	 128
#define HEADS	 4
#define KV_HEADS 2
#define HEAD	 32
#define FF	 192
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

/* n: type of weights, whether Qwen, tokens, whether flash attention */
static struct ggml_tensor *build_layer(struct ggml_context *context, const struct gt_case *c)
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

static void test_layer(const struct gt_backends *backends)
{
	for (int qwen = 0; qwen < 2; qwen++) {
		for (int type = 0; type < COUNT(weight_types); type++)
			for (int i = 0; i < 4; i++) {
				const struct gt_case c = { { weight_types[type], qwen,
							     i & 1 ? 1 : 19, i >> 1 } };

				check(backends, build_layer, &c, 5e-3);
				if (!gt_stays(backends, build_layer, &c))
					group.good = false;
			}
		finish(qwen ? "a Qwen model, no operation left out"
			    : "a Llama model, no operation left out",
		       16);
	}
}

static void test_device(ggml_backend_dev_t device)
{
	struct gt_backends backends = {
		.tested = ggml_backend_dev_init(device, NULL),
		.cpu = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL),
	};

	printf("# %s: %s\n", ggml_backend_dev_name(device), ggml_backend_dev_description(device));
	if (!backends.tested || !backends.cpu) {
		printf("not ok %d - a backend on the device\n", ++tests);
		failures++;
		return;
	}
	group.good = true;
	test_binary(&backends);
	test_unary(&backends);
	test_glu(&backends);
	test_copy(&backends);
	test_parts(&backends);
	test_norm(&backends);
	test_soft_max(&backends);
	test_rows(&backends);
	test_argsort(&backends);
	test_rope(&backends);
	test_matmul(&backends);
	test_experts(&backends);
	test_attention(&backends);
	test_layer(&backends);
	ggml_backend_free(backends.tested);
	ggml_backend_free(backends.cpu);
}

int main(void)
{
	int devices = 0;

	ggml_backend_load_all();
	if (!ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)) {
		printf("1..0 # SKIP ggml has no CPU backend here to compare with\n");
		return 0;
	}
	for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
		ggml_backend_dev_t device = ggml_backend_dev_get(i);
		const char *owner = ggml_backend_reg_name(ggml_backend_dev_backend_reg(device));

		if (strcmp(owner, "Hearth"))
			continue;
		test_device(device);
		devices++;
	}
	printf("%s %d - the plugin is loaded and has devices\n", devices ? "ok" : "not ok",
	       ++tests);
	failures += !devices;
	printf("1..%d\n", tests);
	return failures != 0;
}
