// SPDX-License-Identifier: MIT
/*
 * From pointers to places: the variable or address that an access chain starts from, and what its indices add for each lane.
 */
#include "hc_emit_place.h"

#include <string.h>
#include <hearth/kernel_abi.h>
#include <spirv/unified1/spirv.h>

#define MAX_TERM_DEPTH 4

uint64_t hc_align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) / align * align;
}

/* ---- Roots ---- */

uint64_t hc_local_bytes(struct hc_emit *e, uint32_t id)
{
	return hc_type(e->m, hc_type_of(e->m, id)->element)->size * e->lanes;
}

LLVMValueRef hc_local_memory(struct hc_emit *e, uint32_t id)
{
	if (!e->memory[id]) {
		LLVMTypeRef type = LLVMArrayType2(e->i8, hc_local_bytes(e, id));

		e->memory[id] = hc_local(e, type, "local");
		LLVMSetAlignment(e->memory[id], 64);
	}
	return e->memory[id];
}

static void fill_table(struct hc_emit *e, struct hc_type *type, const uint64_t **leaf,
		       uint8_t *bytes)
{
	struct hc_type *element;
	uint32_t i;

	switch (type->kind) {
	case HC_TYPE_STRUCT:
		for (i = 0; i < type->count; i++)
			fill_table(e, hc_type(e->m, type->members[i]), leaf,
				   bytes + type->layout[i].own_offset);
		return;
	case HC_TYPE_VECTOR:
	case HC_TYPE_MATRIX:
	case HC_TYPE_ARRAY:
	case HC_TYPE_COOPERATIVE:
		element = hc_type(e->m, type->element);
		for (i = 0; i < type->count; i++)
			fill_table(e, element, leaf,
				   bytes + i * hc_align_up(element->size, element->align));
		return;
	default:
		/* All targets are little-endian, as is what this runs on. */
		memcpy(bytes, (*leaf)++, type->size);
		return;
	}
}

/* A table's constant, in the layout of memory that the compiler lays out. */
static LLVMValueRef table(struct hc_emit *e, uint32_t id)
{
	struct hc_type *type = hc_type(e->m, hc_type_of(e->m, id)->element);
	const uint64_t *leaf = hc_id(e->m, hc_id(e->m, id)->initializer)->constant;
	LLVMValueRef value;
	uint8_t *bytes;

	if (e->memory[id])
		return e->memory[id];
	bytes = HC_NEW(e->hc, uint8_t, type->size);
	fill_table(e, type, &leaf, bytes);
	value = LLVMConstStringInContext2(e->context, (char *)bytes, type->size, true);
	e->memory[id] = LLVMAddGlobal(e->module, LLVMTypeOf(value), "table");
	LLVMSetInitializer(e->memory[id], value);
	LLVMSetGlobalConstant(e->memory[id], true);
	LLVMSetLinkage(e->memory[id], LLVMPrivateLinkage);
	LLVMSetAlignment(e->memory[id], 64);
	return e->memory[id];
}

/* No @base: the offsets are addresses. */
static LLVMValueRef offset_pointer(struct hc_emit *e, LLVMValueRef base, LLVMValueRef offset)
{
	if (!base)
		return LLVMBuildIntToPtr(
			e->b, offset, hc_is_vector(offset) ? hc_vector_of(e, e->ptr) : e->ptr, "");
	return LLVMBuildGEP2(e->b, e->i8, base, &offset, 1, "");
}

static LLVMValueRef at_bytes(struct hc_emit *e, LLVMValueRef base, uint64_t bytes)
{
	return bytes ? offset_pointer(e, base, LLVMConstInt(e->i64, bytes, false)) : base;
}

static LLVMValueRef shared_memory(struct hc_emit *e, uint32_t id)
{
	struct hc_type *type = hc_type(e->m, hc_type_of(e->m, id)->element);

	/* All shared variables lie at the start of the scratch memory; see hc_emit.c. */
	if (!e->slot[id])
		hc_abort(e->hc, HC_ERROR_INTERNAL, "shared variable %u (%llu bytes) has no place",
			 id, (unsigned long long)type->size);
	return at_bytes(e, e->scratch, e->slot[id] - 1);
}

