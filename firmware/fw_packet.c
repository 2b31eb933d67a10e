// SPDX-License-Identifier: MIT
/*
 * Execution of one packet of a user queue. Every address is one of the queue's context and goes
 * through its page tables, page by page. Long work is done in parts, so that the admin queue and
 * other queues are served in between.
 */
#include "fw.h"

#define PART_ORDERS    64	      /* DMA orders of one part */
#define PART_BYTES     ((u64)4 << 20) /* bytes of one part */
#define SYNC_BYTES     ((u64)1 << 20) /* bytes of one part of SYNC_CODE */
#define HART_BYTES     4096	      /* smaller copies within the board: by the hart */
#define WAIT_TICKS_DIV 1000	      /* a pending WAIT looks again this often a second */

u64 fw_wait_epoch;

static enum fw_step fail(struct fw_fault *fault, enum hbi_error error, u64 address)
{
	fault->error = error;
	fault->address = address;
	return FW_STEP_FAILED;
}

/* Checks the header, and that words from @first on are zero. */
static bool well_formed(const union hbi_packet *packet, u8 flags, u32 first)
{
	if (packet->header.flags & ~flags || packet->header.reserved0 || packet->header.reserved1)
		return false;
	for (; first < 8; first++)
		if (packet->words[first])
			return false;
	return true;
}

static bool in_range(u64 va, u64 size)
{
	return size <= FW_VA_END && va <= FW_VA_END - size;
}

/* One piece of a copy within the board or to or from the host. Returns orders posted. */
static u32 move(const struct fw_dma_owner *owner, u64 destination, u64 source, u64 size)
{
	if (size <= HART_BYTES && !fw_is_host(destination) && !fw_is_host(source)) {
		memcpy((void *)destination, (const void *)source, size);
		return 0;
	}
	fw_dma_move(owner, destination, source, size);
	return 1;
}

enum hbi_error fw_packet_read(struct fw_queue *queue, u64 va, void *buffer, u64 size,
			      struct fw_fault *fault)
{
	u64 done, pa, bytes;

	for (done = 0; done < size; done += bytes) {
		struct fw_dma_owner owner = fw_queue_owner(queue, va + done);

		fault->address = va + done;
		fault->error = fw_context_run(queue->context, va + done, size - done, FW_READ, &pa,
					      &bytes);
		if (fault->error)
			return fault->error;
		if (move(&owner, (u64)buffer + done, pa, bytes)) {
			fault->error = fw_dma_wait(queue->id, &fault->address);
			if (fault->error)
				return fault->error;
		}
	}
	return HBI_OK;
}

static enum fw_step packet_nop(struct fw_queue *queue, struct fw_fault *fault)
{
	if (!well_formed(&queue->packet, 0, 1))
		return fail(fault, HBI_ERROR_FIELD, 0);
	return FW_STEP_DONE;
}

static bool grid_size(const u32 *groups, u64 *total)
{
	u64 product;

	if (!groups[0] || !groups[1] || !groups[2]) {
		*total = 0;
		return true;
	}
	product = (u64)groups[0] * groups[1];
	return !__builtin_mul_overflow(product, (u64)groups[2], total) && !(*total >> 63);
}

static enum fw_step packet_dispatch(struct fw_queue *queue, struct fw_fault *fault)
{
	const struct hbi_packet_dispatch *packet = &queue->packet.dispatch;
	struct fw_job job = {
		.queue = queue->id,
		.context = queue->context,
		.priority = queue->priority,
	};
	enum fw_job_end end;
	u32 groups[3];

	if (queue->dispatched) {
		end = fw_worker_end(queue, fault);
		if (end == FW_JOB_RUNS)
			return FW_STEP_BLOCKED;
		queue->dispatched = false;
		if (end == FW_JOB_DONE)
			return fault->error ? FW_STEP_FAILED : FW_STEP_DONE;
		/* The workers are free: everybody who wants them is to be asked again. */
		queue->begun = true;
		return FW_STEP_AGAIN;
	}
	if (!well_formed(&queue->packet, HBI_DISPATCH_GRID_IN_ARGS, 6))
		return fail(fault, HBI_ERROR_FIELD, 0);
	if (packet->code & 1 || packet->code >= FW_VA_END || packet->args >= FW_VA_END ||
	    packet->scratch % 64 || packet->scratch_stride % 64 ||
	    !in_range(packet->scratch, (u64)packet->scratch_stride * fw_board.workers))
		return fail(fault, HBI_ERROR_FIELD, 0);
	if (packet->header.flags & HBI_DISPATCH_GRID_IN_ARGS && packet->args % 4)
		return fail(fault, HBI_ERROR_FIELD, 0);
	if (!fw_sched_take_workers(queue))
		return FW_STEP_BLOCKED;
	/* One that goes on has the grid that it began with. */
	if (!queue->begun) {
		memcpy(groups, packet->groups, sizeof(groups));
		if (packet->header.flags & HBI_DISPATCH_GRID_IN_ARGS &&
		    fw_packet_read(queue, packet->args, groups, sizeof(groups), fault))
			return FW_STEP_FAILED;
		if (!grid_size(groups, &queue->groups))
			return fail(fault, HBI_ERROR_FIELD, 0);
		if (!queue->groups)
			return FW_STEP_DONE;
		queue->next_group = 0;
		queue->ran = 0;
	}
	job.groups = queue->groups;
	job.first = queue->next_group;
	job.code = packet->code;
	job.args = packet->args;
	job.scratch = packet->scratch;
	job.stride = packet->scratch_stride;
	job.deadline = FW_NEVER;
	if (queue->timeout_ms) {
		u64 limit = queue->timeout_ms * (fw_board.timestamp_hz / 1000);

		job.deadline = fw_time() + (queue->ran < limit ? limit - queue->ran : 0);
	}
	fw_worker_start(&job);
	queue->dispatched = true;
	return FW_STEP_BLOCKED;
}

