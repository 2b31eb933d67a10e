// SPDX-License-Identifier: MIT
/*
 * Operations element by element: arithmetic with repetition, functions, gated activations, copies with
 * conversion, repetition and concatenation. All run shaders/ggml/ggml_map.comp.
 */
#include "hg.h"

/* As shaders/ggml/ggml_map.comp has them. */
enum hg_map {
	MAP_COPY,
	MAP_ADD,
	MAP_SUB,
	MAP_MUL,
	MAP_DIV,
	MAP_SCALE,
	MAP_CLAMP,
	MAP_SQR,
	MAP_SQRT,
	MAP_LOG,
	MAP_SIN,
	MAP_COS,
	MAP_ABS,
	MAP_SGN,
	MAP_NEG,
	MAP_STEP,
	MAP_TANH,
	MAP_ELU,
	MAP_RELU,
	MAP_SIGMOID,
	MAP_GELU,
	MAP_GELU_QUICK,
	MAP_SILU,
	MAP_HARDSWISH,
	MAP_HARDSIGMOID,
	MAP_EXP,
	MAP_GELU_ERF,
	MAP_FLOOR,
	MAP_CEIL,
	MAP_TRUNC,
	MAP_LEAKY_RELU,
	MAP_REGLU,
	MAP_GEGLU,
	MAP_SWIGLU,
	MAP_GEGLU_ERF,
	MAP_GEGLU_QUICK,
	MAP_WORDS,
	MAP_HALVES,
	MAP_SOFTPLUS,
	MAP_NONE,
};

static enum hg_map map_of_unary(enum ggml_unary_op op)
{
	switch (op) {
	case GGML_UNARY_OP_ABS:
		return MAP_ABS;
	case GGML_UNARY_OP_SGN:
		return MAP_SGN;
	case GGML_UNARY_OP_NEG:
		return MAP_NEG;
	case GGML_UNARY_OP_STEP:
		return MAP_STEP;
	case GGML_UNARY_OP_TANH:
		return MAP_TANH;
	case GGML_UNARY_OP_ELU:
		return MAP_ELU;
	case GGML_UNARY_OP_RELU:
		return MAP_RELU;
	case GGML_UNARY_OP_SIGMOID:
		return MAP_SIGMOID;
	case GGML_UNARY_OP_GELU:
		return MAP_GELU;
	case GGML_UNARY_OP_GELU_QUICK:
		return MAP_GELU_QUICK;
	case GGML_UNARY_OP_SILU:
		return MAP_SILU;
	case GGML_UNARY_OP_HARDSWISH:
		return MAP_HARDSWISH;
	case GGML_UNARY_OP_HARDSIGMOID:
		return MAP_HARDSIGMOID;
	case GGML_UNARY_OP_EXP:
		return MAP_EXP;
	case GGML_UNARY_OP_SOFTPLUS:
		return MAP_SOFTPLUS;
	case GGML_UNARY_OP_GELU_ERF:
		return MAP_GELU_ERF;
	case GGML_UNARY_OP_FLOOR:
		return MAP_FLOOR;
	case GGML_UNARY_OP_CEIL:
		return MAP_CEIL;
	case GGML_UNARY_OP_TRUNC:
		return MAP_TRUNC;
	default:
		return MAP_NONE;
	}
}

static enum hg_map map_of_glu(enum ggml_glu_op op)
{
	switch (op) {
	case GGML_GLU_OP_REGLU:
		return MAP_REGLU;
	case GGML_GLU_OP_GEGLU:
		return MAP_GEGLU;
	case GGML_GLU_OP_SWIGLU:
		return MAP_SWIGLU;
	case GGML_GLU_OP_GEGLU_ERF:
		return MAP_GEGLU_ERF;
	case GGML_GLU_OP_GEGLU_QUICK:
		return MAP_GEGLU_QUICK;
	default:
		return MAP_NONE;
	}
}

/* Copies without a look at what the bits mean; MAP_NONE for types of other sizes. */
static enum hg_map map_of_bits(enum ggml_type type)
{
	switch (type) {
	case GGML_TYPE_F32:
	case GGML_TYPE_I32:
		return MAP_WORDS;
	case GGML_TYPE_F16:
	case GGML_TYPE_BF16:
	case GGML_TYPE_I16:
		return MAP_HALVES;
	default:
		return MAP_NONE;
	}
}

static enum hg_map map_of_copy(const struct ggml_tensor *from, const struct ggml_tensor *to)
{
	if (from->type == to->type)
		return map_of_bits(to->type);
	return hg_is_readable(from) && hg_is_float(to) ? MAP_COPY : MAP_NONE;
}

