// SPDX-License-Identifier: MIT
/*
 * Subgroup operations: the lanes of a vector among themselves. Lanes that are off take no part: reductions and scans see
 * the operation's identity in their place.
 */
#include "hc_emit.h"

#include <spirv/unified1/spirv.h>

/* ---- Moving lanes ---- */

static LLVMValueRef lane_index(struct hc_emit *e, uint32_t id)
{
	return LLVMBuildAnd(
		e->b,
		LLVMBuildIntCast2(e->b, hc_lanes(e, id, 0), hc_vector_of(e, e->i32), false, ""),
		hc_int(e, hc_vector_of(e, e->i32), e->lanes - 1), "");
}

/* Lane i gets x of lane index[i]: through memory, the one way that every target has. */
static LLVMValueRef permute(struct hc_emit *e, LLVMValueRef x, LLVMValueRef index)
{
	LLVMTypeRef type = LLVMTypeOf(x), scalar = LLVMGetElementType(type), kept = scalar;
	LLVMTypeRef types[2];
	LLVMValueRef memory, pointers, args[4], value;

	if (scalar == e->i1) {
		kept = e->i8;
		x = LLVMBuildZExt(e->b, x, hc_vector_of(e, kept), "");
	}
	memory = hc_local(e, hc_vector_of(e, kept), "lanes");
	LLVMBuildStore(e->b, x, memory);
	pointers = LLVMBuildGEP2(e->b, kept, memory, &index, 1, "");
	types[0] = hc_vector_of(e, kept);
	types[1] = LLVMTypeOf(pointers);
	args[0] = pointers;
	args[1] = LLVMConstInt(e->i32, 1, false);
	args[2] = LLVMConstAllOnes(e->mask);
	args[3] = LLVMConstNull(types[0]);
	value = hc_intrinsic(e, "llvm.masked.gather", types, 2, args, 4);
	return scalar == e->i1 ? LLVMBuildTrunc(e->b, value, e->mask, "") : value;
}

/* Lane i gets x of lane source(i), known when compiling. */
static LLVMValueRef rearrange(struct hc_emit *e, LLVMValueRef x,
			      uint32_t (*source)(uint32_t lane, uint32_t by), uint32_t by)
{
	uint32_t i, index[64];

	for (i = 0; i < e->lanes; i++)
		index[i] = source(i, by) % e->lanes;
	return hc_shuffle(e, x, x, index, e->lanes);
}

static uint32_t lane_xor(uint32_t lane, uint32_t by)
{
	return lane ^ by;
}

static uint32_t lane_quad(uint32_t lane, uint32_t by)
{
	return (lane & ~3u) + by;
}

/* Of a cluster larger than the subgroup, all there is. */
static uint32_t cluster_size(struct hc_emit *e, uint32_t id)
{
	uint32_t size = hc_constant_u32(e->m, id);

	if (!size || size & (size - 1))
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "clusters of %u lanes", size);
	return size < e->lanes ? size : e->lanes;
}

