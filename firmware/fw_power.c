// SPDX-License-Identifier: MIT
/*
 * The power limit. What the board takes up when all workers work and when none does is known
 * (fw_board); between the two it grows with their busy time. So the limit is a part of their time that
 * they may be busy for, kept as an account in ticks of one worker: it grows with the clock by that
 * part, and what they were busy for is taken off. A dispatch that has used it up gives way between
 * two work-groups, as it would to another, and goes on when there is some again. Its own time limit
 * does not count the pause. What one work-group takes beyond the account is paid back before the
 * next begins, up to a second of all workers.
 */
#include "fw.h"

#define BURST_DIV 200 /* what may be saved up: that part of a second, of all workers */
#define PART	  16  /* bits behind the point of a part */

static struct {
	u32 limit_mw;
	u64 part; /* of their time in which workers may be busy */
	s64 account;
	u64 time; /* of the last entry, as of the next */
	u64 busy;
} power;

static s64 seconds_div(u64 div)
{
	return (s64)(fw_board.timestamp_hz * fw_board.workers / div);
}

static bool limited(void)
{
	return power.limit_mw < fw_board.busy_mw;
}

static u32 lowest(void)
{
	return fw_board.idle_mw + (fw_board.busy_mw - fw_board.idle_mw) / 8;
}

static void account(void)
{
	u64 now = fw_time(), busy = fw_telemetry_busy();
	u64 passed = fw_min(now - power.time, fw_board.timestamp_hz);

	power.account += (s64)(passed * fw_board.workers * power.part >> PART);
	power.account -= (s64)(busy - power.busy);
	if (power.account > seconds_div(BURST_DIV))
		power.account = seconds_div(BURST_DIV);
	if (power.account < -seconds_div(1))
		power.account = -seconds_div(1);
	power.time = now;
	power.busy = busy;
}

enum hbi_error fw_power_limit(u32 limit_mw)
{
	if (!fw_board.busy_mw)
		return HBI_ERROR_OPCODE;
	if (!limit_mw)
		limit_mw = fw_board.busy_mw;
	if (limit_mw < lowest() || limit_mw > fw_board.busy_mw)
		return HBI_ERROR_FIELD;
	power.limit_mw = limit_mw;
	power.part = ((u64)(limit_mw - fw_board.idle_mw) << PART) /
		     (fw_board.busy_mw - fw_board.idle_mw);
	power.account = 0;
	power.time = fw_time();
	power.busy = fw_telemetry_busy();
	return HBI_OK;
}

bool fw_power_allows(bool running)
{
	if (!limited())
		return true;
	account();
	/* Not for less than is worth a start. */
	return power.account > (running ? 0 : seconds_div(2 * BURST_DIV));
}

u64 fw_power_next_time(bool running)
{
	u64 rate;
	s64 left;

	if (!limited())
		return FW_NEVER;
	account();
	left = running ? power.account : seconds_div(2 * BURST_DIV) - power.account;
	rate = running ? ((u64)1 << PART) - power.part : power.part;
	return fw_time() + 1 + (left > 0 ? ((u64)left << PART) / (rate * fw_board.workers) : 0);
}

void fw_power_tell(struct hbi_telemetry *telemetry)
{
	if (!fw_board.busy_mw)
		return;
	telemetry->valid |= HBI_TELEMETRY_POWER_LIMIT;
	telemetry->power_limit_mw = power.limit_mw;
	telemetry->power_limit_min_mw = lowest();
	telemetry->power_limit_max_mw = fw_board.busy_mw;
	telemetry->power_limit_default_mw = fw_board.busy_mw;
}

u32 fw_power_part(u32 of)
{
	return (u32)(of * power.part >> PART);
}
