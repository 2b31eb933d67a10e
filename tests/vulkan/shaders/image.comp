// SPDX-License-Identifier: MIT
// A storage image, which no Hearth device has.
#version 460
layout(local_size_x = 1) in;
layout(set = 0, binding = 0, rgba8) uniform image2D image;
void main()
{
	imageStore(image, ivec2(0), vec4(1.0));
}
