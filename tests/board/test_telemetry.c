// SPDX-License-Identifier: MIT
/*
 * What the board tells of itself: counters that grow by what was done and by nothing else, told
 * apart by context, running dispatches included; sensors that agree with each other.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "client.h"
#include "kernels.h"

#define GROUPS 2048
#define SLOW   60000 /* turns of a loop of each */

static struct client board;
static struct context first, second;

static enum hbi_error ask(uint32_t context, struct hbi_telemetry *telemetry)
{
	struct hbi_admin_telemetry command = {
		.header.opcode = HBI_ADMIN_TELEMETRY,
		.address = HOST_BUS + HOST_FREE,
		.context = context,
	};
	enum hbi_error error = admin(&board, &command);

	memcpy(telemetry, board.host + HOST_FREE, sizeof(*telemetry));
	return error;
}

static void test_fields(void)
{
	struct hbi_admin_telemetry good = {
		.header.opcode = HBI_ADMIN_TELEMETRY,
		.address = HOST_BUS + HOST_FREE,
	};
	struct hbi_admin_telemetry bad = good;
	struct hbi_telemetry telemetry;

	CHECK(reg64(&board, HBI_REG_CAPS) & HBI_CAP_TELEMETRY);
	CHECK_EQUAL(admin(&board, &good), HBI_OK);
	bad.address += 4;
	CHECK_EQUAL(admin(&board, &bad), HBI_ERROR_FIELD);
	bad = good;
	bad.address = 0xdead0000;
	CHECK_EQUAL(admin(&board, &bad), HBI_ERROR_HOST_DMA);
	bad = good;
	bad.reserved[4] = 1;
	CHECK_EQUAL(admin(&board, &bad), HBI_ERROR_FIELD);
	bad = good;
	bad.reserved0 = 1;
	CHECK_EQUAL(admin(&board, &bad), HBI_ERROR_FIELD);
	CHECK_EQUAL(ask(7, &telemetry), HBI_ERROR_NO_ENTRY);
	CHECK_EQUAL(ask(0xffffffff, &telemetry), HBI_ERROR_NO_ENTRY);
}

static void test_counts(void)
{
	union hbi_packet mark = packet_dispatch(KERNEL_MARK, 16, VA_DATA);
	struct hbi_telemetry before, after, other;
	uint64_t sum = 0;
	struct queue queue;
	unsigned int i;

	CHECK_EQUAL(ask(0, &before), HBI_OK);
	CHECK_EQUAL(before.busy | before.dispatches | before.context_busy, 0);
	CHECK_EQUAL(before.workers, reg32(&board, HBI_REG_CORES) & 0xffff);
	CHECK_EQUAL(queue_init(&queue, &first, 0, 4, 0), HBI_OK);
	put_args(&first, 0, 16, VA_DATA + 0x1000, 0);
	for (i = 0; i < 9; i++)
		CHECK(queue_do(&queue, &mark));
	CHECK_EQUAL(ask(1, &after), HBI_OK);
	CHECK_EQUAL(after.dispatches, 9);
	CHECK_EQUAL(after.context_dispatches, 9);
	CHECK(after.busy > 0);
	CHECK_EQUAL(after.context_busy, after.busy);
	for (i = 0; i < after.workers; i++)
		sum += after.worker_busy[i];
	CHECK_EQUAL(sum, after.busy);
	CHECK(after.ticks > before.ticks);
	CHECK(after.busy <= (after.ticks - before.ticks) * after.workers);
	CHECK_EQUAL(ask(2, &other), HBI_OK);
	CHECK_EQUAL(other.busy, after.busy);
	CHECK_EQUAL(other.context_busy | other.context_dispatches, 0);
	CHECK_EQUAL(admin_destroy_queue(&board, 0), HBI_OK);
	/* A new context of the same number begins at 0, the board goes on. */
	CHECK_EQUAL(admin_destroy_context(&board, 1), HBI_OK);
	CHECK_EQUAL(ask(1, &other), HBI_ERROR_NO_ENTRY);
	CHECK_EQUAL(admin_create_context(&board, 1, first.root), HBI_OK);
	CHECK_EQUAL(ask(1, &other), HBI_OK);
	CHECK_EQUAL(other.context_busy | other.context_dispatches, 0);
	CHECK_EQUAL(other.busy, after.busy);
	CHECK_EQUAL(other.dispatches, 9);
}

