// SPDX-License-Identifier: MIT
/*
 * The operations of named models, at their shapes: matrix products and attention, for a prompt (prefill) and for one
 * token (decode). A case is computed once, checked, and only timed if it was right.
 *
 * Decode is bound by memory, and one small matrix would stay in a cache where a model's would not. So decode cases
 * run over several copies, of different numbers, that together have CACHE_BYTES or more, as layers of a model do.
 */
#include "bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BYTES    (128ull << 20) /* more than most last-level caches */
#define MAX_COPIES     32
#define SAMPLES	       64 /* of a matrix product */
#define HEAD_SAMPLES   12 /* of attention: rows of heads */
#define QUICK_PREFILL  40 /* rows: no multiple of a tile */
#define QUICK_POSITION 100

struct model {
	const char *name;
	uint32_t hidden, inner; /* of the feed-forward part; an expert's in a mixture of experts */
	uint32_t heads, kv_heads, head_size;
	uint32_t vocabulary;
};

/* Shapes as in the models' published configurations. The first is what runs if nothing else is asked for. */
static const struct model models[] = {
	{ "Llama-3.2-1B", 2048, 8192, 32, 8, 64, 128256 },
	{ "Llama-3.2-3B", 3072, 8192, 24, 8, 128, 128256 },
	{ "Llama-3.1-8B", 4096, 14336, 32, 8, 128, 128256 },
	{ "Llama-3.1-70B", 8192, 28672, 64, 8, 128, 128256 },
	{ "Qwen2.5-0.5B", 896, 4864, 14, 2, 64, 151936 },
	{ "Qwen2.5-7B", 3584, 18944, 28, 4, 128, 152064 },
	{ "Qwen2.5-14B", 5120, 13824, 40, 8, 128, 152064 },
	{ "Qwen3-4B", 2560, 9728, 32, 8, 128, 151936 },
	{ "Qwen3-8B", 4096, 12288, 32, 8, 128, 151936 },
	{ "Qwen3-14B", 5120, 17408, 40, 8, 128, 151936 },
	{ "Qwen3-32B", 5120, 25600, 64, 8, 128, 151936 },
	{ "Qwen3-30B-A3B", 2048, 768, 32, 4, 128, 151936 },
};

/* No model's, but with every shape's awkward side: edges of tiles everywhere. For --quick. */
static const struct model quick_model = { "quick", 160, 224, 6, 2, 32, 331 };

static const struct {
	const char *name;
	enum hearth_type type;
} types[] = {
	{ "F32", HEARTH_TYPE_F32 },
	{ "F16", HEARTH_TYPE_F16 },
	{ "Q8_0", HEARTH_TYPE_Q8_0 },
	{ "Q4_0", HEARTH_TYPE_Q4_0 },
};

static const char *type_name(enum hearth_type type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "?";
}

void bench_print_models(void)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++)
		printf("%-16s hidden %5u, inner %5u, heads %2u/%u × %3u, vocabulary %u%s\n",
		       models[i].name, models[i].hidden, models[i].inner, models[i].heads,
		       models[i].kv_heads, models[i].head_size, models[i].vocabulary,
		       i ? "" : " (default)");
}

bool bench_has_model(const char *name)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++)
		if (strcasestr(models[i].name, name))
			return true;
	return false;
}

/* What a case computes, and how much of it. Times and numbers are those of one copy. */
struct work {
	double flops, bytes;
	uint32_t copies;
	uint32_t rows;
};

static uint32_t copies_for(uint64_t bytes, const struct bench_settings *settings, uint32_t rows)
{
	uint64_t wanted = (CACHE_BYTES + bytes - 1) / bytes;

	if (rows > 8)
		return 1;
	if (settings->quick)
		return 2;
	if (wanted > settings->memory_bytes / bytes)
		wanted = settings->memory_bytes / bytes;
	return wanted > MAX_COPIES ? MAX_COPIES : wanted ? (uint32_t)wanted : 1;
}

