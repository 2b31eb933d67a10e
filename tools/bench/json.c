// SPDX-License-Identifier: MIT
/*
 * JSON as a tree: making, reading back and writing it. The parser takes RFC 8259 and nothing else, and no document
 * deeper than MAX_DEPTH or larger than MAX_BYTES.
 */
#include "json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32
#define MAX_BYTES (64u << 20)

static void *must(void *memory)
{
	if (!memory) {
		fprintf(stderr, "hearth-bench: out of memory\n");
		exit(EXIT_FAILURE);
	}
	return memory;
}

struct json *json_new(enum json_kind kind)
{
	struct json *json = must(calloc(1, sizeof(*json)));

	json->kind = kind;
	return json;
}

void json_free(struct json *json)
{
	struct json *next;

	if (!json)
		return;
	for (struct json *child = json->first; child; child = next) {
		next = child->next;
		json_free(child);
	}
	free(json->key);
	free(json->text);
	free(json);
}

struct json *json_add(struct json *parent, const char *key, struct json *value)
{
	if (key)
		value->key = must(strdup(key));
	if (parent->last)
		parent->last->next = value;
	else
		parent->first = value;
	parent->last = value;
	return value;
}

struct json *json_add_object(struct json *parent, const char *key)
{
	return json_add(parent, key, json_new(JSON_OBJECT));
}

struct json *json_add_array(struct json *parent, const char *key)
{
	return json_add(parent, key, json_new(JSON_ARRAY));
}

/* Bytes of the UTF-8 sequence at @s, or 0. */
static size_t utf8_length(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t code;

	if (length == 1)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	code = s[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

void json_add_string(struct json *parent, const char *key, const char *text)
{
	struct json *json = json_add(parent, key, json_new(text ? JSON_STRING : JSON_NULL));
	unsigned char *s;

	if (!text)
		return;
	json->text = must(strdup(text));
	for (s = (unsigned char *)json->text; *s;) {
		size_t length = utf8_length(s);

		if (!length)
			*s = '?';
		s += length ? length : 1;
	}
}

void json_add_number(struct json *parent, const char *key, double number)
{
	json_add(parent, key, json_new(isfinite(number) ? JSON_NUMBER : JSON_NULL))->number =
		number;
}

void json_add_bool(struct json *parent, const char *key, bool value)
{
	json_add(parent, key, json_new(JSON_BOOL))->number = value;
}

void json_add_null(struct json *parent, const char *key)
{
	json_add(parent, key, json_new(JSON_NULL));
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!object || object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *child = object->first; child; child = child->next)
		if (!strcmp(child->key, key))
			return child;
	return NULL;
}

double json_number(const struct json *object, const char *key, double otherwise)
{
	const struct json *value = json_get(object, key);

	return value && value->kind == JSON_NUMBER ? value->number : otherwise;
}

const char *json_string(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);

	return value && value->kind == JSON_STRING ? value->text : "";
}

bool json_bool(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);

	return value && value->kind == JSON_BOOL && value->number != 0;
}

/* ---- Writing ---- */

static void write_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(file, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(file, "\\u%04x", *s);
		else
			fputc(*s, file);
	}
	fputc('"', file);
}

/* With as many digits as give the same number again. */
static void write_number(FILE *file, double number)
{
	char text[32];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	if (number == rint(number) && fabs(number) < 1e15)
		snprintf(text, sizeof(text), "%.0f", number);
	fputs(text, file);
}

