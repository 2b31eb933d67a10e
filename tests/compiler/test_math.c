// SPDX-License-Identifier: MIT
/*
 * Vector math against the C library in double precision: dense samples over all floats, in units in the last
 * place, and the special values, for scalars and for vectors; half precision exhaustively.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hc_codegen.h"
#include "hc_math.h"
#include "run_image.h"

/* Coprime to powers of two, so that samples take all kinds of fractions. */
#define SAMPLE_STRIDE 4093u

typedef void (*map_fn)(const void *a, const void *b, void *out, uint64_t vectors);

struct op_case {
	const char *name;
	enum hc_math_op op;
	double (*reference)(double);
	float lo, hi;	 /* samples outside are left out */
	double ulp;	 /* allowed error */
	double absolute; /* or this, whichever is larger */
};

static double inversesqrt(double x)
{
	return 1 / sqrt(x);
}

static const struct op_case cases[] = {
	{ "sin", HC_MATH_SIN, sin, -INFINITY, INFINITY, 2.0, 0 },
	{ "cos", HC_MATH_COS, cos, -INFINITY, INFINITY, 2.0, 0 },
	{ "tan", HC_MATH_TAN, tan, -INFINITY, INFINITY, 4.0, 0 },
	{ "asin", HC_MATH_ASIN, asin, -1, 1, 3.0, 0 },
	{ "acos", HC_MATH_ACOS, acos, -1, 1, 3.0, 0 },
	{ "atan", HC_MATH_ATAN, atan, -INFINITY, INFINITY, 3.0, 0 },
	{ "sinh", HC_MATH_SINH, sinh, -INFINITY, INFINITY, 4.0, 0 },
	{ "cosh", HC_MATH_COSH, cosh, -INFINITY, INFINITY, 4.0, 0 },
	{ "tanh", HC_MATH_TANH, tanh, -INFINITY, INFINITY, 4.0, 0 },
	{ "asinh", HC_MATH_ASINH, asinh, -INFINITY, INFINITY, 4.0, 0 },
	{ "acosh", HC_MATH_ACOSH, acosh, 1, INFINITY, 4.0, 0 },
	{ "atanh", HC_MATH_ATANH, atanh, -1, 1, 4.0, 0 },
	{ "exp", HC_MATH_EXP, exp, -INFINITY, INFINITY, 2.0, 0 },
	{ "exp2", HC_MATH_EXP2, exp2, -INFINITY, INFINITY, 2.0, 0 },
	{ "log", HC_MATH_LOG, log, 0, INFINITY, 2.0, 0 },
	{ "log2", HC_MATH_LOG2, log2, 0, INFINITY, 2.0, 0 },
	{ "sqrt", HC_MATH_SQRT, sqrt, 0, INFINITY, 0.5, 0 },
	{ "inversesqrt", HC_MATH_INVERSESQRT, inversesqrt, 0, INFINITY, 1.5, 0 },
};

static double ulp_of(double reference)
{
	int e;

	if (reference == 0)
		return 0x1p-149;
	frexp(reference, &e);
	return ldexp(1.0, (e < -125 ? -125 : e) - 24);
}

/* Error in ulp; infinite where one is special and the other is not the same special. */
static double error_ulp(float got, double want)
{
	float rounded = want;

	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got) ? 0 : INFINITY;
	if (isinf(rounded) || isinf(got))
		return rounded == got								? 0
		       : (isinf(rounded) && fabsf(got) >= 0x1.fffff0p127f && got * rounded > 0) ? 1
		       : (isinf(got) && fabs(want) >= 0x1.fffff0p127 && got * want > 0)		? 1
											: INFINITY;
	return fabs(got - want) / ulp_of(want);
}

static uint32_t bits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

