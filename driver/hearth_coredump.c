// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: core dumps
 *
 * After a fault of a context, and after a reset or failure of the board, the kernel keeps a text
 * about it in /sys/class/devcoredump/devcdN/data, until somebody writes to that file or five
 * minutes are over. While there is one of a board, no other is made of it: the first failure is the
 * one that tells most.
 *
 * The registers are read at once, before a reset changes them. The text is put together by a
 * worker, which waits for the end of a reset: the firmware's log, which outlives it, tells how the
 * firmware came to its end, and only firmware that runs can be asked for it. Rings and buffers are
 * a process's own and are not in it.
 */
#include <linux/devcoredump.h>
#include <linux/ratelimit.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "hearth_device.h"
#include "hearth_mmio.h"
#include "hearth_show.h"

#define HEARTH_COREDUMP_BYTES (256 << 10)

/** struct hearth_coredump - of a board */
struct hearth_coredump {
	/** @hdev: the board */
	struct hearth_device *hdev;
	/** @work: makes the text */
	struct work_struct work;
	/** @limit: how often the faults of processes have one made */
	struct ratelimit_state limit;
	/** @lock: protects what follows */
	spinlock_t lock;
	/** @pending: what follows is of a failure whose text has not been made */
	bool pending;
	/** @why: a constant text */
	const char *why;
	/** @time: when, of the clock that does not stop in sleep */
	ktime_t time;
	/** @status: register, as are the next three */
	u32 status;
	/** @control: register */
	u32 control;
	/** @generation: register */
	u32 generation;
	/** @heartbeat: register */
	u64 heartbeat;
	/** @event: that told of the fault; its type is 0 if it was none */
	struct hbi_event event;
};

static void hearth_coredump_begin(struct hearth_device *hdev, const char *why,
				  const struct hbi_event *event)
{
	struct hearth_coredump *dump = hdev->coredump;
	unsigned long flags;

	if (!IS_ENABLED(CONFIG_DEV_COREDUMP))
		return;
	spin_lock_irqsave(&dump->lock, flags);
	if (!dump->pending) {
		dump->pending = true;
		dump->why = why;
		dump->time = ktime_get_boottime();
		dump->status = hearth_read32(hdev, HBI_REG_STATUS);
		dump->control = hearth_read32(hdev, HBI_REG_CONTROL);
		dump->generation = hearth_read32(hdev, HBI_REG_GENERATION);
		dump->heartbeat = hearth_read64(hdev, HBI_REG_HEARTBEAT);
		dump->event = event ? *event : (struct hbi_event){};
		queue_work(system_long_wq, &dump->work);
	}
	spin_unlock_irqrestore(&dump->lock, flags);
}

void hearth_coredump_take(struct hearth_device *hdev, const char *why)
{
	hearth_coredump_begin(hdev, why, NULL);
}

/* From the thread that takes events. A process may make as many faults as it likes. */
void hearth_coredump_fault(struct hearth_device *hdev, const struct hbi_event *event)
{
	if (__ratelimit(&hdev->coredump->limit))
		hearth_coredump_begin(hdev, "fault", event);
}

static void hearth_coredump_print_fault(const struct hbi_event *event, struct drm_printer *p)
{
	drm_printf(p, "queue: %u\n", event->fault.queue);
	drm_printf(p, "context: %u\n", event->fault.context);
	drm_printf(p, "error: %u (%s)\n", event->error, hearth_error_string(event->error));
	drm_printf(p, "address: %#llx\n", event->fault.address);
	drm_printf(p, "pc: %#llx\n", event->fault.pc);
	drm_printf(p, "packet: %llu\n", event->fault.packet);
	drm_printf(p, "hart: %u\n", event->fault.hart);
}

