// SPDX-License-Identifier: MIT
/*
 * Operations on the key and value cache, and the rotary positions that go before them.
 */
#include "runtime.h"
#include "tuning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEAD_SIZE  256
#define MANY_THREADS_R 8 /* THREADS_R of shaders/attention_many.comp … */
#define MANY_THREADS_N 16
#define MANY_QUERIES   4  /* … and QUERIES there */
#define MANY_LEAST     16 /* queries of a key head from which that shader pays */
#define FEW_CHUNK      64

/* ---- Rope ---- */

/*
 * Frequency i is scale · base^(-2i/dims) / factors[i] a position; turns[i] is it over 2π, as a 64-bit fraction of a turn.
 */
static enum hearth_status compute_turns(const char *op, const struct hearth_rope_info *info,
					uint64_t **out)
{
	long double scale = info->scale != 0 ? info->scale : 1.0L;
	uint32_t pairs = info->dims / 2;
	uint64_t *turns = calloc(pairs, sizeof(*turns));

	if (!turns)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "%s: out of host memory", op);
	for (uint32_t i = 0; i < pairs; i++) {
		long double factor = info->factors ? info->factors[i] : 1.0L;
		long double turn = scale * powl(info->base, -2.0L * i / info->dims) / factor /
				   (2 * acosl(-1.0L));

		/* Half a turn a position and more would not be told from its opposite. */
		if (!(turn >= 0 && turn < 0.5L)) {
			free(turns);
			return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
					"%s: pair %u turns by %g of a circle a position, expected "
					"less than half of one",
					op, i, (double)turn);
		}
		turns[i] = (uint64_t)roundl(ldexpl(turn, 64));
	}
	*out = turns;
	return HEARTH_OK;
}

/* A buffer that holds @turns; *@table keeps them to be found again. */
static enum hearth_status make_rope_table(struct hearth_device *device, const uint64_t *turns,
					  uint32_t pairs, struct hrt_rope_table **out)
{
	struct hrt_rope_table *table = calloc(1, sizeof(*table) + pairs * sizeof(*turns));
	enum hearth_status status;

	if (!table)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "hearth_op_rope: out of host memory");
	memcpy(table->turns, turns, pairs * sizeof(*turns));
	table->pairs = pairs;
	status = hearth_buffer_create(device, 8ull * pairs, HEARTH_BUFFER_DEVICE, &table->buffer);
	if (status == HEARTH_OK)
		status = hearth_buffer_write(table->buffer, 0, turns, 8ull * pairs);
	if (status != HEARTH_OK) {
		hearth_buffer_destroy(table->buffer);
		free(table);
		return status;
	}
	*out = table;
	return HEARTH_OK;
}

static enum hearth_status get_rope_table(struct hearth_device *device, const char *op,
					 const struct hearth_rope_info *info,
					 struct hearth_buffer **out)
{
	uint32_t pairs = info->dims / 2;
	struct hrt_rope_table *table;
	enum hearth_status status;
	uint64_t *turns = NULL;

	status = compute_turns(op, info, &turns);
	if (status != HEARTH_OK)
		return status;
	pthread_mutex_lock(&device->cache_lock);
	for (table = device->rope_tables; table; table = table->next)
		if (table->pairs == pairs && !memcmp(table->turns, turns, pairs * sizeof(*turns)))
			break;
	if (!table) {
		status = make_rope_table(device, turns, pairs, &table);
		if (status == HEARTH_OK) {
			table->next = device->rope_tables;
			device->rope_tables = table;
		}
	}
	if (status == HEARTH_OK)
		*out = table->buffer;
	pthread_mutex_unlock(&device->cache_lock);
	free(turns);
	return status;
}

struct rope_push {
	uint32_t x_first, step_first, frequencies_first;
	uint32_t heads;
	uint32_t head_size;
	uint32_t pairs;
	float magnitude;
};

enum hearth_status hearth_op_rope(struct hearth_recording *recording, struct hearth_view x,
				  struct hearth_view step, uint32_t rows, uint32_t heads,
				  uint32_t head_size, uint32_t dims, float base,
				  enum hearth_rope mode)
{
	const struct hearth_rope_info info = {
		.struct_size = sizeof(info),
		.dims = dims,
		.base = base,
		.mode = mode,
	};

	return hearth_op_rope_scaled(recording, x, step, rows, heads, head_size, &info);
}

