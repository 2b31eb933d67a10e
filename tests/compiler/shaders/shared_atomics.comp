#version 460
// SPDX-License-Identifier: MIT
// A histogram in shared memory.
layout(local_size_x = 40) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared uint bins[16];

void main()
{
	uint l = gl_LocalInvocationIndex;
	if (l < 16u)
		bins[l] = 0u;
	barrier();
	atomicAdd(bins[v[gl_GlobalInvocationID.x] & 15u], l + 1u);
	barrier();
	if (l < 16u)
		o[gl_WorkGroupID.x * 16u + l] = bins[l];
}
