// SPDX-License-Identifier: MIT
/*
 * Operations of a mixture of experts: which experts a row goes to, products with their matrices, and the sum of what they make.
 *
 * A slot is a row's use of one expert. Few slots are multiplied one by one, each reading its expert's matrix. Of many, those
 * with the same expert are gathered into tiles first (shaders/experts_group.comp), once for all products with the same selection;
 * a tile is then what a tile of rows is in an ordinary product.
 */
#include "runtime.h"
#include "tuning.h"

#include <math.h>
#include <string.h>

#define MAX_EXPERTS 1024
#define MAX_USED    64 /* the local size of shaders/experts_select.comp */
/* Slots of an expert on average, from which tiles pay. */
#define TILES_LEAST 2

struct select_push {
	uint32_t logits_first, selected_first, weights_first;
	float scale;
};

static enum hearth_status check_info(const char *op, const struct hearth_experts_info *info,
				     uint32_t rows)
{
	if (!info || info->struct_size < sizeof(*info))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: struct_size is %u, expected %zu", op,
				info ? info->struct_size : 0, sizeof(*info));
	if (!rows || !info->experts || info->experts > MAX_EXPERTS || !info->used ||
	    info->used > MAX_USED || info->used > info->experts)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"%s: %u rows, %u experts, %u used: expected at least 1 row, 1 to %u "
			"experts and of them up to %u used",
			op, rows, info->experts, info->used, MAX_EXPERTS, MAX_USED);
	if (info->gating != HEARTH_GATING_SOFTMAX && info->gating != HEARTH_GATING_SIGMOID)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: unknown gating %d", op,
				info->gating);
	if (!(info->scale >= 0) || isinf(info->scale))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: scale %g, expected a number ≥ 0", op, (double)info->scale);
	return HEARTH_OK;
}

enum hearth_status hearth_op_experts_select(struct hearth_recording *recording,
					    struct hearth_view logits, struct hearth_view selected,
					    struct hearth_view weights, uint32_t rows,
					    const struct hearth_experts_info *info)
{
	static const char op[] = "hearth_op_experts_select";
	enum hearth_status status = hrt_recording_check(recording, op);
	const uint32_t groups[3] = { rows, 1, 1 };
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[3];
	struct select_push push;

	if (status == HEARTH_OK)
		status = check_info(op, info, rows);
	if (status != HEARTH_OK)
		return status;
	push.scale = info->scale > 0 ? info->scale : 1;
	if ((status = hrt_bind(recording, op, "logits", &logits,
			       hrt_words_bytes(rows, info->experts), HRT_READ, &bindings[0],
			       &push.logits_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "selected", &selected,
			       hrt_words_bytes(rows, info->used), HRT_WRITE, &bindings[1],
			       &push.selected_first)) != HEARTH_OK ||
	    (status =
		     hrt_bind(recording, op, "weights", &weights, hrt_words_bytes(rows, info->used),
			      HRT_WRITE, &bindings[2], &push.weights_first)) != HEARTH_OK)
		return status;

	const uint32_t spec[] = { MAX_USED, info->experts, info->used,
				  info->gating == HEARTH_GATING_SIGMOID, info->normalise };

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_experts_select, spec,
				     HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}

/* ---- Products ---- */

/* Of both shaders; that for single slots knows only those up to selected_stride. */
struct experts_push {
	uint32_t w_first, x_first, selected_first, y_first;
	uint32_t columns;
	uint32_t n_count;
	uint32_t units;
	uint32_t x_share;
	uint32_t first_expert, expert_count;
	uint32_t used, selected_stride;
	uint32_t slots;
};

struct experts {
	const char *op;
	const struct hearth_matrix *w;
	uint32_t experts;
	uint32_t slots;
	struct hrt_binding bindings[4];
	struct experts_push push;
};

struct group_push {
	uint32_t selected_first, groups_first;
	uint32_t slots;
	uint32_t tile_slots;
	uint32_t tiles;
	uint32_t used, selected_stride;
};

