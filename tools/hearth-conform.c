// SPDX-License-Identifier: MIT
/*
 * hearth-conform: asks a board, with no driver in between, whether it is what the text of the board
 * interface describes. Checks are tables (tools/conform/checks_*.c); this file picks them, brings
 * the board to the state that each needs, and tells what came out.
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conform/conform.h"

enum exit_status { CONFORMS = 0, DIFFERS = 1, USAGE = 2, NO_BOARD = 3 };
enum result { PASSED, FAILED, LEFT_OUT, NOT_RUN, RESULTS };
enum format { TEXT, JSON, TAP };

static const char *const result_names[RESULTS] = { "passed", "failed", "left out", "not run" };

static const struct check *const tables[] = { checks_pci,	checks_boot,   checks_admin,
					      checks_queue,	checks_packet, checks_compute,
					      checks_isolation, checks_robust };

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const char usage[] =
	"usage: hearth-conform --firmware IMAGE (--socket PATH | --pci ADDRESS) [options]\n"
	"       hearth-conform --list\n"
	"  --firmware IMAGE   a firmware image that the board takes\n"
	"  --socket PATH      a virtual board behind a vfio-user socket\n"
	"  --pci ADDRESS      a board bound to vfio-pci, such as 0000:01:00.0\n"
	"  --only PATTERNS    checks with these names, separated by commas; * and ? as in a shell\n"
	"  --skip PATTERNS    but not these\n"
	"  --patience SECONDS for what the text sets no time for (20)\n"
	"  --list             all checks: name, what they cite, what they are about\n"
	"  --json, --tap      results in these forms\n"
	"  --help, --version\n"
	"Everything on the board is lost: it is reset many times. No driver may be bound to it.\n"
	"Exit status: 0 every check that applies has passed; 1 some have not; 2 usage;\n"
	"3 the board cannot be reached.\n";

int patience_ms = 20000;

static sigjmp_buf leave;
static bool leaving; /* @leave may be used */
static enum result outcome;
static char message[256];

static void __attribute__((noreturn)) go(enum result result, const char *format, va_list arguments)
{
	vsnprintf(message, sizeof(message), format, arguments);
	if (!leaving) {
		fprintf(stderr, "hearth-conform: %s\n", message);
		exit(NO_BOARD);
	}
	outcome = result;
	siglongjmp(leave, 1);
}

void stop(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	go(FAILED, format, arguments);
}

void leave_out(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	go(LEFT_OUT, format, arguments);
}

void differ(uint64_t value, uint64_t expected, const char *text)
{
	if (value != expected)
		stop("%s is 0x%llx instead of 0x%llx", text, (unsigned long long)value,
		     (unsigned long long)expected);
}

/* ---- Running ---- */

static void bring(struct board *board, enum need need)
{
	if (need == NEED_RUNNING) {
		if (board->running && state_of(board) == HBI_STATE_RUNNING)
			return;
		reset_board(board);
		start(board);
	} else if (need == NEED_IDLE) {
		reset_board(board);
	}
}

/* Runs @step, and notes in outcome and message how it ends. */
static void guarded(struct board *board, const struct check *check,
		    void (*step)(struct board *board, const struct check *check))
{
	outcome = PASSED;
	message[0] = 0;
	leaving = true;
	if (!sigsetjmp(leave, 0))
		step(board, check);
	leaving = false;
}

static void prepare(struct board *board, const struct check *check)
{
	if (check->caps & ~board->caps)
		leave_out("the board has not this ability");
	bring(board, check->need);
}

static void execute(struct board *board, const struct check *check)
{
	check->run(board);
}

static void clean(struct board *board, const struct check *check)
{
	(void)check;
	board_clean(board);
}

static enum result run(struct board *board, const struct check *check)
{
	enum result result;
	char kept[sizeof(message)];

