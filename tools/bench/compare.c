// SPDX-License-Identifier: MIT
/*
 * Two results side by side: for each case in both, how many times as fast B is, and the geometric mean. Cases that
 * only one of them has, or that one of them got wrong, are counted and not compared.
 */
#include "bench.h"

#include <math.h>
#include <string.h>

bool bench_is_result(const struct json *json, char *error, size_t error_size)
{
	const struct json *devices = json_get(json, "devices");

	if (strcmp(json_string(json, "schema"), BENCH_SCHEMA)) {
		snprintf(error, error_size, "schema is \"%s\", expected \"" BENCH_SCHEMA "\"",
			 json_string(json, "schema"));
		return false;
	}
	if (!devices || devices->kind != JSON_ARRAY) {
		snprintf(error, error_size, "there is no array \"devices\"");
		return false;
	}
	return true;
}

static const struct json *find(const struct json *list, const char *key, const char *value)
{
	for (const struct json *j = list ? list->first : NULL; j; j = j->next)
		if (*value && !strcmp(json_string(j, key), value))
			return j;
	return NULL;
}

struct comparison {
	double log_sum;
	uint32_t count;
	uint32_t alone; /* in one of them only, or not measured in one */
};

static void compare_lists(const struct json *a, const struct json *b, const char *id,
			  const char *value, struct comparison *c)
{
	for (const struct json *x = a ? a->first : NULL; x; x = x->next) {
		const struct json *y = find(b, id, json_string(x, id));
		const char *unit = json_string(x, "unit");
		double from = json_number(x, value, 0), to = json_number(y, value, 0), ratio;
		char text[48];

		if (!(from > 0) || !(to > 0)) {
			c->alone++;
			continue;
		}
		/* Of seconds, less is better. */
		ratio = strcmp(unit, "s") ? to / from : from / to;
		c->log_sum += log(ratio);
		c->count++;
		printf("  %-44s", json_string(x, id));
		bench_print_right(bench_quantity(from, unit, text, sizeof(text)), 15);
		bench_print_right(bench_quantity(to, unit, text, sizeof(text)), 15);
		printf(" %8.3f\n", ratio);
	}
	for (const struct json *y = b ? b->first : NULL; y; y = y->next)
		c->alone += !find(a, id, json_string(y, id));
}

static void print_mean(const char *what, const struct comparison *c)
{
	if (c->count)
		printf("  geometric mean of %u %s: %.3f", c->count, what,
		       exp(c->log_sum / c->count));
	else
		printf("  no %s in common", what);
	if (c->alone)
		printf("; %u not in both, or without a number", c->alone);
	printf("\n");
}

/* NULL if the key is missing, for results of which one is older. */
static void note_difference(const struct json *a, const struct json *b, const char *what,
			    const char *key)
{
	const char *x = json_string(json_get(a, what), key),
		   *y = json_string(json_get(b, what), key);

	if (strcmp(x, y))
		printf("note: %s %s differs: \"%.60s\" and \"%.60s\"\n", what, key, x, y);
}

int bench_compare(const struct json *a, const char *a_name, const struct json *b,
		  const char *b_name)
{
	const struct json *a_list = json_get(a, "devices"), *b_list = json_get(b, "devices");
	const struct json *a_library = json_get(json_get(a, "tool"), "library");
	const struct json *b_library = json_get(json_get(b, "tool"), "library");
	bool lone = a_list->first && !a_list->first->next && b_list->first && !b_list->first->next;
	uint32_t total = 0;

	printf("A: %s, %s\nB: %s, %s\n", a_name, json_string(a, "date"), b_name,
	       json_string(b, "date"));
	note_difference(a, b, "system", "cpu");
	note_difference(a, b, "system", "kernel");
	if (strcmp(json_string(a_library, "sha256"), json_string(b_library, "sha256")))
		printf("note: the runtime libraries differ, and perhaps their shaders\n");
	for (const struct json *x = a_list->first; x; x = x->next) {
		const struct json *y =
			lone ? b_list->first : find(b_list, "name", json_string(x, "name"));
		struct comparison peaks = { 0 }, cases = { 0 };

		if (!y) {
			printf("\n%s: only in A\n", json_string(x, "name"));
			continue;
		}
		printf("\nA: %s (%s)\nB: %s (%s)\n  %-44s %14s %14s %8s\n", json_string(x, "name"),
		       json_string(x, "driver"), json_string(y, "name"), json_string(y, "driver"),
		       "", "A", "B", "B / A");
		compare_lists(json_get(x, "peaks"), json_get(y, "peaks"), "name", "value", &peaks);
		print_mean("peaks", &peaks);
		compare_lists(json_get(x, "cases"), json_get(y, "cases"), "id", "rate", &cases);
		print_mean("cases", &cases);
		total += peaks.count + cases.count;
	}
	if (!lone)
		for (const struct json *y = b_list->first; y; y = y->next)
			if (!find(a_list, "name", json_string(y, "name")))
				printf("\n%s: only in B\n", json_string(y, "name"));
	if (total)
		return 0;
	fprintf(stderr, "hearth-bench: %s and %s have nothing in common to compare\n", a_name,
		b_name);
	return 1;
}
