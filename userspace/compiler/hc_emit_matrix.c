// SPDX-License-Identifier: MIT
/*
 * Cooperative matrices of a subgroup: loads and stores. While it lives a matrix is an array of its components in memory, row
 * by row, whatever it is used as; so component i of lane l is number i × lanes + l, and all that works on each component is
 * done by the code for composites. Control flow around these instructions is the same for all lanes, so no masks are needed.
 */
#include "hc_emit_matrix.h"

#include <spirv/unified1/spirv.h>

#define MOST_LINES 256

/* Where a matrix lies in a buffer: lines, which are rows or columns, @step bytes apart. */
struct lines {
	const struct hc_type *type;
	LLVMTypeRef scalar;
	uint32_t size; /* of a component */
	uint32_t count, length;
	bool by_column;
	LLVMValueRef base; /* NULL: offsets are addresses */
	LLVMValueRef offset, step;
	LLVMValueRef limit; /* bytes behind the base, or NULL */
	bool is_volatile;
};

LLVMValueRef hc_matrix_at(struct hc_emit *e, LLVMValueRef base, LLVMValueRef offset)
{
	if (!base)
		return LLVMBuildIntToPtr(e->b, offset, e->ptr, "");
	return LLVMBuildGEP2(e->b, e->i8, base, &offset, 1, "");
}

static LLVMValueRef at_constant(struct hc_emit *e, LLVMValueRef base, uint64_t offset)
{
	return hc_matrix_at(e, base, LLVMConstInt(e->i64, offset, false));
}

LLVMValueRef hc_matrix_load(struct hc_emit *e, LLVMTypeRef scalar, uint32_t count, uint32_t size,
			    LLVMValueRef pointer)
{
	LLVMValueRef load = LLVMBuildLoad2(e->b, count > 1 ? LLVMVectorType(scalar, count) : scalar,
					   pointer, "");

	LLVMSetAlignment(load, size);
	return load;
}

void hc_matrix_store(struct hc_emit *e, LLVMValueRef value, uint32_t size, LLVMValueRef pointer)
{
	LLVMSetAlignment(LLVMBuildStore(e->b, value, pointer), size);
}

LLVMBasicBlockRef hc_matrix_block(struct hc_emit *e, const char *name)
{
	return LLVMAppendBasicBlockInContext(e->context, e->function, name);
}

static LLVMValueRef first(struct hc_emit *e, LLVMValueRef value)
{
	return value && hc_is_vector(value)
		       ? LLVMBuildExtractElement(e->b, value, LLVMConstInt(e->i32, 0, false), "")
		       : value;
}

/* Pointer and stride are the same in all lanes, though that may not be seen: lane 0 has them. */
static struct lines find_lines(struct hc_emit *e, uint32_t pointer, uint32_t layout,
			       const uint32_t *stride, const struct hc_type *type)
{
	const struct hc_type *component = hc_type(e->m, type->element);
	struct lines l = { .type = type,
			   .scalar = hc_scalar_type(e, component),
			   .size = (uint32_t)component->size };
	uint32_t root, order = hc_constant_u32(e->m, layout);
	struct hc_place p = hc_find_place(e, pointer, &root);

	if (order != SpvCooperativeMatrixLayoutRowMajorKHR &&
	    order != SpvCooperativeMatrixLayoutColumnMajorKHR)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "cooperative matrix layout %u is not supported", order);
	if (!stride)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV, "a cooperative matrix without a stride");
	if (p.local)
		hc_abort(e->hc, HC_ERROR_INVALID_SPIRV,
			 "a cooperative matrix in memory of an invocation");
	l.by_column = order == SpvCooperativeMatrixLayoutColumnMajorKHR;
	l.count = l.by_column ? type->columns : type->rows;
	l.length = l.by_column ? type->rows : type->columns;
	if (l.count > MOST_LINES)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED, "a cooperative matrix of %u lines", l.count);
	l.offset = hc_uniform_offset(e, &p, 0);
	if (p.varying)
		l.offset = LLVMBuildAdd(e->b, l.offset, first(e, p.varying), "");
	l.base = p.base;
	if (p.bases)
		l.base = LLVMBuildIntToPtr(e->b, first(e, p.bases), e->ptr, "");
	l.limit = first(e, p.limit);
	l.is_volatile = p.is_volatile;
	/* Counted in what the pointer points to, which may be another type than the components'. */
	l.step = LLVMBuildIntCast2(e->b, hc_lane0(e, *stride, 0), e->i64,
				   hc_type_of(e->m, *stride)->is_signed, "");
	l.step = LLVMBuildMul(e->b, l.step, LLVMConstInt(e->i64, p.type->size, false), "");
	return l;
}

