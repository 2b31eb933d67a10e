/* SPDX-License-Identifier: MIT */
/* Shared by the files of hc_math: a terse notation for single-precision lane arithmetic in LLVM IR. */
#ifndef HEARTH_HC_MATH_INTERNAL_H
#define HEARTH_HC_MATH_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "hc_math.h"

typedef LLVMValueRef val;

/*
 * Where instructions go, and for how many lanes (0: scalars). @f32, @i32, @i1: types of that many lanes.
 */
struct mb {
	LLVMBuilderRef b;
	LLVMModuleRef m;
	LLVMContextRef c;
	unsigned lanes;
	LLVMTypeRef f32;
	LLVMTypeRef i32;
	LLVMTypeRef i1;
};

/* For values shaped as @like (a scalar or vector of any element). */
struct mb mb_make(LLVMBuilderRef b, LLVMModuleRef m, LLVMTypeRef like);
LLVMTypeRef mb_lanes_of(const struct mb *x, LLVMTypeRef element);
val mb_intrinsic(const struct mb *x, const char *name, LLVMTypeRef type, val *args, unsigned n);

static inline val mb_splat(const struct mb *x, val scalar)
{
	val lanes[1024];

	if (!x->lanes)
		return scalar;
	for (unsigned i = 0; i < x->lanes; i++)
		lanes[i] = scalar;
	return LLVMConstVector(lanes, x->lanes);
}

static inline val fc(const struct mb *x, float value)
{
	return mb_splat(x, LLVMConstReal(LLVMFloatTypeInContext(x->c), value));
}

static inline val ic(const struct mb *x, uint32_t value)
{
	return mb_splat(x, LLVMConstInt(LLVMInt32TypeInContext(x->c), value, 0));
}

static inline val fadd(const struct mb *x, val a, val b)
{
	return LLVMBuildFAdd(x->b, a, b, "");
}

static inline val fsub(const struct mb *x, val a, val b)
{
	return LLVMBuildFSub(x->b, a, b, "");
}

static inline val fmul(const struct mb *x, val a, val b)
{
	return LLVMBuildFMul(x->b, a, b, "");
}

static inline val fdiv_(const struct mb *x, val a, val b)
{
	return LLVMBuildFDiv(x->b, a, b, "");
}

/* a b + c, rounded once */
static inline val ffma(const struct mb *x, val a, val b, val c)
{
	val args[] = { a, b, c };

	return mb_intrinsic(x, "llvm.fma", LLVMTypeOf(a), args, 3);
}

/* c - a b, rounded once */
static inline val fnma(const struct mb *x, val a, float b, val c)
{
	return ffma(x, a, fc(x, -b), c);
}

static inline val fsqrt_(const struct mb *x, val a)
{
	return mb_intrinsic(x, "llvm.sqrt", LLVMTypeOf(a), &a, 1);
}

static inline val fabs_(const struct mb *x, val a)
{
	return mb_intrinsic(x, "llvm.fabs", LLVMTypeOf(a), &a, 1);
}

static inline val fcmp(const struct mb *x, LLVMRealPredicate p, val a, val b)
{
	return LLVMBuildFCmp(x->b, p, a, b, "");
}

static inline val sel(const struct mb *x, val condition, val a, val b)
{
	return LLVMBuildSelect(x->b, condition, a, b, "");
}

static inline val to_bits(const struct mb *x, val a)
{
	return LLVMBuildBitCast(x->b, a, x->i32, "");
}

static inline val to_float(const struct mb *x, val a)
{
	return LLVMBuildBitCast(x->b, a, x->f32, "");
}

static inline val iadd(const struct mb *x, val a, val b)
{
	return LLVMBuildAdd(x->b, a, b, "");
}

static inline val isub(const struct mb *x, val a, val b)
{
	return LLVMBuildSub(x->b, a, b, "");
}

static inline val iand(const struct mb *x, val a, uint32_t b)
{
	return LLVMBuildAnd(x->b, a, ic(x, b), "");
}

static inline val ior(const struct mb *x, val a, val b)
{
	return LLVMBuildOr(x->b, a, b, "");
}

static inline val ixor(const struct mb *x, val a, val b)
{
	return LLVMBuildXor(x->b, a, b, "");
}

static inline val shl(const struct mb *x, val a, unsigned n)
{
	return LLVMBuildShl(x->b, a, ic(x, n), "");
}

static inline val lshr(const struct mb *x, val a, unsigned n)
{
	return LLVMBuildLShr(x->b, a, ic(x, n), "");
}

static inline val ashr(const struct mb *x, val a, unsigned n)
{
	return LLVMBuildAShr(x->b, a, ic(x, n), "");
}

static inline val icmp(const struct mb *x, LLVMIntPredicate p, val a, val b)
{
	return LLVMBuildICmp(x->b, p, a, b, "");
}

/* As i32. */
static inline val sign_bit(const struct mb *x, val a)
{
	return iand(x, to_bits(x, a), 0x80000000u);
}

/* @sign: i32 with at most the sign bit. */
static inline val xor_sign(const struct mb *x, val a, val sign)
{
	return to_float(x, ixor(x, to_bits(x, a), sign));
}

/* NaN passes. */
static inline val clamp(const struct mb *x, val a, float lo, float hi)
{
	a = sel(x, fcmp(x, LLVMRealOLT, a, fc(x, lo)), fc(x, lo), a);
	return sel(x, fcmp(x, LLVMRealOGT, a, fc(x, hi)), fc(x, hi), a);
}

/* i1: true in some lane. */
static inline val any(const struct mb *x, val condition)
{
	if (!x->lanes)
		return condition;
	return mb_intrinsic(x, "llvm.vector.reduce.or", x->i1, &condition, 1);
}

/* c[0] + c[1] v + … + c[n-1] v^(n-1) */
static inline val poly(const struct mb *x, const float *c, unsigned n, val v)
{
	val p = fc(x, c[n - 1]);

	for (unsigned i = n - 1; i--;)
		p = ffma(x, p, v, fc(x, c[i]));
	return p;
}

#define POLY(x, table, v) poly(x, table, sizeof(table) / sizeof((table)[0]), v)

/*
 * Nearest integer to a k for |a k| < 2^22: *@n as float, and in the low bits (two's complement) of the
 * returned i32, off by a multiple of 2^22. Adding 1.5 * 2^23 leaves no bits for a fraction; taking it
 * off again leaves the integer.
 */
static inline val round_scaled(const struct mb *x, val a, float k, val *n)
{
	val magic = fc(x, 0x1.8p23f);
	val t = ffma(x, a, fc(x, k), magic);

	*n = fsub(x, t, magic);
	return to_bits(x, t);
}

/* The families. Each returns NULL for an operation that is not its own. */
val hc_math_trig(const struct mb *x, enum hc_math_op op, val *args);
val hc_math_inverse_trig(const struct mb *x, enum hc_math_op op, val *args);
val hc_math_exponential(const struct mb *x, enum hc_math_op op, val *args);
val hc_math_hyperbolic(const struct mb *x, enum hc_math_op op, val *args);

/* e^a 2^extra, without overflow in between. */
val mb_exp(const struct mb *x, val a, int extra);
val mb_log(const struct mb *x, val a);

#endif /* HEARTH_HC_MATH_INTERNAL_H */
