/* SPDX-License-Identifier: MIT */
/* A loop that all lanes run alike, with parts that only some take. */
uint compute(uint i, uint a, uint b)
{
	uint r = b, last = 0u;

	for (uint k = 0u; k < 16u; k++) {
		if (((a >> k) & 1u) != 0u) {
			last = k;
			r += a;
		}
		if (k == 11u)
			r ^= last;
	}
	return r * 16u + last + i;
}
