// SPDX-License-Identifier: MIT
// One texel buffer to another of the same format.
#version 460
layout(local_size_x = 16) in;
layout(set = 0, binding = 0) uniform samplerBuffer source;
layout(set = 0, binding = 1, rg8) writeonly uniform imageBuffer target;

void main()
{
	int i = int(gl_GlobalInvocationID.x);
	imageStore(target, i, texelFetch(source, textureSize(source) - 1 - i));
}
