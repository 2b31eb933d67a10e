// SPDX-License-Identifier: MIT
/*
 * Which values are the same in all lanes, and which grow by a constant from lane to lane. This is what makes scalar
 * code of addresses and loop counters, and plain vector loads of gathers.
 *
 * Shapes start unknown and only ever get worse (uniform, affine, varying), so the iteration ends. Lanes part at branches
 * whose condition is not the same in a subgroup; a value that comes together again from such paths is varying.
 */
#include "hc_internal.h"

#include <string.h>
#include <spirv/unified1/spirv.h>
#include <spirv/unified1/GLSL.std.450.h>

#define ALIGN_MOST  31
/* Places are multiplied by less than this, and then do not grow over 31 bits; what hashes multiply by does. */
#define FACTOR_MOST 65536

struct analysis {
	struct hc_module *m;
	struct hc_shapes *shapes;
	struct hc_node **block_parent; /* [block]: node whose list holds it */
	bool *parted;		       /* [block]: lanes come here from different edges */
	bool *split; /* [block]: subgroups come here from different edges, or at different times */
	bool changed;
};

static const struct hc_shape varying = { .kind = HC_VARYING, .known = true };

static uint8_t zeros_below(uint64_t value)
{
	uint64_t zeros = value ? (uint64_t)__builtin_ctzll(value) : ALIGN_MOST;

	return zeros > ALIGN_MOST ? ALIGN_MOST : (uint8_t)zeros;
}

