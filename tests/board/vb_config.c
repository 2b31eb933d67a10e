// SPDX-License-Identifier: MIT
/*
 * PCI configuration space: a PCI Express endpoint with power management, MSI-X, function-level
 * reset, error reporting, a serial number, the DVSEC that says where the board interface lies, and vendor-specific
 * capabilities of this board alone: one counts what the PC does to BAR0, one leads a board astray that is to stray.
 */
#include <string.h>
#include <linux/pci_regs.h>
#include "vb.h"

#define CAP_PM	      0x40
#define CAP_MSIX      0x50
#define CAP_PCIE      0x60
#define EXT_SERIAL    0x100
#define EXT_DVSEC     0x110
#define EXT_CAP_DVSEC 0x23
#define EXT_AER	      0x180
#define VENDOR_HEAD   8 /* bytes of a vendor-specific capability before its own */

/* Bits of its registers that are there, and which errors are fatal unless the PC says otherwise. */
#define AER_UNCORRECTABLE                                                                     \
	(PCI_ERR_UNC_DLP | PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_FCP | PCI_ERR_UNC_COMP_TIME | \
	 PCI_ERR_UNC_COMP_ABORT | PCI_ERR_UNC_UNX_COMP | PCI_ERR_UNC_RX_OVER |                \
	 PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_ECRC | PCI_ERR_UNC_UNSUP)
#define AER_SEVERITY \
	(PCI_ERR_UNC_DLP | PCI_ERR_UNC_FCP | PCI_ERR_UNC_RX_OVER | PCI_ERR_UNC_MALF_TLP)
#define AER_CORRECTABLE                                                                         \
	(PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP | PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL | \
	 PCI_ERR_COR_REP_TIMER | PCI_ERR_COR_ADV_NFAT)

#define SERIAL_HIGH 0x48454152 /* any fixed number: there is one board per process */
#define SERIAL_LOW  0x54480001

struct vb_stray vb_stray;

static uint8_t config[VB_CONFIG_BYTES];
static uint8_t writable[VB_CONFIG_BYTES];

static void put16(uint32_t offset, uint16_t value)
{
	memcpy(config + offset, &value, 2);
}

static void put32(uint32_t offset, uint32_t value)
{
	memcpy(config + offset, &value, 4);
}

static void mask32(uint32_t offset, uint32_t value)
{
	memcpy(writable + offset, &value, 4);
}

static void mask16(uint32_t offset, uint16_t value)
{
	memcpy(writable + offset, &value, 2);
}

/* A 64-bit BAR; its address bits can be written so that sizing works on the bare protocol too. */
static void put_bar(unsigned int bar, uint64_t size, uint32_t type)
{
	uint32_t offset = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint64_t mask = ~(size - 1);

	put32(offset, type | PCI_BASE_ADDRESS_MEM_TYPE_64);
	mask32(offset, (uint32_t)mask);
	mask32(offset + 4, mask >> 32);
}

