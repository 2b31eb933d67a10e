/* SPDX-License-Identifier: MIT */
/* Three loops inside each other, the inner ones depending on the outer ones and on the lane. */
uint compute(uint i, uint a, uint b)
{
	uint r = 0u;

	for (uint x = 0u; x < (a & 7u); x++) {
		for (uint y = x; y < 6u; y++) {
			uint z = 0u;

			while (z < (b & 3u) + y) {
				r += x * y + z;
				if (r > 5000u)
					break;
				z++;
			}
		}
		r ^= i;
	}
	return r;
}
