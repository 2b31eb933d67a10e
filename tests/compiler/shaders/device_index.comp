#version 460
// SPDX-License-Identifier: MIT
// The index of the device in its group, which has one.
#extension GL_EXT_device_group : require
layout(local_size_x = 8) in;
layout(set = 0, binding = 0) buffer Out { uint o[]; };

void main()
{
	o[gl_GlobalInvocationID.x] = uint(gl_DeviceIndex) * 1000 + gl_GlobalInvocationID.x + 1;
}
