// SPDX-License-Identifier: MIT
/*
 * Boards as sysfs alone tells of them: no device is opened, so no right to use it is needed and a
 * board that sleeps is not woken. All that is read lies under one folder, /sys or a test's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smi.h"

const char *smi_sysfs = "/sys";

bool smi_read_text(const char *folder, const char *name, char *text, size_t size)
{
	char path[512];
	FILE *file;
	bool got;

	text[0] = 0;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fgets(text, (int)size, file);
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return got;
}

int64_t smi_read_number(const char *folder, const char *name)
{
	char text[64], *end;
	int64_t value;

	if (!smi_read_text(folder, name, text, sizeof(text)))
		return SMI_UNKNOWN;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || end == text ? SMI_UNKNOWN : value;
}

/* The last part of what a link leads to; empty if there is none. */
static void link_name(const char *folder, const char *name, char *text, size_t size)
{
	char path[512], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	length = readlink(path, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = 0;
	snprintf(text, size, "%.*s", (int)size - 1,
		 strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static bool is_board(const char *folder)
{
	char name[1100], text[64];

	snprintf(name, sizeof(name), "%s/hearth", folder);
	return smi_read_text(name, "uuid", text, sizeof(text));
}

/* The folder of the board's hwmon device; "" if it has none. */
static void find_hwmon(const char *folder, char *path, size_t size)
{
	struct dirent *entry;
	char parent[512];
	DIR *dir;

	path[0] = 0;
	snprintf(parent, sizeof(parent), "%s/hwmon", folder);
	dir = opendir(parent);
	while (dir && !path[0] && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "hwmon", 5))
			snprintf(path, size, "%.380s/%.32s", parent, entry->d_name);
	if (dir)
		closedir(dir);
}

static void read_sensors(struct smi_board *board)
{
	const struct {
		const char *file;
		int64_t *value;
	} sensors[] = {
		{ "temp1_input", &board->metrics.temperature_mc },
		{ "power1_average", &board->metrics.power_uw },
		{ "power1_cap", &board->metrics.power_limit_uw },
		{ "power1_cap_min", &board->metrics.power_limit_min_uw },
		{ "power1_cap_max", &board->metrics.power_limit_max_uw },
		{ "power1_cap_default", &board->metrics.power_limit_default_uw },
		{ "energy1_input", &board->metrics.energy_uj },
		{ "freq1_input", &board->metrics.clock_hz },
	};
	size_t i;

	find_hwmon(board->folder, board->hwmon, sizeof(board->hwmon));
	for (i = 0; i < sizeof(sensors) / sizeof(sensors[0]); i++)
		*sensors[i].value = smi_read_number(board->hwmon, sensors[i].file);
}

static void describe(const char *pci, struct smi_board *board)
{
	char hearth[512], text[64], real[PATH_MAX];
	const char *tail;

	memset(board, 0, sizeof(*board));
	snprintf(board->pci, sizeof(board->pci), "%.15s", pci);
	snprintf(board->folder, sizeof(board->folder), "%.200s/bus/pci/devices/%.15s", smi_sysfs,
		 pci);
	snprintf(hearth, sizeof(hearth), "%s/hearth", board->folder);
	smi_read_text(hearth, "uuid", board->uuid, sizeof(board->uuid));
	smi_read_text(hearth, "name", board->name, sizeof(board->name));
	smi_read_text(hearth, "state", board->state, sizeof(board->state));
	smi_read_text(hearth, "firmware_version", board->firmware_version,
		      sizeof(board->firmware_version));
	smi_read_text(hearth, "firmware_image", board->firmware_image,
		      sizeof(board->firmware_image));
	board->workers = smi_read_number(hearth, "workers");
	board->resets = smi_read_number(hearth, "resets");
	board->faults = smi_read_number(hearth, "faults");
	/* Time first: busy is then never more than the time that the caller sees pass. */
	board->metrics.time_ns = smi_read_number(hearth, "time_ns");
	board->metrics.busy_ns = smi_read_number(hearth, "busy_ns");
	board->metrics.dispatches = smi_read_number(hearth, "dispatches");
	read_sensors(board);
	smi_read_text(board->hwmon, "temp1_label", text, sizeof(text));
	board->metrics.modeled = strstr(text, "(model)");
	board->metrics.numa_node = smi_read_number(board->folder, "numa_node");
	/* The kernel's way to say that it does not know. */
	if (board->metrics.numa_node < 0)
		board->metrics.numa_node = SMI_UNKNOWN;
	board->metrics.link_width = smi_read_number(board->folder, "current_link_width");
	board->max_width = smi_read_number(board->folder, "max_link_width");
	smi_read_text(board->folder, "current_link_speed", board->speed, sizeof(board->speed));
	smi_read_text(board->folder, "max_link_speed", board->max_speed, sizeof(board->max_speed));
	link_name(board->folder, "iommu_group", board->iommu_group, sizeof(board->iommu_group));
	if (!realpath(board->folder, real))
		real[0] = 0;
	tail = strstr(real, "/devices/");
	snprintf(board->path, sizeof(board->path), "%.255s", tail ? tail + 9 : real);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct smi_board *)a)->pci, ((const struct smi_board *)b)->pci);
}

uint32_t smi_find_boards(struct smi_board boards[HEARTH_DRM_MAX_BOARDS])
{
	char folder[512], one[1024];
	struct dirent *entry;
	uint32_t count = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%.200s/bus/pci/devices", smi_sysfs);
	dir = opendir(folder);
	while (dir && count < HEARTH_DRM_MAX_BOARDS && (entry = readdir(dir))) {
		snprintf(one, sizeof(one), "%s/%.255s", folder, entry->d_name);
		if (entry->d_name[0] != '.' && is_board(one))
			describe(entry->d_name, &boards[count++]);
	}
	if (dir)
		closedir(dir);
	qsort(boards, count, sizeof(boards[0]), compare);
	return count;
}

int smi_no_board(const char *name)
{
	fprintf(stderr,
		"hearth-smi: no board \"%s\" with the driver hearth (a PCI address or a UUID)\n",
		name);
	return SMI_EXIT_NONE;
}

const struct smi_board *smi_pick_board(const struct smi_board *boards, uint32_t count,
				       const char *name)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(boards[i].pci, name) || !strcmp(boards[i].uuid, name))
			return &boards[i];
	return NULL;
}
