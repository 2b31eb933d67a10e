#version 460
// SPDX-License-Identifier: MIT
// REFUSED: OpTypeImage\|OpTypeSampledImage
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(set = 0, binding = 1) uniform sampler2D image;

void main()
{
	o[0] = uint(textureLod(image, vec2(0.5), 0.0).x);
}
