// SPDX-License-Identifier: MIT
/*
 * Cuts the tree at barriers. Between two barriers the subgroups of a work-group run one after another, in a loop around
 * the region; control flow that has barriers inside runs once for the whole group, outside those loops. Values that
 * cross from one region into another must be kept for each subgroup.
 */
#include "hc_internal.h"

#include <string.h>
#include <spirv/unified1/spirv.h>

struct cutter {
	struct hc_module *m;
	struct hc_shapes *shapes;
	struct hc_regions *out;
	uint32_t current; /* region being filled; 0: none */
	uint32_t loops;	  /* loops at group level around */
	bool changed;
};

/* ---- What instructions read ---- */

static void visit_pointer(struct hc_module *m, uint32_t pointer,
			  void (*visit)(void *context, uint32_t id), void *context)
{
	uint32_t i, depth;

	for (depth = 0; depth < HC_MAX_DEPTH; depth++) {
		const struct hc_inst *inst = hc_access_chain(m, pointer);
		const struct hc_id *id = hc_id(m, pointer);

		if (!inst && id->kind == HC_ID_VALUE &&
		    m->insts[id->index].op == SpvOpImageTexelPointer)
			inst = &m->insts[id->index];
		if (!inst) {
			visit(context, pointer);
			return;
		}
		for (i = 1; i < inst->operands; i++)
			visit(context, inst->operand[i]);
		pointer = inst->operand[0];
	}
}

void hc_for_each_use(struct hc_module *m, const struct hc_inst *inst,
		     void (*visit)(void *context, uint32_t id), void *context)
{
	uint32_t i, first = 0, count = inst->operands;

	switch (inst->op) {
	case SpvOpAccessChain:
	case SpvOpInBoundsAccessChain:
	case SpvOpPtrAccessChain:
	case SpvOpInBoundsPtrAccessChain:
		/* Computed where the memory is accessed, but for addresses. */
		if (hc_is_address(m, inst->result))
			visit_pointer(m, inst->result, visit, context);
		return;
	case SpvOpPhi:
		/* The edges set phis. */
		return;
	case SpvOpImageTexelPointer:
	case SpvOpSampledImage:
	case SpvOpImage:
		/* Followed back from where they are used. */
		return;
	case SpvOpBranch:
	case SpvOpReturn:
	case SpvOpUnreachable:
		return;
	case SpvOpBranchConditional:
	case SpvOpSwitch:
		count = 1;
		break;
	case SpvOpExtInst:
		first = 2;
		break;
	case SpvOpCompositeExtract:
		count = 1;
		break;
	case SpvOpCompositeInsert:
	case SpvOpVectorShuffle:
		count = 2;
		break;
	default:
		break;
	}
	for (i = first; i < count && i < inst->operands; i++) {
		struct hc_id *id = inst->operand[i] < m->bound ? &m->ids[inst->operand[i]] : NULL;

		/* Literals look like ids; a wrong guess only keeps a value longer than needed. */
		if (!id)
			continue;
		if (hc_is_opaque(m, inst->operand[i])) {
			if (hc_type_of(m, inst->operand[i])->kind == HC_TYPE_IMAGE)
				visit_pointer(m, hc_image_pointer(m, inst->operand[i], false),
					      visit, context);
			visit_pointer(m, hc_image_pointer(m, inst->operand[i], true), visit,
				      context);
		}
		if (id->kind == HC_ID_VARIABLE ||
		    (id->kind == HC_ID_VALUE && id->type < m->bound && m->ids[id->type].as_type &&
		     m->ids[id->type].as_type->kind == HC_TYPE_POINTER))
			visit_pointer(m, inst->operand[i], visit, context);
		else if (id->kind == HC_ID_VALUE)
			visit(context, inst->operand[i]);
		if (hc_is_address(m, inst->operand[i]))
			visit_pointer(m, inst->operand[i], visit, context);
	}
}

/* ---- Group level ---- */

static bool is_group_barrier(struct cutter *c, const struct hc_inst *inst)
{
	return inst->op == SpvOpControlBarrier && c->m->hc->subgroups > 1 &&
	       hc_constant_u32(c->m, inst->operand[0]) != SpvScopeSubgroup;
}

