// SPDX-License-Identifier: MIT
/*
 * Random calls from two threads that share one file: ioctls with ids, addresses and sizes that are
 * right, nearly right or senseless, and mappings of what comes of them. No result is foretold; at
 * the end the board serves, and all its memory has come back. The seed is fixed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define THREADS 2
#define ROUNDS	3000

/* Ids and offsets are small numbers: guessing right is not rare. */
#define FEW	6

static int fd, foreign = -1; /* a dma-buf of another driver's */
/*
 * Buffers by user pointers begin 8 pages apart and have 31 at most, so that no page is in more than four at once: DMA-API
 * debug counts no more than seven mappings of one, and reports more. When all are used up, there are no more of them:
 * most live until the file is closed.
 */
#define LENT_BUFFERS 448
static uint8_t lent[8 * LENT_BUFFERS + 24][4096] __attribute__((aligned(4096)));
static atomic_uint lent_next;

struct worker {
	pthread_t thread;
	uint64_t state;
	unsigned long done;
	unsigned long right; /* ioctls that succeeded */
	uint64_t offset;     /* the last mmap offset that was told */
};

static int call(struct worker *worker, unsigned long request, void *args)
{
	int ret = raw_ioctl(fd, request, args);

	worker->right += !ret;
	return ret;
}

static uint64_t draw(struct worker *worker)
{
	worker->state ^= worker->state << 13;
	worker->state ^= worker->state >> 7;
	worker->state ^= worker->state << 17;
	return worker->state;
}

static uint32_t below(struct worker *worker, uint32_t limit)
{
	return (uint32_t)(draw(worker) >> 32) % limit;
}

static uint64_t any(struct worker *worker)
{
	static const uint64_t odd[] = {
		0,
		1,
		63,
		64,
		4095,
		4096,
		65536,
		1ull << 31,
		1ull << 32,
		1ull << 47,
		1ull << 63,
		~0ull,
		~0xfffull,
		HBI_RETURN_ADDRESS,
		HBI_RETURN_ADDRESS - 4096,
	};

	if (below(worker, 4))
		return odd[below(worker, sizeof(odd) / sizeof(odd[0]))];
	return draw(worker);
}

/* Mostly of the kind that is asked for. */
static uint32_t small(struct worker *worker)
{
	return below(worker, 12) ? below(worker, FEW) : (uint32_t)any(worker);
}

static uint64_t page(struct worker *worker)
{
	return below(worker, 8) ? 4096ull * below(worker, 32) : any(worker);
}

static uint64_t address(struct worker *worker)
{
	return below(worker, 8) ? 0x10000 + 4096ull * below(worker, 64) : any(worker);
}

/* 0 where zero is asked for, and rarely not. */
static uint32_t none(struct worker *worker)
{
	return below(worker, 16) ? 0 : (uint32_t)any(worker);
}

static void call_buffer(struct worker *worker)
{
	struct drm_hearth_bo_create create = {
		.size = page(worker),
		.placement = below(worker, 4),
		.flags = none(worker),
		.pad = none(worker),
	};
	struct drm_hearth_bo_info info = { .handle = small(worker) };

	struct drm_hearth_bo_userptr userptr = {
		.address = any(worker),
		.size = page(worker),
		.flags = below(worker, 8) ? below(worker, 2) : (uint32_t)any(worker),
	};

	unsigned int next;

	if (below(worker, 4)) {
		next = atomic_fetch_add(&lent_next, 1);
		if (next < LENT_BUFFERS)
			userptr.address = (uintptr_t)lent[8 * next];
	}
	if (!below(worker, 4))
		call(worker, DRM_IOCTL_HEARTH_BO_USERPTR, &userptr);
	call(worker, DRM_IOCTL_HEARTH_BO_CREATE, &create);
	if (!call(worker, DRM_IOCTL_HEARTH_BO_INFO, &info))
		worker->offset = info.mmap_offset;
	if (!below(worker, 3))
		hearth_drm_bo_close(fd, small(worker));
}

static void call_vm(struct worker *worker)
{
	struct drm_hearth_vm_create create = { .flags = none(worker) };
	struct drm_hearth_vm_destroy destroy = { .vm_id = small(worker), .pad = none(worker) };

	if (below(worker, 2))
		call(worker, DRM_IOCTL_HEARTH_VM_CREATE, &create);
	else
		call(worker, DRM_IOCTL_HEARTH_VM_DESTROY, &destroy);
}

static void call_bind(struct worker *worker)
{
	struct drm_hearth_vm_bind bind = {
		.vm_id = small(worker),
		.op = below(worker, 2),
		.flags = below(worker, 4),
		.handle = small(worker),
		.bo_offset = page(worker),
		.va = address(worker),
		.range = page(worker),
	};

	if (bind.op == DRM_HEARTH_VM_BIND_UNMAP && below(worker, 8))
		bind.flags = bind.handle = bind.bo_offset = 0;
	call(worker, DRM_IOCTL_HEARTH_VM_BIND, &bind);
}