/* The slots by expert, in tiles of up to @tile_slots; *@tiles: how many there may be. */
static enum hearth_status group_slots(struct hearth_recording *recording, const struct experts *e,
				      uint32_t tile_slots, struct hrt_binding *binding,
				      uint32_t *tiles)
{
	const struct hrt_binding *selected = &e->bindings[2];
	const uint32_t spec[] = { hrt_tune_local(recording->device), e->experts };
	const uint32_t form[3] = { e->experts, tile_slots, e->push.used };
	const uint32_t groups[3] = { 1, 1, 1 };
	const struct hrt_pipeline *pipeline;
	struct hrt_derived *derived;
	enum hearth_status status;
	uint64_t bytes;

	/* Each expert may have one tile that is not full. */
	*tiles = e->slots / tile_slots + (e->experts < e->slots ? e->experts : e->slots);
	bytes = 4 * (e->slots + 3ull * *tiles);
	status = hrt_derive(recording, e->op, selected, HRT_DERIVED_GROUPS, form, bytes, &derived);
	if (status != HEARTH_OK)
		return status;
	*binding = (struct hrt_binding){ derived->buffer, 0, bytes, HRT_READ };
	if (derived->valid)
		return HEARTH_OK;

	const struct hrt_binding bindings[] = { *selected,
						{ derived->buffer, 0, bytes, HRT_WRITE } };
	const struct group_push push = {
		e->push.selected_first,	 0, e->slots, tile_slots, *tiles, e->push.used,
		e->push.selected_stride,
	};

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_experts_group, spec,
				     HRT_COUNT(spec), &pipeline);
	if (status == HEARTH_OK)
		status = hrt_record(recording, e->op, pipeline, bindings, &push, groups);
	derived->valid = status == HEARTH_OK;
	return status;
}

static enum hearth_status record_tiles(struct hearth_recording *recording, const struct experts *e,
				       const struct hrt_matmul_shape *shape)
{
	struct experts_push push = e->push;
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[4];
	enum hearth_status status;
	uint32_t tiles;
	const uint32_t spec[] = {
		shape->threads_n * shape->threads_r,
		shape->threads_n,
		shape->threads_r,
		hrt_whole_words(e->w->type, e->w->columns),
		shape->step_k,
		shape->tile_r,
		shape->tile_n,
	};

	memcpy(bindings, e->bindings, sizeof(bindings));
	push.selected_first = 0;
	status = group_slots(recording, e, shape->tile_r * shape->threads_r, &bindings[2], &tiles);
	if (status == HEARTH_OK)
		status = hrt_shader_pipeline(
			recording->device,
			hrt_typed_shader(HRT_SHADER_matmul_experts_f32, e->w->type), spec,
			HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;

	const uint32_t groups[3] = {
		(uint32_t)hrt_ceil_div(push.n_count, shape->tile_n * shape->threads_n), tiles, 1
	};

	return hrt_record(recording, e->op, pipeline, bindings, &push, groups);
}

static enum hearth_status record_slots(struct hearth_recording *recording, const struct experts *e)
{
	struct hrt_team_shape team = hrt_tune_team(recording->device, 0, 64);
	uint32_t group_rows = team.local / team.lanes * HRT_MATVEC_ROWS;
	const uint32_t spec[] = {
		team.local,
		team.lanes,
		HRT_MATVEC_SHARED / hrt_type_unit(e->w->type),
		hrt_whole_words(e->w->type, e->w->columns),
		group_rows,
	};
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(e->push.n_count, group_rows), e->slots,
				     1 };
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;

	status = hrt_shader_pipeline(
		recording->device,
		hrt_typed_shader(team.subgroup ? HRT_SHADER_matvec_experts_subgroup_f32
					       : HRT_SHADER_matvec_experts_f32,
				 e->w->type),
		spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, e->op, pipeline, e->bindings, &e->push, groups);
}

/*
 * Weights in a device's order, and activations as bytes. Tiles are of slots here as well, with few slots of one each; what lies
 * in a tile of weights is a matter of the shader.
 */
