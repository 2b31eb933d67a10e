/* SPDX-License-Identifier: MIT */
/*
 * What a device computed, compared with the same computed in float64 on the host, at sampled places. An output is
 * right if it differs by no more than tolerance · magnitude, where magnitude is the sum of the absolute values of
 * what was summed: the scale that rounding errors are relative to. And every output must be a finite number: buffers
 * are filled with BENCH_UNWRITTEN before the run, so an output that was never written is found wherever it lies.
 */
#ifndef BENCH_CHECK_H
#define BENCH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include <hearth.h>

#define BENCH_UNWRITTEN 0x7fc0deadu /* a NaN that no computation gives */

struct bench_check {
	const char *reference; /* "float64", or "exact" for whole numbers */
	uint64_t outputs;      /* looked at for being finite */
	uint32_t samples;      /* compared */
	uint32_t wrong;	       /* of the samples and of the outputs */
	double max_error;      /* of the samples: absolute */
	double max_scaled;     /* of the samples: over magnitude */
	double tolerance;      /* for max_scaled */
	bool pass;
	char message[192]; /* the first that was wrong, or empty */
};

/* Random numbers that are the same each time. */
struct bench_random {
	uint64_t state; /* not 0 */
};

uint64_t bench_random(struct bench_random *random);
/* A matrix row after row in the format of @type: values of either sign, of magnitude 0.5 to 2 or, for blocks, up to 4. */
void bench_fill(void *bytes, enum hearth_type type, uint64_t elements, struct bench_random *random);
/* Element @column of a row. */
double bench_element(const void *row, enum hearth_type type, uint64_t column);

/* Of a sum of @terms products in float32: 4 · sqrt(terms) · 2^-24, and no less than 2^-18. */
double bench_tolerance_matmul(uint32_t terms);
/* Of attention over @keys: 16 · sqrt(keys + 256) · 2^-24. */
double bench_tolerance_attention(uint32_t keys);

/* y[r][n] = Σk x[r][k] · w[n][k]. x: [rows × columns], w: [w_rows × columns], y: [rows × w_rows]. */
void bench_check_matmul(const void *w, enum hearth_type type, uint32_t w_rows, uint32_t columns,
			const float *x, const float *y, uint32_t rows, uint32_t samples,
			struct bench_check *check);
/* The same with another tolerance, for activations that were rounded. */
void bench_check_matmul_within(const void *w, enum hearth_type type, uint32_t w_rows,
			       uint32_t columns, const float *x, const float *y, uint32_t rows,
			       uint32_t samples, double tolerance, struct bench_check *check);

/* y: [rows × columns], all compared with @expected; where its magnitude may be less than the error's scale, @magnitude has that. */
void bench_check_rows(const float *y, const double *expected, const double *magnitude,
		      uint32_t rows, uint32_t columns, double tolerance, struct bench_check *check);

/* As hearth_op_attention. A sample is one row's one head: head_size outputs. */
struct bench_attention {
	uint32_t position, rows, heads, kv_heads, head_size;
	enum hearth_type type; /* of keys and values */
	double scale;
};

void bench_check_attention(const struct bench_attention *a, const float *q, const void *keys,
			   const void *values, const float *y, uint32_t samples,
			   struct bench_check *check);

#endif /* BENCH_CHECK_H */
