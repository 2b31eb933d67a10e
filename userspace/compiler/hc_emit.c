// SPDX-License-Identifier: MIT
/*
 * The kernel function: the loop over work-groups, and the tree of control inside it. Branches that all lanes take together are
 * branches; where lanes part, both ways run one after the other under masks, and code that no lane runs is jumped over.
 */
#include "hc_emit.h"

#include <stdlib.h>
#include <string.h>
#include <hearth/kernel_abi.h>
#include <spirv/unified1/spirv.h>

#include "hc_codegen.h"
#include "hc_math.h"

#define ENTRY_NAME "hearth_kernel"

static LLVMBasicBlockRef new_block(struct hc_emit *e, const char *name)
{
	return LLVMAppendBasicBlockInContext(e->context, e->function, name);
}

static bool ended(struct hc_emit *e)
{
	return LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(e->b)) != NULL;
}

static void go_to(struct hc_emit *e, LLVMBasicBlockRef block)
{
	if (!ended(e))
		LLVMBuildBr(e->b, block);
}

static void at(struct hc_emit *e, LLVMBasicBlockRef block)
{
	LLVMPositionBuilderAtEnd(e->b, block);
}

static void set_exec(struct hc_emit *e, LLVMValueRef mask)
{
	LLVMBuildStore(e->b, mask, e->exec);
}

static LLVMValueRef load_mask(struct hc_emit *e, LLVMValueRef place)
{
	return LLVMBuildLoad2(e->b, e->mask, place, "");
}

/* ---- Regions ---- */

/* Lanes of the subgroup that are invocations: all, but in the last one. */
LLVMValueRef hc_full_mask(struct hc_emit *e)
{
	LLVMValueRef index;

	if (e->hc->invocations % e->lanes == 0)
		return LLVMConstAllOnes(e->mask);
	index = LLVMBuildMul(e->b, e->subgroup, LLVMConstInt(e->i32, e->lanes, false), "");
	index = LLVMBuildAdd(e->b, hc_splat(e, index), e->iota, "");
	return LLVMBuildICmp(e->b, LLVMIntULT, index,
			     hc_int(e, hc_vector_of(e, e->i32), e->hc->invocations), "");
}

static void open_region(struct hc_emit *e, uint32_t region)
{
	e->region = region;
	if (e->hc->subgroups > 1) {
		LLVMBuildStore(e->b, LLVMConstInt(e->i32, 0, false), e->turn);
		e->turn_block = new_block(e, "region");
		e->turn_end = new_block(e, "");
		go_to(e, e->turn_block);
		at(e, e->turn_block);
		e->subgroup = LLVMBuildLoad2(e->b, e->i32, e->turn, "subgroup");
	} else {
		e->subgroup = LLVMConstInt(e->i32, 0, false);
	}
	set_exec(e, e->presence ? hc_present_lanes(e) : hc_full_mask(e));
	hc_copy_in(e, region);
}

static void close_region(struct hc_emit *e)
{
	LLVMValueRef next, more;
	LLVMBasicBlockRef after;

	if (!e->region)
		return;
	if (e->region_out) {
		go_to(e, e->region_out);
		at(e, e->region_out);
		e->region_out = NULL;
	}
	hc_copy_out(e, e->region);
	e->region = 0;
	if (e->hc->subgroups == 1)
		return;
	go_to(e, e->turn_end);
	at(e, e->turn_end);
	next = LLVMBuildAdd(e->b, e->subgroup, LLVMConstInt(e->i32, 1, false), "");
	LLVMBuildStore(e->b, next, e->turn);
	more = LLVMBuildICmp(e->b, LLVMIntULT, next, LLVMConstInt(e->i32, e->hc->subgroups, false),
			     "");
	after = new_block(e, "");
	LLVMBuildCondBr(e->b, more, e->turn_block, after);
	at(e, after);
	hc_settle_phis(e);
	hc_lead_again(e);
}

/* ---- Instructions ---- */

