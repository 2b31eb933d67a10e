// SPDX-License-Identifier: MIT
/* The work-group: shared memory, barriers, atomics, grids. */
#include <string.h>

#include "harness.h"

#define SSBO HC_BINDING_STORAGE_BUFFER

static void expect_reduce(struct run *r)
{
	for (uint32_t i = 0; i < 192; i++)
		WANT(r, 0)[i / 64] += WORDS(r, 1)[i];
}

static void expect_barrier_if(struct run *r)
{
	for (uint32_t g = 0; g < 3; g++) {
		const uint32_t *v = WORDS(r, 1) + g * 48;
		uint32_t s[48], x[48];

		for (uint32_t l = 0; l < 48; l++) {
			x[l] = v[l] * 3;
			x[l] = g & 1 ? x[l] ^ 7 : x[l] + v[47 - l];
		}
		for (uint32_t l = 0; l < 48; l++)
			s[l] = g & 1 ? v[l] : x[l];
		for (uint32_t l = 0; l < 48; l++)
			WANT(r, 0)[g * 48 + l] = x[l] + s[(l + 1) % 48] + v[l];
	}
}

static void expect_printf(struct run *r)
{
	for (uint32_t i = 0; i < 64; i++)
		WANT(r, 0)[i] = WORDS(r, 1)[i] + 1;
}

static void expect_barrier_apart(struct run *r)
{
	for (uint32_t g = 0; g < 4; g++) {
		const uint32_t *v = WORDS(r, 1) + g * 48;
		bool together = true;
		uint32_t s[48];

		for (uint32_t l = 0; l < 48; l++) {
			s[l] = v[l] * 3;
			together &= (v[l] & 3) == 2;
		}
		for (uint32_t l = 0; l < 48; l++) {
			uint32_t x = v[l];

			if (v[l] & 1)
				x += 5;
			else if (!(v[l] & 2))
				x = l < 20 ? x ^ 9 : x * 7;
			else if (together)
				x += s[47 - l] + (s[l ^ 1] + s[46 - l + (l & 1) * 2]);
			WANT(r, 0)[g * 48 + l] = x + v[l] * 2;
		}
	}
}

/* In the second group all invocations go to the barriers, in the others none. */
static void prepare_barrier_apart(struct run *r)
{
	for (uint32_t i = 0; i < 4 * 48; i++) {
		uint32_t v = WORDS(r, 1)[i] & ~3u;

		WORDS(r, 1)[i] = i / 48 == 1 ? v | 2 : v | (test_random() % 2);
	}
	/* A whole subgroup on one way, whatever its size. */
	for (uint32_t i = 2 * 48; i < 2 * 48 + 32; i++)
		WORDS(r, 1)[i] |= 1;
	/* And a whole group. */
	for (uint32_t i = 3 * 48; i < 4 * 48; i++)
		WORDS(r, 1)[i] |= 1;
}

static void expect_barrier_loop(struct run *r)
{
	for (uint32_t g = 0; g < 3; g++) {
		uint32_t acc[32] = { 0 }, x[32], s[32];

		memcpy(x, WORDS(r, 1) + g * 32, sizeof(x));
		for (uint32_t t = 0; t < 4; t++) {
			for (uint32_t u = 0; u <= t; u++) {
				for (uint32_t l = 0; l < 32; l++)
					s[(l + t) & 31] = x[l] + u;
				for (uint32_t l = 0; l < 32; l++) {
					for (uint32_t k = 0; k < (l & 3); k++)
						acc[l] += s[(l * 5 + k) & 31];
					x[l] = x[l] * 3 + 1;
				}
			}
			if (t == g + 1)
				break;
			for (uint32_t l = 0; l < 32; l++)
				acc[l] ^= t;
		}
		for (uint32_t l = 0; l < 32; l++)
			WANT(r, 0)[g * 32 + l] = acc[l] + x[l];
	}
}

