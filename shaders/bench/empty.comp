// SPDX-License-Identifier: MIT
#version 450
// A dispatch that does nothing: what is left is the price of a dispatch.
layout(local_size_x = 64) in;

void main()
{
}
