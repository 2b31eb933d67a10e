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
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_drv.h>

#include "hearth_mmio.h"
#include "hearth_queue_private.h"
#include "hearth_trace.h"

/** struct hearth_waiter - one queue that somebody sleeps for */
struct hearth_waiter {
	/** @node: in hearth_queue.waiters */
	struct list_head node;
	/** @entry: in hearth_queue.wait */
	struct wait_queue_entry entry;
	/** @queue: holds a reference */
	struct hearth_queue *queue;
	/** @target: completed count that it sleeps for */
	u64 target;
};

/* Sets ARM, if it is not that already and still this queue's. */
static void hearth_queue_set_arm(struct hearth_queue *queue, u64 target)
{
	lockdep_assert_held(&queue->vector->lock);
	if (queue->ended || queue->killed || hearth_vm_stale(queue->vm) || target == queue->armed)
		return;
	queue->armed = target;
	if (target != HEARTH_NOT_ARMED)
		hearth_write64(queue->hdev, HBI_REG_QUEUE_ARM(queue->number), target);
}

/* Sets it to the smallest target of all. */
void hearth_queue_arm(struct hearth_queue *queue)
{
	u64 target = hearth_fence_target(queue);
	struct hearth_waiter *waiter;

	list_for_each_entry (waiter, &queue->waiters, node)
		target = min(target, waiter->target);
	hearth_queue_set_arm(queue, target);
}

/*
 * Wakes all, and signals the fences that have been reached. One interrupt for each write of ARM:
 * for the next fence it is written here, and by sleepers when they sleep again.
 */
static void hearth_queue_tell(struct hearth_queue *queue, struct list_head *done)
{
	lockdep_assert_held(&queue->vector->lock);
	queue->armed = HEARTH_NOT_ARMED;
	wake_up_all(&queue->wait);
	hearth_fence_collect(queue, done);
	hearth_queue_set_arm(queue, hearth_fence_target(queue));
}

/* From the hard interrupt of @vector, which its queues share. */
void hearth_queue_interrupt(struct hearth_vector *vector)
{
	struct hearth_queue *queue;
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&vector->lock, flags);
	list_for_each_entry (queue, &vector->queues, vector_node) {
		if (queue->armed == HEARTH_NOT_ARMED)
			continue;
		if (hearth_queue_completed(queue) < queue->armed && !hearth_queue_dead(queue))
			continue;
		queue->interrupts++;
		hearth_queue_tell(queue, &done);
	}
	spin_unlock_irqrestore(&vector->lock, flags);
	hearth_fence_signal(&done);
}

/* 0: completed. -EAGAIN: still to come. -ECANCELED, -ENODEV: it will not. */
int hearth_queue_check(struct hearth_queue *queue, u64 target)
{
	if (hearth_queue_completed(queue) >= target)
		return 0;
	if (hearth_device_state(queue->hdev) == HEARTH_GONE)
		return -ENODEV;
	return hearth_queue_dead(queue) ? -ECANCELED : -EAGAIN;
}

/*
 * 0: one of them, or with @all each, has completed. Of one, a completion counts more than a
 * failure; of all, a failure more than what is still to come. @index: which one decided.
 */
static int hearth_wait_check(struct hearth_waiter *waiters, unsigned int count, bool all,
			     u32 *index)
{
	int ret, failure = 0, open = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		ret = hearth_queue_check(waiters[i].queue, waiters[i].target);
		if (ret == -EAGAIN) {
			open = ret;
		} else if (ret && !failure) {
			failure = ret;
			*index = i;
		} else if (!ret && !all) {
			*index = i;
			return 0;
		}
	}
	return failure ?: open;
}

static void hearth_wait_begin(struct hearth_waiter *waiter)
{
	struct hearth_queue *queue = waiter->queue;

	init_waitqueue_entry(&waiter->entry, current);
	add_wait_queue(&queue->wait, &waiter->entry);
	spin_lock_irq(&queue->vector->lock);
	list_add(&waiter->node, &queue->waiters);
	spin_unlock_irq(&queue->vector->lock);
}

static void hearth_wait_end(struct hearth_waiter *waiter)
{
	struct hearth_queue *queue = waiter->queue;

	remove_wait_queue(&queue->wait, &waiter->entry);
	spin_lock_irq(&queue->vector->lock);
	list_del(&waiter->node);
	spin_unlock_irq(&queue->vector->lock);
}

static void hearth_wait_arm(struct hearth_queue *queue)
{
	int idx;

	if (!drm_dev_enter(&queue->hdev->drm, &idx))
		return;
	spin_lock_irq(&queue->vector->lock);
	hearth_queue_arm(queue);
	spin_unlock_irq(&queue->vector->lock);
	drm_dev_exit(idx);
}