	guarded(board, check, prepare);
	if (outcome == FAILED) {
		/* Not this check's fault; but one of them must say it. */
		snprintf(kept, sizeof(kept), "before the check: %.200s", message);
		memcpy(message, kept, sizeof(message));
	}
	if (outcome != PASSED)
		return outcome;
	guarded(board, check, execute);
	result = outcome;
	memcpy(kept, message, sizeof(kept));
	if (check->need != NEED_RUNNING || result == FAILED)
		board->running = false;
	memset(board->standard, 0, sizeof(board->standard));
	if (board->running) {
		guarded(board, check, clean);
		if (outcome == FAILED) {
			board->running = false;
			if (result == PASSED) {
				result = FAILED;
				snprintf(kept, sizeof(kept), "after the check: %.200s", message);
			}
		}
	}
	board->contexts_made = board->queues_made = 0;
	memcpy(message, kept, sizeof(message));
	return result;
}

/* ---- Telling ---- */

static void print_json(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text < 0x20)
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_cites(const char *cites)
{
	const char *end;

	for (; *cites; cites = *end ? end + 1 : end) {
		end = strchrnul(cites, ' ');
		printf("\"%.*s\"%s", (int)(end - cites), cites, *end ? "," : "");
	}
}

static void print_result(enum format format, const struct check *check, enum result result,
			 unsigned int number)
{
	switch (format) {
	case JSON:
		printf("%s\n  {\"name\":", number > 1 ? "," : "");
		print_json(check->name);
		fputs(",\"cites\":[", stdout);
		print_cites(check->cites);
		fputs("],\"what\":", stdout);
		print_json(check->what);
		printf(",\"result\":\"%s\"", result_names[result]);
		if (message[0]) {
			fputs(",\"message\":", stdout);
			print_json(message);
		}
		putchar('}');
		break;
	case TAP:
		printf("%sok %u - %s: %s", result == FAILED || result == NOT_RUN ? "not " : "",
		       number, check->name, check->what);
		if (result == LEFT_OUT)
			printf(" # SKIP %s", message);
		putchar('\n');
		if (result == FAILED || result == NOT_RUN)
			printf("# %s (%s)\n", message, check->cites);
		break;
	case TEXT:
		printf("%-8s  %-24s  %s\n", result_names[result], check->name, check->what);
		if (result != PASSED)
			printf("          %s (%s)\n", message, check->cites);
		break;
	}
	fflush(stdout);
}

static void print_head(enum format format, struct board *board)
{
	uint32_t version = reg(board, HBI_REG_VERSION, 4);

	if (format == TAP)
		return;
	if (format == TEXT) {
		printf("board %08x revision %u, interface %u.%u, %u queues, %u contexts, %u "
		       "workers, "
		       "%llu MiB in the aperture%s\n",
		       (uint32_t)reg(board, HBI_REG_BOARD_ID, 4),
		       (uint32_t)reg(board, HBI_REG_BOARD_REVISION, 4), version >> 16,
		       version & 0xffff, board->queues, board->contexts, board->workers,
		       (unsigned long long)board->aperture_bytes >> 20,
		       board->locked ? ", locked to its owner" : "");
		return;
	}
	printf("{\"schema\":\"hearth-conform/1\",\"tool\":\"" HEARTH_VERSION
	       "\",\"transport\":\"%s\","
	       "\"board\":{\"id\":%u,\"revision\":%u,\"interface\":\"%u.%u\",\"caps\":%llu,"
	       "\"queues\":%u,\"contexts\":%u,\"workers\":%u,\"locked\":%s},\"checks\":[",
	       board->transport->name, (uint32_t)reg(board, HBI_REG_BOARD_ID, 4),
	       (uint32_t)reg(board, HBI_REG_BOARD_REVISION, 4), version >> 16, version & 0xffff,
	       (unsigned long long)board->caps, board->queues, board->contexts, board->workers,
	       board->locked ? "true" : "false");
}

static void print_sum(enum format format, const unsigned int *counts, unsigned int total)
{
	if (format == JSON)
		printf("],\n\"passed\":%u,\"failed\":%u,\"left_out\":%u,\"not_run\":%u}\n",
		       counts[PASSED], counts[FAILED], counts[LEFT_OUT], counts[NOT_RUN]);
	else if (format == TAP)
		printf("1..%u\n", total);
	else
		printf("%u checks: %u passed, %u failed, %u left out, %u not run\n", total,
		       counts[PASSED], counts[FAILED], counts[LEFT_OUT], counts[NOT_RUN]);
}

/* ---- Picking ---- */

