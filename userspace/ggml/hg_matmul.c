// SPDX-License-Identifier: MIT
/*
 * Matrix products and attention. Products of dense matrices go to the runtime's own matmul, one for each matrix of a
 * batch, those of experts chosen by index to its grouped one; others to kernels that take any strides.
 */
#include "hg.h"

#define MATVEC_COLUMNS 8    /* up to so many columns, the kernel for few of them */
#define MATVEC_ROWS    4    /* ROWS in shaders/ggml/ggml_matvec.comp */
#define MATMUL_TILE    32   /* TILE in shaders/ggml/ggml_matmul.comp */
#define MAX_RUNTIME    16   /* matrices of a batch that go to the runtime one by one */
#define RUNTIME_ALIGN  16   /* of views, by hearth.h */
#define MAX_EXPERTS    1024 /* by hearth.h */
#define MAX_HEAD       1024

/* Types of weights that only the runtime's matmul decodes. */
static bool is_for_runtime(enum ggml_type type)
{
	return type == GGML_TYPE_BF16 || type == GGML_TYPE_Q4_K || type == GGML_TYPE_Q5_K ||
	       type == GGML_TYPE_Q6_K || type == GGML_TYPE_IQ4_NL || type == GGML_TYPE_MXFP4;
}

static bool starts_aligned(const struct ggml_tensor *t)
{
	return !t->view_src || t->view_offs % RUNTIME_ALIGN == 0;
}

/* Whether each matrix of a tensor starts where a view may. */
static bool is_aligned(const struct ggml_tensor *t)
{
	return starts_aligned(t) && (t->ne[2] == 1 || t->nb[2] % RUNTIME_ALIGN == 0) &&
	       (t->ne[3] == 1 || t->nb[3] % RUNTIME_ALIGN == 0);
}

static bool dense_rows(const struct ggml_tensor *t)
{
	return t->nb[0] == ggml_type_size(t->type) && t->nb[1] == ggml_row_size(t->type, t->ne[0]);
}

/* Whether plan_runtime() will take it, whatever buffers the tensors get. */
static bool runtime_takes(const struct ggml_tensor *op)
{
	const struct ggml_tensor *w = op->src[0];
	const struct ggml_tensor *x = op->src[1];
	bool one =
		w->ne[2] == 1 && w->ne[3] == 1 && ggml_is_contiguous(x) && ggml_is_contiguous(op);

	return x->type == GGML_TYPE_F32 && dense_rows(w) && dense_rows(x) && dense_rows(op) &&
	       is_aligned(w) && is_aligned(x) && is_aligned(op) && ggml_nelements(op) &&
	       (one || op->ne[2] * op->ne[3] <= MAX_RUNTIME);
}

/* Whether plan_experts() will take it: the matrices one after the other, and dense rows. */
static bool runtime_takes_experts(const struct ggml_tensor *op)
{
	const struct ggml_tensor *w = op->src[0];
	const struct ggml_tensor *x = op->src[1];
	const struct ggml_tensor *expert = op->src[2];

	return x->type == GGML_TYPE_F32 && ggml_is_contiguous(w) && ggml_is_contiguous(x) &&
	       ggml_is_contiguous(op) && starts_aligned(w) && starts_aligned(x) &&
	       starts_aligned(op) && starts_aligned(expert) && w->ne[2] <= MAX_EXPERTS &&
	       w->ne[1] * w->ne[2] <= INT32_MAX && (x->ne[1] == 1 || x->ne[1] == op->ne[1]) &&
	       expert->nb[0] == sizeof(int32_t) && expert->nb[1] % sizeof(int32_t) == 0 &&
	       expert->nb[1] >= expert->ne[0] * sizeof(int32_t) &&
	       ggml_nelements(op) <= INT32_MAX && ggml_nelements(op) > 0 &&
	       op->ne[1] * op->ne[2] * w->ne[0] <= INT32_MAX;
}

bool hg_check_matmul(const struct hg_device *device, const struct ggml_tensor *op)
{
	const struct ggml_tensor *w = op->src[0];
	const struct ggml_tensor *x = op->src[1];
	const struct ggml_tensor *expert = op->src[2];

	(void)device;
	if (!hg_is_readable(w) &&
	    !(is_for_runtime(w->type) &&
	      (op->op == GGML_OP_MUL_MAT ? runtime_takes(op) : runtime_takes_experts(op))))
		return false;
	if (!hg_is_float(x) || op->type != GGML_TYPE_F32 || w->ne[0] != x->ne[0] ||
	    op->ne[0] != w->ne[1])
		return false;
	if (op->op == GGML_OP_MUL_MAT_ID)
		return expert->type == GGML_TYPE_I32 && w->ne[3] == 1 && op->ne[3] == 1 &&
		       expert->ne[0] == op->ne[1] && expert->ne[1] == op->ne[2] &&
		       x->ne[2] == op->ne[2] && x->ne[1] && op->ne[1] % x->ne[1] == 0;
	return w->ne[2] && w->ne[3] && op->ne[1] == x->ne[1] && op->ne[2] == x->ne[2] &&
	       op->ne[3] == x->ne[3] && x->ne[2] % w->ne[2] == 0 && x->ne[3] % w->ne[3] == 0;
}

