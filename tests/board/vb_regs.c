// SPDX-License-Identifier: MIT
/*
 * BAR0: the register block, the doorbell pages, and the board's state machine. Nothing here waits
 * for anything but the end of the SoC's process at a reset.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "vb.h"

struct queue {
	uint64_t doorbell_low; /* first half of a doorbell store in two halves */
	uint64_t arm_low;
	bool armed;
	bool failed;
	uint64_t arm;
	uint64_t completed;
	uint32_t vector;
};

static struct {
	enum hbi_state state;
	enum hbi_boot_error error;
	uint32_t generation;
	uint8_t uuid[16];
	uint64_t fw_address;
	uint64_t fw_size;
	uint64_t admin_sq;
	uint64_t admin_cq;
	uint64_t event_ring;
	uint32_t ring_sizes;
	bool enabled;
	struct queue queues[VB_QUEUES];
} regs;

struct vb_counters vb_counters;

void vb_regs_init(void)
{
	regs.state = HBI_STATE_IDLE;
	regs.generation = 1;
	if (getrandom(regs.uuid, sizeof(regs.uuid), 0) != sizeof(regs.uuid))
		memcpy(regs.uuid, "hearth-virtual-0", sizeof(regs.uuid));
}

static const char *state_name(enum hbi_state state)
{
	static const char *const names[] = { "RESET",	"IDLE",	  "BOOTING", "READY",
					     "RUNNING", "FAILED", "RESCUE" };

	return names[state];
}

static void set_state(enum hbi_state state)
{
	if (regs.state == state)
		return;
	vb_log("state %s -> %s", state_name(regs.state), state_name(state));
	regs.state = state;
}

void vb_regs_fail(enum hbi_boot_error error)
{
	vb_log("boot error %d", error);
	vb_soc_note_end(error);
	regs.error = error;
	set_state(HBI_STATE_FAILED);
	vb_soc_timer(0);
}

void vb_regs_reset(void)
{
	uint8_t uuid[16];
	uint32_t generation = regs.generation + !vb_misbehaves(VB_STUCK_GENERATION);

	vb_misbehaviour_reset();
	vb_soc_kill();
	vb_soc_timer(0);
	memcpy(uuid, regs.uuid, sizeof(uuid));
	memset(&regs, 0, sizeof(regs));
	memcpy(regs.uuid, uuid, sizeof(uuid));
	regs.generation = generation;
	regs.state = HBI_STATE_IDLE;
	vb_log("reset, generation %u", generation);
}

static void boot(void)
{
	if (regs.state != HBI_STATE_IDLE && regs.state != HBI_STATE_RESCUE)
		return;
	regs.error = HBI_BOOT_OK;
	set_state(HBI_STATE_BOOTING);
	if (vb_soc_start(regs.fw_address, regs.fw_size))
		vb_regs_fail(HBI_BOOT_FIRMWARE);
	else
		vb_soc_timer(VB_RESET_TIMEOUT * 100);
}

/* The boot ROM does not take the image: nothing of it has run. */
static void refused(enum hbi_boot_error error)
{
	vb_soc_kill();
	if (error == HBI_BOOT_OK || error == HBI_BOOT_FIRMWARE) {
		vb_regs_fail(HBI_BOOT_FIRMWARE);
		return;
	}
	vb_log("image refused, boot error %d", error);
	vb_soc_timer(0);
	regs.error = error;
	set_state(HBI_STATE_RESCUE);
}

/*
 * An image that the owner signed has come up: older ones with a lower counter shall not come back.
 * Only now, since an image that does not start must leave a way back to the one before.
 */
static void raise_rollback(void)
{
	const struct hbi_firmware_info *image = &vb_link->image;

	if (image->flags & HBI_FIRMWARE_VERIFIED && image->rollback > vb_options.rollback) {
		vb_options.rollback = image->rollback;
		vb_log("rollback counter %u", image->rollback);
	}
}

static bool ring_valid(uint64_t bus, uint32_t log2, uint64_t entry)
{
	return log2 >= 1 && log2 <= 12 && !(bus & 63) &&
	       bus <= (1ull << VB_HOST_BITS) - (entry << log2);
}