/* Loads that give the same value wherever they stand: descriptors do not change during a dispatch. */
LLVMValueRef hc_load_invariant(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointer)
{
	LLVMValueRef load = LLVMBuildLoad2(e->b, type, pointer, "");
	unsigned int kind = LLVMGetMDKindIDInContext(e->context, "invariant.load", 14);

	LLVMSetAlignment(load, 8);
	LLVMSetMetadata(load, kind,
			LLVMMetadataAsValue(e->context, LLVMMDNodeInContext2(e->context, NULL, 0)));
	return load;
}

const struct hc_binding *hc_find_binding(struct hc_emit *e, const struct hc_id *variable)
{
	const struct hc_compile_info *info = e->hc->info;
	uint32_t i;

	for (i = 0; i < info->binding_count; i++)
		if (info->bindings[i].set == variable->set &&
		    info->bindings[i].binding == variable->binding)
			return &info->bindings[i];
	hc_abort(e->hc, HC_ERROR_INVALID_ARGUMENT,
		 "the shader uses set %u, binding %u, which the layout does not have",
		 variable->set, variable->binding);
}

static LLVMValueRef gather_longs(struct hc_emit *e, LLVMValueRef pointers)
{
	LLVMTypeRef types[] = { hc_vector_of(e, e->i64), LLVMTypeOf(pointers) };
	LLVMValueRef args[] = { pointers, LLVMConstInt(e->i32, 8, false), hc_exec(e),
				LLVMConstNull(types[0]) };

	return hc_intrinsic(e, "llvm.masked.gather", types, 2, args, 4);
}

LLVMValueRef hc_descriptor(struct hc_emit *e, const struct hc_id *variable, LLVMValueRef index,
			   uint32_t kinds)
{
	const struct hc_binding *binding = hc_find_binding(e, variable);
	uint64_t bytes = binding->kind == HC_BINDING_IMAGE ? sizeof(struct hearth_image_descriptor)
							   : sizeof(struct hearth_descriptor);
	LLVMValueRef descriptor;
	LLVMTypeRef type;

	if (binding->set >= HEARTH_KERNEL_MAX_SETS)
		hc_abort(e->hc, HC_ERROR_INVALID_ARGUMENT, "set %u, at most %u are handled",
			 binding->set, HEARTH_KERNEL_MAX_SETS - 1);
	if (!(kinds & 1u << binding->kind))
		hc_abort(e->hc, HC_ERROR_INVALID_ARGUMENT,
			 "set %u, binding %u is of another kind in the layout than in the shader",
			 binding->set, binding->binding);
	if (binding->dynamic)
		descriptor = at_bytes(e, e->args, offsetof(struct hearth_kernel_args, dynamic));
	else
		descriptor = hc_load_invariant(
			e, e->ptr,
			at_bytes(e, e->args,
				 offsetof(struct hearth_kernel_args, sets) + 8ull * binding->set));
	descriptor =
		at_bytes(e, descriptor, sizeof(struct hearth_descriptor) * (uint64_t)binding->slot);
	if (!index)
		return descriptor;
	type = LLVMTypeOf(index);
	/* An index outside the array must not read what lies behind it. */
	index = hc_call2(e, "llvm.umin", index, hc_int(e, type, binding->count - 1));
	index = LLVMBuildMul(e->b, index, hc_int(e, type, bytes), "");
	return offset_pointer(e, descriptor, index);
}

/*
 * The buffer behind a binding; @index (i64, or NULL) chooses among an array of them. Its size is read where @want_limit
 * asks for it.
 */
static void bind(struct hc_emit *e, struct hc_place *p, const struct hc_id *variable,
		 LLVMValueRef index, bool want_limit)
{
	LLVMValueRef descriptor = hc_descriptor(e, variable, index, HC_BUFFERS);

	if (index && hc_is_vector(index)) {
		p->bases = gather_longs(e, descriptor);
		if (want_limit)
			p->limit = gather_longs(e, at_bytes(e, descriptor, 8));
		return;
	}
	p->base = hc_load_invariant(e, e->ptr, descriptor);
	if (want_limit)
		p->limit = hc_load_invariant(e, e->i64, at_bytes(e, descriptor, 8));
}

/* ---- Access chains ---- */

