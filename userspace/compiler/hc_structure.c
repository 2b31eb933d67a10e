// SPDX-License-Identifier: MIT
/*
 * Blocks to a tree: follows the branches from the entry block and uses the merge instructions to tell selections,
 * loops, and the jumps that leave them. Every block has one place in the tree; what has none, or two, is not structured.
 *
 * Requires: functions inlined, one return.
 */
#include "hc_internal.h"

#include <string.h>
#include <spirv/unified1/spirv.h>

/* Where control may go from inside a construct besides onward. */
struct scope {
	const struct scope *outer;
	struct hc_node *node; /* LOOP or SWITCH */
	uint32_t merge;
	uint32_t proceed; /* of loops */
	uint32_t own;	  /* of switches: the case being built */
};

struct builder {
	struct hc_module *m;
	uint32_t depth;
};

static void append(struct hc_list *list, struct hc_node *node)
{
	if (list->last)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
}

static struct hc_node *new_node(struct builder *b, enum hc_node_kind kind, struct hc_node *parent)
{
	struct hc_node *node = HC_NEW(b->m->hc, struct hc_node, 1);

	node->kind = kind;
	node->parent = parent;
	return node;
}

static uint32_t block_of(struct builder *b, uint32_t label)
{
	struct hc_id *id = hc_id(b->m, label);

	if (id->kind != HC_ID_BLOCK)
		hc_abort(b->m->hc, HC_ERROR_INVALID_SPIRV, "id %u is no block", label);
	return id->index;
}

static void add_edge(struct builder *b, struct hc_list *list, struct hc_node *parent, uint32_t from,
		     uint32_t label)
{
	struct hc_node *edge = new_node(b, HC_NODE_EDGE, parent);

	edge->from = from;
	edge->to = block_of(b, label);
	append(list, edge);
}

/* The construct that a branch to @label leaves or continues, innermost first. */
static const struct scope *jump_scope(const struct scope *scope, uint32_t label)
{
	for (; scope; scope = scope->outer)
		if (scope->merge == label || (scope->proceed && scope->proceed == label))
			return scope;
	return NULL;
}

/* The switch whose case, other than the present one, begins at @label; innermost first. */
static struct hc_node *fallen_into(const struct scope *scope, uint32_t label, uint32_t *number)
{
	uint32_t i;

	for (; scope; scope = scope->outer)
		for (i = 0; scope->node->kind == HC_NODE_SWITCH && i < scope->node->case_count; i++)
			if (i != scope->own && scope->node->cases[i].label == label) {
				*number = i;
				return scope->node;
			}
	return NULL;
}

static void build(struct builder *b, struct hc_list *list, struct hc_node *parent, uint32_t from,
		  uint32_t label, uint32_t stop, const struct scope *scope);

static void build_if(struct builder *b, struct hc_list *list, struct hc_node *parent,
		     uint32_t block, uint32_t stop, const struct scope *scope)
{
	const struct hc_inst *branch = &b->m->insts[b->m->blocks[block].last];
	struct hc_node *node = new_node(b, HC_NODE_IF, parent);
	uint32_t i;

	node->block = block;
	node->condition = branch->operand[0];
	append(list, node);
	for (i = 0; i < 2; i++)
		build(b, &node->body[i], node, block, branch->operand[1 + i], stop, scope);
}

static void find_falls(struct hc_list *list, const struct hc_node *target, uint32_t from,
		       uint32_t *into)
{
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_JUMP && node->jump == HC_JUMP_FALL &&
		    node->target == target)
			into[from] = node->target_case;
		find_falls(&node->body[0], target, from, into);
		find_falls(&node->body[1], target, from, into);
		for (i = 0; i < node->case_count; i++)
			find_falls(&node->cases[i].body, target, from, into);
	}
}

/* The cases so that each comes before the one that it falls into. */
static uint32_t *case_order(struct builder *b, struct hc_node *node)
{
	uint32_t *order = HC_NEW(b->m->hc, uint32_t, node->case_count);
	uint32_t *into = HC_NEW(b->m->hc, uint32_t, node->case_count);
	bool *entered = HC_NEW(b->m->hc, bool, node->case_count);
	uint32_t i, at, count = 0;

	memset(into, 0xff, node->case_count * sizeof(*into));
	for (i = 0; i < node->case_count; i++)
		find_falls(&node->cases[i].body, node, i, into);
	for (i = 0; i < node->case_count; i++)
		if (into[i] != HC_NONE) {
			if (entered[into[i]])
				hc_abort(b->m->hc, HC_ERROR_UNSUPPORTED,
					 "two cases that fall into block %u",
					 node->cases[into[i]].label);
			entered[into[i]] = true;
		}
	/* What nothing falls into begins a chain. */
	for (i = 0; i < node->case_count; i++)
		for (at = entered[i] ? HC_NONE : i; at != HC_NONE; at = into[at])
			order[count++] = at;
	if (count != node->case_count)
		hc_abort(b->m->hc, HC_ERROR_INVALID_SPIRV,
			 "cases that fall into each other in a circle");
	return order;
}

