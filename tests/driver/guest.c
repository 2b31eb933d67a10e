// SPDX-License-Identifier: MIT
/* See guest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <hearth/kernel_abi.h>

#include "../board/kernels.h"
#include "guest.h"

#define RING_LOG2      8
#define ARG_SLOT       4096
#define ARG_SLOTS      16
#define SCRATCH_STRIDE 16384

static int count, failed;

void ok(bool pass, const char *format, ...)
{
	va_list list;

	printf("%sok %d - ", pass ? "" : "not ", ++count);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
	failed += !pass;
}

void is(int64_t found, int64_t expected, const char *what)
{
	ok(found == expected, "%s", what);
	if (found != expected)
		printf("#   found %lld, expected %lld\n", (long long)found, (long long)expected);
}

void skip(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++count, what, why);
}

int done(void)
{
	printf("1..%d\n", count);
	return failed ? 1 : 0;
}

int guest_canceled_status;

void die(const char *what, int ret)
{
	if (guest_canceled_status &&
	    (ret == -ECANCELED || ret == -ENODEV || ret == -ENOENT || ret == -ENXIO))
		_exit(guest_canceled_status);
	printf("not ok %d - %s: %s\nBail out!\n", ++count, what, strerror(-ret));
	fflush(stdout);
	_exit(1);
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

int raw_ioctl(int fd, unsigned long request, void *args)
{
	return ioctl(fd, request, args) ? -errno : 0;
}

const char *guest_node(void)
{
	static char found[32];
	const char *node = getenv("GUEST_NODE");
	int i;

	/* A board that comes back while a file of before is still open gets another number. */
	for (i = 0; !node && i < 16; i++) {
		snprintf(found, sizeof(found), "/dev/accel/accel%d", i);
		if (!access(found, F_OK))
			node = found;
	}
	return node ? node : "/dev/accel/accel0";
}

int open_board(void)
{
	int fd = hearth_drm_open(guest_node());

	if (fd < 0)
		die(guest_node(), fd);
	return fd;
}

struct buffer context_buffer(struct context *context, uint64_t size, uint32_t placement,
			     uint32_t flags)
{
	struct buffer buffer = { .va = context->next_va };
	struct drm_hearth_bo_info info;
	int ret;

	ret = hearth_drm_bo_create(context->fd, size, placement, &buffer.handle);
	if (ret)
		die("create a buffer", ret);
	ret = hearth_drm_bo_info(context->fd, buffer.handle, &info);
	if (ret)
		die("ask about a buffer", ret);
	buffer.size = info.size;
	ret = hearth_drm_bo_map(context->fd, buffer.handle, info.size, &buffer.map);
	if (ret)
		die("map a buffer", ret);
	ret = hearth_drm_vm_map(context->fd, context->vm, buffer.handle, 0, buffer.va, info.size,
				flags);
	if (ret)
		die("bind a buffer", ret);
	/* A page of nothing between any two. */
	context->next_va += info.size + 4096;
	return buffer;
}

void context_open(struct context *context, uint32_t timeout_ms)
{
	int ret;

	memset(context, 0, sizeof(*context));
	context->fd = open_board();
	context->next_va = GUEST_FIRST_VA;
	ret = hearth_drm_query_device(context->fd, &context->device);
	if (ret)
		die("query the device", ret);
	ret = hearth_drm_vm_create(context->fd, &context->vm);
	if (ret)
		die("create an address space", ret);
	context->ring = context_buffer(context, HBI_PACKET_SIZE << RING_LOG2,
				       DRM_HEARTH_PLACEMENT_HOST, DRM_HEARTH_VM_BIND_READONLY);
	ret = hearth_drm_queue_create(context->fd, context->vm, context->ring.va, context->ring.map,
				      RING_LOG2, timeout_ms, 0, &context->queue);
	if (ret)
		die("create a queue", ret);
}

static void buffer_unmap(struct buffer *buffer)
{
	if (buffer->map)
		munmap(buffer->map, buffer->size);
}

void context_close(struct context *context)
{
	hearth_drm_queue_destroy(&context->queue);
	buffer_unmap(&context->ring);
	buffer_unmap(&context->code);
	buffer_unmap(&context->args);
	buffer_unmap(&context->scratch);
	close(context->fd);
}