/* Matrix (b, c) of a tensor as the runtime's view of it; false if it does not start where views may. */
static bool matrix_view(const struct hg_device *device, const struct ggml_tensor *t, int64_t b,
			int64_t c, struct hg_view *view)
{
	uint64_t offset;
	const struct hg_buffer *buffer = hg_tensor_buffer(device, t, &offset);

	if (!buffer)
		return false;
	offset += (uint64_t)b * t->nb[2] + (uint64_t)c * t->nb[3];
	if (offset % RUNTIME_ALIGN)
		return false;
	view->buffer_id = buffer->id;
	view->hearth = (struct hearth_view){
		.buffer = buffer->hearth,
		.offset = offset,
		.bytes = ggml_row_size(t->type, t->ne[0]) * (uint64_t)t->ne[1],
	};
	return true;
}

/* Whether the runtime took it; if not, nothing was added. */
static bool plan_runtime(struct hg_plan *plan, const struct ggml_tensor *op)
{
	const struct ggml_tensor *w = op->src[0];
	struct ggml_tensor x = *op->src[1];
	struct ggml_tensor y = *op;
	uint32_t before = plan->count;

	if (!dense_rows(w) || !dense_rows(&x) || !dense_rows(&y) || x.type != GGML_TYPE_F32)
		return false;
	/* One matrix of weights for a dense batch is a product with more columns. */
	if (w->ne[2] == 1 && w->ne[3] == 1 && ggml_is_contiguous(&x) && ggml_is_contiguous(&y)) {
		x.ne[1] *= x.ne[2] * x.ne[3];
		x.ne[2] = 1;
		x.ne[3] = 1;
		memcpy(&y.ne[1], &x.ne[1], 3 * sizeof(y.ne[0]));
	}
	if (y.ne[2] * y.ne[3] > MAX_RUNTIME)
		return false;
	for (int64_t i = 0; i < y.ne[2] * y.ne[3]; i++) {
		struct hg_call *call = hg_plan_add(plan, HG_RUNTIME_MATMUL);
		int64_t b = i % y.ne[2];
		int64_t c = i / y.ne[2];

		if (!call)
			return true;
		if (!matrix_view(plan->device, w, b / (y.ne[2] / w->ne[2]),
				 c / (y.ne[3] / w->ne[3]), &call->views[0]) ||
		    !matrix_view(plan->device, &x, b, c, &call->views[1]) ||
		    !matrix_view(plan->device, &y, b, c, &call->views[2])) {
			plan->count = before;
			return false;
		}
		call->type = w->type;
		call->rows = (uint32_t)w->ne[1];
		call->columns = (uint32_t)w->ne[0];
		call->vectors = (uint32_t)x.ne[1];
	}
	return true;
}

/* The same for experts. */
static bool plan_experts(struct hg_plan *plan, const struct ggml_tensor *op)
{
	const struct ggml_tensor *w = op->src[0], *x = op->src[1], *expert = op->src[2];
	uint32_t before = plan->count;
	struct hg_call *call;

	if (!runtime_takes_experts(op))
		return false;
	call = hg_plan_add(plan, HG_RUNTIME_EXPERTS);
	if (!call)
		return true;
	if (!matrix_view(plan->device, w, 0, 0, &call->views[0]) ||
	    !matrix_view(plan->device, x, 0, 0, &call->views[1]) ||
	    !matrix_view(plan->device, op, 0, 0, &call->views[2]) ||
	    !matrix_view(plan->device, expert, 0, 0, &call->views[3])) {
		plan->count = before;
		return false;
	}
	call->views[0].hearth.bytes = ggml_nbytes(w);
	call->views[1].hearth.bytes = ggml_nbytes(x);
	call->views[2].hearth.bytes = ggml_nbytes(op);
	call->views[3].hearth.bytes = ggml_nbytes(expert);
	call->type = w->type;
	call->rows = (uint32_t)w->ne[1];
	call->columns = (uint32_t)w->ne[0];
	call->vectors = (uint32_t)op->ne[2];
	call->experts = (uint32_t)w->ne[2];
	call->used = (uint32_t)op->ne[1];
	call->chosen_stride = (uint32_t)(expert->nb[1] / sizeof(int32_t));
	call->own_vectors = x->ne[1] != 1 || op->ne[1] == 1;
	return true;
}

