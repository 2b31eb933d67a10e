// SPDX-License-Identifier: MIT
/*
 * Rows of named values, written as a table for people, as objects of a JSON array, as JSON lines or
 * as CSV (RFC 4180, with a header). A value keeps its type in all of them; what is not known is "-",
 * null or nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "smi.h"

static void csv_text(const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void csv_row(const struct smi_value *values, unsigned int count, bool head)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (i)
			putchar(',');
		if (head)
			csv_text(values[i].name);
		else if (values[i].type == SMI_TEXT)
			csv_text(values[i].text);
		else if (values[i].number == SMI_UNKNOWN)
			continue;
		else if (values[i].type == SMI_TENTHS)
			printf("%.1f", (double)values[i].number / 10);
		else
			printf("%" PRId64, values[i].number);
	}
	fputs("\r\n", stdout);
}

static void json_row(const struct smi_value *values, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		printf("%s\"%s\": ", i ? ", " : "{ ", values[i].name);
		if (values[i].type == SMI_TEXT)
			smi_json_text(values[i].text, strlen(values[i].text));
		else if (values[i].type == SMI_TENTHS && values[i].number != SMI_UNKNOWN)
			printf("%.1f", (double)values[i].number / 10);
		else
			smi_json_number(values[i].number);
	}
	fputs(" }", stdout);
}

static void text_row(const struct smi_value *values, unsigned int count, bool head)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		char number[32] = "-";
		const char *text = number;
		int width = (int)strlen(values[i].name);

		if (width < values[i].width)
			width = values[i].width;
		if (values[i].type == SMI_TEXT)
			text = values[i].text[0] ? values[i].text : "-";
		else if (values[i].type == SMI_TENTHS && values[i].number != SMI_UNKNOWN)
			snprintf(number, sizeof(number), "%.1f", (double)values[i].number / 10);
		else if (values[i].number != SMI_UNKNOWN)
			snprintf(number, sizeof(number), "%" PRId64, values[i].number);
		if (head)
			text = values[i].name;
		printf(values[i].type == SMI_TEXT ? "%s%-*s" : "%s%*s", i ? "  " : "",
		       i + 1 < count || values[i].type != SMI_TEXT ? width : 0, text);
	}
	putchar('\n');
}

void smi_table_begin(struct smi_table *table)
{
	if (table->format == SMI_JSON)
		printf("{\n  \"schema\": \"" SMI_SCHEMA "\",\n  \"%s\": [", table->name);
}

void smi_table_row(struct smi_table *table, const struct smi_value *values, unsigned int count)
{
	unsigned int page = table->page ? table->page : ~0u;

	switch (table->format) {
	case SMI_JSON:
		fputs(table->rows ? ",\n    " : "\n    ", stdout);
		json_row(values, count);
		break;
	case SMI_JSON_LINES:
		json_row(values, count);
		putchar('\n');
		break;
	case SMI_CSV:
		if (!table->rows)
			csv_row(values, count, true);
		csv_row(values, count, false);
		break;
	case SMI_PLAIN:
		if (table->rows % page == 0)
			text_row(values, count, true);
		text_row(values, count, false);
	}
	table->rows++;
}

void smi_table_end(struct smi_table *table)
{
	if (table->format == SMI_JSON)
		printf("%s]\n}\n", table->rows ? "\n  " : "");
}
