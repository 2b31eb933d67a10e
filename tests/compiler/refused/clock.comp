#version 460
// SPDX-License-Identifier: MIT
// REFUSED: ShaderClockKHR
#extension GL_ARB_shader_clock : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };

void main()
{
	o[0] = clock2x32ARB().x;
}
