#version 460
// SPDX-License-Identifier: MIT
// REFUSED: OpTypeImage
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(set = 0, binding = 1, rgba8) writeonly uniform image2D image;

void main()
{
	imageStore(image, ivec2(o[0]), vec4(1.0));
}
