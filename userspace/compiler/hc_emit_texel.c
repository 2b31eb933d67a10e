// SPDX-License-Identifier: MIT
/*
 * Texels to numbers and back. Where the shader names the format, what it is made of is constant, and LLVM folds all that depends on
 * it; otherwise the same code reads it from the descriptor. No format has a branch of its own.
 */
#include "hc_emit_image.h"

#include <hearth/kernel_abi.h>
#include <spirv/unified1/spirv.h>

#define FIELD(member) offsetof(struct hearth_image_descriptor, member)

/* A component of the format. @kind, @offset, @width: i32 of all lanes; @known: what they are, if the shader says so. */
struct part {
	const struct hearth_component *known;
	struct hearth_component constant;
	LLVMValueRef kind, offset, width;
};

/* @bytes: of a texel, 0 if only the descriptor knows. */
struct form {
	uint32_t bytes;
	struct part parts[4];
	LLVMValueRef texel_log2;
};

struct format {
	uint8_t kind, width, count;
};

#define FLOAT HEARTH_COMPONENT_FLOAT
#define UNORM HEARTH_COMPONENT_UNORM
#define SNORM HEARTH_COMPONENT_SNORM
#define SINT  HEARTH_COMPONENT_SINT
#define UINT  HEARTH_COMPONENT_UINT

static const struct format formats[] = {
	[SpvImageFormatRgba32f] = { FLOAT, 32, 4 },
	[SpvImageFormatRgba16f] = { FLOAT, 16, 4 },
	[SpvImageFormatR32f] = { FLOAT, 32, 1 },
	[SpvImageFormatRgba8] = { UNORM, 8, 4 },
	[SpvImageFormatRgba8Snorm] = { SNORM, 8, 4 },
	[SpvImageFormatRg32f] = { FLOAT, 32, 2 },
	[SpvImageFormatRg16f] = { FLOAT, 16, 2 },
	[SpvImageFormatR16f] = { FLOAT, 16, 1 },
	[SpvImageFormatRgba16] = { UNORM, 16, 4 },
	[SpvImageFormatRg16] = { UNORM, 16, 2 },
	[SpvImageFormatRg8] = { UNORM, 8, 2 },
	[SpvImageFormatR16] = { UNORM, 16, 1 },
	[SpvImageFormatR8] = { UNORM, 8, 1 },
	[SpvImageFormatRgba16Snorm] = { SNORM, 16, 4 },
	[SpvImageFormatRg16Snorm] = { SNORM, 16, 2 },
	[SpvImageFormatRg8Snorm] = { SNORM, 8, 2 },
	[SpvImageFormatR16Snorm] = { SNORM, 16, 1 },
	[SpvImageFormatR8Snorm] = { SNORM, 8, 1 },
	[SpvImageFormatRgba32i] = { SINT, 32, 4 },
	[SpvImageFormatRgba16i] = { SINT, 16, 4 },
	[SpvImageFormatRgba8i] = { SINT, 8, 4 },
	[SpvImageFormatR32i] = { SINT, 32, 1 },
	[SpvImageFormatRg32i] = { SINT, 32, 2 },
	[SpvImageFormatRg16i] = { SINT, 16, 2 },
	[SpvImageFormatRg8i] = { SINT, 8, 2 },
	[SpvImageFormatR16i] = { SINT, 16, 1 },
	[SpvImageFormatR8i] = { SINT, 8, 1 },
	[SpvImageFormatRgba32ui] = { UINT, 32, 4 },
	[SpvImageFormatRgba16ui] = { UINT, 16, 4 },
	[SpvImageFormatRgba8ui] = { UINT, 8, 4 },
	[SpvImageFormatR32ui] = { UINT, 32, 1 },
	[SpvImageFormatRg32ui] = { UINT, 32, 2 },
	[SpvImageFormatRg16ui] = { UINT, 16, 2 },
	[SpvImageFormatRg8ui] = { UINT, 8, 2 },
	[SpvImageFormatR16ui] = { UINT, 16, 1 },
	[SpvImageFormatR8ui] = { UINT, 8, 1 },
};

