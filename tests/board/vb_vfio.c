// SPDX-License-Identifier: MIT
/*
 * The vfio-user protocol, server side: one client, one request at a time. The client is trusted no
 * further than to be one: every size, index and number of descriptors is checked before use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "vb.h"
#include "../../tools/conform/vfio_user.h"

#define MAX_FDS 16

struct message {
	struct vu_header header;
	uint8_t body[VU_MAX_TRANSFER + 64];
	uint32_t size; /* of the body */
	int fds[MAX_FDS];
	unsigned int fd_count;
};

static struct message in;
static uint8_t out[VU_MAX_TRANSFER + 64];
static int client_fd = -1;
static int vectors[VB_VECTORS];
static bool vectors_ready;

/* ---- Bytes ---- */

static void close_fds(struct message *message)
{
	while (message->fd_count)
		close(message->fds[--message->fd_count]);
}

/* Descriptors are handed over one by one; what a request does not take is closed after it. */
static int take_fd(struct message *message)
{
	int fd;

	if (!message->fd_count)
		return -1;
	fd = message->fds[0];
	message->fd_count--;
	memmove(message->fds, message->fds + 1, message->fd_count * sizeof(int));
	return fd;
}

static void keep_fds(struct message *message, struct msghdr *header)
{
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
		size_t count, i;

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
			if (message->fd_count < MAX_FDS)
				message->fds[message->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

static bool receive_bytes(struct message *message, void *data, size_t size)
{
	uint8_t *bytes = data;

	while (size) {
		union {
			char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec vector = { bytes, size };
		struct msghdr header = {
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t count = recvmsg(client_fd, &header, MSG_CMSG_CLOEXEC);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		keep_fds(message, &header);
		bytes += count;
		size -= count;
	}
	return true;
}

static bool send_bytes(struct iovec *parts, int count, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = count };

	if (fd >= 0) {
		struct cmsghdr *rights;

		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	}
	while (header.msg_iovlen) {
		ssize_t sent = sendmsg(client_fd, &header, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		header.msg_control = NULL;
		header.msg_controllen = 0;
		while (header.msg_iovlen && (size_t)sent >= header.msg_iov->iov_len) {
			sent -= header.msg_iov->iov_len;
			header.msg_iov++;
			header.msg_iovlen--;
		}
		if (header.msg_iovlen) {
			header.msg_iov->iov_base = (char *)header.msg_iov->iov_base + sent;
			header.msg_iov->iov_len -= sent;
		}
	}
	return true;
}

static bool reply(const struct message *message, int error, const void *body, size_t size, int fd)
{
	struct vu_header header = {
		.id = message->header.id,
		.command = message->header.command,
		.size = sizeof(header) + (error ? 0 : size),
		.flags = VU_FLAG_REPLY | (error ? VU_FLAG_ERROR : 0),
		.error = error,
	};
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)body, size } };

	if (message->header.flags & VU_FLAG_NO_REPLY)
		return true;
	return send_bytes(parts, error || !size ? 1 : 2, error ? -1 : fd);
}

/* ---- Requests ---- */

static bool serve_version(struct message *message)
{
	static const char text[] = "{\"capabilities\":{\"max_msg_fds\":16,"
				   "\"max_data_xfer_size\":1048576,\"pgsizes\":4096}}";
	struct vu_version version;

	if (message->size < sizeof(version))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&version, message->body, sizeof(version));
	if (version.major != 0)
		return reply(message, EINVAL, NULL, 0, -1);
	version.minor = 0;
	memcpy(out, &version, sizeof(version));
	memcpy(out + sizeof(version), text, sizeof(text));
	return reply(message, 0, out, sizeof(version) + sizeof(text), -1);
}