/* An index as 64 bits: lane 0's if it is not varying. Unsigned ones that wrap around are the caller's fault. */
static LLVMValueRef index_value(struct hc_emit *e, uint32_t id, struct hc_shape shape)
{
	struct hc_type *type = hc_type_of(e->m, id);
	LLVMValueRef value = shape.kind == HC_VARYING ? hc_lanes(e, id, 0) : hc_lane0(e, id, 0);
	LLVMTypeRef wide = shape.kind == HC_VARYING ? hc_vector_of(e, e->i64) : e->i64;

	if (type->width == 64)
		return value;
	/* Lane 0 of an affine index may lie below 0 where only later lanes run. */
	if (type->is_signed || (shape.kind == HC_AFFINE && shape.stride))
		return LLVMBuildSExt(e->b, value, wide, "");
	return LLVMBuildZExt(e->b, value, wide, "");
}

/* Adds to *sum what @index is the sum of, but for constants, which go to *constant. */
static void add_terms(struct hc_emit *e, uint32_t index, LLVMValueRef *sum, int64_t *constant,
		      uint32_t depth)
{
	const struct hc_id *id = hc_id(e->m, index);
	LLVMValueRef value;

	if (id->kind == HC_ID_CONSTANT) {
		*constant += (int32_t)id->constant[0];
		return;
	}
	/* What another block computed is there, and what it is computed from may not be. */
	if (depth < MAX_TERM_DEPTH && hc_is_new(e, index) &&
	    e->m->insts[id->index].op == SpvOpIAdd) {
		add_terms(e, e->m->insts[id->index].operand[0], sum, constant, depth + 1);
		add_terms(e, e->m->insts[id->index].operand[1], sum, constant, depth + 1);
		return;
	}
	value = hc_lane0(e, index, 0);
	*sum = *sum ? LLVMBuildAdd(e->b, *sum, value, "") : value;
}

/*
 * An affine index of 32 bits without the constants in it. As signed numbers the whole and its parts agree for every index
 * inside an array, whatever wraps around, so that constants may go into the address, where they cost nothing.
 */
static LLVMValueRef without_constant(struct hc_emit *e, uint32_t index, int64_t *constant)
{
	LLVMValueRef sum = NULL;
	int64_t found = 0;

	add_terms(e, index, &sum, &found, 0);
	if (!sum || !found || found != (int32_t)found)
		return NULL;
	*constant = found;
	return LLVMBuildSExt(e->b, sum, e->i64, "");
}

static void step(struct hc_emit *e, struct hc_place *p, uint32_t index, uint64_t bytes)
{
	struct hc_shape shape = hc_leaf_shape(e, index, 0);
	struct hc_id *id = hc_id(e->m, index);
	LLVMValueRef value = NULL;
	int64_t constant = 0;

	if (id->kind == HC_ID_CONSTANT) {
		p->constant += (uint32_t)id->constant[0] * bytes;
		return;
	}
	if (shape.kind == HC_AFFINE && shape.stride && hc_type_of(e->m, index)->width == 32)
		value = without_constant(e, index, &constant);
	if (!value)
		value = index_value(e, index, shape);
	p->constant += (uint64_t)constant * bytes;
	value = LLVMBuildMul(e->b, value, hc_int(e, LLVMTypeOf(value), bytes), "");
	if (shape.kind == HC_VARYING) {
		p->varying = p->varying ? LLVMBuildAdd(e->b, p->varying, value, "") : value;
		return;
	}
	if (shape.kind == HC_AFFINE)
		p->stride += shape.stride * (int64_t)bytes;
	p->uniform = p->uniform ? LLVMBuildAdd(e->b, p->uniform, value, "") : value;
}

static void descend(struct hc_emit *e, struct hc_place *p, uint32_t index)
{
	struct hc_type *type = p->type;
	struct hc_type *element;
	uint32_t member;

	switch (type->kind) {
	case HC_TYPE_STRUCT:
		member = hc_constant_u32(e->m, index);
		if (member >= type->count)
			hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "member %u of a structure of %u",
				 member, type->count);
		p->constant += p->decorated ? type->layout[member].offset
					    : type->layout[member].own_offset;
		p->matrix_stride = type->layout[member].matrix_stride;
		p->row_major = type->layout[member].row_major;
		p->type = hc_type(e->m, type->members[member]);
		return;
	case HC_TYPE_ARRAY:
		element = hc_type(e->m, type->element);
		step(e, p, index,
		     p->decorated && type->stride ? type->stride
						  : hc_align_up(element->size, element->align));
		p->type = element;
		return;
	case HC_TYPE_MATRIX:
		element = hc_type(e->m, type->element);
		if (p->decorated && p->row_major) {
			step(e, p, index, hc_type(e->m, element->element)->size);
			p->component_stride = p->matrix_stride;
		} else {
			step(e, p, index,
			     p->decorated && p->matrix_stride ? p->matrix_stride : element->size);
		}
		p->type = element;
		return;
	case HC_TYPE_VECTOR:
	case HC_TYPE_COOPERATIVE:
		element = hc_type(e->m, type->element);
		step(e, p, index, p->component_stride ? p->component_stride : element->size);
		p->component_stride = 0;
		p->type = element;
		return;
	default:
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "an access chain into a scalar");
	}
}

