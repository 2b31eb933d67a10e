// SPDX-License-Identifier: MIT
/*
 * Hyperbolic functions and their inverses, from the exponential and the logarithm; near zero, where
 * those would cancel, from polynomials or from log(1 + u) with the rounding of 1 + u put right.
 */
#include "hc_math_internal.h"
#include "hc_math_tables.h"

#define LN2 0x1.62e430p-1f

static val odd_poly(const struct mb *x, val a, const float *c, unsigned n)
{
	val z = fmul(x, a, a);

	return ffma(x, fmul(x, a, z), poly(x, c, n, z), a);
}
#define ODD_POLY(x, a, table) odd_poly(x, a, table, sizeof(table) / sizeof((table)[0]))

/* sinh and cosh by h = e^|a| / 2, which does not overflow before they do. */
static val emit_sinh(const struct mb *x, val a)
{
	val magnitude = fabs_(x, a);
	val h = mb_exp(x, magnitude, -1);
	val large = fsub(x, h, fdiv_(x, fc(x, 0.25f), h));
	val small = ODD_POLY(x, magnitude, sinh_poly);
	val r = sel(x, fcmp(x, LLVMRealOLE, magnitude, fc(x, 1.0f)), small, large);

	return xor_sign(x, r, sign_bit(x, a));
}

static val emit_cosh(const struct mb *x, val a)
{
	val h = mb_exp(x, fabs_(x, a), -1);

	return fadd(x, h, fdiv_(x, fc(x, 0.25f), h));
}

static val emit_tanh(const struct mb *x, val a)
{
	val magnitude = fabs_(x, a);
	val e = mb_exp(x, fadd(x, magnitude, magnitude), 0);
	val large = fsub(x, fc(x, 1.0f), fdiv_(x, fc(x, 2.0f), fadd(x, e, fc(x, 1.0f))));
	val small = ODD_POLY(x, magnitude, tanh_poly);
	val r = sel(x, fcmp(x, LLVMRealOLE, magnitude, fc(x, 0.625f)), small, large);

	return xor_sign(x, r, sign_bit(x, a));
}

/* log(1 + u) for u > -1: the logarithm of the rounded sum, and what rounding lost, to first order. */
static val log1p_(const struct mb *x, val u)
{
	val one = fc(x, 1.0f);
	val w = fadd(x, one, u);
	/* The larger of the two terms first, then the subtractions are exact. */
	val big = fcmp(x, LLVMRealOGT, u, one);
	val lost_small = fsub(x, u, fsub(x, w, one));
	val lost_big = fsub(x, one, fsub(x, w, u));
	val lost = sel(x, big, lost_big, lost_small);
	val r = fadd(x, mb_log(x, w), fdiv_(x, lost, w));
	val plain = LLVMBuildOr(x->b, fcmp(x, LLVMRealOEQ, w, fc(x, 0.0f)),
				fcmp(x, LLVMRealOEQ, w, fc(x, __builtin_inff())), "");

	r = sel(x, plain, mb_log(x, w), r);
	return sel(x, fcmp(x, LLVMRealOEQ, w, one), u, r);
}

/* Above this the 1 under the root is lost: both asinh and acosh are log 2a. */
#define FAR 0x1p13f

static val emit_asinh(const struct mb *x, val a)
{
	val magnitude = fabs_(x, a), one = fc(x, 1.0f);
	val far = fcmp(x, LLVMRealOGT, magnitude, fc(x, FAR));
	val z = sel(x, far, one, magnitude);
	val zz = fmul(x, z, z);
	val u = fadd(x, z, fdiv_(x, zz, fadd(x, one, fsqrt_(x, fadd(x, zz, one)))));
	val r = sel(x, far, fadd(x, mb_log(x, magnitude), fc(x, LN2)), log1p_(x, u));

	return xor_sign(x, r, sign_bit(x, a));
}

static val emit_acosh(const struct mb *x, val a)
{
	val one = fc(x, 1.0f);
	val far = fcmp(x, LLVMRealOGT, a, fc(x, FAR));
	val t = fsub(x, sel(x, far, one, a), one);
	val u = fadd(x, t, fsqrt_(x, fmul(x, t, fadd(x, t, fc(x, 2.0f)))));

	u = sel(x, fcmp(x, LLVMRealULT, a, one), fc(x, __builtin_nanf("")), u);
	return sel(x, far, fadd(x, mb_log(x, a), fc(x, LN2)), log1p_(x, u));
}

static val emit_atanh(const struct mb *x, val a)
{
	val magnitude = fabs_(x, a);
	val u = fdiv_(x, fadd(x, magnitude, magnitude), fsub(x, fc(x, 1.0f), magnitude));
	val r = fmul(x, log1p_(x, u), fc(x, 0.5f));

	r = sel(x, fcmp(x, LLVMRealOGT, magnitude, fc(x, 1.0f)), fc(x, __builtin_nanf("")), r);
	return xor_sign(x, r, sign_bit(x, a));
}

val hc_math_hyperbolic(const struct mb *x, enum hc_math_op op, val *args)
{
	switch (op) {
	case HC_MATH_SINH:
		return emit_sinh(x, args[0]);
	case HC_MATH_COSH:
		return emit_cosh(x, args[0]);
	case HC_MATH_TANH:
		return emit_tanh(x, args[0]);
	case HC_MATH_ASINH:
		return emit_asinh(x, args[0]);
	case HC_MATH_ACOSH:
		return emit_acosh(x, args[0]);
	case HC_MATH_ATANH:
		return emit_atanh(x, args[0]);
	default:
		return NULL;
	}
}