static float float_of(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

typedef LLVMValueRef (*body_fn)(LLVMBuilderRef b, LLVMModuleRef m, LLVMTypeRef type,
				LLVMValueRef *args, int user);

static LLVMValueRef op_body(LLVMBuilderRef b, LLVMModuleRef m, LLVMTypeRef type, LLVMValueRef *args,
			    int op)
{
	return hc_math_emit(b, m, op, type, args);
}

static LLVMValueRef to_half_body(LLVMBuilderRef b, LLVMModuleRef m, LLVMTypeRef type,
				 LLVMValueRef *args, int hardware)
{
	(void)type;
	return hc_math_float_to_half(b, m, hardware, args[0]);
}

static LLVMValueRef from_half_body(LLVMBuilderRef b, LLVMModuleRef m, LLVMTypeRef type,
				   LLVMValueRef *args, int hardware)
{
	(void)type;
	return hc_math_half_to_float(b, m, hardware, args[0]);
}

/* void map(a, b, out, n): out[i] = body(a[i], b[i]) for n vectors of @lanes. */
static enum hc_result compile_map(const struct hc_target *target, unsigned lanes, body_fn body,
				  int user, int bits_in, struct hc_image *image)
{
	LLVMContextRef c = LLVMContextCreate();
	LLVMModuleRef m = LLVMModuleCreateWithNameInContext("test", c);
	LLVMBuilderRef b = LLVMCreateBuilderInContext(c);
	LLVMTypeRef ptr = LLVMPointerTypeInContext(c, 0), i64 = LLVMInt64TypeInContext(c);
	LLVMTypeRef element = bits_in == 16 ? LLVMInt16TypeInContext(c) : LLVMFloatTypeInContext(c);
	LLVMTypeRef type = lanes ? LLVMVectorType(element, lanes) : element;
	LLVMTypeRef params[] = { ptr, ptr, ptr, i64 };
	char *message = NULL;
	enum hc_result result = hc_codegen_setup(m, target, &message);
	LLVMValueRef f =
		LLVMAddFunction(m, "map", LLVMFunctionType(LLVMVoidTypeInContext(c), params, 4, 0));
	LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(c, f, "entry");
	LLVMBasicBlockRef loop = LLVMAppendBasicBlockInContext(c, f, "loop");
	LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(c, f, "done");

	assert_int_equal(result, HC_OK);
	LLVMPositionBuilderAtEnd(b, entry);
	LLVMBuildBr(b, loop);
	LLVMPositionBuilderAtEnd(b, loop);

	LLVMValueRef i = LLVMBuildPhi(b, i64, "i");
	LLVMValueRef args[2];

	for (int k = 0; k < 2; k++) {
		args[k] = LLVMBuildLoad2(b, type,
					 LLVMBuildGEP2(b, type, LLVMGetParam(f, k), &i, 1, ""), "");
		LLVMSetAlignment(args[k], 4);
	}

	LLVMValueRef r = body(b, m, type, args, user);

	assert_non_null(r);
	LLVMSetAlignment(
		LLVMBuildStore(b, r,
			       LLVMBuildGEP2(b, LLVMTypeOf(r), LLVMGetParam(f, 2), &i, 1, "")),
		2);

	LLVMValueRef next = LLVMBuildAdd(b, i, LLVMConstInt(i64, 1, 0), "");
	LLVMValueRef values[] = { LLVMConstInt(i64, 0, 0), next };
	LLVMBasicBlockRef blocks[] = { entry, loop };

	LLVMAddIncoming(i, values, blocks, 2);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, next, LLVMGetParam(f, 3), ""), done, loop);
	LLVMPositionBuilderAtEnd(b, done);
	LLVMBuildRetVoid(b);
	LLVMDisposeBuilder(b);

	result = hc_codegen(m, target, "map", NULL, NULL, NULL, image, &message);
	if (result)
		print_error("%s\n", message ? message : "(no message)");
	free(message);
	LLVMDisposeModule(m);
	LLVMContextDispose(c);
	return result;
}

static map_fn load_map(unsigned lanes, body_fn body, int user, int bits_in)
{
	struct hc_target target;
	struct hc_image image;

	assert_int_equal(hc_target_host(&target, NULL), HC_OK);
	assert_int_equal(compile_map(&target, lanes, body, user, bits_in, &image), HC_OK);
	assert_true(image.stack_bytes > 0 && image.stack_bytes < 65536);

	char *code = map_image(image.image, image.image_bytes);

	assert_non_null(code);
	free(image.image);
	return (map_fn)(void *)(code + image.entry_offset);
}

