// SPDX-License-Identifier: MIT
/*
 * Activations as bytes, for products with weights of block types. Several products with the same activations share
 * them (derived.c).
 */
#include "runtime.h"
#include "tuning.h"

struct quantise_push {
	uint32_t x_first, q_first;
	uint32_t columns;
	uint32_t words;
	uint32_t row_words;
};

/* Words of numbers, and of these with their scales, that quantise.comp makes of a row for weights of @type. */
static void row_layout(uint32_t columns, enum hearth_type type, uint32_t lanes,
		       struct quantise_push *push)
{
	uint32_t step = type == HEARTH_TYPE_Q4_0 ? 2 * lanes : lanes < 16 ? 16 : lanes;

	push->columns = columns;
	push->words = (uint32_t)hrt_round_up(hrt_ceil_div(columns, 4), step);
	push->row_words = push->words * 2; /* for Q4_0 half as many scales, and sums */
}

enum hearth_status hrt_quantise(struct hearth_recording *recording, const char *op,
				const struct hrt_binding *x, uint32_t x_first, uint32_t rows,
				uint32_t columns, enum hearth_type type,
				struct hrt_binding *binding)
{
	uint32_t lanes = recording->device->physical->properties.subgroup_size;
	const uint32_t spec[] = { 64, lanes, type == HEARTH_TYPE_Q4_0 };
	struct quantise_push push = { .x_first = x_first };
	const struct hrt_pipeline *pipeline;
	enum hearth_status status;
	struct hrt_derived *q;
	uint64_t bytes;

	row_layout(columns, type, lanes, &push);
	bytes = hrt_words_bytes(push.row_words, rows);

	const uint32_t form[3] = { columns, type, lanes };

	status = hrt_derive(recording, op, x, HRT_DERIVED_BYTES, form, bytes, &q);
	if (status != HEARTH_OK)
		return status;
	*binding = (struct hrt_binding){ q->buffer, 0, bytes, HRT_READ };
	if (q->valid)
		return HEARTH_OK;

	const struct hrt_binding bindings[] = { *x, { q->buffer, 0, bytes, HRT_WRITE } };
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(push.words, spec[0]), rows, 1 };

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_quantise, spec, HRT_COUNT(spec),
				     &pipeline);
	if (status == HEARTH_OK)
		status = hrt_record(recording, op, pipeline, bindings, &push, groups);
	q->valid = status == HEARTH_OK;
	return status;
}
