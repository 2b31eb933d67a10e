// SPDX-License-Identifier: MIT
/*
 * Values during emission: forms by shape, variables for what outlives its block, slots for what crosses regions.
 */
#include "hc_emit.h"

#include <string.h>
#include <spirv/unified1/spirv.h>

#define SLOT_ALIGN  64u
#define CACHE_LINE  64u
#define MAX_SCRATCH (1ull << 30)

LLVMTypeRef hc_scalar_type(struct hc_emit *e, const struct hc_type *type)
{
	switch (type->kind) {
	case HC_TYPE_BOOL:
		return e->i1;
	case HC_TYPE_INT:
		return LLVMIntTypeInContext(e->context, type->width);
	case HC_TYPE_FLOAT:
		return type->width == 16 ? e->i16 : type->width == 32 ? e->f32 : e->f64;
	default:
		hc_abort(e->hc, HC_ERROR_INTERNAL, "a scalar was expected");
	}
}

LLVMTypeRef hc_vector_of(struct hc_emit *e, LLVMTypeRef scalar)
{
	return LLVMVectorType(scalar, e->lanes);
}

bool hc_is_vector(LLVMValueRef value)
{
	return LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMVectorTypeKind;
}

LLVMValueRef hc_splat(struct hc_emit *e, LLVMValueRef scalar)
{
	LLVMTypeRef vector = hc_vector_of(e, LLVMTypeOf(scalar));
	LLVMValueRef zero = LLVMConstInt(e->i32, 0, false), one;

	if (LLVMIsConstant(scalar)) {
		LLVMValueRef all[64];
		uint32_t i;

		for (i = 0; i < e->lanes; i++)
			all[i] = scalar;
		return LLVMConstVector(all, e->lanes);
	}
	one = LLVMBuildInsertElement(e->b, LLVMGetPoison(vector), scalar, zero, "");
	return LLVMBuildShuffleVector(e->b, one, LLVMGetPoison(vector),
				      LLVMConstNull(hc_vector_of(e, e->i32)), "");
}

LLVMValueRef hc_int(struct hc_emit *e, LLVMTypeRef type, uint64_t value)
{
	if (LLVMGetTypeKind(type) == LLVMVectorTypeKind)
		return hc_splat(e, LLVMConstInt(LLVMGetElementType(type), value, false));
	return LLVMConstInt(type, value, false);
}

LLVMValueRef hc_intrinsic(struct hc_emit *e, const char *name, LLVMTypeRef *types,
			  unsigned int type_count, LLVMValueRef *args, unsigned int arg_count)
{
	unsigned int id = LLVMLookupIntrinsicID(name, strlen(name));
	LLVMValueRef function;

	if (!id)
		hc_abort(e->hc, HC_ERROR_INTERNAL, "LLVM does not know %s", name);
	function = LLVMGetIntrinsicDeclaration(e->module, id, types, type_count);
	return LLVMBuildCall2(e->b, LLVMGlobalGetValueType(function), function, args, arg_count,
			      "");
}

LLVMValueRef hc_call1(struct hc_emit *e, const char *name, LLVMValueRef x)
{
	LLVMTypeRef type = LLVMTypeOf(x);

	return hc_intrinsic(e, name, &type, 1, &x, 1);
}

LLVMValueRef hc_call2(struct hc_emit *e, const char *name, LLVMValueRef x, LLVMValueRef y)
{
	LLVMValueRef args[] = { x, y };
	LLVMTypeRef type = LLVMTypeOf(x);

	return hc_intrinsic(e, name, &type, 1, args, 2);
}

LLVMValueRef hc_call3(struct hc_emit *e, const char *name, LLVMValueRef x, LLVMValueRef y,
		      LLVMValueRef z)
{
	LLVMValueRef args[] = { x, y, z };
	LLVMTypeRef type = LLVMTypeOf(x);

	return hc_intrinsic(e, name, &type, 1, args, 3);
}

