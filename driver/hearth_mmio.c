// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register access: finding the register block, the doorbells and the aperture by the interface's
 * DVSEC, reading and checking the constant registers, reset, and waiting for a state. Nothing that
 * the board says is believed before it was checked here. A board that is gone reads all ones.
 */
#include <linux/delay.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "hearth_device.h"
#include "hearth_mmio.h"

/* Longest times that the driver waits, whatever the board asks for. */
#define HEARTH_MAX_BOOT_MS  120000u
#define HEARTH_MAX_ADMIN_MS 60000u

/* Smallest aperture that a driver can do anything with. */
#define HEARTH_MIN_APERTURE SZ_1M

u32 hearth_read32(struct hearth_device *hdev, u32 reg)
{
	return readl(hdev->regs.base + reg);
}

u64 hearth_read64(struct hearth_device *hdev, u32 reg)
{
	return lo_hi_readq(hdev->regs.base + reg);
}

void hearth_write32(struct hearth_device *hdev, u32 reg, u32 value)
{
	writel(value, hdev->regs.base + reg);
}

void hearth_write64(struct hearth_device *hdev, u32 reg, u64 value)
{
	lo_hi_writeq(value, hdev->regs.base + reg);
}

/* All ones is no value of STATUS: nothing answers there any more. */
bool hearth_mmio_gone(struct hearth_device *hdev)
{
	return hearth_read32(hdev, HBI_REG_STATUS) == ~0u;
}

/* Whether the firmware serves, as the interface lets a driver find out. Sleeps. */
bool hearth_mmio_beats(struct hearth_device *hdev)
{
	u64 first = hearth_read64(hdev, HBI_REG_HEARTBEAT);
	unsigned int i;

	/* Ten times as long as the interface asks for: the driver, too, may be late. */
	for (i = 0; i < 10; i++) {
		msleep(110);
		if (hearth_read64(hdev, HBI_REG_HEARTBEAT) != first)
			return !hearth_mmio_gone(hdev);
	}
	return false;
}

static const char *hearth_boot_error(u32 status)
{
	static const char *const text[] = {
		[HBI_BOOT_OK] = "no error told",
		[HBI_BOOT_BAD_ADDRESS] = "image not inside the aperture or too large",
		[HBI_BOOT_BAD_HEADER] = "bad image header",
		[HBI_BOOT_BAD_CHECKSUM] = "bad image checksum",
		[HBI_BOOT_BAD_VERSION] = "image is for another version of the interface",
		[HBI_BOOT_BAD_RINGS] = "ring addresses or sizes out of range",
		[HBI_BOOT_FIRMWARE] = "firmware stopped with a fatal error",
		[HBI_BOOT_TIMEOUT] = "firmware did not report in time",
		[HBI_BOOT_UNSIGNED] = "the board has an owner and the image is not signed",
		[HBI_BOOT_UNKNOWN_KEY] = "image is signed, but not with a key of the board's owner",
		[HBI_BOOT_BAD_SIGNATURE] = "the image's signature is wrong",
		[HBI_BOOT_ROLLBACK] = "image is older than the board's rollback counter allows",
		[HBI_BOOT_WRONG_BOARD] = "image is for other boards",
		[HBI_BOOT_WATCHDOG] = "firmware no longer answered its watchdog",
	};
	u32 error = (status >> 8) & 0xff;

	return error < ARRAY_SIZE(text) ? text[error] : "unknown error";
}

/* Waits until STATUS shows @state. Sleeps. */
int hearth_wait_status(struct hearth_device *hdev, u32 state, u32 timeout_ms)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout_ms) + 1;
	bool late;
	u32 status;

	do {
		late = time_after(jiffies, deadline);
		status = hearth_read32(hdev, HBI_REG_STATUS);
		if (status == ~0u)
			return -ENODEV;
		if ((status & 0xff) == state)
			return 0;
		/* Of a board that is let go only the end of its reset is of interest. */
		if (state != HBI_STATE_IDLE && hearth_device_state(hdev) == HEARTH_GONE)
			return -ENODEV;
		if ((status & 0xff) == HBI_STATE_FAILED || (status & 0xff) == HBI_STATE_RESCUE) {
			drm_err(&hdev->drm, "board %s: %s (status %#x)\n",
				(status & 0xff) == HBI_STATE_FAILED ? "failed"
								    : "refused its image",
				hearth_boot_error(status), status);
			return -EIO;
		}
		usleep_range(200, 1000);
	} while (!late);

	drm_err(&hdev->drm, "board did not reach state %u in %u ms (status %#x)\n", state,
		timeout_ms, status);
	return -ETIMEDOUT;
}

