#version 460
// SPDX-License-Identifier: MIT
// Packing and unpacking, carries and wide products.
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { uint v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x, at = i * 12u;
	uint a = v[i * 2u], b = v[i * 2u + 1u], carry, borrow, high, low;
	int shigh, slow;
	vec2 f = vec2(float(a & 0xffffu) / 4096.0 - 8.0, float(b & 0xffffu) / 256.0);
	o[at + 0u] = packHalf2x16(f);
	vec2 h = unpackHalf2x16(a & 0x7bff7bffu);
	o[at + 1u] = floatBitsToUint(h.x) ^ floatBitsToUint(h.y) * 3u;
	o[at + 2u] = packUnorm4x8(vec4(f.x, 0.5, -1.0, float(b & 15u) / 16.0));
	o[at + 3u] = packSnorm2x16(vec2(f.x / 8.0, -0.25));
	o[at + 4u] = uint(unpackUnorm4x8(a).y * 255.0 + 0.5);
	o[at + 5u] = uint(int(unpackSnorm2x16(b).x * 32767.0));
	o[at + 6u] = uaddCarry(a, b, carry) + carry * 2u;
	o[at + 7u] = usubBorrow(a, b, borrow) + borrow * 2u;
	umulExtended(a, b, high, low);
	o[at + 8u] = high ^ low * 3u;
	imulExtended(int(a), int(b), shigh, slow);
	o[at + 9u] = uint(shigh) ^ uint(slow) * 3u;
	o[at + 10u] = packUnorm2x16(vec2(f.x, 0.25));
	o[at + 11u] = packSnorm4x8(vec4(f.x / 8.0, 1.0, -1.0, 0.0));
}
