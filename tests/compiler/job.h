/* SPDX-License-Identifier: MIT */
/*
 * One dispatch in one block of memory: header, image, argument block, descriptor tables, buffers, scratch. Addresses in it
 * are offsets from its start until job_run() adds the place where it was mapped. The block is what a program of another
 * instruction set is given as a file.
 */
#ifndef HEARTH_TESTS_COMPILER_JOB_H
#define HEARTH_TESTS_COMPILER_JOB_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <hearth/kernel_abi.h>

#define JOB_MAGIC	 0x31424f4a43484c4cull
#define JOB_MAX_TABLES	 4
#define JOB_PAGE	 4096u
#define JOB_STACK_CANARY 0xc5

struct job {
	uint64_t magic;
	uint64_t bytes;
	uint64_t image, image_bytes, entry; /* entry: within the image */
	uint64_t args;
	uint64_t tables[HEARTH_KERNEL_MAX_SETS]; /* 0: none */
	uint32_t table_count[HEARTH_KERNEL_MAX_SETS];
	uint32_t dynamic_count;
	uint32_t push_addresses; /* 64-bit words at the start of the push constants */
	uint32_t pieces;	 /* calls that the grid is divided into */
	uint64_t scratch, scratch_bytes;
	uint64_t done; /* set when the kernel has returned */
};

typedef void job_kernel_fn(const struct hearth_kernel_args *args, uint64_t first, uint64_t count,
			   void *scratch);

static inline int job_run(void *block)
{
	struct job *job = block;
	char *base = block;
	struct hearth_kernel_args *args = (void *)(base + job->args);
	uint64_t groups = (uint64_t)args->num_workgroups[0] * args->num_workgroups[1] *
			  args->num_workgroups[2];
	uint64_t code_bytes = (job->image_bytes + JOB_PAGE - 1) / JOB_PAGE * JOB_PAGE;
	char *code =
		mmap(NULL, code_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (job->magic != JOB_MAGIC || code == MAP_FAILED)
		return 1;
	memcpy(code, base + job->image, job->image_bytes);
	if (mprotect(code, code_bytes, PROT_READ | PROT_EXEC))
		return 1;
	__builtin___clear_cache(code, code + code_bytes);

	for (int s = 0; s < HEARTH_KERNEL_MAX_SETS; s++) {
		struct hearth_descriptor *d = (void *)(base + job->tables[s]);

		if (!job->tables[s])
			continue;
		args->sets[s] = (uint64_t)(uintptr_t)d;
		for (uint32_t i = 0; i < job->table_count[s]; i++)
			d[i].address =
				d[i].size_bytes ? d[i].address + (uint64_t)(uintptr_t)base : 0;
	}
	for (uint32_t i = 0; i < job->dynamic_count; i++)
		args->dynamic[i].address += (uint64_t)(uintptr_t)base;

	for (uint32_t i = 0; i < job->push_addresses; i++)
		((uint64_t *)args->push)[i] += (uint64_t)(uintptr_t)base;

	job_kernel_fn *kernel = (job_kernel_fn *)(uintptr_t)(code + job->entry);
	uint64_t step = (groups + job->pieces - 1) / (job->pieces ? job->pieces : 1);

	for (uint64_t first = 0; first < groups; first += step)
		kernel(args, first, first + step > groups ? groups - first : step,
		       base + job->scratch);
	job->done = 1;
	return 0;
}

#endif /* HEARTH_TESTS_COMPILER_JOB_H */
