// SPDX-License-Identifier: MIT
/*
 * Verification of Ed25519 signatures, RFC 8032 5.1.7, without the cofactor: [S]B - [k]A must encode
 * to the signature's R. Field elements are five limbs of 51 bits, points are in extended
 * coordinates, the two multiplications share their doublings. The constants of the curve are worked
 * out from their definitions. It handles public data only and takes no care of its timing.
 */
#include "rom_crypto.h"

/* ---- The field of 2^255 - 19. Limbs are below 2^52 between operations. ---- */

#define LIMB_BITS 51
#define LIMB_MASK (((uint64_t)1 << LIMB_BITS) - 1)

struct field {
	uint64_t limb[5];
};

static struct field field_small(uint64_t value)
{
	return (struct field){ { value } };
}

static struct field carry(struct field a)
{
	int i;

	for (i = 0; i < 4; i++) {
		a.limb[i + 1] += a.limb[i] >> LIMB_BITS;
		a.limb[i] &= LIMB_MASK;
	}
	a.limb[0] += 19 * (a.limb[4] >> LIMB_BITS);
	a.limb[4] &= LIMB_MASK;
	return a;
}

static struct field add(struct field a, struct field b)
{
	int i;

	for (i = 0; i < 5; i++)
		a.limb[i] += b.limb[i];
	return carry(a);
}

/* Four times the modulus keeps every limb from going below zero. */
static struct field subtract(struct field a, struct field b)
{
	int i;

	a.limb[0] += 4 * (LIMB_MASK - 18) - b.limb[0];
	for (i = 1; i < 5; i++)
		a.limb[i] += 4 * LIMB_MASK - b.limb[i];
	return carry(a);
}

static struct field multiply(struct field a, struct field b)
{
	unsigned __int128 sum[5], over = 0;
	struct field result;
	int i, j;

	for (i = 0; i < 5; i++) {
		sum[i] = 0;
		for (j = 0; j <= i; j++)
			sum[i] += (unsigned __int128)a.limb[j] * b.limb[i - j];
		for (; j < 5; j++)
			sum[i] += (unsigned __int128)(19 * a.limb[j]) * b.limb[5 + i - j];
	}
	for (i = 0; i < 5; i++) {
		sum[i] += over;
		result.limb[i] = (uint64_t)sum[i] & LIMB_MASK;
		over = sum[i] >> LIMB_BITS;
	}
	/* What goes out at the top is below 2^62: one more round of carries settles it. */
	over = 19 * over + result.limb[0];
	result.limb[0] = (uint64_t)over & LIMB_MASK;
	result.limb[1] += (uint64_t)(over >> LIMB_BITS);
	return carry(result);
}

static struct field square(struct field a)
{
	return multiply(a, a);
}

/* a to the power of 2^@bits - @less, whose binary form is ones but for the last five bits. */
static struct field power(struct field a, int bits, unsigned int less)
{
	uint32_t tail = 32 - less;
	struct field result = field_small(1);
	int i;

	for (i = bits - 1; i >= 0; i--) {
		result = square(result);
		if (i >= 5 || tail >> i & 1)
			result = multiply(result, a);
	}
	return result;
}

static struct field inverse(struct field a)
{
	return power(a, 255, 21);
}

static void field_store(uint8_t bytes[32], struct field a)
{
	uint64_t word[4], borrow;
	int i, round;

	a = carry(carry(a));
	for (round = 0; round < 2; round++) {
		struct field less = a;

		/* Subtract the modulus if that does not go below zero. */
		borrow = 0;
		for (i = 0; i < 5; i++) {
			uint64_t modulus = i ? LIMB_MASK : LIMB_MASK - 18;

			less.limb[i] = a.limb[i] - modulus - borrow;
			borrow = less.limb[i] >> 63;
			less.limb[i] &= LIMB_MASK;
		}
		if (!borrow)
			a = less;
	}
	word[0] = a.limb[0] | a.limb[1] << 51;
	word[1] = a.limb[1] >> 13 | a.limb[2] << 38;
	word[2] = a.limb[2] >> 26 | a.limb[3] << 25;
	word[3] = a.limb[3] >> 39 | a.limb[4] << 12;
	for (i = 0; i < 32; i++)
		bytes[i] = word[i / 8] >> 8 * (i % 8);
}

