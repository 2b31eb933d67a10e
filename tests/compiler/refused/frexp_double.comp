#version 460
// SPDX-License-Identifier: MIT
// REFUSED: FrexpStruct of 64 bits
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(std430, set = 0, binding = 1) buffer In { double v; };

void main()
{
	int e;
	double m = frexp(v, e);
	o[0] = uint(e) + uint(m * 2.0);
}
