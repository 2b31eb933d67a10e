// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset of the board: what begins one, what it does, and how often it is tried.
 *
 * It begins at once and for all. The epoch is one more, so that all contexts are dead; the board is
 * cut off from host memory, so that what it could reach may be freed; who waits is woken. Beginning
 * one never waits for anybody, and beginning it twice does no more than once. The rest is done by
 * one worker: it waits until nobody speaks with the board, takes the mappings of doorbells and
 * board memory away, and brings the board up as if it had just been found. Board memory stays as
 * the board leaves it; buffers stay with their owners.
 *
 * A board that breaks its contract is reset so, but not without end: after resets_per_minute it
 * stays failed until somebody resets it by hand, or binds it again. Function-level resets, errors
 * of the bus and suspend begin a reset by hearth_reset_hold(), and have it done by
 * hearth_reset_release() when they are over.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "hearth_admin.h"
#include "hearth_device.h"
#include "hearth_irq.h"
#include "hearth_mmio.h"
#include "hearth_pci.h"
#include "hearth_queue.h"
#include "hearth_reset.h"
#include "hearth_show.h"

#define HEARTH_MAX_RECENT 16u
static unsigned int resets_per_minute = 3;
module_param(resets_per_minute, uint, 0644);
MODULE_PARM_DESC(
	resets_per_minute,
	"resets of a board that broke its contract before it stays failed (3, at most 16)");

static unsigned int heartbeat_ms = 2000;
module_param(heartbeat_ms, uint, 0644);
MODULE_PARM_DESC(heartbeat_ms,
		 "time between two looks at a board that has queues, 0 for none (2000)");

/** struct hearth_reset - the resets of a board, and the watch over it */
struct hearth_reset {
	/** @hdev: the board */
	struct hearth_device *hdev;
	/** @queue: of @work and @watch; stands still while the system is suspended */
	struct workqueue_struct *queue;
	/** @work: brings the board up again */
	struct work_struct work;
	/** @lock: one beginning at a time; protects what follows but @watch's and @count */
	struct mutex lock;
	/** @held: @work is not queued, since the function itself is being reset or is asleep */
	bool held;
	/** @expires: jiffies when @held is taken back by @watch; 0: never */
	unsigned long expires;
	/** @why: of the last one; a constant text */
	const char *why;
	/** @automatic: free-running number of those that nobody asked for */
	unsigned int automatic;
	/** @recent: when the last of those were, at @automatic modulo the array's size */
	ktime_t recent[HEARTH_MAX_RECENT];
	/** @count: done, since the board was bound; read atomically */
	u32 count;
	/** @watch: looks whether the firmware serves */
	struct delayed_work watch;
	/** @beat: what HEARTBEAT was when it was seen to grow; @watch's alone */
	u64 beat;
	/** @beat_at: jiffies of that; read and written atomically */
	unsigned long beat_at;
};

u32 hearth_reset_count(struct hearth_device *hdev)
{
	return READ_ONCE(hdev->reset->count);
}

/* ---- The beginning ---- */

/*
 * The end of all contexts. A context that is made later gets the new epoch only after the admin
 * queue was closed, so that it is never one that the board forgets. What the board can reach of
 * host memory may be freed after this.
 */
static void hearth_reset_cut(struct hearth_device *hdev)
{
	hearth_admin_close(hdev);
	/* Release: pairs with hearth_device_epoch(). */
	smp_store_release(&hdev->epoch, hdev->epoch + 1);
	pci_clear_master(hdev->pdev);
	hearth_write32(hdev, HBI_REG_CONTROL, HBI_CONTROL_RESET);
	hearth_queue_cancel_all(hdev);
}

/* To HEARTH_FAILED or HEARTH_GONE. */
static void hearth_reset_stop(struct hearth_reset *reset, enum hearth_state state, const char *why)
{
	lockdep_assert_held(&reset->lock);

	if (!hearth_device_change(reset->hdev, state))
		return;
	hearth_coredump_take(reset->hdev, why);
	hearth_reset_cut(reset->hdev);
	dev_err(reset->hdev->drm.dev, "board %s: %s\n", state == HEARTH_GONE ? "is gone" : "failed",
		why);
}