/* A dispatch that never ends: its time counts while it runs. */
static void test_running(void)
{
	union hbi_packet spin = packet_dispatch(KERNEL_SPIN, 1, VA_DATA);
	struct hbi_telemetry before, then, later;
	struct queue queue;

	CHECK_EQUAL(queue_init(&queue, &second, 3, 4, 0), HBI_OK);
	put_args(&second, 0, 1, VA_DATA + 0x1000, 0);
	CHECK_EQUAL(ask(2, &before), HBI_OK);
	queue_put(&queue, &spin);
	queue_ring(&queue);
	do {
		CHECK_EQUAL(ask(2, &then), HBI_OK);
	} while (then.context_busy == before.context_busy);
	usleep(200000);
	CHECK_EQUAL(ask(2, &later), HBI_OK);
	CHECK_EQUAL(later.context_dispatches, 1);
	CHECK(later.context_busy > then.context_busy);
	CHECK(later.context_busy - then.context_busy <= 2 * (later.ticks - then.ticks));
	CHECK_EQUAL(later.busy - then.busy, later.context_busy - then.context_busy);
	CHECK_EQUAL(admin_destroy_queue(&board, 3), HBI_OK);
	CHECK_EQUAL(ask(2, &then), HBI_OK);
	CHECK(then.context_busy >= later.context_busy);
	CHECK_EQUAL(ask(2, &later), HBI_OK);
	CHECK_EQUAL(later.context_busy, then.context_busy);
}

/* The virtual board says that its sensors are a model, and the model holds together. */
static void test_sensors(void)
{
	const uint32_t all = HBI_TELEMETRY_ENERGY | HBI_TELEMETRY_POWER |
			     HBI_TELEMETRY_TEMPERATURE | HBI_TELEMETRY_CLOCK |
			     HBI_TELEMETRY_POWER_LIMIT | HBI_TELEMETRY_MODEL;
	union hbi_packet spin = packet_dispatch(KERNEL_SPIN, 1, VA_DATA);
	struct hbi_telemetry idle, busy;
	struct queue queue;

	CHECK_EQUAL(ask(0, &idle), HBI_OK);
	usleep(200000);
	CHECK_EQUAL(ask(0, &idle), HBI_OK);
	CHECK_EQUAL(idle.valid, all);
	CHECK_EQUAL(idle.clock_khz, 1000000);
	CHECK_EQUAL(idle.power_mw / 1000, 6);
	CHECK_EQUAL(queue_init(&queue, &second, 3, 4, 0), HBI_OK);
	queue_put(&queue, &spin);
	queue_ring(&queue);
	usleep(400000);
	CHECK_EQUAL(ask(0, &busy), HBI_OK);
	CHECK(busy.power_mw > idle.power_mw);
	CHECK(busy.power_mw <= 30000 + 100);
	CHECK(busy.energy_uj > idle.energy_uj);
	CHECK(busy.temperature_mk > idle.temperature_mk);
	CHECK(busy.temperature_mk < 273150 + 100000);
	CHECK_EQUAL(admin_destroy_queue(&board, 3), HBI_OK);
}

static enum hbi_error limit(uint32_t mw)
{
	struct hbi_admin_power_limit command = {
		.header.opcode = HBI_ADMIN_POWER_LIMIT,
		.limit_mw = mw,
	};

	return admin(&board, &command);
}

static void test_limit_range(void)
{
	struct hbi_admin_power_limit bad = { .header.opcode = HBI_ADMIN_POWER_LIMIT };
	struct hbi_telemetry t;

	CHECK_EQUAL(ask(0, &t), HBI_OK);
	CHECK_EQUAL(t.power_limit_min_mw, 9000);
	CHECK_EQUAL(t.power_limit_max_mw, 30000);
	CHECK_EQUAL(t.power_limit_default_mw, 30000);
	CHECK_EQUAL(t.power_limit_mw, 30000);
	CHECK_EQUAL(limit(t.power_limit_min_mw - 1), HBI_ERROR_FIELD);
	CHECK_EQUAL(limit(t.power_limit_max_mw + 1), HBI_ERROR_FIELD);
	CHECK_EQUAL(limit(~0u), HBI_ERROR_FIELD);
	bad.reserved0 = 1;
	CHECK_EQUAL(admin(&board, &bad), HBI_ERROR_FIELD);
	bad.reserved0 = 0;
	bad.reserved[5] = 1;
	CHECK_EQUAL(admin(&board, &bad), HBI_ERROR_FIELD);
	CHECK_EQUAL(ask(0, &t), HBI_OK);
	CHECK_EQUAL(t.power_limit_mw, 30000);
	CHECK_EQUAL(limit(t.power_limit_min_mw), HBI_OK);
	CHECK_EQUAL(ask(0, &t), HBI_OK);
	CHECK_EQUAL(t.power_limit_mw, 9000);
	CHECK_EQUAL(t.clock_khz, 125000);
	CHECK_EQUAL(limit(0), HBI_OK);
	CHECK_EQUAL(ask(0, &t), HBI_OK);
	CHECK_EQUAL(t.power_limit_mw, 30000);
}

