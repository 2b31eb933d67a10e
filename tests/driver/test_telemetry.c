// SPDX-License-Identifier: MIT
/*
 * What others can see of the board while it works: fdinfo of a client, the board's counters in
 * sysfs and its sensors in hwmon, each compared with what this program knows that it did.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../board/kernels.h"
#include "guest.h"

static char text[16384];
static char folder[64]; /* the board's in sysfs */

static bool read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		return false;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = 0;
	fclose(file);
	return length > 0;
}

/* A number in the board's folder; ~0 if it cannot be read. */
static uint64_t number(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return read_text(path) ? strtoull(text, NULL, 10) : ~0ull;
}

/* The value of a key of this process's fdinfo; ~0 if it is not there. */
static uint64_t fdinfo(int fd, const char *key)
{
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (!read_text(path))
		return ~0ull;
	at = strstr(text, key);
	if (!at || at[strlen(key)] != ':')
		return ~0ull;
	return strtoull(at + strlen(key) + 1, NULL, 10);
}

static uint64_t kib(int fd, const char *key)
{
	uint64_t value = fdinfo(fd, key);
	const char *at = strstr(text, key);

	if (value == ~0ull || !at)
		return ~0ull;
	at = strpbrk(at, "KM\n");
	return at && *at == 'M' ? value << 10 : at && *at == 'K' ? value : value >> 10;
}

static void test_fdinfo(struct context *context)
{
	uint64_t busy, board, host;
	int other = open_board();

	is(fdinfo(context->fd, "drm-engine-compute"), 0, "fdinfo: no time before work");
	ok(strstr(text, "drm-driver:\thearth"), "fdinfo: the driver's name");
	is(fdinfo(context->fd, "drm-engine-capacity-compute"), context->device.workers,
	   "fdinfo: as many workers as the board has");
	board = kib(context->fd, "drm-total-board");
	host = kib(context->fd, "drm-total-host");
	context_buffer(context, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, 0);
	context_buffer(context, 2 << 20, DRM_HEARTH_PLACEMENT_HOST, 0);
	is(kib(context->fd, "drm-total-board") - board, 1024, "fdinfo: board memory");
	is(kib(context->fd, "drm-total-host") - host, 2048, "fdinfo: host memory");
	push_dispatch(context, KERNEL_MARK, 0, context->scratch.va, 0, 64);
	is(context_submit(context), 0, "a dispatch");
	busy = fdinfo(context->fd, "drm-engine-compute");
	ok(busy > 0 && busy != ~0ull, "fdinfo: time of the dispatch (%" PRIu64 " ns)", busy);
	is(fdinfo(context->fd, "drm-engine-compute"), busy, "fdinfo: no more without work");
	is(fdinfo(other, "drm-engine-compute"), 0, "fdinfo: none of it is another client's");
	close(other);
}

static void test_sysfs(struct context *context)
{
	static const char *const names[] = { "uuid",	"state",	  "workers",   "time_ns",
					     "busy_ns", "worker_busy_ns", "dispatches" };
	uint64_t dispatches = number("hearth/dispatches"), busy = number("hearth/busy_ns");
	uint64_t time = number("hearth/time_ns"), sum = 0, client;
	char path[256], uuid[40] = "", *at;
	unsigned int i;

	for (i = 0; i < 16; i++)
		sprintf(uuid + strlen(uuid), "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", context->device.uuid[i]);
	snprintf(path, sizeof(path), "%s/hearth/uuid", folder);
	ok(read_text(path) && !strncmp(text, uuid, 36), "sysfs: the UUID that the ioctl tells");
	is(number("hearth/workers"), context->device.workers, "sysfs: workers");
	client = fdinfo(context->fd, "drm-engine-compute");
	for (i = 0; i < 5; i++) {
		push_dispatch(context, KERNEL_MARK, 0, context->scratch.va, 0, 64);
		is(context_submit(context), 0, "a dispatch");
	}
	is(number("hearth/dispatches") - dispatches, 5, "sysfs: 5 dispatches");
	client = fdinfo(context->fd, "drm-engine-compute") - client;
	busy = number("hearth/busy_ns") - busy;
	ok(busy > 0 && busy <= client + 1 && client <= busy + 1,
	   "sysfs and fdinfo agree on the time (%" PRIu64 ", %" PRIu64 " ns)", busy, client);
	time = number("hearth/time_ns") - time;
	ok(time > 0 && busy <= time * context->device.workers, "sysfs: no more than there was");
	number("hearth/worker_busy_ns");
	for (at = text, i = 0; i < context->device.workers; i++)
		sum += strtoull(at, &at, 10);
	ok(*at == '\n' && sum <= number("hearth/busy_ns"), "sysfs: one number for each worker");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat info;

		snprintf(path, sizeof(path), "%s/hearth/%s", folder, names[i]);
		ok(!stat(path, &info) && (info.st_mode & 0777) == 0444, "sysfs: %s is read-only",
		   names[i]);
	}
}

