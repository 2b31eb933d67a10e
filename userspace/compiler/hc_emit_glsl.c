// SPDX-License-Identifier: MIT
/* The instruction set GLSL.std.450, as far as compute shaders use it. */
#include "hc_emit_place.h"

#include "hc_math.h"
#include <spirv/unified1/GLSL.std.450.h>

static uint32_t argument_id(const struct hc_inst *inst, uint32_t n)
{
	return inst->operand[2 + n];
}

static struct hc_type *argument_type(struct hc_emit *e, const struct hc_inst *inst, uint32_t n)
{
	return hc_leaf_type(e->m, hc_type_of(e->m, argument_id(inst, n)), 0);
}

static LLVMValueRef argument(struct hc_emit *e, const struct hc_inst *inst, uint32_t n,
			     uint32_t leaf)
{
	uint32_t result_leaf = leaf < hc_type(e->m, inst->type)->leaves ? leaf : 0;
	uint32_t id = argument_id(inst, n);

	if (leaf >= hc_type_of(e->m, id)->leaves)
		leaf = 0;
	return hc_widen(e, argument_type(e, inst, n),
			hc_is_varying(e, inst->result, result_leaf) ? hc_lanes(e, id, leaf)
								    : hc_lane0(e, id, leaf));
}

static LLVMValueRef real(struct hc_emit *e, LLVMTypeRef type, double value)
{
	if (LLVMGetTypeKind(type) == LLVMVectorTypeKind)
		return hc_splat(e, LLVMConstReal(LLVMGetElementType(type), value));
	return LLVMConstReal(type, value);
}

static int math_op(uint32_t op)
{
	switch (op) {
	case GLSLstd450Sin:
		return HC_MATH_SIN;
	case GLSLstd450Cos:
		return HC_MATH_COS;
	case GLSLstd450Tan:
		return HC_MATH_TAN;
	case GLSLstd450Asin:
		return HC_MATH_ASIN;
	case GLSLstd450Acos:
		return HC_MATH_ACOS;
	case GLSLstd450Atan:
		return HC_MATH_ATAN;
	case GLSLstd450Atan2:
		return HC_MATH_ATAN2;
	case GLSLstd450Sinh:
		return HC_MATH_SINH;
	case GLSLstd450Cosh:
		return HC_MATH_COSH;
	case GLSLstd450Tanh:
		return HC_MATH_TANH;
	case GLSLstd450Asinh:
		return HC_MATH_ASINH;
	case GLSLstd450Acosh:
		return HC_MATH_ACOSH;
	case GLSLstd450Atanh:
		return HC_MATH_ATANH;
	case GLSLstd450Exp:
		return HC_MATH_EXP;
	case GLSLstd450Exp2:
		return HC_MATH_EXP2;
	case GLSLstd450Log:
		return HC_MATH_LOG;
	case GLSLstd450Log2:
		return HC_MATH_LOG2;
	case GLSLstd450Pow:
		return HC_MATH_POW;
	case GLSLstd450Sqrt:
		return HC_MATH_SQRT;
	case GLSLstd450InverseSqrt:
		return HC_MATH_INVERSESQRT;
	default:
		return -1;
	}
}

static const char *intrinsic_of(uint32_t op)
{
	switch (op) {
	case GLSLstd450Round:
	case GLSLstd450RoundEven:
		return "llvm.roundeven";
	case GLSLstd450Trunc:
		return "llvm.trunc";
	case GLSLstd450FAbs:
		return "llvm.fabs";
	case GLSLstd450Floor:
		return "llvm.floor";
	case GLSLstd450Ceil:
		return "llvm.ceil";
	default:
		return NULL;
	}
}

static const char *intrinsic2_of(uint32_t op)
{
	switch (op) {
	case GLSLstd450FMin:
	case GLSLstd450NMin:
		return "llvm.minnum";
	case GLSLstd450FMax:
	case GLSLstd450NMax:
		return "llvm.maxnum";
	case GLSLstd450SMin:
		return "llvm.smin";
	case GLSLstd450UMin:
		return "llvm.umin";
	case GLSLstd450SMax:
		return "llvm.smax";
	case GLSLstd450UMax:
		return "llvm.umax";
	default:
		return NULL;
	}
}