static void check_case(const struct op_case *t, unsigned lanes, uint32_t stride)
{
	enum { CHUNK = 4096 };
	static float in[CHUNK], out[CHUNK];
	map_fn map = load_map(lanes, op_body, t->op, 32);
	double worst = 0;
	float worst_at = 0, worst_got = 0;
	uint64_t next = 0, samples = 0;

	while (next < 1ull << 32) {
		unsigned n = 0;

		for (; n < CHUNK && next < 1ull << 32; next += stride) {
			float v = float_of(next);

			if (v >= t->lo && v <= t->hi)
				in[n++] = v;
		}
		if (!n)
			continue;
		for (unsigned i = n; i < CHUNK; i++)
			in[i] = in[n - 1];
		map(in, in, out, CHUNK / (lanes ? lanes : 1));
		for (unsigned i = 0; i < n; i++) {
			double want = t->reference(in[i]);
			double e = error_ulp(out[i], want);

			if (e > worst) {
				worst = e;
				worst_at = in[i];
				worst_got = out[i];
			}
		}
		samples += n;
	}
	print_message("# %-12s x%-2u %8llu samples, worst %.3f ulp at %a\n", t->name, lanes,
		      (unsigned long long)samples, worst, worst_at);
	if (worst > t->ulp)
		fail_msg("%s(%a) = %a, expected %a: %g ulp, allowed %g", t->name, worst_at,
			 worst_got, t->reference(worst_at), worst, t->ulp);
	assert_true(samples > 100000 || stride > SAMPLE_STRIDE);
}

static void test_dense(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&cases[i], 8, SAMPLE_STRIDE);
}

static void test_widths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_case(&cases[i], 0, 65521);
		check_case(&cases[i], 16, 65521);
		check_case(&cases[i], 32, 65521);
	}
}

static void test_specials(void **state)
{
	static const float values[8] = { 0.0f, -0.0f, INFINITY, -INFINITY,
					 NAN,  1.0f,  -1.0f,	0x1p-149f };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		float out[8];
		map_fn map = load_map(8, op_body, cases[i].op, 32);

		map(values, values, out, 1);
		for (int k = 0; k < 8; k++) {
			double want = cases[i].reference(values[k]);

			if (error_ulp(out[k], want) > cases[i].ulp)
				fail_msg("%s(%a) = %a, expected %a", cases[i].name, values[k],
					 out[k], want);
		}
	}
}

/* All pairs of these, and random ones. */
static const float pair_values[] = { 0.0f,    0x1p-149f, 1e-30f, 1e-3f,	   0.5f,   0.99999f,
				     1.0f,    1.00001f,	 1.5f,	 2.0f,	   3.0f,   10.0f,
				     1000.3f, 1e10f,	 1e38f,	 INFINITY, NAN,	   -0.0f,
				     -0.5f,   -1.0f,	 -2.5f,	 -1e10f,   -1e38f, -INFINITY };
#define PAIR_VALUES (sizeof(pair_values) / sizeof(pair_values[0]))

static uint32_t random_state = 12345;

static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static void check_pairs(enum hc_math_op op, const char *name, double (*reference)(double, double),
			double ulp, bool positive)
{
	enum { N = 1 << 18 };
	float *a = malloc(N * sizeof(*a)), *b = malloc(N * sizeof(*b)),
	      *out = malloc(N * sizeof(*out));
	map_fn map = load_map(8, op_body, op, 32);
	unsigned n = 0;
	double worst = 0;
	unsigned worst_at = 0;

	for (size_t i = 0; i < PAIR_VALUES; i++) {
		for (size_t k = 0; k < PAIR_VALUES; k++) {
			a[n] = pair_values[i];
			b[n++] = pair_values[k];
		}
	}
	for (; n < N; n++) {
		a[n] = float_of(next_random());
		b[n] = float_of(next_random());
		/* Half of them near 1, where powers are interesting. */
		if (n & 1) {
			a[n] = float_of(0x3e800000u + (next_random() & 0x00ffffffu) * 1u);
			b[n] = ((int32_t)next_random() >> 8) * 0x1p-16f;
		}
	}
	map(a, b, out, N / 8);
	for (unsigned i = 0; i < N; i++) {
		if (positive && !(a[i] > 0 || (a[i] == 0 && b[i] > 0)))
			continue;

		double e = error_ulp(out[i], reference(a[i], b[i]));

		/* Left open by GLSL. */
		if (positive && (isinf(b[i]) || isnan(b[i])) && a[i] == 1)
			continue;
		if (e > worst) {
			worst = e;
			worst_at = i;
		}
	}
	print_message("# %-12s x8  %8u samples, worst %.3f ulp at %a, %a\n", name, N, worst,
		      a[worst_at], b[worst_at]);
	if (worst > ulp)
		fail_msg("%s(%a, %a) = %a, expected %a: %g ulp", name, a[worst_at], b[worst_at],
			 out[worst_at], reference(a[worst_at], b[worst_at]), worst);
	free(a);
	free(b);
	free(out);
}

