/* SPDX-License-Identifier: MIT */
/* Single-precision arithmetic whose results are exact, and comparisons. */
uint compute(uint i, uint a, uint b)
{
	float x = F32(I32(a & 0xffu) - 128), y = F32(I32(b & 0xffu) - 128);
	float r = x * y + 0.5;

	r += x < y ? 1.0 : -1.0;
	r += x == y ? 4.0 : 8.0;
	r = r - y * 0.25;
	r += max(x, y) - min(x, y) + abs(x);
	r += clamp(x, -100.0f, 100.0f);
	if (y != 0.0)
		r += floor(x / 16.0f) + ceil(y / 8.0f);
	r += sign(x) * 2.0f + trunc(y / 4.0f) + fract(x / 4.0f);
	r += roundEven(x / 2.0f) + floatBitsToUint(x) * 0u;
	return floatBitsToUint(r) + i;
}
