// SPDX-License-Identifier: MIT
/* The memory and text functions that the firmware, and the compiler on its behalf, call. */
#include <stdarg.h>
#include "fw.h"

void *memcpy(void *destination, const void *source, size_t size)
{
	u8 *out = destination;
	const u8 *in = source;

	if ((((uintptr_t)out ^ (uintptr_t)in) & 7) == 0) {
		for (; size && ((uintptr_t)out & 7); size--)
			*out++ = *in++;
		for (; size >= 32; size -= 32, out += 32, in += 32) {
			u64 a = ((const u64 *)in)[0], b = ((const u64 *)in)[1];
			u64 c = ((const u64 *)in)[2], d = ((const u64 *)in)[3];

			((u64 *)out)[0] = a;
			((u64 *)out)[1] = b;
			((u64 *)out)[2] = c;
			((u64 *)out)[3] = d;
		}
		for (; size >= 8; size -= 8, out += 8, in += 8)
			*(u64 *)out = *(const u64 *)in;
	}
	while (size--)
		*out++ = *in++;
	return destination;
}

void *memset(void *destination, int value, size_t size)
{
	u8 *out = destination;
	u64 word = (u8)value * 0x0101010101010101ull;

	for (; size && ((uintptr_t)out & 7); size--)
		*out++ = value;
	for (; size >= 8; size -= 8, out += 8)
		*(u64 *)out = word;
	while (size--)
		*out++ = value;
	return destination;
}

void fw_text_copy(u8 *destination, const char *source, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && source[i]; i++)
		destination[i] = source[i];
	for (; i < size; i++)
		destination[i] = 0;
}

static char *put_number(char *out, const char *end, u64 value, u32 base)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (count && out < end)
		*out++ = digits[--count];
	return out;
}

void fw_text_format(char *text, size_t size, const char *format, va_list arguments)
{
	const char *end = text + size - 1;
	char *out = text;

	for (; *format && out < end; format++) {
		bool wide = format[0] == '%' && format[1] == 'l';
		u64 value;

		if (*format != '%') {
			*out++ = *format;
			continue;
		}
		format += 1 + wide;
		if (*format == 's') {
			const char *from = va_arg(arguments, const char *);

			while (*from && out < end)
				*out++ = *from++;
			continue;
		}
		value = wide ? va_arg(arguments, u64) : va_arg(arguments, u32);
		out = put_number(out, end, value, *format == 'x' ? 16 : 10);
	}
	memset(out, 0, text + size - out);
}