static bool serve_dma_map(struct message *message)
{
	struct vu_dma_map map;
	int error;

	if (message->size < sizeof(map))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&map, message->body, sizeof(map));
	error = vb_dma_map(map.address, map.size, take_fd(message), map.offset,
			   map.flags & VU_DMA_READ, map.flags & VU_DMA_WRITE);
	vb_log("map 0x%llx + 0x%llx flags %u: %d", (unsigned long long)map.address,
	       (unsigned long long)map.size, map.flags, error);
	return reply(message, error, NULL, 0, -1);
}

static bool serve_dma_unmap(struct message *message)
{
	struct vu_dma_unmap unmap;
	int error = 0;

	if (message->size < sizeof(unmap))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&unmap, message->body, sizeof(unmap));
	if (unmap.flags & VU_UNMAP_ALL)
		vb_dma_unmap_all();
	else
		error = vb_dma_unmap(unmap.address, unmap.size);
	return reply(message, error, &unmap, sizeof(unmap), -1);
}

static bool serve_get_info(struct message *message)
{
	struct vu_device_info info = {
		.argsz = sizeof(info),
		.flags = VU_DEVICE_RESETS | VU_DEVICE_PCI,
		.regions = VU_PCI_REGIONS,
		.irqs = VU_PCI_IRQS,
	};

	return reply(message, 0, &info, sizeof(info), -1);
}

static uint64_t region_size(uint32_t index)
{
	switch (index) {
	case 0:
		return VB_BAR0_BYTES;
	case 2:
		return vb_options.dram;
	case 4:
		return VB_BAR4_BYTES;
	case VU_PCI_CONFIG:
		return VB_CONFIG_BYTES;
	default:
		return 0;
	}
}

static bool serve_region_info(struct message *message)
{
	struct {
		struct vu_region_info info;
		struct vu_sparse_cap cap;
	} answer = { 0 };
	uint32_t room, size = sizeof(answer.info);

	if (message->size < sizeof(answer.info))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&answer.info, message->body, sizeof(answer.info));
	if (answer.info.index >= VU_PCI_REGIONS)
		return reply(message, EINVAL, NULL, 0, -1);
	room = answer.info.argsz;
	answer.info.cap_offset = 0;
	answer.info.offset = 0;
	answer.info.size = region_size(answer.info.index);
	answer.info.flags = answer.info.size ? VU_REGION_READABLE | VU_REGION_WRITABLE : 0;
	answer.info.argsz = sizeof(answer.info);
	if (answer.info.index != 2)
		return reply(message, 0, &answer, size, -1);
	answer.info.flags |= VU_REGION_MMAP | VU_REGION_CAPS;
	answer.info.argsz = sizeof(answer);
	answer.info.offset = VB_FIRMWARE_BYTES;
	/* Named even where there is no room for it: QEMU refuses the flag without an offset. */
	answer.info.cap_offset = sizeof(answer.info);
	if (room >= sizeof(answer)) {
		size = sizeof(answer);
		answer.cap.id = VU_CAP_SPARSE_MMAP;
		answer.cap.version = 1;
		answer.cap.areas = 1;
		answer.cap.size = answer.info.size;
	}
	return reply(message, 0, &answer, size, size == sizeof(answer) ? vb_dram_fd : -1);
}

static bool serve_irq_info(struct message *message)
{
	struct vu_irq_info info;

	if (message->size < sizeof(info))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&info, message->body, sizeof(info));
	if (info.index >= VU_PCI_IRQS)
		return reply(message, EINVAL, NULL, 0, -1);
	info.argsz = sizeof(info);
	/* The error interrupt is offered, since clients ask for one, and never raised. */
	info.count = info.index == VU_IRQ_MSIX ? VB_VECTORS : info.index == VU_IRQ_ERROR ? 1 : 0;
	info.flags = info.count ? VU_IRQ_EVENTFD : 0;
	return reply(message, 0, &info, sizeof(info), -1);
}

static void set_vector(uint32_t vector, int fd)
{
	if (vectors[vector] >= 0)
		close(vectors[vector]);
	vectors[vector] = fd;
}

