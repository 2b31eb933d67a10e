#version 460
// SPDX-License-Identifier: MIT
// The sum of a few values: the example of Documentation/compiler.rst.
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) writeonly buffer Sums { float sums[]; };
layout(std430, set = 0, binding = 1) readonly buffer Values { float values[]; };
layout(push_constant) uniform Parameters { uint count; };
shared float part[16];

void main()
{
	uint lane = gl_LocalInvocationID.x;
	float sum = 0.0;

	for (uint k = lane; k < count; k += 16u)
		sum += values[k];
	part[lane] = sum;
	barrier();
	if (lane == 0u) {
		for (uint k = 1u; k < 16u; k++)
			sum += part[k];
		sums[gl_WorkGroupID.x] = sum;
	}
}
