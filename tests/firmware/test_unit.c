// SPDX-License-Identifier: MIT
/* Boots the image with the firmware's unit tests on a virtual board and passes on what they print. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../board/client.h"
#include "fw_test.h"

int main(int argc, char **argv)
{
	static struct client board;
	volatile uint64_t *length;
	size_t size;
	uint8_t *image;
	char *text;
	int tries;

	if (argc != 3)
		die("usage: %s BOARD IMAGE", argv[0]);
	board_path = argv[1];
	client_open(&board, NULL);
	image = read_file(argv[2], &size);
	length = (uint64_t *)(board.aperture + FW_TEST_LENGTH);
	*length = 0;
	if (boot_image(&board, image, size) != HBI_STATE_READY)
		die("boot ended in state %d, error %d", board_state(&board), board_error(&board));
	for (tries = 0; !*length; tries++) {
		if (tries == PATIENCE_MS / 10 || board_state(&board) != HBI_STATE_READY)
			die("the tests do not end: state %d", board_state(&board));
		usleep(10000);
	}
	if (*length > FW_TEST_TEXT_MAX)
		die("%llu bytes of results", (unsigned long long)*length);
	text = malloc(*length + 1);
	memcpy(text, board.aperture + FW_TEST_LENGTH + 8, *length);
	text[*length] = 0;
	fputs(text, stdout);
	client_close(&board);
	free(image);
	return strstr(text, "not ok") != NULL;
}
