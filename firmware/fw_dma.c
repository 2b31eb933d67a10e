// SPDX-License-Identifier: MIT
/*
 * Orders to the DMA engine and what became of them. Orders are posted in order and carried out in
 * order; most are never waited for. Each remembers whose it was, so that a refusal fails the right
 * queue at the right packet, however late it is noticed.
 */
#include "fw.h"

#define SLOTS 256

static struct fw_dma_owner owners[SLOTS];
static u32 posted;
static u32 reaped;
static bool admin_refused;

static void refused(const struct fw_dma_owner *owner)
{
	struct fw_queue *queue;

	if (owner->queue == FW_ADMIN_QUEUE) {
		admin_refused = true;
		return;
	}
	if (owner->queue >= fw_board.queues)
		fw_event_fatal("the host refused access to its admin or event rings");
	queue = &fw_queues[owner->queue];
	if (queue->refused)
		return;
	queue->refused = true;
	queue->refused_packet = owner->packet;
	queue->refused_va = owner->va;
}

void fw_dma_reap(void)
{
	u32 done = fw_platform.dma_done();

	for (; reaped != done; reaped++)
		if (!fw_platform.dma_result(reaped))
			refused(&owners[reaped % SLOTS]);
}

static void claim(const struct fw_dma_owner *owner)
{
	if (posted - reaped == fw_platform.dma_slots) {
		fw_platform.dma_wait();
		fw_dma_reap();
	}
	owners[posted++ % SLOTS] = *owner;
}

static void post(const struct fw_dma_owner *owner, struct fw_dma_order *order)
{
	claim(owner);
	order->queue = owner->queue < fw_board.queues ? owner->queue : FW_NO_QUEUE;
	fw_platform.dma_post(order);
}

void fw_dma_move(const struct fw_dma_owner *owner, u64 destination, u64 source, u64 size)
{
	struct fw_dma_order order = {
		.op = FW_DMA_MOVE,
		.destination = destination,
		.source = source,
		.size = size,
	};

	post(owner, &order);
}

void fw_dma_fill(const struct fw_dma_owner *owner, u64 destination, u64 size, u32 value)
{
	struct fw_dma_order order = {
		.op = FW_DMA_FILL,
		.destination = destination,
		.size = size,
		.value = value,
	};

	post(owner, &order);
}

void fw_dma_write(const struct fw_dma_owner *owner, u64 destination, u64 value)
{
	struct fw_dma_order order = {
		.op = FW_DMA_WRITE,
		.destination = destination,
		.size = 8,
		.value = value,
	};

	post(owner, &order);
}

void fw_dma_record(const struct fw_dma_owner *owner, u64 destination, const void *payload, u64 size)
{
	struct fw_dma_order order = {
		.op = FW_DMA_RECORD,
		.destination = destination,
		.size = size,
		.payload = payload,
	};

	post(owner, &order);
}

void fw_dma_status(const struct fw_dma_owner *owner, u64 destination,
		   const struct hbi_queue_status *status)
{
	struct fw_dma_order order = {
		.op = FW_DMA_STATUS,
		.destination = destination,
		.size = sizeof(*status),
		.payload = status,
	};

	post(owner, &order);
}

void fw_dma_interrupt(u32 vector)
{
	const struct fw_dma_owner nobody = { .queue = FW_NO_QUEUE };

	claim(&nobody);
	fw_platform.interrupt(vector);
}

void fw_dma_queue_reset(u32 queue, u32 vector)
{
	const struct fw_dma_owner nobody = { .queue = FW_NO_QUEUE };

	claim(&nobody);
	fw_platform.queue_reset(queue, vector);
}

enum hbi_error fw_dma_wait(u32 queue, u64 *va)
{
	if (fw_platform.dma_done() != posted)
		fw_platform.dma_wait();
	fw_dma_reap();
	if (queue == FW_ADMIN_QUEUE) {
		bool failed = admin_refused;

		admin_refused = false;
		return failed ? HBI_ERROR_HOST_DMA : HBI_OK;
	}
	if (queue >= fw_board.queues || !fw_queues[queue].refused)
		return HBI_OK;
	*va = fw_queues[queue].refused_va;
	return HBI_ERROR_HOST_DMA;
}