static uint32_t leave_turn(uint32_t sum, uint32_t x, uint32_t t, uint32_t l)
{
	if ((x ^ t) & 1)
		return sum;
	sum += x;
	if (x & 2)
		return sum;
	for (uint32_t k = 0; k < (l & 3) && !(x >> k & 4); k++)
		sum += 100;
	return sum;
}

static uint32_t leave_shader(uint32_t own, uint32_t next, uint32_t v, uint32_t l)
{
	if (l >= 7 && !(v & 1))
		return own;
	for (uint32_t k = 0; k < 4; k++) {
		if ((v >> k & 3) == 3)
			return next;
		next += k;
	}
	return l >= 24 ? next : next ^ 0x80000000u;
}

static void expect_barrier_leave(struct run *r)
{
	for (uint32_t g = 0; g < 3; g++) {
		const uint32_t *v = WORDS(r, 1) + g * 48;
		uint32_t s[48], sum[48] = { 0 };

		for (uint32_t t = 0; t < 3; t++) {
			for (uint32_t l = 0; l < 48; l++)
				s[(l + t) % 48] = v[l] + t;
			for (uint32_t l = 0; l < 48; l++)
				sum[l] = leave_turn(sum[l], s[47 - l], t, l);
		}
		for (uint32_t l = 0; l < 48; l++)
			WANT(r, 0)[g * 48 + l] = leave_shader(sum[l], sum[(l + 1) % 48], v[l], l);
	}
}

static const uint32_t return_flags[] = { 1, 1 | 2, 4, 0, 4 | 8, 8 | 16, 1 | 8 | 16, 4 | 8 | 16 };

static void prepare_barrier_return(struct run *r)
{
	memcpy(r->data[2], return_flags, sizeof(return_flags));
	/* All of a group leave at once, and nobody. */
	for (uint32_t i = 0; i < 48; i++) {
		WORDS(r, 1)[i] &= ~3u;
		WORDS(r, 1)[6 * 48 + i] = (WORDS(r, 1)[6 * 48 + i] & 0x30303030) | 2;
	}
}

/* The first part: true if the invocation leaves, with what it writes in *@r. */
static bool return_first(uint32_t *r, uint32_t x, uint32_t flag, uint32_t l)
{
	if (!(x & 3)) {
		*r += 1;
		return true;
	}
	for (uint32_t k = 0; k < 4 + (l & 1); k++) {
		if ((x >> k & 7) == 5) {
			*r += k;
			return true;
		}
		*r += x >> k;
	}
	if (l >= 32 && flag & 2) {
		*r ^= 77;
		return true;
	}
	*r ^= x;
	return false;
}

static void return_turn(uint32_t *r, const uint32_t *u, uint32_t flag, uint32_t t, uint32_t l)
{
	if (flag & 4) {
		*r += u[47 - l];
		if (u[47 - l] & 1)
			return;
		*r ^= t + 3;
	}
	*r = *r * 5 + t;
	if (t != 2 || !(*r & 2))
		*r += 11;
}

static void expect_barrier_return(struct run *r)
{
	for (uint32_t g = 0; g < 8; g++) {
		const uint32_t *v = WORDS(r, 1) + g * 48;
		uint32_t x[48], u[48], flag = return_flags[g], *o = WANT(r, 0) + g * 48;
		bool gone[48] = { false };

		memcpy(x, v, sizeof(x));
		for (uint32_t l = 0; l < 48; l++) {
			gone[l] = flag & 1 && return_first(&x[l], v[l ^ 1], flag, l);
			if (gone[l])
				o[l] = x[l];
			x[l] += 7;
		}
		for (uint32_t t = 0; t < 3; t++) {
			memcpy(u, x, sizeof(u));
			for (uint32_t l = 0; l < 48; l++)
				return_turn(&x[l], u, flag, t, l);
		}
		for (uint32_t l = 0; l < 48; l++) {
			if (gone[l])
				continue;
			if (flag & 8 && flag & 16 && x[l] & 4)
				o[l] = 5;
			else if (!(flag & 8) || (x[l] & 24) != 8)
				o[l] = x[l];
		}
	}
}

