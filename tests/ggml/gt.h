/* SPDX-License-Identifier: MIT */
/*
 * Comparing a backend with ggml's CPU backend: a case builds a small graph, which runs on both with the same
 * numbers in its inputs. Cases are counted in groups; a group is one result of the test.
 */
#ifndef GT_H
#define GT_H

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#define GT_MAX_SELECTOR 16

#define GT_COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* Normalized mean square differences that are allowed. */
#define GT_EXACT	1e-12
#define GT_CLOSE	1e-7 /* F32, another order of summation, other functions */
#define GT_CLOSE_16	2e-6 /* F16 results */
#define GT_CLOSE_Q	5e-4 /* the CPU backend rounds activations where weights are blocks, or F16 */
#define GT_LAYER	1e-2 /* the same, one product after the other */

struct gt_backends {
	ggml_backend_t tested;
	ggml_backend_t cpu;
	bool declines; /* the tested one may leave a case to others; it is not compared then */
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
 * Runs the case on both; every node must be claimed by the tested one. The group fails unless the results' normalized mean
 * square difference is at most @most; prints what is wrong then. A case that the CPU backend cannot compute is
 * not counted.
 */
void gt_check(const struct gt_backends *backends, gt_builder build, const struct gt_case *c,
	      double most);

/* The group fails unless ggml's scheduler, given both backends, computes every node on the tested one. */
void gt_check_stays(const struct gt_backends *backends, gt_builder build, const struct gt_case *c);

/* Ends a group: it passes if all its cases did and @least at the least were compared. */
void gt_finish(const char *name, int least);

/*
 * Calls @test with each device of the backend registered as @registry, and prints the plan of the TAP. Returns the
 * program's exit status.
 */
int gt_main(const char *registry, bool declines, void (*test)(const struct gt_backends *backends));

#endif /* GT_H */
