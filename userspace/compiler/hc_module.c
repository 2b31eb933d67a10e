// SPDX-License-Identifier: MIT
/*
 * Words to tables: types, constants, decorations and the instructions of the entry point. Knows every declaration
 * that a compute shader may have and refuses the rest by name. The words have been validated, yet nothing is indexed here
 * without a check.
 */
/* The header's helpers are C99 `inline` with no definition of their own. */
#define SPV_ENABLE_UTILITY_CODE
#define inline static inline
#include <spirv/unified1/spirv.h>
#undef inline
#include "hc_internal.h"

#include <string.h>

#define HEADER_WORDS 5

const char *hc_op_name(uint32_t op)
{
	return SpvOpToString((SpvOp)op);
}

struct hc_id *hc_id(struct hc_module *m, uint32_t id)
{
	if (id >= m->bound)
		hc_abort(m->hc, HC_ERROR_INVALID_SPIRV, "id %u is not below the bound %u", id,
			 m->bound);
	return &m->ids[id];
}

struct hc_type *hc_type(struct hc_module *m, uint32_t id)
{
	struct hc_type *type = hc_id(m, id)->as_type;

	if (!type)
		hc_abort(m->hc, HC_ERROR_INVALID_SPIRV, "id %u is no type", id);
	return type;
}

struct hc_type *hc_type_of(struct hc_module *m, uint32_t id)
{
	return hc_type(m, hc_id(m, id)->type);
}

bool hc_is_address(struct hc_module *m, uint32_t id)
{
	const struct hc_id *entry = id < m->bound ? &m->ids[id] : NULL;
	const struct hc_type *type;

	if (!entry || (entry->kind != HC_ID_VALUE && entry->kind != HC_ID_CONSTANT) ||
	    entry->type >= m->bound)
		return false;
	type = m->ids[entry->type].as_type;
	return type && type->storage_class == SpvStorageClassPhysicalStorageBuffer;
}

bool hc_is_block(struct hc_module *m, uint32_t id)
{
	return hc_id(m, id)->decorations & HC_DECORATED_BLOCK;
}

uint64_t hc_decorated_bytes(struct hc_module *m, const struct hc_type *type)
{
	uint64_t end, bytes = 0;
	uint32_t i;

	switch (type->kind) {
	case HC_TYPE_STRUCT:
		for (i = 0; i < type->count; i++) {
			const struct hc_type *member = hc_type(m, type->members[i]);

			end = hc_decorated_bytes(m, member);
			/* The strides of a matrix reach no farther than this many whole columns or rows. */
			if (member->kind == HC_TYPE_MATRIX && type->layout[i].matrix_stride)
				end = 4ull * type->layout[i].matrix_stride;
			end += type->layout[i].offset;
			bytes = end > bytes ? end : bytes;
		}
		return bytes;
	case HC_TYPE_ARRAY:
		return type->stride ? (uint64_t)type->stride * type->count : type->size;
	default:
		return type->size;
	}
}

bool hc_is_matrix(struct hc_module *m, uint32_t id)
{
	const struct hc_id *entry = id < m->bound ? &m->ids[id] : NULL;

	return entry && entry->kind == HC_ID_VALUE && entry->type < m->bound &&
	       m->ids[entry->type].as_type &&
	       m->ids[entry->type].as_type->kind == HC_TYPE_COOPERATIVE;
}

bool hc_is_atomic(uint32_t op)
{
	return (op >= SpvOpAtomicLoad && op <= SpvOpAtomicXor) || op == SpvOpAtomicFAddEXT ||
	       op == SpvOpAtomicFMinEXT || op == SpvOpAtomicFMaxEXT;
}

const struct hc_inst *hc_access_chain(struct hc_module *m, uint32_t pointer)
{
	const struct hc_id *id = hc_id(m, pointer);
	const struct hc_inst *inst = id->kind == HC_ID_VALUE ? &m->insts[id->index] : NULL;

	switch (inst ? inst->op : SpvOpNop) {
	case SpvOpAccessChain:
	case SpvOpInBoundsAccessChain:
	case SpvOpPtrAccessChain:
	case SpvOpInBoundsPtrAccessChain:
		return inst;
	default:
		return NULL;
	}
}

