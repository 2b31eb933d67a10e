// SPDX-License-Identifier: MIT
// T is a type of numbers: from storage and uniform buffers and push constants of it, through arithmetic, to storage.
#version 460
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_8bit_storage : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { T values[]; };
layout(set = 0, binding = 1) writeonly buffer Out { T results[]; };
layout(set = 0, binding = 2) uniform Plus { T plus; };
layout(push_constant) uniform Push { T times; };
void main()
{
	uint i = gl_GlobalInvocationID.x;
	T x = values[i];
	results[i] = x * times + (x > T(3) ? plus : T(1));
}
