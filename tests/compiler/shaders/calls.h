/* SPDX-License-Identifier: MIT */
/* Functions that call functions, with returns in the middle. */
uint calls_mix(uint x, uint y)
{
	if (x < y)
		return x * 31u + y;
	return y * 17u ^ x;
}

uint calls_fold(uint x, uint n)
{
	uint r = x;

	for (uint k = 0u; k < n; k++) {
		r = calls_mix(r, k + x);
		if ((r & 63u) == 9u)
			return r + k;
	}
	return r;
}

uint compute(uint i, uint a, uint b)
{
	return calls_fold(a, b & 15u) + calls_mix(b, i) * calls_fold(i, a & 3u);
}
