// SPDX-License-Identifier: MIT
/* Queues: every packet, rings that go round, sleeping and waking, kernels on the cores, priority. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../board/kernels.h"
#include "guest.h"

static void test_packets(void)
{
	struct buffer board, host;
	struct context context;
	volatile uint64_t *words;
	volatile uint32_t *filled;
	uint64_t doorbells;
	bool right = true;
	int i;

	context_open(&context, 0);
	board = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	host = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_HOST, 0);
	words = host.map;

	push_nop(&context);
	is(context_submit(&context), 0, "NOP");
	for (i = 0; i < 1 << 17; i++)
		words[i] = i * 0x9e3779b97f4a7c15ull;
	push_copy(&context, host.va, board.va, 1 << 20);
	push_fill(&context, board.va + 4096, 8192, 0xabcd1234);
	is(context_submit(&context), 0, "COPY to the board and FILL");
	push_fill(&context, host.va, 1 << 20, 0);
	push_barrier(&context);
	push_copy(&context, board.va, host.va, 1 << 20);
	push_barrier(&context);
	push_signal(&context, host.va + 8, 77);
	doorbells = context.queue.doorbells;
	is(context_submit(&context), 0, "FILL, BARRIER, COPY, BARRIER, SIGNAL in one batch");
	is(context.queue.doorbells - doorbells, 1, "with one doorbell");
	is(words[1], 77, "SIGNAL is last");
	filled = (volatile uint32_t *)host.map;
	for (i = 0; i < 1 << 17 && right; i++) {
		if (i >= 512 && i < 1536)
			right = filled[2 * i] == 0xabcd1234 && filled[2 * i + 1] == 0xabcd1234;
		else if (i != 1)
			right = words[i] == i * 0x9e3779b97f4a7c15ull;
	}
	ok(right, "1 MiB went to the board and back");

	push_copy(&context, host.va + 3, board.va + 4099, 1001);
	push_barrier(&context);
	push_copy(&context, board.va + 4099, host.va + 65537, 1001);
	is(context_submit(&context), 0, "COPY at odd addresses");
	ok(!memcmp((uint8_t *)host.map + 3, (uint8_t *)host.map + 65537, 1001), "is right");
	context_close(&context);
}

static void test_time(void)
{
	union hbi_packet stamp = { .timestamp = { .header.type = HBI_PACKET_TIMESTAMP } };
	struct context context;
	volatile uint64_t *words;
	struct buffer host;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	words = host.map;
	stamp.timestamp.address = host.va;
	context_push(&context, &stamp);
	stamp.timestamp.address = host.va + 8;
	context_push(&context, &stamp);
	is(context_submit(&context), 0, "two TIMESTAMPs");
	ok(words[0] && words[1] >= words[0], "time goes on");
	context_close(&context);
}

static void test_indirect(void)
{
	union hbi_packet call = { .indirect = { .header.type = HBI_PACKET_INDIRECT } };
	struct buffer list, host;
	struct context context;
	union hbi_packet *packets;
	volatile uint64_t *words;
	bool right = true;
	uint64_t before;
	int i;

	context_open(&context, 0);
	list = context_buffer(&context, 300 * HBI_PACKET_SIZE, DRM_HEARTH_PLACEMENT_BOARD, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	packets = list.map;
	words = host.map;
	for (i = 0; i < 300; i++)
		packets[i] = (union hbi_packet){
			.signal = { .header.type = HBI_PACKET_SIGNAL,
				    .address = host.va + 8 * i,
				    .value = i + 1 },
		};
	call.indirect.address = list.va;
	call.indirect.count = 300;
	before = context.queue.tail;
	context_push(&context, &call);
	is(context_submit(&context), 0, "INDIRECT of 300 packets");
	is(hearth_drm_queue_completed(&context.queue) - before, 1, "counts as one");
	for (i = 0; i < 300; i++)
		right = right && words[i] == (uint64_t)i + 1;
	ok(right, "all of them were executed");
	context_close(&context);
}

static void test_ring(void)
{
	struct context context;
	volatile uint64_t *words;
	struct buffer host;
	bool right = true;
	int i, k, ret = 0;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	words = host.map;
	for (i = 0; i < 40 && !ret; i++) {
		for (k = 0; k < 1 + i * 6; k++)
			push_signal(&context, host.va, context.queue.tail + 1);
		ret = context_submit(&context);
		right = right && words[0] == context.queue.tail;
	}
	is(ret, 0, "40 batches of 1 to 235 packets");
	ok(right, "each is done when it is waited for");
	is(hearth_drm_queue_completed(&context.queue), context.queue.tail, "all are counted");
	context_close(&context);
}

static void test_sleep(void)
{
	struct drm_hearth_queue_state before, after;
	struct context context;
	volatile uint64_t *words;
	struct buffer host;
	int i, ret = 0;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	words = host.map;
	push_wait(&context, host.va, 1);
	hearth_drm_queue_ring(&context.queue);
	is(hearth_drm_queue_wait(&context.queue, context.queue.tail, now_ns() + 100000000), -ETIME,
	   "a WAIT packet waits");
	words[0] = 1;
	is(context_submit(&context), 0, "until the host writes");

	hearth_drm_queue_state(&context.queue, &before);
	for (i = 2; i < 22 && !ret; i++) {
		push_wait(&context, host.va, i);
		hearth_drm_queue_ring(&context.queue);
		/* Asleep before it can be done. */
		ret = hearth_drm_queue_wait(&context.queue, context.queue.tail, now_ns() + 2000000);
		if (ret == -ETIME)
			ret = 0;
		words[0] = i;
		ret = ret ?: context_submit(&context);
	}
	hearth_drm_queue_state(&context.queue, &after);
	is(ret, 0, "20 times asleep and awake");
	ok(after.interrupts > before.interrupts, "by interrupts: %llu",
	   (unsigned long long)(after.interrupts - before.interrupts));
	context_close(&context);
}

