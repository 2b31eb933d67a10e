// SPDX-License-Identifier: MIT
/*
 * Loads, stores and atomics. An access is classified by how its address changes from lane to lane: not at all (scalar),
 * by the size of an element (vector load or store), by whole small vectors (wide access and shuffle), or otherwise (gather or
 * scatter). Lanes that are off touch no memory.
 */
#include "hc_emit.h"

#include <string.h>
#include <hearth/kernel_abi.h>
#include <spirv/unified1/spirv.h>

/*
 * A place in memory, for all lanes. Lane i is at base + constant + uniform + i * stride + varying[i]; for @local memory the
 * whole offset is multiplied by the number of lanes and lane i's element is the i-th of a vector there.
 * @limit: bytes behind @base that belong to the buffer, where they are to be checked.
 */
struct place {
	LLVMValueRef base;
	LLVMValueRef limit;
	uint64_t constant;
	LLVMValueRef uniform; /* i64 or NULL */
	int64_t stride;
	LLVMValueRef varying; /* vector of i64 or NULL */
	bool local;
	bool decorated; /* laid out by decorations */
	bool is_volatile;
	struct hc_type *type;
	/* Of a matrix on the way down, and of a vector that is a row-major matrix's column. */
	uint32_t matrix_stride;
	bool row_major;
	uint32_t component_stride; /* 0: side by side */
};

static uint64_t align_up(uint64_t value, uint64_t align)
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
		element = hc_type(e->m, type->element);
		for (i = 0; i < type->count; i++)
			fill_table(e, element, leaf,
				   bytes + i * align_up(element->size, element->align));
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
static LLVMValueRef load_invariant(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointer)
{
	LLVMValueRef load = LLVMBuildLoad2(e->b, type, pointer, "");
	unsigned int kind = LLVMGetMDKindIDInContext(e->context, "invariant.load", 14);

	LLVMSetAlignment(load, 8);
	LLVMSetMetadata(load, kind,
			LLVMMetadataAsValue(e->context, LLVMMDNodeInContext2(e->context, NULL, 0)));
	return load;
}

static const struct hc_binding *find_binding(struct hc_emit *e, const struct hc_id *variable)
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

/*
 * The buffer behind a binding; @index (i64, or NULL) chooses among an array of them. Its size is read where @want_limit
 * asks for it.
 */
static void bind(struct hc_emit *e, struct place *p, const struct hc_id *variable,
		 LLVMValueRef index, bool want_limit)
{
	const struct hc_binding *binding = find_binding(e, variable);
	LLVMValueRef descriptor;

	if (binding->set >= HEARTH_KERNEL_MAX_SETS)
		hc_abort(e->hc, HC_ERROR_INVALID_ARGUMENT, "set %u, at most %u are handled",
			 binding->set, HEARTH_KERNEL_MAX_SETS - 1);
	if (binding->dynamic)
		descriptor = at_bytes(e, e->args, offsetof(struct hearth_kernel_args, dynamic));
	else
		descriptor = load_invariant(
			e, e->ptr,
			at_bytes(e, e->args,
				 offsetof(struct hearth_kernel_args, sets) + 8ull * binding->set));
	descriptor =
		at_bytes(e, descriptor, sizeof(struct hearth_descriptor) * (uint64_t)binding->slot);
	if (index) {
		LLVMValueRef bytes = LLVMConstInt(e->i64, sizeof(struct hearth_descriptor), false);
		LLVMValueRef most = LLVMConstInt(e->i64, binding->count - 1, false);

		/* An index outside the array must not read what lies behind it. */
		index = hc_call2(e, "llvm.umin", index, most);
		descriptor = offset_pointer(e, descriptor, LLVMBuildMul(e->b, index, bytes, ""));
	}
	p->base = load_invariant(e, e->ptr, descriptor);
	if (want_limit)
		p->limit = load_invariant(e, e->i64, at_bytes(e, descriptor, 8));
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

static void step(struct hc_emit *e, struct place *p, uint32_t index, uint64_t bytes)
{
	struct hc_shape shape = hc_leaf_shape(e, index, 0);
	struct hc_id *id = hc_id(e->m, index);
	LLVMValueRef value;

	if (id->kind == HC_ID_CONSTANT) {
		p->constant += (uint32_t)id->constant[0] * bytes;
		return;
	}
	value = index_value(e, index, shape);
	value = LLVMBuildMul(e->b, value, hc_int(e, LLVMTypeOf(value), bytes), "");
	if (shape.kind == HC_VARYING) {
		p->varying = p->varying ? LLVMBuildAdd(e->b, p->varying, value, "") : value;
		return;
	}
	if (shape.kind == HC_AFFINE)
		p->stride += shape.stride * (int64_t)bytes;
	p->uniform = p->uniform ? LLVMBuildAdd(e->b, p->uniform, value, "") : value;
}

static void descend(struct hc_emit *e, struct place *p, uint32_t index)
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
						  : align_up(element->size, element->align));
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
static uint32_t chain_of(struct hc_emit *e, uint32_t pointer,
			 const struct hc_inst *chain[HC_MAX_DEPTH], uint32_t *length)
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

