// SPDX-License-Identifier: MIT
/*
 * Integer dot products: of vectors, and of four bytes that a 32-bit integer holds. The latter are what x86's
 * multiply-and-add instructions are made for; none of those multiplies signed with signed bytes before AVX-VNNI-INT8.
 */
#include "hc_emit.h"

#include <string.h>

#include <spirv/unified1/spirv.h>

/* One of the two factors. */
struct factor {
	uint32_t id;
	bool packed;
	bool is_signed;
};

static LLVMValueRef component(struct hc_emit *e, const struct hc_inst *inst, const struct factor *f,
			      uint32_t i)
{
	LLVMTypeRef scalar = hc_scalar_type(e, hc_type(e->m, inst->type)), type;
	LLVMValueRef value = hc_as_shape(e, inst->result, 0, f->id, f->packed ? 0 : i);

	if (f->packed) {
		type = LLVMTypeOf(value);
		value = LLVMBuildShl(e->b, value, hc_int(e, type, 24 - 8 * i), "");
		value = f->is_signed ? LLVMBuildAShr(e->b, value, hc_int(e, type, 24), "")
				     : LLVMBuildLShr(e->b, value, hc_int(e, type, 24), "");
	}
	type = hc_is_vector(value) ? hc_vector_of(e, scalar) : scalar;
	return LLVMBuildIntCast2(e->b, value, type, f->is_signed, "");
}

/* ---- Four bytes in 32 bits, on x86 ---- */

/* One instruction's worth of lanes, and the intrinsics for it. */
struct x86_dot {
	struct hc_emit *e;
	const char *madd_words, *madd_bytes, *dot_bytes; /* dot_bytes: NULL without VNNI */
	uint32_t bits;
};

static bool x86_has(const struct hc_emit *e, const char *feature)
{
	return strstr(e->hc->target->features, feature) != NULL;
}

static bool x86_dot_init(struct x86_dot *d, struct hc_emit *e)
{
	bool wide = e->hc->target->vector_bits == 512 && e->lanes % 16 == 0;

	if (e->hc->target->arch != HC_ARCH_X86_64 || e->lanes % 8)
		return false;
	*d = (struct x86_dot){ .e = e, .bits = wide ? 512 : 256 };
	d->madd_words = wide ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd";
	d->madd_bytes = wide ? "llvm.x86.avx512.pmaddubs.w.512" : "llvm.x86.avx2.pmadd.ub.sw";
	if (x86_has(e, "+avx512vnni"))
		d->dot_bytes =
			wide ? "llvm.x86.avx512.vpdpbusd.512" : "llvm.x86.avx512.vpdpbusd.256";
	else if (x86_has(e, "+avxvnni"))
		d->dot_bytes = "llvm.x86.avx512.vpdpbusd.256";
	return true;
}

static LLVMTypeRef x86_type(const struct x86_dot *d, LLVMTypeRef element, uint32_t element_bits)
{
	return LLVMVectorType(element, d->bits / element_bits);
}

static LLVMValueRef x86_splat(const struct x86_dot *d, uint32_t word)
{
	LLVMValueRef words[16];

	for (uint32_t i = 0; i < d->bits / 32; i++)
		words[i] = LLVMConstInt(d->e->i32, word, false);
	return LLVMConstVector(words, d->bits / 32);
}

/* The bytes 2i (@odd: 2i + 1) of @x as words. */
static LLVMValueRef x86_words(const struct x86_dot *d, LLVMValueRef x, bool odd, bool is_signed)
{
	LLVMBuilderRef b = d->e->b;
	LLVMTypeRef type = x86_type(d, d->e->i16, 16);
	LLVMValueRef eight = LLVMConstBitCast(x86_splat(d, 0x00080008), type);

	x = LLVMBuildBitCast(b, x, type, "");
	if (!odd)
		x = LLVMBuildShl(b, x, eight, "");
	return is_signed ? LLVMBuildAShr(b, x, eight, "") : LLVMBuildLShr(b, x, eight, "");
}

static LLVMValueRef x86_madd_words(const struct x86_dot *d, LLVMValueRef x, LLVMValueRef y)
{
	LLVMValueRef args[] = { x, y };

	return hc_intrinsic(d->e, d->madd_words, NULL, 0, args, 2);
}

/* accumulator + unsigned bytes of @x · signed bytes of @y */
static LLVMValueRef x86_vnni(const struct x86_dot *d, LLVMValueRef accumulator, LLVMValueRef x,
			     LLVMValueRef y)
{
	LLVMValueRef args[] = { accumulator, x, y };

	return hc_intrinsic(d->e, d->dot_bytes, NULL, 0, args, 3);
}

