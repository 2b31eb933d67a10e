// SPDX-License-Identifier: MIT
/*
 * Loads of a few neighbouring elements for each lane, where the lanes lie apart: one load for each lane, whose results are then
 * transposed into one vector for each element. Eight loads and a dozen shuffles take the place of 32 loads and as many
 * insertions, on processors whose gathers are no better than that.
 */
#include "hc_emit_place.h"

#include <spirv/unified1/spirv.h>

#define MAX_BYTES 16

/* Lanes i, i + 4, i + 8, … side by side. */
static LLVMValueRef every_fourth(struct hc_emit *e, LLVMValueRef *rows, uint32_t first)
{
	LLVMValueRef joined[16];
	uint32_t i, count = e->lanes / 4, width = 4, index[64];

	for (i = 0; i < count; i++)
		joined[i] = rows[first + 4 * i];
	for (; count > 1; count /= 2, width *= 2)
		for (i = 0; i < count / 2; i++) {
			for (uint32_t j = 0; j < 2 * width; j++)
				index[j] = j;
			joined[i] =
				hc_shuffle(e, joined[2 * i], joined[2 * i + 1], index, 2 * width);
		}
	return joined[0];
}

/* Of each four elements of both, the two from @first on, taken in turns. */
static LLVMValueRef unpack(struct hc_emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t first,
			   uint32_t run)
{
	uint32_t i, index[64];

	for (i = 0; i < e->lanes; i++) {
		uint32_t in_four = i % 4;

		/* run 1: a0 b0 a1 b1; run 2: a0 a1 b0 b1 */
		index[i] = i / 4 * 4 + first + (run == 1 ? in_four / 2 : in_four % 2);
		if (run == 1 ? in_four % 2 : in_four / 2)
			index[i] += e->lanes;
	}
	return hc_shuffle(e, a, b, index, e->lanes);
}

/* Four elements a lane: 4 × 4 transpositions inside 128 bits, which is what x86 is quick at. */
static void transpose_fours(struct hc_emit *e, LLVMValueRef *rows, LLVMValueRef *out)
{
	LLVMValueRef a = every_fourth(e, rows, 0), b = every_fourth(e, rows, 1);
	LLVMValueRef c = every_fourth(e, rows, 2), d = every_fourth(e, rows, 3);
	uint32_t half;

	for (half = 0; half < 2; half++) {
		LLVMValueRef ab = unpack(e, a, b, 2 * half, 1), cd = unpack(e, c, d, 2 * half, 1);

		out[2 * half] = unpack(e, ab, cd, 0, 2);
		out[2 * half + 1] = unpack(e, ab, cd, 2, 2);
	}
}

static void transpose(struct hc_emit *e, LLVMValueRef *rows, LLVMTypeRef scalar, uint32_t count,
		      LLVMValueRef *out)
{
	uint32_t i, c;

	if (count == 4 && e->lanes % 4 == 0) {
		transpose_fours(e, rows, out);
		return;
	}
	for (c = 0; c < count; c++) {
		out[c] = LLVMGetPoison(hc_vector_of(e, scalar));
		for (i = 0; i < e->lanes; i++) {
			LLVMValueRef value = LLVMBuildExtractElement(
				e->b, rows[i], LLVMConstInt(e->i32, c, false), "");

			out[c] = LLVMBuildInsertElement(e->b, out[c], value,
							LLVMConstInt(e->i32, i, false), "");
		}
	}
}

bool hc_has_rows(const struct hc_emit *e, const struct hc_place *p, uint64_t bytes)
{
	return e->hc->target->arch == HC_ARCH_X86_64 && !p->local && bytes <= MAX_BYTES;
}

void hc_load_rows(struct hc_emit *e, const struct hc_place *p, uint64_t extra,
		  struct hc_type *element, uint32_t count, LLVMValueRef mask, LLVMValueRef *out)
{
	LLVMTypeRef scalar = hc_scalar_type(e, element), type = LLVMVectorType(scalar, count);
	LLVMValueRef pointers = hc_lane_pointers(e, p, extra, element->size), rows[64];
	uint32_t i;

	pointers = LLVMBuildSelect(e->b, mask, pointers, hc_splat(e, hc_zeros(e)), "");
	for (i = 0; i < e->lanes; i++) {
		LLVMValueRef lane = LLVMConstInt(e->i32, i, false);

		rows[i] = LLVMBuildLoad2(e->b, type,
					 LLVMBuildExtractElement(e->b, pointers, lane, ""), "");
		LLVMSetAlignment(rows[i], (unsigned int)element->size);
	}
	transpose(e, rows, scalar, count, out);
}

/* ---- Loads that stand together ---- */