LLVMValueRef hc_shuffle(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y, const uint32_t *lanes,
			uint32_t count)
{
	LLVMValueRef index[256];
	uint32_t i;

	for (i = 0; i < count; i++)
		index[i] = LLVMConstInt(e->i32, lanes[i], false);
	return LLVMBuildShuffleVector(e->b, x, y, LLVMConstVector(index, count), "");
}

LLVMValueRef hc_local(struct hc_emit *e, LLVMTypeRef type, const char *name)
{
	return LLVMBuildAlloca(e->entry, type, name);
}

/* ---- Masks ---- */

LLVMValueRef hc_exec(struct hc_emit *e)
{
	return LLVMBuildLoad2(e->b, e->mask, e->exec, "exec");
}

LLVMValueRef hc_mask_bits(struct hc_emit *e, LLVMValueRef mask)
{
	return LLVMBuildBitCast(e->b, mask, LLVMIntTypeInContext(e->context, e->lanes), "bits");
}

LLVMValueRef hc_any(struct hc_emit *e, LLVMValueRef mask)
{
	LLVMValueRef bits = hc_mask_bits(e, mask);

	return LLVMBuildICmp(e->b, LLVMIntNE, bits, LLVMConstNull(LLVMTypeOf(bits)), "any");
}

LLVMValueRef hc_first_lane(struct hc_emit *e)
{
	LLVMValueRef bits = hc_mask_bits(e, hc_exec(e)), first;
	LLVMTypeRef type = LLVMTypeOf(bits);
	LLVMValueRef args[] = { bits, LLVMConstInt(e->i1, 1, false) };

	first = hc_intrinsic(e, "llvm.cttz", &type, 1, args, 2);
	return LLVMBuildZExtOrBitCast(e->b, first, e->i32, "first");
}

/* ---- Forms ---- */

struct hc_shape hc_leaf_shape(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	struct hc_shape shape = hc_shape_of(e->shapes, id, leaf);

	/* Never reached: dead code may be anything. */
	if (!shape.known)
		shape = (struct hc_shape){ .kind = HC_VARYING, .known = true };
	return shape;
}

bool hc_is_varying(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	return hc_leaf_shape(e, id, leaf).kind == HC_VARYING;
}

static LLVMTypeRef form_type(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	LLVMTypeRef scalar = hc_scalar_type(e, hc_leaf_type(e->m, hc_type_of(e->m, id), leaf));

	return hc_is_varying(e, id, leaf) ? hc_vector_of(e, scalar) : scalar;
}

static LLVMValueRef *leaves_of(struct hc_emit *e, LLVMValueRef **table, uint32_t id)
{
	uint32_t leaves = hc_type_of(e->m, id)->leaves;

	if (!table[id])
		table[id] = HC_NEW(e->hc, LLVMValueRef, leaves ? leaves : 1);
	return table[id];
}

static LLVMValueRef leaf_slot(struct hc_emit *e, uint32_t id, uint32_t leaf, LLVMValueRef subgroup);

static uint64_t matrix_bytes(struct hc_emit *e, uint32_t id)
{
	const struct hc_type *type = hc_type_of(e->m, id);

	return (uint64_t)type->rows * type->columns * hc_type(e->m, type->element)->size;
}

/* A matrix that is constant, in the image's constants. */
static LLVMValueRef constant_image(struct hc_emit *e, uint32_t id)
{
	const struct hc_type *type = hc_type_of(e->m, id);
	uint64_t size = hc_type(e->m, type->element)->size, i, bytes = matrix_bytes(e, id);
	uint8_t *data = HC_NEW(e->hc, uint8_t, bytes);
	LLVMValueRef value;

	for (i = 0; i < bytes; i += size)
		memcpy(data + i, &hc_id(e->m, id)->constant[0], size);
	value = LLVMConstStringInContext2(e->context, (char *)data, bytes, true);
	e->memory[id] = LLVMAddGlobal(e->module, LLVMTypeOf(value), "matrix");
	LLVMSetInitializer(e->memory[id], value);
	LLVMSetGlobalConstant(e->memory[id], true);
	LLVMSetLinkage(e->memory[id], LLVMPrivateLinkage);
	LLVMSetAlignment(e->memory[id], SLOT_ALIGN);
	return e->memory[id];
}

