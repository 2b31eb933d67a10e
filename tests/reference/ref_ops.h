/* SPDX-License-Identifier: MIT */
/*
 * The operations of hearth.h in plain float64: what every device is compared with.
 *
 * Matrices are row-major; shapes stand beside the arguments. Nothing here is fast, allocates memory
 * or fails: arguments are the caller's care. Weights are raw bytes as they lie in a GGUF file.
 *
 * Where a function takes @magnitude (may be NULL), it receives for each output the sum of the absolute
 * values of the products that were summed: the scale that float32 rounding errors are relative to.
 */
#ifndef REF_OPS_H
#define REF_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "hearth.h"

/* ---- Number formats ---- */

double ref_f16_to_double(uint16_t bits);
/* Nearest, ties to even; overflow gives infinity. */
uint16_t ref_double_to_f16(double value);

/* Element @column of a row of weights of @type that starts at @row_bytes. */
double ref_weight(const void *row_bytes, enum hearth_type type, uint32_t column);
/* out: [columns]. @columns is a multiple of 32 for the block types. */
void ref_dequantise_row(const void *row_bytes, enum hearth_type type, uint32_t columns,
			double *out);
/* The way back, to make test data and models; @out: hearth_row_bytes(type, columns) bytes. */
void ref_quantise_row(const float *values, enum hearth_type type, uint32_t columns, void *out);
/* Bytes of a row; the block types round @columns down to whole blocks. */
uint64_t ref_row_bytes(enum hearth_type type, uint32_t columns);

/* ---- Operations ---- */

/* y[r][:] = table[tokens[r]][:], zeros for a token that is not in the table. y: [rows × columns]. */
void ref_embedding(const void *table, enum hearth_type type, uint32_t table_rows, uint32_t columns,
		   const uint32_t *tokens, double *y, uint32_t rows);

/* x, y: [rows × columns]; weight: [columns]. y may be x. */
void ref_rms_norm(const double *x, const double *weight, double *y, uint32_t rows, uint32_t columns,
		  double epsilon);

/*
 * y[r][n] = Σk x[r][k] · w[n][k] (+ residual[r][n], if not NULL). w: [w_rows × w_columns];
 * x: [rows × w_columns]; y, residual, magnitude: [rows × w_rows]. y may be residual.
 */
void ref_matmul(const void *w, enum hearth_type type, uint32_t w_rows, uint32_t w_columns,
		const double *x, const double *residual, double *y, double *magnitude,
		uint32_t rows);

/* In place on x: [rows × heads × head_size]; row r stands at @position + r. */
void ref_rope(double *x, uint32_t position, uint32_t rows, uint32_t heads, uint32_t head_size,
	      uint32_t dims, double base, enum hearth_rope mode);

/* The same with pair i turning by position · scale · base^(-2i/dims) / factors[i], and what turns times @magnitude; @factors may be NULL. */
void ref_rope_scaled(double *x, uint32_t position, uint32_t rows, uint32_t heads,
		     uint32_t head_size, uint32_t dims, double base, enum hearth_rope mode,
		     double scale, const double *factors, double magnitude);

/* What becomes of scores, in this order; 0 and NULL: nothing. As in struct hearth_attention_info. */
struct ref_attention {
	double scale;
	double soft_cap;
	double alibi;
	uint32_t window;
	const double *sinks; /* [heads] */
};

/*
 * Causal grouped-query attention. q, y, magnitude: [rows × heads × head_size]; keys, values:
 * [positions × kv_heads × head_size], filled for all positions < @position + @rows.
 * @scores: scratch of @position + @rows.
 */
void ref_attention(const double *q, const double *keys, const double *values, double *y,
		   double *magnitude, double *scores, uint32_t position, uint32_t rows,
		   uint32_t heads, uint32_t kv_heads, uint32_t head_size,
		   const struct ref_attention *shape);

/* y[i] = scale · x[i], or soft_cap · tanh(scale · x[i] / soft_cap) if that is not 0; y may be x. */
void ref_scale(const double *x, double *y, uint64_t count, double scale, double soft_cap);

/* y[i] = GELU(a[i]) · b[i], as tanh approximates it; y may be a or b. */
void ref_gelu_mul(const double *a, const double *b, double *y, uint64_t count);

/* y[i] = a[i] / (1 + exp(-a[i])) · b[i]; y may be a or b. */
void ref_silu_mul(const double *a, const double *b, double *y, uint64_t count);

/*
 * The experts of each row: those with the largest logits, of equal ones the first; NaN counts as least. Their weights: softmax of
 * all logits, or if @sigmoid 1 / (1 + exp(-logit)); if @normalise divided by their sum; then times @scale. logits: [rows × experts];
 * selected, weights: [rows × used].
 */
void ref_experts_select(const double *logits, uint32_t *selected, double *weights, uint32_t rows,
			uint32_t experts, uint32_t used, bool sigmoid, bool normalise,
			double scale);

/* y[i] = a[i] + b[i]; y may be a or b. */
void ref_add(const double *a, const double *b, double *y, uint64_t count);

/* index[r] = the smallest i with x[r][i] maximal; NaN counts as least. x: [rows × columns]. */
void ref_argmax(const double *x, uint32_t *index, uint32_t rows, uint32_t columns);

#endif /* REF_OPS_H */
