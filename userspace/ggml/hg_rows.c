// SPDX-License-Identifier: MIT
/* Operations row by row: norms, softmax and sums; rows chosen by index; rotary embedding. */
#include "hg.h"

#include <math.h>

/* As shaders/ggml/ggml_reduce.comp has them. */
enum hg_reduce {
	REDUCE_RMS_NORM,
	REDUCE_NORM,
	REDUCE_L2_NORM,
	REDUCE_SOFT_MAX,
	REDUCE_SUM,
	REDUCE_MEAN,
};

static enum hg_reduce reduce_of(enum ggml_op op)
{
	switch (op) {
	case GGML_OP_RMS_NORM:
		return REDUCE_RMS_NORM;
	case GGML_OP_NORM:
		return REDUCE_NORM;
	case GGML_OP_L2_NORM:
		return REDUCE_L2_NORM;
	case GGML_OP_SOFT_MAX:
		return REDUCE_SOFT_MAX;
	case GGML_OP_SUM_ROWS:
		return REDUCE_SUM;
	default:
		return REDUCE_MEAN;
	}
}

bool hg_check_reduce(const struct hg_device *device, const struct ggml_tensor *op)
{
	const struct ggml_tensor *a = op->src[0];
	const struct ggml_tensor *mask = op->src[1];
	const struct ggml_tensor *sinks = op->src[2];

	(void)device;
	if (a->type != GGML_TYPE_F32 || op->type != GGML_TYPE_F32)
		return false;
	if (op->op == GGML_OP_SUM_ROWS || op->op == GGML_OP_MEAN)
		return op->ne[0] == 1 && !memcmp(&a->ne[1], &op->ne[1], 3 * sizeof(a->ne[0]));
	if (!hg_same_shape(a, op))
		return false;
	if (op->op != GGML_OP_SOFT_MAX)
		return true;
	if (mask &&
	    (!hg_is_float(mask) || mask->ne[0] != a->ne[0] || mask->ne[1] < a->ne[1] ||
	     !mask->ne[2] || !mask->ne[3] || a->ne[2] % mask->ne[2] || a->ne[3] % mask->ne[3]))
		return false;
	return !sinks || (sinks->type == GGML_TYPE_F32 && sinks->ne[0] == a->ne[2]);
}

void hg_plan_reduce(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_REDUCE);
	const struct ggml_tensor *a = op->src[0];
	bool soft_max = op->op == GGML_OP_SOFT_MAX;
	const struct ggml_tensor *mask = soft_max ? op->src[1] : NULL;
	const struct ggml_tensor *sinks = soft_max ? op->src[2] : NULL;

	if (!call)
		return;
	hg_call_spec(call, reduce_of(op->op));
	hg_call_spec(call, mask ? mask->type : GGML_TYPE_F32);
	hg_call_spec(call, mask != NULL);
	hg_call_spec(call, sinks != NULL);
	hg_call_groups(call, (uint64_t)ggml_nrows(a), 1);
	hg_call_tensor(plan, call, a);
	hg_call_tensor(plan, call, mask);
	hg_call_tensor(plan, call, sinks);
	hg_call_tensor(plan, call, op);
	hg_call_float(call, hg_op_float(op, 0));
	hg_call_float(call, soft_max ? hg_op_float(op, 1) : 0);
	if (soft_max)
		hg_call_slopes(call, hg_op_float(op, 1), a->ne[2]);
}

/* ---- Rows by index ---- */

bool hg_check_rows(const struct hg_device *device, const struct ggml_tensor *op)
{
	const struct ggml_tensor *a = op->src[0];
	const struct ggml_tensor *index = op->src[1];

	(void)device;
	if (a->ne[0] != op->ne[0] || a->ne[2] != op->ne[2] || a->ne[3] != op->ne[3])
		return false;
	if (op->op == GGML_OP_SET_ROWS)
		return hg_is_float(a) && hg_is_float(op) &&
		       (index->type == GGML_TYPE_I32 || index->type == GGML_TYPE_I64) &&
		       index->ne[0] == a->ne[1] && index->ne[1] && index->ne[2] &&
		       a->ne[2] % index->ne[1] == 0 && a->ne[3] % index->ne[2] == 0 &&
		       index->ne[3] == 1;
	if (index->type != GGML_TYPE_I32 || index->ne[0] != op->ne[1] ||
	    index->ne[1] != op->ne[2] || index->ne[2] != op->ne[3] || index->ne[3] != 1)
		return false;
	if (a->type == GGML_TYPE_I32)
		return op->type == GGML_TYPE_I32;
	return hg_is_readable(a) && hg_is_float(op);
}

void hg_plan_rows(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_ROWS);
	bool scatter = op->op == GGML_OP_SET_ROWS;

	if (!call)
		return;
	hg_call_spec(call, scatter);
	hg_call_spec(call, op->src[0]->type);
	hg_call_spec(call, op->type);
	hg_call_spec(call, op->type == GGML_TYPE_I32);
	hg_call_rows(call, op->ne[0], ggml_nrows(scatter ? op->src[0] : op));
	hg_call_tensor(plan, call, op->src[0]);
	hg_call_tensor(plan, call, op->src[1]);
	hg_call_tensor(plan, call, op);
}

