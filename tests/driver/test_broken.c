// SPDX-License-Identifier: MIT
/*
 * Boards that break their contract after a few doorbells, as told by the argument: what the driver
 * can notice it notices, nobody is left asleep, every call ends, and closing everything is possible.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* More than the doorbells after which the boards of the suite go wrong. */
#define DOORBELLS 20

static struct context context;

/* The first error of so many packets, or 0. */
static int work(void)
{
	int ret = 0, i;

	for (i = 0; i < DOORBELLS && !ret; i++) {
		push_nop(&context);
		hearth_drm_queue_ring(&context.queue);
		ret = hearth_drm_queue_wait(&context.queue, context.queue.tail,
					    now_ns() + 1000000000);
	}
	return ret;
}

static void given_up(void)
{
	struct drm_hearth_query_memory memory;
	struct drm_hearth_queue_state state;
	uint32_t vm, handle;
	int ret;

	push_nop(&context);
	hearth_drm_queue_ring(&context.queue);
	ret = hearth_drm_queue_wait(&context.queue, context.queue.tail, now_ns() + GUEST_WAIT_NS);
	ok(ret == -ECANCELED || ret == -ENODEV, "waits are canceled: %s", strerror(-ret));
	is(hearth_drm_queue_state(&context.queue, &state), 0, "the queue's state is told");
	is(state.state, HBI_QUEUE_ERROR, "as an error");
	ret = hearth_drm_vm_create(context.fd, &vm);
	ok(ret == -EIO || ret == -ENODEV, "no address space is made: %s", strerror(-ret));
	ret = hearth_drm_bo_create(context.fd, 4096, DRM_HEARTH_PLACEMENT_HOST, &handle);
	ok(ret == -EIO || ret == -ENODEV, "nor a buffer: %s", strerror(-ret));
	is(hearth_drm_query_memory(context.fd, &memory), 0, "what needs no board still works");
}

/* The SoC stops, or the whole board is gone: only the answer to a command fails to come. */
static void test_silent(const char *how)
{
	uint32_t vm;
	int ret = work();

	ok(ret == -ETIME || ret == -ECANCELED || ret == -ENODEV, "%s: work is not done: %s", how,
	   strerror(-ret));
	ret = hearth_drm_vm_create(context.fd, &vm);
	ok(ret == -EIO || ret == -ENODEV, "a command that is not answered ends: %s",
	   strerror(-ret));
	given_up();
}

/* Registers read as all ones. No submission reads any; the first query that does finds out. */
static void test_all_ones(void)
{
	struct drm_hearth_query_firmware firmware;

	is(work(), 0, "work goes on, since it reads no register");
	is(hearth_drm_query_firmware(context.fd, &firmware), -ENODEV,
	   "a query finds the board gone");
	given_up();
}

/* Registers read as noise: nothing that counts depends on them. */
static void test_garbage(void)
{
	struct drm_hearth_query_firmware firmware;
	uint32_t vm;

	is(work(), 0, "work goes on, since it reads no register");
	is(hearth_drm_vm_create(context.fd, &vm), 0, "so do commands");
	is(hearth_drm_vm_destroy(context.fd, vm), 0, "both ways");
	is(hearth_drm_query_firmware(context.fd, &firmware), 0, "a query tells what is there");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "hang";

	context_open(&context, 0);
	if (!strcmp(how, "allones"))
		test_all_ones();
	else if (!strcmp(how, "garbage"))
		test_garbage();
	else
		test_silent(how);
	context_close(&context);
	ok(true, "all is closed");
	return done();
}
