// SPDX-License-Identifier: MIT
/*
 * Collects the buffers and the specialization constants of a SPIR-V module from its declarations. The module has not been
 * checked: every id is compared with the bound and every operand with its instruction's length.
 */
#include "spirv_interface.h"

#include <stdlib.h>
#include <spirv/unified1/spirv.h>

#define HEADER_WORDS 5
#define MAX_BOUND    (1u << 20)

enum {
	HAS_SPEC_ID = 1 << 0,
	HAS_SET = 1 << 1,
	HAS_BINDING = 1 << 2,
	IS_BUFFER_BLOCK = 1 << 3,
};

/* What is known of an id. @at: its declaration's word offset, 0 if it has none. */
struct fact {
	size_t at;
	uint32_t flags;
	uint32_t spec_id;
	uint32_t set;
	uint32_t binding;
};

struct reader {
	const uint32_t *words;
	size_t count;
	struct fact *facts;
	uint32_t bound;
	struct spirv_interface *out;
};

static uint32_t op_at(const struct reader *r, size_t at)
{
	return r->words[at] & 0xffff;
}

static uint32_t length_at(const struct reader *r, size_t at)
{
	return r->words[at] >> 16;
}

/* The declaration of @id if it is an @op (any, if 0) of at least @length words, else 0. */
static size_t declared(const struct reader *r, uint32_t id, uint32_t op, uint32_t length)
{
	size_t at = id < r->bound ? r->facts[id].at : 0;

	return at && (!op || op_at(r, at) == op) && length_at(r, at) >= length ? at : 0;
}

static void decorate(struct reader *r, const uint32_t *w, uint32_t length)
{
	struct fact *fact = w[1] < r->bound ? &r->facts[w[1]] : NULL;
	uint32_t value = length > 3 ? w[3] : 0;

	if (!fact)
		return;
	switch (w[2]) {
	case SpvDecorationSpecId:
		fact->flags |= HAS_SPEC_ID;
		fact->spec_id = value;
		break;
	case SpvDecorationDescriptorSet:
		fact->flags |= HAS_SET;
		fact->set = value;
		break;
	case SpvDecorationBinding:
		fact->flags |= HAS_BINDING;
		fact->binding = value;
		break;
	case SpvDecorationBufferBlock:
		fact->flags |= IS_BUFFER_BLOCK;
		break;
	default:
		break;
	}
}

/* Where each id is declared, and what decorates it. */
static void collect(struct reader *r)
{
	size_t at;

	for (at = HEADER_WORDS; at < r->count; at += length_at(r, at)) {
		const uint32_t *w = r->words + at;
		uint32_t length = length_at(r, at), id = 0;

		if (!length || length > r->count - at)
			return;
		switch (op_at(r, at)) {
		case SpvOpDecorate:
			if (length >= 3)
				decorate(r, w, length);
			break;
		case SpvOpTypeBool:
		case SpvOpTypeInt:
		case SpvOpTypeFloat:
		case SpvOpTypeArray:
		case SpvOpTypeStruct:
		case SpvOpTypePointer:
			id = length >= 2 ? w[1] : 0;
			break;
		case SpvOpConstant:
		case SpvOpSpecConstant:
		case SpvOpSpecConstantTrue:
		case SpvOpSpecConstantFalse:
		case SpvOpVariable:
			id = length >= 3 ? w[2] : 0;
			break;
		default:
			break;
		}
		if (id && id < r->bound)
			r->facts[id].at = at;
	}
}

static void add_constant(struct reader *r, uint32_t id)
{
	const uint32_t *w = r->words + r->facts[id].at;
	struct spirv_constant constant = { .id = r->facts[id].spec_id };
	size_t type = declared(r, w[1], 0, 2);

	switch (op_at(r, r->facts[id].at)) {
	case SpvOpSpecConstantTrue:
	case SpvOpSpecConstantFalse:
		constant.is_bool = true;
		constant.bits = 1;
		break;
	case SpvOpSpecConstant:
		if (!type || length_at(r, type) < 3)
			return;
		constant.is_float = op_at(r, type) == SpvOpTypeFloat;
		constant.bits = r->words[type + 2];
		break;
	default:
		return;
	}
	r->out->constants[r->out->constant_count++] = constant;
}

