// SPDX-License-Identifier: MIT
/*
 * Exponentials and logarithms. x = n ln 2 + r with the nearest integer n splits e^x into 2^n, which is only an
 * exponent field, and a polynomial on |r| <= ln 2 / 2. Logarithms go the other way: x = 2^e m with m
 * between sqrt(1/2) and sqrt(2), so that nothing cancels near x = 1.
 */
#include "hc_math_internal.h"
#include "hc_math_tables.h"

#define LOG2E	  0x1.715476p+0f
#define LOG2E_LOW 0x1.4ae0c0p-26f /* log2(e) = LOG2E + LOG2E_LOW */
#define LN2_HIGH  0x1.62e400p-1f  /* 15 bits: its products with exponents are exact */
#define LN2_LOW	  0x1.7f7d1cp-20f

/* v 2^n for |n| < 254, rounded once: by two exact powers, as one may not have a normal exponent. */
static val scale(const struct mb *x, val v, val n)
{
	val half = ashr(x, n, 1);
	val rest = isub(x, n, half);

	v = fmul(x, v, to_float(x, shl(x, iadd(x, half, ic(x, 127)), 23)));
	return fmul(x, v, to_float(x, shl(x, iadd(x, rest, ic(x, 127)), 23)));
}

/* round_scaled()'s bits as a true integer plus @extra. */
static val exponent_of(const struct mb *x, val bits, int extra)
{
	return isub(x, bits, ic(x, 0x4b400000u - (uint32_t)extra));
}

val mb_exp(const struct mb *x, val a, int extra)
{
	val n, bits, r, p;

	/* Beyond these the result is 0 or infinity for every extra that is used. */
	a = clamp(x, a, -105.0f, 90.0f);
	bits = round_scaled(x, a, LOG2E, &n);
	r = fnma(x, n, LN2_HIGH, a);
	r = fnma(x, n, LN2_LOW, r);
	p = POLY(x, exp_poly, r);
	p = ffma(x, fmul(x, r, r), p, r);
	return scale(x, fadd(x, p, fc(x, 1.0f)), exponent_of(x, bits, extra));
}

/* 2^(a + low), |low| small. */
static val exp2_sum(const struct mb *x, val a, val low)
{
	val n, f, bits;

	bits = round_scaled(x, a, 1.0f, &n);
	f = fsub(x, a, n);
	if (low)
		f = fadd(x, f, low);
	return scale(x, ffma(x, f, POLY(x, exp2_poly, f), fc(x, 1.0f)), exponent_of(x, bits, 0));
}

static val emit_exp2(const struct mb *x, val a)
{
	return exp2_sum(x, clamp(x, a, -152.0f, 130.0f), NULL);
}

/* a = 2^e (1 + f); for positive finite a, denormals included. */
static void split(const struct mb *x, val a, val *e, val *f)
{
	val tiny = fcmp(x, LLVMRealOLT, a, fc(x, 0x1p-126f));
	val bits = to_bits(x, sel(x, tiny, fmul(x, a, fc(x, 0x1p24f)), a));
	/* Exponents counted from sqrt(1/2). */
	val n = ashr(x, isub(x, bits, ic(x, 0x3f3504f3)), 23);
	val m = to_float(x, isub(x, bits, shl(x, n, 23)));

	n = isub(x, n, sel(x, tiny, ic(x, 24), ic(x, 0)));
	*e = LLVMBuildSIToFP(x->b, n, x->f32, "");
	*f = fsub(x, m, fc(x, 1.0f));
}

/* log(1 + f) - f */
static val log_rest(const struct mb *x, val f)
{
	val z = fmul(x, f, f);
	val p = fmul(x, fmul(x, z, f), POLY(x, log_poly, f));

	return ffma(x, z, fc(x, -0.5f), p);
}