uint32_t hc_constant_u32(struct hc_module *m, uint32_t id)
{
	struct hc_id *c = hc_id(m, id);

	if (c->kind != HC_ID_CONSTANT || hc_type_of(m, id)->kind != HC_TYPE_INT)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "id %u, expected an integer constant", id);
	return (uint32_t)c->constant[0];
}

struct hc_type *hc_member_type(struct hc_module *m, struct hc_type *type, uint32_t index,
			       uint32_t *first_leaf)
{
	struct hc_type *member;

	switch (type->kind) {
	case HC_TYPE_STRUCT:
		if (index >= type->count)
			break;
		*first_leaf = type->layout[index].first_leaf;
		return hc_type(m, type->members[index]);
	case HC_TYPE_VECTOR:
	case HC_TYPE_MATRIX:
	case HC_TYPE_ARRAY:
	case HC_TYPE_COOPERATIVE:
		if (index >= type->count)
			break;
		member = hc_type(m, type->element);
		*first_leaf = index * member->leaves;
		return member;
	default:
		break;
	}
	hc_abort(m->hc, HC_ERROR_INVALID_SPIRV, "member %u of a type that has no such member",
		 index);
}

struct hc_type *hc_leaf_type(struct hc_module *m, struct hc_type *type, uint32_t leaf)
{
	uint32_t i, first;

	for (;;) {
		switch (type->kind) {
		case HC_TYPE_STRUCT:
			for (i = type->count - 1; i && type->layout[i].first_leaf > leaf; i--)
				;
			leaf -= type->layout[i].first_leaf;
			type = hc_type(m, type->members[i]);
			break;
		case HC_TYPE_VECTOR:
		case HC_TYPE_MATRIX:
		case HC_TYPE_ARRAY:
		case HC_TYPE_COOPERATIVE:
			type = hc_member_type(m, type, leaf / hc_type(m, type->element)->leaves,
					      &first);
			leaf -= first;
			break;
		default:
			return type;
		}
	}
}

/* ---- Types ---- */

static struct hc_type *new_type(struct hc_module *m, uint32_t id, enum hc_type_kind kind)
{
	struct hc_id *entry = hc_id(m, id);

	entry->kind = HC_ID_TYPE;
	entry->as_type = HC_NEW(m->hc, struct hc_type, 1);
	entry->as_type->kind = kind;
	return entry->as_type;
}

static uint32_t scaled_leaves(struct hc_module *m, const struct hc_type *element, uint64_t count)
{
	uint64_t leaves = element->leaves * count;

	(void)m;
	/* What is too large to be a value can still lie in memory. */
	return leaves > HC_MAX_LEAVES ? 0 : (uint32_t)leaves;
}

static void set_memory(struct hc_module *m, struct hc_type *type, const struct hc_type *element,
		       uint64_t count)
{
	uint64_t step = (element->size + element->align - 1) / element->align * element->align;

	type->align = element->align;
	if (__builtin_mul_overflow(step, count, &type->size) || type->size > UINT32_MAX)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "an array of %llu elements is too large",
			 (unsigned long long)count);
}

static void parse_struct(struct hc_module *m, struct hc_type *type, const uint32_t *w, uint32_t n)
{
	uint64_t offset = 0, leaves = 0;
	bool is_value = true, is_empty = true;
	uint32_t i;

	type->count = n;
	type->members = w;
	type->layout = HC_NEW(m->hc, struct hc_member, n + 1);
	type->align = 1;
	for (i = 0; i < n; i++) {
		const struct hc_type *member = hc_type(m, w[i]);
		uint32_t align = member->align ? member->align : 1;

		type->layout[i].builtin = HC_NONE;
		type->layout[i].first_leaf = (uint32_t)leaves;
		leaves += member->leaves;
		is_value &= member->leaves || member->is_empty;
		is_empty &= member->is_empty;
		offset = (offset + align - 1) / align * align;
		type->layout[i].own_offset = (uint32_t)offset;
		offset += member->size;
		if (align > type->align)
			type->align = align;
		if (offset > UINT32_MAX || leaves > UINT32_MAX)
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "a structure of over 4 GiB");
	}
	type->size = (offset + type->align - 1) / type->align * type->align;
	type->leaves = is_value && leaves <= HC_MAX_LEAVES ? (uint32_t)leaves : 0;
	type->is_empty = is_empty;
}