static void instruction(struct hc_emit *e, const struct hc_inst *inst)
{
	if (inst->type && hc_type(e->m, inst->type)->is_empty)
		return;
	switch (inst->op) {
	case SpvOpAccessChain:
	case SpvOpInBoundsAccessChain:
	case SpvOpPtrAccessChain:
	case SpvOpInBoundsPtrAccessChain:
		/* Chains are followed where memory is accessed. */
		if (hc_is_address(e->m, inst->result))
			hc_emit_address(e, inst);
		return;
	case SpvOpPhi:
	case SpvOpMemoryBarrier:
	case SpvOpName:
	case SpvOpNop:
	case SpvOpAssumeTrueKHR:
		/* One thread runs all lanes, so that its order is theirs. */
		return;
	case SpvOpControlBarrier:
		return;
	case SpvOpLoad:
		/* Images are no values. */
		if (!hc_is_opaque(e->m, inst->result))
			hc_emit_load(e, inst);
		return;
	case SpvOpStore:
		hc_emit_store(e, inst);
		return;
	case SpvOpCopyMemory:
		hc_emit_copy(e, inst);
		return;
	case SpvOpArrayLength:
		hc_emit_array_length(e, inst);
		return;
	case SpvOpExtInst:
		/* What debuggers and printf would want to know. */
		if (!hc_id(e->m, inst->operand[0])->is_ignored)
			hc_emit_glsl(e, inst);
		return;
	default:
		break;
	}
	if (hc_emit_matrix(e, inst) || hc_emit_image(e, inst))
		return;
	if (hc_is_atomic(inst->op)) {
		hc_emit_atomic(e, inst);
		return;
	}
	if (inst->type && hc_type(e->m, inst->type)->leaves && inst->op != SpvOpFunctionCall &&
	    (hc_emit_subgroup(e, inst) || hc_emit_composite(e, inst) || hc_emit_alu(e, inst)))
		return;
	hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "%s is not supported", hc_op_name(inst->op));
}

static void forget_values(struct hc_emit *e)
{
	memset(e->values, 0, e->m->bound * sizeof(*e->values));
}

/* Is @id for other parts of the loop's sums than the one under way? */
static bool left_out(struct hc_emit *e, uint32_t id)
{
	return e->part && id && !(e->need[id] & e->part);
}

/* What the phis held where a construct's ways meet, before control enters it. */
static void forget_phis(struct hc_emit *e, uint32_t label)
{
	const struct hc_inst *phi;

	if (!label)
		return;
	phi = &e->m->insts[e->m->blocks[hc_id(e->m, label)->index].first];
	for (; phi->op == SpvOpPhi; phi++)
		if (!left_out(e, phi->result))
			hc_forget_phi(e, phi->result);
}

/* All values are read before any phi changes: phis may name each other. */
static void edge(struct hc_emit *e, const struct hc_node *node)
{
	uint32_t i, j, leaf, count = 0, first;
	LLVMValueRef *values;

	if (node->from == HC_NONE)
		return;
	first = e->m->blocks[node->to].first;
	for (i = first; e->m->insts[i].op == SpvOpPhi; i++)
		count += hc_type(e->m, e->m->insts[i].type)->leaves;
	if (!count)
		return;
	values = HC_NEW(e->hc, LLVMValueRef, count);
	count = 0;
	for (i = first; e->m->insts[i].op == SpvOpPhi; i++) {
		const struct hc_inst *phi = &e->m->insts[i];

		for (leaf = 0; leaf < hc_type(e->m, phi->type)->leaves; leaf++, count++)
			for (j = 0; j + 1 < phi->operands; j += 2)
				if (phi->operand[j + 1] == e->m->blocks[node->from].label &&
				    !left_out(e, phi->result) &&
				    !hc_matrix_in_place(e, phi->result, phi->operand[j]))
					values[count] = hc_as_shape(e, phi->result, leaf,
								    phi->operand[j], leaf);
	}
	if (node->kind == HC_NODE_EDGE && node->next && node->next->kind == HC_NODE_LOOP &&
	    node->next->block == node->to && !node->next->group_level)
		forget_phis(e, e->m->blocks[node->to].label);
	count = 0;
	for (i = first; e->m->insts[i].op == SpvOpPhi; i++)
		for (leaf = 0; leaf < hc_type(e->m, e->m->insts[i].type)->leaves; leaf++, count++)
			if (values[count])
				hc_put_phi(e, e->m->insts[i].result, leaf, values[count],
					   node->region);
}

