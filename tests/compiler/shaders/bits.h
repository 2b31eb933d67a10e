/* SPDX-License-Identifier: MIT */
/* Bit counting, searching and fields. */
uint compute(uint i, uint a, uint b)
{
	int offset = I32(a & 15u), bits = I32(b & 15u);
	uint r = U32(bitCount(a)) + U32(findMSB(a)) * 3u + U32(findLSB(b)) * 5u;

	r += U32(findMSB(I32(b))) * 7u;
	r ^= bitfieldReverse(a);
	r += bitfieldExtract(a, offset, bits);
	r += U32(bitfieldExtract(I32(b), offset, bits));
	r ^= bitfieldInsert(a, b, offset, bits);
	return r + U32(findMSB(0u)) + U32(findLSB(0u)) + i;
}
