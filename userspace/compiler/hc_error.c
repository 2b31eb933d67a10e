// SPDX-License-Identifier: MIT
/*
 * Messages: how every part of the compiler says what was wrong, and small matters of names.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hc_codegen.h"

enum hc_result hc_fail(enum hc_result result, char **message, const char *format, ...)
{
	va_list ap;

	if (!message)
		return result;
	va_start(ap, format);
	if (vasprintf(message, format, ap) < 0)
		*message = NULL;
	va_end(ap);
	return result;
}

const char *hc_result_string(enum hc_result result)
{
	switch (result) {
	case HC_OK:
		return "ok";
	case HC_ERROR_OUT_OF_MEMORY:
		return "out of memory";
	case HC_ERROR_INVALID_SPIRV:
		return "invalid SPIR-V";
	case HC_ERROR_UNSUPPORTED:
		return "not supported";
	case HC_ERROR_INVALID_ARGUMENT:
		return "invalid argument";
	case HC_ERROR_INTERNAL:
		return "internal error";
	}
	return "unknown result";
}

bool hc_dump_wanted(const char *passes, const char *pass)
{
	size_t length = strlen(pass);

	while (passes && *passes) {
		size_t n = strcspn(passes, ",");

		if ((n == length && !memcmp(passes, pass, n)) ||
		    (n == 3 && !memcmp(passes, "all", 3)))
			return true;
		passes += n;
		passes += *passes == ',';
	}
	return false;
}
