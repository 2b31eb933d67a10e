/* SPDX-License-Identifier: MIT */
/* Conversions between widths and kinds. */
uint compute(uint i, uint a, uint b)
{
	float f = F32(I32(a) >> 8);
	float g = F32(b >> 9);
	uint r = U32(I32(f)) + U32(g);

	r += U32(I32(I8(a))) * 3u + U32(I32(I16(b))) * 5u + U32(U8(a)) * 7u + U32(U16(b)) * 11u;
	r ^= U32(U64(I64(I32(a))) >> 40);
	r += U32(I32(F64(I32(a)) / 2.0));
	r += f < g ? 1u : 0u;
	r += i;
	return r;
}
