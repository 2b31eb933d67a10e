// SPDX-License-Identifier: MIT
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_integer_dot_product : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
// Dot products of bytes and sums of them, packed and not, of signed and unsigned and small ones, of shorts, and with an accumulator that saturates.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer Out { int o[]; };
layout(std430, set = 0, binding = 1) readonly buffer In { int v[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	int a = v[2u * i], b = v[2u * i + 1u];
	i8vec4 x = unpack8(a), y = unpack8(b);
	i16vec2 p = unpack16(a), q = unpack16(b);

	o[10u * i] = dotPacked4x8EXT(a, b);
	o[10u * i + 1u] = int(dotPacked4x8EXT(uint(a), uint(b)));
	o[10u * i + 2u] = dotEXT(x, y);
	o[10u * i + 3u] = dotEXT(p, q);
	o[10u * i + 4u] = dotPacked4x8AccSatEXT(a, b, 0x7fffff00);
	o[10u * i + 5u] = int(dotPacked4x8AccSatEXT(uint(a), uint(b), 0xffff0000u));
	o[10u * i + 6u] = dotPacked4x8EXT(a, uint(b));
	o[10u * i + 7u] = dotPacked4x8EXT(a, uint(b) & 0x7f7f7f7fu);
	o[10u * i + 8u] = dotPacked4x8EXT(uint(a >> 4) & 0x0f0f0f0fu, b);

	int sum = 0;

	// As many products of 15 and -128 as words hold, and more.
	[[unroll]] for (int k = 0; k < 12; k++)
		sum += dotPacked4x8EXT((uint(a) >> k) & 0x0f0f0f0fu, b) +
		       dotPacked4x8EXT((uint(a) >> (k + 1)) & 0x0f0f0f0fu, int(0x80808080u));
	o[10u * i + 9u] = sum + dotPacked4x8EXT(a, b) + dotPacked4x8EXT(a, uint(b));
}