static bool shuffles(struct hc_emit *e, const struct hc_inst *inst)
{
	LLVMTypeRef ints = hc_vector_of(e, e->i32);
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves;
	LLVMValueRef index = NULL, x;
	uint32_t cluster;
	struct hc_id *by;
	bool fixed;

	switch (inst->op) {
	case SpvOpGroupNonUniformShuffle:
	case SpvOpGroupNonUniformShuffleXor:
	case SpvOpGroupNonUniformShuffleUp:
	case SpvOpGroupNonUniformShuffleDown:
	case SpvOpGroupNonUniformQuadBroadcast:
	case SpvOpGroupNonUniformQuadSwap:
	case SpvOpGroupNonUniformRotateKHR:
		break;
	default:
		return false;
	}
	cluster = inst->op == SpvOpGroupNonUniformRotateKHR && inst->operands > 3
			  ? cluster_size(e, inst->operand[3])
			  : e->lanes;
	by = hc_id(e->m, inst->operand[2]);
	fixed = by->kind == HC_ID_CONSTANT;
	for (leaf = 0; leaf < leaves; leaf++) {
		x = hc_lanes(e, inst->operand[1], leaf);
		switch (inst->op) {
		case SpvOpGroupNonUniformShuffleXor:
			if (fixed) {
				x = rearrange(e, x, lane_xor,
					      (uint32_t)by->constant[0] & (e->lanes - 1));
				break;
			}
			index = LLVMBuildXor(e->b, e->iota, lane_index(e, inst->operand[2]), "");
			x = permute(e, x, index);
			break;
		case SpvOpGroupNonUniformShuffle:
			x = permute(e, x, lane_index(e, inst->operand[2]));
			break;
		case SpvOpGroupNonUniformShuffleUp:
			index = LLVMBuildSub(e->b, e->iota, lane_index(e, inst->operand[2]), "");
			x = permute(e, x,
				    LLVMBuildAnd(e->b, index, hc_int(e, ints, e->lanes - 1), ""));
			break;
		case SpvOpGroupNonUniformShuffleDown:
			index = LLVMBuildAdd(e->b, e->iota, lane_index(e, inst->operand[2]), "");
			x = permute(e, x,
				    LLVMBuildAnd(e->b, index, hc_int(e, ints, e->lanes - 1), ""));
			break;
		case SpvOpGroupNonUniformRotateKHR:
			index = LLVMBuildAdd(e->b, e->iota, lane_index(e, inst->operand[2]), "");
			index = LLVMBuildAnd(e->b, index, hc_int(e, ints, cluster - 1), "");
			index = LLVMBuildOr(
				e->b, index,
				LLVMBuildAnd(e->b, e->iota, hc_int(e, ints, ~(cluster - 1)), ""),
				"");
			x = permute(e, x, index);
			break;
		case SpvOpGroupNonUniformQuadBroadcast:
			x = rearrange(e, x, lane_quad, hc_constant_u32(e->m, inst->operand[2]) & 3);
			break;
		case SpvOpGroupNonUniformQuadSwap:
			x = rearrange(e, x, lane_xor,
				      (hc_constant_u32(e->m, inst->operand[2]) & 3) + 1);
			break;
		default:
			break;
		}
		hc_put(e, inst->result, leaf, x);
	}
	return true;
}

/* ---- Votes and ballots ---- */

static LLVMValueRef ballot_bits(struct hc_emit *e, LLVMValueRef mask)
{
	return LLVMBuildZExt(e->b, hc_mask_bits(e, mask), e->i64, "");
}

static LLVMValueRef running(struct hc_emit *e, uint32_t id)
{
	return LLVMBuildAnd(e->b, hc_exec(e), hc_lanes(e, id, 0), "");
}

static LLVMValueRef all_equal(struct hc_emit *e, uint32_t id)
{
	struct hc_type *type = hc_leaf_type(e->m, hc_type_of(e->m, id), 0);
	uint32_t leaf, leaves = hc_type_of(e->m, id)->leaves;
	LLVMValueRef first = hc_first_lane(e), differ = LLVMConstNull(e->mask), x, y;

	for (leaf = 0; leaf < leaves; leaf++) {
		x = hc_lanes(e, id, leaf);
		y = hc_splat(e, LLVMBuildExtractElement(e->b, x, first, ""));
		if (type->kind == HC_TYPE_FLOAT)
			x = LLVMBuildFCmp(e->b, LLVMRealUNE, hc_widen(e, type, x),
					  hc_widen(e, type, y), "");
		else
			x = LLVMBuildICmp(e->b, LLVMIntNE, x, y, "");
		differ = LLVMBuildOr(e->b, differ, x, "");
	}
	return LLVMBuildNot(e->b, hc_any(e, LLVMBuildAnd(e->b, hc_exec(e), differ, "")), "");
}