/* The chain's instructions from the variable to the pointer. */
uint32_t hc_chain_of(struct hc_emit *e, uint32_t pointer, const struct hc_inst *chain[HC_MAX_DEPTH],
		     uint32_t *length)
{
	const struct hc_inst *inst;

	for (*length = 0; (inst = hc_access_chain(e->m, pointer)); pointer = inst->operand[0]) {
		if (*length == HC_MAX_DEPTH)
			hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "over %u access chains in a row",
				 HC_MAX_DEPTH);
		chain[(*length)++] = inst;
	}
	if (hc_id(e->m, pointer)->kind != HC_ID_VARIABLE && !hc_is_address(e->m, pointer))
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "a pointer that neither a variable nor an address leads to is not "
			 "supported");
	return pointer;
}

LLVMValueRef hc_array_index(struct hc_emit *e, uint32_t index)
{
	struct hc_shape shape = hc_leaf_shape(e, index, 0);
	bool same = hc_is_scalar(shape);
	LLVMValueRef value = same ? hc_lane0(e, index, 0) : hc_lanes(e, index, 0);

	return LLVMBuildIntCast2(e->b, value, same ? e->i64 : hc_vector_of(e, e->i64), false, "");
}

static void choose_buffer(struct hc_emit *e, struct hc_place *p, const struct hc_id *root,
			  uint32_t index, bool want_limit)
{
	bind(e, p, root, hc_array_index(e, index), want_limit);
	p->type = hc_type(e->m, p->type->element);
}

/* An address that is the same in all lanes, or grows from lane to lane, is a base; others make gathers. */
static void follow_address(struct hc_emit *e, struct hc_place *p, uint32_t id)
{
	struct hc_shape shape = hc_leaf_shape(e, id, 0);

	if (shape.kind == HC_VARYING) {
		p->varying = hc_lanes(e, id, 0);
		return;
	}
	p->base = LLVMBuildIntToPtr(e->b, hc_lane0(e, id, 0), e->ptr, "");
	p->stride = shape.kind == HC_AFFINE ? shape.stride : 0;
}

/* How far apart the elements lie that OpPtrAccessChain counts. */
static uint64_t element_stride(struct hc_emit *e, const struct hc_inst *chain)
{
	uint32_t type = hc_id(e->m, chain->operand[0])->type;
	uint32_t stride = hc_id(e->m, type)->array_stride;

	if (!stride)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "%s on a pointer without ArrayStride",
			 hc_op_name(chain->op));
	return stride;
}

struct hc_place hc_find_place(struct hc_emit *e, uint32_t pointer, uint32_t *root_id)
{
	const struct hc_inst *chain[HC_MAX_DEPTH];
	struct hc_place p = { 0 };
	bool robust = e->hc->info->flags & HC_COMPILE_ROBUST;
	uint32_t i, j, length, first = 1;
	struct hc_id *root;