/* ---- Control ---- */

static void emit_list(struct hc_emit *e, struct hc_list *list, bool group_level);

static void jump(struct hc_emit *e, struct hc_node *node)
{
	struct hc_node *target = node->target;
	struct hc_case *other =
		node->jump == HC_JUMP_FALL ? &target->cases[node->target_case] : NULL;
	bool proceed = node->jump == HC_JUMP_CONTINUE;
	LLVMValueRef place;

	edge(e, node);
	if (hc_is_apart(node)) {
		hc_leave_parted(e, target);
		return;
	}
	if (target->group_level) {
		close_region(e);
	} else if (target->divergent) {
		place = other ? other->fallen : proceed ? target->continued : target->broken;
		LLVMBuildStore(e->b, LLVMBuildOr(e->b, load_mask(e, place), hc_exec(e), ""), place);
		set_exec(e, LLVMConstNull(e->mask));
		return;
	}
	go_to(e, other ? other->block : proceed ? target->continue_block : target->break_block);
}

/* A body that all lanes enter together, from a branch that was just built to @block. */
static void emit_body(struct hc_emit *e, struct hc_list *body, LLVMBasicBlockRef block,
		      LLVMBasicBlockRef after, bool group_level)
{
	at(e, block);
	emit_list(e, body, group_level);
	if (group_level)
		close_region(e);
	go_to(e, after);
}

static void emit_if(struct hc_emit *e, struct hc_node *node)
{
	bool group_level = node->group_level;
	LLVMBasicBlockRef yes = new_block(e, "then"), no = new_block(e, "else"),
			  after = new_block(e, "endif");
	LLVMValueRef condition;

	condition =
		group_level ? hc_group_value(e, node->condition) : hc_lane0(e, node->condition, 0);
	LLVMBuildCondBr(e->b, condition, yes, no);
	emit_body(e, &node->body[0], yes, after, group_level);
	emit_body(e, &node->body[1], no, after, group_level);
	at(e, after);
}

/* Runs @body for the lanes of @mask, if there are any. Afterwards exec holds those that are still there. */
static void emit_masked(struct hc_emit *e, struct hc_list *body, LLVMValueRef mask)
{
	LLVMBasicBlockRef some, none;

	set_exec(e, mask);
	if (!body->first)
		return;
	some = new_block(e, "some");
	none = new_block(e, "none");
	LLVMBuildCondBr(e->b, hc_any(e, mask), some, none);
	emit_body(e, body, some, none, false);
	at(e, none);
}

static void emit_divergent_if(struct hc_emit *e, struct hc_node *node)
{
	LLVMValueRef all = hc_exec(e), condition = hc_lanes(e, node->condition, 0), left;
	const struct hc_block *block = &e->m->blocks[node->block];

	/* A loop header's branch has no place of its own where its ways meet. */
	if (!block->proceed)
		forget_phis(e, block->merge);
	emit_masked(e, &node->body[0], LLVMBuildAnd(e->b, all, condition, ""));
	left = node->jumps ? hc_exec(e) : NULL;
	emit_masked(e, &node->body[1],
		    LLVMBuildAnd(e->b, all, LLVMBuildNot(e->b, condition, ""), ""));
	/* Lanes that jumped away are not among those that go on. */
	set_exec(e, node->jumps ? LLVMBuildOr(e->b, left, hc_exec(e), "") : all);
}

static LLVMValueRef case_value(struct hc_emit *e, const struct hc_node *node,
			       const struct hc_case *c, uint32_t i)
{
	const uint32_t *word = c->literals + (size_t)i * node->literal_words;
	uint64_t value = word[0] | (node->literal_words > 1 ? (uint64_t)word[1] << 32 : 0);

	return LLVMConstInt(hc_scalar_type(e, hc_type_of(e->m, node->condition)), value, false);
}

