// SPDX-License-Identifier: MIT
/*
 * Finding boards: the PCI functions of the interface's class, told from other makers' accelerators
 * by the DVSEC. An ordinary user may read only the first 64 bytes of the configuration space, and not
 * the DVSEC; a function that hearth drives has been checked by the kernel, and any other is left out
 * then.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pci/pci.h>

#include "hearth_drm.h"

#define HEARTH_DRIVER	     "hearth"
#define HEARTH_EXT_CAP_DVSEC 0x23 /* PCI Express Base Specification, extended capability id */

/* The last component of what the symbolic link @path leads to, or "". */
static void link_name(const char *path, char *name, size_t size)
{
	char target[512];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	const char *last;

	name[0] = 0;
	if (length <= 0)
		return;
	target[length] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) < size)
		strcpy(name, last);
}

static bool has_dvsec(struct pci_dev *dev)
{
	struct pci_cap *cap;

	pci_fill_info(dev, PCI_FILL_EXT_CAPS);
	for (cap = dev->first_cap; cap; cap = cap->next) {
		if (cap->type != PCI_CAP_EXTENDED || cap->id != HEARTH_EXT_CAP_DVSEC)
			continue;
		if ((pci_read_long(dev, (int)cap->addr + 4) & 0xffff) == HBI_DVSEC_VENDOR &&
		    pci_read_word(dev, (int)cap->addr + 8) == HBI_DVSEC_ID &&
		    pci_read_long(dev, (int)cap->addr + HBI_DVSEC_SIGNATURE) == HBI_SIGNATURE)
			return true;
	}
	return false;
}

/* The accel node of a PCI function: /sys/bus/pci/devices/BDF/accel/accelN. */
static void find_node(struct hearth_drm_board *board)
{
	char path[128];
	struct dirent *entry;
	DIR *folder;

	board->accel_minor = -1;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/accel", board->pci);
	folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		char *end;
		long minor;

		if (strncmp(entry->d_name, "accel", 5))
			continue;
		minor = strtol(entry->d_name + 5, &end, 10);
		if (end == entry->d_name + 5 || *end || minor < 0 || minor > 0xfffff)
			continue;
		board->accel_minor = (int)minor;
		snprintf(board->node, sizeof(board->node), "/dev/accel/accel%ld", minor);
		break;
	}
	closedir(folder);
}

static bool describe(struct pci_dev *dev, struct hearth_drm_board *board)
{
	char path[128];

	pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT);
	if (dev->device_class != HBI_PCI_CLASS >> 8 || dev->prog_if != (HBI_PCI_CLASS & 0xff))
		return false;
	*board = (struct hearth_drm_board){
		.vendor_id = dev->vendor_id,
		.device_id = dev->device_id,
	};
	snprintf(board->pci, sizeof(board->pci), "%04x:%02x:%02x.%x",
		 (unsigned int)dev->domain & 0xffff, dev->bus, dev->dev & 0x1f, dev->func & 7);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", board->pci);
	link_name(path, board->driver, sizeof(board->driver));
	if (strcmp(board->driver, HEARTH_DRIVER))
		return has_dvsec(dev);
	find_node(board);
	return true;
}

static void quiet(char *message, ...)
{
	(void)message;
}

/* libpci's error ends the process: ask beforehand for what it would not find. */
static bool pci_there(void)
{
	return !access("/sys/bus/pci/devices", R_OK | X_OK);
}

int hearth_drm_discover(struct hearth_drm_board *boards, uint32_t capacity)
{
	struct pci_access *access;
	struct pci_dev *dev;
	uint32_t count = 0;

	if (!pci_there())
		return 0;
	access = pci_alloc();
	if (!access)
		return -ENOMEM;
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	access->warning = quiet;
	pci_init(access);
	pci_scan_bus(access);
	for (dev = access->devices; dev && count < HEARTH_DRM_MAX_BOARDS; dev = dev->next) {
		struct hearth_drm_board board;

		if (!describe(dev, &board))
			continue;
		if (count < capacity)
			boards[count] = board;
		count++;
	}
	pci_cleanup(access);
	return (int)count;
}
