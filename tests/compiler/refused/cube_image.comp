#version 460
// SPDX-License-Identifier: MIT
// REFUSED: Dim Cube
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(set = 0, binding = 1) uniform samplerCube image;

void main()
{
	o[0] = uint(textureLod(image, vec3(0.5), 0.0).x);
}