static void emit_switch(struct hc_emit *e, struct hc_node *node)
{
	bool group_level = node->group_level;
	LLVMBasicBlockRef *enter = HC_NEW(e->hc, LLVMBasicBlockRef, node->case_count);
	LLVMBasicBlockRef after = new_block(e, "endswitch"), otherwise = after;
	LLVMValueRef selector, branch;
	uint32_t i, j, count = 0;

	node->break_block = after;
	selector = !node->condition ? LLVMConstInt(e->i32, 0, false)
		   : group_level    ? hc_group_value(e, node->condition)
				    : hc_lane0(e, node->condition, 0);
	for (i = 0; i < node->case_count; i++) {
		enter[i] = new_block(e, "case");
		node->cases[i].block = new_block(e, "");
		count += node->cases[i].literal_count;
		if (node->cases[i].is_default)
			otherwise = enter[i];
	}
	branch = LLVMBuildSwitch(e->b, selector, otherwise, count);
	for (i = 0; i < node->case_count; i++)
		for (j = 0; j < node->cases[i].literal_count; j++)
			LLVMAddCase(branch, case_value(e, node, &node->cases[i], j), enter[i]);
	for (i = 0; i < node->case_count; i++) {
		struct hc_case *c = &node->cases[node->order[i]];

		emit_body(e, &c->enter, enter[node->order[i]], c->block, group_level);
		emit_body(e, &c->body, c->block, after, group_level);
	}
	at(e, after);
}

static void emit_divergent_switch(struct hc_emit *e, struct hc_node *node)
{
	LLVMValueRef all = hc_exec(e), left;
	LLVMValueRef selector = node->condition ? hc_lanes(e, node->condition, 0) : NULL;
	LLVMValueRef others = all, *match = HC_NEW(e->hc, LLVMValueRef, node->case_count);
	uint32_t i, j;

	if (node->condition)
		forget_phis(e, e->m->blocks[node->block].merge);
	node->broken = hc_local(e, e->mask, "broken");
	LLVMBuildStore(e->b, LLVMConstNull(e->mask), node->broken);
	for (i = 0; i < node->case_count; i++) {
		match[i] = LLVMConstNull(e->mask);
		for (j = 0; j < node->cases[i].literal_count; j++)
			match[i] = LLVMBuildOr(
				e->b, match[i],
				LLVMBuildICmp(e->b, LLVMIntEQ, selector,
					      hc_splat(e, case_value(e, node, &node->cases[i], j)),
					      ""),
				"");
		others = LLVMBuildAnd(e->b, others, LLVMBuildNot(e->b, match[i], ""), "");
		node->cases[i].fallen = hc_local(e, e->mask, "fallen");
		LLVMBuildStore(e->b, LLVMConstNull(e->mask), node->cases[i].fallen);
	}
	left = LLVMConstNull(e->mask);
	for (i = 0; i < node->case_count; i++) {
		struct hc_case *c = &node->cases[node->order[i]];
		LLVMValueRef mask = LLVMBuildAnd(e->b, all, match[node->order[i]], "");

		if (c->is_default)
			mask = LLVMBuildOr(e->b, mask, others, "");
		/* Lanes that fell into the case have set its phis. */
		set_exec(e, mask);
		emit_list(e, &c->enter, false);
		mask = LLVMBuildOr(e->b, mask, load_mask(e, c->fallen), "");
		emit_masked(e, &c->body, mask);
		left = LLVMBuildOr(e->b, left, hc_exec(e), "");
	}
	set_exec(e, LLVMBuildOr(e->b, left, load_mask(e, node->broken), ""));
}

static void emit_loop(struct hc_emit *e, struct hc_node *node)
{
	LLVMBasicBlockRef header = new_block(e, "loop"), proceed = new_block(e, "continue");
	LLVMBasicBlockRef after = new_block(e, "endloop");

	node->continue_block = proceed;
	node->break_block = after;
	go_to(e, header);
	emit_body(e, &node->body[0], header, proceed, node->group_level);
	emit_body(e, &node->body[1], proceed, header, node->group_level);
	at(e, after);
}

/* Moves the loop's sums of @part (a bit) out of LLVM's sight, or back. */
static void park(struct hc_emit *e, const struct hc_node *loop, uint32_t part, bool away)
{
	const struct hc_inst *phi;

	for (phi = &e->m->insts[e->m->blocks[loop->block].first]; phi->op == SpvOpPhi; phi++)
		if (e->need[phi->result] == part)
			hc_park(e, phi->result, away);
}

