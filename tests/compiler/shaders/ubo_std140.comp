#version 460
// SPDX-License-Identifier: MIT
// A uniform block in std140: arrays of scalars with stride 16, a matrix, a nested structure.
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { float o[]; };
struct Inner { vec3 v; float s; };
layout(std140, set = 0, binding = 1) uniform U {
	float list[6];
	mat3 m;
	layout(row_major) mat2x3 rm;
	Inner inner[2];
	vec2 tail;
} u;

void main()
{
	uint i = gl_GlobalInvocationID.x;
	o[i * 4u + 0u] = u.list[i % 6u];
	o[i * 4u + 1u] = u.m[i % 3u][(i + 1u) % 3u];
	o[i * 4u + 2u] = u.rm[i & 1u].y + u.inner[i & 1u].v.z * 2.0;
	o[i * 4u + 3u] = u.inner[(i >> 1) & 1u].s + u.tail.y;
}
