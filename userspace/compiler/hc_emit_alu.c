// SPDX-License-Identifier: MIT
/*
 * Arithmetic, logic, conversions and composites: each leaf by itself, as one scalar operation where the result's shape
 * allows it and on all lanes otherwise.
 */
#include "hc_emit.h"

#include "hc_math.h"
#include <spirv/unified1/spirv.h>

LLVMValueRef hc_widen(struct hc_emit *e, const struct hc_type *type, LLVMValueRef value)
{
	if (type->kind == HC_TYPE_FLOAT && type->width == 16)
		return hc_math_half_to_float(e->b, e->module, e->has_f16, value);
	return value;
}

LLVMValueRef hc_narrow(struct hc_emit *e, const struct hc_type *type, LLVMValueRef value)
{
	if (type->kind == HC_TYPE_FLOAT && type->width == 16)
		return hc_math_float_to_half(e->b, e->module, e->has_f16, value);
	return value;
}

LLVMValueRef hc_least_half(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y, bool greatest)
{
	x = hc_call1(e, "llvm.arithmetic.fence", x);
	y = hc_call1(e, "llvm.arithmetic.fence", y);
	return hc_call2(e, greatest ? "llvm.maxnum" : "llvm.minnum", x, y);
}

/* Operand @n's leaf, in the form that the result is computed in. Results with a stride are computed from lane 0. */
static LLVMValueRef operand(struct hc_emit *e, const struct hc_inst *inst, uint32_t n,
			    uint32_t leaf)
{
	uint32_t result_leaf = leaf < hc_type(e->m, inst->type)->leaves ? leaf : 0;

	return hc_is_varying(e, inst->result, result_leaf) ? hc_lanes(e, inst->operand[n], leaf)
							   : hc_lane0(e, inst->operand[n], leaf);
}

static struct hc_type *operand_type(struct hc_emit *e, const struct hc_inst *inst, uint32_t n)
{
	return hc_leaf_type(e->m, hc_type_of(e->m, inst->operand[n]), 0);
}

static LLVMValueRef contract(struct hc_emit *e, const struct hc_inst *inst, LLVMValueRef value)
{
	if (!(hc_id(e->m, inst->result)->decorations & HC_DECORATED_NO_CONTRACTION) &&
	    LLVMIsAInstruction(value) && LLVMCanValueUseFastMathFlags(value))
		LLVMSetFastMathFlags(value, LLVMFastMathAllowContract);
	return value;
}

/* A divisor that cannot trap: lanes that are off may hold 0, and no result is promised for it. */
static LLVMValueRef safe_divisor(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y, bool is_signed)
{
	LLVMTypeRef type = LLVMTypeOf(y);
	LLVMTypeRef scalar = hc_is_vector(y) ? LLVMGetElementType(type) : type;
	LLVMValueRef one = hc_int(e, type, 1), zero = LLVMConstNull(type), bad;
	uint32_t width = LLVMGetIntTypeWidth(scalar);

	bad = LLVMBuildICmp(e->b, LLVMIntEQ, y, zero, "");
	if (is_signed) {
		LLVMValueRef least = hc_int(e, type, 1ull << (width - 1));
		LLVMValueRef overflow = LLVMBuildAnd(
			e->b, LLVMBuildICmp(e->b, LLVMIntEQ, x, least, ""),
			LLVMBuildICmp(e->b, LLVMIntEQ, y, LLVMConstAllOnes(type), ""), "");

		bad = LLVMBuildOr(e->b, bad, overflow, "");
	}
	return LLVMBuildSelect(e->b, bad, one, y, "");
}

static LLVMValueRef divide(struct hc_emit *e, uint32_t op, LLVMValueRef x, LLVMValueRef y)
{
	bool is_signed = op != SpvOpUDiv && op != SpvOpUMod;
	LLVMValueRef remainder, wrong, zero;

	if (!LLVMIsConstant(y))
		y = safe_divisor(e, x, y, is_signed);
	else if (LLVMIsNull(y))
		return LLVMConstNull(LLVMTypeOf(y));
	switch (op) {
	case SpvOpUDiv:
		return LLVMBuildUDiv(e->b, x, y, "");
	case SpvOpUMod:
		return LLVMBuildURem(e->b, x, y, "");
	case SpvOpSDiv:
		return LLVMBuildSDiv(e->b, x, y, "");
	case SpvOpSRem:
		return LLVMBuildSRem(e->b, x, y, "");
	default:
		/* SMod takes the divisor's sign. */
		remainder = LLVMBuildSRem(e->b, x, y, "");
		zero = LLVMConstNull(LLVMTypeOf(y));
		wrong = LLVMBuildAnd(e->b, LLVMBuildICmp(e->b, LLVMIntNE, remainder, zero, ""),
				     LLVMBuildICmp(e->b, LLVMIntSLT,
						   LLVMBuildXor(e->b, remainder, y, ""), zero, ""),
				     "");
		return LLVMBuildSelect(e->b, wrong, LLVMBuildAdd(e->b, remainder, y, ""), remainder,
				       "");
	}
}

