// SPDX-License-Identifier: MIT
// All invocations count in the texels of an image and of a texel buffer; some aim beside it.
#version 460
layout(local_size_x = 16) in;
layout(set = 0, binding = 0, r32ui) uniform uimage2D image;
layout(set = 0, binding = 1, r32i) uniform iimageBuffer texels;
layout(std430, set = 0, binding = 2) buffer Out { uint olds[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	ivec2 p = ivec2(int(i % 5u), int(i / 5u % 3u));
	olds[i] = imageAtomicAdd(image, p, 1u + i);
	imageAtomicMax(texels, int(i % 9u), int(i));
}
