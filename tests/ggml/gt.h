/* SPDX-License-Identifier: MIT */
/*
 * Comparing the plugin with ggml's CPU backend: a case builds a small graph, which runs on both with the same
 * numbers in its inputs.
 */
#ifndef GT_H
#define GT_H

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#define GT_MAX_SELECTOR 16

struct gt_backends {
	ggml_backend_t tested;
	ggml_backend_t cpu;
};

/* Numbers that a builder is given; each has its own meaning to each builder. */
struct gt_case {
	int n[GT_MAX_SELECTOR];
	float f[4];
};

/*
 * Makes the tensors in @context and returns the last of them. Inputs are filled with numbers in [-1, 1) by
 * type; integer inputs by gt_indices() or, without it, with 0, 1, 2 …
 */
typedef struct ggml_tensor *(*gt_builder)(struct ggml_context *context, const struct gt_case *c);

/* An I32 or I64 input of distinct indices below @below (as long as it has no more elements). */
struct ggml_tensor *gt_indices(struct ggml_context *context, enum ggml_type type, int below,
			       int64_t ne0, int64_t ne1, int64_t ne2);
/* An F16 input of zeros and minus infinities, as causal attention has it: column ≤ row + columns - rows is seen. */
struct ggml_tensor *gt_causal_mask(struct ggml_context *context, int64_t columns, int64_t rows);
/* An input of numbers in [0.5, 1.5), for divisors and what logarithms are taken of. */
struct ggml_tensor *gt_positive(struct ggml_context *context, enum ggml_type type,
				const int64_t ne[4]);

/*
 * Runs the case on both; every node must be claimed by the plugin. Returns whether the results' normalized mean square
 * difference is at most @most; prints what is wrong if not. Counts itself in @compared unless the CPU
 * backend cannot compute it.
 */
bool gt_compare(const struct gt_backends *backends, gt_builder build, const struct gt_case *c,
		double most, int *compared);

/* Whether ggml's scheduler, given both backends, computes every node of the case's graph on the tested one. */
bool gt_stays(const struct gt_backends *backends, gt_builder build, const struct gt_case *c);

#endif /* GT_H */