static uint8_t least(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

struct hc_shape hc_shape_of(struct hc_shapes *shapes, uint32_t id, uint32_t leaf)
{
	struct hc_module *m = shapes->m;
	struct hc_id *entry = hc_id(m, id);
	struct hc_shape constant = { .kind = HC_UNIFORM, .known = true };

	if (entry->kind == HC_ID_CONSTANT) {
		struct hc_type *type = hc_leaf_type(m, hc_type_of(m, id), leaf);

		constant.align_log2 = zeros_below(entry->constant[leaf]);
		constant.positive = type->kind == HC_TYPE_INT && entry->constant[leaf] < 1ull << 31;
		return constant;
	}
	return shapes->leaf[id] ? shapes->leaf[id][leaf] : varying;
}

static void set(struct analysis *a, uint32_t id, uint32_t leaf, struct hc_shape shape)
{
	struct hc_shape *old = &a->shapes->leaf[id][leaf];

	if (!shape.known)
		return;
	if (a->shapes->escapes[id])
		shape = varying;
	if (shape.kind == HC_AFFINE && !shape.stride && a->m->hc->subgroups == 1)
		shape.kind = HC_UNIFORM;
	/* Only ever worse. */
	if (old->known) {
		if (shape.kind < old->kind || (shape.kind == HC_AFFINE && old->kind == HC_AFFINE &&
					       shape.stride != old->stride))
			shape = old->kind == HC_AFFINE && shape.kind != HC_UNIFORM ? varying : *old;
		shape.align_log2 = least(shape.align_log2, old->align_log2);
		shape.positive = shape.positive && old->positive;
		if (!memcmp(&shape, old, sizeof(shape)))
			return;
	}
	*old = shape;
	a->changed = true;
}

/* What a value is that may be either. */
static struct hc_shape join(struct hc_shape x, struct hc_shape y)
{
	struct hc_shape out = x;

	if (!x.known)
		return y;
	if (!y.known)
		return x;
	if (x.kind == HC_VARYING || y.kind == HC_VARYING)
		return varying;
	if ((x.kind == HC_AFFINE ? x.stride : 0) != (y.kind == HC_AFFINE ? y.stride : 0))
		return varying;
	if (y.kind == HC_AFFINE)
		out.kind = HC_AFFINE;
	out.align_log2 = least(x.align_log2, y.align_log2);
	out.positive = x.positive && y.positive;
	return out;
}

/* What a pure function of both is: uniform of uniform ones, and so on. */
static struct hc_shape depend(struct hc_shape x, struct hc_shape y)
{
	struct hc_shape out = { .kind = HC_UNIFORM, .known = x.known && y.known };

	if (!out.known)
		return out;
	if (!hc_is_scalar(x) || !hc_is_scalar(y))
		return varying;
	if (x.kind == HC_AFFINE || y.kind == HC_AFFINE)
		out.kind = HC_AFFINE;
	return out;
}

static bool constant_of(struct hc_module *m, uint32_t id, uint32_t leaf, uint64_t *value)
{
	struct hc_id *entry = hc_id(m, id);

	if (entry->kind != HC_ID_CONSTANT)
		return false;
	*value = entry->constant[leaf];
	return true;
}

/* x / 2^c and x mod 2^c, where lanes differ by a constant: see hc_shape.stride. */
static struct hc_shape divide(struct analysis *a, struct hc_shape x, uint32_t log2, bool remainder)
{
	uint64_t spread = (uint64_t)x.stride * (a->m->hc->lanes - 1);
	uint64_t divisor = 1ull << log2;
	struct hc_shape out = x;

	out.positive = remainder || x.positive || log2;
	out.align_log2 = remainder	       ? least(x.align_log2, ALIGN_MOST)
			 : x.align_log2 > log2 ? (uint8_t)(x.align_log2 - log2)
					       : 0;
	if (hc_is_scalar(x))
		return out;
	/* The base is a multiple of 2^align, and no lane goes beyond the next multiple. */
	if (x.kind != HC_AFFINE || x.stride < 0 || spread >= 1ull << x.align_log2)
		return varying;
	if (log2 >= x.align_log2 || spread < divisor) {
		if (remainder)
			return out;
		out.stride = 0;
		return out;
	}
	if (!remainder && x.stride % (int64_t)divisor == 0) {
		out.stride = x.stride / (int64_t)divisor;
		return out;
	}
	return varying;
}

static struct hc_shape integer_binary(struct analysis *a, const struct hc_inst *inst, uint32_t leaf)
{
	struct hc_shape x = hc_shape_of(a->shapes, inst->operand[0], leaf);
	struct hc_shape y = hc_shape_of(a->shapes, inst->operand[1], leaf);
	struct hc_shape out = depend(x, y);
	bool wide = hc_leaf_type(a->m, hc_type(a->m, inst->type), leaf)->width >= 32;
	bool affine = wide && x.known && y.known && x.kind != HC_VARYING && y.kind != HC_VARYING;
	uint64_t c = 0;

	switch (inst->op) {
	case SpvOpIAdd:
	case SpvOpISub:
		if (!affine)
			return out;
		out.kind = x.kind > y.kind ? x.kind : y.kind;
		out.stride = inst->op == SpvOpIAdd ? x.stride + y.stride : x.stride - y.stride;
		out.align_log2 = least(x.align_log2, y.align_log2);
		out.positive = inst->op == SpvOpIAdd && x.positive && y.positive;
		return out;
	case SpvOpIMul:
		if (!affine)
			return out;
		if (hc_is_scalar(x) && hc_is_scalar(y)) {
			out.align_log2 = least(ALIGN_MOST, x.align_log2 + y.align_log2);
			out.positive = x.positive && y.positive;
			if (constant_of(a->m, inst->operand[0], leaf, &c) ||
			    constant_of(a->m, inst->operand[1], leaf, &c))
				out.positive &= c <= FACTOR_MOST;
			return out;
		}
		if (constant_of(a->m, inst->operand[0], leaf, &c)) {
			struct hc_shape t = x;

			x = y;
			y = t;
		} else if (!constant_of(a->m, inst->operand[1], leaf, &c)) {
			return out;
		}
		if (c > INT32_MAX || x.stride > INT32_MAX || x.stride < INT32_MIN)
			return out;
		out = x;
		out.stride *= (int64_t)c;
		out.positive = x.positive && out.stride >= 0 && out.stride <= FACTOR_MOST;
		out.align_log2 = least(ALIGN_MOST, x.align_log2 + y.align_log2);
		return out;
	case SpvOpShiftLeftLogical:
		if (!affine || !constant_of(a->m, inst->operand[1], leaf, &c) || c > 24)
			return out;
		if (x.stride > INT32_MAX || x.stride < INT32_MIN)
			return out;
		out = x;
		out.stride *= (int64_t)1 << c;
		out.positive =
			x.positive && c <= 16 && out.stride >= 0 && out.stride <= FACTOR_MOST;
		out.align_log2 = least(ALIGN_MOST, x.align_log2 + (uint8_t)c);
		return out;
	case SpvOpShiftRightLogical:
	case SpvOpShiftRightArithmetic:
		if (!affine || !constant_of(a->m, inst->operand[1], leaf, &c) || c > 30 ||
		    (inst->op == SpvOpShiftRightArithmetic && !x.positive))
			return out;
		return divide(a, x, (uint32_t)c, false);
	case SpvOpUDiv:
	case SpvOpUMod:
	case SpvOpSDiv:
	case SpvOpSRem:
	case SpvOpSMod:
		/* Unsigned numbers need not be positive: lanes between two multiples of the divisor do not wrap. */
		if (!affine || !constant_of(a->m, inst->operand[1], leaf, &c) || c < 2 ||
		    c & (c - 1) || c > 1u << 30 ||
		    (!x.positive && inst->op != SpvOpUDiv && inst->op != SpvOpUMod)) {
			out.positive = x.positive && y.positive;
			return out;
		}
		return divide(a, x, (uint32_t)__builtin_ctzll(c),
			      inst->op != SpvOpUDiv && inst->op != SpvOpSDiv);
	case SpvOpBitwiseAnd:
		if (!affine || !constant_of(a->m, inst->operand[1], leaf, &c) || !c ||
		    (c & (c + 1)) || c > 1u << 30) {
			out.positive = x.positive || y.positive;
			return out;
		}
		return divide(a, x, (uint32_t)__builtin_ctzll(c + 1), true);
	default:
		return out;
	}
}

/* ---- Built-in variables ---- */

static struct hc_shape local_id(const struct hc *hc, uint32_t component)
{
	const uint32_t *size = hc->local_size;
	struct hc_shape out = { .known = true, .positive = true };
	uint32_t below = component == 0 ? 1 : component == 1 ? size[0] : size[0] * size[1];
	uint32_t rest = component == 0 ? size[1] * size[2] : component == 1 ? size[2] : 1;

	if (size[component] == 1) {
		out.align_log2 = ALIGN_MOST;
		return out;
	}
	if (below % hc->lanes == 0) {
		out.kind = HC_AFFINE;
		return out;
	}
	if (below == 1 && (size[0] % hc->lanes == 0 || rest == 1)) {
		out.kind = HC_AFFINE;
		out.stride = 1;
		out.align_log2 = zeros_below(hc->lanes);
		return out;
	}
	return varying;
}

static struct hc_shape builtin_shape(struct analysis *a, uint32_t builtin, uint32_t component)
{
	const struct hc *hc = a->m->hc;
	struct hc_shape out = { .known = true, .positive = true };

	switch (builtin) {
	case SpvBuiltInSubgroupId:
		out.kind = HC_AFFINE;
		return out;
	case SpvBuiltInSubgroupSize:
		out.align_log2 = zeros_below(hc->lanes);
		return out;
	case SpvBuiltInSubgroupLocalInvocationId:
		out.kind = HC_AFFINE;
		out.stride = 1;
		out.align_log2 = ALIGN_MOST;
		return out;
	case SpvBuiltInLocalInvocationIndex:
		out.kind = HC_AFFINE;
		out.stride = 1;
		out.align_log2 = zeros_below(hc->lanes);
		return out;
	case SpvBuiltInLocalInvocationId:
		return component < 3 ? local_id(hc, component) : varying;
	case SpvBuiltInGlobalInvocationId:
		if (component >= 3)
			return varying;
		out = local_id(hc, component);
		if (out.kind != HC_VARYING)
			out.align_log2 =
				least(out.align_log2, zeros_below(hc->local_size[component]));
		return out;
	case SpvBuiltInSubgroupEqMask:
	case SpvBuiltInSubgroupGeMask:
	case SpvBuiltInSubgroupGtMask:
	case SpvBuiltInSubgroupLeMask:
	case SpvBuiltInSubgroupLtMask:
		return varying;
	default:
		return out;
	}
}

/* ---- Memory ---- */

/* The variable that a pointer comes from, and what its indices depend on. */
static struct hc_id *root_of(struct analysis *a, uint32_t pointer, struct hc_shape *indices,
			     uint32_t *first_index)
{
	struct hc_module *m = a->m;
	uint32_t i, depth;

	*indices = (struct hc_shape){ .kind = HC_UNIFORM, .known = true };
	*first_index = 0;
	for (depth = 0; depth < HC_MAX_DEPTH; depth++) {
		struct hc_id *id = hc_id(m, pointer);
		const struct hc_inst *inst;

		if (id->kind == HC_ID_VARIABLE)
			return id;
		inst = hc_access_chain(m, pointer);
		if (!inst && hc_is_address(m, pointer)) {
			*indices = depend(*indices, hc_shape_of(a->shapes, pointer, 0));
			return id;
		}
		if (id->kind != HC_ID_VALUE)
			break;
		if (!inst)
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
				 "a pointer made by %s is not supported",
				 hc_op_name(m->insts[id->index].op));
		for (i = 1; i < inst->operands; i++)
			*indices = depend(*indices, hc_shape_of(a->shapes, inst->operand[i], 0));
		*first_index = inst->operands > 1 ? inst->operand[1] : 0;
		pointer = inst->operand[0];
	}
	hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "pointer %u comes from no variable", pointer);
}