static void expect_transpose(struct run *r)
{
	const uint32_t width = 24, height = 16;

	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++)
			WANT(r, 0)[x * height + y] = WORDS(r, 1)[y * width + x];
	}
}

static void expect_shared_null(struct run *r)
{
	memcpy(r->want[0], r->data[1], 4 * run_invocations(r));
}

static void expect_shared_block(struct run *r)
{
	for (uint32_t i = 0; i < 64; i++) {
		const uint32_t *v = WORDS(r, 1) + i / 32 * 32;

		WANT(r, 0)[i] = (v[(i + 5) & 31] & 0xffff) | (v[(i + 9) & 31] & 0xffff0000);
	}
}

static void expect_shared_types(struct run *r)
{
	for (uint32_t i = 0; i < 40; i++) {
		uint32_t l = i % 20, k = (l * 7 + 3) % 20, at = i / 20 * 20 + k,
			 v = WORDS(r, 1)[at];

		WANT(r, 0)
		[i] = v + at * 3 + k + k + (l & 1 ? ~v : v >> 3) + (v & 255) + v + (v & 1);
	}
}

static void prepare_atomics(struct run *r)
{
	WORDS(r, 0)[1] = 0xffffffff;
	WORDS(r, 0)[3] = 0xffffffff;
	WORDS(r, 2)[0] = 0;
	WORDS(r, 2)[1] = 0;
}

static void expect_atomics(struct run *r)
{
	uint32_t *o = WANT(r, 0);
	int32_t *t = (int32_t *)WANT(r, 2);

	for (uint32_t i = 0; i < 64; i++) {
		uint32_t v = WORDS(r, 1)[i];

		o[0] += v;
		o[1] = v < o[1] ? v : o[1];
		o[2] = v > o[2] ? v : o[2];
		o[3] &= v | 0xffff;
		o[4] |= v & 0xff00ff;
		o[5] ^= v;
		t[0] = (int32_t)v < t[0] ? (int32_t)v : t[0];
		t[1] = (int32_t)v > t[1] ? (int32_t)v : t[1];
		o[6]++;
		o[8 + i]++;
		o[7] += (i & 3) == 1 ? 2 : 0;
		WANT(r, 1)[i] = v + 1 ? v + 1 : 5;
		o[8 + 64 + (i & 7)]++;
	}
}

static void expect_shared_atomics(struct run *r)
{
	for (uint32_t i = 0; i < 120; i++)
		WANT(r, 0)[i / 40 * 16 + (WORDS(r, 1)[i] & 15)] += i % 40 + 1;
}

static void expect_grid(struct run *r)
{
	const struct shader_case *c = r->c;

	for (uint32_t g = 0; g < 3 * 2 * 2; g++) {
		uint32_t w[3] = { g % 3, g / 3 % 2, g / 6 };

		for (uint32_t l = 0; l < 24; l++) {
			uint32_t id[3] = { l % 3, l / 3 % 2, l / 6 };
			uint32_t *o = WANT(r, 0) + (g * 24 + l) * 4;

			for (int k = 0; k < 3; k++)
				o[k] = (w[k] + c->base[k]) * c->local[k] + id[k];
			o[3] = l * 1000 + id[0] + id[1] * 10 + id[2] * 100;
		}
	}
}

static void expect_device_index(struct run *r)
{
	for (uint32_t i = 0; i < run_invocations(r); i++)
		WANT(r, 0)[i] = i + 1;
}

static void prepare_sgemm(struct run *r)
{
	uint32_t n = 64;

	memcpy(r->push, &n, 4);
	for (int k = 1; k < 3; k++) {
		for (uint32_t i = 0; i < n * n; i++)
			FLOATS(r, k)[i] = (float)((int)(test_random() >> 8) % 17 - 8);
	}
}