static void hearth_reset_begin(struct hearth_reset *reset, const char *why)
{
	lockdep_assert_held(&reset->lock);

	if (!hearth_device_change(reset->hdev, HEARTH_RESETTING))
		return;
	hearth_reset_cut(reset->hdev);
	reset->why = why;
	dev_notice(reset->hdev->drm.dev, "reset: %s\n", why);
	if (!reset->held)
		queue_work(reset->queue, &reset->work);
}

/* Whether one more reset that nobody asked for is not too many, and counts it. */
static bool hearth_reset_may(struct hearth_reset *reset)
{
	unsigned int limit = min(READ_ONCE(resets_per_minute), HEARTH_MAX_RECENT);
	ktime_t now = ktime_get_boottime(), *slot;

	lockdep_assert_held(&reset->lock);
	if (!limit)
		return false;
	slot = &reset->recent[(reset->automatic - limit) % HEARTH_MAX_RECENT];
	if (reset->automatic >= limit && ktime_before(now, ktime_add_ms(*slot, 60000)))
		return false;
	reset->recent[reset->automatic++ % HEARTH_MAX_RECENT] = now;
	return true;
}

/*
 * The board broke its contract: it is not to be trusted any more. Waits for nobody. @why: a
 * constant text.
 */
void hearth_device_fail(struct hearth_device *hdev, const char *why)
{
	struct hearth_reset *reset = hdev->reset;
	int idx;

	if (!drm_dev_enter(&hdev->drm, &idx))
		return;
	mutex_lock(&reset->lock);
	if (hearth_device_state(hdev) == HEARTH_LIVE)
		hearth_coredump_take(hdev, why);
	if (hearth_device_away(hdev))
		hearth_admin_close(hdev);
	else if (pci_channel_offline(hdev->pdev))
		/* The bus knows, and tells when it is well again. */
		hearth_reset_begin(reset, why);
	else if (hearth_mmio_gone(hdev))
		hearth_reset_stop(reset, HEARTH_GONE, why);
	else if (hearth_device_state(hdev) == HEARTH_LIVE && hearth_reset_may(reset))
		hearth_reset_begin(reset, why);
	else
		hearth_reset_stop(reset, HEARTH_FAILED, why);
	mutex_unlock(&reset->lock);
	drm_dev_exit(idx);
}

/* ---- The reset itself ---- */

/*
 * No process reaches the doorbells or the aperture after this, until page faults map them again:
 * for contexts of the new epoch, once the board is live.
 */
static void hearth_reset_revoke(struct hearth_device *hdev)
{
	/* A page fault that saw the old state has mapped what it maps when this has been had. */
	down_write(&hdev->fault_lock);
	up_write(&hdev->fault_lock);
	unmap_mapping_range(hdev->drm.anon_inode->i_mapping, 0, 0, 1);
}

static void hearth_reset_tell(struct hearth_reset *reset)
{
	struct hearth_device *hdev = reset->hdev;
	char state[32], epoch[32], why[96];
	char *env[5] = { "HEARTH_EVENT=reset", state, epoch, why, NULL };

	snprintf(state, sizeof(state), "HEARTH_STATE=%s", hearth_device_state_name(hdev));
	snprintf(epoch, sizeof(epoch), "HEARTH_EPOCH=%u", hearth_device_epoch(hdev));
	snprintf(why, sizeof(why), "HEARTH_REASON=%s", reset->why);
	kobject_uevent_env(&hdev->drm.accel->kdev->kobj, KOBJ_CHANGE, env);
}

static int hearth_reset_board(struct hearth_device *hdev)
{
	int ret = hearth_board_reset(hdev);

	if (ret)
		return ret;
	/* It has forgotten the queues; a new one's status is written from its creation on. */
	hearth_queue_unmap_all(hdev);
	return hearth_device_boot(hdev);
}

