// SPDX-License-Identifier: MIT
/*
 * Types of weights and matrices of them: sizes, checks, and serving in parts those that are larger than a binding
 * may be.
 */
#include "runtime.h"

static const struct {
	enum hearth_type type;
	const char *name;
	uint32_t block; /* elements */
	uint32_t block_bytes;
	uint32_t unit; /* UNIT in shaders/weights.glsl */
} types[] = {
	{ HEARTH_TYPE_F32, "F32", 1, 4, 4 },
	{ HEARTH_TYPE_F16, "F16", 1, 2, 2 },
	{ HEARTH_TYPE_Q8_0, "Q8_0", 32, 34, 4 },
	{ HEARTH_TYPE_Q4_0, "Q4_0", 32, 18, 8 },
	{ HEARTH_TYPE_BF16, "BF16", 1, 2, 2 },
	{ HEARTH_TYPE_Q4_K, "Q4_K", 256, 144, 4 },
	{ HEARTH_TYPE_Q5_K, "Q5_K", 256, 176, 4 },
	{ HEARTH_TYPE_Q6_K, "Q6_K", 256, 210, 4 },
	{ HEARTH_TYPE_IQ4_NL, "IQ4_NL", 32, 18, 4 },
	{ HEARTH_TYPE_MXFP4, "MXFP4", 32, 17, 4 },
	{ HEARTH_TYPE_Q4_0_TILES, "Q4_0 in tiles", 64, 36, 8 },
	{ HEARTH_TYPE_Q8_0_TILES, "Q8_0 in tiles", 64, 68, 4 },
};

static int find_type(enum hearth_type type)
{
	for (size_t i = 0; i < HRT_COUNT(types); i++)
		if (types[i].type == type)
			return (int)i;
	return -1;
}

uint64_t hearth_row_bytes(enum hearth_type type, uint64_t elements)
{
	int i = find_type(type);
	uint64_t bytes;

	if (i < 0 || elements % types[i].block ||
	    __builtin_mul_overflow(elements / types[i].block, (uint64_t)types[i].block_bytes,
				   &bytes))
		return 0;
	return bytes;
}

uint32_t hrt_type_unit(enum hearth_type type)
{
	int i = find_type(type);

	return i < 0 ? 0 : types[i].unit;
}

const char *hrt_type_name(enum hearth_type type)
{
	int i = find_type(type);

	return i < 0 ? "unknown" : types[i].name;
}

bool hrt_whole_words(enum hearth_type type, uint32_t columns)
{
	return hearth_row_bytes(type, columns) % 4 == 0 && columns % hrt_type_unit(type) == 0;
}

enum hearth_status hrt_matrix_check(const char *op, const struct hearth_matrix *matrix,
				    uint64_t *bytes)
{
	int i = matrix ? find_type(matrix->type) : -1;

	if (!matrix)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: the matrix is NULL", op);
	if (i < 0)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: weights of type %d are not supported (F32 0, F16 1, Q4_0 2, "
				"Q8_0 8, Q4_K 12, Q5_K 13, Q6_K 14, IQ4_NL 20, BF16 30, MXFP4 39 "
				"are)",
				op, matrix->type);
	if (!matrix->rows || !matrix->columns || matrix->columns % types[i].block)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: a matrix of %u × %u, expected at least 1 × 1 and columns a "
				"multiple of %u "
				"for %s",
				op, matrix->rows, matrix->columns, types[i].block, types[i].name);
	if (__builtin_mul_overflow(hearth_row_bytes(matrix->type, matrix->columns),
				   (uint64_t)matrix->rows, bytes))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: a matrix of %u × %u is too large", op, matrix->rows,
				matrix->columns);
	return HEARTH_OK;
}

uint32_t hrt_rows_per_binding(const struct hearth_device *device, const char *op,
			      const struct hearth_matrix *matrix)
{
	const VkPhysicalDeviceLimits *limits = &device->physical->limits;
	uint64_t row_bytes = hearth_row_bytes(matrix->type, matrix->columns);
	uint64_t rows;

	/* Room for the binding to start earlier and to end later than the rows do. */
	rows = (limits->maxStorageBufferRange - limits->minStorageBufferOffsetAlignment - 4) /
	       row_bytes;
	if (rows >= matrix->rows)
		return matrix->rows;
	rows -= rows % HRT_VIEW_ALIGN; /* so that parts start where views may */
	if (!rows)
		hrt_fail(HEARTH_ERROR_UNSUPPORTED,
			 "%s: rows of %llu bytes are too large for bindings of %u bytes on %s", op,
			 (unsigned long long)row_bytes, limits->maxStorageBufferRange,
			 device->physical->properties.name);
	return (uint32_t)rows;
}

enum hearth_status hrt_bind_rows(const struct hearth_recording *recording, const char *op,
				 const struct hearth_matrix *matrix, uint32_t first, uint32_t count,
				 struct hrt_binding *binding, uint32_t *first_word)
{
	uint64_t row_bytes = hearth_row_bytes(matrix->type, matrix->columns);
	uint64_t all = row_bytes * matrix->rows;
	enum hearth_status status;
	struct hearth_view part;

	status = hrt_bind(recording, op, "the matrix", &matrix->view, all, HRT_READ, binding,
			  first_word);
	if (status != HEARTH_OK || count == matrix->rows)
		return status;
	part = (struct hearth_view){ matrix->view.buffer, matrix->view.offset + first * row_bytes,
				     count * row_bytes };
	return hrt_bind(recording, op, "the matrix", &part, part.bytes, HRT_READ, binding,
			first_word);
}
