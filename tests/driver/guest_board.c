// SPDX-License-Identifier: MIT
/* The board as the system sees it: its files in sysfs, its state, coming and going. See guest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void put_text(const char *path, const char *text)
{
	int ret = write_text(path, text);

	if (ret)
		die(path, ret);
}

const char *pci_of(const char *node)
{
	static struct hearth_drm_board boards[HEARTH_DRM_MAX_BOARDS];
	int i, count = hearth_drm_discover(boards, HEARTH_DRM_MAX_BOARDS);

	for (i = 0; i < count; i++)
		if (!strcmp(boards[i].node, node))
			return strdup(boards[i].pci);
	die(node, -ENODEV);
}

bool node_comes(const char *node)
{
	int64_t limit = now_ns() + GUEST_WAIT_NS;

	/* Another board's number, as long as the old node is open, so it is asked for each time. */
	while (access(node ?: guest_node(), R_OK | W_OK) && now_ns() < limit)
		usleep(5000);
	return !access(node ?: guest_node(), R_OK | W_OK);
}

void driver_unbind(const char *pci)
{
	put_text("/sys/bus/pci/drivers/hearth/unbind", pci);
}

bool driver_bind(const char *pci, const char *node)
{
	put_text("/sys/bus/pci/drivers/hearth/bind", pci);
	return node_comes(node);
}

struct drm_hearth_query_state board_state(int fd)
{
	struct drm_hearth_query_state state;
	int ret = hearth_drm_query_state(fd, &state);

	if (ret)
		die("ask for the state", ret);
	return state;
}

uint64_t board_free(void)
{
	struct drm_hearth_query_memory memory;
	int fd = open_board(), ret = hearth_drm_query_memory(fd, &memory);

	if (ret)
		die("ask for memory", ret);
	close(fd);
	return memory.board_free;
}