/*
 * A loop that runs once for each part of its sums. Those of the other parts wait in memory, since LLVM would rather keep
 * them in registers, and what the loop adds to not.
 */
static void emit_loop_in_parts(struct hc_emit *e, struct hc_node *node)
{
	uint32_t i;

	for (i = 1; i < node->parts; i++)
		park(e, node, 1u << i, true);
	for (i = 0; i < node->parts; i++) {
		if (i) {
			/* The edge before the loop has set all phis; those that all parts need have changed. */
			e->part = HC_NO_PART;
			edge(e, node->enter);
			park(e, node, 1u << i, false);
		}
		e->part = 1u << i;
		emit_loop(e, node);
		if (i + 1 < node->parts)
			park(e, node, 1u << i, true);
	}
	e->part = 0;
	for (i = 0; i + 1 < node->parts; i++)
		park(e, node, 1u << i, false);
}

/* Goes round until no lane is left; each lane leaves when it is done. */
static void emit_divergent_loop(struct hc_emit *e, struct hc_node *node)
{
	LLVMBasicBlockRef header = new_block(e, "loop"), after = new_block(e, "endloop");
	LLVMBasicBlockRef some = new_block(e, "continue"), none = new_block(e, "");

	node->broken = hc_local(e, e->mask, "broken");
	node->continued = hc_local(e, e->mask, "continued");
	LLVMBuildStore(e->b, LLVMConstNull(e->mask), node->broken);
	forget_phis(e, e->m->blocks[node->block].merge);
	go_to(e, header);
	at(e, header);
	LLVMBuildStore(e->b, LLVMConstNull(e->mask), node->continued);
	emit_list(e, &node->body[0], false);
	set_exec(e, LLVMBuildOr(e->b, hc_exec(e), load_mask(e, node->continued), ""));
	LLVMBuildCondBr(e->b, hc_any(e, hc_exec(e)), some, none);
	emit_body(e, &node->body[1], some, none, false);
	at(e, none);
	LLVMBuildCondBr(e->b, hc_any(e, hc_exec(e)), header, after);
	at(e, after);
	set_exec(e, load_mask(e, node->broken));
}

static void emit_group_body(struct hc_emit *e, struct hc_list *body)
{
	emit_list(e, body, true);
	close_region(e);
}

static void emit_construct(struct hc_emit *e, struct hc_node *node)
{
	bool masked = node->divergent && !node->group_level;
	struct hc_presence presence;

	if (node->parted)
		hc_enter_parted(e, node, &presence);
	switch (node->kind) {
	case HC_NODE_IF:
		if (masked)
			emit_divergent_if(e, node);
		else if (node->group_level && hc_goes_apart(e, node))
			hc_emit_apart(e, node, emit_group_body);
		else
			emit_if(e, node);
		break;
	case HC_NODE_SWITCH:
		if (masked)
			emit_divergent_switch(e, node);
		else
			emit_switch(e, node);
		break;
	default:
		if (masked)
			emit_divergent_loop(e, node);
		else if (node->parts)
			emit_loop_in_parts(e, node);
		else
			emit_loop(e, node);
		break;
	}
	if (node->parted)
		hc_end_parted(e);
	forget_values(e);
}

static void emit_list(struct hc_emit *e, struct hc_list *list, bool group_level)
{
	LLVMBasicBlockRef end = NULL, some;
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node && !ended(e); node = node->next) {
		if (node->kind == HC_NODE_BARRIER || node->kind == HC_NODE_END) {
			if (node->kind == HC_NODE_BARRIER)
				close_region(e);
			continue;
		}
		if (node->group_level) {
			close_region(e);
		} else if (node->region != e->region) {
			close_region(e);
			forget_values(e);
			open_region(e, node->region);
		}
		switch (node->kind) {
		case HC_NODE_CODE:
			e->serial++;
			for (i = node->first; i < node->end; i++)
				if (!left_out(e, e->m->insts[i].result))
					instruction(e, &e->m->insts[i]);
			break;
		case HC_NODE_EDGE:
			edge(e, node);
			break;
		case HC_NODE_JUMP:
			jump(e, node);
			break;
		default:
			emit_construct(e, node);
			break;
		}
		/* Lanes may have jumped away: what follows is for the others, if there are any. */
		if (node->jumps && !node->group_level && node->next && !ended(e)) {
			if (!end && !group_level)
				end = new_block(e, "");
			some = new_block(e, "");
			LLVMBuildCondBr(e->b, hc_any(e, hc_exec(e)), some,
					group_level ? hc_region_out(e) : end);
			at(e, some);
		}
	}
	if (end) {
		go_to(e, end);
		at(e, end);
	}
}