static void add_id(struct json *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_id(struct json *result, const char *format, ...)
{
	char id[160];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(id, sizeof(id), format, arguments);
	va_end(arguments);
	json_add_string(result, "id", id);
}

/* The roofline: no operation with these flops and bytes is faster than the device's two peaks allow. */
static void add_work(struct bench_device *dev, struct json *result, const struct work *work)
{
	bool memory = work->rows <= 8;
	double bound_s = 0;

	json_add_string(result, "phase", memory ? "decode" : "prefill");
	json_add_number(result, "flops", work->flops);
	json_add_number(result, "bytes", work->bytes);
	json_add_number(result, "copies", work->copies);
	json_add_string(result, "unit", memory ? "B/s" : "FLOP/s");
	if (dev->peak_flops > 0 && dev->peak_bytes > 0) {
		double compute_s = work->flops / dev->peak_flops;
		double memory_s = work->bytes / dev->peak_bytes;

		bound_s = fmax(compute_s, memory_s);
		json_add_string(result, "bound", compute_s > memory_s ? "compute" : "memory");
		json_add_number(result, "roofline_s", bound_s);
	} else {
		json_add_null(result, "bound");
		json_add_null(result, "roofline_s");
	}
}

static void conclude(struct json *result, enum hearth_status status,
		     const struct bench_check *check, const struct work *work,
		     const struct bench_times *times, struct bench_count *count)
{
	double bound_s = json_number(result, "roofline_s", 0);

	if (status == HEARTH_OK && check->pass) {
		json_add_number(result, "rate",
				(work->rows <= 8 ? work->bytes : work->flops) / times->median);
		json_add_number(result, "share_of_roofline",
				bound_s > 0 ? bound_s / times->median : (double)NAN);
		bench_add_times(result, times);
	} else {
		json_add_null(result, "rate");
		json_add_null(result, "share_of_roofline");
		json_add_null(result, "time");
	}
	if (status == HEARTH_OK)
		bench_add_check(result, check);
	else
		json_add_null(result, "check");
	bench_conclude(result, status, check, count);
	bench_print_case(result);
}

static void skip(struct json *result, struct bench_count *count, uint64_t needed, uint64_t allowed)
{
	json_add_null(result, "rate");
	json_add_null(result, "share_of_roofline");
	json_add_null(result, "time");
	json_add_null(result, "check");
	bench_skip(result, count, "needs %llu MiB in one buffer or case, %llu MiB are allowed",
		   (unsigned long long)(needed >> 20), (unsigned long long)(allowed >> 20));
	bench_print_case(result);
}

/* The most that one buffer of a case may have. */
static uint64_t memory_limit(const struct bench_device *dev)
{
	uint64_t limit = dev->settings->memory_bytes;

	if (limit > dev->properties.max_buffer_bytes)
		limit = dev->properties.max_buffer_bytes;
	if (limit > dev->properties.memory_bytes / 2)
		limit = dev->properties.memory_bytes / 2;
	return limit;
}

/* ---- Matrix products ---- */

struct gemm {
	enum hearth_type type;
	uint32_t rows, n, k;
};

struct gemm_run {
	struct hearth_buffer *w[MAX_COPIES], *x, *y;
	void *w_host; /* of the last copy, whose product stays in y */
	float *x_host, *y_host;
	struct hearth_recording *recording;
};

static enum hearth_status gemm_begin(struct bench_device *dev, const struct gemm *g,
				     uint32_t copies, struct gemm_run *run)
{
	uint64_t w_bytes = hearth_row_bytes(g->type, g->k) * g->n,
		 x_count = (uint64_t)g->rows * g->k;
	struct bench_random random = { 0x853c49e6748fea9bull };
	enum hearth_status status = HEARTH_OK;

	run->w_host = malloc(w_bytes);
	run->x_host = malloc(4 * x_count);
	run->y_host = malloc(4ull * g->rows * g->n);
	if (!run->w_host || !run->x_host || !run->y_host)
		return HEARTH_ERROR_OUT_OF_MEMORY;
	bench_fill(run->x_host, HEARTH_TYPE_F32, x_count, &random);
	for (uint32_t i = 0; i < copies && status == HEARTH_OK; i++) {
		bench_fill(run->w_host, g->type, (uint64_t)g->n * g->k, &random);
		status = bench_buffer(dev, run->w_host, w_bytes, &run->w[i]);
	}
	if (status == HEARTH_OK)
		status = bench_buffer(dev, run->x_host, 4 * x_count, &run->x);
	if (status == HEARTH_OK)
		status = bench_buffer(dev, NULL, 4ull * g->rows * g->n, &run->y);
	if (status == HEARTH_OK)
		status = hearth_recording_create(dev->device, &run->recording);
	for (uint32_t i = 0; i < copies && status == HEARTH_OK; i++) {
		const struct hearth_matrix w = { { run->w[i], 0, 0 }, g->type, g->n, g->k };

		status = hearth_op_matmul(run->recording, &w, (struct hearth_view){ run->x, 0, 0 },
					  (struct hearth_view){ 0 },
					  (struct hearth_view){ run->y, 0, 0 }, g->rows);
	}
	if (status == HEARTH_OK)
		status = hearth_recording_end(run->recording);
	return status;
}

static void gemm(struct bench_device *dev, struct json *cases, const char *model, const char *part,
		 const struct gemm *g, struct bench_count *count)
{
	uint64_t w_bytes = hearth_row_bytes(g->type, g->k) * g->n;
	uint64_t y_bytes = 4ull * g->rows * g->n, largest = w_bytes > y_bytes ? w_bytes : y_bytes;
	struct work work = {
		.flops = 2.0 * g->rows * g->n * g->k,
		.bytes = (double)w_bytes + (double)y_bytes + 4.0 * g->rows * g->k,
		.rows = g->rows,
		.copies = copies_for(w_bytes, dev->settings, g->rows),
	};
	struct json *result = json_add_object(cases, NULL), *shape;
	struct gemm_run run = { 0 };
	struct bench_check check = { 0 };
	struct bench_times times = { 0 };
	enum hearth_status status;

	add_id(result, "gemm/%s/%s/%s/%u", model, part, type_name(g->type), g->rows);
	json_add_string(result, "op", "gemm");
	json_add_string(result, "model", model);
	json_add_string(result, "part", part);
	json_add_string(result, "type", type_name(g->type));
	shape = json_add_object(result, "shape");
	json_add_number(shape, "m", g->rows);
	json_add_number(shape, "n", g->n);
	json_add_number(shape, "k", g->k);
	add_work(dev, result, &work);
	if (largest > memory_limit(dev)) {
		skip(result, count, largest, memory_limit(dev));
		return;
	}
	status = gemm_begin(dev, g, work.copies, &run);
	if (status == HEARTH_OK)
		status = bench_run(dev, run.recording, NULL);
	if (status == HEARTH_OK)
		status = hearth_buffer_read(run.y, 0, run.y_host, y_bytes);
	if (status == HEARTH_OK) {
		bench_check_matmul(run.w_host, g->type, g->n, g->k, run.x_host, run.y_host, g->rows,
				   SAMPLES, &check);
		if (check.pass)
			status = bench_time(dev, run.recording, work.copies, &times);
	}
	conclude(result, status, &check, &work, &times, count);
	hearth_recording_destroy(run.recording);
	hearth_buffer_destroy(run.y);
	hearth_buffer_destroy(run.x);
	for (uint32_t i = 0; i < MAX_COPIES; i++)
		hearth_buffer_destroy(run.w[i]);
	free(run.y_host);
	free(run.x_host);
	free(run.w_host);
}

static void gemms(struct bench_device *dev, struct json *cases, const struct model *m,
		  struct bench_count *count)
{
	const struct {
		const char *part;
		uint32_t n, k;
		bool decode_only;
	} parts[] = {
		{ "qkv", (m->heads + 2 * m->kv_heads) * m->head_size, m->hidden, false },
		{ "o", m->hidden, m->heads * m->head_size, false },
		{ "gate_up", 2 * m->inner, m->hidden, false },
		{ "down", m->hidden, m->inner, false },
		/* Of a prompt, only the last row goes through it. */
		{ "lm_head", m->vocabulary, m->hidden, true },
	};
	uint32_t prefill = dev->settings->quick ? QUICK_PREFILL : dev->settings->prefill_rows;

	for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++)
		for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++)
			for (int decode = parts[p].decode_only; decode < 2; decode++)
				gemm(dev, cases, m->name, parts[p].part,
				     &(struct gemm){ types[t].type, decode ? 1 : prefill,
						     parts[p].n, parts[p].k },
				     count);
}

