// SPDX-License-Identifier: MIT
/* Values of JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "smi.h"

void smi_json_text(const void *text, size_t size)
{
	const unsigned char *c = text;
	size_t i;

	putchar('"');
	for (i = 0; i < size && c[i]; i++) {
		if (c[i] < ' ' || c[i] > '~' || c[i] == '"' || c[i] == '\\')
			printf("\\u%04x", c[i]);
		else
			putchar(c[i]);
	}
	putchar('"');
}

void smi_json_number(int64_t value)
{
	if (value == SMI_UNKNOWN)
		printf("null");
	else
		printf("%" PRId64, value);
}
