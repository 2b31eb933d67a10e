/* SPDX-License-Identifier: MIT */
/* Puts a kernel image into executable memory of this process. */
#ifndef HEARTH_TESTS_COMPILER_RUN_IMAGE_H
#define HEARTH_TESTS_COMPILER_RUN_IMAGE_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* NULL if the kernel refuses. The mapping is left to the end of the process unless unmapped. */
static inline void *map_image(const void *image, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	memcpy(p, image, bytes);
	if (mprotect(p, bytes, PROT_READ | PROT_EXEC))
		return NULL;
	__builtin___clear_cache((char *)p, (char *)p + bytes);
	return p;
}

#endif /* HEARTH_TESTS_COMPILER_RUN_IMAGE_H */
