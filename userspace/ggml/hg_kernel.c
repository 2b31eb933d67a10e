// SPDX-License-Identifier: MIT
/* The plugin's kernels: embedded shaders, made for a device on first use with the constants asked for. */
#include "hg.h"

#include <stdlib.h>

#include "spv_ggml_argsort.h"
#include "spv_ggml_attention.h"
#include "spv_ggml_map.h"
#include "spv_ggml_matmul.h"
#include "spv_ggml_matvec.h"
#include "spv_ggml_reduce.h"
#include "spv_ggml_rope.h"
#include "spv_ggml_rows.h"

static const struct {
	const char *name;
	const uint32_t *words;
	size_t bytes;
	uint32_t buffers;
} shaders[HG_SHADER_COUNT] = {
#define SHADER(id, name, buffers) \
	[HG_SHADER_##id] = { #name, spv_ggml_##name, sizeof(spv_ggml_##name), buffers }
	SHADER(MAP, map, 4),
	SHADER(REDUCE, reduce, 5),
	SHADER(ROWS, rows, 4),
	SHADER(ROPE, rope, 5),
	SHADER(MATMUL, matmul, 4),
	SHADER(MATVEC, matvec, 5),
	SHADER(ATTENTION, attention, 7),
	SHADER(ARGSORT, argsort, 3),
#undef SHADER
};

struct hg_kernel {
	struct hg_kernel *next;
	enum hg_shader shader;
	uint32_t spec_count;
	uint32_t spec[HG_MAX_SPEC + 1];
	struct hearth_kernel *hearth;
};

uint32_t hg_shader_buffers(enum hg_shader shader)
{
	return shaders[shader].buffers;
}

static bool matches(const struct hg_kernel *kernel, const struct hg_call *call)
{
	return kernel->shader == call->shader && kernel->spec_count == call->spec_count &&
	       !memcmp(kernel->spec, call->spec, 4 * call->spec_count);
}

static struct hg_kernel *create(struct hg_device *device, const struct hg_call *call)
{
	const struct hearth_kernel_info info = {
		.struct_size = sizeof(info),
		.spirv = shaders[call->shader].words,
		.spirv_bytes = shaders[call->shader].bytes,
		.buffer_count = shaders[call->shader].buffers,
		.spec_constants = call->spec,
		.spec_constant_count = call->spec_count,
	};
	struct hg_kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel) {
		hg_error("kernel %s: out of memory", shaders[call->shader].name);
		return NULL;
	}
	if (hearth_kernel_create(device->hearth, &info, &kernel->hearth) != HEARTH_OK) {
		hg_hearth_error(shaders[call->shader].name);
		free(kernel);
		return NULL;
	}
	kernel->shader = call->shader;
	kernel->spec_count = call->spec_count;
	memcpy(kernel->spec, call->spec, sizeof(kernel->spec));
	return kernel;
}

struct hearth_kernel *hg_kernel_get(struct hg_device *device, const struct hg_call *call)
{
	struct hg_kernel *kernel;

	pthread_mutex_lock(&device->lock);
	for (kernel = device->kernels; kernel; kernel = kernel->next)
		if (matches(kernel, call))
			break;
	if (!kernel) {
		kernel = create(device, call);
		if (kernel) {
			kernel->next = device->kernels;
			device->kernels = kernel;
		}
	}
	pthread_mutex_unlock(&device->lock);
	return kernel ? kernel->hearth : NULL;
}
