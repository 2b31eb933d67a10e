// SPDX-License-Identifier: MIT
/*
 * Loops with more sums than registers. A tile of a matrix product adds to sixteen vectors or more in its inner loop; where
 * they and what they are made of do not fit the vector registers, every round stores and loads some of them. Sums that do
 * not depend on each other can as well be computed in turns: the loop runs once for each part of them, with all that
 * counts the rounds and none of the other parts' work.
 *
 * Only innermost loops without inner phis that write to no memory are taken, and only where what several parts compute
 * costs less than the registers save.
 */
#include "hc_internal.h"

#include <string.h>
#include <spirv/unified1/GLSL.std.450.h>
#include <spirv/unified1/spirv.h>

#define MAX_PHIS  256
#define MAX_PARTS 31

/* A set of the phis of a loop's header. */
struct set {
	uint64_t word[MAX_PHIS / 64];
};

struct partition {
	struct hc_module *m;
	struct hc_shapes *shapes;
	uint32_t *need;	     /* [id]: bits of the parts that need it; 0 outside partitioned loops */
	struct set *depends; /* [id]: the header's phis that it is computed from */
	bool *inside;	     /* [block]: of the loop at hand */
	uint32_t *insts;     /* of the loop at hand, in order */

	/* The loop at hand. */
	struct hc_node *loop;
	const struct hc_inst *phis;
	uint32_t phi_count;
	uint32_t inst_count;
	struct set control; /* phis that every part needs */
	bool simple;

	struct set *into; /* where unite_use() adds */
	uint32_t bits;	  /* what need_use() adds */
};

static bool has(const struct set *set, uint32_t i)
{
	return set->word[i / 64] >> (i % 64) & 1;
}

static void put(struct set *set, uint32_t i)
{
	set->word[i / 64] |= 1ull << (i % 64);
}

static void unite(struct set *set, const struct set *other)
{
	uint32_t i;

	for (i = 0; i < MAX_PHIS / 64; i++)
		set->word[i] |= other->word[i];
}

