#version 460
// SPDX-License-Identifier: MIT
// Shared memory that the shader lays out: two blocks are two views of one memory.
#extension GL_EXT_shared_memory_block : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
shared Words { layout(offset = 16) uint words[32]; };
shared Halves { layout(offset = 8) uint16_t before[4]; uint16_t halves[64]; };

void main()
{
	uint i = gl_GlobalInvocationID.x, l = gl_LocalInvocationIndex;

	words[l] = v[i];
	barrier();
	o[i] = uint(halves[2u * ((l + 5u) & 31u)]) | uint(halves[2u * ((l + 9u) & 31u) + 1u]) << 16;
}