	*root_id = hc_chain_of(e, pointer, chain, &length);
	root = hc_id(e->m, *root_id);
	p.type = hc_type(e->m, hc_type_of(e->m, *root_id)->element);
	p.is_volatile = root->decorations & HC_DECORATED_VOLATILE;
	switch (root->kind == HC_ID_VARIABLE ? root->storage_class
					     : SpvStorageClassPhysicalStorageBuffer) {
	case SpvStorageClassPhysicalStorageBuffer:
		p.decorated = p.far = true;
		follow_address(e, &p, *root_id);
		break;
	case SpvStorageClassUniform:
	case SpvStorageClassStorageBuffer:
		p.decorated = true;
		if (p.type->kind != HC_TYPE_ARRAY) {
			bind(e, &p, root, NULL, robust);
			break;
		}
		if (!length || chain[length - 1]->operands < 2)
			hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
				 "an array of buffers used as a whole");
		choose_buffer(e, &p, root, chain[length - 1]->operand[1], robust);
		first = 2;
		break;
	case SpvStorageClassPushConstant:
		p.decorated = true;
		p.base = at_bytes(e, e->args, offsetof(struct hearth_kernel_args, push));
		if (robust)
			p.limit = LLVMConstInt(e->i64, HEARTH_KERNEL_PUSH_BYTES, false);
		break;
	case SpvStorageClassWorkgroup:
		p.decorated = hc_is_block(e->m, hc_type_of(e->m, *root_id)->element);
		p.base = shared_memory(e, *root_id);
		break;
	case SpvStorageClassFunction:
	case SpvStorageClassPrivate:
		if (root->is_table) {
			p.base = table(e, *root_id);
			break;
		}
		p.local = true;
		p.base = hc_local_memory(e, *root_id);
		break;
	default:
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "storage class %u is not supported",
			 root->storage_class);
	}
	for (i = length; i--; first = 1) {
		if (chain[i]->op == SpvOpPtrAccessChain ||
		    chain[i]->op == SpvOpInBoundsPtrAccessChain) {
			step(e, &p, chain[i]->operand[1], element_stride(e, chain[i]));
			first++;
		}
		for (j = first; j < chain[i]->operands; j++)
			descend(e, &p, chain[i]->operand[j]);
	}
	return p;
}

/* ---- Addresses of the lanes ---- */

LLVMValueRef hc_lane_offsets(struct hc_emit *e, const struct hc_place *p, uint64_t extra)
{
	LLVMValueRef offsets, steps[64];
	uint64_t constant = p->constant + extra;
	uint32_t i;

	for (i = 0; i < e->lanes; i++)
		steps[i] = LLVMConstInt(e->i64, constant + (uint64_t)(p->stride * i), true);
	offsets = LLVMConstVector(steps, e->lanes);
	if (p->uniform)
		offsets = LLVMBuildAdd(e->b, offsets, hc_splat(e, p->uniform), "");
	if (p->varying)
		offsets = LLVMBuildAdd(e->b, offsets, p->varying, "");
	return offsets;
}

LLVMValueRef hc_uniform_offset(struct hc_emit *e, const struct hc_place *p, uint64_t extra)
{
	LLVMValueRef constant = LLVMConstInt(e->i64, p->constant + extra, false);

	return p->uniform ? LLVMBuildAdd(e->b, p->uniform, constant, "") : constant;
}

/* Lanes whose @bytes at @offsets lie inside the buffer. No sum is made that could wrap. */
LLVMValueRef hc_inside(struct hc_emit *e, const struct hc_place *p, LLVMValueRef offsets,
		       uint64_t bytes)
{
	LLVMTypeRef type = LLVMTypeOf(offsets);
	bool vector = hc_is_vector(offsets);
	LLVMValueRef limit = vector && !hc_is_vector(p->limit) ? hc_splat(e, p->limit) : p->limit;
	LLVMValueRef size = hc_int(e, type, bytes), room, fits;

	room = LLVMBuildSub(e->b, limit, size, "");
	fits = LLVMBuildICmp(e->b, LLVMIntUGE, limit, size, "");
	return LLVMBuildAnd(e->b, fits, LLVMBuildICmp(e->b, LLVMIntULE, offsets, room, ""), "");
}

/* Byte addresses of all lanes. */
/*
 * Nothing that is bound is larger than 4 GiB, so that 32 bits of an offset say it all: half the work for a gather. RISC-V
 * takes them as they are; x86 extends their sign, so that the base moves by 2 GiB.
 */
static LLVMValueRef near_pointers(struct hc_emit *e, LLVMValueRef base, LLVMValueRef offsets)
{
	LLVMTypeRef words = hc_vector_of(e, e->i32), longs = hc_vector_of(e, e->i64);

	offsets = LLVMBuildTrunc(e->b, offsets, words, "");
	if (e->hc->target->arch == HC_ARCH_RISCV64)
		return offset_pointer(e, base, LLVMBuildZExt(e->b, offsets, longs, ""));
	offsets = LLVMBuildXor(e->b, offsets, hc_int(e, words, 1u << 31), "");
	base = at_bytes(e, base, 1ull << 31);
	return offset_pointer(e, base, LLVMBuildSExt(e->b, offsets, longs, ""));
}