/* What the largest byte of @x can be, seen from how it was made: by a mask, the same in all lanes or not. */
static uint32_t largest_byte(LLVMValueRef x)
{
	uint32_t mask, i, lanes, largest = 0;
	LLVMValueRef constant, lane;

	if (!LLVMIsAInstruction(x) || LLVMGetInstructionOpcode(x) != LLVMAnd)
		return 255;
	constant = LLVMGetOperand(x, 1);
	if (!LLVMIsAConstantDataVector(constant))
		return 255;
	lanes = LLVMGetVectorSize(LLVMTypeOf(constant));
	for (i = 0; i < lanes; i++) {
		lane = LLVMGetAggregateElement(constant, i);
		for (mask = (uint32_t)LLVMConstIntGetZExtValue(lane); mask; mask >>= 8)
			if ((mask & 255) > largest)
				largest = mask & 255;
	}
	return largest;
}

/* Whether pairs of its products with signed bytes fit a word. */
static bool is_small(LLVMValueRef x)
{
	return largest_byte(x) <= 127;
}

/* @small: of the one that is not signed, that its bytes are at most 127. */
static LLVMValueRef x86_dot(const struct x86_dot *d, LLVMValueRef x, bool x_signed, LLVMValueRef y,
			    bool y_signed, bool small)
{
	LLVMBuilderRef b = d->e->b;
	LLVMTypeRef bytes = x86_type(d, d->e->i8, 8);
	LLVMValueRef even, odd, none = x86_splat(d, 0);

	if (d->dot_bytes && x_signed != y_signed)
		return x_signed ? x86_vnni(d, none, y, x) : x86_vnni(d, none, x, y);
	/* x + 128 is not negative; what is too much does not depend on x, and often stays the same in a loop. */
	if (d->dot_bytes && x_signed)
		return LLVMBuildSub(
			b, x86_vnni(d, none, LLVMBuildXor(b, x, x86_splat(d, 0x80808080), ""), y),
			x86_vnni(d, none, x86_splat(d, 0x80808080), y), "");
	/* Sums of two products that fit a word. */
	if (x_signed != y_signed && small) {
		LLVMValueRef args[] = {
			LLVMBuildBitCast(b, x_signed ? y : x, bytes, ""),
			LLVMBuildBitCast(b, x_signed ? x : y, bytes, ""),
		};
		LLVMValueRef ones =
			LLVMConstBitCast(x86_splat(d, 0x00010001), x86_type(d, d->e->i16, 16));

		return x86_madd_words(d, hc_intrinsic(d->e, d->madd_bytes, NULL, 0, args, 2), ones);
	}
	even = x86_madd_words(d, x86_words(d, x, false, x_signed),
			      x86_words(d, y, false, y_signed));
	odd = x86_madd_words(d, x86_words(d, x, true, x_signed), x86_words(d, y, true, y_signed));
	return LLVMBuildAdd(b, even, odd, "");
}

/* All lanes, a register's worth at a time. NULL where it does not apply. */
static LLVMValueRef x86_dots(struct hc_emit *e, const struct hc_inst *inst, const struct factor *fx,
			     const struct factor *fy)
{
	LLVMValueRef x, y, result = NULL, parts[8];
	uint32_t lanes[64], count, i, j;
	struct x86_dot d;
	bool small;

	if (!fx->packed || !x86_dot_init(&d, e))
		return NULL;
	x = hc_as_shape(e, inst->result, 0, fx->id, 0);
	y = hc_as_shape(e, inst->result, 0, fy->id, 0);
	if (!hc_is_vector(x) || !hc_is_vector(y) || LLVMGetElementType(LLVMTypeOf(x)) != e->i32)
		return NULL;
	small = is_small(fx->is_signed ? y : x);
	count = e->lanes / (d.bits / 32);
	if (count > 8 || e->lanes > 64)
		return NULL;
	for (i = 0; i < count; i++) {
		for (j = 0; j < d.bits / 32; j++)
			lanes[j] = i * (d.bits / 32) + j;
		parts[i] = x86_dot(&d, count == 1 ? x : hc_shuffle(e, x, x, lanes, d.bits / 32),
				   fx->is_signed,
				   count == 1 ? y : hc_shuffle(e, y, y, lanes, d.bits / 32),
				   fy->is_signed, small);
	}
	/* Pairs of neighbours until one is left. */
	for (; count > 1; count /= 2) {
		uint32_t length = e->lanes / count;

		for (i = 0; i < 2 * length; i++)
			lanes[i] = i;
		for (i = 0; i < count / 2; i++)
			parts[i] = hc_shuffle(e, parts[2 * i], parts[2 * i + 1], lanes, 2 * length);
	}
	result = parts[0];
	return result;
}

