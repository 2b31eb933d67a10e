// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board's folder in debugfs: one file for each text of hearth_show.c. For root, as all of
 * debugfs. A reset that is under way is waited for; a board that sleeps is left asleep.
 */
#include <drm/drm_debugfs.h>
#include <drm/drm_print.h>

#include "hearth_device.h"
#include "hearth_show.h"

static int hearth_debugfs_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct hearth_device *hdev = to_hearth_device(entry->dev);
	void (*show)(struct hearth_device *hdev, struct drm_printer *p) = entry->file.data;
	struct drm_printer p = drm_seq_file_printer(m);
	int idx;

	if (!hearth_device_lock(hdev, &idx))
		return -ENODEV;
	show(hdev, &p);
	hearth_device_exit(hdev, idx);
	return 0;
}

static const struct drm_debugfs_info hearth_debugfs_files[] = {
	{ "board", hearth_debugfs_show, 0, hearth_show_board },
	{ "queues", hearth_debugfs_show, 0, hearth_show_queues },
	{ "address_spaces", hearth_debugfs_show, 0, hearth_show_address_spaces },
	{ "memory", hearth_debugfs_show, 0, hearth_show_memory },
	{ "admin", hearth_debugfs_show, 0, hearth_admin_show },
	{ "firmware_log", hearth_debugfs_show, 0, hearth_show_log },
};

void hearth_debugfs_init(struct hearth_device *hdev)
{
	drm_debugfs_add_files(&hdev->drm, hearth_debugfs_files, ARRAY_SIZE(hearth_debugfs_files));
}
