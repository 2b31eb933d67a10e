// SPDX-License-Identifier: MIT
/*
 * What kernels make for other kernels of a recording, each in a buffer of its own. Several operations share it: a recording
 * keeps what it made until an operation writes to the numbers it was made from, and then uses the room again.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

/* One that holds, or one that may be made anew and has room; NULL if there is neither. */
static struct hrt_derived *find(struct hearth_recording *recording, const struct hrt_binding *from,
				enum hrt_derived_kind kind, const uint32_t form[3], uint64_t bytes)
{
	struct hrt_derived *d, *free_one = NULL;

	for (d = recording->derived; d; d = d->next) {
		if (d->valid && d->from.buffer == from->buffer && d->from.offset == from->offset &&
		    d->from.bytes == from->bytes && d->kind == kind &&
		    !memcmp(d->form, form, sizeof(d->form)))
			return d;
		if (!d->valid && d->buffer->bytes >= bytes)
			free_one = d;
	}
	return free_one;
}

static enum hearth_status add(struct hearth_recording *recording, const char *op, uint64_t bytes,
			      struct hrt_derived **out)
{
	struct hrt_derived *d = calloc(1, sizeof(*d));
	enum hearth_status status;

	if (!d)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "%s: out of host memory", op);
	status = hearth_buffer_create(recording->device, bytes, HEARTH_BUFFER_DEVICE, &d->buffer);
	if (status != HEARTH_OK) {
		free(d);
		return status;
	}
	d->next = recording->derived;
	recording->derived = d;
	*out = d;
	return HEARTH_OK;
}

enum hearth_status hrt_derive(struct hearth_recording *recording, const char *op,
			      const struct hrt_binding *from, enum hrt_derived_kind kind,
			      const uint32_t form[3], uint64_t bytes, struct hrt_derived **derived)
{
	enum hearth_status status = HEARTH_OK;

	*derived = find(recording, from, kind, form, bytes);
	if (!*derived)
		status = add(recording, op, bytes, derived);
	if (status != HEARTH_OK || (*derived)->valid)
		return status;
	(*derived)->from = *from;
	(*derived)->kind = kind;
	memcpy((*derived)->form, form, sizeof((*derived)->form));
	return HEARTH_OK;
}

void hrt_derived_invalidate(struct hearth_recording *recording, const struct hrt_binding *bindings,
			    uint32_t count)
{
	for (struct hrt_derived *d = recording->derived; d; d = d->next)
		for (uint32_t i = 0; i < count; i++)
			if (bindings[i].access & HRT_WRITE &&
			    bindings[i].buffer == d->from.buffer &&
			    bindings[i].offset < d->from.offset + d->from.bytes &&
			    d->from.offset < bindings[i].offset + bindings[i].bytes)
				d->valid = false;
}

void hrt_derived_free(struct hearth_recording *recording)
{
	while (recording->derived) {
		struct hrt_derived *d = recording->derived;

		recording->derived = d->next;
		hearth_buffer_destroy(d->buffer);
		free(d);
	}
}
