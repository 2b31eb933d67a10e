// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware: takes the image from the file system, checks its header as strictly as the board will,
 * copies it to the start of the aperture, which is kept for that, and has the board start it. Whose
 * image it is, the board decides, not the driver.
 *
 * An image for one board, named by its UUID, goes before the one for all. If it does not start, the
 * one for all is tried: an update that fails leaves the board as it was.
 */
#include <linux/crc32.h>
#include <linux/firmware.h>
#include <linux/io.h>
#include <linux/sizes.h>
#include <linux/uuid.h>

#include "hearth_device.h"
#include "hearth_fw.h"
#include "hearth_mmio.h"
#include "hearth_vram.h"

#define HEARTH_FIRMWARE	     "hearth/hbi-rv64.bin"
/* Kept for images at least: a larger one that comes later may find no room. */
#define HEARTH_STAGING_BYTES SZ_256K

static int hearth_fw_check(struct hearth_device *hdev, const char *name,
			   const struct firmware *image)
{
	const struct hbi_fw_header *header = (const void *)image->data;
	u64 end, dram_end = hdev->info.dram_base + hdev->info.dram_size;
	struct drm_device *drm = &hdev->drm;
	u32 crc;

	if (image->size < sizeof(*header) || header->magic != HBI_FW_MAGIC ||
	    header->header_bytes != HBI_FW_HEADER_SIZE) {
		drm_err(drm, "%s: no firmware image\n", name);
		return -EINVAL;
	}
	if (header->hbi_version >> 16 != HBI_VERSION_MAJOR) {
		drm_err(drm, "%s: for interface %u.%u (%u.x expected)\n", name,
			header->hbi_version >> 16, header->hbi_version & 0xffff, HBI_VERSION_MAJOR);
		return -EINVAL;
	}
	if (!header->image_bytes || header->image_bytes != image->size - sizeof(*header) ||
	    image->size > hdev->aperture.size) {
		drm_err(drm, "%s: %zu bytes, header says %llu + %u, aperture has %llu\n", name,
			image->size, header->image_bytes, HBI_FW_HEADER_SIZE, hdev->aperture.size);
		return -EINVAL;
	}
	if (header->memory_bytes < header->image_bytes ||
	    check_add_overflow(header->load_address, header->memory_bytes, &end) ||
	    header->load_address < hdev->info.dram_base || end > dram_end) {
		drm_err(drm, "%s: memory %#llx+%#llx is not inside the board's %#llx+%#llx\n", name,
			header->load_address, header->memory_bytes, hdev->info.dram_base,
			hdev->info.dram_size);
		return -EINVAL;
	}
	if (header->load_address < hdev->aperture.base + hdev->aperture.size &&
	    end > hdev->aperture.base) {
		drm_err(drm, "%s: memory %#llx+%#llx lies in the aperture, which is for buffers\n",
			name, header->load_address, header->memory_bytes);
		return -EINVAL;
	}
	crc = ~crc32_le(~0u, image->data + sizeof(*header), header->image_bytes);
	if (crc != header->crc32) {
		drm_err(drm, "%s: checksum %#x (header says %#x)\n", name, crc, header->crc32);
		return -EINVAL;
	}
	return 0;
}

/* Boots one image. -ENOENT: there is none of this name. */
static int hearth_fw_try(struct hearth_device *hdev, const char *name)
{
	const struct firmware *image;
	int ret;

	ret = firmware_request_nowarn(&image, name, &hdev->pdev->dev);
	if (ret)
		return ret;
	ret = hearth_fw_check(hdev, name, image);
	if (ret)
		goto out_release;

	ret = hearth_vram_stage(hdev, max_t(u64, image->size, HEARTH_STAGING_BYTES));
	if (ret) {
		drm_err(&hdev->drm, "%s: no room to stage its %zu bytes: %d\n", name, image->size,
			ret);
		goto out_release;
	}
	ret = hearth_board_reset(hdev);
	if (ret)
		goto out_release;

	memcpy_toio(hdev->aperture.io, image->data, image->size);
	/* The image is in the board's memory before BOOT: a read flushes the writes before it. */
	wmb();
	(void)readl(hdev->aperture.io);

	hearth_write64(hdev, HBI_REG_FW_ADDRESS, hdev->aperture.base);
	hearth_write64(hdev, HBI_REG_FW_SIZE, image->size);
	hearth_write32(hdev, HBI_REG_CONTROL, HBI_CONTROL_BOOT);
	ret = hearth_wait_status(hdev, HBI_STATE_READY, hdev->info.boot_ms);
	if (!ret)
		drm_dbg(&hdev->drm, "%s is started\n", name);

out_release:
	release_firmware(image);
	return ret;
}

int hearth_fw_boot(struct hearth_device *hdev)
{
	char own[sizeof("hearth/.bin") + UUID_STRING_LEN];
	int ret;

	snprintf(own, sizeof(own), "hearth/%pUb.bin", hdev->info.uuid);
	ret = hearth_fw_try(hdev, own);
	WRITE_ONCE(hdev->firmware_own, !ret);
	if (!ret || ret == -ENODEV)
		return ret;
	if (ret != -ENOENT)
		drm_warn(&hdev->drm, "%s: not started (%d), %s is tried\n", own, ret,
			 HEARTH_FIRMWARE);
	ret = hearth_fw_try(hdev, HEARTH_FIRMWARE);
	if (ret == -ENOENT)
		drm_err(&hdev->drm, "%s is not under /lib/firmware\n", HEARTH_FIRMWARE);
	return ret;
}

MODULE_FIRMWARE(HEARTH_FIRMWARE);
