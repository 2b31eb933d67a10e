// SPDX-License-Identifier: MIT
/*
 * Products of cooperative matrices, A × B + C. The sums of a few rows are held in vector registers while a rolled loop goes
 * over the inner dimension: a vector of B's row for each broadcast component of A. Halves are widened to floats and bytes
 * to words before that, once for each matrix and piece of code that multiplies by it.
 */
#include "hc_emit_matrix.h"

#include <spirv/unified1/spirv.h>

#include "hc_math.h"

#define MOST_SUMS 32
/* Steps of the inner dimension in one turn of the loop. */
#define UNROLLED  2

/*
 * @pairs: of bytes, as x86 multiplies them: two neighbours of the inner dimension lie side by side as 16-bit numbers.
 * @rows × @vectors sums of @width numbers each.
 */
struct product {
	const struct hc_type *a, *b, *c;
	bool is_float;
	bool pairs;
	uint32_t width, vectors, rows;
	LLVMTypeRef number, sum; /* of a sum */
};

static const struct hc_type *component(struct hc_emit *e, const struct hc_type *type)
{
	return hc_type(e->m, type->element);
}

static int component_of(const struct hc_type *type, bool is_signed)
{
	if (type->kind == HC_TYPE_FLOAT)
		return type->width == 16   ? HC_COMPONENT_F16
		       : type->width == 32 ? HC_COMPONENT_F32
					   : -1;
	if (type->width == 8)
		return is_signed ? HC_COMPONENT_S8 : HC_COMPONENT_U8;
	return type->width != 32 ? -1 : is_signed ? HC_COMPONENT_S32 : HC_COMPONENT_U32;
}

/* Refuses what the target's list does not have. */
static void check(struct hc_emit *e, const struct product *p, uint32_t flags)
{
	const struct hc_target *target = e->hc->target;
	int a = component_of(component(e, p->a),
			     flags & SpvCooperativeMatrixOperandsMatrixASignedComponentsKHRMask);
	int b = component_of(component(e, p->b),
			     flags & SpvCooperativeMatrixOperandsMatrixBSignedComponentsKHRMask);
	int c = component_of(component(e, p->c),
			     flags & SpvCooperativeMatrixOperandsMatrixCSignedComponentsKHRMask);
	uint32_t i;

	if (flags & SpvCooperativeMatrixOperandsSaturatingAccumulationKHRMask)
		hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
			 "saturating accumulation of cooperative matrices is not supported");
	for (i = 0; i < target->matrix_count; i++) {
		const struct hc_matrix *m = &target->matrices[i];

		if (m->m == p->c->rows && m->n == p->c->columns && m->k == p->a->columns &&
		    m->a == a && m->b == b && m->c == c)
			return;
	}
	hc_abort(e->hc, HC_ERROR_UNSUPPORTED,
		 "a cooperative matrix product of %u x %u x %u, components of %u, %u and %u bits, "
		 "is "
		 "not on the target's list",
		 p->c->rows, p->c->columns, p->a->columns, component(e, p->a)->width,
		 component(e, p->b)->width, component(e, p->c)->width);
}

static LLVMValueRef at_constant(struct hc_emit *e, LLVMValueRef base, uint64_t offset)
{
	return hc_matrix_at(e, base, LLVMConstInt(e->i64, offset, false));
}

/* ---- Matrices in the form that the loop reads ---- */

/* Where @id's copy of @bytes goes; *@fresh: it is there already. */
static LLVMValueRef staging(struct hc_emit *e, uint32_t id, uint64_t bytes, bool *fresh)
{
	*fresh = e->staged[id] && e->staged_at[id] == e->serial;
	if (!e->staged[id]) {
		e->staged[id] = hc_local(e, LLVMArrayType2(e->i8, bytes), "staged");
		LLVMSetAlignment(e->staged[id], 64);
	}
	e->staged_at[id] = e->serial;
	return e->staged[id];
}

static LLVMValueRef stage_floats(struct hc_emit *e, const struct product *p, uint32_t id,
				 const struct hc_type *type)
{
	const struct hc_type *from = component(e, type);
	LLVMValueRef image = hc_matrix_image(e, id), to, value;
	uint64_t i, count = (uint64_t)type->rows * type->columns;
	bool fresh;

	if (from->width == 32)
		return image;
	to = staging(e, id, count * 4, &fresh);
	for (i = 0; !fresh && i < count; i += p->width) {
		value = hc_matrix_load(e, e->i16, p->width, 2, at_constant(e, image, i * 2));
		hc_matrix_store(e, hc_widen(e, from, value), 4, at_constant(e, to, i * 4));
	}
	return to;
}

static LLVMValueRef extend(struct hc_emit *e, LLVMValueRef value, LLVMTypeRef scalar,
			   bool is_signed)
{
	LLVMTypeRef type = LLVMVectorType(scalar, LLVMGetVectorSize(LLVMTypeOf(value)));

	return is_signed ? LLVMBuildSExt(e->b, value, type, "")
			 : LLVMBuildZExt(e->b, value, type, "");
}