static void plan_matvec(struct hg_plan *plan, const struct ggml_tensor *op,
			const struct ggml_tensor *expert)
{
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_MATVEC);

	if (!call)
		return;
	hg_call_spec(call, op->src[0]->type);
	hg_call_spec(call, op->src[1]->type);
	hg_call_spec(call, expert != NULL);
	hg_call_groups(call, ((uint64_t)op->ne[0] + MATVEC_ROWS - 1) / MATVEC_ROWS,
		       (uint64_t)ggml_nrows(op));
	hg_call_tensor(plan, call, op->src[0]);
	hg_call_tensor(plan, call, op->src[1]);
	hg_call_tensor(plan, call, expert);
	hg_call_tensor(plan, call, op);
}

static void plan_matmul(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_MATMUL);
	uint64_t tiles = ((uint64_t)op->ne[1] + MATMUL_TILE - 1) / MATMUL_TILE;

	if (!call)
		return;
	hg_call_spec(call, op->src[0]->type);
	hg_call_spec(call, op->src[1]->type);
	hg_call_groups(call, ((uint64_t)op->ne[0] + MATMUL_TILE - 1) / MATMUL_TILE,
		       tiles * (uint64_t)(op->ne[2] * op->ne[3]));
	hg_call_tensor(plan, call, op->src[0]);
	hg_call_tensor(plan, call, op->src[1]);
	hg_call_tensor(plan, call, op);
}

void hg_plan_matmul(struct hg_plan *plan, const struct ggml_tensor *op)
{
	if (op->op == GGML_OP_MUL_MAT_ID && plan_experts(plan, op))
		return;
	if (op->op == GGML_OP_MUL_MAT_ID)
		plan_matvec(plan, op, op->src[2]);
	else if (plan_runtime(plan, op))
		return;
	else if (op->ne[1] <= MATVEC_COLUMNS)
		plan_matvec(plan, op, NULL);
	else
		plan_matmul(plan, op);
}

/* ---- Attention ---- */

/* Whether @t is repeated evenly over the heads and the batch of @q. */
static bool repeats_heads(const struct ggml_tensor *t, const struct ggml_tensor *q)
{
	return t->ne[2] && t->ne[3] && q->ne[2] % t->ne[2] == 0 && q->ne[3] % t->ne[3] == 0;
}

bool hg_check_attention(const struct hg_device *device, const struct ggml_tensor *op)
{
	const struct ggml_tensor *q = op->src[0];
	const struct ggml_tensor *k = op->src[1];
	const struct ggml_tensor *v = op->src[2];
	const struct ggml_tensor *mask = op->src[3];
	const struct ggml_tensor *sinks = op->src[4];
	uint64_t shared = 4 * (uint64_t)(q->ne[0] + v->ne[0] + 2 * HG_LOCAL);

	if (q->type != GGML_TYPE_F32 || op->type != GGML_TYPE_F32 || !hg_is_readable(k) ||
	    !hg_is_readable(v) || q->ne[0] > MAX_HEAD || v->ne[0] > MAX_HEAD ||
	    shared > device->properties.shared_memory_bytes)
		return false;
	if (k->ne[0] != q->ne[0] || v->ne[1] != k->ne[1] || !repeats_heads(k, q) ||
	    !repeats_heads(v, q) || op->ne[0] != v->ne[0] || op->ne[1] != q->ne[2] ||
	    op->ne[2] != q->ne[1] || op->ne[3] != q->ne[3])
		return false;
	if (mask && (mask->type != GGML_TYPE_F16 || mask->ne[0] < k->ne[1] ||
		     mask->ne[1] < q->ne[1] || !repeats_heads(mask, q)))
		return false;
	return !sinks || (sinks->type == GGML_TYPE_F32 && sinks->ne[0] == q->ne[2]);
}

void hg_plan_attention(struct hg_plan *plan, const struct ggml_tensor *op)
{
	struct hg_call *call = hg_plan_add(plan, HG_SHADER_ATTENTION);
	const struct ggml_tensor *q = op->src[0];
	float scale = hg_op_float(op, 0);
	float max_bias = hg_op_float(op, 1);
	float softcap = hg_op_float(op, 2);

	if (!call)
		return;
	hg_call_spec(call, op->src[1]->type);
	hg_call_spec(call, op->src[2]->type);
	hg_call_spec(call, op->src[3] != NULL);
	hg_call_spec(call, op->src[4] != NULL);
	hg_call_spec(call, (uint32_t)q->ne[0]);
	hg_call_spec(call, (uint32_t)op->src[2]->ne[0]);
	hg_call_groups(call, (uint64_t)ggml_nrows(q), 1);
	for (int i = 0; i < 5; i++)
		hg_call_tensor(plan, call, op->src[i]);
	hg_call_tensor(plan, call, op);
	hg_call_float(call, softcap != 0 ? scale / softcap : scale);
	hg_call_float(call, softcap);
	hg_call_float(call, max_bias);
	hg_call_slopes(call, max_bias, q->ne[2]);
}