static bool same(const struct set *a, const struct set *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* ---- What the loop is made of ---- */

/* May it run several times, or not at all? */
static bool is_pure(struct hc_module *m, const struct hc_inst *inst)
{
	switch (inst->op) {
	case SpvOpSelectionMerge:
	case SpvOpLoopMerge:
	case SpvOpNop:
	case SpvOpLine:
	case SpvOpNoLine:
		return true;
	case SpvOpLoad:
		return !hc_is_matrix(m, inst->result) &&
		       (inst->operands < 2 || !(inst->operand[1] & SpvMemoryAccessVolatileMask));
	case SpvOpExtInst:
		return inst->operand[0] == m->glsl && inst->operand[1] != GLSLstd450Modf &&
		       inst->operand[1] != GLSLstd450Frexp;
	case SpvOpFunctionCall:
		return false;
	default:
		return inst->result && !hc_is_atomic(inst->op) && !hc_is_image_op(inst->op) &&
		       !hc_is_matrix(m, inst->result) &&
		       hc_type(m, inst->type)->kind != HC_TYPE_VOID;
	}
}

static void collect(struct partition *p, const struct hc_list *list)
{
	const struct hc_node *node;
	uint32_t i;

	for (node = list->first; node && p->simple; node = node->next) {
		switch (node->kind) {
		case HC_NODE_CODE:
			p->inside[node->block] = true;
			for (i = node->first; i < node->end && p->simple; i++) {
				const struct hc_inst *inst = &p->m->insts[i];

				p->simple = is_pure(p->m, inst) &&
					    (inst->op != SpvOpPhi || node->block == p->loop->block);
				if (inst->op != SpvOpPhi)
					p->insts[p->inst_count++] = i;
			}
			break;
		case HC_NODE_IF:
			p->simple = !node->divergent;
			collect(p, &node->body[0]);
			collect(p, &node->body[1]);
			break;
		case HC_NODE_EDGE:
			break;
		case HC_NODE_JUMP:
			p->simple &= node->target == p->loop;
			/* A phi behind the loop would want the value of every part. */
			if (node->jump == HC_JUMP_BREAK)
				p->simple &=
					p->m->insts[p->m->blocks[node->to].first].op != SpvOpPhi;
			break;
		default:
			p->simple = false;
			break;
		}
	}
}

static void refuse_use(void *context, uint32_t id)
{
	struct partition *p = context;
	const struct hc_id *entry = &p->m->ids[id];
	const struct hc_inst *inst = &p->m->insts[entry->index];

	if (entry->kind == HC_ID_VALUE && p->inside[inst->block] &&
	    (inst->op != SpvOpPhi || inst->block != p->loop->block))
		p->simple = false;
}

/* Behind the loop there are the phis of its header, each from its part, and nothing else. */
static void check_uses_outside(struct partition *p)
{
	uint32_t i, j;

	for (i = 0; i < p->m->inst_count && p->simple; i++) {
		const struct hc_inst *inst = &p->m->insts[i];

		if (p->inside[inst->block])
			continue;
		if (inst->op != SpvOpPhi)
			hc_for_each_use(p->m, inst, refuse_use, p);
		for (j = 0; inst->op == SpvOpPhi && j + 1 < inst->operands; j += 2)
			refuse_use(p, inst->operand[j]);
	}
}

/* Calls @visit for the values that @phi has after a round. */
static void visit_next(struct partition *p, const struct hc_inst *phi,
		       void (*visit)(void *context, uint32_t id))
{
	uint32_t j;

	for (j = 0; j + 1 < phi->operands; j += 2)
		if (p->inside[hc_id(p->m, phi->operand[j + 1])->index])
			visit(p, phi->operand[j]);
}

/* Calls @visit for the conditions of the loop's branches. */
static void visit_conditions(struct partition *p, const struct hc_list *list,
			     void (*visit)(void *context, uint32_t id))
{
	const struct hc_node *node;

	for (node = list->first; node; node = node->next) {
		if (node->kind == HC_NODE_IF)
			visit(p, node->condition);
		visit_conditions(p, &node->body[0], visit);
		visit_conditions(p, &node->body[1], visit);
	}
}

/* ---- Which sums there are ---- */

static void unite_use(void *context, uint32_t id)
{
	struct partition *p = context;

	unite(p->into, &p->depends[id]);
}

/* Which phis are computed from which; all but those that only their own next values need are control. */
static void find_control(struct partition *p)
{
	struct set *next = HC_NEW(p->m->hc, struct set, p->phi_count);
	struct set before;
	uint32_t i, j;

	for (i = 0; i < p->phi_count; i++)
		put(&p->depends[p->phis[i].result], i);
	for (i = 0; i < p->inst_count; i++) {
		const struct hc_inst *inst = &p->m->insts[p->insts[i]];

		if (!inst->result)
			continue;
		p->into = &p->depends[inst->result];
		hc_for_each_use(p->m, inst, unite_use, p);
	}
	for (i = 0; i < p->phi_count; i++) {
		p->into = &next[i];
		visit_next(p, &p->phis[i], unite_use);
	}
	memset(&p->control, 0, sizeof(p->control));
	p->into = &p->control;
	visit_conditions(p, &p->loop->body[0], unite_use);
	visit_conditions(p, &p->loop->body[1], unite_use);
	do {
		before = p->control;
		for (i = 0; i < p->phi_count; i++) {
			if (has(&p->control, i))
				unite(&p->control, &next[i]);
			for (j = 0; j < p->phi_count; j++)
				if (j != i && has(&next[i], j))
					put(&p->control, j);
		}
	} while (!same(&before, &p->control));
}

/* Vector registers that a value takes; also, about, vector instructions that make it. */
static uint32_t registers(const struct partition *p, uint32_t id)
{
	const struct hc *hc = p->m->hc;
	uint32_t leaf, leaves, count = 0;

	if (!id || !p->shapes->leaf[id])
		return 0;
	leaves = hc_type_of(p->m, id)->leaves;
	for (leaf = 0; leaf < leaves; leaf++) {
		uint64_t bits =
			hc_leaf_type(p->m, hc_type_of(p->m, id), leaf)->size * 8 * hc->lanes;

		if (hc_shape_of(p->shapes, id, leaf).kind == HC_VARYING)
			count += (uint32_t)((bits + hc->target->vector_bits - 1) /
					    hc->target->vector_bits);
	}
	return count;
}

static bool is_varying(const struct partition *p, uint32_t id)
{
	return p->m->ids[id].kind == HC_ID_VALUE && registers(p, id);
}

/* Instructions that it takes; a load whose lanes lie anywhere takes one a lane. */
static uint32_t cost(const struct partition *p, const struct hc_inst *inst)
{
	uint32_t i, depth, own = registers(p, inst->result);
	const struct hc_inst *chain;

	if (inst->op != SpvOpLoad)
		return own;
	chain = hc_access_chain(p->m, inst->operand[0]);
	for (depth = 0; chain && depth < HC_MAX_DEPTH; depth++) {
		for (i = 1; i < chain->operands; i++)
			if (is_varying(p, chain->operand[i]))
				return own * p->m->hc->lanes;
		chain = hc_access_chain(p->m, chain->operand[0]);
	}
	return own ? own : 1;
}

/* ---- Parts ---- */

static void need_use(void *context, uint32_t id)
{
	struct partition *p = context;
	const struct hc_id *entry = &p->m->ids[id];

	if (entry->kind == HC_ID_VALUE && p->inside[p->m->insts[entry->index].block])
		p->need[id] |= p->bits;
}

/* Deals the sums out in their order, so that neighbours, which often share operands, stay together. */
static void deal(struct partition *p, uint32_t parts, uint32_t total)
{
	uint32_t i, at = 0;

	for (i = 0; i < p->phi_count; i++) {
		uint32_t id = p->phis[i].result, own = registers(p, id);

		if (has(&p->control, i) || !own) {
			p->need[id] = HC_ALL_PARTS;
		} else {
			p->need[id] = 1u << ((uint64_t)at * parts / total);
			at += own;
		}
	}
	for (i = 0; i < p->phi_count; i++) {
		p->bits = p->need[p->phis[i].result];
		visit_next(p, &p->phis[i], need_use);
	}
	p->bits = HC_ALL_PARTS;
	visit_conditions(p, &p->loop->body[0], need_use);
	visit_conditions(p, &p->loop->body[1], need_use);
	for (i = p->inst_count; i-- > 0;) {
		const struct hc_inst *inst = &p->m->insts[p->insts[i]];

		p->bits = inst->result ? p->need[inst->result] : HC_ALL_PARTS;
		if (p->bits)
			hc_for_each_use(p->m, inst, need_use, p);
	}
}

/*
 * Is what several parts compute less than what the registers save? A sum that has no register is loaded and stored whenever
 * something is added to it.
 */
static bool pays(const struct partition *p, uint32_t parts, uint32_t total, uint32_t most)
{
	uint64_t repeated = 0, added = 0;
	uint32_t i, times;

	for (i = 0; i < p->inst_count; i++) {
		const struct hc_inst *inst = &p->m->insts[p->insts[i]];

		times = inst->result ? (uint32_t)__builtin_popcount(p->need[inst->result] &
								    ((1u << parts) - 1))
				     : 0;
		if (times > 1)
			repeated += (uint64_t)cost(p, inst) * (times - 1);
		else if (times)
			added += cost(p, inst);
	}
	return repeated <= 2 * added * (total - most) / total;
}

static void forget(struct partition *p)
{
	uint32_t i;

	for (i = 0; i < p->phi_count; i++)
		p->need[p->phis[i].result] = 0;
	for (i = 0; i < p->m->bound; i++)
		if (p->m->ids[i].kind == HC_ID_VALUE &&
		    p->inside[p->m->insts[p->m->ids[i].index].block])
			p->need[i] = 0;
}

static void try_loop(struct partition *p, struct hc_node *loop, const struct hc_node *before)
{
	/* Three quarters of the registers for sums leave some for what is added. */
	uint32_t registers_there = p->m->hc->target->vector_registers;
	uint32_t most = registers_there * 3 / 4, room = registers_there * 5 / 8;
	uint32_t total = 0, parts, i;

	if (loop->divergent || !before || before->kind != HC_NODE_EDGE ||
	    before->to != loop->block || before->from == HC_NONE)
		return;
	p->loop = loop;
	p->phis = &p->m->insts[p->m->blocks[loop->block].first];
	for (i = 0; p->phis[i].op == SpvOpPhi; i++)
		total += registers(p, p->phis[i].result);
	p->phi_count = i;
	if (total <= most || p->phi_count > MAX_PHIS)
		return;
	memset(p->inside, 0, p->m->block_count * sizeof(*p->inside));
	p->inst_count = 0;
	p->simple = true;
	collect(p, &loop->body[0]);
	collect(p, &loop->body[1]);
	if (p->simple)
		check_uses_outside(p);
	if (!p->simple)
		return;
	if (!p->depends)
		p->depends = HC_NEW(p->m->hc, struct set, p->m->bound);
	memset(p->depends, 0, p->m->bound * sizeof(*p->depends));
	find_control(p);
	total = 0;
	for (i = 0; i < p->phi_count; i++)
		if (!has(&p->control, i))
			total += registers(p, p->phis[i].result);
	/* Once there are parts, smaller ones leave room for the operands that they share. */
	parts = total <= most ? 1 : (total + room - 1) / room;
	if (parts < 2 || parts > MAX_PARTS)
		return;
	deal(p, parts, total);
	if (!pays(p, parts, total, most)) {
		forget(p);
		return;
	}
	loop->enter = before;
	loop->parts = parts;
}

static void find_loops(struct partition *p, struct hc_list *list)
{
	struct hc_node *node, *before = NULL;
	uint32_t i;

	for (node = list->first; node; before = node, node = node->next) {
		if (node->kind == HC_NODE_LOOP)
			try_loop(p, node, before);
		find_loops(p, &node->body[0]);
		find_loops(p, &node->body[1]);
		for (i = 0; i < node->case_count; i++)
			find_loops(p, &node->cases[i].body);
	}
}

uint32_t *hc_partition(struct hc_module *m, struct hc_shapes *shapes, struct hc_list *tree)
{
	struct partition p = { .m = m, .shapes = shapes };

	p.need = HC_NEW(m->hc, uint32_t, m->bound);
	p.inside = HC_NEW(m->hc, bool, m->block_count);
	p.insts = HC_NEW(m->hc, uint32_t, m->inst_count);
	find_loops(&p, tree);
	return p.need;
}
