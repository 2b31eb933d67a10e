// SPDX-License-Identifier: MIT
/*
 * Sine, cosine, tangent and their inverses. Arguments are reduced to x = n pi/2 + r, |r| <= pi/4: with pi/2 in three parts
 * while n is small, and for lanes with large arguments by a product with the bits of 2/pi that matter
 * (Payne and Hanek), on a path that is taken only if some lane needs it.
 */
#include "hc_math_internal.h"
#include "hc_math_tables.h"

#define PIO2_1	    0x1.921fb6p+0f /* pi/2 = PIO2_1 + PIO2_2 + PIO2_3 */
#define PIO2_2	    -0x1.777a5cp-25f
#define PIO2_3	    -0x1.ee59dap-50f
#define TWO_OVER_PI 0x1.45f306p-1f
#define TABLE_WORDS (sizeof(two_over_pi) / sizeof(two_over_pi[0]))

/* From here on the three-part reduction loses bits. */
#define LARGE	    0x1p15f

/* Quadrant in the low two bits of @q, and the rest. */
struct reduced {
	val q;
	val r;
};

static struct reduced reduce_small(const struct mb *x, val a)
{
	struct reduced d;
	val n;

	d.q = round_scaled(x, a, TWO_OVER_PI, &n);
	d.r = fnma(x, n, PIO2_1, a);
	d.r = fnma(x, n, PIO2_2, d.r);
	d.r = fnma(x, n, PIO2_3, d.r);
	return d;
}

/* two_over_pi[index + k] as i64, for index in 0..4. */
static val table_word(const struct mb *x, val index, unsigned k)
{
	val w = ic(x, two_over_pi[k]);

	for (unsigned i = 1; i + k < TABLE_WORDS && i <= 4; i++)
		w = sel(x, icmp(x, LLVMIntEQ, index, ic(x, i)), ic(x, two_over_pi[i + k]), w);
	return LLVMBuildZExt(x->b, w, mb_lanes_of(x, LLVMInt64TypeInContext(x->c)), "");
}

/*
 * |a| = m 2^e with m of 24 bits and e >= -8. In the product with 2/pi, multiples of 4 change nothing: of 2/pi the
 * bits from weight 2^(1-e) down are taken, 96 of them, and the product is kept modulo 4 in 64 bits:
 * two for the quadrant and 62 for the fraction.
 */
static struct reduced reduce_large(const struct mb *x, val a)
{
	LLVMTypeRef i64s = mb_lanes_of(x, LLVMInt64TypeInContext(x->c));
	LLVMTypeRef f64s = mb_lanes_of(x, LLVMDoubleTypeInContext(x->c));
	val c32 = mb_splat(x, LLVMConstInt(LLVMInt64TypeInContext(x->c), 32, 0));
	val round = mb_splat(x, LLVMConstInt(LLVMInt64TypeInContext(x->c), 1ull << 61, 0));
	val c62 = mb_splat(x, LLVMConstInt(LLVMInt64TypeInContext(x->c), 62, 0));
	val bits = iand(x, to_bits(x, a), 0x7fffffff);
	val m = LLVMBuildZExt(x->b, ior(x, iand(x, bits, 0x7fffff), ic(x, 0x800000)), i64s, "");
	/* e = exponent - 150; the first bit wanted is number e - 2 of the fraction, 32 zero bits before. */
	val first = isub(x, lshr(x, bits, 23), ic(x, 150 + 2 - 32));
	val index = lshr(x, first, 5);
	val shift = LLVMBuildZExt(x->b, iand(x, first, 31), i64s, "");
	val t[4], w[3], p, q, fraction, d;
	struct reduced out;

	/* Lanes that are not large do not matter here, but their index must stay in the table. */
	index = sel(x, icmp(x, LLVMIntUGT, index, ic(x, 4)), ic(x, 0), index);
	for (unsigned k = 0; k < 4; k++)
		t[k] = table_word(x, index, k);
	for (unsigned k = 0; k < 3; k++) {
		val pair = LLVMBuildOr(x->b, LLVMBuildShl(x->b, t[k], c32, ""), t[k + 1], "");

		w[k] = LLVMBuildLShr(x->b, LLVMBuildShl(x->b, pair, shift, ""), c32, "");
	}
	p = LLVMBuildShl(x->b, LLVMBuildMul(x->b, m, w[0], ""), c32, "");
	p = LLVMBuildAdd(x->b, p, LLVMBuildMul(x->b, m, w[1], ""), "");
	p = LLVMBuildAdd(x->b, p, LLVMBuildLShr(x->b, LLVMBuildMul(x->b, m, w[2], ""), c32, ""),
			 "");
	q = LLVMBuildLShr(x->b, LLVMBuildAdd(x->b, p, round, ""), c62, "");
	fraction = LLVMBuildSub(x->b, p, LLVMBuildShl(x->b, q, c62, ""), "");
	d = LLVMBuildFMul(x->b, LLVMBuildSIToFP(x->b, fraction, f64s, ""),
			  mb_splat(x, LLVMConstReal(LLVMDoubleTypeInContext(x->c),
						    0x1.921fb54442d18p+0 * 0x1p-62)),
			  "");