/* Splits code at barriers, and finds what holds one. */
static bool find_barriers(struct cutter *c, struct hc_list *list)
{
	struct hc_node *node, *rest, *barrier;
	bool found = false;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		bool inside = false;

		if (node->kind == HC_NODE_CODE) {
			for (i = node->first; i < node->end; i++) {
				if (!is_group_barrier(c, &c->m->insts[i]))
					continue;
				barrier = HC_NEW(c->m->hc, struct hc_node, 1);
				rest = HC_NEW(c->m->hc, struct hc_node, 1);
				*rest = *node;
				rest->first = i + 1;
				barrier->kind = HC_NODE_BARRIER;
				barrier->parent = node->parent;
				barrier->next = rest;
				node->end = i;
				node->next = barrier;
				if (list->last == node)
					list->last = rest;
				inside = true;
				break;
			}
		} else {
			inside |= node->kind == HC_NODE_BARRIER;
			inside |= find_barriers(c, &node->body[0]);
			inside |= find_barriers(c, &node->body[1]);
			for (i = 0; i < node->case_count; i++)
				inside |= find_barriers(c, &node->cases[i].body);
			node->group_level = inside && node->kind != HC_NODE_BARRIER;
		}
		found |= inside;
	}
	return found;
}

/* Leaving something at group level happens at group level, if all leave it together. */
static void raise_jumps(struct cutter *c, struct hc_list *list)
{
	struct hc_node *node, *at;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_JUMP && node->target->group_level && !hc_is_apart(node)) {
			for (at = node->parent; at && at != node->target; at = at->parent) {
				c->changed |= !at->group_level;
				at->group_level = true;
			}
		}
		raise_jumps(c, &node->body[0]);
		raise_jumps(c, &node->body[1]);
		for (i = 0; i < node->case_count; i++)
			raise_jumps(c, &node->cases[i].body);
	}
}

/* ---- Numbers ---- */

static void number(struct cutter *c, struct hc_list *list, bool group_level);

static void number_bodies(struct cutter *c, struct hc_node *node, bool group_level)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		if (group_level)
			c->current = 0;
		number(c, &node->body[i], group_level);
	}
	for (i = 0; i < node->case_count; i++) {
		if (group_level)
			c->current = 0;
		number(c, &node->cases[i].enter, group_level);
		if (group_level)
			c->current = 0;
		number(c, &node->cases[i].body, group_level);
	}
	if (group_level)
		c->current = 0;
}

static void number(struct cutter *c, struct hc_list *list, bool group_level)
{
	struct hc_node *node;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_BARRIER) {
			c->current = 0;
			continue;
		}
		if (node->group_level) {
			number_bodies(c, node, true);
			continue;
		}
		if (!c->current)
			c->current = ++c->out->count;
		node->region = c->current;
		number_bodies(c, node, false);
	}
	(void)group_level;
}

static void add(struct cutter *c, struct hc_id_list *list, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < list->count; i++)
		if (list->ids[i] == id)
			return;
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 16;
		uint32_t *ids = HC_NEW(c->m->hc, uint32_t, capacity);

		if (list->count)
			memcpy(ids, list->ids, list->count * sizeof(*ids));
		list->ids = ids;
		list->capacity = capacity;
	}
	list->ids[list->count++] = id;
}

/* ---- Crossing values ---- */

struct use {
	struct cutter *c;
	uint32_t region;
	uint32_t block;
};

static bool is_local_memory(const struct hc_id *id)
{
	return id->kind == HC_ID_VARIABLE && !id->is_table &&
	       (id->storage_class == SpvStorageClassFunction ||
		id->storage_class == SpvStorageClassPrivate);
}

static void note_use(void *context, uint32_t id)
{
	struct use *use = context;
	struct hc_regions *out = use->c->out;
	struct hc_id *entry = hc_id(use->c->m, id);

	if (is_local_memory(entry)) {
		/* Lasts from one access to the next, also around a loop at group level. */
		if (!out->home[id])
			out->home[id] = use->region;
		if (out->home[id] != use->region || use->c->loops)
			out->crosses[id] = true;
		add(use->c, &out->reads[use->region], id);
		add(use->c, &out->writes[use->region], id);
		return;
	}
	if (entry->kind != HC_ID_VALUE || !use->c->shapes->leaf[id])
		return;
	if (use->c->m->insts[entry->index].block != use->block)
		out->spills[id] = true;
	if (out->home[id] != use->region) {
		out->crosses[id] = true;
		out->spills[id] = true;
		add(use->c, &out->reads[use->region], id);
	}
}

