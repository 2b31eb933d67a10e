// SPDX-License-Identifier: MIT
/* What the kernel tells of a board in sysfs, and the reset, which is root's to ask for there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "smi.h"

#define RESET_SECONDS 120

static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool got;

	if (!file)
		return false;
	got = fgets(line, size, file);
	fclose(file);
	return got;
}

static int64_t read_number(const char *folder, const char *name)
{
	char path[512], line[64], *end;
	int64_t value;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!read_line(path, line, sizeof(line)))
		return SMI_UNKNOWN;
	errno = 0;
	value = strtoll(line, &end, 10);
	return errno || end == line ? SMI_UNKNOWN : value;
}

/* The folder of the board's hwmon device, or false. */
static bool find_hwmon(const char *folder, char *path, size_t size)
{
	struct dirent *entry;
	char parent[256];
	bool found = false;
	DIR *dir;

	snprintf(parent, sizeof(parent), "%s/hwmon", folder);
	dir = opendir(parent);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "hwmon", 5))
			continue;
		snprintf(path, size, "%s/%.32s", parent, entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

void smi_read_metrics(const char *pci, struct smi_metrics *metrics)
{
	char folder[128], hwmon[384] = "/nonexistent", path[512], label[64];

	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%s", pci);
	find_hwmon(folder, hwmon, sizeof(hwmon));
	*metrics = (struct smi_metrics){
		/* Time first: busy is then never more than the time that the caller sees pass. */
		.time_ns = read_number(folder, "hearth/time_ns"),
		.busy_ns = read_number(folder, "hearth/busy_ns"),
		.dispatches = read_number(folder, "hearth/dispatches"),
		.temperature_mc = read_number(hwmon, "temp1_input"),
		.power_uw = read_number(hwmon, "power1_average"),
		.energy_uj = read_number(hwmon, "energy1_input"),
		.numa_node = read_number(folder, "numa_node"),
		.link_width = read_number(folder, "current_link_width"),
	};
	/* The kernel's way to say that it does not know. */
	if (metrics->numa_node < 0)
		metrics->numa_node = SMI_UNKNOWN;
	snprintf(path, sizeof(path), "%s/temp1_label", hwmon);
	metrics->modeled = read_line(path, label, sizeof(label)) && strstr(label, "(model)");
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

int smi_reset(const struct hearth_drm_board *board)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	struct hearth_drm_board found[HEARTH_DRM_MAX_BOARDS];
	int error, i, k, count;

	error = write_text("/sys/bus/pci/drivers/hearth/unbind", board->pci);
	if (!error)
		error = write_text("/sys/bus/pci/drivers/hearth/bind", board->pci);
	if (error)
		return error;
	/* The device node is made by another process. */
	for (i = 0; i < RESET_SECONDS * 10; i++) {
		count = hearth_drm_discover(found, HEARTH_DRM_MAX_BOARDS);
		for (k = 0; k < count && k < HEARTH_DRM_MAX_BOARDS; k++)
			if (!strcmp(found[k].pci, board->pci) && found[k].node[0] &&
			    !access(found[k].node, F_OK))
				return 0;
		nanosleep(&moment, NULL);
	}
	return -ETIMEDOUT;
}
