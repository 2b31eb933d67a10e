// SPDX-License-Identifier: GPL-2.0-only
/*
 * User queues: making and ending them, their failures and their state. Packets, tail and completion
 * pass the kernel by. A queue has two pages that a process maps (hearth_queue_page.c): its
 * doorbell, and its status, which the board writes and only the kernel has chosen the address of.
 * Who sleeps for it does so in hearth_wait.c.
 *
 * Why no scheduler, and fences only on demand (hearth_fence.c): what runs on a queue may run as
 * long as its owner likes, and may wait for memory that only user space writes. Nothing in the
 * kernel may depend on it. So ending a queue, or taking memory from under it, never waits for its
 * work.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>

#include <drm/drm_drv.h>

#include "hearth_admin.h"
#include "hearth_queue_private.h"
#include "hearth_reset.h"
#include "hearth_show.h"
#include "hearth_trace.h"

/* Longest run of a dispatch that a process may ask for, and what it gets if it does not say. */
#define HEARTH_MAX_TIMEOUT_MS 3600000u
static unsigned int timeout_ms = 60000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "default time limit of one dispatch in ms (60000)");

#define HEARTH_PRIORITY_MAX 3

/* ---- Lifetime ---- */

static void hearth_queue_dma_unmap(struct hearth_queue *queue)
{
	lockdep_assert_held(&queue->hdev->bos.lock);

	if (!queue->dma_mapped)
		return;
	dma_unmap_page(queue->hdev->drm.dev, queue->dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	queue->dma_mapped = false;
}

static void hearth_queue_release(struct kref *ref)
{
	struct hearth_queue *queue = container_of(ref, struct hearth_queue, ref);

	mutex_destroy(&queue->fault_lock);
	if (queue->page)
		__free_page(queue->page);
	if (queue->spare)
		__free_page(queue->spare);
	hearth_vm_put(queue->vm);
	kfree(queue);
}

void hearth_queue_put(struct hearth_queue *queue)
{
	kref_put(&queue->ref, hearth_queue_release);
}

struct hearth_queue *hearth_queue_lookup(struct hearth_file *hfile, u32 id)
{
	struct hearth_queue *queue;

	xa_lock(&hfile->queues);
	queue = xa_load(&hfile->queues, id);
	if (queue)
		kref_get(&queue->ref);
	xa_unlock(&hfile->queues);
	return queue;
}

/* ---- Failure ---- */

static void hearth_queue_record(struct hearth_queue *queue, const struct hbi_event *event)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->vector->lock, flags);
	if (!queue->fault.error) {
		queue->fault.error = event->error;
		queue->fault.hart = event->fault.hart;
		queue->fault.address = event->fault.address;
		queue->fault.pc = event->fault.pc;
		queue->fault.packet = event->fault.packet;
	}
	spin_unlock_irqrestore(&queue->vector->lock, flags);
}

/*
 * A queue failed: the whole of its address space is dead, since its results cannot be relied on.
 * Runs in the interrupt thread. A number that names no queue is one that was just destroyed.
 */
void hearth_queue_event(struct hearth_device *hdev, const struct hbi_event *event, const char *what)
{
	struct hearth_queue *queue = NULL, *other;
	struct hearth_vm *vm;
	unsigned int i;

	if (event->fault.queue >= hdev->info.queues) {
		dev_notice_ratelimited(hdev->drm.dev, "event of queue %u, which is none\n",
				       event->fault.queue);
		return;
	}
	spin_lock(&hdev->queues.lock);
	queue = hdev->queues.table[array_index_nospec(event->fault.queue, HBI_MAX_QUEUES)];
	if (!queue || queue->vm->context != event->fault.context)
		goto out_unlock;
	vm = queue->vm;
	hearth_queue_record(queue, event);
	WRITE_ONCE(vm->dead, true);
	for (i = 0; i < hdev->info.queues; i++) {
		other = hdev->queues.table[i];
		if (other && other->vm == vm)
			hearth_queue_wake(other);
	}
	trace_hearth_queue_fault(hdev, event);
	if (event->error != HBI_ERROR_CANCELED) {
		atomic_inc(&hdev->faults);
		hearth_coredump_fault(hdev, event);
		dev_notice_ratelimited(
			hdev->drm.dev,
			"queue %u, packet %llu: %s (address %#llx, pc %#llx, hart %u)\n",
			event->fault.queue, event->fault.packet, what, event->fault.address,
			event->fault.pc, event->fault.hart);
	}
out_unlock:
	spin_unlock(&hdev->queues.lock);
}

