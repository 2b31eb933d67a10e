// SPDX-License-Identifier: MIT
/*
 * Samplers: coordinates to texels by address mode, filter and level, and how texels are weighed. One loop goes over the levels that
 * lanes mix and one over the texels, so that nearest neighbours cost one access and the code stays small.
 */
#include "hc_emit_image.h"

#include <hearth/kernel_abi.h>
#include <spirv/unified1/spirv.h>

#include "hc_math.h"

#define FIELD(member) offsetof(struct hearth_sampler_descriptor, member)
#define IMAGE(member) offsetof(struct hearth_image_descriptor, member)
#define FAR	      1e9 /* texels; coordinates beyond that are no whole numbers any more */

/* All vectors are of the lanes. @sampler: where its descriptor lies. */
struct sample {
	struct hc_emit *e;
	struct hc_texture t;
	LLVMValueRef sampler;
	uint32_t dimensions;
	LLVMTypeRef floats, words;
	LLVMValueRef flags;
	LLVMValueRef at[3];	/* f32: coordinates, projected, not scaled */
	LLVMValueRef layer;	/* i32 or NULL */
	LLVMValueRef offset[3]; /* i32 or NULL */
	LLVMValueRef reference; /* f32 to compare with, or NULL */
	LLVMValueRef linear;	/* i1: texels are mixed */
};

/* Along one axis at one level: the texels on either side, whether they are outside, and how much the second one counts. */
struct axis {
	LLVMValueRef index[2];
	LLVMValueRef outside[2];
	LLVMValueRef weight;
};

static LLVMValueRef real(struct sample *s, double value)
{
	return hc_splat(s->e, LLVMConstReal(s->e->f32, value));
}

static LLVMValueRef word(struct sample *s, uint32_t value)
{
	return hc_int(s->e, s->words, value);
}

static LLVMValueRef flag(struct sample *s, uint32_t bits)
{
	LLVMBuilderRef b = s->e->b;

	return LLVMBuildICmp(b, LLVMIntNE, LLVMBuildAnd(b, s->flags, word(s, bits), ""), word(s, 0),
			     "");
}

static LLVMValueRef pick(struct sample *s, LLVMValueRef condition, LLVMValueRef yes,
			 LLVMValueRef no)
{
	return LLVMBuildSelect(s->e->b, condition, yes, no, "");
}

static LLVMValueRef clamp(struct sample *s, LLVMValueRef x, LLVMValueRef low, LLVMValueRef high)
{
	return hc_call2(s->e, "llvm.minnum", hc_call2(s->e, "llvm.maxnum", x, low), high);
}

/* ---- Axes ---- */

static void place_index(struct sample *s, struct axis *axis, uint32_t i, LLVMValueRef repeats,
			LLVMValueRef border, LLVMValueRef size)
{
	LLVMBuilderRef b = s->e->b;
	LLVMValueRef index = axis->index[i], last = LLVMBuildSub(b, size, word(s, 1), "");
	LLVMValueRef below = LLVMBuildICmp(b, LLVMIntSLT, index, word(s, 0), "");
	LLVMValueRef above = LLVMBuildICmp(b, LLVMIntSGE, index, size, ""), round;

	round = pick(s, below, LLVMBuildAdd(b, index, size, ""),
		     pick(s, above, LLVMBuildSub(b, index, size, ""), index));
	axis->outside[i] = LLVMBuildAnd(b, border, LLVMBuildOr(b, below, above, ""), "");
	index = hc_call2(s->e, "llvm.smax", index, word(s, 0));
	index = hc_call2(s->e, "llvm.smin", index, last);
	axis->index[i] = pick(s, repeats, round, index);
}

/*
 * What repeats or mirrors is brought into the image, or next to it, while it is still a float, so that whole numbers are at most one
 * texel outside.
 */
static struct axis find_axis(struct sample *s, uint32_t i, LLVMValueRef level, LLVMValueRef linear)
{
	LLVMBuilderRef b = s->e->b;
	uint32_t shift = HEARTH_SAMPLER_ADDRESS_SHIFT + 4 * i;
	LLVMValueRef size = hc_image_extent(s->e, &s->t, i, level);
	LLVMValueRef wide = LLVMBuildUIToFP(b, size, s->floats, ""), u, turns, folded;
	LLVMValueRef mirror = flag(s, HEARTH_ADDRESS_MIRROR << shift);
	LLVMValueRef border = flag(s, HEARTH_ADDRESS_BORDER << shift);
	LLVMValueRef clamps = flag(s, 3u << shift), repeats, low;
	struct axis axis;