static void hearth_reset_work(struct work_struct *work)
{
	struct hearth_reset *reset = container_of(work, struct hearth_reset, work);
	struct hearth_device *hdev = reset->hdev;
	int idx, ret = 0;
	bool done = false;

	if (!drm_dev_enter(&hdev->drm, &idx))
		return;
	down_write(&hdev->reset_lock);
	if (hearth_device_state(hdev) == HEARTH_RESETTING) {
		hearth_reset_revoke(hdev);
		ret = hearth_reset_board(hdev);
		mutex_lock(&reset->lock);
		if (ret)
			hearth_reset_stop(reset,
					  hearth_mmio_gone(hdev) ? HEARTH_GONE : HEARTH_FAILED,
					  "it did not come up after a reset");
		else
			hearth_device_change(hdev, HEARTH_LIVE);
		WRITE_ONCE(reset->count, reset->count + 1);
		mutex_unlock(&reset->lock);
		done = true;
	}
	up_write(&hdev->reset_lock);
	if (done) {
		hearth_admin_events(hdev);
		hearth_reset_tell(reset);
	}
	drm_dev_exit(idx);
}

/* A board that slept woke up in another state. */
void hearth_reset_lost(struct hearth_device *hdev, const char *why)
{
	struct hearth_reset *reset = hdev->reset;

	mutex_lock(&reset->lock);
	hearth_reset_begin(reset, why);
	mutex_unlock(&reset->lock);
}

/* Returns when it is done: 0, -EIO or -ENODEV; -EBUSY while the function is reset or asleep. */
int hearth_reset_by_hand(struct hearth_device *hdev)
{
	struct hearth_reset *reset = hdev->reset;
	int ret;

	ret = hearth_pm_get(hdev);
	if (ret)
		return ret;
	mutex_lock(&reset->lock);
	reset->automatic = 0;
	hearth_coredump_take(hdev, "a reset was asked for");
	hearth_reset_begin(reset, "asked for");
	mutex_unlock(&reset->lock);
	flush_work(&reset->work);
	hearth_pm_put(hdev);
	ret = hearth_device_error(hdev);
	return ret == -ECANCELED ? -EBUSY : ret;
}

/*
 * Begins a reset that is done by hearth_reset_release(). When this returns, nothing in the kernel
 * and no process speaks with the board, and nothing will before that. For the PCI core's callbacks,
 * which keep the driver bound. @longest_ms: if it is not 0, the reset is done then at the latest.
 */
void hearth_reset_hold(struct hearth_device *hdev, const char *why, unsigned int longest_ms)
{
	struct hearth_reset *reset = hdev->reset;

	mutex_lock(&reset->lock);
	reset->held = true;
	mutex_unlock(&reset->lock);
	cancel_work_sync(&reset->work);
	cancel_delayed_work_sync(&reset->watch);

	mutex_lock(&reset->lock);
	hearth_reset_begin(reset, why);
	mutex_unlock(&reset->lock);
	/* Who came in before it began has left when this has been had. */
	down_write(&hdev->reset_lock);
	up_write(&hdev->reset_lock);
	hearth_reset_revoke(hdev);
	hearth_irq_synchronize(hdev);
	if (longest_ms) {
		WRITE_ONCE(reset->expires, (jiffies + msecs_to_jiffies(longest_ms)) ?: 1);
		queue_delayed_work(reset->queue, &reset->watch, msecs_to_jiffies(longest_ms));
	}
}

void hearth_reset_release(struct hearth_device *hdev)
{
	struct hearth_reset *reset = hdev->reset;

	mutex_lock(&reset->lock);
	reset->held = false;
	WRITE_ONCE(reset->expires, 0);
	queue_work(reset->queue, &reset->work);
	mutex_unlock(&reset->lock);
}

void hearth_reset_finish(struct hearth_device *hdev)
{
	flush_work(&hdev->reset->work);
}