static LLVMValueRef word(struct hc_emit *e, uint32_t value)
{
	return hc_int(e, hc_vector_of(e, e->i32), value);
}

/* What the descriptor says of a component. */
static void read_part(struct hc_emit *e, const struct hc_texture *t, uint32_t i, struct part *p)
{
	LLVMValueRef all =
		hc_descriptor_field(e, t->descriptor, e->i32, FIELD(components) + 4ull * i);

	p->kind = LLVMBuildAnd(e->b, all, word(e, 255), "");
	p->offset = LLVMBuildAnd(e->b, LLVMBuildLShr(e->b, all, word(e, 8), ""), word(e, 255), "");
	p->width = LLVMBuildAnd(e->b, LLVMBuildLShr(e->b, all, word(e, 16), ""), word(e, 255), "");
}

/* Formats without a regular form, and images that are sampled, say it at run time. */
static void find_form(struct hc_emit *e, const struct hc_texture *t, struct form *form)
{
	uint32_t i, id = t->type->format;
	const struct format *f = t->type->is_storage && id < sizeof(formats) / sizeof(formats[0]) &&
						 formats[id].count
					 ? &formats[id]
					 : NULL;

	form->bytes = f ? f->width * f->count / 8u : 0;
	form->texel_log2 = hc_descriptor_field(e, t->descriptor, e->i32, FIELD(texel_log2));
	for (i = 0; i < 4; i++) {
		struct part *p = &form->parts[i];

		p->known = NULL;
		if (!f) {
			read_part(e, t, i, p);
			continue;
		}
		p->constant = (struct hearth_component){ .width = 32, .offset = i == 3 };
		if (i < f->count)
			p->constant = (struct hearth_component){ .kind = f->kind,
								 .offset = (uint8_t)(i * f->width),
								 .width = f->width };
		p->known = &p->constant;
		p->kind = word(e, p->constant.kind);
		p->offset = word(e, p->constant.offset);
		p->width = word(e, p->constant.width);
	}
}

static LLVMValueRef is_kind(struct hc_emit *e, const struct part *p, uint32_t kind)
{
	return LLVMBuildICmp(e->b, LLVMIntEQ, p->kind, word(e, kind), "");
}

static bool may_be(const struct part *p, uint32_t kind)
{
	return !p->known || p->known->kind == kind;
}

/* ---- Reading ---- */

static LLVMValueRef at_least(struct hc_emit *e, const struct form *form, uint32_t log2)
{
	return LLVMBuildICmp(e->b, LLVMIntUGE, form->texel_log2, word(e, log2), "");
}

static LLVMValueRef offset_by(struct hc_emit *e, LLVMValueRef pointers, uint64_t bytes)
{
	LLVMValueRef offset = LLVMConstInt(e->i64, bytes, false);

	return bytes ? LLVMBuildGEP2(e->b, e->i8, pointers, &offset, 1, "") : pointers;
}

/*
 * The texels' 32-bit words. One of fewer bytes lies within an aligned word: that is read, and shifted. Returns how many there
 * may be.
 */
static uint32_t load_words(struct hc_emit *e, const struct form *form, LLVMValueRef pointers,
			   LLVMValueRef mask, LLVMValueRef words[4])
{
	LLVMTypeRef type = hc_vector_of(e, e->i32), longs = hc_vector_of(e, e->i64);
	uint32_t i, count = form->bytes ? (form->bytes + 3) / 4 : 4;
	LLVMValueRef shift = NULL, address;

	if (form->bytes < 4) {
		address = LLVMBuildPtrToInt(e->b, pointers, longs, "");
		shift = LLVMBuildTrunc(e->b, address, type, "");
		shift = LLVMBuildShl(e->b, LLVMBuildAnd(e->b, shift, word(e, 3), ""), word(e, 3),
				     "");
		address = LLVMBuildAnd(e->b, address, hc_int(e, longs, ~3ull), "");
		pointers = LLVMBuildIntToPtr(e->b, address, LLVMTypeOf(pointers), "");
	}
	for (i = 0; i < count; i++) {
		LLVMValueRef some = mask;

		if (!form->bytes && i)
			some = LLVMBuildAnd(e->b, mask, at_least(e, form, i == 1 ? 3 : 4), "");
		words[i] = hc_masked_load(e, type, offset_by(e, pointers, 4ull * i), 4, some);
	}
	if (shift)
		words[0] = LLVMBuildLShr(e->b, words[0], shift, "");
	return count;
}

