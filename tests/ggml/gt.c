// SPDX-License-Identifier: MIT
/* Runs one graph on two backends with the same inputs, compares what comes out and counts. */
#include "gt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT_BYTES (1 << 20)

/* How an input is filled is told by its name. */
#define NAME_INDICES  "indices"
#define NAME_MASK     "mask"
#define NAME_POSITIVE "positive"

static int tests;
static int failures;

/* The cases of one operation so far. */
static struct {
	bool good;
	int compared;
} group = { .good = true };

struct ggml_tensor *gt_indices(struct ggml_context *context, enum ggml_type type, int below,
			       int64_t ne0, int64_t ne1, int64_t ne2)
{
	struct ggml_tensor *t = ggml_new_tensor_3d(context, type, ne0, ne1, ne2);

	return ggml_format_name(t, NAME_INDICES " %d", below);
}

struct ggml_tensor *gt_causal_mask(struct ggml_context *context, int64_t columns, int64_t rows)
{
	return ggml_set_name(ggml_new_tensor_2d(context, GGML_TYPE_F16, columns, rows), NAME_MASK);
}

struct ggml_tensor *gt_positive(struct ggml_context *context, enum ggml_type type,
				const int64_t ne[4])
{
	return ggml_set_name(ggml_new_tensor(context, type, 4, ne), NAME_POSITIVE);
}

static float next_number(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (float)(*state >> 8) / (float)(1 << 23) - 1.0f;
}

static void fill_integers(struct ggml_tensor *t, char *bytes)
{
	int below = INT32_MAX;
	int step = 1;

	/* A step that divides no likely bound visits every index once. */
	if (sscanf(t->name, NAME_INDICES " %d", &below) == 1)
		step = 7;
	for (int64_t i = 0; i < ggml_nelements(t); i++) {
		int64_t value = (step * i + step / 2) % below;

		if (t->type == GGML_TYPE_I64)
			((int64_t *)bytes)[i] = value;
		else
			((int32_t *)bytes)[i] = (int32_t)value;
	}
}

/* Some types are only made with the importance of each column: here all are as important. */
static void quantize(const struct ggml_tensor *t, const float *numbers, char *bytes, int64_t rows)
{
	float *importance = NULL;

	if (ggml_quantize_requires_imatrix(t->type)) {
		importance = malloc((size_t)t->ne[0] * sizeof(*importance));
		for (int64_t i = 0; i < t->ne[0]; i++)
			importance[i] = 1;
	}
	ggml_quantize_chunk(t->type, numbers, bytes, 0, rows, t->ne[0], importance);
	free(importance);
}

static void fill_floats(struct ggml_tensor *t, char *bytes, uint32_t *state)
{
	int64_t count = ggml_nelements(t);
	float *numbers = malloc((size_t)count * sizeof(*numbers));

	for (int64_t i = 0; i < count; i++) {
		int64_t column = i % t->ne[0];
		int64_t row = i / t->ne[0] % t->ne[1];

		numbers[i] = next_number(state);
		if (!strcmp(t->name, NAME_POSITIVE))
			numbers[i] = 1.0f + numbers[i] / 2;
		if (!strcmp(t->name, NAME_MASK))
			numbers[i] = column <= row + t->ne[0] - t->ne[1] ? 0 : -INFINITY;
	}
	if (t->type == GGML_TYPE_F32)
		memcpy(bytes, numbers, (size_t)count * sizeof(*numbers));
	else if (t->type == GGML_TYPE_F16)
		ggml_fp32_to_fp16_row(numbers, (ggml_fp16_t *)bytes, count);
	else
		quantize(t, numbers, bytes, count / t->ne[0]);
	free(numbers);
}