static void load(struct analysis *a, const struct hc_inst *inst)
{
	uint32_t leaf, first_index, leaves = hc_type(a->m, inst->type)->leaves;
	struct hc_shape indices;
	struct hc_id *root = root_of(a, inst->operand[0], &indices, &first_index);
	uint64_t component = 0;

	for (leaf = 0; leaf < leaves; leaf++) {
		struct hc_shape shape = indices;

		switch (root->storage_class) {
		case SpvStorageClassInput:
			if (first_index && !constant_of(a->m, first_index, 0, &component))
				shape = varying;
			else
				shape = builtin_shape(a, root->builtin, (uint32_t)component + leaf);
			break;
		case SpvStorageClassFunction:
		case SpvStorageClassPrivate:
			if (!root->is_table)
				shape = varying;
			shape.positive = false;
			break;
		default:
			shape.positive = false;
			break;
		}
		set(a, inst->result, leaf, shape);
	}
}

/* ---- Instructions ---- */

static void copy_leaves(struct analysis *a, const struct hc_inst *inst, uint32_t to,
			uint32_t from_id, uint32_t from, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		set(a, inst->result, to + i, hc_shape_of(a->shapes, from_id, from + i));
}

static uint32_t leaf_at(struct analysis *a, struct hc_type *type, const uint32_t *path, uint32_t n)
{
	uint32_t i, first, leaf = 0;

	for (i = 0; i < n; i++) {
		type = hc_member_type(a->m, type, path[i], &first);
		leaf += first;
	}
	return leaf;
}

