// SPDX-License-Identifier: MIT
/*
 * hearth-smi: lists the boards of this machine, what runs on them and how much of their memory is free.
 * A board without a driver, or one that may not be opened, is listed with the reason.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hearth_drm.h"

const char *argp_program_version = "hearth-smi " HEARTH_VERSION;

enum { EXIT_USAGE = 2 };

static const char doc[] =
	"Lists the accelerator boards of this machine."
	"\vExit status: 0 if every board that was found can be used, 1 if one cannot, if none was "
	"found or if they could not be looked for, 2 for wrong usage.";

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Write one JSON object in place of text", 0 },
	{ 0 },
};

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
	[HBI_STATE_RESCUE] = "rescue",
};

/* All that is told of a board. @problem: why it cannot be used, or empty. */
struct report {
	const struct hearth_drm_board *board;
	char problem[256];
	bool answered; /* the three below are valid */
	struct drm_hearth_query_device device;
	struct drm_hearth_query_firmware firmware;
	struct drm_hearth_query_memory memory;
};

static const char *state_name(uint32_t state)
{
	return state < sizeof(states) / sizeof(states[0]) ? states[state] : "in an unknown state";
}

static void __attribute__((format(printf, 2, 3))) problem(struct report *report, const char *format,
							  ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(report->problem, sizeof(report->problem), format, list);
	va_end(list);
}

static void ask(struct report *report)
{
	const struct hearth_drm_board *board = report->board;
	int fd, error;

	if (!board->driver[0]) {
		problem(report,
			"no driver is bound (is hearth.ko loaded? the kernel log has more)");
		return;
	}
	if (strcmp(board->driver, "hearth")) {
		problem(report, "bound to the driver %s", board->driver);
		return;
	}
	if (!board->node[0]) {
		problem(report, "the driver has made no device node (the kernel log has more)");
		return;
	}
	fd = hearth_drm_open(board->node);
	if (fd < 0) {
		problem(report, "%s: %s%s", board->node, strerror(-fd),
			fd == -EACCES ? " (its users are in the group render)" : "");
		return;
	}
	error = hearth_drm_query_device(fd, &report->device);
	if (!error)
		error = hearth_drm_query_firmware(fd, &report->firmware);
	if (!error)
		error = hearth_drm_query_memory(fd, &report->memory);
	close(fd);
	if (error) {
		problem(report, "%s does not answer: %s", board->node, strerror(-error));
		return;
	}
	report->answered = true;
	if (report->firmware.state != HBI_STATE_RUNNING)
		problem(report, "the board is %s", state_name(report->firmware.state));
}

static void format_uuid(const struct drm_hearth_query_device *device, char text[37])
{
	size_t i;

	for (i = 0; i < sizeof(device->uuid); i++)
		text += sprintf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				device->uuid[i]);
}

/* ---- Text ---- */

static void show_device(const struct drm_hearth_query_device *d)
{
	const char *separator = "";
	char uuid[37];
	size_t i;

	format_uuid(d, uuid);
	printf("    identity:  board %04x revision %u, %s\n", d->board_id, d->board_revision, uuid);
	printf("    interface: %u.%u (", d->hbi_version >> 16, d->hbi_version & 0xffff);
	for (i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++) {
		if (!(d->caps & abilities[i].bit))
			continue;
		printf("%s%s", separator, abilities[i].name);
		separator = ", ";
	}
	printf(")\n    compute:   %u workers, vectors of %u bits, %u queues\n", d->workers,
	       d->vlen_bits, d->max_queues);
}

static void show_text(uint32_t index, const struct report *report)
{
	const struct hearth_drm_board *board = report->board;

	if (!report->answered) {
		printf("%u: board %04x:%04x at %s: not usable: %s\n", index, board->vendor_id,
		       board->device_id, board->pci, report->problem);
		return;
	}
	printf("%u: %.*s at %s, %s\n", index, (int)sizeof(report->device.board_name),
	       (const char *)report->device.board_name, board->pci, board->node);
	show_device(&report->device);
	printf("    firmware:  %.*s, %s, generation %u\n", (int)sizeof(report->firmware.version),
	       (const char *)report->firmware.version, state_name(report->firmware.state),
	       report->device.generation);
	printf("    memory:    %" PRIu64 " MiB, %" PRIu64 " MiB free\n",
	       (uint64_t)report->memory.board_total >> 20,
	       (uint64_t)report->memory.board_free >> 20);
	if (report->problem[0])
		printf("    not usable: %s\n", report->problem);
}