static void expect_sgemm(struct run *r)
{
	for (uint32_t y = 0; y < 64; y++) {
		for (uint32_t x = 0; x < 64; x++) {
			float sum = 0;

			for (uint32_t k = 0; k < 64; k++)
				sum += FLOATS(r, 1)[y * 64 + k] * FLOATS(r, 2)[k * 64 + x];
			WANTF(r, 0)[y * 64 + x] = sum;
		}
	}
}

#define SUMMED 150

/* Whole numbers: sums of floats in any order are the same. */
static void prepare_sum(struct run *r)
{
	uint32_t count = SUMMED;

	memcpy(r->push, &count, 4);
	for (uint32_t i = 0; i < SUMMED; i++)
		FLOATS(r, 1)[i] = (float)(test_random() % 1000);
}

static void expect_sum(struct run *r)
{
	float sum = 0;

	for (uint32_t i = 0; i < SUMMED; i++)
		sum += FLOATS(r, 1)[i];
	for (uint32_t i = 0; i < 3; i++)
		WANTF(r, 0)[i] = sum;
}

static void prepare_partition(struct run *r)
{
	const uint32_t push[] = { 50, 900 };

	memcpy(r->push, push, sizeof(push));
}

static void expect_partition(struct run *r)
{
	const uint32_t *v = WORDS(r, 1);

	for (uint32_t i = 0; i < run_invocations(r); i++) {
		uint32_t sums[30], step = 1, count = 0, h;

		for (uint32_t n = 0; n < 30; n++)
			sums[n] = n + i;
		for (uint32_t k = 0; (i & 3) != 2 && k < 50 && step * k <= 900; k++) {
			for (uint32_t n = 0; n < 30; n++)
				sums[n] += v[(k + n / 5 * 7) % 64] *
					   v[(k + step) % 8 * 60 + i + n % 5];
			step = step * 5 % 61;
			count += k ^ step;
		}
		h = count + step;
		for (uint32_t n = 0; n < 30; n++)
			h = h * 31 + sums[n];
		WANT(r, 0)[i] = h;
	}
}

#define SHARE_ROUNDS 5

static void prepare_share(struct run *r)
{
	const uint32_t rounds = SHARE_ROUNDS;

	memcpy(r->push, &rounds, 4);
}

static void expect_share(struct run *r)
{
	const uint32_t *v = WORDS(r, 1);

	for (uint32_t g = 0; g < 3; g++) {
		uint32_t a[40], b[40], c[40], d[40], e[40], other[40];

		for (uint32_t l = 0; l < 40; l++) {
			a[l] = l;
			b[l] = l * 3;
			c[l] = l + 7;
			d[l] = l ^ 9;
			e[l] = 1 + l;
		}
		for (uint32_t k = 0; k < SHARE_ROUNDS; k++) {
			const uint32_t from = g * 40 + k * 40;

			for (uint32_t l = 0; l < 40; l++) {
				uint32_t b_next = b[l] * 5 + v[(from + (l + 2) % 40) % 120];
				uint32_t c_next = d[l] * 7 + v[(from + (l + 3) % 40) % 120];

				a[l] = a[l] * 3 + v[(from + (l + 1) % 40) % 120];
				other[l] = b[l] + b_next;
				d[l] = c[l];
				c[l] = c_next;
				b[l] = b_next;
			}
			for (uint32_t l = 0; l < 40; l++) {
				uint32_t next = e[l];

				for (uint32_t j = 0; j < 2; j++)
					next = next * 3 + e[l] + other[(l + 5 + j) % 40];
				e[l] = next;
			}
		}
		for (uint32_t l = 0; l < 40; l++)
			WANT(r, 0)[g * 40 + l] = a[l] + 3 * b[l] + 5 * c[l] + 7 * d[l] + 11 * e[l];
	}
}