/* What there is to tell of hardware queue @number; false if it is nobody's. */
bool hearth_queue_describe(struct hearth_device *hdev, u32 number, struct hearth_queue_info *info)
{
	struct hearth_queue *queue;
	unsigned long flags;

	spin_lock(&hdev->queues.lock);
	queue = hdev->queues.table[number];
	if (queue) {
		*info = (struct hearth_queue_info){
			.context = queue->vm->context,
			.pid = queue->made.pid,
			.ring_log2 = queue->made.ring_log2,
			.priority = queue->made.priority,
			.timeout_ms = queue->made.timeout_ms,
			.ring = queue->made.ring,
			.state = READ_ONCE(queue->status->state),
			.error = READ_ONCE(queue->status->error),
			.completed = READ_ONCE(queue->status->completed),
			.fetched = READ_ONCE(queue->status->fetched),
			.fault_address = READ_ONCE(queue->status->fault_address),
			.fault_packet = READ_ONCE(queue->status->fault_packet),
			.dead = READ_ONCE(queue->vm->dead),
		};
		spin_lock_irqsave(&queue->vector->lock, flags);
		info->armed = queue->armed;
		info->interrupts = queue->interrupts;
		spin_unlock_irqrestore(&queue->vector->lock, flags);
	}
	spin_unlock(&hdev->queues.lock);
	return queue;
}

/* The board has failed or is gone: nobody need wait any longer. */
void hearth_queue_cancel_all(struct hearth_device *hdev)
{
	unsigned int i;

	spin_lock(&hdev->queues.lock);
	for (i = 0; i < hdev->info.queues; i++)
		if (hdev->queues.table[i])
			hearth_queue_wake(hdev->queues.table[i]);
	spin_unlock(&hdev->queues.lock);
}

static void hearth_queue_say_canceled(struct hearth_queue *queue)
{
	struct hbi_queue_status *status = page_address(queue->page);

	if (READ_ONCE(status->state) != HBI_QUEUE_ERROR) {
		WRITE_ONCE(status->error, HBI_ERROR_CANCELED);
		/* Release: who sees the state sees the error. */
		smp_store_release(&status->state, HBI_QUEUE_ERROR);
	}
}

/*
 * The board has stopped and will not touch host memory any more. Its word to who looks at the
 * status page only is said for it.
 */
void hearth_queue_unmap_all(struct hearth_device *hdev)
{
	unsigned int i;

	mutex_lock(&hdev->bos.lock);
	for (i = 0; i < hdev->info.queues; i++) {
		struct hearth_queue *queue;

		/* The lock above keeps the queue: ending it takes that lock after this one. */
		spin_lock(&hdev->queues.lock);
		queue = hdev->queues.table[i];
		spin_unlock(&hdev->queues.lock);
		if (queue) {
			hearth_queue_dma_unmap(queue);
			hearth_queue_say_canceled(queue);
		}
	}
	mutex_unlock(&hdev->bos.lock);
}

/* ---- Making and ending ---- */

/* A free hardware queue number for @queue. */
static int hearth_queue_take_number(struct hearth_queue *queue)
{
	struct hearth_device *hdev = queue->hdev;
	int ret = -EBUSY;
	u32 i;

	spin_lock(&hdev->queues.lock);
	for (i = 0; i < hdev->info.queues; i++) {
		if (hdev->queues.table[i])
			continue;
		queue->number = i;
		queue->vector = hearth_irq_vector(hdev, i);
		hdev->queues.table[i] = queue;
		ret = 0;
		break;
	}
	spin_unlock(&hdev->queues.lock);
	return ret;
}

/*
 * After this the board does not write the status page and ignores the doorbell. @board: in a
 * hearth_device_lock() section.
 */
static void hearth_queue_stop(struct hearth_queue *queue, bool board)
{
	struct hearth_device *hdev = queue->hdev;
	int ret;

	lockdep_assert_held(&queue->vm->lock);
	if (board && queue->created && hearth_device_state(hdev) == HEARTH_LIVE &&
	    !hearth_vm_stale(queue->vm)) {
		ret = hearth_admin_destroy_queue(hdev, queue->number);
		hearth_vm_blame(queue->vm, ret);
		if (ret && !hearth_vm_stale(queue->vm))
			hearth_device_fail(hdev, "a queue could not be destroyed");
	}
	queue->created = false;
}

/*
 * A queue that is killed has nothing on the board any more, but keeps its number, its pages and its
 * memory until its owner ends it.
 */