/* Shifts by as much as the width, or more, give no promised result, but no undefined one either. */
static LLVMValueRef shift(struct hc_emit *e, uint32_t op, LLVMValueRef x, LLVMValueRef by)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMTypeRef scalar = hc_is_vector(x) ? LLVMGetElementType(type) : type;

	by = LLVMBuildIntCast2(e->b, by, type, false, "");
	by = LLVMBuildAnd(e->b, by, hc_int(e, type, LLVMGetIntTypeWidth(scalar) - 1), "");
	if (op == SpvOpShiftLeftLogical)
		return LLVMBuildShl(e->b, x, by, "");
	if (op == SpvOpShiftRightLogical)
		return LLVMBuildLShr(e->b, x, by, "");
	return LLVMBuildAShr(e->b, x, by, "");
}

static LLVMValueRef float_mod(struct hc_emit *e, uint32_t op, LLVMValueRef x, LLVMValueRef y)
{
	LLVMValueRef quotient = LLVMBuildFDiv(e->b, x, y, "");

	quotient = hc_call1(e, op == SpvOpFRem ? "llvm.trunc" : "llvm.floor", quotient);
	return LLVMBuildFSub(e->b, x, LLVMBuildFMul(e->b, y, quotient, ""), "");
}

/* ---- Two operands, one result of their type ---- */

static LLVMValueRef binary(struct hc_emit *e, const struct hc_inst *inst, LLVMValueRef x,
			   LLVMValueRef y)
{
	LLVMValueRef sum;

	switch (inst->op) {
	case SpvOpIAdd:
		sum = hc_emit_dot_sum(e, x, y);
		return sum ? sum : LLVMBuildAdd(e->b, x, y, "");
	case SpvOpISub:
		return LLVMBuildSub(e->b, x, y, "");
	case SpvOpIMul:
		return LLVMBuildMul(e->b, x, y, "");
	case SpvOpUDiv:
	case SpvOpUMod:
	case SpvOpSDiv:
	case SpvOpSRem:
	case SpvOpSMod:
		return divide(e, inst->op, x, y);
	case SpvOpFAdd:
		return contract(e, inst, LLVMBuildFAdd(e->b, x, y, ""));
	case SpvOpFSub:
		return contract(e, inst, LLVMBuildFSub(e->b, x, y, ""));
	case SpvOpFMul:
		return contract(e, inst, LLVMBuildFMul(e->b, x, y, ""));
	case SpvOpFDiv:
		return LLVMBuildFDiv(e->b, x, y, "");
	case SpvOpFRem:
	case SpvOpFMod:
		return float_mod(e, inst->op, x, y);
	case SpvOpShiftLeftLogical:
	case SpvOpShiftRightLogical:
	case SpvOpShiftRightArithmetic:
		return shift(e, inst->op, x, y);
	case SpvOpBitwiseAnd:
	case SpvOpLogicalAnd:
		return LLVMBuildAnd(e->b, x, y, "");
	case SpvOpBitwiseOr:
	case SpvOpLogicalOr:
		return LLVMBuildOr(e->b, x, y, "");
	case SpvOpBitwiseXor:
	case SpvOpLogicalNotEqual:
		return LLVMBuildXor(e->b, x, y, "");
	case SpvOpLogicalEqual:
		return LLVMBuildNot(e->b, LLVMBuildXor(e->b, x, y, ""), "");
	default:
		return NULL;
	}
}

