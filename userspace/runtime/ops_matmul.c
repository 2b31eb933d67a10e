// SPDX-License-Identifier: MIT
/*
 * Operations on weights: matmul in its two forms, and the embedding.
 */
#include "runtime.h"
#include "tuning.h"

#include <string.h>

#define MATVEC_ROWS_Q4_0 2 /* ROWS in shaders/matvec_dot.comp for Q4_0 */

/* In the order in which shader_table.h lists the variants of a family. */
static const enum hearth_type variant_types[] = {
	HEARTH_TYPE_F32,  HEARTH_TYPE_F16,  HEARTH_TYPE_Q8_0, HEARTH_TYPE_Q4_0,	  HEARTH_TYPE_BF16,
	HEARTH_TYPE_Q4_K, HEARTH_TYPE_Q5_K, HEARTH_TYPE_Q6_K, HEARTH_TYPE_IQ4_NL, HEARTH_TYPE_MXFP4,
};

enum hrt_shader hrt_typed_shader(enum hrt_shader f32, enum hearth_type type)
{
	uint32_t i = 0;

	while (i + 1 < HRT_COUNT(variant_types) && variant_types[i] != type)
		i++;
	return f32 + i;
}

_Static_assert(HRT_SHADER_matmul_mxfp4 == HRT_SHADER_matmul_f32 + HRT_COUNT(variant_types) - 1,
	       "order of variants");
_Static_assert(HRT_SHADER_matvec_mxfp4 == HRT_SHADER_matvec_f32 + HRT_COUNT(variant_types) - 1,
	       "order of variants");
_Static_assert(HRT_SHADER_matvec_subgroup_mxfp4 ==
		       HRT_SHADER_matvec_subgroup_f32 + HRT_COUNT(variant_types) - 1,
	       "order of variants");
_Static_assert(HRT_SHADER_matmul_experts_mxfp4 ==
		       HRT_SHADER_matmul_experts_f32 + HRT_COUNT(variant_types) - 1,
	       "order of variants");
_Static_assert(HRT_SHADER_matvec_experts_mxfp4 ==
		       HRT_SHADER_matvec_experts_f32 + HRT_COUNT(variant_types) - 1,
	       "order of variants");
_Static_assert(HRT_SHADER_matvec_experts_subgroup_mxfp4 ==
		       HRT_SHADER_matvec_experts_subgroup_f32 + HRT_COUNT(variant_types) - 1,
	       "order of variants");
_Static_assert(HRT_SHADER_embedding_mxfp4 ==
		       HRT_SHADER_embedding_f32 + HRT_COUNT(variant_types) - 1,
	       "order of variants");

/* The push constants of both matmul shaders; those for one row know only those up to add_residual. */
struct matmul_push {
	uint32_t w_first, x_first, residual_first, y_first;
	uint32_t columns;
	uint32_t n_count;
	uint32_t units;
	uint32_t add_residual;
	uint32_t rows;
	uint32_t y_stride;
	uint32_t residual_stride; /* 0: one row for all, a bias */
};

struct matmul {
	const char *op;
	const struct hearth_matrix *w;
	uint32_t rows;
	struct hrt_binding bindings[4];
	struct matmul_push push;
};

/* Kernels whose subgroups compute @rows_each outputs and read activations as they lie. */
static enum hearth_status record_matvec_direct(struct hearth_recording *recording,
					       const struct matmul *m, enum hrt_shader shader,
					       uint32_t rows_each,
					       const struct hrt_binding *bindings,
					       const struct matmul_push *push)
{
	struct hrt_team_shape team = hrt_tune_team(recording->device, 0, 64);
	uint32_t group_rows = team.local / team.lanes * rows_each;
	const uint32_t spec[] = { team.local, team.lanes };
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(push->n_count, group_rows), 1, 1 };
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;

	status = hrt_shader_pipeline(recording->device, shader, spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, m->op, pipeline, bindings, push, groups);
}