	u = pick(s, flag(s, HEARTH_SAMPLER_UNNORMALIZED), s->at[i],
		 LLVMBuildFMul(b, s->at[i], wide, ""));
	if (s->offset[i])
		u = LLVMBuildFAdd(b, u, LLVMBuildSIToFP(b, s->offset[i], s->floats, ""), "");
	u = clamp(s, u, real(s, -FAR), real(s, FAR));
	/* Without mirror: u - n floor(u / n). With: the distance from the nearest multiple of 2n. */
	turns = hc_call1(s->e, "llvm.floor", LLVMBuildFDiv(b, u, wide, ""));
	repeats = LLVMBuildFSub(b, u, LLVMBuildFMul(b, turns, wide, ""), "");
	folded = LLVMBuildFMul(b, wide, real(s, 2), "");
	turns = LLVMBuildFAdd(b, LLVMBuildFDiv(b, u, folded, ""), real(s, 0.5), "");
	turns = hc_call1(s->e, "llvm.floor", turns);
	folded = LLVMBuildFSub(b, u, LLVMBuildFMul(b, turns, folded, ""), "");
	folded = hc_call1(s->e, "llvm.fabs", pick(s, clamps, u, folded));
	u = pick(s, mirror, folded, pick(s, clamps, u, repeats));

	low = LLVMBuildFSub(b, u, pick(s, linear, real(s, 0.5), real(s, 0)), "");
	turns = hc_call1(s->e, "llvm.floor", low);
	axis.weight = pick(s, linear, LLVMBuildFSub(b, low, turns, ""), real(s, 0));
	axis.index[0] = LLVMBuildFPToSI(b, turns, s->words, "");
	axis.index[1] = LLVMBuildAdd(b, axis.index[0], word(s, 1), "");
	repeats = LLVMBuildNot(b, LLVMBuildOr(b, mirror, clamps, ""), "");
	for (uint32_t k = 0; k < 2; k++)
		place_index(s, &axis, k, repeats, border, size);
	return axis;
}

/* ---- Texels ---- */

static LLVMValueRef compare(struct sample *s, LLVMValueRef texel)
{
	LLVMBuilderRef b = s->e->b;
	LLVMValueRef less = LLVMBuildFCmp(b, LLVMRealOLT, s->reference, texel, "");
	LLVMValueRef equal = LLVMBuildFCmp(b, LLVMRealOEQ, s->reference, texel, "");
	LLVMValueRef greater = LLVMBuildFCmp(b, LLVMRealOGT, s->reference, texel, ""), pass;

	pass = LLVMBuildAnd(b, less, flag(s, HEARTH_SAMPLER_LESS), "");
	pass = LLVMBuildOr(b, pass, LLVMBuildAnd(b, equal, flag(s, HEARTH_SAMPLER_EQUAL), ""), "");
	pass = LLVMBuildOr(b, pass, LLVMBuildAnd(b, greater, flag(s, HEARTH_SAMPLER_GREATER), ""),
			   "");
	return pick(s, pass, real(s, 1), real(s, 0));
}

/* One texel of each lane; @mask: lanes that need it. */
static void tap(struct sample *s, const LLVMValueRef index[3], LLVMValueRef outside,
		LLVMValueRef level, LLVMValueRef mask, LLVMValueRef out[4])
{
	LLVMBuilderRef b = s->e->b;
	bool is_float = hc_type(s->e->m, s->t.type->element)->kind == HC_TYPE_FLOAT;
	LLVMValueRef one = is_float ? real(s, 1) : word(s, 1),
		     none = LLVMConstNull(LLVMTypeOf(one));
	LLVMValueRef color = pick(s, flag(s, HEARTH_SAMPLER_BORDER_COLOR), one, none);
	LLVMValueRef alpha = pick(s, flag(s, HEARTH_SAMPLER_BORDER_ALPHA), one, none);
	LLVMValueRef at[3], pointers, inside;
	uint32_t i;

	for (i = 0; i < 3; i++)
		at[i] = i < s->dimensions ? index[i] : i == 2 ? s->layer : NULL;
	pointers = hc_texel_pointers(s->e, &s->t, at, level, &inside);
	inside = LLVMBuildAnd(b, inside, mask, "");
	inside = LLVMBuildAnd(b, inside, LLVMBuildNot(b, outside, ""), "");
	hc_load_texels(s->e, &s->t, pointers, inside,
		       hc_type(s->e->m, s->t.type->element)->is_signed, out);
	for (i = 0; i < 4; i++)
		out[i] = pick(s, outside, i < 3 ? color : alpha, out[i]);
	if (s->reference)
		out[0] = compare(s, out[0]);
}