enum hearth_status hearth_op_rope_scaled(struct hearth_recording *recording, struct hearth_view x,
					 struct hearth_view step, uint32_t rows, uint32_t heads,
					 uint32_t head_size, const struct hearth_rope_info *info)
{
	static const char op[] = "hearth_op_rope";
	enum hearth_status status = hrt_recording_check(recording, op);
	struct rope_push push = { .heads = heads, .head_size = head_size, .magnitude = 1 };
	struct hearth_view table = { 0 };
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[3];

	if (status != HEARTH_OK)
		return status;
	if (!info || info->struct_size < offsetof(struct hearth_rope_info, magnitude))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: struct_size is %u, expected %zu", op,
				info ? info->struct_size : 0, sizeof(*info));
	if (info->struct_size >= sizeof(*info) && info->magnitude != 0)
		push.magnitude = info->magnitude;
	if (!(push.magnitude > 0) || isinf(push.magnitude))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: magnitude %g, expected a number > 0", op,
				(double)push.magnitude);
	if (!rows || !heads || !head_size || heads > UINT32_MAX / head_size || !info->dims ||
	    info->dims % 2 || info->dims > head_size)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %u rows × %u heads × %u, dims %u: expected at least 1 × 1 × "
				"dims, dims "
				"even",
				op, rows, heads, head_size, info->dims);
	if (!(info->base >= 1.0f) || isinf(info->base))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: base %g, expected a number ≥ 1",
				op, (double)info->base);
	if (info->mode != HEARTH_ROPE_PAIRS && info->mode != HEARTH_ROPE_HALVES)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: unknown mode %d", op,
				info->mode);
	push.pairs = info->dims / 2;
	status = get_rope_table(recording->device, op, info, &table.buffer);
	if (status != HEARTH_OK)
		return status;
	if ((status = hrt_bind(recording, op, "x", &x, hrt_words_bytes(rows, heads * head_size),
			       HRT_READ | HRT_WRITE, &bindings[0], &push.x_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "step", &step, sizeof(struct hearth_step), HRT_READ,
			       &bindings[1], &push.step_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "frequencies", &table, 8ull * push.pairs, HRT_READ,
			       &bindings[2], &push.frequencies_first)) != HEARTH_OK)
		return status;

	const uint32_t spec[] = { hrt_tune_local(recording->device),
				  info->mode == HEARTH_ROPE_HALVES };
	const uint32_t groups[3] = {
		(uint32_t)hrt_ceil_div((uint64_t)heads * push.pairs, spec[0]),
		rows,
		1,
	};

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_rope, spec, HRT_COUNT(spec),
				     &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}

/* ---- The cache ---- */

/*
 * Types of caches. A kernel reads @unit elements of a head at once; rows of block types are whole pairs of blocks, so that they
 * are whole words.
 */
static const struct kv_type {
	enum hearth_type type;
	uint32_t unit;	       /* KV_UNIT in shaders/kv.glsl */
	uint32_t store_words;  /* that an invocation of the store writes */
	uint32_t row_multiple; /* of the elements of a position */
	enum hrt_shader store, many;
	enum hrt_shader few[2][2]; /* [queries 4][subgroup] */
} kv_types[] = {
#define KV_TYPE(NAME, name, unit, words, multiple)                                     \
	{                                                                              \
		HEARTH_TYPE_##NAME, unit, words, multiple, HRT_SHADER_kv_store_##name, \
			HRT_SHADER_attention_many_##name,                              \
		{                                                                      \
			{ HRT_SHADER_attention_few1_##name,                            \
			  HRT_SHADER_attention_few1_subgroup_##name },                 \
			{                                                              \
				HRT_SHADER_attention_few4_##name,                      \
					HRT_SHADER_attention_few4_subgroup_##name      \
			}                                                              \
		}                                                                      \
	}
	KV_TYPE(F32, f32, 1, 1, 1),
	KV_TYPE(F16, f16, 2, 1, 1),
	KV_TYPE(Q8_0, q8_0, 4, 17, 64),
	KV_TYPE(Q4_0, q4_0, 4, 9, 64),
#undef KV_TYPE
};

/* *row_words: of a position; *bytes: of keys, and of values. */
static enum hearth_status check_cache(const char *op, const struct hearth_kv_cache *cache,
				      const struct kv_type **type, uint32_t *row_words,
				      uint64_t *bytes)
{
	uint64_t elements;

	*type = NULL;

	if (!cache)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: cache is NULL", op);
	for (size_t i = 0; i < HRT_COUNT(kv_types); i++)
		if (kv_types[i].type == cache->type)
			*type = &kv_types[i];
	if (!*type)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: a cache of type %s (%d), expected F32, F16, Q8_0 or Q4_0", op,
				hrt_type_name(cache->type), cache->type);
	elements = (uint64_t)cache->kv_heads * cache->head_size;
	if (!cache->capacity || !elements || cache->head_size % (*type)->unit ||
	    elements % (*type)->row_multiple)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"%s: a cache of %u × %u heads × %u, expected at least 1 × 1 × 1, and "
			"for %s head sizes that are a multiple of %u, and of %u with all heads",
			op, cache->capacity, cache->kv_heads, cache->head_size,
			hrt_type_name(cache->type), (*type)->unit, (*type)->row_multiple);
	if (elements > UINT32_MAX)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: %u heads × %u are too many", op,
				cache->kv_heads, cache->head_size);
	*row_words = (uint32_t)(hearth_row_bytes(cache->type, elements) / 4);
	*bytes = hrt_words_bytes(*row_words, cache->capacity);
	return HEARTH_OK;
}

