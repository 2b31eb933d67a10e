// SPDX-License-Identifier: MIT
/*
 * Subgroup operations. Lane l of subgroup s is the invocation of local index s × size + l, as the compiler promises;
 * the expected values follow from the size that the kernel says it has.
 */
#include <string.h>

#include "harness.h"

#define SSBO HC_BINDING_STORAGE_BUFFER

/* One subgroup: @n invocations that exist, of @size; the first is number @first of the grid. */
struct group {
	uint32_t first, n, size, index, count;
};

static uint32_t for_each_group(struct run *r, uint32_t i, struct group *g)
{
	uint32_t local = r->c->local[0], per = (local + r->subgroup - 1) / r->subgroup;
	uint32_t total = per * r->c->groups[0];

	if (i >= total)
		return 0;
	g->size = r->subgroup;
	g->index = i % per;
	g->count = per;
	g->first = i / per * local + g->index * g->size;
	g->n = local - g->index * g->size;
	if (g->n > g->size)
		g->n = g->size;
	return 1;
}
#define EACH_GROUP(r, g) \
	struct group g;  \
	for (uint32_t g##_i = 0; for_each_group(r, g##_i, &g); g##_i++)

static uint32_t bits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

static void expect_basic(struct run *r)
{
	EACH_GROUP(r, g)
	{
		for (uint32_t l = 0; l < g.n; l++) {
			uint32_t *o = WANT(r, 0) + (g.first + l) * 4;

			o[0] = g.size;
			o[1] = g.count;
			o[2] = l == 0;
			o[3] = g.index * 100 + l;
		}
	}
}

enum fold { ADD, MUL, MIN, MAX, AND, OR, XOR, SMIN, SMAX };

static const uint32_t identities[] = {
	0, 1, 0xffffffff, 0, 0xffffffff, 0, 0, 0x7fffffff, 0x80000000
};

static uint32_t fold(enum fold op, uint32_t a, uint32_t b)
{
	switch (op) {
	case ADD:
		return a + b;
	case MUL:
		return a * b;
	case MIN:
		return a < b ? a : b;
	case MAX:
		return a > b ? a : b;
	case AND:
		return a & b;
	case OR:
		return a | b;
	case XOR:
		return a ^ b;
	case SMIN:
		return (int32_t)a < (int32_t)b ? a : b;
	default:
		return (int32_t)a > (int32_t)b ? a : b;
	}
}

static uint32_t fold_range(enum fold op, const uint32_t *v, uint32_t n)
{
	uint32_t r = identities[op];

	for (uint32_t i = 0; i < n; i++)
		r = fold(op, r, v[i]);
	return r;
}

static void expect_arithmetic(struct run *r)
{
	EACH_GROUP(r, g)
	{
		const uint32_t *v = WORDS(r, 1) + g.first;
		uint32_t odd[64], high[64], low[64];
		float sum = 0;

		for (uint32_t l = 0; l < g.n; l++) {
			odd[l] = v[l] | 1;
			high[l] = v[l] | 0xf0f0;
			low[l] = v[l] & 0xff0;
			sum += (float)(v[l] & 255);
		}
		for (uint32_t l = 0; l < g.n; l++) {
			uint32_t *o = WANT(r, 0) + (g.first + l) * 24;
			float most = -__builtin_inff();

			o[0] = fold_range(ADD, v, g.n);
			o[1] = fold_range(MUL, odd, g.n);
			o[2] = fold_range(MIN, v, g.n);
			o[3] = fold_range(MAX, v, g.n);
			o[4] = fold_range(AND, high, g.n);
			o[5] = fold_range(OR, low, g.n);
			o[6] = fold_range(XOR, v, g.n);
			o[7] = fold_range(SMIN, v, g.n);
			o[8] = fold_range(SMAX, v, g.n);
			o[9] = fold_range(ADD, v, l + 1);
			o[10] = fold_range(MUL, odd, l + 1);
			o[11] = fold_range(MIN, v, l + 1);
			o[12] = fold_range(MAX, v, l + 1);
			o[13] = fold_range(XOR, v, l + 1);
			o[14] = fold_range(ADD, v, l);
			o[15] = fold_range(MUL, odd, l);
			o[16] = fold_range(MIN, v, l);
			o[17] = fold_range(MAX, v, l);
			o[18] = fold_range(AND, v, l);
			o[19] = fold_range(OR, v, l);
			o[20] = fold_range(SMIN, v, l + 1);
			o[21] = fold_range(SMAX, v, l);
			o[22] = bits_of(sum);
			for (uint32_t k = 0; k < l; k++)
				most = (float)((int32_t)v[k] >> 20) > most
					       ? (float)((int32_t)v[k] >> 20)
					       : most;
			o[23] = bits_of(most);
		}
	}
}

static void expect_divergent(struct run *r)
{
	EACH_GROUP(r, g)
	{
		const uint32_t *v = WORDS(r, 1) + g.first;

		for (uint32_t l = 0; l < g.n; l++) {
			uint32_t a = v[l], x = 0, sum = 0, before = 0, most = 0, first = 64,
				 count = 0, even = 0;

			for (uint32_t k = g.n; k--;) {
				bool odd = v[k] & 1;

				sum += odd ? v[k] >> 4 : 0;
				before += odd && k < l;
				if (odd && (v[k] & 2)) {
					most = v[k] > most ? v[k] : most;
					first = k;
				}
				count += !odd && (v[k] & 4);
				if (!odd)
					even = v[k];
			}
			if (a & 1) {
				x = sum + before;
				if (a & 2)
					x ^= most + (first == l);
			} else {
				x = count * 1000 + even;
			}
			for (uint32_t round = 0; round < (a & 3); round++) {
				uint32_t active = 0;

				for (uint32_t k = 0; k < g.n; k++)
					active += (v[k] & 3) > round;
				x += active * round;
			}
			WANT(r, 0)[g.first + l] = x;
		}
	}
}

static void prepare_vote(struct run *r)
{
	/* Subgroups that agree: all words alike in the first work-group, all odd in the second. */
	for (uint32_t i = 0; i < 44; i++) {
		WORDS(r, 1)[i] = 9;
		WORDS(r, 1)[44 + i] |= 1;
	}
}

static void expect_vote(struct run *r)
{
	EACH_GROUP(r, g)
	{
		const uint32_t *v = WORDS(r, 1) + g.first;
		uint32_t all = 1, all_odd = 1, any_nine = 0, any_zero = 0, equal = 1;

		for (uint32_t l = 0; l < g.n; l++) {
			all &= v[l] != 0;
			all_odd &= v[l] & 1;
			any_nine |= (v[l] & 63) == 9;
			any_zero |= v[l] == 0;
			equal &= v[l] == v[0];
		}
		for (uint32_t l = 0; l < g.n; l++)
			WANT(r, 0)
		[g.first + l] =
			all | all_odd << 1 | any_nine << 2 | any_zero << 3 | equal << 4 | 32;
	}
}

static void expect_ballot(struct run *r)
{
	EACH_GROUP(r, g)
	{
		const uint32_t *v = WORDS(r, 1) + g.first;
		uint32_t b = 0;

		for (uint32_t l = 0; l < g.n; l++)
			b |= (v[l] & 1) << l;
		for (uint32_t l = 0; l < g.n; l++) {
			uint32_t *o = WANT(r, 0) + (g.first + l) * 12;
			uint32_t eq = 1u << l, lt = eq - 1, le = lt | eq;
			uint32_t all = g.size == 32 ? 0xffffffff : (1u << g.size) - 1;
			uint32_t ge = all & ~lt, gt = all & ~le;

			o[0] = b;
			o[1] = 0;
			o[2] = b >> l & 1;
			o[3] = b >> 3 & 1;
			o[4] = __builtin_popcount(b);
			o[5] = __builtin_popcount(b & le);
			o[6] = __builtin_popcount(b & lt);
			/* Undefined for an empty ballot: see prepare_ballot(). */
			o[7] = __builtin_ctz(b);
			o[8] = 31 - __builtin_clz(b);
			o[9] = v[0];
			o[10] = v[2];
			o[11] = eq ^ ge * 3 ^ lt * 5 ^ le * 7 ^ gt * 11;
		}
	}
}

/* No subgroup, however large, has an empty ballot. */
static void prepare_ballot(struct run *r)
{
	for (uint32_t i = 0; i < 88; i++)
		WORDS(r, 1)[i] |= i % 44 % 4 == 1;
}

static void expect_rotate(struct run *r)
{
	for (uint32_t i = 0; i < run_invocations(r); i++) {
		uint32_t first = i / r->subgroup * r->subgroup, lane = i % r->subgroup;

		WANT(r, 0)
		[2 * i] = WORDS(r, 1)[first + (lane + (WORDS(r, 1)[0] & 3)) % r->subgroup];
		WANT(r, 0)[2 * i + 1] = WORDS(r, 1)[i / 4 * 4 + (i + 3) % 4];
	}
}

static void expect_shuffle(struct run *r)
{
	EACH_GROUP(r, g)
	{
		const uint32_t *v = WORDS(r, 1) + g.first;
		uint32_t n = g.size;

		for (uint32_t l = 0; l < g.n; l++) {
			uint32_t *o = WANT(r, 0) + (g.first + l) * 6;

			o[0] = v[(l * 3 + 1) % n];
			o[1] = v[l ^ 5];
			o[2] = l >= 2 ? v[l - 2] : 0;
			o[3] = l + 3 < n ? v[l + 3] : 0;
			o[4] = v[v[l] % n];
			o[5] = (v[l ^ 1] & 255) * 100 + (l ^ 1);
		}
	}
}

static void expect_clustered(struct run *r)
{
	EACH_GROUP(r, g)
	{
		const uint32_t *v = WORDS(r, 1) + g.first;

		for (uint32_t l = 0; l < g.n; l++) {
			uint32_t *o = WANT(r, 0) + (g.first + l) * 8;

			o[0] = fold_range(ADD, v + (l & ~3u), 4);
			o[1] = fold_range(MAX, v + (l & ~1u), 2);
			o[2] = fold_range(XOR, v + (l & ~7u), 8);
			o[3] = v[l];
			o[4] = v[(l & ~3u) + 2];
			o[5] = v[l ^ 1];
			o[6] = v[l ^ 2];
			o[7] = v[l ^ 3];
		}
	}
}

static void expect_types(struct run *r)
{
	EACH_GROUP(r, g)
	{
		const uint32_t *v = WORDS(r, 1) + g.first;
		uint64_t wide = 0;
		uint8_t most = 0;
		uint16_t sum = 0;
		uint32_t t[3] = { 0 };

		for (uint32_t l = 0; l < g.n; l++) {
			wide += (uint64_t)v[l] << 20;
			most = (uint8_t)v[l] > most ? (uint8_t)v[l] : most;
			sum += (uint16_t)v[l];
			t[0] += v[l];
			t[1] += v[l] >> 8;
			t[2]++;
		}
		for (uint32_t l = 0; l < g.n; l++) {
			uint32_t *o = WANT(r, 0) + (g.first + l) * 4;

			o[0] = (uint32_t)wide ^ (uint32_t)(wide >> 32);
			o[1] = most + ((uint32_t)sum << 8);
			o[2] = fold_range(SMAX, v, g.n);
			o[3] = t[0] + t[1] * 3 + t[2] * 5;
		}
	}
}

#define TWO_BUFFERS(out, in)             \
	{                                \
		{ (out), 0, 0, SSBO },   \
		{                        \
			(in), 0, 1, SSBO \
		}                        \
	}
#define CASE44(n, words, p, e)                              \
	{ .name = n,                                        \
	  .local = { 44, 1, 1 },                            \
	  .groups = { 2, 1, 1 },                            \
	  .buffers = TWO_BUFFERS(88 * 4 * (words), 88 * 4), \
	  .prepare = p,                                     \
	  .expect = e }
#define CASE64(n, words, e, size)                             \
	{ .name = n,                                          \
	  .local = { 64, 1, 1 },                              \
	  .groups = { 2, 1, 1 },                              \
	  .buffers = TWO_BUFFERS(128 * 4 * (words), 128 * 4), \
	  .expect = e,                                        \
	  .subgroup_size = size }

/* How many of the subgroup's lanes are in @lanes. */
static uint32_t together(uint64_t lanes)
{
	return (uint32_t)__builtin_popcountll(lanes);
}

static uint64_t having(const uint32_t *v, uint64_t lanes, uint32_t shift, uint32_t mask,
		       uint32_t value)
{
	uint64_t found = 0;

	for (uint32_t l = 0; l < 64; l++)
		if (lanes >> l & 1 && (v[l] >> shift & mask) == value)
			found |= 1ull << l;
	return found;
}

#define EACH(lanes)                       \
	for (uint32_t l = 0; l < 64; l++) \
		if ((lanes) >> l & 1)

static void reconverge_loop(uint32_t *r, const uint32_t *v, uint64_t all)
{
	uint64_t here, some;

	for (uint32_t k = 0; k < 5; k++) {
		EACH(all)
		r[l] = r[l] * 3 + together(all);
		here = having(v, all, k, 1, 0);
		EACH(here)
		r[l] += together(here) << 8;
		some = having(v, here, 8 + k, 3, 0);
		here &= ~some;
		all &= ~some;
		some = having(v, here, 6, 1, 1);
		EACH(some)
		r[l] ^= together(some) << 16;
		EACH(here)
		r[l] = r[l] * 5 + together(here);
	}
}

static void expect_reconverge(struct run *r)
{
	for (uint32_t i = 0; i < 192; i += r->subgroup) {
		const uint32_t *v = WORDS(r, 1) + i;
		uint64_t all = r->subgroup == 64 ? ~0ull : (1ull << r->subgroup) - 1, some, gone;
		uint32_t x[64] = { 0 };

		reconverge_loop(x, v, all);
		EACH(all)
		x[l] = x[l] * 7 + together(all);
		some = having(v, all, 16, 3, 0);
		EACH(some)
		x[l] += together(some);
		some = having(v, all, 16, 3, 1);
		some &= having(v, all, 7, 1, 0);
		EACH(some)
		x[l] = x[l] * 11 + together(some);
		gone = having(v, all, 16, 3, 2);
		all &= ~gone;
		EACH(all | gone)
		WANT(r, 0)[i + l] = gone >> l & 1 ? x[l] : x[l] * 13 + together(all);
	}
}

static const struct shader_case cases[] = {
	{ "reconverge",
	  { 64, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 768, 0, 0, SSBO }, { 768, 0, 1, SSBO } },
	  .expect = expect_reconverge },
	CASE44("subgroup_basic", 4, NULL, expect_basic),
	CASE44("subgroup_arithmetic", 24, NULL, expect_arithmetic),
	CASE44("subgroup_divergent", 1, NULL, expect_divergent),
	CASE44("subgroup_vote", 1, prepare_vote, expect_vote),
	CASE44("subgroup_ballot", 12, prepare_ballot, expect_ballot),
	CASE64("subgroup_rotate", 2, expect_rotate, 0),
	CASE64("subgroup_shuffle", 6, expect_shuffle, 0),
	CASE64("subgroup_shuffle", 6, expect_shuffle, 8),
	CASE64("subgroup_shuffle", 6, expect_shuffle, 32),
	CASE64("subgroup_clustered", 8, expect_clustered, 0),
	CASE64("subgroup_types", 4, expect_types, 0),
	CASE64("subgroup_types", 4, expect_types, 16),
};

const struct case_list subgroup_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
