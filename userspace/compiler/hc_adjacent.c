// SPDX-License-Identifier: MIT
/*
 * Loads of neighbouring elements. A shader that reads four words of a row one after the other, each invocation in a row of its
 * own, would gather four times; seen together they are one load of four words for each lane. Loads are together
 * if they stand in one block with nothing between that may write what they read, and their indices differ by constants.
 */
#include "hc_internal.h"

#include <spirv/unified1/spirv.h>

#define MAX_BYTES 16
#define MAX_OPEN  16

/* A group that may still grow. @base, @indices: of its first load's access chain; @root + constant is the last index. */
struct open {
	struct hc_adjacent *group;
	const struct hc_inst *chain;
	uint32_t root;
	uint32_t type;
	uint32_t bytes; /* of an element */
	int64_t low, high;
};

struct finder {
	struct hc_module *m;
	struct hc_shapes *shapes;
	struct hc_adjacent **groups; /* [instruction] */
	struct open open[MAX_OPEN];
	uint32_t open_count;
};

/* An index as another one plus a constant. */
static uint32_t split_index(struct hc_module *m, uint32_t id, int64_t *constant)
{
	uint32_t depth;

	*constant = 0;
	for (depth = 0; depth < HC_MAX_DEPTH && m->ids[id].kind == HC_ID_VALUE; depth++) {
		const struct hc_inst *inst = &m->insts[m->ids[id].index];
		uint32_t side;

		if (inst->op != SpvOpIAdd || hc_type(m, inst->type)->kind != HC_TYPE_INT ||
		    hc_type(m, inst->type)->width != 32)
			break;
		for (side = 0; side < 2; side++)
			if (m->ids[inst->operand[side]].kind == HC_ID_CONSTANT)
				break;
		if (side == 2)
			break;
		*constant += (int32_t)m->ids[inst->operand[side]].constant[0];
		id = inst->operand[1 - side];
	}
	return id;
}

/* The type that the chain's last index chooses from; NULL if that is nothing to look at. */
static struct hc_type *container(struct hc_module *m, const struct hc_inst *chain)
{
	struct hc_type *type = hc_type_of(m, chain->operand[0]);
	uint32_t i;

	if (chain->op != SpvOpAccessChain && chain->op != SpvOpInBoundsAccessChain)
		return NULL;
	type = hc_type(m, type->element);
	for (i = 1; i + 1 < chain->operands; i++)
		switch (type->kind) {
		case HC_TYPE_STRUCT:
			if (m->ids[chain->operand[i]].kind != HC_ID_CONSTANT ||
			    hc_constant_u32(m, chain->operand[i]) >= type->count)
				return NULL;
			type = hc_type(m, type->members[hc_constant_u32(m, chain->operand[i])]);
			break;
		case HC_TYPE_ARRAY:
			type = hc_type(m, type->element);
			break;
		default:
			return NULL;
		}
	return type;
}

static bool in_buffer(uint32_t storage_class)
{
	return storage_class == SpvStorageClassStorageBuffer ||
	       storage_class == SpvStorageClassUniform ||
	       storage_class == SpvStorageClassPhysicalStorageBuffer;
}

/* Two chains that may differ in the last index only. */
static bool same_array(const struct hc_inst *a, const struct hc_inst *b)
{
	uint32_t i;

	if (a->operands != b->operands)
		return false;
	for (i = 0; i + 1 < a->operands; i++)
		if (a->operand[i] != b->operand[i])
			return false;
	return true;
}

static void add_load(struct finder *f, uint32_t at)
{
	const struct hc_inst *inst = &f->m->insts[at];
	const struct hc_inst *chain = hc_access_chain(f->m, inst->operand[0]);
	struct hc_type *type = hc_type(f->m, inst->type), *array;
	struct hc_shape shape;
	struct open *open;
	uint32_t index, root, i;
	int64_t constant;

	if (!chain || chain->operands < 2 ||
	    (inst->operands > 1 && inst->operand[1] & SpvMemoryAccessVolatileMask) ||
	    (type->kind != HC_TYPE_INT && type->kind != HC_TYPE_FLOAT) ||
	    !in_buffer(hc_type_of(f->m, inst->operand[0])->storage_class))
		return;
	array = container(f->m, chain);
	if (!array || array->kind != HC_TYPE_ARRAY || array->stride != type->size)
		return;
	index = chain->operand[chain->operands - 1];
	if (f->m->ids[index].kind != HC_ID_VALUE)
		return;
	shape = hc_shape_of(f->shapes, index, 0);
	/* Lanes that read the same, or side by side, are served well as they are. */
	if (hc_is_scalar(shape) || (shape.kind == HC_AFFINE && shape.stride == 1))
		return;
	root = split_index(f->m, index, &constant);
	for (i = 0; i < f->open_count; i++) {
		int64_t low, high;

		open = &f->open[i];
		if (open->root != root || open->type != inst->type ||
		    !same_array(open->chain, chain))
			continue;
		low = constant < open->low ? constant : open->low;
		high = constant > open->high ? constant : open->high;
		if ((high - low + 1) * open->bytes > MAX_BYTES ||
		    open->group->count == HC_MAX_ADJACENT)
			continue;
		open->low = low;
		open->high = high;
		open->group->inst[open->group->count] = at;
		open->group->offset[open->group->count++] = constant;
		f->groups[at] = open->group;
		return;
	}
	if (f->open_count == MAX_OPEN)
		return;
	open = &f->open[f->open_count++];
	*open = (struct open){
		.chain = chain, .root = root, .type = inst->type, .bytes = (uint32_t)type->size
	};
	open->low = open->high = constant;
	open->group = HC_NEW(f->m->hc, struct hc_adjacent, 1);
	open->group->inst[0] = at;
	open->group->offset[0] = constant;
	open->group->count = 1;
	f->groups[at] = open->group;
}

static void look_at(struct finder *f, uint32_t at)
{
	const struct hc_inst *inst = &f->m->insts[at];

	if (inst->op == SpvOpLoad) {
		add_load(f, at);
		return;
	}
	/* Shared memory and variables are never in a buffer. */
	if (inst->op == SpvOpStore && !in_buffer(hc_type_of(f->m, inst->operand[0])->storage_class))
		return;
	if (!inst->result || hc_is_atomic(inst->op) || inst->op == SpvOpFunctionCall)
		f->open_count = 0;
}

static void find(struct finder *f, const struct hc_list *list)
{
	const struct hc_node *node;
	uint32_t i;

	for (node = list->first; node; node = node->next) {
		f->open_count = 0;
		for (i = node->first; node->kind == HC_NODE_CODE && i < node->end; i++)
			look_at(f, i);
		find(f, &node->body[0]);
		find(f, &node->body[1]);
		for (i = 0; i < node->case_count; i++)
			find(f, &node->cases[i].body);
	}
}

struct hc_adjacent **hc_adjacent(struct hc_module *m, struct hc_shapes *shapes,
				 struct hc_list *tree)
{
	struct finder f = { .m = m, .shapes = shapes };

	f.groups = HC_NEW(m->hc, struct hc_adjacent *, m->inst_count);
	find(&f, tree);
	return f.groups;
}
