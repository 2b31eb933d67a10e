// SPDX-License-Identifier: MIT
/*
 * The ggml plugin on each device that it offers: every operation that it claims, over types, shapes, strides and
 * repetitions, and a layer of a Llama and of a Qwen model, against ggml's CPU backend. The plugin is found by
 * GGML_BACKEND_PATH, as a user's would be.
 */
#include "gt_graphs.h"

static const enum ggml_type float_types[] = { GGML_TYPE_F32, GGML_TYPE_F16 };
static const enum ggml_type weight_types[] = { GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0,
					       GGML_TYPE_Q4_0 };

/* ---- Element by element ---- */

static void test_binary(const struct gt_backends *backends)
{
	for (int op = 0; op < 4; op++)
		for (int layout = 0; layout < GT_LAYOUTS; layout++)
			for (int dims = 0; dims < 16; dims++) {
				struct gt_case c = { { op, GGML_TYPE_F32, GGML_TYPE_F32, layout,
						       dims } };

				/* The CPU backend wants whole rows. */
				if (layout == GT_TRANSPOSED)
					continue;
				gt_check(backends, gt_binary, &c, GT_CLOSE);
				c.n[1] = GGML_TYPE_F16;
				c.n[2] = float_types[dims & 1];
				gt_check(backends, gt_binary, &c, GT_CLOSE_16);
			}
	gt_finish("ADD, SUB, MUL, DIV", 300);
}

static void test_unary(const struct gt_backends *backends)
{
	static const int unclaimed[] = { GGML_UNARY_OP_EXPM1, GGML_UNARY_OP_XIELU,
					 GGML_UNARY_OP_ROUND };

	for (int op = -7; op < GGML_UNARY_OP_COUNT; op++)
		for (int type = 0; type < GT_COUNT(float_types); type++)
			for (int layout = GT_DENSE; layout <= GT_PART; layout++) {
				const struct gt_case c = { { op, float_types[type], layout } };

				/* The CPU backend's LEAKY_RELU takes dense F32 only. */
				if (op == unclaimed[0] || op == unclaimed[1] ||
				    op == unclaimed[2] || (op == -6 && (type || layout == GT_PART)))
					continue;
				gt_check(backends, gt_unary, &c, type ? GT_CLOSE_16 : GT_CLOSE);
			}
	gt_finish("UNARY, SQR, SQRT, LOG, SIN, COS, LEAKY_RELU, CLAMP", 80);
}

static void test_glu(const struct gt_backends *backends)
{
	static const int ops[] = { GGML_GLU_OP_REGLU, GGML_GLU_OP_GEGLU, GGML_GLU_OP_SWIGLU,
				   GGML_GLU_OP_GEGLU_ERF, GGML_GLU_OP_GEGLU_QUICK };

	for (int op = 0; op < GT_COUNT(ops); op++)
		for (int type = 0; type < GT_COUNT(float_types); type++)
			for (int form = 0; form < 4; form++) {
				const struct gt_case c = { { ops[op], float_types[type], form } };

				gt_check(backends, gt_glu, &c, GT_CLOSE_16);
			}
	gt_finish("GLU", 40);
}

static void test_copy(const struct gt_backends *backends)
{
	for (int from = 0; from < GT_COUNT(weight_types); from++)
		for (int to = 0; to < GT_COUNT(float_types); to++)
			for (int layout = 0; layout < GT_LAYOUTS; layout++)
				for (int form = 0; form < 4; form++) {
					const struct gt_case c = { { weight_types[from],
								     float_types[to], layout,
								     form } };
					bool blocks = from > 1;

					if (blocks &&
					    (layout != GT_DENSE || form == 2 || form == 3 || to))
						continue;
					gt_check(backends, gt_copy, &c, GT_EXACT);
				}
	gt_finish("CPY, CONT", 60);
}

static void test_parts(const struct gt_backends *backends)
{
	for (int what = 0; what < 6; what++) {
		const struct gt_case c = { { GGML_TYPE_F32, what } };

		gt_check(backends, gt_parts, &c, what == 5 ? GT_CLOSE : GT_EXACT);
	}
	gt_finish("CONCAT, REPEAT, SCALE", 6);
}

static void test_norm(const struct gt_backends *backends)
{
	static const int columns[] = { 1, 33, 64, 1025 };

	for (int op = 0; op < 5; op++)
		for (int i = 0; i < GT_COUNT(columns); i++)
			for (int layout = 0; layout < GT_LAYOUTS; layout++) {
				const struct gt_case c = { { op, columns[i], layout } };

				/* The CPU backend wants whole rows; a mean of one number has no norm. */
				if (layout == GT_TRANSPOSED || (op == 1 && columns[i] == 1))
					continue;
				gt_check(backends, gt_norm, &c, GT_CLOSE);
			}
	gt_finish("RMS_NORM, NORM, L2_NORM, SUM_ROWS, MEAN", 50);
}

