// SPDX-License-Identifier: MIT
/* The whole chain once: identify, a context, a queue, a kernel on all workers. */
#include <stdio.h>
#include <string.h>
#include "client.h"
#include "kernels.h"

static struct client board;

static void test_chain(void)
{
	struct hbi_admin_identify identify = {
		.header.opcode = HBI_ADMIN_IDENTIFY,
		.address = HOST_BUS + HOST_FREE,
	};
	const struct hbi_identity *identity = (void *)(board.host + HOST_FREE);
	struct context context;
	struct queue queue;
	union hbi_packet p;
	uint32_t i, wrong = 0;

	start_board(&board);
	CHECK_EQUAL(admin(&board, &identify), HBI_OK);
	printf("# %s, firmware %s, %s\n", identity->board_name, identity->firmware_version,
	       identity->isa);
	context_standard(&context, &board, 1);
	CHECK_EQUAL(queue_init(&queue, &context, 0, 6, 0), HBI_OK);
	p = packet_nop();
	CHECK(queue_do(&queue, &p));
	p = packet_dispatch(KERNEL_MARK, 1000, put_args(&context, 0, 1000, VA_DATA + 4096, 0));
	CHECK(queue_do(&queue, &p));
	for (i = 0; i < 1000; i++) {
		uint32_t count;

		memcpy(&count, context_data(&context) + 4096 + 4 * i, 4);
		wrong += count != 1;
	}
	CHECK_EQUAL(wrong, 0);
	CHECK_EQUAL(queue.status->error, 0);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: test_basic BOARD FIRMWARE KERNELS");
	board_path = argv[1];
	firmware_path = argv[2];
	kernels_path = argv[3];
	client_open(&board, (const char *const[]){ "--verbose", NULL });
	tap_run("identify, context, queue, dispatch", test_chain);
	CHECK_EQUAL(client_close(&board), 0);
	return tap_end();
}
