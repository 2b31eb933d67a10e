// SPDX-License-Identifier: MIT
/*
 * From reset to the main loops: hart 0 sets the board up, brings every worker up, and says that the
 * firmware is ready only when all of them have answered.
 */
#include "fw.h"

const char fw_version[] = FW_VERSION;
struct fw_board fw_board;

/* Not in .bss: other harts read it while hart 0 clears that. */
u32 fw_go __attribute__((section(".data")));
static u32 fw_alive;

/* Of those errors that end a boot; those of images begin none. */
static const char *const ends[16] = {
	[HBI_BOOT_BAD_RINGS] = "BAD_RINGS",
	[HBI_BOOT_FIRMWARE] = "FIRMWARE",
	[HBI_BOOT_TIMEOUT] = "TIMEOUT",
	[HBI_BOOT_WATCHDOG] = "WATCHDOG",
};

void fw_main(void);
void fw_main_worker(void);

static void fw_main_hart(u32 id)
{
	struct fw_hart *hart = fw_hart();

	hart->id = id;
	fw_trap_init();
	fw_platform.init_hart(id);
}

void fw_main(void)
{
	u32 hart;

	if (!fw_platform.init(&fw_board))
		return;
	if (fw_board.queues > FW_MAX_QUEUES)
		fw_board.queues = FW_MAX_QUEUES;
	if (fw_board.contexts > FW_MAX_CONTEXTS)
		fw_board.contexts = FW_MAX_CONTEXTS;
	if (fw_board.workers > FW_MAX_HARTS - 1)
		fw_board.workers = FW_MAX_HARTS - 1;
	fw_main_hart(0);
	fw_log_init();
	fw_power_limit(0);
	if (fw_board.ended_by)
		fw_log(HBI_LOG_WARNING, "the boot before this one ended in %s",
		       ends[fw_board.ended_by & 15] ?: "an unknown error");
	fw_log(HBI_LOG_INFO, "boot %lu: firmware %s, %u workers, %u queues, %u contexts",
	       fw_board.firmware.boots, fw_version, fw_board.workers, fw_board.queues,
	       fw_board.contexts);

	__atomic_store_n(&fw_go, 1, __ATOMIC_SEQ_CST);
	fw_csr_write(mie, FW_MIE_SOFTWARE);
	for (hart = 1; hart <= fw_board.workers; hart++)
		fw_platform.ipi(hart, true);
	while (__atomic_load_n(&fw_alive, __ATOMIC_SEQ_CST) < fw_board.workers) {
		fw_wfi();
		fw_platform.ipi(0, false);
	}
	fw_platform.set_state(FW_PLATFORM_READY);
	fw_sched_main();
}

void fw_main_worker(void)
{
	u32 id = fw_csr_read(mhartid);

	if (id > fw_board.workers)
		return;
	fw_main_hart(id);
	fw_csr_write(mie, FW_MIE_SOFTWARE);
	__atomic_add_fetch(&fw_alive, 1, __ATOMIC_SEQ_CST);
	fw_platform.ipi(0, true);
	fw_worker_main(fw_hart());
}