static LLVMValueRef line_offset(struct hc_emit *e, const struct lines *l, uint32_t line)
{
	return LLVMBuildAdd(e->b, l->offset,
			    LLVMBuildMul(e->b, l->step, LLVMConstInt(e->i64, line, false), ""), "");
}

/* ---- Whole lines ---- */

/* v[i]'s element j becomes v[j]'s element i. @n: a power of two. */
static void transpose(struct hc_emit *e, LLVMValueRef *v, uint32_t n)
{
	uint32_t low[MOST_LINES], high[MOST_LINES], i, step;
	LLVMValueRef next[MOST_LINES];

	for (i = 0; i < n; i++) {
		low[i] = i / 2 + (i & 1 ? n : 0);
		high[i] = low[i] + n / 2;
	}
	/* Each step makes the highest bit of a row's number the lowest bit of the elements'. */
	for (step = 1; step < n; step *= 2) {
		for (i = 0; i < n / 2; i++) {
			next[2 * i] = hc_shuffle(e, v[i], v[i + n / 2], low, n);
			next[2 * i + 1] = hc_shuffle(e, v[i], v[i + n / 2], high, n);
		}
		for (i = 0; i < n; i++)
			v[i] = next[i];
	}
}

static void copy_rows(struct hc_emit *e, const struct lines *l, LLVMValueRef image, bool is_store)
{
	LLVMValueRef value, there, here;
	uint32_t row;

	for (row = 0; row < l->count; row++) {
		there = hc_matrix_at(e, l->base, line_offset(e, l, row));
		here = at_constant(e, image, (uint64_t)row * l->length * l->size);
		value = hc_matrix_load(e, l->scalar, l->length, l->size, is_store ? here : there);
		if (!is_store)
			LLVMSetVolatile(value, l->is_volatile);
		hc_matrix_store(e, value, l->size, is_store ? there : here);
	}
}

/* Square blocks of vectors of 128 bits are transposed in registers. */
static void copy_columns(struct hc_emit *e, const struct lines *l, LLVMValueRef image,
			 bool is_store)
{
	LLVMValueRef offsets[MOST_LINES], v[16], here, there;
	uint32_t row, column, i, side = 16 / l->size;

	for (i = 0; i < l->count; i++)
		offsets[i] = line_offset(e, l, i);
	for (column = 0; column < l->type->columns; column += side) {
		for (row = 0; row < l->type->rows; row += side) {
			for (i = 0; i < side; i++) {
				here = at_constant(
					e, image,
					((uint64_t)(row + i) * l->type->columns + column) *
						l->size);
				there = at_constant(e,
						    hc_matrix_at(e, l->base, offsets[column + i]),
						    (uint64_t)row * l->size);
				v[i] = hc_matrix_load(e, l->scalar, side, l->size,
						      is_store ? here : there);
			}
			transpose(e, v, side);
			for (i = 0; i < side; i++) {
				here = at_constant(
					e, image,
					((uint64_t)(row + i) * l->type->columns + column) *
						l->size);
				there = at_constant(e,
						    hc_matrix_at(e, l->base, offsets[column + i]),
						    (uint64_t)row * l->size);
				hc_matrix_store(e, v[i], l->size, is_store ? there : here);
			}
		}
	}
}

/* ---- One component after another, where a buffer may end ---- */

struct hc_matrix_loop hc_matrix_loop(struct hc_emit *e, uint64_t count, uint64_t step)
{
	struct hc_matrix_loop loop = { .step = step, .count = count };

	loop.before = LLVMGetInsertBlock(e->b);
	loop.body = hc_matrix_block(e, "rows");
	LLVMBuildBr(e->b, loop.body);
	LLVMPositionBuilderAtEnd(e->b, loop.body);
	loop.at = LLVMBuildPhi(e->b, e->i64, "");
	return loop;
}

void hc_matrix_loop_end(struct hc_emit *e, struct hc_matrix_loop *loop)
{
	LLVMBasicBlockRef blocks[] = { loop->before, LLVMGetInsertBlock(e->b) };
	LLVMValueRef next =
		LLVMBuildAdd(e->b, loop->at, LLVMConstInt(e->i64, loop->step, false), "");
	LLVMValueRef values[] = { LLVMConstInt(e->i64, 0, false), next };

	loop->after = hc_matrix_block(e, "");
	LLVMAddIncoming(loop->at, values, blocks, 2);
	LLVMBuildCondBr(
		e->b,
		LLVMBuildICmp(e->b, LLVMIntULT, next, LLVMConstInt(e->i64, loop->count, false), ""),
		loop->body, loop->after);
	LLVMPositionBuilderAtEnd(e->b, loop->after);
}