static void parse_number(struct hc_module *m, struct hc_type *type, uint32_t width)
{
	bool ok = type->kind == HC_TYPE_INT
			  ? width == 8 || width == 16 || width == 32 || width == 64
			  : width == 16 || width == 32 || width == 64;

	if (!ok)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "%s of %u bits is not supported",
			 type->kind == HC_TYPE_INT ? "an integer" : "a float", width);
	type->width = width;
	type->leaves = 1;
	type->size = type->align = width / 8;
}

/* Pointers to buffers that no binding leads to are values like other 64-bit integers. May be declared ahead. */
static struct hc_type *address_type(struct hc_module *m, uint32_t id)
{
	struct hc_type *type = hc_id(m, id)->as_type;

	if (!type)
		type = new_type(m, id, HC_TYPE_INT);
	parse_number(m, type, 64);
	return type;
}

/* Component e of a matrix, counted row by row, is leaf e / lanes of lane e mod lanes, whatever the matrix is used as. */
static void parse_matrix(struct hc_module *m, struct hc_type *type, const uint32_t *w)
{
	const struct hc_type *element = hc_type(m, w[1]);
	uint32_t lanes = m->hc->lanes;
	uint64_t components;

	if (hc_constant_u32(m, w[2]) != SpvScopeSubgroup)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
			 "a cooperative matrix of scope %u is not supported (supported: subgroup)",
			 hc_constant_u32(m, w[2]));
	if (element->kind != HC_TYPE_INT && element->kind != HC_TYPE_FLOAT)
		hc_abort(m->hc, HC_ERROR_INVALID_SPIRV, "a cooperative matrix of no numbers");
	type->element = w[1];
	type->rows = hc_constant_u32(m, w[3]);
	type->columns = hc_constant_u32(m, w[4]);
	type->use = hc_constant_u32(m, w[5]);
	components = (uint64_t)type->rows * type->columns;
	if (!components || components % lanes || components / lanes > HC_MAX_LEAVES ||
	    type->rows % 16 || type->columns % 16 || element->width == 64)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
			 "a cooperative matrix of %u x %u components of %u bits is not supported",
			 type->rows, type->columns, element->width);
	type->count = type->leaves = (uint32_t)(components / lanes);
	set_memory(m, type, element, type->count);
}

static void parse_image(struct hc_module *m, struct hc_type *type, const uint32_t *w)
{
	const struct hc_type *element = hc_type(m, w[1]);

	type->element = w[1];
	type->dim = w[2];
	type->arrayed = w[4];
	type->is_storage = w[6] == 2;
	type->format = w[7];
	if (element->width != 32 ||
	    (element->kind != HC_TYPE_INT && element->kind != HC_TYPE_FLOAT))
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
			 "an image of other than 32-bit numbers is not supported");
	if (w[5])
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "a multisampled image is not supported");
	if (w[2] != SpvDim1D && w[2] != SpvDim2D && w[2] != SpvDim3D && w[2] != SpvDimBuffer)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "an image of Dim %s is not supported",
			 SpvDimToString((SpvDim)w[2]));
}

