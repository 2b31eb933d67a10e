// SPDX-License-Identifier: MIT
/*
 * SHA-256 as FIPS 180-4 has it. The constants are the first bits of the fractions of the roots of the first primes,
 * and are computed here in whole numbers, so that there is no table to mistype.
 */
#include "sha256.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct sha256 {
	uint32_t state[8];
	uint32_t k[64];
	uint8_t block[64];
	uint64_t bytes;
};

/* 32 bits of the fraction of the @degree-th root of @n: the largest r with r^degree ≤ n · 2^(32 · degree). */
static uint32_t root_fraction(uint32_t n, int degree)
{
	uint64_t root = 0;

	for (int bit = 35; bit >= 0; bit--) {
		uint64_t r = root | 1ull << bit;
		unsigned __int128 square = (unsigned __int128)r * r;

		/* r < 2^36, so a cube has 108 bits. */
		if ((degree == 2 ? square : square * r) <= (unsigned __int128)n << (32 * degree))
			root = r;
	}
	return (uint32_t)root;
}

static void start(struct sha256 *s)
{
	uint32_t count = 0;

	memset(s, 0, sizeof(*s));
	for (uint32_t n = 2; count < 64; n++) {
		bool prime = true;

		for (uint32_t d = 2; d * d <= n; d++)
			prime &= n % d != 0;
		if (!prime)
			continue;
		if (count < 8)
			s->state[count] = root_fraction(n, 2);
		s->k[count++] = root_fraction(n, 3);
	}
}

static uint32_t turn(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void add_block(struct sha256 *s)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)s->block[4 * i] << 24 | (uint32_t)s->block[4 * i + 1] << 16 |
		       (uint32_t)s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, s->state, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) +
			      ((v[4] & v[5]) ^ (~v[4] & v[6])) + s->k[i] + w[i];
		uint32_t t2 = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) +
			      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		s->state[i] += v[i];
}

static void add(struct sha256 *s, const void *data, size_t bytes)
{
	const uint8_t *in = data;

	while (bytes) {
		size_t at = s->bytes % 64, some = 64 - at < bytes ? 64 - at : bytes;

		memcpy(s->block + at, in, some);
		s->bytes += some;
		in += some;
		bytes -= some;
		if (s->bytes % 64 == 0)
			add_block(s);
	}
}

static void finish(struct sha256 *s, char text[SHA256_TEXT])
{
	uint64_t bits = 8 * s->bytes;
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	add(s, "\x80", 1);
	while (s->bytes % 64 != 56)
		add(s, "", 1);
	add(s, length, 8);
	for (int i = 0; i < 8; i++)
		sprintf(text + 8 * i, "%08x", s->state[i]);
}

void sha256_text(const void *data, size_t bytes, char text[SHA256_TEXT])
{
	struct sha256 s;

	start(&s);
	add(&s, data, bytes);
	finish(&s, text);
}

bool sha256_file(const char *path, char text[SHA256_TEXT])
{
	uint8_t buffer[65536];
	struct sha256 s;
	size_t got;
	bool ok;
	FILE *file = fopen(path, "rb");

	text[0] = '\0';
	if (!file)
		return false;
	start(&s);
	while ((got = fread(buffer, 1, sizeof(buffer), file)))
		add(&s, buffer, got);
	ok = !ferror(file);
	fclose(file);
	if (ok)
		finish(&s, text);
	return ok;
}