static void copy_checked(struct hc_emit *e, const struct lines *l, LLVMValueRef image,
			 bool is_store)
{
	LLVMValueRef size = LLVMConstInt(e->i64, l->size, false);
	LLVMValueRef columns = LLVMConstInt(e->i64, l->type->columns, false);
	LLVMValueRef row, column, offset, room, inside, here, there, value;
	LLVMBasicBlockRef some = hc_matrix_block(e, ""), none = hc_matrix_block(e, "");
	struct hc_matrix_loop loop;

	loop = hc_matrix_loop(e, (uint64_t)l->type->rows * l->type->columns, 1);
	row = LLVMBuildUDiv(e->b, loop.at, columns, "");
	column = LLVMBuildURem(e->b, loop.at, columns, "");
	offset = LLVMBuildMul(e->b, l->step, l->by_column ? column : row, "");
	offset = LLVMBuildAdd(e->b, offset,
			      LLVMBuildMul(e->b, l->by_column ? row : column, size, ""), "");
	offset = LLVMBuildAdd(e->b, offset, l->offset, "");
	here = hc_matrix_at(e, image, LLVMBuildMul(e->b, loop.at, size, ""));
	room = hc_call2(e, "llvm.usub.sat", l->limit, offset);
	inside = LLVMBuildICmp(e->b, LLVMIntUGE, room, size, "");
	if (!is_store)
		hc_matrix_store(e, LLVMConstNull(l->scalar), l->size, here);
	LLVMBuildCondBr(e->b, inside, some, none);
	LLVMPositionBuilderAtEnd(e->b, some);
	there = hc_matrix_at(e, l->base, offset);
	value = hc_matrix_load(e, l->scalar, 1, l->size, is_store ? here : there);
	hc_matrix_store(e, value, l->size, is_store ? there : here);
	LLVMBuildBr(e->b, none);
	LLVMPositionBuilderAtEnd(e->b, none);
	hc_matrix_loop_end(e, &loop);
}

/* Does the last component, and so every other one, lie before the limit? No sum wraps where the first two tests hold. */
static LLVMValueRef all_inside(struct hc_emit *e, const struct lines *l)
{
	uint64_t bytes = (uint64_t)l->length * l->size;
	LLVMValueRef end = LLVMBuildAdd(e->b, line_offset(e, l, l->count - 1),
					LLVMConstInt(e->i64, bytes, false), "");
	LLVMValueRef ok = LLVMBuildICmp(e->b, LLVMIntULE, l->offset, l->limit, "");

	ok = LLVMBuildAnd(e->b, ok, LLVMBuildICmp(e->b, LLVMIntULE, l->step, l->limit, ""), "");
	return LLVMBuildAnd(e->b, ok, LLVMBuildICmp(e->b, LLVMIntULE, end, l->limit, ""), "");
}

static void copy(struct hc_emit *e, const struct lines *l, LLVMValueRef image, bool is_store)
{
	LLVMBasicBlockRef inside, outside, done = NULL;

	if (l->limit) {
		inside = hc_matrix_block(e, "inside");
		outside = hc_matrix_block(e, "outside");
		done = hc_matrix_block(e, "");
		LLVMBuildCondBr(e->b, all_inside(e, l), inside, outside);
		LLVMPositionBuilderAtEnd(e->b, outside);
		copy_checked(e, l, image, is_store);
		LLVMBuildBr(e->b, done);
		LLVMPositionBuilderAtEnd(e->b, inside);
	}
	if (l->by_column)
		copy_columns(e, l, image, is_store);
	else
		copy_rows(e, l, image, is_store);
	if (l->limit) {
		LLVMBuildBr(e->b, done);
		LLVMPositionBuilderAtEnd(e->b, done);
	}
}

/* ---- Instructions ---- */

bool hc_emit_matrix(struct hc_emit *e, const struct hc_inst *inst)
{
	struct lines l;

	switch (inst->op) {
	case SpvOpCooperativeMatrixLengthKHR:
		hc_put(e, inst->result, 0,
		       LLVMConstInt(e->i32, hc_type(e->m, inst->operand[0])->leaves, false));
		return true;
	case SpvOpCooperativeMatrixLoadKHR:
		l = find_lines(e, inst->operand[0], inst->operand[1],
			       inst->operands > 2 ? &inst->operand[2] : NULL,
			       hc_type(e->m, inst->type));
		copy(e, &l, hc_matrix_image(e, inst->result), false);
		return true;
	case SpvOpCooperativeMatrixStoreKHR:
		l = find_lines(e, inst->operand[0], inst->operand[2],
			       inst->operands > 3 ? &inst->operand[3] : NULL,
			       hc_type_of(e->m, inst->operand[1]));
		copy(e, &l, hc_matrix_image(e, inst->operand[1]), true);
		return true;
	case SpvOpCooperativeMatrixMulAddKHR:
		hc_emit_product(e, inst);
		return true;
	default:
		return false;
	}
}
