// SPDX-License-Identifier: GPL-2.0-only
/*
 * The admin queue and the event ring. Commands are rare (set-up and tear-down only), so one is in
 * flight at a time, under a mutex, and its issuer takes the completion itself: the interrupt only
 * wakes it. Every wait is bounded by the board's own promise; a board that breaks it is reset,
 * since nothing is known of what it does then. Callers hold a hearth_device_enter() section, or are
 * probe or the reset.
 */
#include <linux/dma-mapping.h>
#include <linux/wait.h>

#include "hearth_admin.h"
#include "hearth_device.h"
#include "hearth_mmio.h"
#include "hearth_queue.h"
#include "hearth_show.h"
#include "hearth_trace.h"
#include "hearth_reset.h"

#define HEARTH_ADMIN_LOG2    6
#define HEARTH_ADMIN_ENTRIES BIT(HEARTH_ADMIN_LOG2)
#define HEARTH_EVENT_LOG2    6
#define HEARTH_EVENT_ENTRIES BIT(HEARTH_EVENT_LOG2)

/* Of those that came last, in debugfs and core dumps. */
#define HEARTH_ADMIN_SHOWN   16u

/* The waiter looks by itself this often, should an interrupt be lost. */
#define HEARTH_ADMIN_POLL_MS 100

/** union hearth_command - a slot of the submission ring */
union hearth_command {
	/** @header: of all commands */
	struct hbi_admin_header header;
	/** @identify: HBI_ADMIN_IDENTIFY */
	struct hbi_admin_identify identify;
	/** @create_context: HBI_ADMIN_CREATE_CONTEXT */
	struct hbi_admin_create_context create_context;
	/** @destroy_context: HBI_ADMIN_DESTROY_CONTEXT */
	struct hbi_admin_destroy_context destroy_context;
	/** @invalidate: HBI_ADMIN_INVALIDATE_TLB */
	struct hbi_admin_invalidate_tlb invalidate;
	/** @create_queue: HBI_ADMIN_CREATE_QUEUE */
	struct hbi_admin_create_queue create_queue;
	/** @destroy_queue: HBI_ADMIN_DESTROY_QUEUE */
	struct hbi_admin_destroy_queue destroy_queue;
	/** @telemetry: HBI_ADMIN_TELEMETRY */
	struct hbi_admin_telemetry telemetry;
	/** @log_read: HBI_ADMIN_LOG_READ */
	struct hbi_admin_log_read log_read;
	/** @power_limit: HBI_ADMIN_POWER_LIMIT */
	struct hbi_admin_power_limit power_limit;
};

/** struct hearth_rings - what the board reads and writes, in coherent host memory */
struct hearth_rings {
	/** @sq: commands */
	union hearth_command sq[HEARTH_ADMIN_ENTRIES];
	/** @cq: completions */
	struct hbi_admin_completion cq[HEARTH_ADMIN_ENTRIES];
	/** @events: events */
	struct hbi_event events[HEARTH_EVENT_ENTRIES];
	/** @identity: where IDENTIFY answers */
	struct hbi_identity identity;
	/** @telemetry: where TELEMETRY answers; protected by hearth_admin.lock */
	struct hbi_telemetry telemetry;
	/** @log: where LOG_READ answers, likewise */
	struct hbi_log log;
};

/** struct hearth_admin - the admin queue of a board */
struct hearth_admin {
	/** @lock: one command at a time; protects @count */
	struct mutex lock;
	/** @wait: of the one issuer */
	wait_queue_head_t wait;
	/** @rings: see there */
	struct hearth_rings *rings;
	/** @dma: bus address of @rings */
	dma_addr_t dma;
	/** @count: free-running number of commands written and, between commands, completed */
	u32 count;
	/** @open: commands are taken, from hearth_admin_enable() on; read atomically */
	bool open;
	/** @event_lock: protects @event_head; outside hearth_device.queues.lock */
	struct mutex event_lock;
	/** @event_head: free-running number of events taken */
	u32 event_head;
};