static LLVMValueRef clamp(struct hc_emit *e, uint32_t op, LLVMValueRef x, LLVMValueRef low,
			  LLVMValueRef high)
{
	const char *max = op == GLSLstd450UClamp   ? "llvm.umax"
			  : op == GLSLstd450SClamp ? "llvm.smax"
						   : "llvm.maxnum";
	const char *min = op == GLSLstd450UClamp   ? "llvm.umin"
			  : op == GLSLstd450SClamp ? "llvm.smin"
						   : "llvm.minnum";

	return hc_call2(e, min, hc_call2(e, max, x, low), high);
}

static LLVMValueRef half_limits(struct hc_emit *e, uint32_t op, LLVMValueRef *args)
{
	switch (op) {
	case GLSLstd450FMin:
	case GLSLstd450NMin:
		return hc_least_half(e, args[0], args[1], false);
	case GLSLstd450FMax:
	case GLSLstd450NMax:
		return hc_least_half(e, args[0], args[1], true);
	case GLSLstd450FClamp:
	case GLSLstd450NClamp:
		return hc_least_half(e, hc_least_half(e, args[0], args[1], true), args[2], false);
	default:
		return NULL;
	}
}

static LLVMValueRef sign(struct hc_emit *e, LLVMValueRef x, bool is_float)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMValueRef zero = LLVMConstNull(type), positive, negative, one, minus;

	if (is_float) {
		positive = LLVMBuildFCmp(e->b, LLVMRealOGT, x, zero, "");
		negative = LLVMBuildFCmp(e->b, LLVMRealOLT, x, zero, "");
		one = real(e, type, 1);
		minus = real(e, type, -1);
	} else {
		positive = LLVMBuildICmp(e->b, LLVMIntSGT, x, zero, "");
		negative = LLVMBuildICmp(e->b, LLVMIntSLT, x, zero, "");
		one = hc_int(e, type, 1);
		minus = LLVMConstAllOnes(type);
	}
	/* Of a zero, the zero itself. */
	return LLVMBuildSelect(e->b, positive, one,
			       LLVMBuildSelect(e->b, negative, minus, is_float ? x : zero, ""), "");
}

static LLVMValueRef smooth_step(struct hc_emit *e, LLVMValueRef low, LLVMValueRef high,
				LLVMValueRef x)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMValueRef t;

	t = LLVMBuildFDiv(e->b, LLVMBuildFSub(e->b, x, low, ""), LLVMBuildFSub(e->b, high, low, ""),
			  "");
	t = clamp(e, GLSLstd450FClamp, t, real(e, type, 0), real(e, type, 1));
	x = LLVMBuildFSub(e->b, real(e, type, 3), LLVMBuildFMul(e->b, real(e, type, 2), t, ""), "");
	return LLVMBuildFMul(e->b, LLVMBuildFMul(e->b, t, t, ""), x, "");
}

/* Number of the lowest or highest bit that is set, all ones if there is none. */
static LLVMValueRef find_bit(struct hc_emit *e, uint32_t op, LLVMValueRef x, uint32_t width)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMValueRef args[2] = { x, LLVMConstInt(e->i1, 0, false) }, none, found;

	if (op == GLSLstd450FindSMsb) {
		/* Of negative numbers, the highest bit that is clear. */
		LLVMValueRef fill = LLVMBuildAShr(e->b, x, hc_int(e, type, width - 1), "");

		args[0] = x = LLVMBuildXor(e->b, x, fill, "");
	}
	none = LLVMBuildICmp(e->b, LLVMIntEQ, x, LLVMConstNull(type), "");
	if (op == GLSLstd450FindILsb) {
		found = hc_intrinsic(e, "llvm.cttz", &type, 1, args, 2);
	} else {
		found = hc_intrinsic(e, "llvm.ctlz", &type, 1, args, 2);
		found = LLVMBuildSub(e->b, hc_int(e, type, width - 1), found, "");
	}
	return LLVMBuildSelect(e->b, none, LLVMConstAllOnes(type), found, "");
}

