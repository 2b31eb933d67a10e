// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences of user queues, for those that were made with DRM_HEARTH_QUEUE_FENCES: a count of
 * completed packets as a dma_fence in a syncobj, and so as a sync file for other drivers.
 *
 * What runs on a queue may wait for whatever user space likes, so that a fence on it would break
 * the promise that all fences signal soon. Three things keep it. A fence is only made for packets
 * that the board has taken from the ring. It has a deadline, kept by a timer that needs neither a
 * lock that is held over an allocation nor a worker: when it is over, all fences of the queue
 * signal with -ETIMEDOUT, and the queue is killed. And whatever ends a queue (its owner, a failure,
 * a reset, the board's removal) signals them with an error at once. No memory is guarded by these
 * fences: what a queue can reach stays pinned until it is unbound, fence or not.
 *
 * Every fence arms the board's interrupt from the beginning and is signalled outside of all locks
 * of its queue, so it needs no callback of the fence's users to take one: the operations are names
 * only. A fence holds the module, not the queue, whose list holds the fence until it has signalled.
 */
#include <linux/dma-fence.h>
#include <linux/dma-fence-chain.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "hearth_queue_private.h"

static unsigned int fence_ms = 10000;
module_param(fence_ms, uint, 0644);
MODULE_PARM_DESC(fence_ms, "longest time until a fence of a queue must have signalled (10000)");

/** HEARTH_FENCE_MAX_MS - what @fence_ms can be at most */
#define HEARTH_FENCE_MAX_MS 60000u

/** struct hearth_fence - so many packets of a queue */
struct hearth_fence {
	/** @base: what others know of it */
	struct dma_fence base;
	/** @lock: of @base */
	spinlock_t lock;
	/** @node: in hearth_queue.fences.list, then of who signals it; holds a reference */
	struct list_head node;
	/** @target: completed count at which it signals */
	u64 target;
	/** @expires: jiffies of its deadline */
	unsigned long expires;
};

static const char *hearth_fence_driver_name(struct dma_fence *base)
{
	return "hearth";
}

static const char *hearth_fence_timeline_name(struct dma_fence *base)
{
	return "hearth-queue";
}

static void hearth_fence_free(struct rcu_head *rcu)
{
	kfree(container_of(container_of(rcu, struct dma_fence, rcu), struct hearth_fence, base));
	/* The module's exit waits for this function's end. */
	module_put(THIS_MODULE);
}

static void hearth_fence_release(struct dma_fence *base)
{
	call_rcu(&base->rcu, hearth_fence_free);
}

static const struct dma_fence_ops hearth_fence_ops = {
	.get_driver_name = hearth_fence_driver_name,
	.get_timeline_name = hearth_fence_timeline_name,
	.release = hearth_fence_release,
};

/* ---- Signalling ---- */

/* The count that the first of them waits for. */
u64 hearth_fence_target(struct hearth_queue *queue)
{
	struct hearth_fence *first;

	lockdep_assert_held(&queue->vector->lock);
	first = list_first_entry_or_null(&queue->fences.list, struct hearth_fence, node);
	return first ? first->target : HEARTH_NOT_ARMED;
}

/* Moves to @done what has been reached, or never will be. */
void hearth_fence_collect(struct hearth_queue *queue, struct list_head *done)
{
	struct hearth_fence *fence, *next;
	int ret;

	lockdep_assert_held(&queue->vector->lock);
	list_for_each_entry_safe (fence, next, &queue->fences.list, node) {
		ret = hearth_queue_check(queue, fence->target);
		if (ret == -EAGAIN)
			break;
		if (ret)
			dma_fence_set_error(&fence->base, queue->fences.late ? -ETIMEDOUT : ret);
		list_move_tail(&fence->node, done);
	}
}

/* Signals what was collected; not under a queue's vector lock. */
void hearth_fence_signal(struct list_head *done)
{
	struct hearth_fence *fence, *next;
	bool cookie = dma_fence_begin_signalling();

	list_for_each_entry_safe (fence, next, done, node) {
		list_del(&fence->node);
		dma_fence_signal(&fence->base);
		dma_fence_put(&fence->base);
	}
	dma_fence_end_signalling(cookie);
}

/* The first deadline may be over. */
static void hearth_fence_timer(struct timer_list *timer)
{
	struct hearth_queue *queue = container_of(timer, struct hearth_queue, fences.timer);
	unsigned long flags, expires = 0;
	struct hearth_fence *fence;
	LIST_HEAD(done);

	spin_lock_irqsave(&queue->vector->lock, flags);
	/* Its interrupt may have been lost. */
	hearth_fence_collect(queue, &done);
	list_for_each_entry (fence, &queue->fences.list, node) {
		if (time_after_eq(jiffies, fence->expires))
			queue->fences.late = true;
		else if (!expires || time_before(fence->expires, expires))
			expires = fence->expires ?: 1;
	}
	if (queue->fences.late) {
		WRITE_ONCE(queue->killed, true);
		hearth_fence_collect(queue, &done);
		wake_up_all(&queue->wait);
		queue_work(system_long_wq, &queue->fences.kill);
	} else if (expires) {
		mod_timer(timer, expires);
	}
	spin_unlock_irqrestore(&queue->vector->lock, flags);
	hearth_fence_signal(&done);
}

static void hearth_fence_kill(struct work_struct *work)
{
	hearth_queue_kill(container_of(work, struct hearth_queue, fences.kill));
}

/* ---- A queue's ---- */

void hearth_fence_init(struct hearth_queue *queue)
{
	INIT_LIST_HEAD(&queue->fences.list);
	timer_setup(&queue->fences.timer, hearth_fence_timer, 0);
	INIT_WORK(&queue->fences.kill, hearth_fence_kill);
	queue->fences.context = dma_fence_context_alloc(1);
}

/*
 * After hearth_queue.ended is set and hearth_queue_wake() has been called: there are none any more.
 */
void hearth_fence_fini(struct hearth_queue *queue)
{
	timer_shutdown_sync(&queue->fences.timer);
	cancel_work_sync(&queue->fences.kill);
}

/* Until it is in the queue's list it is nobody's fence; from then on it signals by itself. */
static int hearth_fence_begin(struct hearth_queue *queue, struct hearth_fence *fence)
{
	LIST_HEAD(done);
	int ret;

	spin_lock_irq(&queue->vector->lock);
	ret = hearth_queue_check(queue, fence->target);
	if (ret == -EAGAIN && fence->target <= READ_ONCE(queue->status->fetched))
		ret = 0;
	if (!ret) {
		/* One timeline: a later fence never signals before an earlier one. */
		fence->target = max(fence->target, queue->fences.target);
		queue->fences.target = fence->target;
		dma_fence_init(&fence->base, &hearth_fence_ops, &fence->lock, queue->fences.context,
			       ++queue->fences.seqno);
		dma_fence_get(&fence->base);
		list_add_tail(&fence->node, &queue->fences.list);
		timer_reduce(&queue->fences.timer, fence->expires);
		/* After the list: what completes from here on raises the interrupt. */
		hearth_queue_arm(queue);
		hearth_fence_collect(queue, &done);
	}
	spin_unlock_irq(&queue->vector->lock);
	hearth_fence_signal(&done);
	return ret;
}

/**
 * hearth_ioctl_queue_fence() - DRM_IOCTL_HEARTH_QUEUE_FENCE
 * @drm: the device
 * @data: struct drm_hearth_queue_fence
 * @file: the caller's
 *
 * Returns: 0; -EAGAIN while the board has not taken so many packets from the ring; -EINVAL for a
 * queue that was made without DRM_HEARTH_QUEUE_FENCES, flags or padding that are not zero; -ETIME
 * for a deadline that is over; -ENOENT for an unknown id or syncobj; -ECANCELED and -ENODEV as
 * QUEUE_WAIT; -ENOMEM.
 */
int hearth_ioctl_queue_fence(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct drm_hearth_queue_fence *args = data;
	s64 longest = (s64)clamp(READ_ONCE(fence_ms), 1u, HEARTH_FENCE_MAX_MS) * NSEC_PER_MSEC;
	s64 left = longest;
	struct dma_fence_chain *chain = NULL;
	struct drm_syncobj *syncobj;
	struct hearth_fence *fence;
	struct hearth_queue *queue;
	int idx, ret;

	if (args->flags || args->pad || args->deadline_ns < 0)
		return -EINVAL;
	if (args->deadline_ns)
		left = min(args->deadline_ns - (s64)ktime_get_ns(), longest);
	if (left <= 0)
		return -ETIME;
	queue = hearth_queue_lookup(file->driver_priv, args->queue_id);
	if (!queue)
		return -ENOENT;
	ret = -EINVAL;
	if (!queue->fences.wanted)
		goto out_queue;
	ret = -ENOENT;
	syncobj = drm_syncobj_find(file, args->syncobj);
	if (!syncobj)
		goto out_queue;
	ret = -ENOMEM;
	fence = kzalloc_obj(struct hearth_fence, GFP_KERNEL_ACCOUNT);
	if (!fence)
		goto out_syncobj;
	if (args->point) {
		chain = dma_fence_chain_alloc();
		if (!chain)
			goto out_fence;
	}
	spin_lock_init(&fence->lock);
	INIT_LIST_HEAD(&fence->node);
	fence->target = args->completed;
	fence->expires = jiffies + nsecs_to_jiffies(left) + 1;

	ret = -ENODEV;
	if (!drm_dev_enter(&hdev->drm, &idx))
		goto out_fence;
	ret = hearth_fence_begin(queue, fence);
	drm_dev_exit(idx);
	if (ret)
		goto out_fence;
	__module_get(THIS_MODULE);
	if (chain)
		drm_syncobj_add_point(syncobj, chain, &fence->base, args->point);
	else
		drm_syncobj_replace_fence(syncobj, &fence->base);
	dma_fence_put(&fence->base);
	drm_syncobj_put(syncobj);
	hearth_queue_put(queue);
	return 0;

out_fence:
	dma_fence_chain_free(chain);
	kfree(fence);
out_syncobj:
	drm_syncobj_put(syncobj);
out_queue:
	hearth_queue_put(queue);
	return ret;
}