struct run {
	bool done;	   /* or ended for its time limit */
	uint64_t ms;	   /* that it took, pauses included */
	uint64_t power_mw; /* mean, meanwhile */
};

/* A dispatch of slow work-groups, all of which have to be done, and once, if it is. @timeout_ms: of it, 0 for none. */
static struct run slow_work(uint32_t timeout_ms)
{
	union hbi_packet slow = packet_dispatch(KERNEL_SLOW, GROUPS, VA_DATA);
	volatile uint32_t *marks = (uint32_t *)(context_data(&second) + 0x1000);
	uint64_t per_us = reg64(&board, HBI_REG_TIMESTAMP_HZ) / 1000000, us;
	struct hbi_telemetry before, after;
	struct queue queue;
	struct run run;
	uint32_t i, wrong = 0;

	memset((void *)marks, 0, 4 * GROUPS);
	put_args(&second, 0, GROUPS, VA_DATA + 0x1000, SLOW);
	CHECK_EQUAL(queue_init(&queue, &second, 3, 4, timeout_ms), HBI_OK);
	CHECK_EQUAL(ask(0, &before), HBI_OK);
	queue_put(&queue, &slow);
	queue_ring(&queue);
	run.done = queue_wait(&queue, 1);
	CHECK_EQUAL(ask(0, &after), HBI_OK);
	us = (after.ticks - before.ticks) / per_us;
	run.ms = us / 1000;
	run.power_mw = (after.energy_uj - before.energy_uj) * 1000 / us;
	for (i = 0; i < GROUPS; i++)
		wrong += marks[i] != 1;
	if (run.done)
		CHECK_EQUAL(wrong, 0);
	CHECK_EQUAL(admin_destroy_queue(&board, 3), HBI_OK);
	return run;
}

/*
 * With an eighth of their time for the workers a dispatch takes eight times as long, and may take four times as long
 * as without: what it is paused for does not count. On a machine with other work to do, not every try says something.
 */
static void test_limit(void)
{
	struct run freely, limited;
	int tries;

	for (tries = 0; tries < 5; tries++) {
		CHECK_EQUAL(limit(0), HBI_OK);
		freely = slow_work(0);
		CHECK_EQUAL(limit(9000), HBI_OK);
		limited = slow_work((uint32_t)(4 * freely.ms));
		if (freely.power_mw > 15000 && limited.done && limited.ms > 4 * freely.ms &&
		    limited.power_mw <= 9000 + 450)
			break;
		printf("# freely %llu ms at %llu mW, limited %s, %llu ms at %llu mW\n",
		       (unsigned long long)freely.ms, (unsigned long long)freely.power_mw,
		       limited.done ? "done" : "not done", (unsigned long long)limited.ms,
		       (unsigned long long)limited.power_mw);
	}
	CHECK(tries < 5);
	CHECK_EQUAL(limit(0), HBI_OK);
}

int main(int argc, char **argv)
{
	test_arguments(argc, argv);
	client_open(&board, NULL);
	start_board(&board);
	context_standard(&first, &board, 1);
	context_standard(&second, &board, 2);
	tap_run("malformed commands are refused", test_fields);
	tap_run("counters tell what was done, by worker and by context", test_counts);
	tap_run("a running dispatch counts", test_running);
	tap_run("power, energy and temperature follow the busy time", test_sensors);
	tap_run("a power limit has a range", test_limit_range);
	tap_run("work under it goes on, and the board keeps to it", test_limit);
	CHECK_EQUAL(client_close(&board), 0);
	return tap_end();
}
