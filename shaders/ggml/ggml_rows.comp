// SPDX-License-Identifier: MIT
/*
 * Rows chosen by index. Gather: y[i, r, b, c] = a[i, index[r, b, c], b, c]. Scatter: y[i, index[r, b, c], b, c] =
 * a[i, r, b, c], the indices repeated over b and c. Indices outside the tensor are left out.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

layout(constant_id = 1) const bool SCATTER = false;
layout(constant_id = 2) const uint TYPE_A = TYPE_F32;
layout(constant_id = 3) const uint TYPE_Y = TYPE_F32;
layout(constant_id = 4) const bool WORDS = false; /* elements are 32-bit words of whatever meaning */
layout(constant_id = 5) const uint STRETCH = 256; /* elements of a row for one work-group */

TENSOR(1, a)
TENSOR(2, index)
TENSOR(3, y)
READER(a)
WRITER(y)

void main()
{
	tensor a = get_tensor(0);
	tensor index = get_tensor(1);
	tensor y = get_tensor(2);
	uvec3 shape = SCATTER ? a.ne.yzw : y.ne.yzw;
	uint rows = shape.x * shape.y * shape.z;
	uint first = gl_WorkGroupID.x * STRETCH;
	uint last = min(first + STRETCH, y.ne.x);

	for (uint r = gl_WorkGroupID.y; r < rows; r += gl_NumWorkGroups.y) {
		uvec3 row = uvec3(r % shape.x, r / shape.x % shape.y, r / (shape.x * shape.y));
		uvec2 batch = SCATTER ? row.yz % index.ne.yz : row.yz;
		uint at = index.at + row.x * index.nb.x + batch.x * index.nb.y + batch.y * index.nb.z;
		/* The low word of a 64-bit index. */
		uint chosen = index_words[at >> 2];
		uint a_row = row_at(a, SCATTER ? row : uvec3(chosen, row.yz));
		uint y_row = row_at(y, SCATTER ? uvec3(chosen, row.yz) : row);

		if (chosen < (SCATTER ? y.ne.y : a.ne.y)) {
			for (uint start = first; start < last; start += gl_WorkGroupSize.x) {
				uint i = start + gl_LocalInvocationIndex;

				if (i < last) {
					if (WORDS)
						y_words[(y_row + i * y.nb.x) >> 2] =
							a_words[(a_row + i * a.nb.x) >> 2];
					else
						write_y(TYPE_Y, y_row, y.nb.x, i,
							read_a(TYPE_A, a_row, a.nb.x, i));
				}
			}
		}
	}
}
