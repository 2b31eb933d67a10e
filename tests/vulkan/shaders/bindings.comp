// SPDX-License-Identifier: MIT
// One value from every kind of descriptor, in two sets.
#version 460
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer Out { uint result[8]; };
layout(set = 0, binding = 1) uniform Uniform { uvec4 plain; };
layout(set = 0, binding = 3) readonly buffer Array { uint value[]; } array[2];
layout(set = 1, binding = 0) uniform Dynamic { uint moving; };
layout(set = 1, binding = 1) readonly buffer DynamicStorage { uint moving_storage[]; };
layout(set = 1, binding = 2) uniform Inline { uint inlined[4]; };
void main()
{
	result[0] = plain.z;
	result[1] = array[0].value[1];
	result[2] = array[1].value[1];
	result[3] = moving;
	result[4] = moving_storage[1];
	result[5] = inlined[0];
	result[6] = inlined[1];
	result[7] = array[0].value.length();
}
