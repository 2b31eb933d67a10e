// SPDX-License-Identifier: MIT
// data[i] = i * multiplier + offset, for i below the pushed count. Specialized size and multiplier.
#version 460
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint multiplier = 3;
layout(constant_id = 2) const bool negate = false;
layout(set = 0, binding = 0) buffer Data { uint data[]; };
layout(push_constant) uniform Push { uint offset; uint count; };
void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i < count)
		data[i] = negate ? ~(i * multiplier + offset) : i * multiplier + offset;
}