/* x · 2^n, in two steps so that the scale itself does not overflow. */
static LLVMValueRef scale_by_exponent(struct hc_emit *e, LLVMValueRef x, LLVMValueRef n)
{
	LLVMTypeRef type = LLVMTypeOf(x), ints = LLVMTypeOf(n);
	LLVMTypeRef scalar = hc_is_vector(x) ? LLVMGetElementType(type) : type;
	bool is_double = scalar == e->f64;
	LLVMTypeRef bits = is_double ? e->i64 : e->i32;
	uint32_t bias = is_double ? 1023 : 127, mantissa = is_double ? 52 : 23;
	LLVMValueRef limit, parts[3], left;
	int i;

	if (hc_is_vector(x))
		bits = hc_vector_of(e, bits);
	/* The limits need more than 8 bits, or 16 of them. */
	if (LLVMGetIntTypeWidth(hc_is_vector(n) ? LLVMGetElementType(ints) : ints) < 32) {
		ints = hc_is_vector(n) ? hc_vector_of(e, e->i32) : e->i32;
		n = LLVMBuildSExt(e->b, n, ints, "");
	}
	limit = hc_int(e, ints, 3 * bias);
	n = hc_call2(e, "llvm.smin", n, limit);
	n = hc_call2(e, "llvm.smax", n, LLVMBuildNeg(e->b, limit, ""));
	parts[0] = LLVMBuildSDiv(e->b, n, hc_int(e, ints, 3), "");
	parts[1] = parts[0];
	left = LLVMBuildSub(e->b, n, LLVMBuildAdd(e->b, parts[0], parts[1], ""), "");
	parts[2] = left;
	for (i = 0; i < 3; i++) {
		LLVMValueRef power = LLVMBuildIntCast2(e->b, parts[i], bits, true, "");

		/* The last part may be two larger than the others: still a normal power. */
		power = LLVMBuildAdd(e->b, power, hc_int(e, bits, bias), "");
		power = hc_call2(e, "llvm.smax", power, hc_int(e, bits, 1));
		power = hc_call2(e, "llvm.smin", power, hc_int(e, bits, 2 * bias));
		power = LLVMBuildShl(e->b, power, hc_int(e, bits, mantissa), "");
		x = LLVMBuildFMul(e->b, x, LLVMBuildBitCast(e->b, power, type, ""), "");
	}
	return x;
}

/* Mantissa in [0.5, 1) and exponent (of 32 bits), denormals included. */
static LLVMValueRef split_float(struct hc_emit *e, LLVMValueRef x, LLVMValueRef *exponent)
{
	LLVMTypeRef type = LLVMTypeOf(x), ints,
		    words = hc_is_vector(x) ? hc_vector_of(e, e->i32) : e->i32;
	bool is_double = (hc_is_vector(x) ? LLVMGetElementType(type) : type) == e->f64;
	uint32_t digits = is_double ? 52 : 23, most = is_double ? 0x7ff : 0xff, half = most / 2 - 1;
	uint64_t powers = (uint64_t)most << digits, sign = 1ull << (is_double ? 63 : 31);
	LLVMValueRef small, scaled, bits, power, special, mantissa, zero;

	ints = !is_double ? words : hc_is_vector(x) ? hc_vector_of(e, e->i64) : e->i64;
	small = LLVMBuildFCmp(e->b, LLVMRealOLT, hc_call1(e, "llvm.fabs", x),
			      real(e, type, is_double ? 0x1p-1022 : 0x1p-126), "");
	scaled = LLVMBuildFMul(e->b, x, real(e, type, is_double ? 0x1p53 : 0x1p24), "");
	scaled = LLVMBuildSelect(e->b, small, scaled, x, "");
	bits = LLVMBuildBitCast(e->b, scaled, ints, "");
	power = LLVMBuildAnd(e->b, LLVMBuildLShr(e->b, bits, hc_int(e, ints, digits), ""),
			     hc_int(e, ints, most), "");
	power = LLVMBuildIntCast2(e->b, power, words, false, "");
	zero = LLVMBuildFCmp(e->b, LLVMRealOEQ, x, LLVMConstNull(type), "");
	special = LLVMBuildOr(
		e->b, zero, LLVMBuildICmp(e->b, LLVMIntEQ, power, hc_int(e, words, most), ""), "");
	power = LLVMBuildSub(e->b, power,
			     LLVMBuildSelect(e->b, small, hc_int(e, words, half + digits + 1),
					     hc_int(e, words, half), ""),
			     "");
	*exponent = LLVMBuildSelect(e->b, special, LLVMConstNull(words), power, "");
	mantissa = LLVMBuildAnd(e->b, bits, hc_int(e, ints, sign | (powers ^ (sign - 1))), "");
	mantissa = LLVMBuildOr(e->b, mantissa, hc_int(e, ints, (uint64_t)half << digits), "");
	return LLVMBuildSelect(e->b, special, x, LLVMBuildBitCast(e->b, mantissa, type, ""), "");
}

