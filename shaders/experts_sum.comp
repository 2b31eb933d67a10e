// SPDX-License-Identifier: MIT
/* y[r][i] = Σs weights[r][s] · x[r][s][i] (+ residual[r][i]): what the experts of a row make of it, together. */
#version 450

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Weights { float weights[]; };
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint x_first, weights_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint used;
	uint add_residual;
};

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uint row = gl_WorkGroupID.y;
	float sum = 0.0;

	if (i >= columns)
		return;
	for (uint s = 0; s < used; s++)
		sum = fma(weights[weights_first + row * used + s], x[x_first + (row * used + s) * columns + i], sum);
	if (add_residual != 0)
		sum += residual[residual_first + row * columns + i];
	y[y_first + row * columns + i] = sum;
}
