/* SPDX-License-Identifier: MIT */
/* Arithmetic of 64-bit integers. */
uint compute(uint i, uint a, uint b)
{
	uint64_t x = U64(a) << 32 | U64(b);
	uint64_t y = U64(b) * U64(a) + U64(i);
	int64_t s = I64(x) - I64(y);
	uint64_t r = x * y + (x >> (b & 63u)) - (y << (a & 63u));

	r ^= U64(s >> 7);
	r += x / (y | U64(1)) + x % (U64(a) | U64(1));
	r += s < I64(0) ? U64(3) : U64(5);
	r += U64(s / I64(1000003));
	return U32(r) ^ U32(r >> 32);
}