struct kv_store_push {
	uint32_t k_first, v_first, step_first, keys_first, values_first;
	uint32_t row_words;
	uint32_t capacity;
};

enum hearth_status hearth_op_kv_store(struct hearth_recording *recording, struct hearth_view k,
				      struct hearth_view v, const struct hearth_kv_cache *cache,
				      struct hearth_view step, uint32_t rows)
{
	static const char op[] = "hearth_op_kv_store";
	enum hearth_status status = hrt_recording_check(recording, op);
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[5];
	const struct kv_type *type;
	struct kv_store_push push;
	uint64_t bytes, row_bytes;

	if (status != HEARTH_OK)
		return status;
	status = check_cache(op, cache, &type, &push.row_words, &bytes);
	if (status != HEARTH_OK)
		return status;
	if (!rows)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: 0 rows", op);
	push.capacity = cache->capacity;
	row_bytes = hrt_words_bytes(rows, cache->kv_heads * cache->head_size);
	if ((status = hrt_bind(recording, op, "k", &k, row_bytes, HRT_READ, &bindings[0],
			       &push.k_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "v", &v, row_bytes, HRT_READ, &bindings[1],
			       &push.v_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "step", &step, sizeof(struct hearth_step), HRT_READ,
			       &bindings[2], &push.step_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "the cache's keys", &cache->keys, bytes, HRT_WRITE,
			       &bindings[3], &push.keys_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "the cache's values", &cache->values, bytes,
			       HRT_WRITE, &bindings[4], &push.values_first)) != HEARTH_OK)
		return status;

	const uint32_t spec[] = { hrt_tune_local(recording->device) };
	const uint32_t groups[3] = {
		(uint32_t)hrt_ceil_div(push.row_words / type->store_words, spec[0]), rows, 1
	};

