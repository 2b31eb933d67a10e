// SPDX-License-Identifier: MIT
// Reads and writes through pushed addresses.
#version 460
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 32) in;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint word[]; };
layout(push_constant) uniform Push { Words from; Words to; };
void main()
{
	uint i = gl_GlobalInvocationID.x;
	to.word[i] = from.word[i] + 1;
}
