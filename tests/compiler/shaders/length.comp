#version 460
// SPDX-License-Identifier: MIT
// The number of elements that a run-time array has.
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
struct Item { uvec2 a; uint b; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint head; Item items[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	o[i] = uint(items.length()) * 1000u + uint(o.length());
}
