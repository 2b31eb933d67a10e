// SPDX-License-Identifier: MIT
/* Finds the Vulkan driver that belongs to a tool, so that it works from a build tree with nothing installed. */
#include "driver_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRIVER "libvulkan_hearth.so"

int hearth_driver_path(char *path, size_t size)
{
	const char *chosen = secure_getenv("HEARTH_DRIVER");
	char program[PATH_MAX], *slash;
	ssize_t length;

	if (chosen && *chosen) {
		snprintf(path, size, "%s", chosen);
		return access(path, R_OK) ? -errno : 0;
	}
	length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (length > 0) {
		program[length] = '\0';
		slash = strrchr(program, '/');
		*slash = '\0';
		if ((size_t)snprintf(path, size, "%s/../userspace/vulkan/" DRIVER, program) <
			    size &&
		    !access(path, R_OK))
			return 0;
	}
	snprintf(path, size, "%s", HEARTH_DRIVER_DIR "/" DRIVER);
	if (!access(path, R_OK))
		return 0;
	path[0] = '\0';
	return -ENOENT;
}