static void composite(struct analysis *a, const struct hc_inst *inst)
{
	struct hc_type *type = hc_type(a->m, inst->type);
	uint32_t i, leaf = 0, at, count;

	switch (inst->op) {
	case SpvOpCompositeConstruct:
		for (i = 0; i < inst->operands; i++) {
			count = hc_type_of(a->m, inst->operand[i])->leaves;
			copy_leaves(a, inst, leaf, inst->operand[i], 0, count);
			leaf += count;
		}
		break;
	case SpvOpCompositeExtract:
		at = leaf_at(a, hc_type_of(a->m, inst->operand[0]), inst->operand + 1,
			     inst->operands - 1u);
		copy_leaves(a, inst, 0, inst->operand[0], at, type->leaves);
		break;
	case SpvOpCompositeInsert:
		at = leaf_at(a, type, inst->operand + 2, inst->operands - 2u);
		count = hc_type_of(a->m, inst->operand[0])->leaves;
		for (i = 0; i < type->leaves; i++)
			if (i >= at && i < at + count)
				copy_leaves(a, inst, i, inst->operand[0], i - at, 1);
			else
				copy_leaves(a, inst, i, inst->operand[1], i, 1);
		break;
	case SpvOpVectorShuffle:
		count = hc_type_of(a->m, inst->operand[0])->leaves;
		for (i = 0; i < type->leaves; i++) {
			uint32_t from = inst->operand[2 + i];

			if (from == UINT32_MAX)
				from = 0;
			copy_leaves(a, inst, i, inst->operand[from < count ? 0 : 1],
				    from < count ? from : from - count, 1);
		}
		break;
	default:
		break;
	}
}