	status = hrt_shader_pipeline(recording->device, type->store, spec, HRT_COUNT(spec),
				     &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}

/* ---- Attention ---- */

struct attention_push {
	uint32_t q_first, keys_first, values_first, step_first, y_first;
	uint32_t rows;
	uint32_t heads;
	uint32_t kv_heads;
	uint32_t capacity;
	float scale;
	uint32_t window;
	float soft_cap;
	float alibi;
	uint32_t sinks_first;
	uint32_t has_sinks;
};

static bool is_shaped(const struct attention_push *push)
{
	return push->soft_cap > 0 || push->alibi > 0;
}

static enum hearth_status record_few(struct hearth_recording *recording, const char *op,
				     const struct hearth_kv_cache *cache,
				     const struct kv_type *type, const struct hrt_binding *bindings,
				     const struct attention_push *push)
{
	uint32_t head_units = cache->head_size / type->unit;
	struct hrt_team_shape team = hrt_tune_team(recording->device, 0, head_units);
	uint64_t query_count = (uint64_t)push->rows * (push->heads / push->kv_heads);
	uint32_t queries = query_count > 1 ? 4 : 1;
	/* Without subgroups an invocation takes a key alone, which needs no reductions. */
	const uint32_t spec[] = {
		team.local,	team.subgroup ? team.lanes : 1, cache->head_size, FEW_CHUNK, 0,
		is_shaped(push)
	};
	const uint32_t groups[3] = { push->kv_heads, (uint32_t)hrt_ceil_div(query_count, queries),
				     1 };
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;

	if (team.local < head_units)
		return hrt_fail(HEARTH_ERROR_UNSUPPORTED,
				"%s: a head size of %u needs work-groups of %u, %s has %u", op,
				cache->head_size, head_units,
				recording->device->physical->properties.name,
				recording->device->physical->properties.max_workgroup_invocations);
	status = hrt_shader_pipeline(recording->device, type->few[queries == 4][team.subgroup],
				     spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, push, groups);
}

static enum hearth_status record_many(struct hearth_recording *recording, const char *op,
				      const struct hearth_kv_cache *cache,
				      const struct kv_type *type,
				      const struct hrt_binding *bindings,
				      const struct attention_push *push, uint32_t keys)
{
	uint64_t query_count = (uint64_t)push->rows * (push->heads / push->kv_heads);
	const uint32_t spec[] = { MANY_THREADS_N * MANY_THREADS_R,
				  MANY_THREADS_R,
				  cache->head_size,
				  keys,
				  0,
				  is_shaped(push) };
	const uint32_t groups[3] = {
		push->kv_heads,
		(uint32_t)hrt_ceil_div(query_count, MANY_THREADS_R * MANY_QUERIES),
		1,
	};
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;

	status = hrt_shader_pipeline(recording->device, type->many, spec, HRT_COUNT(spec),
				     &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, push, groups);
}

enum hearth_status hearth_op_attention(struct hearth_recording *recording, struct hearth_view q,
				       const struct hearth_kv_cache *cache, struct hearth_view step,
				       struct hearth_view y, uint32_t rows, uint32_t heads,
				       float scale)
{
	const struct hearth_attention_info info = { .struct_size = sizeof(info), .scale = scale };

	return hearth_op_attention_shaped(recording, q, cache, step, y, rows, heads, &info);
}

static bool is_amount(float value)
{
	return value >= 0 && !isinf(value);
}

enum hearth_status hearth_op_attention_shaped(struct hearth_recording *recording,
					      struct hearth_view q,
					      const struct hearth_kv_cache *cache,
					      struct hearth_view step, struct hearth_view y,
					      uint32_t rows, uint32_t heads,
					      const struct hearth_attention_info *info)
{
	static const char op[] = "hearth_op_attention";
	enum hearth_status status = hrt_recording_check(recording, op);
	struct attention_push push = { .rows = rows, .heads = heads };
	struct hrt_binding bindings[6];
	const struct kv_type *type;
	uint32_t row_words, keys;
	uint64_t bytes, y_bytes;

	if (status != HEARTH_OK)
		return status;
	status = check_cache(op, cache, &type, &row_words, &bytes);
	if (status != HEARTH_OK)
		return status;
	if (!rows || !heads || heads % cache->kv_heads)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"%s: %u rows, %u heads over %u key heads: expected at least 1 row and a "
			"multiple of the key heads",
			op, rows, heads, cache->kv_heads);
	if (cache->head_size > MAX_HEAD_SIZE || heads > UINT32_MAX / cache->head_size ||
	    (uint64_t)rows * heads > UINT32_MAX)
		return hrt_fail(HEARTH_ERROR_UNSUPPORTED,
				"%s: %u rows × %u heads × %u, supported are head sizes up to %d",
				op, rows, heads, cache->head_size, MAX_HEAD_SIZE);
	if (!info || info->struct_size < sizeof(*info))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: struct_size is %u, expected %zu", op,
				info ? info->struct_size : 0, sizeof(*info));
	if (!is_amount(info->soft_cap) || !is_amount(info->alibi))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: soft cap %g, ALiBi %g: expected numbers ≥ 0", op,
				(double)info->soft_cap, (double)info->alibi);
	push.kv_heads = cache->kv_heads;
	push.capacity = cache->capacity;
	push.scale = info->scale;
	push.window = info->window ? info->window : UINT32_MAX;
	push.soft_cap = info->soft_cap;
	push.alibi = info->alibi;
	push.has_sinks = info->sinks.buffer != NULL;
	y_bytes = hrt_words_bytes(rows, heads * cache->head_size);
	if ((status = hrt_bind(recording, op, "q", &q, y_bytes, HRT_READ, &bindings[0],
			       &push.q_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "the cache's keys", &cache->keys, bytes, HRT_READ,
			       &bindings[1], &push.keys_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "the cache's values", &cache->values, bytes, HRT_READ,
			       &bindings[2], &push.values_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "step", &step, sizeof(struct hearth_step), HRT_READ,
			       &bindings[3], &push.step_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", &y, y_bytes, HRT_WRITE, &bindings[4],
			       &push.y_first)) != HEARTH_OK ||
	    /* Without sinks the binding is still there: q stands in. */
	    (status = hrt_bind(recording, op, "sinks", push.has_sinks ? &info->sinks : &q,
			       4ull * heads, HRT_READ, &bindings[5], &push.sinks_first)) !=
		    HEARTH_OK)
		return status;
	keys = hrt_tune_attention_keys(recording->device, cache->head_size, MANY_THREADS_R);
	if (keys && rows > 1 && (uint64_t)rows * (heads / cache->kv_heads) >= MANY_LEAST &&
	    cache->head_size % (MANY_THREADS_N * type->unit) == 0)
		return record_many(recording, op, cache, type, bindings, &push, keys);
	return record_few(recording, op, cache, type, bindings, &push);
}