/* A ballot's four words as one 64-bit number of each lane, or of all. */
static LLVMValueRef ballot_value(struct hc_emit *e, const struct hc_inst *inst, uint32_t n)
{
	LLVMValueRef low = hc_as_shape(e, inst->result, 0, inst->operand[n], 0);
	LLVMValueRef high = hc_as_shape(e, inst->result, 0, inst->operand[n], 1);
	LLVMTypeRef wide = hc_is_vector(low) ? hc_vector_of(e, e->i64) : e->i64;

	low = LLVMBuildZExt(e->b, low, wide, "");
	high = LLVMBuildShl(e->b, LLVMBuildZExt(e->b, high, wide, ""), hc_int(e, wide, 32), "");
	return LLVMBuildAnd(e->b, LLVMBuildOr(e->b, low, high, ""),
			    hc_int(e, wide, e->lanes == 64 ? UINT64_MAX : (1ull << e->lanes) - 1),
			    "");
}

static LLVMValueRef lanes_below(struct hc_emit *e, bool inclusive)
{
	LLVMValueRef masks[64];
	uint32_t i;

	for (i = 0; i < e->lanes; i++)
		masks[i] = LLVMConstInt(e->i64, (inclusive ? 2ull << i : 1ull << i) - 1, false);
	return LLVMConstVector(masks, e->lanes);
}

static LLVMValueRef bit_of(struct hc_emit *e, LLVMValueRef bits, LLVMValueRef lane)
{
	bits = LLVMBuildLShr(e->b, bits, LLVMBuildZExt(e->b, lane, LLVMTypeOf(bits), ""), "");
	return LLVMBuildTrunc(e->b, bits, hc_is_vector(bits) ? e->mask : e->i1, "");
}

static LLVMValueRef to_word(struct hc_emit *e, LLVMValueRef x)
{
	return LLVMBuildTrunc(e->b, x, hc_is_vector(x) ? hc_vector_of(e, e->i32) : e->i32, "");
}

static bool votes(struct hc_emit *e, const struct hc_inst *inst)
{
	LLVMTypeRef wide = e->i64;
	LLVMValueRef value, args[2];
	uint32_t leaf, leaves;

	switch (inst->op) {
	case SpvOpGroupNonUniformElect:
		value = LLVMBuildICmp(e->b, LLVMIntEQ, e->iota, hc_splat(e, hc_first_lane(e)), "");
		hc_put(e, inst->result, 0, value);
		return true;
	case SpvOpGroupNonUniformAny:
		hc_put(e, inst->result, 0, hc_any(e, running(e, inst->operand[1])));
		return true;
	case SpvOpGroupNonUniformAll:
		value = LLVMBuildAnd(e->b, hc_exec(e),
				     LLVMBuildNot(e->b, hc_lanes(e, inst->operand[1], 0), ""), "");
		hc_put(e, inst->result, 0, LLVMBuildNot(e->b, hc_any(e, value), ""));
		return true;
	case SpvOpGroupNonUniformAllEqual:
		hc_put(e, inst->result, 0, all_equal(e, inst->operand[1]));
		return true;
	case SpvOpGroupNonUniformBroadcastFirst:
	case SpvOpGroupNonUniformBroadcast:
		leaves = hc_type(e->m, inst->type)->leaves;
		value = hc_first_lane(e);
		if (inst->op == SpvOpGroupNonUniformBroadcast) {
			/* The lane is the same for all that run: take it from one of them. */
			value = LLVMBuildExtractElement(e->b, hc_lanes(e, inst->operand[2], 0),
							value, "");
			value = LLVMBuildAnd(e->b, value,
					     hc_int(e, LLVMTypeOf(value), e->lanes - 1), "");
		}
		for (leaf = 0; leaf < leaves; leaf++)
			hc_put(e, inst->result, leaf,
			       LLVMBuildExtractElement(e->b, hc_lanes(e, inst->operand[1], leaf),
						       value, ""));
		return true;
	case SpvOpGroupNonUniformBallot:
		value = ballot_bits(e, running(e, inst->operand[1]));
		hc_put(e, inst->result, 0, to_word(e, value));
		hc_put(e, inst->result, 1,
		       to_word(e, LLVMBuildLShr(e->b, value, hc_int(e, wide, 32), "")));
		hc_put(e, inst->result, 2, LLVMConstInt(e->i32, 0, false));
		hc_put(e, inst->result, 3, LLVMConstInt(e->i32, 0, false));
		return true;
	case SpvOpGroupNonUniformInverseBallot:
		value = ballot_value(e, inst, 1);
		hc_put(e, inst->result, 0, bit_of(e, value, e->iota));
		return true;
	case SpvOpGroupNonUniformBallotBitExtract:
		value = ballot_value(e, inst, 1);
		hc_put(e, inst->result, 0, bit_of(e, value, lane_index(e, inst->operand[2])));
		return true;
	case SpvOpGroupNonUniformBallotBitCount:
		value = ballot_value(e, inst, 2);
		if (inst->operand[1] != SpvGroupOperationReduce) {
			if (!hc_is_vector(value))
				value = hc_splat(e, value);
			value = LLVMBuildAnd(
				e->b, value,
				lanes_below(e, inst->operand[1] == SpvGroupOperationInclusiveScan),
				"");
		}
		hc_put(e, inst->result, 0, to_word(e, hc_call1(e, "llvm.ctpop", value)));
		return true;
	case SpvOpGroupNonUniformBallotFindLSB:
	case SpvOpGroupNonUniformBallotFindMSB:
		args[0] = ballot_value(e, inst, 1);
		args[1] = LLVMConstInt(e->i1, 0, false);
		wide = LLVMTypeOf(args[0]);
		if (inst->op == SpvOpGroupNonUniformBallotFindLSB) {
			value = hc_intrinsic(e, "llvm.cttz", &wide, 1, args, 2);
		} else {
			value = hc_intrinsic(e, "llvm.ctlz", &wide, 1, args, 2);
			value = LLVMBuildSub(e->b, hc_int(e, wide, 63), value, "");
		}
		hc_put(e, inst->result, 0, to_word(e, value));
		return true;
	default:
		return false;
	}
}

