// SPDX-License-Identifier: MIT
/*
 * OpSpecConstantOp: constants that are computed from others. SPIRV-Tools folds those of 32 bits; here are all widths.
 * What SPIR-V leaves undefined (division by zero, shifts by the width or more) gives zero.
 */
#include "hc_internal.h"

#include <string.h>
#include <spirv/unified1/spirv.h>

static uint64_t low_bits(uint64_t value, uint32_t width)
{
	return width < 64 ? value & ((1ull << width) - 1) : value;
}

static int64_t as_signed(uint64_t value, uint32_t width)
{
	return (int64_t)(value << (64 - width)) >> (64 - width);
}

/* Quotient (or remainder, with the sign of the dividend) of numbers that may be INT64_MIN and -1. */
static int64_t divide(int64_t x, int64_t y, bool remainder)
{
	if (!y)
		return 0;
	if (y == -1)
		return remainder ? 0 : (int64_t)(0 - (uint64_t)x);
	return remainder ? x % y : x / y;
}

/* Of two integers of @width bits; false if @op is no such operation. Shift counts may be of another width. */
static bool fold_two(uint32_t op, uint32_t width, uint64_t x, uint64_t y, uint64_t *out)
{
	int64_t sx = as_signed(x, width), sy = as_signed(y, width), rest;

	switch (op) {
	case SpvOpIAdd:
		*out = x + y;
		return true;
	case SpvOpISub:
		*out = x - y;
		return true;
	case SpvOpIMul:
		*out = x * y;
		return true;
	case SpvOpUDiv:
		*out = y ? x / y : 0;
		return true;
	case SpvOpUMod:
		*out = y ? x % y : 0;
		return true;
	case SpvOpSDiv:
		*out = (uint64_t)divide(sx, sy, false);
		return true;
	case SpvOpSRem:
		*out = (uint64_t)divide(sx, sy, true);
		return true;
	case SpvOpSMod:
		rest = divide(sx, sy, true);
		*out = (uint64_t)(rest && (rest < 0) != (sy < 0) ? rest + sy : rest);
		return true;
	case SpvOpShiftLeftLogical:
		*out = y < width ? x << y : 0;
		return true;
	case SpvOpShiftRightLogical:
		*out = y < width ? x >> y : 0;
		return true;
	case SpvOpShiftRightArithmetic:
		*out = y < width ? (uint64_t)(sx >> y) : 0;
		return true;
	case SpvOpBitwiseOr:
	case SpvOpLogicalOr:
		*out = x | y;
		return true;
	case SpvOpBitwiseAnd:
	case SpvOpLogicalAnd:
		*out = x & y;
		return true;
	case SpvOpBitwiseXor:
		*out = x ^ y;
		return true;
	case SpvOpIEqual:
	case SpvOpLogicalEqual:
		*out = x == y;
		return true;
	case SpvOpINotEqual:
	case SpvOpLogicalNotEqual:
		*out = x != y;
		return true;
	case SpvOpUGreaterThan:
		*out = x > y;
		return true;
	case SpvOpUGreaterThanEqual:
		*out = x >= y;
		return true;
	case SpvOpULessThan:
		*out = x < y;
		return true;
	case SpvOpULessThanEqual:
		*out = x <= y;
		return true;
	case SpvOpSGreaterThan:
		*out = sx > sy;
		return true;
	case SpvOpSGreaterThanEqual:
		*out = sx >= sy;
		return true;
	case SpvOpSLessThan:
		*out = sx < sy;
		return true;
	case SpvOpSLessThanEqual:
		*out = sx <= sy;
		return true;
	default:
		return false;
	}
}

static bool fold_one(uint32_t op, uint32_t width, uint64_t x, uint64_t *out)
{
	switch (op) {
	case SpvOpSConvert:
		*out = (uint64_t)as_signed(x, width);
		return true;
	case SpvOpUConvert:
		*out = x;
		return true;
	case SpvOpSNegate:
		*out = 0 - x;
		return true;
	case SpvOpNot:
		*out = ~x;
		return true;
	case SpvOpLogicalNot:
		*out = !x;
		return true;
	default:
		return false;
	}
}