/* ---- Levels ---- */

/* Squared length of a gradient, in texels. */
static LLVMValueRef stretch(struct sample *s, uint32_t gradient)
{
	LLVMBuilderRef b = s->e->b;
	LLVMValueRef sum = real(s, 0), x;
	uint32_t i;

	for (i = 0; i < s->dimensions; i++) {
		x = LLVMBuildUIToFP(b, hc_image_extent(s->e, &s->t, i, NULL), s->floats, "");
		x = LLVMBuildFMul(b, x, hc_lanes(s->e, gradient, i), "");
		sum = LLVMBuildFAdd(b, sum, LLVMBuildFMul(b, x, x, ""), "");
	}
	return sum;
}

static LLVMValueRef level_of_detail(struct sample *s, const struct hc_image_operands *operands)
{
	LLVMBuilderRef b = s->e->b;
	LLVMValueRef lod = real(s, 0), sampler = s->sampler;

	if (operands->lod) {
		lod = hc_lanes(s->e, operands->lod, 0);
	} else if (operands->grad[0]) {
		lod = hc_call2(s->e, "llvm.maxnum", stretch(s, operands->grad[0]),
			       stretch(s, operands->grad[1]));
		lod = hc_math_emit(b, s->e->module, HC_MATH_LOG2, s->floats, &lod);
		lod = LLVMBuildFMul(b, lod, real(s, 0.5), "");
	}
	lod = LLVMBuildFAdd(b, lod, hc_descriptor_field(s->e, sampler, s->e->f32, FIELD(lod_bias)),
			    "");
	lod = clamp(s, lod, hc_descriptor_field(s->e, sampler, s->e->f32, FIELD(min_lod)),
		    hc_descriptor_field(s->e, sampler, s->e->f32, FIELD(max_lod)));
	return pick(s, flag(s, HEARTH_SAMPLER_UNNORMALIZED), real(s, 0), lod);
}

/* ---- Loops ---- */

struct loop {
	LLVMValueRef counter, count;
	LLVMBasicBlockRef head, body, done;
	LLVMValueRef number; /* i32 */
};

static void loop_begin(struct hc_emit *e, struct loop *loop, LLVMValueRef count)
{
	loop->counter = hc_local(e, e->i32, "tap");
	loop->count = count;
	loop->head = LLVMAppendBasicBlockInContext(e->context, e->function, "taps");
	loop->body = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	loop->done = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	LLVMBuildStore(e->b, LLVMConstInt(e->i32, 0, false), loop->counter);
	LLVMBuildBr(e->b, loop->head);
	LLVMPositionBuilderAtEnd(e->b, loop->head);
	loop->number = LLVMBuildLoad2(e->b, e->i32, loop->counter, "");
	LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntULT, loop->number, count, ""), loop->body,
			loop->done);
	LLVMPositionBuilderAtEnd(e->b, loop->body);
}

static void loop_end(struct hc_emit *e, struct loop *loop)
{
	LLVMBuildStore(e->b, LLVMBuildAdd(e->b, loop->number, LLVMConstInt(e->i32, 1, false), ""),
		       loop->counter);
	LLVMBuildBr(e->b, loop->head);
	LLVMPositionBuilderAtEnd(e->b, loop->done);
}

/* @yes if a running lane's @condition holds, else @no. */
static LLVMValueRef if_any(struct sample *s, LLVMValueRef condition, uint32_t yes, uint32_t no)
{
	LLVMValueRef some = hc_any(s->e, LLVMBuildAnd(s->e->b, condition, hc_exec(s->e), ""));

	return LLVMBuildSelect(s->e->b, some, LLVMConstInt(s->e->i32, yes, false),
			       LLVMConstInt(s->e->i32, no, false), "");
}

