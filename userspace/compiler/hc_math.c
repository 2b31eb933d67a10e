// SPDX-License-Identifier: MIT
/*
 * Vector math: the functions in the module, the notation that the families share, and half precision.
 *
 * Errors in units in the last place, found by tests/compiler/test_math.c over dense samples of the whole
 * range (see its table): sin cos 2 (absolute 2^-24 near zeros far out), tan 4, asin acos atan 3,
 * atan2 4, exp exp2 2, log log2 2, pow 16, sinh cosh tanh 4, asinh acosh atanh 4, sqrt 0.5, inversesqrt 1.5.
 * No instruction here carries fast-math flags, and none must be given any: the reductions live on exact
 * roundings.
 */
#include <stdio.h>
#include <string.h>

#include "hc_math_internal.h"

LLVMTypeRef mb_lanes_of(const struct mb *x, LLVMTypeRef element)
{
	return x->lanes ? LLVMVectorType(element, x->lanes) : element;
}

struct mb mb_make(LLVMBuilderRef b, LLVMModuleRef m, LLVMTypeRef like)
{
	struct mb x = { .b = b, .m = m, .c = LLVMGetModuleContext(m) };

	if (LLVMGetTypeKind(like) == LLVMVectorTypeKind)
		x.lanes = LLVMGetVectorSize(like);
	x.f32 = mb_lanes_of(&x, LLVMFloatTypeInContext(x.c));
	x.i32 = mb_lanes_of(&x, LLVMInt32TypeInContext(x.c));
	x.i1 = mb_lanes_of(&x, LLVMInt1TypeInContext(x.c));
	return x;
}

val mb_intrinsic(const struct mb *x, const char *name, LLVMTypeRef type, val *args, unsigned n)
{
	unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
	val f = LLVMGetIntrinsicDeclaration(x->m, id, &type, 1);

	return LLVMBuildCall2(x->b, LLVMIntrinsicGetType(x->c, id, &type, 1), f, args, n, "");
}

static const char *const op_names[HC_MATH_COUNT] = {
	[HC_MATH_SIN] = "sin",	   [HC_MATH_COS] = "cos",
	[HC_MATH_TAN] = "tan",	   [HC_MATH_ASIN] = "asin",
	[HC_MATH_ACOS] = "acos",   [HC_MATH_ATAN] = "atan",
	[HC_MATH_ATAN2] = "atan2", [HC_MATH_SINH] = "sinh",
	[HC_MATH_COSH] = "cosh",   [HC_MATH_TANH] = "tanh",
	[HC_MATH_ASINH] = "asinh", [HC_MATH_ACOSH] = "acosh",
	[HC_MATH_ATANH] = "atanh", [HC_MATH_EXP] = "exp",
	[HC_MATH_EXP2] = "exp2",   [HC_MATH_LOG] = "log",
	[HC_MATH_LOG2] = "log2",   [HC_MATH_POW] = "pow",
	[HC_MATH_SQRT] = "sqrt",   [HC_MATH_INVERSESQRT] = "inversesqrt",
};

unsigned hc_math_arity(enum hc_math_op op)
{
	return op == HC_MATH_ATAN2 || op == HC_MATH_POW ? 2 : 1;
}

static val emit_body(const struct mb *x, enum hc_math_op op, val *args)
{
	val (*const families[])(const struct mb *x, enum hc_math_op op, val *args) = {
		hc_math_exponential,
		hc_math_trig,
		hc_math_inverse_trig,
		hc_math_hyperbolic,
	};

	for (unsigned i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		val v = families[i](x, op, args);

		if (v)
			return v;
	}
	return NULL;
}

static void mark(LLVMValueRef function, const char *attribute)
{
	LLVMContextRef c = LLVMGetModuleContext(LLVMGetGlobalParent(function));
	unsigned kind = LLVMGetEnumAttributeKindForName(attribute, strlen(attribute));

	LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(c, kind, 0));
}

static val make_function(const struct mb *outer, enum hc_math_op op, LLVMTypeRef function_type,
			 const char *name)
{
	val f = LLVMAddFunction(outer->m, name, function_type);
	val args[2] = { LLVMGetParam(f, 0), NULL };
	struct mb x = *outer;

	if (hc_math_arity(op) == 2)
		args[1] = LLVMGetParam(f, 1);
	LLVMSetLinkage(f, LLVMInternalLinkage);
	mark(f, "alwaysinline");

	x.b = LLVMCreateBuilderInContext(x.c);
	LLVMPositionBuilderAtEnd(x.b, LLVMAppendBasicBlockInContext(x.c, f, ""));
	LLVMBuildRet(x.b, emit_body(&x, op, args));
	LLVMDisposeBuilder(x.b);
	return f;
}