static void hearth_coredump_print(const struct hearth_coredump *dump, struct drm_printer *p)
{
	struct hearth_device *hdev = dump->hdev;

	drm_puts(p, "hearth-coredump: 1\n");
	drm_printf(p, "reason: %s\n", dump->why);
	drm_printf(p, "time_ms: %lld\n", ktime_to_ms(dump->time));
	drm_puts(p, "\n[board]\n");
	hearth_show_board(hdev, p);
	drm_puts(p, "\n[registers]\n");
	drm_printf(p, "status: %#x\n", dump->status);
	drm_printf(p, "control: %#x\n", dump->control);
	drm_printf(p, "generation: %u\n", dump->generation);
	drm_printf(p, "heartbeat: %llu\n", dump->heartbeat);
	if (dump->event.type) {
		drm_puts(p, "\n[fault]\n");
		hearth_coredump_print_fault(&dump->event, p);
	}
	drm_puts(p, "\n[queues]\n");
	hearth_show_queues(hdev, p);
	drm_puts(p, "\n[address spaces]\n");
	hearth_show_address_spaces(hdev, p);
	drm_puts(p, "\n[memory]\n");
	hearth_show_memory(hdev, p);
	drm_puts(p, "\n[admin queue]\n");
	hearth_admin_show(hdev, p);
	drm_puts(p, "\n[firmware log]\n");
	hearth_show_log(hdev, p);
	drm_puts(p, "\n[end]\n");
}

/* Puts the text into @text. Returns its length; 0 if the board was let go of. */
static size_t hearth_coredump_make(const struct hearth_coredump *dump, void *text)
{
	struct hearth_device *hdev = dump->hdev;
	struct drm_print_iterator where;
	struct drm_printer p;
	unsigned int tries;
	bool torn = true;
	u32 epoch;
	int idx;

	/* The reset that it is of may begin only now, and would make two halves of it. */
	for (tries = 0; torn && tries < 3; tries++) {
		wait_event_timeout(hdev->state_wait, hearth_device_state(hdev) != HEARTH_RESETTING,
				   msecs_to_jiffies(2 * hdev->info.boot_ms));
		if (!hearth_device_lock(hdev, &idx))
			return 0;
		epoch = hearth_device_epoch(hdev);
		where = (struct drm_print_iterator){
			.data = text,
			.remain = HEARTH_COREDUMP_BYTES,
		};
		p = drm_coredump_printer(&where);
		hearth_coredump_print(dump, &p);
		torn = epoch != hearth_device_epoch(hdev);
		hearth_device_exit(hdev, idx);
	}
	return HEARTH_COREDUMP_BYTES - where.remain;
}

static void hearth_coredump_work(struct work_struct *work)
{
	struct hearth_coredump *dump = container_of(work, struct hearth_coredump, work);
	void *text = vzalloc(HEARTH_COREDUMP_BYTES);
	size_t size = 0;

	/* It is not changed while it is pending, which this alone ends. */
	if (text)
		size = hearth_coredump_make(dump, text);
	if (size)
		/* It takes the memory over, and may find that there is a dump already. */
		dev_coredumpv(dump->hdev->drm.dev, text, size, GFP_KERNEL);
	else
		vfree(text);
	spin_lock_irq(&dump->lock);
	dump->pending = false;
	spin_unlock_irq(&dump->lock);
}

/* After drm_dev_unplug() and hearth_irq_fini(). */
void hearth_coredump_fini(struct hearth_device *hdev)
{
	cancel_work_sync(&hdev->coredump->work);
}

int hearth_coredump_init(struct hearth_device *hdev)
{
	struct hearth_coredump *dump;

	dump = drmm_kzalloc(&hdev->drm, sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->hdev = hdev;
	INIT_WORK(&dump->work, hearth_coredump_work);
	spin_lock_init(&dump->lock);
	ratelimit_state_init(&dump->limit, 10 * HZ, 2);
	ratelimit_set_flags(&dump->limit, RATELIMIT_MSG_ON_RELEASE);
	hdev->coredump = dump;
	return 0;
}