/* Adds the texels of one level to @sum, each times @share. */
static void mix_level(struct sample *s, LLVMValueRef level, LLVMValueRef share,
		      const LLVMValueRef sum[4])
{
	struct hc_emit *e = s->e;
	bool is_float = hc_type(e->m, s->t.type->element)->kind == HC_TYPE_FLOAT;
	LLVMTypeRef type = is_float ? s->floats : s->words;
	LLVMValueRef index[3], outside, weight, bit, texel[4], mask, old;
	struct axis axes[3];
	struct loop loop;
	uint32_t i;

	for (i = 0; i < s->dimensions; i++)
		axes[i] = find_axis(s, i, level, s->linear);
	loop_begin(e, &loop, if_any(s, s->linear, 1u << s->dimensions, 1));
	outside = LLVMConstNull(e->mask);
	weight = share;
	for (i = 0; i < s->dimensions; i++) {
		struct axis *axis = &axes[i];

		bit = LLVMBuildAnd(e->b, loop.number, LLVMConstInt(e->i32, 1u << i, false), "");
		bit = hc_splat(
			e, LLVMBuildICmp(e->b, LLVMIntNE, bit, LLVMConstInt(e->i32, 0, false), ""));
		index[i] = pick(s, bit, axis->index[1], axis->index[0]);
		outside = LLVMBuildOr(e->b, outside,
				      pick(s, bit, axis->outside[1], axis->outside[0]), "");
		weight = LLVMBuildFMul(e->b, weight,
				       pick(s, bit, axis->weight,
					    LLVMBuildFSub(e->b, real(s, 1), axis->weight, "")),
				       "");
	}
	/* What does not count is not looked at, whatever it is. */
	mask = LLVMBuildFCmp(e->b, LLVMRealONE, weight, real(s, 0), "");
	tap(s, index, outside, level, LLVMBuildAnd(e->b, mask, hc_exec(e), ""), texel);
	for (i = 0; i < 4; i++) {
		old = LLVMBuildLoad2(e->b, type, sum[i], "");
		if (is_float)
			texel[i] = LLVMBuildFAdd(e->b, old,
						 LLVMBuildFMul(e->b, texel[i], weight, ""), "");
		LLVMBuildStore(e->b, pick(s, mask, texel[i], old), sum[i]);
	}
	loop_end(e, &loop);
}

static void emit_filtered(struct sample *s, const struct hc_inst *inst,
			  const struct hc_image_operands *operands)
{
	struct hc_emit *e = s->e;
	bool is_float = hc_type(e->m, s->t.type->element)->kind == HC_TYPE_FLOAT;
	LLVMTypeRef type = is_float ? s->floats : s->words;
	uint32_t i, leaves = hc_type(e->m, inst->type)->leaves;
	LLVMValueRef lod = level_of_detail(s, operands), mixed, last, low, part, share, second,
		     sum[4];
	struct loop loop;

	s->linear = pick(s, LLVMBuildFCmp(e->b, LLVMRealOLE, lod, real(s, 0), ""),
			 flag(s, HEARTH_SAMPLER_MAG_LINEAR), flag(s, HEARTH_SAMPLER_MIN_LINEAR));
	last = hc_descriptor_field(e, s->t.descriptor, e->i32, IMAGE(levels));
	last = LLVMBuildUIToFP(e->b, hc_call2(e, "llvm.usub.sat", last, word(s, 1)), s->floats, "");
	lod = clamp(s, lod, real(s, 0), last);
	mixed = flag(s, HEARTH_SAMPLER_MIP_LINEAR);
	low = hc_call1(e, "llvm.floor",
		       pick(s, mixed, lod, LLVMBuildFAdd(e->b, lod, real(s, 0.5), "")));
	part = pick(s, mixed, LLVMBuildFSub(e->b, lod, low, ""), real(s, 0));
	low = LLVMBuildFPToSI(e->b, low, s->words, "");
	for (i = 0; i < 4; i++) {
		sum[i] = hc_local(e, type, "texel");
		LLVMBuildStore(e->b, LLVMConstNull(type), sum[i]);
	}
	loop_begin(e, &loop,
		   if_any(s, LLVMBuildFCmp(e->b, LLVMRealOGT, part, real(s, 0), ""), 2, 1));
	second = hc_splat(
		e, LLVMBuildICmp(e->b, LLVMIntNE, loop.number, LLVMConstInt(e->i32, 0, false), ""));
	share = pick(s, second, part, LLVMBuildFSub(e->b, real(s, 1), part, ""));
	mix_level(s, LLVMBuildAdd(e->b, low, hc_splat(e, loop.number), ""), share, sum);
	loop_end(e, &loop);
	for (i = 0; i < leaves && i < 4; i++)
		hc_put(e, inst->result, i, LLVMBuildLoad2(e->b, type, sum[i], ""));
}

