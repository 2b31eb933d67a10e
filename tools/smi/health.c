// SPDX-License-Identifier: MIT
/*
 * topology: where boards are and how near to each other. health: whether there is anything that
 * somebody should look at, for scripts by the exit status.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smi.h"

/* ---- topology ---- */

/* How many parts two PCI paths have in common. */
static unsigned int common_parts(const char *a, const char *b)
{
	unsigned int parts = 0;

	while (*a && *a == *b) {
		if (*a == '/')
			parts++;
		a++;
		b++;
	}
	return !*a && !*b ? UINT_MAX : parts;
}

/*
 * What lies between two boards: "switch" if they have a bridge in common, "root" if only the root
 * complex, "node" if they are at the same NUMA node but not that, else "system".
 */
static const char *nearness(const struct smi_board *a, const struct smi_board *b)
{
	unsigned int parts = common_parts(a->path, b->path);

	if (parts >= 2)
		return "switch";
	if (parts == 1)
		return "root";
	if (a->metrics.numa_node == b->metrics.numa_node && a->metrics.numa_node != SMI_UNKNOWN)
		return "node";
	return "system";
}

static void peers(const struct smi_board *boards, uint32_t count, const struct smi_board *board,
		  char *text, size_t size)
{
	size_t used = 0;
	uint32_t i;

	text[0] = 0;
	for (i = 0; i < count && used < size; i++)
		if (&boards[i] != board)
			used += (size_t)snprintf(text + used, size - used, "%s%s=%s",
						 used ? " " : "", boards[i].pci,
						 nearness(board, &boards[i]));
}

int smi_topology(enum smi_format format)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	struct smi_table table = { .name = "boards", .format = format };
	uint32_t i, count = smi_find_boards(boards);

	smi_table_begin(&table);
	for (i = 0; i < count; i++) {
		const struct smi_board *board = &boards[i];
		char near[HEARTH_DRM_MAX_BOARDS * 24];

		peers(boards, count, board, near, sizeof(near));
		const struct smi_value values[] = {
			{ "pci", SMI_TEXT, .text = board->pci, .width = 12 },
			{ "uuid", SMI_TEXT, .text = board->uuid, .width = 36 },
			{ "numa_node", SMI_NUMBER, .number = board->metrics.numa_node },
			{ "iommu_group", SMI_TEXT, .text = board->iommu_group },
			{ "link_width", SMI_NUMBER, .number = board->metrics.link_width },
			{ "max_link_width", SMI_NUMBER, .number = board->max_width },
			{ "link_speed", SMI_TEXT, .text = board->speed, .width = 13 },
			{ "max_link_speed", SMI_TEXT, .text = board->max_speed },
			{ "path", SMI_TEXT, .text = board->path, .width = 38 },
			{ "peers", SMI_TEXT, .text = near },
		};

		smi_table_row(&table, values, sizeof(values) / sizeof(values[0]));
	}
	smi_table_end(&table);
	return count ? SMI_EXIT_GOOD : SMI_EXIT_NONE;
}

/* ---- health ---- */

/* The kernel tells more where it does not know. */
#define MAX_LANES 32

/* Whether a core dump of the board waits to be read. */
static bool has_dump(const struct smi_board *board)
{
	char folder[512], link[1024], target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%.200s/class/devcoredump", smi_sysfs);
	dir = opendir(folder);
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(link, sizeof(link), "%s/%.64s/failing_device", folder, entry->d_name);
		found = entry->d_name[0] != '.' && realpath(link, target) &&
			strlen(target) > strlen(board->pci) &&
			!strcmp(target + strlen(target) - strlen(board->pci), board->pci);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void add(char *text, size_t size, const char *reason)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? "; " : "", reason);
}

/* The verdict; @reasons: why it is not "good". */
static const char *judge(const struct smi_board *board, char *reasons, size_t size)
{
	reasons[0] = 0;
	if (strcmp(board->state, "live") && strcmp(board->state, "suspended") &&
	    strcmp(board->state, "starting")) {
		add(reasons, size, "the board is");
		snprintf(reasons + strlen(reasons), size - strlen(reasons), " %s", board->state);
		return strcmp(board->state, "resetting") ? "failed" : "warning";
	}
	if (board->metrics.link_width > 0 && board->max_width <= MAX_LANES &&
	    board->metrics.link_width < board->max_width)
		add(reasons, size, "the link is narrower than the board could have it");
	if (has_dump(board))
		add(reasons, size, "a core dump waits to be read");
	return reasons[0] ? "warning" : "good";
}

int smi_health(enum smi_format format)
{
	static struct smi_board boards[HEARTH_DRM_MAX_BOARDS];
	struct smi_table table = { .name = "boards", .format = format };
	uint32_t i, count = smi_find_boards(boards);
	int status = count ? SMI_EXIT_GOOD : SMI_EXIT_NONE;

	smi_table_begin(&table);
	for (i = 0; i < count; i++) {
		const struct smi_board *board = &boards[i];
		char reasons[256];
		const char *verdict = judge(board, reasons, sizeof(reasons));
		const struct smi_value values[] = {
			{ "pci", SMI_TEXT, .text = board->pci, .width = 12 },
			{ "uuid", SMI_TEXT, .text = board->uuid, .width = 36 },
			{ "health", SMI_TEXT, .text = verdict, .width = 7 },
			{ "state", SMI_TEXT, .text = board->state, .width = 9 },
			{ "resets", SMI_NUMBER, .number = board->resets },
			{ "faults", SMI_NUMBER, .number = board->faults },
			{ "temperature_mc", SMI_NUMBER, .number = board->metrics.temperature_mc },
			{ "firmware_version", SMI_TEXT, .text = board->firmware_version },
			{ "firmware_image", SMI_TEXT, .text = board->firmware_image },
			{ "reasons", SMI_TEXT, .text = reasons },
		};

		smi_table_row(&table, values, sizeof(values) / sizeof(values[0]));
		if (!strcmp(verdict, "failed"))
			status = SMI_EXIT_FAILED;
		else if (!strcmp(verdict, "warning") && status == SMI_EXIT_GOOD)
			status = SMI_EXIT_BAD;
	}
	smi_table_end(&table);
	if (!count && format == SMI_PLAIN)
		fprintf(stderr, "hearth-smi: no board with the driver hearth\n");
	return status;
}