static void test_soft_max(const struct gt_backends *backends)
{
	static const int columns[] = { 1, 32, 77, 300 };
	static const int masks[] = { -1, GGML_TYPE_F32, GGML_TYPE_F16 };

	for (int i = 0; i < GT_COUNT(columns); i++)
		for (int mask = 0; mask < GT_COUNT(masks); mask++)
			for (int sinks = 0; sinks < 2; sinks++)
				for (int bias = 0; bias < (mask ? 2 : 1); bias++) {
					const struct gt_case c = { { columns[i], masks[mask], sinks,
								     bias ? 3 : 1 },
								   { 0.7f, bias ? 8 : 0 } };

					gt_check(backends, gt_soft_max, &c, GT_CLOSE);
				}
	gt_finish("SOFT_MAX", 40);
}

static void test_rows(const struct gt_backends *backends)
{
	static const int columns[] = { 32, 96, 1088 };

	for (int i = 0; i < GT_COUNT(columns); i++) {
		for (int type = 0; type < GT_COUNT(weight_types); type++) {
			const struct gt_case c = { { weight_types[type], 0, 0, 0, columns[i] } };

			gt_check(backends, gt_rows, &c, GT_CLOSE);
		}
		for (int type = 0; type < GT_COUNT(float_types); type++)
			for (int index = 0; index < 2; index++) {
				const struct gt_case c = { { 0, 1, float_types[type],
							     index ? GGML_TYPE_I64 : GGML_TYPE_I32,
							     columns[i] } };

				gt_check(backends, gt_rows, &c, GT_EXACT);
			}
	}
	gt_finish("GET_ROWS, SET_ROWS", 20);
}

static void test_argsort(const struct gt_backends *backends)
{
	static const int columns[] = { 1, 8, 60, 128, 200 };

	for (int i = 0; i < GT_COUNT(columns); i++)
		for (int order = 0; order < 2; order++) {
			struct gt_case c = { { columns[i], order } };

			gt_check(backends, gt_argsort, &c, GT_EXACT);
			c.n[2] = (columns[i] + 3) / 4;
			gt_check(backends, gt_argsort, &c, GT_EXACT);
		}
	gt_finish("ARGSORT", 20);
}

static void test_rope(const struct gt_backends *backends)
{
	static const int modes[] = { GGML_ROPE_TYPE_NORMAL, GGML_ROPE_TYPE_NEOX };

	for (int i = 0; i < 256; i++) {
		const struct gt_case c = {
			{ float_types[i & 1], modes[i >> 1 & 1], i & 4 ? 64 : 40, i >> 3 & 1,
			  i & 16 ? GT_PART : GT_PERMUTED, i >> 5 & 1 },
			{ i & 64 ? 0.5f : 1, i & 128 ? 0.75f : 0, i & 128 ? 1.2f : 1 },
		};

		gt_check(backends, gt_rope, &c, i & 1 ? GT_CLOSE_16 : GT_CLOSE);
	}
	gt_finish("ROPE, ROPE_BACK", 200);
}

static void test_matmul(const struct gt_backends *backends)
{
	static const int vectors[] = { 1, 3, 9, 40 };
	static const int heads[][2] = { { 1, 1 }, { 1, 3 }, { 2, 6 } };
	static const int shapes[][2] = { { 64, 17 }, { 288, 70 } };

	for (int type = 0; type < GT_COUNT(weight_types); type++)
		for (int i = 0; i < GT_COUNT(vectors) * GT_COUNT(heads) * GT_COUNT(shapes); i++)
			for (int layout = 0; layout < GT_LAYOUTS; layout++) {
				const int *head = heads[i / GT_COUNT(vectors) % GT_COUNT(heads)];
				const int *shape = shapes[i / GT_COUNT(vectors) / GT_COUNT(heads)];
				struct gt_case c = { { weight_types[type],
						       vectors[i % GT_COUNT(vectors)], head[0],
						       head[1], layout, GT_DENSE, shape[0],
						       shape[1], GGML_TYPE_F32 } };

				/* Rows of weights are whole, in ggml. */
				if (layout != GT_TRANSPOSED)
					gt_check(backends, gt_matmul, &c, GT_CLOSE_Q);
				c.n[4] = GT_DENSE;
				c.n[5] = layout == GT_TRANSPOSED ? GT_PART : layout;
				c.n[8] = type == 1 && layout == GT_TRANSPOSED ? GGML_TYPE_F16
									      : GGML_TYPE_F32;
				gt_check(backends, gt_matmul, &c, GT_CLOSE_Q);
			}
	gt_finish("MUL_MAT", 400);
}

