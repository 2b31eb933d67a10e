#version 460
// SPDX-License-Identifier: MIT
// Vectors of halves, converted to and from float, and bit casts.
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_shader_16bit_storage : require
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) buffer Out { vec4 o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { f16vec4 v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	f16vec4 a = v[i];
	vec4 w = vec4(a) * 2.0;
	w.x += float(a.w);
	w.y += float(float16_t(w.z));
	w.z += float(uint(float16BitsToUint16(a.x)));
	o[i] = w;
}