static LLVMValueRef compare(struct hc_emit *e, uint32_t op, LLVMValueRef x, LLVMValueRef y)
{
	static const struct {
		uint16_t op;
		uint8_t is_float;
		uint8_t predicate;
	} table[] = {
		{ SpvOpPtrEqual, 0, LLVMIntEQ },
		{ SpvOpPtrNotEqual, 0, LLVMIntNE },
		{ SpvOpIEqual, 0, LLVMIntEQ },
		{ SpvOpINotEqual, 0, LLVMIntNE },
		{ SpvOpUGreaterThan, 0, LLVMIntUGT },
		{ SpvOpSGreaterThan, 0, LLVMIntSGT },
		{ SpvOpUGreaterThanEqual, 0, LLVMIntUGE },
		{ SpvOpSGreaterThanEqual, 0, LLVMIntSGE },
		{ SpvOpULessThan, 0, LLVMIntULT },
		{ SpvOpSLessThan, 0, LLVMIntSLT },
		{ SpvOpULessThanEqual, 0, LLVMIntULE },
		{ SpvOpSLessThanEqual, 0, LLVMIntSLE },
		{ SpvOpFOrdEqual, 1, LLVMRealOEQ },
		{ SpvOpFUnordEqual, 1, LLVMRealUEQ },
		{ SpvOpFOrdNotEqual, 1, LLVMRealONE },
		{ SpvOpFUnordNotEqual, 1, LLVMRealUNE },
		{ SpvOpFOrdLessThan, 1, LLVMRealOLT },
		{ SpvOpFUnordLessThan, 1, LLVMRealULT },
		{ SpvOpFOrdGreaterThan, 1, LLVMRealOGT },
		{ SpvOpFUnordGreaterThan, 1, LLVMRealUGT },
		{ SpvOpFOrdLessThanEqual, 1, LLVMRealOLE },
		{ SpvOpFUnordLessThanEqual, 1, LLVMRealULE },
		{ SpvOpFOrdGreaterThanEqual, 1, LLVMRealOGE },
		{ SpvOpFUnordGreaterThanEqual, 1, LLVMRealUGE },
		{ SpvOpOrdered, 1, LLVMRealORD },
		{ SpvOpUnordered, 1, LLVMRealUNO },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].op != op)
			continue;
		if (table[i].is_float)
			return LLVMBuildFCmp(e->b, (LLVMRealPredicate)table[i].predicate, x, y, "");
		return LLVMBuildICmp(e->b, (LLVMIntPredicate)table[i].predicate, x, y, "");
	}
	return NULL;
}

/* ---- One operand ---- */

static LLVMValueRef is_class(struct hc_emit *e, LLVMValueRef x, uint32_t classes)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMValueRef args[] = { x, LLVMConstInt(e->i32, classes, false) };

	return hc_intrinsic(e, "llvm.is.fpclass", &type, 1, args, 2);
}

static LLVMValueRef unary(struct hc_emit *e, const struct hc_inst *inst, LLVMValueRef x)
{
	switch (inst->op) {
	case SpvOpSNegate:
		return LLVMBuildNeg(e->b, x, "");
	case SpvOpFNegate:
		return LLVMBuildFNeg(e->b, x, "");
	case SpvOpNot:
	case SpvOpLogicalNot:
		return LLVMBuildNot(e->b, x, "");
	case SpvOpIsNan:
		return is_class(e, x, 0x003);
	case SpvOpIsInf:
		return is_class(e, x, 0x204);
	case SpvOpBitReverse:
		return hc_call1(e, "llvm.bitreverse", x);
	case SpvOpBitCount:
		return hc_call1(e, "llvm.ctpop", x);
	default:
		return NULL;
	}
}

/* ---- Conversions ---- */

