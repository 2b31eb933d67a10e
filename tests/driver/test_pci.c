// SPDX-License-Identifier: MIT
/*
 * What else than its driver resets a board: a function-level reset, an error of the bus and the
 * system's sleep, each while processes use the board; and its own sleep, while nobody does.
 * Arguments: how often each (default 2), and "awake" if the system is not to sleep.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "load.h"

static const char *pci;

/* The first line of a file, without its end; empty if it cannot be read. */
static const char *get(const char *path)
{
	static char text[256];
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

static const char *file(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", pci, name);
	return path;
}

static bool becomes(const char *path, const char *text)
{
	int64_t limit = now_ns() + GUEST_WAIT_NS;

	while (strcmp(get(path), text) && now_ns() < limit)
		usleep(20000);
	return !strcmp(get(path), text);
}

/* ---- Under load ---- */

static int reset_function(void)
{
	return write_text(file("reset"), "1");
}

/* As the kernel's aer_inject takes it. */
struct injection {
	uint8_t bus, device, function;
	uint32_t uncorrectable, correctable;
	uint32_t header[4];
	uint32_t domain;
};

static int inject_error(void)
{
	struct injection injection = { .uncorrectable = 1 << 12 /* a poisoned packet */ };
	unsigned int domain, bus, device, function;
	int fd = open("/dev/aer_inject", O_WRONLY), ret = 0;

	sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &device, &function);
	injection.domain = domain;
	injection.bus = bus;
	injection.device = device;
	injection.function = function;
	if (fd < 0)
		return -errno;
	if (write(fd, &injection, sizeof(injection)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* All phases of going to sleep and of waking, but the sleep itself. */
static int sleep_system(void)
{
	int ret = write_text("/sys/power/pm_test", "platform");

	write_text("/sys/module/suspend/parameters/pm_test_delay", "1");
	return ret ? ret : write_text("/sys/power/state", "freeze");
}

static void test_load(const char *what, int (*act)(void), int count)
{
	int fd = open_board(), failed = 0, hung = 0, i;
	struct drm_hearth_query_state before, after;
	struct load *load = load_start(false);
	int64_t limit;

	for (i = 0; i < count && !hung && !failed; i++) {
		before = board_state(fd);
		failed = act();
		if (failed)
			break;
		/* An error of the bus is taken up later. */
		limit = now_ns() + GUEST_WAIT_NS;
		do {
			usleep(10000);
			after = board_state(fd);
		} while ((after.epoch == before.epoch || after.state != DRM_HEARTH_STATE_LIVE) &&
			 now_ns() < limit);
		hung = !load_goes_on(load);
		if (after.epoch != before.epoch + 1 || after.state != DRM_HEARTH_STATE_LIVE)
			ok(false, "%s: epoch %u becomes %u, state %u", what, before.epoch,
			   after.epoch, after.state);
	}
	is(failed, 0, what);
	is(hung, 0, "work goes on after each");
	ok(load_end(load), "everybody was told rightly, and all results were right");
	close(fd);
}

/* ---- While nobody uses it ---- */

static void works(const char *what)
{
	struct context context;

	context_open(&context, 0);
	push_nop(&context);
	is(context_submit(&context), 0, what);
	context_close(&context);
}

static void test_own_sleep(void)
{
	struct buffer board;
	struct context context;
	char status[128], state[128];
	uint32_t epoch;
	int dmabuf, ret, fd = open_board();

	epoch = board_state(fd).epoch;
	snprintf(status, sizeof(status), "%s", file("power/runtime_status"));
	snprintf(state, sizeof(state), "%s", file("power_state"));
	is(write_text(file("power/autosuspend_delay_ms"), "100"), 0, "its patience is set");
	is(write_text(file("power/control"), "auto"), 0, "the board may sleep by itself");
	usleep(500000);
	ok(!strcmp(get(status), "active"), "it does not while a file is open");
	close(fd);
	ok(becomes(status, "suspended"), "it does when nobody uses it");
	ok(!strcmp(get(state), "D3hot"), "in D3hot (%s)", get(state));
	ok(!strcmp(get(file("hearth/state")), "suspended"), "and says so");
	ok(!*get(file("hearth/time_ns")), "looking at its clock fails");
	ok(!strcmp(get(status), "suspended"), "and does not wake it");
	fd = open_board();
	ok(!strcmp(get(status), "active"), "an open file does");
	is(board_state(fd).epoch, epoch, "it has forgotten nothing");
	close(fd);
	works("and works");

	/* A buffer that lives on as a dma-buf, when all files are closed. */
	context_open(&context, 0);
	board = context_buffer(&context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	memset(board.map, 7, board.size);
	ret = hearth_drm_bo_export(context.fd, board.handle, &dmabuf);
	if (ret)
		die("export", ret);
	munmap(board.map, board.size);
	context_close(&context);
	board.map = mmap(NULL, board.size, PROT_READ, MAP_SHARED, dmabuf, 0);
	usleep(1000000);
	ok(!strcmp(get(status), "active"), "memory that somebody still has keeps it awake");
	ok(board.map != MAP_FAILED && ((volatile uint8_t *)board.map)[77777] == 7,
	   "and can be read");
	munmap(board.map, board.size);
	close(dmabuf);
	ok(becomes(status, "suspended"), "until it goes");
	is(write_text(file("hearth/reset"), "1"), 0, "a board that sleeps can be reset");
	ok(becomes(status, "suspended"), "and sleeps again");
	is(reset_function(), 0, "so can its function");
	works("and it works");
	is(write_text(file("power/control"), "on"), 0, "it may no longer sleep");
	ok(becomes(status, "active"), "and does not");
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 2;

	pci = pci_of(guest_node());
	ok(strstr(get(file("reset_method")), "flr"), "the function can be reset (%s)",
	   get(file("reset_method")));
	/* The first that it can do is the one that is used. */
	write_text(file("reset_method"), "flr");
	test_load("function-level resets", reset_function, count);
	if (access("/dev/aer_inject", W_OK))
		skip("errors of the bus", "this kernel cannot be made to see any");
	else if (!access("/proc/lockdep_stats", F_OK))
		skip("errors of the bus",
		     "aer_inject takes locks in an order that lockdep reports");
	else
		test_load("errors of the bus", inject_error, count);
	if (argc > 2 && !strcmp(argv[2], "awake"))
		skip("the system's sleep", "not here: see suite-sleep.sh");
	else if (access("/sys/power/pm_test", W_OK))
		skip("the system's sleep", "this kernel cannot try it");
	else
		test_load("the system's sleep", sleep_system, count);
	test_own_sleep();
	return done();
}