/* Row by row, made wider. */
static LLVMValueRef stage_integers(struct hc_emit *e, uint32_t id, const struct hc_type *type,
				   LLVMTypeRef wide, bool is_signed)
{
	uint64_t i, count = (uint64_t)type->rows * type->columns;
	uint32_t size = LLVMGetIntTypeWidth(wide) / 8;
	LLVMValueRef image = hc_matrix_image(e, id), to, value;
	bool fresh;

	to = staging(e, id, count * size, &fresh);
	for (i = 0; !fresh && i < count; i += 16) {
		value = hc_matrix_load(e, e->i8, 16, 1, at_constant(e, image, i));
		hc_matrix_store(e, extend(e, value, wide, is_signed), size,
				at_constant(e, to, i * size));
	}
	return to;
}

/* B with two rows at a time between each other. */
static LLVMValueRef stage_pairs(struct hc_emit *e, uint32_t id, const struct hc_type *type,
				bool is_signed)
{
	LLVMValueRef image = hc_matrix_image(e, id), to, row[2], both;
	uint32_t r, c, half, i, index[16];
	bool fresh;

	to = staging(e, id, (uint64_t)type->rows * type->columns * 2, &fresh);
	for (r = 0; !fresh && r < type->rows; r += 2) {
		for (c = 0; c < type->columns; c += 16) {
			for (i = 0; i < 2; i++)
				row[i] = hc_matrix_load(
					e, e->i8, 16, 1,
					at_constant(e, image,
						    (uint64_t)(r + i) * type->columns + c));
			for (half = 0; half < 2; half++) {
				for (i = 0; i < 16; i++)
					index[i] = half * 8 + i / 2 + (i & 1) * 16;
				both = hc_shuffle(e, row[0], row[1], index, 16);
				hc_matrix_store(e, extend(e, both, e->i16, is_signed), 4,
						at_constant(e, to,
							    ((uint64_t)r * type->columns +
							     2 * (c + half * 8)) *
								    2));
			}
		}
	}
	return to;
}

/* ---- The loop ---- */

static LLVMValueRef splat(struct hc_emit *e, LLVMValueRef scalar, uint32_t count)
{
	LLVMTypeRef vector = LLVMVectorType(LLVMTypeOf(scalar), count);
	LLVMValueRef zero = LLVMConstInt(e->i32, 0, false), one;

	one = LLVMBuildInsertElement(e->b, LLVMGetPoison(vector), scalar, zero, "");
	return LLVMBuildShuffleVector(e->b, one, LLVMGetPoison(vector),
				      LLVMConstNull(LLVMVectorType(e->i32, count)), "");
}

static LLVMValueRef multiply_pairs(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y)
{
	LLVMValueRef args[] = { x, y };
	bool wide = LLVMGetVectorSize(LLVMTypeOf(x)) == 32;

	return hc_intrinsic(e, wide ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd",
			    NULL, 0, args, 2);
}

static LLVMValueRef add_product(struct hc_emit *e, const struct product *p, LLVMValueRef x,
				LLVMValueRef y, LLVMValueRef sum)
{
	if (p->is_float)
		return hc_call3(e, "llvm.fma", x, y, sum);
	x = p->pairs ? multiply_pairs(e, x, y) : LLVMBuildMul(e->b, x, y, "");
	return LLVMBuildAdd(e->b, sum, x, "");
}

/* One step of the inner dimension: A's components at @a, one for each row, and B's row at @b. */
static void add_step(struct hc_emit *e, const struct product *p, LLVMValueRef a, LLVMValueRef b,
		     uint64_t row_bytes, LLVMValueRef *sums)
{
	uint32_t r, v, count = p->pairs ? 2 * p->width : p->width;
	LLVMTypeRef scalar = p->is_float ? e->f32 : p->pairs ? e->i16 : e->i32;
	LLVMValueRef row[MOST_SUMS], x;

	for (v = 0; v < p->vectors; v++)
		row[v] = hc_matrix_load(e, scalar, count, 4,
					at_constant(e, b, (uint64_t)v * p->width * 4));
	for (r = 0; r < p->rows; r++) {
		x = hc_matrix_load(e, p->number, 1, p->pairs ? 2 : 4,
				   at_constant(e, a, r * row_bytes));
		x = splat(e, x, p->width);
		if (p->pairs)
			x = LLVMBuildBitCast(e->b, x, LLVMVectorType(e->i16, count), "");
		for (v = 0; v < p->vectors; v++)
			sums[r * p->vectors + v] =
				add_product(e, p, x, row[v], sums[r * p->vectors + v]);
	}
}

