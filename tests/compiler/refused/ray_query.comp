#version 460
// SPDX-License-Identifier: MIT
// REFUSED: RayQueryKHR
#extension GL_EXT_ray_query : require
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer Out { uint o[]; };
layout(set = 0, binding = 1) uniform accelerationStructureEXT scene;

void main()
{
	rayQueryEXT query;
	rayQueryInitializeEXT(query, scene, 0u, 255u, vec3(0.0), 0.0, vec3(1.0), 9.0);
	o[0] = uint(rayQueryProceedEXT(query));
}