/* The word that a component lies in, shifted so that it begins at bit 0. */
static LLVMValueRef bits_of(struct hc_emit *e, const struct part *p, const LLVMValueRef words[4],
			    uint32_t count)
{
	LLVMValueRef bits = words[0], index;
	uint32_t i;

	if (p->known) {
		bits = words[p->known->offset / 32];
	} else {
		index = LLVMBuildLShr(e->b, p->offset, word(e, 5), "");
		for (i = 1; i < count; i++)
			bits = LLVMBuildSelect(
				e->b, LLVMBuildICmp(e->b, LLVMIntEQ, index, word(e, i), ""),
				words[i], bits, "");
	}
	return LLVMBuildLShr(e->b, bits, LLVMBuildAnd(e->b, p->offset, word(e, 31), ""), "");
}

static const struct hc_type half = { .kind = HC_TYPE_FLOAT, .width = 16 };

/* Floats of 11 and 10 bits are halves without a sign and without their last bits: how many those are. */
static LLVMValueRef missing_bits(struct hc_emit *e, const struct part *p)
{
	LLVMValueRef small = LLVMBuildICmp(e->b, LLVMIntULT, p->width, word(e, 16), "");

	return LLVMBuildSelect(e->b, small, LLVMBuildSub(e->b, word(e, 15), p->width, ""),
			       word(e, 0), "");
}

static LLVMValueRef read_float(struct hc_emit *e, const struct part *p, LLVMValueRef bits,
			       LLVMValueRef whole)
{
	LLVMTypeRef floats = hc_vector_of(e, e->f32);
	LLVMValueRef is_whole = LLVMBuildICmp(e->b, LLVMIntEQ, p->width, word(e, 32), ""), value;

	if (p->known && p->known->width == 32)
		return LLVMBuildBitCast(e->b, bits, floats, "");
	value = LLVMBuildShl(e->b, whole, missing_bits(e, p), "");
	value = hc_widen(e, &half, LLVMBuildTrunc(e->b, value, hc_vector_of(e, e->i16), ""));
	if (p->known)
		return value;
	return LLVMBuildSelect(e->b, is_whole, LLVMBuildBitCast(e->b, bits, floats, ""), value, "");
}

/* One component as a float. */
static LLVMValueRef decode_float(struct hc_emit *e, const struct part *p, LLVMValueRef bits)
{
	LLVMTypeRef floats = hc_vector_of(e, e->f32);
	LLVMValueRef up = LLVMBuildSub(e->b, word(e, 32), p->width, "");
	LLVMValueRef top = LLVMBuildShl(e->b, bits, up, ""),
		     whole = LLVMBuildLShr(e->b, top, up, "");
	LLVMValueRef value = LLVMBuildUIToFP(e->b, p->offset, floats, ""), other, most;

	if (p->known && p->known->kind == HEARTH_COMPONENT_CONSTANT)
		return value;
	if (may_be(p, UNORM)) {
		most = LLVMBuildUIToFP(e->b, LLVMBuildLShr(e->b, word(e, ~0u), up, ""), floats, "");
		other = LLVMBuildFDiv(e->b, LLVMBuildUIToFP(e->b, whole, floats, ""), most, "");
		value = LLVMBuildSelect(e->b, is_kind(e, p, UNORM), other, value, "");
	}
	if (may_be(p, SNORM)) {
		most = LLVMBuildLShr(e->b, word(e, INT32_MAX), up, "");
		other = LLVMBuildSIToFP(e->b, LLVMBuildAShr(e->b, top, up, ""), floats, "");
		other = LLVMBuildFDiv(e->b, other, LLVMBuildUIToFP(e->b, most, floats, ""), "");
		other = hc_call2(e, "llvm.maxnum", other, hc_splat(e, LLVMConstReal(e->f32, -1.0)));
		value = LLVMBuildSelect(e->b, is_kind(e, p, SNORM), other, value, "");
	}
	if (may_be(p, FLOAT))
		value = LLVMBuildSelect(e->b, is_kind(e, p, FLOAT), read_float(e, p, bits, whole),
					value, "");
	return value;
}

