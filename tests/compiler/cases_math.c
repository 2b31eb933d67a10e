// SPDX-License-Identifier: MIT
/*
 * Floating point: GLSL's functions against the C library in double precision, half precision against
 * arithmetic of the machine's own _Float16, matrices, packing.
 */
#include <math.h>
#include <string.h>

#include "harness.h"

#define SSBO HC_BINDING_STORAGE_BUFFER

static uint32_t bits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

/* Numbers from -8 to 8 that are no whole ones. */
static void prepare_floats(struct run *r)
{
	for (uint32_t i = 0; i < r->c->buffers[1].bytes / 4; i++)
		FLOATS(r, 1)[i] = ((float)(test_random() >> 8) + 0.5f) * 0x1p-20f - 8.0f;
}

static void expect_math(struct run *r)
{
	for (uint32_t i = 0; i < 64; i++) {
		float x = FLOATS(r, 1)[i * 2], y = FLOATS(r, 1)[i * 2 + 1];
		float u = fabsf(x) - floorf(fabsf(x)), p = fabsf(y) + 0.01f;
		float *o = WANTF(r, 0) + i * 20;

		o[0] = sin(x);
		o[1] = cos(x);
		o[2] = tan(u);
		o[3] = asin(u);
		o[4] = acos(u);
		o[5] = atan(x);
		o[6] = atan2(x, y);
		o[7] = sinh((double)(u * 4.0f));
		o[8] = cosh((double)(u * 4.0f));
		o[9] = tanh(x);
		o[10] = asinh(x);
		o[11] = acosh((double)(p + 1.0f));
		o[12] = atanh((double)(u * 0.9f));
		o[13] = exp((double)(u * 9.0f));
		o[14] = exp2(x);
		o[15] = log(p);
		o[16] = log2(p);
		o[17] = pow(p, (double)(u * 3.0f));
		o[18] = sqrt(p);
		o[19] = 1 / sqrt(p);
	}
}

static double dot3(const double *a, const double *b)
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static double smooth(double t)
{
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return t * t * (3 - 2 * t);
}

static void expect_common(struct run *r)
{
	for (uint32_t i = 0; i < 64; i++) {
		double x = FLOATS(r, 1)[i * 2], y = FLOATS(r, 1)[i * 2 + 1];
		double a[3] = { x, y, x - y }, b[3] = { y, 1, x };
		double la = sqrt(dot3(a, a)), lb = sqrt(dot3(b, b));
		double d = dot3(a, b), eta = 0.7, cosine = d / la / lb, k;
		double diff[3] = { a[0] - b[0], a[1] - b[1], a[2] - b[2] };
		float *o = WANTF(r, 0) + i * 24;
		int e;

		o[0] = x - 3 * floor(x / 3);
		o[1] = x * 0.75 + y * 0.25;
		o[2] = y < x ? 0 : 1;
		o[3] = smooth((x + 4) / 8);
		o[4] = la;
		o[5] = d;
		o[6] = a[2] * b[0] - a[0] * b[2];
		o[7] = a[2] / la;
		o[8] = a[0] - 2 * (d / lb) * (b[0] / lb);
		k = 1 - eta * eta * (1 - cosine * cosine);
		o[9] = k < 0 ? 0 : eta * a[1] / la - (eta * cosine + sqrt(k)) * b[1] / lb;
		/* faceforward(N, I, Nref): N if dot(Nref, I) < 0 */
		o[10] = d < 0 ? a[0] : -a[0];
		o[12] = trunc(x);
		o[11] = x - trunc(x);
		o[13] = frexp(x, &e);
		o[14] = e;
		o[15] = y * 8;
		o[16] = x * y + 1;
		o[17] = x * (180 / M_PI) + y * (M_PI / 180);
		o[18] = sqrt(dot3(diff, diff));
		o[19] = round(x) + rint(y * 0.5);
		o[20] = 3;
		o[21] = fmin(fmax(x, y), 2) + (x > 0 ? 1 : -1) + fabs(y);
		o[22] = fmax(-1, fmin(x, 1)) + floor(x) + ceil(y) + trunc(x);
		o[23] = x - floor(x);
	}
}

/* Matrices near the identity, so that the inverse is well-behaved. */
static void prepare_matrix(struct run *r)
{
	prepare_floats(r);
	for (uint32_t i = 0; i < 16 * 9; i++)
		FLOATS(r, 1)[i] = FLOATS(r, 1)[i] * 0.05f + (i % 9 % 4 == 0 ? 1.0f : 0.0f);
}

