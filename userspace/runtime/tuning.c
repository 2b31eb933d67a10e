// SPDX-License-Identifier: MIT
/*
 * Every shape of a work-group in one place. Shapes fit the least that Vulkan guarantees (128 invocations, 16
 * KiB of shared memory) unless a condition says more; invocations along outputs come in multiples of
 * 16, so that vectors of 4, 8 or 16 lanes are full.
 */
#include "tuning.h"

/*
 * First match wins. A tile needs 4 · step_k · (tile_r · threads_r + tile_n · threads_n) bytes of shared memory.
 *
 * On a CPU a tile of sums lives in vector registers: with 8 lanes there are 16 of them, with 16 lanes 32. There, longer
 * stretches of k also pay, because sums are saved at every barrier. Where there are rows enough, larger tiles are still
 * better, since less is staged for a product: a compiler that has no registers for them can split them.
 */
static const struct hrt_matmul_shape matmul_shapes[] = {
	{ .max_rows = 8, .threads_n = 16, .threads_r = 2, .step_k = 32, .tile_r = 4, .tile_n = 4 },
	{ .max_rows = 24, .threads_n = 16, .threads_r = 4, .step_k = 32, .tile_r = 4, .tile_n = 4 },
	{ .max_rows = 64,
	  .cpu_lanes = 8,
	  .threads_n = 16,
	  .threads_r = 16,
	  .step_k = 64,
	  .tile_r = 4,
	  .tile_n = 2 },
	{ .max_rows = UINT32_MAX,
	  .cpu_lanes = 8,
	  .threads_n = 16,
	  .threads_r = 16,
	  .step_k = 32,
	  .tile_r = 8,
	  .tile_n = 4 },
	{ .max_rows = UINT32_MAX,
	  .threads_n = 16,
	  .threads_r = 16,
	  .step_k = 32,
	  .tile_r = 4,
	  .tile_n = 4 },
	{ .max_rows = UINT32_MAX,
	  .threads_n = 16,
	  .threads_r = 8,
	  .step_k = 32,
	  .tile_r = 4,
	  .tile_n = 4 },
};

const struct hrt_matmul_shape *hrt_tune_matmul(const struct hearth_device *device, uint32_t rows)
{
	const struct hearth_device_properties *p = &device->physical->properties;

	for (size_t i = 0; i < HRT_COUNT(matmul_shapes); i++) {
		const struct hrt_matmul_shape *shape = &matmul_shapes[i];
		uint32_t shared =
			4 * shape->step_k *
			(shape->tile_r * shape->threads_r + shape->tile_n * shape->threads_n);

		if (shape->cpu_lanes &&
		    (p->type != HEARTH_DEVICE_CPU || p->subgroup_size != shape->cpu_lanes))
			continue;
		if (rows <= shape->max_rows && shared <= p->shared_memory_bytes &&
		    shape->threads_n * shape->threads_r <= p->max_workgroup_invocations)
			return shape;
	}
	return NULL;
}

/*
 * First match wins. Processors with 8 lanes (AVX2) add products of unsigned nibbles as 16-bit numbers, twice as fast as
 * floats; of signed bytes it is little more than floats. With 16 lanes (AVX-512) there are registers for more sums.
 */
static const struct hrt_dot_shape dot_shapes[] = {
	{ HEARTH_TYPE_Q4_0, 8, 8, 16, 2, 4, 4, 2 },
	{ HEARTH_TYPE_Q4_0, 24, 8, 16, 4, 4, 4, 2 },
	{ HEARTH_TYPE_Q4_0, UINT32_MAX, 8, 16, 16, 4, 4, 2 },
	{ HEARTH_TYPE_Q8_0, 8, 8, 16, 2, 4, 4, 1 },
	{ HEARTH_TYPE_Q8_0, 24, 8, 16, 4, 4, 4, 1 },
	{ HEARTH_TYPE_Q8_0, UINT32_MAX, 8, 16, 16, 4, 4, 1 },
	{ HEARTH_TYPE_Q4_0, 24, 16, 16, 4, 4, 4, 4 },
	{ HEARTH_TYPE_Q4_0, UINT32_MAX, 16, 16, 16, 4, 4, 4 },
	{ HEARTH_TYPE_Q8_0, 24, 16, 16, 4, 2, 4, 4 },
	{ HEARTH_TYPE_Q8_0, UINT32_MAX, 16, 16, 16, 2, 4, 4 },
};

