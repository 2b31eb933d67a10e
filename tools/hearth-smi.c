// SPDX-License-Identifier: MIT
/*
 * hearth-smi: lists the boards of this machine, what runs on them and how much of their memory is free.
 * A board without a driver, or one that may not be opened, is listed with the reason.
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hearth_drm.h"

const char *argp_program_version = "hearth-smi " HEARTH_VERSION;

enum { EXIT_USAGE = 2 };

static const char doc[] = "Lists the accelerator boards of this machine."
			  "\vExit status: 0 if every board that was found can be used, 1 if one "
			  "cannot or none was found.";

static const struct {
	uint64_t bit;
	const char *name;
} abilities[] = {
	{ HBI_CAP_COMPUTE, "compute" },		{ HBI_CAP_RVV, "RISC-V vectors" },
	{ HBI_CAP_HOST_ACCESS, "host access" }, { HBI_CAP_PRIORITY, "priorities" },
	{ HBI_CAP_TIMEOUT, "time limits" },
};

static const char *const states[] = {
	[HBI_STATE_RESET] = "in reset",	 [HBI_STATE_IDLE] = "idle, no firmware",
	[HBI_STATE_BOOTING] = "booting", [HBI_STATE_READY] = "ready",
	[HBI_STATE_RUNNING] = "running", [HBI_STATE_FAILED] = "failed",
};

static void show_device(const struct drm_hearth_query_device *d)
{
	const char *separator = "";
	size_t i;

	printf("    identity:  board %04x revision %u, ", d->board_id, d->board_revision);
	for (i = 0; i < sizeof(d->uuid); i++)
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", d->uuid[i]);
	printf("\n    interface: %u.%u (", d->hbi_version >> 16, d->hbi_version & 0xffff);
	for (i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++) {
		if (!(d->caps & abilities[i].bit))
			continue;
		printf("%s%s", separator, abilities[i].name);
		separator = ", ";
	}
	printf(")\n    compute:   %u workers, vectors of %u bits, %u queues\n", d->workers,
	       d->vlen_bits, d->max_queues);
}

/* 0 if the board can be used. */
static int show_board(uint32_t index, const struct hearth_drm_board *board)
{
	struct drm_hearth_query_firmware firmware;
	struct drm_hearth_query_device device;
	struct drm_hearth_query_memory memory;
	const char *state = "in an unknown state";
	int fd, error;

	printf("%u: ", index);
	if (!board->node[0]) {
		printf("board %04x:%04x at %s: %s%s\n", board->vendor_id, board->device_id,
		       board->pci,
		       board->driver[0] ? "not usable, bound to "
					: "no driver is bound (is hearth.ko loaded?)",
		       board->driver);
		return -1;
	}
	fd = hearth_drm_open(board->node);
	if (fd < 0) {
		printf("board at %s: %s: %s\n", board->pci, board->node, strerror(-fd));
		return -1;
	}
	error = hearth_drm_query_device(fd, &device);
	if (!error)
		error = hearth_drm_query_firmware(fd, &firmware);
	if (!error)
		error = hearth_drm_query_memory(fd, &memory);
	close(fd);
	if (error) {
		printf("board at %s: %s does not answer: %s\n", board->pci, board->node,
		       strerror(-error));
		return -1;
	}
	if (firmware.state < sizeof(states) / sizeof(states[0]))
		state = states[firmware.state];
	printf("%.*s at %s, %s\n", (int)sizeof(device.board_name), (const char *)device.board_name,
	       board->pci, board->node);
	show_device(&device);
	printf("    firmware:  %.*s, %s, generation %u\n", (int)sizeof(firmware.version),
	       (const char *)firmware.version, state, device.generation);
	printf("    memory:    %" PRIu64 " MiB, %" PRIu64 " MiB free\n",
	       (uint64_t)memory.board_total >> 20, (uint64_t)memory.board_free >> 20);
	return firmware.state == HBI_STATE_RUNNING ? 0 : -1;
}

int main(int argc, char **argv)
{
	static const struct argp argp = { NULL, NULL, NULL, doc, NULL, NULL, NULL };
	struct hearth_drm_board boards[HEARTH_DRM_MAX_BOARDS];
	int i, count, status = EXIT_SUCCESS;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	count = hearth_drm_discover(boards, HEARTH_DRM_MAX_BOARDS);
	if (count < 0) {
		fprintf(stderr, "hearth-smi: boards cannot be listed: %s\n", strerror(-count));
		return EXIT_FAILURE;
	}
	if (!count) {
		printf("no board: no PCI function here has the board interface\n");
		return EXIT_FAILURE;
	}
	for (i = 0; i < count && i < HEARTH_DRM_MAX_BOARDS; i++)
		if (show_board((uint32_t)i, &boards[i]))
			status = EXIT_FAILURE;
	return status;
}