/* ---- Attention ---- */

struct attention_run {
	struct hearth_buffer *keys[MAX_COPIES], *values[MAX_COPIES], *q, *y, *step;
	void *keys_host, *values_host; /* of the last copy */
	float *q_host, *y_host;
	struct hearth_recording *recording;
};

static enum hearth_status attention_begin(struct bench_device *dev, const struct bench_attention *a,
					  uint32_t copies, struct attention_run *run)
{
	const struct hearth_step step = { .position = a->position };
	uint64_t row = (uint64_t)a->kv_heads * a->head_size, all = a->position + a->rows;
	uint64_t kv_bytes = hearth_row_bytes(a->type, row) * all;
	uint64_t q_count = (uint64_t)a->rows * a->heads * a->head_size;
	struct bench_random random = { 0x2545f4914f6cdd1dull };
	enum hearth_status status = HEARTH_OK;

	run->keys_host = malloc(kv_bytes);
	run->values_host = malloc(kv_bytes);
	run->q_host = malloc(4 * q_count);
	run->y_host = malloc(4 * q_count);
	if (!run->keys_host || !run->values_host || !run->q_host || !run->y_host)
		return HEARTH_ERROR_OUT_OF_MEMORY;
	bench_fill(run->q_host, HEARTH_TYPE_F32, q_count, &random);
	for (uint32_t i = 0; i < copies && status == HEARTH_OK; i++) {
		bench_fill(run->keys_host, a->type, row * all, &random);
		bench_fill(run->values_host, a->type, row * all, &random);
		status = bench_buffer(dev, run->keys_host, kv_bytes, &run->keys[i]);
		if (status == HEARTH_OK)
			status = bench_buffer(dev, run->values_host, kv_bytes, &run->values[i]);
	}
	if (status == HEARTH_OK)
		status = bench_buffer(dev, run->q_host, 4 * q_count, &run->q);
	if (status == HEARTH_OK)
		status = bench_buffer(dev, NULL, 4 * q_count, &run->y);
	if (status == HEARTH_OK)
		status = bench_buffer(dev, &step, sizeof(step), &run->step);
	if (status == HEARTH_OK)
		status = hearth_recording_create(dev->device, &run->recording);
	for (uint32_t i = 0; i < copies && status == HEARTH_OK; i++) {
		const struct hearth_kv_cache cache = {
			{ run->keys[i], 0, 0 },
			{ run->values[i], 0, 0 },
			a->type,
			(uint32_t)all,
			a->kv_heads,
			a->head_size,
		};

		status = hearth_op_attention(run->recording, (struct hearth_view){ run->q, 0, 0 },
					     &cache, (struct hearth_view){ run->step, 0, 0 },
					     (struct hearth_view){ run->y, 0, 0 }, a->rows,
					     a->heads, (float)a->scale);
	}
	if (status == HEARTH_OK)
		status = hearth_recording_end(run->recording);
	return status;
}

