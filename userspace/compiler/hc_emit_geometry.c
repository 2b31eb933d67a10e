// SPDX-License-Identifier: MIT
/*
 * GLSL.std.450's functions of whole vectors and matrices. Each leaf of a result depends on all leaves of the arguments, so
 * that all leaves have one shape.
 */
#include "hc_emit.h"

#include <spirv/unified1/GLSL.std.450.h>

#define MAX_SIDE 4

static uint32_t argument_id(const struct hc_inst *inst, uint32_t n)
{
	return inst->operand[2 + n];
}

static uint32_t argument_leaves(struct hc_emit *e, const struct hc_inst *inst, uint32_t n)
{
	return hc_type_of(e->m, argument_id(inst, n))->leaves;
}

static LLVMValueRef part(struct hc_emit *e, const struct hc_inst *inst, uint32_t n, uint32_t leaf)
{
	return hc_widen(e, hc_leaf_type(e->m, hc_type_of(e->m, argument_id(inst, n)), 0),
			hc_as_shape(e, inst->result, 0, argument_id(inst, n), leaf));
}

static void put(struct hc_emit *e, const struct hc_inst *inst, uint32_t leaf, LLVMValueRef value)
{
	hc_put(e, inst->result, leaf,
	       hc_narrow(e, hc_leaf_type(e->m, hc_type(e->m, inst->type), 0), value));
}

static LLVMValueRef real(struct hc_emit *e, LLVMTypeRef type, double value)
{
	if (LLVMGetTypeKind(type) == LLVMVectorTypeKind)
		return hc_splat(e, LLVMConstReal(LLVMGetElementType(type), value));
	return LLVMConstReal(type, value);
}

static LLVMValueRef multiply(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y)
{
	return LLVMBuildFMul(e->b, x, y, "");
}

static LLVMValueRef subtract(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y)
{
	return LLVMBuildFSub(e->b, x, y, "");
}

static LLVMValueRef add(struct hc_emit *e, LLVMValueRef sum, LLVMValueRef x)
{
	return sum ? LLVMBuildFAdd(e->b, sum, x, "") : x;
}

static LLVMValueRef dot(struct hc_emit *e, const struct hc_inst *inst, uint32_t m, uint32_t n)
{
	uint32_t i, count = argument_leaves(e, inst, m);
	LLVMValueRef sum = NULL;

	for (i = 0; i < count; i++)
		sum = add(e, sum, multiply(e, part(e, inst, m, i), part(e, inst, n, i)));
	return sum;
}

static LLVMValueRef distance(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t i, count = argument_leaves(e, inst, 0);
	LLVMValueRef sum = NULL, x;

	for (i = 0; i < count; i++) {
		x = subtract(e, part(e, inst, 0, i), part(e, inst, 1, i));
		sum = add(e, sum, multiply(e, x, x));
	}
	return hc_call1(e, "llvm.sqrt", sum);
}

static void cross(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t i;

	for (i = 0; i < 3; i++) {
		uint32_t a = (i + 1) % 3, b = (i + 2) % 3;

		put(e, inst, i,
		    subtract(e, multiply(e, part(e, inst, 0, a), part(e, inst, 1, b)),
			     multiply(e, part(e, inst, 0, b), part(e, inst, 1, a))));
	}
}

/* I - 2 (N · I) N */
static void reflect(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t i, count = argument_leaves(e, inst, 0);
	LLVMValueRef twice = dot(e, inst, 1, 0);

	twice = multiply(e, real(e, LLVMTypeOf(twice), 2), twice);
	for (i = 0; i < count; i++)
		put(e, inst, i,
		    subtract(e, part(e, inst, 0, i), multiply(e, twice, part(e, inst, 1, i))));
}

/* eta I - (eta (N · I) + sqrt(k)) N, or 0 where k = 1 - eta² (1 - (N · I)²) is negative. */
static void refract(struct hc_emit *e, const struct hc_inst *inst)
{
	LLVMValueRef cosine = dot(e, inst, 1, 0), eta = part(e, inst, 2, 0), k, root, x;
	LLVMTypeRef type = LLVMTypeOf(cosine);
	uint32_t i, count = argument_leaves(e, inst, 0);
	LLVMValueRef one = real(e, type, 1), zero = LLVMConstNull(type), none;

	k = subtract(e, one, multiply(e, cosine, cosine));
	k = subtract(e, one, multiply(e, multiply(e, eta, eta), k));
	none = LLVMBuildFCmp(e->b, LLVMRealOLT, k, zero, "");
	root = hc_call1(e, "llvm.sqrt", LLVMBuildSelect(e->b, none, zero, k, ""));
	root = add(e, multiply(e, eta, cosine), root);
	for (i = 0; i < count; i++) {
		x = subtract(e, multiply(e, eta, part(e, inst, 0, i)),
			     multiply(e, root, part(e, inst, 1, i)));
		put(e, inst, i, LLVMBuildSelect(e->b, none, zero, x, ""));
	}
}