static void build_switch(struct builder *b, struct hc_list *list, struct hc_node *parent,
			 uint32_t block, uint32_t merge, const struct scope *outer)
{
	const struct hc_inst *inst = &b->m->insts[b->m->blocks[block].last];
	struct hc_node *node = new_node(b, HC_NODE_SWITCH, parent);
	struct scope scope = { .outer = outer, .node = node, .merge = merge };
	uint32_t width = hc_type_of(b->m, inst->operand[0])->width, words = width == 64 ? 2 : 1;
	uint32_t i, j, pairs = (inst->operands - 2u) / (words + 1);

	node->block = block;
	node->condition = inst->operand[0];
	node->literal_words = words;
	node->cases = HC_NEW(b->m->hc, struct hc_case, pairs + 1);
	append(list, node);
	/* All labels are known before the first case is followed, since it may lead to another. */
	for (i = 0; i <= pairs; i++) {
		const uint32_t *pair = inst->operand + 2 + (size_t)(i - 1) * (words + 1);
		uint32_t label = i ? pair[words] : inst->operand[1];
		struct hc_case *at = NULL;

		/* Values that lead to one block share its case. */
		for (j = 0; j < node->case_count && !at; j++)
			if (node->cases[j].label == label)
				at = &node->cases[j];
		if (!at) {
			at = &node->cases[node->case_count++];
			at->label = label;
			at->literals = HC_NEW(b->m->hc, uint32_t, (size_t)words *(pairs + 1));
		}
		if (i)
			memcpy((uint32_t *)at->literals + at->literal_count++ * words, pair,
			       words * sizeof(*pair));
		else
			at->is_default = true;
	}
	for (i = 0; i < node->case_count; i++) {
		struct hc_case *at = &node->cases[i];
		bool inside = at->label != merge && !jump_scope(&scope, at->label);

		scope.own = i;
		if (inside)
			add_edge(b, &at->enter, node, block, at->label);
		build(b, &at->body, node, inside ? HC_NONE : block, at->label, merge, &scope);
	}
	node->order = case_order(b, node);
}

static void build_loop(struct builder *b, struct hc_list *list, struct hc_node *parent,
		       uint32_t block, const struct scope *outer)
{
	struct hc_block *header = &b->m->blocks[block];
	struct hc_node *node = new_node(b, HC_NODE_LOOP, parent);
	struct scope scope = {
		.outer = outer,
		.node = node,
		.merge = header->merge,
		.proceed = header->proceed,
	};

	node->block = block;
	append(list, node);
	build(b, &node->body[0], node, HC_NONE, header->label, 0, &scope);
	if (header->proceed == header->label)
		return;
	/* The continue part may leave the loop, and ends by going back to the header. */
	scope.proceed = 0;
	build(b, &node->body[1], node, HC_NONE, header->proceed, header->label, &scope);
}

/*
 * Appends what runs from @label on until control reaches @stop or jumps. @from: the block that branches here, or
 * HC_NONE where the edge has been recorded by the jumps that lead here.
 */
static void build(struct builder *b, struct hc_list *list, struct hc_node *parent, uint32_t from,
		  uint32_t label, uint32_t stop, const struct scope *scope)
{
	struct hc_module *m = b->m;
	bool header_of_parent = from == HC_NONE && parent && parent->kind == HC_NODE_LOOP &&
				list == &parent->body[0];

	if (++b->depth > HC_MAX_DEPTH)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "control flow nested deeper than %u",
			 HC_MAX_DEPTH);
	for (;;) {
		const struct scope *jump;
		struct hc_node *node, *into;
		struct hc_block *block;
		const struct hc_inst *end;
		uint32_t number;

		if (label == stop) {
			if (from != HC_NONE)
				add_edge(b, list, parent, from, label);
			break;
		}
		jump = list->first || from != HC_NONE ? jump_scope(scope, label) : NULL;
		into = jump ? NULL : fallen_into(scope, label, &number);
		if (into) {
			node = new_node(b, HC_NODE_JUMP, parent);
			node->jump = HC_JUMP_FALL;
			node->target = into;
			node->target_case = number;
			node->from = from;
			node->to = block_of(b, label);
			append(list, node);
			break;
		}
		if (jump) {
			node = new_node(b, HC_NODE_JUMP, parent);
			node->jump = label == jump->merge ? HC_JUMP_BREAK : HC_JUMP_CONTINUE;
			node->target = jump->node;
			node->from = from; /* HC_NONE: the edges stand before */
			node->to = block_of(b, label);
			append(list, node);
			break;
		}
		if (from != HC_NONE)
			add_edge(b, list, parent, from, label);
		number = block_of(b, label);
		block = &m->blocks[number];
		if (block->proceed && !header_of_parent) {
			build_loop(b, list, parent, number, scope);
			from = HC_NONE;
			label = block->merge;
			continue;
		}
		header_of_parent = false;
		if (block->placed)
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
				 "block %u is reached in two ways that no merge joins: "
				 "unstructured control flow, or a switch case that falls through",
				 label);
		block->placed = true;
		node = new_node(b, HC_NODE_CODE, parent);
		node->block = number;
		node->first = block->first;
		node->end = block->last;
		append(list, node);
		end = &m->insts[block->last];
		from = number;
		switch (end->op) {
		case SpvOpBranch:
			label = end->operand[0];
			continue;
		case SpvOpBranchConditional:
			if (block->merge && !block->proceed) {
				build_if(b, list, parent, number, block->merge, scope);
				from = HC_NONE;
				label = block->merge;
				continue;
			}
			build_if(b, list, parent, number, stop, scope);
			break;
		case SpvOpSwitch:
			if (!block->merge)
				hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
					 "OpSwitch without a merge block");
			build_switch(b, list, parent, number, block->merge, scope);
			from = HC_NONE;
			label = block->merge;
			continue;
		case SpvOpReturn:
		case SpvOpUnreachable:
			append(list, new_node(b, HC_NODE_END, parent));
			break;
		default:
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "%s is not supported",
				 hc_op_name(end->op));
		}
		break;
	}
	b->depth--;
}

struct hc_list hc_structure(struct hc_module *m)
{
	struct builder b = { .m = m };
	struct hc_list list = { 0 };

	build(&b, &list, NULL, HC_NONE, m->blocks[0].label, 0, NULL);
	return list;
}
