// SPDX-License-Identifier: MIT
/* The event ring: what the driver must hear of without asking. */
#include "fw.h"

static const char *const error_names[] = {
	[HBI_OK] = "OK",
	[HBI_ERROR_OPCODE] = "OPCODE",
	[HBI_ERROR_FIELD] = "FIELD",
	[HBI_ERROR_RING] = "RING",
	[HBI_ERROR_NESTING] = "NESTING",
	[HBI_ERROR_LOAD] = "LOAD",
	[HBI_ERROR_STORE] = "STORE",
	[HBI_ERROR_FETCH] = "FETCH",
	[HBI_ERROR_INSTRUCTION] = "INSTRUCTION",
	[HBI_ERROR_MISALIGNED] = "MISALIGNED",
	[HBI_ERROR_TIMEOUT] = "TIMEOUT",
	[HBI_ERROR_HOST_DMA] = "HOST_DMA",
	[HBI_ERROR_CANCELED] = "CANCELED",
	[HBI_ERROR_EXISTS] = "EXISTS",
	[HBI_ERROR_NO_ENTRY] = "NO_ENTRY",
	[HBI_ERROR_BUSY] = "BUSY",
	[HBI_ERROR_NO_RESOURCES] = "NO_RESOURCES",
	[HBI_ERROR_INTERNAL] = "INTERNAL",
};

static u64 ring;
static u32 entries;
static u32 written;
static u32 lost;
static bool enabled;

void fw_event_init(const struct fw_rings *rings)
{
	ring = fw_board.host_window + rings->event_ring;
	entries = 1u << rings->event_log2;
	enabled = true;
}

const char *fw_event_error_name(enum hbi_error error)
{
	return error < sizeof(error_names) / sizeof(error_names[0]) ? error_names[error] : "?";
}

static void put(struct hbi_event *event)
{
	const struct fw_dma_owner driver = { .queue = FW_NO_QUEUE };
	u32 slot = written & (entries - 1);

	event->sequence = written + 1;
	fw_dma_record(&driver, ring + slot * sizeof(*event), event, sizeof(*event));
	written++;
}

static bool has_room(void)
{
	return enabled && written - fw_platform.event_head() < entries;
}

void fw_event_queue_error(u32 queue, u32 context, enum hbi_error error, u64 address, u64 pc,
			  u64 packet, u32 hart)
{
	struct hbi_event event = {
		.type = HBI_EVENT_QUEUE_ERROR,
		.error = error,
		.fault = {
			.queue = queue,
			.context = context,
			.address = address,
			.pc = pc,
			.packet = packet,
			.hart = hart,
			.lost = lost,
		},
	};

	if (!has_room()) {
		if (!lost++)
			fw_log(HBI_LOG_WARNING, "the event ring is full: events are lost");
		return;
	}
	lost = 0;
	put(&event);
}

void fw_event_raise(void)
{
	fw_dma_interrupt(HBI_VECTOR_ADMIN);
}

void fw_event_fatal(const char *text)
{
	struct hbi_event event = {
		.type = HBI_EVENT_FATAL,
		.error = HBI_ERROR_INTERNAL,
	};
	static bool already;

	fw_log(HBI_LOG_ERROR, "fatal: %s", text);
	if (!already && has_room()) {
		already = true;
		fw_text_copy(event.text, text, sizeof(event.text));
		put(&event);
		fw_event_raise();
		fw_platform.dma_wait();
	}
	fw_platform.fatal(text);
}
