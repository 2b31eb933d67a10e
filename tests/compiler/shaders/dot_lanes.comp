#version 460
// SPDX-License-Identifier: MIT
#extension GL_EXT_integer_dot_product : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
// Bytes under a mask that the compiler knows for each lane, and that is nothing in the first.
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { int o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { int v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;

	o[i] = dotPacked4x8EXT(v[i] | int(0x60606060u), uint(v[i + 8u]) & (gl_LocalInvocationIndex * 0x24242424u));
}