int hearth_board_reset(struct hearth_device *hdev)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(hdev->info.boot_ms) + 1;
	bool late;
	u32 control;

	hearth_write32(hdev, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	do {
		late = time_after(jiffies, deadline);
		control = hearth_read32(hdev, HBI_REG_CONTROL);
		if (control == ~0u)
			return -ENODEV;
		if (!(control & HBI_CONTROL_RESET))
			return hearth_wait_status(hdev, HBI_STATE_IDLE, hdev->info.boot_ms);
		usleep_range(200, 1000);
	} while (!late);

	drm_err(&hdev->drm, "reset took more than %u ms\n", hdev->info.boot_ms);
	return -ETIMEDOUT;
}

/* One region named by the DVSEC: its CPU-physical address, and how many bytes the BAR leaves it. */
static int hearth_mmio_region(struct hearth_device *hdev, int dvsec, int reg, const char *what,
			      phys_addr_t *phys, u64 *room)
{
	struct pci_dev *pdev = hdev->pdev;
	u32 value = ~0u, bar, offset;

	pci_read_config_dword(pdev, dvsec + reg, &value);
	bar = HBI_DVSEC_BIR(value);
	offset = HBI_DVSEC_OFFSET(value);
	if (bar >= PCI_STD_NUM_BARS || !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM)) {
		drm_err(&hdev->drm, "%s: BAR %u is no memory BAR\n", what, bar);
		return -ENODEV;
	}
	if (!pci_resource_start(pdev, bar) || offset >= pci_resource_len(pdev, bar)) {
		drm_err(&hdev->drm, "%s: offset %#x, but BAR %u has %#llx bytes\n", what, offset,
			bar, (u64)pci_resource_len(pdev, bar));
		return -ENODEV;
	}
	*phys = pci_resource_start(pdev, bar) + offset;
	*room = pci_resource_len(pdev, bar) - offset;
	return 0;
}

