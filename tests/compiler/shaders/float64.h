/* SPDX-License-Identifier: MIT */
/* Double-precision arithmetic whose results are exact. */
uint compute(uint i, uint a, uint b)
{
	double x = F64(I32(a) >> 4), y = F64(I32(b) >> 6);
	double r = x * y / 4.0;

	r += x < y ? 1.0 : -1.0;
	r = r - y;
	r += x > F64(0) ? x : -x;
	int64_t n = I64(r);
	return U32(U64(n)) ^ U32(U64(n) >> 32) ^ i;
}