LLVMValueRef hc_matrix_image(struct hc_emit *e, uint32_t id)
{
	bool is_constant = hc_id(e->m, id)->kind == HC_ID_CONSTANT;

	if (!is_constant)
		id = e->regions->image[id];
	if (!is_constant && e->regions->crosses[id])
		return leaf_slot(e, id, 0, e->subgroup);
	if (is_constant && !e->memory[id])
		return constant_image(e, id);
	if (!e->memory[id]) {
		e->memory[id] = hc_local(e, LLVMArrayType2(e->i8, matrix_bytes(e, id)), "matrix");
		LLVMSetAlignment(e->memory[id], SLOT_ALIGN);
	}
	return e->memory[id];
}

bool hc_matrix_in_place(struct hc_emit *e, uint32_t id, uint32_t other)
{
	return hc_is_matrix(e->m, id) && hc_is_matrix(e->m, other) &&
	       e->regions->image[id] == e->regions->image[other];
}

static LLVMValueRef variable(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	LLVMValueRef *leaves;

	if (hc_is_matrix(e->m, id)) {
		uint64_t size = hc_type_of(e->m, id)->align;
		LLVMValueRef offset = LLVMConstInt(e->i64, leaf * size * e->lanes, false);

		return LLVMBuildGEP2(e->b, e->i8, hc_matrix_image(e, id), &offset, 1, "");
	}
	leaves = leaves_of(e, e->variables, id);
	if (!leaves[leaf])
		leaves[leaf] = hc_local(e, form_type(e, id, leaf), "");
	return leaves[leaf];
}

static LLVMValueRef constant(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	struct hc_type *type = hc_leaf_type(e->m, hc_type_of(e->m, id), leaf);
	uint64_t bits = hc_id(e->m, id)->constant[leaf];
	LLVMTypeRef scalar = hc_scalar_type(e, type);

	if (type->kind != HC_TYPE_FLOAT || type->width == 16)
		return LLVMConstInt(scalar, bits, false);
	return LLVMConstBitCast(LLVMConstInt(type->width == 32 ? e->i32 : e->i64, bits, false),
				scalar);
}

/* A leaf in the form of its shape. */
static LLVMValueRef raw(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	if (hc_id(e->m, id)->kind == HC_ID_CONSTANT)
		return constant(e, id, leaf);
	if (e->regions->spills[id])
		return LLVMBuildLoad2(e->b, form_type(e, id, leaf), variable(e, id, leaf), "");
	if (!e->values[id] || !e->values[id][leaf])
		return LLVMGetPoison(form_type(e, id, leaf));
	return e->values[id][leaf];
}

bool hc_is_new(struct hc_emit *e, uint32_t id)
{
	return hc_id(e->m, id)->kind == HC_ID_VALUE && e->values[id] && e->values[id][0];
}

LLVMValueRef hc_lane0(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	LLVMValueRef value = raw(e, id, leaf);

	if (hc_is_vector(value))
		value = LLVMBuildExtractElement(e->b, value, LLVMConstInt(e->i32, 0, false), "");
	return value;
}

/* Lane 0 and the step from lane to lane, to all lanes. */
static LLVMValueRef spread(struct hc_emit *e, LLVMValueRef base, struct hc_shape shape)
{
	LLVMValueRef steps[64];
	LLVMTypeRef type = LLVMTypeOf(base);
	uint32_t i;

	if (shape.kind != HC_AFFINE || !shape.stride)
		return hc_splat(e, base);
	for (i = 0; i < e->lanes; i++)
		steps[i] = LLVMConstInt(type, (uint64_t)(shape.stride * i), true);
	return LLVMBuildAdd(e->b, hc_splat(e, base), LLVMConstVector(steps, e->lanes), "");
}

