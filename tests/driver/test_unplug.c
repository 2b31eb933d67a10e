// SPDX-License-Identifier: MIT
/*
 * The driver is unbound, and the PCI function removed, under a process that uses all there is: its
 * calls fail, its sleepers wake, its mappings stay harmless, and after it the board can be used again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

static char pci[16];

static void find_pci(void)
{
	struct hearth_drm_board board;

	is(hearth_drm_discover(&board, 1), 1, "one board is found");
	ok(!strcmp(board.driver, "hearth") && !strcmp(board.node, guest_node()), "as %s",
	   board.node);
	memcpy(pci, board.pci, sizeof(pci));
}

static void *sleeper(void *data)
{
	struct context *context = data;
	struct drm_hearth_queue_wait args = {
		.queue_id = context->queue.queue_id,
		.completed = context->queue.tail,
		.timeout_ns = now_ns() + GUEST_WAIT_NS,
	};

	return (void *)(intptr_t)raw_ioctl(context->fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &args);
}

static void pull(const char *what, const char *path, const char *text)
{
	struct drm_hearth_bo_create create = { 4096, DRM_HEARTH_PLACEMENT_HOST };
	struct drm_hearth_query_memory memory;
	struct buffer board, untouched, host;
	struct context context;
	pthread_t thread;
	void *result;
	uint32_t vm;

	context_open(&context, 0);
	board = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	untouched = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	host = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_HOST, 0);
	memset(board.map, 1, board.size);
	memset(host.map, 2, host.size);
	push_wait(&context, host.va, ~0ull);
	hearth_drm_queue_ring(&context.queue);
	pthread_create(&thread, NULL, sleeper, &context);
	usleep(100000);

	put_text(path, text);
	ok(true, "%s", what);
	pthread_join(thread, &result);
	is((intptr_t)result, -ENODEV, "the sleeper wakes");
	is(hearth_drm_query_memory(context.fd, &memory), -ENODEV, "a query fails");
	is(raw_ioctl(context.fd, DRM_IOCTL_HEARTH_BO_CREATE, &create), -ENODEV, "a buffer fails");
	is(hearth_drm_vm_create(context.fd, &vm), -ENODEV, "an address space fails");
	is(hearth_drm_vm_unmap(context.fd, context.vm, host.va, 4096), -ENODEV, "an unbind fails");
	*context.queue.doorbell = 5;
	ok(true, "the doorbell rings in the void");
	((volatile uint8_t *)board.map)[5000] = 9;
	is(((volatile uint8_t *)board.map)[5000], 9, "mapped board memory can be written and read");
	is(((volatile uint8_t *)untouched.map)[0], 0, "and for the first time");
	is(((volatile uint8_t *)host.map)[77777], 2, "host memory stays");
	ok(context.queue.status->completed < ~0ull, "the status page can be read");
	munmap(board.map, board.size);
	munmap(untouched.map, untouched.size);
	munmap(host.map, host.size);
	context_close(&context);
}

static void again(const char *what)
{
	struct context context;

	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, what);
	context_close(&context);
}

int main(void)
{
	char path[96];
	int i;

	find_pci();
	for (i = 0; i < 3; i++) {
		pull("the driver is unbound", "/sys/bus/pci/drivers/hearth/unbind", pci);
		ok(driver_bind(pci, NULL), "and bound again");
		again("the board serves");
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", pci);
	pull("the function is removed", path, "1");
	put_text("/sys/bus/pci/rescan", "1");
	ok(node_comes(NULL), "and found again");
	again("the board serves");
	return done();
}