static LLVMValueRef to_integer(struct hc_emit *e, LLVMValueRef x, LLVMTypeRef type, bool is_signed)
{
	LLVMTypeRef types[] = { type, LLVMTypeOf(x) };

	/* Saturating, so that what is out of range is at least the same everywhere. */
	return hc_intrinsic(e, is_signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat", types, 2, &x, 1);
}

/* @x, rounded to @narrow (as bits), which is @back when it is widened again: one step towards zero if that is beyond @x. */
static LLVMValueRef toward_zero(struct hc_emit *e, LLVMValueRef x, LLVMValueRef narrow,
				LLVMValueRef back)
{
	LLVMTypeRef type = LLVMTypeOf(narrow);
	LLVMValueRef beyond = LLVMBuildFCmp(e->b, LLVMRealOGT, hc_call1(e, "llvm.fabs", back),
					    hc_call1(e, "llvm.fabs", x), "");

	return LLVMBuildSub(e->b, narrow, LLVMBuildZExt(e->b, beyond, type, ""), "");
}

/*
 * A double as a float that is cut off, not rounded. With @sticky its last bit says whether anything was lost, so that rounding it
 * to a half gives what rounding the double would have given.
 */
static LLVMValueRef cut_double(struct hc_emit *e, LLVMValueRef x, bool sticky)
{
	LLVMTypeRef floats = hc_is_vector(x) ? hc_vector_of(e, e->f32) : e->f32;
	LLVMTypeRef words = hc_is_vector(x) ? hc_vector_of(e, e->i32) : e->i32;
	LLVMValueRef rounded = LLVMBuildFPTrunc(e->b, x, floats, ""), bits, lost;

	bits = LLVMBuildBitCast(e->b, rounded, words, "");
	bits = toward_zero(e, x, bits, LLVMBuildFPExt(e->b, rounded, LLVMTypeOf(x), ""));
	if (sticky) {
		rounded = LLVMBuildBitCast(e->b, bits, floats, "");
		rounded = LLVMBuildFPExt(e->b, rounded, LLVMTypeOf(x), "");
		lost = LLVMBuildFCmp(e->b, LLVMRealONE, rounded, x, "");
		bits = LLVMBuildOr(e->b, bits, LLVMBuildZExt(e->b, lost, words, ""), "");
	}
	return LLVMBuildBitCast(e->b, bits, floats, "");
}

static LLVMValueRef convert_float(struct hc_emit *e, const struct hc_type *from,
				  const struct hc_type *to, LLVMTypeRef type, LLVMValueRef x,
				  bool to_zero)
{
	LLVMValueRef narrow;

	x = hc_widen(e, from, x);
	if (to->width >= from->width || (to->width == 32 && !to_zero))
		return hc_narrow(e, to, LLVMBuildFPCast(e->b, x, type, ""));
	if (from->width == 64)
		x = cut_double(e, x, !to_zero);
	if (to->width == 32)
		return x;
	narrow = hc_narrow(e, to, x);
	return to_zero ? toward_zero(e, x, narrow, hc_widen(e, to, narrow)) : narrow;
}

/* What is too small for a normal half becomes a zero of its sign. */
static LLVMValueRef quantize(struct hc_emit *e, LLVMValueRef x)
{
	struct hc_type half = { .kind = HC_TYPE_FLOAT, .width = 16 };
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMValueRef least = LLVMConstReal(e->f32, 0x1p-14), small, zero, result;

	result = hc_widen(e, &half, hc_narrow(e, &half, x));
	if (hc_is_vector(x))
		least = hc_splat(e, least);
	small = LLVMBuildFCmp(e->b, LLVMRealOLT, hc_call1(e, "llvm.fabs", x), least, "");
	zero = hc_call2(e, "llvm.copysign", LLVMConstNull(type), x);
	return LLVMBuildSelect(e->b, small, zero, result, "");
}

static LLVMValueRef convert(struct hc_emit *e, const struct hc_inst *inst, LLVMValueRef x)
{
	bool to_zero = hc_id(e->m, inst->result)->decorations & HC_DECORATED_ROUND_TO_ZERO;
	struct hc_type *to = hc_leaf_type(e->m, hc_type(e->m, inst->type), 0);
	struct hc_type *from = operand_type(e, inst, 0);
	LLVMTypeRef type =
		to->kind == HC_TYPE_FLOAT && to->width == 16 ? e->f32 : hc_scalar_type(e, to);

	if (hc_is_vector(x))
		type = hc_vector_of(e, type);
	switch (inst->op) {
	case SpvOpConvertFToU:
		return to_integer(e, hc_widen(e, from, x), type, false);
	case SpvOpConvertFToS:
		return to_integer(e, hc_widen(e, from, x), type, true);
	case SpvOpConvertSToF:
		return hc_narrow(e, to, LLVMBuildSIToFP(e->b, x, type, ""));
	case SpvOpConvertUToF:
		return hc_narrow(e, to, LLVMBuildUIToFP(e->b, x, type, ""));
	case SpvOpUConvert:
	case SpvOpConvertPtrToU:
	case SpvOpConvertUToPtr:
		return LLVMBuildIntCast2(e->b, x, type, false, "");
	case SpvOpSConvert:
		return LLVMBuildIntCast2(e->b, x, type, true, "");
	case SpvOpFConvert:
		return convert_float(e, from, to, type, x, to_zero);
	case SpvOpQuantizeToF16:
		return quantize(e, x);
	default:
		return NULL;
	}
}

/* The bits of @x as an integer of its width, and back. */
static LLVMValueRef to_bits(struct hc_emit *e, const struct hc_type *type, LLVMValueRef x)
{
	LLVMTypeRef bits = LLVMIntTypeInContext(e->context, type->width);

	return LLVMBuildBitCast(e->b, x, hc_is_vector(x) ? hc_vector_of(e, bits) : bits, "");
}

static LLVMValueRef from_bits(struct hc_emit *e, const struct hc_type *type, LLVMValueRef x)
{
	LLVMTypeRef to = hc_scalar_type(e, type);

	return LLVMBuildBitCast(e->b, x, hc_is_vector(x) ? hc_vector_of(e, to) : to, "");
}

/* Bits of the operand's leaves, low ones first, cut anew into the result's. */
static void bitcast(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *to = hc_leaf_type(e->m, hc_type(e->m, inst->type), 0);
	struct hc_type *from = operand_type(e, inst, 0);
	uint32_t leaf, i, leaves = hc_type(e->m, inst->type)->leaves;
	uint32_t from_leaves = hc_type_of(e->m, inst->operand[0])->leaves;
	LLVMValueRef value, part;
	LLVMTypeRef type;

	if ((uint64_t)to->width * leaves != (uint64_t)from->width * from_leaves)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "OpBitcast between sizes");
	for (leaf = 0; leaf < leaves; leaf++) {
		if (to->width == from->width) {
			value = to_bits(e, from, operand(e, inst, 0, leaf));
		} else if (to->width < from->width) {
			uint32_t ratio = from->width / to->width;

			value = to_bits(
				e, from,
				hc_as_shape(e, inst->result, leaf, inst->operand[0], leaf / ratio));
			value = LLVMBuildLShr(
				e->b, value, hc_int(e, LLVMTypeOf(value), leaf % ratio * to->width),
				"");
			type = LLVMIntTypeInContext(e->context, to->width);
			value = LLVMBuildTrunc(e->b, value,
					       hc_is_vector(value) ? hc_vector_of(e, type) : type,
					       "");
		} else {
			uint32_t ratio = to->width / from->width;

			type = LLVMIntTypeInContext(e->context, to->width);
			value = NULL;
			for (i = 0; i < ratio; i++) {
				part = to_bits(e, from,
					       hc_as_shape(e, inst->result, leaf, inst->operand[0],
							   leaf * ratio + i));
				part = LLVMBuildZExt(
					e->b, part,
					hc_is_vector(part) ? hc_vector_of(e, type) : type, "");
				part = LLVMBuildShl(e->b, part,
						    hc_int(e, LLVMTypeOf(part), i * from->width),
						    "");
				value = value ? LLVMBuildOr(e->b, value, part, "") : part;
			}
		}
		hc_put(e, inst->result, leaf, from_bits(e, to, value));
	}
}