static double float_of(uint64_t bits, uint32_t width)
{
	_Float16 half;
	float single;
	double value;
	uint32_t low = (uint32_t)bits;
	uint16_t lowest = (uint16_t)bits;

	switch (width) {
	case 16:
		memcpy(&half, &lowest, sizeof(half));
		return (double)half;
	case 32:
		memcpy(&single, &low, sizeof(single));
		return single;
	default:
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
}

static uint64_t bits_of(double value, uint32_t width)
{
	_Float16 half = (_Float16)value;
	float single = (float)value;
	uint64_t bits = 0;

	switch (width) {
	case 16:
		memcpy(&bits, &half, sizeof(half));
		return bits;
	case 32:
		memcpy(&bits, &single, sizeof(single));
		return bits;
	default:
		memcpy(&bits, &value, sizeof(value));
		return bits;
	}
}

struct operands {
	struct hc_module *m;
	const uint32_t *ids;
	uint32_t count;
};

static const uint64_t *leaves_of(const struct operands *o, uint32_t i, struct hc_type **type)
{
	struct hc_id *id;

	if (i >= o->count)
		hc_abort(o->m->hc, HC_ERROR_INVALID_SPIRV, "OpSpecConstantOp of %u operands",
			 o->count);
	id = hc_id(o->m, o->ids[i]);
	if (id->kind != HC_ID_CONSTANT)
		hc_abort(o->m->hc, HC_ERROR_UNSUPPORTED,
			 "OpSpecConstantOp of id %u, expected a constant", o->ids[i]);
	*type = hc_type(o->m, id->type);
	return id->constant;
}

/* Where the literals from operand @from on lead inside @type: the first leaf there. */
static uint32_t walk(const struct operands *o, uint32_t from, struct hc_type **type)
{
	uint32_t i, leaf, first = 0;

	for (i = from; i < o->count; i++) {
		*type = hc_member_type(o->m, *type, o->ids[i], &leaf);
		first += leaf;
	}
	return first;
}

static bool fold_composite(const struct operands *o, uint32_t op, struct hc_type *type,
			   uint64_t *out)
{
	struct hc_type *a, *b;
	const uint64_t *x, *y;
	uint32_t i, first;

	switch (op) {
	case SpvOpCompositeExtract:
		x = leaves_of(o, 0, &a);
		first = walk(o, 1, &a);
		if (a->leaves != type->leaves)
			return false;
		memcpy(out, x + first, type->leaves * sizeof(*out));
		return true;
	case SpvOpCompositeInsert:
		x = leaves_of(o, 0, &a);
		y = leaves_of(o, 1, &b);
		if (b->leaves != type->leaves)
			return false;
		memcpy(out, y, type->leaves * sizeof(*out));
		first = walk(o, 2, &b);
		if (b->leaves != a->leaves)
			return false;
		memcpy(out + first, x, b->leaves * sizeof(*out));
		return true;
	case SpvOpVectorShuffle:
		x = leaves_of(o, 0, &a);
		y = leaves_of(o, 1, &b);
		for (i = 0; i < type->leaves && i + 2 < o->count; i++) {
			uint32_t from = o->ids[i + 2];

			/* All ones: any value. */
			if (from < a->leaves)
				out[i] = x[from];
			else if (from - a->leaves < b->leaves)
				out[i] = y[from - a->leaves];
		}
		return true;
	default:
		return false;
	}
}

/* Leaf @i of an elementwise operation, of @to bits. */
static bool fold_leaf(const struct operands *o, uint32_t op, uint32_t i, uint32_t to, uint64_t *out)
{
	struct hc_type *a, *b, *c;
	const uint64_t *x = leaves_of(o, 0, &a), *y, *z;
	uint32_t width = hc_leaf_type(o->m, a, i < a->leaves ? i : 0)->width;

	if (op == SpvOpSelect) {
		y = leaves_of(o, 1, &b);
		z = leaves_of(o, 2, &c);
		if (i >= b->leaves || i >= c->leaves || (a->leaves > 1 && i >= a->leaves))
			return false;
		*out = x[a->leaves > 1 ? i : 0] ? y[i] : z[i];
		return true;
	}
	if (i >= a->leaves)
		return false;
	if (op == SpvOpFConvert) {
		*out = bits_of(float_of(x[i], width), to);
		return true;
	}
	if (op == SpvOpQuantizeToF16) {
		*out = bits_of(float_of(bits_of(float_of(x[i], width), 16), 16), to);
		return true;
	}
	if (o->count == 1)
		return fold_one(op, width, x[i], out);
	y = leaves_of(o, 1, &b);
	return b->leaves == a->leaves && fold_two(op, width, x[i], y[i], out);
}

void hc_constant_op(struct hc_module *m, const uint32_t *w, uint32_t n, uint64_t *out)
{
	struct hc_type *type = hc_type(m, w[0]);
	struct operands o = { m, w + 3, n - 3 };
	uint32_t i, op = w[2];

	if (fold_composite(&o, op, type, out))
		return;
	for (i = 0; i < type->leaves; i++) {
		const struct hc_type *leaf = hc_leaf_type(m, type, i);

		if (!fold_leaf(&o, op, i, leaf->width, &out[i]))
			hc_abort(m->hc, HC_ERROR_UNSUPPORTED,
				 "%s in OpSpecConstantOp is not supported", hc_op_name(op));
		out[i] = low_bits(out[i], leaf->width);
	}
}
