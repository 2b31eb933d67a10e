// SPDX-License-Identifier: MIT
/*
 * Loads and stores. An access is classified by how its address changes from lane to lane: not at all (scalar), by the size of
 * an element (vector load or store), by whole small vectors (wide access and shuffle), or otherwise (gather or scatter). Lanes
 * that are off touch no memory.
 */
#include "hc_emit_place.h"

#include <spirv/unified1/spirv.h>

/* ---- One scalar of each lane ---- */

enum form {
	FORM_SCALAR,
	FORM_VECTOR,
	FORM_LANES,
};

static enum form form_of(const struct hc_place *p, uint64_t bytes)
{
	if (p->varying || p->bases)
		return FORM_LANES;
	if (p->local)
		return p->stride ? FORM_LANES : FORM_VECTOR;
	if (!p->stride)
		return FORM_SCALAR;
	return p->stride == (int64_t)bytes ? FORM_VECTOR : FORM_LANES;
}

/* 16 zero bytes in the image, to read where a buffer ends. */
LLVMValueRef hc_zeros(struct hc_emit *e)
{
	LLVMTypeRef type = LLVMArrayType2(e->i8, 16);
	LLVMValueRef global = LLVMGetNamedGlobal(e->module, "hc_zeros");

	if (!global) {
		global = LLVMAddGlobal(e->module, type, "hc_zeros");
		LLVMSetInitializer(global, LLVMConstNull(type));
		LLVMSetGlobalConstant(global, true);
		LLVMSetLinkage(global, LLVMInternalLinkage);
		LLVMSetAlignment(global, 16);
	}
	return global;
}

/*
 * Without AVX-512 gathers are slow on many x86 processors, and LLVM makes a branch of each lane that may be off. A load for
 * each lane needs none: lanes that are off read zeros elsewhere.
 */
static LLVMValueRef gather_apart(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointers,
				 uint64_t align, LLVMValueRef mask)
{
	LLVMValueRef value = LLVMGetPoison(type), lane, load;
	uint32_t i;

	pointers = LLVMBuildSelect(e->b, mask, pointers, hc_splat(e, hc_zeros(e)), "");
	for (i = 0; i < e->lanes; i++) {
		lane = LLVMConstInt(e->i32, i, false);
		load = LLVMBuildLoad2(e->b, LLVMGetElementType(type),
				      LLVMBuildExtractElement(e->b, pointers, lane, ""), "");
		LLVMSetAlignment(load, (unsigned int)align);
		value = LLVMBuildInsertElement(e->b, value, load, lane, "");
	}
	return value;
}

/*
 * AVX-512 gathers words only, and LLVM makes branches of narrower ones. The aligned word around a narrow element lies on the same
 * page, so that reading it does no harm.
 */
static LLVMValueRef gather_narrow(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointers,
				  LLVMValueRef mask)
{
	LLVMTypeRef longs = hc_vector_of(e, e->i64), words = hc_vector_of(e, e->i32);
	LLVMTypeRef types[] = { words, LLVMTypeOf(pointers) };
	LLVMValueRef args[4], value, shift, bytes = LLVMBuildPtrToInt(e->b, pointers, longs, "");

	shift = LLVMBuildAnd(e->b, LLVMBuildTrunc(e->b, bytes, words, ""), hc_int(e, words, 3), "");
	shift = LLVMBuildShl(e->b, shift, hc_int(e, words, 3), "");
	bytes = LLVMBuildAnd(e->b, bytes, hc_int(e, longs, ~3ull), "");
	args[0] = LLVMBuildIntToPtr(e->b, bytes, types[1], "");
	args[1] = LLVMConstInt(e->i32, 4, false);
	args[2] = mask;
	args[3] = LLVMConstNull(words);
	value = hc_intrinsic(e, "llvm.masked.gather", types, 2, args, 4);
	return LLVMBuildTrunc(e->b, LLVMBuildLShr(e->b, value, shift, ""), type, "");
}

