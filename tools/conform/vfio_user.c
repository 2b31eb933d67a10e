// SPDX-License-Identifier: MIT
/*
 * A board behind a vfio-user socket: a virtual board. This side plays the PCI host: it lends the
 * board its memory, takes interrupts as eventfds, and refuses what the board asks for by message,
 * as an IOMMU would, since all that the board may reach is mapped for it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include "conform.h"
#include "vfio_user.h"

struct link {
	int socket;
	uint16_t id;
	int irq[MAX_VECTORS];
};

static void __attribute__((noreturn)) lost(struct link *link, const char *why)
{
	/* From here on every access fails at once. */
	if (link->socket >= 0)
		close(link->socket);
	link->socket = -1;
	stop("the connection to the board is lost: %s", why);
}

static void receive(struct link *link, void *data, size_t size, int *fd)
{
	uint8_t *bytes = data;

	while (size) {
		struct pollfd wait = { link->socket, POLLIN, 0 };
		union {
			char bytes[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec vector = { bytes, size };
		struct msghdr message = {
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *rights;
		ssize_t count;

		if (poll(&wait, 1, 3 * patience_ms) != 1)
			lost(link, "no answer");
		count = recvmsg(link->socket, &message, MSG_CMSG_CLOEXEC);
		if (count <= 0)
			lost(link, count ? strerror(errno) : "closed");
		rights = CMSG_FIRSTHDR(&message);
		if (fd && rights && rights->cmsg_type == SCM_RIGHTS)
			memcpy(fd, CMSG_DATA(rights), sizeof(int));
		bytes += count;
		size -= count;
	}
}

static void transmit(struct link *link, const void *head, size_t head_size, const void *body,
		     size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec vector[2] = { { (void *)head, head_size }, { (void *)body, size } };
	struct msghdr message = { .msg_iov = vector, .msg_iovlen = size ? 2 : 1 };

	if (link->socket < 0)
		lost(link, "closed");
	if (fd >= 0) {
		struct cmsghdr *rights;

		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	}
	if (sendmsg(link->socket, &message, MSG_NOSIGNAL) != (ssize_t)(head_size + size))
		lost(link, strerror(errno));
}

/* The board asks for memory that was not lent to it. */
static void refuse(struct link *link, const struct vu_header *request)
{
	uint8_t body[256];
	struct vu_header answer = *request;

	if (request->size < sizeof(*request) || request->size - sizeof(*request) > sizeof(body))
		lost(link, "a message of the wrong size");
	receive(link, body, request->size - sizeof(*request), NULL);
	answer.flags = VU_FLAG_REPLY | VU_FLAG_ERROR;
	answer.error = EFAULT;
	answer.size = sizeof(answer);
	transmit(link, &answer, sizeof(answer), NULL, 0, -1);
}

static int request(struct link *link, uint16_t command, const void *body, size_t size, int fd,
		   void *answer, size_t room, int *answer_fd)
{
	static uint8_t rest[VU_MAX_TRANSFER + 64];
	struct vu_header header = {
		.id = ++link->id,
		.command = command,
		.size = sizeof(header) + size,
	};
	size_t bytes;

	transmit(link, &header, sizeof(header), body, size, fd);
	for (;;) {
		receive(link, &header, sizeof(header), answer_fd);
		if ((header.flags & VU_FLAG_TYPE) == VU_FLAG_REPLY)
			break;
		refuse(link, &header);
	}
	if (header.id != link->id || header.size < sizeof(header) ||
	    header.size - sizeof(header) > sizeof(rest))
		lost(link, "a reply to nothing");
	bytes = header.size - sizeof(header);
	receive(link, rest, bytes, answer_fd);
	if (answer)
		memcpy(answer, rest, bytes < room ? bytes : room);
	return header.flags & VU_FLAG_ERROR ? (int)header.error : 0;
}

/* ---- Accesses ---- */

static uint64_t region_read(struct board *board, uint32_t region, uint64_t offset,
			    unsigned int size)
{
	struct vu_region_access access = { offset, region, size };
	struct {
		struct vu_region_access access;
		uint64_t value;
	} answer = { 0 };

	if (request(board->private, VU_REGION_READ, &access, sizeof(access), -1, &answer,
		    sizeof(answer), NULL))
		stop("a read of %u bytes of region %u at 0x%llx is refused", size, region,
		     (unsigned long long)offset);
	return answer.value;
}

static void region_write(struct board *board, uint32_t region, uint64_t offset, uint64_t value,
			 unsigned int size)
{
	uint8_t body[sizeof(struct vu_region_access) + 8];
	struct vu_region_access access = { offset, region, size };

	memcpy(body, &access, sizeof(access));
	memcpy(body + sizeof(access), &value, 8);
	if (request(board->private, VU_REGION_WRITE, body, sizeof(access) + size, -1, NULL, 0,
		    NULL))
		stop("a write of %u bytes of region %u at 0x%llx is refused", size, region,
		     (unsigned long long)offset);
}

static uint64_t config_read(struct board *board, uint32_t offset, unsigned int size)
{
	return region_read(board, VU_PCI_CONFIG, offset, size);
}

static void config_write(struct board *board, uint32_t offset, uint64_t value, unsigned int size)
{
	region_write(board, VU_PCI_CONFIG, offset, value, size);
}

static uint64_t bar_read(struct board *board, unsigned int bar, uint64_t offset, unsigned int size)
{
	return region_read(board, bar, offset, size);
}

static void bar_write(struct board *board, unsigned int bar, uint64_t offset, uint64_t value,
		      unsigned int size)
{
	region_write(board, bar, offset, value, size);
}

static uint64_t bar_bytes(struct board *board, unsigned int bar)
{
	struct vu_region_info info = { .argsz = sizeof(info), .index = bar };

	if (request(board->private, VU_DEVICE_GET_REGION_INFO, &info, sizeof(info), -1, &info,
		    sizeof(info), NULL))
		return 0;
	return info.size;
}

static void *map_bar(struct board *board, unsigned int bar, uint64_t *bytes)
{
	struct {
		struct vu_region_info info;
		struct vu_sparse_cap cap;
	} area = { .info = { .argsz = sizeof(area), .index = bar } };
	int fd = -1;
	void *at;

	if (request(board->private, VU_DEVICE_GET_REGION_INFO, &area.info, sizeof(area.info), -1,
		    &area, sizeof(area), &fd))
		return NULL;
	if (fd < 0)
		return NULL;
	if (area.info.argsz != sizeof(area) || area.cap.id != VU_CAP_SPARSE_MMAP) {
		close(fd);
		return NULL;
	}
	at = mmap(NULL, area.info.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  area.info.offset + area.cap.offset);
	close(fd);
	*bytes = area.info.size;
	return at == MAP_FAILED ? NULL : at;
}

static void pump(struct link *link)
{
	struct vu_header header;

	receive(link, &header, sizeof(header), NULL);
	if ((header.flags & VU_FLAG_TYPE) == VU_FLAG_REPLY)
		lost(link, "a reply to nothing");
	refuse(link, &header);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits on @fd, or only for the time with -1, and serves the board meanwhile. */
static bool wait_on(struct link *link, int fd, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[] = { { link->socket, POLLIN, 0 }, { fd, POLLIN, 0 } };
		int64_t left = end - now_ms();

		if (link->socket < 0)
			lost(link, "closed");
		if (poll(fds, fd < 0 ? 1 : 2, left > 0 ? left : 0) <= 0)
			return false;
		if (fds[0].revents)
			pump(link);
		if (fd >= 0 && fds[1].revents)
			return true;
	}
}

static bool interrupt(struct board *board, unsigned int vector, int timeout_ms)
{
	struct link *link = board->private;
	uint64_t count;

	return wait_on(link, link->irq[vector], timeout_ms) &&
	       read(link->irq[vector], &count, sizeof(count)) == sizeof(count);
}

static void wait_only(struct board *board, int ms)
{
	wait_on(board->private, -1, ms);
}

static void function_reset(struct board *board)
{
	uint32_t at = board->flr + PCI_EXP_DEVCTL;

	config_write(board, at, config_read(board, at, 2) | PCI_EXP_DEVCTL_BCR_FLR, 2);
}

static void close_link(struct board *board)
{
	struct link *link = board->private;

	if (link->socket >= 0)
		close(link->socket);
	link->socket = -1;
}

static const struct transport vfio_user = {
	.name = "vfio-user",
	.config_read = config_read,
	.config_write = config_write,
	.bar_read = bar_read,
	.bar_write = bar_write,
	.map_bar = map_bar,
	.bar_bytes = bar_bytes,
	.interrupt = interrupt,
	.function_reset = function_reset,
	.rest = wait_only,
	.close = close_link,
};

/* ---- Opening ---- */

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, tries;

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "hearth-conform: %s: longer than a socket's name can be\n", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	for (tries = 0; tries < 500; tries++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		close(fd);
		usleep(10000);
	}
	fprintf(stderr, "hearth-conform: %s: %s\n", path, strerror(errno));
	return -1;
}

static void lend_memory(struct board *board)
{
	struct vu_dma_map map = {
		.argsz = sizeof(map),
		.flags = VU_DMA_READ | VU_DMA_WRITE,
		.address = board->host_bus,
		.size = HOST_BYTES,
	};
	int fd = memfd_create("hearth-conform", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, HOST_BYTES))
		stop("memory: %s", strerror(errno));
	board->host = mmap(NULL, HOST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board->host == MAP_FAILED)
		stop("memory: %s", strerror(errno));
	if (request(board->private, VU_DMA_MAP, &map, sizeof(map), fd, NULL, 0, NULL))
		stop("the board does not take the memory that is lent to it");
	close(fd);
}

static void set_vectors(struct board *board)
{
	struct link *link = board->private;
	struct vu_irq_info info = { .argsz = sizeof(info), .index = VU_IRQ_MSIX };
	unsigned int i;

	if (request(link, VU_DEVICE_GET_IRQ_INFO, &info, sizeof(info), -1, &info, sizeof(info),
		    NULL))
		stop("no MSI-X");
	board->vectors = info.count < MAX_VECTORS ? info.count : MAX_VECTORS;
	for (i = 0; i < board->vectors; i++) {
		struct vu_irq_set set = {
			.argsz = sizeof(set),
			.flags = VU_IRQ_DATA_EVENTFD | VU_IRQ_ACTION_TRIGGER,
			.index = VU_IRQ_MSIX,
			.start = i,
			.count = 1,
		};

		link->irq[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (request(link, VU_DEVICE_SET_IRQS, &set, sizeof(set), link->irq[i], NULL, 0,
			    NULL))
			stop("vector %u cannot be set", i);
	}
}

bool open_vfio_user(struct board *board, const char *path)
{
	static struct link link;
	struct {
		struct vu_version version;
		char text[64];
	} hello = { .text = "{\"capabilities\":{\"max_msg_fds\":8}}" };

	link.socket = dial(path);
	if (link.socket < 0)
		return false;
	board->transport = &vfio_user;
	board->private = &link;
	board->host_bus = 0x80000000;
	board->translated = true;
	if (request(&link, VU_VERSION, &hello, sizeof(hello), -1, NULL, 0, NULL))
		stop("the board does not speak this version of vfio-user");
	lend_memory(board);
	set_vectors(board);
	return true;
}
