// SPDX-License-Identifier: MIT
/*
 * Reads all of a buffer once: each work-group a piece of its own, neighbouring invocations neighbouring numbers, of 4
 * or of 16 bytes (VALUE): devices differ in which they read faster. What is left is the exclusive or of all that each
 * invocation has read, and the host knows the exclusive or of all.
 */
#version 450

layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std430) readonly buffer In { VALUE data[]; };
layout(set = 0, binding = 1, std430) buffer Out { uint results[]; };
layout(push_constant) uniform Push {
	uint count; /* of numbers for a work-group; a multiple of 256 */
};

void main()
{
	uint first = gl_WorkGroupID.x * count;
	VALUE seen = VALUE(0);

	for (uint at = 0; at < count; at += 256u) {
		uint i = first + at + gl_LocalInvocationIndex;

		seen ^= data[i] ^ data[i + 64u] ^ data[i + 128u] ^ data[i + 192u];
	}
	#ifdef WIDE
	results[gl_GlobalInvocationID.x] = seen.x ^ seen.y ^ seen.z ^ seen.w;
#else
	results[gl_GlobalInvocationID.x] = seen;
#endif
}