LLVMValueRef hc_masked_load(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointer,
			    uint64_t align, LLVMValueRef mask)
{
	LLVMTypeRef types[] = { type, LLVMTypeOf(pointer) }, element = LLVMGetElementType(type);
	LLVMValueRef args[] = { pointer, LLVMConstInt(e->i32, align, false), mask,
				LLVMConstNull(type) };
	bool gather = hc_is_vector(pointer);

	if (gather && e->hc->target->arch == HC_ARCH_X86_64) {
		if (e->hc->target->vector_bits < 512)
			return gather_apart(e, type, pointer, align, mask);
		if (element == e->i8 || element == e->i16)
			return gather_narrow(e, type, pointer, mask);
	}
	return hc_intrinsic(e, gather ? "llvm.masked.gather" : "llvm.masked.load", types, 2, args,
			    4);
}

/* Where to write what is not to be written. */
static LLVMValueRef nowhere(struct hc_emit *e)
{
	if (!e->nowhere) {
		e->nowhere = hc_local(e, LLVMArrayType2(e->i8, 16), "nowhere");
		LLVMSetAlignment(e->nowhere, 16);
	}
	return e->nowhere;
}

/* A store for each lane, without branches; see gather_apart(). */
static void scatter_apart(struct hc_emit *e, LLVMValueRef value, LLVMValueRef pointers,
			  uint64_t align, LLVMValueRef mask)
{
	LLVMValueRef lane, store;
	uint32_t i;

	pointers = LLVMBuildSelect(e->b, mask, pointers, hc_splat(e, nowhere(e)), "");
	for (i = 0; i < e->lanes; i++) {
		lane = LLVMConstInt(e->i32, i, false);
		store = LLVMBuildStore(e->b, LLVMBuildExtractElement(e->b, value, lane, ""),
				       LLVMBuildExtractElement(e->b, pointers, lane, ""));
		LLVMSetAlignment(store, (unsigned int)align);
	}
}

void hc_masked_store(struct hc_emit *e, LLVMValueRef value, LLVMValueRef pointer, uint64_t align,
		     LLVMValueRef mask)
{
	LLVMTypeRef types[] = { LLVMTypeOf(value), LLVMTypeOf(pointer) };
	LLVMValueRef args[] = { value, pointer, LLVMConstInt(e->i32, align, false), mask };
	LLVMTypeRef element = LLVMGetElementType(types[0]);
	bool scatter = hc_is_vector(pointer);

	if (scatter && e->hc->target->arch == HC_ARCH_X86_64 &&
	    (e->hc->target->vector_bits < 512 || element == e->i8 || element == e->i16)) {
		scatter_apart(e, value, pointer, align, mask);
		return;
	}
	hc_intrinsic(e, scatter ? "llvm.masked.scatter" : "llvm.masked.store", types, 2, args, 4);
}

LLVMValueRef hc_load_scalar(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			    struct hc_type *type)
{
	LLVMTypeRef element = type->kind == HC_TYPE_BOOL ? e->i32 : hc_scalar_type(e, type);
	LLVMValueRef pointer, value;

	switch (form_of(p, type->size)) {
	case FORM_SCALAR:
		pointer = hc_vector_pointer(e, p, extra);
		if (p->limit)
			pointer = LLVMBuildSelect(
				e->b, hc_inside(e, p, hc_uniform_offset(e, p, extra), type->size),
				pointer, hc_zeros(e), "");
		value = LLVMBuildLoad2(e->b, element, pointer, "");
		LLVMSetAlignment(value, (unsigned int)type->size);
		LLVMSetVolatile(value, p->is_volatile);
		break;
	case FORM_VECTOR:
		value = hc_masked_load(e, hc_vector_of(e, element), hc_vector_pointer(e, p, extra),
				       type->size, hc_allowed(e, p, extra, type->size));
		break;
	default:
		value = hc_masked_load(e, hc_vector_of(e, element),
				       hc_lane_pointers(e, p, extra, type->size), type->size,
				       hc_allowed(e, p, extra, type->size));
		break;
	}
	if (type->kind == HC_TYPE_BOOL)
		value = LLVMBuildICmp(e->b, LLVMIntNE, value, LLVMConstNull(LLVMTypeOf(value)), "");
	return value;
}

