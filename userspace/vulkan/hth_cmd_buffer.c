// SPDX-License-Identifier: MIT
/*
 * Recording. Every command becomes HBI packets in memory that the device reads; nothing is left to
 * do at submission but to point at them.
 *
 * A packet of a dispatch names an argument block (hearth/kernel_abi.h) made when the dispatch is
 * recorded. Descriptor sets are named there by address, so what is written to a set later is seen;
 * dynamic buffers are resolved here.
 */
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

/* ---- Memory of commands ---- */

static void segment_close(struct hth_cmd_buffer *buffer)
{
	buffer->segment_open = false;
}

static struct hth_segment *segment_add(struct hth_cmd_buffer *buffer)
{
	if (buffer->segment_count == buffer->segment_capacity) {
		uint32_t capacity = buffer->segment_capacity ? 2 * buffer->segment_capacity : 8;
		struct hth_segment *grown = realloc(buffer->segments, capacity * sizeof(*grown));

		if (!grown) {
			buffer->result = VK_ERROR_OUT_OF_HOST_MEMORY;
			return NULL;
		}
		buffer->segments = grown;
		buffer->segment_capacity = capacity;
	}
	return &buffer->segments[buffer->segment_count++];
}

static bool block_next(struct hth_cmd_buffer *buffer, uint32_t need)
{
	struct hth_block *block;
	VkResult result = hth_block_get(buffer->pool, need, &block);

	if (result != VK_SUCCESS) {
		buffer->result = result;
		return false;
	}
	segment_close(buffer);
	block->next = buffer->blocks;
	buffer->blocks = block;
	buffer->block = block;
	buffer->head = 0;
	buffer->tail = block->size;
	return true;
}

/* Room for @bytes of data and, kept free beside it, one packet in the same block. */
void *hth_cmd_data(struct hth_cmd_buffer *buffer, uint32_t bytes, uint64_t *va)
{
	uint32_t size = HTH_ALIGN(bytes, (uint32_t)HEARTH_KERNEL_ALIGN);

	if (buffer->result != VK_SUCCESS)
		return NULL;
	if (!buffer->block || buffer->tail - buffer->head < size + HBI_PACKET_SIZE)
		if (!block_next(buffer, size + HBI_PACKET_SIZE))
			return NULL;
	buffer->tail -= size;
	*va = buffer->block->va + buffer->tail;
	return buffer->block->map + buffer->tail;
}

static void packet_add(struct hth_cmd_buffer *buffer, const union hbi_packet *packet)
{
	if (buffer->result != VK_SUCCESS)
		return;
	if (!buffer->block || buffer->tail - buffer->head < HBI_PACKET_SIZE)
		if (!block_next(buffer, HBI_PACKET_SIZE))
			return;
	if (!buffer->segment_open) {
		struct hth_segment *segment = segment_add(buffer);

		if (!segment)
			return;
		segment->va = buffer->block->va + buffer->head;
		segment->packets = (void *)(buffer->block->map + buffer->head);
		segment->count = 0;
		buffer->segment_open = true;
	}
	memcpy(buffer->block->map + buffer->head, packet, HBI_PACKET_SIZE);
	buffer->head += HBI_PACKET_SIZE;
	buffer->segments[buffer->segment_count - 1].count++;
	buffer->after_barrier = packet->header.type == HBI_PACKET_BARRIER;
}

static void barrier_add(struct hth_cmd_buffer *buffer)
{
	const union hbi_packet packet = { .header.type = HBI_PACKET_BARRIER };

	if (!buffer->after_barrier)
		packet_add(buffer, &packet);
}

void hth_cmd_copy(struct hth_cmd_buffer *buffer, uint64_t source, uint64_t destination,
		  uint64_t size)
{
	const union hbi_packet packet = {
		.copy = { .header.type = HBI_PACKET_COPY,
			  .source = source,
			  .destination = destination,
			  .size = size },
	};

	if (size)
		packet_add(buffer, &packet);
}