/* The group's elements, each on its own. */
static void load_each(struct hc_emit *e, const struct hc_adjacent *group, const struct hc_place *p,
		      int64_t from, struct hc_type *element, LLVMValueRef *out)
{
	uint32_t i;

	for (i = 0; i < group->count; i++)
		out[i] = hc_load_scalar(
			e, p, (uint64_t)((group->offset[i] - from) * (int64_t)element->size),
			element);
}

/* All of them at once. */
static void load_together(struct hc_emit *e, const struct hc_adjacent *group,
			  const struct hc_place *p, int64_t from, int64_t low, uint32_t count,
			  struct hc_type *element, LLVMValueRef *out)
{
	uint64_t extra = (uint64_t)((low - from) * (int64_t)element->size);
	LLVMValueRef parts[MAX_BYTES];
	uint32_t i;

	if (!p->varying && !p->bases && p->stride == (int64_t)(count * element->size) && count <= 4)
		hc_load_interleaved(e, p, extra, element, count, parts);
	else
		hc_load_rows(e, p, extra, element, count,
			     hc_allowed(e, p, extra, count * element->size), parts);
	for (i = 0; i < group->count; i++)
		out[i] = parts[group->offset[i] - low];
}

static LLVMValueRef joined(struct hc_emit *e, LLVMValueRef a, LLVMBasicBlockRef from_a,
			   LLVMValueRef b, LLVMBasicBlockRef from_b)
{
	LLVMValueRef phi = LLVMBuildPhi(e->b, LLVMTypeOf(a), "");

	LLVMAddIncoming(phi, &a, &from_a, 1);
	LLVMAddIncoming(phi, &b, &from_b, 1);
	return phi;
}

/* Where the buffer may end among a lane's elements, each has to be looked at. */
static void load_checked(struct hc_emit *e, const struct hc_adjacent *group,
			 const struct hc_place *p, int64_t from, int64_t low, uint32_t count,
			 struct hc_type *element, LLVMValueRef *out)
{
	LLVMValueRef fits, together[HC_MAX_ADJACENT], apart[HC_MAX_ADJACENT];
	LLVMBasicBlockRef yes, no, after, from_yes, from_no;
	uint64_t extra = (uint64_t)((low - from) * (int64_t)element->size);
	uint32_t i;

	fits = hc_inside(e, p, hc_lane_offsets(e, p, extra), count * element->size);
	fits = LLVMBuildAnd(e->b, hc_exec(e), LLVMBuildNot(e->b, fits, ""), "");
	yes = LLVMAppendBasicBlockInContext(e->context, e->function, "together");
	no = LLVMAppendBasicBlockInContext(e->context, e->function, "apart");
	after = LLVMAppendBasicBlockInContext(e->context, e->function, "");
	LLVMBuildCondBr(e->b, hc_any(e, fits), no, yes);
	LLVMPositionBuilderAtEnd(e->b, yes);
	load_together(e, group, p, from, low, count, element, together);
	from_yes = LLVMGetInsertBlock(e->b);
	LLVMBuildBr(e->b, after);
	LLVMPositionBuilderAtEnd(e->b, no);
	load_each(e, group, p, from, element, apart);
	from_no = LLVMGetInsertBlock(e->b);
	LLVMBuildBr(e->b, after);
	LLVMPositionBuilderAtEnd(e->b, after);
	for (i = 0; i < group->count; i++)
		out[i] = joined(e, together[i], from_yes, apart[i], from_no);
}

bool hc_emit_adjacent(struct hc_emit *e, const struct hc_inst *inst)
{
	struct hc_adjacent *group = e->adjacent[inst - e->m->insts];
	LLVMValueRef out[HC_MAX_ADJACENT];
	struct hc_type *element = hc_type(e->m, inst->type);
	int64_t from = 0, low, high;
	struct hc_place p;
	uint32_t i, root;

	if (!group || group->count < 2)
		return false;
	/* The first of the group that is reached loads for all; in a loop that runs in parts, for each part. */
	if (group->loaded == e->part + 1)
		return true;
	low = high = group->offset[0];
	for (i = 0; i < group->count; i++) {
		if (&e->m->insts[group->inst[i]] == inst)
			from = group->offset[i];
		low = group->offset[i] < low ? group->offset[i] : low;
		high = group->offset[i] > high ? group->offset[i] : high;
	}
	p = hc_find_place(e, inst->operand[0], &root);
	if (p.is_volatile || !hc_has_rows(e, &p, (uint64_t)(high - low + 1) * element->size))
		return false;
	group->loaded = e->part + 1;
	if (p.limit)
		load_checked(e, group, &p, from, low, (uint32_t)(high - low + 1), element, out);
	else
		load_together(e, group, &p, from, low, (uint32_t)(high - low + 1), element, out);
	for (i = 0; i < group->count; i++)
		hc_put(e, e->m->insts[group->inst[i]].result, 0, out[i]);
	return true;
}