static void fill_inputs(struct ggml_context *context, uint32_t state)
{
	for (struct ggml_tensor *t = ggml_get_first_tensor(context); t;
	     t = ggml_get_next_tensor(context, t)) {
		char *bytes;

		if (t->op != GGML_OP_NONE || t->view_src)
			continue;
		bytes = calloc(1, ggml_nbytes(t));
		if (t->type == GGML_TYPE_I32 || t->type == GGML_TYPE_I64)
			fill_integers(t, bytes);
		else
			fill_floats(t, bytes, &state);
		ggml_backend_tensor_set(t, bytes, 0, ggml_nbytes(t));
		free(bytes);
	}
}

static double element(const struct ggml_tensor *t, const char *bytes, int64_t i)
{
	size_t at = 0;

	for (int d = 0; d < 4; d++) {
		at += (size_t)(i % t->ne[d]) * t->nb[d];
		i /= t->ne[d];
	}
	switch (t->type) {
	case GGML_TYPE_F32:
		return *(const float *)(bytes + at);
	case GGML_TYPE_F16:
		return ggml_fp16_to_fp32(*(const ggml_fp16_t *)(bytes + at));
	case GGML_TYPE_BF16:
		return ggml_bf16_to_fp32(*(const ggml_bf16_t *)(bytes + at));
	case GGML_TYPE_I32:
		return *(const int32_t *)(bytes + at);
	default:
		return 0;
	}
}

struct run {
	struct ggml_context *context;
	struct ggml_tensor *out;
	struct ggml_cgraph *graph;
	ggml_backend_buffer_t buffer;
	char *bytes;
};

static void run_build(struct run *run, gt_builder build, const struct gt_case *c)
{
	const struct ggml_init_params params = { .mem_size = CONTEXT_BYTES, .no_alloc = true };

	memset(run, 0, sizeof(*run));
	run->context = ggml_init(params);
	run->out = build(run->context, c);
	run->graph = ggml_new_graph(run->context);
	ggml_build_forward_expand(run->graph, run->out);
}

static bool run_supported(const struct run *run, ggml_backend_t backend, const char **missing)
{
	for (int i = 0; i < ggml_graph_n_nodes(run->graph); i++) {
		struct ggml_tensor *node = ggml_graph_node(run->graph, i);

		*missing = ggml_op_desc(node);
		if (!ggml_backend_supports_op(backend, node))
			return false;
	}
	return true;
}

/* Twice, with other numbers first: a backend that keeps what it made of a graph must not keep the numbers. */
static bool run_compute(struct run *run, ggml_backend_t backend)
{
	run->buffer = ggml_backend_alloc_ctx_tensors(run->context, backend);
	if (!run->buffer)
		return false;
	for (uint32_t seed = 2; seed > 0; seed--) {
		fill_inputs(run->context, seed);
		if (ggml_backend_graph_compute(backend, run->graph) != GGML_STATUS_SUCCESS)
			return false;
	}
	run->bytes = malloc(ggml_nbytes(run->out));
	ggml_backend_tensor_get(run->out, run->bytes, 0, ggml_nbytes(run->out));
	return true;
}

void gt_check_stays(const struct gt_backends *backends, gt_builder build, const struct gt_case *c)
{
	ggml_backend_t both[] = { backends->tested, backends->cpu };
	ggml_backend_sched_t scheduler = ggml_backend_sched_new(both, NULL, 2, 256, false, true);
	struct run run;
	bool good;

	run_build(&run, build, c);
	good = ggml_backend_sched_alloc_graph(scheduler, run.graph);
	for (int i = 0; i < ggml_graph_n_nodes(run.graph); i++) {
		struct ggml_tensor *node = ggml_graph_node(run.graph, i);

		if (ggml_backend_sched_get_tensor_backend(scheduler, node) == backends->tested)
			continue;
		printf("# node %d, %s, falls back\n", i, ggml_op_desc(node));
		good = false;
	}
	ggml_backend_sched_free(scheduler);
	ggml_free(run.context);
	group.good &= good;
}