LLVMValueRef hc_lanes(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	LLVMValueRef value = raw(e, id, leaf);

	return hc_is_vector(value) ? value : spread(e, value, hc_leaf_shape(e, id, leaf));
}

static LLVMValueRef bring_into_form(struct hc_emit *e, uint32_t id, uint32_t leaf,
				    LLVMValueRef value)
{
	if (hc_is_varying(e, id, leaf))
		return hc_is_vector(value) ? value : hc_splat(e, value);
	if (hc_is_vector(value))
		return LLVMBuildExtractElement(e->b, value, LLVMConstInt(e->i32, 0, false), "");
	return value;
}

LLVMValueRef hc_as_shape(struct hc_emit *e, uint32_t id, uint32_t leaf, uint32_t from,
			 uint32_t from_leaf)
{
	return hc_is_varying(e, id, leaf) ? hc_lanes(e, from, from_leaf)
					  : hc_lane0(e, from, from_leaf);
}

/* Lanes that are off keep what they had. */
static void store(struct hc_emit *e, uint32_t id, uint32_t leaf, LLVMValueRef value, bool masked)
{
	LLVMValueRef place = variable(e, id, leaf), old;

	if (masked && hc_is_vector(value)) {
		old = LLVMBuildLoad2(e->b, LLVMTypeOf(value), place, "");
		value = LLVMBuildSelect(e->b, hc_exec(e), value, old, "");
	}
	LLVMBuildStore(e->b, value, place);
}

void hc_put(struct hc_emit *e, uint32_t id, uint32_t leaf, LLVMValueRef value)
{
	value = bring_into_form(e, id, leaf, value);
	leaves_of(e, e->values, id)[leaf] = value;
	if (e->regions->spills[id])
		store(e, id, leaf, value, e->shapes->escapes[id]);
}

void hc_put_phi(struct hc_emit *e, uint32_t id, uint32_t leaf, LLVMValueRef value, uint32_t region)
{
	bool uniform = hc_leaf_shape(e, id, leaf).kind == HC_UNIFORM;
	LLVMValueRef *later;

	value = bring_into_form(e, id, leaf, value);
	if (!uniform || e->hc->subgroups == 1 || e->regions->home[id] == region) {
		store(e, id, leaf, value, e->shapes->phi_masked[id]);
		return;
	}
	later = leaves_of(e, e->later, id);
	if (!later[leaf])
		later[leaf] = hc_local(e, form_type(e, id, leaf), "later");
	LLVMBuildStore(e->b, value, later[leaf]);
	e->has_later = true;
}

void hc_forget_phi(struct hc_emit *e, uint32_t id)
{
	uint32_t leaf;

	if (!e->shapes->phi_masked[id] || e->shapes->escapes[id] || hc_is_matrix(e->m, id))
		return;
	for (leaf = 0; leaf < hc_type_of(e->m, id)->leaves; leaf++)
		if (hc_is_varying(e, id, leaf))
			LLVMBuildStore(e->b, LLVMGetUndef(form_type(e, id, leaf)),
				       variable(e, id, leaf));
}

void hc_settle_phis(struct hc_emit *e)
{
	uint32_t id, leaf;

	if (!e->has_later)
		return;
	for (id = 0; id < e->m->bound; id++) {
		for (leaf = 0; e->later[id] && leaf < hc_type_of(e->m, id)->leaves; leaf++)
			if (e->later[id][leaf])
				LLVMBuildStore(e->b,
					       LLVMBuildLoad2(e->b, form_type(e, id, leaf),
							      e->later[id][leaf], ""),
					       variable(e, id, leaf));
		e->later[id] = NULL;
	}
	e->has_later = false;
}

