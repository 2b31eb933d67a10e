/* SPDX-License-Identifier: MIT */
/* Made by hc_math_coefficients.py: change that instead. */
#ifndef HEARTH_HC_MATH_TABLES_H
#define HEARTH_HC_MATH_TABLES_H

/* sin x = x + x^3 P(x^2) to pi/4, |relative error| < 2^-37.5 before rounding */
static const float sin_poly[] = {
	-0x1.5555560000000p-3f,
	0x1.1111080000000p-7f,
	-0x1.a00f7e0000000p-13f,
	0x1.6cd1b00000000p-19f,
};

/* cos x = 1 - x^2/2 + x^4 P(x^2) to pi/4, |relative error| < 2^-42.9 before rounding */
static const float cos_poly[] = {
	0x1.5555560000000p-5f,
	-0x1.6c16b80000000p-10f,
	0x1.a010de0000000p-16f,
	-0x1.241e6a0000000p-22f,
};

/* e^x = 1 + x + x^2 P(x) to ln 2 / 2, |relative error| < 2^-28.3 before rounding */
static const float exp_poly[] = {
	0x1.fffffc0000000p-2f, 0x1.5554920000000p-3f,  0x1.5558f20000000p-5f,
	0x1.1239e20000000p-7f, 0x1.6a24340000000p-10f,
};

/* 2^x = 1 + x P(x) to 1/2, |relative error| < 2^-28.5 before rounding */
static const float exp2_poly[] = {
	0x1.62e4320000000p-1f, 0x1.ebfbe20000000p-3f,  0x1.c6ae720000000p-5f,
	0x1.3b270e0000000p-7f, 0x1.5f727c0000000p-10f, 0x1.470b560000000p-13f,
};

/* log(1 + x) = x - x^2/2 + x^3 P(x) from sqrt(1/2) to sqrt(2), |relative error| < 2^-30.3 before rounding */
static const float log_poly[] = {
	0x1.5555480000000p-2f,	-0x1.0000060000000p-2f, 0x1.99a4b60000000p-3f,
	-0x1.555c4e0000000p-3f, 0x1.2337680000000p-3f,	-0x1.fc22080000000p-4f,
	0x1.e6f06a0000000p-4f,	-0x1.de3c140000000p-4f, 0x1.1457a60000000p-4f,
};

/* asin x = x + x^3 P(x^2) to 1/2, |relative error| < 2^-27.6 before rounding */
static const float asin_poly[] = {
	0x1.5555c80000000p-3f, 0x1.3301e40000000p-4f, 0x1.747e4a0000000p-5f,
	0x1.8c283c0000000p-6f, 0x1.596d2a0000000p-5f,
};

/* atan x = x + x^3 P(x^2) to tan(pi/8), |relative error| < 2^-25.5 before rounding */
static const float atan_poly[] = {
	-0x1.5554540000000p-2f,
	0x1.9924ac0000000p-3f,
	-0x1.1c36440000000p-3f,
	0x1.49dc480000000p-4f,
};

/* sinh x = x + x^3 P(x^2) to 1, |relative error| < 2^-34.2 before rounding */
static const float sinh_poly[] = {
	0x1.5555560000000p-3f,
	0x1.1111340000000p-7f,
	0x1.9ffe920000000p-13f,
	0x1.7a15b40000000p-19f,
};

/* tanh x = x + x^3 P(x^2) to 5/8, |relative error| < 2^-32.6 before rounding */
static const float tanh_poly[] = {
	-0x1.5555540000000p-2f, 0x1.1110660000000p-3f,	-0x1.b9ee900000000p-5f,
	0x1.638b580000000p-6f,	-0x1.0bf4fe0000000p-7f, 0x1.18e1de0000000p-9f,
};

/* 32 zero bits, then the binary fraction of 2/pi */
static const uint32_t two_over_pi[] = {
	0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u,
	0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu,
};

#endif /* HEARTH_HC_MATH_TABLES_H */
