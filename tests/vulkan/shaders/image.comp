// SPDX-License-Identifier: MIT
// A cube, which no Hearth device has.
#version 460
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) uniform samplerCube image;
layout(std430, set = 0, binding = 1) buffer Out { float o[]; };
void main()
{
	o[0] = textureLod(image, vec3(1.0), 0.0).x;
}
