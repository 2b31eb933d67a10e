// SPDX-License-Identifier: MIT
/* Dispatches: the grid, the state of a core at a call, faults, timeouts, and who is kept waiting. */
#include <string.h>
#include "conform.h"

#define OUT 0x1000 /* of a context's data */

static struct context *with_cores(struct board *board)
{
	if (board->workers > MAX_WORKERS)
		leave_out("%u workers: the checks have scratch memory for %u", board->workers,
			  MAX_WORKERS);
	return context_of(board, 1);
}

static void grid(struct board *board)
{
	static const uint32_t counts[] = { 1, 2, 3, 17, 1000 };
	struct context *context = with_cores(board);
	struct queue queue = make_queue(context, 0, 3, 0);
	uint32_t *out = (uint32_t *)(data_of(context) + OUT), j;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		memset(out, 0, 4 * 1001);
		set_args(context, counts[i], VA_DATA + OUT);
		do_packet(&queue, dispatch_packet(KERNEL_MARK, counts[i]));
		for (j = 0; j < counts[i]; j++)
			EQUAL(out[j], 1);
		EQUAL(out[j], 0);
	}
}

static void grid_of_three(struct board *board)
{
	struct context *context = with_cores(board);
	struct queue queue = make_queue(context, 0, 3, 0);
	union hbi_packet packet = dispatch_packet(KERNEL_MARK, 3);
	uint32_t *out = (uint32_t *)(data_of(context) + OUT), i;

	set_args(context, 3, VA_DATA + OUT);
	packet.dispatch.groups[1] = 4;
	packet.dispatch.groups[2] = 5;
	do_packet(&queue, packet);
	for (i = 0; i < 60; i++)
		EQUAL(out[i], 1);
	EQUAL(out[60], 0);
	/* None is allowed. */
	packet.dispatch.groups[1] = 0;
	do_packet(&queue, packet);
	EQUAL(out[0], 1);
}

static void grid_in_args(struct board *board)
{
	struct context *context = with_cores(board);
	struct queue queue = make_queue(context, 0, 3, 0);
	union hbi_packet packet = dispatch_packet(KERNEL_MARK, 1000);
	uint32_t *out = (uint32_t *)(data_of(context) + OUT), i;

	packet.header.flags = HBI_DISPATCH_GRID_IN_ARGS;
	set_args(context, 7, VA_DATA + OUT);
	do_packet(&queue, packet);
	for (i = 0; i < 7; i++)
		EQUAL(out[i], 1);
	EQUAL(out[7], 0);
}

static void refused(struct board *board)
{
	struct context *context = with_cores(board);
	union hbi_packet packet;

#define REFUSED(field, value)                                          \
	do {                                                           \
		packet = dispatch_packet(KERNEL_MARK, 1);              \
		packet.dispatch.field = (value);                       \
		packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull); \
	} while (0)

	REFUSED(code, VA_CODE + 1);
	REFUSED(code, 1ull << HBI_VA_BITS);
	REFUSED(scratch, VA_SCRATCH + 8);
	REFUSED(scratch_stride, STRIDE + 8);
	REFUSED(scratch, (1ull << HBI_VA_BITS) - 64);
	REFUSED(reserved[0], 1);
	packet = dispatch_packet(KERNEL_MARK, ~0u);
	packet.dispatch.groups[1] = packet.dispatch.groups[2] = ~0u;
	packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull);
	packet = dispatch_packet(KERNEL_MARK, 1);
	packet.header.flags = HBI_DISPATCH_GRID_IN_ARGS;
	packet.dispatch.args = VA_DATA + 2;
	packet_fails(context, packet, HBI_ERROR_FIELD, ~0ull);
	packet.dispatch.args = VA_SPARE;
	packet_fails(context, packet, HBI_ERROR_LOAD, VA_SPARE);
}

/* Registers of @kernel after another context had left @poison everywhere. */
static void clean(struct board *board, enum kernel poison, enum kernel kernel)
{
	struct context *context = with_cores(board), *other = context_of(board, 2);
	uint32_t groups = 16 * board->workers, i;
	struct queue queue = make_queue(context, 0, 3, 0), dirty = make_queue(other, 1, 3, 0);
	uint64_t *out = (uint64_t *)(data_of(context) + OUT);
	int round;

	set_args(other, groups, VA_DATA + OUT);
	set_args(context, groups, VA_DATA + OUT);
	for (round = 0; round < 4; round++) {
		memset(out, 0xee, 8 * groups);
		do_packet(&dirty, dispatch_packet(poison, groups));
		do_packet(&queue, dispatch_packet(kernel, groups));
		for (i = 0; i < groups; i++)
			EQUAL(out[i], 0);
	}
}