static void find_homes(struct cutter *c, struct hc_list *list)
{
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		for (i = node->first; node->kind == HC_NODE_CODE && i < node->end; i++)
			if (c->m->insts[i].result)
				c->out->home[c->m->insts[i].result] = node->region;
		find_homes(c, &node->body[0]);
		find_homes(c, &node->body[1]);
		for (i = 0; i < node->case_count; i++)
			find_homes(c, &node->cases[i].body);
	}
}

/* The phis of block @to get their values on the edge from @from. */
static void note_edge(struct cutter *c, const struct hc_node *edge)
{
	struct use use = { .c = c, .region = edge->region, .block = edge->from };
	uint32_t i, j;

	if (edge->from == HC_NONE)
		return;
	/* From a branch straight to where its ways meet: the other way's code may stand between. */
	if (edge->parent && edge->parent->kind != HC_NODE_LOOP && edge->parent->block == edge->from)
		use.block = HC_NONE;
	for (i = c->m->blocks[edge->to].first; c->m->insts[i].op == SpvOpPhi; i++) {
		const struct hc_inst *phi = &c->m->insts[i];

		c->out->spills[phi->result] = true;
		for (j = 0; j + 1 < phi->operands; j += 2)
			if (phi->operand[j + 1] == c->m->blocks[edge->from].label)
				note_use(&use, phi->operand[j]);
		if (c->out->home[phi->result] != edge->region) {
			c->out->crosses[phi->result] = true;
			add(c, &c->out->writes[edge->region], phi->result);
			/* Lanes that are off keep what they had. */
			add(c, &c->out->reads[edge->region], phi->result);
			add(c, &c->out->reads[c->out->home[phi->result]], phi->result);
		}
	}
}

static void find_uses(struct cutter *c, struct hc_list *list)
{
	struct use use = { .c = c };
	struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		bool loop = node->group_level && node->kind == HC_NODE_LOOP;

		use.region = node->region;
		use.block = node->block;
		switch (node->kind) {
		case HC_NODE_CODE:
			for (i = node->first; i < node->end; i++)
				hc_for_each_use(c->m, &c->m->insts[i], note_use, &use);
			break;
		case HC_NODE_IF:
		case HC_NODE_SWITCH:
			/* At group level the condition is read outside all regions. */
			if (node->condition)
				note_use(&use, node->condition);
			break;
		case HC_NODE_EDGE:
		case HC_NODE_JUMP:
			note_edge(c, node);
			break;
		default:
			break;
		}
		c->loops += loop;
		find_uses(c, &node->body[0]);
		find_uses(c, &node->body[1]);
		c->loops -= loop;
		for (i = 0; i < node->case_count; i++) {
			find_uses(c, &node->cases[i].enter);
			find_uses(c, &node->cases[i].body);
		}
	}
}

struct hc_regions *hc_region(struct hc_module *m, struct hc_shapes *shapes, struct hc_list *tree)
{
	struct hc_regions *out = HC_NEW(m->hc, struct hc_regions, 1);
	struct cutter c = { .m = m, .shapes = shapes, .out = out };
	uint32_t id;

	find_barriers(&c, tree);
	hc_part_tails(m, tree);
	hc_part_others(m, tree);
	do {
		c.changed = false;
		raise_jumps(&c, tree);
	} while (c.changed);
	number(&c, tree, true);
	out->home = HC_NEW(m->hc, uint32_t, m->bound);
	out->crosses = HC_NEW(m->hc, bool, m->bound);
	out->spills = HC_NEW(m->hc, bool, m->bound);
	out->reads = HC_NEW(m->hc, struct hc_id_list, out->count + 1);
	out->writes = HC_NEW(m->hc, struct hc_id_list, out->count + 1);
	find_homes(&c, tree);
	find_uses(&c, tree);
	for (id = 0; id < m->bound; id++)
		if (out->crosses[id] && out->home[id])
			add(&c, &out->writes[out->home[id]], id);
	hc_share_matrices(m, out);
	return out;
}
