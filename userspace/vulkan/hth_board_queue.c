// SPDX-License-Identifier: MIT
/*
 * Work on its way to a board. A submission is one INDIRECT packet for each run of recorded packets and
 * a SIGNAL, written to the mapped ring, and one store to the doorbell: no system call. The SIGNAL
 * keeps the next submission apart, and makes the board tell at once that this one is done. That is
 * read from the status page; only who must sleep calls the kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hth_board.h"

#define RING_LOG2  9
#define RING_BYTES (HBI_PACKET_SIZE << RING_LOG2)

/* How long a waiter looks at the status page before it sleeps. */
#define POLL_NS	   20000

struct board_queue {
	struct hearth_drm_queue drm; /* the ring's producer holds hth_queue.lock */
	struct hth_bo ring; /* the packets, then the ticket of the newest submission that is done */
	pthread_mutex_t lock; /* of all below */
	uint64_t done;	      /* newest ticket known to be done */
	uint64_t pushed;      /* newest ticket in the ring */
	bool reported;
	_Atomic uint64_t sleeps;
	/* ends[ticket & ring mask]: packets of the ring up to and with the ticket's last. */
	uint64_t ends[1 << RING_LOG2];
};

/* HEARTH_DISPATCH_TIMEOUT_MS; 0 leaves it to the driver. */
static uint32_t wanted_timeout_ms(void)
{
	const char *wanted = getenv("HEARTH_DISPATCH_TIMEOUT_MS");

	return wanted && atoi(wanted) > 0 ? (uint32_t)atoi(wanted) : 0;
}

VkResult hth_board_queue_init(struct hth_queue *queue)
{
	struct hth_board_device *board = queue->device->backend_data;
	struct board_queue *q = calloc(1, sizeof(*q));
	VkResult result;
	int error;

	if (!q)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	result = hth_board_bo_create(queue->device, DRM_HEARTH_PLACEMENT_BOARD, 0,
				     RING_BYTES + sizeof(uint64_t), &q->ring);
	if (result != VK_SUCCESS)
		goto out_free;
	error = hearth_drm_queue_create(board->fd, board->vm_id, q->ring.va, q->ring.map, RING_LOG2,
					wanted_timeout_ms(), 1, &q->drm);
	if (error) {
		hth_log(queue->device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-board", "%s: no queue: %s", queue->device->physical_device->name,
			strerror(-error));
		result = VK_ERROR_INITIALIZATION_FAILED;
		goto out_ring;
	}
	pthread_mutex_init(&q->lock, NULL);
	queue->backend_data = q;
	return VK_SUCCESS;

out_ring:
	hth_board_bo_destroy(queue->device, &q->ring);
out_free:
	free(q);
	return result;
}