static void enable(void)
{
	uint32_t sizes = regs.ring_sizes;

	if (regs.state != HBI_STATE_READY || regs.enabled)
		return;
	if (sizes >> 24 || !ring_valid(regs.admin_sq, sizes & 0xff, 64) ||
	    !ring_valid(regs.admin_cq, sizes >> 8 & 0xff, sizeof(struct hbi_admin_completion)) ||
	    !ring_valid(regs.event_ring, sizes >> 16 & 0xff, sizeof(struct hbi_event))) {
		vb_regs_fail(HBI_BOOT_BAD_RINGS);
		return;
	}
	regs.enabled = true;
	vb_link->admin_sq = regs.admin_sq;
	vb_link->admin_cq = regs.admin_cq;
	vb_link->event_ring = regs.event_ring;
	vb_link->ring_sizes = sizes;
	__atomic_store_n(&vb_link->enabled, 1, __ATOMIC_SEQ_CST);
	vb_soc_kick();
}

static void control(uint32_t value)
{
	if (value & HBI_CONTROL_RESET) {
		vb_regs_reset();
		return;
	}
	if (value & HBI_CONTROL_BOOT)
		boot();
	if (value & HBI_CONTROL_ENABLE)
		enable();
}

void vb_regs_soc_state(void)
{
	if (regs.state != HBI_STATE_BOOTING && regs.state != HBI_STATE_READY &&
	    regs.state != HBI_STATE_RUNNING)
		return;
	if (vb_soc_fd() < 0) {
		vb_log("the SoC has ended");
		vb_regs_fail(HBI_BOOT_FIRMWARE);
		return;
	}
	switch (__atomic_load_n(&vb_link->state, __ATOMIC_SEQ_CST)) {
	case VB_SOC_STARTING:
	case VB_SOC_ACCEPTED:
		break;
	case VB_SOC_REFUSED:
		if (regs.state == HBI_STATE_BOOTING)
			refused(vb_link->boot_error);
		break;
	case VB_SOC_READY:
		if (regs.state == HBI_STATE_BOOTING) {
			set_state(HBI_STATE_READY);
			vb_soc_timer(0);
			raise_rollback();
		}
		break;
	case VB_SOC_RUNNING:
		if (regs.enabled)
			set_state(HBI_STATE_RUNNING);
		break;
	default:
		vb_log("firmware: %.128s", (const char *)vb_link->fatal_text);
		vb_regs_fail(HBI_BOOT_FIRMWARE);
	}
}

void vb_regs_boot_timeout(void)
{
	if (regs.state == HBI_STATE_BOOTING) {
		vb_soc_kill();
		vb_regs_fail(HBI_BOOT_TIMEOUT);
	}
}

void vb_regs_watchdog(void)
{
	if (regs.state != HBI_STATE_READY && regs.state != HBI_STATE_RUNNING)
		return;
	vb_log("watchdog: the firmware has not answered for %u ms", vb_options.watchdog_ms);
	vb_soc_kill();
	vb_regs_fail(HBI_BOOT_WATCHDOG);
}

/* ---- Doorbells and arming ---- */

static void ring_doorbell(uint32_t queue, uint64_t tail)
{
	vb_count_doorbell();
	if (regs.state != HBI_STATE_RUNNING)
		return;
	__atomic_store_n(&vb_link->doorbell[queue], tail, __ATOMIC_SEQ_CST);
	vb_soc_kick();
}

static void fire_if_due(struct queue *queue)
{
	if (!queue->armed || (!queue->failed && queue->completed < queue->arm))
		return;
	queue->armed = false;
	if (!vb_misbehaves(VB_LOSES_INTERRUPTS))
		vb_interrupt(queue->vector);
}

static void arm_queue(uint32_t number, uint64_t value)
{
	struct queue *queue = &regs.queues[number];

	queue->arm = value;
	queue->armed = true;
	fire_if_due(queue);
}

void vb_regs_queue_status(uint32_t number, const struct hbi_queue_status *status)
{
	struct queue *queue = &regs.queues[number];

	queue->completed = status->completed;
	queue->failed = status->state != HBI_QUEUE_LIVE;
	fire_if_due(queue);
}

