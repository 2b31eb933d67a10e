// SPDX-License-Identifier: MIT
/*
 * Images and samplers are no values: they cannot be stored, chosen between or computed with. This follows those that instructions
 * name back to the variable (or the element of an array of them) that they were loaded from.
 */
#include "hc_internal.h"

#include <spirv/unified1/spirv.h>

bool hc_is_image_op(uint32_t op)
{
	return op >= SpvOpSampledImage && op <= SpvOpImageQuerySamples;
}

bool hc_is_opaque(struct hc_module *m, uint32_t id)
{
	const struct hc_id *entry = id < m->bound ? &m->ids[id] : NULL;
	const struct hc_type *type;

	if (!entry || entry->kind != HC_ID_VALUE || entry->type >= m->bound)
		return false;
	type = m->ids[entry->type].as_type;
	return type && (type->kind == HC_TYPE_IMAGE || type->kind == HC_TYPE_SAMPLER);
}

uint32_t hc_image_pointer(struct hc_module *m, uint32_t id, bool sampler)
{
	const struct hc_inst *inst = NULL;
	uint32_t depth;

	for (depth = 0; depth < HC_MAX_DEPTH && hc_is_opaque(m, id); depth++) {
		inst = &m->insts[m->ids[id].index];
		switch (inst->op) {
		case SpvOpLoad:
			return inst->operand[0];
		case SpvOpSampledImage:
			id = inst->operand[sampler ? 1 : 0];
			break;
		case SpvOpImage:
		case SpvOpCopyObject:
			id = inst->operand[0];
			break;
		default:
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
				 "an image made by %s is not supported", hc_op_name(inst->op));
		}
	}
	hc_abort(m->hc, HC_ERROR_INVALID_SPIRV, "id %u is no image that was loaded", id);
}