const struct hrt_dot_shape *hrt_tune_dot(const struct hearth_device *device, enum hearth_type type,
					 uint32_t rows)
{
	const struct hearth_device_properties *p = &device->physical->properties;

	for (size_t i = 0; i < HRT_COUNT(dot_shapes); i++)
		if (p->type == HEARTH_DEVICE_CPU && dot_shapes[i].type == type &&
		    rows <= dot_shapes[i].max_rows && p->subgroup_size == dot_shapes[i].cpu_lanes)
			return &dot_shapes[i];
	return NULL;
}

/*
 * With 8 lanes there are 16 registers for sums, dots and weights. Subgroups of a work-group read the same weights, from the
 * caches that all but the first find them in.
 */
static const struct hrt_tiles_shape tiles_shapes[] = {
	{ HEARTH_TYPE_Q4_0_TILES, 1, 8, 1, 1, 2 },
	{ HEARTH_TYPE_Q8_0_TILES, 1, 8, 1, 1, 2 },
	{ HEARTH_TYPE_Q4_0_TILES, 8, 8, 2, 4, 2 },
	{ HEARTH_TYPE_Q8_0_TILES, 8, 8, 2, 4, 1 },
	{ HEARTH_TYPE_Q4_0_TILES, UINT32_MAX, 8, 8, 4, 2 },
	{ HEARTH_TYPE_Q8_0_TILES, UINT32_MAX, 8, 8, 4, 1 },
	{ HEARTH_TYPE_Q4_0_TILES, 1, 16, 1, 1, 2 },
	{ HEARTH_TYPE_Q8_0_TILES, 1, 16, 1, 1, 2 },
	{ HEARTH_TYPE_Q4_0_TILES, 8, 16, 2, 4, 2 },
	{ HEARTH_TYPE_Q8_0_TILES, 8, 16, 2, 4, 2 },
	{ HEARTH_TYPE_Q4_0_TILES, UINT32_MAX, 16, 8, 4, 4 },
	{ HEARTH_TYPE_Q8_0_TILES, UINT32_MAX, 16, 8, 4, 4 },
};

uint32_t hrt_tune_tile_lanes(const struct hearth_device *device)
{
	const struct hearth_device_properties *p = &device->physical->properties;
	uint32_t lanes = p->subgroup_size;

	return p->type == HEARTH_DEVICE_CPU && device->physical->properties.integer_dot &&
			       p->subgroup_arithmetic && (lanes == 8 || lanes == 16)
		       ? lanes
		       : 0;
}

const struct hrt_tiles_shape *hrt_tune_tiles(const struct hearth_device *device,
					     enum hearth_type type, uint32_t rows)
{
	uint32_t lanes = hrt_tune_tile_lanes(device);

	for (size_t i = 0; i < HRT_COUNT(tiles_shapes); i++)
		if (tiles_shapes[i].type == type && tiles_shapes[i].lanes == lanes &&
		    rows <= tiles_shapes[i].max_rows)
			return &tiles_shapes[i];
	return NULL;
}

struct hrt_team_shape hrt_tune_team(const struct hearth_device *device, uint64_t elements,
				    uint32_t least)
{
	const struct hearth_device_properties *p = &device->physical->properties;
	struct hrt_team_shape shape = {
		.subgroup =
			p->subgroup_arithmetic && p->subgroup_size >= 4 && p->subgroup_size <= 64,
		.local = 64,
	};

	shape.lanes = shape.subgroup ? p->subgroup_size : 16;
	/* Some sixteen elements an invocation keep it busy; a CPU gains nothing from more invocations. */
	while (shape.local < 256 && 2 * shape.local <= p->max_workgroup_invocations &&
	       (shape.local < least ||
		(elements / shape.local >= 16 && p->type != HEARTH_DEVICE_CPU)))
		shape.local *= 2;
	return shape;
}

uint32_t hrt_tune_local(const struct hearth_device *device)
{
	(void)device;
	return 64;
}

uint32_t hrt_tune_attention_keys(const struct hearth_device *device, uint32_t head_size,
				 uint32_t threads_r)
{
	const struct hearth_device_properties *p = &device->physical->properties;

	for (uint32_t keys = 2; keys; keys--) {
		uint64_t chunk = 16ull * keys;
		/* The keys' tile, and scores and weights of 4 queries an invocation. */
		uint64_t words = head_size * chunk + 2 * 4 * threads_r * chunk;

		if (4 * words <= p->shared_memory_bytes &&
		    16 * threads_r <= p->max_workgroup_invocations)
			return keys;
	}
	return 0;
}
