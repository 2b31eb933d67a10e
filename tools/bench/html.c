// SPDX-License-Identifier: MIT
/*
 * A result as one HTML file that needs nothing else: no script, no font, no picture from elsewhere. It is well-formed
 * XML too, so that any XML parser can check it. All texts come from files and drivers, and are escaped.
 */
#include "bench.h"

#include <math.h>
#include <string.h>

#define BAR_WIDTH  360
#define BAR_HEIGHT 12

static const char style[] =
	":root{color-scheme:light dark;--bar:#c2561a;--rest:#8884;--bad:#c00}"
	"body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
	"h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem}h3{font-size:1rem}"
	"table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
	"th,td{text-align:left;padding:.15rem .6rem;border-bottom:1px solid #8883;"
	"vertical-align:middle}"
	"th{font-weight:600}td.n,th.n{text-align:right;white-space:nowrap}"
	"td.bar{width:360px}code{overflow-wrap:anywhere;font-size:.9em}.bad{color:var(--bad);"
	"font-weight:600}.dim{opacity:.7}svg{display:block}";

static void put(FILE *file, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '&')
			fputs("&amp;", file);
		else if (*c == '<')
			fputs("&lt;", file);
		else if (*c == '>')
			fputs("&gt;", file);
		else if (*c == '"')
			fputs("&quot;", file);
		else if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
			fputc('?', file); /* XML has no such characters */
		else
			fputc(*c, file);
	}
}

static void put_value(FILE *file, const struct json *value)
{
	if (!value || value->kind == JSON_NULL)
		fputs("–", file);
	else if (value->kind == JSON_STRING)
		put(file, value->text);
	else if (value->kind == JSON_BOOL)
		fputs(value->number != 0 ? "yes" : "no", file);
	else if (value->kind == JSON_NUMBER)
		fprintf(file, "%.15g", value->number);
}

