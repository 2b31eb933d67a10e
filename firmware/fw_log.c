// SPDX-License-Identifier: MIT
/*
 * The log: a ring of entries in memory that outlives a reset where the platform has such memory, so
 * that firmware tells of the end of the one before it. Any hart may write. An entry's number is
 * stored last, so one that is half written, or was when the board was reset, is nobody's.
 */
#include <stdarg.h>
#include "fw.h"

#define LOG_MAGIC   0x474f4c48 /* "HLOG" */
#define OWN_ENTRIES 64

struct ring {
	u32 magic;
	u32 entries;
	u64 next;
	struct hbi_log_entry entry[];
};

static union {
	struct ring ring;
	u8 bytes[sizeof(struct ring) + OWN_ENTRIES * sizeof(struct hbi_log_entry)];
} own __attribute__((aligned(64)));

static struct ring *ring;

void fw_log_init(void)
{
	u64 bytes = fw_board.log_memory ? fw_board.log_bytes : sizeof(own);
	u32 entries = (bytes - sizeof(*ring)) / sizeof(ring->entry[0]);

	ring = fw_board.log_memory ? fw_board.log_memory : &own.ring;
	if (ring->magic == LOG_MAGIC && ring->entries == entries)
		return;
	memset(ring, 0, bytes);
	ring->entries = entries;
	ring->magic = LOG_MAGIC;
}

void fw_log(enum hbi_log_level level, const char *format, ...)
{
	struct hbi_log_entry *entry;
	va_list arguments;
	u64 number;

	if (!ring)
		return;
	number = __atomic_fetch_add(&ring->next, 1, __ATOMIC_SEQ_CST);
	entry = &ring->entry[number % ring->entries];
	__atomic_store_n(&entry->number, ~(u64)0, __ATOMIC_SEQ_CST);
	entry->ticks = fw_time();
	entry->boot = fw_board.firmware.boots;
	entry->level = level;
	entry->hart = fw_csr_read(mhartid);
	va_start(arguments, format);
	fw_text_format((char *)entry->text, sizeof(entry->text), format, arguments);
	va_end(arguments);
	__atomic_store_n(&entry->number, number, __ATOMIC_SEQ_CST);
}

void fw_log_read(u64 first, struct hbi_log *log)
{
	u64 end = __atomic_load_n(&ring->next, __ATOMIC_SEQ_CST);
	u64 oldest = end > ring->entries ? end - ring->entries : 0;

	memset(log, 0, sizeof(*log));
	log->end = end;
	if (first < oldest)
		first = oldest;
	if (first > end)
		first = end;
	for (; first < end && log->count < HBI_LOG_ENTRIES; first++) {
		const struct hbi_log_entry *entry = &ring->entry[first % ring->entries];
		struct hbi_log_entry *copy = &log->entries[log->count];

		*copy = *entry;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (copy->number == first &&
		    __atomic_load_n(&entry->number, __ATOMIC_SEQ_CST) == first) {
			copy->text[sizeof(copy->text) - 1] = 0;
			log->count++;
		} else {
			memset(copy, 0, sizeof(*copy));
		}
	}
	log->next = first;
}