/* ---- Bit fields ---- */

/* 2^count - 1, for counts up to the width. */
static LLVMValueRef low_bits(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef count)
{
	LLVMTypeRef scalar =
		LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetElementType(type) : type;
	uint32_t width = LLVMGetIntTypeWidth(scalar);
	LLVMValueRef all, safe;

	count = LLVMBuildIntCast2(e->b, count, type, false, "");
	all = LLVMBuildICmp(e->b, LLVMIntUGE, count, hc_int(e, type, width), "");
	safe = LLVMBuildAnd(e->b, count, hc_int(e, type, width - 1), "");
	safe = LLVMBuildSub(e->b, LLVMBuildShl(e->b, hc_int(e, type, 1), safe, ""),
			    hc_int(e, type, 1), "");
	return LLVMBuildSelect(e->b, all, LLVMConstAllOnes(type), safe, "");
}

static LLVMValueRef bit_field(struct hc_emit *e, const struct hc_inst *inst, uint32_t leaf)
{
	bool insert = inst->op == SpvOpBitFieldInsert;
	bool varying = hc_is_varying(e, inst->result, leaf);
	LLVMValueRef base = operand(e, inst, 0, leaf), offset, count, bits, value, at;
	uint32_t first = insert ? 2 : 1;
	LLVMTypeRef type = LLVMTypeOf(base);

	offset = varying ? hc_lanes(e, inst->operand[first], 0)
			 : hc_lane0(e, inst->operand[first], 0);
	count = varying ? hc_lanes(e, inst->operand[first + 1], 0)
			: hc_lane0(e, inst->operand[first + 1], 0);
	bits = low_bits(e, type, count);
	if (insert) {
		at = shift(e, SpvOpShiftLeftLogical, bits, offset);
		value = shift(e, SpvOpShiftLeftLogical, operand(e, inst, 1, leaf), offset);
		return LLVMBuildOr(e->b, LLVMBuildAnd(e->b, base, LLVMBuildNot(e->b, at, ""), ""),
				   LLVMBuildAnd(e->b, value, at, ""), "");
	}
	value = LLVMBuildAnd(e->b, shift(e, SpvOpShiftRightLogical, base, offset), bits, "");
	if (inst->op == SpvOpBitFieldUExtract)
		return value;
	/* Sign: (v ^ s) - s, with s the field's highest bit. */
	at = LLVMBuildXor(e->b, bits, LLVMBuildLShr(e->b, bits, hc_int(e, type, 1), ""), "");
	return LLVMBuildSub(e->b, LLVMBuildXor(e->b, value, at, ""), at, "");
}

/* ---- Whole vectors ---- */

static LLVMValueRef leaf_float(struct hc_emit *e, const struct hc_inst *inst, uint32_t n,
			       uint32_t leaf)
{
	return hc_widen(e, operand_type(e, inst, n),
			hc_as_shape(e, inst->result, 0, inst->operand[n], leaf));
}