static enum fw_step packet_copy(struct fw_queue *queue, struct fw_fault *fault)
{
	const struct hbi_packet_copy *packet = &queue->packet.copy;
	u64 end = fw_min(packet->size, queue->progress + PART_BYTES);
	enum hbi_error error = HBI_OK, dma_error;
	u32 orders = 0;
	u64 va = 0;

	if (!well_formed(&queue->packet, 0, 4) || !in_range(packet->source, packet->size) ||
	    !in_range(packet->destination, packet->size))
		return fail(fault, HBI_ERROR_FIELD, 0);
	while (queue->progress < end && orders < PART_ORDERS) {
		struct fw_dma_owner owner;
		u64 source, destination, bytes;

		va = packet->source + queue->progress;
		error = fw_context_run(queue->context, va, end - queue->progress, FW_READ, &source,
				       &bytes);
		if (error)
			break;
		owner = fw_queue_owner(
			queue, fw_is_host(source) ? va : packet->destination + queue->progress);
		va = packet->destination + queue->progress;
		error = fw_context_run(queue->context, va, bytes, FW_WRITE, &destination, &bytes);
		if (error)
			break;
		orders += move(&owner, destination, source, bytes);
		queue->progress += bytes;
	}
	if (orders) {
		dma_error = fw_dma_wait(queue->id, &fault->address);
		if (dma_error)
			return fail(fault, dma_error, fault->address);
	}
	if (error)
		return fail(fault, error, va);
	return queue->progress == packet->size ? FW_STEP_DONE : FW_STEP_AGAIN;
}

static enum fw_step packet_fill(struct fw_queue *queue, struct fw_fault *fault)
{
	const struct hbi_packet_fill *packet = &queue->packet.fill;
	u64 end = fw_min(packet->size, queue->progress + PART_BYTES);
	u32 orders = 0;

	if (!well_formed(&queue->packet, 0, 4) || packet->reserved0 || packet->destination % 4 ||
	    packet->size % 4 || !in_range(packet->destination, packet->size))
		return fail(fault, HBI_ERROR_FIELD, 0);
	while (queue->progress < end && orders < PART_ORDERS) {
		u64 va = packet->destination + queue->progress, pa, bytes;
		struct fw_dma_owner owner = fw_queue_owner(queue, va);
		enum hbi_error error = fw_context_run(queue->context, va, end - queue->progress,
						      FW_WRITE, &pa, &bytes);

		if (error)
			return fail(fault, error, va);
		fw_dma_fill(&owner, pa, bytes, packet->value);
		queue->progress += bytes;
		orders++;
	}
	fault->error = fw_dma_wait(queue->id, &fault->address);
	if (fault->error)
		return FW_STEP_FAILED;
	return queue->progress == packet->size ? FW_STEP_DONE : FW_STEP_AGAIN;
}

/* Stores one value, after everything that the queue has done so far. */
static enum fw_step store(struct fw_queue *queue, u64 va, u64 value, struct fw_fault *fault)
{
	struct fw_dma_owner owner = fw_queue_owner(queue, va);
	u64 pa, bytes;
	enum hbi_error error;

	if (va % 8 || !in_range(va, 8))
		return fail(fault, HBI_ERROR_FIELD, 0);
	error = fw_context_run(queue->context, va, 8, FW_WRITE, &pa, &bytes);
	if (error)
		return fail(fault, error, va);
	if (fw_is_host(pa)) {
		fw_dma_write(&owner, pa, value);
		return FW_STEP_DONE;
	}
	fault->error = fw_dma_wait(queue->id, &fault->address);
	if (fault->error)
		return FW_STEP_FAILED;
	__atomic_store_n((u64 *)pa, value, __ATOMIC_SEQ_CST);
	return FW_STEP_DONE;
}

