// SPDX-License-Identifier: MIT
// Reads each texel of one image into a buffer, adds what the push constants say, writes it to the other image, and tells the images' sizes.
// A row and a column more than there are run, which must neither read nor write anything.
#version 460
#extension GL_EXT_shader_image_load_formatted : require
#ifdef FORMAT
#define LAYOUT(b) layout(set = 0, binding = b, FORMAT)
#else
#define LAYOUT(b) layout(set = 0, binding = b)
#endif
layout(local_size_x = 4, local_size_y = 3) in;
LAYOUT(0) readonly uniform IMAGE source;
LAYOUT(1) writeonly uniform IMAGE target;
layout(std430, set = 0, binding = 2) buffer Out { ivec4 size; TEXEL texels[]; };
layout(push_constant) uniform Push { TEXEL value; };

void main()
{
	ivec3 p = ivec3(gl_GlobalInvocationID);
	ivec3 n = imageSize(source);
	uvec3 all = gl_NumWorkGroups * gl_WorkGroupSize;
	if (p == ivec3(0))
		size = ivec4(n, imageSize(target).y);
	texels[p.x + all.x * (p.y + all.y * p.z)] = imageLoad(source, p);
	imageStore(target, p, value);
}