static void phi(struct analysis *a, const struct hc_inst *inst)
{
	uint32_t leaf, i, leaves = hc_type(a->m, inst->type)->leaves;
	bool parted = a->parted[inst->block];
	bool same = true;

	for (i = 2; i < inst->operands; i += 2)
		same &= inst->operand[i] == inst->operand[0];
	a->shapes->phi_masked[inst->result] = parted || a->shapes->escapes[inst->result];
	for (leaf = 0; leaf < leaves; leaf++) {
		struct hc_shape shape = { 0 };

		for (i = 0; i < inst->operands; i += 2)
			shape = join(shape, hc_shape_of(a->shapes, inst->operand[i], leaf));
		if (shape.known && parted && !same)
			shape = varying;
		else if (shape.kind == HC_UNIFORM && a->split[inst->block] && !same)
			shape.kind = HC_AFFINE;
		set(a, inst->result, leaf, shape);
	}
}

/* Does the result of a subgroup operation have the same value in all lanes? */
static bool same_in_subgroup(uint32_t op, const struct hc_inst *inst)
{
	switch (op) {
	case SpvOpGroupNonUniformAll:
	case SpvOpGroupNonUniformAny:
	case SpvOpGroupNonUniformAllEqual:
	case SpvOpGroupNonUniformBroadcastFirst:
	case SpvOpGroupNonUniformBallot:
		return true;
	case SpvOpGroupNonUniformBroadcast:
		return true;
	case SpvOpGroupNonUniformBallotBitCount:
		return inst->operand[1] == SpvGroupOperationReduce;
	case SpvOpGroupNonUniformIAdd:
	case SpvOpGroupNonUniformFAdd:
	case SpvOpGroupNonUniformIMul:
	case SpvOpGroupNonUniformFMul:
	case SpvOpGroupNonUniformSMin:
	case SpvOpGroupNonUniformUMin:
	case SpvOpGroupNonUniformFMin:
	case SpvOpGroupNonUniformSMax:
	case SpvOpGroupNonUniformUMax:
	case SpvOpGroupNonUniformFMax:
	case SpvOpGroupNonUniformBitwiseAnd:
	case SpvOpGroupNonUniformBitwiseOr:
	case SpvOpGroupNonUniformBitwiseXor:
	case SpvOpGroupNonUniformLogicalAnd:
	case SpvOpGroupNonUniformLogicalOr:
	case SpvOpGroupNonUniformLogicalXor:
		return inst->operand[1] == SpvGroupOperationReduce;
	default:
		return false;
	}
}

static bool is_subgroup_op(uint32_t op)
{
	return (op >= SpvOpGroupNonUniformElect && op <= SpvOpGroupNonUniformQuadSwap) ||
	       op == SpvOpGroupNonUniformRotateKHR;
}

/* Does each leaf of the result depend on all leaves of the operands? */
static bool mixes_leaves(const struct hc_inst *inst)
{
	if (inst->op != SpvOpExtInst)
		return inst->op == SpvOpTranspose || inst->op == SpvOpMatrixTimesMatrix;
	switch (inst->operand[1]) {
	case GLSLstd450MatrixInverse:
	case GLSLstd450Cross:
	case GLSLstd450Normalize:
	case GLSLstd450FaceForward:
	case GLSLstd450Reflect:
	case GLSLstd450Refract:
		return true;
	default:
		return false;
	}
}

