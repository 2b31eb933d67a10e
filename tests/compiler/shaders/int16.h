/* SPDX-License-Identifier: MIT */
/* Arithmetic of 16-bit integers wraps at 16 bits. */
uint compute(uint i, uint a, uint b)
{
	uint16_t x = U16(a), y = U16(b);
	int16_t s = I16(a >> 3), t = I16(b >> 5);
	uint16_t r = U16(x * y);

	r = U16(r + U16(x >> U16(b & 15u)));
	r = U16(r ^ U16(x / U16(y | U16(1))));
	s = I16(s * t);
	s = I16(s - I16(t >> I16(2)));
	return U32(r) + (U32(I32(s)) << 7) + (s < t ? 1u : 0u) + (x < y ? 2u : 0u) + i;
}