static void choose_buffer(struct hc_emit *e, struct place *p, const struct hc_id *root,
			  uint32_t index, bool want_limit)
{
	struct hc_shape shape = hc_leaf_shape(e, index, 0);
	LLVMValueRef value;

	if (!hc_is_scalar(shape))
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "an array of buffers indexed by a value that differs between lanes "
			 "(non-uniform indexing) is not supported");
	value = hc_lane0(e, index, 0);
	value = LLVMBuildZExtOrBitCast(e->b, value, e->i64, "");
	bind(e, p, root, value, want_limit);
	p->type = hc_type(e->m, p->type->element);
}

/* An address that is the same in all lanes, or grows from lane to lane, is a base; others make gathers. */
static void follow_address(struct hc_emit *e, struct place *p, uint32_t id)
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

static struct place find_place(struct hc_emit *e, uint32_t pointer, uint32_t *root_id)
{
	const struct hc_inst *chain[HC_MAX_DEPTH];
	struct place p = { 0 };
	bool robust = e->hc->info->flags & HC_COMPILE_ROBUST;
	uint32_t i, j, length, first = 1;
	struct hc_id *root;

	*root_id = chain_of(e, pointer, chain, &length);
	root = hc_id(e->m, *root_id);
	p.type = hc_type(e->m, hc_type_of(e->m, *root_id)->element);
	p.is_volatile = root->decorations & HC_DECORATED_VOLATILE;
	switch (root->kind == HC_ID_VARIABLE ? root->storage_class
					     : SpvStorageClassPhysicalStorageBuffer) {
	case SpvStorageClassPhysicalStorageBuffer:
		p.decorated = true;
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

/* ---- One scalar of each lane ---- */

static LLVMValueRef lane_offsets(struct hc_emit *e, const struct place *p, uint64_t extra)
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

static LLVMValueRef uniform_offset(struct hc_emit *e, const struct place *p, uint64_t extra)
{
	LLVMValueRef constant = LLVMConstInt(e->i64, p->constant + extra, false);

	return p->uniform ? LLVMBuildAdd(e->b, p->uniform, constant, "") : constant;
}

/* Lanes whose @bytes at @offsets lie inside the buffer. No sum is made that could wrap. */
static LLVMValueRef inside(struct hc_emit *e, const struct place *p, LLVMValueRef offsets,
			   uint64_t bytes)
{
	LLVMTypeRef type = LLVMTypeOf(offsets);
	bool vector = hc_is_vector(offsets);
	LLVMValueRef limit = vector ? hc_splat(e, p->limit) : p->limit;
	LLVMValueRef size = hc_int(e, type, bytes), room, fits;

	room = LLVMBuildSub(e->b, limit, size, "");
	fits = LLVMBuildICmp(e->b, LLVMIntUGE, limit, size, "");
	return LLVMBuildAnd(e->b, fits, LLVMBuildICmp(e->b, LLVMIntULE, offsets, room, ""), "");
}

enum form {
	FORM_SCALAR,
	FORM_VECTOR,
	FORM_LANES,
};

static enum form form_of(const struct place *p, uint64_t bytes)
{
	if (p->varying)
		return FORM_LANES;
	if (p->local)
		return p->stride ? FORM_LANES : FORM_VECTOR;
	if (!p->stride)
		return FORM_SCALAR;
	return p->stride == (int64_t)bytes ? FORM_VECTOR : FORM_LANES;
}

/* Byte addresses of all lanes. */
static LLVMValueRef lane_pointers(struct hc_emit *e, const struct place *p, uint64_t extra,
				  uint64_t bytes)
{
	LLVMValueRef offsets = lane_offsets(e, p, extra);

	if (p->local) {
		LLVMValueRef steps[64];
		uint32_t i;

		for (i = 0; i < e->lanes; i++)
			steps[i] = LLVMConstInt(e->i64, i * bytes, false);
		offsets = LLVMBuildMul(e->b, offsets, hc_int(e, LLVMTypeOf(offsets), e->lanes), "");
		offsets = LLVMBuildAdd(e->b, offsets, LLVMConstVector(steps, e->lanes), "");
	}
	return offset_pointer(e, p->base, offsets);
}

static LLVMValueRef vector_pointer(struct hc_emit *e, const struct place *p, uint64_t extra)
{
	LLVMValueRef offset = uniform_offset(e, p, extra);

	if (p->local)
		offset = LLVMBuildMul(e->b, offset, LLVMConstInt(e->i64, e->lanes, false), "");
	return offset_pointer(e, p->base, offset);
}

static LLVMValueRef allowed(struct hc_emit *e, const struct place *p, uint64_t extra,
			    uint64_t bytes)
{
	LLVMValueRef exec = hc_exec(e);

	if (!p->limit)
		return exec;
	return LLVMBuildAnd(e->b, exec, inside(e, p, lane_offsets(e, p, extra), bytes), "");
}

/*
 * x86 gathers words only, and LLVM makes branches of narrower ones. The aligned word around a narrow element lies on the same
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

static LLVMValueRef masked_load(struct hc_emit *e, LLVMTypeRef type, LLVMValueRef pointer,
				uint64_t align, LLVMValueRef mask)
{
	LLVMTypeRef types[] = { type, LLVMTypeOf(pointer) }, element = LLVMGetElementType(type);
	LLVMValueRef args[] = { pointer, LLVMConstInt(e->i32, align, false), mask,
				LLVMConstNull(type) };
	bool gather = hc_is_vector(pointer);

	if (gather && e->hc->target->arch == HC_ARCH_X86_64 &&
	    (element == e->i8 || element == e->i16))
		return gather_narrow(e, type, pointer, mask);
	return hc_intrinsic(e, gather ? "llvm.masked.gather" : "llvm.masked.load", types, 2, args,
			    4);
}

static void masked_store(struct hc_emit *e, LLVMValueRef value, LLVMValueRef pointer,
			 uint64_t align, LLVMValueRef mask)
{
	LLVMTypeRef types[] = { LLVMTypeOf(value), LLVMTypeOf(pointer) };
	LLVMValueRef args[] = { value, pointer, LLVMConstInt(e->i32, align, false), mask };
	bool scatter = hc_is_vector(pointer);

	hc_intrinsic(e, scatter ? "llvm.masked.scatter" : "llvm.masked.store", types, 2, args, 4);
}

/* 16 zero bytes in the image, to read where a buffer ends. */
static LLVMValueRef zeros(struct hc_emit *e)
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

static LLVMValueRef load_scalar(struct hc_emit *e, const struct place *p, uint64_t extra,
				struct hc_type *type)
{
	LLVMTypeRef element = type->kind == HC_TYPE_BOOL ? e->i32 : hc_scalar_type(e, type);
	LLVMValueRef pointer, value;

	switch (form_of(p, type->size)) {
	case FORM_SCALAR:
		pointer = vector_pointer(e, p, extra);
		if (p->limit)
			pointer = LLVMBuildSelect(
				e->b, inside(e, p, uniform_offset(e, p, extra), type->size),
				pointer, zeros(e), "");
		value = LLVMBuildLoad2(e->b, element, pointer, "");
		LLVMSetAlignment(value, (unsigned int)type->size);
		LLVMSetVolatile(value, p->is_volatile);
		break;
	case FORM_VECTOR:
		value = masked_load(e, hc_vector_of(e, element), vector_pointer(e, p, extra),
				    type->size, allowed(e, p, extra, type->size));
		break;
	default:
		value = masked_load(e, hc_vector_of(e, element),
				    lane_pointers(e, p, extra, type->size), type->size,
				    allowed(e, p, extra, type->size));
		break;
	}
	if (type->kind == HC_TYPE_BOOL)
		value = LLVMBuildICmp(e->b, LLVMIntNE, value, LLVMConstNull(LLVMTypeOf(value)), "");
	return value;
}

/* One of the lanes that all write to one place: the first that runs. */
static void store_to_one_place(struct hc_emit *e, const struct place *p, uint64_t extra,
			       struct hc_type *type, LLVMValueRef value)
{
	LLVMValueRef pointer = vector_pointer(e, p, extra), store;

	if (hc_is_vector(value))
		value = LLVMBuildExtractElement(e->b, value, hc_first_lane(e), "");
	if (p->limit) {
		LLVMValueRef nowhere = hc_local(e, LLVMArrayType2(e->i8, 16), "nowhere");

		LLVMSetAlignment(nowhere, 16);
		pointer =
			LLVMBuildSelect(e->b, inside(e, p, uniform_offset(e, p, extra), type->size),
					pointer, nowhere, "");
	}
	store = LLVMBuildStore(e->b, value, pointer);
	LLVMSetAlignment(store, (unsigned int)type->size);
	LLVMSetVolatile(store, p->is_volatile);
}

static void store_scalar(struct hc_emit *e, const struct place *p, uint64_t extra,
			 struct hc_type *type, uint32_t id, uint32_t leaf)
{
	enum form form = form_of(p, type->size);
	LLVMValueRef value = form == FORM_SCALAR && hc_is_scalar(hc_leaf_shape(e, id, leaf))
				     ? hc_lane0(e, id, leaf)
				     : hc_lanes(e, id, leaf);

	if (type->kind == HC_TYPE_BOOL)
		value = LLVMBuildZExt(e->b, value,
				      hc_is_vector(value) ? hc_vector_of(e, e->i32) : e->i32, "");
	switch (form) {
	case FORM_SCALAR:
		store_to_one_place(e, p, extra, type, value);
		break;
	case FORM_VECTOR:
		masked_store(e, value, vector_pointer(e, p, extra), type->size,
			     allowed(e, p, extra, type->size));
		break;
	default:
		masked_store(e, value, lane_pointers(e, p, extra, type->size), type->size,
			     allowed(e, p, extra, type->size));
		break;
	}
}

/* ---- Small vectors side by side ---- */

/* Does each lane have its own @count elements, right behind those of the lane before? */
static bool is_interleaved(const struct place *p, const struct hc_type *vector,
			   uint64_t element_bytes)
{
	return vector->kind == HC_TYPE_VECTOR && !p->local && !p->varying && !p->component_stride &&
	       vector->count <= 4 && p->stride == (int64_t)(vector->count * element_bytes);
}

/* The mask of lanes, each repeated for the elements of its vector. */
static LLVMValueRef repeat_mask(struct hc_emit *e, LLVMValueRef mask, uint32_t count)
{
	uint32_t i, index[256];

	for (i = 0; i < count * e->lanes; i++)
		index[i] = i / count;
	return hc_shuffle(e, mask, mask, index, count * e->lanes);
}

static void load_interleaved(struct hc_emit *e, const struct place *p, struct hc_type *vector,
			     uint32_t result)
{
	struct hc_type *element = hc_type(e->m, vector->element);
	uint32_t i, c, count = vector->count, index[64];
	LLVMTypeRef type = LLVMVectorType(hc_scalar_type(e, element), count * e->lanes);
	LLVMValueRef wide, mask = repeat_mask(e, allowed(e, p, 0, element->size * count), count);

	wide = masked_load(e, type, vector_pointer(e, p, 0), element->size, mask);
	for (c = 0; c < count; c++) {
		for (i = 0; i < e->lanes; i++)
			index[i] = i * count + c;
		hc_put(e, result, c, hc_shuffle(e, wide, wide, index, e->lanes));
	}
}

static void store_interleaved(struct hc_emit *e, const struct place *p, struct hc_type *vector,
			      uint32_t id)
{
	struct hc_type *element = hc_type(e->m, vector->element);
	uint32_t i, c, count = vector->count, index[256];
	LLVMValueRef mask = repeat_mask(e, allowed(e, p, 0, element->size * count), count);
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
	masked_store(e, wide, vector_pointer(e, p, 0), element->size, mask);
}

/* ---- Whole values ---- */

/* Calls load or store for each scalar of @type at @extra bytes behind the place. */
static void each_scalar(struct hc_emit *e, struct place *p, struct hc_type *type, uint64_t extra,
			uint32_t *leaf, uint32_t id, bool is_store)
{
	struct place inner = *p;
	struct hc_type *element;
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
		element = hc_type(e->m, type->element);
		size = p->decorated && type->stride ? type->stride
						    : align_up(element->size, element->align);
		for (i = 0; i < type->count; i++)
			each_scalar(e, p, element, extra + i * size, leaf, id, is_store);
		return;
	case HC_TYPE_MATRIX:
		element = hc_type(e->m, type->element);
		size = element->size;
		if (p->decorated && p->row_major) {
			inner.component_stride = p->matrix_stride;
			size = hc_type(e->m, element->element)->size;
		} else if (p->decorated && p->matrix_stride) {
			size = p->matrix_stride;
		}
		for (i = 0; i < type->count; i++)
			each_scalar(e, &inner, element, extra + i * size, leaf, id, is_store);
		return;
	case HC_TYPE_VECTOR:
		element = hc_type(e->m, type->element);
		size = p->component_stride ? p->component_stride : element->size;
		for (i = 0; i < type->count; i++)
			each_scalar(e, p, element, extra + i * size, leaf, id, is_store);
		return;
	default:
		if (is_store)
			store_scalar(e, p, extra, type, id, *leaf);
		else
			hc_put(e, id, *leaf, load_scalar(e, p, extra, type));
		(*leaf)++;
		return;
	}
}

/* ---- Built-in variables ---- */

/* The number of an invocation in its work-group: lane 0's, or all lanes'. */
static LLVMValueRef invocation(struct hc_emit *e, bool lanes)
{
	LLVMValueRef base =
		LLVMBuildMul(e->b, e->subgroup, LLVMConstInt(e->i32, e->lanes, false), "");

	return lanes ? LLVMBuildAdd(e->b, hc_splat(e, base), e->iota, "") : base;
}

static LLVMValueRef local_id(struct hc_emit *e, uint32_t component, bool lanes)
{
	const uint32_t *size = e->hc->local_size;
	LLVMValueRef index = invocation(e, lanes);
	LLVMTypeRef type = LLVMTypeOf(index);

	if (component)
		index = LLVMBuildUDiv(e->b, index,
				      hc_int(e, type, component == 1 ? size[0] : size[0] * size[1]),
				      "");
	if (component < 2)
		index = LLVMBuildURem(e->b, index, hc_int(e, type, size[component]), "");
	return index;
}

static LLVMValueRef subgroup_mask(struct hc_emit *e, uint32_t builtin, uint32_t component)
{
	LLVMValueRef lanes[64];
	uint32_t i;

	for (i = 0; i < e->lanes; i++) {
		uint64_t all = e->lanes == 64 ? UINT64_MAX : (1ull << e->lanes) - 1;
		uint64_t equal = 1ull << i, below = equal - 1, mask;

		switch (builtin) {
		case SpvBuiltInSubgroupEqMask:
			mask = equal;
			break;
		case SpvBuiltInSubgroupGeMask:
			mask = all & ~below;
			break;
		case SpvBuiltInSubgroupGtMask:
			mask = all & ~below & ~equal;
			break;
		case SpvBuiltInSubgroupLeMask:
			mask = below | equal;
			break;
		default:
			mask = below;
			break;
		}
		lanes[i] = LLVMConstInt(
			e->i32, component < 2 ? mask >> (32 * component) & 0xffffffff : 0, false);
	}
	return LLVMConstVector(lanes, e->lanes);
}

static LLVMValueRef builtin(struct hc_emit *e, uint32_t which, uint32_t component, bool lanes)
{
	const struct hc *hc = e->hc;
	LLVMValueRef value, base;

	switch (which) {
	case SpvBuiltInWorkgroupId:
		return e->group_id[component];
	case SpvBuiltInNumWorkgroups:
		return e->groups[component];
	case SpvBuiltInWorkgroupSize:
		return LLVMConstInt(e->i32, hc->local_size[component], false);
	case SpvBuiltInNumSubgroups:
		return LLVMConstInt(e->i32, hc->subgroups, false);
	case SpvBuiltInSubgroupSize:
		return LLVMConstInt(e->i32, hc->lanes, false);
	case SpvBuiltInSubgroupId:
		return e->subgroup;
	case SpvBuiltInSubgroupLocalInvocationId:
		return lanes ? e->iota : LLVMConstInt(e->i32, 0, false);
	case SpvBuiltInLocalInvocationIndex:
		return invocation(e, lanes);
	case SpvBuiltInLocalInvocationId:
		return local_id(e, component, lanes);
	case SpvBuiltInGlobalInvocationId:
		value = local_id(e, component, lanes);
		base = LLVMBuildMul(e->b, e->group_id[component],
				    LLVMConstInt(e->i32, hc->local_size[component], false), "");
		return LLVMBuildAdd(e->b, value, lanes ? hc_splat(e, base) : base, "");
	case SpvBuiltInSubgroupEqMask:
	case SpvBuiltInSubgroupGeMask:
	case SpvBuiltInSubgroupGtMask:
	case SpvBuiltInSubgroupLeMask:
	case SpvBuiltInSubgroupLtMask:
		return subgroup_mask(e, which, component);
	default:
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "built-in variable %u is not supported",
			 which);
	}
}

