// SPDX-License-Identifier: MIT
/*
 * The operations of a mixture of experts against the float64 reference: which experts rows go to, products slot by slot and in
 * tiles, and their sums. Tolerances as in test_ops.c.
 */
#include "rt_test.h"

#include <math.h>

#define SUM_TOLERANCE	4e-6
#define EXP_TOLERANCE	2e-5
#define BYTES_TOLERANCE 4e-3

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* ---- Which experts ---- */

static void test_select(uint32_t rows, uint32_t experts, uint32_t used, bool sigmoid,
			bool normalise, float scale)
{
	const struct hearth_experts_info info = {
		.struct_size = sizeof(info),
		.experts = experts,
		.used = used,
		.gating = sigmoid ? HEARTH_GATING_SIGMOID : HEARTH_GATING_SOFTMAX,
		.normalise = normalise,
		.scale = scale,
	};
	uint64_t count = (uint64_t)rows * used;
	float *logits = rt_random((uint64_t)rows * experts, rows + experts);
	uint32_t *want = rt_alloc(4 * count), *got = rt_alloc(4 * count);
	float *weights = rt_alloc(4 * count);
	double *logits64, *weights64 = rt_alloc(8 * count);
	struct hearth_view selected = rt_buffer(NULL, 4 * count);
	struct hearth_view weights_view = rt_buffer(NULL, 4 * count);
	struct hearth_recording *recording = rt_recording();

	for (uint64_t i = 0; i < (uint64_t)rows * experts; i++)
		logits[i] *= 5;
	/* Equal logits: the first counts. */
	for (uint32_t e = 0; rows > 1 && e < experts; e++)
		logits[experts + e] = (float)(e / 3 % 2);
	logits64 = rt_doubles(logits, (uint64_t)rows * experts);
	ref_experts_select(logits64, want, weights64, rows, experts, used, sigmoid, normalise,
			   scale > 0 ? scale : 1);
	rt_require(hearth_op_experts_select(recording, rt_buffer(logits, 4ull * rows * experts),
					    selected, weights_view, rows, &info),
		   "hearth_op_experts_select");
	rt_require(rt_run(recording), "experts_select");
	rt_read(selected, got, 4 * count);
	rt_read(weights_view, weights, 4 * count);
	rt_ok(!memcmp(got, want, 4 * count) &&
		      rt_close_enough(weights, weights64, NULL, count, EXP_TOLERANCE, 0),
	      "select: %u rows, %u of %u experts, %s%s, scale %g", rows, used, experts,
	      sigmoid ? "sigmoid" : "softmax", normalise ? " normalised" : "", (double)scale);
	rt_free_buffers();
	free(logits), free(want), free(got), free(weights), free(logits64), free(weights64);
}

/* A row of NaN and infinities still selects experts that there are, each once. */
static void test_select_odd(void)
{
	enum { EXPERTS = 5, USED = 4, ROWS = 3 };
	const float logits[ROWS][EXPERTS] = {
		{ NAN, NAN, NAN, NAN, NAN },
		{ NAN, -INFINITY, 1, -INFINITY, NAN },
		{ -0.0f, 0.0f, -INFINITY, 0.0f, -1 },
	};
	const uint32_t want[ROWS][USED] = { { 0, 1, 2, 3 }, { 2, 1, 3, 0 }, { 0, 1, 3, 4 } };
	const struct hearth_experts_info info = {
		.struct_size = sizeof(info),
		.experts = EXPERTS,
		.used = USED,
	};
	struct hearth_view selected = rt_buffer(NULL, sizeof(want));
	struct hearth_recording *recording = rt_recording();
	uint32_t got[ROWS][USED];

	rt_require(hearth_op_experts_select(recording, rt_buffer(logits, sizeof(logits)), selected,
					    rt_buffer(NULL, sizeof(want)), ROWS, &info),
		   "hearth_op_experts_select");
	rt_require(rt_run(recording), "experts_select");
	rt_read(selected, got, sizeof(got));
	rt_ok(!memcmp(got, want, sizeof(want)), "select: NaN and infinities");
	rt_free_buffers();
}

/* ---- Products ---- */