void context_load_kernels(struct context *context)
{
	uint32_t workers = context->device.workers;
	int file = open(GUEST_KERNELS, O_RDONLY);
	union hbi_packet sync = { .sync_code = { .header.type = HBI_PACKET_SYNC_CODE } };
	struct stat stat;
	int ret;

	if (file < 0 || fstat(file, &stat))
		die("open " GUEST_KERNELS, -errno);
	context->code = context_buffer(context, stat.st_size, DRM_HEARTH_PLACEMENT_BOARD,
				       DRM_HEARTH_VM_BIND_EXEC);
	if (read(file, context->code.map, stat.st_size) != stat.st_size)
		die("read " GUEST_KERNELS, -EIO);
	close(file);
	context->args =
		context_buffer(context, ARG_SLOT * ARG_SLOTS, DRM_HEARTH_PLACEMENT_BOARD, 0);
	context->scratch = context_buffer(context, (uint64_t)SCRATCH_STRIDE * workers,
					  DRM_HEARTH_PLACEMENT_BOARD, 0);
	sync.sync_code.address = context->code.va;
	sync.sync_code.size = (stat.st_size + 7) & ~7;
	context_push(context, &sync);
	ret = context_submit(context);
	if (ret)
		die("SYNC_CODE", ret);
}

void context_push(struct context *context, const union hbi_packet *packet)
{
	struct hearth_drm_queue *queue = &context->queue;

	while (!hearth_drm_queue_space(queue)) {
		int ret;

		hearth_drm_queue_ring(queue);
		ret = hearth_drm_queue_wait(queue, queue->tail, now_ns() + GUEST_WAIT_NS);
		if (ret)
			die("wait for space in the ring", ret);
	}
	hearth_drm_queue_push(queue, packet);
}

int context_submit(struct context *context)
{
	hearth_drm_queue_ring(&context->queue);
	return hearth_drm_queue_wait(&context->queue, context->queue.tail,
				     now_ns() + GUEST_WAIT_NS);
}

void push_nop(struct context *context)
{
	union hbi_packet packet = { .header.type = HBI_PACKET_NOP };

	context_push(context, &packet);
}

void push_barrier(struct context *context)
{
	union hbi_packet packet = { .header.type = HBI_PACKET_BARRIER };

	context_push(context, &packet);
}

void push_copy(struct context *context, uint64_t source, uint64_t destination, uint64_t size)
{
	union hbi_packet packet = {
		.copy = {
			.header.type = HBI_PACKET_COPY,
			.source = source,
			.destination = destination,
			.size = size,
		},
	};

	context_push(context, &packet);
}

void push_fill(struct context *context, uint64_t destination, uint64_t size, uint32_t value)
{
	union hbi_packet packet = {
		.fill = {
			.header.type = HBI_PACKET_FILL,
			.destination = destination,
			.size = size,
			.value = value,
		},
	};

	context_push(context, &packet);
}

void push_signal(struct context *context, uint64_t address, uint64_t value)
{
	union hbi_packet packet = {
		.signal = {
			.header.type = HBI_PACKET_SIGNAL,
			.address = address,
			.value = value,
		},
	};

	context_push(context, &packet);
}

void push_wait(struct context *context, uint64_t address, uint64_t value)
{
	union hbi_packet packet = {
		.signal = {
			.header.type = HBI_PACKET_WAIT,
			.address = address,
			.value = value,
		},
	};

	context_push(context, &packet);
}

void push_dispatch(struct context *context, unsigned int kernel, unsigned int slot, uint64_t out,
		   uint64_t extra, uint32_t groups)
{
	uint8_t *block = (uint8_t *)context->args.map + ARG_SLOT * slot;
	union hbi_packet packet = {
		.dispatch = {
			.header.type = HBI_PACKET_DISPATCH,
			.groups = { groups, 1, 1 },
			.scratch_stride = SCRATCH_STRIDE,
			.code = context->code.va + kernel * KERNEL_SLOT,
			.args = context->args.va + ARG_SLOT * slot,
			.scratch = context->scratch.va,
		},
	};

	memcpy(block + 16, &out, sizeof(out));
	memcpy(block + 24, &extra, sizeof(extra));
	context_push(context, &packet);
}
