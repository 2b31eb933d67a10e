// SPDX-License-Identifier: MIT
/*
 * Branches that hold a barrier and whose condition is not known to be the same in the whole work-group. Invocations may go apart
 * there as long as none comes to the barrier then. Which lanes of each subgroup go a way is kept in memory, since a way may be
 * several regions, and the subgroups take their turns in each. The same account is kept of who is still in a loop, switch or shader that
 * holds a barrier and that invocations leave each on its own.
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
	LLVMValueRef mask = lanes_of(e, e->presence->lanes, e->subgroup);
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
		if (at->kind == HC_NODE_JUMP && !hc_is_apart(at)) {
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

static void make_presence(struct hc_emit *e, const struct hc_node *owner,
			  struct hc_presence *presence)
{
	LLVMTypeRef words = LLVMArrayType2(e->i64, e->hc->subgroups);

	*presence = (struct hc_presence){ .outer = e->presence, .owner = owner };
	presence->lanes = hc_local(e, words, "present");
	presence->lead_subgroup = hc_local(e, e->i32, "lead");
	presence->lead_lane = hc_local(e, e->i32, "");
	LLVMBuildStore(e->b, LLVMConstInt(e->i32, 0, false), presence->lead_subgroup);
	LLVMBuildStore(e->b, LLVMConstInt(e->i32, 0, false), presence->lead_lane);
}

/*
 * Notes in @to, for each subgroup, the lanes of @from (all, if NULL) for which @condition (none, if 0) is @wanted, and which comes
 * last among them. Returns whether there are any.
 */
static LLVMValueRef choose(struct hc_emit *e, struct hc_presence *to,
			   const struct hc_presence *from, uint32_t condition, bool wanted)
{
	LLVMValueRef zero = LLVMConstInt(e->i32, 0, false), one = LLVMConstInt(e->i32, 1, false);
	LLVMValueRef counter = hc_local(e, e->i32, "counter"), found = hc_local(e, e->i1, "found");
	LLVMBasicBlockRef loop = LLVMAppendBasicBlockInContext(e->context, e->function, "choose");
	LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	LLVMValueRef subgroup, mask, way, any, word, lead, lane, args[2], next;

	LLVMBuildStore(e->b, zero, counter);
	LLVMBuildStore(e->b, LLVMConstInt(e->i1, 0, false), found);
	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, loop);
	subgroup = e->subgroup = LLVMBuildLoad2(e->b, e->i32, counter, "");
	mask = from ? lanes_of(e, from->lanes, subgroup) : hc_full_mask(e);
	if (condition) {
		way = hc_group_lanes(e, condition, subgroup);
		mask = LLVMBuildAnd(e->b, mask, wanted ? way : LLVMBuildNot(e->b, way, ""), "");
	}
	any = hc_any(e, mask);
	word = LLVMBuildZExtOrBitCast(e->b, hc_mask_bits(e, mask), e->i64, "");
	LLVMBuildStore(e->b, word, present_place(e, to->lanes, subgroup));
	args[0] = word;
	args[1] = LLVMConstInt(e->i1, 0, false);
	lane = hc_intrinsic(e, "llvm.cttz", &e->i64, 1, args, 2);
	lane = LLVMBuildTrunc(e->b, lane, e->i32, "");
	lead = LLVMBuildLoad2(e->b, e->i32, to->lead_subgroup, "");
	LLVMBuildStore(e->b, LLVMBuildSelect(e->b, any, subgroup, lead, ""), to->lead_subgroup);
	lead = LLVMBuildLoad2(e->b, e->i32, to->lead_lane, "");
	LLVMBuildStore(e->b, LLVMBuildSelect(e->b, any, lane, lead, ""), to->lead_lane);
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
	struct hc_presence presence;
	LLVMBasicBlockRef some;
	LLVMValueRef any;
	uint32_t i;

	make_presence(e, NULL, &presence);
	for (i = 0; i < 2; i++) {
		any = choose(e, &presence, presence.outer, node->condition, i == 0);
		some = LLVMAppendBasicBlockInContext(e->context, e->function, "some");
		presence.end = LLVMAppendBasicBlockInContext(e->context, e->function, "none");
		LLVMBuildCondBr(e->b, any, some, presence.end);
		LLVMPositionBuilderAtEnd(e->b, some);
		e->presence = &presence;
		emit_body(e, &node->body[i]);
		e->presence = presence.outer;
		if (!LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(e->b)))
			LLVMBuildBr(e->b, presence.end);
		LLVMPositionBuilderAtEnd(e->b, presence.end);
	}
	hc_lead_again(e);
}

/* ---- Leaving ---- */

void hc_enter_parted(struct hc_emit *e, const struct hc_node *node, struct hc_presence *presence)
{
	make_presence(e, node, presence);
	presence->end = LLVMAppendBasicBlockInContext(e->context, e->function, "left");
	choose(e, presence, presence->outer, 0, true);
	e->presence = presence;
}

void hc_end_parted(struct hc_emit *e)
{
	struct hc_presence *presence = e->presence;

	LLVMBuildBr(e->b, presence->end);
	LLVMPositionBuilderAtEnd(e->b, presence->end);
	e->presence = presence->outer;
	hc_lead_again(e);
}

LLVMBasicBlockRef hc_region_out(struct hc_emit *e)
{
	if (!e->region_out)
		e->region_out = LLVMAppendBasicBlockInContext(e->context, e->function, "out");
	return e->region_out;
}

void hc_leave_parted(struct hc_emit *e, const struct hc_node *target)
{
	LLVMValueRef gone = LLVMBuildZExtOrBitCast(e->b, hc_mask_bits(e, hc_exec(e)), e->i64, "");
	LLVMValueRef place, stay = LLVMBuildNot(e->b, gone, "");
	struct hc_presence *presence;

	for (presence = e->presence; presence; presence = presence->outer) {
		place = present_place(e, presence->lanes, e->subgroup);
		LLVMBuildStore(
			e->b, LLVMBuildAnd(e->b, LLVMBuildLoad2(e->b, e->i64, place, ""), stay, ""),
			place);
		presence->left = true;
		if (presence->owner == target)
			break;
	}
	/* Others of the subgroup may go on. */
	if (target->divergent)
		LLVMBuildStore(e->b, LLVMConstNull(e->mask), e->exec);
	else
		LLVMBuildBr(e->b, hc_region_out(e));
}

void hc_lead_again(struct hc_emit *e)
{
	struct hc_presence *presence = e->presence;
	LLVMBasicBlockRef some;
	LLVMValueRef any;

	if (!presence || !presence->left)
		return;
	presence->left = false;
	any = choose(e, presence, presence, 0, true);
	some = LLVMAppendBasicBlockInContext(e->context, e->function, "some");
	LLVMBuildCondBr(e->b, any, some, presence->end);
	LLVMPositionBuilderAtEnd(e->b, some);
}
