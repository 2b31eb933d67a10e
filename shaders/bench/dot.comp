// SPDX-License-Identifier: MIT
/*
 * Peak of the dot product of four packed bytes with a 32-bit sum: eight chains of x = dot4(x, a) + x, exact modulo
 * 2^32, so that the host can compute each result.
 */
#version 450
#extension GL_EXT_integer_dot_product : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std430) buffer Out { int results[]; };
layout(push_constant) uniform Push {
	uint iterations;
	int a;
};

#define STEPS 4 /* of each chain in an iteration; the host knows the number */

void main()
{
	uint i = gl_GlobalInvocationID.x;
	int x[8];

	[[unroll]] for (int c = 0; c < 8; c++)
		x[c] = int(i % 8u) * 0x01030507 + c;
	for (uint n = 0; n < iterations; n++) {
		[[unroll]] for (int s = 0; s < STEPS; s++) {
			[[unroll]] for (int c = 0; c < 8; c++)
				x[c] += dotPacked4x8EXT(x[c], a);
		}
	}
	int sum = 0;
	[[unroll]] for (int c = 0; c < 8; c++)
		sum += x[c];
	results[i] = sum;
}
