// SPDX-License-Identifier: MIT
/* See inject.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "inject.h"

static int fail_nth = -1;

/* All allocations count, those that may sleep and single pages too, and none is worth a line in the log. */
static void settings(void)
{
	static const struct {
		const char *path, *text;
	} all[] = {
		{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/failslab/verbose", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
		{ "/sys/kernel/debug/fail_usercopy/verbose", "0" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (write_text(all[i].path, all[i].text))
			printf("# %s cannot be set\n", all[i].path);
}

bool inject_open(void)
{
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		return false;
	settings();
	return true;
}

/* Where functions lie: of a module the first and the last, or the one called @name. */
static bool find_text(const char *module, const char *name, uint64_t *start, uint64_t *end)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], type, symbol[256], where[256];
	unsigned long long at;
	int words;

	*start = ~0ull;
	*end = 0;
	while (file && fgets(line, sizeof(line), file)) {
		words = sscanf(line, "%llx %c %255s [%255[^]]", &at, &type, symbol, where);
		if (words < 3 || (type != 't' && type != 'T') || (words == 4) != !!module)
			continue;
		if (strcmp(module ? module : name, module ? where : symbol))
			continue;
		*start = at < *start ? at : *start;
		*end = at > *end ? at : *end;
	}
	if (file)
		fclose(file);
	return *end;
}

static void set_range(const char *what, uint64_t start, uint64_t end)
{
	static const char *const faults[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[96], text[24];
	unsigned int i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s-start", faults[i], what);
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)start);
		put_text(path, text);
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s-end", faults[i], what);
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)end);
		put_text(path, text);
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/stacktrace-depth", faults[i]);
		put_text(path, "32");
	}
}

bool inject_only(const char *inside, const char *not_from, const char *not_to)
{
	uint64_t start, end, unused;

	if (inside) {
		if (!find_text(inside, NULL, &start, &end))
			return false;
		/* The last function's length is not told. */
		set_range("require", start, end + 256);
	}
	if (!find_text(NULL, not_from, &start, &unused) || !find_text(NULL, not_to, &end, &unused))
		return false;
	set_range("reject", start, end);
	return start < end;
}

int inject_fd(void)
{
	return fail_nth;
}

void inject_arm(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	/* To read the text is a copy from user space, and may be the one that fails. */
	while (pwrite(fail_nth, text, length, 0) != length)
		if (errno != EFAULT)
			die("arm the fault", -errno);
}

bool inject_met(unsigned int *left)
{
	char text[16] = "";
	ssize_t length = pread(fail_nth, text, sizeof(text) - 1, 0);
	unsigned int rest = length > 0 ? strtoul(text, NULL, 10) : 1;

	if (length < 0 && errno != EFAULT)
		die("read the fault", -errno);
	inject_arm(0);
	if (left)
		*left = rest;
	return !rest;
}