/* Types that the plugin leaves to the runtime, which wants whole matrices. */
static void test_matmul_more_types(const struct gt_backends *backends)
{
	static const enum ggml_type types[] = { GGML_TYPE_BF16, GGML_TYPE_Q4_K,	  GGML_TYPE_Q5_K,
						GGML_TYPE_Q6_K, GGML_TYPE_IQ4_NL, GGML_TYPE_MXFP4 };
	static const int vectors[] = { 1, 2, 9, 40 };
	static const int heads[][2] = { { 1, 1 }, { 1, 3 }, { 2, 6 } };

	for (int type = 0; type < GT_COUNT(types); type++)
		for (int i = 0; i < GT_COUNT(vectors) * GT_COUNT(heads); i++) {
			const int *head = heads[i / GT_COUNT(vectors)];
			const struct gt_case c = { { types[type], vectors[i % GT_COUNT(vectors)],
						     head[0], head[1], GT_DENSE, GT_DENSE, 512, 48,
						     GGML_TYPE_F32 } };

			gt_check(backends, gt_matmul, &c, GT_CLOSE_Q);
		}
	gt_finish("MUL_MAT of more types", 72);
}

static void test_experts(const struct gt_backends *backends)
{
	static const int tokens[] = { 1, 4, 33 };
	static const enum ggml_type types[] = { GGML_TYPE_F32,	GGML_TYPE_F16,	GGML_TYPE_Q8_0,
						GGML_TYPE_Q4_0, GGML_TYPE_BF16, GGML_TYPE_Q4_K,
						GGML_TYPE_Q5_K, GGML_TYPE_Q6_K, GGML_TYPE_IQ4_NL,
						GGML_TYPE_MXFP4 };

	for (int type = 0; type < GT_COUNT(types); type++)
		for (int i = 0; i < 4 * GT_COUNT(tokens); i++) {
			bool k = ggml_blck_size(types[type]) == 256;
			const struct gt_case c = { { types[type], tokens[i / 4], i & 3,
						     k ? 256 : 96 } };

			gt_check(backends, gt_experts, &c, GT_CLOSE_Q);
		}
	gt_finish("MUL_MAT_ID", 120);
}

static void test_attention(const struct gt_backends *backends)
{
	static const int sizes[] = { 64, 96, 128 };
	static const int shapes[][2] = { { 1, 7 }, { 1, 200 }, { 5, 65 }, { 33, 128 } };

	for (int type = 0; type < GT_COUNT(weight_types); type++)
		for (int size = 0; size < GT_COUNT(sizes); size++)
			for (int i = 0; i < 8 * GT_COUNT(shapes); i++) {
				const struct gt_case c = {
					{ weight_types[type], sizes[size], shapes[i >> 3][0],
					  shapes[i >> 3][1], i & 1 ? 2 : 4, i & 2, i & 4, i & 1 },
					{ i & 4 ? 8 : 0, i & 1 ? 10 : 0 },
				};

				gt_check(backends, gt_attention, &c, GT_CLOSE_Q);
			}
	gt_finish("FLASH_ATTN_EXT", 300);
}

static void test_layer(const struct gt_backends *backends)
{
	for (int qwen = 0; qwen < 2; qwen++) {
		for (int type = 0; type < GT_COUNT(weight_types); type++)
			for (int i = 0; i < 4; i++) {
				const struct gt_case c = { { weight_types[type], qwen,
							     i & 1 ? 1 : 19, i >> 1 } };

				gt_check(backends, gt_layer, &c, GT_LAYER);
				gt_check_stays(backends, gt_layer, &c);
			}
		gt_finish(qwen ? "a Qwen model, no operation left out"
			       : "a Llama model, no operation left out",
			  16);
	}
}

static void test(const struct gt_backends *backends)
{
	test_binary(backends);
	test_unary(backends);
	test_glu(backends);
	test_copy(backends);
	test_parts(backends);
	test_norm(backends);
	test_soft_max(backends);
	test_rows(backends);
	test_argsort(backends);
	test_rope(backends);
	test_matmul(backends);
	test_matmul_more_types(backends);
	test_experts(backends);
	test_attention(backends);
	test_layer(backends);
}

int main(void)
{
	return gt_main("Hearth", false, test);
}