struct sleeper {
	pthread_t thread;
	struct context *context;
	uint64_t target;
	int ret;
};

static void *sleep_thread(void *data)
{
	struct sleeper *sleeper = data;
	struct drm_hearth_queue_wait args = {
		.queue_id = sleeper->context->queue.queue_id,
		.completed = sleeper->target,
		.timeout_ns = now_ns() + GUEST_WAIT_NS,
	};

	sleeper->ret = raw_ioctl(sleeper->context->fd, DRM_IOCTL_HEARTH_QUEUE_WAIT, &args);
	if (!sleeper->ret && hearth_drm_queue_completed(&sleeper->context->queue) < sleeper->target)
		sleeper->ret = -EPROTO;
	return NULL;
}

/* Several threads wait for different counts of one queue; each is woken at its own. */
static void test_sleepers(void)
{
	struct sleeper sleepers[8];
	struct context context;
	volatile uint64_t *words;
	struct buffer host;
	int i, failed = 0;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	words = host.map;
	for (i = 0; i < 8; i++)
		push_wait(&context, host.va, i + 1);
	hearth_drm_queue_ring(&context.queue);
	for (i = 0; i < 8; i++) {
		/* The last first, so that smaller counts must arm again. */
		sleepers[i] = (struct sleeper){ .context = &context, .target = 8 - i };
		pthread_create(&sleepers[i].thread, NULL, sleep_thread, &sleepers[i]);
	}
	usleep(50000);
	for (i = 0; i < 8; i++) {
		words[0] = i + 1;
		usleep(5000);
	}
	for (i = 0; i < 8; i++) {
		pthread_join(sleepers[i].thread, NULL);
		failed += !!sleepers[i].ret;
	}
	is(failed, 0, "8 threads wait for 8 counts of one queue");

	/* A queue that goes wakes who sleeps for it. */
	push_wait(&context, host.va, 1000);
	hearth_drm_queue_ring(&context.queue);
	sleepers[0] = (struct sleeper){ .context = &context, .target = context.queue.tail };
	pthread_create(&sleepers[0].thread, NULL, sleep_thread, &sleepers[0]);
	usleep(50000);
	hearth_drm_queue_destroy(&context.queue);
	pthread_join(sleepers[0].thread, NULL);
	is(sleepers[0].ret, -ECANCELED, "destroyed under a sleeper");
	close(context.fd);
}

