// SPDX-License-Identifier: MIT
/*
 * Operations on activations alone: by row (rms_norm, argmax) and by element (silu_mul, add).
 */
#include "runtime.h"
#include "tuning.h"

#include <math.h>

#define ELEMENTS_PER_INVOCATION 4 /* PER_INVOCATION in shaders/elementwise.comp */

struct rms_norm_push {
	uint32_t x_first, weight_first, y_first;
	uint32_t columns;
	float epsilon;
};

enum hearth_status hearth_op_rms_norm(struct hearth_recording *recording, struct hearth_view x,
				      struct hearth_view weight, struct hearth_view y,
				      uint32_t rows, uint32_t columns, float epsilon)
{
	static const char op[] = "hearth_op_rms_norm";
	enum hearth_status status = hrt_recording_check(recording, op);
	struct rms_norm_push push = { .columns = columns, .epsilon = epsilon };
	const uint32_t groups[3] = { rows, 1, 1 };
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[3];
	struct hrt_team_shape team;
	uint64_t bytes;

	if (status != HEARTH_OK)
		return status;
	if (!rows || !columns || !(epsilon >= 0) || isinf(epsilon))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %u × %u, epsilon %g: expected at least 1 × 1 and epsilon ≥ 0",
				op, rows, columns, (double)epsilon);
	bytes = hrt_words_bytes(rows, columns);
	if ((status = hrt_bind(recording, op, "x", &x, bytes, HRT_READ, &bindings[0],
			       &push.x_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "weight", &weight, 4ull * columns, HRT_READ,
			       &bindings[1], &push.weight_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", &y, bytes, HRT_WRITE, &bindings[2],
			       &push.y_first)) != HEARTH_OK)
		return status;
	team = hrt_tune_team(recording->device, columns, 0);

	const uint32_t spec[] = { team.local, team.lanes };

	status = hrt_shader_pipeline(recording->device,
				     team.subgroup ? HRT_SHADER_rms_norm_subgroup
						   : HRT_SHADER_rms_norm,
				     spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}

struct argmax_push {
	uint32_t x_first, index_first;
	uint32_t columns;
};

enum hearth_status hearth_op_argmax(struct hearth_recording *recording, struct hearth_view x,
				    struct hearth_view index, uint32_t rows, uint32_t columns)
{
	static const char op[] = "hearth_op_argmax";
	enum hearth_status status = hrt_recording_check(recording, op);
	struct argmax_push push = { .columns = columns };
	const uint32_t groups[3] = { rows, 1, 1 };
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[2];

	if (status != HEARTH_OK)
		return status;
	if (!rows || !columns)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %u × %u, expected at least 1 × 1", op, rows, columns);
	if ((status = hrt_bind(recording, op, "x", &x, hrt_words_bytes(rows, columns), HRT_READ,
			       &bindings[0], &push.x_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "index", &index, 4ull * rows, HRT_WRITE, &bindings[1],
			       &push.index_first)) != HEARTH_OK)
		return status;

	const uint32_t spec[] = { hrt_tune_team(recording->device, columns, 0).local };

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_argmax, spec, HRT_COUNT(spec),
				     &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}

struct elementwise_push {
	uint32_t a_first, b_first, y_first;
	uint32_t count;
};

static enum hearth_status record_elementwise(struct hearth_recording *recording, const char *op,
					     enum hrt_shader shader, const struct hearth_view *a,
					     const struct hearth_view *b,
					     const struct hearth_view *y, uint32_t count)
{
	enum hearth_status status = hrt_recording_check(recording, op);
	struct elementwise_push push = { .count = count };
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[3];
	uint64_t groups_needed;
	uint32_t widest;

	if (status != HEARTH_OK)
		return status;
	if (!count)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: 0 elements", op);
	if ((status = hrt_bind(recording, op, "a", a, 4ull * count, HRT_READ, &bindings[0],
			       &push.a_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "b", b, 4ull * count, HRT_READ, &bindings[1],
			       &push.b_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", y, 4ull * count, HRT_WRITE, &bindings[2],
			       &push.y_first)) != HEARTH_OK)
		return status;

	const uint32_t spec[] = { hrt_tune_local(recording->device) };

	groups_needed = hrt_ceil_div(count, ELEMENTS_PER_INVOCATION * spec[0]);
	widest = recording->device->physical->limits.maxComputeWorkGroupCount[0];

	/* A long row of groups is folded. */
	const uint32_t folds = (uint32_t)hrt_ceil_div(groups_needed, widest);
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(groups_needed, folds), folds, 1 };

	status = hrt_shader_pipeline(recording->device, shader, spec, HRT_COUNT(spec), &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}

enum hearth_status hearth_op_silu_mul(struct hearth_recording *recording, struct hearth_view a,
				      struct hearth_view b, struct hearth_view y, uint32_t count)
{
	return record_elementwise(recording, "hearth_op_silu_mul", HRT_SHADER_silu_mul, &a, &b, &y,
				  count);
}

enum hearth_status hearth_op_gelu_mul(struct hearth_recording *recording, struct hearth_view a,
				      struct hearth_view b, struct hearth_view y, uint32_t count)
{
	return record_elementwise(recording, "hearth_op_gelu_mul", HRT_SHADER_gelu_mul, &a, &b, &y,
				  count);
}

struct scale_push {
	uint32_t x_first, y_first;
	uint32_t count;
	float scale;
	float soft_cap;
};

enum hearth_status hearth_op_scale(struct hearth_recording *recording, struct hearth_view x,
				   struct hearth_view y, uint32_t count, float scale,
				   float soft_cap)
{
	static const char op[] = "hearth_op_scale";
	enum hearth_status status = hrt_recording_check(recording, op);
	struct scale_push push = { .count = count, .scale = scale, .soft_cap = soft_cap };
	const struct hrt_pipeline *pipeline;
	struct hrt_binding bindings[2];

	if (status != HEARTH_OK)
		return status;
	if (!count || !(soft_cap >= 0) || isinf(soft_cap))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %u elements, soft cap %g: expected at least 1 and a cap ≥ 0",
				op, count, (double)soft_cap);
	if ((status = hrt_bind(recording, op, "x", &x, 4ull * count, HRT_READ, &bindings[0],
			       &push.x_first)) != HEARTH_OK ||
	    (status = hrt_bind(recording, op, "y", &y, 4ull * count, HRT_WRITE, &bindings[1],
			       &push.y_first)) != HEARTH_OK)
		return status;

	const uint32_t spec[] = { hrt_tune_local(recording->device) };
	const uint64_t needed = hrt_ceil_div(count, spec[0]);
	const uint32_t folds = (uint32_t)hrt_ceil_div(
		needed, recording->device->physical->limits.maxComputeWorkGroupCount[0]);
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(needed, folds), folds, 1 };

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_scale, spec, HRT_COUNT(spec),
				     &pipeline);
	if (status != HEARTH_OK)
		return status;
	return hrt_record(recording, op, pipeline, bindings, &push, groups);
}

enum hearth_status hearth_op_add(struct hearth_recording *recording, struct hearth_view a,
				 struct hearth_view b, struct hearth_view y, uint32_t count)
{
	return record_elementwise(recording, "hearth_op_add", HRT_SHADER_add, &a, &b, &y, count);
}
