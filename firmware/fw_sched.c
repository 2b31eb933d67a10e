// SPDX-License-Identifier: MIT
/*
 * Hart 0's loop: admin queue first, then one packet (or part of one) of each user queue in turn,
 * until nothing moves; then sleep until the host, a worker or the clock wakes it. Interrupts stay
 * masked; a pending one only ends the wait, so none is lost between the last look and the sleep.
 */
#include "fw.h"

static u64 next_time(void)
{
	u64 time = fw_worker_deadline();
	u32 i;

	for (i = 0; i < fw_board.queues; i++)
		time = fw_min(time, fw_queue_next_time(&fw_queues[i]));
	return time;
}

static bool step_queues(void)
{
	static u32 first;
	bool progress = false;
	u32 i;

	for (i = 0; i < fw_board.queues; i++)
		progress |= fw_queue_step(&fw_queues[(first + i) % fw_board.queues]);
	first = (first + 1) % fw_board.queues;
	return progress;
}

static bool enable(void)
{
	struct fw_rings rings;

	if (!fw_platform.rings(&rings))
		return false;
	fw_event_init(&rings);
	fw_admin_init(&rings);
	fw_platform.set_state(FW_PLATFORM_RUNNING);
	return true;
}

void fw_sched_main(void)
{
	bool enabled = false, progress;

	for (;;) {
		fw_platform.ipi(0, false);
		fw_platform.poll();
		progress = false;
		if (enabled) {
			fw_dma_reap();
			progress |= fw_admin_step();
			progress |= step_queues();
			fw_worker_check_time();
		} else {
			enabled = enable();
			progress = enabled;
		}
		fw_platform.dma_flush();
		if (progress)
			continue;
		fw_platform.timer(next_time());
		fw_csr_write(mie, FW_MIE_SOFTWARE | FW_MIE_TIMER | FW_MIE_EXTERNAL);
		fw_wfi();
	}
}
