// SPDX-License-Identifier: MIT
// Does not end before the host sets word 1, which it does not.
#version 460
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer Data { uint turns; uint stop; };
void main()
{
	while (atomicAdd(stop, 0) == 0)
		atomicAdd(turns, 1);
}