static void write_value(FILE *file, const struct json *json, int depth)
{
	bool object = json->kind == JSON_OBJECT;

	switch (json->kind) {
	case JSON_NULL:
		fputs("null", file);
		return;
	case JSON_BOOL:
		fputs(json->number != 0 ? "true" : "false", file);
		return;
	case JSON_NUMBER:
		write_number(file, json->number);
		return;
	case JSON_STRING:
		write_string(file, json->text);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	fputc(object ? '{' : '[', file);
	for (const struct json *child = json->first; child; child = child->next) {
		fprintf(file, "\n%*s", 2 * (depth + 1), "");
		if (object) {
			write_string(file, child->key);
			fputs(": ", file);
		}
		write_value(file, child, depth + 1);
		if (child->next)
			fputc(',', file);
	}
	if (json->first)
		fprintf(file, "\n%*s", 2 * depth, "");
	fputc(object ? '}' : ']', file);
}

void json_write(FILE *file, const struct json *json)
{
	write_value(file, json, 0);
	fputc('\n', file);
}

/* ---- Reading ---- */

struct parser {
	const char *at, *start; /* the text is zero-terminated, and has no other zero */
	char *error;
	size_t error_size;
};

static void *fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void *fail(struct parser *p, const char *format, ...)
{
	va_list arguments;
	size_t length, line = 1;

	for (const char *c = p->start; c < p->at; c++)
		line += *c == '\n';
	va_start(arguments, format);
	vsnprintf(p->error, p->error_size, format, arguments);
	va_end(arguments);
	length = strlen(p->error);
	snprintf(p->error + length, p->error_size - length, " (line %zu)", line);
	return NULL;
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

static int hex4(const char *s)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = 16 * value + digit;
	}
	return value;
}

static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* The code point of the \u at p->at, which moves behind it; negative if there is none. */
static long unicode_escape(struct parser *p)
{
	int high = hex4(p->at + 2), low;

	if (high <= 0 || (high >= 0xdc00 && high < 0xe000))
		return -1;
	p->at += 6;
	if (high < 0xd800 || high >= 0xdc00)
		return high;
	low = p->at[0] == '\\' && p->at[1] == 'u' ? hex4(p->at + 2) : -1;
	if (low < 0xdc00 || low >= 0xe000)
		return -1;
	p->at += 6;
	return 0x10000 + ((long)(high - 0xd800) << 10) + (low - 0xdc00);
}

static char *parse_string(struct parser *p)
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *close;
	char *text, *out;

	if (*p->at != '"')
		return fail(p, "expected a string");
	for (close = p->at + 1; *close && *close != '"'; close++)
		if (*close == '\\' && close[1])
			close++;
	text = out =
		must(malloc((size_t)(close - p->at) + 1)); /* no escape is shorter than its UTF-8 */
	p->at++;
	while (*p->at != '"') {
		const char *escape;
		size_t length;
		long code;

		if ((unsigned char)*p->at < 0x20)
			goto out_bad;
		if (*p->at != '\\') {
			length = utf8_length((const unsigned char *)p->at);
			if (!length)
				goto out_bad;
			memcpy(out, p->at, length);
			out += length;
			p->at += length;
		} else if (p->at[1] == 'u') {
			code = unicode_escape(p);
			if (code < 0)
				goto out_bad;
			out = put_utf8(out, (uint32_t)code);
		} else {
			escape = p->at[1] ? strchr(escapes, p->at[1]) : NULL;
			if (!escape)
				goto out_bad;
			*out++ = meanings[escape - escapes];
			p->at += 2;
		}
	}
	p->at++;
	*out = '\0';
	return text;

out_bad:
	free(text);
	return fail(p, "a string has a character or an escape that JSON does not have, or no end");
}

static struct json *parse_number(struct parser *p)
{
	const char *s = p->at;
	struct json *json;

	s += *s == '-';
	if (*s == '0')
		s++;
	else if (*s >= '1' && *s <= '9')
		s += strspn(s, "0123456789");
	else
		return fail(p, "expected a value");
	if (*s == '.') {
		if (!strspn(s + 1, "0123456789"))
			return fail(p, "a number ends with a point");
		s += 1 + strspn(s + 1, "0123456789");
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		if (!strspn(s, "0123456789"))
			return fail(p, "a number has an empty exponent");
		s += strspn(s, "0123456789");
	}
	json = json_new(JSON_NUMBER);
	json->number = strtod(p->at, NULL);
	if (!isfinite(json->number)) {
		json_free(json);
		return fail(p, "a number is too large");
	}
	p->at = s;
	return json;
}

