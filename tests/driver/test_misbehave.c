// SPDX-License-Identifier: MIT
/*
 * Boards that are wrong in small ways, as told by the argument: what that costs is bounded and told, a process that
 * is harmed is told or can see it, and all else goes on. Boards that stop or vanish are in test_broken.c and
 * test_recover.c; what the board does is in meson.build.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define DOORBELLS 10
#define BYTES	  4096

static struct context context;

static int ring_and_wait(int64_t ns)
{
	push_nop(&context);
	hearth_drm_queue_ring(&context.queue);
	return hearth_drm_queue_wait(&context.queue, context.queue.tail, now_ns() + ns);
}

/* More doorbells than those after which a board goes wrong. */
static int work(void)
{
	int ret = 0, i;

	for (i = 0; i < DOORBELLS && !ret; i++)
		ret = ring_and_wait(GUEST_WAIT_NS);
	return ret;
}

static void check_works(const char *what)
{
	context_open(&context, 0);
	is(ring_and_wait(GUEST_WAIT_NS), 0, what);
	context_close(&context);
}

static void settle(void)
{
	struct drm_hearth_query_state state = { 0 };
	int64_t limit = now_ns() + GUEST_WAIT_NS;

	do {
		usleep(20000);
		hearth_drm_query_state(context.fd, &state);
	} while (state.state == DRM_HEARTH_STATE_RESETTING && now_ns() < limit);
	is(state.state, DRM_HEARTH_STATE_LIVE, "the board is live");
	is(state.resets, 1, "after one reset");
}

/* Completions carry the id of another command: nothing that the board says can be trusted then. */
static void test_completion(void)
{
	uint32_t vm;
	int ret;

	context_open(&context, 0);
	is(work(), 0, "work goes on, which needs no command");
	ret = hearth_drm_vm_create(context.fd, &vm);
	ok(ret < 0, "a command that another answer comes to fails: %s", strerror(-ret));
	settle();
	ok(ring_and_wait(GUEST_WAIT_NS) == -ECANCELED, "the old context is told");
	context_close(&context);
	check_works("work is done again");
}

/* No interrupt comes: who sleeps sleeps until the time it asked for, and then has its result. Commands are looked at. */
static void test_interrupt(void)
{
	int64_t start;
	uint32_t vm;
	int i, ret = 0;

	context_open(&context, 0);
	start = now_ns();
	for (i = 0; i < DOORBELLS && !ret; i++)
		ret = ring_and_wait(500000000);
	is(ret, 0, "all waits end well, if late");
	ok(now_ns() - start < GUEST_WAIT_NS, "none after the time it gave");
	is(hearth_drm_vm_create(context.fd, &vm), 0, "commands are answered");
	is(hearth_drm_vm_destroy(context.fd, vm), 0, "and again");
	context_close(&context);
	check_works("and all is closed");
}

static void copy_from_host(struct buffer *from, struct buffer *to)
{
	*from = context_buffer(&context, BYTES, DRM_HEARTH_PLACEMENT_HOST, 0);
	*to = context_buffer(&context, BYTES, DRM_HEARTH_PLACEMENT_BOARD, 0);
	memset(from->map, 0x5a, BYTES);
	memset(to->map, 0, BYTES);
	push_copy(&context, from->va, to->va, BYTES);
}

/* The host refuses what it should not: the context ends and knows why. Commands are no copies of a queue. */
static void test_dma(void)
{
	struct drm_hearth_queue_state state;
	struct buffer from, to;
	uint32_t vm;

	context_open(&context, 0);
	copy_from_host(&from, &to);
	is(context_submit(&context), -ECANCELED, "a copy that the host refuses ends its context");
	is(hearth_drm_queue_state(&context.queue, &state), 0, "which is told");
	is(state.error, HBI_ERROR_HOST_DMA, "of which error");
	is(state.reset, DRM_HEARTH_RESET_NONE, "the board was not reset");
	is(hearth_drm_vm_create(context.fd, &vm), 0, "and serves");
	context_close(&context);
}

/* Copies change a byte: only who looks at the data can know. */
static void test_corrupt(void)
{
	struct buffer from, to;
	const uint8_t *bytes;
	int i, wrong = 0;

	context_open(&context, 0);
	copy_from_host(&from, &to);
	is(context_submit(&context), 0, "a copy ends");
	bytes = to.map;
	for (i = 0; i < BYTES; i++)
		wrong += bytes[i] != 0x5a;
	is(wrong, 1, "one byte of it is wrong, and no byte beside");
	context_close(&context);
	check_works("all is closed, and work goes on");
}

static void test_slow(void)
{
	struct buffer from, to;

	context_open(&context, 0);
	copy_from_host(&from, &to);
	is(context_submit(&context), 0, "a copy ends");
	is(memcmp(from.map, to.map, BYTES), 0, "and is right");
	is(work(), 0, "work goes on");
	context_close(&context);
	check_works("nobody lost patience");
}

/* The status page is never written: who waits gets the end of its time, or a reset. */
static void test_status(void)
{
	int ret;

	context_open(&context, 0);
	ret = ring_and_wait(1000000000);
	ok(ret == -ETIME || ret == -ECANCELED, "a wait ends: %s", strerror(-ret));
	is(hearth_drm_queue_destroy(&context.queue), 0, "the queue can be destroyed");
	close(context.fd);
	context_open(&context, 0);
	context_close(&context);
	ok(true, "others are made and closed");
}

/* A reset does not show in GENERATION: the driver asks the state, not the count. */
static void test_generation(void)
{
	const char *node = strrchr(guest_node(), '/');
	char path[128];
	int fd, ret;

	context_open(&context, 0);
	is(work(), 0, "work is done");
	snprintf(path, sizeof(path), "/sys/class/accel%s/device/hearth/reset", node);
	fd = open(path, O_WRONLY);
	ret = fd >= 0 && write(fd, "1", 1) == 1 ? 0 : -errno;
	close(fd);
	is(ret, 0, "the board is reset by hand");
	settle();
	context_close(&context);
	check_works("work is done again");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *how;
		void (*test)(void);
	} tests[] = {
		{ "completion", test_completion },
		{ "interrupt", test_interrupt },
		{ "dma", test_dma },
		{ "corrupt", test_corrupt },
		{ "slow", test_slow },
		{ "status", test_status },
		{ "generation", test_generation },
	};
	unsigned int i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (argc > 1 && !strcmp(argv[1], tests[i].how))
			tests[i].test();
	return done();
}