static void fill_add(struct hth_cmd_buffer *buffer, uint64_t destination, uint64_t size,
		     uint32_t value)
{
	const union hbi_packet packet = {
		.fill = { .header.type = HBI_PACKET_FILL,
			  .destination = destination,
			  .size = size,
			  .value = value },
	};

	if (size)
		packet_add(buffer, &packet);
}

static void signal_add(struct hth_cmd_buffer *buffer, uint8_t type, uint64_t address,
		       uint64_t value)
{
	const union hbi_packet packet = {
		.signal = { .header.type = type, .address = address, .value = value },
	};

	packet_add(buffer, &packet);
}

/* ---- Life of a command buffer ---- */

static void push_sets_reset(struct hth_cmd_buffer *buffer)
{
	for (uint32_t i = 0; i < HTH_MAX_SETS; i++) {
		free(buffer->push_sets[i].table);
		hth_set_layout_unref(buffer->device, buffer->push_sets[i].layout);
		memset(&buffer->push_sets[i], 0, sizeof(buffer->push_sets[i]));
	}
}

void hth_cmd_buffer_reset(struct hth_cmd_buffer *buffer)
{
	while (buffer->blocks) {
		struct hth_block *block = buffer->blocks;

		buffer->blocks = block->next;
		hth_block_put(buffer->pool, block);
	}
	push_sets_reset(buffer);
	buffer->block = NULL;
	buffer->head = 0;
	buffer->tail = 0;
	buffer->segment_count = 0;
	buffer->segment_open = false;
	buffer->after_barrier = false;
	buffer->pipeline = NULL;
	memset(buffer->set_va, 0, sizeof(buffer->set_va));
	memset(buffer->dynamic, 0, sizeof(buffer->dynamic));
	memset(buffer->push, 0, sizeof(buffer->push));
	buffer->result = VK_SUCCESS;
	buffer->state = HTH_CMD_INITIAL;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_ResetCommandBuffer(VkCommandBuffer handle,
						      VkCommandBufferResetFlags flags)
{
	(void)flags;
	hth_cmd_buffer_reset(hth_cmd_buffer_from_handle(handle));
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_BeginCommandBuffer(VkCommandBuffer handle,
						      const VkCommandBufferBeginInfo *info)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);

	(void)info;
	hth_cmd_buffer_reset(buffer);
	buffer->state = HTH_CMD_RECORDING;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_EndCommandBuffer(VkCommandBuffer handle)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);

	push_sets_reset(buffer);
	if (buffer->result != VK_SUCCESS)
		return buffer->result;
	buffer->state = HTH_CMD_EXECUTABLE;
	return VK_SUCCESS;
}

/* A secondary buffer's packets stay where they are: the primary points at them. */
VKAPI_ATTR void VKAPI_CALL hth_CmdExecuteCommands(VkCommandBuffer handle, uint32_t count,
						  const VkCommandBuffer *buffers)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);

	segment_close(buffer);
	for (uint32_t i = 0; i < count; i++) {
		const struct hth_cmd_buffer *secondary = hth_cmd_buffer_from_handle(buffers[i]);

		for (uint32_t s = 0; s < secondary->segment_count; s++) {
			struct hth_segment *segment = segment_add(buffer);

			if (segment)
				*segment = secondary->segments[s];
		}
	}
	buffer->after_barrier = false;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdSetDeviceMask(VkCommandBuffer buffer, uint32_t mask)
{
	(void)buffer;
	(void)mask;
}

/* ---- What is bound ---- */