static void generic(struct analysis *a, const struct hc_inst *inst)
{
	uint32_t i, j, leaf, count, leaves = hc_type(a->m, inst->type)->leaves;
	bool by_leaf = !mixes_leaves(inst);
	uint32_t skip = inst->op == SpvOpExtInst ? 2 : 0;

	for (i = skip; i < inst->operands; i++) {
		struct hc_id *id = hc_id(a->m, inst->operand[i]);

		if (id->kind == HC_ID_VALUE || id->kind == HC_ID_CONSTANT)
			by_leaf &= hc_type_of(a->m, inst->operand[i])->leaves == leaves;
	}
	for (leaf = 0; leaf < leaves; leaf++) {
		struct hc_shape shape = { .kind = HC_UNIFORM, .known = true };

		for (i = skip; i < inst->operands; i++) {
			struct hc_id *id = hc_id(a->m, inst->operand[i]);

			if (id->kind != HC_ID_VALUE && id->kind != HC_ID_CONSTANT)
				continue;
			count = hc_type_of(a->m, inst->operand[i])->leaves;
			for (j = by_leaf ? leaf : 0; j < (by_leaf ? leaf + 1 : count); j++)
				shape = depend(shape, hc_shape_of(a->shapes, inst->operand[i], j));
		}
		set(a, inst->result, leaf, shape);
	}
}

/*
 * Is a conversion between integers one that lanes with a constant step keep it through? Where one is made wider without its
 * sign, no lane may wrap around.
 */
static bool keeps_steps(struct analysis *a, const struct hc_inst *inst)
{
	struct hc_type *to = hc_leaf_type(a->m, hc_type(a->m, inst->type), 0);
	struct hc_type *from = hc_leaf_type(a->m, hc_type_of(a->m, inst->operand[0]), 0);
	uint32_t leaf, leaves = hc_type(a->m, inst->type)->leaves;

	if (leaves != hc_type_of(a->m, inst->operand[0])->leaves || to->kind != HC_TYPE_INT ||
	    from->kind != HC_TYPE_INT || to->width < 32 || from->width < 32)
		return false;
	for (leaf = 0; inst->op == SpvOpUConvert && to->width > from->width && leaf < leaves;
	     leaf++) {
		struct hc_shape shape = hc_shape_of(a->shapes, inst->operand[0], leaf);

		if (shape.known && !hc_is_scalar(shape) && !shape.positive)
			return false;
	}
	return true;
}

static void instruction(struct analysis *a, const struct hc_inst *inst)
{
	uint32_t leaf, leaves;
	struct hc_shape indices;

	if (!inst->result || !inst->type || !a->shapes->leaf[inst->result])
		return;
	leaves = hc_type(a->m, inst->type)->leaves;
	if (hc_is_matrix(a->m, inst->result)) {
		for (leaf = 0; leaf < leaves; leaf++)
			set(a, inst->result, leaf, varying);
		if (inst->op == SpvOpPhi)
			a->shapes->phi_masked[inst->result] = a->parted[inst->block];
		return;
	}
	if (is_subgroup_op(inst->op) || hc_is_atomic(inst->op) || hc_is_image_op(inst->op)) {
		struct hc_shape shape = varying;

		if (is_subgroup_op(inst->op) && same_in_subgroup(inst->op, inst))
			shape = (struct hc_shape){ .kind = HC_AFFINE, .known = true };
		for (leaf = 0; leaf < leaves; leaf++)
			set(a, inst->result, leaf, shape);
		return;
	}
	switch (inst->op) {
	case SpvOpPhi:
		phi(a, inst);
		return;
	case SpvOpLoad:
		load(a, inst);
		return;
	case SpvOpArrayLength:
		root_of(a, inst->operand[0], &indices, &leaf);
		set(a, inst->result, 0, indices);
		return;
	case SpvOpCompositeConstruct:
	case SpvOpCompositeExtract:
	case SpvOpCompositeInsert:
	case SpvOpVectorShuffle:
		composite(a, inst);
		return;
	case SpvOpExpectKHR:
	case SpvOpCopyObject:
		copy_leaves(a, inst, 0, inst->operand[0], 0, leaves);
		return;
	case SpvOpUConvert:
	case SpvOpSConvert:
	case SpvOpBitcast:
		if (keeps_steps(a, inst))
			copy_leaves(a, inst, 0, inst->operand[0], 0, leaves);
		else
			generic(a, inst);
		return;
	case SpvOpIAdd:
	case SpvOpISub:
	case SpvOpIMul:
	case SpvOpShiftLeftLogical:
	case SpvOpShiftRightLogical:
	case SpvOpShiftRightArithmetic:
	case SpvOpUDiv:
	case SpvOpUMod:
	case SpvOpSDiv:
	case SpvOpSRem:
	case SpvOpSMod:
	case SpvOpBitwiseAnd:
		for (leaf = 0; leaf < leaves; leaf++)
			set(a, inst->result, leaf, integer_binary(a, inst, leaf));
		return;
	default:
		generic(a, inst);
		return;
	}
}