/* The low 255 bits. */
static struct field field_load(const uint8_t bytes[32])
{
	uint64_t word[4] = { 0 };
	int i;

	for (i = 0; i < 32; i++)
		word[i / 8] |= (uint64_t)bytes[i] << 8 * (i % 8);
	return (struct field){ {
		word[0] & LIMB_MASK,
		(word[0] >> 51 | word[1] << 13) & LIMB_MASK,
		(word[1] >> 38 | word[2] << 26) & LIMB_MASK,
		(word[2] >> 25 | word[3] << 39) & LIMB_MASK,
		word[3] >> 12 & LIMB_MASK,
	} };
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	int i;

	for (i = 0; i < 32; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool field_same(struct field a, struct field b)
{
	uint8_t first[32], second[32];

	field_store(first, a);
	field_store(second, b);
	return same(first, second);
}

/* ---- The curve -x^2 + y^2 = 1 + d x^2 y^2, with d = -121665 / 121666 ---- */

struct point {
	struct field x, y, z, t; /* x / z, y / z; t = x y / z */
};

static struct field curve_d(void)
{
	return multiply(subtract(field_small(0), field_small(121665)),
			inverse(field_small(121666)));
}

/* A root of -1: 2 to the power of (p - 1) / 4 = 2^253 - 5. */
static struct field root_of_minus_one(void)
{
	return power(field_small(2), 253, 5);
}

static struct point neutral(void)
{
	return (struct point){ field_small(0), field_small(1), field_small(1), field_small(0) };
}

static struct point negate(struct point a)
{
	a.x = subtract(field_small(0), a.x);
	a.t = subtract(field_small(0), a.t);
	return a;
}

static struct point join(struct field e, struct field f, struct field g, struct field h)
{
	return (struct point){ multiply(e, f), multiply(g, h), multiply(f, g), multiply(e, h) };
}

/* Holds for any two points, also for equal ones. */
static struct point point_add(struct point p, struct point q, struct field d)
{
	struct field a = multiply(subtract(p.y, p.x), subtract(q.y, q.x));
	struct field b = multiply(add(p.y, p.x), add(q.y, q.x));
	struct field c = multiply(multiply(add(p.t, p.t), d), q.t);
	struct field z = multiply(add(p.z, p.z), q.z);

	return join(subtract(b, a), subtract(z, c), add(z, c), add(b, a));
}

static struct point point_double(struct point p)
{
	struct field a = square(p.x), b = square(p.y), c = square(p.z);
	struct field h = add(a, b), g = subtract(a, b);
	struct field e = subtract(h, square(add(p.x, p.y)));

	return join(e, add(add(c, c), g), g, h);
}

static void point_store(uint8_t bytes[32], struct point p)
{
	struct field over = inverse(p.z);
	uint8_t x[32];

	field_store(x, multiply(p.x, over));
	field_store(bytes, multiply(p.y, over));
	bytes[31] |= (x[0] & 1) << 7;
}

/* False if no point has this encoding. */
static bool point_load(struct point *p, const uint8_t bytes[32], struct field d)
{
	struct field y = field_load(bytes), u, v, v3, x, check;
	uint8_t text[32], plain[32];
	int i;

	for (i = 0; i < 32; i++)
		plain[i] = bytes[i];
	plain[31] &= 0x7f;
	field_store(text, y);
	if (!same(text, plain))
		return false;
	u = subtract(square(y), field_small(1));
	v = add(multiply(d, square(y)), field_small(1));
	v3 = multiply(square(v), v);
	/* u v^3 (u v^7)^((p - 5) / 8), and (p - 5) / 8 = 2^252 - 3. */
	x = multiply(multiply(u, v3), power(multiply(u, multiply(square(v3), v)), 252, 3));
	check = multiply(v, square(x));
	if (!field_same(check, u)) {
		x = multiply(x, root_of_minus_one());
		if (!field_same(multiply(v, square(x)), u))
			return false;
	}
	field_store(text, x);
	if ((text[0] & 1) != bytes[31] >> 7) {
		if (field_same(x, field_small(0)))
			return false;
		x = subtract(field_small(0), x);
	}
	*p = (struct point){ x, y, field_small(1), multiply(x, y) };
	return true;
}

/* The point whose y is 4 / 5 and whose x is even. */
static bool base_point(struct point *p, struct field d)
{
	uint8_t bytes[32];

	field_store(bytes, multiply(field_small(4), inverse(field_small(5))));
	return point_load(p, bytes, d);
}

/* ---- Numbers modulo the order of the base point ---- */

static const uint64_t order[4] = {
	0x5812631a5cf5d3edull,
	0x14def9dea2f79cd6ull,
	0x0000000000000000ull,
	0x1000000000000000ull,
};

static bool below_order(const uint64_t value[4])
{
	int i;

	for (i = 3; i >= 0; i--)
		if (value[i] != order[i])
			return value[i] < order[i];
	return false;
}

/* @digest as a number of 512 bits, modulo the order: one bit at a time. */
static void reduce(uint64_t value[4], const uint8_t digest[64])
{
	int bit, i;

	for (i = 0; i < 4; i++)
		value[i] = 0;
	for (bit = 511; bit >= 0; bit--) {
		uint64_t borrow = 0;

		for (i = 3; i > 0; i--)
			value[i] = value[i] << 1 | value[i - 1] >> 63;
		value[0] = value[0] << 1 | (digest[bit / 8] >> bit % 8 & 1);
		if (below_order(value))
			continue;
		for (i = 0; i < 4; i++) {
			unsigned __int128 rest = (unsigned __int128)value[i] - order[i] - borrow;

			value[i] = (uint64_t)rest;
			borrow = (uint64_t)(rest >> 64) & 1;
		}
	}
}

/* [@s] B + [@k] @a, encoded. */
static void combine(uint8_t bytes[32], const uint64_t s[4], struct point base, const uint64_t k[4],
		    struct point a, struct field d)
{
	struct point both = point_add(base, a, d), sum = neutral();
	int bit;

	for (bit = 252; bit >= 0; bit--) {
		unsigned int from_s = s[bit / 64] >> bit % 64 & 1;
		unsigned int from_k = k[bit / 64] >> bit % 64 & 1;

		sum = point_double(sum);
		if (from_s && from_k)
			sum = point_add(sum, both, d);
		else if (from_s)
			sum = point_add(sum, base, d);
		else if (from_k)
			sum = point_add(sum, a, d);
	}
	point_store(bytes, sum);
}

bool rom_ed25519_verify(const uint8_t key[ROM_KEY_BYTES],
			const uint8_t signature[ROM_SIGNATURE_BYTES], const void *head,
			uint64_t head_bytes, const void *body, uint64_t body_bytes)
{
	struct field d = curve_d();
	struct rom_sha512 hash;
	struct point a, base;
	uint8_t digest[64], result[32];
	uint64_t s[4] = { 0 }, k[4];
	int i;

	for (i = 0; i < 32; i++)
		s[i / 8] |= (uint64_t)signature[32 + i] << 8 * (i % 8);
	if (!below_order(s) || !point_load(&a, key, d) || !base_point(&base, d))
		return false;
	rom_sha512_begin(&hash);
	rom_sha512_add(&hash, signature, 32);
	rom_sha512_add(&hash, key, ROM_KEY_BYTES);
	rom_sha512_add(&hash, head, head_bytes);
	rom_sha512_add(&hash, body, body_bytes);
	rom_sha512_end(&hash, digest);
	reduce(k, digest);
	combine(result, s, base, k, negate(a), d);
	return same(result, signature);
}

void rom_key_id(const uint8_t key[ROM_KEY_BYTES], uint8_t id[ROM_KEY_ID_BYTES])
{
	struct rom_sha512 hash;
	uint8_t digest[64];
	int i;

	rom_sha512_begin(&hash);
	rom_sha512_add(&hash, key, ROM_KEY_BYTES);
	rom_sha512_end(&hash, digest);
	for (i = 0; i < ROM_KEY_ID_BYTES; i++)
		id[i] = digest[i];
}