/* ---- The watch ---- */

static bool hearth_reset_has_queues(struct hearth_device *hdev)
{
	bool has;

	spin_lock(&hdev->queues.lock);
	has = memchr_inv(hdev->queues.table, 0, sizeof(hdev->queues.table));
	spin_unlock(&hdev->queues.lock);
	return has;
}

/* A board with queues is looked at; others are let sleep. */
void hearth_reset_watch(struct hearth_device *hdev)
{
	struct hearth_reset *reset = hdev->reset;
	unsigned int period = READ_ONCE(heartbeat_ms);

	if (period && !delayed_work_pending(&reset->watch)) {
		WRITE_ONCE(reset->beat_at, jiffies);
		queue_delayed_work(reset->queue, &reset->watch, msecs_to_jiffies(period));
	}
}

/* A busy machine may be late itself: silence counts only when it is as long as a command may be. */
static void hearth_reset_look(struct hearth_reset *reset)
{
	struct hearth_device *hdev = reset->hdev;
	unsigned long limit =
		msecs_to_jiffies(max(hdev->info.admin_ms, 2 * READ_ONCE(heartbeat_ms)));
	u32 state = hearth_read32(hdev, HBI_REG_STATUS) & 0xff;
	u64 beat = hearth_read64(hdev, HBI_REG_HEARTBEAT);

	if (state != HBI_STATE_RUNNING) {
		hearth_device_fail(hdev, "its firmware has ended");
	} else if (beat != reset->beat) {
		reset->beat = beat;
		WRITE_ONCE(reset->beat_at, jiffies);
	} else if (time_after(jiffies, READ_ONCE(reset->beat_at) + limit)) {
		hearth_device_fail(hdev, "its firmware no longer serves");
	}
}

static void hearth_reset_watch_work(struct work_struct *work)
{
	struct hearth_reset *reset = container_of(work, struct hearth_reset, watch.work);
	struct hearth_device *hdev = reset->hdev;
	unsigned long expires = READ_ONCE(reset->expires);
	int idx, ret;

	if (expires && time_after_eq(jiffies, expires))
		hearth_reset_release(hdev);
	ret = hearth_device_peek(hdev, &idx);
	if (!ret) {
		if (hearth_device_state(hdev) == HEARTH_LIVE)
			hearth_reset_look(reset);
		hearth_device_exit(hdev, idx);
	}
	if (ret != -ENODEV && hearth_reset_has_queues(hdev) && READ_ONCE(heartbeat_ms))
		queue_delayed_work(reset->queue, &reset->watch,
				   msecs_to_jiffies(READ_ONCE(heartbeat_ms)));
}

static void hearth_reset_destroy(struct drm_device *drm, void *data)
{
	struct hearth_reset *reset = data;

	destroy_workqueue(reset->queue);
}

int hearth_reset_init(struct hearth_device *hdev)
{
	struct hearth_reset *reset;
	int ret;

	reset = drmm_kzalloc(&hdev->drm, sizeof(*reset), GFP_KERNEL);
	if (!reset)
		return -ENOMEM;
	reset->hdev = hdev;
	ret = drmm_mutex_init(&hdev->drm, &reset->lock);
	if (ret)
		return ret;
	INIT_WORK(&reset->work, hearth_reset_work);
	INIT_DELAYED_WORK(&reset->watch, hearth_reset_watch_work);
	reset->queue = alloc_ordered_workqueue("hearth-reset", WQ_FREEZABLE);
	if (!reset->queue)
		return -ENOMEM;
	hdev->reset = reset;
	return drmm_add_action_or_reset(&hdev->drm, hearth_reset_destroy, reset);
}

/* After drm_dev_unplug(): nothing begins a reset any more. */
void hearth_reset_fini(struct hearth_device *hdev)
{
	cancel_work_sync(&hdev->reset->work);
	cancel_delayed_work_sync(&hdev->reset->watch);
}