static void load_input(struct hc_emit *e, const struct hc_inst *inst, uint32_t root,
		       uint32_t component)
{
	uint32_t leaf, leaves = hc_type(e->m, inst->type)->leaves;
	uint32_t which = hc_id(e->m, root)->builtin;

	if (leaves + component > hc_type(e->m, hc_type_of(e->m, root)->element)->leaves)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "component %u of a built-in variable",
			 component);
	for (leaf = 0; leaf < leaves; leaf++)
		hc_put(e, inst->result, leaf,
		       builtin(e, which, component + leaf, hc_is_varying(e, inst->result, leaf)));
}

/* ---- Instructions ---- */

void hc_emit_load(struct hc_emit *e, const struct hc_inst *inst)
{
	const struct hc_inst *chain[HC_MAX_DEPTH];
	uint32_t root, length, leaf = 0;
	struct hc_type *type = hc_type(e->m, inst->type);
	struct place p;

	root = chain_of(e, inst->operand[0], chain, &length);
	if (hc_id(e->m, root)->kind == HC_ID_VARIABLE &&
	    hc_id(e->m, root)->storage_class == SpvStorageClassInput) {
		load_input(e, inst, root, length ? hc_constant_u32(e->m, chain[0]->operand[1]) : 0);
		return;
	}
	p = find_place(e, inst->operand[0], &root);
	if (inst->operands > 1 && inst->operand[1] & SpvMemoryAccessVolatileMask)
		p.is_volatile = true;
	if (type->kind == HC_TYPE_VECTOR && hc_is_varying(e, inst->result, 0) &&
	    is_interleaved(&p, type, hc_type(e->m, type->element)->size) &&
	    hc_type(e->m, type->element)->kind != HC_TYPE_BOOL)
		load_interleaved(e, &p, type, inst->result);
	else
		each_scalar(e, &p, type, 0, &leaf, inst->result, false);
}

