/* SPDX-License-Identifier: MIT */
/* A local array that is read and written at places the lanes compute. */
uint compute(uint i, uint a, uint b)
{
	uint t[12];
	uint r = 0u;

	for (uint k = 0u; k < 12u; k++)
		t[k] = a * k + i;
	for (uint k = 0u; k < 20u; k++) {
		uint at = (a >> (k & 15u)) % 12u;

		t[at] += b ^ k;
		r += t[(at * 5u + k) % 12u];
	}
	for (uint k = 0u; k < 12u; k++)
		r = r * 3u + t[k];
	return r;
}
