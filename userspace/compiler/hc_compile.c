// SPDX-License-Identifier: MIT
/*
 * hc_compile(): the passes in their order, and the memory and errors of a compilation.
 */
#include "hc_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Core.h>

#include "hc_codegen.h"

#define CHUNK_BYTES (256u << 10)

struct hc_chunk {
	struct hc_chunk *next;
	size_t used;
	size_t size;
	_Alignas(16) unsigned char bytes[];
};

void *hc_alloc(struct hc *hc, size_t count, size_t size)
{
	struct hc_chunk *chunk = hc->chunks;
	size_t bytes;
	void *memory;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		hc_abort(hc, HC_ERROR_OUT_OF_MEMORY, "out of memory");
	bytes = (bytes + 15) / 16 * 16;
	if (!chunk || chunk->size - chunk->used < bytes) {
		size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			hc_abort(hc, HC_ERROR_OUT_OF_MEMORY, "out of memory");
		chunk->size = room;
		chunk->next = hc->chunks;
		hc->chunks = chunk;
	}
	memory = chunk->bytes + chunk->used;
	chunk->used += bytes;
	return memory;
}

_Noreturn void hc_abort(struct hc *hc, enum hc_result result, const char *format, ...)
{
	va_list args;

	hc->result = result;
	if (format) {
		va_start(args, format);
		if (vasprintf(&hc->message, format, args) < 0)
			hc->message = NULL;
		va_end(args);
	}
	longjmp(hc->failed, 1);
}

bool hc_wants_dump(const struct hc *hc, const char *pass)
{
	return hc->info->dump && hc_dump_wanted(hc->info->dump_passes, pass);
}

void hc_dump(const struct hc *hc, const char *pass, const char *text)
{
	hc->info->dump(hc->info->dump_user, pass, text);
}

static void choose_lanes(struct hc *hc)
{
	const struct hc_target *target = hc->target;
	uint32_t wanted = hc->info->subgroup_size;

	hc->lanes = wanted ? wanted : target->subgroup_size;
	if (!hc->lanes || hc->lanes & (hc->lanes - 1) || hc->lanes > 64 ||
	    hc->lanes < target->min_subgroup_size || hc->lanes > target->max_subgroup_size)
		hc_abort(hc, HC_ERROR_INVALID_ARGUMENT,
			 "subgroup size %u, expected a power of two from %u to %u", hc->lanes,
			 target->min_subgroup_size, target->max_subgroup_size);
}

void hc_phase_ends(struct hc *hc, enum hc_phase phase)
{
	uint64_t now = hc_now_ns();

	hc->phase_us[phase] = (uint32_t)((now - hc->phase_start) / 1000);
	hc->phase_start = now;
}

static struct hc_kernel *run(struct hc *hc)
{
	struct hc_adjacent **adjacent;
	struct hc_regions *regions;
	struct hc_shapes *shapes;
	struct hc_list tree;
	struct hc_module *m;
	uint32_t *words, *need;
	size_t count;

	choose_lanes(hc);
	hc->phase_start = hc_now_ns();
	words = hc_prepare(hc, &count);
	hc_phase_ends(hc, HC_PHASE_PREPARE);
	m = hc_module_parse(hc, words, count);
	if (hc->info->flags & HC_COMPILE_FULL_SUBGROUPS && hc->invocations % hc->lanes)
		hc_abort(hc, HC_ERROR_INVALID_ARGUMENT,
			 "%u invocations do not fill subgroups of %u", hc->invocations, hc->lanes);
	hc_dump_module(m);
	hc_find_tables(m);
	hc_dump_tables(m);
	tree = hc_structure(m);
	hc_dump_tree(m, "structure", &tree, NULL, NULL);
	shapes = hc_shape(m, &tree);
	hc_dump_tree(m, "shape", &tree, shapes, NULL);
	need = hc_partition(m, shapes, &tree);
	hc_dump_partition(m, need);
	regions = hc_region(m, shapes, &tree);
	hc_share(m, shapes, regions, &tree);
	hc_dump_tree(m, "region", &tree, shapes, regions);
	hc_dump_sharing(m, regions);
	/* Barriers have cut the code by now. */
	adjacent = hc_adjacent(m, shapes, &tree);
	hc_dump_adjacent(m, adjacent);
	hc_phase_ends(hc, HC_PHASE_ANALYSE);
	return hc_emit(m, &tree, shapes, regions, need, adjacent);
}

enum hc_result hc_compile(const struct hc_compile_info *info, struct hc_kernel **kernel,
			  char **message)
{
	struct hc *hc = calloc(1, sizeof(*hc));
	struct hc_chunk *chunk, *next;
	enum hc_result result;

	*kernel = NULL;
	if (message)
		*message = NULL;
	if (!hc)
		return HC_ERROR_OUT_OF_MEMORY;
	hc->info = info;
	hc->target = info->target;
	if (!setjmp(hc->failed))
		*kernel = run(hc);
	result = hc->result;
	if (message)
		*message = hc->message;
	else
		free(hc->message);
	for (size_t i = 0; i < 2; i++)
		if (hc->builders[i])
			LLVMDisposeBuilder(hc->builders[i]);
	if (hc->llvm)
		LLVMContextDispose(hc->llvm);
	hc_prepare_fini(hc);
	for (chunk = hc->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(hc);
	return result;
}

void hc_kernel_free(struct hc_kernel *kernel)
{
	if (!kernel)
		return;
	free(kernel->image);
	free(kernel);
}
