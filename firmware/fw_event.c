// SPDX-License-Identifier: MIT
/* The event ring: what the driver must hear of without asking. */
#include "fw.h"

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
		lost++;
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

	if (!already && has_room()) {
		already = true;
		fw_text_copy(event.text, text, sizeof(event.text));
		put(&event);
		fw_event_raise();
		fw_platform.dma_wait();
	}
	fw_platform.fatal(text);
}
