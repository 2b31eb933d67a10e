/* SPDX-License-Identifier: MIT */
/* Images during emission, which texel accesses, queries and samplers share. All values here are of all lanes. */
#ifndef HEARTH_HC_EMIT_IMAGE_H
#define HEARTH_HC_EMIT_IMAGE_H

#include "hc_emit_place.h"

/*
 * An image that an instruction names. @descriptor: where its struct hearth_image_descriptor lies: one pointer, or one for each
 * lane.
 */
struct hc_texture {
	const struct hc_type *type;
	LLVMValueRef descriptor;
};

/* The optional operands of image instructions: ids, 0 where absent. @mask: SpvImageOperandsMask. */
struct hc_image_operands {
	uint32_t mask;
	uint32_t bias, lod, grad[2], offset, min_lod;
};

/* hc_emit_image.c */
struct hc_texture hc_find_texture(struct hc_emit *e, uint32_t image);
/* Where the struct hearth_sampler_descriptor of the sampler beside an image lies, in the same way. */
LLVMValueRef hc_find_sampler(struct hc_emit *e, uint32_t image);
struct hc_image_operands hc_read_image_operands(struct hc_emit *e, const struct hc_inst *inst,
						uint32_t first);
/* A member of a descriptor, at @offset. */
LLVMValueRef hc_descriptor_field(struct hc_emit *e, LLVMValueRef descriptor, LLVMTypeRef type,
				 uint64_t offset);
/* Coordinates that are spatial, without a layer: 1 to 3. */
uint32_t hc_image_dimensions(const struct hc_type *type);
/* Texels (or layers) along axis @i at @level (i32, or NULL for level 0). */
LLVMValueRef hc_image_extent(struct hc_emit *e, const struct hc_texture *t, uint32_t i,
			     LLVMValueRef level);
/* Addresses of the texels at @at[3] (i32; NULL is 0), and which of them are inside the image. */
LLVMValueRef hc_texel_pointers(struct hc_emit *e, const struct hc_texture *t,
			       const LLVMValueRef at[3], LLVMValueRef level, LLVMValueRef *inside);
/* For OpImageTexelPointer. */
LLVMValueRef hc_texel_pointer(struct hc_emit *e, const struct hc_inst *inst, struct hc_type **type,
			      LLVMValueRef *mask);

/* hc_emit_texel.c: what lies at @pointers, as four components of what the image is sampled as; zeros where @mask is off. */
void hc_load_texels(struct hc_emit *e, const struct hc_texture *t, LLVMValueRef pointers,
		    LLVMValueRef mask, bool is_signed, LLVMValueRef out[4]);
void hc_store_texels(struct hc_emit *e, const struct hc_texture *t, LLVMValueRef pointers,
		     LLVMValueRef mask, const LLVMValueRef in[4]);

/* hc_emit_sample.c: the instructions that use a sampler. */
void hc_emit_sample(struct hc_emit *e, const struct hc_inst *inst);

#endif /* HEARTH_HC_EMIT_IMAGE_H */
