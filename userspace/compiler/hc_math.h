/* SPDX-License-Identifier: MIT */
/*
 * The transcendental functions of GLSL.std.450 as LLVM IR, for any number of lanes and any target.
 *
 * Each (operation, type) becomes one internal alwaysinline function in the module, made on first use;
 * hc_math_emit() inserts a call to it. No library is called. The precision is that which Vulkan demands
 * or better; hc_math.c states the measured bound of each operation.
 */
#ifndef HEARTH_HC_MATH_H
#define HEARTH_HC_MATH_H

#include <llvm-c/Core.h>

enum hc_math_op {
	HC_MATH_SIN,
	HC_MATH_COS,
	HC_MATH_TAN,
	HC_MATH_ASIN,
	HC_MATH_ACOS,
	HC_MATH_ATAN,
	HC_MATH_ATAN2, /* args: y, x */
	HC_MATH_SINH,
	HC_MATH_COSH,
	HC_MATH_TANH,
	HC_MATH_ASINH,
	HC_MATH_ACOSH,
	HC_MATH_ATANH,
	HC_MATH_EXP,
	HC_MATH_EXP2,
	HC_MATH_LOG,
	HC_MATH_LOG2,
	HC_MATH_POW, /* args: x, y */
	HC_MATH_SQRT,
	HC_MATH_INVERSESQRT,
	HC_MATH_COUNT,
};

/* 1 or 2. */
unsigned hc_math_arity(enum hc_math_op op);

/*
 * @type: float, or a fixed vector of float; double or a vector of double for SQRT and INVERSESQRT only.
 * @args: hc_math_arity() values of @type. The builder stays behind the inserted call.
 * Returns the result, of @type; NULL if the operation is not known for the type.
 */
LLVMValueRef hc_math_emit(LLVMBuilderRef b, LLVMModuleRef m, enum hc_math_op op, LLVMTypeRef type,
			  LLVMValueRef *args);

/*
 * Half precision, for targets with and without instructions for it. Keep halves as i16 (or vectors of
 * i16) and compute in float: for + - * / and sqrt the result, rounded to half, is the correctly rounded
 * one. @hardware: hc_target_has_f16() of the target. Rounding is to nearest even; denormals, infinities
 * and NaN are kept.
 */
LLVMValueRef hc_math_half_to_float(LLVMBuilderRef b, LLVMModuleRef m, int hardware,
				   LLVMValueRef half_bits);
LLVMValueRef hc_math_float_to_half(LLVMBuilderRef b, LLVMModuleRef m, int hardware,
				   LLVMValueRef value);

/* Whether the target converts half to float and back in vector registers by itself. */
struct hc_target;
int hc_target_has_f16(const struct hc_target *target);

#endif /* HEARTH_HC_MATH_H */
