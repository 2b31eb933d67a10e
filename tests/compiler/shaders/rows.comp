#version 460
// SPDX-License-Identifier: MIT
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
// Neighbouring elements, read one after the other in rows that lie anywhere, and vectors of them.
layout(local_size_x = 24) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
layout(std430, set = 0, binding = 2) readonly buffer Fours { uvec4 fours[]; };
layout(std430, set = 0, binding = 3) readonly buffer Pairs { uvec2 pairs[]; };
layout(std430, set = 0, binding = 4) readonly buffer Halves { uint16_t halves[]; };
layout(push_constant) uniform Push { uint stride; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	uint at = (i * 7u % 13u) * stride + 2u;
	uint r = v[at + 3u] * 3u + v[at + 1u] * 5u - v[at] * 7u + (v[at + 2u] ^ v[at + 5u]);

	r += v[4u * i] + 2u * v[4u * i + 1u] + 3u * v[4u * i + 2u] + 4u * v[4u * i + 3u];
	r ^= v[2u * i + 1u] * 11u + v[2u * i];
	r += v[3u * i + 2u] - v[3u * i] * v[3u * i + 1u];
	if ((i & 3u) != 1u) {
		uvec4 q = fours[i * 5u % 16u];
		uvec2 p = pairs[i * 11u % 32u];

		r += q.x + 3u * q.y + 5u * q.z + 9u * q.w + p.x * p.y;
		at = i * 13u % 29u;
		r += uint(halves[at]) + uint(halves[at + 1u]) * 3u + uint(halves[at + 6u]) * 5u;
	}
	/* What was written in between is read. */
	at = 48u + (i ^ 5u) * 3u;
	r += o[at];
	o[at + 1u] = r;
	r ^= o[at + 1u] * 2u + o[at + 2u];
	o[i] = r;
}