static void expect_matrix(struct run *r)
{
	for (uint32_t i = 0; i < 16; i++) {
		double m[3][3], x[3] = { 0 }, y[3] = { 0 }, p01 = 0, p22 = 0;
		const double u[3] = { 1, 2, 3 }, w[3] = { 1, -1, 0.5 };
		float *o = WANTF(r, 0) + i * 8;

		for (int c = 0; c < 3; c++) {
			for (int k = 0; k < 3; k++) {
				m[c][k] = FLOATS(r, 1)[i * 9 + c * 3 + k];
				x[k] += m[c][k] * u[c];
				y[c] += m[c][k] * w[k];
			}
			p01 += m[c][0] * m[c][1];
			p22 += m[c][2] * m[c][2];
		}
		o[0] = x[0] + x[1] * 2 + x[2] * 4;
		o[1] = y[0] + y[1] * 2 + y[2] * 4;
		o[2] = p01 + p22;
		o[3] = m[0][0] * (m[1][1] * m[2][2] - m[2][1] * m[1][2]) -
		       m[1][0] * (m[0][1] * m[2][2] - m[2][1] * m[0][2]) +
		       m[2][0] * (m[0][1] * m[1][2] - m[1][1] * m[0][2]);
		o[4] = 3;
		o[5] = 0;
		o[6] = m[i % 3][1];
		o[7] = 2 * m[1][2] + x[0] * y[1];
	}
}

static void expect_vectors(struct run *r)
{
	for (uint32_t i = 0; i < 32; i++) {
		const uint32_t *a = WORDS(r, 1) + i * 4;
		uint32_t b[4] = { a[3], a[2], a[1], a[0] }, v[4], t, any = 0;

		for (int k = 0; k < 4; k++) {
			any |= a[k] < b[k];
			v[k] = a[k] < b[k] ? b[k] : a[k];
		}
		v[i & 3] += 5;
		t = v[0];
		v[0] = v[1] + a[(i + 1) & 3];
		v[1] = t + 1;
		v[2] ^= any;
		v[3] += b[i & 3];
		memcpy(WANT(r, 0) + i * 4, v, sizeof(v));
	}
}

static uint16_t half_bits(_Float16 h)
{
	uint16_t u;

	memcpy(&u, &h, 2);
	return u;
}

static _Float16 half_of(uint16_t u)
{
	_Float16 h;

	memcpy(&h, &u, 2);
	return h;
}

static void prepare_half(struct run *r)
{
	uint16_t *v = (uint16_t *)r->data[1];

	for (uint32_t i = 0; i < r->c->buffers[1].bytes / 2; i++)
		v[i] = half_bits((_Float16)(((int)(test_random() >> 8) % 4096 - 2048) * 0.0037f));
}

static void expect_half(struct run *r)
{
	const uint16_t *v = (const uint16_t *)r->data[1];
	uint16_t *o = (uint16_t *)r->want[0];

	for (uint32_t i = 0; i < 64; i++) {
		_Float16 a = half_of(v[i]), b = half_of(v[i ^ 5]), x, half = b * (_Float16)0.5f;

		x = (_Float16)((float)a * (float)b);
		x = (_Float16)((float)x + (float)a);
		x = (_Float16)((float)x - (float)half);
		if (a < b)
			x = -x;
		b = b < 0 ? -b : b;
		b = (_Float16)((float)b + 1.0f);
		x = (_Float16)((float)x / (float)b);
		o[i] = half_bits(x > (_Float16)-8.0f ? x : (_Float16)-8.0f);
	}
}

/* Doubles that lie on, or just beside, the middle between two halves. */
static void prepare_odd(struct run *r)
{
	double *v = (double *)r->data[1];

	for (uint32_t i = 0; i < r->c->buffers[1].bytes / 8; i++) {
		uint16_t bits = (uint16_t)(test_random() >> 7 & 0xffff);
		double low, high;

		/* Not the largest, and no infinities. */
		if ((bits & 0x7c00) >= 0x7800)
			bits ^= 0x4000;
		low = half_of(bits);
		high = half_of(bits + 1);
		v[i] = (low + high) / 2 + (high - low) * (0x1p-38 * ((int)(i % 3) - 1));
		if (i % 5 == 4)
			v[i] = low + (high - low) * (0x1p-30 * (test_random() & 0xffff));
	}
}

static uint16_t cut_half(double x)
{
	uint16_t bits = half_bits((_Float16)x);

	return __builtin_fabs((double)half_of(bits)) > __builtin_fabs(x) ? bits - 1 : bits;
}

