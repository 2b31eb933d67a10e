// SPDX-License-Identifier: MIT
// Sums of 256 floats a work-group, through shared memory and barriers.
#version 460
layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly buffer In { float value[]; };
layout(set = 0, binding = 1) buffer Out { float sum[]; };
shared float part[256];
void main()
{
	uint i = gl_LocalInvocationID.x;
	part[i] = value[gl_GlobalInvocationID.x];
	barrier();
	for (uint stride = 128; stride > 0; stride /= 2) {
		if (i < stride)
			part[i] += part[i + stride];
		barrier();
	}
	if (i == 0)
		sum[gl_WorkGroupID.x] = part[0];
}