void hc_emit_store(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_type *type = hc_type_of(e->m, inst->operand[1]);
	uint32_t root, leaf = 0;
	struct place p = find_place(e, inst->operand[0], &root);

	if (inst->operands > 2 && inst->operand[2] & SpvMemoryAccessVolatileMask)
		p.is_volatile = true;
	if (is_interleaved(&p, type,
			   type->kind == HC_TYPE_VECTOR ? hc_type(e->m, type->element)->size : 0) &&
	    hc_type(e->m, type->element)->kind != HC_TYPE_BOOL)
		store_interleaved(e, &p, type, inst->operand[1]);
	else
		each_scalar(e, &p, type, 0, &leaf, inst->operand[1], true);
}

/* Addresses may be used as values; where they are only followed, this is dead code. */
void hc_emit_address(struct hc_emit *e, const struct hc_inst *inst)
{
	bool varying = hc_is_varying(e, inst->result, 0);
	uint32_t root;
	struct place p = find_place(e, inst->result, &root);
	LLVMValueRef offset = varying ? lane_offsets(e, &p, 0) : uniform_offset(e, &p, 0), base;

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
	struct place p = { 0 };
	struct hc_id *id;
	LLVMValueRef size, offset;

	root = chain_of(e, inst->operand[0], chain, &length);
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
	offset = LLVMConstInt(e->i64, type->layout[member].offset, false);
	size = hc_call2(e, "llvm.usub.sat", p.limit, offset);
	size = LLVMBuildUDiv(e->b, size, LLVMConstInt(e->i64, array->stride, false), "");
	hc_put(e, inst->result, 0, LLVMBuildTrunc(e->b, size, e->i32, ""));
}

