// SPDX-License-Identifier: MIT
/*
 * y[i] = a[i] + b[i], or with SILU_MUL y[i] = a[i] / (1 + exp(-a[i])) · b[i], or with GELU_MUL the same of GELU as tanh
 * approximates it: a · (1 + tanh(u)) / 2 is a / (1 + exp(-2u)). y may be a or b.
 */
#version 450
#extension GL_EXT_control_flow_attributes : require

#define PER_INVOCATION 4

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer A { float a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float b[]; };
layout(set = 0, binding = 2, std430) buffer Y { float y[]; };

layout(push_constant) uniform Push {
	uint a_first, b_first, y_first; /* where the views start, in words */
	uint count;
};

void main()
{
	uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
	uint start = group * (gl_WorkGroupSize.x * PER_INVOCATION) + gl_LocalInvocationIndex;

	[[unroll]] for (uint n = 0; n < PER_INVOCATION; n++) {
		uint i = start + n * gl_WorkGroupSize.x;

		if (i < count) {
			float left = a[a_first + i];
			float right = b[b_first + i];

#ifdef SILU_MUL
			y[y_first + i] = left / (1.0 + exp(-left)) * right;
#elif defined(GELU_MUL)
			/* 2 · sqrt(2 / π) */
			float twice = 1.5957691 * left * (1.0 + 0.044715 * left * left);

			y[y_first + i] = left / (1.0 + exp(-twice)) * right;
#else
			y[y_first + i] = left + right;
#endif
		}
	}
}
