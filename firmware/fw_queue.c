// SPDX-License-Identifier: MIT
/*
 * User queues: taking packets from the ring and from INDIRECT blocks, counting what is complete,
 * and telling the host. The ring, the doorbell and every packet are written by an untrusted
 * process. Packets are copied before they are looked at.
 */
#include "fw.h"

#define REPORT_INTERVAL 16 /* packets completed between two status updates, at most */

struct fw_queue fw_queues[FW_MAX_QUEUES];

struct fw_dma_owner fw_queue_owner(const struct fw_queue *queue, u64 va)
{
	return (struct fw_dma_owner){ .queue = queue->id, .packet = queue->head, .va = va };
}

static void write_status(struct fw_queue *queue)
{
	struct fw_dma_owner owner = fw_queue_owner(queue, 0);

	queue->status.completed = queue->head;
	queue->status.fetched = queue->fetched;
	fw_dma_status(&owner, fw_board.host_window + queue->status_bus, &queue->status);
}

static void report(struct fw_queue *queue)
{
	if (queue->status.completed != queue->head || queue->status.fetched != queue->fetched)
		write_status(queue);
}

enum hbi_error fw_queue_create(const struct hbi_admin_create_queue *command)
{
	u64 size = (u64)HBI_PACKET_SIZE << (command->ring_log2 & 63), va;
	struct fw_queue *queue;
	enum hbi_error error;

	if (command->queue >= fw_board.queues || command->ring_log2 > fw_board.ring_log2 ||
	    command->vector >= fw_board.vectors || command->priority > 3)
		return HBI_ERROR_FIELD;
	if (command->ring & (HBI_PACKET_SIZE - 1) || command->ring > FW_VA_END - size)
		return HBI_ERROR_FIELD;
	if (command->status & (sizeof(struct hbi_queue_status) - 1) ||
	    command->status > fw_board.host_bytes - sizeof(struct hbi_queue_status))
		return HBI_ERROR_FIELD;
	if (!fw_context_live(command->context))
		return HBI_ERROR_NO_ENTRY;
	queue = &fw_queues[command->queue];
	if (queue->status.state != HBI_QUEUE_NONE)
		return HBI_ERROR_EXISTS;

	memset(queue, 0, sizeof(*queue));
	queue->id = command->queue;
	queue->context = command->context;
	queue->ring = command->ring;
	queue->ring_log2 = command->ring_log2;
	queue->timeout_ms = command->timeout_ms;
	queue->priority = command->priority;
	queue->status_bus = command->status;
	queue->status.state = HBI_QUEUE_LIVE;
	fw_dma_queue_reset(queue->id, command->vector);
	write_status(queue);
	error = fw_dma_wait(queue->id, &va);
	if (error) {
		memset(queue, 0, sizeof(*queue));
		return error;
	}
	fw_context_hold(queue->context, 1);
	fw_sched_rebuild();
	return HBI_OK;
}

enum hbi_error fw_queue_destroy(u32 id)
{
	struct fw_queue *queue;
	u64 va;

	if (id >= fw_board.queues)
		return HBI_ERROR_FIELD;
	queue = &fw_queues[id];
	if (queue->status.state == HBI_QUEUE_NONE)
		return HBI_ERROR_NO_ENTRY;
	fw_worker_cancel(id);
	queue->status.state = HBI_QUEUE_NONE;
	write_status(queue);
	/* Refusals of its last orders must not meet a later queue of the same number. */
	fw_dma_wait(id, &va);
	fw_dma_queue_reset(id, 0);
	fw_context_hold(queue->context, -1);
	memset(queue, 0, sizeof(*queue));
	fw_sched_rebuild();
	return HBI_OK;
}

static void fail_one(struct fw_queue *queue, enum hbi_error error, u64 address, u64 pc, u32 hart)
{
	fw_worker_cancel(queue->id);
	queue->dispatched = false;
	queue->status.state = HBI_QUEUE_ERROR;
	queue->status.error = error;
	queue->status.fault_address = address;
	queue->status.fault_packet = queue->head;
	/* Whoever is interrupted for one of the two finds the other in place as well. */
	fw_event_queue_error(queue->id, queue->context, error, address, pc, queue->head, hart);
	write_status(queue);
}

void fw_queue_fail(struct fw_queue *queue, enum hbi_error error, u64 address, u64 pc, u32 hart)
{
	u32 i;

	/* An order that failed unnoticed is the first error, whatever came after. */
	if (queue->refused) {
		queue->head = queue->refused_packet;
		error = HBI_ERROR_HOST_DMA;
		address = queue->refused_va;
		pc = 0;
		hart = 0;
	}
	fw_log(HBI_LOG_WARNING, "context %u, queue %u, packet %lu: %s at %lx, pc %lx, hart %u",
	       queue->context, queue->id, queue->head, fw_event_error_name(error), address, pc,
	       hart);
	fail_one(queue, error, address, pc, hart);
	for (i = 0; i < fw_board.queues; i++) {
		struct fw_queue *other = &fw_queues[i];

		if (other->status.state == HBI_QUEUE_LIVE && other->context == queue->context)
			fail_one(other, HBI_ERROR_CANCELED, 0, 0, 0);
	}
	fw_event_raise();
}