static void expect_odd(struct run *r)
{
	const double *v = (const double *)r->data[1];
	uint16_t *o = (uint16_t *)r->want[0];
	_Float16 first = (_Float16)v[0];

	first = first > (_Float16)1.5f ? (_Float16)1.5f : first;
	first = first < (_Float16)-2.0f ? (_Float16)-2.0f : first;
	for (uint32_t i = 0; i < 64; i++) {
		float f = (float)v[i], quantized = (float)(_Float16)f;
		double scaled = v[i] * 0x1p-30;
		int exponent, tiny_exponent;
		uint32_t words[2];

		o[i * 4] = half_bits((_Float16)v[i]);
		o[i * 4 + 1] = cut_half(v[i]);
		o[i * 4 + 2] = cut_half(f);
		o[i * 4 + 3] = half_bits(first);
		if (__builtin_fabsf(f) < 0x1p-14f)
			quantized = __builtin_copysignf(0, f);
		memcpy(&WANT(r, 2)[i * 5], &quantized, 4);
		WANT(r, 2)[i * 5 + 1] = 0xc0003e00u + i;
		memcpy(words, &scaled, 8);
		WANT(r, 2)[i * 5 + 2] = words[0] ^ words[1];
		WANT(r, 2)[i * 5 + 3] = 3 * i;
		scaled = frexp(v[i], &exponent);
		memcpy(words, &scaled, 8);
		frexp(v[i] * 0x1p-100 * 0x1p-940, &tiny_exponent);
		WANT(r, 2)[i * 5 + 4] = (words[0] ^ words[1]) + exponent + 97u * tiny_exponent;
	}
}

static void expect_half_vectors(struct run *r)
{
	const uint16_t *v = (const uint16_t *)r->data[1];

	for (uint32_t i = 0; i < 64; i++) {
		float *o = WANTF(r, 0) + i * 4;

		for (int k = 0; k < 4; k++)
			o[k] = (float)half_of(v[i * 4 + k]) * 2;
		o[0] += (float)half_of(v[i * 4 + 3]);
		o[1] += (float)(_Float16)o[2];
		o[2] += (float)v[i * 4];
	}
}

static uint32_t unorm(float f, float scale)
{
	return (uint32_t)rintf(fminf(fmaxf(f, 0.0f), 1.0f) * scale);
}

static uint32_t snorm(float f, float scale)
{
	return (uint32_t)(int32_t)rintf(fminf(fmaxf(f, -1.0f), 1.0f) * scale);
}

static void expect_pack(struct run *r)
{
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t a = WORDS(r, 1)[i * 2], b = WORDS(r, 1)[i * 2 + 1];
		uint32_t *o = WANT(r, 0) + i * 12, t = a & 0x7bff7bff;
		float x = (float)(a & 0xffff) / 4096.0f - 8.0f, y = (float)(b & 0xffff) / 256.0f;
		uint64_t wide = (uint64_t)a * b;
		int64_t swide = (int64_t)(int32_t)a * (int32_t)b;
		float s = (float)(int16_t)b / 32767.0f;

		o[0] = half_bits((_Float16)x) | (uint32_t)half_bits((_Float16)y) << 16;
		o[1] = bits_of((float)half_of(t & 0xffff)) ^ bits_of((float)half_of(t >> 16)) * 3;
		o[2] = unorm(x, 255) | unorm(0.5f, 255) << 8 |
		       unorm((float)(b & 15) / 16.0f, 255) << 24;
		o[3] = (snorm(x / 8, 32767) & 0xffff) | snorm(-0.25f, 32767) << 16;
		o[4] = a >> 8 & 255;
		o[5] = (uint32_t)(int32_t)((s < -1 ? -1 : s) * 32767.0f);
		o[6] = a + b + (a + b < a ? 2 : 0);
		o[7] = a - b + (a < b ? 2 : 0);
		o[8] = (uint32_t)(wide >> 32) ^ (uint32_t)wide * 3;
		o[9] = (uint32_t)(swide >> 32) ^ (uint32_t)swide * 3;
		o[10] = unorm(x, 65535) | unorm(0.25f, 65535) << 16;
		o[11] = (snorm(x / 8, 127) & 255) | 127 << 8 | (snorm(-1, 127) & 255) << 16;
	}
}

static int saturate(int64_t x, int64_t low, int64_t high)
{
	return (int)(x < low ? low : x > high ? high : x);
}

