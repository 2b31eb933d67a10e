/* SPDX-License-Identifier: MIT */
/* Arithmetic of 32-bit integers, signed and not. */
uint compute(uint i, uint a, uint b)
{
	int sa = I32(a), sb = I32(b % 1000u) + 1;
	uint r = a + b * 3u - (a ^ b);

	r += a / (b | 1u) + a % (b | 1u);
	r ^= U32(sa / sb) + U32(sa >> (b & 31u)) * 5u;
	r += (a << (b & 31u)) | (a >> (i & 31u));
	r += sa < sb ? 11u : 13u;
	r += a < b ? 17u : 19u;
	r ^= U32(sa > 0 ? sa % sb : -sa % sb);
	r += ~(a & b);
	return r;
}
