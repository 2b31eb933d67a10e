// SPDX-License-Identifier: MIT
/*
 * User queues: making one maps its doorbell and its status page, and from then on packets, doorbell
 * and completion need no system call (the inline functions of hearth_drm.h). Only a sleep does.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hearth_drm.h"
#include "ioctl_internal.h"

static size_t hearth_drm_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int hearth_drm_queue_end(int fd, uint32_t queue_id)
{
	struct drm_hearth_queue_destroy args = { .queue_id = queue_id };

	return hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &args);
}

int hearth_drm_queue_create(int fd, uint32_t vm_id, uint64_t ring_va, union hbi_packet *ring,
			    uint32_t ring_log2, uint32_t timeout_ms, uint32_t priority,
			    struct hearth_drm_queue *queue)
{
	return hearth_drm_queue_create_flags(fd, vm_id, ring_va, ring, ring_log2, timeout_ms,
					     priority, 0, queue);
}

int hearth_drm_queue_create_flags(int fd, uint32_t vm_id, uint64_t ring_va, union hbi_packet *ring,
				  uint32_t ring_log2, uint32_t timeout_ms, uint32_t priority,
				  uint32_t flags, struct hearth_drm_queue *queue)
{
	struct drm_hearth_queue_create args = {
		.vm_id = vm_id,
		.ring_log2 = ring_log2,
		.ring_va = ring_va,
		.timeout_ms = timeout_ms,
		.priority = priority,
		.flags = flags,
	};
	void *doorbell, *status;
	int ret;

	ret = hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args);
	if (ret)
		return ret;
	doorbell = mmap(NULL, hearth_drm_page_size(), PROT_WRITE, MAP_SHARED, fd,
			(off_t)args.doorbell_offset);
	if (doorbell == MAP_FAILED) {
		ret = -errno;
		goto out_queue;
	}
	status = mmap(NULL, hearth_drm_page_size(), PROT_READ, MAP_SHARED, fd,
		      (off_t)args.status_offset);
	if (status == MAP_FAILED) {
		ret = -errno;
		goto out_doorbell;
	}
	*queue = (struct hearth_drm_queue){
		.fd = fd,
		.queue_id = args.queue_id,
		.ring = ring,
		.ring_mask = (1u << ring_log2) - 1,
		.doorbell = doorbell,
		.status = status,
	};
	return 0;

out_doorbell:
	munmap(doorbell, hearth_drm_page_size());
out_queue:
	hearth_drm_queue_end(fd, args.queue_id);
	return ret;
}

int hearth_drm_queue_destroy(struct hearth_drm_queue *queue)
{
	int ret = hearth_drm_queue_end(queue->fd, queue->queue_id);

	munmap((void *)queue->doorbell, hearth_drm_page_size());
	munmap((void *)queue->status, hearth_drm_page_size());
	memset(queue, 0, sizeof(*queue));
	queue->fd = -1;
	return ret;
}

int hearth_drm_queue_state(const struct hearth_drm_queue *queue, struct drm_hearth_queue_state *out)
{
	*out = (struct drm_hearth_queue_state){ .queue_id = queue->queue_id };
	return hearth_drm_ioctl(queue->fd, DRM_IOCTL_HEARTH_QUEUE_STATE, out);
}

int hearth_drm_queue_wait(struct hearth_drm_queue *queue, uint64_t completed, int64_t deadline_ns)
{
	struct drm_hearth_queue_wait args = {
		.queue_id = queue->queue_id,
		.completed = completed,
		.timeout_ns = deadline_ns,
	};

	if (hearth_drm_queue_completed(queue) >= completed)
		return 0;
	queue->waits++;
	return hearth_drm_ioctl(queue->fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &args);
}

int hearth_drm_queue_wait_many(int fd, const struct drm_hearth_queue_point *points, uint32_t count,
			       bool all, int64_t deadline_ns, uint32_t *index)
{
	struct drm_hearth_queue_wait_many args = {
		.points = (uintptr_t)points,
		.count = count,
		.flags = all ? DRM_HEARTH_QUEUE_WAIT_ALL : 0,
		.timeout_ns = deadline_ns,
	};
	int ret = hearth_drm_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_WAIT_MANY, &args);

	if (index)
		*index = args.index;
	return ret;
}

int hearth_drm_queue_fence(struct hearth_drm_queue *queue, uint64_t completed, uint32_t syncobj,
			   uint64_t point, int64_t deadline_ns)
{
	struct drm_hearth_queue_fence args = {
		.queue_id = queue->queue_id,
		.syncobj = syncobj,
		.completed = completed,
		.point = point,
		.deadline_ns = deadline_ns,
	};

	/* Not drmIoctl(), which would repeat the call as long as it returns -EAGAIN. */
	return ioctl(queue->fd, DRM_IOCTL_HEARTH_QUEUE_FENCE, &args) ? -errno : 0;
}
