/* SPDX-License-Identifier: MIT */
/*
 * The graphs that the tests of backends compare. Each builder is a gt_builder; above it is what the numbers of its
 * case mean.
 */
#ifndef GT_GRAPHS_H
#define GT_GRAPHS_H

#include "gt.h"

enum gt_layout {
	GT_DENSE,
	GT_PART,       /* a view of the middle of larger rows */
	GT_TRANSPOSED, /* dimensions 0 and 1 lie the other way round */
	GT_PERMUTED,   /* dimensions 1 and 2 do */
	GT_LAYOUTS,
};

/* n: operation, type of a, type of b, layout of a, which dimensions b has (bits) */
struct ggml_tensor *gt_binary(struct ggml_context *context, const struct gt_case *c);

/* n: unary operation or -1 - index of a function, type, layout */
struct ggml_tensor *gt_unary(struct ggml_context *context, const struct gt_case *c);

/* n: operation, type, 0 one tensor, 1 one swapped, 2 two, 3 two views of one */
struct ggml_tensor *gt_glu(struct ggml_context *context, const struct gt_case *c);

/* n: type from, type to, layout from, 0 cpy, 1 cpy to another shape, 2 cont, 3 cpy into a view */
struct ggml_tensor *gt_copy(struct ggml_context *context, const struct gt_case *c);

/* n: type, what */
struct ggml_tensor *gt_parts(struct ggml_context *context, const struct gt_case *c);

/* n: operation, columns, layout */
struct ggml_tensor *gt_norm(struct ggml_context *context, const struct gt_case *c);

/* n: columns, type of mask or -1, sinks; f: scale, bias */
struct ggml_tensor *gt_soft_max(struct ggml_context *context, const struct gt_case *c);

/* n: type, 1 for SET_ROWS, type of result, type of indices, columns */
struct ggml_tensor *gt_rows(struct ggml_context *context, const struct gt_case *c);

/* n: columns, order, number of a top or 0 */
struct ggml_tensor *gt_argsort(struct ggml_context *context, const struct gt_case *c);

/* n: type, mode, dims, factors, layout, backwards; f: freq_scale, ext_factor, attn_factor */
struct ggml_tensor *gt_rope(struct ggml_context *context, const struct gt_case *c);

/*
 * n: type, columns of x, heads of w, heads of x, layout of w, layout of x, k, m, type of x, whether w too has two in the
 * last dimension
 */
struct ggml_tensor *gt_matmul(struct ggml_context *context, const struct gt_case *c);

/* n: type, tokens, whether each expert has its own x (bit 0) and those chosen are a part of all (bit 1), columns */
struct ggml_tensor *gt_experts(struct ggml_context *context, const struct gt_case *c);

/* n: type of k and v, size of heads, queries, keys, kv heads, mask, sinks, cache as llama.cpp lays it out */
struct ggml_tensor *gt_attention(struct ggml_context *context, const struct gt_case *c);

/* n: type of weights, whether Qwen, tokens, whether flash attention */
struct ggml_tensor *gt_layer(struct ggml_context *context, const struct gt_case *c);

#endif /* GT_GRAPHS_H */
