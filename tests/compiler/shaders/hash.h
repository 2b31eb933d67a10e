/* SPDX-License-Identifier: MIT */
/* Numbers that grow from lane to lane and wrap around, made wider, divided and shifted. */
uint compute(uint i, uint a, uint b)
{
	uint h = i * 1372940866u, g = (i << 20) + 4026531840u, d = i - 40u;
	uint r = U32(U64(h) * 5u >> 7) ^ U32(U64(i - 50u) >> 1);

	r = r * 3u + U32((U64(g) * U64(i)) >> 9) + U32(U64(d) >> 2);
	r = r * 3u + d / 8u + d % 16u + U32(I32(d) / 8) + U32(I32(d) >> 3);
	r = r * 3u + g / 4096u + U32(I32(g) / 65536) + U32(I32(h) >> 4) + (h >> 5);
	return r + a - b;
}
