// SPDX-License-Identifier: MIT
/*
 * Busy times. Each worker keeps its own meter, which only it writes; hart 0 reads them at any time,
 * running jobs included, and takes each as it was at one moment: a meter's sequence is odd while it
 * changes.
 */
#include "fw.h"

struct meter {
	u32 sequence;
	u32 context; /* whose job it works for, 0: none */
	u64 since;   /* when it began */
	u64 busy;    /* of jobs that have ended */
	u64 of_context[FW_MAX_CONTEXTS + 1];
};

static struct meter meters[FW_MAX_HARTS];
static u64 dispatches;
static u64 of_context[FW_MAX_CONTEXTS + 1];

static void change(struct meter *meter)
{
	__atomic_fetch_add(&meter->sequence, 1, __ATOMIC_SEQ_CST);
}

void fw_telemetry_begin(const struct fw_hart *hart, u32 context)
{
	struct meter *meter = &meters[hart->id];

	change(meter);
	meter->context = context;
	meter->since = fw_time();
	change(meter);
}

void fw_telemetry_end(const struct fw_hart *hart)
{
	struct meter *meter = &meters[hart->id];
	u64 ticks = fw_time() - meter->since;

	change(meter);
	meter->busy += ticks;
	meter->of_context[meter->context] += ticks;
	meter->context = 0;
	change(meter);
}

void fw_telemetry_job(u32 context)
{
	dispatches++;
	of_context[context]++;
}

/* Nothing of it has run yet, and nothing of its predecessor runs any more. */
void fw_telemetry_forget(u32 context)
{
	u32 hart;

	of_context[context] = 0;
	for (hart = 1; hart <= fw_board.workers; hart++)
		meters[hart].of_context[context] = 0;
}

static void read_meter(const struct meter *meter, u32 context, u64 *busy, u64 *share)
{
	u32 sequence, running;
	u64 since;

	do {
		sequence = __atomic_load_n(&meter->sequence, __ATOMIC_SEQ_CST) & ~1u;
		running = meter->context;
		since = meter->since;
		*busy = meter->busy;
		*share = meter->of_context[context];
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (__atomic_load_n(&meter->sequence, __ATOMIC_SEQ_CST) != sequence);
	if (running) {
		u64 now = fw_time();

		/* Harts' clocks may differ by a tick. */
		if (now < since)
			now = since;
		*busy += now - since;
		if (running == context)
			*share += now - since;
	}
}

u64 fw_telemetry_busy(void)
{
	u64 sum = 0, busy, share;
	u32 hart;

	for (hart = 1; hart <= fw_board.workers; hart++) {
		read_meter(&meters[hart], 0, &busy, &share);
		sum += busy;
	}
	return sum;
}

void fw_telemetry_read(u32 context, struct hbi_telemetry *telemetry)
{
	u32 hart;

	memset(telemetry, 0, sizeof(*telemetry));
	telemetry->ticks = fw_time();
	telemetry->dispatches = dispatches;
	telemetry->context_dispatches = context ? of_context[context] : 0;
	for (hart = 1; hart <= fw_board.workers; hart++) {
		u64 busy, share;

		read_meter(&meters[hart], context, &busy, &share);
		telemetry->busy += busy;
		telemetry->context_busy += share;
		if (hart <= HBI_TELEMETRY_WORKERS) {
			telemetry->worker_busy[hart - 1] = busy;
			telemetry->workers = hart;
		}
	}
	fw_power_tell(telemetry);
	if (fw_platform.sensors)
		fw_platform.sensors(telemetry);
}
