// SPDX-License-Identifier: MIT
/*
 * ggml's own Vulkan backend, as the distribution ships it, on a Hearth device: the operations of transformers over the
 * types of weights, and layers of models, against ggml's CPU backend. This is a program of others, with a thousand
 * compute shaders of its own: it finds what our own shaders do not ask of the driver.
 *
 * usage: test_vulkan [--all]
 * Without --all each operation has a few cases; with it all types, shapes and layouts.
 */
#include <string.h>

#include "gt_graphs.h"

#define FUNCTIONS \
	2e-6 /* functions of F32 that shaders may compute to some units in the last place */

static bool all;

static const enum ggml_type types[] = {
	GGML_TYPE_F16,	 GGML_TYPE_Q8_0,    GGML_TYPE_Q4_0,   GGML_TYPE_Q4_K,	 GGML_TYPE_F32,
	GGML_TYPE_BF16,	 GGML_TYPE_Q6_K,    GGML_TYPE_IQ4_NL, GGML_TYPE_MXFP4,	 GGML_TYPE_Q4_1,
	GGML_TYPE_Q5_0,	 GGML_TYPE_Q5_1,    GGML_TYPE_Q2_K,   GGML_TYPE_Q3_K,	 GGML_TYPE_Q5_K,
	GGML_TYPE_IQ1_S, GGML_TYPE_IQ1_M,   GGML_TYPE_IQ2_S,  GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ2_XS,
	GGML_TYPE_IQ3_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ4_XS,
};

/* How many of @types a short run takes; the first are those that models have most. */
#define SHORT_TYPES 3

static int type_count(void)
{
	return all ? GT_COUNT(types) : SHORT_TYPES;
}

static void test_element(const struct gt_backends *backends)
{
	static const int unary[] = { -7,
				     -5,
				     -4,
				     -3,
				     -2,
				     -1,
				     GGML_UNARY_OP_SILU,
				     GGML_UNARY_OP_GELU,
				     GGML_UNARY_OP_TANH,
				     GGML_UNARY_OP_SIGMOID,
				     GGML_UNARY_OP_RELU,
				     GGML_UNARY_OP_EXP };
	static const int gated[] = { GGML_GLU_OP_SWIGLU, GGML_GLU_OP_GEGLU, GGML_GLU_OP_REGLU };

	for (int op = 0; op < 4; op++)
		for (int dims = 1; dims < 16; dims += all ? 1 : 7)
			for (int layout = GT_DENSE; layout <= GT_PART; layout++) {
				struct gt_case c = { { op, GGML_TYPE_F32, GGML_TYPE_F32, layout,
						       dims } };

				gt_check(backends, gt_binary, &c, GT_CLOSE);
				c.n[1] = GGML_TYPE_F16;
				gt_check(backends, gt_binary, &c, GT_CLOSE_16);
			}
	gt_finish("ADD, SUB, MUL, DIV", 30);
	for (int op = 0; op < GT_COUNT(unary); op++)
		for (int type = GGML_TYPE_F32; type <= (all ? GGML_TYPE_F16 : GGML_TYPE_F32);
		     type++) {
			const struct gt_case c = { { unary[op], type, GT_DENSE } };

			gt_check(backends, gt_unary, &c, FUNCTIONS);
		}
	gt_finish("UNARY, SQR, SQRT, LOG, SIN, COS, CLAMP", 12);
	for (int op = 0; op < GT_COUNT(gated); op++)
		for (int form = 0; form < 4; form++) {
			const struct gt_case c = { { gated[op], GGML_TYPE_F32, form } };

			gt_check(backends, gt_glu, &c, FUNCTIONS);
		}
	gt_finish("GLU", 12);
}

static void test_copy(const struct gt_backends *backends)
{
	static const enum ggml_type to[] = { GGML_TYPE_F32,   GGML_TYPE_F16,  GGML_TYPE_BF16,
					     GGML_TYPE_Q8_0,  GGML_TYPE_Q4_0, GGML_TYPE_Q5_1,
					     GGML_TYPE_IQ4_NL };
	int count = all ? GT_COUNT(to) : 4;

	for (int a = 0; a < count; a++)
		for (int b = 0; b < count; b++)
			for (int layout = 0; layout < GT_LAYOUTS; layout++)
				for (int form = 0; form < 4; form++) {
					const struct gt_case c = { { to[a], to[b], layout, form } };

					/* Blocks lie dense, and both round numbers to them, not equally. */
					if ((ggml_is_quantized(to[a]) ||
					     ggml_is_quantized(to[b])) &&
					    (layout != GT_DENSE || form))
						continue;
					if (ggml_is_quantized(to[b]) && to[b] != to[a])
						continue;
					gt_check(backends, gt_copy, &c, GT_EXACT);
				}
	gt_finish("CPY, CONT", 30);
	for (int what = 0; what < 6; what++) {
		const struct gt_case c = { { GGML_TYPE_F32, what } };

		gt_check(backends, gt_parts, &c, GT_CLOSE);
	}
	gt_finish("CONCAT, REPEAT, SCALE", 6);
}

