/* SPDX-License-Identifier: MIT */
/*
 * The way this room reports errors: a negative errno as the result, and a sentence that names the
 * field, what it holds and what was expected.
 */
#ifndef HEARTH_HM_ERROR_H
#define HEARTH_HM_ERROR_H

#include <stdarg.h>
#include <stdio.h>

struct hm_error {
	char text[512];
};

/* Writes the sentence (@error may be NULL) and returns @code, so that callers can return it at once. */
__attribute__((format(printf, 3, 4))) static inline int hm_fail(struct hm_error *error, int code,
								const char *format, ...)
{
	va_list args;

	if (!error)
		return code;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}

#endif /* HEARTH_HM_ERROR_H */