void hc_park(struct hc_emit *e, uint32_t id, bool away)
{
	LLVMValueRef *parked = leaves_of(e, e->parked, id), value;
	uint32_t leaf, leaves = hc_type_of(e->m, id)->leaves;

	for (leaf = 0; leaf < leaves; leaf++) {
		LLVMTypeRef type = form_type(e, id, leaf);

		if (!parked[leaf])
			parked[leaf] = hc_local(e, type, "parked");
		value = LLVMBuildLoad2(e->b, type, away ? variable(e, id, leaf) : parked[leaf], "");
		if (!away)
			LLVMSetVolatile(value, true);
		value = LLVMBuildStore(e->b, value, away ? parked[leaf] : variable(e, id, leaf));
		if (away)
			LLVMSetVolatile(value, true);
	}
}

/* ---- Slots ---- */

/* A value that is the same in the whole work-group needs no slots. */
static bool has_slot(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	return e->regions->crosses[id] && hc_leaf_shape(e, id, leaf).kind != HC_UNIFORM;
}

/* Bytes of a leaf's slot, a power of two up to SLOT_ALIGN, and a multiple of that above. */
static uint64_t leaf_bytes(struct hc_emit *e, uint32_t id, uint32_t leaf)
{
	uint64_t bytes = hc_leaf_type(e->m, hc_type_of(e->m, id), leaf)->size, size = 1;

	if (!has_slot(e, id, leaf))
		return 0;
	if (hc_is_varying(e, id, leaf))
		bytes *= e->lanes;
	while (size < bytes && size < SLOT_ALIGN)
		size *= 2;
	return hc_align_up(bytes, size);
}

/* Where leaf @leaf of @id begins that is kept from @at on; or where all of it ends. */
static uint64_t leaf_place(struct hc_emit *e, uint32_t id, uint32_t leaf, uint64_t at)
{
	uint64_t bytes;
	uint32_t i;

	for (i = 0;; i++) {
		bytes = i < hc_type_of(e->m, id)->leaves ? leaf_bytes(e, id, i) : 1;
		if (bytes)
			at = hc_align_up(at, bytes < SLOT_ALIGN ? bytes : SLOT_ALIGN);
		if (i == leaf)
			return at;
		at += bytes;
	}
}

void hc_place_slots(struct hc_emit *e)
{
	uint64_t bytes = 0;
	uint32_t id;

	for (id = 0; id < e->m->bound; id++) {
		if (!e->regions->crosses[id] || e->regions->shares[id])
			continue;
		if (hc_id(e->m, id)->kind == HC_ID_VARIABLE) {
			e->slot[id] = hc_align_up(bytes, SLOT_ALIGN);
			bytes = e->slot[id] + hc_local_bytes(e, id);
		} else if (hc_is_matrix(e->m, id)) {
			if (e->regions->image[id] != id)
				continue;
			e->slot[id] = hc_align_up(bytes, SLOT_ALIGN);
			bytes = e->slot[id] + matrix_bytes(e, id);
		} else {
			e->slot[id] = bytes;
			bytes = leaf_place(e, id, hc_type_of(e->m, id)->leaves, bytes);
		}
	}
	/* An odd number of cache lines, so that the subgroups' frames do not fall on the same few sets of a cache. */
	if (bytes)
		bytes = ((bytes + CACHE_LINE - 1) / CACHE_LINE | 1) * CACHE_LINE;
	if (bytes > MAX_SCRATCH / e->hc->subgroups ||
	    e->scratch_bytes + bytes * e->hc->subgroups > MAX_SCRATCH)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "a work-group needs over 1 GiB of memory of its own");
	e->frames = e->scratch_bytes;
	e->frame_bytes = bytes;
	e->scratch_bytes += bytes * e->hc->subgroups;
}

