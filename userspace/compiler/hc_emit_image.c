// SPDX-License-Identifier: MIT
/*
 * Images: from coordinates to the addresses of texels, and the instructions that read, write and ask for sizes without a sampler. What is
 * not inside the image is not touched: it reads as zeros, and writing it does nothing.
 */
#include "hc_emit_image.h"

#include <hearth/kernel_abi.h>
#include <spirv/unified1/spirv.h>

#define FIELD(member) offsetof(struct hearth_image_descriptor, member)

/* ---- Descriptors ---- */

static LLVMValueRef descriptor_of(struct hc_emit *e, uint32_t pointer, bool sampler)
{
	const uint32_t image_kinds = 1u << HC_BINDING_IMAGE;
	const struct hc_inst *chain[HC_MAX_DEPTH];
	uint32_t length, root = hc_chain_of(e, pointer, chain, &length);
	const struct hc_id *variable = hc_id(e->m, root);
	LLVMValueRef index = NULL, out, inner;

	if (variable->kind != HC_ID_VARIABLE ||
	    variable->storage_class != SpvStorageClassUniformConstant)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "an image in storage class %u",
			 variable->storage_class);
	if (hc_type(e->m, hc_type_of(e->m, root)->element)->kind == HC_TYPE_ARRAY) {
		if (!length || chain[length - 1]->operands < 2)
			hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "an array of images used as a whole");
		index = hc_array_index(e, chain[length - 1]->operand[1]);
	}
	if (!sampler)
		return hc_descriptor(e, variable, index, image_kinds);
	/* A sampler may be half of a combined image sampler. */
	out = hc_descriptor(e, variable, index, image_kinds | 1u << HC_BINDING_SAMPLER);
	if (hc_find_binding(e, variable)->kind == HC_BINDING_SAMPLER)
		return out;
	inner = LLVMConstInt(e->i64, FIELD(sampler), false);
	return LLVMBuildGEP2(e->b, e->i8, out, &inner, 1, "");
}

struct hc_texture hc_find_texture(struct hc_emit *e, uint32_t image)
{
	return (struct hc_texture){
		.type = hc_type_of(e->m, image),
		.descriptor = descriptor_of(e, hc_image_pointer(e->m, image, false), false),
	};
}

LLVMValueRef hc_find_sampler(struct hc_emit *e, uint32_t image)
{
	return descriptor_of(e, hc_image_pointer(e->m, image, true), true);
}

LLVMValueRef hc_descriptor_field(struct hc_emit *e, LLVMValueRef descriptor, LLVMTypeRef type,
				 uint64_t offset)
{
	uint64_t align = type == e->i64 ? 8 : 4;
	LLVMValueRef bytes = LLVMConstInt(e->i64, offset, false), value;

	descriptor = LLVMBuildGEP2(e->b, e->i8, descriptor, &bytes, 1, "");
	if (hc_is_vector(descriptor))
		return hc_masked_load(e, hc_vector_of(e, type), descriptor, align, hc_exec(e));
	value = hc_load_invariant(e, type, descriptor);
	LLVMSetAlignment(value, (unsigned int)align);
	return hc_splat(e, value);
}

/* ---- Texels ---- */

uint32_t hc_image_dimensions(const struct hc_type *type)
{
	return type->dim == SpvDim3D ? 3 : type->dim == SpvDim2D ? 2 : 1;
}

LLVMValueRef hc_image_extent(struct hc_emit *e, const struct hc_texture *t, uint32_t i,
			     LLVMValueRef level)
{
	LLVMValueRef extent =
		hc_descriptor_field(e, t->descriptor, e->i32, FIELD(extent) + 4ull * i);

	if (!level || i >= hc_image_dimensions(t->type))
		return extent;
	/* A level that is not there has no extent either, but must not shift by too much. */
	level = hc_call2(e, "llvm.umin", level, hc_int(e, LLVMTypeOf(level), 31));
	extent = LLVMBuildLShr(e->b, extent, level, "");
	return hc_call2(e, "llvm.umax", extent, hc_int(e, LLVMTypeOf(extent), 1));
}

static LLVMValueRef widen(struct hc_emit *e, LLVMValueRef value)
{
	return LLVMBuildZExt(e->b, value, hc_vector_of(e, e->i64), "");
}

static LLVMValueRef times(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y)
{
	return LLVMBuildMul(e->b, widen(e, x), y, "");
}

