/* SPDX-License-Identifier: MIT */
/* Returns from several depths. */
uint compute(uint i, uint a, uint b)
{
	if ((a & 3u) == 0u)
		return b;
	for (uint k = 0u; k < 10u; k++) {
		if (((a >> k) & 15u) == (b & 15u))
			return a + k;
		for (uint l = 0u; l < k; l++) {
			if (((a ^ b) >> l & 31u) == 7u)
				return b * k + l;
		}
	}
	return i;
}
