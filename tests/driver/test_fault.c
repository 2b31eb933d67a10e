// SPDX-License-Identifier: MIT
/*
 * What one process does wrong ends its own address space and nothing else: while the faults go on,
 * another process computes, and all of its results must be right. No reload between.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../board/kernels.h"
#include "guest.h"

/* Shared with the other process. */
struct witness {
	volatile int stop;
	volatile long rounds;
	volatile long wrong;
};

static struct witness *witness;

static void witness_run(void)
{
	struct context context;
	struct buffer out;
	volatile uint32_t *marks;
	int i;

	context_open(&context, 0);
	context_load_kernels(&context);
	out = context_buffer(&context, 4096, DRM_HEARTH_PLACEMENT_BOARD, 0);
	marks = out.map;
	while (!witness->stop) {
		push_fill(&context, out.va, 4096, 0);
		push_barrier(&context);
		push_dispatch(&context, KERNEL_MARK, 0, out.va, 0, 512);
		if (context_submit(&context)) {
			witness->wrong++;
			break;
		}
		for (i = 0; i < 1024; i++)
			witness->wrong += marks[i] != (i < 512);
		witness->rounds++;
	}
	context_close(&context);
}

static void fault(const char *what, unsigned int kernel, uint64_t out, uint32_t error,
		  uint64_t address)
{
	struct drm_hearth_queue_state state;
	struct context context;
	long rounds = witness->rounds;
	struct hearth_drm_queue second;
	int64_t limit;
	int ret;

	context_open(&context, 500);
	context_load_kernels(&context);
	ret = hearth_drm_queue_create(context.fd, context.vm, context.ring.va, context.ring.map, 2,
				      0, 0, &second);
	if (ret)
		die("a second queue", ret);
	push_dispatch(&context, kernel, 0, out, 0, 1);
	is(context_submit(&context), -ECANCELED, what);
	hearth_drm_queue_state(&context.queue, &state);
	is(state.state, HBI_QUEUE_ERROR, "its queue is in error");
	is(state.error, error, "with the right error");
	is(state.fault_address, address, "and address");
	is(state.fault_packet, context.queue.tail - 1, "and packet");
	is(hearth_drm_queue_wait(&second, 1, now_ns() + GUEST_WAIT_NS), -ECANCELED,
	   "the other queue of the address space is canceled");
	hearth_drm_queue_state(&second, &state);
	is(state.error, HBI_ERROR_CANCELED, "and says so");
	is(hearth_drm_queue_create(context.fd, context.vm, context.ring.va, context.ring.map, 2, 0,
				   0, &(struct hearth_drm_queue){ 0 }),
	   -ECANCELED, "no queue is made in a dead address space");
	hearth_drm_queue_destroy(&second);
	context_close(&context);

	limit = now_ns() + GUEST_WAIT_NS;
	while (witness->rounds < rounds + 2 && now_ns() < limit)
		usleep(1000);
	ok(witness->rounds >= rounds + 2 && !witness->wrong, "the other process goes on");
}

static void bad_packet(const char *what, const union hbi_packet *packet, uint32_t error)
{
	struct drm_hearth_queue_state state;
	struct context context;

	context_open(&context, 0);
	context_push(&context, packet);
	is(context_submit(&context), -ECANCELED, what);
	hearth_drm_queue_state(&context.queue, &state);
	is(state.error, error, "with the right error");
	context_close(&context);
}

static void test_packets(void)
{
	union hbi_packet packet = { .header.type = 99 };
	struct context context;
	struct drm_hearth_queue_state state;

	bad_packet("unknown packet", &packet, HBI_ERROR_OPCODE);
	packet = (union hbi_packet){ .header = { .type = HBI_PACKET_NOP, .reserved1 = 1 } };
	bad_packet("reserved field", &packet, HBI_ERROR_FIELD);
	packet = (union hbi_packet){ .signal = { .header.type = HBI_PACKET_SIGNAL, .address = 4 } };
	bad_packet("odd SIGNAL", &packet, HBI_ERROR_FIELD);
	packet = (union hbi_packet){ .copy = { .header.type = HBI_PACKET_COPY,
					       .source = 0x1234000,
					       .destination = 0x5678000,
					       .size = ~0ull } };
	bad_packet("COPY of 2^64 - 1 bytes", &packet, HBI_ERROR_FIELD);
	packet.copy.size = 1ull << 40;
	bad_packet("COPY of 1 TiB from nowhere", &packet, HBI_ERROR_LOAD);

	context_open(&context, 0);
	*context.queue.doorbell = 1000;
	is(hearth_drm_queue_wait(&context.queue, 1, now_ns() + GUEST_WAIT_NS), -ECANCELED,
	   "a tail far ahead");
	hearth_drm_queue_state(&context.queue, &state);
	is(state.error, HBI_ERROR_RING, "with the right error");
	context_close(&context);
}

int main(void)
{
	pid_t child;
	int status;

	witness = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (!child) {
		witness_run();
		_exit(0);
	}
	fault("a wild load", KERNEL_LOAD, 0x123456000, HBI_ERROR_LOAD, 0x123456000);
	fault("a wild store", KERNEL_STORE, 0x123456008, HBI_ERROR_STORE, 0x123456008);
	fault("a store to address 0", KERNEL_STORE, 0, HBI_ERROR_STORE, 0);
	fault("a wild jump", KERNEL_JUMP, 0x7777000, HBI_ERROR_FETCH, 0x7777000);
	fault("an illegal instruction", KERNEL_ILLEGAL, 0, HBI_ERROR_INSTRUCTION, 0);
	fault("an environment call", KERNEL_CALL, 0, HBI_ERROR_INSTRUCTION, 0);
	fault("a machine-mode register", KERNEL_CSR, 0, HBI_ERROR_INSTRUCTION, 0);
	fault("a kernel that hangs", KERNEL_SPIN, 0, HBI_ERROR_TIMEOUT, 0);
	test_packets();
	witness->stop = 1;
	waitpid(child, &status, 0);
	is(status, 0, "the other process ends well");
	is(witness->wrong, 0, "and all its results were right");
	ok(witness->rounds > 10, "in %ld rounds", witness->rounds);
	return done();
}
