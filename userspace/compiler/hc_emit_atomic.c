// SPDX-License-Identifier: MIT
/*
 * Atomics: the running lanes take turns.
 */
#include "hc_emit_image.h"

#include <spirv/unified1/spirv.h>

static LLVMAtomicRMWBinOp atomic_op(struct hc_emit *e, uint32_t op)
{
	switch (op) {
	case SpvOpAtomicExchange:
		return LLVMAtomicRMWBinOpXchg;
	case SpvOpAtomicIIncrement:
	case SpvOpAtomicIAdd:
		return LLVMAtomicRMWBinOpAdd;
	case SpvOpAtomicIDecrement:
	case SpvOpAtomicISub:
		return LLVMAtomicRMWBinOpSub;
	case SpvOpAtomicSMin:
		return LLVMAtomicRMWBinOpMin;
	case SpvOpAtomicUMin:
		return LLVMAtomicRMWBinOpUMin;
	case SpvOpAtomicSMax:
		return LLVMAtomicRMWBinOpMax;
	case SpvOpAtomicUMax:
		return LLVMAtomicRMWBinOpUMax;
	case SpvOpAtomicAnd:
		return LLVMAtomicRMWBinOpAnd;
	case SpvOpAtomicOr:
		return LLVMAtomicRMWBinOpOr;
	case SpvOpAtomicXor:
		return LLVMAtomicRMWBinOpXor;
	case SpvOpAtomicFAddEXT:
		return LLVMAtomicRMWBinOpFAdd;
	case SpvOpAtomicFMinEXT:
		return LLVMAtomicRMWBinOpFMin;
	case SpvOpAtomicFMaxEXT:
		return LLVMAtomicRMWBinOpFMax;
	default:
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "%s is not supported", hc_op_name(op));
	}
}

/* What one lane does. Operands are already that lane's. */
static LLVMValueRef atomic_once(struct hc_emit *e, const struct hc_inst *inst, LLVMTypeRef type,
				LLVMValueRef pointer, LLVMValueRef x, LLVMValueRef y,
				uint64_t bytes)
{
	const LLVMAtomicOrdering order = LLVMAtomicOrderingSequentiallyConsistent;
	LLVMValueRef value;

	switch (inst->op) {
	case SpvOpAtomicLoad:
		value = LLVMBuildLoad2(e->b, type, pointer, "");
		LLVMSetOrdering(value, order);
		LLVMSetAlignment(value, (unsigned int)bytes);
		return value;
	case SpvOpAtomicStore:
		value = LLVMBuildStore(e->b, x, pointer);
		LLVMSetOrdering(value, order);
		LLVMSetAlignment(value, (unsigned int)bytes);
		return NULL;
	case SpvOpAtomicCompareExchange:
		/* SPIR-V has the value before the comparator. */
		value = LLVMBuildAtomicCmpXchg(e->b, pointer, y, x, order, order, false);
		return LLVMBuildExtractValue(e->b, value, 0, "");
	default:
		return LLVMBuildAtomicRMW(e->b, atomic_op(e, inst->op), pointer, x, order, false);
	}
}

static LLVMValueRef lane_of(struct hc_emit *e, LLVMValueRef value, LLVMValueRef lane)
{
	return value ? LLVMBuildExtractElement(e->b, value, lane, "") : NULL;
}

/* What the lanes point at, in memory or in an image, and which of them may touch it. */
static LLVMValueRef find_numbers(struct hc_emit *e, uint32_t pointer, struct hc_type **type,
				 LLVMValueRef *mask)
{
	const struct hc_id *id = hc_id(e->m, pointer);
	struct hc_place p;
	uint32_t root;

	if (id->kind == HC_ID_VALUE && e->m->insts[id->index].op == SpvOpImageTexelPointer)
		return hc_texel_pointer(e, &e->m->insts[id->index], type, mask);
	p = hc_find_place(e, pointer, &root);
	*type = p.type;
	*mask = hc_allowed(e, &p, 0, p.type->size);
	return hc_lane_pointers(e, &p, 0, p.type->size);
}

void hc_emit_atomic(struct hc_emit *e, const struct hc_inst *inst)
{
	bool is_store = inst->op == SpvOpAtomicStore,
	     exchange = inst->op == SpvOpAtomicCompareExchange;
	uint32_t value_at = exchange ? 4 : 3;
	struct hc_type *number;
	LLVMTypeRef type, vector, bits_type = LLVMIntTypeInContext(e->context, e->lanes);
	LLVMValueRef mask, pointers = find_numbers(e, inst->operand[0], &number, &mask), x = NULL,
			   y = NULL, bits, results, left, lane, value, args[2], one;
	LLVMBasicBlockRef loop, body, done;

	if ((number->kind != HC_TYPE_INT && number->kind != HC_TYPE_FLOAT) || number->width < 32)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "%s on anything but numbers of 32 and 64 bits is not supported",
			 hc_op_name(inst->op));
	type = hc_scalar_type(e, number);
	vector = hc_vector_of(e, type);
	if (is_store)
		x = hc_lanes(e, inst->operand[3], 0);
	else if (inst->op == SpvOpAtomicIIncrement || inst->op == SpvOpAtomicIDecrement)
		x = hc_int(e, vector, 1);
	else if (inst->op != SpvOpAtomicLoad)
		x = hc_lanes(e, inst->operand[value_at], 0);
	if (exchange)
		y = hc_lanes(e, inst->operand[5], 0);

	bits = hc_local(e, bits_type, "left");
	results = hc_local(e, vector, "");
	LLVMBuildStore(e->b, hc_mask_bits(e, mask), bits);
	LLVMBuildStore(e->b, LLVMConstNull(vector), results);
	loop = LLVMAppendBasicBlockInContext(e->context, e->function, "atomic");
	body = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	done = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, loop);
	left = LLVMBuildLoad2(e->b, bits_type, bits, "");
	LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntNE, left, LLVMConstNull(bits_type), ""),
			body, done);
	LLVMPositionBuilderAtEnd(e->b, body);
	args[0] = left;
	args[1] = LLVMConstInt(e->i1, 1, false);
	lane = hc_intrinsic(e, "llvm.cttz", &bits_type, 1, args, 2);
	one = LLVMConstInt(bits_type, 1, false);
	LLVMBuildStore(e->b, LLVMBuildAnd(e->b, left, LLVMBuildSub(e->b, left, one, ""), ""), bits);
	value = atomic_once(e, inst, type, lane_of(e, pointers, lane), lane_of(e, x, lane),
			    lane_of(e, y, lane), number->size);
	if (value) {
		LLVMValueRef all = LLVMBuildLoad2(e->b, vector, results, "");

		LLVMBuildStore(e->b, LLVMBuildInsertElement(e->b, all, value, lane, ""), results);
	}
	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, done);
	if (!is_store)
		hc_put(e, inst->result, 0, LLVMBuildLoad2(e->b, vector, results, ""));
}