/* ---- Atomics ---- */

static LLVMAtomicRMWBinOp atomic_op(struct hc_emit *e, uint32_t op)
{
	switch (op) {
	case SpvOpAtomicExchange:
		return LLVMAtomicRMWBinOpXchg;
	case SpvOpAtomicIIncrement:
	case SpvOpAtomicIAdd:
		return LLVMAtomicRMWBinOpAdd;
	case SpvOpAtomicIDecrement:
	case SpvOpAtomicISub:
		return LLVMAtomicRMWBinOpSub;
	case SpvOpAtomicSMin:
		return LLVMAtomicRMWBinOpMin;
	case SpvOpAtomicUMin:
		return LLVMAtomicRMWBinOpUMin;
	case SpvOpAtomicSMax:
		return LLVMAtomicRMWBinOpMax;
	case SpvOpAtomicUMax:
		return LLVMAtomicRMWBinOpUMax;
	case SpvOpAtomicAnd:
		return LLVMAtomicRMWBinOpAnd;
	case SpvOpAtomicOr:
		return LLVMAtomicRMWBinOpOr;
	case SpvOpAtomicXor:
		return LLVMAtomicRMWBinOpXor;
	default:
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "%s is not supported", hc_op_name(op));
	}
}

/* What one lane does. Operands are already that lane's. */
static LLVMValueRef atomic_once(struct hc_emit *e, const struct hc_inst *inst, LLVMTypeRef type,
				LLVMValueRef pointer, LLVMValueRef x, LLVMValueRef y,
				uint64_t bytes)
{
	const LLVMAtomicOrdering order = LLVMAtomicOrderingSequentiallyConsistent;
	LLVMValueRef value;

	switch (inst->op) {
	case SpvOpAtomicLoad:
		value = LLVMBuildLoad2(e->b, type, pointer, "");
		LLVMSetOrdering(value, order);
		LLVMSetAlignment(value, (unsigned int)bytes);
		return value;
	case SpvOpAtomicStore:
		value = LLVMBuildStore(e->b, x, pointer);
		LLVMSetOrdering(value, order);
		LLVMSetAlignment(value, (unsigned int)bytes);
		return NULL;
	case SpvOpAtomicCompareExchange:
		/* SPIR-V has the value before the comparator. */
		value = LLVMBuildAtomicCmpXchg(e->b, pointer, y, x, order, order, false);
		return LLVMBuildExtractValue(e->b, value, 0, "");
	default:
		return LLVMBuildAtomicRMW(e->b, atomic_op(e, inst->op), pointer, x, order, false);
	}
}