LLVMValueRef hc_math_emit(LLVMBuilderRef b, LLVMModuleRef m, enum hc_math_op op, LLVMTypeRef type,
			  LLVMValueRef *args)
{
	struct mb x = mb_make(b, m, type);
	LLVMTypeRef element = x.lanes ? LLVMGetElementType(type) : type;
	LLVMTypeRef params[2] = { type, type };
	char name[48];

	if ((unsigned)op >= HC_MATH_COUNT)
		return NULL;
	if (op == HC_MATH_SQRT)
		return fsqrt_(&x, args[0]);
	if (op == HC_MATH_INVERSESQRT)
		return fdiv_(&x, mb_splat(&x, LLVMConstReal(element, 1.0)), fsqrt_(&x, args[0]));
	if (LLVMGetTypeKind(element) != LLVMFloatTypeKind)
		return NULL;

	snprintf(name, sizeof(name), "hc.%s.%u", op_names[op], x.lanes);

	LLVMTypeRef function_type = LLVMFunctionType(type, params, hc_math_arity(op), 0);
	val f = LLVMGetNamedFunction(m, name);

	if (!f)
		f = make_function(&x, op, function_type, name);
	return LLVMBuildCall2(b, function_type, f, args, hc_math_arity(op), "");
}

#define F32_INF_BITS	   0x7f800000u
#define HALF_REBIAS	   ((127u - 15u) << 10) /* difference of the exponents' biases */
#define HALF_OVERFLOW_BITS 0x47800000u		/* 2^16 as float */
#define HALF_NORMAL_BITS   0x38800000u		/* 2^-14 as float, the smallest normal half */

LLVMValueRef hc_math_half_to_float(LLVMBuilderRef b, LLVMModuleRef m, int hardware,
				   LLVMValueRef half_bits)
{
	struct mb x = mb_make(b, m, LLVMTypeOf(half_bits));

	if (hardware) {
		LLVMTypeRef half = mb_lanes_of(&x, LLVMHalfTypeInContext(x.c));

		return LLVMBuildFPExt(b, LLVMBuildBitCast(b, half_bits, half, ""), x.f32, "");
	}

	/* Exponent and fraction moved into place and rebiased by a product, which also normalises. */
	val h = LLVMBuildZExt(b, half_bits, x.i32, "");
	val magnitude = shl(&x, iand(&x, h, 0x7fff), 13);
	val v = to_bits(&x, fmul(&x, to_float(&x, magnitude), fc(&x, 0x1p112f)));
	val special = icmp(&x, LLVMIntUGE, magnitude, ic(&x, 0x7c00u << 13));

	v = ior(&x, v, sel(&x, special, ic(&x, F32_INF_BITS), ic(&x, 0)));
	return to_float(&x, ior(&x, v, shl(&x, iand(&x, h, 0x8000), 16)));
}

LLVMValueRef hc_math_float_to_half(LLVMBuilderRef b, LLVMModuleRef m, int hardware,
				   LLVMValueRef value)
{
	struct mb x = mb_make(b, m, LLVMTypeOf(value));
	LLVMTypeRef i16 = mb_lanes_of(&x, LLVMInt16TypeInContext(x.c));

	if (hardware) {
		LLVMTypeRef half = mb_lanes_of(&x, LLVMHalfTypeInContext(x.c));

		return LLVMBuildBitCast(b, LLVMBuildFPTrunc(b, value, half, ""), i16, "");
	}

	val bits = to_bits(&x, value);
	val a = iand(&x, bits, 0x7fffffff);
	val odd = iand(&x, lshr(&x, a, 13), 1);
	val normal = isub(&x, lshr(&x, iadd(&x, iadd(&x, a, ic(&x, 0xfff)), odd), 13),
			  ic(&x, HALF_REBIAS));
	/* Below 2^-14 the sum with 0.5 rounds to the multiples of 2^-24 that denormal halves are. */
	val small = isub(&x, to_bits(&x, fadd(&x, to_float(&x, a), fc(&x, 0.5f))),
			 to_bits(&x, fc(&x, 0.5f)));
	val special = sel(&x, icmp(&x, LLVMIntUGT, a, ic(&x, F32_INF_BITS)), ic(&x, 0x7e00),
			  ic(&x, 0x7c00));
	val h = sel(&x, icmp(&x, LLVMIntULT, a, ic(&x, HALF_NORMAL_BITS)), small, normal);

	h = sel(&x, icmp(&x, LLVMIntUGE, a, ic(&x, HALF_OVERFLOW_BITS)), special, h);
	h = ior(&x, h, lshr(&x, iand(&x, bits, 0x80000000u), 16));
	return LLVMBuildTrunc(b, h, i16, "");
}