void vb_regs_queue_reset(uint32_t number, uint32_t vector)
{
	__atomic_store_n(&vb_link->doorbell[number], 0, __ATOMIC_SEQ_CST);
	memset(&regs.queues[number], 0, sizeof(regs.queues[number]));
	regs.queues[number].vector = vector;
}

/* A 64-bit write-only register written whole, or its low half and then its high half. */
static void write_pair(uint32_t queue, uint32_t half, uint64_t value, uint32_t size, uint64_t *low,
		       void (*take)(uint32_t queue, uint64_t value))
{
	if (size == 8 && !half)
		take(queue, value);
	else if (size == 4 && !half)
		*low = value;
	else if (size == 4)
		take(queue, value << 32 | *low);
}

/* ---- Accesses ---- */

static uint64_t control_value(void)
{
	return regs.enabled ? HBI_CONTROL_ENABLE : 0;
}

static uint64_t heartbeat(void)
{
	uint64_t value;

	if (vb_soc_fd() < 0)
		return 0;
	/* The firmware sleeps when idle: looking at the heartbeat makes it beat. */
	value = __atomic_load_n(&vb_link->heartbeat, __ATOMIC_RELAXED);
	vb_soc_kick();
	return value;
}

/* The aligned 64 bits at @offset. */
static uint64_t read_word(uint32_t offset)
{
	uint64_t word;

	switch (offset) {
	case HBI_REG_MAGIC:
		return HBI_MAGIC | (uint64_t)(HBI_VERSION_MAJOR << 16 | HBI_VERSION_MINOR) << 32;
	case HBI_REG_CAPS:
		return HBI_CAP_COMPUTE | HBI_CAP_RVV | HBI_CAP_PRIORITY | HBI_CAP_TIMEOUT |
		       HBI_CAP_TELEMETRY | HBI_CAP_LOG | HBI_CAP_POWER_LIMIT | HBI_CAP_PREEMPT |
		       HBI_CAP_SIGNED_FIRMWARE | (vb_options.watchdog_ms ? HBI_CAP_WATCHDOG : 0);
	case HBI_REG_BOARD_ID:
		return HBI_VIRTUAL_DEVICE | 1ull << 32;
	case HBI_REG_UUID:
	case HBI_REG_UUID + 8:
		memcpy(&word, regs.uuid + (offset - HBI_REG_UUID), 8);
		return word;
	case HBI_REG_DRAM_BASE:
		return VB_DRAM_BASE;
	case HBI_REG_DRAM_SIZE:
		return vb_dram_bytes();
	case HBI_REG_APERTURE_BASE:
		return VB_APERTURE_BASE;
	case HBI_REG_APERTURE_SIZE:
		return vb_options.dram;
	case HBI_REG_HOST_WINDOW:
		return VB_HOST_WINDOW;
	case HBI_REG_LIMITS:
		return VB_QUEUES | VB_CONTEXTS << 16 | (uint64_t)VB_DOORBELL_LOG2 << 32 |
		       (uint64_t)VB_HOST_BITS << 40 | (uint64_t)VB_RING_LOG2 << 48;
	case HBI_REG_CORES:
		return vb_options.workers | vb_options.vlen << 16 |
		       (uint64_t)(VB_RESET_TIMEOUT | VB_ADMIN_TIMEOUT << 16) << 32;
	case HBI_REG_TIMESTAMP_HZ:
		return VB_TIMESTAMP_HZ;
	case HBI_REG_SECURITY:
		return (vb_options.key_count ? HBI_SECURITY_LOCKED : 0) |
		       vb_options.key_count << 8 | (uint64_t)vb_options.rollback << 32;
	case HBI_REG_HEARTBEAT:
		return heartbeat();
	case HBI_REG_GENERATION:
		return regs.generation;
	case HBI_REG_CONTROL:
		return control_value() | (uint64_t)(regs.state | regs.error << 8) << 32;
	case HBI_REG_FW_ADDRESS:
		return regs.fw_address;
	case HBI_REG_FW_SIZE:
		return regs.fw_size;
	case HBI_REG_ADMIN_SQ:
		return regs.admin_sq;
	case HBI_REG_ADMIN_CQ:
		return regs.admin_cq;
	case HBI_REG_EVENT_RING:
		return regs.event_ring;
	case HBI_REG_RING_SIZES:
		return regs.ring_sizes;
	}
	return 0;
}