/* ---- Memory of the work-group ---- */

/* Null is the one initializer that a shared variable may have. */
static void clear(struct hc_emit *e, uint64_t offset, uint64_t bytes)
{
	LLVMValueRef at_offset = LLVMConstInt(e->i64, offset, false);

	LLVMBuildMemSet(e->b, LLVMBuildGEP2(e->b, e->i8, e->scratch, &at_offset, 1, ""),
			LLVMConstNull(e->i8), LLVMConstInt(e->i64, bytes, false), 64);
}

/* Blocks, which the shader lays out, all begin at one place: several are several views of the same memory. */
static void place_shared_blocks(struct hc_emit *e)
{
	uint64_t bytes, most = 0;
	bool initialized = false;
	uint32_t id;

	for (id = 0; id < e->m->bound; id++) {
		struct hc_id *entry = &e->m->ids[id];

		if (entry->kind != HC_ID_VARIABLE ||
		    entry->storage_class != SpvStorageClassWorkgroup ||
		    !hc_is_block(e->m, hc_type_of(e->m, id)->element))
			continue;
		bytes = hc_decorated_bytes(e->m, hc_type(e->m, hc_type_of(e->m, id)->element));
		most = bytes > most ? bytes : most;
		initialized |= entry->initializer != 0;
		e->slot[id] = e->scratch_bytes + 1;
	}
	if (initialized)
		clear(e, e->scratch_bytes, most);
	e->scratch_bytes += most;
	e->shared_bytes += most;
}

/* Shared variables come first in the scratch memory. */
static void place_shared_variables(struct hc_emit *e)
{
	uint32_t id;

	place_shared_blocks(e);
	for (id = 0; id < e->m->bound; id++) {
		struct hc_id *entry = &e->m->ids[id];
		struct hc_type *type;

		if (entry->kind != HC_ID_VARIABLE ||
		    entry->storage_class != SpvStorageClassWorkgroup || e->slot[id])
			continue;
		type = hc_type(e->m, hc_type_of(e->m, id)->element);
		e->scratch_bytes = (e->scratch_bytes + 63) / 64 * 64;
		e->slot[id] = e->scratch_bytes + 1;
		e->scratch_bytes += type->size;
		/* What counts against a device's limit are the variables, not how we place them. */
		e->shared_bytes += type->size;
		if (entry->initializer)
			clear(e, e->slot[id] - 1, type->size);
	}
	e->scratch_bytes = (e->scratch_bytes + 63) / 64 * 64;
}

/* ---- The function ---- */

static LLVMValueRef load_u32(struct hc_emit *e, uint64_t offset)
{
	LLVMValueRef at_offset = LLVMConstInt(e->i64, offset, false), load;

	load = LLVMBuildLoad2(e->b, e->i32, LLVMBuildGEP2(e->b, e->i8, e->args, &at_offset, 1, ""),
			      "");
	LLVMSetAlignment(load, 4);
	LLVMSetMetadata(load, LLVMGetMDKindIDInContext(e->context, "invariant.load", 14),
			LLVMMetadataAsValue(e->context, LLVMMDNodeInContext2(e->context, NULL, 0)));
	return load;
}

static void add_attribute(struct hc_emit *e, uint32_t parameter, const char *name, uint64_t value)
{
	unsigned int kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

	LLVMAddAttributeAtIndex(e->function, parameter,
				LLVMCreateEnumAttribute(e->context, kind, value));
}