	val sign = sign_bit(x, a);
	val negative = icmp(x, LLVMIntNE, sign, ic(x, 0));

	out.r = xor_sign(x, LLVMBuildFPTrunc(x->b, d, x->f32, ""), sign);
	out.q = LLVMBuildTrunc(x->b, q, x->i32, "");
	out.q = sel(x, negative, isub(x, ic(x, 0), out.q), out.q);
	return out;
}

static struct reduced reduce(const struct mb *x, val a)
{
	struct reduced d = reduce_small(x, a);
	val magnitude = fabs_(x, a);
	val large = LLVMBuildAnd(x->b, fcmp(x, LLVMRealOGE, magnitude, fc(x, LARGE)),
				 fcmp(x, LLVMRealONE, magnitude, fc(x, __builtin_inff())), "");
	LLVMBasicBlockRef from = LLVMGetInsertBlock(x->b);
	val function = LLVMGetBasicBlockParent(from);
	LLVMBasicBlockRef slow = LLVMAppendBasicBlockInContext(x->c, function, "large");
	LLVMBasicBlockRef on = LLVMAppendBasicBlockInContext(x->c, function, "reduced");

	LLVMBuildCondBr(x->b, any(x, large), slow, on);
	LLVMPositionBuilderAtEnd(x->b, slow);

	struct reduced s = reduce_large(x, a);

	s.q = sel(x, large, s.q, d.q);
	s.r = sel(x, large, s.r, d.r);
	LLVMBuildBr(x->b, on);
	LLVMPositionBuilderAtEnd(x->b, on);

	val q = LLVMBuildPhi(x->b, x->i32, "q"), r = LLVMBuildPhi(x->b, x->f32, "r");
	LLVMBasicBlockRef blocks[] = { from, slow };
	val qs[] = { d.q, s.q }, rs[] = { d.r, s.r };

	LLVMAddIncoming(q, qs, blocks, 2);
	LLVMAddIncoming(r, rs, blocks, 2);
	return (struct reduced){ .q = q, .r = r };
}

static val sin_of(const struct mb *x, val r)
{
	val z = fmul(x, r, r);

	return ffma(x, fmul(x, z, r), POLY(x, sin_poly, z), r);
}

static val cos_of(const struct mb *x, val r)
{
	val z = fmul(x, r, r);
	val p = fmul(x, fmul(x, z, z), POLY(x, cos_poly, z));

	return fadd(x, fc(x, 1.0f), ffma(x, z, fc(x, -0.5f), p));
}

/* Quadrants: sin, cos, -sin, -cos. @shift 1 starts with cos. */
static val emit_sincos(const struct mb *x, val a, unsigned shift)
{
	struct reduced d = reduce(x, a);
	val q = iadd(x, d.q, ic(x, shift));
	val even = icmp(x, LLVMIntEQ, iand(x, q, 1), ic(x, 0));
	val v = sel(x, even, sin_of(x, d.r), cos_of(x, d.r));

	return xor_sign(x, v, shl(x, iand(x, q, 2), 30));
}

static val emit_tan(const struct mb *x, val a)
{
	struct reduced d = reduce(x, a);
	val s = sin_of(x, d.r), c = cos_of(x, d.r);
	val even = icmp(x, LLVMIntEQ, iand(x, d.q, 1), ic(x, 0));
	val v = fdiv_(x, sel(x, even, s, c), sel(x, even, c, s));

	return xor_sign(x, v, shl(x, iand(x, d.q, 1), 31));
}

val hc_math_trig(const struct mb *x, enum hc_math_op op, val *args)
{
	switch (op) {
	case HC_MATH_SIN:
		return emit_sincos(x, args[0], 0);
	case HC_MATH_COS:
		return emit_sincos(x, args[0], 1);
	case HC_MATH_TAN:
		return emit_tan(x, args[0]);
	default:
		return NULL;
	}
}

/* asin of |a|, and for |a| > 1/2 its distance from pi/2, halved: asin a = pi/2 - 2 asin sqrt((1 - a)/2). */
static val asin_part(const struct mb *x, val a, val big)
{
	val z = sel(x, big, ffma(x, a, fc(x, -0.5f), fc(x, 0.5f)), fmul(x, a, a));
	val s = sel(x, big, fsqrt_(x, z), a);

	return ffma(x, fmul(x, s, z), POLY(x, asin_poly, z), s);
}

static val emit_asin(const struct mb *x, val a)
{
	val magnitude = fabs_(x, a);
	val big = fcmp(x, LLVMRealOGT, magnitude, fc(x, 0.5f));
	val p = asin_part(x, magnitude, big);
	val far = fadd(x, ffma(x, p, fc(x, -2.0f), fc(x, PIO2_2)), fc(x, PIO2_1));

	return xor_sign(x, sel(x, big, far, p), sign_bit(x, a));
}

