#version 460
// SPDX-License-Identifier: MIT
// Push constants of several types, vectors and arrays, read whole and in parts.
#extension GL_EXT_shader_explicit_arithmetic_types : require
layout(local_size_x = 16) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(push_constant) uniform P {
	uint a;
	float f;
	uvec3 v;
	uint64_t big;
	uint list[4];
	uint16_t half_word;
} p;

void main()
{
	uint i = gl_GlobalInvocationID.x;
	o[i] = p.a + floatBitsToUint(p.f) + p.v.x * 3u + p.v.z + uint(p.big >> 32) * 5u + uint(p.big) +
	       p.list[i & 3u] + uint(p.half_word) * i;
}
