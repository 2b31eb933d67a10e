/* SPDX-License-Identifier: MIT */
/* Leaving loops early and skipping parts of them, by some lanes. */
uint compute(uint i, uint a, uint b)
{
	uint r = 0u, x = a;

	for (uint k = 0u; k < 40u; k++) {
		x = x * 1664525u + 1013904223u;
		if ((x >> 28) == 3u)
			continue;
		r += x >> 24;
		if ((x >> 27) == (b & 31u))
			break;
		r ^= k;
	}
	return r + i;
}
