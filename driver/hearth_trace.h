/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace points: what happens to queues, address spaces and the board itself, each with the board's
 * PCI address. What processes do on their queues passes the kernel by and is not here.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hearth

#if !defined(HEARTH_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HEARTH_TRACE_H

#include <linux/tracepoint.h>

#include "hearth_device.h"

/* clang-format off */

TRACE_EVENT(hearth_queue_create,
	TP_PROTO(struct hearth_device *hdev, u32 queue, u32 context, u64 ring, u32 ring_log2,
		 int result),
	TP_ARGS(hdev, queue, context, ring, ring_log2, result),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u32, queue)
		__field(u32, context)
		__field(u64, ring)
		__field(u32, ring_log2)
		__field(int, result)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->queue = queue;
		__entry->context = context;
		__entry->ring = ring;
		__entry->ring_log2 = ring_log2;
		__entry->result = result;
	),
	TP_printk("board=%s queue=%u context=%u ring=%#llx ring_log2=%u result=%d",
		  __get_str(board), __entry->queue, __entry->context, __entry->ring,
		  __entry->ring_log2, __entry->result)
);

TRACE_EVENT(hearth_queue_destroy,
	TP_PROTO(struct hearth_device *hdev, u32 queue, u64 completed),
	TP_ARGS(hdev, queue, completed),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u32, queue)
		__field(u64, completed)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->queue = queue;
		__entry->completed = completed;
	),
	TP_printk("board=%s queue=%u completed=%llu", __get_str(board), __entry->queue,
		  __entry->completed)
);

DECLARE_EVENT_CLASS(hearth_queue_wait,
	TP_PROTO(struct hearth_device *hdev, u32 queue, u64 target, u64 completed, int result),
	TP_ARGS(hdev, queue, target, completed, result),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u32, queue)
		__field(u64, target)
		__field(u64, completed)
		__field(int, result)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->queue = queue;
		__entry->target = target;
		__entry->completed = completed;
		__entry->result = result;
	),
	TP_printk("board=%s queue=%u target=%llu completed=%llu result=%d", __get_str(board),
		  __entry->queue, __entry->target, __entry->completed, __entry->result)
);

DEFINE_EVENT(hearth_queue_wait, hearth_queue_wait_begin,
	TP_PROTO(struct hearth_device *hdev, u32 queue, u64 target, u64 completed, int result),
	TP_ARGS(hdev, queue, target, completed, result));
DEFINE_EVENT(hearth_queue_wait, hearth_queue_wait_end,
	TP_PROTO(struct hearth_device *hdev, u32 queue, u64 target, u64 completed, int result),
	TP_ARGS(hdev, queue, target, completed, result));

TRACE_EVENT(hearth_queue_fault,
	TP_PROTO(struct hearth_device *hdev, const struct hbi_event *event),
	TP_ARGS(hdev, event),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u32, queue)
		__field(u32, context)
		__field(u32, error)
		__field(u64, address)
		__field(u64, pc)
		__field(u64, packet)
		__field(u32, hart)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->queue = event->fault.queue;
		__entry->context = event->fault.context;
		__entry->error = event->error;
		__entry->address = event->fault.address;
		__entry->pc = event->fault.pc;
		__entry->packet = event->fault.packet;
		__entry->hart = event->fault.hart;
	),
	TP_printk("board=%s queue=%u context=%u error=%u address=%#llx pc=%#llx packet=%llu hart=%u",
		  __get_str(board), __entry->queue, __entry->context, __entry->error,
		  __entry->address, __entry->pc, __entry->packet, __entry->hart)
);

DECLARE_EVENT_CLASS(hearth_vm,
	TP_PROTO(struct hearth_device *hdev, u32 context, u64 va, u64 range, int result),
	TP_ARGS(hdev, context, va, range, result),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u32, context)
		__field(u64, va)
		__field(u64, range)
		__field(int, result)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->context = context;
		__entry->va = va;
		__entry->range = range;
		__entry->result = result;
	),
	TP_printk("board=%s context=%u va=%#llx range=%#llx result=%d", __get_str(board),
		  __entry->context, __entry->va, __entry->range, __entry->result)
);

DEFINE_EVENT(hearth_vm, hearth_vm_bind,
	TP_PROTO(struct hearth_device *hdev, u32 context, u64 va, u64 range, int result),
	TP_ARGS(hdev, context, va, range, result));
DEFINE_EVENT(hearth_vm, hearth_vm_unbind,
	TP_PROTO(struct hearth_device *hdev, u32 context, u64 va, u64 range, int result),
	TP_ARGS(hdev, context, va, range, result));

TRACE_EVENT(hearth_admin,
	TP_PROTO(struct hearth_device *hdev, u16 opcode, int result, u64 ns),
	TP_ARGS(hdev, opcode, result, ns),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u16, opcode)
		__field(int, result)
		__field(u64, ns)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->opcode = opcode;
		__entry->result = result;
		__entry->ns = ns;
	),
	TP_printk("board=%s opcode=%u result=%d ns=%llu", __get_str(board), __entry->opcode,
		  __entry->result, __entry->ns)
);

TRACE_EVENT(hearth_irq,
	TP_PROTO(struct hearth_device *hdev, u32 vector),
	TP_ARGS(hdev, vector),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u32, vector)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->vector = vector;
	),
	TP_printk("board=%s vector=%u", __get_str(board), __entry->vector)
);

/* @state: enum drm_hearth_state */
TRACE_EVENT(hearth_state,
	TP_PROTO(struct hearth_device *hdev, u32 old, u32 state),
	TP_ARGS(hdev, old, state),
	TP_STRUCT__entry(
		__string(board, dev_name(hdev->drm.dev))
		__field(u32, old)
		__field(u32, state)
		__field(u32, epoch)
	),
	TP_fast_assign(
		__assign_str(board);
		__entry->old = old;
		__entry->state = state;
		__entry->epoch = hearth_device_epoch(hdev);
	),
	TP_printk("board=%s old=%u state=%u epoch=%u", __get_str(board), __entry->old,
		  __entry->state, __entry->epoch)
);

/* clang-format on */

#endif /* HEARTH_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE hearth_trace
#include <trace/define_trace.h>