static bool take_doorbell(struct fw_queue *queue)
{
	u64 tail = fw_platform.doorbell(queue->id);

	if (tail == queue->tail)
		return true;
	if (tail < queue->tail || tail - queue->fetched > (u64)1 << queue->ring_log2)
		return false;
	queue->tail = tail;
	fw_wait_epoch++;
	return true;
}

static void complete(struct fw_queue *queue)
{
	queue->head++;
	if (queue->head - queue->status.completed >= REPORT_INTERVAL)
		report(queue);
}

static enum hbi_error start_indirect(struct fw_queue *queue)
{
	const struct hbi_packet_indirect *packet = &queue->packet.indirect;
	u32 i;

	if (queue->in_indirect)
		return HBI_ERROR_NESTING;
	for (i = 3; i < 8; i++)
		if (queue->packet.words[i])
			return HBI_ERROR_FIELD;
	if (packet->header.flags || packet->header.reserved0 || packet->header.reserved1 ||
	    packet->address & (HBI_PACKET_SIZE - 1) || packet->count > HBI_INDIRECT_MAX_PACKETS ||
	    packet->address > FW_VA_END - packet->count * HBI_PACKET_SIZE)
		return HBI_ERROR_FIELD;
	queue->in_indirect = true;
	queue->indirect_address = packet->address;
	queue->indirect_left = packet->count;
	queue->indirect_fetch.count = 0;
	queue->indirect_fetch.next = 0;
	return HBI_OK;
}

static enum hbi_error fill_fetch(struct fw_queue *queue, struct fw_fetch *fetch, u64 va, u64 count,
				 struct fw_fault *fault)
{
	fetch->count = 0;
	fetch->next = 0;
	if (fw_packet_read(queue, va, fetch->packets, count * HBI_PACKET_SIZE, fault))
		return fault->error;
	fetch->count = count;
	return HBI_OK;
}

/* Makes queue->packet the next packet to execute. FW_STEP_BLOCKED: there is none. */
static enum fw_step next_packet(struct fw_queue *queue, struct fw_fault *fault)
{
	struct fw_fetch *fetch = &queue->indirect_fetch;
	u64 slot, count;

	if (queue->in_indirect && fetch->next == fetch->count) {
		count = fw_min(queue->indirect_left, FW_BATCH);
		if (!count) {
			queue->in_indirect = false;
			complete(queue);
			return FW_STEP_AGAIN;
		}
		if (fill_fetch(queue, fetch, queue->indirect_address, count, fault))
			return FW_STEP_FAILED;
		queue->indirect_address += count * HBI_PACKET_SIZE;
		queue->indirect_left -= count;
	}
	if (!queue->in_indirect) {
		fetch = &queue->ring_fetch;
		if (fetch->next == fetch->count) {
			slot = queue->fetched & (((u64)1 << queue->ring_log2) - 1);
			count = fw_min(queue->tail - queue->fetched, FW_BATCH);
			count = fw_min(count, ((u64)1 << queue->ring_log2) - slot);
			if (!count)
				return FW_STEP_BLOCKED;
			if (fill_fetch(queue, fetch, queue->ring + slot * HBI_PACKET_SIZE, count,
				       fault))
				return FW_STEP_FAILED;
			queue->fetched += count;
		}
	}
	queue->packet = fetch->packets[fetch->next++];
	queue->progress = 0;
	queue->waiting = false;
	queue->begun = false;
	if (queue->packet.header.type == HBI_PACKET_INDIRECT) {
		fault->error = start_indirect(queue);
		return fault->error ? FW_STEP_FAILED : FW_STEP_AGAIN;
	}
	queue->has_packet = true;
	return FW_STEP_DONE;
}

static enum fw_step step(struct fw_queue *queue, struct fw_fault *fault)
{
	enum fw_step result;

	if (!take_doorbell(queue)) {
		fault->error = HBI_ERROR_RING;
		return FW_STEP_FAILED;
	}
	if (!queue->has_packet) {
		result = next_packet(queue, fault);
		if (result != FW_STEP_DONE)
			return result;
	}
	result = fw_packet_execute(queue, fault);
	if (result == FW_STEP_AGAIN)
		report(queue);
	if (result != FW_STEP_DONE)
		return result;
	queue->has_packet = false;
	if (!queue->in_indirect)
		complete(queue);
	if (queue->packet.header.type == HBI_PACKET_SIGNAL)
		report(queue);
	return FW_STEP_AGAIN;
}

bool fw_queue_step(struct fw_queue *queue)
{
	struct fw_fault fault = { 0 };

	if (queue->status.state != HBI_QUEUE_LIVE)
		return false;
	if (queue->refused) {
		fw_queue_fail(queue, HBI_ERROR_HOST_DMA, 0, 0, 0);
		return true;
	}
	switch (step(queue, &fault)) {
	case FW_STEP_BLOCKED:
		report(queue);
		return false;
	case FW_STEP_FAILED:
		fw_queue_fail(queue, fault.error, fault.address, fault.pc, fault.hart);
		return true;
	default:
		return true;
	}
}

u64 fw_queue_next_time(const struct fw_queue *queue)
{
	if (queue->status.state != HBI_QUEUE_LIVE || !queue->waiting)
		return FW_NEVER;
	return queue->wait_time;
}