static LLVMValueRef dot(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t i, leaves = hc_type_of(e->m, inst->operand[0])->leaves;
	LLVMValueRef sum = NULL, product;

	for (i = 0; i < leaves; i++) {
		product = contract(e, inst,
				   LLVMBuildFMul(e->b, leaf_float(e, inst, 0, i),
						 leaf_float(e, inst, 1, i), ""));
		sum = sum ? contract(e, inst, LLVMBuildFAdd(e->b, sum, product, "")) : product;
	}
	return hc_narrow(e, hc_type(e->m, inst->type), sum);
}

/* Matrix products: @rows and @columns of the result, @inner summed over. */
static void multiply(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *x = hc_type_of(e->m, inst->operand[0]),
		       *y = hc_type_of(e->m, inst->operand[1]);
	struct hc_type *type = hc_leaf_type(e->m, hc_type(e->m, inst->type), 0);
	bool left_vector = inst->op == SpvOpVectorTimesMatrix;
	uint32_t rows = left_vector ? 1 : hc_type(e->m, x->element)->count;
	uint32_t inner = x->count;
	uint32_t columns = inst->op == SpvOpMatrixTimesVector ? 1 : y->count;
	uint32_t r, c, k;

	for (c = 0; c < columns; c++) {
		for (r = 0; r < rows; r++) {
			uint32_t leaf = c * rows + r;
			LLVMValueRef sum = NULL, product, a, b;

			for (k = 0; k < inner; k++) {
				a = hc_as_shape(e, inst->result, leaf, inst->operand[0],
						left_vector ? k : k * rows + r);
				b = hc_as_shape(e, inst->result, leaf, inst->operand[1],
						c * inner + k);
				product = contract(e, inst,
						   LLVMBuildFMul(e->b, hc_widen(e, type, a),
								 hc_widen(e, type, b), ""));
				sum = sum ? contract(e, inst, LLVMBuildFAdd(e->b, sum, product, ""))
					  : product;
			}
			hc_put(e, inst->result, leaf, hc_narrow(e, type, sum));
		}
	}
}

/* Times one scalar, and outer products: leaf = leaf of the first times a leaf of the second. */
static void scale(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *type = hc_leaf_type(e->m, hc_type(e->m, inst->type), 0);
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves;
	uint32_t rows = hc_type_of(e->m, inst->operand[0])->leaves;
	bool outer = inst->op == SpvOpOuterProduct;

	for (leaf = 0; leaf < leaves; leaf++) {
		LLVMValueRef x = hc_as_shape(e, inst->result, leaf, inst->operand[0],
					     outer ? leaf % rows : leaf);
		LLVMValueRef y = hc_as_shape(e, inst->result, leaf, inst->operand[1],
					     outer ? leaf / rows : 0);

		if (type->kind == HC_TYPE_INT) {
			/* Cooperative matrices may be of integers. */
			hc_put(e, inst->result, leaf, LLVMBuildMul(e->b, x, y, ""));
			continue;
		}
		x = contract(e, inst,
			     LLVMBuildFMul(e->b, hc_widen(e, type, x), hc_widen(e, type, y), ""));
		hc_put(e, inst->result, leaf, hc_narrow(e, type, x));
	}
}

static void transpose(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *type = hc_type(e->m, inst->type);
	uint32_t r, c, rows = hc_type(e->m, type->element)->count;

	for (c = 0; c < type->count; c++)
		for (r = 0; r < rows; r++)
			hc_put(e, inst->result, c * rows + r,
			       hc_as_shape(e, inst->result, c * rows + r, inst->operand[0],
					   r * type->count + c));
}

static void any_or_all(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t i, leaves = hc_type_of(e->m, inst->operand[0])->leaves;
	LLVMValueRef value = NULL, leaf;

	for (i = 0; i < leaves; i++) {
		leaf = hc_as_shape(e, inst->result, 0, inst->operand[0], i);
		if (!value)
			value = leaf;
		else if (inst->op == SpvOpAny)
			value = LLVMBuildOr(e->b, value, leaf, "");
		else
			value = LLVMBuildAnd(e->b, value, leaf, "");
	}
	hc_put(e, inst->result, 0, value);
}

static void select_value(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves;
	bool each = hc_type_of(e->m, inst->operand[0])->leaves == leaves;

	for (leaf = 0; leaf < leaves; leaf++) {
		uint32_t at = each ? leaf : 0;
		LLVMValueRef condition;

		/* A condition that all lanes share picks whole vectors. */
		if (hc_is_scalar(hc_leaf_shape(e, inst->operand[0], at)))
			condition = hc_lane0(e, inst->operand[0], at);
		else
			condition = hc_lanes(e, inst->operand[0], at);
		hc_put(e, inst->result, leaf,
		       LLVMBuildSelect(e->b, condition, operand(e, inst, 1, leaf),
				       operand(e, inst, 2, leaf), ""));
	}
}

