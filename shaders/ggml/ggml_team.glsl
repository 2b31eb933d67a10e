// SPDX-License-Identifier: MIT
/* Sums and maxima over a work-group, whose size is a power of two; all its invocations call them together. */
shared float team_values[gl_WorkGroupSize.x];

float team_sum(float value)
{
	uint self = gl_LocalInvocationIndex;

	team_values[self] = value;
	barrier();
	for (uint reach = gl_WorkGroupSize.x / 2; reach > 0; reach /= 2) {
		if (self < reach)
			team_values[self] += team_values[self + reach];
		barrier();
	}
	value = team_values[0];
	barrier();
	return value;
}

float team_max(float value)
{
	uint self = gl_LocalInvocationIndex;

	team_values[self] = value;
	barrier();
	for (uint reach = gl_WorkGroupSize.x / 2; reach > 0; reach /= 2) {
		if (self < reach)
			team_values[self] = max(team_values[self], team_values[self + reach]);
		barrier();
	}
	value = team_values[0];
	barrier();
	return value;
}
