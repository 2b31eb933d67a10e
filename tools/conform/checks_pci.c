// SPDX-License-Identifier: MIT
/* What a board says of itself before any firmware runs: configuration space and registers. */
#include <string.h>
#include <linux/pci_regs.h>
#include "conform.h"

static uint32_t config(struct board *board, uint32_t offset, unsigned int size)
{
	return board->transport->config_read(board, offset, size);
}

static void pci_class(struct board *board)
{
	EQUAL(config(board, PCI_CLASS_REVISION, 4) >> 8, HBI_PCI_CLASS);
	EQUAL(config(board, PCI_HEADER_TYPE, 1) & 0x7f, PCI_HEADER_TYPE_NORMAL);
}

static void pci_msix(struct board *board)
{
	EXPECT(find_capability(board, PCI_CAP_ID_MSIX));
	EXPECT(board->vectors >= 1);
}

static void pci_flr(struct board *board)
{
	uint32_t at = find_capability(board, PCI_CAP_ID_EXP);

	EXPECT(at);
	EXPECT(config(board, at + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
}

static void dvsec(struct board *board)
{
	uint32_t at = find_dvsec(board);

	EXPECT(at);
	EQUAL(config(board, at, 4) >> 16 & 0xf, 1);
	EQUAL(config(board, at + 4, 4) >> 20, HBI_DVSEC_LENGTH);
	EQUAL(config(board, at + HBI_DVSEC_VERSION, 2) >> 8, HBI_VERSION_MAJOR);
	EQUAL(config(board, at + HBI_DVSEC_SIGNATURE, 4), HBI_SIGNATURE);
	EQUAL(config(board, at + 0x1c, 4), 0);
}

static bool overlap(unsigned int bar, uint64_t start, uint64_t size, unsigned int other_bar,
		    uint64_t other, uint64_t other_size)
{
	return bar == other_bar && start < other + other_size && other < start + size;
}

static void places(struct board *board)
{
	uint64_t doorbells = (uint64_t)board->queues << board->doorbell_log2;
	const struct transport *t = board->transport;

	EXPECT(board->register_offset + HBI_REG_BLOCK_SIZE <=
	       t->bar_bytes(board, board->register_bar));
	EXPECT(board->doorbell_offset + doorbells <= t->bar_bytes(board, board->doorbell_bar));
	EXPECT(board->aperture_offset + board->aperture_bytes <=
	       t->bar_bytes(board, board->aperture_bar));
	EQUAL(board->doorbell_offset % 4096, 0);
	EQUAL(board->aperture_offset % 4096, 0);
	EXPECT(!overlap(board->register_bar, board->register_offset, HBI_REG_BLOCK_SIZE,
			board->doorbell_bar, board->doorbell_offset, doorbells));
	EXPECT(!overlap(board->register_bar, board->register_offset, HBI_REG_BLOCK_SIZE,
			board->aperture_bar, board->aperture_offset, board->aperture_bytes));
	EXPECT(!overlap(board->doorbell_bar, board->doorbell_offset, doorbells, board->aperture_bar,
			board->aperture_offset, board->aperture_bytes));
}

static void magic(struct board *board)
{
	EQUAL(reg(board, HBI_REG_MAGIC, 4), HBI_MAGIC);
	EQUAL(reg(board, HBI_REG_MAGIC, 4), HBI_MAGIC);
}

static void version(struct board *board)
{
	uint32_t value = reg(board, HBI_REG_VERSION, 4);

	EQUAL(value >> 16, HBI_VERSION_MAJOR);
	EQUAL(config(board, find_dvsec(board) + HBI_DVSEC_VERSION, 2),
	      (value >> 16) << 8 | (value & 0xff));
}

static void caps(struct board *board)
{
	uint64_t value = reg(board, HBI_REG_CAPS, 8);

	if (reg(board, HBI_REG_VERSION, 4) == (HBI_VERSION_MAJOR << 16 | HBI_VERSION_MINOR))
		EQUAL(value & ~HBI_CAP_MASK, 0);
	EXPECT(!(value & HBI_CAP_RVV) || value & HBI_CAP_COMPUTE);
	EXPECT(!(value & HBI_CAP_HOST_ACCESS) || value & HBI_CAP_COMPUTE);
	EQUAL(reg(board, HBI_REG_CAPS, 8), value);
}

static void uuid(struct board *board)
{
	uint64_t low = reg(board, HBI_REG_UUID, 8), high = reg(board, HBI_REG_UUID + 8, 8);

	EXPECT(low || high);
	EXPECT(low != ~0ull || high != ~0ull);
	reset_board(board);
	EQUAL(reg(board, HBI_REG_UUID, 8), low);
	EQUAL(reg(board, HBI_REG_UUID + 8, 8), high);
}

static void memory_map(struct board *board)
{
	uint64_t dram_end = board->dram_base + board->dram_bytes;
	uint64_t host_end = board->host_window + (1ull << board->host_bits);

	EXPECT(board->dram_bytes && dram_end > board->dram_base);
	EXPECT(board->aperture_base >= board->dram_base);
	EXPECT(board->aperture_base <= dram_end);
	EXPECT(board->aperture_bytes <= dram_end - board->aperture_base);
	EQUAL(board->aperture_base % 4096, 0);
	EQUAL(board->host_window % 4096, 0);
	EXPECT(host_end > board->host_window && host_end <= 1ull << 56 && dram_end <= 1ull << 56);
	EXPECT(board->host_window >= dram_end || host_end <= board->dram_base);
}

static void limits(struct board *board)
{
	EXPECT(board->queues >= 1 && board->queues <= HBI_MAX_QUEUES);
	EXPECT(board->contexts >= 1);
	EXPECT(board->doorbell_log2 >= 12 && board->doorbell_log2 <= 24);
	EXPECT(board->host_bits >= 32 && board->host_bits <= 55);
	EXPECT(board->ring_log2 >= 1 && board->ring_log2 <= 24);
	EQUAL(reg(board, HBI_REG_LIMITS, 8) >> 56, 0);
}

static void cores(struct board *board)
{
	uint32_t vlen = reg(board, HBI_REG_CORES, 4) >> 16;

	EQUAL(board->workers > 0, (board->caps & HBI_CAP_COMPUTE) != 0);
	if (board->caps & HBI_CAP_RVV)
		EXPECT(vlen >= 128 && !(vlen & (vlen - 1)));
}

static void timeouts(struct board *board)
{
	EXPECT(board->reset_ms > 0);
	EXPECT(board->admin_ms > 0);
	EXPECT(reg(board, HBI_REG_TIMESTAMP_HZ, 8) > 0);
}

static void security(struct board *board)
{
	uint32_t value = reg(board, HBI_REG_SECURITY, 4);

	if (!(board->caps & HBI_CAP_SIGNED_FIRMWARE)) {
		EQUAL(value, 0);
		return;
	}
	EQUAL(value & ~0xff01u, 0);
	EQUAL(HBI_SECURITY_KEYS(value) > 0, value & HBI_SECURITY_LOCKED);
}

static void widths(struct board *board)
{
	static const uint32_t registers[] = { HBI_REG_CAPS, HBI_REG_UUID, HBI_REG_DRAM_BASE,
					      HBI_REG_LIMITS, HBI_REG_TIMESTAMP_HZ };
	size_t i;

	for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		EQUAL(reg(board, registers[i], 8),
		      reg(board, registers[i], 4) | reg(board, registers[i] + 4, 4) << 32);
}

static void halves(struct board *board)
{
	set_reg(board, HBI_REG_FW_ADDRESS, 0x11223344, 4);
	set_reg(board, HBI_REG_FW_ADDRESS + 4, 0x55667788, 4);
	EQUAL(reg(board, HBI_REG_FW_ADDRESS, 8), 0x5566778811223344);
	set_reg(board, HBI_REG_FW_ADDRESS, 0x123456789abcdef0, 8);
	EQUAL(reg(board, HBI_REG_FW_ADDRESS, 4), 0x9abcdef0);
	EQUAL(reg(board, HBI_REG_FW_ADDRESS + 4, 4), 0x12345678);
	set_reg(board, HBI_REG_FW_ADDRESS, 0, 8);
}

static void read_only(struct board *board)
{
	static const uint32_t registers[] = { HBI_REG_MAGIC,	HBI_REG_VERSION,    HBI_REG_CAPS,
					      HBI_REG_UUID,	HBI_REG_DRAM_SIZE,  HBI_REG_LIMITS,
					      HBI_REG_CORES,	HBI_REG_GENERATION, HBI_REG_STATUS,
					      HBI_REG_SECURITY, HBI_REG_ROLLBACK };
	size_t i;

	for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		uint32_t value = reg(board, registers[i], 4);

		set_reg(board, registers[i], ~value, 4);
		EQUAL(reg(board, registers[i], 4), value);
	}
}

static void write_only(struct board *board)
{
	EQUAL(reg(board, HBI_REG_ADMIN_TAIL, 4), 0);
	EQUAL(reg(board, HBI_REG_EVENT_HEAD, 4), 0);
	EQUAL(reg(board, HBI_REG_ARM, 4), 0);
	EQUAL(board->transport->bar_read(board, board->doorbell_bar, board->doorbell_offset, 4), 0);
}

static void odd_accesses(struct board *board)
{
	set_reg(board, HBI_REG_FW_SIZE, 0, 8);
	set_reg(board, HBI_REG_FW_SIZE, 0xff, 1);
	set_reg(board, HBI_REG_FW_SIZE + 2, 0xffff, 2);
	EQUAL(reg(board, HBI_REG_FW_SIZE, 8), 0);
	set_reg(board, HBI_REG_CONTROL, HBI_CONTROL_BOOT, 1);
	EQUAL(state_of(board), HBI_STATE_IDLE);
	(void)reg(board, HBI_REG_MAGIC + 1, 1);
	EQUAL(reg(board, HBI_REG_MAGIC, 4), HBI_MAGIC);
}

const struct check checks_pci[] = {
	{ "pci-class", "DIS-1", "class of a processing accelerator", NEED_NOTHING, 0, pci_class },
	{ "pci-msix", "DIS-1", "MSI-X", NEED_NOTHING, 0, pci_msix },
	{ "pci-flr", "DIS-1", "function-level reset is offered", NEED_NOTHING, 0, pci_flr },
	{ "dvsec", "DIS-1 DIS-2", "the capability that names the interface", NEED_NOTHING, 0,
	  dvsec },
	{ "dvsec-places", "DIS-3 DIS-4", "registers, doorbells and aperture fit and are apart",
	  NEED_NOTHING, 0, places },
	{ "reg-magic", "REG.MAGIC REG-3", "the magic number, whenever it is read", NEED_NOTHING, 0,
	  magic },
	{ "reg-version", "REG.VERSION DIS-2 VER-1", "a version that this tool knows", NEED_NOTHING,
	  0, version },
	{ "reg-caps", "REG.CAPS CAP-1 CAP-2", "abilities that go together", NEED_NOTHING, 0, caps },
	{ "reg-uuid", "REG.UUID", "a UUID that a reset does not change", NEED_NOTHING, 0, uuid },
	{ "reg-memory", "REG.DRAM_BASE REG.DRAM_SIZE REG.APERTURE_BASE REG.HOST_WINDOW REG-4",
	  "aperture within memory, host window beside it", NEED_NOTHING, 0, memory_map },
	{ "reg-limits", "REG.LIMITS REG-2", "limits within bounds", NEED_NOTHING, 0, limits },
	{ "reg-cores", "REG.CORES CAP.COMPUTE CAP.RVV", "cores as the abilities say", NEED_NOTHING,
	  0, cores },
	{ "reg-timeouts", "REG.TIMEOUTS REG.TIMESTAMP_HZ", "times are told", NEED_NOTHING, 0,
	  timeouts },
	{ "reg-security", "REG.SECURITY REG-3 FWI-3", "locked exactly if there are keys",
	  NEED_NOTHING, 0, security },
	{ "reg-widths", "REG-1", "64-bit registers read whole and in halves", NEED_NOTHING, 0,
	  widths },
	{ "reg-halves", "REG-1 REG.FW_ADDRESS", "and are written so", NEED_IDLE, 0, halves },
	{ "reg-read-only", "REG-1", "stores to read-only registers are ignored", NEED_IDLE, 0,
	  read_only },
	{ "reg-write-only", "REG-1 DBL-1", "write-only registers and doorbells read as zero",
	  NEED_IDLE, 0, write_only },
	{ "reg-odd-accesses", "REG-1", "accesses of other widths have no effect", NEED_IDLE, 0,
	  odd_accesses },
	{ 0 },
};