static void registers(struct board *board)
{
	clean(board, KERNEL_POISON, KERNEL_REGS);
}

static void vectors(struct board *board)
{
	clean(board, KERNEL_VPOISON, KERNEL_VECTORS);
}

static void stack(struct board *board)
{
	struct context *context = with_cores(board);
	struct queue queue = make_queue(context, 0, 3, 0);
	uint64_t *out = (uint64_t *)(data_of(context) + OUT), i;

	set_args(context, 100, VA_DATA + OUT);
	do_packet(&queue, dispatch_packet(KERNEL_STACK, 100));
	for (i = 0; i < 100; i++)
		EQUAL(out[i], 2 * 63 * 64 / 2);
}

static void faults(struct board *board)
{
	struct context *context = with_cores(board);

	set_args(context, 1, VA_SPARE + 16);
	packet_fails(context, dispatch_packet(KERNEL_LOAD, 1), HBI_ERROR_LOAD, VA_SPARE + 16);
	packet_fails(context, dispatch_packet(KERNEL_STORE, 1), HBI_ERROR_STORE, VA_SPARE + 16);
	packet_fails(context, dispatch_packet(KERNEL_JUMP, 1), HBI_ERROR_FETCH, VA_SPARE + 16);
	set_args(context, 1, VA_CODE);
	packet_fails(context, dispatch_packet(KERNEL_STORE, 1), HBI_ERROR_STORE, VA_CODE);
	/* Data is not code. */
	set_args(context, 1, VA_DATA + OUT);
	packet_fails(context, dispatch_packet(KERNEL_JUMP, 1), HBI_ERROR_FETCH, VA_DATA + OUT);
	/* Nor are addresses of the upper half, or of the firmware, anybody's. */
	set_args(context, 1, ~0xfffull);
	packet_fails(context, dispatch_packet(KERNEL_LOAD, 1), HBI_ERROR_LOAD, ~0ull);
	set_args(context, 1, board->dram_base);
	packet_fails(context, dispatch_packet(KERNEL_LOAD, 1), HBI_ERROR_LOAD, ~0ull);
}

static void privilege(struct board *board)
{
	struct context *context = with_cores(board);

	set_args(context, 1, VA_DATA + OUT);
	packet_fails(context, dispatch_packet(KERNEL_ILLEGAL, 1), HBI_ERROR_INSTRUCTION, ~0ull);
	packet_fails(context, dispatch_packet(KERNEL_CALL, 1), HBI_ERROR_INSTRUCTION, ~0ull);
	packet_fails(context, dispatch_packet(KERNEL_CSR, 1), HBI_ERROR_INSTRUCTION, ~0ull);
}

static void host_access(struct board *board)
{
	struct context *context = with_cores(board);
	struct queue queue;

	set_args(context, 1, VA_HOST);
	if (!(board->caps & HBI_CAP_HOST_ACCESS)) {
		packet_fails(context, dispatch_packet(KERNEL_LOAD, 1), HBI_ERROR_LOAD, VA_HOST);
		packet_fails(context, dispatch_packet(KERNEL_STORE, 1), HBI_ERROR_STORE, VA_HOST);
		return;
	}
	queue = make_queue(context, 0, 3, 0);
	do_packet(&queue, dispatch_packet(KERNEL_STORE, 1));
	EQUAL(*(uint64_t *)host_of(context), VA_HOST);
}

static void timeout(struct board *board)
{
	struct context *context = with_cores(board);
	struct queue queue = make_queue(context, 0, 3, 300), next;

	put(&queue, dispatch_packet(KERNEL_SPIN, 1));
	ring(&queue);
	wait_error(&queue, HBI_ERROR_TIMEOUT, ~0ull);
	drop_queue(&queue);
	next = make_queue(context, 1, 3, 0);
	set_args(context, 1, VA_DATA + OUT);
	do_packet(&next, dispatch_packet(KERNEL_MARK, 1));
}

