#version 460
// SPDX-License-Identifier: MIT
// REFUSED: at most 4096
layout(local_size_x = 128, local_size_y = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };

void main()
{
	o[gl_LocalInvocationIndex] = 1u;
}
