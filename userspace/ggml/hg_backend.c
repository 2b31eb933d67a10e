// SPDX-License-Identifier: MIT
/*
 * Backends: a stream on a device, on which graphs are computed. Computing a graph returns when it is done.
 * A backend keeps the plan and the recording of its last graph; the next is submitted as it is if its plan is the
 * same, which is so from token to token as long as the shapes stay.
 */
#include "hg.h"

#include <stdlib.h>

struct hg_backend {
	struct ggml_backend ggml;
	struct hg_device *device;
	struct hearth_stream *stream;
	struct hg_plan plan; /* of the graph being computed */
	struct hg_plan last; /* of @recording */
	struct hearth_recording *recording;
	struct hearth_buffer *parameters; /* HG_SLOT_BYTES a call */
};

static const char *backend_get_name(ggml_backend_t ggml)
{
	return ((struct hg_backend *)ggml->context)->device->name;
}

static void backend_free(ggml_backend_t ggml)
{
	struct hg_backend *backend = ggml->context;

	hearth_stream_destroy(backend->stream);
	hearth_recording_destroy(backend->recording);
	hearth_buffer_destroy(backend->parameters);
	free(backend->plan.calls);
	free(backend->last.calls);
	free(backend);
}

static bool make_plan(struct hg_plan *plan, struct ggml_cgraph *graph)
{
	int count = ggml_graph_n_nodes(graph);

	plan->count = 0;
	plan->failed = false;
	for (int i = 0; i < count && !plan->failed; i++) {
		const struct ggml_tensor *node = ggml_graph_node(graph, i);
		const struct hg_op *op = hg_op_find(node->op);

		if (ggml_is_empty(node) || !(node->flags & GGML_TENSOR_FLAG_COMPUTE))
			continue;
		if (!op) {
			hg_error("node %s: operation %s is not supported", node->name,
				 ggml_op_desc(node));
			return false;
		}
		if (op->plan)
			op->plan(plan, node);
	}
	return !plan->failed;
}

static bool same_plan(const struct hg_plan *a, const struct hg_plan *b)
{
	return a->count == b->count && !memcmp(a->calls, b->calls, a->count * sizeof(*a->calls));
}

static enum hearth_status record_matmul(struct hearth_recording *recording,
					const struct hg_call *call)
{
	const struct hearth_matrix weights = {
		.view = call->views[0].hearth,
		.type = call->type,
		.rows = call->rows,
		.columns = call->columns,
	};
	const struct hearth_view none = { 0 };

	return hearth_op_matmul(recording, &weights, call->views[1].hearth, none,
				call->views[2].hearth, call->vectors);
}

static enum hearth_status record_experts(struct hearth_recording *recording,
					 const struct hg_call *call)
{
	const struct hearth_matrix weights = {
		.view = call->views[0].hearth,
		.type = call->type,
		.rows = call->rows * call->experts,
		.columns = call->columns,
	};

	return hearth_op_experts_matmul(recording, &weights, call->experts, call->views[1].hearth,
					call->own_vectors, call->views[3].hearth,
					call->chosen_stride, call->views[2].hearth, call->vectors,
					call->used);
}

static enum hearth_status record_call(struct hg_backend *backend, const struct hg_call *call,
				      uint32_t slot)
{
	struct hearth_view views[1 + HG_MAX_TENSORS] = {
		{ backend->parameters, (uint64_t)slot * HG_SLOT_BYTES, HG_SLOT_BYTES },
	};
	struct hearth_kernel *kernel;
	uint32_t count;

	if (call->shader == HG_RUNTIME_MATMUL)
		return record_matmul(backend->recording, call);
	if (call->shader == HG_RUNTIME_EXPERTS)
		return record_experts(backend->recording, call);
	kernel = hg_kernel_get(backend->device, call);
	if (!kernel)
		return HEARTH_ERROR_COMPILE;
	count = hg_shader_buffers(call->shader);
	/* What the variant does not look at is bound to the parameters. */
	for (uint32_t i = 1; i < count; i++)
		views[i] = call->views[i - 1].hearth.buffer ? call->views[i - 1].hearth : views[0];
	memcpy((char *)hearth_buffer_map(backend->parameters) + views[0].offset, call->words,
	       sizeof(call->words));
	return hearth_record_dispatch(backend->recording, kernel, views, count, NULL, 0,
				      call->groups[0], call->groups[1], 1);
}

