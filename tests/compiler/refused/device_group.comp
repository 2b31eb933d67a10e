#version 460
// SPDX-License-Identifier: MIT
// REFUSED: DeviceGroup
#extension GL_EXT_device_group : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };

void main()
{
	o[0] = uint(gl_DeviceIndex);
}