static bool serve_set_irqs(struct message *message)
{
	struct vu_irq_set set;
	uint32_t i;

	if (message->size < sizeof(set))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&set, message->body, sizeof(set));
	if (set.index == VU_IRQ_ERROR)
		return reply(message, 0, NULL, 0, -1);
	if (set.index != VU_IRQ_MSIX || set.start > VB_VECTORS ||
	    set.count > VB_VECTORS - set.start)
		return reply(message, EINVAL, NULL, 0, -1);
	if (!(set.flags & VU_IRQ_ACTION_TRIGGER))
		return reply(message, 0, NULL, 0, -1);
	if (!set.count)
		for (i = 0; i < VB_VECTORS; i++)
			set_vector(i, -1);
	for (i = 0; i < set.count; i++) {
		if (set.flags & VU_IRQ_DATA_EVENTFD)
			set_vector(set.start + i, take_fd(message));
		else if (set.flags & VU_IRQ_DATA_NONE)
			vb_interrupt(set.start + i);
	}
	return reply(message, 0, NULL, 0, -1);
}

/* Checks a region access; 0, or the errno of the reply. */
static int check_access(const struct vu_region_access *access)
{
	uint64_t size;

	if (access->region >= VU_PCI_REGIONS || access->count > VU_MAX_TRANSFER)
		return EINVAL;
	size = region_size(access->region);
	if (access->offset > size || access->count > size - access->offset)
		return EINVAL;
	return 0;
}

static bool serve_region_read(struct message *message)
{
	struct vu_region_access access;
	uint8_t *data = out + sizeof(access);
	int error;

	if (message->size < sizeof(access))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&access, message->body, sizeof(access));
	error = check_access(&access);
	if (error)
		return reply(message, error, NULL, 0, -1);
	memset(data, 0, access.count);
	switch (access.region) {
	case 0:
		vb_regs_read(access.offset, data, access.count);
		break;
	case 2:
		memcpy(data, vb_dram + VB_FIRMWARE_BYTES + access.offset, access.count);
		break;
	case VU_PCI_CONFIG:
		vb_config_read(access.offset, data, access.count);
		break;
	}
	memcpy(out, &access, sizeof(access));
	return reply(message, 0, out, sizeof(access) + access.count, -1);
}

static bool serve_region_write(struct message *message)
{
	struct vu_region_access access;
	const uint8_t *data = message->body + sizeof(access);
	int error;

	if (message->size < sizeof(access))
		return reply(message, EINVAL, NULL, 0, -1);
	memcpy(&access, message->body, sizeof(access));
	error = check_access(&access);
	if (!error && access.count > message->size - sizeof(access))
		error = EINVAL;
	if (error)
		return reply(message, error, NULL, 0, -1);
	switch (access.region) {
	case 0:
		vb_regs_write(access.offset, data, access.count);
		break;
	case 2:
		memcpy(vb_dram + VB_FIRMWARE_BYTES + access.offset, data, access.count);
		break;
	case VU_PCI_CONFIG:
		vb_config_write(access.offset, data, access.count);
		break;
	}
	return reply(message, 0, &access, sizeof(access), -1);
}

static bool serve_reset(struct message *message)
{
	vb_config_reset();
	vb_regs_reset();
	return reply(message, 0, NULL, 0, -1);
}

static bool (*const handlers[])(struct message *message) = {
	[VU_VERSION] = serve_version,
	[VU_DMA_MAP] = serve_dma_map,
	[VU_DMA_UNMAP] = serve_dma_unmap,
	[VU_DEVICE_GET_INFO] = serve_get_info,
	[VU_DEVICE_GET_REGION_INFO] = serve_region_info,
	[VU_DEVICE_GET_IRQ_INFO] = serve_irq_info,
	[VU_DEVICE_SET_IRQS] = serve_set_irqs,
	[VU_REGION_READ] = serve_region_read,
	[VU_REGION_WRITE] = serve_region_write,
	[VU_DEVICE_RESET] = serve_reset,
};