/* ---- JSON ---- */

/* A string of at most @size bytes, up to a zero. What is not ASCII is escaped byte by byte. */
static void json_text(const void *text, size_t size)
{
	const unsigned char *c = text;
	size_t i;

	putchar('"');
	for (i = 0; i < size && c[i]; i++) {
		if (c[i] < ' ' || c[i] > '~' || c[i] == '"' || c[i] == '\\')
			printf("\\u%04x", c[i]);
		else
			putchar(c[i]);
	}
	putchar('"');
}

static void json_member(const char *name, const void *text, size_t size)
{
	printf(",\n      \"%s\": ", name);
	json_text(text, size);
}

static void json_device(const struct drm_hearth_query_device *d)
{
	const char *separator = "";
	char uuid[37];
	size_t i;

	format_uuid(d, uuid);
	json_member("name", d->board_name, sizeof(d->board_name));
	json_member("vendor", d->vendor, sizeof(d->vendor));
	json_member("serial", d->serial, sizeof(d->serial));
	json_member("uuid", uuid, sizeof(uuid));
	json_member("isa", d->isa, sizeof(d->isa));
	printf(",\n      \"board_id\": %u,\n      \"board_revision\": %u", d->board_id,
	       d->board_revision);
	printf(",\n      \"interface\": \"%u.%u\",\n      \"abilities\": [", d->hbi_version >> 16,
	       d->hbi_version & 0xffff);
	for (i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++) {
		if (!(d->caps & abilities[i].bit))
			continue;
		printf("%s\"%s\"", separator, abilities[i].name);
		separator = ", ";
	}
	printf("],\n      \"workers\": %u,\n      \"vector_bits\": %u,\n      \"queues\": %u",
	       d->workers, d->vlen_bits, d->max_queues);
	printf(",\n      \"generation\": %u", d->generation);
}

static void show_json(uint32_t index, const struct report *report)
{
	const struct hearth_drm_board *board = report->board;

	printf("%s\n    {\n      \"index\": %u", index ? "," : "", index);
	json_member("pci", board->pci, sizeof(board->pci));
	printf(",\n      \"vendor_id\": %u,\n      \"device_id\": %u", board->vendor_id,
	       board->device_id);
	json_member("driver", board->driver, sizeof(board->driver));
	json_member("node", board->node, sizeof(board->node));
	printf(",\n      \"usable\": %s", report->problem[0] ? "false" : "true");
	json_member("problem", report->problem, sizeof(report->problem));
	if (report->answered) {
		const char *state = state_name(report->firmware.state);

		json_device(&report->device);
		json_member("firmware_version", report->firmware.version,
			    sizeof(report->firmware.version));
		json_member("firmware_state", state, strlen(state));
		printf(",\n      \"memory_bytes\": %" PRIu64
		       ",\n      \"memory_free_bytes\": %" PRIu64,
		       (uint64_t)report->memory.board_total, (uint64_t)report->memory.board_free);
	}
	printf("\n    }");
}

/* ---- Command line ---- */

static error_t parse(int key, char *argument, struct argp_state *state)
{
	bool *json = state->input;

	switch (key) {
	case 'j':
		*json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\" (no arguments, only options)",
			   argument);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse, NULL, doc, NULL, NULL, NULL };
	struct hearth_drm_board boards[HEARTH_DRM_MAX_BOARDS];
	int i, count, status = EXIT_SUCCESS;
	bool json = false;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &json);
	count = hearth_drm_discover(boards, HEARTH_DRM_MAX_BOARDS);
	if (count < 0) {
		fprintf(stderr, "hearth-smi: boards cannot be looked for: %s\n", strerror(-count));
		return EXIT_FAILURE;
	}
	if (json)
		printf("{\n  \"boards\": [");
	else if (!count)
		printf("no board: no PCI function here has the board interface\n");
	for (i = 0; i < count && i < HEARTH_DRM_MAX_BOARDS; i++) {
		struct report report = { .board = &boards[i] };

		ask(&report);
		if (json)
			show_json((uint32_t)i, &report);
		else
			show_text((uint32_t)i, &report);
		if (report.problem[0])
			status = EXIT_FAILURE;
	}
	if (json)
		printf("%s]\n}\n", count ? "\n  " : "");
	if (!count)
		status = EXIT_FAILURE;
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "hearth-smi: standard output: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return status;
}