/* ---- Arithmetic ---- */

static LLVMValueRef combine(struct hc_emit *e, uint32_t op, const struct hc_type *type,
			    LLVMValueRef x, LLVMValueRef y)
{
	bool is_half = type->width == 16;

	switch (op) {
	case SpvOpGroupNonUniformIAdd:
		return LLVMBuildAdd(e->b, x, y, "");
	case SpvOpGroupNonUniformFAdd:
		return LLVMBuildFAdd(e->b, x, y, "");
	case SpvOpGroupNonUniformIMul:
		return LLVMBuildMul(e->b, x, y, "");
	case SpvOpGroupNonUniformFMul:
		return LLVMBuildFMul(e->b, x, y, "");
	case SpvOpGroupNonUniformSMin:
		return hc_call2(e, "llvm.smin", x, y);
	case SpvOpGroupNonUniformUMin:
		return hc_call2(e, "llvm.umin", x, y);
	case SpvOpGroupNonUniformFMin:
		return is_half ? hc_least_half(e, x, y, false) : hc_call2(e, "llvm.minnum", x, y);
	case SpvOpGroupNonUniformSMax:
		return hc_call2(e, "llvm.smax", x, y);
	case SpvOpGroupNonUniformUMax:
		return hc_call2(e, "llvm.umax", x, y);
	case SpvOpGroupNonUniformFMax:
		return is_half ? hc_least_half(e, x, y, true) : hc_call2(e, "llvm.maxnum", x, y);
	case SpvOpGroupNonUniformBitwiseAnd:
	case SpvOpGroupNonUniformLogicalAnd:
		return LLVMBuildAnd(e->b, x, y, "");
	case SpvOpGroupNonUniformBitwiseOr:
	case SpvOpGroupNonUniformLogicalOr:
		return LLVMBuildOr(e->b, x, y, "");
	case SpvOpGroupNonUniformBitwiseXor:
	case SpvOpGroupNonUniformLogicalXor:
		return LLVMBuildXor(e->b, x, y, "");
	default:
		return NULL;
	}
}