void hearth_queue_kill(struct hearth_queue *queue)
{
	struct hearth_device *hdev = queue->hdev;
	int idx;

	if (!hearth_device_lock(hdev, &idx))
		return;
	mutex_lock(&queue->vm->lock);
	if (queue->created) {
		hearth_queue_stop(queue, true);
		hearth_queue_say_canceled(queue);
		dev_notice_ratelimited(hdev->drm.dev,
				       "queue %u is ended: a fence's deadline is over\n",
				       queue->number);
	}
	mutex_unlock(&queue->vm->lock);
	hearth_device_exit(hdev, idx);
}

/*
 * Ends a queue on the board, then gives back its number, its pages and its memory. Who waits is
 * told at once. @locked: in a hearth_device_lock() section already.
 */
static void hearth_queue_end(struct hearth_queue *queue, struct drm_file *file, bool locked)
{
	struct hearth_device *hdev = queue->hdev;
	bool board = locked;
	int idx;

	mutex_lock(&queue->fault_lock);
	spin_lock_irq(&queue->vector->lock);
	WRITE_ONCE(queue->ended, true);
	spin_unlock_irq(&queue->vector->lock);
	mutex_unlock(&queue->fault_lock);
	/* No process can ring the doorbell of a number that somebody else may get. */
	if (queue->doorbell)
		hearth_queue_page_revoke(queue->doorbell);
	/* Before any lock that is held over an allocation: fences must not wait for those. */
	hearth_queue_wake(queue);
	if (!locked) {
		hearth_fence_fini(queue);
		board = hearth_device_lock(hdev, &idx);
	}
	mutex_lock(&queue->vm->lock);
	hearth_queue_stop(queue, board);
	queue->vm->queues--;
	mutex_unlock(&queue->vm->lock);
	if (board && !locked)
		hearth_device_exit(hdev, idx);

	trace_hearth_queue_destroy(hdev, queue->number, hearth_queue_completed(queue));
	spin_lock_irq(&queue->vector->lock);
	list_del_init(&queue->vector_node);
	spin_unlock_irq(&queue->vector->lock);

	mutex_lock(&hdev->bos.lock);
	spin_lock(&hdev->queues.lock);
	hdev->queues.table[queue->number] = NULL;
	spin_unlock(&hdev->queues.lock);
	hearth_queue_dma_unmap(queue);
	mutex_unlock(&hdev->bos.lock);

	hearth_queue_page_drop(&queue->doorbell, file);
	hearth_queue_page_drop(&queue->status_page, file);
}

static int hearth_queue_memory(struct hearth_queue *queue)
{
	struct hearth_device *hdev = queue->hdev;
	struct device *dev = hdev->drm.dev;
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;
	int ret = 0;

	queue->spare = alloc_page(gfp);
	if (dma_addressing_limited(dev))
		gfp |= GFP_DMA32;
	queue->page = alloc_page(gfp);
	if (!queue->page || !queue->spare)
		return -ENOMEM;
	queue->status = page_address(queue->page);

	mutex_lock(&hdev->bos.lock);
	queue->dma = dma_map_page(dev, queue->page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, queue->dma))
		ret = -ENOMEM;
	else
		queue->dma_mapped = true;
	mutex_unlock(&hdev->bos.lock);
	return ret;
}

static int hearth_queue_start(struct hearth_queue *queue, struct drm_hearth_queue_create *args)
{
	struct hbi_admin_create_queue command = {
		.queue = queue->number,
		.context = queue->vm->context,
		.ring = args->ring_va,
		.status = queue->dma,
		.ring_log2 = args->ring_log2,
		.vector = queue->vector->number,
		.timeout_ms = queue->made.timeout_ms,
		.priority = args->priority,
	};
	u64 bytes = (u64)HBI_PACKET_SIZE << args->ring_log2;
	int ret;

	lockdep_assert_held(&queue->vm->lock);
	if (READ_ONCE(queue->vm->dead) || hearth_vm_stale(queue->vm))
		return -ECANCELED;
	if (!hearth_vm_mapped(queue->vm, args->ring_va, bytes))
		return -EINVAL;
	ret = hearth_admin_create_queue(queue->hdev, &command);
	trace_hearth_queue_create(queue->hdev, queue->number, queue->vm->context, args->ring_va,
				  args->ring_log2, ret);
	if (!ret)
		queue->created = true;
	return ret;
}

/* Takes over the caller's reference of @vm, also when it fails. */
static struct hearth_queue *hearth_queue_create(struct hearth_vm *vm, struct drm_file *file,
						struct drm_hearth_queue_create *args)
{
	struct hearth_device *hdev = vm->hdev;
	struct hearth_queue *queue;
	int ret;