/* One of the lanes that all write to one place: the first that runs. */
static void store_to_one_place(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			       struct hc_type *type, LLVMValueRef value)
{
	LLVMValueRef pointer = hc_vector_pointer(e, p, extra), store;

	if (hc_is_vector(value))
		value = LLVMBuildExtractElement(e->b, value, hc_first_lane(e), "");
	if (p->limit)
		pointer = LLVMBuildSelect(
			e->b, hc_inside(e, p, hc_uniform_offset(e, p, extra), type->size), pointer,
			nowhere(e), "");
	store = LLVMBuildStore(e->b, value, pointer);
	LLVMSetAlignment(store, (unsigned int)type->size);
	LLVMSetVolatile(store, p->is_volatile);
}

void hc_store_value(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
		    struct hc_type *type, LLVMValueRef value)
{
	enum form form = form_of(p, type->size);

	if (type->kind == HC_TYPE_BOOL)
		value = LLVMBuildZExt(e->b, value,
				      hc_is_vector(value) ? hc_vector_of(e, e->i32) : e->i32, "");
	if (form == FORM_SCALAR) {
		store_to_one_place(e, p, extra, type, value);
		return;
	}
	if (!hc_is_vector(value))
		value = hc_splat(e, value);
	hc_masked_store(e, value,
			form == FORM_VECTOR ? hc_vector_pointer(e, p, extra)
					    : hc_lane_pointers(e, p, extra, type->size),
			type->size, hc_allowed(e, p, extra, type->size));
}

static void store_scalar(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			 struct hc_type *type, uint32_t id, uint32_t leaf)
{
	bool same =
		form_of(p, type->size) == FORM_SCALAR && hc_is_scalar(hc_leaf_shape(e, id, leaf));

	hc_store_value(e, p, extra, type, same ? hc_lane0(e, id, leaf) : hc_lanes(e, id, leaf));
}

/* ---- Small vectors side by side ---- */

/* Does each lane have its own @count elements, right behind those of the lane before? */
static bool is_interleaved(const struct hc_place *p, const struct hc_type *vector,
			   uint64_t element_bytes)
{
	return vector->kind == HC_TYPE_VECTOR && !p->local && !p->varying && !p->bases &&
	       !p->component_stride && vector->count <= 4 &&
	       p->stride == (int64_t)(vector->count * element_bytes);
}

/* The mask of lanes, each repeated for the elements of its vector. */
static LLVMValueRef repeat_mask(struct hc_emit *e, LLVMValueRef mask, uint32_t count)
{
	uint32_t i, index[256];

	for (i = 0; i < count * e->lanes; i++)
		index[i] = i / count;
	return hc_shuffle(e, mask, mask, index, count * e->lanes);
}

void hc_load_interleaved(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			 struct hc_type *element, uint32_t count, LLVMValueRef *out)
{
	uint32_t i, c, index[64];
	LLVMTypeRef type = LLVMVectorType(hc_scalar_type(e, element), count * e->lanes);
	LLVMValueRef wide, mask = hc_allowed(e, p, extra, element->size * count);

	wide = hc_masked_load(e, type, hc_vector_pointer(e, p, extra), element->size,
			      repeat_mask(e, mask, count));
	for (c = 0; c < count; c++) {
		for (i = 0; i < e->lanes; i++)
			index[i] = i * count + c;
		out[c] = hc_shuffle(e, wide, wide, index, e->lanes);
	}
}