static LLVMValueRef lane_of(struct hc_emit *e, LLVMValueRef value, LLVMValueRef lane)
{
	return value ? LLVMBuildExtractElement(e->b, value, lane, "") : NULL;
}

void hc_emit_atomic(struct hc_emit *e, const struct hc_inst *inst)
{
	bool is_store = inst->op == SpvOpAtomicStore,
	     exchange = inst->op == SpvOpAtomicCompareExchange;
	uint32_t root, value_at = exchange ? 4 : 3;
	struct place p = find_place(e, inst->operand[0], &root);
	LLVMTypeRef type = hc_scalar_type(e, p.type), vector = hc_vector_of(e, type);
	LLVMTypeRef bits_type = LLVMIntTypeInContext(e->context, e->lanes);
	LLVMValueRef pointers, x = NULL, y = NULL, bits, results, left, lane, value, args[2], one;
	LLVMBasicBlockRef loop, body, done;

	if (p.type->kind != HC_TYPE_INT || p.type->width < 32)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "%s on anything but 32- and 64-bit integers is not supported",
			 hc_op_name(inst->op));
	pointers = lane_pointers(e, &p, 0, p.type->size);
	if (is_store)
		x = hc_lanes(e, inst->operand[3], 0);
	else if (inst->op == SpvOpAtomicIIncrement || inst->op == SpvOpAtomicIDecrement)
		x = hc_int(e, vector, 1);
	else if (inst->op != SpvOpAtomicLoad)
		x = hc_lanes(e, inst->operand[value_at], 0);
	if (exchange)
		y = hc_lanes(e, inst->operand[5], 0);

	bits = hc_local(e, bits_type, "left");
	results = hc_local(e, vector, "");
	LLVMBuildStore(e->b, hc_mask_bits(e, allowed(e, &p, 0, p.type->size)), bits);
	LLVMBuildStore(e->b, LLVMConstNull(vector), results);
	loop = LLVMAppendBasicBlockInContext(e->context, e->function, "atomic");
	body = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	done = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, loop);
	left = LLVMBuildLoad2(e->b, bits_type, bits, "");
	LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntNE, left, LLVMConstNull(bits_type), ""),
			body, done);
	LLVMPositionBuilderAtEnd(e->b, body);
	args[0] = left;
	args[1] = LLVMConstInt(e->i1, 1, false);
	lane = hc_intrinsic(e, "llvm.cttz", &bits_type, 1, args, 2);
	one = LLVMConstInt(bits_type, 1, false);
	LLVMBuildStore(e->b, LLVMBuildAnd(e->b, left, LLVMBuildSub(e->b, left, one, ""), ""), bits);
	value = atomic_once(e, inst, type, lane_of(e, pointers, lane), lane_of(e, x, lane),
			    lane_of(e, y, lane), p.type->size);
	if (value) {
		LLVMValueRef all = LLVMBuildLoad2(e->b, vector, results, "");

		LLVMBuildStore(e->b, LLVMBuildInsertElement(e->b, all, value, lane, ""), results);
	}
	LLVMBuildBr(e->b, loop);
	LLVMPositionBuilderAtEnd(e->b, done);
	if (!is_store)
		hc_put(e, inst->result, 0, LLVMBuildLoad2(e->b, vector, results, ""));
}