static void call_queue(struct worker *worker)
{
	struct drm_hearth_queue_create create = {
		.vm_id = small(worker),
		.ring_log2 = small(worker),
		.ring_va = address(worker),
		.timeout_ms = none(worker),
		.priority = below(worker, 5),
		.flags = none(worker),
	};
	struct drm_hearth_queue_destroy destroy = { .queue_id = small(worker),
						    .pad = none(worker) };
	struct drm_hearth_queue_wait wait = {
		.queue_id = small(worker),
		.completed = small(worker),
		.timeout_ns = below(worker, 2) ? now_ns() + 1000 * below(worker, 1000) : -1,
	};
	struct drm_hearth_queue_state state = { .queue_id = small(worker) };

	switch (below(worker, 4)) {
	case 0:
		if (!call(worker, DRM_IOCTL_HEARTH_QUEUE_CREATE, &create))
			worker->offset =
				below(worker, 2) ? create.doorbell_offset : create.status_offset;
		break;
	case 1:
		call(worker, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &destroy);
		break;
	case 2:
		call(worker, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait);
		break;
	case 3:
		call(worker, DRM_IOCTL_HEARTH_QUEUE_STATE, &state);
	}
}

static void call_query(struct worker *worker)
{
	uint8_t room[8192];
	struct drm_hearth_dev_query query = {
		.type = below(worker, 8),
		.size = below(worker, 4) ? below(worker, sizeof(room)) : (uint32_t)any(worker),
		.pointer = below(worker, 4) ? (uintptr_t)room : any(worker),
	};

	/* What could be written must be memory of this program's own. */
	if (query.pointer == (uintptr_t)room || query.pointer < 4096 || query.pointer >> 47)
		call(worker, DRM_IOCTL_HEARTH_DEV_QUERY, &query);
}

/* Maps what was told last, and touches it: a doorbell may ring, a page may be the last of its buffer. */
static void call_map(struct worker *worker)
{
	int rights = below(worker, 2) ? PROT_READ : PROT_READ | PROT_WRITE;
	uint64_t size = 4096 * (1 + below(worker, 3));
	volatile uint64_t *map;

	map = mmap(NULL, size, rights, below(worker, 8) ? MAP_SHARED : MAP_PRIVATE, fd,
		   (off_t)(below(worker, 8) ? worker->offset : any(worker) & ~0xfffull));
	if (map == MAP_FAILED)
		return;
	if (rights & PROT_WRITE)
		map[below(worker, 512)] = small(worker);
	else
		(void)map[below(worker, 512)];
	munmap((void *)map, size);
}

/* Buffers go out as dma-bufs and come back, or another driver's come; several handles are one buffer. */
static void call_share(struct worker *worker)
{
	int dmabuf = -1;
	uint32_t handle;

	if (foreign >= 0 && !below(worker, 3))
		dmabuf = dup(foreign);
	else
		worker->right += !hearth_drm_bo_export(fd, small(worker), &dmabuf);
	if (!below(worker, 2))
		hearth_drm_bo_close(fd, small(worker));
	worker->right += !hearth_drm_bo_import(fd, dmabuf, &handle);
	if (dmabuf >= 0)
		close(dmabuf);
}

static int foreign_open(void)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 16 * 4096 };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), made = -1;
	int memfd = memfd_create("foreign", MFD_ALLOW_SEALING);

	create.memfd = (uint32_t)memfd;
	if (device >= 0 && !ftruncate(memfd, 16 * 4096) &&
	    !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		made = ioctl(device, UDMABUF_CREATE, &create);
	close(memfd);
	close(device);
	return made;
}

static void *run(void *data)
{
	static void (*const calls[])(struct worker *) = {
		call_buffer, call_vm,	 call_bind, call_bind,	call_queue,
		call_queue,  call_query, call_map,  call_share,
	};
	struct worker *worker = data;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		calls[below(worker, sizeof(calls) / sizeof(calls[0]))](worker);
		worker->done++;
	}
	return NULL;
}

int main(void)
{
	struct worker workers[THREADS] = { 0 };
	uint64_t before = board_free();
	struct context context;
	int i;

	fd = open_board();
	foreign = foreign_open();
	for (i = 0; i < THREADS; i++) {
		workers[i].state = 0x9e3779b97f4a7c15ull * (i + 1);
		pthread_create(&workers[i].thread, NULL, run, &workers[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		is(workers[i].done, ROUNDS, "random calls came back");
		ok(workers[i].right > ROUNDS / 20, "%lu ioctls among them succeeded",
		   workers[i].right);
	}
	close(fd);
	is(board_free(), before, "no board memory is lost");
	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, "and the board serves");
	context_close(&context);
	return done();
}