static void attention(struct bench_device *dev, struct json *cases, const struct model *m,
		      enum hearth_type type, uint32_t position, uint32_t rows,
		      struct bench_count *count)
{
	const struct bench_attention a = {
		.position = position,
		.rows = rows,
		.heads = m->heads,
		.kv_heads = m->kv_heads,
		.head_size = m->head_size,
		.type = type,
		.scale = (double)(float)(1 / sqrt(m->head_size)),
	};
	uint64_t all = position + rows;
	uint64_t kv_bytes = hearth_row_bytes(type, (uint64_t)m->kv_heads * m->head_size) * all;
	double q_count = (double)rows * m->heads * m->head_size;
	struct work work = {
		/* Query row r sees position + r + 1 keys, each for two products. */
		.flops = 4 * q_count * (position + 0.5 * (rows + 1)),
		.bytes = 2 * (double)kv_bytes + 8 * q_count,
		.rows = rows,
		.copies = copies_for(2 * kv_bytes, dev->settings, rows),
	};
	struct json *result = json_add_object(cases, NULL), *shape;
	struct attention_run run = { 0 };
	struct bench_check check = { 0 };
	struct bench_times times = { 0 };
	enum hearth_status status;

	add_id(result, "attention/%s/%s/%u+%u", m->name, type_name(type), position, rows);
	json_add_string(result, "op", "attention");
	json_add_string(result, "model", m->name);
	json_add_string(result, "part", "attention");
	json_add_string(result, "type", type_name(type));
	shape = json_add_object(result, "shape");
	json_add_number(shape, "position", position);
	json_add_number(shape, "rows", rows);
	json_add_number(shape, "heads", m->heads);
	json_add_number(shape, "kv_heads", m->kv_heads);
	json_add_number(shape, "head_size", m->head_size);
	add_work(dev, result, &work);
	if (kv_bytes > memory_limit(dev)) {
		skip(result, count, kv_bytes, memory_limit(dev));
		return;
	}
	status = attention_begin(dev, &a, work.copies, &run);
	if (status == HEARTH_OK)
		status = bench_run(dev, run.recording, NULL);
	if (status == HEARTH_OK)
		status = hearth_buffer_read(run.y, 0, run.y_host, (uint64_t)(4 * q_count));
	if (status == HEARTH_OK) {
		bench_check_attention(&a, run.q_host, run.keys_host, run.values_host, run.y_host,
				      HEAD_SAMPLES, &check);
		if (check.pass)
			status = bench_time(dev, run.recording, work.copies, &times);
	}
	conclude(result, status, &check, &work, &times, count);
	hearth_recording_destroy(run.recording);
	hearth_buffer_destroy(run.step);
	hearth_buffer_destroy(run.y);
	hearth_buffer_destroy(run.q);
	for (uint32_t i = 0; i < MAX_COPIES; i++) {
		hearth_buffer_destroy(run.values[i]);
		hearth_buffer_destroy(run.keys[i]);
	}
	free(run.y_host);
	free(run.q_host);
	free(run.values_host);
	free(run.keys_host);
}