static uint64_t noise(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void vb_regs_read(uint32_t offset, void *data, uint32_t size)
{
	uint8_t *out = data;

	vb_counters.loads++;
	while (size) {
		uint32_t start = offset & 7, count = 8 - start < size ? 8 - start : size;
		uint64_t word = read_word(offset & ~7u);

		if (vb_misbehaves(VB_ALL_ONES))
			word = ~0ull;
		else if (vb_misbehaves(VB_GARBAGE))
			word = noise();
		memcpy(out, (uint8_t *)&word + start, count);
		out += count;
		offset += count;
		size -= count;
	}
}

static void write_half(uint64_t *reg, uint32_t half, uint64_t value, uint32_t size)
{
	if (size == 8)
		*reg = value;
	else if (half)
		*reg = (*reg & 0xffffffffull) | value << 32;
	else
		*reg = (*reg & ~0xffffffffull) | value;
}

static void write_register(uint32_t offset, uint64_t value, uint32_t size)
{
	switch (offset) {
	case HBI_REG_CONTROL:
		control(value);
		break;
	case HBI_REG_FW_ADDRESS:
	case HBI_REG_FW_ADDRESS + 4:
		write_half(&regs.fw_address, offset & 4, value, size);
		break;
	case HBI_REG_FW_SIZE:
	case HBI_REG_FW_SIZE + 4:
		write_half(&regs.fw_size, offset & 4, value, size);
		break;
	case HBI_REG_ADMIN_SQ:
	case HBI_REG_ADMIN_SQ + 4:
		write_half(&regs.admin_sq, offset & 4, value, size);
		break;
	case HBI_REG_ADMIN_CQ:
	case HBI_REG_ADMIN_CQ + 4:
		write_half(&regs.admin_cq, offset & 4, value, size);
		break;
	case HBI_REG_EVENT_RING:
	case HBI_REG_EVENT_RING + 4:
		write_half(&regs.event_ring, offset & 4, value, size);
		break;
	case HBI_REG_RING_SIZES:
		regs.ring_sizes = value;
		break;
	case HBI_REG_ADMIN_TAIL:
		if (regs.state != HBI_STATE_RUNNING)
			break;
		__atomic_store_n(&vb_link->admin_tail, value, __ATOMIC_SEQ_CST);
		vb_soc_kick();
		break;
	case HBI_REG_EVENT_HEAD:
		if (regs.state == HBI_STATE_RUNNING)
			__atomic_store_n(&vb_link->event_head, value, __ATOMIC_SEQ_CST);
		break;
	}
}

void vb_regs_write(uint32_t offset, const void *data, uint32_t size)
{
	uint64_t value = 0;
	uint32_t queue;

	if (offset >= VB_DOORBELLS)
		vb_counters.doorbells++;
	else
		vb_counters.stores++;
	/* Only aligned accesses of 4 and 8 bytes mean anything. */
	if ((size != 4 && size != 8) || offset % size)
		return;
	memcpy(&value, data, size);
	if (offset < HBI_REG_ARM) {
		write_register(offset, value, size);
	} else if (offset < HBI_REG_ARM + 8 * VB_QUEUES) {
		queue = (offset - HBI_REG_ARM) / 8;
		write_pair(queue, offset & 4, value, size, &regs.queues[queue].arm_low, arm_queue);
	} else if (offset >= VB_DOORBELLS) {
		queue = (offset - VB_DOORBELLS) >> VB_DOORBELL_LOG2;
		offset &= (1u << VB_DOORBELL_LOG2) - 1;
		if (queue < VB_QUEUES && offset < HBI_DOORBELL_TAIL + 8)
			write_pair(queue, offset & 4, value, size, &regs.queues[queue].doorbell_low,
				   ring_doorbell);
	}
}
