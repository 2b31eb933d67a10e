// SPDX-License-Identifier: MIT
/*
 * Teams: invocations of a work-group that work on one sum together.
 *
 * With SUBGROUP defined a team is a subgroup, whatever its size. Without, a team is LANES neighbours
 * (a power of two) that reduce through shared memory; team_sum() and team_max() then contain
 * barriers, so all invocations of the work-group must call them. Shaders that include this file
 * call them so in both forms, and do not assume how many teams there are.
 */
#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

#define team_lane  gl_SubgroupInvocationID
#define team_lanes gl_SubgroupSize
#define team_index gl_SubgroupID
#define team_count gl_NumSubgroups

float team_sum(float value)
{
	return subgroupAdd(value);
}

float team_max(float value)
{
	return subgroupMax(value);
}
#else
layout(constant_id = 1) const uint LANES = 16;

shared float team_values[gl_WorkGroupSize.x];

#define team_lane  (gl_LocalInvocationIndex % LANES)
#define team_lanes LANES
#define team_index (gl_LocalInvocationIndex / LANES)
#define team_count (gl_WorkGroupSize.x / LANES)

float team_sum(float value)
{
	uint self = gl_LocalInvocationIndex;

	for (uint step = LANES / 2; step > 0; step /= 2) {
		team_values[self] = value;
		barrier();
		value += team_values[self ^ step];
		barrier();
	}
	return value;
}

float team_max(float value)
{
	uint self = gl_LocalInvocationIndex;

	for (uint step = LANES / 2; step > 0; step /= 2) {
		team_values[self] = value;
		barrier();
		value = max(value, team_values[self ^ step]);
		barrier();
	}
	return value;
}
#endif
