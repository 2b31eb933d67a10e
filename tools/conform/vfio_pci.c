// SPDX-License-Identifier: MIT
/*
 * A board bound to vfio-pci: the raw PCI function through /dev/vfio, behind the machine's IOMMU. The
 * group must hold nothing else that a driver uses. All addresses that were not mapped here are
 * refused by the IOMMU, so that a board at fault harms nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include "conform.h"

struct function {
	int container;
	int group;
	int device;
	struct vfio_region_info regions[VFIO_PCI_NUM_REGIONS];
	int irq[MAX_VECTORS];
};

static uint64_t region_read(struct board *board, unsigned int region, uint64_t offset,
			    unsigned int size)
{
	struct function *function = board->private;
	uint64_t value = 0;

	if (pread(function->device, &value, size, function->regions[region].offset + offset) !=
	    (ssize_t)size)
		stop("a read of %u bytes of region %u at 0x%llx: %s", size, region,
		     (unsigned long long)offset, strerror(errno));
	return value;
}

static void region_write(struct board *board, unsigned int region, uint64_t offset, uint64_t value,
			 unsigned int size)
{
	struct function *function = board->private;

	if (pwrite(function->device, &value, size, function->regions[region].offset + offset) !=
	    (ssize_t)size)
		stop("a write of %u bytes of region %u at 0x%llx: %s", size, region,
		     (unsigned long long)offset, strerror(errno));
}

static uint64_t config_read(struct board *board, uint32_t offset, unsigned int size)
{
	return region_read(board, VFIO_PCI_CONFIG_REGION_INDEX, offset, size);
}

static void config_write(struct board *board, uint32_t offset, uint64_t value, unsigned int size)
{
	region_write(board, VFIO_PCI_CONFIG_REGION_INDEX, offset, value, size);
}

static uint64_t bar_bytes(struct board *board, unsigned int bar)
{
	return ((struct function *)board->private)->regions[bar].size;
}

static void *map_bar(struct board *board, unsigned int bar, uint64_t *bytes)
{
	struct function *function = board->private;
	struct vfio_region_info *region = &function->regions[bar];
	void *at;

	if (!region->size || !(region->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return NULL;
	at = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED, function->device,
		  region->offset);
	*bytes = region->size;
	return at == MAP_FAILED ? NULL : at;
}

static bool interrupt(struct board *board, unsigned int vector, int timeout_ms)
{
	struct function *function = board->private;
	struct pollfd wait = { function->irq[vector], POLLIN, 0 };
	uint64_t count;

	return poll(&wait, 1, timeout_ms) == 1 &&
	       read(function->irq[vector], &count, sizeof(count)) == sizeof(count);
}

static void function_reset(struct board *board)
{
	struct function *function = board->private;

	if (ioctl(function->device, VFIO_DEVICE_RESET))
		stop("VFIO_DEVICE_RESET: %s", strerror(errno));
}

static void wait_only(struct board *board, int ms)
{
	(void)board;
	usleep(1000 * ms);
}

static void close_function(struct board *board)
{
	struct function *function = board->private;

	close(function->device);
	close(function->group);
	close(function->container);
}

static const struct transport vfio_pci = {
	.name = "vfio-pci",
	.config_read = config_read,
	.config_write = config_write,
	.bar_read = region_read,
	.bar_write = region_write,
	.map_bar = map_bar,
	.bar_bytes = bar_bytes,
	.interrupt = interrupt,
	.function_reset = function_reset,
	.rest = wait_only,
	.close = close_function,
};

/* ---- Opening ---- */

static bool complain(const char *what)
{
	fprintf(stderr, "hearth-conform: %s: %s\n", what, strerror(errno));
	return false;
}

static bool open_group(struct function *function, const char *address)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[128], target[256], node[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return complain(path);
	target[length] = 0;
	snprintf(node, sizeof(node), "/dev/vfio/%s", strrchr(target, '/') + 1);
	function->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (function->container < 0)
		return complain("/dev/vfio/vfio");
	function->group = open(node, O_RDWR | O_CLOEXEC);
	if (function->group < 0)
		return complain(node);
	if (ioctl(function->group, VFIO_GROUP_GET_STATUS, &status))
		return complain(node);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		fprintf(stderr, "hearth-conform: %s: a device of the group is in use by a driver\n",
			node);
		return false;
	}
	if (ioctl(function->group, VFIO_GROUP_SET_CONTAINER, &function->container) ||
	    ioctl(function->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return complain("setting up the IOMMU");
	function->device = ioctl(function->group, VFIO_GROUP_GET_DEVICE_FD, address);
	return function->device >= 0 || complain(address);
}

static bool lend_memory(struct board *board, struct function *function)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = board->host_bus,
		.size = HOST_BYTES,
	};

	board->host = mmap(NULL, HOST_BYTES, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (board->host == MAP_FAILED)
		return complain("memory");
	map.vaddr = (uintptr_t)board->host;
	return !ioctl(function->container, VFIO_IOMMU_MAP_DMA, &map) ||
	       complain("mapping memory for the board");
}

static bool set_vectors(struct board *board, struct function *function)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };
	struct {
		struct vfio_irq_set set;
		int32_t fds[MAX_VECTORS];
	} all;
	unsigned int i;

	if (ioctl(function->device, VFIO_DEVICE_GET_IRQ_INFO, &info))
		return complain("interrupts");
	board->vectors = info.count < MAX_VECTORS ? info.count : MAX_VECTORS;
	all.set = (struct vfio_irq_set){
		.argsz = sizeof(all.set) + board->vectors * sizeof(all.fds[0]),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.count = board->vectors,
	};
	for (i = 0; i < board->vectors; i++) {
		function->irq[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		all.fds[i] = function->irq[i];
	}
	return !board->vectors || !ioctl(function->device, VFIO_DEVICE_SET_IRQS, &all) ||
	       complain("setting interrupts");
}

bool open_vfio_pci(struct board *board, const char *address)
{
	static struct function function;
	unsigned int i;

	board->transport = &vfio_pci;
	board->private = &function;
	board->host_bus = 0x80000000;
	board->translated = true;
	if (strlen(address) > 32 || strchr(address, '/')) {
		fprintf(stderr, "hearth-conform: %s: no PCI address\n", address);
		return false;
	}
	if (!open_group(&function, address))
		return false;
	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		function.regions[i] =
			(struct vfio_region_info){ .argsz = sizeof(function.regions[i]),
						   .index = i };
		if (ioctl(function.device, VFIO_DEVICE_GET_REGION_INFO, &function.regions[i]))
			function.regions[i].size = 0;
	}
	config_write(board, PCI_COMMAND,
		     config_read(board, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
		     2);
	return lend_memory(board, &function) && set_vectors(board, &function);
}
