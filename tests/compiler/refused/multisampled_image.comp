#version 460
// SPDX-License-Identifier: MIT
// REFUSED: multisampled
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(set = 0, binding = 1) uniform sampler2DMS image;

void main()
{
	o[0] = uint(texelFetch(image, ivec2(0), 1).x);
}