static struct json *parse_value(struct parser *p, int depth);

static struct json *parse_list(struct parser *p, int depth)
{
	bool object = *p->at == '{';
	char close = object ? '}' : ']', *key = NULL;
	struct json *json = json_new(object ? JSON_OBJECT : JSON_ARRAY), *value;

	if (depth == MAX_DEPTH) {
		fail(p, "lists are nested deeper than %d", MAX_DEPTH);
		goto out_free;
	}
	p->at++;
	skip_space(p);
	if (*p->at == close) {
		p->at++;
		return json;
	}
	for (;;) {
		if (object) {
			skip_space(p);
			key = parse_string(p);
			if (!key)
				goto out_free;
			skip_space(p);
			if (*p->at != ':') {
				fail(p, "expected ':' after \"%.40s\"", key);
				goto out_free;
			}
			p->at++;
		}
		value = parse_value(p, depth + 1);
		if (!value)
			goto out_free;
		json_add(json, key, value);
		free(key);
		key = NULL;
		skip_space(p);
		if (*p->at == close) {
			p->at++;
			return json;
		}
		if (*p->at != ',') {
			fail(p, "expected ',' or '%c'", close);
			goto out_free;
		}
		p->at++;
	}

out_free:
	free(key);
	json_free(json);
	return NULL;
}

static struct json *parse_value(struct parser *p, int depth)
{
	static const struct {
		const char *word;
		enum json_kind kind;
		double number;
	} words[] = { { "null", JSON_NULL, 0 },
		      { "true", JSON_BOOL, 1 },
		      { "false", JSON_BOOL, 0 } };
	struct json *json;

	skip_space(p);
	if (*p->at == '{' || *p->at == '[')
		return parse_list(p, depth);
	if (*p->at == '"') {
		char *text = parse_string(p);

		if (!text)
			return NULL;
		json = json_new(JSON_STRING);
		json->text = text;
		return json;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t length = strlen(words[i].word);

		if (strncmp(p->at, words[i].word, length))
			continue;
		p->at += length;
		json = json_new(words[i].kind);
		json->number = words[i].number;
		return json;
	}
	return parse_number(p);
}

struct json *json_parse(const char *text, size_t length, char *error, size_t error_size)
{
	struct parser p = { .error = error, .error_size = error_size };
	struct json *json = NULL;
	char *copy;

	if (length > MAX_BYTES || memchr(text, 0, length)) {
		snprintf(error, error_size, "no JSON document: %s",
			 length > MAX_BYTES ? "larger than 64 MiB" : "it has a zero byte");
		return NULL;
	}
	copy = must(malloc(length + 1));
	memcpy(copy, text, length);
	copy[length] = '\0';
	p.at = p.start = copy;
	json = parse_value(&p, 0);
	skip_space(&p);
	if (json && *p.at) {
		json_free(json);
		json = fail(&p, "something follows the document");
	}
	free(copy);
	return json;
}

struct json *json_read_file(const char *path, char *error, size_t error_size)
{
	FILE *file = fopen(path, "rb");
	size_t length = 0, got;
	char *text = NULL;
	struct json *json = NULL;

	if (!file) {
		snprintf(error, error_size, "%s", strerror(errno));
		return NULL;
	}
	do {
		text = must(realloc(text, length + 65536));
		got = fread(text + length, 1, 65536, file);
		length += got;
	} while (got && length <= MAX_BYTES);
	if (ferror(file))
		snprintf(error, error_size, "%s", strerror(errno));
	else
		json = json_parse(text, length, error, error_size);
	fclose(file);
	free(text);
	return json;
}