static void test_row(const struct gt_backends *backends)
{
	static const int columns[] = { 64, 1025, 33, 1 };
	static const int masks[] = { -1, GGML_TYPE_F32, GGML_TYPE_F16 };

	for (int op = 0; op < 5; op++)
		for (int i = 0; i < GT_COUNT(columns); i++) {
			const struct gt_case c = { { op, columns[i], GT_DENSE } };

			/* A mean of one number has no norm. */
			if (op != 1 || columns[i] > 1)
				gt_check(backends, gt_norm, &c, GT_CLOSE);
		}
	gt_finish("RMS_NORM, NORM, L2_NORM, SUM_ROWS, MEAN", 18);
	for (int i = 0; i < (all ? GT_COUNT(columns) : 2); i++)
		for (int mask = 0; mask < GT_COUNT(masks); mask++)
			for (int sinks = 0; sinks < 2; sinks++) {
				const struct gt_case c = { { columns[i], masks[mask], sinks,
							     mask ? 3 : 1 },
							   { 0.7f, mask ? 8 : 0 } };

				gt_check(backends, gt_soft_max, &c, GT_CLOSE);
			}
	gt_finish("SOFT_MAX", 12);
	for (int i = 0; i < GT_COUNT(columns); i++) {
		const struct gt_case c = { { columns[i], i & 1 } };

		gt_check(backends, gt_argsort, &c, GT_EXACT);
	}
	gt_finish("ARGSORT", 4);
}

static void test_rope(const struct gt_backends *backends)
{
	for (int i = 0; i < 256; i += all ? 1 : 17) {
		const struct gt_case c = {
			{ i & 1 ? GGML_TYPE_F16 : GGML_TYPE_F32,
			  i & 2 ? GGML_ROPE_TYPE_NEOX : GGML_ROPE_TYPE_NORMAL, i & 4 ? 64 : 40,
			  i >> 3 & 1, i & 16 ? GT_PART : GT_PERMUTED, i >> 5 & 1 },
			{ i & 64 ? 0.5f : 1, i & 128 ? 0.75f : 0, i & 128 ? 1.2f : 1 },
		};

		gt_check(backends, gt_rope, &c, i & 1 ? GT_CLOSE_16 : FUNCTIONS);
	}
	gt_finish("ROPE, ROPE_BACK", 8);
}

static void test_rows(const struct gt_backends *backends)
{
	for (int type = 0; type < type_count(); type++) {
		struct gt_case c = { { types[type], 0, 0, 0, 512 } };

		gt_check(backends, gt_rows, &c, GT_CLOSE);
	}
	gt_finish("GET_ROWS", type_count() - 1);
	for (int i = 0; i < 4; i++) {
		const struct gt_case c = { { 0, 1, i & 1 ? GGML_TYPE_F16 : GGML_TYPE_F32,
					     i & 2 ? GGML_TYPE_I64 : GGML_TYPE_I32, 96 } };

		gt_check(backends, gt_rows, &c, GT_EXACT);
	}
	gt_finish("SET_ROWS", 4);
}

static void test_matmul(const struct gt_backends *backends)
{
	static const int vectors[] = { 1, 40, 3, 9 };
	static const int heads[][2] = { { 1, 1 }, { 2, 6 } };

	for (int type = 0; type < type_count(); type++)
		for (int i = 0; i < (all ? 8 : 2); i++) {
			const int *head = heads[i >> 2];
			struct gt_case c = { { types[type], vectors[i & 3], head[0], head[1],
					       GT_DENSE, i & 2 ? GT_PART : GT_DENSE, 512, 70,
					       GGML_TYPE_F32, 1 } };

			gt_check(backends, gt_matmul, &c, GT_CLOSE_Q);
		}
	gt_finish("MUL_MAT", type_count() * 2);
	for (int type = 0; type < type_count(); type++)
		for (int i = 0; i < (all ? 6 : 2); i++) {
			static const int tokens[] = { 20, 1, 33 };
			const struct gt_case c = { { types[type], tokens[i % 3], i / 3, 256 } };

			gt_check(backends, gt_experts, &c, GT_CLOSE_Q);
		}
	gt_finish("MUL_MAT_ID", type_count() * 2);
}

static void test_attention(const struct gt_backends *backends)
{
	static const enum ggml_type kept[] = { GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0,
					       GGML_TYPE_F32, GGML_TYPE_BF16 };
	static const int sizes[] = { 64, 128, 96 };
	static const int shapes[][2] = { { 1, 200 }, { 33, 128 }, { 1, 7 }, { 5, 65 } };

	for (int type = 0; type < (all ? GT_COUNT(kept) : 2); type++)
		for (int i = 0; i < (all ? 24 : 4); i++) {
			const struct gt_case c = {
				{ kept[type], sizes[i >> 3], shapes[i & 1 ? i >> 1 & 3 : i & 3][0],
				  shapes[i & 1 ? i >> 1 & 3 : i & 3][1], i & 1 ? 2 : 4, i & 2,
				  i & 4, i & 1 },
				{ i & 4 ? 8 : 0, i & 1 ? 10 : 0 },
			};

			gt_check(backends, gt_attention, &c, GT_CLOSE_Q);
		}
	gt_finish("FLASH_ATTN_EXT", 8);
}

static void test_layer(const struct gt_backends *backends)
{
	for (int qwen = 0; qwen < (all ? 2 : 1); qwen++) {
		for (int type = 0; type < (all ? type_count() : 2); type++)
			for (int i = 0; i < 4; i++) {
				const struct gt_case c = { { types[type], qwen, i & 1 ? 1 : 19,
							     i >> 1 } };

				gt_check(backends, gt_layer, &c, GT_LAYER);
				gt_check_stays(backends, gt_layer, &c);
			}
		gt_finish(qwen ? "a Qwen model, no operation left out"
			       : "a Llama model, no operation left out",
			  8);
	}
}

static void test(const struct gt_backends *backends)
{
	test_element(backends);
	test_copy(backends);
	test_row(backends);
	test_rope(backends);
	test_rows(backends);
	test_matmul(backends);
	test_attention(backends);
	test_layer(backends);
}

int main(int argc, char **argv)
{
	all = argc > 1 && !strcmp(argv[1], "--all");
	return gt_main("Vulkan", true, test);
}
