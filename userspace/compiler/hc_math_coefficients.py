#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes hc_math_tables.h: the minimax polynomials of hc_math.

Every function is written as its exact leading terms plus x^k P(x) (or of x squared), and P is fitted by
the exchange algorithm of Remez to the Taylor series of what remains, weighted so that the *relative* error
of the whole is what becomes small. Plain double arithmetic is ample: the errors are near 2^-27. The coefficients
are rounded to single precision at the end; the leading terms, which carry the weight, are exact. Run it as
    hc_math_coefficients.py > hc_math_tables.h
"""
import math
import struct
from fractions import Fraction as F

TERMS = 90


def series(coefficients):
    c = [float(x) for x in coefficients]

    def evaluate(z):
        v = 0.0
        for a in reversed(c):
            v = v * z + a
        return v
    return evaluate


def divide(a, b):
    """Quotient of two power series."""
    q = []
    for n in range(len(a)):
        q.append((a[n] - sum(q[k] * b[n - k] for k in range(n))) / b[0])
    return q


def solve(rows, rhs):
    n = len(rhs)
    m = [list(r) + [v] for r, v in zip(rows, rhs)]
    for i in range(n):
        p = max(range(i, n), key=lambda r: abs(m[r][i]))
        m[i], m[p] = m[p], m[i]
        for r in range(i + 1, n):
            f = m[r][i] / m[i][i]
            for k in range(i, n + 1):
                m[r][k] -= f * m[i][k]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (m[i][n] - sum(m[i][k] * x[k] for k in range(i + 1, n))) / m[i][i]
    return x


def remez(g, w, lo, hi, degree):
    """Coefficients of P, lowest first, that make max |w(z) (P(z) - g(z))| on [lo, hi] smallest."""
    n = degree + 2
    points = [(lo + hi) / 2 - (hi - lo) / 2 * math.cos(math.pi * (i + 0.5) / n) for i in range(n)]
    grid = [(lo + hi) / 2 - (hi - lo) / 2 * math.cos(math.pi * i / 3000) for i in range(3001)]
    grid = [z for z in grid if w(z) != 0]
    for _ in range(30):
        rows = [[z ** k for k in range(degree + 1)] + [(-1) ** i / w(z)]
                for i, z in enumerate(points)]
        c = solve(rows, [g(z) for z in points])[:-1]
        errors = [(w(z) * (sum(a * z ** k for k, a in enumerate(c)) - g(z)), z) for z in grid]
        # one extremum per run of equal sign
        peaks = []
        for e in errors:
            if peaks and (peaks[-1][0] > 0) == (e[0] > 0):
                if abs(e[0]) > abs(peaks[-1][0]):
                    peaks[-1] = e
            else:
                peaks.append(e)
        while len(peaks) > n:
            peaks.pop(0 if abs(peaks[0][0]) < abs(peaks[-1][0]) else -1)
        if len(peaks) < n:
            break
        points = [p[1] for p in peaks]
    return c, max(abs(e[0]) for e in errors)


def f32(x):
    return struct.unpack('f', struct.pack('f', x))[0]


def emit(name, text, g, w, lo, hi, degree):
    c, error = remez(g, w, lo, hi, degree)
    print('/* %s, |relative error| < 2^%.1f before rounding */' % (text, math.log2(error)))
    print('static const float %s[] = {' % name)
    for a in c:
        print('\t%sf,' % float.hex(f32(a)))
    print('};\n')


def odd(name, text, full, limit, degree):
    """full(x) = x + x^3 P(x^2); full: series of full(x)/x in z = x^2."""
    whole = series(full)
    emit(name, text, series(full[1:]), lambda z: z / whole(z), 0.0, limit * limit, degree)


def main():
    fact = [math.factorial(i) for i in range(2 * TERMS + 4)]
    sin = [F((-1) ** k, fact[2 * k + 1]) for k in range(TERMS)]
    cos = [F((-1) ** k, fact[2 * k]) for k in range(TERMS)]
    sinh = [F(1, fact[2 * k + 1]) for k in range(TERMS)]
    cosh = [F(1, fact[2 * k]) for k in range(TERMS)]
    exp = [F(1, fact[k]) for k in range(TERMS)]
    log1p = [F((-1) ** k, k + 1) for k in range(TERMS)]
    atan = [F((-1) ** k, 2 * k + 1) for k in range(TERMS)]
    asin = [F(fact[2 * k], 4 ** k * fact[k] ** 2 * (2 * k + 1)) for k in range(TERMS)]
    tanh = divide(sinh[:40], cosh[:40])

    print('/* SPDX-License-Identifier: MIT */')
    print('/* Made by hc_math_coefficients.py: change that instead. */')
    print('#ifndef HEARTH_HC_MATH_TABLES_H\n#define HEARTH_HC_MATH_TABLES_H\n')

    quarter = math.pi / 4 * 1.0001
    odd('sin_poly', 'sin x = x + x^3 P(x^2) to pi/4', sin, quarter, 3)
    c = series(cos)
    emit('cos_poly', 'cos x = 1 - x^2/2 + x^4 P(x^2) to pi/4', series(cos[2:]),
         lambda z: z * z / c(z), 0.0, quarter * quarter, 3)
    e = series(exp)
    half = math.log(2) / 2 * 1.0001
    emit('exp_poly', 'e^x = 1 + x + x^2 P(x) to ln 2 / 2', series(exp[2:]),
         lambda x: x * x / e(x), -half, half, 4)
    ln2 = math.log(2)
    emit('exp2_poly', '2^x = 1 + x P(x) to 1/2',
         series([float(a) * ln2 ** (k + 1) for k, a in enumerate(exp[1:])]),
         lambda x: x / 2 ** x, -0.50001, 0.50001, 5)
    lg = series(log1p)
    emit('log_poly', 'log(1 + x) = x - x^2/2 + x^3 P(x) from sqrt(1/2) to sqrt(2)', series(log1p[2:]),
         lambda x: x * x / lg(x), math.sqrt(0.5) - 1, math.sqrt(2) - 1, 8)
    odd('asin_poly', 'asin x = x + x^3 P(x^2) to 1/2', asin, 0.5, 4)
    odd('atan_poly', 'atan x = x + x^3 P(x^2) to tan(pi/8)', atan, math.tan(math.pi / 8) * 1.0001, 3)
    odd('sinh_poly', 'sinh x = x + x^3 P(x^2) to 1', sinh, 1.0, 3)
    odd('tanh_poly', 'tanh x = x + x^3 P(x^2) to 5/8', tanh, 0.625, 5)

    # 2/pi as a binary fraction after 32 zero bits, for the reduction of large arguments.
    bits = two_over_pi(256)
    print('/* 32 zero bits, then the binary fraction of 2/pi */')
    print('static const uint32_t two_over_pi[] = {')
    words = [0] + [(bits >> (256 - 32 * (i + 1))) & 0xffffffff for i in range(7)]
    for wv in words:
        print('\t0x%08xu,' % wv)
    print('};\n')
    print('#endif /* HEARTH_HC_MATH_TABLES_H */')


def arctan_inverse(n, one):
    total = term = one // n
    k = 3
    sign = -1
    while term:
        term //= n * n
        total += sign * (term // k)
        sign = -sign
        k += 2
    return total


def two_over_pi(bits):
    """floor(2/pi * 2^bits), by Machin's formula for pi."""
    one = 1 << (bits + 64)
    pi = 4 * (4 * arctan_inverse(5, one) - arctan_inverse(239, one))
    return (2 * one << bits) // pi


if __name__ == '__main__':
    main()