LLVMValueRef hc_texel_pointers(struct hc_emit *e, const struct hc_texture *t,
			       const LLVMValueRef at[3], LLVMValueRef level, LLVMValueRef *inside)
{
	LLVMValueRef in = LLVMConstAllOnes(e->mask), y = at[1], offset, log2;
	uint32_t i;

	for (i = 0; i < 3; i++)
		if (at[i])
			in = LLVMBuildAnd(e->b, in,
					  LLVMBuildICmp(e->b, LLVMIntULT, at[i],
							hc_image_extent(e, t, i, level), ""),
					  "");
	if (level) {
		LLVMValueRef rows = hc_descriptor_field(e, t->descriptor, e->i32, FIELD(mip_rows));
		LLVMValueRef levels = hc_descriptor_field(e, t->descriptor, e->i32, FIELD(levels));
		LLVMValueRef shift =
			hc_call2(e, "llvm.umin", level, hc_int(e, LLVMTypeOf(level), 31));

		in = LLVMBuildAnd(e->b, in, LLVMBuildICmp(e->b, LLVMIntULT, level, levels, ""), "");
		rows = LLVMBuildSub(e->b, rows, LLVMBuildLShr(e->b, rows, shift, ""), "");
		rows = LLVMBuildAdd(e->b, rows, shift, "");
		y = y ? LLVMBuildAdd(e->b, y, rows, "") : rows;
	}
	log2 = hc_descriptor_field(e, t->descriptor, e->i32, FIELD(texel_log2));
	offset = LLVMBuildShl(e->b, widen(e, at[0]), widen(e, log2), "");
	if (y)
		offset = LLVMBuildAdd(e->b, offset,
				      times(e, y,
					    widen(e, hc_descriptor_field(e, t->descriptor, e->i32,
									 FIELD(row_bytes)))),
				      "");
	if (at[2])
		offset = LLVMBuildAdd(
			e->b, offset,
			times(e, at[2],
			      hc_descriptor_field(e, t->descriptor, e->i64, FIELD(slice_bytes))),
			"");
	offset = LLVMBuildAdd(e->b, offset,
			      hc_descriptor_field(e, t->descriptor, e->i64, FIELD(address)), "");
	*inside = in;
	return LLVMBuildIntToPtr(e->b, offset, hc_vector_of(e, e->ptr), "");
}

/* ---- Operands ---- */

struct hc_image_operands hc_read_image_operands(struct hc_emit *e, const struct hc_inst *inst,
						uint32_t first)
{
	const uint32_t known =
		SpvImageOperandsBiasMask | SpvImageOperandsLodMask | SpvImageOperandsGradMask |
		SpvImageOperandsConstOffsetMask | SpvImageOperandsOffsetMask |
		SpvImageOperandsMinLodMask | SpvImageOperandsMakeTexelAvailableMask |
		SpvImageOperandsMakeTexelVisibleMask | SpvImageOperandsNonPrivateTexelMask |
		SpvImageOperandsVolatileTexelMask | SpvImageOperandsSignExtendMask |
		SpvImageOperandsZeroExtendMask | SpvImageOperandsNontemporalMask;
	struct hc_image_operands out = { 0 };
	uint32_t at = first + 1;

	if (inst->operands <= first)
		return out;
	out.mask = inst->operand[first];
	if (out.mask & ~known)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "%s with image operands 0x%x is not supported", hc_op_name(inst->op),
			 out.mask & ~known);
	/* In the order of their bits. */
#define TAKE(bit, to)                                \
	if (out.mask & (bit) && at < inst->operands) \
	(to) = inst->operand[at++]
	TAKE(SpvImageOperandsBiasMask, out.bias);
	TAKE(SpvImageOperandsLodMask, out.lod);
	TAKE(SpvImageOperandsGradMask, out.grad[0]);
	TAKE(SpvImageOperandsGradMask, out.grad[1]);
	TAKE(SpvImageOperandsConstOffsetMask, out.offset);
	TAKE(SpvImageOperandsOffsetMask, out.offset);
	TAKE(SpvImageOperandsMinLodMask, out.min_lod);
#undef TAKE
	return out;
}

/* Integer coordinates: as many as are spatial, and the layer. */
static void coordinates(struct hc_emit *e, const struct hc_type *type, uint32_t id, uint32_t offset,
			LLVMValueRef at[3])
{
	uint32_t i, dimensions = hc_image_dimensions(type), leaves = hc_type_of(e->m, id)->leaves;
	LLVMTypeRef words = hc_vector_of(e, e->i32);

	at[0] = at[1] = at[2] = NULL;
	if (leaves < dimensions + type->arrayed)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "%u coordinates of an image of %u", leaves,
			 dimensions + type->arrayed);
	for (i = 0; i < dimensions; i++) {
		at[i] = LLVMBuildIntCast2(e->b, hc_lanes(e, id, i), words, false, "");
		if (offset && i < hc_type_of(e->m, offset)->leaves)
			at[i] = LLVMBuildAdd(e->b, at[i], hc_lanes(e, offset, i), "");
	}
	if (type->arrayed)
		at[2] = LLVMBuildIntCast2(e->b, hc_lanes(e, id, dimensions), words, false, "");
}