/* ---- Sums of dot products ---- */

static bool is_call(LLVMValueRef value, const char *name)
{
	size_t length;

	return name && LLVMIsACallInst(value) &&
	       !strcmp(LLVMGetValueName2(LLVMGetCalledValue(value), &length), name);
}

/* The largest magnitude of a word in sums of pmaddubsw's results; more than a word holds if it is not known. */
static uint32_t word_bound(const struct x86_dot *d, LLVMValueRef words)
{
	LLVMValueRef bytes;

	if (LLVMIsAInstruction(words) && LLVMGetInstructionOpcode(words) == LLVMAdd)
		return word_bound(d, LLVMGetOperand(words, 0)) +
		       word_bound(d, LLVMGetOperand(words, 1));
	if (!is_call(words, d->madd_bytes))
		return 1 << 16;
	bytes = LLVMGetOperand(words, 0);
	if (LLVMIsAInstruction(bytes) && LLVMGetInstructionOpcode(bytes) == LLVMBitCast)
		bytes = LLVMGetOperand(bytes, 0);
	return 2 * 128 * largest_byte(bytes);
}

LLVMValueRef hc_emit_dot_sum(struct hc_emit *e, LLVMValueRef x, LLVMValueRef y)
{
	struct x86_dot d;

	if (!hc_is_vector(x) || !hc_is_vector(y) || !x86_dot_init(&d, e))
		return NULL;
	/* VNNI adds by itself. */
	if (is_call(x, d.dot_bytes) && !is_call(y, d.dot_bytes)) {
		LLVMValueRef swap = x;

		x = y;
		y = swap;
	}
	if (is_call(y, d.dot_bytes) && LLVMIsNull(LLVMGetOperand(y, 0)))
		return x86_vnni(&d, x, LLVMGetOperand(y, 1), LLVMGetOperand(y, 2));
	/* Words are added as words, as long as they cannot overflow, and made 32 bits wide once. */
	if (is_call(x, d.madd_words) && is_call(y, d.madd_words) &&
	    LLVMIsConstant(LLVMGetOperand(x, 1)) && LLVMGetOperand(x, 1) == LLVMGetOperand(y, 1) &&
	    word_bound(&d, LLVMGetOperand(x, 0)) + word_bound(&d, LLVMGetOperand(y, 0)) <=
		    INT16_MAX)
		return x86_madd_words(
			&d, LLVMBuildAdd(e->b, LLVMGetOperand(x, 0), LLVMGetOperand(y, 0), ""),
			LLVMGetOperand(x, 1));
	return NULL;
}

bool hc_emit_integer_dot(struct hc_emit *e, const struct hc_inst *inst)
{
	struct factor x = { 0 }, y = { 0 };
	LLVMValueRef sum = NULL, product, accumulator;
	bool accumulates = false, whole;
	uint32_t i, count;

	switch (inst->op) {
	case SpvOpSDotAccSat:
	case SpvOpUDotAccSat:
	case SpvOpSUDotAccSat:
		accumulates = true;
		break;
	case SpvOpSDot:
	case SpvOpUDot:
	case SpvOpSUDot:
		break;
	default:
		return false;
	}
	x.id = inst->operand[0];
	y.id = inst->operand[1];
	x.is_signed = inst->op != SpvOpUDot && inst->op != SpvOpUDotAccSat;
	y.is_signed = inst->op == SpvOpSDot || inst->op == SpvOpSDotAccSat;
	x.packed = y.packed = hc_type_of(e->m, x.id)->kind == HC_TYPE_INT;
	count = x.packed ? 4 : hc_type_of(e->m, x.id)->leaves;
	sum = x86_dots(e, inst, &x, &y);
	whole = sum != NULL;
	for (i = 0; i < count && !whole; i++) {
		product = LLVMBuildMul(e->b, component(e, inst, &x, i), component(e, inst, &y, i),
				       "");
		sum = sum ? LLVMBuildAdd(e->b, sum, product, "") : product;
	}
	if (accumulates) {
		accumulator = hc_as_shape(e, inst->result, 0, inst->operand[2], 0);
		sum = hc_call2(e, x.is_signed ? "llvm.sadd.sat" : "llvm.uadd.sat", sum,
			       accumulator);
	}
	hc_put(e, inst->result, 0, sum);
	return true;
}