static LLVMValueRef decode_integer(struct hc_emit *e, const struct part *p, LLVMValueRef bits,
				   bool is_signed)
{
	LLVMValueRef up = LLVMBuildSub(e->b, word(e, 32), p->width, "");
	LLVMValueRef top = LLVMBuildShl(e->b, bits, up, "");

	top = is_signed ? LLVMBuildAShr(e->b, top, up, "") : LLVMBuildLShr(e->b, top, up, "");
	return LLVMBuildSelect(e->b, is_kind(e, p, HEARTH_COMPONENT_CONSTANT), p->offset, top, "");
}

void hc_load_texels(struct hc_emit *e, const struct hc_texture *t, LLVMValueRef pointers,
		    LLVMValueRef mask, bool is_signed, LLVMValueRef out[4])
{
	bool is_float = hc_type(e->m, t->type->element)->kind == HC_TYPE_FLOAT;
	LLVMValueRef words[4] = { 0 }, bits;
	struct form form;
	uint32_t i, count;

	find_form(e, t, &form);
	count = load_words(e, &form, pointers, mask, words);
	for (i = 0; i < 4; i++) {
		bits = bits_of(e, &form.parts[i], words, count);
		out[i] = is_float ? decode_float(e, &form.parts[i], bits)
				  : decode_integer(e, &form.parts[i], bits, is_signed);
		out[i] = LLVMBuildSelect(e->b, mask, out[i], LLVMConstNull(LLVMTypeOf(out[i])), "");
	}
}

/* ---- Writing ---- */

/* A number from @low to 1 as a whole one; what is none becomes 0. */
static LLVMValueRef scale(struct hc_emit *e, LLVMValueRef value, double low, LLVMValueRef most)
{
	LLVMTypeRef floats = hc_vector_of(e, e->f32);

	value = LLVMBuildSelect(e->b, LLVMBuildFCmp(e->b, LLVMRealUNO, value, value, ""),
				LLVMConstNull(floats), value, "");
	value = hc_call2(e, "llvm.maxnum", value, hc_splat(e, LLVMConstReal(e->f32, low)));
	value = hc_call2(e, "llvm.minnum", value, hc_splat(e, LLVMConstReal(e->f32, 1.0)));
	value = LLVMBuildFMul(e->b, value, LLVMBuildUIToFP(e->b, most, floats, ""), "");
	value = hc_call1(e, "llvm.rint", value);
	return LLVMBuildFPToSI(e->b, value, hc_vector_of(e, e->i32), "");
}

static LLVMValueRef write_float(struct hc_emit *e, const struct part *p, LLVMValueRef value)
{
	LLVMTypeRef words = hc_vector_of(e, e->i32);
	LLVMValueRef whole = LLVMBuildBitCast(e->b, value, words, ""), small, negative;

	if (p->known && p->known->width == 32)
		return whole;
	small = LLVMBuildZExt(e->b, hc_narrow(e, &half, value), words, "");
	/* What has no sign has no numbers below 0. */
	negative = LLVMBuildAnd(e->b, LLVMBuildICmp(e->b, LLVMIntULT, p->width, word(e, 16), ""),
				LLVMBuildICmp(e->b, LLVMIntSLT, whole, word(e, 0), ""), "");
	small = LLVMBuildSelect(e->b, negative, word(e, 0), small, "");
	small = LLVMBuildLShr(e->b, small, missing_bits(e, p), "");
	return LLVMBuildSelect(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, p->width, word(e, 32), ""),
			       whole, small, "");
}