/* One component of the four texels that a linear filter would mix, in the order that SPIR-V gives. */
static void emit_gather(struct sample *s, const struct hc_inst *inst)
{
	static const uint8_t corners[4][2] = { { 0, 1 }, { 1, 1 }, { 1, 0 }, { 0, 0 } };
	struct hc_emit *e = s->e;
	uint32_t i, component = s->reference ? 0 : hc_constant_u32(e->m, inst->operand[2]);
	LLVMValueRef all = LLVMConstAllOnes(e->mask), texel[4], index[3], outside;
	struct axis x, y;

	if (s->dimensions != 2 || component > 3)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "%s of component %u in %u dimensions",
			 hc_op_name(inst->op), component, s->dimensions);
	x = find_axis(s, 0, NULL, all);
	y = find_axis(s, 1, NULL, all);
	for (i = 0; i < 4; i++) {
		index[0] = x.index[corners[i][0]];
		index[1] = y.index[corners[i][1]];
		outside = LLVMBuildOr(e->b, x.outside[corners[i][0]], y.outside[corners[i][1]], "");
		tap(s, index, outside, NULL, hc_exec(e), texel);
		hc_put(e, inst->result, i, texel[component]);
	}
}

static bool is_projected(uint32_t op)
{
	return op == SpvOpImageSampleProjExplicitLod || op == SpvOpImageSampleProjDrefExplicitLod;
}

static bool is_compared(uint32_t op)
{
	return op == SpvOpImageSampleDrefExplicitLod || op == SpvOpImageSampleProjDrefExplicitLod ||
	       op == SpvOpImageDrefGather;
}

static void read_coordinates(struct sample *s, const struct hc_inst *inst, uint32_t offset)
{
	struct hc_emit *e = s->e;
	uint32_t i, id = inst->operand[1], leaves = hc_type_of(e->m, id)->leaves;
	bool projected = is_projected(inst->op);

	if (leaves < s->dimensions + (s->t.type->arrayed || projected))
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "%s with %u coordinates",
			 hc_op_name(inst->op), leaves);
	for (i = 0; i < s->dimensions; i++) {
		s->at[i] = hc_lanes(e, id, i);
		if (offset && i < hc_type_of(e->m, offset)->leaves)
			s->offset[i] = hc_lanes(e, offset, i);
	}
	if (is_compared(inst->op))
		s->reference = hc_lanes(e, inst->operand[2], 0);
	if (s->t.type->arrayed) {
		LLVMValueRef layer = hc_lanes(e, id, s->dimensions), last;

		last = LLVMBuildSub(e->b, hc_image_extent(e, &s->t, 2, NULL), word(s, 1), "");
		layer = clamp(s, layer, real(s, 0), real(s, FAR));
		layer = LLVMBuildFPToSI(e->b, hc_call1(e, "llvm.rint", layer), s->words, "");
		s->layer = hc_call2(e, "llvm.smin", layer, last);
	}
	if (!projected)
		return;
	for (i = 0; i < s->dimensions; i++)
		s->at[i] = LLVMBuildFDiv(e->b, s->at[i], hc_lanes(e, id, leaves - 1), "");
	if (s->reference)
		s->reference = LLVMBuildFDiv(e->b, s->reference, hc_lanes(e, id, leaves - 1), "");
}

void hc_emit_sample(struct hc_emit *e, const struct hc_inst *inst)
{
	bool gather = inst->op == SpvOpImageGather || inst->op == SpvOpImageDrefGather;
	struct hc_image_operands operands =
		hc_read_image_operands(e, inst, gather || is_compared(inst->op) ? 3 : 2);
	struct sample s = { .e = e, .t = hc_find_texture(e, inst->operand[0]) };

	s.sampler = hc_find_sampler(e, inst->operand[0]);
	s.floats = hc_vector_of(e, e->f32);
	s.words = hc_vector_of(e, e->i32);
	s.dimensions = hc_image_dimensions(s.t.type);
	if (s.t.type->dim == SpvDimBuffer)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "%s of a texel buffer",
			 hc_op_name(inst->op));
	s.flags = hc_descriptor_field(e, s.sampler, e->i32, FIELD(flags));
	read_coordinates(&s, inst, operands.offset);
	if (gather)
		emit_gather(&s, inst);
	else
		emit_filtered(&s, inst, &operands);
}