/* The folder of the board's hwmon device, relative to its own. */
static bool find_hwmon(char *path, size_t size)
{
	char parent[128];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(parent, sizeof(parent), "%s/hwmon", folder);
	dir = opendir(parent);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "hwmon", 5)) {
			snprintf(path, size, "hwmon/%.32s", entry->d_name);
			found = true;
		}
	closedir(dir);
	return found;
}

static void test_hwmon(struct context *context)
{
	uint64_t energy, idle, busy, temperature;
	char hwmon[64], name[128];

	ok(find_hwmon(hwmon, sizeof(hwmon)), "hwmon: there is a device");
	snprintf(name, sizeof(name), "%s/temp1_label", hwmon);
	number(name);
	ok(!strcmp(text, "board (model)\n"), "hwmon: a model is labelled as one");
	snprintf(name, sizeof(name), "%s/temp1_input", hwmon);
	temperature = number(name);
	ok(temperature > 20000 && temperature < 100000,
	   "hwmon: %" PRIu64 " thousandths of a degree", temperature);
	snprintf(name, sizeof(name), "%s/energy1_input", hwmon);
	energy = number(name);
	usleep(200000);
	ok(number(name) > energy && number(name) != ~0ull, "hwmon: energy grows");
	snprintf(name, sizeof(name), "%s/power1_average", hwmon);
	number(name);
	usleep(200000);
	idle = number(name);
	ok(idle >= 5900000 && idle <= 6100000, "hwmon: idle power %" PRIu64 " uW", idle);
	push_dispatch(context, KERNEL_SPIN, 0, 0, 0, 4);
	hearth_drm_queue_ring(&context->queue);
	usleep(500000);
	busy = number(name);
	ok(busy > idle && busy <= 30100000, "hwmon: %" PRIu64 " uW at work", busy);
}

static int set_limit(const char *hwmon, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/power1_cap", folder, hwmon);
	return write_text(path, text);
}

static void test_power_limit(void)
{
	char hwmon[64], cap[128], freq[128], reset[128], path[256];
	struct context context;
	struct stat info;
	uint64_t clock;
	int status;

	ok(find_hwmon(hwmon, sizeof(hwmon)), "limit: there is a device");
	snprintf(cap, sizeof(cap), "%s/power1_cap", hwmon);
	snprintf(freq, sizeof(freq), "%s/freq1_input", hwmon);
	snprintf(path, sizeof(path), "%s/%s", folder, cap);
	ok(!stat(path, &info) && (info.st_mode & 0777) == 0644, "limit: root sets it, all read it");
	is(number(cap), 30000000, "limit: as a boot leaves it");
	snprintf(path, sizeof(path), "%s_min", cap);
	is(number(path), 9000000, "limit: the lowest");
	snprintf(path, sizeof(path), "%s_max", cap);
	is(number(path), 30000000, "limit: the highest");
	snprintf(path, sizeof(path), "%s_default", cap);
	is(number(path), 30000000, "limit: its own");
	clock = number(freq);
	is(clock, 1000000000, "limit: the clock");
	is(set_limit(hwmon, "8999999"), -EINVAL, "limit: less than the lowest");
	is(set_limit(hwmon, "30001000"), -EINVAL, "limit: more than the highest");
	is(set_limit(hwmon, "-1"), -EINVAL, "limit: less than nothing");
	is(set_limit(hwmon, "9223372036854775807"), -EINVAL, "limit: very much");
	is(set_limit(hwmon, "500"), -EINVAL, "limit: half a milliwatt");
	is(number(cap), 30000000, "limit: is as it was");
	is(set_limit(hwmon, "12000000"), 0, "limit: set");
	is(number(cap), 12000000, "limit: is what was set");
	is(number(freq), clock / 4, "limit: the clock follows");
	if (!fork())
		_exit(setuid(65534) || set_limit(hwmon, "15000000") != -EACCES);
	wait(&status);
	is(status, 0, "limit: not by others");
	snprintf(reset, sizeof(reset), "%s/hearth/reset", folder);
	is(write_text(reset, "1"), 0, "limit: the board is reset");
	is(number(cap), 12000000, "limit: it stays");
	context_open(&context, 0);
	context_load_kernels(&context);
	push_dispatch(&context, KERNEL_MARK, 0, context.scratch.va, 0, 64);
	is(context_submit(&context), 0, "limit: work goes on");
	context_close(&context);
	is(set_limit(hwmon, "0"), 0, "limit: its own again");
	is(number(cap), 30000000, "limit: which it tells");
	is(write_text(reset, "1"), 0, "limit: the board is reset");
	is(number(cap), 30000000, "limit: and stays so");
}

int main(void)
{
	struct context context;
	uint32_t bdf;

	context_open(&context, 0);
	context_load_kernels(&context);
	bdf = context.device.pci_bdf;
	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%04x:%02x:%02x.%x", bdf >> 16,
		 bdf >> 8 & 0xff, bdf >> 3 & 0x1f, bdf & 7);
	if (!(context.device.caps & HBI_CAP_TELEMETRY)) {
		skip("telemetry", "the board has none");
		return done();
	}
	test_fdinfo(&context);
	test_sysfs(&context);
	test_hwmon(&context);
	context_close(&context);
	test_power_limit();
	return done();
}