/* The next message of the client, in @in. */
static bool receive(void)
{
	if (!receive_bytes(&in, &in.header, sizeof(in.header)))
		return false;
	if (in.header.size < sizeof(in.header) ||
	    in.header.size - sizeof(in.header) > sizeof(in.body)) {
		vb_log("message of %u bytes", in.header.size);
		close_fds(&in);
		return false;
	}
	in.size = in.header.size - sizeof(in.header);
	if (!receive_bytes(&in, in.body, in.size)) {
		close_fds(&in);
		return false;
	}
	return true;
}

static bool is_reply(void)
{
	return (in.header.flags & VU_FLAG_TYPE) == VU_FLAG_REPLY;
}

static bool answer(void)
{
	bool going_on;

	/* A reply that nobody waits for is to a report of refused DMA; nothing depends on it. */
	if (is_reply())
		going_on = true;
	else if (in.header.command < sizeof(handlers) / sizeof(handlers[0]) &&
		 handlers[in.header.command])
		going_on = handlers[in.header.command](&in);
	else
		going_on = reply(&in, ENOSYS, NULL, 0, -1);
	close_fds(&in);
	return going_on;
}

bool vb_vfio_serve(int client)
{
	client_fd = client;
	if (!vectors_ready) {
		memset(vectors, 0xff, sizeof(vectors));
		vectors_ready = true;
	}
	return receive() && answer();
}

/* ---- Towards the client ---- */

void vb_interrupt(unsigned int vector)
{
	static const uint64_t one = 1;

	if (!vectors_ready || vector >= VB_VECTORS || vectors[vector] < 0)
		return;
	if (write(vectors[vector], &one, sizeof(one)) != sizeof(one))
		vb_log("vector %u: %s", vector, strerror(errno));
}

static bool send_access(uint16_t command, uint16_t id, uint64_t bus, const void *data,
			uint32_t size)
{
	struct vu_dma_access access = { .address = bus, .count = size };
	struct vu_header header = {
		.id = id,
		.command = command,
		.size = sizeof(header) + sizeof(access) + (data ? size : 0),
	};
	struct iovec parts[] = {
		{ &header, sizeof(header) },
		{ &access, sizeof(access) },
		{ (void *)data, size },
	};

	return client_fd >= 0 && send_bytes(parts, data ? 3 : 2, -1);
}

static uint16_t next_id;

void vb_vfio_report_dma(uint64_t bus, const void *data, uint64_t size)
{
	if (!send_access(data ? VU_DMA_WRITE_MESSAGE : VU_DMA_READ_MESSAGE, next_id++, bus, data,
			 size))
		vb_log("cannot report a refused access: %s", strerror(errno));
}

/*
 * The client may be waiting for us just now, in an access to a register, so its requests are served
 * until the reply is there. A reset among them ends what the access was for.
 */
bool vb_vfio_dma(uint64_t bus, void *data, uint32_t size, bool write)
{
	struct vu_dma_access *access = (struct vu_dma_access *)in.body;
	uint16_t command = write ? VU_DMA_WRITE_MESSAGE : VU_DMA_READ_MESSAGE;
	uint16_t id = next_id++;
	bool good;

	if (!send_access(command, id, bus, write ? data : NULL, size))
		return false;
	while (receive()) {
		if (is_reply() && in.header.id == id && in.header.command == command)
			goto out_reply;
		if (!answer())
			break;
	}
	vb_log("client gone");
	vb_quit(0);
	return false;

out_reply:
	good = !(in.header.flags & VU_FLAG_ERROR) && in.size >= sizeof(*access) &&
	       access->address == bus && access->count == size;
	if (good && !write) {
		good = in.size >= sizeof(*access) + size;
		if (good)
			memcpy(data, access + 1, size);
	}
	close_fds(&in);
	return good;
}