static bool hearth_overlap(phys_addr_t a, u64 a_bytes, phys_addr_t b, u64 b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/* Whether MSI-X's table or pending bits lie in [@phys, @phys + @bytes). */
static bool hearth_overlaps_msix(struct pci_dev *pdev, phys_addr_t phys, u64 bytes)
{
	int vectors = pci_msix_vec_count(pdev);
	const struct {
		int reg;
		u64 bytes;
	} parts[] = {
		{ PCI_MSIX_TABLE, (u64)vectors * PCI_MSIX_ENTRY_SIZE },
		{ PCI_MSIX_PBA, DIV_ROUND_UP(vectors, 64) * sizeof(u64) },
	};
	unsigned int i;

	for (i = 0; vectors > 0 && i < ARRAY_SIZE(parts); i++) {
		u32 place = ~0u, bar;

		pci_read_config_dword(pdev, pdev->msix_cap + parts[i].reg, &place);
		bar = place & PCI_MSIX_TABLE_BIR;
		if (bar < PCI_STD_NUM_BARS && pci_resource_start(pdev, bar) &&
		    hearth_overlap(phys, bytes,
				   pci_resource_start(pdev, bar) + (place & PCI_MSIX_TABLE_OFFSET),
				   parts[i].bytes))
			return true;
	}
	return false;
}

static int hearth_check_limits(struct hearth_device *hdev)
{
	typeof(hdev->info) *info = &hdev->info;

	if (!info->queues || info->queues > HBI_MAX_QUEUES) {
		drm_err(&hdev->drm, "board has %u queues (supported: 1 to %u)\n", info->queues,
			HBI_MAX_QUEUES);
		return -ENODEV;
	}
	if (!info->contexts) {
		drm_err(&hdev->drm, "board has no contexts\n");
		return -ENODEV;
	}
	if (info->doorbell_log2 < PAGE_SHIFT || info->doorbell_log2 > 24) {
		drm_err(&hdev->drm, "doorbells are 2^%u bytes apart (supported: 2^%u to 2^24)\n",
			info->doorbell_log2, PAGE_SHIFT);
		return -ENODEV;
	}
	if (info->host_bits < 32 || info->host_bits > 64) {
		drm_err(&hdev->drm, "bus addresses of %u bits (supported: 32 to 64)\n",
			info->host_bits);
		return -ENODEV;
	}
	if (info->ring_log2 < 1 || info->ring_log2 > 24) {
		drm_err(&hdev->drm, "rings of up to 2^%u packets (supported: 2^1 to 2^24)\n",
			info->ring_log2);
		return -ENODEV;
	}
	return 0;
}

static void hearth_read_info(struct hearth_device *hdev)
{
	typeof(hdev->info) *info = &hdev->info;
	u64 limits = hearth_read64(hdev, HBI_REG_LIMITS);
	u32 cores = hearth_read32(hdev, HBI_REG_CORES);
	u32 timeouts = hearth_read32(hdev, HBI_REG_TIMEOUTS);
	int i;

	for (i = 0; i < 4; i++) {
		__le32 word = cpu_to_le32(hearth_read32(hdev, HBI_REG_UUID + 4 * i));

		memcpy(info->uuid + 4 * i, &word, sizeof(word));
	}
	info->caps = hearth_read64(hdev, HBI_REG_CAPS) & HBI_CAP_MASK;
	info->board_id = hearth_read32(hdev, HBI_REG_BOARD_ID);
	info->board_revision = hearth_read32(hdev, HBI_REG_BOARD_REVISION);
	info->dram_base = hearth_read64(hdev, HBI_REG_DRAM_BASE);
	info->dram_size = hearth_read64(hdev, HBI_REG_DRAM_SIZE);
	info->host_window = hearth_read64(hdev, HBI_REG_HOST_WINDOW);
	info->timestamp_hz = hearth_read64(hdev, HBI_REG_TIMESTAMP_HZ);
	info->generation = hearth_read32(hdev, HBI_REG_GENERATION);
	info->queues = HBI_LIMIT_QUEUES(limits);
	info->contexts = HBI_LIMIT_CONTEXTS(limits);
	info->doorbell_log2 = HBI_LIMIT_DOORBELL_LOG2(limits);
	info->host_bits = HBI_LIMIT_HOST_ADDRESS(limits);
	info->ring_log2 = HBI_LIMIT_RING_LOG2(limits);
	info->workers = cores & 0xffff;
	info->vlen_bits = cores >> 16;
	info->boot_ms = clamp((timeouts & 0xffff) * 100, 100u, HEARTH_MAX_BOOT_MS);
	info->admin_ms = clamp((timeouts >> 16) * 100, 100u, HEARTH_MAX_ADMIN_MS);
}

static int hearth_check_memory(struct hearth_device *hdev, u64 room)
{
	typeof(hdev->info) *info = &hdev->info;
	u64 base = hearth_read64(hdev, HBI_REG_APERTURE_BASE);
	u64 size = hearth_read64(hdev, HBI_REG_APERTURE_SIZE);
	u64 dram_end, host_end;

	if (check_add_overflow(info->dram_base, info->dram_size, &dram_end) ||
	    base < info->dram_base || base > dram_end || size > dram_end - base ||
	    !IS_ALIGNED(base, SZ_4K) || dram_end >= BIT_ULL(56)) {
		drm_err(&hdev->drm, "aperture %#llx+%#llx is not inside board memory %#llx+%#llx\n",
			base, size, info->dram_base, info->dram_size);
		return -ENODEV;
	}
	/* A host address is put into page tables as window + bus address, of 56 bits at most. */
	if (info->host_bits > 55 ||
	    check_add_overflow(info->host_window, BIT_ULL(info->host_bits), &host_end) ||
	    host_end > BIT_ULL(56) || !IS_ALIGNED(info->host_window, SZ_4K) ||
	    (info->host_window < dram_end && info->dram_base < host_end)) {
		drm_err(&hdev->drm, "host window %#llx of 2^%u bytes does not fit beside memory\n",
			info->host_window, info->host_bits);
		return -ENODEV;
	}
	hdev->aperture.base = base;
	hdev->aperture.size = round_down(min(size, room), PAGE_SIZE);
	if (hdev->aperture.size < HEARTH_MIN_APERTURE) {
		drm_err(&hdev->drm, "aperture of %#llx bytes (at least %#x expected)\n",
			hdev->aperture.size, HEARTH_MIN_APERTURE);
		return -ENODEV;
	}
	return 0;
}

int hearth_mmio_init(struct hearth_device *hdev)
{
	struct pci_dev *pdev = hdev->pdev;
	u64 regs_room, doorbell_room, aperture_room, doorbells;
	phys_addr_t regs;
	int dvsec, ret;
	u32 magic;

	dvsec = pci_find_dvsec_capability(pdev, HBI_DVSEC_VENDOR, HBI_DVSEC_ID);
	if (!dvsec)
		return -ENODEV;
	ret = hearth_mmio_region(hdev, dvsec, HBI_DVSEC_REGISTERS, "registers", &regs, &regs_room);
	if (ret)
		return ret;
	ret = hearth_mmio_region(hdev, dvsec, HBI_DVSEC_DOORBELLS, "doorbells",
				 &hdev->regs.doorbells, &doorbell_room);
	if (ret)
		return ret;
	ret = hearth_mmio_region(hdev, dvsec, HBI_DVSEC_APERTURE, "aperture", &hdev->aperture.phys,
				 &aperture_room);
	if (ret)
		return ret;
	if (regs_room < HBI_REG_BLOCK_SIZE) {
		drm_err(&hdev->drm, "registers: %#llx bytes of BAR left (%#x expected)\n",
			regs_room, HBI_REG_BLOCK_SIZE);
		return -ENODEV;
	}

	hdev->regs.base = ioremap(regs, HBI_REG_BLOCK_SIZE);
	if (!hdev->regs.base)
		return -ENOMEM;

	magic = hearth_read32(hdev, HBI_REG_MAGIC);
	if (magic != HBI_MAGIC) {
		drm_err(&hdev->drm, "magic register reads %#x (%#x expected)\n", magic, HBI_MAGIC);
		ret = -ENODEV;
		goto out_regs;
	}
	hdev->info.version = hearth_read32(hdev, HBI_REG_VERSION);
	if (hdev->info.version >> 16 != HBI_VERSION_MAJOR) {
		drm_err(&hdev->drm, "board speaks interface %u.%u (supported: %u.x)\n",
			hdev->info.version >> 16, hdev->info.version & 0xffff, HBI_VERSION_MAJOR);
		ret = -ENODEV;
		goto out_regs;
	}
	hearth_read_info(hdev);
	ret = hearth_check_limits(hdev);
	if (!ret)
		ret = hearth_check_memory(hdev, aperture_room);
	if (ret)
		goto out_regs;
	doorbells = (u64)hdev->info.queues << hdev->info.doorbell_log2;
	if (doorbells > doorbell_room || !PAGE_ALIGNED(hdev->regs.doorbells) ||
	    !PAGE_ALIGNED(hdev->aperture.phys)) {
		drm_err(&hdev->drm,
			"doorbells of %u queues do not fit, or a region is not aligned\n",
			hdev->info.queues);
		ret = -ENODEV;
		goto out_regs;
	}

	/* Processes map doorbells and aperture: nothing that is the kernel's may lie there. */
	if (hearth_overlap(hdev->regs.doorbells, doorbells, regs, HBI_REG_BLOCK_SIZE) ||
	    hearth_overlap(hdev->aperture.phys, hdev->aperture.size, regs, HBI_REG_BLOCK_SIZE) ||
	    hearth_overlap(hdev->aperture.phys, hdev->aperture.size, hdev->regs.doorbells,
			   doorbells) ||
	    hearth_overlaps_msix(pdev, hdev->regs.doorbells, doorbells) ||
	    hearth_overlaps_msix(pdev, hdev->aperture.phys, hdev->aperture.size)) {
		drm_err(&hdev->drm,
			"registers, doorbells, aperture and interrupt table are not apart\n");
		ret = -ENODEV;
		goto out_regs;
	}

	hdev->aperture.io = ioremap_wc(hdev->aperture.phys, hdev->aperture.size);
	if (!hdev->aperture.io) {
		ret = -ENOMEM;
		goto out_regs;
	}
	return 0;

out_regs:
	iounmap(hdev->regs.base);
	return ret;
}

void hearth_mmio_fini(struct hearth_device *hdev)
{
	iounmap(hdev->aperture.io);
	iounmap(hdev->regs.base);
}
