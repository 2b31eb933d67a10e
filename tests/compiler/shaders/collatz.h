/* SPDX-License-Identifier: MIT */
/* Long and very different loops. */
uint compute(uint i, uint a, uint b)
{
	uint n = (a & 1023u) + 1u, steps = 0u;

	while (n != 1u && steps < 300u) {
		n = (n & 1u) == 0u ? n >> 1 : 3u * n + 1u;
		steps++;
	}
	return steps * 1000u + (b & 7u) + i * 0u;
}