static const char *const hearth_error_text[] = {
	[HBI_OK] = "no error",
	[HBI_ERROR_OPCODE] = "unknown packet or command",
	[HBI_ERROR_FIELD] = "field out of range",
	[HBI_ERROR_RING] = "bad ring tail",
	[HBI_ERROR_NESTING] = "nested INDIRECT",
	[HBI_ERROR_LOAD] = "load refused",
	[HBI_ERROR_STORE] = "store refused",
	[HBI_ERROR_FETCH] = "instruction fetch refused",
	[HBI_ERROR_INSTRUCTION] = "illegal instruction",
	[HBI_ERROR_MISALIGNED] = "misaligned access",
	[HBI_ERROR_TIMEOUT] = "dispatch ran too long",
	[HBI_ERROR_HOST_DMA] = "host refused a bus address",
	[HBI_ERROR_CANCELED] = "canceled",
	[HBI_ERROR_EXISTS] = "id in use",
	[HBI_ERROR_NO_ENTRY] = "no such id",
	[HBI_ERROR_BUSY] = "busy",
	[HBI_ERROR_NO_RESOURCES] = "no resources",
	[HBI_ERROR_INTERNAL] = "internal error",
};

const char *hearth_error_string(u32 error)
{
	return error < ARRAY_SIZE(hearth_error_text) ? hearth_error_text[error] : "unknown error";
}

