/* SPDX-License-Identifier: MIT */
/*
 * libhearth_drm: the boards of this machine, and one thin wrapper for each ioctl of hearth.ko.
 *
 * All functions but the inline ring functions return 0 or a negative errno, and are thread-safe; a
 * queue's ring has one producer at a time, which the caller sees to. No function keeps state of its
 * own beside what is in the structures here.
 */
#ifndef HEARTH_DRM_H
#define HEARTH_DRM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drm/hearth_accel.h>
#include <hearth/hbi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEARTH_DRM_MAX_BOARDS 64

/*
 * One board of the machine. @node: "/dev/accel/accelN", or empty when no driver is bound.
 * @pci: "dddd:bb:dd.f". @driver: name of the bound kernel driver, or empty.
 */
struct hearth_drm_board {
	char node[64];
	char pci[16];
	char driver[32];
	uint16_t vendor_id;
	uint16_t device_id;
	int accel_minor; /* -1: none */
};

/*
 * Finds the boards: PCI functions of class 12h with the interface's DVSEC (as far as an ordinary user may
 * read it), and accel nodes bound to hearth. Writes at most @capacity entries and returns the count found.
 */
int hearth_drm_discover(struct hearth_drm_board *boards, uint32_t capacity);

/* Opens a node and checks that hearth drives it. Returns the file descriptor (close-on-exec). */
int hearth_drm_open(const char *node);

int hearth_drm_query_device(int fd, struct drm_hearth_query_device *out);
int hearth_drm_query_firmware(int fd, struct drm_hearth_query_firmware *out);
int hearth_drm_query_memory(int fd, struct drm_hearth_query_memory *out);
/* How the board is, and its epoch; never waits for a reset. */
int hearth_drm_query_state(int fd, struct drm_hearth_query_state *out);
/* What the board tells of itself; -EOPNOTSUPP if it does not, -EAGAIN while it is reset or asleep. */
int hearth_drm_query_telemetry(int fd, struct drm_hearth_query_telemetry *out);
/* What the user who opened @fd may have and has. */
int hearth_drm_query_quota(int fd, struct drm_hearth_query_quota *out);

/* @handle is closed with hearth_drm_bo_close(). */
int hearth_drm_bo_create(int fd, uint64_t size, uint32_t placement, uint32_t *handle);
/*
 * A buffer of the pages that lie at @address now, both of whole pages. They stay pinned until the buffer is
 * closed and unbound, and count against RLIMIT_MEMLOCK (-ENOMEM). @flags: DRM_HEARTH_BO_USERPTR_*.
 */
int hearth_drm_bo_userptr(int fd, void *address, uint64_t size, uint32_t flags, uint32_t *handle);
int hearth_drm_bo_info(int fd, uint32_t handle, struct drm_hearth_bo_info *out);
/* Maps the whole buffer, read and write; unmapped with munmap(*address, size). */
int hearth_drm_bo_map(int fd, uint32_t handle, uint64_t size, void **address);
int hearth_drm_bo_close(int fd, uint32_t handle);
/* @dmabuf: a new file descriptor, close-on-exec. */
int hearth_drm_bo_export(int fd, uint32_t handle, int *dmabuf);
/* A dma-buf of any exporter whose memory the board can reach by DMA; @dmabuf stays the caller's. */
int hearth_drm_bo_import(int fd, int dmabuf, uint32_t *handle);

int hearth_drm_vm_create(int fd, uint32_t *vm_id);
int hearth_drm_vm_destroy(int fd, uint32_t vm_id);
int hearth_drm_vm_map(int fd, uint32_t vm_id, uint32_t handle, uint64_t bo_offset, uint64_t va,
		      uint64_t range, uint32_t flags);
int hearth_drm_vm_unmap(int fd, uint32_t vm_id, uint64_t va, uint64_t range);

/*
 * A user queue with its two mappings. The caller owns the ring buffer: @ring points to its CPU
 * mapping. @tail and @seen are the producer's own.
 */