/* One of two queues of an address space is ended at work; the other goes on. */
static void test_second(void)
{
	struct hearth_drm_queue second;
	struct context context;
	struct buffer ring, host;
	int ret;

	context_open(&context, 0);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	ring = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST,
			      DRM_HEARTH_VM_BIND_READONLY);
	ret = hearth_drm_queue_create(context.fd, context.vm, ring.va, ring.map, 6, 0, 0, &second);
	is(ret, 0, "a second queue in one address space");
	hearth_drm_queue_push(&second,
			      &(union hbi_packet){ .signal = { .header.type = HBI_PACKET_WAIT,
							       .address = host.va,
							       .value = 1 } });
	hearth_drm_queue_ring(&second);
	push_nop(&context);
	is(context_submit(&context), 0, "the first works while it waits");
	is(hearth_drm_queue_destroy(&second), 0, "it is ended");
	push_signal(&context, host.va, 7);
	is(context_submit(&context), 0, "the first works on");
	is(*(volatile uint64_t *)host.map, 7, "and its result is right");
	context_close(&context);
}

static volatile int race_over;

static void *race_thread(void *data)
{
	int fd = *(int *)data;
	uint32_t id;

	while (!race_over)
		for (id = 1; id < 4; id++) {
			struct drm_hearth_queue_destroy args = { .queue_id = id };

			raw_ioctl(fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &args);
		}
	return NULL;
}

/* How many queues the file can have at once; all are ended again. */
static uint32_t count_queues(struct context *context, struct drm_hearth_queue_create args)
{
	uint32_t ids[128], count = 0, i;

	while (count < 128 && !raw_ioctl(context->fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args))
		ids[count++] = args.queue_id;
	for (i = 0; i < count; i++)
		raw_ioctl(context->fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY,
			  &(struct drm_hearth_queue_destroy){ .queue_id = ids[i] });
	return count;
}

/* One thread makes queues, maps and rings doorbells; another ends whatever has an id. */
static void test_race(void)
{
	struct drm_hearth_queue_create args = { .ring_log2 = 4 };
	struct context context;
	pthread_t thread;
	int i, made = 0, unexpected = 0;
	uint32_t before;

	context_open(&context, 0);
	args.vm_id = context.vm;
	args.ring_va = context.ring.va;
	before = count_queues(&context, args);
	pthread_create(&thread, NULL, race_thread, &context.fd);
	for (i = 0; i < 150; i++) {
		int ret = raw_ioctl(context.fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args);
		volatile uint64_t *doorbell;

		unexpected += ret && ret != -EBUSY;
		if (ret)
			continue;
		made++;
		doorbell =
			mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, context.fd, args.doorbell_offset);
		if (doorbell != MAP_FAILED) {
			*doorbell = 0;
			munmap((void *)doorbell, 4096);
		}
	}
	race_over = 1;
	pthread_join(thread, NULL);
	ok(made > 0 && !unexpected, "%d queues made while another thread ends them", made);
	for (i = 1; i <= 128; i++)
		raw_ioctl(context.fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY,
			  &(struct drm_hearth_queue_destroy){ .queue_id = i });
	/* The context's own is among those that were ended. */
	is(count_queues(&context, args), before + 1, "none of them is lost");
	close(context.fd);
}