static enum fw_step packet_signal(struct fw_queue *queue, struct fw_fault *fault)
{
	if (!well_formed(&queue->packet, 0, 3))
		return fail(fault, HBI_ERROR_FIELD, 0);
	fw_wait_epoch++;
	return store(queue, queue->packet.signal.address, queue->packet.signal.value, fault);
}

static enum fw_step packet_timestamp(struct fw_queue *queue, struct fw_fault *fault)
{
	if (!well_formed(&queue->packet, 0, 2))
		return fail(fault, HBI_ERROR_FIELD, 0);
	return store(queue, queue->packet.timestamp.address, fw_time(), fault);
}

static enum fw_step packet_wait(struct fw_queue *queue, struct fw_fault *fault)
{
	const struct hbi_packet_signal *packet = &queue->packet.signal;
	u64 pa, bytes, value;
	enum hbi_error error;

	if (queue->waiting && queue->wait_epoch == fw_wait_epoch && fw_time() < queue->wait_time)
		return FW_STEP_BLOCKED;
	if (!well_formed(&queue->packet, 0, 3) || packet->address % 8 ||
	    !in_range(packet->address, 8))
		return fail(fault, HBI_ERROR_FIELD, 0);
	queue->wait_epoch = fw_wait_epoch;
	error = fw_context_run(queue->context, packet->address, 8, FW_READ, &pa, &bytes);
	if (error)
		return fail(fault, error, packet->address);
	if (fw_is_host(pa)) {
		if (fw_packet_read(queue, packet->address, &value, sizeof(value), fault))
			return FW_STEP_FAILED;
	} else {
		value = __atomic_load_n((u64 *)pa, __ATOMIC_SEQ_CST);
	}
	if (value >= packet->value) {
		queue->waiting = false;
		return FW_STEP_DONE;
	}
	queue->waiting = true;
	queue->wait_time = fw_time() + fw_board.timestamp_hz / WAIT_TICKS_DIV;
	return FW_STEP_BLOCKED;
}

/* Earlier packets have completed when the next one starts; only posted stores are left. */
static enum fw_step packet_barrier(struct fw_queue *queue, struct fw_fault *fault)
{
	if (!well_formed(&queue->packet, 0, 1))
		return fail(fault, HBI_ERROR_FIELD, 0);
	return FW_STEP_DONE;
}

static enum fw_step packet_sync_code(struct fw_queue *queue, struct fw_fault *fault)
{
	const struct hbi_packet_sync_code *packet = &queue->packet.sync_code;
	u64 end = fw_min(packet->size, queue->progress + SYNC_BYTES);

	if (!well_formed(&queue->packet, 0, 3) || !in_range(packet->address, packet->size))
		return fail(fault, HBI_ERROR_FIELD, 0);
	while (queue->progress < end) {
		u64 va = packet->address + queue->progress, pa, bytes, at;
		enum hbi_error error = fw_context_run(queue->context, va, end - queue->progress,
						      FW_CODE, &pa, &bytes);

		if (error)
			return fail(fault, error, va);
		/*
		 * Harts that are emulated notice new code only when a hart stores it: each word is
		 * stored back, atomically, so that a store of somebody else is not lost.
		 */
		if (!fw_is_host(pa))
			for (at = pa & ~(u64)7; at < pa + bytes; at += 8)
				__atomic_fetch_or((u64 *)at, 0, __ATOMIC_RELAXED);
		queue->progress += bytes;
	}
	if (queue->progress < packet->size)
		return FW_STEP_AGAIN;
	fw_hart_synchronize();
	return FW_STEP_DONE;
}

static enum fw_step (*const handlers[])(struct fw_queue *queue, struct fw_fault *fault) = {
	[HBI_PACKET_NOP] = packet_nop,
	[HBI_PACKET_DISPATCH] = packet_dispatch,
	[HBI_PACKET_COPY] = packet_copy,
	[HBI_PACKET_FILL] = packet_fill,
	[HBI_PACKET_SIGNAL] = packet_signal,
	[HBI_PACKET_WAIT] = packet_wait,
	[HBI_PACKET_TIMESTAMP] = packet_timestamp,
	[HBI_PACKET_BARRIER] = packet_barrier,
	[HBI_PACKET_SYNC_CODE] = packet_sync_code,
};

enum fw_step fw_packet_execute(struct fw_queue *queue, struct fw_fault *fault)
{
	u32 type = queue->packet.header.type;

	if (type >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[type])
		return fail(fault, HBI_ERROR_OPCODE, 0);
	return handlers[type](queue, fault);
}