static enum hg_map map_of(const struct ggml_tensor *op)
{
	switch (op->op) {
	case GGML_OP_DUP:
	case GGML_OP_CPY:
	case GGML_OP_CONT:
		return map_of_copy(op->src[0], op);
	case GGML_OP_REPEAT:
		return op->src[0]->type == op->type ? map_of_bits(op->type) : MAP_NONE;
	case GGML_OP_ADD:
		return MAP_ADD;
	case GGML_OP_SUB:
		return MAP_SUB;
	case GGML_OP_MUL:
		return MAP_MUL;
	case GGML_OP_DIV:
		return MAP_DIV;
	case GGML_OP_SCALE:
		return MAP_SCALE;
	case GGML_OP_CLAMP:
		return MAP_CLAMP;
	case GGML_OP_SQR:
		return MAP_SQR;
	case GGML_OP_SQRT:
		return MAP_SQRT;
	case GGML_OP_LOG:
		return MAP_LOG;
	case GGML_OP_SIN:
		return MAP_SIN;
	case GGML_OP_COS:
		return MAP_COS;
	case GGML_OP_LEAKY_RELU:
		return MAP_LEAKY_RELU;
	case GGML_OP_UNARY:
		return map_of_unary(ggml_get_unary_op(op));
	case GGML_OP_GLU:
		return map_of_glu(ggml_get_glu_op(op));
	default:
		return MAP_NONE;
	}
}

static bool is_binary(enum ggml_op op)
{
	return op == GGML_OP_ADD || op == GGML_OP_SUB || op == GGML_OP_MUL || op == GGML_OP_DIV;
}

static bool is_copy(enum ggml_op op)
{
	return op == GGML_OP_DUP || op == GGML_OP_CPY || op == GGML_OP_CONT;
}

bool hg_check_map(const struct hg_device *device, const struct ggml_tensor *op)
{
	const struct ggml_tensor *a = op->src[0];
	const struct ggml_tensor *b = op->src[1];

	(void)device;
	if (map_of(op) == MAP_NONE)
		return false;
	if (is_copy(op->op))
		return ggml_nelements(a) == ggml_nelements(op);
	if (op->op == GGML_OP_REPEAT)
		return hg_repeats_to(a, op);
	if (!hg_is_float(a) || !hg_is_float(op))
		return false;
	if (is_binary(op->op))
		return hg_is_float(b) && hg_same_shape(a, op) && hg_repeats_to(b, op);
	if (a->type != op->type)
		return false;
	if (op->op == GGML_OP_GLU)
		return b ? b->type == a->type && hg_same_shape(a, op) && hg_same_shape(b, op)
			 : a->ne[0] == 2 * op->ne[0];
	return hg_same_shape(a, op);
}

static void add_map(struct hg_plan *plan, enum hg_map map, const struct ggml_tensor *a,
		    const struct ggml_tensor *b, const struct ggml_tensor *y, float p0, float p1)
{
	bool reshaped = !b && !hg_repeats_to(a, y);
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_MAP);

	if (!call)
		return;
	/* A copy between shapes that happen to divide each other is one in order of elements still. */
	if (!b && !hg_same_shape(a, y) && ggml_nelements(a) == ggml_nelements(y))
		reshaped = true;
	hg_call_spec(call, map);
	hg_call_spec(call, a->type);
	hg_call_spec(call, b ? b->type : GGML_TYPE_F32);
	hg_call_spec(call, y->type);
	hg_call_spec(call, reshaped);
	hg_call_rows(call, y->ne[0], ggml_nrows(y));
	hg_call_tensor(plan, call, a);
	hg_call_tensor(plan, call, b);
	hg_call_tensor(plan, call, y);
	hg_call_float(call, p0);
	hg_call_float(call, p1);
}

/* The activated part of the row is the first half of it, or the second if swapped; the other part is the gate. */
static void plan_glu(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct ggml_tensor a = *op->src[0];
	struct ggml_tensor b = *op->src[0];
	bool swapped = op->op_params[1];

	if (op->src[1]) {
		add_map(plan, map_of(op), op->src[0], op->src[1], op, 0, 0);
		return;
	}
	a.ne[0] = op->ne[0];
	b.ne[0] = op->ne[0];
	*(swapped ? &a.data : &b.data) = (char *)op->src[0]->data + op->ne[0] * a.nb[0];
	add_map(plan, map_of(op), &a, &b, op, 0, 0);
}

void hg_plan_map(struct hg_plan *plan, const struct ggml_tensor *op)
{
	const struct ggml_tensor *b = is_binary(op->op) ? op->src[1] : NULL;

	if (op->op == GGML_OP_GLU)
		plan_glu(plan, op);
	else
		add_map(plan, map_of(op), op->src[0], b, op, hg_op_float(op, 0),
			hg_op_float(op, 1));
}

/* ---- Concatenation: two copies into parts of the result ---- */

bool hg_check_concat(const struct hg_device *device, const struct ggml_tensor *op)
{
	(void)device;
	return op->src[0]->type == op->type && op->src[1]->type == op->type &&
	       map_of_bits(op->type) != MAP_NONE;
}

void hg_plan_concat(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct ggml_tensor part = *op;
	int dimension = op->op_params[0];

	memcpy(part.ne, op->src[0]->ne, sizeof(part.ne));
	add_map(plan, map_of_bits(op->type), op->src[0], NULL, &part, 0, 0);
	memcpy(part.ne, op->src[1]->ne, sizeof(part.ne));
	part.data = (char *)op->data + op->src[0]->ne[dimension] * op->nb[dimension];
	add_map(plan, map_of_bits(op->type), op->src[1], NULL, &part, 0, 0);
}
