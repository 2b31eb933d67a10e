#version 460
// SPDX-License-Identifier: MIT
// Shared memory of several types, structures and arrays in arrays.
#extension GL_EXT_shader_explicit_arithmetic_types : require
layout(local_size_x = 20) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };
struct S { uvec3 a; float f; uint b[2]; };
shared S s[20];
shared uint8_t bytes[20];
shared uint64_t wide[20];
shared bool flags[20];

void main()
{
	uint l = gl_LocalInvocationIndex, i = gl_GlobalInvocationID.x;
	s[l].a = uvec3(v[i], i, l);
	s[l].f = float(l) * 0.5;
	s[l].b[0] = v[i] >> 3;
	s[l].b[1] = ~v[i];
	bytes[l] = uint8_t(v[i]);
	wide[l] = uint64_t(v[i]) * 0x100000001ul;
	flags[l] = (v[i] & 1u) != 0u;
	barrier();
	uint k = (l * 7u + 3u) % 20u;
	S t = s[k];
	o[i] = t.a.x + t.a.y * 3u + t.a.z + uint(t.f * 2.0) + t.b[l & 1u] + uint(bytes[k]) +
	       uint(wide[k] >> 32) + (flags[k] ? 1u : 0u);
}
