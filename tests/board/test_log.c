// SPDX-License-Identifier: MIT
/*
 * The board's log: what is in it after boots, faults, fatal errors and the watchdog, read through a
 * driver's eyes and over resets.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "client.h"
#include "kernels.h"

static struct client board;
static struct context context;
static uint64_t seen; /* number of the first entry not looked at yet */

/* Whether an entry from @seen on, of this level, has @text in it; goes past it then. */
static bool logged(enum hbi_log_level level, const char *text)
{
	struct hbi_admin_log_read command = {
		.header.opcode = HBI_ADMIN_LOG_READ,
		.address = HOST_BUS + HOST_FREE,
		.first = seen,
	};
	const struct hbi_log *log = (void *)(board.host + HOST_FREE);
	uint32_t i;

	do {
		CHECK_EQUAL(admin(&board, &command), HBI_OK);
		for (i = 0; i < log->count; i++) {
			const struct hbi_log_entry *entry = &log->entries[i];

			CHECK(entry->number >= command.first);
			if (entry->level == level && strstr((const char *)entry->text, text)) {
				seen = entry->number + 1;
				return true;
			}
		}
		command.first = log->next;
	} while (log->next != log->end);
	return false;
}

static void test_boot(void)
{
	CHECK(reg64(&board, HBI_REG_CAPS) & HBI_CAP_LOG);
	CHECK(logged(HBI_LOG_INFO, "boot 1"));
	CHECK(logged(HBI_LOG_INFO, "enabled"));
	CHECK(!logged(HBI_LOG_INFO, ""));
}

static void test_fault(void)
{
	union hbi_packet bad = packet_signal(VA_DATA + DATA_BYTES + 0x100000, 1);
	union hbi_packet spin = packet_dispatch(KERNEL_SPIN, 1, VA_DATA);
	struct queue queue;

	CHECK_EQUAL(queue_init(&queue, &context, 4, 4, 0), HBI_OK);
	queue_put(&queue, &bad);
	queue_ring(&queue);
	CHECK_EQUAL(queue_wait_error(&queue), HBI_ERROR_STORE);
	CHECK(logged(HBI_LOG_WARNING, "context 1, queue 4, packet 0: STORE at 20200000"));
	CHECK_EQUAL(admin_destroy_queue(&board, 4), HBI_OK);
	CHECK_EQUAL(queue_init(&queue, &context, 5, 4, 50), HBI_OK);
	put_args(&context, 0, 1, VA_DATA + 0x1000, 0);
	queue_put(&queue, &spin);
	queue_ring(&queue);
	CHECK_EQUAL(queue_wait_error(&queue), HBI_ERROR_TIMEOUT);
	CHECK(logged(HBI_LOG_WARNING, "queue 5, packet 0: TIMEOUT"));
	CHECK_EQUAL(admin_destroy_queue(&board, 5), HBI_OK);
}

static void restart(void)
{
	set_reg32(&board, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	CHECK_EQUAL(board_state(&board), HBI_STATE_IDLE);
	start_board(&board);
}

/* What was fatal is told once the board is up again, and what was before it as well. */
static void test_fatal(void)
{
	uint64_t before = seen;

	restart();
	CHECK(logged(HBI_LOG_INFO, "boot 2"));
	set_reg32(&board, HBI_REG_ADMIN_TAIL, board.admin_tail + 100);
	CHECK_EQUAL(wait_state_change(&board, HBI_STATE_RUNNING), HBI_STATE_FAILED);
	restart();
	CHECK(logged(HBI_LOG_ERROR, "admin tail is more than a ring ahead"));
	CHECK(logged(HBI_LOG_WARNING, "the boot before this one ended in FIRMWARE"));
	CHECK(logged(HBI_LOG_INFO, "boot 3"));
	seen = before;
	CHECK(logged(HBI_LOG_INFO, "boot 2"));
	seen = 0;
	CHECK(logged(HBI_LOG_WARNING, "TIMEOUT"));
}

static void test_watchdog(void)
{
	static const char *const options[] = { "--misbehave", "hang:1", "--watchdog", "300", NULL };
	struct queue queue;

	client_close(&board);
	client_open(&board, options);
	start_board(&board);
	context_standard(&context, &board, 1);
	seen = 0;
	CHECK(logged(HBI_LOG_INFO, "boot 1"));
	CHECK_EQUAL(queue_init(&queue, &context, 0, 4, 0), HBI_OK);
	queue_ring(&queue);
	CHECK_EQUAL(wait_state_change(&board, HBI_STATE_RUNNING), HBI_STATE_FAILED);
	CHECK_EQUAL(board_error(&board), HBI_BOOT_WATCHDOG);
	restart();
	CHECK(logged(HBI_LOG_WARNING, "the boot before this one ended in WATCHDOG"));
	CHECK(logged(HBI_LOG_INFO, "boot 2"));
}

int main(int argc, char **argv)
{
	test_arguments(argc, argv);
	client_open(&board, NULL);
	start_board(&board);
	context_standard(&context, &board, 1);
	tap_run("a boot is logged", test_boot);
	tap_run("so are faults and dispatches that ran too long", test_fault);
	tap_run("the log outlives fatal errors and resets", test_fatal);
	tap_run("and tells of the watchdog", test_watchdog);
	CHECK_EQUAL(client_close(&board), 0);
	return tap_end();
}
