// SPDX-License-Identifier: MIT
/*
 * Preloaded into hearth-bench, stands for a driver that is wrong: in the process that tries the ability named in SHIM_ABILITY it
 * turns the sign of a number that is read back (SHIM_HOW=wrong), ends the process by a signal (crash), or reports a lost
 * device (lost). Elsewhere it does nothing.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hearth.h>

/* Whether this process is started to try the ability. */
static bool is_tried(void)
{
	const char *ability = getenv("SHIM_ABILITY");
	char line[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	bool found = false;

	for (ssize_t at = 0; ability && at < length; at += (ssize_t)strlen(line + at) + 1) {
		line[length] = 0;
		found |= !strncmp(line + at, "--qualify-one=", 14) &&
			 !strcmp(line + at + 14, ability);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

enum hearth_status hearth_buffer_read(struct hearth_buffer *buffer, uint64_t offset, void *data,
				      uint64_t bytes)
{
	enum hearth_status (*real)(struct hearth_buffer *, uint64_t, void *, uint64_t);
	const char *how = getenv("SHIM_HOW");
	enum hearth_status status;

	*(void **)&real = dlsym(RTLD_NEXT, "hearth_buffer_read");
	status = real(buffer, offset, data, bytes);
	if (!how || !is_tried())
		return status;
	if (!strcmp(how, "crash"))
		abort();
	if (!strcmp(how, "lost"))
		return HEARTH_ERROR_DEVICE_LOST;
	((uint8_t *)data)[3] ^= 0x80; /* of the first number, in a corner that is compared */
	return status;
}
