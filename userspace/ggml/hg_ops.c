// SPDX-License-Identifier: MIT
/*
 * The operations that the plugin claims, and what holds for all of them: types whose strides suit the kernels, and
 * sizes that a binding and the kernels' 32-bit reckoning can hold.
 */
#include "hg.h"

#include <math.h>

static bool check_view(const struct hg_device *device, const struct ggml_tensor *op)
{
	(void)device;
	(void)op;
	return true;
}

#define NOTHING(id)  { GGML_OP_##id, #id, check_view, NULL }
#define OP(id, kind) { GGML_OP_##id, #id, hg_check_##kind, hg_plan_##kind }

static const struct hg_op ops[] = {
	NOTHING(NONE),	      NOTHING(VIEW),	      NOTHING(RESHAPE),
	NOTHING(PERMUTE),     NOTHING(TRANSPOSE),     OP(DUP, map),
	OP(CPY, map),	      OP(CONT, map),	      OP(REPEAT, map),
	OP(ADD, map),	      OP(SUB, map),	      OP(MUL, map),
	OP(DIV, map),	      OP(SCALE, map),	      OP(CLAMP, map),
	OP(SQR, map),	      OP(SQRT, map),	      OP(LOG, map),
	OP(SIN, map),	      OP(COS, map),	      OP(LEAKY_RELU, map),
	OP(UNARY, map),	      OP(GLU, map),	      OP(CONCAT, concat),
	OP(RMS_NORM, reduce), OP(NORM, reduce),	      OP(L2_NORM, reduce),
	OP(SOFT_MAX, reduce), OP(SUM_ROWS, reduce),   OP(MEAN, reduce),
	OP(GET_ROWS, rows),   OP(SET_ROWS, rows),     OP(ARGSORT, argsort),
	OP(TOP_K, argsort),   OP(ROPE, rope),	      OP(ROPE_BACK, rope),
	OP(MUL_MAT, matmul),  OP(MUL_MAT_ID, matmul), OP(FLASH_ATTN_EXT, attention),
};

const struct hg_op *hg_op_find(enum ggml_op op)
{
	for (size_t i = 0; i < HG_COUNT(ops); i++)
		if (ops[i].op == op)
			return &ops[i];
	return NULL;
}

bool hg_ops_verify(void)
{
	for (size_t i = 0; i < HG_COUNT(ops); i++) {
		const char *name = ggml_op_name(ops[i].op);

		if (strcmp(name, ops[i].name)) {
			hg_error(
				"ggml %s calls operation %d %s, this plugin was built for one that "
				"calls it %s",
				ggml_version(), ops[i].op, name, ops[i].name);
			return false;
		}
	}
	return true;
}

/* Bytes that strides and starts of a tensor of this type are multiples of; 0 if the kernels do not know the type. */
static size_t unit_of(enum ggml_type type)
{
	switch (type) {
	case GGML_TYPE_F32:
	case GGML_TYPE_I32:
	case GGML_TYPE_I64:
		return 4;
	case GGML_TYPE_F16:
	case GGML_TYPE_BF16:
	case GGML_TYPE_I16:
	case GGML_TYPE_Q8_0:
	case GGML_TYPE_Q4_0:
	case GGML_TYPE_Q6_K:
	case GGML_TYPE_IQ4_NL:
		return 2;
	case GGML_TYPE_Q4_K:
	case GGML_TYPE_Q5_K:
		return 4;
	case GGML_TYPE_MXFP4:
		return 1;
	default:
		return 0;
	}
}

static bool fits(const struct hg_device *device, const struct ggml_tensor *tensor)
{
	size_t unit = unit_of(tensor->type);
	uint64_t elements = 1;
	uint64_t most = device->properties.max_binding_bytes;

	if (!unit || (tensor->view_src && tensor->view_offs % unit))
		return false;
	if (most > UINT32_MAX)
		most = UINT32_MAX;
	if (ggml_nbytes(tensor) > most - 2 * HG_ALIGN_BYTES)
		return false;
	for (int i = 0; i < 4; i++) {
		if (tensor->ne[i] < 0 || tensor->nb[i] % unit || tensor->nb[i] > UINT32_MAX ||
		    __builtin_mul_overflow(elements, (uint64_t)tensor->ne[i], &elements))
			return false;
	}
	if (elements > INT32_MAX)
		return false;
	return ggml_blck_size(tensor->type) == 1 || tensor->nb[0] == ggml_type_size(tensor->type);
}

/*
 * The runtime's matmul splits weights that one binding cannot hold, so weights are checked where it is known
 * whether it takes them.
 */
bool hg_op_supported(const struct hg_device *device, const struct ggml_tensor *tensor)
{
	const struct hg_op *op = hg_op_find(tensor->op);

	if (!op)
		return false;
	if (!op->plan)
		return true;
	if (!fits(device, tensor))
		return false;
	for (int i = 0; i < GGML_MAX_SRC; i++)
		if (tensor->src[i] && !fits(device, tensor->src[i]))
			return false;
	return op->check(device, tensor);
}

bool hg_same_shape(const struct ggml_tensor *a, const struct ggml_tensor *b)
{
	return !memcmp(a->ne, b->ne, sizeof(a->ne));
}

bool hg_repeats_to(const struct ggml_tensor *a, const struct ggml_tensor *b)
{
	for (int i = 0; i < 4; i++)
		if (!a->ne[i] || b->ne[i] % a->ne[i])
			return false;
	return true;
}

void hg_call_slopes(struct hg_call *call, float max_bias, int64_t heads)
{
	uint32_t heads_log2 = 1;

	while (2 * (int64_t)heads_log2 <= heads)
		heads_log2 *= 2;
	hg_call_float(call, exp2f(-max_bias / (float)heads_log2));
	hg_call_float(call, exp2f(-max_bias / 2.0f / (float)heads_log2));
	hg_call_word(call, heads_log2);
}
