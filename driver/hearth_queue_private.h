/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of user queues share; nobody else includes it. */
#ifndef HEARTH_QUEUE_PRIVATE_H
#define HEARTH_QUEUE_PRIVATE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/drm/hearth_accel.h>

#include "hearth_device.h"
#include "hearth_irq.h"
#include "hearth_queue.h"
#include "hearth_vm.h"

struct hearth_queue_page;

/** HEARTH_NOT_ARMED - no interrupt is asked for */
#define HEARTH_NOT_ARMED U64_MAX

/** struct hearth_queue - a user queue */
struct hearth_queue {
	/** @ref: of the file, of its pages, and of who waits */
	struct kref ref;
	/** @hdev: the board */
	struct hearth_device *hdev;
	/** @vm: holds a reference */
	struct hearth_vm *vm;
	/** @made: what it was made with; never changes once @number is taken */
	struct {
		/** @made.ring: context address */
		u64 ring;
		/** @made.ring_log2: log2 of its packets */
		u32 ring_log2;
		/** @made.priority: 0 to 3 */
		u32 priority;
		/** @made.timeout_ms: of its dispatches */
		u32 timeout_ms;
		/** @made.pid: of the process */
		pid_t pid;
	} made;
	/** @number: of the hardware queue */
	u32 number;
	/** @vector: of its interrupts */
	struct hearth_vector *vector;
	/** @vector_node: in hearth_vector.queues; protected by its lock */
	struct list_head vector_node;

	/** @doorbell: page, until the queue is ended */
	struct hearth_queue_page *doorbell;
	/** @status_page: page, until the queue is ended */
	struct hearth_queue_page *status_page;
	/** @page: the status page's memory */
	struct page *page;
	/** @dma: its bus address */
	dma_addr_t dma;
	/** @dma_mapped: @dma is valid; protected by hearth_device.bos.lock */
	bool dma_mapped;
	/** @spare: what the doorbell's mappings show once it must not be rung */
	struct page *spare;
	/** @status: in @page; the board writes it at any time */
	const struct hbi_queue_status *status;
	/** @created: the board knows it; protected by @vm's lock */
	bool created;
	/**
	 * @ended: no use of the doorbell nor of ARM any more, whose number somebody else may get
	 *
	 * Only ever set, under @fault_lock and @vector's lock; read under either of them, or
	 * atomically where it may be late.
	 */
	bool ended;
	/** @killed: a fence's deadline was over; only ever set; read and written atomically */
	bool killed;
	/** @fault_lock: a page fault of the doorbell and its end, in one order; inside mmap_lock */
	struct mutex fault_lock;

	/** @wait: who sleeps in QUEUE_WAIT */
	wait_queue_head_t wait;
	/** @waiters: of hearth_waiter.node; protected by @vector's lock */
	struct list_head waiters;
	/** @armed: what ARM was written with, or HEARTH_NOT_ARMED; protected by @vector's lock */
	u64 armed;
	/** @interrupts: raised for it; protected by @vector's lock */
	u64 interrupts;
	/** @fences: of its completion; protected by @vector's lock, but for @fences.kill */
	struct {
		/** @fences.wanted: made with DRM_HEARTH_QUEUE_FENCES; never changes */
		bool wanted;
		/** @fences.late: one did not signal in time */
		bool late;
		/** @fences.list: of hearth_fence.node, by rising target */
		struct list_head list;
		/** @fences.target: of the last one */
		u64 target;
		/** @fences.context: of all of them */
		u64 context;
		/** @fences.seqno: of the last one */
		u64 seqno;
		/** @fences.timer: of the first deadline */
		struct timer_list timer;
		/** @fences.kill: ends the queue on the board after it */
		struct work_struct kill;
	} fences;
	/** @fault: the event that told of its failure; protected by @vector's lock */
	struct {
		/** @fault.hart: that ran into it */
		u32 hart;
		/** @fault.error: enum hbi_error */
		u32 error;
		/** @fault.address: context address */
		u64 address;
		/** @fault.pc: of the instruction */
		u64 pc;
		/** @fault.packet: free-running number */
		u64 packet;
	} fault;
};

static inline u64 hearth_queue_completed(struct hearth_queue *queue)
{
	/* Acquire: pairs with the board's order, everything else before the count. */
	return smp_load_acquire(&queue->status->completed);
}

/*
 * The status page may tell of a failure before the event does. That of a queue that was killed
 * tells of that, which is no failure of the context.
 */
static inline bool hearth_queue_dead(struct hearth_queue *queue)
{
	if (READ_ONCE(queue->status->state) == HBI_QUEUE_ERROR && !READ_ONCE(queue->killed))
		WRITE_ONCE(queue->vm->dead, true);
	return READ_ONCE(queue->vm->dead) || READ_ONCE(queue->ended) || READ_ONCE(queue->killed) ||
	       hearth_vm_stale(queue->vm);
}

struct hearth_queue *hearth_queue_lookup(struct hearth_file *hfile, u32 id);
void hearth_queue_put(struct hearth_queue *queue);

struct hearth_queue_page *hearth_queue_page_create(struct hearth_queue *queue,
						   struct drm_file *file, bool doorbell);
void hearth_queue_page_drop(struct hearth_queue_page **page, struct drm_file *file);
u64 hearth_queue_page_offset(struct hearth_queue_page *page);
void hearth_queue_page_revoke(struct hearth_queue_page *page);

void hearth_queue_kill(struct hearth_queue *queue);

int hearth_queue_check(struct hearth_queue *queue, u64 target);
void hearth_queue_arm(struct hearth_queue *queue);
void hearth_queue_wake(struct hearth_queue *queue);

void hearth_fence_init(struct hearth_queue *queue);
void hearth_fence_fini(struct hearth_queue *queue);
u64 hearth_fence_target(struct hearth_queue *queue);
void hearth_fence_collect(struct hearth_queue *queue, struct list_head *done);
void hearth_fence_signal(struct list_head *done);

#endif /* HEARTH_QUEUE_PRIVATE_H */