static int hearth_wait_sleep(struct hearth_waiter *waiters, unsigned int count, bool all,
			     ktime_t deadline, u32 *index)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++)
		hearth_wait_begin(&waiters[i]);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		for (i = 0; i < count; i++)
			hearth_wait_arm(waiters[i].queue);
		/* After ARM: what completes from here on raises the interrupt. */
		ret = hearth_wait_check(waiters, count, all, index);
		if (ret != -EAGAIN)
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		if (!schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS)) {
			ret = hearth_wait_check(waiters, count, all, index);
			if (ret == -EAGAIN)
				ret = -ETIME;
			break;
		}
	}
	__set_current_state(TASK_RUNNING);
	for (i = 0; i < count; i++)
		hearth_wait_end(&waiters[i]);
	return ret;
}

static int hearth_wait(struct hearth_waiter *waiters, unsigned int count, bool all, s64 timeout_ns,
		       u32 *index)
{
	ktime_t deadline = ns_to_ktime(timeout_ns);
	unsigned int i;
	int ret;

	ret = hearth_wait_check(waiters, count, all, index);
	if (ret != -EAGAIN)
		return ret;
	for (i = 0; i < count; i++)
		trace_hearth_queue_wait_begin(waiters[i].queue->hdev, waiters[i].queue->number,
					      waiters[i].target,
					      hearth_queue_completed(waiters[i].queue), 0);
	ret = -ETIME;
	if (timeout_ns > 0 && ktime_after(deadline, ktime_get()))
		ret = hearth_wait_sleep(waiters, count, all, deadline, index);
	for (i = 0; i < count; i++)
		trace_hearth_queue_wait_end(waiters[i].queue->hdev, waiters[i].queue->number,
					    waiters[i].target,
					    hearth_queue_completed(waiters[i].queue), ret);
	return ret;
}

/* Who waits looks again; fences that never will be reached signal. */
void hearth_queue_wake(struct hearth_queue *queue)
{
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&queue->vector->lock, flags);
	hearth_queue_tell(queue, &done);
	spin_unlock_irqrestore(&queue->vector->lock, flags);
	hearth_fence_signal(&done);
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
	struct hearth_waiter waiter = { .target = args->completed };
	u32 index;
	int ret;

	if (args->pad)
		return -EINVAL;
	waiter.queue = hearth_queue_lookup(file->driver_priv, args->queue_id);
	if (!waiter.queue)
		return -ENOENT;
	ret = hearth_wait(&waiter, 1, true, args->timeout_ns, &index);
	hearth_queue_put(waiter.queue);
	return ret;
}

/**
 * hearth_ioctl_queue_wait_many() - DRM_IOCTL_HEARTH_QUEUE_WAIT_MANY
 * @drm: the device
 * @data: struct drm_hearth_queue_wait_many
 * @file: the caller's
 *
 * Returns: 0; -ETIME; -ECANCELED or -ENODEV as QUEUE_WAIT, by one of the queues; -EINVAL for
 * unknown flags, padding that is not zero, no points or too many; -EFAULT for points that cannot be
 * read; -ENOENT for an unknown id; -ENOMEM.
 */
int hearth_ioctl_queue_wait_many(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_hearth_queue_wait_many *args = data;
	struct drm_hearth_queue_point *points;
	struct hearth_waiter *waiters;
	unsigned int i, count = 0;
	int ret = 0;

	if (args->flags & ~DRM_HEARTH_QUEUE_WAIT_ALL || args->pad || !args->count ||
	    args->count > DRM_HEARTH_QUEUE_WAIT_MAX)
		return -EINVAL;
	args->index = 0;
	points = memdup_array_user(u64_to_user_ptr(args->points), args->count, sizeof(*points));
	if (IS_ERR(points))
		return PTR_ERR(points);
	waiters = kcalloc(args->count, sizeof(*waiters), GFP_KERNEL_ACCOUNT);
	if (!waiters)
		ret = -ENOMEM;
	for (; !ret && count < args->count; count++) {
		waiters[count].target = points[count].completed;
		waiters[count].queue =
			hearth_queue_lookup(file->driver_priv, points[count].queue_id);
		if (points[count].pad)
			ret = -EINVAL;
		else if (!waiters[count].queue)
			ret = -ENOENT;
		if (ret)
			args->index = count;
	}
	if (!ret)
		ret = hearth_wait(waiters, count, args->flags & DRM_HEARTH_QUEUE_WAIT_ALL,
				  args->timeout_ns, &args->index);
	for (i = 0; i < count; i++)
		if (waiters[i].queue)
			hearth_queue_put(waiters[i].queue);
	kfree(waiters);
	kfree(points);
	return ret;
}
