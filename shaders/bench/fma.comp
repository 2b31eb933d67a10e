// SPDX-License-Identifier: MIT
/*
 * Peak of multiply-add: eight chains, none of which waits for another, of x = a · x + b. Every chain comes near
 * b / (1 - a) + a^n · (start - …), which the host computes too, so that a device that leaves work out is found.
 */
#version 450
#ifdef HALF
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#endif
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std430) buffer Out { float results[]; };
layout(push_constant) uniform Push {
	uint iterations;
	float a;
	float b;
};

#define STEPS 4 /* of each chain in an iteration; the host knows the number */

void main()
{
	uint i = gl_GlobalInvocationID.x;
	TYPE scale = TYPE(VALUE(a)), offset = TYPE(VALUE(b));
	float start = float(i % 8) * 0.125;
	TYPE x0 = TYPE(VALUE(start)), x1 = TYPE(VALUE(start + 1.0)), x2 = TYPE(VALUE(start + 2.0)),
	     x3 = TYPE(VALUE(start + 3.0)), x4 = TYPE(VALUE(start + 4.0)), x5 = TYPE(VALUE(start + 5.0)),
	     x6 = TYPE(VALUE(start + 6.0)), x7 = TYPE(VALUE(start + 7.0));

	for (uint n = 0; n < iterations; n++) {
		[[unroll]] for (int s = 0; s < STEPS; s++) {
			x0 = fma(x0, scale, offset);
			x1 = fma(x1, scale, offset);
			x2 = fma(x2, scale, offset);
			x3 = fma(x3, scale, offset);
			x4 = fma(x4, scale, offset);
			x5 = fma(x5, scale, offset);
			x6 = fma(x6, scale, offset);
			x7 = fma(x7, scale, offset);
		}
	}
	TYPE sum = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7));

#ifdef HALF
	results[i] = 0.5 * (float(sum.x) + float(sum.y));
#else
	results[i] = sum;
#endif
}
