// SPDX-License-Identifier: MIT
/*
 * index[r] = the smallest i with x[r][i] maximal: one work-group a row.
 *
 * Numbers are compared as integers that sort like them, with NaN below all: drivers may compile float
 * comparisons as if NaN did not exist.
 */
#version 450

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) buffer Index { uint index[]; };

layout(push_constant) uniform Push {
	uint x_first, index_first; /* where the views start, in words */
	uint columns;
};

shared uint best_key[gl_WorkGroupSize.x];
shared uint best_at[gl_WorkGroupSize.x];

uint sort_key(uint bits)
{
	if ((bits & 0x7fffffffu) > 0x7f800000u) /* NaN */
		return 0;
	if (bits == 0x80000000u) /* -0 is 0 */
		bits = 0;
	return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

void main()
{
	uint start = x_first + gl_WorkGroupID.x * columns;
	uint self = gl_LocalInvocationIndex;
	uint key = 0;
	uint at = 0xffffffffu;

	for (uint first = 0; first < columns; first += gl_WorkGroupSize.x) {
		uint i = first + self;

		if (i < columns) {
			uint candidate = sort_key(x[start + i]);

			if (candidate > key || at == 0xffffffffu) {
				key = candidate;
				at = i;
			}
		}
	}
	best_key[self] = key;
	best_at[self] = at;
	barrier();
	for (uint step = gl_WorkGroupSize.x / 2; step > 0; step /= 2) {
		if (self < step) {
			uint other_key = best_key[self + step];
			uint other_at = best_at[self + step];

			if (other_key > best_key[self] ||
			    (other_key == best_key[self] && other_at < best_at[self])) {
				best_key[self] = other_key;
				best_at[self] = other_at;
			}
		}
		barrier();
	}
	if (self == 0)
		index[index_first + gl_WorkGroupID.x] = best_at[0];
}