static enum hearth_status record_matvec(struct hearth_recording *recording, struct matmul *m)
{
	struct hrt_team_shape team = hrt_tune_team(recording->device, 0, 64);
	uint32_t group_rows = team.local / team.lanes * HRT_MATVEC_ROWS;
	const uint32_t spec[] = {
		team.local,
		team.lanes,
		HRT_MATVEC_SHARED / hrt_type_unit(m->w->type),
		hrt_whole_words(m->w->type, m->w->columns),
		group_rows,
	};
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(m->push.n_count, group_rows), 1, 1 };
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;

	if (m->w->type == HEARTH_TYPE_F16 && team.subgroup &&
	    recording->device->physical->properties.storage16)
		return record_matvec_direct(recording, m, HRT_SHADER_matvec_half, HRT_MATVEC_ROWS,
					    m->bindings, &m->push);
	status = hrt_shader_pipeline(recording->device,
				     hrt_typed_shader(team.subgroup ? HRT_SHADER_matvec_subgroup_f32
								    : HRT_SHADER_matvec_f32,
						      m->w->type),
				     spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, m->op, pipeline, m->bindings, &m->push, groups);
}

/* Whether the product may be, and can be, one of bytes. */
static bool by_bytes(const struct hearth_recording *recording, const struct matmul *m)
{
	return recording->precision == HEARTH_PRECISION_FAST &&
	       recording->device->physical->properties.integer_dot &&
	       (m->w->type == HEARTH_TYPE_Q8_0 || m->w->type == HEARTH_TYPE_Q4_0) &&
	       hrt_whole_words(m->w->type, m->w->columns);
}

static enum hearth_status record_matvec_bytes(struct hearth_recording *recording, struct matmul *m)
{
	struct hrt_binding bindings[4];
	struct matmul_push push = m->push;
	enum hearth_status status;

	memcpy(bindings, m->bindings, sizeof(bindings));
	push.x_first = 0;
	status = hrt_quantise(recording, m->op, &m->bindings[1], m->push.x_first, 1, m->w->columns,
			      m->w->type, &bindings[1]);
	if (status != HEARTH_OK)
		return status;
	if (m->w->type == HEARTH_TYPE_Q8_0)
		return record_matvec_direct(recording, m, HRT_SHADER_matvec_dot_q8_0,
					    HRT_MATVEC_ROWS, bindings, &push);
	return record_matvec_direct(recording, m, HRT_SHADER_matvec_dot_q4_0, MATVEC_ROWS_Q4_0,
				    bindings, &push);
}