static void create_function(struct hc_emit *e)
{
	LLVMTypeRef parameters[4];
	uint32_t i;
	LLVMValueRef lanes[64];

	e->ptr = LLVMPointerTypeInContext(e->context, 0);
	parameters[0] = e->ptr;
	parameters[1] = parameters[2] = e->i64;
	parameters[3] = e->ptr;
	e->function = LLVMAddFunction(
		e->module, ENTRY_NAME,
		LLVMFunctionType(LLVMVoidTypeInContext(e->context), parameters, 4, false));
	e->args = LLVMGetParam(e->function, 0);
	e->scratch = LLVMGetParam(e->function, 3);
	add_attribute(e, 1, "noalias", 0);
	add_attribute(e, 1, "readonly", 0);
	add_attribute(e, 1, "dereferenceable", sizeof(struct hearth_kernel_args));
	add_attribute(e, 4, "noalias", 0);
	for (i = 0; i < e->lanes; i++)
		lanes[i] = LLVMConstInt(e->i32, i, false);
	e->iota = LLVMConstVector(lanes, e->lanes);
}

/* Number of the work-group to its three coordinates. */
static void find_group(struct hc_emit *e, LLVMValueRef number)
{
	LLVMValueRef wide[2], rest = number, id;
	uint32_t i;

	for (i = 0; i < 2; i++)
		wide[i] = LLVMBuildZExt(e->b, e->groups[i], e->i64, "");
	for (i = 0; i < 3; i++) {
		id = i < 2 ? LLVMBuildURem(e->b, rest, wide[i], "") : rest;
		if (i < 2)
			rest = LLVMBuildUDiv(e->b, rest, wide[i], "");
		e->group_id[i] = LLVMBuildAdd(
			e->b, LLVMBuildTrunc(e->b, id, e->i32, ""),
			load_u32(e, offsetof(struct hearth_kernel_args, base_workgroup) + 4 * i),
			"");
	}
}

/*
 * RISC-V's moves of whole vector registers trap while vtype is not valid, which a thread begins with; LLVM takes it for granted that
 * they need no vtype.
 */
static void set_vector_type(struct hc_emit *e)
{
	static const char set[] = "vsetivli zero, 1, e8, m1, ta, ma", clobbers[] = "~{vl},~{vtype}";
	LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(e->context), NULL, 0, false);
	LLVMValueRef code;

	if (e->hc->target->arch != HC_ARCH_RISCV64)
		return;
	code = LLVMGetInlineAsm(type, set, strlen(set), clobbers, strlen(clobbers), true, false,
				LLVMInlineAsmDialectATT, false);
	LLVMBuildCall2(e->b, type, code, NULL, 0, "");
}

static void build_function(struct hc_emit *e, struct hc_list *tree)
{
	LLVMBasicBlockRef entry, start, loop, body, done;
	LLVMValueRef counter, number, last, more;
	uint32_t i;

	create_function(e);
	entry = new_block(e, "entry");
	start = new_block(e, "start");
	loop = new_block(e, "groups");
	body = new_block(e, "group");
	done = new_block(e, "done");
	LLVMPositionBuilderAtEnd(e->entry, entry);
	at(e, start);
	set_vector_type(e);
	counter = hc_local(e, e->i64, "number");
	e->turn = hc_local(e, e->i32, "turn");
	e->exec = hc_local(e, e->mask, "exec");
	for (i = 0; i < 3; i++)
		e->groups[i] =
			load_u32(e, offsetof(struct hearth_kernel_args, num_workgroups) + 4 * i);
	last = LLVMBuildAdd(e->b, LLVMGetParam(e->function, 1), LLVMGetParam(e->function, 2), "");
	LLVMBuildStore(e->b, LLVMGetParam(e->function, 1), counter);
	LLVMBuildBr(e->b, loop);
	at(e, loop);
	number = LLVMBuildLoad2(e->b, e->i64, counter, "");
	more = LLVMBuildICmp(e->b, LLVMIntULT, number, last, "");
	LLVMBuildCondBr(e->b, more, body, done);
	at(e, body);
	find_group(e, number);
	place_shared_variables(e);
	hc_place_slots(e);
	emit_list(e, tree, true);
	close_region(e);
	LLVMBuildStore(e->b, LLVMBuildAdd(e->b, number, LLVMConstInt(e->i64, 1, false), ""),
		       counter);
	LLVMBuildBr(e->b, loop);
	at(e, done);
	LLVMBuildRetVoid(e->b);
	LLVMBuildBr(e->entry, start);
}

