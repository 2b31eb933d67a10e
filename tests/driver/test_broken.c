// SPDX-License-Identifier: MIT
/*
 * A board that breaks its contract, which the suite started as test_broken HOW: the driver notices,
 * nobody is left asleep, every call ends, and closing everything is possible.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "hang";
	struct context context;
	uint32_t vm = 0;
	int ret = 0, i;

	context_open(&context, 0);
	/* Doorbells until the board goes wrong: it was told to after a few. */
	for (i = 0; i < 20 && !ret; i++) {
		push_nop(&context);
		hearth_drm_queue_ring(&context.queue);
		ret = hearth_drm_queue_wait(&context.queue, context.queue.tail,
					    now_ns() + 1000000000);
	}
	ok(ret == -ETIME || ret == -ECANCELED || ret == -ENODEV,
	   "%s: work is not done any more: %d", how, ret);
	ret = hearth_drm_vm_create(context.fd, &vm);
	ok(ret == -EIO || ret == -ENODEV, "an admin command ends with an error: %d", ret);
	ret = hearth_drm_queue_wait(&context.queue, context.queue.tail, now_ns() + GUEST_WAIT_NS);
	ok(ret == -ECANCELED || ret == -ENODEV, "then waits are canceled: %d", ret);
	ret = hearth_drm_vm_create(context.fd, &vm);
	ok(ret == -EIO || ret == -ENODEV, "and nothing new begins: %d", ret);
	context_close(&context);
	ok(true, "all is closed");
	return done();
}
