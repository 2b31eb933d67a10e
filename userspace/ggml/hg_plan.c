// SPDX-License-Identifier: MIT
/* Plans: the calls that a graph becomes, and what of them all operations write alike. */
#include "hg.h"

#include <stdlib.h>

#define MAX_STRETCH 1024 /* elements of a row that a work-group takes at most */

struct hg_call *hg_plan_add(struct hg_plan *plan, enum hg_shader shader)
{
	struct hg_call *call;

	if (plan->failed)
		return NULL;
	if (plan->count == plan->capacity) {
		uint32_t capacity = plan->capacity ? 2 * plan->capacity : 64;
		struct hg_call *calls = realloc(plan->calls, capacity * sizeof(*calls));

		if (!calls) {
			hg_error("out of memory for a plan of %u calls", capacity);
			plan->failed = true;
			return NULL;
		}
		plan->calls = calls;
		plan->capacity = capacity;
	}
	call = &plan->calls[plan->count++];
	memset(call, 0, sizeof(*call));
	call->shader = shader;
	call->spec[0] = HG_LOCAL;
	call->spec_count = 1;
	return call;
}

/* The binding starts on a unit of alignment before the tensor and ends on one behind it. */
static bool bind(const struct hg_device *device, const struct ggml_tensor *tensor,
		 struct hg_view *view, uint32_t *at)
{
	uint64_t offset;
	const struct hg_buffer *buffer = hg_tensor_buffer(device, tensor, &offset);
	uint64_t bytes = ggml_nbytes(tensor);
	uint64_t have;

	if (!buffer) {
		hg_error("%s: tensor %s is not in this device's memory", ggml_op_desc(tensor),
			 tensor->name);
		return false;
	}
	have = hearth_buffer_bytes(buffer->hearth);
	if (offset > have || bytes > have - offset) {
		hg_error("%s: tensor %s is bytes %llu +%llu of a buffer of %llu",
			 ggml_op_desc(tensor), tensor->name, (unsigned long long)offset,
			 (unsigned long long)bytes, (unsigned long long)have);
		return false;
	}
	*at = offset % HG_ALIGN_BYTES;
	bytes += *at + HG_ALIGN_BYTES - 1;
	view->buffer_id = buffer->id;
	view->hearth = (struct hearth_view){
		.buffer = buffer->hearth,
		.offset = offset - *at,
		.bytes = bytes - bytes % HG_ALIGN_BYTES,
	};
	return true;
}

void hg_call_tensor(struct hg_plan *plan, struct hg_call *call, const struct ggml_tensor *tensor)
{
	struct hg_view *view = &call->views[call->tensor_count];
	uint32_t *words = &call->words[HG_TENSOR_WORDS * call->tensor_count];

	call->tensor_count++;
	call->word_count = HG_TENSOR_WORDS * call->tensor_count;
	if (!tensor)
		return;
	if (!bind(plan->device, tensor, view, &words[0])) {
		plan->failed = true;
		return;
	}
	for (int i = 0; i < 4; i++) {
		words[1 + i] = (uint32_t)tensor->ne[i];
		words[5 + i] = (uint32_t)tensor->nb[i];
	}
}

void hg_call_spec(struct hg_call *call, uint32_t value)
{
	call->spec[call->spec_count++] = value;
}

void hg_call_word(struct hg_call *call, uint32_t value)
{
	call->words[call->word_count++] = value;
}

void hg_call_float(struct hg_call *call, float value)
{
	memcpy(&call->words[call->word_count++], &value, sizeof(value));
}

static uint32_t cut(uint64_t groups)
{
	return groups < HG_MAX_GROUPS ? (uint32_t)groups : HG_MAX_GROUPS;
}

void hg_call_groups(struct hg_call *call, uint64_t x, uint64_t y)
{
	call->groups[0] = cut(x);
	call->groups[1] = cut(y);
}

void hg_call_rows(struct hg_call *call, int64_t columns, int64_t rows)
{
	/* Long enough that a row is done in no more groups than a device can have. */
	uint32_t stretch = MAX_STRETCH;

	while ((uint64_t)columns > (uint64_t)stretch * HG_MAX_GROUPS)
		stretch *= 2;
	hg_call_spec(call, stretch);
	hg_call_groups(call, ((uint64_t)columns + stretch - 1) / stretch, (uint64_t)rows);
}