static void attentions(struct bench_device *dev, struct json *cases, const struct model *m,
		       struct bench_count *count)
{
	static const struct {
		uint32_t position, rows;
		bool always;
	} settings[] = {
		{ 0, 512, true },  { 0, 2048, false },	{ 7680, 512, false }, { 511, 1, true },
		{ 4095, 1, true }, { 16383, 1, false }, { 32767, 1, false },
	};
	static const enum hearth_type kv_types[] = { HEARTH_TYPE_F32, HEARTH_TYPE_F16 };

	for (size_t t = 0; t < sizeof(kv_types) / sizeof(*kv_types); t++) {
		if (dev->settings->quick) {
			attention(dev, cases, m, kv_types[t], 0, QUICK_PREFILL, count);
			attention(dev, cases, m, kv_types[t], QUICK_POSITION, 1, count);
			continue;
		}
		for (size_t s = 0; s < sizeof(settings) / sizeof(*settings); s++)
			if (settings[s].always || dev->settings->all)
				attention(dev, cases, m, kv_types[t], settings[s].position,
					  settings[s].rows, count);
	}
}

void bench_cases(struct bench_device *dev, struct json *results, struct bench_count *count)
{
	struct json *cases = json_add_array(results, "cases");
	const struct bench_settings *s = dev->settings;

	if (s->peaks_only)
		return;
	if (s->quick && !s->model) {
		gemms(dev, cases, &quick_model, count);
		attentions(dev, cases, &quick_model, count);
		return;
	}
	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
		if (s->model ? !strcasestr(models[i].name, s->model) : i && !s->all)
			continue;
		gemms(dev, cases, &models[i], count);
		attentions(dev, cases, &models[i], count);
	}
}
