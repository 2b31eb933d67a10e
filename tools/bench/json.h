/* SPDX-License-Identifier: MIT */
/*
 * A JSON document as a tree. All output of hearth-bench is made of such trees, whether just measured or read from
 * a file. Strings are UTF-8. A program that is out of memory ends here, with a message and status 1.
 */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	enum json_kind kind;
	char *key; /* in an object */
	char *text;
	double number; /* and 0 or 1 for JSON_BOOL */
	struct json *first, *last, *next;
};

struct json *json_new(enum json_kind kind);
void json_free(struct json *json);

/* Add to an object, or with @key NULL to an array; @value belongs to @parent from then on. Return @value. */
struct json *json_add(struct json *parent, const char *key, struct json *value);
struct json *json_add_object(struct json *parent, const char *key);
struct json *json_add_array(struct json *parent, const char *key);
/* NULL becomes null; what is not UTF-8 becomes '?'. */
void json_add_string(struct json *parent, const char *key, const char *text);
/* What is not finite becomes null. */
void json_add_number(struct json *parent, const char *key, double number);
void json_add_bool(struct json *parent, const char *key, bool value);
void json_add_null(struct json *parent, const char *key);

/* Readers that take anything, NULL too: a value that is missing or of another kind gives NULL, @otherwise, "" or false. */
const struct json *json_get(const struct json *object, const char *key);
double json_number(const struct json *object, const char *key, double otherwise);
const char *json_string(const struct json *object, const char *key);
bool json_bool(const struct json *object, const char *key);

void json_write(FILE *file, const struct json *json);
/* NULL with a sentence in @error. */
struct json *json_parse(const char *text, size_t length, char *error, size_t error_size);
struct json *json_read_file(const char *path, char *error, size_t error_size);

#endif /* BENCH_JSON_H */