void hth_board_queue_finish(struct hth_queue *queue)
{
	struct board_queue *q = queue->backend_data;

	hearth_drm_queue_destroy(&q->drm);
	hth_board_bo_destroy(queue->device, &q->ring);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static const char *error_name(uint32_t error)
{
	static const char *const names[] = {
		[HBI_OK] = "no error",
		[HBI_ERROR_OPCODE] = "unknown packet",
		[HBI_ERROR_FIELD] = "packet field out of range",
		[HBI_ERROR_RING] = "ring overrun",
		[HBI_ERROR_NESTING] = "nested indirect packet",
		[HBI_ERROR_LOAD] = "load from an address that is not mapped",
		[HBI_ERROR_STORE] = "store to an address that is not mapped",
		[HBI_ERROR_FETCH] = "fetch from an address without code",
		[HBI_ERROR_INSTRUCTION] = "illegal instruction",
		[HBI_ERROR_MISALIGNED] = "misaligned access",
		[HBI_ERROR_TIMEOUT] = "a dispatch ran too long",
		[HBI_ERROR_HOST_DMA] = "the host refused an access",
		[HBI_ERROR_CANCELED] = "another queue of the process failed",
		[HBI_ERROR_INTERNAL] = "internal error of the board",
	};

	return error < HTH_COUNT(names) && names[error] ? names[error] : "unknown error";
}

/* Says once what ended the queue. Always VK_ERROR_DEVICE_LOST. */
static VkResult report_loss(struct hth_queue *queue, int error)
{
	struct board_queue *q = queue->backend_data;
	struct drm_hearth_queue_state state = { 0 };
	bool first;

	pthread_mutex_lock(&q->lock);
	first = !q->reported;
	q->reported = true;
	pthread_mutex_unlock(&q->lock);
	if (!first)
		return VK_ERROR_DEVICE_LOST;
	if (hearth_drm_queue_state(&q->drm, &state) || !state.error)
		hth_log(queue->device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-board-lost", "%s: lost: %s", queue->device->physical_device->name,
			strerror(-error));
	else if (state.reset != DRM_HEARTH_RESET_NONE)
		hth_log(queue->device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-board-lost", "%s: the board was reset, %s; a new device works",
			queue->device->physical_device->name,
			state.reset == DRM_HEARTH_RESET_GUILTY
				? "for it could not end this device's work"
				: "not because of this device");
	else
		hth_log(queue->device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-board-lost",
			"%s: the queue failed: %s (error %u), address 0x%llx, pc 0x%llx, hart %u, "
			"packet %llu",
			queue->device->physical_device->name, error_name(state.error), state.error,
			(unsigned long long)state.fault_address, (unsigned long long)state.fault_pc,
			state.hart, (unsigned long long)state.fault_packet);
	return VK_ERROR_DEVICE_LOST;
}

/* Sleeps until the count of completed packets is reached. */
static VkResult wait_packets(struct hth_queue *queue, uint64_t completed, int64_t deadline_ns)
{
	struct board_queue *q = queue->backend_data;
	/* The library counts sleeps in the structure, which only the producer may write. */
	struct hearth_drm_queue copy = q->drm;
	int64_t poll_until = hth_now_ns() + POLL_NS;
	int error;

	while (hearth_drm_queue_completed(&q->drm) < completed) {
		if (q->drm.status->state == HBI_QUEUE_ERROR)
			return report_loss(queue, -ECANCELED);
		if (hth_now_ns() < HTH_MIN(poll_until, deadline_ns))
			continue;
		if (hth_now_ns() >= deadline_ns)
			return VK_TIMEOUT;
		copy.waits = 0;
		error = hearth_drm_queue_wait(&copy, completed, deadline_ns);
		atomic_fetch_add(&q->sleeps, copy.waits);
		if (error == -ETIME)
			return hearth_drm_queue_completed(&q->drm) >= completed ? VK_SUCCESS
										: VK_TIMEOUT;
		if (error && error != -EINTR)
			return report_loss(queue, error);
	}
	return VK_SUCCESS;
}

static VkResult push(struct hth_queue *queue, const union hbi_packet *packet)
{
	struct board_queue *q = queue->backend_data;

	if (!hearth_drm_queue_space(&q->drm)) {
		VkResult result;

		/* Let the board have what is written, and wait for a half of the ring. */
		hearth_drm_queue_ring(&q->drm);
		result =
			wait_packets(queue, q->drm.tail - (1u << (RING_LOG2 - 1)), HTH_NO_DEADLINE);
		if (result != VK_SUCCESS)
			return result;
	}
	hearth_drm_queue_push(&q->drm, packet);
	return VK_SUCCESS;
}

/* New code must be seen by instruction fetch before any packet names it. */
static VkResult push_code(struct hth_queue *queue)
{
	struct hth_board_device *board = queue->device->backend_data;
	VkResult result = VK_SUCCESS;

	pthread_mutex_lock(&board->lock);
	for (uint32_t i = 0; i < board->code_count && result == VK_SUCCESS; i++) {
		const union hbi_packet packet = {
			.sync_code = { .header.type = HBI_PACKET_SYNC_CODE,
				       .address = board->code[i].start,
				       .size = board->code[i].end - board->code[i].start },
		};

		result = push(queue, &packet);
	}
	board->code_count = 0;
	pthread_mutex_unlock(&board->lock);
	return result;
}

VkResult hth_board_queue_submit(struct hth_queue *queue, const struct hth_segment *segments,
				uint32_t count, uint64_t ticket)
{
	struct board_queue *q = queue->backend_data;
	const union hbi_packet signal = {
		.signal = { .header.type = HBI_PACKET_SIGNAL,
			    .address = q->ring.va + RING_BYTES,
			    .value = ticket },
	};
	VkResult result;

	if (q->drm.status->state == HBI_QUEUE_ERROR)
		return report_loss(queue, -ECANCELED);
	result = push_code(queue);
	for (uint32_t i = 0; i < count && result == VK_SUCCESS; i++) {
		const union hbi_packet packet = {
			.indirect = { .header.type = HBI_PACKET_INDIRECT,
				      .address = segments[i].va,
				      .count = segments[i].count },
		};

		result = push(queue, &packet);
	}
	if (result == VK_SUCCESS)
		result = push(queue, &signal);
	if (result != VK_SUCCESS)
		return result;
	pthread_mutex_lock(&q->lock);
	q->pushed = ticket;
	q->ends[ticket & ((1u << RING_LOG2) - 1)] = q->drm.tail;
	pthread_mutex_unlock(&q->lock);
	hearth_drm_queue_ring(&q->drm);
	return VK_SUCCESS;
}

uint64_t hth_board_queue_completed(struct hth_queue *queue, bool *lost)
{
	struct board_queue *q = queue->backend_data;
	uint64_t completed = hearth_drm_queue_completed(&q->drm);
	uint64_t done;

	pthread_mutex_lock(&q->lock);
	while (q->done < q->pushed && q->ends[(q->done + 1) & ((1u << RING_LOG2) - 1)] <= completed)
		q->done++;
	done = q->done;
	*lost = q->drm.status->state == HBI_QUEUE_ERROR;
	pthread_mutex_unlock(&q->lock);
	if (*lost)
		report_loss(queue, -ECANCELED);
	return done;
}

VkResult hth_board_queue_wait(struct hth_queue *queue, uint64_t ticket, int64_t deadline_ns)
{
	struct board_queue *q = queue->backend_data;
	uint64_t end;

	pthread_mutex_lock(&q->lock);
	end = ticket > q->done ? q->ends[ticket & ((1u << RING_LOG2) - 1)] : 0;
	pthread_mutex_unlock(&q->lock);
	return end ? wait_packets(queue, end, deadline_ns) : VK_SUCCESS;
}

void hth_board_queue_statistics(struct hth_queue *queue, struct hearth_queue_statistics *out)
{
	struct board_queue *q = queue->backend_data;
	struct drm_hearth_queue_state state = { 0 };

	out->doorbells = q->drm.doorbells;
	out->sleeps = atomic_load(&q->sleeps);
	if (!hearth_drm_queue_state(&q->drm, &state))
		out->interrupts = state.interrupts;
}
