// SPDX-License-Identifier: MIT
/*
 * Boards that break their contract and are well again after a reset, as told by the argument: the
 * driver finds out by itself, resets the board, and tells each context whether it is to blame; not
 * for ever, if it does not help. What the board does is in meson.build.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define DOORBELLS 20

/* Rings until the board no longer does what it is asked to. */
static int work(struct context *context)
{
	int ret = 0, i;

	for (i = 0; i < DOORBELLS && !ret; i++) {
		push_nop(context);
		hearth_drm_queue_ring(&context->queue);
		ret = hearth_drm_queue_wait(&context->queue, context->queue.tail,
					    now_ns() + GUEST_WAIT_NS);
	}
	return ret;
}

static void check_reset(struct context *context, uint32_t expected, const char *what)
{
	struct drm_hearth_queue_state state;

	is(hearth_drm_queue_state(&context->queue, &state), 0, "the state of a queue is told");
	is(state.state, HBI_QUEUE_ERROR, "it is dead");
	is(state.reset, expected, what);
}

static void check_works(const char *what)
{
	struct context context;

	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, what);
	context_close(&context);
}

/* The state once no reset is under way. */
static struct drm_hearth_query_state settled(int fd)
{
	int64_t limit = now_ns() + GUEST_WAIT_NS;
	struct drm_hearth_query_state state;

	do {
		usleep(20000);
		state = board_state(fd);
	} while (state.state == DRM_HEARTH_STATE_RESETTING && now_ns() < limit);
	return state;
}

static int reset_by_hand(void)
{
	const char *node = strrchr(guest_node(), '/');
	char path[128];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/class/accel%s/device/hearth/reset", node);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

/* The firmware stops while somebody sleeps, who makes no other call: the driver looks by itself. */
static void test_hang(void)
{
	struct context idle, context;
	struct drm_hearth_query_state state;

	context_open(&idle, 0);
	context_open(&context, 0);
	is(work(&context), -ECANCELED, "who sleeps for a board that has stopped is woken");
	state = settled(context.fd);
	is(state.state, DRM_HEARTH_STATE_LIVE, "the board is live again");
	is(state.resets, 1, "after one reset");
	check_reset(&context, DRM_HEARTH_RESET_INNOCENT, "nobody is to blame");
	check_reset(&idle, DRM_HEARTH_RESET_INNOCENT, "nor is who did nothing");
	context_close(&context);
	context_close(&idle);
	check_works("work is done again");
}

/* What the board cannot end while its firmware serves is to blame; nothing else is. */
static void test_guilty(void)
{
	struct hearth_drm_queue second;
	struct context innocent, guilty;
	int ret;

	context_open(&innocent, 0);
	context_open(&guilty, 0);
	ret = hearth_drm_queue_create(guilty.fd, guilty.vm, guilty.ring.va, guilty.ring.map, 2, 0,
				      0, &second);
	if (ret)
		die("a second queue", ret);
	is(work(&guilty), 0, "work goes on");
	is(hearth_drm_queue_destroy(&second), 0,
	   "a queue is destroyed, which the board does not confirm");
	is(settled(guilty.fd).state, DRM_HEARTH_STATE_LIVE, "the board was reset");
	is(board_state(guilty.fd).resets, 1, "once");
	check_reset(&guilty, DRM_HEARTH_RESET_GUILTY, "its address space is to blame");
	check_reset(&innocent, DRM_HEARTH_RESET_INNOCENT, "the other is not");
	context_close(&guilty);
	context_close(&innocent);
	check_works("work is done again");
}

/* It does not help: after some resets the board stays failed, but not if somebody says so. */
static void test_limit(void)
{
	struct drm_hearth_query_state state;
	struct context context;
	uint32_t vm;
	int fd = open_board(), lives = 0;

	do {
		context_open(&context, 0);
		is(work(&context), -ECANCELED, "the board stops");
		context_close(&context);
		state = settled(fd);
		lives++;
	} while (state.state == DRM_HEARTH_STATE_LIVE && lives < 10);
	is(state.state, DRM_HEARTH_STATE_FAILED, "in the end it stays failed");
	is(state.resets, 3, "after three resets");
	is(lives, 4, "and four failures");
	is(hearth_drm_vm_create(fd, &vm), -EIO, "it serves nobody");
	is(reset_by_hand(), 0, "it is reset by hand");
	is(board_state(fd).state, DRM_HEARTH_STATE_LIVE, "and is live");
	is(hearth_drm_vm_create(fd, &vm), 0, "and serves");
	close(fd);
}

/* Nothing answers; but it is still there. */
static void test_gone(void)
{
	struct drm_hearth_query_firmware firmware;
	struct context context;

	context_open(&context, 0);
	work(&context);
	hearth_drm_query_firmware(context.fd, &firmware);
	is(board_state(context.fd).state, DRM_HEARTH_STATE_GONE, "the board is gone");
	is(reset_by_hand(), 0, "it is reset by hand all the same");
	is(board_state(context.fd).state, DRM_HEARTH_STATE_LIVE, "and is there again");
	check_reset(&context, DRM_HEARTH_RESET_INNOCENT, "nobody is to blame");
	context_close(&context);
	check_works("work is done again");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "hang";

	if (!strcmp(how, "guilty"))
		test_guilty();
	else if (!strcmp(how, "limit"))
		test_limit();
	else if (!strcmp(how, "gone"))
		test_gone();
	else
		test_hang();
	return done();
}
