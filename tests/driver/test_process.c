// SPDX-License-Identifier: MIT
/* Several processes at once; processes that fork, are interrupted, or are killed at work. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../board/kernels.h"
#include "guest.h"

/* @rounds of fill, dispatch and copy back with numbers of its own. Returns how many words were wrong. */
static long compute(uint32_t seed, int rounds)
{
	struct context context;
	struct buffer board, host;
	volatile uint32_t *words;
	long wrong = 0;
	int i;

	context_open(&context, 0);
	context_load_kernels(&context);
	board = context_buffer(&context, 16384, DRM_HEARTH_PLACEMENT_BOARD, 0);
	host = context_buffer(&context, 16384, DRM_HEARTH_PLACEMENT_HOST, 0);
	words = host.map;
	while (rounds--) {
		push_fill(&context, board.va, 16384, seed);
		push_barrier(&context);
		push_dispatch(&context, KERNEL_MARK, 0, board.va, 0, 2048);
		push_barrier(&context);
		push_copy(&context, board.va, host.va, 16384);
		if (context_submit(&context))
			return -1;
		for (i = 0; i < 4096; i++)
			wrong += words[i] != seed + (i < 2048);
		seed++;
	}
	context_close(&context);
	return wrong;
}

static void test_together(void)
{
	pid_t children[4];
	int i, status, bad = 0;

	for (i = 0; i < 4; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(compute(0x1000000 * (i + 1), 30) ? 1 : 0);
	}
	for (i = 0; i < 4; i++) {
		waitpid(children[i], &status, 0);
		bad += !!status;
	}
	is(bad, 0, "4 processes compute at once, all results right");
}

static void test_killed(void)
{
	uint64_t before = board_free();
	int i, status;

	for (i = 0; i < 12; i++) {
		pid_t child = fork();

		if (!child) {
			struct context context;

			if (i % 3) {
				compute(i, 1000000);
			} else {
				/* Asleep for a kernel that does not end. */
				context_open(&context, 0);
				context_load_kernels(&context);
				push_dispatch(&context, KERNEL_SPIN, 0, 0, 0, 4);
				context_submit(&context);
			}
			_exit(0);
		}
		usleep(100000 + 20000 * i);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	is(board_free(), before, "12 processes killed at work leave nothing behind");
	is(compute(5, 3), 0, "and the board serves on");
}

static void test_forked(void)
{
	struct context context;
	int status;
	pid_t child;

	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, "a packet before the fork");
	child = fork();
	if (!child) {
		/* The doorbell does not come along: ringing it ends the child, not the parent's queue. */
		*context.queue.doorbell = 99;
		_exit(0);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "the doorbell is not inherited");
	push_nop(&context);
	is(context_submit(&context), 0, "a packet after it");
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, &status, 0);
	push_nop(&context);
	is(context_submit(&context), 0, "and after the child's end");
	context_close(&context);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void test_interrupted(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct drm_hearth_queue_wait wait = { .completed = 1 };
	struct context context;

	context_open(&context, 0);
	sigaction(SIGALRM, &action, NULL);
	wait.queue_id = context.queue.queue_id;
	wait.timeout_ns = now_ns() + GUEST_WAIT_NS;
	ualarm(50000, 0);
	is(raw_ioctl(context.fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -EINTR,
	   "a signal ends a wait");
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	wait.timeout_ns = now_ns() + 300000000;
	ualarm(50000, 0);
	is(raw_ioctl(context.fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &wait), -ETIME,
	   "or it is started again and still ends in time");
	ok(now_ns() - wait.timeout_ns < 5000000000ll, "near that");
	context_close(&context);
}

/* Closed with everything open: the kernel takes it down in order. */
static void test_careless(void)
{
	uint64_t before = board_free();
	struct context context;
	int i;

	for (i = 0; i < 10; i++) {
		context_open(&context, 0);
		context_load_kernels(&context);
		push_dispatch(&context, KERNEL_SPIN, 0, 0, 0, 4);
		hearth_drm_queue_ring(&context.queue);
		close(context.fd);
		/* Mappings keep the file; they go now. */
		munmap((void *)context.queue.doorbell, 4096);
		munmap((void *)context.queue.status, 4096);
		munmap(context.ring.map, context.ring.size);
		munmap(context.code.map, context.code.size);
		munmap(context.args.map, context.args.size);
		munmap(context.scratch.map, context.scratch.size);
	}
	is(board_free(), before, "10 files closed at work leave nothing behind");
	is(compute(9, 2), 0, "and the board serves on");
}

int main(void)
{
	is(compute(1, 2), 0, "one process computes");
	test_together();
	test_forked();
	test_interrupted();
	test_killed();
	test_careless();
	return done();
}