static enum hearth_status reserve_parameters(struct hg_backend *backend, uint32_t calls)
{
	uint64_t bytes = (uint64_t)calls * HG_SLOT_BYTES;

	if (backend->parameters && hearth_buffer_bytes(backend->parameters) >= bytes)
		return HEARTH_OK;
	hearth_buffer_destroy(backend->parameters);
	backend->parameters = NULL;
	return hearth_buffer_create(backend->device->hearth, 2 * bytes, HEARTH_BUFFER_SHARED,
				    &backend->parameters);
}

static enum hearth_status record_plan(struct hg_backend *backend)
{
	struct hg_plan swap = backend->last;
	enum hearth_status status;

	hearth_recording_destroy(backend->recording);
	backend->recording = NULL;
	backend->last = backend->plan;
	backend->plan = swap;
	status = reserve_parameters(backend, backend->last.count);
	if (status == HEARTH_OK)
		status = hearth_recording_create(backend->device->hearth, &backend->recording);
	for (uint32_t i = 0; i < backend->last.count && status == HEARTH_OK; i++)
		status = record_call(backend, &backend->last.calls[i], i);
	if (status == HEARTH_OK)
		status = hearth_recording_end(backend->recording);
	if (status != HEARTH_OK) {
		hearth_recording_destroy(backend->recording);
		backend->recording = NULL;
	}
	return status;
}

static enum ggml_status backend_graph_compute(ggml_backend_t ggml, struct ggml_cgraph *graph)
{
	struct hg_backend *backend = ggml->context;
	enum hearth_status status = HEARTH_OK;

	if (!make_plan(&backend->plan, graph))
		return GGML_STATUS_FAILED;
	if (!backend->plan.count)
		return GGML_STATUS_SUCCESS;
	if (!backend->recording || !same_plan(&backend->plan, &backend->last))
		status = record_plan(backend);
	if (status == HEARTH_OK)
		status = hearth_stream_submit(backend->stream, backend->recording);
	if (status == HEARTH_OK)
		status = hearth_stream_wait(backend->stream, UINT64_MAX);
	if (status == HEARTH_OK)
		return GGML_STATUS_SUCCESS;
	hg_hearth_error("computing a graph");
	return status == HEARTH_ERROR_OUT_OF_MEMORY || status == HEARTH_ERROR_OUT_OF_DEVICE_MEMORY
		       ? GGML_STATUS_ALLOC_FAILED
		       : GGML_STATUS_FAILED;
}

ggml_backend_t hg_backend_create(struct hg_device *device)
{
	static ggml_guid guid = { 'H', 'e', 'a', 'r', 't', 'h', ' ', 'p',
				  'l', 'u', 'g', 'i', 'n', ' ', 'v', '1' };
	struct hearth_device *hearth = hg_device_open(device);
	struct hg_backend *backend;

	if (!hearth)
		return NULL;
	backend = calloc(1, sizeof(*backend));
	if (!backend)
		return NULL;
	backend->device = device;
	backend->plan.device = device;
	backend->last.device = device;
	if (hearth_stream_create(hearth, &backend->stream) != HEARTH_OK) {
		hg_hearth_error(device->name);
		free(backend);
		return NULL;
	}
	backend->ggml = (struct ggml_backend){
		.guid = &guid,
		.iface = {
			.get_name = backend_get_name,
			.free = backend_free,
			.graph_compute = backend_graph_compute,
		},
		.device = &device->ggml,
		.context = backend,
	};
	return &backend->ggml;
}