/* ---- Places in order ---- */

#define MAX_SORTED 4096 /* the kernel compares each element with each */

/* TOP_K leaves the order of its results open; here they descend. */
bool hg_check_argsort(const struct hg_device *device, const struct ggml_tensor *op)
{
	const struct ggml_tensor *a = op->src[0];

	(void)device;
	return a->type == GGML_TYPE_F32 && op->type == GGML_TYPE_I32 && a->ne[0] <= MAX_SORTED &&
	       op->ne[0] <= a->ne[0] && !memcmp(&a->ne[1], &op->ne[1], 3 * sizeof(a->ne[0]));
}

void hg_plan_argsort(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_ARGSORT);

	if (!call)
		return;
	hg_call_spec(call, op->op == GGML_OP_TOP_K || op->op_params[0] == GGML_SORT_ORDER_DESC);
	hg_call_groups(call, (uint64_t)ggml_nrows(op), 1);
	hg_call_tensor(plan, call, op->src[0]);
	hg_call_tensor(plan, call, op);
}

/* ---- Rotary embedding ---- */

/* Where ggml keeps what a rotary embedding is told. */
enum rope_parameter {
	ROPE_DIMS = 1,
	ROPE_MODE = 2,
	ROPE_CONTEXT = 4,
	ROPE_BASE = 5,
	ROPE_SCALE = 6,
	ROPE_EXT_FACTOR = 7,
	ROPE_MAGNITUDE = 8,
	ROPE_BETA_FAST = 9,
	ROPE_BETA_SLOW = 10,
	ROPE_OFFSET = 15,
};

bool hg_check_rope(const struct hg_device *device, const struct ggml_tensor *op)
{
	const struct ggml_tensor *a = op->src[0];
	const struct ggml_tensor *position = op->src[1];
	const struct ggml_tensor *factor = op->src[2];
	int dims = op->op_params[ROPE_DIMS];
	int mode = op->op_params[ROPE_MODE];
	int offset = op->op_params[ROPE_OFFSET];

	(void)device;
	return (mode == GGML_ROPE_TYPE_NORMAL || mode == GGML_ROPE_TYPE_NEOX) && hg_is_float(a) &&
	       a->type == op->type && hg_same_shape(a, op) && a->ne[0] % 2 == 0 && dims > 0 &&
	       dims % 2 == 0 && offset >= 0 && offset % 2 == 0 && dims + offset <= a->ne[0] &&
	       position->type == GGML_TYPE_I32 && position->ne[0] >= a->ne[2] &&
	       (!factor || (factor->type == GGML_TYPE_F32 && factor->ne[0] >= dims / 2));
}

/* The pair whose angle turns @turns times within the context that the model was trained with. */
static float ramp_end(const struct ggml_tensor *op, float turns)
{
	float dims = (float)op->op_params[ROPE_DIMS];
	float context = (float)op->op_params[ROPE_CONTEXT];

	return dims * logf(context / (turns * 2.0f * (float)M_PI)) /
	       (2.0f * logf(hg_op_float(op, ROPE_BASE)));
}

void hg_plan_rope(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_ROPE);
	uint32_t dims = (uint32_t)op->op_params[ROPE_DIMS];
	float scale = hg_op_float(op, ROPE_SCALE);
	float ext_factor = hg_op_float(op, ROPE_EXT_FACTOR);
	float magnitude = hg_op_float(op, ROPE_MAGNITUDE);

	if (!call)
		return;
	if (ext_factor != 0)
		magnitude *= 1.0f + 0.1f * logf(1.0f / scale);
	hg_call_spec(call, op->type);
	hg_call_spec(call, op->op_params[ROPE_MODE] == GGML_ROPE_TYPE_NEOX);
	hg_call_spec(call, op->src[2] != NULL);
	hg_call_groups(call, (uint64_t)ggml_nrows(op), 1);
	hg_call_tensor(plan, call, op->src[0]);
	hg_call_tensor(plan, call, op->src[1]);
	hg_call_tensor(plan, call, op->src[2]);
	hg_call_tensor(plan, call, op);
	hg_call_word(call, dims);
	hg_call_word(call, (uint32_t)op->op_params[ROPE_OFFSET]);
	hg_call_float(call, -2.0f / (float)dims * log2f(hg_op_float(op, ROPE_BASE)));
	hg_call_float(call, scale);
	hg_call_float(call, ext_factor);
	hg_call_float(call, magnitude);
	hg_call_float(call, fmaxf(0, floorf(ramp_end(op, hg_op_float(op, ROPE_BETA_FAST)))));
	hg_call_float(call,
		      fminf((float)dims - 1, ceilf(ramp_end(op, hg_op_float(op, ROPE_BETA_SLOW)))));
	hg_call_float(call, op->op == GGML_OP_ROPE ? 1 : -1);
}
