// SPDX-License-Identifier: MIT
/* y[i] = scale · x[i], and with a soft cap that is not 0: y[i] = soft_cap · tanh(scale · x[i] / soft_cap). y may be x. */
#version 450

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint x_first, y_first; /* where the views start, in words */
	uint count;
	float scale;
	float soft_cap;
};

void main()
{
	uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
	uint i = group * gl_WorkGroupSize.x + gl_LocalInvocationIndex;

	if (i >= count)
		return;

	float value = scale * x[x_first + i];

	if (soft_cap > 0.0)
		value = soft_cap - 2.0 * soft_cap / (exp(2.0 * value / soft_cap) + 1.0);
	y[y_first + i] = value;
}
