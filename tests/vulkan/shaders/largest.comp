// SPDX-License-Identifier: MIT
// A work-group as large as the device allows: its invocations fill all shared memory and add up what others wrote.
#version 460
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint words = 1024;
layout(set = 0, binding = 0) buffer Out { uint sums[]; };
shared uint memory[words];
void main()
{
	uint i = gl_LocalInvocationIndex, n = gl_WorkGroupSize.x * gl_WorkGroupSize.y * gl_WorkGroupSize.z;
	uint sum = 0;

	for (uint at = i; at < words; at += n)
		memory[at] = at;
	barrier();
	for (uint at = i; at < words; at += n)
		sum += memory[words - 1 - at];
	sums[i] = sum;
}
