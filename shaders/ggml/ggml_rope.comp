// SPDX-License-Identifier: MIT
/*
 * Rotary embedding: of each row, the elements from "offset" on are turned in "dims" / 2 pairs by an angle that falls
 * with the pair's number and grows with the position of the row's token (index 2); the others are copied.
 * Pairs are neighbours (NEOX false) or half of "dims" apart. Frequencies may be divided by given factors, and
 * interpolated between two ways of scaling along a ramp over the pairs (YaRN).
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "ggml.glsl"

layout(constant_id = 1) const uint TYPE = TYPE_F32; /* of a and y */
layout(constant_id = 2) const bool NEOX = false;
layout(constant_id = 3) const bool FACTORS = false;

TENSOR(1, a)
TENSOR(2, position)
TENSOR(3, factor)
TENSOR(4, y)
READER(a)
READER(factor)
WRITER(y)

#define WORDS (4 * TENSOR_WORDS)

void main()
{
	tensor a = get_tensor(0);
	tensor position = get_tensor(1);
	tensor factor = get_tensor(2);
	tensor y = get_tensor(3);
	uint dims = parameters[WORDS];
	uint offset = parameters[WORDS + 1];
	float log2_base = float_parameter(WORDS + 2); /* of the frequencies, per pair; negative */
	float freq_scale = float_parameter(WORDS + 3);
	float ext_factor = float_parameter(WORDS + 4);
	float magnitude = float_parameter(WORDS + 5);
	float ramp_low = float_parameter(WORDS + 6);
	float ramp_high = float_parameter(WORDS + 7);
	float direction = float_parameter(WORDS + 8);
	uint rows = a.ne.y * a.ne.z * a.ne.w;
	uint pairs = a.ne.x / 2;

	for (uint r = gl_WorkGroupID.x; r < rows; r += gl_NumWorkGroups.x) {
		uvec3 row = unravel_row(r, a);
		uint a_row = row_at(a, row);
		uint y_row = row_at(y, row);
		float token = float(int(position_words[(position.at + row.y * position.nb.x) >> 2]));

		for (uint p = gl_LocalInvocationIndex; p < pairs; p += gl_WorkGroupSize.x) {
			if (p < dims / 2) {
				uint i = offset + (NEOX ? p : 2 * p);
				uint j = NEOX ? i + dims / 2 : i + 1;
				float theta = token * exp2(float(p) * log2_base);

				if (FACTORS)
					theta /= read_factor(TYPE_F32, factor.at, factor.nb.x, p);

				float angle = theta * freq_scale;

				if (ext_factor != 0.0) {
					float along = (float(p) - ramp_low) / max(0.001, ramp_high - ramp_low);
					float mix_in = (1.0 - min(1.0, max(0.0, along))) * ext_factor;

					angle = angle * (1.0 - mix_in) + theta * mix_in;
				}

				float c = cos(angle) * magnitude;
				float s = sin(angle) * magnitude * direction;
				float first = read_a(TYPE, a_row, a.nb.x, i);
				float second = read_a(TYPE, a_row, a.nb.x, j);

				write_y(TYPE, y_row, y.nb.x, i, first * c - second * s);
				write_y(TYPE, y_row, y.nb.x, j, first * s + second * c);
			} else {
				/* The pairs left over count what lies before the window, then behind it. */
				uint i = 2 * p - dims;

				if (i >= offset)
					i += dims;
				write_y(TYPE, y_row, y.nb.x, i, read_a(TYPE, a_row, a.nb.x, i));
				write_y(TYPE, y_row, y.nb.x, i + 1, read_a(TYPE, a_row, a.nb.x, i + 1));
			}
		}
	}
}