static void init_capabilities(void)
{
	config[CAP_PM] = PCI_CAP_ID_PM;
	config[CAP_PM + 1] = CAP_MSIX;
	put16(CAP_PM + PCI_PM_PMC, 3);
	mask16(CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	put16(CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);

	config[CAP_MSIX] = PCI_CAP_ID_MSIX;
	config[CAP_MSIX + 1] = CAP_PCIE;
	put16(CAP_MSIX + PCI_MSIX_FLAGS, VB_VECTORS - 1);
	mask16(CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put32(CAP_MSIX + PCI_MSIX_TABLE, 4);
	put32(CAP_MSIX + PCI_MSIX_PBA, VB_MSIX_PBA | 4);

	config[CAP_PCIE] = PCI_CAP_ID_EXP;
	put16(CAP_PCIE + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(CAP_PCIE + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 1);
	put16(CAP_PCIE + PCI_EXP_DEVCTL, 0x2810);
	mask16(CAP_PCIE + PCI_EXP_DEVCTL, 0x7fff);
	put32(CAP_PCIE + PCI_EXP_LNKCAP, 4 | 8 << 4);
	put16(CAP_PCIE + PCI_EXP_LNKCTL, 0);
	mask16(CAP_PCIE + PCI_EXP_LNKCTL, 0x00ff);
	put16(CAP_PCIE + PCI_EXP_LNKSTA, 4 | 8 << 4);
	mask16(CAP_PCIE + PCI_EXP_DEVCTL2, 0xffff);

	put32(EXT_SERIAL, PCI_EXT_CAP_ID_DSN | 1 << 16 | EXT_DVSEC << 20);
	put32(EXT_SERIAL + 4, SERIAL_LOW);
	put32(EXT_SERIAL + 8, SERIAL_HIGH);

	put32(EXT_DVSEC, EXT_CAP_DVSEC | 1 << 16 | VB_COUNTERS << 20);
	put32(EXT_DVSEC + 4, HBI_DVSEC_VENDOR | HBI_DVSEC_LENGTH << 20);
	put16(EXT_DVSEC + 8, HBI_DVSEC_ID);
	put16(EXT_DVSEC + HBI_DVSEC_VERSION, HBI_VERSION_MAJOR << 8 | HBI_VERSION_MINOR);
	put32(EXT_DVSEC + HBI_DVSEC_SIGNATURE, HBI_SIGNATURE);
	put32(EXT_DVSEC + HBI_DVSEC_REGISTERS, 0);
	put32(EXT_DVSEC + HBI_DVSEC_DOORBELLS, VB_DOORBELLS);
	put32(EXT_DVSEC + HBI_DVSEC_APERTURE, 2);

	put32(VB_COUNTERS, PCI_EXT_CAP_ID_VNDR | 1 << 16 | EXT_AER << 20);
	put32(VB_COUNTERS + PCI_VNDR_HEADER, VB_COUNTERS_ID | (VENDOR_HEAD + sizeof(vb_counters))
								      << 20);

	/* The board notices no error of the bus itself; the PC's kernel can be made to see some. */
	put32(EXT_AER, PCI_EXT_CAP_ID_ERR | 2 << 16);
	put32(EXT_AER + PCI_ERR_UNCOR_SEVER, AER_SEVERITY);
	put32(EXT_AER + PCI_ERR_COR_MASK, PCI_ERR_COR_ADV_NFAT);
	mask32(EXT_AER + PCI_ERR_UNCOR_MASK, AER_UNCORRECTABLE);
	mask32(EXT_AER + PCI_ERR_UNCOR_SEVER, AER_UNCORRECTABLE);
	mask32(EXT_AER + PCI_ERR_COR_MASK, AER_CORRECTABLE);
}

static void init_stray(void)
{
	uint32_t instead = VB_STRAY + VENDOR_HEAD + offsetof(struct vb_stray, instead);

	put32(EXT_AER, PCI_EXT_CAP_ID_ERR | 2 << 16 | VB_STRAY << 20);
	put32(VB_STRAY, PCI_EXT_CAP_ID_VNDR | 1 << 16);
	put32(VB_STRAY + PCI_VNDR_HEADER, VB_STRAY_ID | (uint32_t)(VENDOR_HEAD + sizeof(vb_stray))
								<< 20);
	mask32(instead, ~0u);
	mask32(instead + 4, ~0u);
}

void vb_config_init(void)
{
	memset(&vb_stray, 0, sizeof(vb_stray));
	memset(config, 0, sizeof(config));
	memset(writable, 0, sizeof(writable));
	put16(PCI_VENDOR_ID, HBI_VIRTUAL_VENDOR);
	put16(PCI_DEVICE_ID, HBI_VIRTUAL_DEVICE);
	put16(PCI_STATUS, PCI_STATUS_CAP_LIST);
	mask16(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
				    PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	put32(PCI_REVISION_ID, HBI_PCI_CLASS << 8 | 1);
	writable[PCI_CACHE_LINE_SIZE] = 0xff;
	writable[PCI_INTERRUPT_LINE] = 0xff;
	put16(PCI_SUBSYSTEM_VENDOR_ID, HBI_VIRTUAL_VENDOR);
	put16(PCI_SUBSYSTEM_ID, HBI_VIRTUAL_DEVICE);
	config[PCI_CAPABILITY_LIST] = CAP_PM;
	put_bar(0, VB_BAR0_BYTES, 0);
	put_bar(2, vb_options.dram, PCI_BASE_ADDRESS_MEM_PREFETCH);
	put_bar(4, VB_BAR4_BYTES, 0);
	init_capabilities();
	if (vb_options.misbehaviour == VB_STRAYS)
		init_stray();
}

void vb_config_reset(void)
{
	vb_config_init();
}

void vb_config_read(uint32_t offset, void *data, uint32_t size)
{
	memcpy(config + VB_COUNTERS + VENDOR_HEAD, &vb_counters, sizeof(vb_counters));
	if (vb_options.misbehaviour == VB_STRAYS)
		memcpy(config + VB_STRAY + VENDOR_HEAD, &vb_stray, sizeof(vb_stray));
	memcpy(data, config + offset, size);
}

void vb_config_write(uint32_t offset, const void *data, uint32_t size)
{
	const uint8_t *bytes = data;
	uint32_t i, flr = CAP_PCIE + PCI_EXP_DEVCTL + 1;

	for (i = 0; i < size; i++) {
		uint8_t mask = writable[offset + i];

		config[offset + i] = (config[offset + i] & ~mask) | (bytes[i] & mask);
	}
	if (vb_options.misbehaviour == VB_STRAYS)
		memcpy(&vb_stray.instead,
		       config + VB_STRAY + VENDOR_HEAD + offsetof(struct vb_stray, instead),
		       sizeof(vb_stray.instead));
	if (offset <= flr && flr < offset + size &&
	    bytes[flr - offset] & PCI_EXP_DEVCTL_BCR_FLR >> 8) {
		vb_log("function-level reset");
		vb_config_reset();
		vb_regs_reset();
	}
}