/* Returns false if @op declares no type. */
static bool parse_type(struct hc_module *m, uint32_t op, const uint32_t *w, uint32_t n)
{
	struct hc_type *type, *element;
	uint32_t id = n ? w[0] : 0;

	switch (op) {
	case SpvOpTypeVoid:
		new_type(m, id, HC_TYPE_VOID);
		return true;
	case SpvOpTypeBool:
		type = new_type(m, id, HC_TYPE_BOOL);
		type->width = 1;
		type->leaves = 1;
		type->size = type->align = 4;
		return true;
	case SpvOpTypeInt:
		type = new_type(m, id, HC_TYPE_INT);
		parse_number(m, type, w[1]);
		type->is_signed = w[2];
		return true;
	case SpvOpTypeFloat:
		if (n > 2)
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "float encoding %u is not supported",
				 w[2]);
		type = new_type(m, id, HC_TYPE_FLOAT);
		parse_number(m, type, w[1]);
		return true;
	case SpvOpTypeVector:
	case SpvOpTypeMatrix:
		element = hc_type(m, w[1]);
		type = new_type(m, id, op == SpvOpTypeVector ? HC_TYPE_VECTOR : HC_TYPE_MATRIX);
		type->element = w[1];
		type->count = w[2];
		type->leaves = scaled_leaves(m, element, w[2]);
		set_memory(m, type, element, w[2]);
		return true;
	case SpvOpTypeArray:
		element = hc_type(m, w[1]);
		type = new_type(m, id, HC_TYPE_ARRAY);
		type->element = w[1];
		type->count = hc_constant_u32(m, w[2]);
		type->leaves = scaled_leaves(m, element, type->count);
		type->is_empty = element->is_empty;
		if (element->size)
			set_memory(m, type, element, type->count);
		return true;
	case SpvOpTypeRuntimeArray:
		type = new_type(m, id, HC_TYPE_ARRAY);
		type->element = w[1];
		type->align = hc_type(m, w[1])->align;
		return true;
	case SpvOpTypeStruct:
		parse_struct(m, new_type(m, id, HC_TYPE_STRUCT), w + 1, n - 1);
		return true;
	case SpvOpTypePointer:
		if (w[1] == SpvStorageClassPhysicalStorageBuffer)
			type = address_type(m, id);
		else
			type = new_type(m, id, HC_TYPE_POINTER);
		type->storage_class = w[1];
		type->element = w[2];
		return true;
	case SpvOpTypeCooperativeMatrixKHR:
		parse_matrix(m, new_type(m, id, HC_TYPE_COOPERATIVE), w);
		return true;
	case SpvOpTypeImage:
		parse_image(m, new_type(m, id, HC_TYPE_IMAGE), w);
		return true;
	case SpvOpTypeSampledImage:
		element = hc_type(m, w[1]);
		*new_type(m, id, HC_TYPE_IMAGE) = *element;
		return true;
	case SpvOpTypeSampler:
		new_type(m, id, HC_TYPE_SAMPLER);
		return true;
	case SpvOpTypeFunction:
		new_type(m, id, HC_TYPE_FUNCTION);
		return true;
	case SpvOpTypeForwardPointer:
		if (w[1] != SpvStorageClassPhysicalStorageBuffer)
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
				 "OpTypeForwardPointer to storage class %u is not supported", w[1]);
		address_type(m, id);
		return true;
	default:
		if (!strncmp(hc_op_name(op), "OpType", 6))
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "%s is not supported",
				 hc_op_name(op));
		return false;
	}
}

/* ---- Constants ---- */

static uint64_t *new_constant(struct hc_module *m, uint32_t type, uint32_t id)
{
	struct hc_type *t = hc_type(m, type);
	struct hc_id *entry = hc_id(m, id);
	uint64_t *leaves;

	if (!t->leaves && !t->is_empty)
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
			 "constant %u of over %u scalars is not supported", id, HC_MAX_LEAVES);
	leaves = HC_NEW(m->hc, uint64_t, t->leaves + 1);
	entry->kind = HC_ID_CONSTANT;
	entry->type = type;
	entry->constant = leaves;
	return leaves;
}

static bool parse_constant(struct hc_module *m, uint32_t op, const uint32_t *w, uint32_t n)
{
	uint32_t i, leaf = 0;
	struct hc_type *type;
	uint64_t *leaves;

	switch (op) {
	case SpvOpConstantTrue:
	case SpvOpConstantFalse:
		new_constant(m, w[0], w[1])[0] = op == SpvOpConstantTrue;
		return true;
	case SpvOpConstant:
		type = hc_type(m, w[0]);
		leaves = new_constant(m, w[0], w[1]);
		leaves[0] = w[2] | (n > 3 ? (uint64_t)w[3] << 32 : 0);
		if (type->width < 64)
			leaves[0] &= (1ull << type->width) - 1;
		return true;
	case SpvOpSpecConstantComposite: /* of undefined parts: others have become constants */
	case SpvOpConstantComposite:
		leaves = new_constant(m, w[0], w[1]);
		type = hc_type(m, w[0]);
		for (i = 2; i < n; i++) {
			struct hc_id *part = hc_id(m, w[i]);
			uint32_t count = hc_type_of(m, w[i])->leaves;

			if (part->kind != HC_ID_CONSTANT || count > type->leaves - leaf)
				hc_abort(m->hc, HC_ERROR_INVALID_SPIRV,
					 "constituent %u of constant %u", w[i], w[1]);
			memcpy(leaves + leaf, part->constant, count * sizeof(*leaves));
			leaf += count;
		}
		/* One constituent is what all components are. */
		for (; type->kind == HC_TYPE_COOPERATIVE && leaf && leaf < type->leaves; leaf++)
			leaves[leaf] = leaves[0];
		return true;
	case SpvOpConstantNull:
		/* One that is too large to be a value may still be what shared memory begins with. */
		if (!hc_type(m, w[0])->leaves && !hc_type(m, w[0])->is_empty)
			return true;
		new_constant(m, w[0], w[1]);
		return true;
	case SpvOpUndef:
		new_constant(m, w[0], w[1]);
		return true;
	case SpvOpSpecConstantOp:
		hc_constant_op(m, w, n, new_constant(m, w[0], w[1]));
		return true;
	default:
		if (!strncmp(hc_op_name(op), "OpConstant", 10) ||
		    !strncmp(hc_op_name(op), "OpSpecConstant", 14))
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "%s is not supported",
				 hc_op_name(op));
		return false;
	}
}

