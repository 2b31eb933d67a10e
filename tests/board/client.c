// SPDX-License-Identifier: MIT
/* A PCI host for the virtual board: TAP, the vfio-user client, registers, and interrupts. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "client.h"
#include "../../tools/conform/vfio_user.h"

const char *firmware_path;
const char *kernels_path;
const char *board_path;

static unsigned int tests, failures;
static bool failed;

/* ---- TAP ---- */

bool tap_check(bool condition, const char *text, const char *file, int line)
{
	if (!condition) {
		printf("# %s:%d: not true: %s\n", file, line, text);
		fflush(stdout);
		failed = true;
	}
	return condition;
}

bool tap_equal(uint64_t value, uint64_t expected, const char *text, const char *file, int line)
{
	if (value == expected)
		return true;
	printf("# %s:%d: %s is 0x%llx, not 0x%llx\n", file, line, text, (unsigned long long)value,
	       (unsigned long long)expected);
	fflush(stdout);
	failed = true;
	return false;
}

void tap_run(const char *name, void (*test)(void))
{
	failed = false;
	test();
	tests++;
	failures += failed;
	printf("%sok %u - %s\n", failed ? "not " : "", tests, name);
	fflush(stdout);
}

int tap_end(void)
{
	printf("1..%u\n", tests);
	return failures != 0;
}

