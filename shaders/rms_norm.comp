// SPDX-License-Identifier: MIT
/* y[r][i] = x[r][i] / sqrt(mean(x[r]²) + epsilon) · weight[i]: one work-group a row. */
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Weight { float weight[]; };
layout(set = 0, binding = 2, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint x_first, weight_first, y_first; /* where the views start, in words */
	uint columns;
	float epsilon;
};

#include "team.glsl"

shared float team_sums[gl_WorkGroupSize.x];

void main()
{
	uint start = gl_WorkGroupID.x * columns;
	float sum = 0.0;

	for (uint at = 0; at < columns; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;

		if (i < columns) {
			float value = x[x_first + start + i];

			sum = fma(value, value, sum);
		}
	}
	sum = team_sum(sum);
	if (team_lane == 0)
		team_sums[team_index] = sum;
	barrier();
	sum = 0.0;
	for (uint i = 0; i < team_count; i++)
		sum += team_sums[i];

	float factor = 1.0 / sqrt(sum / float(columns) + epsilon);

	for (uint at = 0; at < columns; at += gl_WorkGroupSize.x) {
		uint i = at + gl_LocalInvocationIndex;

		if (i < columns)
			y[y_first + start + i] = x[x_first + start + i] * factor *
						 weight[weight_first + i];
	}
}
