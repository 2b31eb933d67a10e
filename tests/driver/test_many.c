// SPDX-License-Identifier: MIT
/*
 * Many queues: sleeping for one or all of several, and processes with all queues of a board between
 * them, each of which gets on.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define QUEUES	  8
#define RING_LOG2 4

static volatile sig_atomic_t alarms;

static void count_alarm(int number)
{
	alarms += number == SIGALRM;
}

static union hbi_packet packet_of(uint32_t type, uint64_t address, uint64_t value)
{
	return (union hbi_packet){
		.signal = { .header.type = type, .address = address, .value = value },
	};
}

static void push(struct hearth_drm_queue *queue, union hbi_packet packet)
{
	hearth_drm_queue_push(queue, &packet);
}

/* What the tests share: queues, each of which waits for its word of @host. */
struct many {
	struct context context;
	struct buffer rings, host;
	volatile uint64_t *words;
	struct hearth_drm_queue queues[QUEUES];
	struct drm_hearth_queue_point points[QUEUES];
};

static void many_open(struct many *many)
{
	struct context *context = &many->context;
	uint64_t bytes = HBI_PACKET_SIZE << RING_LOG2;
	int i, ret;

	context_open(context, 0);
	many->host = context_buffer(context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	many->words = many->host.map;
	many->rings = context_buffer(context, QUEUES * bytes, DRM_HEARTH_PLACEMENT_HOST,
				     DRM_HEARTH_VM_BIND_READONLY);
	for (i = 0; i < QUEUES; i++) {
		struct hearth_drm_queue *queue = &many->queues[i];
		void *ring = (uint8_t *)many->rings.map + i * bytes;

		ret = hearth_drm_queue_create(context->fd, context->vm, many->rings.va + i * bytes,
					      ring, RING_LOG2, 0, 0, queue);
		if (ret)
			die("create a queue", ret);
		push(queue, packet_of(HBI_PACKET_WAIT, many->host.va + 8 * i, 1));
		hearth_drm_queue_ring(queue);
		many->points[i] = (struct drm_hearth_queue_point){ queue->queue_id, 0, 1 };
	}
}

static void many_close(struct many *many)
{
	int i;

	for (i = 0; i < QUEUES; i++)
		if (many->queues[i].status)
			hearth_drm_queue_destroy(&many->queues[i]);
	munmap(many->rings.map, many->rings.size);
	munmap(many->host.map, many->host.size);
	context_close(&many->context);
}

static int wait_many(struct many *many, bool all, int64_t timeout_ns, uint32_t *index)
{
	return hearth_drm_queue_wait_many(many->context.fd, many->points, QUEUES, all, timeout_ns,
					  index);
}

/* A thread that writes words [@first to @last], one after the other, while another sleeps for them. */
struct writer {
	pthread_t thread;
	struct many *many;
	int first, last;
};

static void *write_thread(void *data)
{
	struct writer *writer = data;
	int i;

	for (i = writer->first; i <= writer->last; i++) {
		usleep(30000);
		writer->many->words[i] = 1;
	}
	return NULL;
}

static void write_later(struct writer *writer)
{
	sigset_t alarm, before;

	/* Signals are for who sleeps. */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, &before);
	pthread_create(&writer->thread, NULL, write_thread, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *fail_thread(void *data)
{
	struct writer *writer = data;
	struct hearth_drm_queue *queue = &writer->many->queues[writer->first];

	usleep(30000);
	push(queue, (union hbi_packet){ .header.type = 0xff });
	hearth_drm_queue_ring(queue);
	writer->many->words[writer->first] = 2;
	return NULL;
}

static void test_arguments(struct many *many)
{
	struct drm_hearth_queue_wait_many args = {
		.points = (uintptr_t)many->points,
		.count = QUEUES,
	};
	struct drm_hearth_queue_wait_many bad;
	struct drm_hearth_queue_point points[2] = { many->points[0], { 77, 0, 0 } };
	const unsigned long request = DRM_IOCTL_HEARTH_QUEUE_WAIT_MANY;
	int fd = many->context.fd;
	uint32_t index = 99;

	is(raw_ioctl(fd, request, &args), -ETIME, "asked for one of 8: none yet");
	bad = args;
	bad.flags = 2;
	is(raw_ioctl(fd, request, &bad), -EINVAL, "an unknown flag");
	bad = args;
	bad.pad = 1;
	is(raw_ioctl(fd, request, &bad), -EINVAL, "padding");
	bad = args;
	bad.count = 0;
	is(raw_ioctl(fd, request, &bad), -EINVAL, "no points");
	bad = args;
	bad.count = DRM_HEARTH_QUEUE_WAIT_MAX + 1;
	is(raw_ioctl(fd, request, &bad), -EINVAL, "65 points");
	bad = args;
	bad.points = 4096;
	is(raw_ioctl(fd, request, &bad), -EFAULT, "points that are not there");
	is(hearth_drm_queue_wait_many(fd, points, 2, false, 0, &index), -ENOENT,
	   "a queue that is none");
	is(index, 1, "and which it is");
	points[1] = (struct drm_hearth_queue_point){ points[0].queue_id, 1, 0 };
	is(hearth_drm_queue_wait_many(fd, points, 2, false, 0, &index), -EINVAL,
	   "padding of a point");
	points[1].pad = 0;
	is(hearth_drm_queue_wait_many(fd, points, 2, false, 0, &index), 0,
	   "two points of one queue, one of them reached");
	is(index, 1, "and which it is");
}

static void test_any_and_all(struct many *many)
{
	struct sigaction action = { .sa_handler = count_alarm, .sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, 10000 }, { 0, 10000 } }, never = { { 0 } };
	struct drm_hearth_queue_state before, after;
	int64_t from = now_ns();
	uint32_t index = 99;
	struct writer one = { .many = many, .first = 5, .last = 5 };
	struct writer all = { .many = many, .first = 0, .last = QUEUES - 1 };
	int ret;

	is(wait_many(many, false, from + 30000000, NULL), -ETIME, "one of 8, for 30 ms");
	ok(now_ns() - from >= 30000000, "and no less");
	hearth_drm_queue_state(&many->queues[5], &before);
	write_later(&one);
	is(wait_many(many, false, now_ns() + GUEST_WAIT_NS, &index), 0, "asleep for one of 8");
	is(index, 5, "the one that was reached is named");
	pthread_join(one.thread, NULL);
	hearth_drm_queue_state(&many->queues[5], &after);
	ok(after.interrupts > before.interrupts, "its interrupt woke");
	is(wait_many(many, true, now_ns() + 30000000, NULL), -ETIME, "but all of them are not");

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	write_later(&all);
	ret = wait_many(many, true, now_ns() + GUEST_WAIT_NS, NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	is(ret, 0, "asleep for all of 8");
	ok(alarms > 0, "with %d signals between", (int)alarms);
	pthread_join(all.thread, NULL);
}

/* A queue that ends, or whose context fails, ends the wait for all, and of one that is not reached. */
static void test_failure(struct many *many)
{
	struct writer failing = { .many = many, .first = 3 };
	uint32_t index = 99;
	int i;

	for (i = 0; i < QUEUES; i++) {
		push(&many->queues[i], packet_of(HBI_PACKET_WAIT, many->host.va + 8 * i, 2));
		hearth_drm_queue_ring(&many->queues[i]);
		many->points[i].completed = 2;
	}
	pthread_create(&failing.thread, NULL, fail_thread, &failing);
	many->points[3].completed = 3;
	is(wait_many(many, true, now_ns() + GUEST_WAIT_NS, &index), -ECANCELED,
	   "asleep for all of 8, and one fails");
	ok(index < QUEUES, "queue %u is named", index);
	pthread_join(failing.thread, NULL);
	many->points[3].completed = 2;
	is(wait_many(many, false, now_ns() + GUEST_WAIT_NS, &index), 0,
	   "one that was reached before counts more");
	is(index, 3, "and is named");
}

#define PROCESSES 4
#define ROUNDS	  6

/* One process with @share queues, all of which work in each of the rounds; 0 if they did. */
static int crowd(int ready, int go, uint32_t share)
{
	struct hearth_drm_queue queues[128];
	struct drm_hearth_queue_point points[DRM_HEARTH_QUEUE_WAIT_MAX];
	uint64_t bytes = HBI_PACKET_SIZE << RING_LOG2;
	struct buffer rings, host;
	volatile uint64_t *words;
	struct context context;
	uint32_t i, round;
	char byte = 0;
	int ret;

	context_open(&context, 0);
	hearth_drm_queue_destroy(&context.queue);
	host = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	words = host.map;
	rings = context_buffer(&context, share * bytes, DRM_HEARTH_PLACEMENT_HOST,
			       DRM_HEARTH_VM_BIND_READONLY);
	for (i = 0; i < share; i++) {
		void *ring = (uint8_t *)rings.map + i * bytes;

		ret = hearth_drm_queue_create(context.fd, context.vm, rings.va + i * bytes, ring,
					      RING_LOG2, 0, i % 3, &queues[i]);
		if (ret)
			return 1;
	}
	/* All queues of all processes are there before any works. */
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		return 2;
	for (round = 1; round <= ROUNDS; round++) {
		for (i = 0; i < share; i++) {
			push(&queues[i], packet_of(HBI_PACKET_SIGNAL, host.va + 8 * i, round));
			push(&queues[i], packet_of(HBI_PACKET_NOP, 0, 0));
			hearth_drm_queue_ring(&queues[i]);
			points[i] = (struct drm_hearth_queue_point){ queues[i].queue_id, 0,
								     queues[i].tail };
		}
		if (hearth_drm_queue_wait_many(context.fd, points, share, true,
					       now_ns() + GUEST_WAIT_NS, NULL))
			return 3;
		for (i = 0; i < share; i++)
			if (words[i] != round)
				return 4;
	}
	for (i = 0; i < share; i++)
		hearth_drm_queue_destroy(&queues[i]);
	close(context.fd);
	return 0;
}

/* Every queue of the board is somebody's, of 4 processes, and all have work at once. */
static void test_crowd(void)
{
	struct drm_hearth_query_device device;
	struct drm_hearth_queue_create args = { .ring_log2 = 4 };
	int ready[2], go[2], i, status, well = 0;
	pid_t children[PROCESSES];
	struct context context;
	uint32_t share;
	char bytes[PROCESSES];

	context_open(&context, 0);
	device = context.device;
	share = device.max_queues / PROCESSES;
	if (share > DRM_HEARTH_QUEUE_WAIT_MAX)
		share = DRM_HEARTH_QUEUE_WAIT_MAX;
	hearth_drm_queue_destroy(&context.queue);
	if (pipe(ready) || pipe(go))
		die("pipe", -errno);
	fflush(stdout);
	for (i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(crowd(ready[1], go[0], share));
	}
	for (i = 0; i < PROCESSES; i++)
		if (read(ready[0], bytes, 1) != 1)
			die("a process did not get its queues", -EPIPE);
	args.vm_id = context.vm;
	args.ring_va = context.ring.va;
	if (share * PROCESSES == device.max_queues)
		is(raw_ioctl(context.fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args), -EBUSY,
		   "the board has no queue left");
	if (write(go[1], bytes, PROCESSES) != PROCESSES)
		die("write to a pipe", -EPIPE);
	for (i = 0; i < PROCESSES; i++) {
		waitpid(children[i], &status, 0);
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			well++;
		else
			printf("# process %d: status %#x\n", i, status);
	}
	ok(well == PROCESSES, "%u queues of %d processes: each of %d rounds done by each",
	   share * PROCESSES, PROCESSES, ROUNDS);
	is(raw_ioctl(context.fd, DRM_IOCTL_HEARTH_QUEUE_CREATE, &args), 0,
	   "and then there are queues again");
	munmap(context.ring.map, context.ring.size);
	close(context.fd);
}

int main(void)
{
	static struct many many;

	many_open(&many);
	test_arguments(&many);
	test_any_and_all(&many);
	test_failure(&many);
	many_close(&many);
	test_crowd();
	return done();
}