static void store_interleaved(struct hc_emit *e, const struct hc_place *p, struct hc_type *vector,
			      uint32_t id)
{
	struct hc_type *element = hc_type(e->m, vector->element);
	uint32_t i, c, count = vector->count, index[256];
	LLVMValueRef mask = repeat_mask(e, hc_allowed(e, p, 0, element->size * count), count);
	LLVMValueRef parts[4] = { 0 }, low, high, wide;

	for (c = 0; c < count; c++)
		parts[c] = hc_lanes(e, id, c);
	if (count == 3)
		parts[3] = LLVMGetPoison(LLVMTypeOf(parts[0]));
	for (i = 0; i < 2 * e->lanes; i++)
		index[i] = i;
	low = hc_shuffle(e, parts[0], parts[1], index, 2 * e->lanes);
	wide = low;
	if (count > 2) {
		high = hc_shuffle(e, parts[2], parts[3], index, 2 * e->lanes);
		for (i = 0; i < count * e->lanes; i++)
			index[i] = i % count * e->lanes + i / count;
		wide = hc_shuffle(e, low, high, index, count * e->lanes);
	} else {
		for (i = 0; i < 2 * e->lanes; i++)
			index[i] = i % 2 * e->lanes + i / 2;
		wide = hc_shuffle(e, low, LLVMGetPoison(LLVMTypeOf(low)), index, 2 * e->lanes);
	}
	hc_masked_store(e, wide, hc_vector_pointer(e, p, 0), element->size, mask);
}

/* ---- Whole values ---- */

/* The bytes between the parts of an array, matrix or vector at @p; *inner: the place of a part, but for its offset. */
static uint64_t part_bytes(struct hc_emit *e, const struct hc_place *p, const struct hc_type *type,
			   struct hc_place *inner)
{
	const struct hc_type *element = hc_type(e->m, type->element);

	switch (type->kind) {
	case HC_TYPE_ARRAY:
		return p->decorated && type->stride ? type->stride
						    : hc_align_up(element->size, element->align);
	case HC_TYPE_MATRIX:
		if (p->decorated && p->row_major) {
			inner->component_stride = p->matrix_stride;
			return hc_type(e->m, element->element)->size;
		}
		return p->decorated && p->matrix_stride ? p->matrix_stride : element->size;
	default:
		return p->component_stride ? p->component_stride : element->size;
	}
}

/* Calls load or store for each scalar of @type at @extra bytes behind the place. */
static void each_scalar(struct hc_emit *e, struct hc_place *p, struct hc_type *type, uint64_t extra,
			uint32_t *leaf, uint32_t id, bool is_store)
{
	struct hc_place inner = *p;
	uint64_t size;
	uint32_t i;

	switch (type->kind) {
	case HC_TYPE_STRUCT:
		for (i = 0; i < type->count; i++) {
			inner.matrix_stride = type->layout[i].matrix_stride;
			inner.row_major = type->layout[i].row_major;
			each_scalar(e, &inner, hc_type(e->m, type->members[i]),
				    extra + (p->decorated ? type->layout[i].offset
							  : type->layout[i].own_offset),
				    leaf, id, is_store);
		}
		return;
	case HC_TYPE_ARRAY:
	case HC_TYPE_MATRIX:
	case HC_TYPE_VECTOR:
	case HC_TYPE_COOPERATIVE:
		size = part_bytes(e, p, type, &inner);
		for (i = 0; i < type->count; i++)
			each_scalar(e, &inner, hc_type(e->m, type->element), extra + i * size, leaf,
				    id, is_store);
		return;
	default:
		if (is_store)
			store_scalar(e, p, extra, type, id, *leaf);
		else
			hc_put(e, id, *leaf, hc_load_scalar(e, p, extra, type));
		(*leaf)++;
		return;
	}
}

static void copy_scalars(struct hc_emit *e, const struct hc_place *from, uint64_t from_extra,
			 const struct hc_place *to, uint64_t to_extra, struct hc_type *type)
{
	struct hc_place inner_from = *from, inner_to = *to;
	uint64_t from_bytes, to_bytes;
	uint32_t i;

	switch (type->kind) {
	case HC_TYPE_STRUCT:
		for (i = 0; i < type->count; i++) {
			const struct hc_member *member = &type->layout[i];

			inner_from.matrix_stride = inner_to.matrix_stride = member->matrix_stride;
			inner_from.row_major = inner_to.row_major = member->row_major;
			copy_scalars(
				e, &inner_from,
				from_extra +
					(from->decorated ? member->offset : member->own_offset),
				&inner_to,
				to_extra + (to->decorated ? member->offset : member->own_offset),
				hc_type(e->m, type->members[i]));
		}
		return;
	case HC_TYPE_ARRAY:
	case HC_TYPE_MATRIX:
	case HC_TYPE_VECTOR:
		from_bytes = part_bytes(e, from, type, &inner_from);
		to_bytes = part_bytes(e, to, type, &inner_to);
		for (i = 0; i < type->count; i++)
			copy_scalars(e, &inner_from, from_extra + i * from_bytes, &inner_to,
				     to_extra + i * to_bytes, hc_type(e->m, type->element));
		return;
	default:
		hc_store_value(e, to, to_extra, type, hc_load_scalar(e, from, from_extra, type));
		return;
	}
}