static const struct shader_case cases[] = {
	{ "reduce",
	  { 64, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 12, 0, 0, SSBO }, { 768, 0, 1, SSBO } },
	  .expect = expect_reduce },
	{ "printf",
	  { 16, 1, 1 },
	  { 4, 1, 1 },
	  .buffers = { { 256, 0, 0, SSBO }, { 256, 0, 1, SSBO } },
	  .expect = expect_printf },
	{ "barrier_apart",
	  { 48, 1, 1 },
	  { 4, 1, 1 },
	  .buffers = { { 768, 0, 0, SSBO }, { 768, 0, 1, SSBO } },
	  .prepare = prepare_barrier_apart,
	  .expect = expect_barrier_apart },
	{ "barrier_if",
	  { 48, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 576, 0, 0, SSBO }, { 576, 0, 1, SSBO } },
	  .expect = expect_barrier_if },
	{ "barrier_loop",
	  { 32, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 384, 0, 0, SSBO }, { 384, 0, 1, SSBO } },
	  .expect = expect_barrier_loop },
	{ "barrier_leave",
	  { 48, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 576, 0, 0, SSBO }, { 576, 0, 1, SSBO } },
	  .expect = expect_barrier_leave },
	{ "barrier_return",
	  { 48, 1, 1 },
	  { 8, 1, 1 },
	  .buffers = { { 1536, 0, 0, SSBO }, { 1536, 0, 1, SSBO }, { 32, 0, 2, SSBO } },
	  .prepare = prepare_barrier_return,
	  .expect = expect_barrier_return },
	{ "transpose",
	  { 8, 8, 1 },
	  { 3, 2, 1 },
	  .buffers = { { 1536, 0, 0, SSBO }, { 1536, 0, 1, SSBO } },
	  .expect = expect_transpose },
	{ "shared_null",
	  { 64, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 768, 0, 0, SSBO }, { 768, 0, 1, SSBO } },
	  .expect = expect_shared_null },
	{ "shared_types",
	  { 20, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 160, 0, 0, SSBO }, { 160, 0, 1, SSBO } },
	  .expect = expect_shared_types },
	{ "atomics",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 8 * 4 + 72 * 4, 0, 0, SSBO }, { 256, 0, 1, SSBO }, { 8, 0, 2, SSBO } },
	  .prepare = prepare_atomics,
	  .expect = expect_atomics },
	{ "shared_atomics",
	  { 40, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 192, 0, 0, SSBO }, { 480, 0, 1, SSBO } },
	  .expect = expect_shared_atomics },
	{ "shared_block",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 256, 0, 0, SSBO }, { 256, 0, 1, SSBO } },
	  .expect = expect_shared_block },
	{ "grid",
	  { 3, 2, 4 },
	  { 3, 2, 2 },
	  .base = { 5, 0, 7 },
	  .buffers = { { 12 * 24 * 16, 0, 0, SSBO } },
	  .expect = expect_grid },
	{ "device_index",
	  { 8, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 96, 0, 0, SSBO } },
	  .expect = expect_device_index },
	{ "sgemm",
	  { 8, 8, 1 },
	  { 2, 2, 1 },
	  .buffers = { { 16384, 0, 0, SSBO }, { 16384, 0, 1, SSBO }, { 16384, 0, 2, SSBO } },
	  .push_bytes = 4,
	  .prepare = prepare_sgemm,
	  .expect = expect_sgemm },
	{ "partition",
	  { 20, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 240, 0, 0, SSBO }, { 2400, 0, 1, SSBO } },
	  .push_bytes = 8,
	  .prepare = prepare_partition,
	  .expect = expect_partition },
	{ "share",
	  { 40, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 480, 0, 0, SSBO }, { 480, 0, 1, SSBO } },
	  .push_bytes = 4,
	  .prepare = prepare_share,
	  .expect = expect_share },
	{ "group_sum",
	  { 16, 1, 1 },
	  { 3, 1, 1 },
	  .buffers = { { 12, 0, 0, SSBO }, { SUMMED * 4, 0, 1, SSBO } },
	  .push_bytes = 4,
	  .prepare = prepare_sum,
	  .expect = expect_sum },
};

const struct case_list group_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
