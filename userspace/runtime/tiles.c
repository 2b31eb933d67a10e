// SPDX-License-Identifier: MIT
/*
 * Weights in tiles: rows side by side, one for each lane of a subgroup, for devices that multiply bytes fastest when all
 * lanes use the same activations. The layout is described in shaders/tiles.glsl.
 */
#include "runtime.h"
#include "tuning.h"

#include <stdlib.h>
#include <string.h>

#define PAIR_COLUMNS	64 /* two blocks */
#define PACK_STEP_BYTES (4u << 20)
#define SCALE_BYTES	2
#define MAX_NUMBERS	16 /* words of numbers in two blocks */

bool hrt_type_tiled(enum hearth_type type)
{
	return type == HEARTH_TYPE_Q4_0_TILES || type == HEARTH_TYPE_Q8_0_TILES;
}

enum hearth_type hearth_matrix_best_type(const struct hearth_device *device, enum hearth_type type,
					 uint32_t rows, uint32_t columns)
{
	uint32_t lanes = device ? hrt_tune_tile_lanes(device) : 0;

	if (!lanes || !rows || rows % lanes || !columns || columns % PAIR_COLUMNS)
		return type;
	return type == HEARTH_TYPE_Q4_0	  ? HEARTH_TYPE_Q4_0_TILES
	       : type == HEARTH_TYPE_Q8_0 ? HEARTH_TYPE_Q8_0_TILES
					  : type;
}

enum hearth_status hrt_tiles_check(const struct hearth_device *device, const char *op,
				   const struct hearth_matrix *matrix, uint32_t *lanes)
{
	*lanes = hrt_tune_tile_lanes(device);
	if (!*lanes)
		return hrt_fail(HEARTH_ERROR_UNSUPPORTED, "%s: %s does not use weights in tiles",
				op, device->physical->properties.name);
	if (matrix->rows % *lanes)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: %u rows in tiles, expected a multiple of %u", op, matrix->rows,
				*lanes);
	return HEARTH_OK;
}

/* @lanes rows of @row_bytes each, in blocks of @block_bytes, from @from on, as tiles. */
static void pack(const uint8_t *from, uint64_t row_bytes, uint32_t block_bytes, uint32_t lanes,
		 uint32_t *to)
{
	uint32_t block_words = (block_bytes - SCALE_BYTES) / 4, offsets[MAX_NUMBERS];

	for (uint32_t i = 0; i < 2 * block_words; i++)
		offsets[i] = i / block_words * block_bytes + SCALE_BYTES + i % block_words * 4;
	for (uint64_t at = 0; at < row_bytes; at += 2 * block_bytes) {
		for (uint32_t i = 0; i < 2 * block_words; i++)
			for (uint32_t lane = 0; lane < lanes; lane++)
				memcpy(to++, from + lane * row_bytes + at + offsets[i],
				       sizeof(*to));
		for (uint32_t lane = 0; lane < lanes; lane++, to++) {
			const uint8_t *scale = from + lane * row_bytes + at;

			memcpy(to, scale, SCALE_BYTES);
			memcpy((uint8_t *)to + SCALE_BYTES, scale + block_bytes, SCALE_BYTES);
		}
	}
}

enum hearth_status hearth_matrix_write(const struct hearth_matrix *matrix, uint32_t first_row,
				       uint32_t rows, const void *data)
{
	static const char op[] = "hearth_matrix_write";
	struct hearth_buffer *buffer = matrix ? matrix->view.buffer : NULL;
	uint64_t bytes, row_bytes, start, step;
	enum hearth_status status;
	uint32_t lanes;
	uint32_t *packed;

	if (!buffer || (rows && !data))
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: %s", op,
				buffer ? "data is NULL" : "the matrix has no buffer");
	status = hrt_matrix_check(op, matrix, &bytes);
	if (status != HEARTH_OK)
		return status;
	if (first_row > matrix->rows || rows > matrix->rows - first_row)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT, "%s: rows %u … +%u of %u", op,
				first_row, rows, matrix->rows);
	if (matrix->view.offset > buffer->bytes || bytes > buffer->bytes - matrix->view.offset)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: the matrix has %llu bytes from byte %llu on, its buffer %llu",
				op, (unsigned long long)bytes,
				(unsigned long long)matrix->view.offset,
				(unsigned long long)buffer->bytes);
	row_bytes = hearth_row_bytes(matrix->type, matrix->columns);
	start = matrix->view.offset + first_row * row_bytes;
	if (!hrt_type_tiled(matrix->type))
		return hearth_buffer_write(buffer, start, data, rows * row_bytes);
	status = hrt_tiles_check(buffer->device, op, matrix, &lanes);
	if (status != HEARTH_OK)
		return status;
	if (first_row % lanes || rows % lanes)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"%s: rows %u … +%u in tiles, expected multiples of %u", op,
				first_row, rows, lanes);
	step = PACK_STEP_BYTES / (lanes * row_bytes) + 1; /* tiles at a time */
	packed = malloc(step * lanes * row_bytes);
	if (!packed)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "%s: out of host memory", op);
	for (uint64_t tile = 0; tile < rows / lanes && status == HEARTH_OK; tile += step) {
		uint64_t left = rows / lanes - tile, count = left < step ? left : step;
		uint64_t tile_bytes = lanes * row_bytes;

		for (uint64_t i = 0; i < count; i++)
			pack((const uint8_t *)data + (tile + i) * tile_bytes, row_bytes,
			     (uint32_t)hearth_row_bytes(matrix->type, PAIR_COLUMNS) / 2, lanes,
			     packed + i * tile_bytes / 4);
		status = hearth_buffer_write(buffer, start + tile * tile_bytes, packed,
					     count * tile_bytes);
	}
	free(packed);
	return status;
}
