#version 460
// SPDX-License-Identifier: MIT
// REFUSED: ImageBuffer\|SampledBuffer
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(set = 0, binding = 1) uniform textureBuffer texels;

void main()
{
	o[0] = uint(texelFetch(texels, 3).x);
}