/* ---- Decorations, capabilities, modes ---- */

static void decorate(struct hc_module *m, uint32_t target, uint32_t decoration, const uint32_t *w,
		     uint32_t n)
{
	struct hc_id *id = hc_id(m, target);
	uint32_t value = n ? w[0] : 0;

	switch (decoration) {
	case SpvDecorationBuiltIn:
		id->builtin = value;
		break;
	case SpvDecorationDescriptorSet:
		id->set = value;
		break;
	case SpvDecorationBinding:
		id->binding = value;
		break;
	case SpvDecorationArrayStride:
		id->array_stride = value;
		break;
	case SpvDecorationBlock:
		id->decorations |= HC_DECORATED_BLOCK;
		break;
	case SpvDecorationVolatile:
		id->decorations |= HC_DECORATED_VOLATILE;
		break;
	case SpvDecorationCoherent:
		id->decorations |= HC_DECORATED_COHERENT;
		break;
	case SpvDecorationNoContraction:
		id->decorations |= HC_DECORATED_NO_CONTRACTION;
		break;
	case SpvDecorationNonWritable:
		id->decorations |= HC_DECORATED_NON_WRITABLE;
		break;
	case SpvDecorationFPRoundingMode:
		if (value == SpvFPRoundingModeRTZ)
			id->decorations |= HC_DECORATED_ROUND_TO_ZERO;
		else if (value != SpvFPRoundingModeRTE)
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "FPRoundingMode %u is not supported",
				 value);
		break;
	default:
		break;
	}
}

/* Decorations stand before the types they are for: members are kept until the types are known. */
static void decorate_member(struct hc_module *m, const uint32_t *w, uint32_t n)
{
	struct hc_type *type = hc_id(m, w[0])->as_type;
	struct hc_member *member;

	if (!type || type->kind != HC_TYPE_STRUCT || w[1] >= type->count)
		return;
	member = &type->layout[w[1]];
	switch (w[2]) {
	case SpvDecorationOffset:
		member->offset = n > 3 ? w[3] : 0;
		member->has_offset = true;
		break;
	case SpvDecorationMatrixStride:
		member->matrix_stride = n > 3 ? w[3] : 0;
		break;
	case SpvDecorationRowMajor:
		member->row_major = true;
		break;
	case SpvDecorationBuiltIn:
		member->builtin = n > 3 ? w[3] : 0;
		break;
	default:
		break;
	}
}