struct hearth_drm_queue {
	int fd;
	uint32_t queue_id;
	union hbi_packet *ring;
	uint32_t ring_mask;
	volatile uint64_t *doorbell;
	const volatile struct hbi_queue_status *status;
	uint64_t tail;	    /* packets written */
	uint64_t doorbells; /* stores to the doorbell, for statistics */
	uint64_t waits;	    /* sleeps in the kernel, for statistics */
};

int hearth_drm_queue_create(int fd, uint32_t vm_id, uint64_t ring_va, union hbi_packet *ring,
			    uint32_t ring_log2, uint32_t timeout_ms, uint32_t priority,
			    struct hearth_drm_queue *queue);
/* As the above, with @flags: DRM_HEARTH_QUEUE_*. */
int hearth_drm_queue_create_flags(int fd, uint32_t vm_id, uint64_t ring_va, union hbi_packet *ring,
				  uint32_t ring_log2, uint32_t timeout_ms, uint32_t priority,
				  uint32_t flags, struct hearth_drm_queue *queue);
int hearth_drm_queue_destroy(struct hearth_drm_queue *queue);
int hearth_drm_queue_state(const struct hearth_drm_queue *queue,
			   struct drm_hearth_queue_state *out);

/*
 * Sleeps until @completed packets have completed or until the absolute CLOCK_MONOTONIC time
 * @deadline_ns: 0, -ETIME or -ECANCELED. Looks at the status page first, and makes no system call
 * if the work is done.
 */
int hearth_drm_queue_wait(struct hearth_drm_queue *queue, uint64_t completed, int64_t deadline_ns);

/*
 * Likewise for @count points, at most DRM_HEARTH_QUEUE_WAIT_MAX, of queues of @fd: until one of them is
 * reached, or with @all each. @index, which may be NULL: the one that was reached, or after -ENOENT and
 * -ECANCELED the one at fault. Always a system call.
 */
int hearth_drm_queue_wait_many(int fd, const struct drm_hearth_queue_point *points, uint32_t count,
			       bool all, int64_t deadline_ns, uint32_t *index);

/*
 * Puts the completion of @completed packets of a queue made with DRM_HEARTH_QUEUE_FENCES into @syncobj, a
 * handle of the queue's fd: as its fence with @point 0, else as that point of its timeline. Returns
 * -EAGAIN as long as the board has not taken those packets from the ring. The fence signals with an
 * error at the absolute CLOCK_MONOTONIC time @deadline_ns (0: the longest that the driver allows), and
 * that ends the queue.
 */
int hearth_drm_queue_fence(struct hearth_drm_queue *queue, uint64_t completed, uint32_t syncobj,
			   uint64_t point, int64_t deadline_ns);

/* Free slots of the ring. */
static inline uint32_t hearth_drm_queue_space(const struct hearth_drm_queue *queue)
{
	/* Acquire: slots are written again only after the board was seen to have fetched them. */
	uint64_t fetched = __atomic_load_n(&queue->status->fetched, __ATOMIC_ACQUIRE);

	return queue->ring_mask + 1 - (uint32_t)(queue->tail - fetched);
}

/* Writes one packet; the caller has seen to it that there is space. */
static inline void hearth_drm_queue_push(struct hearth_drm_queue *queue,
					 const union hbi_packet *packet)
{
	queue->ring[queue->tail++ & queue->ring_mask] = *packet;
}

/* Tells the board of all packets written so far: one store, no system call. */
static inline void hearth_drm_queue_ring(struct hearth_drm_queue *queue)
{
	/*
	 * The ring may be write-combined board memory: the fence drains the write buffers, so that
	 * the packets are there before the board reads the tail.
	 */
#if defined(__x86_64__)
	__builtin_ia32_sfence();
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
	*queue->doorbell = queue->tail;
	queue->doorbells++;
}

static inline uint64_t hearth_drm_queue_completed(const struct hearth_drm_queue *queue)
{
	/* Acquire: pairs with the board's order, results before the count. */
	return __atomic_load_n(&queue->status->completed, __ATOMIC_ACQUIRE);
}

#ifdef __cplusplus
}
#endif

#endif /* HEARTH_DRM_H */