/* The second result of Modf and Frexp goes where a pointer points. */
static void store_second(struct hc_emit *e, const struct hc_inst *inst, uint32_t i,
			 LLVMValueRef value)
{
	uint32_t root;
	struct hc_place p = hc_find_place(e, argument_id(inst, 1), &root);
	struct hc_type *type = hc_leaf_type(e->m, p.type, 0);

	hc_store_value(e, &p, i * (p.component_stride ? p.component_stride : type->size), type,
		       value);
}

static void modf_or_frexp(struct hc_emit *e, const struct hc_inst *inst, uint32_t op)
{
	uint32_t i, count = hc_type_of(e->m, argument_id(inst, 0))->leaves;
	bool is_struct = op == GLSLstd450ModfStruct || op == GLSLstd450FrexpStruct;
	struct hc_type *type = argument_type(e, inst, 0);

	for (i = 0; i < count; i++) {
		LLVMValueRef x = argument(e, inst, 0, i), first, second;

		if (op == GLSLstd450ModfStruct || op == GLSLstd450Modf) {
			second = hc_call1(e, "llvm.trunc", x);
			first = hc_call2(e, "llvm.copysign", LLVMBuildFSub(e->b, x, second, ""), x);
			second = hc_narrow(e, type, second);
		} else {
			first = split_float(e, x, &second);
			if (is_struct &&
			    hc_leaf_type(e->m, hc_type(e->m, inst->type), count)->width == 16)
				second = LLVMBuildTrunc(
					e->b, second,
					hc_is_vector(second) ? hc_vector_of(e, e->i16) : e->i16,
					"");
		}
		hc_put(e, inst->result, i, hc_narrow(e, type, first));
		if (is_struct)
			hc_put(e, inst->result, count + i, second);
		else
			store_second(e, inst, i, second);
	}
}

/* ---- Packing ---- */

static LLVMValueRef lane_type_cast(struct hc_emit *e, LLVMValueRef x, LLVMTypeRef scalar,
				   bool is_signed)
{
	return LLVMBuildIntCast2(e->b, x, hc_is_vector(x) ? hc_vector_of(e, scalar) : scalar,
				 is_signed, "");
}

static bool pack(struct hc_emit *e, const struct hc_inst *inst, uint32_t op)
{
	struct hc_type half = { .kind = HC_TYPE_FLOAT, .width = 16 };
	uint32_t i, count = op == GLSLstd450PackSnorm4x8 || op == GLSLstd450PackUnorm4x8 ? 4 : 2;
	uint32_t width = 32 / count;
	bool is_signed = op == GLSLstd450PackSnorm4x8 || op == GLSLstd450PackSnorm2x16;
	LLVMValueRef word = NULL, x;

	for (i = 0; i < count; i++) {
		x = hc_widen(e, argument_type(e, inst, 0),
			     hc_as_shape(e, inst->result, 0, argument_id(inst, 0), i));
		if (op == GLSLstd450PackHalf2x16) {
			x = hc_narrow(e, &half, x);
		} else {
			LLVMTypeRef type = LLVMTypeOf(x),
				    ints = hc_is_vector(x) ? hc_vector_of(e, e->i32) : e->i32;
			double most = (double)((1u << (is_signed ? width - 1 : width)) - 1);

			x = clamp(e, GLSLstd450FClamp, x, real(e, type, is_signed ? -1 : 0),
				  real(e, type, 1));
			x = hc_call1(e, "llvm.roundeven",
				     LLVMBuildFMul(e->b, x, real(e, type, most), ""));
			x = LLVMBuildFPToSI(e->b, x, ints, "");
			x = LLVMBuildAnd(e->b, x, hc_int(e, ints, (1ull << width) - 1), "");
		}
		x = lane_type_cast(e, x, e->i32, false);
		x = LLVMBuildShl(e->b, x, hc_int(e, LLVMTypeOf(x), i * width), "");
		word = word ? LLVMBuildOr(e->b, word, x, "") : x;
	}
	hc_put(e, inst->result, 0, word);
	return true;
}