/* High and low halves of a product, carries and borrows: results are structures of two. */
static bool extended(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t i, count = hc_type_of(e->m, inst->operand[0])->leaves;

	switch (inst->op) {
	case SpvOpIAddCarry:
	case SpvOpISubBorrow:
	case SpvOpUMulExtended:
	case SpvOpSMulExtended:
		break;
	default:
		return false;
	}
	for (i = 0; i < count; i++) {
		LLVMValueRef x = hc_as_shape(e, inst->result, i, inst->operand[0], i);
		LLVMValueRef y = hc_as_shape(e, inst->result, i, inst->operand[1], i);
		LLVMTypeRef type = LLVMTypeOf(x), wide;
		LLVMValueRef low, high;
		uint32_t width = operand_type(e, inst, 0)->width;

		if (inst->op == SpvOpIAddCarry) {
			low = LLVMBuildAdd(e->b, x, y, "");
			high = LLVMBuildZExt(e->b, LLVMBuildICmp(e->b, LLVMIntULT, low, x, ""),
					     type, "");
		} else if (inst->op == SpvOpISubBorrow) {
			low = LLVMBuildSub(e->b, x, y, "");
			high = LLVMBuildZExt(e->b, LLVMBuildICmp(e->b, LLVMIntULT, x, y, ""), type,
					     "");
		} else {
			bool is_signed = inst->op == SpvOpSMulExtended;

			wide = LLVMIntTypeInContext(e->context, width * 2);
			if (hc_is_vector(x))
				wide = hc_vector_of(e, wide);
			x = LLVMBuildIntCast2(e->b, x, wide, is_signed, "");
			y = LLVMBuildIntCast2(e->b, y, wide, is_signed, "");
			x = LLVMBuildMul(e->b, x, y, "");
			low = LLVMBuildTrunc(e->b, x, type, "");
			high = LLVMBuildTrunc(
				e->b, LLVMBuildLShr(e->b, x, hc_int(e, wide, width), ""), type, "");
		}
		hc_put(e, inst->result, i, low);
		hc_put(e, inst->result, count + i, high);
	}
	return true;
}

static bool by_leaf(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *type = hc_leaf_type(e->m, hc_type(e->m, inst->type), 0);
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves;
	struct hc_type *first = NULL;

	if (!inst->operands || hc_id(e->m, inst->operand[0])->type == 0)
		return false;
	first = operand_type(e, inst, 0);
	for (leaf = 0; leaf < leaves; leaf++) {
		LLVMValueRef x = operand(e, inst, 0, leaf), value;

		value = convert(e, inst, x);
		if (!value &&
		    (inst->op == SpvOpBitFieldInsert || inst->op == SpvOpBitFieldSExtract ||
		     inst->op == SpvOpBitFieldUExtract))
			value = bit_field(e, inst, leaf);
		x = hc_widen(e, first, x);
		if (!value) {
			value = unary(e, inst, x);
			/* The count's type may be another than the operand's. */
			if (value && inst->op == SpvOpBitCount)
				value = LLVMBuildIntCast2(
					e->b, value,
					hc_is_vector(value)
						? hc_vector_of(e, hc_scalar_type(e, type))
						: hc_scalar_type(e, type),
					false, "");
			if (value)
				value = hc_narrow(e, type, value);
		}
		if (!value && inst->operands == 2) {
			LLVMValueRef y =
				hc_widen(e, operand_type(e, inst, 1), operand(e, inst, 1, leaf));

			value = compare(e, inst->op, x, y);
			if (!value) {
				value = binary(e, inst, x, y);
				if (value)
					value = hc_narrow(e, type, value);
			}
		}
		if (!value)
			return false;
		hc_put(e, inst->result, leaf, value);
	}
	return true;
}

bool hc_emit_alu(struct hc_emit *e, const struct hc_inst *inst)
{
	switch (inst->op) {
	case SpvOpBitcast:
		bitcast(e, inst);
		return true;
	case SpvOpDot:
		hc_put(e, inst->result, 0, dot(e, inst));
		return true;
	case SpvOpVectorTimesScalar:
	case SpvOpMatrixTimesScalar:
	case SpvOpOuterProduct:
		scale(e, inst);
		return true;
	case SpvOpVectorTimesMatrix:
	case SpvOpMatrixTimesVector:
	case SpvOpMatrixTimesMatrix:
		multiply(e, inst);
		return true;
	case SpvOpTranspose:
		transpose(e, inst);
		return true;
	case SpvOpAny:
	case SpvOpAll:
		any_or_all(e, inst);
		return true;
	case SpvOpSelect:
		select_value(e, inst);
		return true;
	default:
		return extended(e, inst) || hc_emit_integer_dot(e, inst) || by_leaf(e, inst);
	}
}