	queue = kzalloc_obj(struct hearth_queue, GFP_KERNEL_ACCOUNT);
	if (!queue) {
		hearth_vm_put(vm);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&queue->ref);
	mutex_init(&queue->fault_lock);
	queue->hdev = hdev;
	queue->vm = vm;
	queue->made.ring = args->ring_va;
	queue->made.ring_log2 = args->ring_log2;
	queue->made.priority = args->priority;
	queue->made.timeout_ms =
		args->timeout_ms ?: clamp(READ_ONCE(timeout_ms), 1u, HEARTH_MAX_TIMEOUT_MS);
	queue->made.pid = task_tgid_nr(current);
	queue->armed = HEARTH_NOT_ARMED;
	init_waitqueue_head(&queue->wait);
	INIT_LIST_HEAD(&queue->waiters);
	INIT_LIST_HEAD(&queue->vector_node);
	hearth_fence_init(queue);
	queue->fences.wanted = args->flags & DRM_HEARTH_QUEUE_FENCES;
	ret = hearth_queue_memory(queue);
	if (ret)
		goto out_dma;
	ret = hearth_queue_take_number(queue);
	if (ret)
		goto out_dma;
	spin_lock_irq(&queue->vector->lock);
	list_add_tail(&queue->vector_node, &queue->vector->queues);
	spin_unlock_irq(&queue->vector->lock);

	mutex_lock(&vm->lock);
	vm->queues++;
	ret = vm->destroyed ? -ENOENT : hearth_queue_start(queue, args);
	mutex_unlock(&vm->lock);
	if (ret)
		goto out_end;

	queue->doorbell = hearth_queue_page_create(queue, file, true);
	queue->status_page = hearth_queue_page_create(queue, file, false);
	if (!IS_ERR(queue->doorbell) && !IS_ERR(queue->status_page))
		return queue;

	ret = -ENOMEM;
	if (IS_ERR(queue->doorbell))
		queue->doorbell = NULL;
	if (IS_ERR(queue->status_page))
		queue->status_page = NULL;
out_end:
	hearth_queue_end(queue, file, true);
	hearth_queue_put(queue);
	return ERR_PTR(ret);

out_dma:
	mutex_lock(&hdev->bos.lock);
	hearth_queue_dma_unmap(queue);
	mutex_unlock(&hdev->bos.lock);
	hearth_queue_put(queue);
	return ERR_PTR(ret);
}

/* File close, before its address spaces. */
void hearth_queue_close_all(struct hearth_file *hfile, struct drm_file *file)
{
	struct hearth_queue *queue;
	unsigned long id;

	xa_for_each (&hfile->queues, id, queue) {
		xa_erase(&hfile->queues, id);
		hearth_queue_end(queue, file, false);
		hearth_queue_put(queue);
	}
}

/**
 * hearth_ioctl_queue_create() - DRM_IOCTL_HEARTH_QUEUE_CREATE
 * @drm: the device
 * @data: struct drm_hearth_queue_create
 * @file: the caller's
 *
 * Returns: 0; -EINVAL for unknown flags, a ring that is too large, not aligned or not bound, or a
 * priority or time limit out of range; -EACCES for priority 3 without CAP_SYS_NICE; -ENOENT for an
 * unknown id; -EBUSY when the file or the board has no more queues; -ECANCELED when the address
 * space is dead or the board was reset since it was made; -ENOMEM; -ENODEV or -EIO when the board
 * is gone or has failed.
 */
