/* SPDX-License-Identifier: MIT */
/* Values that change places from round to round. */
uint compute(uint i, uint a, uint b)
{
	uint x = a, y = b, z = i;

	for (uint k = 0u; k < (b & 15u) + 3u; k++) {
		uint t = x + y;

		x = y;
		y = z;
		z = t;
	}
	return x ^ (y << 1) ^ (z << 2);
}
