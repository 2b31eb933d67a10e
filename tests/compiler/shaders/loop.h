/* SPDX-License-Identifier: MIT */
/* Loops whose number of rounds differs from lane to lane. */
uint compute(uint i, uint a, uint b)
{
	uint r = b;

	for (uint k = 0u; k < (a & 31u); k++)
		r = r * 5u + k;
	uint n = b & 15u;
	while (n > 0u) {
		r ^= n << (n & 7u);
		n--;
	}
	do {
		r += 3u;
	} while ((r & 7u) != 0u);
	return r + i;
}