static void ended(struct board *board)
{
	struct context *context = with_cores(board), *other = context_of(board, 2);
	struct queue queue = make_queue(context, 0, 3, 0), second = make_queue(other, 1, 3, 0);

	put(&queue, dispatch_packet(KERNEL_SPIN, board->workers));
	ring(&queue);
	rest(board, 100);
	EQUAL(queue.status->completed, 0);
	/* Everything else goes on. */
	EQUAL(admin_simple(board, HBI_ADMIN_NOP, 0), HBI_OK);
	invalidate(board, 1);
	do_packet(&second, copy_packet(VA_HOST, VA_DATA, 4096));
	do_packet(&second, value_packet(HBI_PACKET_SIGNAL, VA_HOST, 1));
	drop_queue(&queue);
	EQUAL(queue.status->state, HBI_QUEUE_NONE);
	set_args(other, 5, VA_DATA + OUT);
	do_packet(&second, dispatch_packet(KERNEL_MARK, 5));
	EQUAL(*(uint32_t *)(data_of(other) + OUT), 1);
}

static void sync_code(struct board *board)
{
	struct context *context = with_cores(board);
	struct queue queue = make_queue(context, 0, 3, 0);
	union hbi_packet sync = { .sync_code = { .header.type = HBI_PACKET_SYNC_CODE,
						 .address = VA_CODE + KERNEL_MARK * KERNEL_SLOT,
						 .size = KERNEL_SLOT } };
	uint32_t *code = (uint32_t *)(data_of(context) + 0x80000) + KERNEL_MARK * KERNEL_SLOT / 4;
	uint32_t *out = (uint32_t *)(data_of(context) + OUT);
	uint32_t step;

	set_args(context, 1, VA_DATA + OUT);
	for (step = 1; step < 5; step++) {
		uint32_t before = out[0];

		code[3] = step << 20 | 0x393; /* li t2, step */
		put(&queue, sync);
		put(&queue, dispatch_packet(KERNEL_MARK, 1));
		ring(&queue);
		wait_for(&queue, queue.tail);
		EQUAL(out[0], before + step);
	}
	memcpy(code, kernel_words[KERNEL_MARK], KERNEL_SLOT);
	do_packet(&queue, sync);
	drop_queue(&queue);
	sync.sync_code.address = VA_SPARE;
	packet_fails(context, sync, HBI_ERROR_FETCH, VA_SPARE);
}

static void without(struct board *board)
{
	if (board->caps & HBI_CAP_COMPUTE)
		leave_out("the board has cores");
	packet_fails(context_of(board, 1), dispatch_packet(KERNEL_MARK, 1), HBI_ERROR_OPCODE,
		     ~0ull);
}

#define SLOW_GROUPS 512	   /* for each core */
#define SLOW_TURNS  100000 /* of a loop, in each of them */

/* Work-groups of a dispatch of KERNEL_SLOW that have run. */
static uint32_t slow_done(struct context *context, uint32_t groups)
{
	volatile uint32_t *out = (uint32_t *)(data_of(context) + OUT);
	uint32_t done = 0, i;

	for (i = 0; i < groups; i++) {
		if (out[i] > 1)
			stop("work-group %u ran %u times", i, out[i]);
		done += out[i];
	}
	return done;
}

static void slow_args(struct context *context, uint32_t groups)
{
	memset(data_of(context) + OUT, 0, 4 * groups);
	set_args(context, groups, VA_DATA + OUT);
	*(uint64_t *)(data_of(context) + 24) = SLOW_TURNS;
}

/* A long dispatch runs; a queue of another context, of @priority, has a short one done meanwhile. */
static void gives_way_to(struct board *board, uint32_t priority)
{
	uint32_t groups = SLOW_GROUPS * (board->workers < 64 ? board->workers : 64), done;
	struct context *context = with_cores(board), *other = context_of(board, 2);
	struct queue slow = make_queue_priority(context, 0, 3, 0, 1);
	struct queue quick = make_queue_priority(other, 1, 3, 0, priority);

	slow_args(context, groups);
	set_args(other, 8, VA_DATA + OUT);
	put(&slow, dispatch_packet(KERNEL_SLOW, groups));
	ring(&slow);
	while (!slow_done(context, groups) && slow.status->state == HBI_QUEUE_LIVE)
		;
	do_packet(&quick, dispatch_packet(KERNEL_MARK, 8));
	done = slow_done(context, groups);
	if (done == groups)
		stop("the dispatch of priority %u came after all %u work-groups of the other",
		     priority, groups);
	wait_for(&slow, 1);
	EQUAL(slow_done(context, groups), groups);
	drop_queue(&slow);
	drop_queue(&quick);
}

