// SPDX-License-Identifier: MIT
/*
 * Finds variables that always hold their initializer: arrays of constants that a shader indexes. One copy of theirs lies
 * among the code's constants, in place of one for each invocation.
 */
#include "hc_internal.h"

#include <spirv/unified1/spirv.h>

/* The variable that a pointer leads to, or 0. */
static uint32_t root_of(struct hc_module *m, uint32_t pointer)
{
	uint32_t depth;

	for (depth = 0; depth < HC_MAX_DEPTH && pointer < m->bound; depth++) {
		const struct hc_id *id = &m->ids[pointer];

		if (id->kind == HC_ID_VARIABLE)
			return pointer;
		if (id->kind != HC_ID_VALUE || (m->insts[id->index].op != SpvOpAccessChain &&
						m->insts[id->index].op != SpvOpInBoundsAccessChain))
			return 0;
		pointer = m->insts[id->index].operand[0];
	}
	return 0;
}

static bool is_initialization(struct hc_module *m, const struct hc_inst *inst)
{
	const struct hc_id *id = inst->op == SpvOpStore ? hc_id(m, inst->operand[0]) : NULL;

	return id && id->kind == HC_ID_VARIABLE && id->initializer &&
	       id->initializer == inst->operand[1];
}

void hc_find_tables(struct hc_module *m)
{
	uint32_t i, j, id;

	for (id = 0; id < m->bound; id++) {
		struct hc_id *entry = &m->ids[id];

		entry->is_table = entry->kind == HC_ID_VARIABLE && entry->initializer &&
				  (entry->storage_class == SpvStorageClassFunction ||
				   entry->storage_class == SpvStorageClassPrivate) &&
				  hc_id(m, entry->initializer)->kind == HC_ID_CONSTANT;
	}
	for (i = 0; i < m->inst_count; i++) {
		const struct hc_inst *inst = &m->insts[i];

		if (inst->op == SpvOpLoad || inst->op == SpvOpAccessChain ||
		    inst->op == SpvOpInBoundsAccessChain || is_initialization(m, inst))
			continue;
		/* Literals may look like ids; a wrong guess only costs a table. */
		for (j = 0; j < inst->operands; j++)
			if ((id = root_of(m, inst->operand[j])))
				m->ids[id].is_table = false;
	}
	for (i = 0; i < m->inst_count; i++)
		if (is_initialization(m, &m->insts[i]) && m->ids[m->insts[i].operand[0]].is_table)
			m->insts[i] =
				(struct hc_inst){ .op = SpvOpNop, .block = m->insts[i].block };
}