/* The sums of some rows: all of the inner dimension. */
static void sum_rows(struct hc_emit *e, const struct product *p, LLVMValueRef a, LLVMValueRef b,
		     LLVMValueRef *sums)
{
	/* A's and B's components are 32 bits each, or a pair is. */
	uint32_t steps = p->a->columns / (p->pairs ? 2 : 1), i, count = p->rows * p->vectors, u;
	LLVMValueRef phis[MOST_SUMS], at;
	struct hc_matrix_loop loop = hc_matrix_loop(e, steps, UNROLLED);

	for (i = 0; i < count; i++) {
		phis[i] = LLVMBuildPhi(e->b, p->sum, "");
		LLVMAddIncoming(phis[i], &sums[i], &loop.before, 1);
		sums[i] = phis[i];
	}
	at = LLVMBuildMul(e->b, loop.at, LLVMConstInt(e->i64, 4, false), "");
	a = hc_matrix_at(e, a, at);
	at = LLVMBuildMul(e->b, at, LLVMConstInt(e->i64, p->c->columns, false), "");
	b = hc_matrix_at(e, b, at);
	for (u = 0; u < UNROLLED; u++)
		add_step(e, p, at_constant(e, a, 4 * u),
			 at_constant(e, b, 4ull * u * p->c->columns), 4ull * steps, sums);
	for (i = 0; i < count; i++) {
		LLVMBasicBlockRef from = LLVMGetInsertBlock(e->b);

		LLVMAddIncoming(phis[i], &sums[i], &from, 1);
	}
	hc_matrix_loop_end(e, &loop);
}

static void multiply(struct hc_emit *e, const struct product *p, LLVMValueRef a, LLVMValueRef b,
		     LLVMValueRef c, LLVMValueRef result)
{
	const struct hc_type *number = component(e, p->c);
	LLVMTypeRef scalar = hc_scalar_type(e, number);
	uint32_t i, size = (uint32_t)number->size, columns = p->c->columns;
	LLVMValueRef sums[MOST_SUMS], row, offset;
	struct hc_matrix_loop loop = hc_matrix_loop(e, p->c->rows, p->rows);

	row = LLVMBuildMul(e->b, loop.at, LLVMConstInt(e->i64, (uint64_t)size * columns, false),
			   "");
	c = hc_matrix_at(e, c, row);
	result = hc_matrix_at(e, result, row);
	offset = LLVMConstInt(e->i64, 4ull * p->a->columns / (p->pairs ? 2 : 1), false);
	a = hc_matrix_at(e, a, LLVMBuildMul(e->b, loop.at, offset, ""));
	for (i = 0; i < p->rows * p->vectors; i++)
		sums[i] =
			hc_widen(e, number,
				 hc_matrix_load(e, scalar, p->width, size,
						at_constant(e, c, (uint64_t)i * p->width * size)));
	sum_rows(e, p, a, b, sums);
	for (i = 0; i < p->rows * p->vectors; i++)
		hc_matrix_store(e, hc_narrow(e, number, sums[i]), size,
				at_constant(e, result, (uint64_t)i * p->width * size));
	hc_matrix_loop_end(e, &loop);
}

/* As many rows at a time as registers hold sums for, beside B's row and A's component. */
static void choose_tile(struct hc_emit *e, struct product *p)
{
	uint32_t registers = e->hc->target->vector_registers, columns = p->c->columns;

	p->width = e->hc->target->vector_bits / 32;
	if (p->width > columns)
		p->width = columns;
	p->vectors = columns / p->width;
	for (p->rows = 16; p->rows > 1 && p->rows * p->vectors > registers / 2; p->rows /= 2)
		;
}

void hc_emit_product(struct hc_emit *e, const struct hc_inst *inst)
{
	uint32_t flags = inst->operands > 3 ? inst->operand[3] : 0;
	bool a_signed = flags & SpvCooperativeMatrixOperandsMatrixASignedComponentsKHRMask;
	bool b_signed = flags & SpvCooperativeMatrixOperandsMatrixBSignedComponentsKHRMask;
	struct product p = { .a = hc_type_of(e->m, inst->operand[0]),
			     .b = hc_type_of(e->m, inst->operand[1]),
			     .c = hc_type(e->m, inst->type) };
	LLVMValueRef a, b;

	check(e, &p, flags);
	p.is_float = component(e, p.c)->kind == HC_TYPE_FLOAT;
	p.pairs = !p.is_float && e->hc->target->arch == HC_ARCH_X86_64;
	choose_tile(e, &p);
	p.number = p.is_float ? e->f32 : e->i32;
	p.sum = LLVMVectorType(p.number, p.width);
	if (p.is_float) {
		a = stage_floats(e, &p, inst->operand[0], p.a);
		b = stage_floats(e, &p, inst->operand[1], p.b);
	} else {
		a = stage_integers(e, inst->operand[0], p.a, p.pairs ? e->i16 : e->i32, a_signed);
		b = p.pairs ? stage_pairs(e, inst->operand[1], p.b, b_signed)
			    : stage_integers(e, inst->operand[1], p.b, e->i32, b_signed);
	}
	multiply(e, &p, a, b, hc_matrix_image(e, inst->operand[2]),
		 hc_matrix_image(e, inst->result));
}
