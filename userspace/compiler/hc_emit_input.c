// SPDX-License-Identifier: MIT
/*
 * Built-in variables: the numbers of invocations, subgroups and work-groups.
 */
#include "hc_emit_place.h"

#include <spirv/unified1/spirv.h>

/* The number of an invocation in its work-group: lane 0's, or all lanes'. */
static LLVMValueRef invocation(struct hc_emit *e, bool lanes)
{
	LLVMValueRef base =
		LLVMBuildMul(e->b, e->subgroup, LLVMConstInt(e->i32, e->lanes, false), "");

	return lanes ? LLVMBuildAdd(e->b, hc_splat(e, base), e->iota, "") : base;
}

static LLVMValueRef local_id(struct hc_emit *e, uint32_t component, bool lanes)
{
	const uint32_t *size = e->hc->local_size;
	LLVMValueRef index = invocation(e, lanes);
	LLVMTypeRef type = LLVMTypeOf(index);

	if (component)
		index = LLVMBuildUDiv(e->b, index,
				      hc_int(e, type, component == 1 ? size[0] : size[0] * size[1]),
				      "");
	if (component < 2)
		index = LLVMBuildURem(e->b, index, hc_int(e, type, size[component]), "");
	return index;
}

static LLVMValueRef subgroup_mask(struct hc_emit *e, uint32_t builtin, uint32_t component)
{
	LLVMValueRef lanes[64];
	uint32_t i;

	for (i = 0; i < e->lanes; i++) {
		uint64_t all = e->lanes == 64 ? UINT64_MAX : (1ull << e->lanes) - 1;
		uint64_t equal = 1ull << i, below = equal - 1, mask;

		switch (builtin) {
		case SpvBuiltInSubgroupEqMask:
			mask = equal;
			break;
		case SpvBuiltInSubgroupGeMask:
			mask = all & ~below;
			break;
		case SpvBuiltInSubgroupGtMask:
			mask = all & ~below & ~equal;
			break;
		case SpvBuiltInSubgroupLeMask:
			mask = below | equal;
			break;
		default:
			mask = below;
			break;
		}
		lanes[i] = LLVMConstInt(
			e->i32, component < 2 ? mask >> (32 * component) & 0xffffffff : 0, false);
	}
	return LLVMConstVector(lanes, e->lanes);
}

static LLVMValueRef builtin(struct hc_emit *e, uint32_t which, uint32_t component, bool lanes)
{
	const struct hc *hc = e->hc;
	LLVMValueRef value, base;

	switch (which) {
	case SpvBuiltInWorkgroupId:
		return e->group_id[component];
	case SpvBuiltInNumWorkgroups:
		return e->groups[component];
	case SpvBuiltInWorkgroupSize:
		return LLVMConstInt(e->i32, hc->local_size[component], false);
	case SpvBuiltInNumSubgroups:
		return LLVMConstInt(e->i32, hc->subgroups, false);
	case SpvBuiltInSubgroupSize:
		return LLVMConstInt(e->i32, hc->lanes, false);
	case SpvBuiltInDeviceIndex:
		/* Each device is a group of its own. */
		return LLVMConstInt(e->i32, 0, false);
	case SpvBuiltInSubgroupId:
		return e->subgroup;
	case SpvBuiltInSubgroupLocalInvocationId:
		return lanes ? e->iota : LLVMConstInt(e->i32, 0, false);
	case SpvBuiltInLocalInvocationIndex:
		return invocation(e, lanes);
	case SpvBuiltInLocalInvocationId:
		return local_id(e, component, lanes);
	case SpvBuiltInGlobalInvocationId:
		value = local_id(e, component, lanes);
		base = LLVMBuildMul(e->b, e->group_id[component],
				    LLVMConstInt(e->i32, hc->local_size[component], false), "");
		return LLVMBuildAdd(e->b, value, lanes ? hc_splat(e, base) : base, "");
	case SpvBuiltInSubgroupEqMask:
	case SpvBuiltInSubgroupGeMask:
	case SpvBuiltInSubgroupGtMask:
	case SpvBuiltInSubgroupLeMask:
	case SpvBuiltInSubgroupLtMask:
		return subgroup_mask(e, which, component);
	default:
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "built-in variable %u is not supported",
			 which);
	}
}

void hc_load_input(struct hc_emit *e, const struct hc_inst *inst, uint32_t root, uint32_t component)
{
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves;
	uint32_t which = hc_id(e->m, root)->builtin;

	if (leaves + component > hc_type(e->m, hc_type_of(e->m, root)->element)->leaves)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "component %u of a built-in variable",
			 component);
	for (leaf = 0; leaf < leaves; leaf++)
		hc_put(e, inst->result, leaf,
		       builtin(e, which, component + leaf, hc_is_varying(e, inst->result, leaf)));
}