/* ---- Control ---- */

static void raise_flag(struct analysis *a, bool *flag, bool value)
{
	if (value && !*flag) {
		*flag = true;
		a->changed = true;
	}
}

static void part(struct analysis *a, struct hc_node *node)
{
	struct hc_shape shape = hc_shape_of(a->shapes, node->condition, 0);

	raise_flag(a, &node->splits, shape.known && shape.kind != HC_UNIFORM);
	raise_flag(a, &node->divergent, shape.known && !hc_is_scalar(shape));
}

static void mark(struct analysis *a, bool *blocks, uint32_t label)
{
	if (label)
		raise_flag(a, &blocks[hc_id(a->m, label)->index], true);
}

/* Where the paths of IF, SWITCH or LOOP come together, values of different paths meet. */
static void mark_merge(struct analysis *a, const struct hc_node *node)
{
	const struct hc_block *block = &a->m->blocks[node->block];

	/* A header's conditional branch has no merge of its own. */
	if (node->kind == HC_NODE_IF && block->proceed)
		return;
	if (node->divergent)
		mark(a, a->parted, block->merge);
	if (!node->splits)
		return;
	mark(a, a->split, block->merge);
	if (node->kind == HC_NODE_LOOP) {
		mark(a, a->split, block->label);
		mark(a, a->split, block->proceed);
	}
}

/* A jump that not all lanes take makes what it leaves divergent, on all levels. */
static void jump(struct analysis *a, struct hc_node *node)
{
	struct hc_node *at;
	bool divergent = node->target->divergent, splits = node->target->splits;

	for (at = node->parent; at && at != node->target; at = at->parent) {
		divergent |= at->divergent;
		splits |= at->splits;
	}
	if (!splits)
		return;
	for (at = node->parent; at && at != node->target; at = at->parent)
		raise_flag(a, &at->splits, true);
	raise_flag(a, &node->target->splits, true);
	if (node->jump == HC_JUMP_FALL)
		raise_flag(a, &a->split[node->to], true);
	if (!divergent)
		return;
	for (at = node->parent; at && at != node->target; at = at->parent) {
		raise_flag(a, &at->jumps, true);
		if (at->kind != HC_NODE_IF)
			raise_flag(a, &at->divergent, true);
	}
	raise_flag(a, &node->target->divergent, true);
	if (node->jump == HC_JUMP_CONTINUE)
		mark(a, a->parted, a->m->blocks[node->target->block].proceed);
	if (node->jump == HC_JUMP_FALL)
		raise_flag(a, &a->parted[node->to], true);
}

static void walk(struct analysis *a, struct hc_list *list)
{
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		switch (node->kind) {
		case HC_NODE_CODE:
			for (i = node->first; i < node->end; i++)
				instruction(a, &a->m->insts[i]);
			break;
		case HC_NODE_IF:
			part(a, node);
			walk(a, &node->body[0]);
			walk(a, &node->body[1]);
			mark_merge(a, node);
			break;
		case HC_NODE_SWITCH:
			part(a, node);
			for (i = 0; i < node->case_count; i++)
				walk(a, &node->cases[i].body);
			mark_merge(a, node);
			break;
		case HC_NODE_LOOP:
			walk(a, &node->body[0]);
			walk(a, &node->body[1]);
			mark_merge(a, node);
			break;
		case HC_NODE_JUMP:
			jump(a, node);
			break;
		default:
			break;
		}
	}
}