/* Where a leaf is kept for the subgroup whose turn it is (or @subgroup). */
static LLVMValueRef leaf_slot(struct hc_emit *e, uint32_t id, uint32_t leaf, LLVMValueRef subgroup)
{
	uint32_t place = e->regions->shares[id] ? e->regions->shares[id] : id;
	uint64_t constant = e->frames + e->slot[place];
	LLVMValueRef offset;

	if (hc_id(e->m, id)->kind == HC_ID_VALUE && !hc_is_matrix(e->m, id))
		constant = e->frames + leaf_place(e, place, leaf, e->slot[place]);
	offset = LLVMBuildMul(e->b, LLVMBuildZExt(e->b, subgroup, e->i64, ""),
			      LLVMConstInt(e->i64, e->frame_bytes, false), "");
	offset = LLVMBuildAdd(e->b, offset, LLVMConstInt(e->i64, constant, false), "");
	return LLVMBuildGEP2(e->b, e->i8, e->scratch, &offset, 1, "slot");
}

static void copy(struct hc_emit *e, uint32_t id, bool in)
{
	uint32_t leaf, leaves;

	/* A matrix that crosses is in its slot all the time. */
	if (!e->regions->crosses[id] || hc_is_matrix(e->m, id))
		return;
	if (hc_id(e->m, id)->kind == HC_ID_VARIABLE) {
		LLVMValueRef memory = hc_local_memory(e, id),
			     kept = leaf_slot(e, id, 0, e->subgroup);
		LLVMValueRef bytes = LLVMConstInt(e->i64, hc_local_bytes(e, id), false);

		LLVMBuildMemCpy(e->b, in ? memory : kept, SLOT_ALIGN, in ? kept : memory,
				SLOT_ALIGN, bytes);
		return;
	}
	leaves = hc_type_of(e->m, id)->leaves;
	for (leaf = 0; leaf < leaves; leaf++) {
		LLVMTypeRef type = form_type(e, id, leaf);
		LLVMValueRef place, value;

		if (!has_slot(e, id, leaf))
			continue;
		place = leaf_slot(e, id, leaf, e->subgroup);
		value = LLVMBuildLoad2(e->b, type, in ? place : variable(e, id, leaf), "");
		LLVMBuildStore(e->b, value, in ? variable(e, id, leaf) : place);
	}
}

void hc_copy_in(struct hc_emit *e, uint32_t region)
{
	uint32_t i;

	for (i = 0; i < e->regions->reads[region].count; i++)
		copy(e, e->regions->reads[region].ids[i], true);
}

void hc_copy_out(struct hc_emit *e, uint32_t region)
{
	uint32_t i;

	for (i = 0; i < e->regions->writes[region].count; i++)
		copy(e, e->regions->writes[region].ids[i], false);
}

LLVMValueRef hc_group_lanes(struct hc_emit *e, uint32_t id, LLVMValueRef subgroup)
{
	LLVMValueRef value;

	if (hc_id(e->m, id)->kind == HC_ID_CONSTANT || !has_slot(e, id, 0))
		return hc_lanes(e, id, 0);
	value = LLVMBuildLoad2(e->b, form_type(e, id, 0), leaf_slot(e, id, 0, subgroup), "");
	return hc_is_vector(value) ? value : spread(e, value, hc_leaf_shape(e, id, 0));
}

LLVMValueRef hc_group_value(struct hc_emit *e, uint32_t id)
{
	LLVMValueRef zero = LLVMConstInt(e->i32, 0, false), subgroup = zero, lane = zero;

	if (hc_id(e->m, id)->kind == HC_ID_CONSTANT || !has_slot(e, id, 0))
		return hc_lane0(e, id, 0);
	if (e->presence) {
		subgroup = LLVMBuildLoad2(e->b, e->i32, e->presence->lead_subgroup, "");
		lane = LLVMBuildLoad2(e->b, e->i32, e->presence->lead_lane, "");
	}
	return LLVMBuildExtractElement(e->b, hc_group_lanes(e, id, subgroup), lane, "");
}