/* N where the dot product of Nref and I is negative, -N elsewhere. */
static void face_forward(struct hc_emit *e, const struct hc_inst *inst)
{
	LLVMValueRef product = dot(e, inst, 2, 1), forward, x;
	uint32_t i, count = argument_leaves(e, inst, 0);

	forward = LLVMBuildFCmp(e->b, LLVMRealOLT, product, LLVMConstNull(LLVMTypeOf(product)), "");
	for (i = 0; i < count; i++) {
		x = part(e, inst, 0, i);
		put(e, inst, i, LLVMBuildSelect(e->b, forward, x, LLVMBuildFNeg(e->b, x, ""), ""));
	}
}

/* ---- Square matrices: [column][row] ---- */

struct square {
	uint32_t side;
	LLVMValueRef at[MAX_SIDE][MAX_SIDE];
};

static struct square load_square(struct hc_emit *e, const struct hc_inst *inst)
{
	struct square m = { .side = hc_type_of(e->m, argument_id(inst, 0))->count };
	uint32_t c, r;

	if (m.side > MAX_SIDE || m.side * m.side != argument_leaves(e, inst, 0))
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV,
			 "a matrix of %u columns, expected a square one", m.side);
	for (c = 0; c < m.side; c++)
		for (r = 0; r < m.side; r++)
			m.at[c][r] = part(e, inst, 0, c * m.side + r);
	return m;
}

static struct square without(const struct square *m, uint32_t column, uint32_t row)
{
	struct square out = { .side = m->side - 1 };
	uint32_t c, r;

	for (c = 0; c < out.side; c++)
		for (r = 0; r < out.side; r++)
			out.at[c][r] = m->at[c + (c >= column)][r + (r >= row)];
	return out;
}

/* Along the first column. */
static LLVMValueRef determinant(struct hc_emit *e, const struct square *m)
{
	LLVMValueRef sum = NULL, x;
	struct square minor;
	uint32_t r;

	if (m->side == 1)
		return m->at[0][0];
	for (r = 0; r < m->side; r++) {
		minor = without(m, 0, r);
		x = multiply(e, m->at[0][r], determinant(e, &minor));
		sum = r & 1 ? subtract(e, sum, x) : add(e, sum, x);
	}
	return sum;
}

/* By cofactors. */
static void inverse(struct hc_emit *e, const struct hc_inst *inst)
{
	struct square m = load_square(e, inst), minor;
	LLVMValueRef scale = determinant(e, &m), x;
	uint32_t c, r;

	scale = LLVMBuildFDiv(e->b, real(e, LLVMTypeOf(scale), 1), scale, "");
	for (c = 0; c < m.side; c++) {
		for (r = 0; r < m.side; r++) {
			minor = without(&m, r, c);
			x = multiply(e, determinant(e, &minor), scale);
			put(e, inst, c * m.side + r, (c + r) & 1 ? LLVMBuildFNeg(e->b, x, "") : x);
		}
	}
}

/* Returns false if the instruction is none of these. */
bool hc_emit_geometry(struct hc_emit *e, const struct hc_inst *inst)
{
	struct square m;
	LLVMValueRef x;
	uint32_t i;

	switch (inst->operand[1]) {
	case GLSLstd450Length:
		put(e, inst, 0, hc_call1(e, "llvm.sqrt", dot(e, inst, 0, 0)));
		return true;
	case GLSLstd450Distance:
		put(e, inst, 0, distance(e, inst));
		return true;
	case GLSLstd450Normalize:
		x = hc_call1(e, "llvm.sqrt", dot(e, inst, 0, 0));
		for (i = 0; i < argument_leaves(e, inst, 0); i++)
			put(e, inst, i, LLVMBuildFDiv(e->b, part(e, inst, 0, i), x, ""));
		return true;
	case GLSLstd450Cross:
		cross(e, inst);
		return true;
	case GLSLstd450Reflect:
		reflect(e, inst);
		return true;
	case GLSLstd450Refract:
		refract(e, inst);
		return true;
	case GLSLstd450FaceForward:
		face_forward(e, inst);
		return true;
	case GLSLstd450Determinant:
		m = load_square(e, inst);
		put(e, inst, 0, determinant(e, &m));
		return true;
	case GLSLstd450MatrixInverse:
		inverse(e, inst);
		return true;
	default:
		return false;
	}
}
