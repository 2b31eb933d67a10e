// SPDX-License-Identifier: MIT
/*
 * The host backend: this machine's CPU as a Vulkan device. Memory is the process's own, addresses are
 * pointers, code is mapped executable.
 *
 * HEARTH_CPU_ISA ("avx2", "avx512") keeps the compiler below what the CPU has; HEARTH_CPU_SUBGROUP_SIZE is another
 * size than the target's own; HEARTH_CPU_AS_GPU=1 reports an integrated GPU, for programs that pass over CPUs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hth_host.h"

#define HUGE_BYTES (2ull << 20)
#define MAX_STACK  (4u << 20) /* of the 8 MiB that pool threads have */

static VkResult device_init(struct hth_device *device)
{
	struct hth_host_device *host = calloc(1, sizeof(*host));

	if (!host)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	host->pool = hth_host_pool_create(hth_host_cpus());
	if (!host->pool) {
		free(host);
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	device->backend_data = host;
	return VK_SUCCESS;
}

static void device_finish(struct hth_device *device)
{
	struct hth_host_device *host = device->backend_data;

	hth_host_pool_destroy(host->pool);
	free(host);
}

static void physical_device_finish(struct hth_physical_device *pd)
{
	(void)pd;
}

static uint64_t meminfo(const char *field)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)) && line[strlen(field)] == ':')
			sscanf(line + strlen(field) + 1, "%llu", &kib);
	fclose(file);
	return kib << 10;
}

static void memory_budget(struct hth_physical_device *pd, uint32_t heap, uint64_t *used,
			  uint64_t *budget)
{
	uint64_t available = meminfo("MemAvailable");
	uint64_t resident = 0;
	unsigned long long pages;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file) {
		if (fscanf(file, "%*u %llu", &pages) == 1)
			resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
		fclose(file);
	}
	/* What of it was never touched is not there yet. */
	*used = HTH_MIN(*used, resident);
	*budget = HTH_MIN(available + *used, pd->memory.memoryHeaps[heap].size);
}

/* Whole huge pages start at a huge page, so that the kernel can use them. */
static VkResult bo_create(struct hth_device *device, enum hth_placement placement, uint64_t size,
			  struct hth_bo *bo)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t bytes, extra;
	uint8_t *memory, *aligned;

	(void)device;
	(void)placement;
	if (size > SIZE_MAX / 2)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	bytes = HTH_ALIGN(HTH_MAX(size, 1u), page);
	extra = bytes >= HUGE_BYTES ? HUGE_BYTES : 0;
	memory = mmap(NULL, bytes + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	aligned = memory;
	if (extra) {
		aligned = (uint8_t *)HTH_ALIGN((uintptr_t)memory, (uintptr_t)HUGE_BYTES);
		if (aligned != memory)
			munmap(memory, aligned - memory);
		if (aligned + bytes != memory + bytes + extra)
			munmap(aligned + bytes, memory + extra - aligned);
		madvise(aligned, bytes, MADV_HUGEPAGE);
	}
	bo->va = (uintptr_t)aligned;
	bo->map = aligned;
	bo->size = bytes;
	bo->handle = 0;
	bo->owned = true;
	return VK_SUCCESS;
}

static VkResult bo_import(struct hth_device *device, void *memory, uint64_t size, struct hth_bo *bo)
{
	(void)device;
	bo->va = (uintptr_t)memory;
	bo->map = memory;
	bo->size = size;
	bo->handle = 0;
	bo->owned = false;
	return VK_SUCCESS;
}

static void bo_destroy(struct hth_device *device, struct hth_bo *bo)
{
	(void)device;
	if (bo->owned)
		munmap(bo->map, bo->size);
	if (bo->handle)
		hth_host_shared_close(bo);
	bo->size = 0;
}

static VkResult code_create(struct hth_device *device, const void *image, uint64_t size,
			    uint32_t entry_offset, struct hth_code *code)
{
	VkResult result = bo_create(device, HTH_PLACEMENT_DEVICE, size, &code->bo);

	if (result != VK_SUCCESS)
		return result;
	memcpy(code->bo.map, image, size);
	if (mprotect(code->bo.map, code->bo.size, PROT_READ | PROT_EXEC)) {
		hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-code",
			"this system lets the process have no executable memory: %m");
		bo_destroy(device, &code->bo);
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	__builtin___clear_cache(code->bo.map, (char *)code->bo.map + code->bo.size);
	code->entry = code->bo.va + entry_offset;
	return VK_SUCCESS;
}

static void code_destroy(struct hth_device *device, struct hth_code *code)
{
	bo_destroy(device, &code->bo);
}

/* Threads bring their own memory; the packet only says how much a kernel needs. */
static VkResult scratch(struct hth_device *device, uint32_t scratch_bytes, uint32_t stack_bytes,
			struct hth_scratch *out)
{
	if (stack_bytes > MAX_STACK) {
		hth_log(device->instance, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
			"hearth-limits", "a kernel wants %u bytes of stack; at most %u are there",
			stack_bytes, MAX_STACK);
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	}
	out->va = 0;
	out->stride = scratch_bytes;
	return VK_SUCCESS;
}

