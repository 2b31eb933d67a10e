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

static void build(struct builder *b, struct hc_list *list, struct hc_node *parent, uint32_t from,
		  uint32_t label, uint32_t stop, const struct scope *scope);

static void build_if(struct builder *b, struct hc_list *list, struct hc_node *parent, uint32_t block,
		     uint32_t stop, const struct scope *scope)
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
	for (i = 0; i <= pairs; i++) {
		const uint32_t *pair = inst->operand + 2 + (size_t)(i - 1) * (words + 1);
		uint32_t label = i ? pair[words] : inst->operand[1];
		struct hc_case *at = NULL;

		/* Values that lead to one block share its case. */
		for (j = 0; j < i && !at; j++) {
			const uint32_t *other = inst->operand + 2 + (size_t)(j - 1) * (words + 1);

			if ((j ? other[words] : inst->operand[1]) == label)
				at = &node->cases[j];
		}
		if (!at) {
			at = &node->cases[i];
			at->literals = HC_NEW(b->m->hc, uint32_t, (size_t)words * (pairs + 1));
			build(b, &at->body, node, block, label, merge, &scope);
		}
		if (i)
			memcpy((uint32_t *)at->literals + at->literal_count++ * words, pair,
			       words * sizeof(*pair));
		else
			at->is_default = true;
	}
	node->case_count = pairs + 1;
}

static void build_loop(struct builder *b, struct hc_list *list, struct hc_node *parent, uint32_t block,
		       const struct scope *outer)
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
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "control flow nested deeper than %u", HC_MAX_DEPTH);
	for (;;) {
		const struct scope *jump;
		struct hc_node *node;
		struct hc_block *block;
		const struct hc_inst *end;
		uint32_t number;

		if (label == stop) {
			if (from != HC_NONE)
				add_edge(b, list, parent, from, label);
			break;
		}
		jump = list->first || from != HC_NONE ? jump_scope(scope, label) : NULL;
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
				"block %u is reached in two ways that no merge joins: unstructured control flow, or a switch case that falls through",
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
				hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "OpSwitch without a merge block");
			build_switch(b, list, parent, number, block->merge, scope);
			from = HC_NONE;
			label = block->merge;
			continue;
		case SpvOpReturn:
		case SpvOpUnreachable:
			append(list, new_node(b, HC_NODE_END, parent));
			break;
		default:
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "%s is not supported", hc_op_name(end->op));
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