/* Two products with the same selection, so that what tiles are made from is shared, and one slot that goes nowhere. */
static void test_matmul(enum hearth_type type, uint32_t rows, uint32_t experts, uint32_t used,
			uint32_t n, uint32_t k, bool own_x, bool best)
{
	uint64_t slots = (uint64_t)rows * used, expert_bytes = n * ref_row_bytes(type, k);
	uint64_t x_count = (own_x ? slots : rows) * k;
	void *w = rt_weights(type, experts * n, k, n + k);
	float *x = rt_random(x_count, rows + k), *got = rt_random(slots * n, 9);
	double *x64 = rt_doubles(x, x_count), *want = rt_doubles(got, slots * n);
	double *magnitude = rt_alloc(8 * slots * n);
	uint32_t stride = own_x ? 0 : used + 3, width = own_x ? used : stride;
	uint32_t *selected = rt_alloc(4ull * rows * width), state = rows + experts;
	const struct hearth_matrix matrix = {
		.view = rt_buffer(NULL, experts * expert_bytes),
		.type = best ? hearth_matrix_best_type(rt_device, type, n, k) : type,
		.rows = experts * n,
		.columns = k,
	};
	struct hearth_view y = rt_buffer(got, 4 * slots * n), y2 = rt_buffer(got, 4 * slots * n);
	struct hearth_view x_view = rt_buffer(x, 4 * x_count), selected_view;
	struct hearth_recording *recording = rt_recording();
	uint32_t lengths[2];
	double tolerance = matrix.type == type ? SUM_TOLERANCE : BYTES_TOLERANCE;
	bool good;

	rt_require(hearth_matrix_write(&matrix, 0, experts * n, w), "hearth_matrix_write");
	rt_require(hearth_recording_set_precision(recording, best ? HEARTH_PRECISION_FAST
								  : HEARTH_PRECISION_EXACT),
		   "precision");
	/* Most rows go to the same expert, so that some tiles are full and some experts have none. */
	for (uint64_t i = 0; i < (uint64_t)rows * width; i++)
		selected[i] =
			rt_random_u32(&state) % 3 ? experts / 2 : rt_random_u32(&state) % experts;
	selected[(rows - 1) * width] = experts;
	selected_view = rt_buffer(selected, 4ull * rows * width);
	for (uint64_t s = 0; s < slots; s++) {
		uint32_t expert = selected[s / used * width + s % used];

		if (expert < experts)
			ref_matmul((uint8_t *)w + expert * expert_bytes, type, n, k,
				   x64 + (own_x ? s : s / used) * k, NULL, want + s * n,
				   magnitude + s * n, 1);
	}
	for (int i = 0; i < 2; i++) {
		rt_require(hearth_op_experts_matmul(recording, &matrix, experts, x_view, own_x,
						    selected_view, stride, i ? y2 : y, rows, used),
			   "hearth_op_experts_matmul");
		lengths[i] = hearth_recording_length(recording);
	}
	rt_require(rt_run(recording), "experts_matmul");
	rt_read(y, got, 4 * slots * n);
	good = rt_close_enough(got, want, magnitude, slots * n, tolerance, 0);
	rt_read(y2, got, 4 * slots * n);
	good &= rt_close_enough(got, want, magnitude, slots * n, tolerance, 0);
	rt_ok(good && lengths[1] == lengths[0] + 1,
	      "matmul %s: %u rows, %u of %u experts, %u × %u%s", rt_type_name(matrix.type), rows,
	      used, experts, n, k, own_x ? ", a row for each" : "");
	rt_free_buffers();
	free(w), free(x), free(got), free(x64), free(want), free(magnitude), free(selected);
}

static void test_matmuls(void)
{
	static const struct {
		enum hearth_type type;
		uint32_t k;
	} types[] = {
		{ HEARTH_TYPE_F32, 37 },    { HEARTH_TYPE_F16, 96 },   { HEARTH_TYPE_Q8_0, 64 },
		{ HEARTH_TYPE_Q4_0, 96 },   { HEARTH_TYPE_BF16, 33 },  { HEARTH_TYPE_Q4_K, 256 },
		{ HEARTH_TYPE_Q5_K, 512 },  { HEARTH_TYPE_Q6_K, 256 }, { HEARTH_TYPE_IQ4_NL, 96 },
		{ HEARTH_TYPE_MXFP4, 160 },
	};
	static const struct {
		uint32_t rows, experts, used, n;
	} shapes[] = {
		{ 1, 4, 2, 20 },
		{ 3, 60, 4, 33 },
		{ 40, 8, 2, 70 },
		{ 100, 5, 3, 18 },
	};

	for (size_t t = 0; t < COUNT(types); t++)
		for (size_t s = 0; s < COUNT(shapes); s++)
			if (!rt_small || t % 4 == s)
				test_matmul(types[t].type, shapes[s].rows, shapes[s].experts,
					    shapes[s].used, shapes[s].n, types[t].k, (t + s) % 2,
					    false);
}