static void note_parents(struct analysis *a, struct hc_list *list)
{
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_CODE)
			a->block_parent[node->block] = node->parent;
		note_parents(a, &node->body[0]);
		note_parents(a, &node->body[1]);
		for (i = 0; i < node->case_count; i++)
			note_parents(a, &node->cases[i].body);
	}
}

/* Is @inside a descendant of, or the same as, @node? */
static bool within(const struct hc_node *inside, const struct hc_node *node)
{
	for (; inside; inside = inside->parent)
		if (inside == node)
			return true;
	return false;
}

struct use_context {
	struct analysis *a;
	uint32_t block;
};

/* A value of a divergent loop that is used behind it: its lanes are from different iterations. */
static void check_escape(void *context, uint32_t id)
{
	struct use_context *use = context;
	struct analysis *a = use->a;
	struct hc_id *entry = hc_id(a->m, id);
	struct hc_node *at, *user = a->block_parent[use->block];
	uint32_t leaf;

	if (entry->kind != HC_ID_VALUE || a->shapes->escapes[id] || !a->shapes->leaf[id])
		return;
	for (at = a->block_parent[a->m->insts[entry->index].block]; at; at = at->parent) {
		if (at->kind != HC_NODE_LOOP || !at->divergent || within(user, at))
			continue;
		raise_flag(a, &a->shapes->escapes[id], true);
		for (leaf = 0; leaf < hc_type_of(a->m, id)->leaves; leaf++)
			set(a, id, leaf, varying);
		return;
	}
}

static void find_escapes(struct analysis *a)
{
	struct use_context use = { .a = a };
	uint32_t i, j;

	for (i = 0; i < a->m->inst_count; i++) {
		const struct hc_inst *inst = &a->m->insts[i];

		if (inst->op == SpvOpPhi) {
			for (j = 0; j + 1 < inst->operands; j += 2) {
				use.block = hc_id(a->m, inst->operand[j + 1])->index;
				check_escape(&use, inst->operand[j]);
			}
			continue;
		}
		use.block = inst->block;
		hc_for_each_use(a->m, inst, check_escape, &use);
	}
}

struct hc_shapes *hc_shape(struct hc_module *m, struct hc_list *tree)
{
	struct hc_shapes *shapes = HC_NEW(m->hc, struct hc_shapes, 1);
	struct analysis a = { .m = m, .shapes = shapes };
	uint32_t i;

	shapes->m = m;
	shapes->leaf = HC_NEW(m->hc, struct hc_shape *, m->bound);
	shapes->escapes = HC_NEW(m->hc, bool, m->bound);
	shapes->phi_masked = HC_NEW(m->hc, bool, m->bound);
	a.block_parent = HC_NEW(m->hc, struct hc_node *, m->block_count);
	a.parted = HC_NEW(m->hc, bool, m->block_count);
	a.split = HC_NEW(m->hc, bool, m->block_count);
	for (i = 0; i < m->inst_count; i++) {
		const struct hc_inst *inst = &m->insts[i];
		struct hc_type *type = inst->result && inst->type ? hc_type(m, inst->type) : NULL;

		if (!type)
			continue;
		if (type->leaves)
			shapes->leaf[inst->result] = HC_NEW(m->hc, struct hc_shape, type->leaves);
		else if (!type->is_empty && type->kind != HC_TYPE_POINTER &&
			 type->kind != HC_TYPE_VOID && type->kind != HC_TYPE_IMAGE &&
			 type->kind != HC_TYPE_SAMPLER)
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
				 "%s makes a value of more than %u scalars", hc_op_name(inst->op),
				 HC_MAX_LEAVES);
	}
	note_parents(&a, tree);
	do {
		a.changed = false;
		walk(&a, tree);
		find_escapes(&a);
	} while (a.changed);
	return shapes;
}
