// SPDX-License-Identifier: MIT
/*
 * Executes HBI packets on the threads of this machine. Addresses are pointers. Packets run one after
 * another, each on all threads, so BARRIER has nothing left to do.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hth_host.h"

/* Copies and fills below this many bytes are left to one thread. */
#define PARALLEL_BYTES	  (1u << 20)

/* Chunks that a dispatch is cut into, for each thread: few enough to be cheap, enough to be even. */
#define CHUNKS_PER_THREAD 8

struct host_queue {
	struct hth_host_arena arena;
};

VkResult hth_host_queue_init(struct hth_queue *queue)
{
	queue->backend_data = calloc(1, sizeof(struct host_queue));
	return queue->backend_data ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
}

void hth_host_queue_finish(struct hth_queue *queue)
{
	struct host_queue *host = queue->backend_data;

	hth_host_arena_free(&host->arena);
	free(host);
}

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static void run_kernel(const struct hth_host_job *job, uint64_t first, uint64_t count,
		       void *scratch)
{
	job->kernel(job->data, first, count, scratch);
}

static void run_copy(const struct hth_host_job *job, uint64_t first, uint64_t count, void *scratch)
{
	const struct hbi_packet_copy *copy = job->data;

	(void)scratch;
	memcpy(pointer(copy->destination + first), pointer(copy->source + first), count);
}

static void run_fill(const struct hth_host_job *job, uint64_t first, uint64_t count, void *scratch)
{
	const struct hbi_packet_fill *fill = job->data;
	uint32_t *to = pointer(fill->destination + first);

	(void)scratch;
	for (uint64_t i = 0; i < count / 4; i++)
		to[i] = fill->value;
}

static VkResult run(struct hth_queue *queue, const struct hth_host_job *job)
{
	struct hth_host_device *device = queue->device->backend_data;
	struct host_queue *host = queue->backend_data;

	if (hth_host_pool_run(device->pool, job, &host->arena))
		return VK_SUCCESS;
	hth_log(queue->device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		"hearth-queue", "no memory for %u bytes of scratch", job->scratch_bytes);
	return VK_ERROR_DEVICE_LOST;
}

static VkResult execute_dispatch(struct hth_queue *queue, const struct hbi_packet_dispatch *packet)
{
	struct hth_host_device *device = queue->device->backend_data;
	const struct hearth_kernel_args *args = pointer(packet->args);
	const uint32_t *groups = packet->groups;
	struct hth_host_job job = {
		.run = run_kernel,
		.data = args,
		.scratch_bytes = packet->scratch_stride,
	};
	uint64_t total, parts;

	memcpy(&job.kernel, &packet->code, sizeof(job.kernel));
	if (packet->header.flags & HBI_DISPATCH_GRID_IN_ARGS)
		groups = args->num_workgroups;
	if (__builtin_mul_overflow((uint64_t)groups[0] * groups[1], groups[2], &total) ||
	    total > INT64_MAX) {
		hth_log(queue->device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-queue", "a dispatch of %u x %u x %u work-groups is too large",
			groups[0], groups[1], groups[2]);
		return VK_ERROR_DEVICE_LOST;
	}
	parts = (uint64_t)hth_host_pool_threads(device->pool) * CHUNKS_PER_THREAD;
	job.total = total;
	job.chunk = HTH_MAX(total / parts, 1u);
	return run(queue, &job);
}

static VkResult execute_bytes(struct hth_queue *queue, const union hbi_packet *packet,
			      uint64_t size)
{
	struct hth_host_job job = {
		.run = packet->header.type == HBI_PACKET_COPY ? run_copy : run_fill,
		.data = packet,
		.total = size,
		.chunk = PARALLEL_BYTES,
	};

	return run(queue, &job);
}

/* What is waited for is an event that another queue or the application sets. */
static VkResult execute_wait(struct hth_queue *queue, const struct hbi_packet_signal *packet)
{
	const uint64_t *word = pointer(packet->address);
	struct timespec pause = { .tv_nsec = 1000 };

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < packet->value) {
		if (atomic_load(&queue->device->lost))
			return VK_ERROR_DEVICE_LOST;
		nanosleep(&pause, NULL);
		pause.tv_nsec = HTH_MIN(pause.tv_nsec * 2, 100000);
	}
	return VK_SUCCESS;
}

static VkResult execute(struct hth_queue *queue, const union hbi_packet *packet)
{
	switch (packet->header.type) {
	case HBI_PACKET_NOP:
	case HBI_PACKET_BARRIER:
		return VK_SUCCESS;
	case HBI_PACKET_DISPATCH:
		return execute_dispatch(queue, &packet->dispatch);
	case HBI_PACKET_COPY:
		return execute_bytes(queue, packet, packet->copy.size);
	case HBI_PACKET_FILL:
		return execute_bytes(queue, packet, packet->fill.size);
	case HBI_PACKET_SIGNAL:
		__atomic_store_n((uint64_t *)pointer(packet->signal.address), packet->signal.value,
				 __ATOMIC_RELEASE);
		return VK_SUCCESS;
	case HBI_PACKET_WAIT:
		return execute_wait(queue, &packet->signal);
	case HBI_PACKET_TIMESTAMP:
		__atomic_store_n((uint64_t *)pointer(packet->timestamp.address),
				 (uint64_t)hth_now_ns(), __ATOMIC_RELEASE);
		return VK_SUCCESS;
	default:
		hth_log(queue->device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-queue", "a packet of unknown type %u", packet->header.type);
		return VK_ERROR_DEVICE_LOST;
	}
}

VkResult hth_host_queue_submit(struct hth_queue *queue, const struct hth_segment *segments,
			       uint32_t count, uint64_t ticket)
{
	(void)ticket;
	for (uint32_t s = 0; s < count; s++) {
		for (uint32_t i = 0; i < segments[s].count; i++) {
			VkResult result = execute(queue, &segments[s].packets[i]);

			if (result != VK_SUCCESS)
				return result;
		}
	}
	return VK_SUCCESS;
}
