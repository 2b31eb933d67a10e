// SPDX-License-Identifier: MIT
/*
 * What an operator sees of a board from outside: debugfs, trace points, the core dumps after a fault
 * and after a reset, telemetry by ioctl. Each is compared with what this program knows that it did.
 * Nothing that a process keeps in its buffers may be in any of them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define TRACING "/sys/kernel/tracing"
#define DUMPS	"/sys/class/devcoredump"
#define SECRET	0x5ec2e75ec2e75ec2ull
#define PRESENT "5ec2e75ec2e75ec2"

static char text[1 << 19];
static char pci[16];

static bool read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t length;

	text[0] = 0;
	if (!file)
		return false;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = 0;
	fclose(file);
	return true;
}

/* Whether the text has a line that begins with @begin and has @also in it. */
static bool has_line(const char *begin, const char *also)
{
	const char *at = text;

	while (at) {
		const char *end = strchr(at, '\n');
		const char *found = strstr(at, also);

		if (!strncmp(at, begin, strlen(begin)) && found && (!end || found < end))
			return true;
		at = end ? end + 1 : NULL;
	}
	return false;
}

/* ---- debugfs ---- */

/* The board's folder: named by its PCI address, or by its number on older kernels. */
static bool debugfs_read(const char *name)
{
	char path[128];
	int i;

	snprintf(path, sizeof(path), "/sys/kernel/debug/accel/%s/%s", pci, name);
	if (read_text(path))
		return true;
	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/accel/%d/name", i);
		if (!read_text(path) || !strstr(text, pci))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/debug/accel/%d/%s", i, name);
		return read_text(path);
	}
	return false;
}

static void test_debugfs(struct context *context)
{
	char line[128];

	if (access("/sys/kernel/debug/accel", R_OK)) {
		skip("debugfs", "there is no /sys/kernel/debug/accel");
		return;
	}
	ok(debugfs_read("board") && has_line("uuid: ", "-"), "debugfs: the board");
	ok(has_line("state: ", "live"), "debugfs: and its state");
	snprintf(line, sizeof(line), "pid %d, live, ring %#" PRIx64 " of 2^8 packets", getpid(),
		 context->ring.va);
	ok(debugfs_read("queues") && has_line("queue ", line), "debugfs: this program's queue");
	snprintf(line, sizeof(line), "pid %d, address space %u, context", getpid(), context->vm);
	ok(debugfs_read("address_spaces") && has_line("client ", line),
	   "debugfs: this program's address space");
	snprintf(line, sizeof(line), "  %#" PRIx64 " to %#" PRIx64, context->ring.va,
		 context->ring.va + context->ring.size);
	ok(has_line(line, "r-- host"), "debugfs: and what is bound in it");
	ok(debugfs_read("memory") && has_line("free_bytes: ", ""), "debugfs: memory");
	ok(debugfs_read("admin") && has_line("command ", "no error"), "debugfs: admin commands");
	ok(debugfs_read("firmware_log") && has_line("", "info: boot "),
	   "debugfs: the firmware's log");
}

/* ---- Core dumps ---- */

/* The board's dump; false if there is none within the time. */
static bool find_dump(char *path, size_t size, int ms)
{
	for (; ms > 0; ms -= 50) {
		struct dirent *entry;
		DIR *dir = opendir(DUMPS);

		while (dir && (entry = readdir(dir))) {
			char link[300], target[512];
			ssize_t length;

			snprintf(link, sizeof(link), DUMPS "/%.64s/failing_device", entry->d_name);
			length = readlink(link, target, sizeof(target) - 1);
			if (length < 0)
				continue;
			target[length] = 0;
			if (!strstr(target, pci))
				continue;
			snprintf(path, size, DUMPS "/%.64s/data", entry->d_name);
			closedir(dir);
			return true;
		}
		if (dir)
			closedir(dir);
		usleep(50000);
	}
	return false;
}

static void forget_dumps(void)
{
	char path[128];
	int i;

	for (i = 0; i < 20 && find_dump(path, sizeof(path), 100); i++)
		write_text(path, "0");
}