static void test_dispatch(void)
{
	struct context context;
	struct buffer out, in;
	volatile uint32_t *marks;
	volatile float *sums;
	float *input, expected;
	bool right = true;
	int i, k;

	context_open(&context, 0);
	context_load_kernels(&context);
	out = context_buffer(&context, 1 << 16, DRM_HEARTH_PLACEMENT_BOARD, 0);
	marks = out.map;
	push_dispatch(&context, KERNEL_MARK, 0, out.va, 0, 5000);
	is(context_submit(&context), 0, "DISPATCH of 5000 work-groups");
	for (i = 0; i < 5000; i++)
		right = right && marks[i] == 1;
	ok(right && !marks[5000], "each ran once");

	in = context_buffer(&context, 16 * 256, DRM_HEARTH_PLACEMENT_BOARD, 0);
	input = in.map;
	for (i = 0; i < 16 * 64; i++)
		input[i] = i * 0.25f;
	push_fill(&context, out.va, 1 << 16, 0);
	push_barrier(&context);
	push_dispatch(&context, KERNEL_VECTOR, 1, out.va, in.va, 16);
	is(context_submit(&context), 0, "DISPATCH with vector code");
	sums = out.map;
	for (i = 0, right = true; i < 16; i++) {
		for (k = 0, expected = 0; k < 64; k++)
			expected += input[64 * i + k];
		right = right && sums[i] == expected;
	}
	ok(right, "the sums are right");
	push_dispatch(&context, KERNEL_MARK, 0, out.va, 0, 0);
	is(context_submit(&context), 0, "DISPATCH of nothing");
	context_close(&context);
}

/* A long dispatch of one process's queue gives way to one of higher priority. */
static void test_priority(void)
{
	const uint32_t groups = 2048;
	struct context low, high;
	volatile uint32_t *marks;
	struct buffer out, others;
	uint32_t i, done = 0, wrong = 0;

	context_open(&low, 0);
	context_open(&high, 0);
	if (!(low.device.caps & HBI_CAP_PREEMPT)) {
		skip("priority", "the board does not preempt");
		goto out_close;
	}
	context_load_kernels(&low);
	context_load_kernels(&high);
	hearth_drm_queue_destroy(&high.queue);
	is(hearth_drm_queue_create(high.fd, high.vm, high.ring.va, high.ring.map, 8, 0, 4,
				   &high.queue),
	   -EINVAL, "there is no priority 4");
	is(hearth_drm_queue_create(high.fd, high.vm, high.ring.va, high.ring.map, 8, 0, 2,
				   &high.queue),
	   0, "but a queue of priority 2");
	out = context_buffer(&low, 4 * groups, DRM_HEARTH_PLACEMENT_BOARD, 0);
	others = context_buffer(&high, 4096, DRM_HEARTH_PLACEMENT_BOARD, 0);
	marks = out.map;
	push_dispatch(&low, KERNEL_SLOW, 0, out.va, 60000, groups);
	hearth_drm_queue_ring(&low.queue);
	for (i = 0; !done; i = (i + 1) % groups)
		done = marks[i];
	push_dispatch(&high, KERNEL_MARK, 0, others.va, 0, 16);
	is(context_submit(&high), 0, "it has its dispatch done");
	for (i = 0, done = 0; i < groups; i++)
		done += marks[i];
	ok(done < groups, "before the other's work-groups (%u of %u) have all run", done, groups);
	is(context_submit(&low), 0, "which then do");
	for (i = 0; i < groups; i++)
		wrong += marks[i] != 1;
	is(wrong, 0, "each of them once");
	munmap(out.map, out.size);
	munmap(others.map, others.size);
out_close:
	context_close(&high);
	context_close(&low);
}

int main(void)
{
	test_packets();
	test_time();
	test_indirect();
	test_ring();
	test_sleep();
	test_sleepers();
	test_dispatch();
	test_priority();
	test_second();
	test_race();
	return done();
}