static void expect_integer_dot(struct run *r)
{
	for (uint32_t i = 0; i < run_invocations(r); i++) {
		uint32_t a = WORDS(r, 1)[2 * i], b = WORDS(r, 1)[2 * i + 1],
			 *want = WANT(r, 0) + 10 * i;
		int64_t of_signed = 0, of_unsigned = 0, mixed[3] = { 0 }, sum = 0;

		for (int k = 0; k < 4; k++) {
			of_signed += (int8_t)(a >> 8 * k) * (int8_t)(b >> 8 * k);
			of_unsigned += (uint8_t)(a >> 8 * k) * (uint8_t)(b >> 8 * k);
			mixed[0] += (int8_t)(a >> 8 * k) * (uint8_t)(b >> 8 * k);
			mixed[1] += (int8_t)(a >> 8 * k) * (uint8_t)((b & 0x7f7f7f7f) >> 8 * k);
			mixed[2] +=
				(uint8_t)((a >> 4 & 0x0f0f0f0f) >> 8 * k) * (int8_t)(b >> 8 * k);
		}
		want[0] = want[2] = (uint32_t)of_signed;
		want[1] = (uint32_t)of_unsigned;
		want[3] = (uint32_t)((int16_t)a * (int16_t)b) +
			  (uint32_t)((int16_t)(a >> 16) * (int16_t)(b >> 16));
		want[4] = (uint32_t)saturate(of_signed + 0x7fffff00, INT32_MIN, INT32_MAX);
		want[5] = of_unsigned + 0xffff0000 > UINT32_MAX
				  ? UINT32_MAX
				  : (uint32_t)(of_unsigned + 0xffff0000);
		for (int k = 0; k < 3; k++)
			want[6 + k] = (uint32_t)mixed[k];
		for (int k = 0; k < 12; k++)
			for (int byte = 0; byte < 4; byte++)
				sum += (int64_t)((a >> k & 0x0f0f0f0f) >> 8 * byte & 15) *
					       (int8_t)(b >> 8 * byte) +
				       (int64_t)((a >> (k + 1) & 0x0f0f0f0f) >> 8 * byte & 15) *
					       -128;
		want[9] = (uint32_t)(sum + of_signed + mixed[0]);
	}
}

static void expect_dot_lanes(struct run *r)
{
	for (uint32_t i = 0; i < run_invocations(r); i++) {
		uint32_t a = WORDS(r, 1)[i] | 0x60606060;
		uint32_t b = WORDS(r, 1)[i + 8] & (i % 8 * 0x24242424);
		int32_t sum = 0;

		for (int k = 0; k < 32; k += 8)
			sum += (int8_t)(a >> k) * (int32_t)(uint8_t)(b >> k);
		WANT(r, 0)[i] = (uint32_t)sum;
	}
}

static const struct shader_case cases[] = {
	{ "integer_dot",
	  { 64, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 10 * 4 * 128, 0, 0, HC_BINDING_STORAGE_BUFFER },
		       { 2 * 4 * 128, 0, 1, HC_BINDING_STORAGE_BUFFER } },
	  .expect = expect_integer_dot },
	{ "dot_lanes",
	  { 8, 1, 1 },
	  { 64, 1, 1 },
	  .buffers = { { 4 * 512, 0, 0, SSBO }, { 4 * 520, 0, 1, SSBO } },
	  .expect = expect_dot_lanes },
	{ "math",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 64 * 80, 0, 0, SSBO }, { 512, 0, 1, SSBO } },
	  .prepare = prepare_floats,
	  .expect = expect_math,
	  .close = true,
	  .relative = 1e-5,
	  .absolute = 1e-6 },
	{ "common",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 64 * 96, 0, 0, SSBO }, { 512, 0, 1, SSBO } },
	  .prepare = prepare_floats,
	  .expect = expect_common,
	  .close = true,
	  .relative = 1e-5,
	  .absolute = 1e-5 },
	{ "matrix",
	  { 8, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 16 * 32, 0, 0, SSBO }, { 16 * 36, 0, 1, SSBO } },
	  .prepare = prepare_matrix,
	  .expect = expect_matrix,
	  .close = true,
	  .relative = 1e-5,
	  .absolute = 1e-5 },
	{ "vectors",
	  { 16, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 512, 0, 0, SSBO }, { 512, 0, 1, SSBO } },
	  .expect = expect_vectors },
	{ "half",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 128, 0, 0, SSBO }, { 128, 0, 1, SSBO } },
	  .prepare = prepare_half,
	  .expect = expect_half },
	{ "odd",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 512, 0, 0, SSBO }, { 512, 0, 1, SSBO }, { 1280, 0, 2, SSBO } },
	  .prepare = prepare_odd,
	  .expect = expect_odd },
	{ "half_vectors",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 1024, 0, 0, SSBO }, { 512, 0, 1, SSBO } },
	  .prepare = prepare_half,
	  .expect = expect_half_vectors,
	  .close = true,
	  .relative = 1e-6 },
	{ "pack",
	  { 32, 1, 1 },
	  { 2, 1, 1 },
	  .buffers = { { 64 * 48, 0, 0, SSBO }, { 512, 0, 1, SSBO } },
	  .expect = expect_pack },
};

const struct case_list math_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