static int hearth_error_to_errno(u32 error)
{
	switch (error) {
	case HBI_OK:
		return 0;
	case HBI_ERROR_NO_RESOURCES:
		return -EBUSY;
	case HBI_ERROR_FIELD:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static bool hearth_admin_completed(struct hearth_admin *admin, u32 number)
{
	struct hbi_admin_completion *entry = &admin->rings->cq[number % HEARTH_ADMIN_ENTRIES];

	/* Acquire: the rest of the entry is read after its sequence number. */
	return smp_load_acquire(&entry->sequence) == number + 1;
}

static bool hearth_admin_is_open(struct hearth_device *hdev)
{
	return READ_ONCE(hdev->admin->open) && hearth_device_state(hdev) != HEARTH_GONE;
}

static bool hearth_admin_wait(struct hearth_device *hdev, u32 number)
{
	struct hearth_admin *admin = hdev->admin;
	unsigned long deadline = jiffies + msecs_to_jiffies(hdev->info.admin_ms) + 1;

	while (!wait_event_timeout(admin->wait, hearth_admin_completed(admin, number),
				   msecs_to_jiffies(HEARTH_ADMIN_POLL_MS))) {
		/* Looked at once more: this task may have been late, not the board. */
		if (time_after(jiffies, deadline))
			return hearth_admin_completed(admin, number);
		if (!hearth_admin_is_open(hdev))
			return false;
	}
	return true;
}

/*
 * A command was not completed. -ETIMEDOUT: the firmware serves all the same, so that it is what the
 * command names that it cannot end.
 */
static int hearth_admin_late(struct hearth_device *hdev, u16 opcode)
{
	bool ends = opcode == HBI_ADMIN_DESTROY_QUEUE || opcode == HBI_ADMIN_DESTROY_CONTEXT ||
		    opcode == HBI_ADMIN_INVALIDATE_TLB;

	ends = ends && hearth_admin_is_open(hdev) && hearth_mmio_beats(hdev);
	hearth_device_fail(hdev, "an admin command was not completed in time");
	return ends ? -ETIMEDOUT : hearth_device_error(hdev);
}

/* Runs @command; what it answered with, @size bytes of the rings at @from, is copied to @to. */
static int hearth_admin_ask(struct hearth_device *hdev, union hearth_command *command, u16 opcode,
			    void *to, const void *from, size_t size)
{
	struct hearth_admin *admin = hdev->admin;
	struct hbi_admin_completion done;
	u64 start = ktime_get_ns();
	u32 number;
	int ret;

	mutex_lock(&admin->lock);
	if (!hearth_admin_is_open(hdev)) {
		ret = hearth_device_error(hdev) ?: -EIO;
		goto out_unlock;
	}

	number = admin->count++;
	command->header.opcode = opcode;
	command->header.id = number & 0xffff;
	admin->rings->sq[number % HEARTH_ADMIN_ENTRIES] = *command;
	/* The command is in memory before the board is told of it. */
	dma_wmb();
	hearth_write32(hdev, HBI_REG_ADMIN_TAIL, admin->count);

	if (!hearth_admin_wait(hdev, number)) {
		ret = hearth_admin_late(hdev, opcode);
		goto out_unlock;
	}
	done = admin->rings->cq[number % HEARTH_ADMIN_ENTRIES];
	if (done.id != (number & 0xffff)) {
		hearth_device_fail(hdev, "a completion names another command");
		ret = hearth_device_error(hdev);
		goto out_unlock;
	}
	ret = hearth_error_to_errno(done.status);
	if (ret)
		drm_dbg(&hdev->drm, "admin command %u: %s\n", opcode,
			hearth_error_string(done.status));
	else if (size)
		memcpy(to, from, size);

out_unlock:
	mutex_unlock(&admin->lock);
	trace_hearth_admin(hdev, opcode, ret, ktime_get_ns() - start);
	return ret;
}

static int hearth_admin_run(struct hearth_device *hdev, union hearth_command *command, u16 opcode)
{
	return hearth_admin_ask(hdev, command, opcode, NULL, NULL, 0);
}

/* In place: text up to the first zero, what cannot be printed as '?', the rest zero. */
static void hearth_sanitize(u8 *text, size_t size)
{
	size_t i;

	text[size - 1] = 0;
	for (i = 0; text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	memset(text + i, 0, size - i);
}

int hearth_admin_identify(struct hearth_device *hdev)
{
	struct hearth_admin *admin = hdev->admin;
	union hearth_command command = {
		.identify.address = admin->dma + offsetof(struct hearth_rings, identity),
	};
	struct hbi_identity *identity = &hdev->identity;
	int ret;

	ret = hearth_admin_run(hdev, &command, HBI_ADMIN_IDENTIFY);
	if (ret)
		return ret;
	*identity = admin->rings->identity;
	hearth_sanitize(identity->board_name, sizeof(identity->board_name));
	hearth_sanitize(identity->serial, sizeof(identity->serial));
	hearth_sanitize(identity->firmware_version, sizeof(identity->firmware_version));
	hearth_sanitize(identity->isa, sizeof(identity->isa));
	hearth_sanitize(identity->vendor, sizeof(identity->vendor));
	return 0;
}

int hearth_admin_create_context(struct hearth_device *hdev, u32 context, u64 root)
{
	union hearth_command command = {
		.create_context = { .context = context, .root = root },
	};

	return hearth_admin_run(hdev, &command, HBI_ADMIN_CREATE_CONTEXT);
}

int hearth_admin_destroy_context(struct hearth_device *hdev, u32 context)
{
	union hearth_command command = {
		.destroy_context.context = context,
	};

	return hearth_admin_run(hdev, &command, HBI_ADMIN_DESTROY_CONTEXT);
}

/* Size 0: all of the context. */
int hearth_admin_invalidate(struct hearth_device *hdev, u32 context, u64 va, u64 size)
{
	union hearth_command command = {
		.invalidate = { .context = context, .address = va, .size = size },
	};

	return hearth_admin_run(hdev, &command, HBI_ADMIN_INVALIDATE_TLB);
}

int hearth_admin_create_queue(struct hearth_device *hdev, struct hbi_admin_create_queue *create)
{
	union hearth_command command = {
		.create_queue = *create,
	};

	return hearth_admin_run(hdev, &command, HBI_ADMIN_CREATE_QUEUE);
}

int hearth_admin_destroy_queue(struct hearth_device *hdev, u32 queue)
{
	union hearth_command command = {
		.destroy_queue.queue = queue,
	};

	return hearth_admin_run(hdev, &command, HBI_ADMIN_DESTROY_QUEUE);
}

/* Context 0: what is told of a context is zero. */
int hearth_admin_telemetry(struct hearth_device *hdev, u32 context, struct hbi_telemetry *out)
{
	struct hearth_admin *admin = hdev->admin;
	union hearth_command command = {
		.telemetry = {
			.address = admin->dma + offsetof(struct hearth_rings, telemetry),
			.context = context,
		},
	};

	return hearth_admin_ask(hdev, &command, HBI_ADMIN_TELEMETRY, out, &admin->rings->telemetry,
				sizeof(*out));
}

/* 0: the board's own. -EINVAL: out of the range that telemetry tells. */
int hearth_admin_power_limit(struct hearth_device *hdev, u32 milliwatts)
{
	union hearth_command command = {
		.power_limit.limit_mw = milliwatts,
	};

	return hearth_admin_run(hdev, &command, HBI_ADMIN_POWER_LIMIT);
}

/* Entries of the firmware's log from number @first on, made printable. */
int hearth_admin_log(struct hearth_device *hdev, u64 first, struct hbi_log *out)
{
	struct hearth_admin *admin = hdev->admin;
	union hearth_command command = {
		.log_read = {
			.address = admin->dma + offsetof(struct hearth_rings, log),
			.first = first,
		},
	};
	int ret;
	u32 i;

	ret = hearth_admin_ask(hdev, &command, HBI_ADMIN_LOG_READ, out, &admin->rings->log,
			       sizeof(*out));
	if (ret)
		return ret;
	out->count = min_t(u32, out->count, HBI_LOG_ENTRIES);
	for (i = 0; i < out->count; i++)
		hearth_sanitize(out->entries[i].text, sizeof(out->entries[i].text));
	return 0;
}

/* The newest commands and what came of them. */
void hearth_admin_show(struct hearth_device *hdev, struct drm_printer *p)
{
	struct hearth_admin *admin = hdev->admin;
	u32 number;

	mutex_lock(&admin->lock);
	drm_printf(p, "commands: %u\n", admin->count);
	drm_printf(p, "events: %u\n", READ_ONCE(admin->event_head));
	for (number = admin->count - min(admin->count, HEARTH_ADMIN_SHOWN); number != admin->count;
	     number++) {
		const struct hearth_rings *rings = admin->rings;
		u16 opcode = rings->sq[number % HEARTH_ADMIN_ENTRIES].header.opcode;
		u32 status = rings->cq[number % HEARTH_ADMIN_ENTRIES].status;

		if (hearth_admin_completed(admin, number))
			drm_printf(p, "command %u: opcode %u, %s\n", number, opcode,
				   hearth_error_string(status));
		else
			drm_printf(p, "command %u: opcode %u, not completed\n", number, opcode);
	}
	mutex_unlock(&admin->lock);
}

/* From the hard interrupt: completions are the issuer's. */
void hearth_admin_interrupt(struct hearth_device *hdev)
{
	struct hearth_admin *admin = READ_ONCE(hdev->admin);

	if (admin)
		wake_up_all(&admin->wait);
}

/* No command is begun from here on, and none is waited for. */
void hearth_admin_close(struct hearth_device *hdev)
{
	struct hearth_admin *admin = READ_ONCE(hdev->admin);

	if (!admin)
		return;
	WRITE_ONCE(admin->open, false);
	wake_up_all(&admin->wait);
}

static void hearth_admin_event(struct hearth_device *hdev, struct hbi_event *event)
{
	switch (event->type) {
	case HBI_EVENT_QUEUE_ERROR:
		if (event->fault.lost)
			dev_notice_ratelimited(hdev->drm.dev, "%u events were lost\n",
					       event->fault.lost);
		hearth_queue_event(hdev, event, hearth_error_string(event->error));
		break;
	case HBI_EVENT_FATAL:
		hearth_device_fail(hdev, hearth_error_string(event->error));
		break;
	case HBI_EVENT_LOG:
		hearth_sanitize(event->text, sizeof(event->text));
		dev_info_ratelimited(hdev->drm.dev, "board: %s\n", event->text);
		break;
	default:
		dev_notice_ratelimited(hdev->drm.dev, "event of unknown type %u\n", event->type);
	}
}

/* Takes what is in the event ring, a ring's worth at most. Sleeps. */
void hearth_admin_events(struct hearth_device *hdev)
{
	struct hearth_admin *admin = READ_ONCE(hdev->admin);
	u32 taken;
	int idx;

	if (!admin)
		return;
	mutex_lock(&admin->event_lock);
	/* While the board is brought up, the rings are not this function's. */
	if (!READ_ONCE(admin->open))
		goto out_unlock;
	for (taken = 0; taken < HEARTH_EVENT_ENTRIES; taken++) {
		u32 number = admin->event_head;
		struct hbi_event *entry = &admin->rings->events[number % HEARTH_EVENT_ENTRIES];
		struct hbi_event event;

		/* Acquire: the rest of the entry is read after its sequence number. */
		if (smp_load_acquire(&entry->sequence) != number + 1)
			break;
		event = *entry;
		admin->event_head++;
		hearth_admin_event(hdev, &event);
	}
	if (taken && drm_dev_enter(&hdev->drm, &idx)) {
		hearth_write32(hdev, HBI_REG_EVENT_HEAD, admin->event_head);
		drm_dev_exit(idx);
	}
out_unlock:
	mutex_unlock(&admin->event_lock);
}

/* Gives the board its rings: HBI_STATE_READY to HBI_STATE_RUNNING. */
int hearth_admin_enable(struct hearth_device *hdev)
{
	struct hearth_admin *admin = hdev->admin;
	int ret;

	/* Both sides count from 0, and no sequence number of before may be taken for a new one. */
	mutex_lock(&admin->event_lock);
	memset(admin->rings, 0, sizeof(*admin->rings));
	admin->event_head = 0;
	mutex_unlock(&admin->event_lock);
	mutex_lock(&admin->lock);
	admin->count = 0;
	mutex_unlock(&admin->lock);

	hearth_write64(hdev, HBI_REG_ADMIN_SQ, admin->dma + offsetof(struct hearth_rings, sq));
	hearth_write64(hdev, HBI_REG_ADMIN_CQ, admin->dma + offsetof(struct hearth_rings, cq));
	hearth_write64(hdev, HBI_REG_EVENT_RING,
		       admin->dma + offsetof(struct hearth_rings, events));
	hearth_write32(hdev, HBI_REG_RING_SIZES,
		       HEARTH_ADMIN_LOG2 | HEARTH_ADMIN_LOG2 << 8 | HEARTH_EVENT_LOG2 << 16);
	hearth_write32(hdev, HBI_REG_CONTROL, HBI_CONTROL_ENABLE);
	ret = hearth_wait_status(hdev, HBI_STATE_RUNNING, hdev->info.boot_ms);
	if (!ret)
		WRITE_ONCE(admin->open, true);
	return ret;
}

int hearth_admin_init(struct hearth_device *hdev)
{
	struct hearth_admin *admin;

	BUILD_BUG_ON(sizeof(union hearth_command) != 64);

	admin = kzalloc_obj(struct hearth_admin, GFP_KERNEL);
	if (!admin)
		return -ENOMEM;
	admin->rings = dma_alloc_coherent(&hdev->pdev->dev, sizeof(*admin->rings), &admin->dma,
					  GFP_KERNEL);
	if (!admin->rings) {
		kfree(admin);
		return -ENOMEM;
	}
	mutex_init(&admin->lock);
	mutex_init(&admin->event_lock);
	init_waitqueue_head(&admin->wait);
	WRITE_ONCE(hdev->admin, admin);
	return 0;
}

/* Only after hearth_irq_fini() and after the board was stopped. */
void hearth_admin_fini(struct hearth_device *hdev)
{
	struct hearth_admin *admin = hdev->admin;

	WRITE_ONCE(hdev->admin, NULL);
	dma_free_coherent(&hdev->pdev->dev, sizeof(*admin->rings), admin->rings, admin->dma);
	mutex_destroy(&admin->event_lock);
	mutex_destroy(&admin->lock);
	kfree(admin);
}
