#version 460
// SPDX-License-Identifier: MIT
// All atomic operations on buffers, and that they return what was there.
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[8]; uint seen[]; };
layout(std430, set = 0, binding = 1) buffer In { uint v[]; };
layout(std430, set = 0, binding = 2) buffer Signed { int t[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	atomicAdd(o[0], v[i]);
	atomicMin(o[1], v[i]);
	atomicMax(o[2], v[i]);
	atomicAnd(o[3], v[i] | 0xffffu);
	atomicOr(o[4], v[i] & 0xff00ffu);
	atomicXor(o[5], v[i]);
	atomicMin(t[0], int(v[i]));
	atomicMax(t[1], int(v[i]));
	// Each number from 0 to n - 1 is drawn once.
	uint ticket = atomicAdd(o[6], 1u);
	atomicAdd(seen[ticket], 1u);
	if ((i & 3u) == 1u)
		atomicAdd(o[7], 2u);
	// Only the holder of the right value may put the next one; lanes of a loop try in turn.
	uint old = atomicExchange(v[i], i);
	if (atomicCompSwap(v[i], i, old + 1u) == i)
		atomicAdd(seen[64u + (i & 7u)], atomicCompSwap(v[i], 0u, 5u) == old + 1u ? 1u : 1000u);
}
