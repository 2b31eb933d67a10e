/* SPDX-License-Identifier: MIT */
/* A switch in a loop that also continues and ends the loop. */
uint compute(uint i, uint a, uint b)
{
	uint r = i, x = a;

	for (uint k = 0u; k < 24u; k++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		switch (x & 3u) {
		case 0u:
			continue;
		case 1u:
			r += k;
			break;
		case 2u:
			r ^= x;
			break;
		default:
			r = r * 3u + b;
		}
		if ((r & 127u) == 5u)
			return r;
		r++;
	}
	return r;
}