/* The plain values of an object, a row each. */
static void put_object(FILE *file, const struct json *object)
{
	fputs("<table>\n", file);
	for (const struct json *j = object ? object->first : NULL; j; j = j->next) {
		if (j->kind == JSON_ARRAY || j->kind == JSON_OBJECT)
			continue;
		fputs("<tr><th>", file);
		for (const char *c = j->key; *c; c++)
			put(file, (char[]){ *c == '_' ? ' ' : *c, '\0' });
		fputs("</th><td>", file);
		put_value(file, j);
		fputs("</td></tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void put_quantity(FILE *file, double value, const char *unit)
{
	char text[48];

	fputs("<td class=\"n\">", file);
	put(file, bench_quantity(value, unit, text, sizeof(text)));
	fputs("</td>", file);
}

static void put_times(FILE *file, const struct json *result)
{
	const struct json *time = json_get(result, "time");

	put_quantity(file, json_number(time, "median_s", NAN), "s");
	put_quantity(file, json_number(time, "min_s", NAN), "s");
	put_quantity(file, json_number(time, "max_s", NAN), "s");
}

/* Whether there is no number to show; then what is the matter, over @columns. */
static bool put_bad(FILE *file, const struct json *result, int columns)
{
	const char *status = json_string(result, "status");

	if (!strcmp(status, "ok"))
		return false;
	fprintf(file, "<td colspan=\"%d\" class=\"%s\">", columns,
		strcmp(status, "skipped") ? "bad" : "dim");
	put(file, status);
	fputs(": ", file);
	put(file, json_string(result, "message"));
	fputs("</td>", file);
	return true;
}

/* @share of a bar's length; what is beyond it shows as a full bar, and the number beside it tells. */
static void put_bar(FILE *file, double share)
{
	double width = isfinite(share) && share > 0 ? fmin(share, 1) * BAR_WIDTH : 0;

	fprintf(file,
		"<td class=\"bar\"><svg width=\"%d\" height=\"%d\" role=\"img\" "
		"aria-label=\"%.1f percent\">"
		"<rect width=\"%d\" height=\"%d\" fill=\"var(--rest)\"/>"
		"<rect width=\"%.1f\" height=\"%d\" fill=\"var(--bar)\"/></svg></td>",
		BAR_WIDTH, BAR_HEIGHT, isfinite(share) ? 100 * share : 0.0, BAR_WIDTH, BAR_HEIGHT,
		width, BAR_HEIGHT);
}

static void put_peaks(FILE *file, const struct json *peaks)
{
	fputs("<h3>Measured peaks</h3>\n<table>\n<tr><th>peak</th><th class=\"n\">best</th>"
	      "<th class=\"n\">median time</th><th class=\"n\">min</th><th "
	      "class=\"n\">max</th></tr>\n",
	      file);
	for (const struct json *p = peaks ? peaks->first : NULL; p; p = p->next) {
		fputs("<tr><td>", file);
		put(file, json_string(p, "name"));
		fputs("</td>", file);
		if (!put_bad(file, p, 4)) {
			put_quantity(file, json_number(p, "value", NAN), json_string(p, "unit"));
			put_times(file, p);
		}
		fputs("</tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void put_cases(FILE *file, const struct json *cases, const char *op, const char *phase,
		      const char *title)
{
	fprintf(file,
		"<h3>%s</h3>\n<table>\n<tr><th>case</th><th class=\"n\">rate</th>"
		"<th class=\"n\">%% of roofline</th><th></th><th class=\"n\">median</th>"
		"<th class=\"n\">min</th><th class=\"n\">max</th><th class=\"n\">error</th></tr>\n",
		title);
	for (const struct json *c = cases ? cases->first : NULL; c; c = c->next) {
		double share = json_number(c, "share_of_roofline", NAN);
		const struct json *check = json_get(c, "check");

		if (strcmp(json_string(c, "op"), op) || strcmp(json_string(c, "phase"), phase))
			continue;
		fputs("<tr><td>", file);
		put(file, json_string(c, "id"));
		fputs("</td>", file);
		if (!put_bad(file, c, 7)) {
			put_quantity(file, json_number(c, "rate", NAN), json_string(c, "unit"));
			if (isfinite(share))
				fprintf(file, "<td class=\"n\">%.1f</td>", 100 * share);
			else
				fputs("<td class=\"n\">–</td>", file);
			put_bar(file, share);
			put_times(file, c);
			fprintf(file, "<td class=\"n\">%.1g of %.1g</td>",
				json_number(check, "max_scaled_error", NAN),
				json_number(check, "tolerance", NAN));
		}
		fputs("</tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void put_device(FILE *file, const struct json *device)
{
	const struct json *cases = json_get(device, "cases");

	fputs("<h2>", file);
	put(file, json_string(device, "name"));
	fputs("</h2>\n", file);
	put_peaks(file, json_get(device, "peaks"));
	put_cases(file, cases, "gemm", "prefill", "Matrix products, prefill");
	put_cases(file, cases, "gemm", "decode", "Matrix products, decode");
	put_cases(file, cases, "attention", "prefill", "Attention, prefill");
	put_cases(file, cases, "attention", "decode", "Attention, decode");
	fputs("<details><summary>The device</summary>\n", file);
	put_object(file, device);
	fputs("</details>\n", file);
}

static void put_tool(FILE *file, const struct json *result)
{
	const struct json *tool = json_get(result, "tool"), *command = json_get(result, "command");
	const struct json *shaders = json_get(result, "shaders");

	fputs("<h2>How it was measured</h2>\n<p>Command: <code>", file);
	for (const struct json *j = command ? command->first : NULL; j; j = j->next) {
		put_value(file, j);
		fputc(' ', file);
	}
	fputs("</code></p>\n<table>\n<tr><th>hearth-bench ", file);
	put(file, json_string(tool, "version"));
	fputs("</th><td><code>", file);
	put(file, json_string(json_get(tool, "program"), "sha256"));
	fputs("</code></td></tr>\n<tr><th>runtime library</th><td><code>", file);
	put(file, json_string(json_get(tool, "library"), "sha256"));
	fputs("</code></td></tr>\n", file);
	for (const struct json *j = shaders ? shaders->first : NULL; j; j = j->next) {
		fputs("<tr><th>shader ", file);
		put(file, json_string(j, "name"));
		fputs("</th><td><code>", file);
		put(file, json_string(j, "sha256"));
		fputs("</code></td></tr>\n", file);
	}
	fputs("</table>\n<h3>System</h3>\n", file);
	put_object(file, json_get(result, "system"));
	fputs("<h3>Settings</h3>\n", file);
	put_object(file, json_get(result, "settings"));
}

void bench_write_html(FILE *file, const struct json *result)
{
	const struct json *devices = json_get(result, "devices"),
			  *summary = json_get(result, "summary");

	fprintf(file,
		"<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
		"lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
		"content=\"width=device-width\"/>\n"
		"<title>hearth-bench</title>\n<style>%s</style>\n</head>\n<body>\n"
		"<h1>hearth-bench</h1>\n<p>",
		style);
	put(file, json_string(result, "date"));
	fputs(", ", file);
	put(file, json_string(json_get(result, "system"), "cpu"));
	fprintf(file,
		": %.0f results right, <span%s>%.0f wrong, %.0f failed</span>, %.0f left "
		"out.</p>\n",
		json_number(summary, "ok", 0),
		json_number(summary, "wrong", 0) + json_number(summary, "failed", 0) > 0
			? " class=\"bad\""
			: "",
		json_number(summary, "wrong", 0), json_number(summary, "failed", 0),
		json_number(summary, "skipped", 0));
	fputs("<p>The roofline of a case is the least time that the measured peaks allow: of "
	      "multiply-adds in float32 and of moving memory. Peaks are the best round, cases the "
	      "median. Each result was compared with float64 before it was timed; the error is "
	      "relative to the sum of absolute values.</p>\n",
	      file);
	for (const struct json *d = devices ? devices->first : NULL; d; d = d->next)
		put_device(file, d);
	put_tool(file, result);
	fputs("</body>\n</html>\n", file);
}
