// SPDX-License-Identifier: MIT
// One step of a recurrence for every word; order of dispatches shows in the result.
#version 460
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { uint data[]; };
layout(push_constant) uniform Push { uint add; };
void main()
{
	uint i = gl_GlobalInvocationID.x;
	data[i] = data[i] * 3 + add;
}
