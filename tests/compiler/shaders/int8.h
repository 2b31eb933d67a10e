/* SPDX-License-Identifier: MIT */
/* Arithmetic of 8-bit integers wraps at 8 bits. */
uint compute(uint i, uint a, uint b)
{
	uint8_t x = U8(a), y = U8(b >> 8);
	int8_t s = I8(a >> 3), t = I8(b >> 5);
	uint8_t r = U8(x * y);

	r = U8(r + U8(x >> U8(b & 7u)));
	r = U8(r ^ U8(x % U8(y | U8(1))));
	s = I8(s * t);
	s = I8(s + I8(t >> I8(2)));
	return U32(r) + (U32(I32(s)) << 9) + (s < t ? 1u : 0u) + (x < y ? 2u : 0u) + i;
}
