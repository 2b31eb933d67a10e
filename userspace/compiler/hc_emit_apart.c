// SPDX-License-Identifier: MIT
/*
 * Branches that hold a barrier and whose condition is not known to be the same in the whole work-group. Invocations may go apart
 * there as long as none comes to the barrier then. Which lanes of each subgroup go a way is kept in memory, since a way may be
 * several regions, and the subgroups take their turns in each.
 */
#include "hc_emit.h"

static LLVMValueRef present_place(struct hc_emit *e, LLVMValueRef present, LLVMValueRef subgroup)
{
	return LLVMBuildGEP2(e->b, e->i64, present, &subgroup, 1, "");
}

static LLVMValueRef lanes_of(struct hc_emit *e, LLVMValueRef present, LLVMValueRef subgroup)
{
	LLVMTypeRef bits = LLVMIntTypeInContext(e->context, e->lanes);
	LLVMValueRef word = LLVMBuildLoad2(e->b, e->i64, present_place(e, present, subgroup), "");

	word = e->lanes < 64 ? LLVMBuildTrunc(e->b, word, bits, "") : word;
	return LLVMBuildBitCast(e->b, word, e->mask, "");
}

LLVMValueRef hc_present_lanes(struct hc_emit *e)
{
	LLVMValueRef mask = lanes_of(e, e->present, e->subgroup);
	LLVMBasicBlockRef some = LLVMAppendBasicBlockInContext(e->context, e->function, "some");

	LLVMBuildCondBr(e->b, hc_any(e, mask), some, e->turn_end);
	LLVMPositionBuilderAtEnd(e->b, some);
	return mask;
}

/* Does something in @list leave @node? Then the group decides as one. */
static bool leaves(const struct hc_list *list, const struct hc_node *node)
{
	const struct hc_node *at, *up;
	uint32_t i;

	for (at = list->first; at; at = at->next) {
		if (at->kind == HC_NODE_JUMP) {
			for (up = at->target; up && up != node; up = up->parent)
				;
			if (!up)
				return true;
		}
		if (leaves(&at->body[0], node) || leaves(&at->body[1], node))
			return true;
		for (i = 0; i < at->case_count; i++)
			if (leaves(&at->cases[i].body, node))
				return true;
	}
	return false;
}

bool hc_goes_apart(struct hc_emit *e, const struct hc_node *node)
{
	return hc_leaf_shape(e, node->condition, 0).kind != HC_UNIFORM &&
	       !leaves(&node->body[0], node) && !leaves(&node->body[1], node);
}

/*
 * Notes in e->present, for each subgroup, the lanes of @outer (all, if NULL) whose condition is @wanted, and which comes last among
 * them. Returns whether there are any.
 */
static LLVMValueRef choose(struct hc_emit *e, const struct hc_node *node, LLVMValueRef outer,
			   bool wanted)
{
	LLVMValueRef zero = LLVMConstInt(e->i32, 0, false), one = LLVMConstInt(e->i32, 1, false);
	LLVMValueRef counter = hc_local(e, e->i32, "counter"), found = hc_local(e, e->i1, "found");
	LLVMBasicBlockRef loop = LLVMAppendBasicBlockInContext(e->context, e->function, "choose");
	LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	LLVMValueRef subgroup, mask, any, word, lead, lane, args[2], next;

	LLVMBuildStore(e->b, zero, counter);
	LLVMBuildStore(e->b, LLVMConstInt(e->i1, 0, false), found);
	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, loop);
	subgroup = e->subgroup = LLVMBuildLoad2(e->b, e->i32, counter, "");
	mask = hc_group_lanes(e, node->condition, subgroup);
	if (!wanted)
		mask = LLVMBuildNot(e->b, mask, "");
	mask = LLVMBuildAnd(e->b, mask, outer ? lanes_of(e, outer, subgroup) : hc_full_mask(e), "");
	any = hc_any(e, mask);
	word = LLVMBuildZExtOrBitCast(e->b, hc_mask_bits(e, mask), e->i64, "");
	LLVMBuildStore(e->b, word, present_place(e, e->present, subgroup));
	args[0] = word;
	args[1] = LLVMConstInt(e->i1, 0, false);
	lane = hc_intrinsic(e, "llvm.cttz", &e->i64, 1, args, 2);
	lane = LLVMBuildTrunc(e->b, lane, e->i32, "");
	lead = LLVMBuildLoad2(e->b, e->i32, e->lead_subgroup, "");
	LLVMBuildStore(e->b, LLVMBuildSelect(e->b, any, subgroup, lead, ""), e->lead_subgroup);
	lead = LLVMBuildLoad2(e->b, e->i32, e->lead_lane, "");
	LLVMBuildStore(e->b, LLVMBuildSelect(e->b, any, lane, lead, ""), e->lead_lane);
	any = LLVMBuildOr(e->b, any, LLVMBuildLoad2(e->b, e->i1, found, ""), "");
	LLVMBuildStore(e->b, any, found);
	next = LLVMBuildAdd(e->b, subgroup, one, "");
	LLVMBuildStore(e->b, next, counter);
	LLVMBuildCondBr(e->b,
			LLVMBuildICmp(e->b, LLVMIntULT, next,
				      LLVMConstInt(e->i32, e->hc->subgroups, false), ""),
			loop, done);
	LLVMPositionBuilderAtEnd(e->b, done);
	return LLVMBuildLoad2(e->b, e->i1, found, "");
}

void hc_emit_apart(struct hc_emit *e, struct hc_node *node,
		   void (*emit_body)(struct hc_emit *e, struct hc_list *body))
{
	LLVMValueRef outer = e->present, subgroup = e->lead_subgroup, lane = e->lead_lane, any;
	LLVMTypeRef words = LLVMArrayType2(e->i64, e->hc->subgroups);
	LLVMBasicBlockRef some, none;
	uint32_t i;

	e->present = hc_local(e, words, "present");
	e->lead_subgroup = hc_local(e, e->i32, "lead");
	e->lead_lane = hc_local(e, e->i32, "");
	LLVMBuildStore(e->b, LLVMConstInt(e->i32, 0, false), e->lead_subgroup);
	LLVMBuildStore(e->b, LLVMConstInt(e->i32, 0, false), e->lead_lane);
	for (i = 0; i < 2; i++) {
		any = choose(e, node, outer, i == 0);
		some = LLVMAppendBasicBlockInContext(e->context, e->function, "some");
		none = LLVMAppendBasicBlockInContext(e->context, e->function, "none");
		LLVMBuildCondBr(e->b, any, some, none);
		LLVMPositionBuilderAtEnd(e->b, some);
		emit_body(e, &node->body[i]);
		if (!LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(e->b)))
			LLVMBuildBr(e->b, none);
		LLVMPositionBuilderAtEnd(e->b, none);
	}
	e->present = outer;
	e->lead_subgroup = subgroup;
	e->lead_lane = lane;
}
