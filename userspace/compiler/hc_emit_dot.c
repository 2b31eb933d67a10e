// SPDX-License-Identifier: MIT
/*
 * Integer dot products: of vectors, and of four bytes that a 32-bit integer holds.
 */
#include "hc_emit.h"

#include <spirv/unified1/spirv.h>

/* One of the two factors. */
struct factor {
	uint32_t id;
	bool packed;
	bool is_signed;
};

static LLVMValueRef component(struct hc_emit *e, const struct hc_inst *inst, const struct factor *f,
			      uint32_t i)
{
	LLVMTypeRef scalar = hc_scalar_type(e, hc_type(e->m, inst->type)), type;
	LLVMValueRef value = hc_as_shape(e, inst->result, 0, f->id, f->packed ? 0 : i);

	if (f->packed) {
		type = LLVMTypeOf(value);
		value = LLVMBuildShl(e->b, value, hc_int(e, type, 24 - 8 * i), "");
		value = f->is_signed ? LLVMBuildAShr(e->b, value, hc_int(e, type, 24), "")
				     : LLVMBuildLShr(e->b, value, hc_int(e, type, 24), "");
	}
	type = hc_is_vector(value) ? hc_vector_of(e, scalar) : scalar;
	return LLVMBuildIntCast2(e->b, value, type, f->is_signed, "");
}

bool hc_emit_integer_dot(struct hc_emit *e, const struct hc_inst *inst)
{
	struct factor x = { 0 }, y = { 0 };
	LLVMValueRef sum = NULL, product, accumulator;
	bool accumulates = false;
	uint32_t i, count;

	switch (inst->op) {
	case SpvOpSDotAccSat:
	case SpvOpUDotAccSat:
	case SpvOpSUDotAccSat:
		accumulates = true;
		break;
	case SpvOpSDot:
	case SpvOpUDot:
	case SpvOpSUDot:
		break;
	default:
		return false;
	}
	x.id = inst->operand[0];
	y.id = inst->operand[1];
	x.is_signed = inst->op != SpvOpUDot && inst->op != SpvOpUDotAccSat;
	y.is_signed = inst->op == SpvOpSDot || inst->op == SpvOpSDotAccSat;
	x.packed = y.packed = hc_type_of(e->m, x.id)->kind == HC_TYPE_INT;
	count = x.packed ? 4 : hc_type_of(e->m, x.id)->leaves;
	for (i = 0; i < count; i++) {
		product = LLVMBuildMul(e->b, component(e, inst, &x, i), component(e, inst, &y, i),
				       "");
		sum = sum ? LLVMBuildAdd(e->b, sum, product, "") : product;
	}
	if (accumulates) {
		accumulator = hc_as_shape(e, inst->result, 0, inst->operand[2], 0);
		sum = hc_call2(e, x.is_signed ? "llvm.sadd.sat" : "llvm.uadd.sat", sum,
			       accumulator);
	}
	hc_put(e, inst->result, 0, sum);
	return true;
}
