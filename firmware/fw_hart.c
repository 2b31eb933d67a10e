// SPDX-License-Identifier: MIT
/*
 * Per-hart memory, and the one request that hart 0 makes of all workers: to drop translations and
 * fetched instructions. A worker in user mode takes the interrupt there, obeys, and goes on.
 */
#include "fw.h"

struct fw_hart fw_harts[FW_MAX_HARTS];

static u32 fw_request;

void fw_hart_synchronize(void)
{
	u32 hart, number = fw_request + 1;

	__atomic_store_n(&fw_request, number, __ATOMIC_SEQ_CST);
	__asm__ volatile("fence.i" ::: "memory");
	for (hart = 1; hart <= fw_board.workers; hart++)
		fw_platform.ipi(hart, true);
	fw_csr_write(mie, FW_MIE_SOFTWARE);
	for (hart = 1; hart <= fw_board.workers; hart++) {
		while (__atomic_load_n(&fw_harts[hart].request_done, __ATOMIC_SEQ_CST) != number) {
			fw_wfi();
			fw_platform.ipi(0, false);
		}
	}
}

void fw_hart_serve(struct fw_hart *hart)
{
	u32 number = __atomic_load_n(&fw_request, __ATOMIC_SEQ_CST);

	if (number == hart->request_done)
		return;
	/* The context of the last job may be about to go. */
	if (!hart->in_job)
		fw_csr_write(satp, 0);
	__asm__ volatile("sfence.vma\n\tfence.i" ::: "memory");
	__atomic_store_n(&hart->request_done, number, __ATOMIC_SEQ_CST);
	fw_platform.ipi(0, true);
}
