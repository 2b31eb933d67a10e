/* SPDX-License-Identifier: MIT */
/* Arrays with initializers: one that is only read, one that is written too. */
uint compute(uint i, uint a, uint b)
{
	const uint primes[16] = { 2u,  3u,  5u,	 7u,  11u, 13u, 17u, 19u,
				  23u, 29u, 31u, 37u, 41u, 43u, 47u, 53u };
	uint state[4] = { 1u, 20u, 300u, 4000u };
	uint r = primes[3];

	for (uint k = 0u; k < 9u; k++) {
		state[(b >> k) & 3u] += primes[(a >> k) & 15u] * primes[k];
		r = r * 31u + state[(a ^ k) & 3u];
	}
	return r + i;
}