static bool unpack(struct hc_emit *e, const struct hc_inst *inst, uint32_t op)
{
	struct hc_type half = { .kind = HC_TYPE_FLOAT, .width = 16 };
	uint32_t i, count = hc_type(e->m, inst->type)->leaves, width = 32 / count;
	bool is_signed = op == GLSLstd450UnpackSnorm4x8 || op == GLSLstd450UnpackSnorm2x16;

	for (i = 0; i < count; i++) {
		LLVMValueRef x = hc_as_shape(e, inst->result, i, argument_id(inst, 0), 0);
		LLVMTypeRef part = LLVMIntTypeInContext(e->context, width), floats;

		x = LLVMBuildLShr(e->b, x, hc_int(e, LLVMTypeOf(x), i * width), "");
		x = lane_type_cast(e, x, part, false);
		if (op == GLSLstd450UnpackHalf2x16) {
			hc_put(e, inst->result, i, hc_widen(e, &half, x));
			continue;
		}
		floats = hc_is_vector(x) ? hc_vector_of(e, e->f32) : e->f32;
		x = is_signed ? LLVMBuildSIToFP(e->b, x, floats, "")
			      : LLVMBuildUIToFP(e->b, x, floats, "");
		x = LLVMBuildFDiv(
			e->b, x,
			real(e, floats, (double)((1u << (is_signed ? width - 1 : width)) - 1)), "");
		if (is_signed)
			x = hc_call2(e, "llvm.maxnum", x, real(e, floats, -1));
		hc_put(e, inst->result, i, x);
	}
	return true;
}

/* Two words and a double, the lesser word first. */
static void pack_double(struct hc_emit *e, const struct hc_inst *inst)
{
	LLVMValueRef part[2];
	LLVMTypeRef wide, type;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		part[i] = hc_as_shape(e, inst->result, 0, argument_id(inst, 0), i);
		part[i] = lane_type_cast(e, part[i], e->i64, false);
	}
	wide = LLVMTypeOf(part[0]);
	type = hc_is_vector(part[0]) ? hc_vector_of(e, e->f64) : e->f64;
	part[1] = LLVMBuildShl(e->b, part[1], hc_int(e, wide, 32), "");
	hc_put(e, inst->result, 0,
	       LLVMBuildBitCast(e->b, LLVMBuildOr(e->b, part[0], part[1], ""), type, ""));
}

static void unpack_double(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		LLVMValueRef x = hc_as_shape(e, inst->result, i, argument_id(inst, 0), 0);
		LLVMTypeRef wide = hc_is_vector(x) ? hc_vector_of(e, e->i64) : e->i64;

		x = LLVMBuildBitCast(e->b, x, wide, "");
		x = LLVMBuildLShr(e->b, x, hc_int(e, wide, 32 * i), "");
		hc_put(e, inst->result, i, lane_type_cast(e, x, e->i32, false));
	}
}