static val emit_acos(const struct mb *x, val a)
{
	val magnitude = fabs_(x, a), sign = sign_bit(x, a);
	val big = fcmp(x, LLVMRealOGT, magnitude, fc(x, 0.5f));
	val negative = icmp(x, LLVMIntNE, sign, ic(x, 0));
	val p = asin_part(x, magnitude, big);
	val near_one = fadd(x, p, p);
	val near_minus_one = fadd(x, fsub(x, fc(x, 2 * PIO2_2), near_one), fc(x, 2 * PIO2_1));
	val middle = fadd(x, fsub(x, fc(x, PIO2_2), xor_sign(x, p, sign)), fc(x, PIO2_1));

	return sel(x, big, sel(x, negative, near_minus_one, near_one), middle);
}

#define TAN_PI_8  0x1.a82798p-2f /* tan(pi/8) */
#define TAN_3PI_8 0x1.350a28p+1f /* tan(3 pi/8) */

/* atan(y/x) for y, x >= 0: by thirds of the quadrant, with one division. */
static val atan_ratio(const struct mb *x, val y, val d)
{
	val steep = fcmp(x, LLVMRealOGT, y, fmul(x, d, fc(x, TAN_3PI_8)));
	val middle = fcmp(x, LLVMRealOGT, y, fmul(x, d, fc(x, TAN_PI_8)));
	val num = sel(x, steep, LLVMBuildFNeg(x->b, d, ""), sel(x, middle, fsub(x, y, d), y));
	val den = sel(x, steep, y, sel(x, middle, fadd(x, y, d), d));
	val high = sel(x, steep, fc(x, PIO2_1), sel(x, middle, fc(x, PIO2_1 / 2), fc(x, 0.0f)));
	val low = sel(x, steep, fc(x, PIO2_2), sel(x, middle, fc(x, PIO2_2 / 2), fc(x, 0.0f)));
	val q = fdiv_(x, num, den);
	val z = fmul(x, q, q);
	val p = ffma(x, fmul(x, q, z), POLY(x, atan_poly, z), low);

	return fadd(x, high, fadd(x, q, p));
}

static val emit_atan(const struct mb *x, val a)
{
	val magnitude = fabs_(x, a);
	/* 2^60 and infinity have the same arc tangent. */
	val bounded =
		sel(x, fcmp(x, LLVMRealOGT, magnitude, fc(x, 0x1p60f)), fc(x, 0x1p60f), magnitude);

	return xor_sign(x, atan_ratio(x, bounded, fc(x, 1.0f)), sign_bit(x, a));
}

static val emit_atan2(const struct mb *x, val y, val d)
{
	val ay = fabs_(x, y), ad = fabs_(x, d);
	val inf = fc(x, __builtin_inff()), zero = fc(x, 0.0f);
	val largest = sel(x, fcmp(x, LLVMRealOGT, ay, ad), ay, ad);
	val huge = fcmp(x, LLVMRealOGT, largest, fc(x, 0x1p100f));
	val tiny = fcmp(x, LLVMRealOLT, largest, fc(x, 0x1p-60f));
	val factor = sel(x, huge, fc(x, 0x1p-40f), sel(x, tiny, fc(x, 0x1p80f), fc(x, 1.0f)));
	val both_inf = LLVMBuildAnd(x->b, fcmp(x, LLVMRealOEQ, ay, inf),
				    fcmp(x, LLVMRealOEQ, ad, inf), "");
	val both_zero = fcmp(x, LLVMRealOEQ, largest, zero);
	val r, behind;

	/* Sums and products of the two must neither overflow nor lose bits; infinities count as equal. */
	ay = sel(x, both_inf, fc(x, 1.0f), fmul(x, ay, factor));
	ad = sel(x, both_inf, fc(x, 1.0f), fmul(x, ad, factor));
	ad = sel(x, both_zero, fc(x, 1.0f), ad);
	r = atan_ratio(x, ay, ad);

	behind = icmp(x, LLVMIntNE, sign_bit(x, d), ic(x, 0));
	r = sel(x, behind, fadd(x, fsub(x, fc(x, 2 * PIO2_2), r), fc(x, 2 * PIO2_1)), r);
	r = xor_sign(x, r, sign_bit(x, y));
	return sel(x, fcmp(x, LLVMRealUNO, y, d), fadd(x, y, d), r);
}

val hc_math_inverse_trig(const struct mb *x, enum hc_math_op op, val *args)
{
	switch (op) {
	case HC_MATH_ASIN:
		return emit_asin(x, args[0]);
	case HC_MATH_ACOS:
		return emit_acos(x, args[0]);
	case HC_MATH_ATAN:
		return emit_atan(x, args[0]);
	case HC_MATH_ATAN2:
		return emit_atan2(x, args[0], args[1]);
	default:
		return NULL;
	}
}
