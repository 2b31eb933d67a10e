// SPDX-License-Identifier: MIT
/* The table on the terminal, a line as soon as it is measured. */
#include "bench.h"

#include <math.h>
#include <string.h>

FILE *bench_table;

const char *bench_quantity(double value, const char *unit, char *text, size_t size)
{
	static const struct {
		double factor;
		const char *prefix;
	} prefixes[] = { { 1e12, "T" }, { 1e9, "G" },  { 1e6, "M" },  { 1e3, "k" },
			 { 1, "" },	{ 1e-3, "m" }, { 1e-6, "µ" }, { 1e-9, "n" } };
	size_t last = sizeof(prefixes) / sizeof(*prefixes) - 1, i = 0;

	if (!isfinite(value)) {
		snprintf(text, size, "–");
		return text;
	}
	while (i < last && fabs(value) < prefixes[i].factor)
		i++;
	if (value == 0)
		i = 4;
	snprintf(text, size, "%.3g %s%s", value / prefixes[i].factor, prefixes[i].prefix, unit);
	/* "1.23e+03" is what %.3g makes of 1230: write it out. */
	if (strchr(text, 'e') && fabs(value / prefixes[i].factor) < 1e5)
		snprintf(text, size, "%.0f %s%s", value / prefixes[i].factor, prefixes[i].prefix,
			 unit);
	return text;
}

void bench_print_heading(const char *title)
{
	fprintf(bench_table, "\n%s\n", title);
	fflush(bench_table);
}

/* The end of a line, for a result that has no numbers. */
static bool print_bad(const struct json *result)
{
	const char *status = json_string(result, "status");

	if (!strcmp(status, "ok"))
		return false;
	fprintf(bench_table, "%s: %s\n", !strcmp(status, "wrong") ? "WRONG" : status,
		json_string(result, "message"));
	fflush(bench_table);
	return true;
}

/* Columns are counted in characters: µ and – have more bytes than one. */
void bench_print_right(const char *text, int width)
{
	int characters = 0;

	for (const char *c = text; *c; c++)
		characters += (*c & 0xc0) != 0x80;
	fprintf(bench_table, "%*s%s", width > characters ? width - characters : 0, "", text);
}

static void print_times(const struct json *result)
{
	const struct json *time = json_get(result, "time");
	char text[48];

	bench_print_right(
		bench_quantity(json_number(time, "median_s", NAN), "s", text, sizeof(text)), 10);
	fprintf(bench_table, " (");
	bench_print_right(bench_quantity(json_number(time, "min_s", NAN), "s", text, sizeof(text)),
			  8);
	fprintf(bench_table, " – ");
	bench_print_right(bench_quantity(json_number(time, "max_s", NAN), "s", text, sizeof(text)),
			  8);
	fprintf(bench_table, ") × %.0f", json_number(time, "rounds", 0));
}

void bench_print_peak(const struct json *peak)
{
	char text[48];

	fprintf(bench_table, "  %-44s", json_string(peak, "name"));
	if (print_bad(peak))
		return;
	bench_print_right(bench_quantity(json_number(peak, "value", NAN), json_string(peak, "unit"),
					 text, sizeof(text)),
			  14);
	fprintf(bench_table, "         ");
	print_times(peak);
	fprintf(bench_table, "\n");
	fflush(bench_table);
}

void bench_print_case(const struct json *result)
{
	double share = json_number(result, "share_of_roofline", NAN);
	char text[48];

	fprintf(bench_table, "  %-44s", json_string(result, "id"));
	if (print_bad(result))
		return;
	bench_print_right(bench_quantity(json_number(result, "rate", NAN),
					 json_string(result, "unit"), text, sizeof(text)),
			  14);
	if (isfinite(share))
		fprintf(bench_table, " %5.1f %% ", 100 * share);
	else
		fprintf(bench_table, "         ");
	print_times(result);
	fprintf(bench_table, "\n");
	fflush(bench_table);
}
