// SPDX-License-Identifier: MIT
/*
 * The slots of a mixture of experts in the order of the experts that they have selected, and cut into tiles of slots with the
 * same expert. Slots that have selected none that there is are left out. One work-group; the result does not depend on its size.
 */
#version 450

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint EXPERTS = 8;

layout(set = 0, binding = 0, std430) readonly buffer Selected { uint selected[]; };
/* { slots[slots], { expert, first, count }[tiles] }; tiles that are not needed have a count of 0. */
layout(set = 0, binding = 1, std430) buffer Groups { uint groups[]; };

layout(push_constant) uniform Push {
	uint selected_first, groups_first; /* where the views start, in words */
	uint slots;
	uint tile_slots; /* of a tile at most */
	uint tiles;
	uint used;	      /* slots of a row */
	uint selected_stride; /* of a row */
};

shared uint starts[EXPERTS];

uint expert_of(uint slot)
{
	return selected[selected_first + slot / used * selected_stride + slot % used];
}

void put_tile(uint tile, uint expert, uint first, uint count)
{
	uint at = groups_first + slots + 3 * tile;

	groups[at] = expert;
	groups[at + 1] = first;
	groups[at + 2] = count;
}

void main()
{
	for (uint e = gl_LocalInvocationIndex; e < EXPERTS; e += gl_WorkGroupSize.x) {
		uint count = 0;

		for (uint slot = 0; slot < slots; slot++)
			count += expert_of(slot) == e ? 1 : 0;
		starts[e] = count;
	}
	barrier();
	if (gl_LocalInvocationIndex == 0) {
		uint at = 0;
		uint tile = 0;

		for (uint e = 0; e < EXPERTS; e++) {
			uint count = starts[e];

			starts[e] = at;
			for (uint first = 0; first < count; first += tile_slots)
				put_tile(tile++, e, at + first, min(tile_slots, count - first));
			at += count;
		}
		while (tile < tiles)
			put_tile(tile++, 0, 0, 0);
	}
	barrier();
	for (uint e = gl_LocalInvocationIndex; e < EXPERTS; e += gl_WorkGroupSize.x) {
		uint at = groups_first + starts[e];

		for (uint slot = 0; slot < slots; slot++)
			if (expert_of(slot) == e)
				groups[at++] = slot;
	}
}
