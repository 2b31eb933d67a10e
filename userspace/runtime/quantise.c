// SPDX-License-Identifier: MIT
/*
 * Activations as bytes, for products with weights of block types. Several products with the same activations share
 * them: a recording keeps what it made until an operation writes to the numbers they were made from.
 */
#include "runtime.h"
#include "tuning.h"

#include <stdlib.h>

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

/* One that holds, or one that may be made anew and has room; NULL if there is neither. */
static struct hrt_quantised *find(struct hearth_recording *recording, const struct hrt_binding *x,
				  uint32_t columns, enum hearth_type type, uint64_t bytes)
{
	struct hrt_quantised *q, *free_one = NULL;

	for (q = recording->quantised; q; q = q->next) {
		if (q->valid && q->x.buffer == x->buffer && q->x.offset == x->offset &&
		    q->x.bytes == x->bytes && q->columns == columns && q->order == type)
			return q;
		if (!q->valid && q->buffer->bytes >= bytes)
			free_one = q;
	}
	return free_one;
}

static enum hearth_status add(struct hearth_recording *recording, const char *op, uint64_t bytes,
			      struct hrt_quantised **out)
{
	struct hrt_quantised *q = calloc(1, sizeof(*q));
	enum hearth_status status;

	if (!q)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "%s: out of host memory", op);
	status = hearth_buffer_create(recording->device, bytes, HEARTH_BUFFER_DEVICE, &q->buffer);
	if (status != HEARTH_OK) {
		free(q);
		return status;
	}
	q->next = recording->quantised;
	recording->quantised = q;
	*out = q;
	return HEARTH_OK;
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
	struct hrt_quantised *q;
	uint64_t bytes;

	row_layout(columns, type, lanes, &push);
	bytes = hrt_words_bytes(push.row_words, rows);
	q = find(recording, x, columns, type, bytes);
	if (!q) {
		status = add(recording, op, bytes, &q);
		if (status != HEARTH_OK)
			return status;
	}
	*binding = (struct hrt_binding){ q->buffer, 0, bytes, HRT_READ };
	if (q->valid)
		return HEARTH_OK;

	const struct hrt_binding bindings[] = { *x, { q->buffer, 0, bytes, HRT_WRITE } };
	const uint32_t groups[3] = { (uint32_t)hrt_ceil_div(push.words, spec[0]), rows, 1 };

	status = hrt_shader_pipeline(recording->device, HRT_SHADER_quantise, spec, HRT_COUNT(spec),
				     &pipeline);
	if (status == HEARTH_OK)
		status = hrt_record(recording, op, pipeline, bindings, &push, groups);
	if (status != HEARTH_OK)
		return status;
	q->x = *x;
	q->columns = columns;
	q->order = type;
	q->valid = true;
	return HEARTH_OK;
}

void hrt_quantised_invalidate(struct hearth_recording *recording,
			      const struct hrt_binding *bindings, uint32_t count)
{
	for (struct hrt_quantised *q = recording->quantised; q; q = q->next)
		for (uint32_t i = 0; i < count; i++)
			if (bindings[i].access & HRT_WRITE && bindings[i].buffer == q->x.buffer &&
			    bindings[i].offset < q->x.offset + q->x.bytes &&
			    q->x.offset < bindings[i].offset + bindings[i].bytes)
				q->valid = false;
}

void hrt_quantised_free(struct hearth_recording *recording)
{
	while (recording->quantised) {
		struct hrt_quantised *q = recording->quantised;

		recording->quantised = q->next;
		hearth_buffer_destroy(q->buffer);
		free(q);
	}
}