static void check_capability(struct hc_module *m, uint32_t capability)
{
	switch (capability) {
	case SpvCapabilityMatrix:
	case SpvCapabilityShader:
	case SpvCapabilityFloat16:
	case SpvCapabilityFloat64:
	case SpvCapabilityInt64:
	case SpvCapabilityInt16:
	case SpvCapabilityInt8:
	case SpvCapabilityInt64Atomics:
	case SpvCapabilityGroupNonUniform:
	case SpvCapabilityGroupNonUniformVote:
	case SpvCapabilityGroupNonUniformArithmetic:
	case SpvCapabilityGroupNonUniformBallot:
	case SpvCapabilityGroupNonUniformShuffle:
	case SpvCapabilityGroupNonUniformShuffleRelative:
	case SpvCapabilityGroupNonUniformClustered:
	case SpvCapabilityGroupNonUniformQuad:
	case SpvCapabilityUniformBufferArrayDynamicIndexing:
	case SpvCapabilityStorageBufferArrayDynamicIndexing:
	case SpvCapabilityStorageBuffer16BitAccess:
	case SpvCapabilityUniformAndStorageBuffer16BitAccess:
	case SpvCapabilityStoragePushConstant16:
	case SpvCapabilityStorageBuffer8BitAccess:
	case SpvCapabilityUniformAndStorageBuffer8BitAccess:
	case SpvCapabilityStoragePushConstant8:
	case SpvCapabilityPhysicalStorageBufferAddresses:
	case SpvCapabilityDotProduct:
	case SpvCapabilityDotProductInputAll:
	case SpvCapabilityDotProductInput4x8Bit:
	case SpvCapabilityDotProductInput4x8BitPacked:
	case SpvCapabilityAtomicFloat32AddEXT:
	case SpvCapabilityAtomicFloat64AddEXT:
	case SpvCapabilityAtomicFloat32MinMaxEXT:
	case SpvCapabilityAtomicFloat64MinMaxEXT:
	case SpvCapabilityGroupNonUniformRotateKHR:
	case SpvCapabilityExpectAssumeKHR:
	case SpvCapabilityShaderNonUniform:
	case SpvCapabilityRuntimeDescriptorArray:
	case SpvCapabilityUniformBufferArrayNonUniformIndexing:
	case SpvCapabilityStorageBufferArrayNonUniformIndexing:
	case SpvCapabilityVulkanMemoryModel:
	case SpvCapabilityVulkanMemoryModelDeviceScope:
	case SpvCapabilityRoundingModeRTE:
	case SpvCapabilitySignedZeroInfNanPreserve:
	case SpvCapabilityDenormPreserve:
	case SpvCapabilityDeviceGroup:
	case SpvCapabilityCooperativeMatrixKHR:
	case SpvCapabilityWorkgroupMemoryExplicitLayoutKHR:
	case SpvCapabilityWorkgroupMemoryExplicitLayout8BitAccessKHR:
	case SpvCapabilityWorkgroupMemoryExplicitLayout16BitAccessKHR:
	case SpvCapabilityStorageImageExtendedFormats:
	case SpvCapabilityStorageImageReadWithoutFormat:
	case SpvCapabilityStorageImageWriteWithoutFormat:
	case SpvCapabilityImageQuery:
	case SpvCapabilityImage1D:
	case SpvCapabilitySampled1D:
	case SpvCapabilityImageBuffer:
	case SpvCapabilitySampledBuffer:
	case SpvCapabilitySampledImageArrayDynamicIndexing:
	case SpvCapabilityStorageImageArrayDynamicIndexing:
	case SpvCapabilityUniformTexelBufferArrayDynamicIndexingEXT:
	case SpvCapabilityStorageTexelBufferArrayDynamicIndexingEXT:
	case SpvCapabilitySampledImageArrayNonUniformIndexing:
	case SpvCapabilityStorageImageArrayNonUniformIndexing:
	case SpvCapabilityUniformTexelBufferArrayNonUniformIndexingEXT:
	case SpvCapabilityStorageTexelBufferArrayNonUniformIndexingEXT:
		return;
	default:
		hc_abort(m->hc, HC_ERROR_UNSUPPORTED, "capability %s is not supported",
			 SpvCapabilityToString((SpvCapability)capability));
	}
}

static void find_entry(struct hc_module *m, const uint32_t *w, uint32_t n)
{
	const char *name = (const char *)(w + 2);
	size_t most = (n - 2) * sizeof(*w);

	if (n < 3 || strnlen(name, most) == most || strcmp(name, m->hc->info->entry_point))
		return;
	/* Entry points of other kinds of shaders may have the same name. */
	if (w[0] == SpvExecutionModelGLCompute)
		m->entry = w[1];
}

static void execution_mode(struct hc_module *m, const uint32_t *w, uint32_t n, bool by_id)
{
	uint32_t i;

	if (w[0] != m->entry)
		return;
	if (w[1] == SpvExecutionModeLocalSize || w[1] == SpvExecutionModeLocalSizeId)
		for (i = 0; i < 3 && i + 2 < n; i++)
			m->hc->local_size[i] = by_id ? hc_constant_u32(m, w[2 + i]) : w[2 + i];
}

/* ---- The function ---- */