/* Every line is empty, a section, or a text with a colon in it; the sections are these, in order. */
static void check_dump(const char *const *sections)
{
	char *copy = strdup(text), *rest = copy, *line;
	unsigned int found = 0, odd = 0;

	ok(!strncmp(text, "hearth-coredump: 1\n", 19), "dump: its format");
	while ((line = strsep(&rest, "\n")) && rest) {
		if (line[0] == '[') {
			if (sections[found] && !strcmp(line, sections[found]))
				found++;
			else
				odd++;
		} else if (line[0] && !strchr(line, ':') && !strstr(line, "the board ")) {
			odd++;
		}
	}
	is(odd, 0, "dump: no line that cannot be parsed");
	ok(!sections[found], "dump: all %u sections", found);
	ok(!strstr(text, PRESENT), "dump: nothing of a buffer");
	free(copy);
}

static void test_fault_dump(void)
{
	static const char *const sections[] = {
		"[board]",  "[registers]",   "[fault]",	       "[queues]", "[address spaces]",
		"[memory]", "[admin queue]", "[firmware log]", "[end]",	   NULL,
	};
	const uint64_t nowhere = 0x123456000;
	char path[128], line[128];
	struct stat info;
	int tries;

	/* How often faults make a dump is limited; others may just have made some. */
	for (tries = 0; tries < 8; tries++) {
		struct context context;
		bool found;

		context_open(&context, 0);
		memset(context.ring.map, 0, context.ring.size);
		((uint64_t *)context.ring.map)[500] = SECRET;
		push_signal(&context, nowhere, SECRET);
		is(context_submit(&context), -ECANCELED, "a store to nowhere");
		found = find_dump(path, sizeof(path), 2500);
		snprintf(line, sizeof(line), "pid %d", getpid());
		context_close(&context);
		if (found)
			break;
	}
	ok(tries < 8 && read_text(path), "a fault leaves a dump");
	ok(!stat(path, &info) && !(info.st_mode & 077), "dump: root's alone");
	check_dump(sections);
	ok(has_line("reason: fault", ""), "dump: the reason");
	ok(has_line("error: 6 ", "store refused"), "dump: the error");
	ok(has_line("address: 0x123456000", ""), "dump: the address");
	ok(has_line("queue ", line), "dump: the queue");
	ok(has_line("", "warning: context "), "dump: the firmware's own words");
	ok(has_line("status: 0x4", ""), "dump: the board was running");
	forget_dumps();
}

static void test_reset_dump(void)
{
	static const char *const sections[] = {
		"[board]",	    "[registers]", "[queues]",
		"[address spaces]", "[memory]",	   "[admin queue]",
		"[firmware log]",   "[end]",	   NULL,
	};
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/hearth/reset", pci);
	is(write_text(path, "1"), 0, "a reset");
	ok(find_dump(path, sizeof(path), 60000) && read_text(path), "a reset leaves a dump");
	check_dump(sections);
	ok(has_line("reason: a reset was asked for", ""), "dump: the reason");
	ok(has_line("state: live", ""), "dump: made after the reset");
	ok(has_line("", "info: boot "), "dump: the firmware's log, which outlived the reset");
	forget_dumps();
}

/* ---- Trace points ---- */

static bool trace_begin(void)
{
	if (access(TRACING "/events", F_OK) && mount("tracefs", TRACING, "tracefs", 0, NULL))
		return false;
	return !write_text(TRACING "/events/hearth/enable", "1") &&
	       !write_text(TRACING "/trace", "\n") && !write_text(TRACING "/tracing_on", "1");
}

