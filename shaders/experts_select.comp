// SPDX-License-Identifier: MIT
/*
 * Which experts a row goes to, and with what weights: those with the largest logits, of equal ones the first. One work-group
 * a row. As in argmax.comp, logits are compared as integers that sort like them, with NaN below all.
 */
#version 450

layout(local_size_x_id = 0) in; /* a power of two, and at least USED */
layout(constant_id = 1) const uint EXPERTS = 8;
layout(constant_id = 2) const uint USED = 2;
layout(constant_id = 3) const bool SIGMOID = false; /* in place of softmax */
layout(constant_id = 4) const bool NORMALISE = false; /* weights have a sum of 1, before they are scaled */

layout(set = 0, binding = 0, std430) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 1, std430) buffer Selected { uint selected[]; };
layout(set = 0, binding = 2, std430) buffer Weights { float weights[]; };

layout(push_constant) uniform Push {
	uint logits_first, selected_first, weights_first; /* where the views start, in words */
	float scale;
};

shared uint keys[EXPERTS]; /* 0: taken */
shared uint best_key[gl_WorkGroupSize.x];
shared uint best_at[gl_WorkGroupSize.x];
shared float sums[gl_WorkGroupSize.x];
shared float chosen[USED];

uint sort_key(uint bits)
{
	if ((bits & 0x7fffffffu) > 0x7f800000u) /* NaN */
		return 1;
	if (bits == 0x80000000u) /* -0 is 0 */
		bits = 0;
	return ((bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u) + 1;
}

/* The untaken expert with the largest key; the same for all invocations. */
uint find_best(uint self)
{
	uint key = 0;
	uint at = 0xffffffffu;

	for (uint e = self; e < EXPERTS; e += gl_WorkGroupSize.x)
		if (keys[e] > key) {
			key = keys[e];
			at = e;
		}
	best_key[self] = key;
	best_at[self] = at;
	barrier();
	for (uint step = gl_WorkGroupSize.x / 2; step > 0; step /= 2) {
		if (self < step) {
			uint other_key = best_key[self + step];
			uint other_at = best_at[self + step];

			if (other_key > best_key[self] ||
			    (other_key == best_key[self] && other_at < best_at[self])) {
				best_key[self] = other_key;
				best_at[self] = other_at;
			}
		}
		barrier();
	}
	return best_at[0];
}

void main()
{
	uint self = gl_LocalInvocationIndex;
	uint start = logits_first + gl_WorkGroupID.x * EXPERTS;
	float sum = 0.0;

	for (uint e = self; e < EXPERTS; e += gl_WorkGroupSize.x)
		keys[e] = sort_key(floatBitsToUint(logits[start + e]));
	barrier();
	for (uint s = 0; s < USED; s++) {
		uint at = find_best(self);

		barrier(); /* all have read what the next search replaces */
		if (self == 0) {
			selected[selected_first + gl_WorkGroupID.x * USED + s] = at;
			chosen[s] = logits[start + at];
			keys[at] = 0;
		}
		barrier();
	}

	/* Exponentials relative to the largest logit cannot overflow. */
	float largest = chosen[0];

	if (NORMALISE) {
		for (uint s = 0; s < USED; s++)
			sum += SIGMOID ? 1.0 / (1.0 + exp(-chosen[s])) : exp(chosen[s] - largest);
	} else if (SIGMOID) {
		sum = 1.0;
	} else {
		for (uint e = self; e < EXPERTS; e += gl_WorkGroupSize.x)
			sum += exp(logits[start + e] - largest);
		sums[self] = sum;
		barrier();
		sum = 0.0;
		for (uint i = 0; i < gl_WorkGroupSize.x; i++)
			sum += sums[i];
	}
	if (self < USED) {
		float weight = SIGMOID ? 1.0 / (1.0 + exp(-chosen[self])) : exp(chosen[self] - largest);

		weights[weights_first + gl_WorkGroupID.x * USED + self] = scale * weight / sum;
	}
}
