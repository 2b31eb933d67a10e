// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeping for user queues, and who wakes the sleepers.
 *
 * A wait sets the board's ARM register to the smallest count that anybody waits for, and looks at
 * the status page afterwards; the board compares at the time of the write as well. One of the two
 * sees a completion that falls between.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include <drm/drm_drv.h>

#include "hearth_mmio.h"
#include "hearth_queue_private.h"
#include "hearth_trace.h"

/** struct hearth_waiter - one sleeper */
struct hearth_waiter {
	/** @node: in hearth_queue.waiters */
	struct list_head node;
	/** @target: completed count that it sleeps for */
	u64 target;
};

/* ---- Sleeping ---- */

/* Sets ARM to the smallest target, if it is not that already and still this queue's. */
static void hearth_queue_arm(struct hearth_queue *queue)
{
	struct hearth_waiter *waiter;
	u64 target = HEARTH_NOT_ARMED;

	lockdep_assert_held(&queue->vector->lock);
	if (queue->ended || hearth_vm_stale(queue->vm))
		return;
	list_for_each_entry (waiter, &queue->waiters, node)
		target = min(target, waiter->target);
	if (target == queue->armed)
		return;
	queue->armed = target;
	if (target != HEARTH_NOT_ARMED)
		hearth_write64(queue->hdev, HBI_REG_QUEUE_ARM(queue->number), target);
}

/* From the hard interrupt of @vector, which its queues share. */
void hearth_queue_interrupt(struct hearth_vector *vector)
{
	struct hearth_queue *queue;
	unsigned long flags;

	spin_lock_irqsave(&vector->lock, flags);
	list_for_each_entry (queue, &vector->queues, vector_node) {
		if (queue->armed == HEARTH_NOT_ARMED)
			continue;
		if (hearth_queue_completed(queue) < queue->armed && !hearth_queue_dead(queue))
			continue;
		/* One interrupt for each write: the next sleeper writes again. */
		queue->armed = HEARTH_NOT_ARMED;
		queue->interrupts++;
		wake_up_all(&queue->wait);
	}
	spin_unlock_irqrestore(&vector->lock, flags);
}

static int hearth_queue_check(struct hearth_queue *queue, u64 target)
{
	if (hearth_queue_completed(queue) >= target)
		return 0;
	if (hearth_device_state(queue->hdev) == HEARTH_GONE)
		return -ENODEV;
	return hearth_queue_dead(queue) ? -ECANCELED : -EAGAIN;
}

static int hearth_queue_sleep(struct hearth_queue *queue, u64 target, ktime_t deadline)
{
	struct hearth_waiter waiter = { .target = target };
	DEFINE_WAIT(entry);
	int idx, ret;

	spin_lock_irq(&queue->vector->lock);
	list_add(&waiter.node, &queue->waiters);
	spin_unlock_irq(&queue->vector->lock);

	for (;;) {
		prepare_to_wait(&queue->wait, &entry, TASK_INTERRUPTIBLE);
		if (drm_dev_enter(&queue->hdev->drm, &idx)) {
			spin_lock_irq(&queue->vector->lock);
			hearth_queue_arm(queue);
			spin_unlock_irq(&queue->vector->lock);
			drm_dev_exit(idx);
		}
		/* After ARM: what completes from here on raises the interrupt. */
		ret = hearth_queue_check(queue, target);
		if (ret != -EAGAIN)
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		if (!schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS)) {
			ret = hearth_queue_check(queue, target);
			if (ret == -EAGAIN)
				ret = -ETIME;
			break;
		}
	}
	finish_wait(&queue->wait, &entry);

	spin_lock_irq(&queue->vector->lock);
	list_del(&waiter.node);
	spin_unlock_irq(&queue->vector->lock);
	return ret;
}

void hearth_queue_wake(struct hearth_queue *queue)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->vector->lock, flags);
	queue->armed = HEARTH_NOT_ARMED;
	wake_up_all(&queue->wait);
	spin_unlock_irqrestore(&queue->vector->lock, flags);
}

/**
 * hearth_ioctl_queue_wait() - DRM_IOCTL_HEARTH_QUEUE_WAIT
 * @drm: the device
 * @data: struct drm_hearth_queue_wait
 * @file: the caller's
 *
 * Returns: 0 when so many packets have completed; -ETIME; -ECANCELED when the queue or another of
 * its address space failed, when it was destroyed, or when the board failed; -ENODEV when the board
 * is gone; -EINVAL for padding that is not zero; -ENOENT for an unknown id.
 */
int hearth_ioctl_queue_wait(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_hearth_queue_wait *args = data;
	struct hearth_queue *queue;
	int ret;

	if (args->pad)
		return -EINVAL;
	queue = hearth_queue_lookup(file->driver_priv, args->queue_id);
	if (!queue)
		return -ENOENT;
	ret = hearth_queue_check(queue, args->completed);
	if (ret == -EAGAIN) {
		ktime_t deadline = ns_to_ktime(args->timeout_ns);

		trace_hearth_queue_wait_begin(queue->hdev, queue->number, args->completed,
					      hearth_queue_completed(queue), 0);
		ret = -ETIME;
		if (args->timeout_ns > 0 && ktime_after(deadline, ktime_get()))
			ret = hearth_queue_sleep(queue, args->completed, deadline);
		trace_hearth_queue_wait_end(queue->hdev, queue->number, args->completed,
					    hearth_queue_completed(queue), ret);
	}
	hearth_queue_put(queue);
	return ret;
}