VKAPI_ATTR void VKAPI_CALL hth_CmdBindPipeline(VkCommandBuffer handle, VkPipelineBindPoint point,
					       VkPipeline pipeline)
{
	if (point == VK_PIPELINE_BIND_POINT_COMPUTE)
		hth_cmd_buffer_from_handle(handle)->pipeline = hth_pipeline_from_handle(pipeline);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdBindDescriptorSets(VkCommandBuffer handle,
						     VkPipelineBindPoint point,
						     VkPipelineLayout layout, uint32_t first,
						     uint32_t count, const VkDescriptorSet *sets,
						     uint32_t dynamic_count,
						     const uint32_t *offsets)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);
	uint32_t used = 0;

	(void)layout;
	if (point != VK_PIPELINE_BIND_POINT_COMPUTE)
		return;
	for (uint32_t i = 0; i < count && first + i < HTH_MAX_SETS; i++) {
		const struct hth_descriptor_set *set = hth_descriptor_set_from_handle(sets[i]);
		struct hth_push_set *push = &buffer->push_sets[first + i];

		hth_set_layout_unref(buffer->device, push->layout);
		push->layout = NULL;
		buffer->set_va[first + i] = set ? set->va : 0;
		for (uint32_t d = 0; set && d < set->layout->dynamic_count; d++) {
			struct hearth_descriptor *to = &buffer->dynamic[first + i][d];
			uint32_t offset = used < dynamic_count ? offsets[used++] : 0;

			*to = set->dynamic[d];
			if (to->address)
				to->address += offset;
		}
	}
}

VKAPI_ATTR void VKAPI_CALL hth_CmdPushConstants(VkCommandBuffer handle, VkPipelineLayout layout,
						VkShaderStageFlags stages, uint32_t offset,
						uint32_t size, const void *values)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);

	(void)layout;
	(void)stages;
	if (offset <= HTH_MAX_PUSH_BYTES && size <= HTH_MAX_PUSH_BYTES - offset)
		memcpy(buffer->push + offset, values, size);
}

/* The set that push descriptors write to, made when first written or when its layout changes. */
static struct hth_push_set *push_set_get(struct hth_cmd_buffer *buffer, VkPipelineLayout handle,
					 uint32_t set)
{
	const struct hth_pipeline_layout *layout = hth_pipeline_layout_from_handle(handle);
	struct hth_set_layout *wanted;
	struct hth_push_set *push;

	if (set >= layout->set_count || !layout->sets[set] || buffer->result != VK_SUCCESS)
		return NULL;
	wanted = layout->sets[set];
	push = &buffer->push_sets[set];
	if (push->layout != wanted) {
		bool same = push->layout && !memcmp(push->layout->hash, wanted->hash, 32);

		hth_set_layout_unref(buffer->device, push->layout);
		push->layout = hth_set_layout_ref(wanted);
		if (!same) {
			free(push->table);
			push->table = calloc(1, HTH_MAX(wanted->size_bytes, 64u));
			if (push->table)
				hth_descriptor_table_init(wanted, 0, push->table);
		}
		if (!push->table) {
			buffer->result = VK_ERROR_OUT_OF_HOST_MEMORY;
			return NULL;
		}
	}
	push->va = 0;
	return push;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdPushDescriptorSet(VkCommandBuffer handle,
						    VkPipelineBindPoint point,
						    VkPipelineLayout layout, uint32_t set,
						    uint32_t count,
						    const VkWriteDescriptorSet *writes)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);
	struct hth_push_set *push;

	if (point != VK_PIPELINE_BIND_POINT_COMPUTE)
		return;
	push = push_set_get(buffer, layout, set);
	for (uint32_t i = 0; push && i < count; i++)
		hth_descriptor_write(push->layout, push->table, buffer->dynamic[set], &writes[i]);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdPushDescriptorSetWithTemplate(VkCommandBuffer handle,
								VkDescriptorUpdateTemplate update,
								VkPipelineLayout layout,
								uint32_t set, const void *data)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);
	struct hth_push_set *push = push_set_get(buffer, layout, set);

	if (push)
		hth_descriptor_write_template(push->layout, push->table, buffer->dynamic[set],
					      hth_update_template_from_handle(update), data);
}

/* ---- Dispatches ---- */

static void write_push_sets(struct hth_cmd_buffer *buffer)
{
	for (uint32_t i = 0; i < HTH_MAX_SETS; i++) {
		struct hth_push_set *push = &buffer->push_sets[i];
		void *copy;

		if (!push->layout)
			continue;
		if (!push->va && push->layout->size_bytes) {
			copy = hth_cmd_data(buffer, push->layout->size_bytes, &push->va);
			if (!copy)
				return;
			memcpy(copy, push->table, push->layout->size_bytes);
		}
		buffer->set_va[i] = push->va;
	}
}

