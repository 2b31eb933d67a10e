/* SPDX-License-Identifier: MIT */
/* Switches, with cases that fall through and a default in the middle. */
uint compute(uint i, uint a, uint b)
{
	uint r = b;

	switch (a & 7u) {
	case 0u:
		r += 1u;
		break;
	case 1u:
	case 2u:
		r *= 3u;
		break;
	case 3u:
		r ^= 0xffu;
		/* on to 4 */
	case 4u:
		r += 100u;
		break;
	default:
		r = r - 7u;
		break;
	case 6u:
		if ((b & 1u) != 0u)
			break;
		r += a;
	}
	return r + i;
}