LLVMValueRef hc_texel_pointer(struct hc_emit *e, const struct hc_inst *inst, struct hc_type **type,
			      LLVMValueRef *mask)
{
	struct hc_texture t = { .type = hc_type(e->m,
						hc_type_of(e->m, inst->operand[0])->element) };
	LLVMValueRef at[3], pointers, inside;

	if (t.type->kind != HC_TYPE_IMAGE)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "OpImageTexelPointer into no image");
	t.descriptor = descriptor_of(e, inst->operand[0], false);
	coordinates(e, t.type, inst->operand[1], 0, at);
	pointers = hc_texel_pointers(e, &t, at, NULL, &inside);
	*type = hc_type(e->m, t.type->element);
	*mask = LLVMBuildAnd(e->b, hc_exec(e), inside, "");
	return pointers;
}

/* ---- Instructions ---- */

static LLVMValueRef level_of(struct hc_emit *e, uint32_t id)
{
	const struct hc_id *entry = id ? hc_id(e->m, id) : NULL;

	if (!entry || (entry->kind == HC_ID_CONSTANT && !entry->constant[0]))
		return NULL;
	return hc_lanes(e, id, 0);
}

static void emit_read(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_texture t = hc_find_texture(e, inst->operand[0]);
	struct hc_image_operands operands = hc_read_image_operands(e, inst, 2);
	bool is_signed = hc_type(e->m, t.type->element)->is_signed;
	LLVMValueRef at[3], pointers, inside, texel[4];
	uint32_t i, leaves = hc_type(e->m, inst->type)->leaves;

	if (operands.mask & SpvImageOperandsSignExtendMask)
		is_signed = true;
	if (operands.mask & SpvImageOperandsZeroExtendMask)
		is_signed = false;
	coordinates(e, t.type, inst->operand[1], operands.offset, at);
	pointers = hc_texel_pointers(e, &t, at, level_of(e, operands.lod), &inside);
	hc_load_texels(e, &t, pointers, LLVMBuildAnd(e->b, hc_exec(e), inside, ""), is_signed,
		       texel);
	for (i = 0; i < leaves && i < 4; i++)
		hc_put(e, inst->result, i, texel[i]);
}

static void emit_write(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_texture t = hc_find_texture(e, inst->operand[0]);
	struct hc_image_operands operands = hc_read_image_operands(e, inst, 3);
	uint32_t i, leaves = hc_type_of(e->m, inst->operand[2])->leaves;
	LLVMValueRef at[3], pointers, inside, texel[4];

	for (i = 0; i < 4; i++)
		texel[i] = hc_lanes(e, inst->operand[2], i < leaves ? i : leaves - 1);
	coordinates(e, t.type, inst->operand[1], operands.offset, at);
	pointers = hc_texel_pointers(e, &t, at, level_of(e, operands.lod), &inside);
	hc_store_texels(e, &t, pointers, LLVMBuildAnd(e->b, hc_exec(e), inside, ""), texel);
}

static void emit_size(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_texture t = hc_find_texture(e, inst->operand[0]);
	uint32_t i, dimensions = hc_image_dimensions(t.type),
		    leaves = hc_type(e->m, inst->type)->leaves;
	LLVMValueRef level = inst->operands > 1 ? level_of(e, inst->operand[1]) : NULL;

	for (i = 0; i < leaves && i < dimensions + t.type->arrayed; i++)
		hc_put(e, inst->result, i, hc_image_extent(e, &t, i < dimensions ? i : 2, level));
}

bool hc_emit_image(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_texture t;

	switch (inst->op) {
	case SpvOpSampledImage:
	case SpvOpImage:
	case SpvOpImageTexelPointer:
		/* Followed back from where they are used. */
		return true;
	case SpvOpImageRead:
	case SpvOpImageFetch:
		emit_read(e, inst);
		return true;
	case SpvOpImageWrite:
		emit_write(e, inst);
		return true;
	case SpvOpImageQuerySize:
	case SpvOpImageQuerySizeLod:
		emit_size(e, inst);
		return true;
	case SpvOpImageQueryLevels:
		t = hc_find_texture(e, inst->operand[0]);
		hc_put(e, inst->result, 0,
		       hc_descriptor_field(e, t.descriptor, e->i32, FIELD(levels)));
		return true;
	case SpvOpImageSampleExplicitLod:
	case SpvOpImageSampleDrefExplicitLod:
	case SpvOpImageSampleProjExplicitLod:
	case SpvOpImageSampleProjDrefExplicitLod:
	case SpvOpImageGather:
	case SpvOpImageDrefGather:
		hc_emit_sample(e, inst);
		return true;
	default:
		return false;
	}
}