/* A small vector of each lane in one piece, if that is a good way to load it. */
static bool load_vector(struct hc_emit *e, const struct hc_place *p, struct hc_type *vector,
			uint32_t result)
{
	struct hc_type *element;
	LLVMValueRef out[4];
	uint32_t c;

	if (vector->kind != HC_TYPE_VECTOR || vector->count > 4 || !hc_is_varying(e, result, 0))
		return false;
	element = hc_type(e->m, vector->element);
	if (element->kind == HC_TYPE_BOOL || p->component_stride || p->is_volatile)
		return false;
	if (is_interleaved(p, vector, element->size))
		hc_load_interleaved(e, p, 0, element, vector->count, out);
	else if (form_of(p, element->size) == FORM_LANES &&
		 hc_has_rows(e, p, vector->count * element->size))
		hc_load_rows(e, p, 0, element, vector->count,
			     hc_allowed(e, p, 0, vector->count * element->size), out);
	else
		return false;
	for (c = 0; c < vector->count; c++)
		hc_put(e, result, c, out[c]);
	return true;
}

/* ---- Instructions ---- */

void hc_emit_load(struct hc_emit *e, const struct hc_inst *inst)
{
	const struct hc_inst *chain[HC_MAX_DEPTH];
	uint32_t root, length, leaf = 0;
	struct hc_type *type = hc_type(e->m, inst->type);
	struct hc_place p;

	if (hc_emit_adjacent(e, inst))
		return;
	root = hc_chain_of(e, inst->operand[0], chain, &length);
	if (hc_id(e->m, root)->kind == HC_ID_VARIABLE &&
	    hc_id(e->m, root)->storage_class == SpvStorageClassInput) {
		hc_load_input(e, inst, root,
			      length ? hc_constant_u32(e->m, chain[0]->operand[1]) : 0);
		return;
	}
	p = hc_find_place(e, inst->operand[0], &root);
	if (inst->operands > 1 && inst->operand[1] & SpvMemoryAccessVolatileMask)
		p.is_volatile = true;
	if (!load_vector(e, &p, type, inst->result))
		each_scalar(e, &p, type, 0, &leaf, inst->result, false);
}

void hc_emit_store(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *type = hc_type_of(e->m, inst->operand[1]);
	uint32_t root, leaf = 0;
	struct hc_place p = hc_find_place(e, inst->operand[0], &root);

	if (inst->operands > 2 && inst->operand[2] & SpvMemoryAccessVolatileMask)
		p.is_volatile = true;
	if (is_interleaved(&p, type,
			   type->kind == HC_TYPE_VECTOR ? hc_type(e->m, type->element)->size : 0) &&
	    hc_type(e->m, type->element)->kind != HC_TYPE_BOOL)
		store_interleaved(e, &p, type, inst->operand[1]);
	else
		each_scalar(e, &p, type, 0, &leaf, inst->operand[1], true);
}

void hc_emit_copy(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t root;
	struct hc_place to = hc_find_place(e, inst->operand[0], &root);
	struct hc_place from = hc_find_place(e, inst->operand[1], &root);

	if (from.type->is_empty)
		return;
	if (!to.type->leaves || to.type->leaves != from.type->leaves)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "OpCopyMemory of more than %u scalars",
			 HC_MAX_LEAVES);
	if (inst->operands > 2 && inst->operand[2] & SpvMemoryAccessVolatileMask)
		to.is_volatile = from.is_volatile = true;
	copy_scalars(e, &from, 0, &to, 0, from.type);
}