static bool matches(const char *name, const char *patterns)
{
	char pattern[64];
	const char *end;

	for (;; patterns = end + 1) {
		end = strchrnul(patterns, ',');
		snprintf(pattern, sizeof(pattern), "%.*s", (int)(end - patterns), patterns);
		if (!fnmatch(pattern, name, 0))
			return true;
		if (!*end)
			return false;
	}
}

static void list(void)
{
	const struct check *check;
	size_t i;

	for (i = 0; i < TABLES; i++)
		for (check = tables[i]; check->name; check++)
			printf("%s\t%s\t%s\n", check->name, check->cites, check->what);
}

static int run_all(struct board *board, const char *only, const char *skip, enum format format)
{
	unsigned int counts[RESULTS] = { 0 }, total = 0;
	const struct check *check;
	int lost = 0;
	size_t i;

	print_head(format, board);
	for (i = 0; i < TABLES; i++)
		for (check = tables[i]; check->name; check++) {
			enum result result;

			if ((only && !matches(check->name, only)) ||
			    (skip && matches(check->name, skip)))
				continue;
			if (lost >= 3) {
				result = NOT_RUN;
				strcpy(message, "the board no longer comes up");
			} else {
				result = run(board, check);
			}
			/* A board that cannot be brought up three times in a row is given up. */
			lost = result == FAILED && !strncmp(message, "before", 6) ? lost + 1
			       : result == NOT_RUN				  ? lost
										  : 0;
			counts[result]++;
			print_result(format, check, result, ++total);
		}
	print_sum(format, counts, total);
	if (!total) {
		fputs("hearth-conform: no check has such a name\n", stderr);
		return USAGE;
	}
	return counts[FAILED] || counts[NOT_RUN] ? DIFFERS : CONFORMS;
}

static bool read_firmware(struct board *board, const char *path)
{
	FILE *file = fopen(path, "rb");
	long bytes = -1;

	if (file && !fseek(file, 0, SEEK_END))
		bytes = ftell(file);
	if (bytes < HBI_FW_HEADER_SIZE || bytes > 6 << 20) {
		fprintf(stderr, "hearth-conform: %s: %s\n", path,
			bytes < 0 ? strerror(errno) : "not an image of 256 bytes to 6 MiB");
		return false;
	}
	rewind(file);
	board->image = malloc(bytes);
	board->image_bytes = bytes;
	if (!board->image || fread(board->image, 1, bytes, file) != (size_t)bytes) {
		fprintf(stderr, "hearth-conform: %s: cannot be read\n", path);
		return false;
	}
	fclose(file);
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "firmware", required_argument, NULL, 'f' },
		{ "socket", required_argument, NULL, 's' },
		{ "pci", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ "skip", required_argument, NULL, 'x' },
		{ "patience", required_argument, NULL, 'w' },
		{ "list", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "tap", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	const char *firmware = NULL, *socket = NULL, *pci = NULL, *only = NULL, *skip = NULL;
	static struct board board;
	enum format format = TEXT;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			firmware = optarg;
			break;
		case 's':
			socket = optarg;
			break;
		case 'p':
			pci = optarg;
			break;
		case 'o':
			only = optarg;
			break;
		case 'x':
			skip = optarg;
			break;
		case 'w':
			patience_ms = strlen(optarg) < 4 ? 1000 * atoi(optarg) : 0;
			if (patience_ms < 1000 || patience_ms > 600000) {
				fputs("hearth-conform: --patience takes 1 to 600 seconds\n",
				      stderr);
				return USAGE;
			}
			break;
		case 'l':
			list();
			return CONFORMS;
		case 'j':
			format = JSON;
			break;
		case 't':
			format = TAP;
			break;
		case 'h':
			fputs(usage, stdout);
			return CONFORMS;
		case 'V':
			puts("hearth-conform " HEARTH_VERSION);
			return CONFORMS;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	if (optind != argc || !firmware || !socket == !pci) {
		fputs(usage, stderr);
		return USAGE;
	}
	if (!read_firmware(&board, firmware))
		return USAGE;
	if (!(socket ? open_vfio_user(&board, socket) : open_vfio_pci(&board, pci)))
		return NO_BOARD;
	if (!board_discover(&board)) {
		fputs("hearth-conform: there is no board interface here\n", stderr);
		return NO_BOARD;
	}
	status = run_all(&board, only, skip, format);
	board.transport->close(&board);
	return status;
}
