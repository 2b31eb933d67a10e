#version 460
// SPDX-License-Identifier: MIT
// C = A B of 64 × 64 floats in tiles through shared memory, each invocation a block of 4 × 4.
layout(local_size_x = 8, local_size_y = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { float c[]; };
layout(std430, set = 0, binding = 1) readonly buffer A { float a[]; };
layout(std430, set = 0, binding = 2) readonly buffer B { float b[]; };
layout(push_constant) uniform P { uint n; } p;
shared float sa[32 * 8];
shared float sb[8 * 32];

void main()
{
	uint t = gl_LocalInvocationIndex, lx = gl_LocalInvocationID.x, ly = gl_LocalInvocationID.y;
	uint row = gl_WorkGroupID.y * 32u, col = gl_WorkGroupID.x * 32u;
	float acc[4][4];
	for (uint y = 0u; y < 4u; y++)
		for (uint x = 0u; x < 4u; x++)
			acc[y][x] = 0.0;
	for (uint k0 = 0u; k0 < p.n; k0 += 8u) {
		for (uint k = t; k < 256u; k += 64u) {
			sa[k] = a[(row + k / 8u) * p.n + k0 + k % 8u];
			sb[k] = b[(k0 + k / 32u) * p.n + col + k % 32u];
		}
		barrier();
		for (uint k = 0u; k < 8u; k++)
			for (uint y = 0u; y < 4u; y++)
				for (uint x = 0u; x < 4u; x++)
					acc[y][x] += sa[(ly * 4u + y) * 8u + k] * sb[k * 32u + lx + x * 8u];
		barrier();
	}
	for (uint y = 0u; y < 4u; y++)
		for (uint x = 0u; x < 4u; x++)
			c[(row + ly * 4u + y) * p.n + col + lx + x * 8u] = acc[y][x];
}