/* A variable's initializer is a store where its life begins. */
static void initialize(struct hc_module *m, struct hc_block *block, uint32_t variable)
{
	uint32_t *operands = HC_NEW(m->hc, uint32_t, 2);

	operands[0] = variable;
	operands[1] = m->ids[variable].initializer;
	m->insts[m->inst_count] = (struct hc_inst){
		.op = SpvOpStore, .operands = 2, .operand = operands, .block = m->block_count - 1
	};
	block->last = m->inst_count++;
}

static void initialize_private(struct hc_module *m, struct hc_block *block)
{
	uint32_t id;

	for (id = 0; id < m->bound; id++)
		if (m->ids[id].kind == HC_ID_VARIABLE && m->ids[id].initializer &&
		    m->ids[id].storage_class == SpvStorageClassPrivate)
			initialize(m, block, id);
}

static void parse_code(struct hc_module *m, uint32_t op, const uint32_t *w, uint32_t n)
{
	struct hc_inst *inst;
	struct hc_block *block = m->block_count ? &m->blocks[m->block_count - 1] : NULL;
	bool has_result, has_type;
	uint32_t used = 0;

	if (op == SpvOpLabel) {
		struct hc_id *label = hc_id(m, w[0]);

		block = &m->blocks[m->block_count];
		block->label = w[0];
		block->first = m->inst_count;
		block->last = HC_NONE;
		label->kind = HC_ID_BLOCK;
		label->index = m->block_count++;
		if (m->block_count == 1)
			initialize_private(m, block);
		return;
	}
	if (!block || op == SpvOpLine || op == SpvOpNoLine || op == SpvOpNop)
		return;
	if (op == SpvOpSelectionMerge) {
		block->merge = w[0];
		return;
	}
	if (op == SpvOpLoopMerge) {
		block->merge = w[0];
		block->proceed = w[1];
		return;
	}
	SpvHasResultAndType((SpvOp)op, &has_result, &has_type);
	inst = &m->insts[m->inst_count];
	*inst = (struct hc_inst){ .op = (uint16_t)op };
	if (has_type)
		inst->type = w[used++];
	if (has_result)
		inst->result = w[used++];
	inst->operand = w + used;
	inst->operands = (uint16_t)(n - used);
	inst->block = m->block_count - 1;
	if (inst->result) {
		struct hc_id *id = hc_id(m, inst->result);

		id->kind = op == SpvOpVariable ? HC_ID_VARIABLE : HC_ID_VALUE;
		id->type = inst->type;
		id->index = m->inst_count;
		if (op == SpvOpVariable) {
			id->storage_class = inst->operand[0];
			id->initializer = inst->operands > 1 ? inst->operand[1] : 0;
			if (id->initializer)
				initialize(m, block, inst->result);
			return;
		}
		if (op == SpvOpUndef) {
			new_constant(m, inst->type, inst->result);
			return;
		}
	}
	block->last = m->inst_count++;
}

struct walk {
	uint32_t op;
	const uint32_t *w; /* operands, after the op word */
	uint32_t n;
};

static bool next(struct hc_module *m, size_t *offset, struct walk *at)
{
	uint32_t length;

	if (*offset >= m->word_count)
		return false;
	length = m->words[*offset] >> 16;
	if (!length || length > m->word_count - *offset)
		hc_abort(m->hc, HC_ERROR_INVALID_SPIRV,
			 "instruction at word %zu runs out of the module", *offset);
	at->op = m->words[*offset] & 0xffff;
	at->w = m->words + *offset + 1;
	at->n = length - 1;
	*offset += length;
	return true;
}