static uint64_t write_args(struct hth_cmd_buffer *buffer, const uint32_t base[3],
			   const uint32_t groups[3])
{
	const struct hth_pipeline *pipeline = buffer->pipeline;
	struct {
		struct hearth_kernel_args args;
		struct hearth_descriptor dynamic[HTH_MAX_DYNAMIC];
	} block;
	size_t bytes = sizeof(block.args) + pipeline->dynamic_count * sizeof(block.dynamic[0]);
	uint64_t va;
	void *to;

	to = hth_cmd_data(buffer, bytes, &va);
	if (!to)
		return 0;
	memset(&block.args, 0, sizeof(block.args));
	memcpy(block.args.num_workgroups, groups, sizeof(block.args.num_workgroups));
	memcpy(block.args.base_workgroup, base, sizeof(block.args.base_workgroup));
	memcpy(block.args.sets, buffer->set_va, sizeof(block.args.sets));
	memcpy(block.args.push, buffer->push, sizeof(block.args.push));
	for (uint32_t i = 0; i < pipeline->set_count; i++)
		memcpy(&block.dynamic[pipeline->dynamic_base[i]], buffer->dynamic[i],
		       pipeline->set_dynamic_count[i] * sizeof(block.dynamic[0]));
	memcpy(to, &block, bytes);
	return va;
}