static void add_binding(struct reader *r, uint32_t id)
{
	const struct fact *fact = &r->facts[id];
	size_t variable = declared(r, id, SpvOpVariable, 4), pointer, type, length;
	struct hc_binding binding = { .set = fact->set, .binding = fact->binding, .count = 1 };
	uint32_t class, element;

	pointer = variable ? declared(r, r->words[variable + 1], SpvOpTypePointer, 4) : 0;
	if (!pointer)
		return;
	class = r->words[variable + 3];
	if (class != SpvStorageClassUniform && class != SpvStorageClassStorageBuffer &&
	    class != SpvStorageClassUniformConstant)
		return;
	element = r->words[pointer + 3];
	type = declared(r, element, SpvOpTypeArray, 4);
	if (type) {
		length = declared(r, r->words[type + 3], 0, 4);
		element = r->words[type + 2];
		if (length &&
		    (op_at(r, length) == SpvOpConstant || op_at(r, length) == SpvOpSpecConstant) &&
		    r->words[length + 3])
			binding.count = r->words[length + 3];
	}
	binding.kind = HC_BINDING_UNIFORM_BUFFER;
	if (class == SpvStorageClassStorageBuffer ||
	    (element < r->bound && r->facts[element].flags & IS_BUFFER_BLOCK))
		binding.kind = HC_BINDING_STORAGE_BUFFER;
	if (class == SpvStorageClassUniformConstant)
		binding.kind = declared(r, element, SpvOpTypeSampler, 2) ? HC_BINDING_SAMPLER
									 : HC_BINDING_IMAGE;
	r->out->bindings[r->out->binding_count++] = binding;
}

static int by_number(const void *a, const void *b)
{
	const struct hc_binding *x = a, *y = b;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	return x->binding < y->binding ? -1 : x->binding > y->binding;
}

/* Slots that all elements of a binding take. */
static uint32_t slots_of(const struct hc_binding *binding)
{
	return binding->count * (binding->kind == HC_BINDING_IMAGE ? 5 : 1);
}

/* Variables that share a binding see the same descriptors; a sampler may be half of an image's. */
static void give_slots(struct spirv_interface *out)
{
	struct hc_binding *last = NULL;
	uint32_t i, kept = 0, slot = 0;

	if (!out->binding_count)
		return;
	qsort(out->bindings, out->binding_count, sizeof(*out->bindings), by_number);
	for (i = 0; i < out->binding_count; i++) {
		struct hc_binding *at = &out->bindings[i];

		if (last && !by_number(last, at)) {
			slot -= slots_of(last);
			if (at->count > last->count)
				last->count = at->count;
			if (at->kind == HC_BINDING_IMAGE)
				last->kind = HC_BINDING_IMAGE;
			slot += slots_of(last);
			continue;
		}
		if (!last || last->set != at->set)
			slot = 0;
		at->slot = slot;
		slot += slots_of(at);
		out->bindings[kept] = *at;
		last = &out->bindings[kept++];
	}
	out->binding_count = kept;
}

bool spirv_interface_read(struct spirv_interface *out, const uint32_t *words, size_t count)
{
	struct reader r = { .words = words, .count = count, .out = out };
	uint32_t id;

	*out = (struct spirv_interface){ 0 };
	if (count < HEADER_WORDS || words[0] != SpvMagicNumber || words[3] > MAX_BOUND)
		return true;
	r.bound = words[3];
	r.facts = calloc(r.bound + 1u, sizeof(*r.facts));
	out->bindings = calloc(r.bound + 1u, sizeof(*out->bindings));
	out->constants = calloc(r.bound + 1u, sizeof(*out->constants));
	if (!r.facts || !out->bindings || !out->constants) {
		free(r.facts);
		spirv_interface_free(out);
		return false;
	}
	collect(&r);
	for (id = 0; id < r.bound; id++) {
		if (!r.facts[id].at)
			continue;
		if (r.facts[id].flags & HAS_SPEC_ID)
			add_constant(&r, id);
		if ((r.facts[id].flags & (HAS_SET | HAS_BINDING)) == (HAS_SET | HAS_BINDING))
			add_binding(&r, id);
	}
	give_slots(out);
	free(r.facts);
	return true;
}

void spirv_interface_free(struct spirv_interface *interface)
{
	free(interface->bindings);
	free(interface->constants);
	*interface = (struct spirv_interface){ 0 };
}
