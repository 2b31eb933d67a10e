#version 460
// SPDX-License-Identifier: MIT
// REFUSED: PhysicalStorageBufferAddresses
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(buffer_reference, std430) buffer Far { uint x; };
layout(push_constant) uniform Push { Far there; };

void main()
{
	o[0] = there.x;
}