static LLVMValueRef encode(struct hc_emit *e, const struct part *p, LLVMValueRef value,
			   bool is_float)
{
	LLVMValueRef up = LLVMBuildSub(e->b, word(e, 32), p->width, ""), bits = value;

	if (is_float) {
		bits = word(e, 0);
		if (may_be(p, UNORM))
			bits = LLVMBuildSelect(
				e->b, is_kind(e, p, UNORM),
				scale(e, value, 0.0, LLVMBuildLShr(e->b, word(e, ~0u), up, "")),
				bits, "");
		if (may_be(p, SNORM))
			bits = LLVMBuildSelect(
				e->b, is_kind(e, p, SNORM),
				scale(e, value, -1.0,
				      LLVMBuildLShr(e->b, word(e, INT32_MAX), up, "")),
				bits, "");
		if (may_be(p, FLOAT))
			bits = LLVMBuildSelect(e->b, is_kind(e, p, FLOAT), write_float(e, p, value),
					       bits, "");
	}
	bits = LLVMBuildLShr(e->b, LLVMBuildShl(e->b, bits, up, ""), up, "");
	bits = LLVMBuildSelect(e->b, is_kind(e, p, HEARTH_COMPONENT_CONSTANT), word(e, 0), bits,
			       "");
	return LLVMBuildShl(e->b, bits, LLVMBuildAnd(e->b, p->offset, word(e, 31), ""), "");
}

static void store_narrow(struct hc_emit *e, const struct form *form, LLVMValueRef pointers,
			 LLVMValueRef mask, LLVMValueRef value)
{
	uint32_t log2;

	for (log2 = 0; log2 < 2; log2++) {
		LLVMValueRef some = mask;

		if (form->bytes && form->bytes != 1u << log2)
			continue;
		if (!form->bytes)
			some = LLVMBuildAnd(
				e->b, mask,
				LLVMBuildICmp(e->b, LLVMIntEQ, form->texel_log2, word(e, log2), ""),
				"");
		hc_masked_store(
			e, LLVMBuildTrunc(e->b, value, hc_vector_of(e, log2 ? e->i16 : e->i8), ""),
			pointers, 1u << log2, some);
	}
}

void hc_store_texels(struct hc_emit *e, const struct hc_texture *t, LLVMValueRef pointers,
		     LLVMValueRef mask, const LLVMValueRef in[4])
{
	bool is_float = hc_type(e->m, t->type->element)->kind == HC_TYPE_FLOAT;
	LLVMValueRef words[4], bits, some;
	struct form form;
	uint32_t i, k, count;

	find_form(e, t, &form);
	count = form.bytes ? (form.bytes + 3) / 4 : 4;
	for (k = 0; k < count; k++)
		words[k] = word(e, 0);
	for (i = 0; i < 4; i++) {
		const struct part *p = &form.parts[i];

		bits = encode(e, p, in[i], is_float);
		for (k = 0; k < count; k++) {
			LLVMValueRef here = LLVMBuildICmp(
				e->b, LLVMIntEQ, LLVMBuildLShr(e->b, p->offset, word(e, 5), ""),
				word(e, k), "");

			if (p->known && p->known->kind == HEARTH_COMPONENT_CONSTANT)
				continue;
			words[k] =
				LLVMBuildOr(e->b, words[k],
					    LLVMBuildSelect(e->b, here, bits, word(e, 0), ""), "");
		}
	}
	if (form.bytes < 4)
		store_narrow(e, &form, pointers, mask, words[0]);
	for (k = 0; k < count && (!form.bytes || form.bytes >= 4); k++) {
		some = mask;
		if (!form.bytes)
			some = LLVMBuildAnd(e->b, mask,
					    at_least(e, &form,
						     k == 0   ? 2
						     : k == 1 ? 3
							      : 4),
					    "");
		hc_masked_store(e, words[k], offset_by(e, pointers, 4ull * k), 4, some);
	}
}
