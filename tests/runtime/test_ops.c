// SPDX-License-Identifier: MIT
/*
 * Every operation, type and kind of shape against the float64 reference.
 *
 * Tolerances are relative to the sum of the absolute values of what was summed. Float32 sums of some
 * thousand terms err by a few parts in a million of that; what goes through exp() errs more.
 */
#include "rt_test.h"

#include <math.h>
#include <stddef.h>

#define SUM_TOLERANCE	   4e-6
#define EXP_TOLERANCE	   2e-5
#define ROTATION_TOLERANCE 1e-6
#define BYTES_TOLERANCE	   4e-3 /* activations rounded to 1/254 of a block's largest */

static const enum hearth_type types[] = {
	HEARTH_TYPE_F32,
	HEARTH_TYPE_F16,
	HEARTH_TYPE_Q8_0,
	HEARTH_TYPE_Q4_0,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- matmul ---- */

enum residual { NONE, OTHER, IN_PLACE, BIAS };

/* What products are asked for: in float32; with rounded activations; and with weights as the device likes them best. */
enum how { EXACT, FAST, BEST };

static void test_matmul(enum hearth_type type, uint32_t rows, uint32_t n, uint32_t k,
			enum residual residual, enum how how)
{
	static const char *const names[] = { "", " + residual", " + residual in place", " + bias" };
	uint64_t out_count = (uint64_t)rows * n;
	void *w = rt_weights(type, n, k, n + k);
	float *x = rt_random((uint64_t)rows * k, rows + k);
	float *r = rt_random(out_count, rows + n);
	double *x64 = rt_doubles(x, (uint64_t)rows * k);
	double *r64 = rt_doubles(r, out_count);
	double *want = rt_alloc(8 * out_count);
	double *magnitude = rt_alloc(8 * out_count);
	float *got = rt_alloc(4 * out_count);
	const struct hearth_matrix matrix = {
		.view = rt_buffer(how == BEST ? NULL : w, n * ref_row_bytes(type, k)),
		.type = how == BEST ? hearth_matrix_best_type(rt_device, type, n, k) : type,
		.rows = n,
		.columns = k,
	};
	bool fast = how != EXACT;
	struct hearth_view x_view = rt_buffer(x, 4ull * rows * k);
	struct hearth_view y_view = rt_buffer(residual == IN_PLACE ? r : NULL, 4 * out_count);
	struct hearth_view r_view = residual == OTHER	   ? rt_buffer(r, 4 * out_count)
				    : residual == IN_PLACE ? y_view
							   : (struct hearth_view){ 0 };
	struct hearth_recording *recording = rt_recording();
	enum hearth_status status;

	if (how == BEST) {
		uint32_t part = n / 32 * 16;

		rt_require(hearth_matrix_write(&matrix, 0, part, w), "hearth_matrix_write");
		rt_require(hearth_matrix_write(&matrix, part, n - part,
					       (uint8_t *)w + part * ref_row_bytes(type, k)),
			   "hearth_matrix_write");
	}
	for (uint64_t i = n; residual == BIAS && i < out_count; i++)
		r64[i] = r64[i % n];
	ref_matmul(w, type, n, k, x64, residual == NONE ? NULL : r64, want, magnitude, rows);
	rt_require(hearth_recording_set_precision(recording, fast ? HEARTH_PRECISION_FAST
								  : HEARTH_PRECISION_EXACT),
		   "hearth_recording_set_precision");
	if (residual == BIAS)
		status = hearth_op_matmul_bias(recording, &matrix, x_view, rt_buffer(r, 4ull * n),
					       y_view, rows);
	else
		status = hearth_op_matmul(recording, &matrix, x_view, r_view, y_view, rows);
	rt_require(status, "hearth_op_matmul");
	rt_require(rt_run(recording), "matmul");
	rt_read(y_view, got, 4 * out_count);
	rt_ok(rt_close_enough(got, want, magnitude, out_count,
			      fast ? BYTES_TOLERANCE : SUM_TOLERANCE, 0),
	      "matmul %s%s: %u rows, %u × %u%s", rt_type_name(matrix.type), fast ? " fast" : "",
	      rows, n, k, names[residual]);
	rt_free_buffers();
	free(w), free(x), free(r), free(x64), free(r64), free(want), free(magnitude), free(got);
}

/* Activations as bytes, where the device does that; elsewhere these are exact. */
static void test_fast_matmuls(void)
{
	static const enum hearth_type block_types[] = { HEARTH_TYPE_Q8_0, HEARTH_TYPE_Q4_0 };
	static const uint32_t row_counts[] = { 1, 2, 9, 33, 70 };
	static const struct {
		uint32_t n, k;
	} shapes[] = { { 1, 32 }, { 3, 64 }, { 67, 96 }, { 40, 192 }, { 130, 896 }, { 129, 2048 } };

	for (size_t t = 0; t < COUNT(block_types); t++)
		for (size_t s = 0; s < COUNT(shapes); s++)
			for (size_t r = 0; r < COUNT(row_counts); r++)
				test_matmul(block_types[t], row_counts[r], shapes[s].n, shapes[s].k,
					    (enum residual)((s + r) % 4), FAST);
}

static void test_best_types(void)
{
	static const enum hearth_type block_types[] = { HEARTH_TYPE_Q8_0, HEARTH_TYPE_Q4_0 };
	static const uint32_t row_counts[] = { 1, 2, 4, 5, 9, 40, 67 };
	static const struct {
		uint32_t n, k;
	} shapes[] = { { 16, 64 }, { 48, 128 }, { 80, 192 }, { 24, 896 }, { 20, 64 }, { 32, 96 } };
	struct hearth_view none = { 0 };

	for (size_t t = 0; t < COUNT(block_types); t++)
		for (size_t s = 0; s < COUNT(shapes); s++)
			for (size_t r = 0; r < COUNT(row_counts) - (rt_small ? 3 : 0); r++)
				test_matmul(block_types[t], row_counts[r], shapes[s].n, shapes[s].k,
					    (enum residual)((s + r) % 4), BEST);
	for (size_t t = 0; t < COUNT(block_types); t++) {
		struct hearth_matrix matrix = {
			.view = rt_buffer(NULL, 16 * ref_row_bytes(block_types[t], 64)),
			.type = hearth_matrix_best_type(rt_device, block_types[t], 16, 64),
			.rows = 16,
			.columns = 64,
		};
		bool tiles = matrix.type != block_types[t];
		struct hearth_recording *recording = rt_recording();
		uint8_t data[16 * 68] = { 0 };

		rt_ok(hearth_matrix_write(&matrix, 1, 16, data) == HEARTH_ERROR_INVALID_ARGUMENT,
		      "rows beyond the matrix are refused");
		rt_ok((hearth_matrix_write(&matrix, 0, 1, data) == HEARTH_OK) != tiles,
		      "a part of a tile is refused");
		rt_ok((hearth_op_matmul(recording, &matrix, rt_buffer(NULL, 4 * 64), none,
					rt_buffer(NULL, 4 * 16), 1) == HEARTH_OK) != tiles,
		      "products in float32 with weights in tiles are refused");
		hearth_recording_destroy(recording);
		rt_free_buffers();
	}
}

/* Bytes are made once for products that follow each other, and anew when the numbers changed. */
static void test_fast_reuse(void)
{
	enum { N = 64, K = 128 };
	void *w = rt_weights(HEARTH_TYPE_Q8_0, N, K, 5);
	float *x = rt_random(K, 6), *x2 = rt_random(K, 7), got[3][N];
	double *x64 = rt_doubles(x, K), *x264 = rt_doubles(x2, K), want[2][N], magnitude[2][N];
	const struct hearth_matrix matrix = {
		.view = rt_buffer(w, N * ref_row_bytes(HEARTH_TYPE_Q8_0, K)),
		.type = HEARTH_TYPE_Q8_0,
		.rows = N,
		.columns = K,
	};
	struct hearth_view x_view = rt_buffer(x, sizeof(*x) * K), y[3], none = { 0 };
	struct hearth_recording *recording = rt_recording();
	uint32_t lengths[3];

	rt_require(hearth_recording_set_precision(recording, HEARTH_PRECISION_FAST), "precision");
	for (int i = 0; i < 3; i++) {
		y[i] = rt_buffer(NULL, sizeof(got[i]));
		if (i == 2)
			rt_require(hearth_record_copy(recording, rt_buffer(x2, sizeof(*x2) * K),
						      x_view, sizeof(*x2) * K),
				   "copy");
		rt_require(hearth_op_matmul(recording, &matrix, x_view, none, y[i], 1), "matmul");
		lengths[i] = hearth_recording_length(recording);
	}
	rt_require(rt_run(recording), "three products");
	for (int i = 0; i < 3; i++)
		rt_read(y[i], got[i], sizeof(got[i]));
	ref_matmul(w, HEARTH_TYPE_Q8_0, N, K, x64, NULL, want[0], magnitude[0], 1);
	ref_matmul(w, HEARTH_TYPE_Q8_0, N, K, x264, NULL, want[1], magnitude[1], 1);
	rt_ok(lengths[1] == lengths[0] + 1, "fast: the second product makes no bytes anew");
	rt_ok(!memcmp(got[0], got[1], sizeof(got[0])), "fast: the second product is the first");
	rt_ok(rt_close_enough(got[2], want[1], magnitude[1], N, BYTES_TOLERANCE, 0),
	      "fast: after a copy the product is of the new numbers");
	rt_free_buffers();
	free(w), free(x), free(x2), free(x64), free(x264);
}

static void test_matmuls(void)
{
	static const uint32_t row_counts[] = { 1, 2, 3, 7, 8, 9, 17, 64, 65, 130 };
	static const struct {
		uint32_t n, k;
	} shapes[] = {
		{ 1, 32 },   { 5, 64 },	   { 16, 96 },	  { 64, 128 },
		{ 67, 160 }, { 130, 288 }, { 259, 1024 },
	};
	/* Columns that are no multiple of anything, where the type allows them. */
	static const uint32_t ragged[] = { 1, 2, 7, 33, 63, 65, 257 };
	static const uint32_t ragged_rows[] = { 1, 3, 20, 66 };

	for (size_t t = 0; t < COUNT(types); t++) {
		for (size_t s = 0; s < COUNT(shapes) - (rt_small ? 2 : 0); s++)
			for (size_t r = 0; r < COUNT(row_counts) - (rt_small ? 4 : 0); r++)
				test_matmul(types[t], row_counts[r], shapes[s].n, shapes[s].k,
					    (enum residual)((s + r) % 4), EXACT);
		if (!rt_small) {
			test_matmul(types[t], 1, 1000, 4096, NONE, EXACT);
			test_matmul(types[t], 1, 33, 11008, OTHER, EXACT);
			test_matmul(types[t], 100, 300, 2048, IN_PLACE, EXACT);
		}
		if (types[t] != HEARTH_TYPE_F32 && types[t] != HEARTH_TYPE_F16)
			continue;
		for (size_t k = 0; k < COUNT(ragged); k++)
			for (size_t r = 0; r < COUNT(ragged_rows) - (rt_small ? 2 : 0); r++)
				test_matmul(types[t], ragged_rows[r], 37, ragged[k],
					    (enum residual)(k % 3), EXACT);
	}
}

/* Types that all are one path of matmul: fewer shapes, and columns in whole blocks. */
static void test_more_types(void)
{
	static const struct {
		enum hearth_type type;
		uint32_t k[3];
	} more[] = {
		{ HEARTH_TYPE_BF16, { 33, 64, 320 } },	  { HEARTH_TYPE_IQ4_NL, { 32, 96, 256 } },
		{ HEARTH_TYPE_MXFP4, { 32, 96, 256 } },	  { HEARTH_TYPE_Q4_K, { 256, 512, 1280 } },
		{ HEARTH_TYPE_Q5_K, { 256, 512, 1280 } }, { HEARTH_TYPE_Q6_K, { 256, 512, 1280 } },
	};
	static const uint32_t row_counts[] = { 1, 5, 30, 70 };

	for (size_t t = 0; t < COUNT(more); t++)
		for (size_t k = 0; k < COUNT(more[t].k); k++)
			for (size_t r = rt_small ? 2 : 0; r < COUNT(row_counts); r++)
				test_matmul(more[t].type, row_counts[r == 2 && rt_small ? 0 : r],
					    40 + (uint32_t)r, more[t].k[k],
					    (enum residual)((k + r) % 4), k == 1 ? FAST : EXACT);
}

/* ---- embedding ---- */

static void test_embedding(enum hearth_type type, uint32_t table_rows, uint32_t columns, bool best)
{
	const uint32_t tokens[] = { 0,		table_rows - 1, table_rows / 2,
				    table_rows, UINT32_MAX,	1 % table_rows };
	uint32_t rows = COUNT(tokens);
	uint64_t count = (uint64_t)rows * columns;
	void *table = rt_weights(type, table_rows, columns, 7);
	double *want = rt_alloc(8 * count);
	float *got = rt_random(count, 8); /* not zero */
	const struct hearth_matrix matrix = {
		.view = rt_buffer(table, table_rows * ref_row_bytes(type, columns)),
		.type = best ? hearth_matrix_best_type(rt_device, type, table_rows, columns) : type,
		.rows = table_rows,
		.columns = columns,
	};
	struct hearth_view y = rt_buffer(got, 4 * count);
	struct hearth_recording *recording = rt_recording();

	rt_require(hearth_matrix_write(&matrix, 0, table_rows, table), "hearth_matrix_write");
	ref_embedding(table, type, table_rows, columns, tokens, want, rows);
	rt_require(
		hearth_op_embedding(recording, &matrix, rt_buffer(tokens, sizeof(tokens)), y, rows),
		"hearth_op_embedding");
	rt_require(rt_run(recording), "embedding");
	rt_read(y, got, 4 * count);
	/* One product of exact factors. */
	rt_ok(rt_close_enough(got, want, NULL, count, 1e-7, 0), "embedding %s: table %u × %u",
	      rt_type_name(matrix.type), table_rows, columns);
	rt_free_buffers();
	free(table), free(want), free(got);
}

/* ---- rms_norm ---- */

static void test_rms_norm(uint32_t rows, uint32_t columns, float epsilon, bool in_place)
{
	uint64_t count = (uint64_t)rows * columns;
	float *x = rt_random(count, rows + columns);
	float *weight = rt_random(columns, 3);
	double *x64 = rt_doubles(x, count);
	double *weight64 = rt_doubles(weight, columns);
	struct hearth_view x_view = rt_buffer(x, 4 * count);
	struct hearth_view y_view = in_place ? x_view : rt_buffer(NULL, 4 * count);
	struct hearth_recording *recording = rt_recording();

	ref_rms_norm(x64, weight64, x64, rows, columns, epsilon);
	rt_require(hearth_op_rms_norm(recording, x_view, rt_buffer(weight, 4 * columns), y_view,
				      rows, columns, epsilon),
		   "hearth_op_rms_norm");
	rt_require(rt_run(recording), "rms_norm");
	rt_read(y_view, x, 4 * count);
	rt_ok(rt_close_enough(x, x64, NULL, count, SUM_TOLERANCE, 0),
	      "rms_norm: %u × %u, epsilon %g%s", rows, columns, (double)epsilon,
	      in_place ? ", in place" : "");
	rt_free_buffers();
	free(x), free(weight), free(x64), free(weight64);
}

/* ---- rope ---- */

static void test_rope(uint32_t position, uint32_t rows, uint32_t heads, uint32_t head_size,
		      uint32_t dims, float base, enum hearth_rope mode, bool scaled)
{
	float factors[128];
	double factors64[128];
	const struct hearth_rope_info info = {
		.struct_size = sizeof(info),
		.dims = dims,
		.base = base,
		.mode = mode,
		.scale = 0.25f,
		.factors = factors,
		.magnitude = 1.25f,
	};
	uint64_t count = (uint64_t)rows * heads * head_size;
	float *x = rt_random(count, position + rows);
	double *want = rt_doubles(x, count);
	struct hearth_view view = rt_buffer(x, 4 * count);
	struct hearth_recording *recording = rt_recording();

	for (uint32_t i = 0; i < dims / 2; i++)
		factors64[i] = factors[i] = 1 + (float)(i % 5);
	if (scaled) {
		ref_rope_scaled(want, position, rows, heads, head_size, dims, base, mode, 0.25,
				factors64, 1.25);
		rt_require(hearth_op_rope_scaled(recording, view, rt_step(position), rows, heads,
						 head_size, &info),
			   "hearth_op_rope_scaled");
	} else {
		ref_rope(want, position, rows, heads, head_size, dims, base, mode);
		rt_require(hearth_op_rope(recording, view, rt_step(position), rows, heads,
					  head_size, dims, base, mode),
			   "hearth_op_rope");
	}
	rt_require(rt_run(recording), "rope");
	rt_read(view, x, 4 * count);
	/* Numbers are up to 1, so sums of two products up to 2. */
	rt_ok(rt_close_enough(x, want, NULL, count, ROTATION_TOLERANCE, 1),
	      "rope %s%s: position %u, %u × %u × %u, dims %u, base %g", scaled ? "scaled " : "",
	      mode == HEARTH_ROPE_PAIRS ? "pairs" : "halves", position, rows, heads, head_size,
	      dims, (double)base);
	rt_free_buffers();
	free(x), free(want);
}

/* What programs knew before there was a magnitude. */
static void test_old_rope(void)
{
	const struct hearth_rope_info info = {
		.struct_size = offsetof(struct hearth_rope_info, magnitude),
		.dims = 4,
		.base = 10000,
		.magnitude = -1,
	};
	struct hearth_rope_info shorter = info;
	float x[4] = { 1, 2, 3, 4 };
	double want[4] = { 1, 2, 3, 4 };
	struct hearth_view view = rt_buffer(x, sizeof(x)), step = rt_step(3);
	struct hearth_recording *recording = rt_recording();

	shorter.struct_size -= 8;
	rt_ok(hearth_op_rope_scaled(recording, view, step, 1, 1, 4, &shorter) ==
		      HEARTH_ERROR_INVALID_ARGUMENT,
	      "rope: a structure that is too short is refused");
	rt_require(hearth_op_rope_scaled(recording, view, step, 1, 1, 4, &info), "rope_scaled");
	rt_require(rt_run(recording), "rope_scaled");
	rt_read(view, x, sizeof(x));
	ref_rope(want, 3, 1, 1, 4, 4, 10000, HEARTH_ROPE_PAIRS);
	rt_ok(rt_close_enough(x, want, NULL, 4, ROTATION_TOLERANCE, 4),
	      "rope: a structure without a magnitude is taken");
	rt_free_buffers();
}

/* ---- the cache and attention ---- */

/*
 * Whether a row of the cache is what @values become in its type, and what it holds: in F32 and F16 to the bit; in block types the
 * scale to a unit of f16 (it is the result of a division), and each number that of the multiples of the scale which is nearest, or
 * as near as division can tell, or the last that there is.
 */
static bool is_stored(const float *values, const void *stored, enum hearth_type type,
		      uint32_t count, double *held)
{
	uint64_t block_bytes = ref_row_bytes(type, 32);
	uint8_t *want = rt_alloc(ref_row_bytes(type, count));
	bool good = true;

	ref_quantise_row(values, type, count, want);
	ref_dequantise_row(stored, type, count, held);
	if (type == HEARTH_TYPE_F32 || type == HEARTH_TYPE_F16)
		good = !memcmp(stored, want, ref_row_bytes(type, count));
	for (uint32_t i = 0; type != HEARTH_TYPE_F32 && type != HEARTH_TYPE_F16 && i < count; i++) {
		uint64_t at = i / 32 * block_bytes;
		double wanted, scale, most, least;
		uint16_t bits, want_bits;

		memcpy(&bits, (const uint8_t *)stored + at, 2);
		memcpy(&want_bits, want + at, 2);
		scale = ref_f16_to_double(bits);
		wanted = ref_f16_to_double(want_bits);
		good &= fabs(scale - wanted) <= fabs(wanted) / 1024;
		most = scale * (type == HEARTH_TYPE_Q8_0 ? 127 : 7);
		least = scale * (type == HEARTH_TYPE_Q8_0 ? -127 : -8);
		good &= fabs(held[i] - values[i]) <= 0.5001 * fabs(scale) ||
			(held[i] == most && fabs(values[i]) > fabs(most)) ||
			(held[i] == least && fabs(values[i]) > fabs(least));
	}
	free(want);
	return good;
}

/* Fills a cache through hearth_op_kv_store in two goes, then attends with the last rows. */
/* What attention does to its scores. */
struct shape {
	const char *name;
	float soft_cap, alibi;
	uint32_t window;
	bool sinks;
};

static void test_attention(enum hearth_type type, uint32_t position, uint32_t rows, uint32_t heads,
			   uint32_t kv_heads, uint32_t head_size, const struct shape *shape)
{
	uint32_t positions = position + rows;
	uint32_t capacity = positions + 3;
	uint64_t row = (uint64_t)kv_heads * head_size;
	uint64_t kv_count = positions * row;
	uint64_t count = (uint64_t)rows * heads * head_size;
	uint64_t row_bytes = ref_row_bytes(type, (uint32_t)row), cache_bytes = capacity * row_bytes;
	uint8_t *stored = rt_alloc(cache_bytes);
	bool good = true;
	struct hearth_attention_info info = {
		.struct_size = sizeof(info),
		.scale = 1 / sqrtf((float)head_size),
		.soft_cap = shape ? shape->soft_cap : 0,
		.alibi = shape ? shape->alibi : 0,
		.window = shape ? shape->window : 0,
	};
	float *sinks = rt_random(heads, 4);
	double *sinks64 = rt_doubles(sinks, heads);
	const struct ref_attention ref = {
		.scale = info.scale,
		.soft_cap = info.soft_cap,
		.alibi = info.alibi,
		.window = info.window,
		.sinks = shape && shape->sinks ? sinks64 : NULL,
	};
	float *q = rt_random(count, 1 + rows);
	float *k = rt_random(kv_count, 2 + heads);
	float *v = rt_random(kv_count, 3 + head_size);
	float *got = rt_alloc(4 * count);
	double *k64, *v64, *q64;
	double *want = rt_alloc(8 * count);
	double *magnitude = rt_alloc(8 * count);
	double *scores = rt_alloc(8ull * positions);
	const struct hearth_kv_cache cache = {
		.keys = rt_buffer(NULL, cache_bytes),
		.values = rt_buffer(NULL, cache_bytes),
		.type = type,
		.capacity = capacity,
		.kv_heads = kv_heads,
		.head_size = head_size,
	};
	struct hearth_recording *recording = rt_recording();
	struct hearth_view y = rt_buffer(NULL, 4 * count);
	struct hearth_view step = rt_step(position);

	/* Spread the scores, so that the softmax is not flat. */
	for (uint64_t i = 0; i < count; i++)
		q[i] *= 4;
	q64 = rt_doubles(q, count);
	k64 = rt_alloc(8 * kv_count);
	v64 = rt_alloc(8 * kv_count);
	if (position)
		rt_require(hearth_op_kv_store(recording, rt_buffer(k, 4 * position * row),
					      rt_buffer(v, 4 * position * row), &cache, rt_step(0),
					      position),
			   "hearth_op_kv_store");
	rt_require(hearth_op_kv_store(recording, rt_buffer(k + position * row, 4 * rows * row),
				      rt_buffer(v + position * row, 4 * rows * row), &cache, step,
				      rows),
		   "hearth_op_kv_store");
	if (ref.sinks)
		info.sinks = rt_buffer(sinks, 4ull * heads);
	rt_require(shape ? hearth_op_attention_shaped(recording, rt_buffer(q, 4 * count), &cache,
						      step, y, rows, heads, &info)
			 : hearth_op_attention(recording, rt_buffer(q, 4 * count), &cache, step, y,
					       rows, heads, info.scale),
		   "hearth_op_attention");
	rt_require(rt_run(recording), "attention");
	rt_read(y, got, 4 * count);
	/* The reference attends to what the cache holds. */
	for (int half = 0; half < 2; half++) {
		rt_read(half ? cache.values : cache.keys, stored, cache_bytes);
		for (uint32_t p = 0; p < positions; p++)
			good &= is_stored((half ? v : k) + p * row, stored + p * row_bytes, type,
					  (uint32_t)row, (half ? v64 : k64) + p * row);
	}
	ref_attention(q64, k64, v64, want, magnitude, scores, position, rows, heads, kv_heads,
		      head_size, &ref);
	if (!good)
		rt_note("the cache does not hold what was stored");
	rt_ok(good && rt_close_enough(got, want, magnitude, count, EXP_TOLERANCE, 0),
	      "attention %s: position %u, %u rows, %u heads over %u, head size %u%s%s",
	      rt_type_name(type), position, rows, heads, kv_heads, head_size, shape ? ", " : "",
	      shape ? shape->name : "");
	rt_free_buffers();
	free(q), free(k), free(v), free(got), free(k64), free(v64), free(q64), free(want);
	free(magnitude), free(scores), free(sinks), free(sinks64), free(stored);
}

static void test_attentions(void)
{
	/* Each is a kernel of its own to compile, so the types share out all but the most usual. */
	static const uint32_t head_sizes[4][6] = {
		{ 16, 64, 128, 96, 256, 6 },
		{ 32, 64, 128, 80, 16, 2 },
		{ 64, 128 },
		{ 64, 256 },
	};
	static const struct {
		uint32_t heads, kv_heads;
	} groups[] = {
		{ 1, 1 }, { 4, 2 }, { 4, 1 }, { 8, 1 }, { 7, 1 }, { 6, 6 },
	};
	static const struct {
		uint32_t position, rows;
	} steps[] = {
		{ 0, 1 }, { 1, 1 },  { 63, 1 }, { 64, 1 },  { 200, 1 }, { 0, 2 },
		{ 5, 3 }, { 0, 16 }, { 0, 33 }, { 17, 40 }, { 100, 9 },
	};
	static const enum hearth_type cache_types[] = {
		HEARTH_TYPE_F32,
		HEARTH_TYPE_F16,
		HEARTH_TYPE_Q8_0,
		HEARTH_TYPE_Q4_0,
	};

	for (size_t t = 0; t < COUNT(cache_types); t++) {
		for (size_t h = 0; h < COUNT(head_sizes[0]) && head_sizes[t][h]; h++)
			for (size_t s = 0; s < COUNT(steps); s++) {
				size_t g = (h + s) % COUNT(groups);

				if (!rt_small || (h < (t < 2 ? 2 : 1) && s % 3 == 0))
					test_attention(cache_types[t], steps[s].position,
						       steps[s].rows, groups[g].heads,
						       groups[g].kv_heads, head_sizes[t][h], NULL);
			}
		for (size_t g = 0; g < COUNT(groups) && !rt_small && t < 2; g++) {
			test_attention(cache_types[t], 31, 1, groups[g].heads, groups[g].kv_heads,
				       64, NULL);
			test_attention(cache_types[t], 31, 35, groups[g].heads, groups[g].kv_heads,
				       64, NULL);
		}
		if (!rt_small && t < 2) {
			test_attention(cache_types[t], 4095, 1, 8, 2, 64, NULL);
			test_attention(cache_types[t], 1500, 20, 4, 2, 128, NULL);
		}
	}
}

/* Heads that share blocks of the cache, and shapes that it cannot have. */
static void test_block_caches(void)
{
	static const struct hearth_attention_info info = { .struct_size = sizeof(info) };
	struct hearth_view view = rt_buffer(NULL, 4096);
	struct hearth_kv_cache cache = { view, view, HEARTH_TYPE_Q8_0, 4, 3, 32 };
	struct hearth_recording *recording = rt_recording();

	rt_ok(hearth_op_attention_shaped(recording, view, &cache, view, view, 1, 3, &info) ==
		      HEARTH_ERROR_INVALID_ARGUMENT,
	      "a cache of Q8_0 with rows of 96 is refused");
	cache.type = HEARTH_TYPE_IQ4_NL;
	rt_ok(hearth_op_attention_shaped(recording, view, &cache, view, view, 1, 3, &info) ==
		      HEARTH_ERROR_INVALID_ARGUMENT,
	      "a cache of IQ4_NL is refused");
	hearth_recording_destroy(recording);
	rt_free_buffers();
	test_attention(HEARTH_TYPE_Q8_0, 70, 2, 8, 8, 80, NULL);
	test_attention(HEARTH_TYPE_Q4_0, 5, 30, 16, 16, 20, NULL);
	test_attention(HEARTH_TYPE_Q4_0, 3, 1, 4, 2, 96, NULL);
}

/* Windows that begin within, at and beyond the kernels' chunks of keys; all of it with few rows and with many. */
static void test_shaped_attentions(void)
{
	static const struct shape shapes[] = {
		{ "window 1", 0, 0, 1, false },	      { "window 70", 0, 0, 70, false },
		{ "window 1000", 0, 0, 1000, false }, { "soft cap", 2, 0, 0, false },
		{ "ALiBi", 0, 8, 0, false },	      { "sinks", 0, 0, 0, true },
		{ "all of them", 3, 4, 33, true },
	};
	static const struct {
		uint32_t position, rows, heads, kv_heads, head_size;
	} cases[] = {
		{ 0, 1, 4, 4, 64 },    { 150, 1, 8, 2, 64 }, { 69, 3, 6, 3, 64 },
		{ 128, 1, 12, 2, 96 }, { 0, 40, 4, 2, 64 },  { 61, 90, 6, 2, 128 },
	};
	static const enum hearth_type cache_types[] = { HEARTH_TYPE_F32, HEARTH_TYPE_F16,
							HEARTH_TYPE_Q8_0, HEARTH_TYPE_Q4_0 };
	struct hearth_attention_info info = { .struct_size = sizeof(info) - 1 };
	struct hearth_view view = rt_buffer(NULL, 4096);
	const struct hearth_kv_cache cache = { view, view, HEARTH_TYPE_F32, 4, 1, 64 };
	struct hearth_recording *recording = rt_recording();

	rt_ok(hearth_op_attention_shaped(recording, view, &cache, view, view, 1, 1, &info) ==
		      HEARTH_ERROR_INVALID_ARGUMENT,
	      "attention: a structure of another size is refused");
	hearth_recording_destroy(recording);
	rt_free_buffers();
	for (size_t i = 0; i < COUNT(shapes); i++)
		for (size_t c = 0; c < COUNT(cases); c++)
			if (!rt_small || (c % 4 == 0 && i % 2 == 0))
				test_attention(cache_types[c % 4], cases[c].position, cases[c].rows,
					       cases[c].heads, cases[c].kv_heads,
					       cases[c].head_size, &shapes[i]);
}

/* Rows beyond the capacity are dropped, and nothing else is touched. */
static void test_kv_overflow(enum hearth_type type)
{
	enum { CAPACITY = 8, ROW = 64, ROWS = 4, POSITION = 6 };
	float *k = rt_random(ROWS * ROW, 1);
	uint64_t row_bytes = ref_row_bytes(type, ROW), cache_bytes = CAPACITY * row_bytes;
	uint8_t *before = rt_alloc(2 * cache_bytes);
	uint8_t *after = rt_alloc(2 * cache_bytes);
	struct hearth_recording *recording = rt_recording();
	struct hearth_view both, k_view = rt_buffer(k, sizeof(float) * ROWS * ROW);
	struct hearth_kv_cache cache = {
		.type = type,
		.capacity = CAPACITY,
		.kv_heads = 2,
		.head_size = 32,
	};
	double held[ROW];
	bool good = true;

	memset(before, 0x5a, 2 * cache_bytes);
	both = rt_buffer(before, 2 * cache_bytes);
	cache.keys = (struct hearth_view){ both.buffer, 0, cache_bytes };
	cache.values = (struct hearth_view){ both.buffer, cache_bytes, cache_bytes };
	rt_require(hearth_op_kv_store(recording, k_view, k_view, &cache, rt_step(POSITION), ROWS),
		   "hearth_op_kv_store");
	rt_require(hearth_op_kv_store(recording, k_view, k_view, &cache, rt_step(CAPACITY), ROWS),
		   "hearth_op_kv_store");
	rt_require(hearth_op_kv_store(recording, k_view, k_view, &cache, rt_step(UINT32_MAX - 1),
				      ROWS),
		   "hearth_op_kv_store");
	rt_require(rt_run(recording), "kv_store");
	rt_read(both, after, 2 * cache_bytes);
	for (int half = 0; half < 2; half++) {
		uint8_t *got = after + half * cache_bytes;

		good &= !memcmp(got, before, POSITION * row_bytes);
		for (int r = 0; r < CAPACITY - POSITION; r++)
			good &= is_stored(k + r * ROW, got + (POSITION + r) * row_bytes, type, ROW,
					  held);
	}
	rt_ok(good, "kv_store %s: rows beyond the capacity are dropped", rt_type_name(type));
	rt_free_buffers();
	free(k), free(before), free(after);
}

/* ---- by element ---- */

static void test_elementwise(uint32_t count, bool silu)
{
	float *a = rt_random(count, count);
	float *b = rt_random(count, count + 1);
	double *a64, *b64;
	struct hearth_view a_view, b_view;
	struct hearth_recording *recording = rt_recording();

	for (uint32_t i = 0; silu && i < count; i++)
		a[i] *= i % 7 == 0 ? 80 : 6; /* as far as exp() overflows nothing */
	a64 = rt_doubles(a, count);
	b64 = rt_doubles(b, count);
	a_view = rt_buffer(a, 4ull * count);
	b_view = rt_buffer(b, 4ull * count);
	if (silu) {
		ref_silu_mul(a64, b64, a64, count);
		rt_require(hearth_op_silu_mul(recording, a_view, b_view, a_view, count),
			   "silu_mul");
	} else {
		ref_add(a64, b64, b64, count);
		memcpy(a64, b64, 8ull * count);
		rt_require(hearth_op_add(recording, a_view, b_view, b_view, count), "add");
	}
	rt_require(rt_run(recording), "elementwise");
	rt_read(silu ? a_view : b_view, a, 4ull * count);
	rt_ok(rt_close_enough(a, a64, NULL, count, silu ? EXP_TOLERANCE : 1e-7, 1e-30),
	      "%s: %u elements", silu ? "silu_mul" : "add", count);
	rt_free_buffers();
	free(a), free(b), free(a64), free(b64);
}

/* Relative to a · b: where GELU is nearly 0, it is a difference of numbers that are not. */
static void test_gelu_mul(uint32_t count)
{
	float *a = rt_random(count, count + 2), *b = rt_random(count, count + 3);
	double *a64, *b64 = rt_doubles(b, count), *magnitude = rt_alloc(8ull * count);
	struct hearth_recording *recording = rt_recording();
	struct hearth_view a_view;

	for (uint32_t i = 0; i < count; i++) {
		a[i] *= i % 7 == 0 ? 80 : 6;
		magnitude[i] = fabs((double)a[i] * b[i]);
	}
	a64 = rt_doubles(a, count);
	a_view = rt_buffer(a, 4ull * count);
	ref_gelu_mul(a64, b64, a64, count);
	rt_require(hearth_op_gelu_mul(recording, a_view, rt_buffer(b, 4ull * count), a_view, count),
		   "gelu_mul");
	rt_require(rt_run(recording), "gelu_mul");
	rt_read(a_view, a, 4ull * count);
	rt_ok(rt_close_enough(a, a64, magnitude, count, EXP_TOLERANCE, 1e-30),
	      "gelu_mul: %u elements", count);
	rt_free_buffers();
	free(a), free(b), free(a64), free(b64), free(magnitude);
}

/* With a cap errors are relative to it. */
static void test_scale(uint32_t count, float scale, float soft_cap)
{
	float *x = rt_random(count, count + 4);
	double *x64 = rt_doubles(x, count), *want = rt_alloc(8ull * count);
	struct hearth_view view = rt_buffer(x, 4ull * count);
	struct hearth_recording *recording = rt_recording();

	ref_scale(x64, want, count, scale, soft_cap);
	rt_require(hearth_op_scale(recording, view, view, count, scale, soft_cap), "scale");
	rt_require(rt_run(recording), "scale");
	rt_read(view, x, 4ull * count);
	rt_ok(rt_close_enough(x, want, NULL, count, soft_cap > 0 ? 1e-6 : 1e-7,
			      soft_cap > 0 ? soft_cap : 1e-30),
	      "scale: %u elements by %g, soft cap %g", count, (double)scale, (double)soft_cap);
	rt_free_buffers();
	free(x), free(x64), free(want);
}

/* ---- argmax ---- */

static void test_argmax(uint32_t rows, uint32_t columns)
{
	uint64_t count = (uint64_t)rows * columns;
	float *x = rt_random(count, columns);
	uint32_t *want = rt_alloc(4ull * rows);
	uint32_t *got = rt_alloc(4ull * rows);
	struct hearth_recording *recording = rt_recording();
	struct hearth_view index = rt_buffer(NULL, 4ull * rows);
	double *x64;

	for (uint32_t r = 0; r < rows; r++) {
		float *row = x + (uint64_t)r * columns;

		switch (r % 8) {
		case 1: /* equal maxima: the first counts */
			row[columns / 3] = row[columns - 1] = 5;
			break;
		case 2: /* NaN is no maximum */
			row[0] = NAN;
			row[columns / 2] = columns > 1 ? 3 : NAN;
			break;
		case 3: /* nothing but NaN */
			for (uint32_t i = 0; i < columns; i++)
				row[i] = NAN;
			break;
		case 4: /* nothing but -inf, after a NaN */
			for (uint32_t i = 0; i < columns; i++)
				row[i] = i ? -INFINITY : NAN;
			break;
		case 5: /* zeros of both signs are equal */
			for (uint32_t i = 0; i < columns; i++)
				row[i] = i % 2 ? 0.0f : -0.0f;
			break;
		case 6:
			row[columns - 1] = INFINITY;
			break;
		case 7: /* all below zero */
			for (uint32_t i = 0; i < columns; i++)
				row[i] = -fabsf(row[i]) - 1;
			break;
		}
	}
	x64 = rt_doubles(x, count);
	ref_argmax(x64, want, rows, columns);
	rt_require(hearth_op_argmax(recording, rt_buffer(x, 4 * count), index, rows, columns),
		   "argmax");
	rt_require(rt_run(recording), "argmax");
	rt_read(index, got, 4ull * rows);
	for (uint32_t r = 0; r < rows; r++)
		if (got[r] != want[r])
			rt_note("row %u: got %u, expected %u", r, got[r], want[r]);
	rt_ok(!memcmp(got, want, 4ull * rows), "argmax: %u × %u", rows, columns);
	rt_free_buffers();
	free(x), free(want), free(got), free(x64);
}

int main(void)
{
	static const uint32_t lengths[] = { 1, 3, 4, 63, 64, 255, 257, 1000, 70001 };
	static const uint32_t norm_columns[] = { 1, 5, 64, 100, 288, 1024, 4097 };
	static const struct {
		uint32_t rows, columns;
	} tables[] = { { 1, 32 }, { 100, 96 }, { 33, 288 } };

	rt_open();
	test_matmuls();
	test_more_types();
	test_fast_matmuls();
	test_best_types();
	test_fast_reuse();
	for (size_t t = 0; t < COUNT(types); t++)
		for (size_t s = 0; s < COUNT(tables); s++)
			test_embedding(types[t], tables[s].rows, tables[s].columns, false);
	test_embedding(HEARTH_TYPE_Q8_0, 48, 128, true);
	test_embedding(HEARTH_TYPE_Q4_0, 48, 192, true);
	test_embedding(HEARTH_TYPE_BF16, 9, 7, false);
	test_embedding(HEARTH_TYPE_IQ4_NL, 9, 96, false);
	test_embedding(HEARTH_TYPE_MXFP4, 9, 96, false);
	test_embedding(HEARTH_TYPE_Q4_K, 9, 512, false);
	test_embedding(HEARTH_TYPE_Q5_K, 9, 512, false);
	test_embedding(HEARTH_TYPE_Q6_K, 9, 256, false);
	test_embedding(HEARTH_TYPE_F32, 9, 7, false);
	test_embedding(HEARTH_TYPE_F16, 9, 7, false);
	for (size_t c = 0; c < COUNT(norm_columns); c++) {
		test_rms_norm(1, norm_columns[c], 1e-5f, false);
		test_rms_norm(5, norm_columns[c], 1e-6f, true);
	}
	for (int mode = HEARTH_ROPE_PAIRS; mode <= HEARTH_ROPE_HALVES; mode++) {
		test_rope(0, 1, 1, 2, 2, 10000, (enum hearth_rope)mode, false);
		test_rope(5, 3, 2, 16, 16, 10000, (enum hearth_rope)mode, false);
		test_rope(100, 9, 4, 64, 64, 500000, (enum hearth_rope)mode, false);
		test_rope(31000, 2, 3, 128, 96, 10000, (enum hearth_rope)mode, false);
		test_rope(1000000, 2, 3, 128, 128, 1e6f, (enum hearth_rope)mode, false);
		test_rope(7, 1, 5, 6, 4, 1, (enum hearth_rope)mode, false);
		test_rope(100, 9, 4, 64, 64, 500000, (enum hearth_rope)mode, true);
		test_rope(31000, 2, 3, 128, 96, 10000, (enum hearth_rope)mode, true);
	}
	test_old_rope();
	test_attentions();
	test_block_caches();
	test_shaped_attentions();
	test_kv_overflow(HEARTH_TYPE_F32);
	test_kv_overflow(HEARTH_TYPE_F16);
	test_kv_overflow(HEARTH_TYPE_Q8_0);
	test_kv_overflow(HEARTH_TYPE_Q4_0);
	for (size_t i = 0; i < COUNT(lengths) - (rt_small ? 1 : 0); i++) {
		test_elementwise(lengths[i], false);
		test_elementwise(lengths[i], true);
		test_gelu_mul(lengths[i]);
		test_scale(lengths[i], 45.25f, 0);
		test_scale(lengths[i], 100, 30);
		test_argmax(8, lengths[i]);
	}
	rt_close();
	return rt_done();
}