static enum hearth_status record_bytes(struct hearth_recording *recording, const struct experts *e,
				       const struct hrt_tiles_shape *shape)
{
	struct hearth_device *device = recording->device;
	bool q8_0 = e->w->type == HEARTH_TYPE_Q8_0_TILES;
	uint32_t x_rows = e->slots / e->push.x_share, tiles, lanes = shape->lanes;
	const uint32_t spec[] = { lanes * shape->threads_r, lanes, shape->tile_r, shape->tile_n };
	struct experts_push push = e->push;
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[4];
	enum hearth_status status;

	memcpy(bindings, e->bindings, sizeof(bindings));
	push.selected_first = 0;
	push.x_first = 0;
	status = hrt_quantise(recording, e->op, &e->bindings[1], e->push.x_first, x_rows,
			      e->w->columns, q8_0 ? HEARTH_TYPE_Q8_0 : HEARTH_TYPE_Q4_0,
			      &bindings[1]);
	if (status == HEARTH_OK)
		status = group_slots(recording, e, shape->tile_r * shape->threads_r, &bindings[2],
				     &tiles);
	if (status == HEARTH_OK)
		status = hrt_shader_pipeline(device,
					     q8_0 ? HRT_SHADER_matmul_tiles_experts_q8_0
						  : HRT_SHADER_matmul_tiles_experts_q4_0,
					     spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	push.units = (uint32_t)(bindings[1].bytes / 4 / x_rows); /* x_row_words */

	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(push.n_count, lanes * shape->tile_n),
				     tiles, 1 };

	return hrt_record(recording, e->op, pipeline, bindings, &push, groups);
}

/* *shape for weights in tiles; an error where they are of no use. */
static enum hearth_status tiles_shape(const struct hearth_recording *recording,
				      const struct experts *e, const struct hrt_tiles_shape **shape)
{
	uint32_t mean = e->slots / e->experts, lanes;
	enum hearth_status status = hrt_tiles_check(recording->device, e->op, e->w, &lanes);

	if (status != HEARTH_OK)
		return status;
	*shape = hrt_tune_tiles(recording->device, e->w->type, mean ? mean : 1);
	if (recording->precision == HEARTH_PRECISION_FAST && *shape && e->push.n_count % lanes == 0)
		return HEARTH_OK;
	return hrt_fail(
		HEARTH_ERROR_INVALID_ARGUMENT,
		"%s: weights of type %s need HEARTH_PRECISION_FAST, and whole tiles for each "
		"expert",
		e->op, hrt_type_name(e->w->type));
}

/* Experts whose matrices one dispatch can serve, so that parts start where views may; 0 with the last error set if none. */
static uint32_t experts_per_binding(const struct hearth_device *device, const struct experts *e)
{
	uint64_t bytes = e->push.n_count * hearth_row_bytes(e->w->type, e->w->columns);
	uint32_t rows = hrt_rows_per_binding(device, e->op, e->w), whole = 1;
	uint32_t part = rows / e->push.n_count;

	if (!rows || part == e->experts)
		return part;
	while (whole * bytes % HRT_VIEW_ALIGN)
		whole *= 2;
	part -= part % whole;
	if (!part)
		hrt_fail(HEARTH_ERROR_UNSUPPORTED,
			 "%s: matrices of %llu bytes an expert are too large for bindings of %u "
			 "bytes "
			 "on %s",
			 e->op, (unsigned long long)bytes,
			 device->physical->limits.maxStorageBufferRange,
			 device->physical->properties.name);
	return part;
}

static enum hearth_status record_parts(struct hearth_recording *recording, struct experts *e)
{
	uint32_t part = experts_per_binding(recording->device, e), mean = e->slots / e->experts;
	const struct hrt_matmul_shape *shape =
		mean >= TILES_LEAST ? hrt_tune_matmul(recording->device, mean) : NULL;
	const struct hrt_tiles_shape *bytes_shape = NULL;
	enum hearth_status status = part ? HEARTH_OK : HEARTH_ERROR_UNSUPPORTED;

	if (status == HEARTH_OK && hrt_type_tiled(e->w->type))
		status = tiles_shape(recording, e, &bytes_shape);

	for (uint32_t first = 0; first < e->experts && status == HEARTH_OK; first += part) {
		e->push.first_expert = first;
		e->push.expert_count = e->experts - first < part ? e->experts - first : part;
		status = hrt_bind_rows(recording, e->op, e->w, first * e->push.n_count,
				       e->push.expert_count * e->push.n_count, &e->bindings[0],
				       &e->push.w_first);
		if (status == HEARTH_OK)
			status = bytes_shape ? record_bytes(recording, e, bytes_shape)
				 : shape     ? record_tiles(recording, e, shape)
					     : record_slots(recording, e);
	}
	return status;
}