static void test_trace(void)
{
	static const char *const names[] = {
		"hearth_queue_create: board=",
		"hearth_queue_destroy: board=",
		"hearth_queue_wait_begin: board=",
		"hearth_queue_wait_end: board=",
		"hearth_queue_fault: board=",
		"hearth_vm_bind: board=",
		"hearth_vm_unbind: board=",
		"hearth_admin: board=",
		"hearth_irq: board=",
	};
	struct drm_hearth_queue_state state;
	struct context context;
	char line[128];
	unsigned int i;

	if (!trace_begin()) {
		skip("trace points", "this kernel has no tracefs, or none of the module's events");
		return;
	}
	context_open(&context, 0);
	push_wait(&context, context.ring.va + 8 * 400, 1);
	hearth_drm_queue_ring(&context.queue);
	is(hearth_drm_queue_wait(&context.queue, 1, now_ns() + 50000000), -ETIME, "a wait");
	((volatile uint64_t *)context.ring.map)[400] = 1;
	is(context_submit(&context), 0, "that ends");
	is(hearth_drm_vm_unmap(context.fd, context.vm, 0x7000000000, 4096), 0, "an unmapping");
	push_signal(&context, 0x123456000, 1);
	is(context_submit(&context), -ECANCELED, "a store to nowhere");
	/* Who waits may be faster than the event of the fault, which this waits for. */
	is(hearth_drm_queue_state(&context.queue, &state), 0, "its state");
	context_close(&context);
	write_text(TRACING "/tracing_on", "0");
	read_text(TRACING "/trace");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "%s%s", names[i], pci);
		ok(strstr(text, line), "trace: %s", names[i]);
	}
	ok(strstr(text, "address=0x123456000"), "trace: the fault's address");
	ok(strstr(text, "va=0x7000000000 range=0x1000 result=0"), "trace: the range unbound");
	ok(strstr(text, "result=-62"), "trace: the wait that was too long");
	write_text(TRACING "/events/hearth/enable", "0");
}

/* ---- Telemetry ---- */

static void test_telemetry(struct context *context)
{
	struct drm_hearth_query_telemetry telemetry;

	if (!(context->device.caps & HBI_CAP_TELEMETRY)) {
		is(hearth_drm_query_telemetry(context->fd, &telemetry), -EOPNOTSUPP,
		   "telemetry: none");
		return;
	}
	is(hearth_drm_query_telemetry(context->fd, &telemetry), 0, "telemetry: by ioctl");
	is(telemetry.workers, context->device.workers, "telemetry: workers");
	ok(telemetry.time_ns > 0 && telemetry.busy_ns <= telemetry.time_ns * telemetry.workers,
	   "telemetry: times");
	ok(telemetry.valid & HBI_TELEMETRY_MODEL && telemetry.power_mw >= 5000 &&
		   telemetry.temperature_mk > 273150,
	   "telemetry: the model's sensors");
}

/* ---- Names and rights ---- */

/* When the node is announced, what it is named by is there; what changes the board is root's alone. */
static void test_announced(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int socket_fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	struct pollfd poll_fd = { .fd = socket_fd, .events = POLLIN };
	bool announced = false, there = false;
	char message[8192], path[128];
	struct stat info;
	pid_t child;

	is(write_text("/sys/bus/pci/drivers/hearth/unbind", pci), 0, "names: the driver lets go");
	if (bind(socket_fd, (void *)&address, sizeof(address)))
		die("listen to the kernel", -errno);
	child = fork();
	if (!child)
		_exit(-write_text("/sys/bus/pci/drivers/hearth/bind", pci));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/hearth/uuid", pci);
	while (!announced && poll(&poll_fd, 1, 60000) == 1) {
		ssize_t length = recv(socket_fd, message, sizeof(message) - 1, 0);

		if (length <= 0)
			break;
		message[length] = 0;
		announced = !strncmp(message, "add@", 4) && strstr(message, "/accel/accel");
		if (announced)
			there = read_text(path) && strlen(text) == 37;
	}
	close(socket_fd);
	waitpid(child, NULL, 0);
	ok(announced, "names: the node is announced");
	ok(there, "names: the board's UUID is there by then");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/hearth/reset", pci);
	ok(!stat(path, &info) && (info.st_mode & 0777) == 0200 && !info.st_uid,
	   "rights: a reset is root's");
}

int main(void)
{
	struct context context;
	uint32_t bdf;

	context_open(&context, 0);
	bdf = context.device.pci_bdf;
	snprintf(pci, sizeof(pci), "%04x:%02x:%02x.%x", bdf >> 16 & 0xffff, bdf >> 8 & 0xff,
		 bdf >> 3 & 0x1f, bdf & 7);
	test_telemetry(&context);
	test_debugfs(&context);
	context_close(&context);
	test_announced();
	test_trace();
	if (access("/sys/class/devcoredump", F_OK)) {
		skip("core dumps", "this kernel has none (CONFIG_DEV_COREDUMP)");
		return done();
	}
	forget_dumps();
	test_fault_dump();
	test_reset_dump();
	return done();
}