static void test_pow(void **state)
{
	(void)state;
	check_pairs(HC_MATH_POW, "pow", pow, 16, true);
}

static void test_atan2(void **state)
{
	(void)state;
	check_pairs(HC_MATH_ATAN2, "atan2", atan2, 4, false);
}

/* The conversions in integer arithmetic and those of the machine give the same bits, for all halves. */
static void test_half(void **state)
{
	static uint16_t halves[65536], back[2][65536];
	static float floats[2][65536];

	(void)state;
	for (int i = 0; i < 65536; i++)
		halves[i] = i;
	for (int hardware = 0; hardware < 2; hardware++) {
		load_map(8, from_half_body, hardware, 16)(halves, halves, floats[hardware],
							  65536 / 8);
		load_map(8, to_half_body, hardware, 32)(floats[hardware], floats[hardware],
							back[hardware], 65536 / 8);
	}
	for (int i = 0; i < 65536; i++) {
		if (isnan(floats[1][i])) {
			assert_true(isnan(floats[0][i]));
			continue;
		}
		assert_int_equal(bits_of(floats[0][i]), bits_of(floats[1][i]));
		assert_int_equal(back[0][i], i);
		assert_int_equal(back[1][i], i);
	}
}

static void test_to_half_rounding(void **state)
{
	enum { N = 1 << 20 };
	float *in = malloc(N * sizeof(*in));
	uint16_t *soft = malloc(N * sizeof(*soft)), *hard = malloc(N * sizeof(*hard));

	(void)state;
	for (unsigned i = 0; i < N; i++)
		in[i] = float_of(i * SAMPLE_STRIDE + (i & 1 ? 0x38000000u : 0));
	/* Ties, exactly. */
	for (unsigned i = 0; i < 65536; i++)
		in[i] = float_of(0x33000000u + i * 0x1000u);
	load_map(8, to_half_body, 0, 32)(in, in, soft, N / 8);
	load_map(8, to_half_body, 1, 32)(in, in, hard, N / 8);
	for (unsigned i = 0; i < N; i++) {
		if (soft[i] != hard[i] && !isnan(in[i]))
			fail_msg("half of %a: %04x, expected %04x", in[i], soft[i], hard[i]);
	}
	free(in);
	free(soft);
	free(hard);
}

/* All operations also compile for the board, and leave no reference to the outside. */
static void test_targets(void **state)
{
	struct hc_target targets[6];
	unsigned n = 0;

	(void)state;
	for (uint32_t vlen = 128; vlen <= 1024; vlen *= 2)
		assert_int_equal(hc_target_riscv64(&targets[n++], vlen), HC_OK);
	assert_int_equal(hc_target_x86(&targets[n++], "avx2"), HC_OK);
	assert_int_equal(hc_target_x86(&targets[n++], "avx512"), HC_OK);
	for (unsigned t = 0; t < n; t++) {
		for (int op = 0; op < HC_MATH_COUNT; op++) {
			struct hc_image image;

			assert_int_equal(compile_map(&targets[t], targets[t].subgroup_size, op_body,
						     op, 32, &image),
					 HC_OK);
			assert_true(image.image_bytes > 0);
			free(image.image);
		}
		for (int k = 0; k < 2; k++) {
			struct hc_image image;

			assert_int_equal(compile_map(&targets[t], targets[t].subgroup_size,
						     k ? from_half_body : to_half_body,
						     hc_target_has_f16(&targets[t]), k ? 16 : 32,
						     &image),
					 HC_OK);
			free(image.image);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dense),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_specials),
		cmocka_unit_test(test_pow),
		cmocka_unit_test(test_atan2),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_to_half_rounding),
		cmocka_unit_test(test_targets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