static void parse_declarations(struct hc_module *m)
{
	bool in_function = false, in_entry = false;
	size_t offset = HEADER_WORDS;
	uint32_t i;
	struct walk at;

	while (next(m, &offset, &at)) {
		if (at.op == SpvOpFunction) {
			in_function = true;
			in_entry = at.w[1] == m->entry;
			continue;
		}
		if (in_function) {
			if (in_entry && at.op != SpvOpFunctionEnd)
				parse_code(m, at.op, at.w, at.n);
			continue;
		}
		if (parse_type(m, at.op, at.w, at.n) || parse_constant(m, at.op, at.w, at.n))
			continue;
		switch (at.op) {
		case SpvOpCapability:
			check_capability(m, at.w[0]);
			break;
		case SpvOpEntryPoint:
			find_entry(m, at.w, at.n);
			break;
		case SpvOpExtInstImport:
			hc_id(m, at.w[0])->kind = HC_ID_IMPORT;
			if (!strcmp((const char *)(at.w + 1), "GLSL.std.450"))
				m->glsl = at.w[0];
			hc_id(m, at.w[0])->is_ignored =
				!strncmp((const char *)(at.w + 1), "NonSemantic.", 12);
			break;
		case SpvOpDecorate:
			decorate(m, at.w[0], at.w[1], at.w + 2, at.n - 2);
			break;
		case SpvOpVariable:
			hc_id(m, at.w[1])->kind = HC_ID_VARIABLE;
			hc_id(m, at.w[1])->type = at.w[0];
			hc_id(m, at.w[1])->storage_class = at.w[2];
			hc_id(m, at.w[1])->initializer = at.n > 3 ? at.w[3] : 0;
			break;
		default:
			break;
		}
	}
	/* What refers to types or constants that stand behind it. */
	offset = HEADER_WORDS;
	while (next(m, &offset, &at)) {
		if (at.op == SpvOpMemberDecorate)
			decorate_member(m, at.w, at.n);
		if (at.op == SpvOpExecutionMode || at.op == SpvOpExecutionModeId)
			execution_mode(m, at.w, at.n, at.op == SpvOpExecutionModeId);
	}
	for (i = 0; i < m->bound; i++) {
		struct hc_id *id = &m->ids[i];

		if (id->as_type)
			id->as_type->stride = id->array_stride;
		if (id->builtin == SpvBuiltInWorkgroupSize && id->kind == HC_ID_CONSTANT &&
		    hc_type(m, id->type)->leaves == 3) {
			uint32_t j;

			for (j = 0; j < 3; j++)
				m->hc->local_size[j] = (uint32_t)id->constant[j];
		}
	}
}

struct hc_module *hc_module_parse(struct hc *hc, const uint32_t *words, size_t word_count)
{
	struct hc_module *m = HC_NEW(hc, struct hc_module, 1);
	size_t offset = HEADER_WORDS, insts = 0, blocks = 0;
	struct walk at;
	uint32_t i;

	m->hc = hc;
	m->words = words;
	m->word_count = word_count;
	m->bound = words[3];
	if (m->bound > HC_MAX_IDS)
		hc_abort(hc, HC_ERROR_UNSUPPORTED, "id bound %u, at most %u are handled", m->bound,
			 HC_MAX_IDS);
	m->ids = HC_NEW(hc, struct hc_id, m->bound + 1);
	for (i = 0; i < m->bound; i++)
		m->ids[i].builtin = HC_NONE;
	while (next(m, &offset, &at)) {
		insts++;
		blocks += at.op == SpvOpLabel;
	}
	m->insts = HC_NEW(hc, struct hc_inst, insts + 1);
	m->blocks = HC_NEW(hc, struct hc_block, blocks + 1);
	hc->local_size[0] = hc->local_size[1] = hc->local_size[2] = 1;
	parse_declarations(m);
	if (!m->entry)
		hc_abort(hc, HC_ERROR_INVALID_ARGUMENT, "no entry point \"%s\" of a compute shader",
			 hc->info->entry_point);
	if (!m->block_count)
		hc_abort(hc, HC_ERROR_INVALID_SPIRV, "entry point \"%s\" has no code",
			 hc->info->entry_point);
	for (i = 0; i < m->block_count; i++)
		if (m->blocks[i].last == HC_NONE || m->blocks[i].last < m->blocks[i].first)
			hc_abort(hc, HC_ERROR_INVALID_SPIRV, "block %u has no code",
				 m->blocks[i].label);
	for (i = 0; i < 3; i++)
		if (!hc->local_size[i] || hc->local_size[i] > 65536)
			hc_abort(hc, HC_ERROR_INVALID_SPIRV, "local size %u x %u x %u",
				 hc->local_size[0], hc->local_size[1], hc->local_size[2]);
	if ((uint64_t)hc->local_size[0] * hc->local_size[1] * hc->local_size[2] > 4096)
		hc_abort(hc, HC_ERROR_UNSUPPORTED,
			 "work-group of %u x %u x %u invocations, at most 4096 are handled",
			 hc->local_size[0], hc->local_size[1], hc->local_size[2]);
	hc->invocations = hc->local_size[0] * hc->local_size[1] * hc->local_size[2];
	hc->subgroups = (hc->invocations + hc->lanes - 1) / hc->lanes;
	return m;
}