static void dispatch(struct hth_cmd_buffer *buffer, const uint32_t base[3],
		     const uint32_t groups[3], uint64_t indirect)
{
	const struct hth_pipeline *pipeline = buffer->pipeline;
	union hbi_packet packet = { .header.type = HBI_PACKET_DISPATCH };
	uint64_t args;

	if (!pipeline || buffer->result != VK_SUCCESS)
		return;
	write_push_sets(buffer);
	args = write_args(buffer, base, groups);
	if (!args)
		return;
	packet.dispatch.code = pipeline->code.entry;
	packet.dispatch.args = args;
	packet.dispatch.scratch = pipeline->scratch.va;
	packet.dispatch.scratch_stride = pipeline->scratch.stride;
	memcpy(packet.dispatch.groups, groups, sizeof(packet.dispatch.groups));
	if (indirect) {
		/* The grid goes to the start of the argument block, and must be there in time. */
		hth_cmd_copy(buffer, indirect, args, sizeof(packet.dispatch.groups));
		barrier_add(buffer);
		packet.header.flags = HBI_DISPATCH_GRID_IN_ARGS;
		memset(packet.dispatch.groups, 0, sizeof(packet.dispatch.groups));
	}
	packet_add(buffer, &packet);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdDispatch(VkCommandBuffer handle, uint32_t x, uint32_t y,
					   uint32_t z)
{
	dispatch(hth_cmd_buffer_from_handle(handle), (uint32_t[3]){ 0, 0, 0 },
		 (uint32_t[3]){ x, y, z }, 0);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdDispatchBase(VkCommandBuffer handle, uint32_t base_x,
					       uint32_t base_y, uint32_t base_z, uint32_t x,
					       uint32_t y, uint32_t z)
{
	dispatch(hth_cmd_buffer_from_handle(handle), (uint32_t[3]){ base_x, base_y, base_z },
		 (uint32_t[3]){ x, y, z }, 0);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdDispatchIndirect(VkCommandBuffer handle, VkBuffer indirect,
						   VkDeviceSize offset)
{
	dispatch(hth_cmd_buffer_from_handle(handle), (uint32_t[3]){ 0, 0, 0 },
		 (uint32_t[3]){ 0, 0, 0 }, hth_buffer_from_handle(indirect)->va + offset);
}

/* ---- Transfers ---- */

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyBuffer(VkCommandBuffer handle, VkBuffer source,
					     VkBuffer destination, uint32_t count,
					     const VkBufferCopy *regions)
{
	uint64_t from = hth_buffer_from_handle(source)->va;
	uint64_t to = hth_buffer_from_handle(destination)->va;

	for (uint32_t i = 0; i < count; i++)
		hth_cmd_copy(hth_cmd_buffer_from_handle(handle), from + regions[i].srcOffset,
			     to + regions[i].dstOffset, regions[i].size);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyBuffer2(VkCommandBuffer handle, const VkCopyBufferInfo2 *info)
{
	uint64_t from = hth_buffer_from_handle(info->srcBuffer)->va;
	uint64_t to = hth_buffer_from_handle(info->dstBuffer)->va;

	for (uint32_t i = 0; i < info->regionCount; i++)
		hth_cmd_copy(hth_cmd_buffer_from_handle(handle), from + info->pRegions[i].srcOffset,
			     to + info->pRegions[i].dstOffset, info->pRegions[i].size);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdFillBuffer(VkCommandBuffer handle, VkBuffer destination,
					     VkDeviceSize offset, VkDeviceSize size, uint32_t value)
{
	const struct hth_buffer *buffer = hth_buffer_from_handle(destination);

	if (size == VK_WHOLE_SIZE)
		size = (buffer->size - offset) & ~(VkDeviceSize)3;
	fill_add(hth_cmd_buffer_from_handle(handle), buffer->va + offset, size, value);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdUpdateBuffer(VkCommandBuffer handle, VkBuffer destination,
					       VkDeviceSize offset, VkDeviceSize size,
					       const void *data)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);
	uint64_t va;
	void *copy = hth_cmd_data(buffer, size, &va);

	if (!copy)
		return;
	memcpy(copy, data, size);
	hth_cmd_copy(buffer, va, hth_buffer_from_handle(destination)->va + offset, size);
}

/* ---- Order ---- */

VKAPI_ATTR void VKAPI_CALL hth_CmdPipelineBarrier(
	VkCommandBuffer handle, VkPipelineStageFlags source, VkPipelineStageFlags destination,
	VkDependencyFlags flags, uint32_t memory_count, const VkMemoryBarrier *memory,
	uint32_t buffer_count, const VkBufferMemoryBarrier *buffers, uint32_t image_count,
	const VkImageMemoryBarrier *images)
{
	(void)source;
	(void)destination;
	(void)flags;
	(void)memory_count;
	(void)memory;
	(void)buffer_count;
	(void)buffers;
	(void)image_count;
	(void)images;
	barrier_add(hth_cmd_buffer_from_handle(handle));
}

VKAPI_ATTR void VKAPI_CALL hth_CmdPipelineBarrier2(VkCommandBuffer handle,
						   const VkDependencyInfo *info)
{
	(void)info;
	barrier_add(hth_cmd_buffer_from_handle(handle));
}

VKAPI_ATTR void VKAPI_CALL hth_CmdSetEvent(VkCommandBuffer handle, VkEvent event,
					   VkPipelineStageFlags stages)
{
	(void)stages;
	signal_add(hth_cmd_buffer_from_handle(handle), HBI_PACKET_SIGNAL,
		   hth_event_from_handle(event)->bo.va, 1);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdSetEvent2(VkCommandBuffer handle, VkEvent event,
					    const VkDependencyInfo *info)
{
	(void)info;
	hth_CmdSetEvent(handle, event, 0);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdResetEvent(VkCommandBuffer handle, VkEvent event,
					     VkPipelineStageFlags stages)
{
	(void)stages;
	signal_add(hth_cmd_buffer_from_handle(handle), HBI_PACKET_SIGNAL,
		   hth_event_from_handle(event)->bo.va, 0);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdResetEvent2(VkCommandBuffer handle, VkEvent event,
					      VkPipelineStageFlags2 stages)
{
	(void)stages;
	hth_CmdResetEvent(handle, event, 0);
}

static void wait_events(struct hth_cmd_buffer *buffer, uint32_t count, const VkEvent *events)
{
	for (uint32_t i = 0; i < count; i++)
		signal_add(buffer, HBI_PACKET_WAIT, hth_event_from_handle(events[i])->bo.va, 1);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdWaitEvents(
	VkCommandBuffer handle, uint32_t count, const VkEvent *events, VkPipelineStageFlags source,
	VkPipelineStageFlags destination, uint32_t memory_count, const VkMemoryBarrier *memory,
	uint32_t buffer_count, const VkBufferMemoryBarrier *buffers, uint32_t image_count,
	const VkImageMemoryBarrier *images)
{
	(void)source;
	(void)destination;
	(void)memory_count;
	(void)memory;
	(void)buffer_count;
	(void)buffers;
	(void)image_count;
	(void)images;
	wait_events(hth_cmd_buffer_from_handle(handle), count, events);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdWaitEvents2(VkCommandBuffer handle, uint32_t count,
					      const VkEvent *events, const VkDependencyInfo *infos)
{
	(void)infos;
	wait_events(hth_cmd_buffer_from_handle(handle), count, events);
}

/* ---- Queries ---- */

static uint64_t query_va(VkQueryPool handle, uint32_t query)
{
	return hth_query_pool_from_handle(handle)->bo.va + query * sizeof(struct hth_query);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdResetQueryPool(VkCommandBuffer handle, VkQueryPool pool,
						 uint32_t first, uint32_t count)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);

	/* Reset and use of a query need no barrier between them. */
	barrier_add(buffer);
	fill_add(buffer, query_va(pool, first), count * sizeof(struct hth_query), 0);
	barrier_add(buffer);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdWriteTimestamp2(VkCommandBuffer handle,
						  VkPipelineStageFlags2 stage, VkQueryPool pool,
						  uint32_t query)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);
	const union hbi_packet packet = {
		.timestamp = { .header.type = HBI_PACKET_TIMESTAMP,
			       .address = query_va(pool, query) },
	};

	(void)stage;
	packet_add(buffer, &packet);
	signal_add(buffer, HBI_PACKET_SIGNAL,
		   query_va(pool, query) + offsetof(struct hth_query, available), 1);
}

VKAPI_ATTR void VKAPI_CALL hth_CmdWriteTimestamp(VkCommandBuffer handle,
						 VkPipelineStageFlagBits stage, VkQueryPool pool,
						 uint32_t query)
{
	hth_CmdWriteTimestamp2(handle, stage, pool, query);
}

/* No query of these kinds can be created, so none can be begun. */
VKAPI_ATTR void VKAPI_CALL hth_CmdBeginQuery(VkCommandBuffer handle, VkQueryPool pool,
					     uint32_t query, VkQueryControlFlags flags)
{
	(void)handle;
	(void)pool;
	(void)query;
	(void)flags;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdEndQuery(VkCommandBuffer handle, VkQueryPool pool, uint32_t query)
{
	(void)handle;
	(void)pool;
	(void)query;
}

VKAPI_ATTR void VKAPI_CALL hth_CmdCopyQueryPoolResults(VkCommandBuffer handle, VkQueryPool pool,
						       uint32_t first, uint32_t count,
						       VkBuffer destination, VkDeviceSize offset,
						       VkDeviceSize stride,
						       VkQueryResultFlags flags)
{
	struct hth_cmd_buffer *buffer = hth_cmd_buffer_from_handle(handle);
	uint32_t size = flags & VK_QUERY_RESULT_64_BIT ? 8 : 4;
	uint64_t to = hth_buffer_from_handle(destination)->va + offset;

	barrier_add(buffer);
	for (uint32_t i = 0; i < count; i++, to += stride) {
		uint64_t from = query_va(pool, first + i);
		uint64_t available = from + offsetof(struct hth_query, available);

		if (flags & VK_QUERY_RESULT_WAIT_BIT)
			signal_add(buffer, HBI_PACKET_WAIT, available, 1);
		hth_cmd_copy(buffer, from, to, size);
		if (flags & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT)
			hth_cmd_copy(buffer, available, to + size, size);
	}
}