static const struct hth_backend host_backend = {
	.name = "host",
	.device_init = device_init,
	.device_finish = device_finish,
	.physical_device_finish = physical_device_finish,
	.memory_budget = memory_budget,
	.bo_create = bo_create,
	.bo_create_shared = hth_host_bo_create_shared,
	.bo_export = hth_host_bo_export,
	.bo_import_fd = hth_host_bo_import_fd,
	.fd_placement = hth_host_fd_placement,
	.bo_import = bo_import,
	.bo_destroy = bo_destroy,
	.code_create = code_create,
	.code_destroy = code_destroy,
	.scratch = scratch,
	.queue_init = hth_host_queue_init,
	.queue_finish = hth_host_queue_finish,
	.queue_submit = hth_host_queue_submit,
};

static void cpu_model(char *out, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[512];

	snprintf(out, size, "unknown CPU");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		char *value = strstr(line, ": ");

		if (strncmp(line, "model name", 10) || !value)
			continue;
		value[strcspn(value, "\n")] = '\0';
		snprintf(out, size, "%s", value + 2);
		break;
	}
	fclose(file);
}

/* Without a compiler the device is still there, for what needs no kernels, and says so. */
static void no_target(struct hth_physical_device *pd)
{
	pd->target.subgroup_size = 8;
	pd->target.min_subgroup_size = 8;
	pd->target.max_subgroup_size = 8;
	pd->target.vector_bits = 256;
}

static const char *isa_name(const struct hc_target *target)
{
	if (target->arch == HC_ARCH_X86_64)
		return target->vector_bits >= 512 ? "AVX-512" : "AVX2";
	return target->arch == HC_ARCH_RISCV64 ? "RVV" : "vectors";
}

/* What HEARTH_CPU_SUBGROUP_SIZE says, where the target can do that. */
static void choose_subgroup_size(struct hc_target *target)
{
	const char *wanted = secure_getenv("HEARTH_CPU_SUBGROUP_SIZE");
	unsigned long size = wanted ? strtoul(wanted, NULL, 10) : 0;

	if (size >= target->min_subgroup_size && size <= target->max_subgroup_size &&
	    !(size & (size - 1)))
		target->subgroup_size = (uint32_t)size;
}

VkResult hth_host_enumerate(struct hth_instance *instance)
{
	struct hth_physical_device *pd = calloc(1, sizeof(*pd));
	const char *isa = secure_getenv("HEARTH_CPU_ISA");
	const char *as_gpu = secure_getenv("HEARTH_CPU_AS_GPU");
	struct hth_sha256 hash;
	uint8_t digest[32];
	char model[128];
	uint64_t total = meminfo("MemTotal");
	VkResult result;

	if (!pd)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	pd->backend = &host_backend;
	pd->has_target = hth_compiler_host_target(&pd->target, isa && isa[0] ? isa : NULL);
	if (!pd->has_target)
		no_target(pd);
	choose_subgroup_size(&pd->target);
	cpu_model(model, sizeof(model));
	snprintf(pd->name, sizeof(pd->name), "Hearth CPU (%.150s, %s)", model,
		 pd->has_target ? isa_name(&pd->target) : "no compiler");
	pd->type = as_gpu && !strcmp(as_gpu, "1") ? VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU
						  : VK_PHYSICAL_DEVICE_TYPE_CPU;
	pd->vendor_id = HBI_VIRTUAL_VENDOR;
	pd->device_id = 1;
	hth_sha256_init(&hash);
	hth_sha256_add(&hash, pd->name, strlen(pd->name));
	hth_sha256_finish(&hash, digest);
	memcpy(pd->uuid, digest, VK_UUID_SIZE);
	pd->queue_count = 2;
	pd->timestamp_period_ns = 1.0;
	pd->memory.memoryHeapCount = 1;
	pd->memory.memoryHeaps[0].size = total ? total : 1ull << 30;
	pd->memory.memoryHeaps[0].flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
	pd->memory.memoryTypeCount = 1;
	pd->memory.memoryTypes[0].propertyFlags =
		VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
		VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
	pd->placements[0] = HTH_PLACEMENT_DEVICE;
	pd->storage_types = 1;
	pd->transfer_types = 1;
	pd->pointer_types = 1;
	pd->pointer_handles = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT |
			      VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_MAPPED_FOREIGN_MEMORY_BIT_EXT;
	pd->import_handles = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT |
			     VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	pd->export_handles = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
	if (hth_host_has_udmabuf())
		pd->export_handles |= VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	result = hth_instance_add_device(instance, pd);
	if (result != VK_SUCCESS)
		free(pd);
	return result;
}
