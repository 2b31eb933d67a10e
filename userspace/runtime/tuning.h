/* SPDX-License-Identifier: MIT */
/*
 * Shapes of work-groups, chosen from a device's limits. All of them are in tuning.c.
 */
#ifndef HEARTH_TUNING_H
#define HEARTH_TUNING_H

#include "runtime.h"

/* matmul.comp: a work-group computes (tile_r · threads_r) × (tile_n · threads_n) outputs, step_k columns at a time. */
struct hrt_matmul_shape {
	uint32_t max_rows;  /* serves up to so many rows of activations */
	uint32_t cpu_lanes; /* serves only CPUs with subgroups of this size; 0: all */
	uint32_t threads_n;
	uint32_t threads_r;
	uint32_t step_k;
	uint32_t tile_r;
	uint32_t tile_n;
};

/* Outputs of a team in shaders/matvec.comp, matvec_half.comp, and for Q8_0 in matvec_dot.comp: ROWS there. */
#define HRT_MATVEC_ROWS	  4
#define HRT_MATVEC_SHARED 2048 /* activations that matvec.comp stages at a time */

/* NULL if the device's limits admit none. */
const struct hrt_matmul_shape *hrt_tune_matmul(const struct hearth_device *device, uint32_t rows);

/* matmul_dot.comp: the same, step_pairs · 64 columns at a time. */
struct hrt_dot_shape {
	enum hearth_type type;
	uint32_t max_rows; /* serves up to so many rows of activations */
	uint32_t cpu_lanes;
	uint32_t threads_n;
	uint32_t threads_r;
	uint32_t step_pairs;
	uint32_t tile_r;
	uint32_t tile_n;
};

/* NULL where products in float32 are faster. */
const struct hrt_dot_shape *hrt_tune_dot(const struct hearth_device *device, enum hearth_type type,
					 uint32_t rows);

/* Rows of weights side by side in tiles (tiles.c); 0 where the device has no use for them. */
uint32_t hrt_tune_tile_lanes(const struct hearth_device *device);

/* matmul_tiles.comp: a subgroup computes tile_r rows of tile_n tiles, a work-group has threads_r subgroups. */
struct hrt_tiles_shape {
	enum hearth_type type;
	uint32_t max_rows; /* serves up to so many rows of activations */
	uint32_t lanes;
	uint32_t threads_r;
	uint32_t tile_r;
	uint32_t tile_n;
};

const struct hrt_tiles_shape *hrt_tune_tiles(const struct hearth_device *device,
					     enum hearth_type type, uint32_t rows);

/* Kernels of teams (shaders/team.glsl). */
struct hrt_team_shape {
	bool subgroup;	/* teams are subgroups */
	uint32_t local; /* invocations of a work-group */
	uint32_t lanes; /* of a team */
};

/* For sums over @elements with at least @least invocations, if the device admits so many. */
struct hrt_team_shape hrt_tune_team(const struct hearth_device *device, uint64_t elements,
				    uint32_t least);

/* Invocations of a work-group whose invocations have nothing in common; a power of two. */
uint32_t hrt_tune_local(const struct hearth_device *device);

/* attention_many.comp: keys of an invocation per turn; 0 if the shape does not fit the device. */
uint32_t hrt_tune_attention_keys(const struct hearth_device *device, uint32_t head_size,
				 uint32_t threads_r);

#endif /* HEARTH_TUNING_H */