/* ---- Composites ---- */

static uint32_t path_leaf(struct hc_emit *e, struct hc_type *type, const uint32_t *path, uint32_t n)
{
	uint32_t i, first, leaf = 0;

	for (i = 0; i < n; i++) {
		type = hc_member_type(e->m, type, path[i], &first);
		leaf += first;
	}
	return leaf;
}

static void dynamic(struct hc_emit *e, const struct hc_inst *inst)
{
	bool insert = inst->op == SpvOpVectorInsertDynamic;
	uint32_t index = inst->operand[insert ? 2 : 1];
	uint32_t i, count = hc_type_of(e->m, inst->operand[0])->leaves;
	LLVMValueRef value = NULL, here, at, x;

	for (i = 0; i < count; i++) {
		uint32_t leaf = insert ? i : 0;

		at = hc_as_shape(e, inst->result, leaf, index, 0);
		here = LLVMBuildICmp(e->b, LLVMIntEQ, at, hc_int(e, LLVMTypeOf(at), i), "");
		x = hc_as_shape(e, inst->result, leaf, inst->operand[0], i);
		if (insert)
			hc_put(e, inst->result, i,
			       LLVMBuildSelect(
				       e->b, here,
				       hc_as_shape(e, inst->result, leaf, inst->operand[1], 0), x,
				       ""));
		else
			value = value ? LLVMBuildSelect(e->b, here, x, value, "") : x;
	}
	if (!insert)
		hc_put(e, inst->result, 0, value);
}

bool hc_emit_composite(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *type = inst->type ? hc_type(e->m, inst->type) : NULL;
	uint32_t i, j, at, count, leaf = 0;

	switch (inst->op) {
	case SpvOpCompositeConstruct:
		for (i = 0; i < inst->operands; i++) {
			count = hc_type_of(e->m, inst->operand[i])->leaves;
			for (j = 0; j < count && leaf < type->leaves; j++, leaf++)
				hc_put(e, inst->result, leaf,
				       hc_as_shape(e, inst->result, leaf, inst->operand[i], j));
		}
		/* A cooperative matrix is made of what all its components are. */
		for (; type->kind == HC_TYPE_COOPERATIVE && leaf && leaf < type->leaves; leaf++)
			hc_put(e, inst->result, leaf,
			       hc_as_shape(e, inst->result, leaf, inst->operand[0], 0));
		return true;
	case SpvOpCompositeExtract:
		at = path_leaf(e, hc_type_of(e->m, inst->operand[0]), inst->operand + 1,
			       inst->operands - 1u);
		for (i = 0; i < type->leaves; i++)
			hc_put(e, inst->result, i,
			       hc_as_shape(e, inst->result, i, inst->operand[0], at + i));
		return true;
	case SpvOpCompositeInsert:
		at = path_leaf(e, type, inst->operand + 2, inst->operands - 2u);
		count = hc_type_of(e->m, inst->operand[0])->leaves;
		/* In place only the part changes. */
		for (i = 0; i < type->leaves; i++)
			if (i >= at && i < at + count)
				hc_put(e, inst->result, i,
				       hc_as_shape(e, inst->result, i, inst->operand[0], i - at));
			else if (!hc_matrix_in_place(e, inst->result, inst->operand[1]))
				hc_put(e, inst->result, i,
				       hc_as_shape(e, inst->result, i, inst->operand[1], i));
		return true;
	case SpvOpVectorShuffle:
		count = hc_type_of(e->m, inst->operand[0])->leaves;
		for (i = 0; i < type->leaves; i++) {
			uint32_t from = inst->operand[2 + i];

			if (from == UINT32_MAX)
				from = 0;
			hc_put(e, inst->result, i,
			       hc_as_shape(e, inst->result, i, inst->operand[from < count ? 0 : 1],
					   from < count ? from : from - count));
		}
		return true;
	case SpvOpExpectKHR:
	case SpvOpCopyObject:
	case SpvOpCopyLogical:
		for (i = 0; i < type->leaves; i++)
			hc_put(e, inst->result, i,
			       hc_as_shape(e, inst->result, i, inst->operand[0], i));
		return true;
	case SpvOpVectorExtractDynamic:
	case SpvOpVectorInsertDynamic:
		dynamic(e, inst);
		return true;
	default:
		return false;
	}
}
