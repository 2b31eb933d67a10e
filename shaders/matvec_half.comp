// SPDX-License-Identifier: MIT
/*
 * y[n] = Σk x[k] · w[n][k] (+ residual[n]): one row of activations, F16 weights, on devices that read 16-bit numbers from
 * buffers: loads of neighbours then come as the numbers they are. A subgroup computes ROWS outputs, its lanes along k.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_basic : require

#define ROWS 4

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LANES = 8; /* of the device's subgroups */

layout(set = 0, binding = 0, std430) readonly buffer Weights { float16_t w[]; };
layout(set = 0, binding = 1, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint w_first, x_first, residual_first, y_first; /* where the views start, in words */
	uint columns;
	uint n_count; /* outputs of this dispatch */
	uint units;
	uint add_residual;
};

void main()
{
	uint first = (gl_WorkGroupID.x * (gl_WorkGroupSize.x / LANES) + gl_SubgroupID) * ROWS;
	uint lane = gl_SubgroupInvocationID;
	uint whole = columns / LANES * LANES;
	uint x_at = x_first + lane;
	uint start[ROWS];
	float sums[ROWS];

	/* Rows beyond the last are computed like the last and not written. */
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		start[r] = 2 * w_first + min(first + r, n_count - 1) * columns + lane;
		sums[r] = 0.0;
	}
	for (uint k = 0; k < whole; k += LANES) {
		float activation = x[x_at + k];

		[[unroll]] for (uint r = 0; r < ROWS; r++)
			sums[r] = fma(float(w[start[r] + k]), activation, sums[r]);
	}
	if (whole + lane < columns) {
		float activation = x[x_at + whole];

		[[unroll]] for (uint r = 0; r < ROWS; r++)
			sums[r] = fma(float(w[start[r] + whole]), activation, sums[r]);
	}
	[[unroll]] for (uint r = 0; r < ROWS; r++) {
		float sum = subgroupAdd(sums[r]);

		if (lane == 0 && first + r < n_count) {
			if (add_residual != 0)
				sum += residual[residual_first + first + r];
			y[y_first + first + r] = sum;
		}
	}
}