/* What changes nothing, in all lanes. */
static LLVMValueRef identity(uint32_t op, LLVMTypeRef type, uint32_t width)
{
	LLVMTypeRef scalar = LLVMGetElementType(type);
	LLVMValueRef value, all[64];
	uint32_t i, lanes = LLVMGetVectorSize(type);

	switch (op) {
	case SpvOpGroupNonUniformIMul:
		value = LLVMConstInt(scalar, 1, false);
		break;
	case SpvOpGroupNonUniformFMul:
		value = LLVMConstReal(scalar, 1);
		break;
	case SpvOpGroupNonUniformFAdd:
		value = LLVMConstReal(scalar, -0.0);
		break;
	case SpvOpGroupNonUniformFMin:
		value = LLVMConstReal(scalar, __builtin_inf());
		break;
	case SpvOpGroupNonUniformFMax:
		value = LLVMConstReal(scalar, -__builtin_inf());
		break;
	case SpvOpGroupNonUniformSMin:
		value = LLVMConstInt(scalar, (1ull << (width - 1)) - 1, false);
		break;
	case SpvOpGroupNonUniformSMax:
		value = LLVMConstInt(scalar, 1ull << (width - 1), false);
		break;
	case SpvOpGroupNonUniformUMin:
	case SpvOpGroupNonUniformBitwiseAnd:
	case SpvOpGroupNonUniformLogicalAnd:
		value = LLVMConstAllOnes(scalar);
		break;
	default:
		value = LLVMConstNull(scalar);
		break;
	}
	for (i = 0; i < lanes; i++)
		all[i] = value;
	return LLVMConstVector(all, lanes);
}

static LLVMValueRef scan(struct hc_emit *e, uint32_t op, const struct hc_type *type, LLVMValueRef x,
			 LLVMValueRef neutral, bool exclusive)
{
	uint32_t i, step, index[64];

	for (step = 1; step < e->lanes; step *= 2) {
		for (i = 0; i < e->lanes; i++)
			index[i] = i >= step ? i - step : e->lanes + i;
		x = combine(e, op, type, hc_shuffle(e, x, neutral, index, e->lanes), x);
	}
	if (!exclusive)
		return x;
	for (i = 0; i < e->lanes; i++)
		index[i] = i ? i - 1 : e->lanes;
	return hc_shuffle(e, x, neutral, index, e->lanes);
}

/* In every lane, the reduction over its cluster of @size lanes. */
static LLVMValueRef reduce(struct hc_emit *e, uint32_t op, const struct hc_type *type,
			   LLVMValueRef x, uint32_t size)
{
	uint32_t step;

	for (step = 1; step < size; step *= 2)
		x = combine(e, op, type, x, rearrange(e, x, lane_xor, step));
	return x;
}

static bool arithmetic(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves, size = e->lanes;
	struct hc_type *type = hc_leaf_type(e->m, hc_type(e->m, inst->type), 0);

	if (inst->op < SpvOpGroupNonUniformIAdd || inst->op > SpvOpGroupNonUniformLogicalXor)
		return false;
	if (inst->operand[1] == SpvGroupOperationClusteredReduce)
		size = cluster_size(e, inst->operand[3]);
	for (leaf = 0; leaf < leaves; leaf++) {
		LLVMValueRef x = hc_widen(e, type, hc_lanes(e, inst->operand[2], leaf));
		LLVMValueRef neutral = identity(inst->op, LLVMTypeOf(x), type->width);

		x = LLVMBuildSelect(e->b, hc_exec(e), x, neutral, "");
		switch (inst->operand[1]) {
		case SpvGroupOperationReduce:
		case SpvGroupOperationClusteredReduce:
			x = reduce(e, inst->op, type, x, size);
			break;
		case SpvGroupOperationInclusiveScan:
		case SpvGroupOperationExclusiveScan:
			x = scan(e, inst->op, type, x, neutral,
				 inst->operand[1] == SpvGroupOperationExclusiveScan);
			break;
		default:
			hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "group operation %u is not supported",
				 inst->operand[1]);
		}
		hc_put(e, inst->result, leaf, hc_narrow(e, type, x));
	}
	return true;
}

bool hc_emit_subgroup(struct hc_emit *e, const struct hc_inst *inst)
{
	if ((inst->op < SpvOpGroupNonUniformElect || inst->op > SpvOpGroupNonUniformQuadSwap) &&
	    inst->op != SpvOpGroupNonUniformRotateKHR)
		return false;
	return votes(e, inst) || shuffles(e, inst) || arithmetic(e, inst);
}