static struct hc_kernel *finish(struct hc_emit *e)
{
	struct hc *hc = e->hc;
	struct hc_image image = { 0 };
	struct hc_kernel *kernel;
	enum hc_result result;
	char *message = NULL;
	uint64_t start = hc_now_ns();

	hc_phase_ends(hc, HC_PHASE_EMIT);
	result = hc_codegen(e->module, hc->target, ENTRY_NAME, hc->info->dump_passes,
			    hc->info->dump, hc->info->dump_user, &image, &message);
	if (result) {
		hc->message = message;
		hc_abort(hc, result, NULL);
	}
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel) {
		free(image.image);
		hc_abort(hc, HC_ERROR_OUT_OF_MEMORY, "out of memory");
	}
	kernel->image = image.image;
	kernel->image_bytes = image.image_bytes;
	kernel->entry_offset = image.entry_offset;
	kernel->code_bytes = image.code_bytes;
	memcpy(kernel->phase_us, hc->phase_us, sizeof(kernel->phase_us));
	kernel->phase_us[HC_PHASE_OPTIMIZE] = (uint32_t)((image.optimized_ns - start) / 1000);
	kernel->phase_us[HC_PHASE_CODEGEN] = (uint32_t)((hc_now_ns() - image.optimized_ns) / 1000);
	kernel->stack_bytes = image.stack_bytes;
	kernel->scratch_bytes = (uint32_t)((e->scratch_bytes + HEARTH_KERNEL_ALIGN - 1) /
					   HEARTH_KERNEL_ALIGN * HEARTH_KERNEL_ALIGN);
	kernel->shared_bytes = (uint32_t)e->shared_bytes;
	memcpy(kernel->local_size, hc->local_size, sizeof(kernel->local_size));
	kernel->subgroup_size = hc->lanes;
	return kernel;
}

struct hc_kernel *hc_emit(struct hc_module *m, struct hc_list *tree, struct hc_shapes *shapes,
			  struct hc_regions *regions, const uint32_t *need,
			  struct hc_adjacent **adjacent)
{
	struct hc *hc = m->hc;
	struct hc_emit *e = HC_NEW(hc, struct hc_emit, 1);
	enum hc_result result;
	char *message = NULL;

	e->hc = hc;
	e->m = m;
	e->shapes = shapes;
	e->regions = regions;
	e->need = need;
	e->adjacent = adjacent;
	e->lanes = hc->lanes;
	e->has_f16 = hc_target_has_f16(hc->target);
	e->context = hc->llvm = LLVMContextCreate();
	e->module = LLVMModuleCreateWithNameInContext("kernel", e->context);
	e->b = hc->builders[0] = LLVMCreateBuilderInContext(e->context);
	e->entry = hc->builders[1] = LLVMCreateBuilderInContext(e->context);
	result = hc_codegen_setup(e->module, hc->target, &message);
	if (result) {
		hc->message = message;
		hc_abort(hc, result, NULL);
	}
	e->i1 = LLVMInt1TypeInContext(e->context);
	e->i8 = LLVMInt8TypeInContext(e->context);
	e->i16 = LLVMInt16TypeInContext(e->context);
	e->i32 = LLVMInt32TypeInContext(e->context);
	e->i64 = LLVMInt64TypeInContext(e->context);
	e->f32 = LLVMFloatTypeInContext(e->context);
	e->f64 = LLVMDoubleTypeInContext(e->context);
	e->mask = hc_vector_of(e, e->i1);
	e->values = HC_NEW(hc, LLVMValueRef *, m->bound);
	e->variables = HC_NEW(hc, LLVMValueRef *, m->bound);
	e->later = HC_NEW(hc, LLVMValueRef *, m->bound);
	e->parked = HC_NEW(e->hc, LLVMValueRef *, e->m->bound);
	e->memory = HC_NEW(hc, LLVMValueRef, m->bound);
	e->slot = HC_NEW(hc, uint64_t, m->bound);
	e->staged = HC_NEW(hc, LLVMValueRef, m->bound);
	e->staged_at = HC_NEW(hc, uint32_t, m->bound);
	build_function(e, tree);
	return finish(e);
}