static LLVMValueRef one_leaf(struct hc_emit *e, const struct hc_inst *inst, uint32_t op,
			     uint32_t leaf)
{
	LLVMValueRef args[3] = { argument(e, inst, 0, leaf) };
	uint32_t i, count = inst->operands - 2u;
	LLVMTypeRef type = LLVMTypeOf(args[0]);
	bool is_half = argument_type(e, inst, 0)->width == 16;
	LLVMValueRef limited;
	const char *name;

	for (i = 1; i < count && i < 3; i++)
		args[i] = argument(e, inst, i, leaf);
	limited = is_half ? half_limits(e, op, args) : NULL;
	if (limited)
		return limited;
	if (math_op(op) >= 0)
		return hc_math_emit(e->b, e->module, (enum hc_math_op)math_op(op), type, args);
	name = intrinsic_of(op);
	if (name)
		return hc_call1(e, name, args[0]);
	name = count > 1 ? intrinsic2_of(op) : NULL;
	if (name)
		return hc_call2(e, name, args[0], args[1]);
	switch (op) {
	case GLSLstd450SAbs:
		return hc_call2(e, "llvm.smax", args[0], LLVMBuildNeg(e->b, args[0], ""));
	case GLSLstd450FSign:
		return sign(e, args[0], true);
	case GLSLstd450SSign:
		return sign(e, args[0], false);
	case GLSLstd450Fract:
		return LLVMBuildFSub(e->b, args[0], hc_call1(e, "llvm.floor", args[0]), "");
	case GLSLstd450Radians:
		return LLVMBuildFMul(e->b, args[0], real(e, type, 0.017453292519943295), "");
	case GLSLstd450Degrees:
		/* Rounded as the numbers are, so that the product is that of two halves. */
		return LLVMBuildFMul(e->b, args[0],
				     real(e, type, is_half ? 57.28125 : 57.29577951308232), "");
	case GLSLstd450FClamp:
	case GLSLstd450NClamp:
	case GLSLstd450UClamp:
	case GLSLstd450SClamp:
		return clamp(e, op, args[0], args[1], args[2]);
	case GLSLstd450FMix:
		return LLVMBuildFAdd(
			e->b,
			LLVMBuildFMul(e->b, args[0],
				      LLVMBuildFSub(e->b, real(e, type, 1), args[2], ""), ""),
			LLVMBuildFMul(e->b, args[1], args[2], ""), "");
	case GLSLstd450Step:
		return LLVMBuildSelect(e->b, LLVMBuildFCmp(e->b, LLVMRealOLT, args[1], args[0], ""),
				       real(e, type, 0), real(e, type, 1), "");
	case GLSLstd450SmoothStep:
		return smooth_step(e, args[0], args[1], args[2]);
	case GLSLstd450Fma:
		return hc_call3(e, "llvm.fma", args[0], args[1], args[2]);
	case GLSLstd450Ldexp:
		return scale_by_exponent(e, args[0], args[1]);
	case GLSLstd450FindILsb:
	case GLSLstd450FindSMsb:
	case GLSLstd450FindUMsb:
		return find_bit(e, op, args[0], argument_type(e, inst, 0)->width);
	default:
		return NULL;
	}
}

void hc_emit_glsl(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves, op = inst->operand[1];
	struct hc_type *type = hc_leaf_type(e->m, hc_type(e->m, inst->type), 0);

	if (inst->operand[0] != e->m->glsl)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "an extended instruction set other than GLSL.std.450 is not supported");
	switch (op) {
	case GLSLstd450PackHalf2x16:
	case GLSLstd450PackSnorm4x8:
	case GLSLstd450PackUnorm4x8:
	case GLSLstd450PackSnorm2x16:
	case GLSLstd450PackUnorm2x16:
		pack(e, inst, op);
		return;
	case GLSLstd450UnpackHalf2x16:
	case GLSLstd450UnpackSnorm4x8:
	case GLSLstd450UnpackUnorm4x8:
	case GLSLstd450UnpackSnorm2x16:
	case GLSLstd450UnpackUnorm2x16:
		unpack(e, inst, op);
		return;
	case GLSLstd450PackDouble2x32:
		pack_double(e, inst);
		return;
	case GLSLstd450UnpackDouble2x32:
		unpack_double(e, inst);
		return;
	case GLSLstd450Modf:
	case GLSLstd450Frexp:
	case GLSLstd450ModfStruct:
	case GLSLstd450FrexpStruct:
		modf_or_frexp(e, inst, op);
		return;
	default:
		break;
	}
	if (hc_emit_geometry(e, inst))
		return;
	for (leaf = 0; leaf < leaves; leaf++) {
		LLVMValueRef value = one_leaf(e, inst, op, leaf);

		if (!value)
			hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
				 "GLSL.std.450 instruction %u on %u bits is not supported", op,
				 type->width);
		hc_put(e, inst->result, leaf, hc_narrow(e, type, value));
	}
}
