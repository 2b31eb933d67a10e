#version 460
// SPDX-License-Identifier: MIT
// A storage block in std430: structures in arrays in structures, read and written through members.
layout(local_size_x = 8) in;
struct Part { uint a; uvec2 b; uint c[3]; };
layout(std430, set = 0, binding = 0) buffer Out { uint total; Part parts[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uvec3 head; Part list[]; } src;

void main()
{
	uint i = gl_GlobalInvocationID.x;
	Part p = src.list[i];
	p.a += src.head.y;
	p.b = p.b.yx * 2u;
	p.c[i % 3u] ^= 0xffffu;
	parts[i] = p;
	parts[i].b.x += 1u;
	if (i == 0u)
		total = src.head.z;
}