/* What the formula cannot know: log 0, log infinity, and logs of what has none. */
static val log_specials(const struct mb *x, val a, val r)
{
	float inf = __builtin_inff(), nan = __builtin_nanf("");

	r = sel(x, fcmp(x, LLVMRealOEQ, a, fc(x, inf)), a, r);
	r = sel(x, fcmp(x, LLVMRealOEQ, a, fc(x, 0.0f)), fc(x, -inf), r);
	return sel(x, fcmp(x, LLVMRealULT, a, fc(x, 0.0f)), fc(x, nan), r);
}

val mb_log(const struct mb *x, val a)
{
	val e, f, r;

	split(x, a, &e, &f);
	r = ffma(x, e, fc(x, LN2_LOW), log_rest(x, f));
	r = fadd(x, f, r);
	return log_specials(x, a, ffma(x, e, fc(x, LN2_HIGH), r));
}

/* log2 of positive finite a as the unevaluated sum of *@high and *@low. */
static void log2_sum(const struct mb *x, val a, val *high, val *low)
{
	val e, f, t, rest, sum;

	split(x, a, &e, &f);
	t = fmul(x, f, fc(x, LOG2E));
	rest = ffma(x, f, fc(x, LOG2E), LLVMBuildFNeg(x->b, t, ""));
	rest = ffma(x, f, fc(x, LOG2E_LOW), rest);
	rest = ffma(x, log_rest(x, f), fc(x, LOG2E), rest);
	sum = fadd(x, e, t);
	rest = fadd(x, fadd(x, fsub(x, e, sum), t), rest);
	*high = fadd(x, sum, rest);
	*low = fadd(x, fsub(x, sum, *high), rest);
}

static val emit_log2(const struct mb *x, val a)
{
	val high, low;

	log2_sum(x, a, &high, &low);
	return log_specials(x, a, high);
}

/*
 * 2^(y log2 x) with the logarithm in two parts, so that the error does not grow with the exponent.
 * x < 0 is NaN (GLSL leaves it open), y = 0 gives 1.
 */
static val emit_pow(const struct mb *x, val a, val y)
{
	val zero = fc(x, 0.0f), one = fc(x, 1.0f);
	val inf = fc(x, __builtin_inff());
	val high, low, p, rest, bounded, r, large, positive, extreme;

	log2_sum(x, a, &high, &low);
	p = fmul(x, y, high);
	rest = ffma(x, y, high, LLVMBuildFNeg(x->b, p, ""));
	rest = ffma(x, y, low, rest);
	bounded = fcmp(x, LLVMRealOLT, fabs_(x, p), fc(x, 160.0f));
	r = exp2_sum(x, clamp(x, p, -160.0f, 160.0f), sel(x, bounded, rest, zero));

	/* x of 0 or infinity: the sign of y decides between 0 and infinity. */
	positive = fcmp(x, LLVMRealOGT, y, zero);
	large = fcmp(x, LLVMRealOEQ, a, inf);
	extreme = sel(x, LLVMBuildXor(x->b, large, positive, ""), zero, inf);
	extreme = sel(x, fcmp(x, LLVMRealUNO, y, y), y, extreme);
	r = sel(x, LLVMBuildOr(x->b, large, fcmp(x, LLVMRealOEQ, a, zero), ""), extreme, r);
	r = sel(x, fcmp(x, LLVMRealULT, a, zero), fc(x, __builtin_nanf("")), r);
	return sel(x, fcmp(x, LLVMRealOEQ, y, zero), one, r);
}

val hc_math_exponential(const struct mb *x, enum hc_math_op op, val *args)
{
	switch (op) {
	case HC_MATH_EXP:
		return mb_exp(x, args[0], 0);
	case HC_MATH_EXP2:
		return emit_exp2(x, args[0]);
	case HC_MATH_LOG:
		return mb_log(x, args[0]);
	case HC_MATH_LOG2:
		return emit_log2(x, args[0]);
	case HC_MATH_POW:
		return emit_pow(x, args[0], args[1]);
	default:
		return NULL;
	}
}
