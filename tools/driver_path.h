/* SPDX-License-Identifier: MIT */
#ifndef HEARTH_DRIVER_PATH_H
#define HEARTH_DRIVER_PATH_H

#include <stddef.h>

/*
 * Where Hearth's own Vulkan driver is: $HEARTH_DRIVER if set, else beside the running program in a build tree, else
 * where it was installed. Returns 0 and a path of an existing file; -ENOENT and an empty path if there is none; or
 * the path that $HEARTH_DRIVER names and the error with which it cannot be read.
 */
int hearth_driver_path(char *path, size_t size);

#endif /* HEARTH_DRIVER_PATH_H */