enum hearth_status hearth_op_experts_matmul(struct hearth_recording *recording,
					    const struct hearth_matrix *w, uint32_t experts,
					    struct hearth_view x, bool own_x,
					    struct hearth_view selected, uint32_t selected_stride,
					    struct hearth_view y, uint32_t rows, uint32_t used)
{
	static const char op[] = "hearth_op_experts_matmul";
	struct experts e = { .op = op, .w = w, .experts = experts };
	enum hearth_status status = hrt_recording_check(recording, op);
	uint64_t bytes;

	if (status == HEARTH_OK)
		status = hrt_matrix_check(op, w, &bytes);
	if (status != HEARTH_OK)
		return status;
	if (!rows || !used || rows > UINT32_MAX / used || !experts || experts > MAX_EXPERTS ||
	    w->rows % experts || (selected_stride && selected_stride < used))
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"%s: %u rows with %u of %u experts, a matrix of %u × %u of type %s: "
			"expected at least 1 row, 1 to %u experts, as many rows of weights "
			"for each, and no stride less than what is used",
			op, rows, used, experts, w->rows, w->columns, hrt_type_name(w->type),
			MAX_EXPERTS);
	e.slots = rows * used;
	if ((uint64_t)e.slots * (w->rows / experts) > UINT32_MAX ||
	    (uint64_t)e.slots * w->columns > UINT32_MAX)
		return hrt_fail(HEARTH_ERROR_UNSUPPORTED,
				"%s: %u rows with %u experts each of %u × %u are too many", op,
				rows, used, w->rows / experts, w->columns);
	e.push.columns = w->columns;
	e.push.n_count = w->rows / experts;
	e.push.units = (uint32_t)hrt_ceil_div(w->columns, hrt_type_unit(w->type));
	e.push.x_share = own_x ? 1 : used;
	e.push.used = used;
	e.push.selected_stride = selected_stride ? selected_stride : used;
	e.push.slots = e.slots;
	if ((status = hrt_bind(recording, op, "x", &x,
			       hrt_words_bytes(own_x ? e.slots : rows, w->columns), HRT_READ,
			       &e.bindings[1], &e.push.x_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "selected", &selected,
			       4 * ((rows - 1ull) * e.push.selected_stride + used), HRT_READ,
			       &e.bindings[2], &e.push.selected_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", &y, hrt_words_bytes(e.slots, e.push.n_count),
			       HRT_WRITE, &e.bindings[3], &e.push.y_first)) != HEARTH_OK)
		return status;
	return record_parts(recording, &e);
}

/* ---- The sum ---- */

struct sum_push {
	uint32_t x_first, weights_first, residual_first, y_first;
	uint32_t columns;
	uint32_t used;
	uint32_t add_residual;
};

enum hearth_status hearth_op_experts_sum(struct hearth_recording *recording, struct hearth_view x,
					 struct hearth_view weights, struct hearth_view residual,
					 struct hearth_view y, uint32_t rows, uint32_t used,
					 uint32_t columns)
{
	static const char op[] = "hearth_op_experts_sum";
	enum hearth_status status = hrt_recording_check(recording, op);
	struct sum_push push = { .columns = columns,
				 .used = used,
				 .add_residual = residual.buffer != NULL };
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[4];
	uint64_t y_bytes;

	if (status != HEARTH_OK)
		return status;
	if (!rows || !used || !columns || (uint64_t)rows * used > UINT32_MAX / columns)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"%s: %u rows × %u experts × %u columns, expected at least 1 of each, "
			"and less than 2^32 in all",
			op, rows, used, columns);
	y_bytes = hrt_words_bytes(rows, columns);
	/* Without a residual the binding is still there: y stands in. */
	if ((status = hrt_bind(recording, op, "x", &x, y_bytes * used, HRT_READ, &bindings[0],
			       &push.x_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "weights", &weights, hrt_words_bytes(rows, used),
			       HRT_READ, &bindings[1], &push.weights_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "residual", push.add_residual ? &residual : &y,
			       y_bytes, HRT_READ, &bindings[2], &push.residual_first)) !=
		    HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", &y, y_bytes, HRT_WRITE, &bindings[3],
			       &push.y_first)) != HEARTH_OK)
		return status;

	const uint32_t spec[] = { hrt_tune_local(recording->device) };
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(columns, spec[0]), rows, 1 };

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_experts_sum, spec,
				     HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}
