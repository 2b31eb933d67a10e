// SPDX-License-Identifier: MIT
/* The reset of a board, which is root's to ask for in sysfs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "smi.h"

#define BIND_SECONDS 120

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

/* An older driver resets a board when it is bound. The device node is made by another process. */
static int bind_again(const char *pci)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	struct hearth_drm_board found[HEARTH_DRM_MAX_BOARDS];
	char path[512];
	int error, i, k, count;

	snprintf(path, sizeof(path), "%.200s/bus/pci/drivers/hearth/unbind", smi_sysfs);
	error = write_text(path, pci);
	snprintf(path, sizeof(path), "%.200s/bus/pci/drivers/hearth/bind", smi_sysfs);
	if (!error)
		error = write_text(path, pci);
	if (error)
		return error;
	for (i = 0; i < BIND_SECONDS * 10; i++) {
		count = hearth_drm_discover(found, HEARTH_DRM_MAX_BOARDS);
		for (k = 0; k < count && k < HEARTH_DRM_MAX_BOARDS; k++)
			if (!strcmp(found[k].pci, pci) && found[k].node[0] &&
			    !access(found[k].node, F_OK))
				return 0;
		nanosleep(&moment, NULL);
	}
	return -ETIMEDOUT;
}

int smi_reset(const struct smi_board *board)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/hearth/reset", board->folder);
	if (access(path, F_OK)) {
		fprintf(stderr,
			"hearth-smi: this driver has no reset of its own: %s is bound again\n",
			board->pci);
		return bind_again(board->pci);
	}
	return write_text(path, "1");
}