int hearth_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_device *hdev = to_hearth_device(drm);
	struct hearth_file *hfile = file->driver_priv;
	struct drm_hearth_queue_create *args = data;
	struct hearth_queue *queue;
	struct hearth_vm *vm;
	int idx, ret;
	u32 id;

	if (args->flags & ~DRM_HEARTH_QUEUE_FENCES || !args->ring_log2 ||
	    args->ring_log2 > hdev->info.ring_log2 || !IS_ALIGNED(args->ring_va, HBI_PACKET_SIZE) ||
	    args->ring_va >= HEARTH_VA_END || args->timeout_ms > HEARTH_MAX_TIMEOUT_MS ||
	    args->priority > HEARTH_PRIORITY_MAX)
		return -EINVAL;
	if (args->priority == HEARTH_PRIORITY_MAX && !capable(CAP_SYS_NICE))
		return -EACCES;
	vm = hearth_vm_lookup(hfile, args->vm_id);
	if (!vm)
		return -ENOENT;
	ret = hearth_device_enter(hdev, &idx);
	if (ret) {
		hearth_vm_put(vm);
		return ret;
	}
	ret = hearth_device_error(hdev);
	if (!ret)
		/* The entry is kept empty until the queue can be used. */
		ret = xa_alloc(&hfile->queues, &id, NULL, XA_LIMIT(1, HEARTH_MAX_FILE_QUEUES),
			       GFP_KERNEL);
	if (ret) {
		hearth_vm_put(vm);
		goto out_exit;
	}
	queue = hearth_queue_create(vm, file, args);
	if (IS_ERR(queue)) {
		ret = PTR_ERR(queue);
		xa_erase(&hfile->queues, id);
		goto out_exit;
	}
	args->queue_id = id;
	args->doorbell_offset = hearth_queue_page_offset(queue->doorbell);
	args->status_offset = hearth_queue_page_offset(queue->status_page);
	/* From here on another thread may destroy it. */
	xa_store(&hfile->queues, id, queue, GFP_KERNEL);
	hearth_reset_watch(hdev);
out_exit:
	hearth_device_exit(hdev, idx);
	return ret;
}

/**
 * hearth_ioctl_queue_destroy() - DRM_IOCTL_HEARTH_QUEUE_DESTROY
 * @drm: the device
 * @data: struct drm_hearth_queue_destroy
 * @file: the caller's
 *
 * Who waits for the queue gets -ECANCELED.
 *
 * Returns: 0; -EINVAL for padding that is not zero; -ENOENT for an unknown id.
 */
int hearth_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct hearth_file *hfile = file->driver_priv;
	struct drm_hearth_queue_destroy *args = data;
	struct hearth_queue *queue;

	if (args->pad)
		return -EINVAL;
	queue = hearth_queue_lookup(hfile, args->queue_id);
	if (!queue)
		return -ENOENT;
	/* One of several threads ends it; an id that is only reserved stays so. */
	if (xa_cmpxchg(&hfile->queues, args->queue_id, queue, NULL, GFP_KERNEL) != queue) {
		hearth_queue_put(queue);
		return -ENOENT;
	}
	hearth_queue_end(queue, file, false);
	hearth_queue_put(queue);
	hearth_queue_put(queue);
	return 0;
}

/**
 * hearth_ioctl_queue_state() - DRM_IOCTL_HEARTH_QUEUE_STATE
 * @drm: the device
 * @data: struct drm_hearth_queue_state
 * @file: the caller's
 *
 * Returns: 0, or -ENOENT for an unknown id.
 */
int hearth_ioctl_queue_state(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_hearth_queue_state *args = data;
	struct hearth_queue *queue;
	int idx;

	queue = hearth_queue_lookup(file->driver_priv, args->queue_id);
	if (!queue)
		return -ENOENT;
	args->state = READ_ONCE(queue->status->state);
	/* The event that tells more is there too, though perhaps not taken yet. */
	if (args->state == HBI_QUEUE_ERROR && drm_dev_enter(drm, &idx)) {
		hearth_admin_events(queue->hdev);
		drm_dev_exit(idx);
	}
	args->error = READ_ONCE(queue->status->error);
	args->fault_address = READ_ONCE(queue->status->fault_address);
	args->fault_packet = READ_ONCE(queue->status->fault_packet);
	args->hart = 0;
	args->fault_pc = 0;

	spin_lock_irq(&queue->vector->lock);
	args->interrupts = queue->interrupts;
	if (queue->fault.error) {
		args->state = HBI_QUEUE_ERROR;
		args->error = queue->fault.error;
		args->hart = queue->fault.hart;
		args->fault_address = queue->fault.address;
		args->fault_pc = queue->fault.pc;
		args->fault_packet = queue->fault.packet;
	}
	spin_unlock_irq(&queue->vector->lock);

	args->epoch = queue->vm->epoch;
	args->reset = DRM_HEARTH_RESET_NONE;
	if (hearth_vm_stale(queue->vm))
		args->reset = READ_ONCE(queue->vm->guilty) ? DRM_HEARTH_RESET_GUILTY
							   : DRM_HEARTH_RESET_INNOCENT;
	/*
	 * The board's word may be missing: another queue of the address space, or the board,
	 * failed.
	 */
	if (args->state != HBI_QUEUE_ERROR && hearth_queue_dead(queue)) {
		args->state = HBI_QUEUE_ERROR;
		args->error = HBI_ERROR_CANCELED;
	}
	hearth_queue_put(queue);
	return 0;
}