LLVMValueRef hc_lane_pointers(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
			      uint64_t bytes)
{
	LLVMValueRef offsets = hc_lane_offsets(e, p, extra);

	if (p->local) {
		LLVMValueRef steps[64];
		uint32_t i;

		for (i = 0; i < e->lanes; i++)
			steps[i] = LLVMConstInt(e->i64, i * bytes, false);
		offsets = LLVMBuildMul(e->b, offsets, hc_int(e, LLVMTypeOf(offsets), e->lanes), "");
		offsets = LLVMBuildAdd(e->b, offsets, LLVMConstVector(steps, e->lanes), "");
	}
	if (p->bases)
		return offset_pointer(e, NULL, LLVMBuildAdd(e->b, p->bases, offsets, ""));
	return p->far ? offset_pointer(e, p->base, offsets) : near_pointers(e, p->base, offsets);
}

LLVMValueRef hc_vector_pointer(struct hc_emit *e, const struct hc_place *p, uint64_t extra)
{
	LLVMValueRef offset = hc_uniform_offset(e, p, extra);

	if (p->local)
		offset = LLVMBuildMul(e->b, offset, LLVMConstInt(e->i64, e->lanes, false), "");
	return offset_pointer(e, p->base, offset);
}

LLVMValueRef hc_allowed(struct hc_emit *e, const struct hc_place *p, uint64_t extra, uint64_t bytes)
{
	LLVMValueRef exec = hc_exec(e);

	if (!p->limit)
		return exec;
	return LLVMBuildAnd(e->b, exec, hc_inside(e, p, hc_lane_offsets(e, p, extra), bytes), "");
}

/* ---- Instructions ---- */

/* Addresses may be used as values; where they are only followed, this is dead code. */
void hc_emit_address(struct hc_emit *e, const struct hc_inst *inst)
{
	bool varying = hc_is_varying(e, inst->result, 0);
	uint32_t root;
	struct hc_place p = hc_find_place(e, inst->result, &root);
	LLVMValueRef offset = varying ? hc_lane_offsets(e, &p, 0) : hc_uniform_offset(e, &p, 0),
		     base;

	if (p.base) {
		base = LLVMBuildPtrToInt(e->b, p.base, e->i64, "");
		offset = LLVMBuildAdd(e->b, offset, varying ? hc_splat(e, base) : base, "");
	}
	hc_put(e, inst->result, 0, offset);
}

void hc_emit_array_length(struct hc_emit *e, const struct hc_inst *inst)
{
	const struct hc_inst *chain[HC_MAX_DEPTH];
	uint32_t root, length, member = inst->operand[1];
	struct hc_type *type, *array;
	struct hc_place p = { 0 };
	struct hc_id *id;
	LLVMValueRef size, offset;

	root = hc_chain_of(e, inst->operand[0], chain, &length);
	id = hc_id(e->m, root);
	if (id->kind != HC_ID_VARIABLE)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "OpArrayLength of an address");
	type = p.type = hc_type(e->m, hc_type_of(e->m, root)->element);
	if (type->kind == HC_TYPE_ARRAY) {
		if (!length || chain[length - 1]->operands < 2)
			hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "the length of an array of buffers");
		choose_buffer(e, &p, id, chain[length - 1]->operand[1], true);
		type = p.type;
	} else {
		bind(e, &p, id, NULL, true);
	}
	if (type->kind != HC_TYPE_STRUCT || member >= type->count)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "OpArrayLength of member %u", member);
	array = hc_type(e->m, type->members[member]);
	if (!array->stride)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV,
			 "OpArrayLength of an array without ArrayStride");
	offset = hc_int(e, LLVMTypeOf(p.limit), type->layout[member].offset);
	size = hc_call2(e, "llvm.usub.sat", p.limit, offset);
	size = LLVMBuildUDiv(e->b, size, hc_int(e, LLVMTypeOf(size), array->stride), "");
	size = LLVMBuildTrunc(e->b, size, hc_is_vector(size) ? hc_vector_of(e, e->i32) : e->i32,
			      "");
	hc_put(e, inst->result, 0, size);
}