static void run_free(struct run *run)
{
	free(run->bytes);
	ggml_backend_buffer_free(run->buffer);
	ggml_free(run->context);
}

static double difference(const struct run *a, const struct run *b)
{
	double error = 0;
	double size = 0;

	for (int64_t i = 0; i < ggml_nelements(a->out); i++) {
		double x = element(a->out, a->bytes, i);
		double y = element(b->out, b->bytes, i);

		if (x == y)
			continue;
		if (!isfinite(x) || !isfinite(y))
			return INFINITY;
		error += (x - y) * (x - y);
		size += y * y;
	}
	for (int64_t i = 0; i < ggml_nelements(a->out); i++) {
		double x = element(a->out, a->bytes, i);
		double y = element(b->out, b->bytes, i);

		if (x == y && isfinite(y))
			size += y * y;
	}
	return error == 0 ? 0 : error / size;
}

static void describe(const struct run *run, const struct gt_case *c, const char *what)
{
	printf("# %s: %s [%lld %lld %lld %lld], case", what, ggml_op_desc(run->out),
	       (long long)run->out->ne[0], (long long)run->out->ne[1], (long long)run->out->ne[2],
	       (long long)run->out->ne[3]);
	for (int i = 0; i < GT_MAX_SELECTOR; i++)
		printf(" %d", c->n[i]);
	printf(" / %g %g %g %g\n", c->f[0], c->f[1], c->f[2], c->f[3]);
}

void gt_check(const struct gt_backends *backends, gt_builder build, const struct gt_case *c,
	      double most)
{
	struct run tested, cpu;
	const char *missing;
	char what[128] = "";
	double error;

	run_build(&tested, build, c);
	run_build(&cpu, build, c);
	if (!run_supported(&tested, backends->tested, &missing)) {
		if (!backends->declines)
			snprintf(what, sizeof(what), "%s is not claimed", missing);
	} else if (run_supported(&cpu, backends->cpu, &missing)) {
		if (!run_compute(&tested, backends->tested) || !run_compute(&cpu, backends->cpu)) {
			snprintf(what, sizeof(what), "the graph failed");
		} else {
			error = difference(&tested, &cpu);
			if (!(error <= most))
				snprintf(what, sizeof(what), "differs by %g, expected %g at most",
					 error, most);
			group.compared++;
		}
	}
	if (what[0]) {
		describe(&tested, c, what);
		group.good = false;
	}
	run_free(&tested);
	run_free(&cpu);
}

void gt_finish(const char *name, int least)
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

static void test_device(ggml_backend_dev_t device, bool declines,
			void (*test)(const struct gt_backends *backends))
{
	const struct gt_backends backends = {
		.tested = ggml_backend_dev_init(device, NULL),
		.cpu = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL),
		.declines = declines,
	};

	printf("# %s: %s\n", ggml_backend_dev_name(device), ggml_backend_dev_description(device));
	if (!backends.tested || !backends.cpu) {
		printf("not ok %d - a backend on the device\n", ++tests);
		failures++;
		return;
	}
	test(&backends);
	ggml_backend_free(backends.tested);
	ggml_backend_free(backends.cpu);
}

int gt_main(const char *registry, bool declines, void (*test)(const struct gt_backends *backends))
{
	int devices = 0;

	ggml_backend_load_all();
	if (!ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)) {
		printf("1..0 # SKIP ggml has no CPU backend here to compare with\n");
		return 0;
	}
	for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
		ggml_backend_dev_t device = ggml_backend_dev_get(i);

		if (strcmp(ggml_backend_reg_name(ggml_backend_dev_backend_reg(device)), registry))
			continue;
		test_device(device, declines, test);
		devices++;
	}
	printf("%s %d - ggml's backend %s is loaded and has devices\n", devices ? "ok" : "not ok",
	       ++tests, registry);
	failures += !devices;
	printf("1..%d\n", tests);
	return failures != 0;
}