void die(const char *format, ...)
{
	va_list arguments;

	printf("Bail out! ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	exit(1);
}

void test_arguments(int argc, char **argv)
{
	if (argc != 4)
		die("usage: %s BOARD FIRMWARE KERNELS", argv[0]);
	board_path = argv[1];
	firmware_path = argv[2];
	kernels_path = argv[3];
}

/* ---- Messages ---- */

static void receive(struct client *c, void *data, size_t size, int *fd)
{
	uint8_t *bytes = data;

	while (size) {
		struct pollfd wait = { c->socket, POLLIN, 0 };
		union {
			char bytes[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec vector = { bytes, size };
		struct msghdr header = {
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *rights;
		ssize_t count;

		if (poll(&wait, 1, PATIENCE_MS) != 1)
			die("the board is silent");
		count = recvmsg(c->socket, &header, MSG_CMSG_CLOEXEC);
		if (count <= 0)
			die("the board has closed the connection");
		rights = CMSG_FIRSTHDR(&header);
		if (fd && rights && rights->cmsg_type == SCM_RIGHTS)
			memcpy(fd, CMSG_DATA(rights), sizeof(int));
		bytes += count;
		size -= count;
	}
}

static void transmit(struct client *c, const void *head, size_t head_size, const void *body,
		     size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec vector[2] = { { (void *)head, head_size }, { (void *)body, size } };
	struct msghdr header = { .msg_iov = vector, .msg_iovlen = size ? 2 : 1 };

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
	if (sendmsg(c->socket, &header, MSG_NOSIGNAL) != (ssize_t)(head_size + size))
		die("cannot send to the board: %s", strerror(errno));
}

/* A request of the board: it asks for memory that it was not given. */
static void refuse(struct client *c, const struct vu_header *request)
{
	uint8_t body[256];
	struct vu_dma_access access;
	struct vu_header answer = *request;

	if (request->size - sizeof(*request) > sizeof(body))
		die("the board sent a message of %u bytes", request->size);
	receive(c, body, request->size - sizeof(*request), NULL);
	memcpy(&access, body, sizeof(access));
	if (request->command == VU_DMA_READ_MESSAGE)
		c->refused_reads++;
	else if (request->command == VU_DMA_WRITE_MESSAGE)
		c->refused_writes++;
	else
		die("the board sent command %u", request->command);
	c->refused_address = access.address;
	answer.flags = VU_FLAG_REPLY | VU_FLAG_ERROR;
	answer.error = EFAULT;
	answer.size = sizeof(answer);
	transmit(c, &answer, sizeof(answer), NULL, 0, -1);
}

/* Sends a request and waits for its reply; the reply's errno. */
static int request(struct client *c, uint16_t command, const void *body, size_t size, int fd,
		   void *answer, size_t room, int *answer_fd)
{
	static uint16_t id;
	static uint8_t discard[VU_MAX_TRANSFER + 64];
	struct vu_header header = {
		.id = ++id,
		.command = command,
		.size = sizeof(header) + size,
	};
	size_t rest;

	transmit(c, &header, sizeof(header), body, size, fd);
	for (;;) {
		receive(c, &header, sizeof(header), answer_fd);
		if ((header.flags & VU_FLAG_TYPE) != VU_FLAG_REPLY) {
			refuse(c, &header);
			continue;
		}
		if (header.id != id)
			die("reply %u to request %u", header.id, id);
		rest = header.size - sizeof(header);
		if (rest > sizeof(discard))
			die("reply of %zu bytes", rest);
		receive(c, discard, rest, answer_fd);
		memcpy(answer ? answer : discard, discard, answer && rest < room ? rest : room);
		return header.flags & VU_FLAG_ERROR ? (int)header.error : 0;
	}
}

void client_pump(struct client *c, int timeout_ms)
{
	struct pollfd wait = { c->socket, POLLIN, 0 };
	struct vu_header header;

	while (poll(&wait, 1, timeout_ms) == 1) {
		timeout_ms = 0;
		receive(c, &header, sizeof(header), NULL);
		if ((header.flags & VU_FLAG_TYPE) == VU_FLAG_REPLY)
			die("a reply to nothing");
		refuse(c, &header);
	}
}

void client_send_raw(struct client *c, const void *data, size_t size)
{
	transmit(c, data, size, NULL, 0, -1);
}

/* ---- Opening ---- */

static void spawn(struct client *c, const char *const *arguments)
{
	const char *list[32] = { board_path, "--socket", c->path };
	size_t count = 3;
	pid_t parent = getpid();

	while (arguments && *arguments)
		list[count++] = *arguments++;
	list[count] = NULL;
	c->board = fork();
	if (c->board < 0)
		die("fork: %s", strerror(errno));
	if (!c->board) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
		execv(board_path, (char *const *)list);
		_exit(127);
	}
}

static void dial(struct client *c)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int tries;

	strcpy(address.sun_path, c->path);
	for (tries = 0; tries < PATIENCE_MS / 10; tries++) {
		c->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(c->socket, (struct sockaddr *)&address, sizeof(address)))
			return;
		close(c->socket);
		if (waitpid(c->board, NULL, WNOHANG) == c->board)
			die("%s has ended", board_path);
		usleep(10000);
	}
	die("no socket at %s", c->path);
}

static void map_aperture(struct client *c)
{
	struct {
		struct vu_region_info info;
		struct vu_sparse_cap cap;
	} area = { .info = { .argsz = sizeof(area), .index = 2 } };
	int fd = -1;

	if (request(c, VU_DEVICE_GET_REGION_INFO, &area.info, sizeof(area.info), -1, &area,
		    sizeof(area), &fd))
		die("no information on BAR 2");
	if (fd < 0 || area.info.argsz != sizeof(area) || area.cap.id != VU_CAP_SPARSE_MMAP)
		die("BAR 2 cannot be mapped");
	c->aperture_bytes = area.info.size;
	c->aperture = mmap(NULL, area.info.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   area.info.offset + area.cap.offset);
	if (c->aperture == MAP_FAILED)
		die("mmap of BAR 2: %s", strerror(errno));
	close(fd);
}

static void set_irqs(struct client *c)
{
	unsigned int i;

	for (i = 0; i < VECTORS; i++) {
		struct vu_irq_set set = {
			.argsz = sizeof(set),
			.flags = VU_IRQ_DATA_EVENTFD | VU_IRQ_ACTION_TRIGGER,
			.index = VU_IRQ_MSIX,
			.start = i,
			.count = 1,
		};

		c->irq[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (request(c, VU_DEVICE_SET_IRQS, &set, sizeof(set), c->irq[i], NULL, 0, NULL))
			die("cannot set vector %u", i);
	}
}

void client_open(struct client *c, const char *const *arguments)
{
	struct {
		struct vu_version version;
		char text[64];
	} hello = { .text = "{\"capabilities\":{\"max_msg_fds\":8}}" };
	struct vu_dma_map map = {
		.argsz = sizeof(map),
		.flags = VU_DMA_READ | VU_DMA_WRITE,
		.address = HOST_BUS,
		.size = HOST_BYTES,
	};
	static unsigned int number;

	memset(c, 0, sizeof(*c));
	snprintf(c->path, sizeof(c->path), "/tmp/hearth-test-%d-%u.sock", getpid(), number++);
	spawn(c, arguments);
	dial(c);
	if (request(c, VU_VERSION, &hello, sizeof(hello), -1, NULL, 0, NULL))
		die("no version");
	c->host_fd = memfd_create("hearth-test-host", MFD_CLOEXEC);
	if (c->host_fd < 0 || ftruncate(c->host_fd, HOST_BYTES))
		die("memfd: %s", strerror(errno));
	c->host = mmap(NULL, HOST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, c->host_fd, 0);
	if (c->host == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (request(c, VU_DMA_MAP, &map, sizeof(map), c->host_fd, NULL, 0, NULL))
		die("cannot map host memory");
	map_aperture(c);
	set_irqs(c);
	c->aperture_base = reg64(c, HBI_REG_APERTURE_BASE);
	c->host_window = reg64(c, HBI_REG_HOST_WINDOW);
	c->workers = reg32(c, HBI_REG_CORES) & 0xffff;
}

int client_close(struct client *c)
{
	unsigned int i;
	int status = 0;

	close(c->socket);
	for (i = 0; i < PATIENCE_MS / 10; i++) {
		if (waitpid(c->board, &status, WNOHANG) == c->board)
			break;
		usleep(10000);
	}
	if (i == PATIENCE_MS / 10)
		die("the board does not end");
	munmap(c->host, HOST_BYTES);
	close(c->host_fd);
	munmap(c->aperture, c->aperture_bytes);
	for (i = 0; i < VECTORS; i++)
		close(c->irq[i]);
	return status;
}

/* ---- Accesses ---- */

static uint64_t region_read(struct client *c, uint32_t region, uint64_t offset, unsigned int size)
{
	struct vu_region_access access = { offset, region, size };
	struct {
		struct vu_region_access access;
		uint64_t value;
	} answer = { 0 };

	if (request(c, VU_REGION_READ, &access, sizeof(access), -1, &answer, sizeof(answer), NULL))
		die("read of region %u at 0x%llx failed", region, (unsigned long long)offset);
	return answer.value;
}

static void region_write(struct client *c, uint32_t region, uint64_t offset, uint64_t value,
			 unsigned int size)
{
	uint8_t body[sizeof(struct vu_region_access) + 8];
	struct vu_region_access access = { offset, region, size };

	memcpy(body, &access, sizeof(access));
	memcpy(body + sizeof(access), &value, 8);
	if (request(c, VU_REGION_WRITE, body, sizeof(access) + size, -1, NULL, 0, NULL))
		die("write of region %u at 0x%llx failed", region, (unsigned long long)offset);
}

uint64_t bar_read(struct client *c, unsigned int bar, uint64_t offset, unsigned int size)
{
	return region_read(c, bar, offset, size);
}

void bar_write(struct client *c, unsigned int bar, uint64_t offset, uint64_t value,
	       unsigned int size)
{
	region_write(c, bar, offset, value, size);
}

uint32_t config_read(struct client *c, uint32_t offset, unsigned int size)
{
	return region_read(c, VU_PCI_CONFIG, offset, size);
}

void config_write(struct client *c, uint32_t offset, uint32_t value, unsigned int size)
{
	region_write(c, VU_PCI_CONFIG, offset, value, size);
}

int client_dma_map(struct client *c, uint64_t bus, uint64_t offset, uint64_t size, bool write)
{
	struct vu_dma_map map = {
		.argsz = sizeof(map),
		.flags = VU_DMA_READ | (write ? VU_DMA_WRITE : 0),
		.offset = offset,
		.address = bus,
		.size = size,
	};

	return request(c, VU_DMA_MAP, &map, sizeof(map), c->host_fd, NULL, 0, NULL);
}

int client_dma_unmap(struct client *c, uint64_t bus, uint64_t size)
{
	struct vu_dma_unmap unmap = { .argsz = sizeof(unmap), .address = bus, .size = size };

	return request(c, VU_DMA_UNMAP, &unmap, sizeof(unmap), -1, NULL, 0, NULL);
}

int client_request(struct client *c, uint16_t command, const void *body, size_t size)
{
	return request(c, command, body, size, -1, NULL, 0, NULL);
}

void client_reset(struct client *c)
{
	if (request(c, VU_DEVICE_RESET, NULL, 0, -1, NULL, 0, NULL))
		die("device reset failed");
}

bool irq_wait(struct client *c, unsigned int vector, int timeout_ms)
{
	struct timespec start, now;
	uint64_t count;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		struct pollfd fds[] = { { c->irq[vector], POLLIN, 0 }, { c->socket, POLLIN, 0 } };
		int elapsed;

		clock_gettime(CLOCK_MONOTONIC, &now);
		elapsed = (now.tv_sec - start.tv_sec) * 1000 +
			  (now.tv_nsec - start.tv_nsec) / 1000000;
		if (poll(fds, 2, elapsed < timeout_ms ? timeout_ms - elapsed : 0) == 0)
			return false;
		if (fds[1].revents)
			client_pump(c, 0);
		if (fds[0].revents)
			return read(c->irq[vector], &count, 8) == 8;
	}
}

void irq_drain(struct client *c)
{
	uint64_t count;
	unsigned int i;

	for (i = 0; i < VECTORS; i++)
		while (read(c->irq[i], &count, 8) == 8)
			;
}

uint32_t reg32(struct client *c, uint32_t offset)
{
	return bar_read(c, 0, offset, 4);
}

uint64_t reg64(struct client *c, uint32_t offset)
{
	return bar_read(c, 0, offset, 8);
}

void set_reg32(struct client *c, uint32_t offset, uint32_t value)
{
	bar_write(c, 0, offset, value, 4);
}

void set_reg64(struct client *c, uint32_t offset, uint64_t value)
{
	bar_write(c, 0, offset, value, 8);
}

enum hbi_state board_state(struct client *c)
{
	return reg32(c, HBI_REG_STATUS) & 0xff;
}

enum hbi_boot_error board_error(struct client *c)
{
	return reg32(c, HBI_REG_STATUS) >> 8 & 0xff;
}

enum hbi_state wait_state_change(struct client *c, enum hbi_state state)
{
	int i;

	for (i = 0; i < PATIENCE_MS / 5; i++) {
		enum hbi_state now = board_state(c);

		if (now != state)
			return now;
		usleep(5000);
	}
	die("the board stays in state %d", state);
}