/* Weights as the device likes them best, and with that activations as bytes. */
static void test_best(void)
{
	static const enum hearth_type types[] = { HEARTH_TYPE_Q8_0, HEARTH_TYPE_Q4_0 };
	static const struct {
		uint32_t rows, experts, used, n, k;
	} shapes[] = { { 1, 8, 3, 16, 64 },   { 1, 4, 1, 48, 192 },  { 5, 60, 4, 32, 128 },
		       { 40, 8, 2, 80, 192 }, { 90, 5, 3, 16, 320 }, { 3, 4, 2, 20, 96 } };

	for (size_t t = 0; t < COUNT(types); t++)
		for (size_t s = 0; s < COUNT(shapes); s++)
			test_matmul(types[t], shapes[s].rows, shapes[s].experts, shapes[s].used,
				    shapes[s].n, shapes[s].k, (t + s) % 2, true);
}

/* ---- The sum ---- */

static void test_sum(uint32_t rows, uint32_t used, uint32_t columns, int residual)
{
	uint64_t count = (uint64_t)rows * columns;
	float *x = rt_random(count * used, 1), *weights = rt_random((uint64_t)rows * used, 2);
	float *r = rt_random(count, 3), *got = rt_alloc(4 * count);
	double *want = rt_alloc(8 * count), *magnitude = rt_alloc(8 * count);
	struct hearth_view y = rt_buffer(residual == 2 ? r : NULL, 4 * count), none = { 0 };
	struct hearth_recording *recording = rt_recording();

	for (uint64_t i = 0; i < count; i++) {
		want[i] = residual ? r[i] : 0;
		magnitude[i] = fabs(want[i]);
		for (uint32_t s = 0; s < used; s++) {
			uint64_t slot = i / columns * used + s;
			double product = (double)weights[slot] * x[slot * columns + i % columns];

			want[i] += product;
			magnitude[i] += fabs(product);
		}
	}
	rt_require(hearth_op_experts_sum(recording, rt_buffer(x, 4 * count * used),
					 rt_buffer(weights, 4ull * rows * used),
					 residual == 2 ? y
					 : residual    ? rt_buffer(r, 4 * count)
						       : none,
					 y, rows, used, columns),
		   "hearth_op_experts_sum");
	rt_require(rt_run(recording), "experts_sum");
	rt_read(y, got, 4 * count);
	rt_ok(rt_close_enough(got, want, magnitude, count, 1e-6, 0), "sum: %u × %u × %u%s", rows,
	      used, columns,
	      residual == 2 ? " + residual in place"
	      : residual    ? " + residual"
			    : "");
	rt_free_buffers();
	free(x), free(weights), free(r), free(got), free(want), free(magnitude);
}

/* ---- What is refused ---- */

static void test_refusals(void)
{
	struct hearth_view view = rt_buffer(NULL, 65536);
	struct hearth_matrix matrix = { view, HEARTH_TYPE_F32, 20, 16 };
	struct hearth_experts_info info = { .struct_size = sizeof(info), .experts = 4, .used = 5 };
	struct hearth_recording *recording = rt_recording();
	enum hearth_status bad = HEARTH_ERROR_INVALID_ARGUMENT;

	rt_ok(hearth_op_experts_select(recording, view, view, view, 1, &info) == bad,
	      "select: more experts than there are are refused");
	info.used = 2;
	info.struct_size--;
	rt_ok(hearth_op_experts_select(recording, view, view, view, 1, &info) == bad,
	      "select: a structure of another size is refused");
	rt_ok(hearth_op_experts_matmul(recording, &matrix, 3, view, false, view, 0, view, 1, 2) ==
		      bad,
	      "matmul: rows that are no multiple of the experts are refused");
	matrix.type = HEARTH_TYPE_Q8_0_TILES;
	matrix.columns = 64;
	rt_ok(hearth_op_experts_matmul(recording, &matrix, 4, view, false, view, 0, view, 1, 2) !=
		      HEARTH_OK,
	      "matmul: weights in tiles that are no whole ones are refused");
	rt_ok(hearth_op_experts_sum(recording, view, view, view, view, 64, 4, 100) == bad,
	      "sum: a view that is too short is refused");
	hearth_recording_destroy(recording);
	rt_free_buffers();
}

int main(void)
{
	rt_open();
	test_select(1, 8, 2, false, true, 0);
	test_select(7, 60, 4, false, false, 0);
	test_select(33, 128, 8, false, true, 2.5f);
	test_select(5, 1, 1, true, false, 0);
	test_select(9, 256, 64, true, true, 2.5f);
	test_select(2, 1024, 6, true, false, 0.5f);
	test_select_odd();
	test_matmuls();
	test_best();
	test_sum(1, 2, 5, 0);
	test_sum(3, 8, 128, 1);
	test_sum(70, 1, 200, 2);
	test_refusals();
	rt_close();
	return rt_done();
}
