// SPDX-License-Identifier: MIT
/*
 * watch: a row for each board at each interval, until it has been told often enough, or to stop. How
 * busy a board was is what its counters have grown by; the first row says nothing of that.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "smi.h"

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* In tenths of a percent; unknown where the counters began anew. */
static int64_t utilisation(const struct smi_board *before, const struct smi_board *now)
{
	int64_t busy = now->metrics.busy_ns, time = now->metrics.time_ns;

	if (!before || strcmp(before->uuid, now->uuid) || now->workers <= 0 ||
	    busy == SMI_UNKNOWN || time == SMI_UNKNOWN || before->metrics.busy_ns == SMI_UNKNOWN ||
	    before->metrics.time_ns == SMI_UNKNOWN || time <= before->metrics.time_ns ||
	    busy < before->metrics.busy_ns)
		return SMI_UNKNOWN;
	return (int64_t)((double)(busy - before->metrics.busy_ns) * 1000 /
			 ((double)(time - before->metrics.time_ns) * (double)now->workers));
}

static int64_t scaled(int64_t value, int64_t unit)
{
	return value == SMI_UNKNOWN ? value : value / unit;
}

static void show(struct smi_table *table, const struct smi_board *before,
		 const struct smi_board *now)
{
	struct timespec clock;

	clock_gettime(CLOCK_REALTIME, &clock);
	const struct smi_value values[] = {
		{ "time_ms", SMI_NUMBER, .number = clock.tv_sec * 1000 + clock.tv_nsec / 1000000,
		  .width = 13 },
		{ "pci", SMI_TEXT, .text = now->pci, .width = 12 },
		{ "uuid", SMI_TEXT, .text = now->uuid, .width = 36 },
		{ "state", SMI_TEXT, .text = now->state, .width = 9 },
		{ "busy_percent", SMI_TENTHS, .number = utilisation(before, now) },
		{ "dispatches", SMI_NUMBER, .number = now->metrics.dispatches },
		{ "temperature_c", SMI_TENTHS, .number = scaled(now->metrics.temperature_mc, 100) },
		{ "power_w", SMI_TENTHS, .number = scaled(now->metrics.power_uw, 100000) },
		{ "faults", SMI_NUMBER, .number = now->faults },
		{ "resets", SMI_NUMBER, .number = now->resets },
	};

	smi_table_row(table, values, sizeof(values) / sizeof(values[0]));
}

int smi_watch(enum smi_format format, double seconds, unsigned long rounds)
{
	static struct smi_board boards[2][HEARTH_DRM_MAX_BOARDS];
	struct smi_table table = { .name = "samples",
				   .page = 20,
				   .format = format == SMI_JSON ? SMI_JSON_LINES : format };
	const struct sigaction action = { .sa_handler = stop };
	uint32_t count[2] = { 0, 0 }, i;
	struct timespec next;
	unsigned long round;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A reader that has had enough is no failure. */
	signal(SIGPIPE, SIG_IGN);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (round = 0; !stopped; round++) {
		struct smi_board *now = boards[round & 1], *before = boards[~round & 1];

		count[round & 1] = smi_find_boards(now);
		if (!round && !count[0]) {
			fprintf(stderr, "hearth-smi: no board with the driver hearth\n");
			return SMI_EXIT_NONE;
		}
		for (i = 0; i < count[round & 1]; i++)
			show(&table, smi_pick_board(before, count[~round & 1], now[i].pci),
			     &now[i]);
		if (fflush(stdout) || ferror(stdout))
			return errno == EPIPE ? SMI_EXIT_GOOD : SMI_EXIT_BAD;
		if (rounds && round + 1 == rounds)
			break;
		next.tv_sec += (time_t)seconds;
		next.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL))
			;
	}
	return SMI_EXIT_GOOD;
}
