// SPDX-License-Identifier: MIT
/*
 * A board is reset by hand under processes that use it: everything of theirs on the board ends and
 * says so, their buffers stay, and the same open files go on with new address spaces. Argument: how
 * often it is reset while other processes compute, fault and wait (default 3).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "load.h"

static char reset_path[128];

/* ---- What a reset is for one process ---- */

static void *sleeper(void *data)
{
	struct context *context = data;

	return (void *)(intptr_t)hearth_drm_queue_wait(&context->queue, context->queue.tail,
						       now_ns() + GUEST_WAIT_NS);
}

static int uevent_socket(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die("listen to uevents", -errno);
	return fd;
}

static bool has_line(const char *text, size_t size, const char *line)
{
	size_t at;

	for (at = 0; at < size; at += strlen(text + at) + 1)
		if (!strcmp(text + at, line))
			return true;
	return false;
}

static void check_uevent(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char text[2048];
	bool told = false;

	while (!told && poll(&ready, 1, 2000) == 1) {
		ssize_t size = recv(fd, text, sizeof(text) - 1, 0);

		if (size <= 0)
			break;
		text[size] = 0;
		told = has_line(text, size, "HEARTH_EVENT=reset") &&
		       has_line(text, size, "HEARTH_STATE=live") &&
		       has_line(text, size, "HEARTH_REASON=asked for") &&
		       has_line(text, size, "SUBSYSTEM=accel");
	}
	ok(told, "a uevent tells of it");
	close(fd);
}

/* The old address space and its queue, after the reset. */
static void check_old(struct context *context, struct buffer *host, uint32_t epoch)
{
	struct drm_hearth_queue_state state;
	struct hearth_drm_queue queue;

	is(hearth_drm_queue_state(&context->queue, &state), 0, "the old queue's state is told");
	is(state.state, HBI_QUEUE_ERROR, "it is dead");
	is(state.error, HBI_ERROR_CANCELED, "canceled");
	is(state.reset, DRM_HEARTH_RESET_INNOCENT, "by a reset that it is not to blame for");
	is(state.epoch, epoch, "and it is of the old epoch");
	is(context->queue.status->state, HBI_QUEUE_ERROR, "its status page says so, too");
	*context->queue.doorbell = 77;
	ok(true, "its doorbell rings in the void");
	is(hearth_drm_vm_unmap(context->fd, context->vm, host->va, host->size), -ECANCELED,
	   "nothing is unbound in the old address space");
	is(hearth_drm_vm_map(context->fd, context->vm, host->handle, 0, host->va, host->size, 0),
	   -ECANCELED, "nor bound");
	is(hearth_drm_queue_create(context->fd, context->vm, context->ring.va, context->ring.map, 8,
				   0, 0, &queue),
	   -ECANCELED, "no queue is made in it");
	is(hearth_drm_queue_destroy(&context->queue), 0, "its queue is destroyed");
	is(hearth_drm_vm_destroy(context->fd, context->vm), 0, "and it, too");
}

static void bind_again(struct context *context, struct buffer *buffer, uint32_t flags)
{
	int ret = hearth_drm_vm_map(context->fd, context->vm, buffer->handle, 0, buffer->va,
				    buffer->size, flags);

	if (ret)
		die("bind a buffer again", ret);
}

/* The same file and the same buffers, with a new address space and a new queue. */
static void check_new(struct context *context, struct buffer *board, struct buffer *host)
{
	volatile uint32_t *words = host->map;
	struct drm_hearth_queue_state state;

	is(hearth_drm_vm_create(context->fd, &context->vm), 0, "a new address space is made");
	bind_again(context, &context->ring, DRM_HEARTH_VM_BIND_READONLY);
	bind_again(context, board, 0);
	bind_again(context, host, 0);
	is(hearth_drm_queue_create(context->fd, context->vm, context->ring.va, context->ring.map, 8,
				   0, 0, &context->queue),
	   0, "and a queue");
	push_fill(context, board->va, 4096, 0x5eed);
	push_barrier(context);
	push_copy(context, board->va, host->va, 8192);
	is(context_submit(context), 0, "which works");
	is(words[1000], 0x5eed, "what it wrote is right");
	is(words[1500], 0x01010101, "and what was in board memory before");
	is(hearth_drm_queue_state(&context->queue, &state), 0, "its state is told");
	is(state.reset, DRM_HEARTH_RESET_NONE, "it has seen no reset");
	is(state.epoch, board_state(context->fd).epoch, "and is of the new epoch");
}

static void test_one(void)
{
	struct drm_hearth_query_state before, after;
	struct buffer board, host;
	struct context context;
	int events = uevent_socket();
	pthread_t thread;
	void *result;

	context_open(&context, 0);
	before = board_state(context.fd);
	is(before.state, DRM_HEARTH_STATE_LIVE, "the board is live");
	board = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	host = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_HOST, 0);
	memset(board.map, 1, board.size);
	memset(host.map, 2, host.size);
	push_wait(&context, host.va, ~0ull);
	hearth_drm_queue_ring(&context.queue);
	pthread_create(&thread, NULL, sleeper, &context);
	usleep(100000);

	is(write_text(reset_path, "1"), 0, "the board is reset");
	pthread_join(thread, &result);
	is((intptr_t)result, -ECANCELED, "the sleeper wakes");
	after = board_state(context.fd);
	is(after.state, DRM_HEARTH_STATE_LIVE, "the board is live again");
	is(after.epoch, before.epoch + 1, "in the next epoch");
	is(after.resets, before.resets + 1, "after one reset more");
	check_uevent(events);
	is(((volatile uint8_t *)board.map)[70000], 1, "mapped board memory is there");
	is(((volatile uint8_t *)host.map)[70000], 2, "host memory, too");
	check_old(&context, &host, before.epoch);
	check_new(&context, &board, &host);
	munmap(board.map, board.size);
	munmap(host.map, host.size);
	context_close(&context);
}

static void test_who(void)
{
	struct stat stat_buffer;
	uint32_t epoch;
	int status, fd = open_board();

	is(stat(reset_path, &stat_buffer), 0, "there is a file that resets");
	is(stat_buffer.st_mode & 0777, 0200, "which root alone may write, and nobody read");
	epoch = board_state(fd).epoch;
	is(write_text(reset_path, "0"), -EINVAL, "0 is no reset");
	is(write_text(reset_path, "11"), -EINVAL, "nor is 11");
	if (!fork())
		_exit(setuid(65534) || write_text(reset_path, "1") != -EACCES);
	wait(&status);
	is(status, 0, "nobody else resets it");
	is(board_state(fd).epoch, epoch, "and the board was not reset");
	close(fd);
}

/* ---- Resets under load ---- */

static void test_load(int count)
{
	int fd = open_board(), failed = 0, hung = 0, i;
	uint64_t free_before = board_free();
	uint32_t epoch = board_state(fd).epoch;
	struct load *load = load_start(false);

	for (i = 0; i < count && !hung; i++) {
		failed += write_text(reset_path, "1") != 0;
		hung = !load_goes_on(load);
	}
	is(failed, 0, "no reset under load fails");
	is(hung, 0, "work goes on after each");
	ok(load_end(load), "everybody was told rightly, and all results were right");
	is(board_state(fd).epoch, epoch + i, "epochs are counted");
	is(board_free(), free_before, "no board memory is lost");
	close(fd);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 3;

	snprintf(reset_path, sizeof(reset_path), "/sys/bus/pci/devices/%s/hearth/reset",
		 pci_of(guest_node()));
	test_who();
	test_one();
	test_load(count);
	return done();
}
