/* SPDX-License-Identifier: MIT */
/* Branches that lanes take differently, nested, with values joined after them. */
uint compute(uint i, uint a, uint b)
{
	uint r = i;

	if ((a & 1u) != 0u) {
		r += b;
		if ((b & 2u) != 0u)
			r ^= 0x55aau;
		else if ((b & 4u) != 0u)
			r *= 3u;
		else
			r = r - a;
	} else {
		uint t = a * 7u;

		if (a > b && (a & 0x30u) == 0x10u)
			t += b / (a | 1u);
		if (a > b || (b & 8u) != 0u)
			t ^= r;
		r = t;
	}
	return r + ((a & 64u) != 0u ? a : b);
}