static enum hearth_status record_matmul_bytes(struct hearth_recording *recording, struct matmul *m,
					      const struct hrt_dot_shape *shape)
{
	struct hrt_binding bindings[4];
	struct matmul_push push = m->push;
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;
	const uint32_t spec[] = {
		shape->threads_n * shape->threads_r,
		shape->threads_n,
		shape->threads_r,
		recording->device->physical->properties.subgroup_size,
		shape->step_pairs,
		shape->tile_r,
		shape->tile_n,
	};
	const uint32_t groups[3] = {
		(uint32_t)hrt_ceil_div(m->push.n_count, shape->tile_n * shape->threads_n),
		(uint32_t)hrt_ceil_div(m->rows, shape->tile_r * shape->threads_r),
		1,
	};

	memcpy(bindings, m->bindings, sizeof(bindings));
	push.x_first = 0;
	status = hrt_quantise(recording, m->op, &m->bindings[1], m->push.x_first, m->rows,
			      m->w->columns, m->w->type, &bindings[1]);
	if (status == HEARTH_OK)
		status = hrt_shader_pipeline(recording->device,
					     m->w->type == HEARTH_TYPE_Q8_0
						     ? HRT_SHADER_matmul_dot_q8_0
						     : HRT_SHADER_matmul_dot_q4_0,
					     spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	push.units = (uint32_t)(bindings[1].bytes / 4 / m->rows); /* x_row_words */
	return hrt_record(recording, m->op, pipeline, bindings, &push, groups);
}

static enum hearth_status record_matmul(struct hearth_recording *recording, struct matmul *m)
{
	const struct hrt_dot_shape *dot_shape =
		by_bytes(recording, m) ? hrt_tune_dot(recording->device, m->w->type, m->rows)
				       : NULL;

	const struct hrt_matmul_shape *shape = hrt_tune_matmul(recording->device, m->rows);
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;

	if (dot_shape)
		return record_matmul_bytes(recording, m, dot_shape);
	if (!shape)
		return hrt_fail(HEARTH_ERROR_UNSUPPORTED, "%s: no tile fits the limits of %s",
				m->op, recording->device->physical->properties.name);

	const uint32_t spec[] = {
		shape->threads_n * shape->threads_r,
		shape->threads_n,
		shape->threads_r,
		hrt_whole_words(m->w->type, m->w->columns),
		shape->step_k,
		shape->tile_r,
		shape->tile_n,
	};
	const uint32_t groups[3] = {
		(uint32_t)hrt_ceil_div(m->push.n_count, shape->tile_n * shape->threads_n),
		(uint32_t)hrt_ceil_div(m->rows, shape->tile_r * shape->threads_r),
		1,
	};

	status = hrt_shader_pipeline(recording->device,
				     hrt_typed_shader(HRT_SHADER_matmul_f32, m->w->type), spec,
				     HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, m->op, pipeline, m->bindings, &m->push, groups);
}

/* Weights in tiles: one kernel for one row and for many. */
static enum hearth_status record_tiles(struct hearth_recording *recording, struct matmul *m)
{
	const struct hrt_tiles_shape *shape =
		hrt_tune_tiles(recording->device, m->w->type, m->rows);
	struct hrt_binding bindings[4];
	struct matmul_push push = m->push;
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;
	uint32_t lanes;

	status = hrt_tiles_check(recording->device, m->op, m->w, &lanes);
	if (status != HEARTH_OK)
		return status;
	if (recording->precision != HEARTH_PRECISION_FAST || !shape)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: weights of type %s need HEARTH_PRECISION_FAST", m->op,
				hrt_type_name(m->w->type));

	const uint32_t spec[] = { lanes * shape->threads_r, lanes, shape->tile_r, shape->tile_n };
	const uint32_t groups[3] = {
		(uint32_t)hrt_ceil_div(m->push.n_count, lanes * shape->tile_n),
		(uint32_t)hrt_ceil_div(m->rows, shape->tile_r * shape->threads_r),
		1,
	};

	memcpy(bindings, m->bindings, sizeof(bindings));
	push.x_first = 0;
	status = hrt_quantise(
		recording, m->op, &m->bindings[1], m->push.x_first, m->rows, m->w->columns,
		m->w->type == HEARTH_TYPE_Q8_0_TILES ? HEARTH_TYPE_Q8_0 : HEARTH_TYPE_Q4_0,
		&bindings[1]);
	if (status == HEARTH_OK)
		status = hrt_shader_pipeline(recording->device,
					     m->w->type == HEARTH_TYPE_Q8_0_TILES
						     ? HRT_SHADER_matmul_tiles_q8_0
						     : HRT_SHADER_matmul_tiles_q4_0,
					     spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	push.units = (uint32_t)(bindings[1].bytes / 4 / m->rows); /* x_row_words */
	return hrt_record(recording, m->op, pipeline, bindings, &push, groups);
}

/* @residual is a bias, one row for all, if @is_bias. */
static enum hearth_status matmul(struct hearth_recording *recording, const char *op,
				 const struct hearth_matrix *w, struct hearth_view x,
				 struct hearth_view residual, bool is_bias, struct hearth_view y,
				 uint32_t rows)
{
	struct matmul m = { .op = op, .w = w, .rows = rows };
	enum hearth_status status = hrt_recording_check(recording, op);
	uint32_t y_first, residual_first;
	uint64_t w_bytes, y_bytes;
	uint32_t part;

	if (status != HEARTH_OK)
		return status;
	status = hrt_matrix_check(op, w, &w_bytes);
	if (status != HEARTH_OK)
		return status;
	if (!rows)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: 0 rows", op);
	y_bytes = hrt_words_bytes(rows, w->rows);
	m.push.add_residual = residual.buffer != NULL;
	/* A kernel without a residual still has the binding: y stands in for it. */
	if ((status = hrt_bind_rows(recording, op, w, 0, w->rows, &m.bindings[0],
				    &m.push.w_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "x", &x, hrt_words_bytes(rows, w->columns), HRT_READ,
			       &m.bindings[1], &m.push.x_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op,
			       is_bias		     ? "bias"
			       : m.push.add_residual ? "residual"
						     : "y",
			       m.push.add_residual ? &residual : &y,
			       is_bias ? 4ull * w->rows : y_bytes, HRT_READ, &m.bindings[2],
			       &residual_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", &y, y_bytes, HRT_WRITE, &m.bindings[3],
			       &y_first)) != HEARTH_OK)
		return status;
	m.push.columns = w->columns;
	m.push.units = (uint32_t)hrt_ceil_div(w->columns, hrt_type_unit(w->type));
	m.push.rows = rows;
	m.push.y_stride = w->rows;
	m.push.residual_stride = is_bias ? 0 : w->rows;
	part = hrt_rows_per_binding(recording->device, op, w);
	if (!part)
		return HEARTH_ERROR_UNSUPPORTED;
	for (uint32_t first = 0; first < w->rows && status == HEARTH_OK; first += part) {
		m.push.n_count = w->rows - first < part ? w->rows - first : part;
		m.push.residual_first = residual_first + first;
		m.push.y_first = y_first + first;
		status = hrt_bind_rows(recording, op, w, first, m.push.n_count, &m.bindings[0],
				       &m.push.w_first);
		if (status == HEARTH_OK)
			status = hrt_type_tiled(w->type)   ? record_tiles(recording, &m)
				 : rows > 1		   ? record_matmul(recording, &m)
				 : by_bytes(recording, &m) ? record_matvec_bytes(recording, &m)
							   : record_matvec(recording, &m);
		if (first > UINT32_MAX - part)
			break;
	}
	return status;
}

enum hearth_status hearth_op_matmul(struct hearth_recording *recording,
				    const struct hearth_matrix *w, struct hearth_view x,
				    struct hearth_view residual, struct hearth_view y,
				    uint32_t rows)
{
	return matmul(recording, "hearth_op_matmul", w, x, residual, false, y, rows);
}

enum hearth_status hearth_op_matmul_bias(struct hearth_recording *recording,
					 const struct hearth_matrix *w, struct hearth_view x,
					 struct hearth_view bias, struct hearth_view y,
					 uint32_t rows)
{
	if (!bias.buffer)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_op_matmul_bias: bias has no buffer");
	return matmul(recording, "hearth_op_matmul_bias", w, x, bias, true, y, rows);
}

struct embedding_push {
	uint32_t w_first, tokens_first, y_first;
	uint32_t columns;
	uint32_t units;
	uint32_t first_token;
	uint32_t n_count;
	uint32_t table_rows;
};

enum hearth_status hearth_op_embedding(struct hearth_recording *recording,
				       const struct hearth_matrix *table, struct hearth_view tokens,
				       struct hearth_view y, uint32_t rows)
{
	static const char op[] = "hearth_op_embedding";
	enum hearth_status status = hrt_recording_check(recording, op);
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[3];
	struct embedding_push push;
	uint64_t table_bytes;
	uint32_t part;

	if (status != HEARTH_OK)
		return status;
	status = hrt_matrix_check(op, table, &table_bytes);
	if (status != HEARTH_OK)
		return status;
	if (!rows)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: 0 rows", op);
	push = (struct embedding_push){
		.columns = table->columns,
		.units = (uint32_t)hrt_ceil_div(table->columns, hrt_type_unit(table->type)),
		.table_rows = table->rows,
	};
	if ((status = hrt_bind_rows(recording, op, table, 0, table->rows, &bindings[0],
				    &push.w_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "tokens", &tokens, hrt_words_bytes(rows, 1), HRT_READ,
			       &bindings[1], &push.tokens_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", &y, hrt_words_bytes(rows, table->columns),
			       HRT_WRITE, &bindings[2], &push.y_first)) != HEARTH_OK)
		return status;
	part = hrt_rows_per_binding(recording->device, op, table);
	if (!part)
		return HEARTH_ERROR_UNSUPPORTED;

	const bool tiled = hrt_type_tiled(table->type);
	uint32_t lanes = 0;

	if (tiled)
		status = hrt_tiles_check(recording->device, op, table, &lanes);
	if (status != HEARTH_OK)
		return status;

	const uint32_t spec[] = { hrt_tune_local(recording->device),
				  tiled ? lanes : hrt_whole_words(table->type, table->columns) };
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(push.units, spec[0]), rows, 1 };

	status = hrt_shader_pipeline(
		recording->device,
		table->type == HEARTH_TYPE_Q4_0_TILES ? HRT_SHADER_embedding_tiles_q4_0
		: tiled				      ? HRT_SHADER_embedding_tiles_q8_0
			: hrt_typed_shader(HRT_SHADER_embedding_f32, table->type),
		spec, HRT_COUNT(spec), &pipeline);
	for (uint32_t first = 0; first < table->rows && status == HEARTH_OK; first += part) {
		push.first_token = first;
		push.n_count = table->rows - first < part ? table->rows - first : part;
		status = hrt_bind_rows(recording, op, table, first, push.n_count, &bindings[0],
				       &push.w_first);
		if (status == HEARTH_OK)
			status = hrt_record(recording, op, pipeline, bindings, &push, groups);
		if (first > UINT32_MAX - part)
			break;
	}
	return status;
}