static void gives_way(struct board *board)
{
	if (board->caps & HBI_CAP_PRIORITY)
		gives_way_to(board, 2);
	gives_way_to(board, 1);
	gives_way_to(board, 0);
}

static struct hbi_telemetry read_telemetry(struct board *board)
{
	struct hbi_admin_telemetry command = {
		.header.opcode = HBI_ADMIN_TELEMETRY,
		.address = board->host_bus + HOST_FREE,
	};

	EQUAL(admin(board, &command), HBI_OK);
	return *(struct hbi_telemetry *)(board->host + HOST_FREE);
}

static enum hbi_error set_power_limit(struct board *board, uint32_t mw)
{
	struct hbi_admin_power_limit command = {
		.header.opcode = HBI_ADMIN_POWER_LIMIT,
		.limit_mw = mw,
	};

	return admin(board, &command);
}

static void power_limit(struct board *board)
{
	struct hbi_telemetry begin = read_telemetry(board);
	uint32_t lowest = begin.power_limit_min_mw, highest = begin.power_limit_max_mw;

	EXPECT(begin.valid & HBI_TELEMETRY_POWER);
	EXPECT(begin.valid & HBI_TELEMETRY_POWER_LIMIT);
	EXPECT(lowest > 0 && lowest <= begin.power_limit_default_mw);
	EXPECT(begin.power_limit_default_mw <= highest);
	EQUAL(begin.power_limit_mw, begin.power_limit_default_mw);
	EQUAL(set_power_limit(board, lowest), HBI_OK);
	EQUAL(read_telemetry(board).power_limit_mw, lowest);
	EQUAL(set_power_limit(board, lowest - 1), HBI_ERROR_FIELD);
	EQUAL(set_power_limit(board, highest + 1), HBI_ERROR_FIELD);
	EQUAL(read_telemetry(board).power_limit_mw, lowest);
	EQUAL(set_power_limit(board, highest), HBI_OK);
	EQUAL(read_telemetry(board).power_limit_mw, highest);
	EQUAL(set_power_limit(board, 0), HBI_OK);
	EQUAL(read_telemetry(board).power_limit_mw, begin.power_limit_default_mw);
}

/* Five seconds of work under the lowest limit. */
static void power_kept(struct board *board)
{
	uint32_t groups = SLOW_GROUPS * (board->workers < 64 ? board->workers : 64);
	struct context *context = with_cores(board);
	struct queue queue = make_queue(context, 0, 3, 0);
	struct hbi_telemetry before = read_telemetry(board), after;
	uint64_t hz = reg(board, HBI_REG_TIMESTAMP_HZ, 8), mean;

	if (!(before.valid & HBI_TELEMETRY_ENERGY))
		leave_out(
			"the board does not tell its energy, and one look at its power is no mean");
	EQUAL(set_power_limit(board, before.power_limit_min_mw), HBI_OK);
	before = read_telemetry(board);
	do {
		slow_args(context, groups);
		do_packet(&queue, dispatch_packet(KERNEL_SLOW, groups));
		EQUAL(slow_done(context, groups), groups);
		after = read_telemetry(board);
	} while (after.ticks - before.ticks < 5 * hz);
	drop_queue(&queue);
	EQUAL(set_power_limit(board, 0), HBI_OK);
	mean = (after.energy_uj - before.energy_uj) * hz / (after.ticks - before.ticks) / 1000;
	/* What is measured, and what the board measures, may differ a little. */
	if (mean > before.power_limit_mw + before.power_limit_mw / 20)
		stop("%u mW was the limit, and the board took up %llu", before.power_limit_mw,
		     (unsigned long long)mean);
}

