// SPDX-License-Identifier: MIT
/* Asks a board, through its driver, what hearth-smi tells of it, or finds why it cannot be used. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "smi.h"

const struct smi_ability smi_abilities[] = {
	{ HBI_CAP_COMPUTE, "compute" },
	{ HBI_CAP_RVV, "RISC-V vectors" },
	{ HBI_CAP_HOST_ACCESS, "host access" },
	{ HBI_CAP_PRIORITY, "priorities" },
	{ HBI_CAP_TIMEOUT, "time limits" },
	{ HBI_CAP_TELEMETRY, "telemetry" },
	{ HBI_CAP_POWER_LIMIT, "power limit" },
	{ HBI_CAP_LOG, "log" },
	{ HBI_CAP_SIGNED_FIRMWARE, "signed firmware" },
	{ HBI_CAP_WATCHDOG, "watchdog" },
	{ HBI_CAP_PREEMPT, "preemption" },
	{ 0, NULL },
};

static const char *const states[] = {
	[HBI_STATE_RESET] = "in reset",	 [HBI_STATE_IDLE] = "idle, no firmware",
	[HBI_STATE_BOOTING] = "booting", [HBI_STATE_READY] = "ready",
	[HBI_STATE_RUNNING] = "running", [HBI_STATE_FAILED] = "failed",
	[HBI_STATE_RESCUE] = "rescue",
};

const char *smi_state_name(uint32_t state)
{
	return state < sizeof(states) / sizeof(states[0]) ? states[state] : "in an unknown state";
}

static void __attribute__((format(printf, 2, 3))) problem(struct smi_report *report,
							  const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(report->problem, sizeof(report->problem), format, list);
	va_end(list);
}

static void read_tree(struct smi_report *report)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	const struct smi_board *board =
		smi_pick_board(boards, smi_find_boards(boards), report->board->pci);
	static const struct smi_metrics unknown = {
		.time_ns = SMI_UNKNOWN,
		.busy_ns = SMI_UNKNOWN,
		.dispatches = SMI_UNKNOWN,
		.temperature_mc = SMI_UNKNOWN,
		.power_uw = SMI_UNKNOWN,
		.power_limit_uw = SMI_UNKNOWN,
		.clock_hz = SMI_UNKNOWN,
		.energy_uj = SMI_UNKNOWN,
		.numa_node = SMI_UNKNOWN,
		.link_width = SMI_UNKNOWN,
	};

	report->metrics = board ? board->metrics : unknown;
	report->resets = board ? board->resets : SMI_UNKNOWN;
	report->faults = board ? board->faults : SMI_UNKNOWN;
}

void smi_ask(struct smi_report *report)
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
	read_tree(report);
	if (report->firmware.state != HBI_STATE_RUNNING)
		problem(report, "the board is %s", smi_state_name(report->firmware.state));
}

void smi_format_uuid(const struct drm_hearth_query_device *device, char text[37])
{
	size_t i;

	for (i = 0; i < sizeof(device->uuid); i++)
		text += sprintf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				device->uuid[i]);
}
