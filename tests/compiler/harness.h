/* SPDX-License-Identifier: MIT */
/* Shader tests: a case says what goes in and what must come out; the harness compiles and runs it on each target. */
#ifndef HEARTH_TESTS_COMPILER_HARNESS_H
#define HEARTH_TESTS_COMPILER_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hc.h"

#define MAX_BUFFERS 8
#define MAX_SPEC    8

struct run;

/* @kind: of the binding. @bytes 0: no such buffer. @set, @binding: where the shader sees it. */
struct buffer {
	uint32_t bytes;
	uint32_t set;
	uint32_t binding;
	enum hc_binding_kind kind;
	bool dynamic;
	bool array_next; /* one more element of the array that the buffer before it began */
};

/*
 * @buffers: filled with random words unless prepare() does otherwise. Buffer 0 starts as zeros.
 * @prepare: may write run->data[] and run->push.
 * @expect: changes run->want[], which starts as a copy of run->data[].
 * @close: if set, how buffer 0 is compared (as floats): |got - want| <= relative |want| + absolute.
 */
struct shader_case {
	const char *name;
	uint32_t local[3];
	uint32_t groups[3];
	uint32_t base[3];
	struct buffer buffers[MAX_BUFFERS];
	uint32_t push_bytes;
	uint32_t push_addresses; /* the push constants begin with those of so many buffers */
	struct hc_spec_constant spec[MAX_SPEC];
	uint32_t spec_count;
	uint32_t flags;
	uint32_t subgroup_size;
	void (*prepare)(struct run *r);
	void (*expect)(struct run *r);
	bool close;
	double relative, absolute;
};

struct run {
	const struct shader_case *c;
	uint32_t subgroup; /* size */
	uint8_t *data[MAX_BUFFERS];
	uint8_t *want[MAX_BUFFERS];
	uint8_t push[256];
};

#define WORDS(r, i)  ((uint32_t *)(r)->data[i])
#define WANT(r, i)   ((uint32_t *)(r)->want[i])
#define FLOATS(r, i) ((float *)(r)->data[i])
#define WANTF(r, i)  ((float *)(r)->want[i])

uint32_t test_random(void);
/* Number of invocations of the whole grid. */
uint32_t run_invocations(const struct run *r);

/* Each file of cases ends with one of these. */
struct case_list {
	const struct shader_case *cases;
	size_t count;
};
extern const struct case_list pointwise_cases, memory_cases, group_cases, subgroup_cases,
	math_cases, matrix_cases, random_cases;

#endif /* HEARTH_TESTS_COMPILER_HARNESS_H */