/* How much a queue gets done while one two steps higher does 60 dispatches. */
static uint32_t weigh(struct board *board)
{
	struct context *context = with_cores(board), *other = context_of(board, 2);
	struct queue slow = make_queue_priority(context, 0, 6, 0, 0);
	struct queue quick = make_queue_priority(other, 1, 6, 0, 2);
	uint32_t done, i;

	slow_args(context, board->workers);
	slow_args(other, board->workers);
	for (i = 0; i < 60; i++) {
		put(&slow, dispatch_packet(KERNEL_SLOW, board->workers));
		put(&quick, dispatch_packet(KERNEL_SLOW, board->workers));
	}
	ring(&slow);
	ring(&quick);
	wait_for(&quick, 60);
	done = ((volatile uint32_t *)(data_of(context) + OUT))[0];
	wait_for(&slow, 60);
	drop_queue(&slow);
	drop_queue(&quick);
	return done;
}

/* One time of three is enough: the host may have been busy with something else. */
static void priority(struct board *board)
{
	uint32_t done = 0, tries;

	for (tries = 0; tries < 3; tries++) {
		done = weigh(board);
		if (done && done < 30)
			return;
	}
	stop("a queue got %u dispatches done while one two steps higher did 60", done);
}

#define C HBI_CAP_COMPUTE

const struct check checks_compute[] = {
	{ "dispatch-grid", "DSP-2 PKT.DISPATCH", "each work-group runs once", NEED_RUNNING, C,
	  grid },
	{ "dispatch-three", "DSP-1 PKT.DISPATCH", "grids of three dimensions, and empty ones",
	  NEED_RUNNING, C, grid_of_three },
	{ "dispatch-grid-in-args", "DSP-1", "the grid in the argument block", NEED_RUNNING, C,
	  grid_in_args },
	{ "dispatch-refused", "DSP-1 ERR.FIELD", "dispatches that must be refused", NEED_RUNNING, C,
	  refused },
	{ "dispatch-registers", "DSP-2 DSP-3 SEC-3", "nothing of others in integer registers",
	  NEED_RUNNING, C, registers },
	{ "dispatch-vectors", "DSP-2 DSP-3 SEC-3 CAP.RVV", "nor in vector registers", NEED_RUNNING,
	  C | HBI_CAP_RVV, vectors },
	{ "dispatch-stack", "DSP-1 DSP-2", "stack and scratch memory of each worker", NEED_RUNNING,
	  C, stack },
	{ "dispatch-faults", "ERR.LOAD ERR.STORE ERR.FETCH SEC-2", "wild kernels are stopped",
	  NEED_RUNNING, C, faults },
	{ "dispatch-privilege", "ERR.INSTRUCTION SEC-4", "and so are privileged ones", NEED_RUNNING,
	  C, privilege },
	{ "dispatch-host", "CTX-5 CAP.HOST_ACCESS", "host memory from cores as the ability says",
	  NEED_RUNNING, C, host_access },
	{ "dispatch-timeout", "DSP-4 ERR.TIMEOUT CAP.TIMEOUT", "an endless kernel is ended in time",
	  NEED_RUNNING, C | HBI_CAP_TIMEOUT, timeout },
	{ "dispatch-ended", "ADM-8 ORD-4 SEC-6",
	  "an endless kernel keeps nobody, and DESTROY_QUEUE ends it", NEED_RUNNING, C, ended },
	{ "dispatch-priority", "ORD-5 ADM-7 CAP.PRIORITY", "priority is weight, and starves nobody",
	  NEED_RUNNING, C | HBI_CAP_PRIORITY, priority },
	{ "power-limit", "ADM.POWER_LIMIT CAP.POWER_LIMIT PWR-1 PWR-2 TEL-1",
	  "a power limit has a range, and is what was set", NEED_RUNNING, HBI_CAP_POWER_LIMIT,
	  power_limit },
	{ "power-limit-kept", "PWR-1 PWR-3", "the board keeps to it, and all work is done",
	  NEED_RUNNING, C | HBI_CAP_POWER_LIMIT, power_kept },
	{ "dispatch-gives-way", "ORD-6 CAP.PREEMPT",
	  "a dispatch gives way, and runs whole and once", NEED_RUNNING, C | HBI_CAP_PREEMPT,
	  gives_way },
	{ "sync-code", "PKT.SYNC_CODE ERR.FETCH", "code that was changed runs after SYNC_CODE",
	  NEED_RUNNING, C, sync_code },
	{ "dispatch-without-cores", "CAP.COMPUTE ERR.OPCODE", "a board without cores says so",
	  NEED_RUNNING, 0, without },
	{ 0 },
};
