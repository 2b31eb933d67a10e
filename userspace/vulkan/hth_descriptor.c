// SPDX-License-Identifier: MIT
/*
 * Descriptor set layouts, pools, sets and how they are written.
 *
 * A set is memory of the device: a table whose slots are as large as struct hearth_descriptor, one for each buffer that is
 * not dynamic and for each sampler, five for an image; then the data of inline uniform blocks, each of which has a descriptor of the
 * table pointing at it. Dynamic buffers stay with the CPU until a command buffer binds the set. Input attachments take no room, since
 * no kernel can use them.
 */
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

static bool is_buffer(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

static bool is_dynamic(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

static bool is_inline(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
}

static bool is_texel_buffer(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER ||
	       type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
}

static bool has_sampler(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_SAMPLER ||
	       type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
}

#define IMAGE_SLOTS \
	((uint32_t)(sizeof(struct hearth_image_descriptor) / sizeof(struct hearth_descriptor)))

/* Slots of a table that one descriptor takes; inline blocks and dynamic buffers are counted otherwise. */
static uint32_t slots_of(VkDescriptorType type)
{
	if (is_buffer(type) || type == VK_DESCRIPTOR_TYPE_SAMPLER)
		return 1;
	if (is_texel_buffer(type) || type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER ||
	    type == VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE || type == VK_DESCRIPTOR_TYPE_STORAGE_IMAGE)
		return IMAGE_SLOTS;
	return 0;
}

/* ---- Layouts ---- */

static void layout_assign(struct hth_set_layout *layout)
{
	struct hth_sha256 hash;
	uint32_t data;

	for (uint32_t i = 0; i < layout->binding_count; i++) {
		struct hth_binding *binding = &layout->bindings[i];

		if (!binding->used)
			continue;
		if (is_dynamic(binding->type)) {
			binding->slot = layout->dynamic_count;
			layout->dynamic_count += binding->count;
		} else if (slots_of(binding->type)) {
			binding->slot = layout->table_count;
			layout->table_count += binding->count * slots_of(binding->type);
		} else if (is_inline(binding->type)) {
			binding->slot = layout->table_count++;
		}
	}
	data = HTH_ALIGN(layout->table_count * (uint32_t)sizeof(struct hearth_descriptor), 64u);
	for (uint32_t i = 0; i < layout->binding_count; i++) {
		struct hth_binding *binding = &layout->bindings[i];

		if (!binding->used || !is_inline(binding->type))
			continue;
		binding->data = data;
		data += HTH_ALIGN(binding->count, 64u);
	}
	layout->size_bytes = data;
	hth_sha256_init(&hash);
	for (uint32_t i = 0; i < layout->binding_count; i++) {
		if (!layout->bindings[i].used)
			continue;
		hth_sha256_add_u32(&hash, i);
		hth_sha256_add_u32(&hash, layout->bindings[i].type);
		hth_sha256_add_u32(&hash, layout->bindings[i].count);
		hth_sha256_add_u32(&hash, layout->bindings[i].slot);
		if (layout->bindings[i].samplers)
			hth_sha256_add(&hash, layout->bindings[i].samplers,
				       layout->bindings[i].count *
					       sizeof(*layout->bindings[i].samplers));
	}
	hth_sha256_finish(&hash, layout->hash);
}

/* Adds up what a layout would take; false if it goes beyond what sets may hold. */
static bool layout_fits(const VkDescriptorSetLayoutCreateInfo *info, uint32_t *binding_count,
			uint32_t *sampler_count)
{
	uint64_t dynamic = 0, table = 0, inline_bytes = 0, samplers = 0;

	*binding_count = 0;
	for (uint32_t i = 0; i < info->bindingCount; i++) {
		const VkDescriptorSetLayoutBinding *binding = &info->pBindings[i];

		if (binding->binding >= 1u << 20)
			return false;
		*binding_count = HTH_MAX(*binding_count, binding->binding + 1);
		if (is_dynamic(binding->descriptorType))
			dynamic += binding->descriptorCount;
		else if (slots_of(binding->descriptorType))
			table += (uint64_t)binding->descriptorCount *
				 slots_of(binding->descriptorType);
		else if (is_inline(binding->descriptorType))
			inline_bytes += HTH_ALIGN((uint64_t)binding->descriptorCount, 64u) + 16;
		if (has_sampler(binding->descriptorType) && binding->pImmutableSamplers)
			samplers += binding->descriptorCount;
	}
	*sampler_count = (uint32_t)samplers;
	return dynamic <= HTH_MAX_DYNAMIC && samplers <= 1u << 20 && table <= 1u << 24 &&
	       inline_bytes <= 1u << 24;
}

VKAPI_ATTR VkResult VKAPI_CALL
hth_CreateDescriptorSetLayout(VkDevice handle, const VkDescriptorSetLayoutCreateInfo *info,
			      const VkAllocationCallbacks *callbacks, VkDescriptorSetLayout *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_set_layout *layout;
	struct hearth_sampler_descriptor *samplers;
	uint32_t count, sampler_count;

	/*
	 * The layout may outlive its handle in sets and pipeline layouts, so the callbacks are the
	 * device's and not those given here.
	 */
	(void)callbacks;
	if (!layout_fits(info, &count, &sampler_count))
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	layout = hth_object_alloc(device, NULL,
				  sizeof(*layout) + count * sizeof(layout->bindings[0]) +
					  sampler_count * sizeof(*samplers),
				  VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT);
	if (!layout)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	atomic_init(&layout->references, 1);
	layout->binding_count = count;
	samplers = (void *)&layout->bindings[count];
	for (uint32_t i = 0; i < info->bindingCount; i++) {
		struct hth_binding *binding = &layout->bindings[info->pBindings[i].binding];

		binding->type = info->pBindings[i].descriptorType;
		binding->count = info->pBindings[i].descriptorCount;
		binding->used = binding->count != 0;
		if (!has_sampler(binding->type) || !info->pBindings[i].pImmutableSamplers)
			continue;
		binding->samplers = samplers;
		for (uint32_t k = 0; k < binding->count; k++)
			*samplers++ =
				hth_sampler_from_handle(info->pBindings[i].pImmutableSamplers[k])
					->descriptor;
	}
	layout_assign(layout);
	*out = hth_set_layout_to_handle(layout);
	return VK_SUCCESS;
}

struct hth_set_layout *hth_set_layout_ref(struct hth_set_layout *layout)
{
	if (layout)
		atomic_fetch_add(&layout->references, 1);
	return layout;
}

void hth_set_layout_unref(struct hth_device *device, struct hth_set_layout *layout)
{
	if (layout && atomic_fetch_sub(&layout->references, 1) == 1)
		hth_object_free(device, NULL, layout);
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyDescriptorSetLayout(VkDevice device,
							  VkDescriptorSetLayout layout,
							  const VkAllocationCallbacks *callbacks)
{
	(void)callbacks;
	hth_set_layout_unref(hth_device_from_handle(device), hth_set_layout_from_handle(layout));
}

VKAPI_ATTR void VKAPI_CALL
hth_GetDescriptorSetLayoutSupport(VkDevice device, const VkDescriptorSetLayoutCreateInfo *info,
				  VkDescriptorSetLayoutSupport *support)
{
	uint32_t count, samplers;

	(void)device;
	support->supported = layout_fits(info, &count, &samplers);
	for (VkBaseOutStructure *next = support->pNext; next; next = next->pNext) {
		VkDescriptorSetVariableDescriptorCountLayoutSupport *variable = (void *)next;

		if (next->sType ==
		    VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_LAYOUT_SUPPORT)
			variable->maxVariableDescriptorCount = 0;
	}
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreatePipelineLayout(VkDevice handle,
							const VkPipelineLayoutCreateInfo *info,
							const VkAllocationCallbacks *callbacks,
							VkPipelineLayout *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_pipeline_layout *layout;

	if (info->setLayoutCount > HTH_MAX_SETS)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	layout = hth_object_alloc(device, callbacks, sizeof(*layout),
				  VK_OBJECT_TYPE_PIPELINE_LAYOUT);
	if (!layout)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	layout->set_count = info->setLayoutCount;
	for (uint32_t i = 0; i < info->setLayoutCount; i++) {
		layout->sets[i] =
			hth_set_layout_ref(hth_set_layout_from_handle(info->pSetLayouts[i]));
		layout->dynamic_base[i] = layout->dynamic_count;
		if (layout->sets[i])
			layout->dynamic_count += layout->sets[i]->dynamic_count;
	}
	for (uint32_t i = 0; i < info->pushConstantRangeCount; i++)
		layout->push_bytes =
			HTH_MAX(layout->push_bytes, info->pPushConstantRanges[i].offset +
							    info->pPushConstantRanges[i].size);
	*out = hth_pipeline_layout_to_handle(layout);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyPipelineLayout(VkDevice handle,
						     VkPipelineLayout layout_handle,
						     const VkAllocationCallbacks *callbacks)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_pipeline_layout *layout = hth_pipeline_layout_from_handle(layout_handle);

	if (!layout)
		return;
	for (uint32_t i = 0; i < layout->set_count; i++)
		hth_set_layout_unref(device, layout->sets[i]);
	hth_object_free(device, callbacks, layout);
}

/* ---- Writing ---- */

/* Where the sampler lies in a descriptor of @type. */
static void *sampler_place(VkDescriptorType type, void *descriptor)
{
	return type == VK_DESCRIPTOR_TYPE_SAMPLER
		       ? descriptor
		       : (uint8_t *)descriptor + offsetof(struct hearth_image_descriptor, sampler);
}

void hth_descriptor_table_init(const struct hth_set_layout *layout, uint64_t va, void *table)
{
	struct hearth_descriptor *slots = table;

	memset(table, 0, layout->size_bytes);
	for (uint32_t i = 0; i < layout->binding_count; i++) {
		const struct hth_binding *binding = &layout->bindings[i];

		if (!binding->used)
			continue;
		if (is_inline(binding->type))
			slots[binding->slot] =
				(struct hearth_descriptor){ va + binding->data, binding->count };
		for (uint32_t k = 0; binding->samplers && k < binding->count; k++)
			memcpy(sampler_place(binding->type,
					     &slots[binding->slot + k * slots_of(binding->type)]),
			       &binding->samplers[k], sizeof(binding->samplers[k]));
	}
}

static struct hearth_descriptor buffer_descriptor(const VkDescriptorBufferInfo *info)
{
	const struct hth_buffer *buffer = hth_buffer_from_handle(info->buffer);
	struct hearth_descriptor out = { 0, 0 };

	if (!buffer || info->offset > buffer->size)
		return out;
	out.address = buffer->va + info->offset;
	out.size_bytes = info->range == VK_WHOLE_SIZE ? buffer->size - info->offset : info->range;
	return out;
}

/*
 * Writes run over the end of a binding into the next ones of the same kind. @at is the array element
 * of @binding; returns the descriptor's place, or NULL when there is no more.
 */
static struct hearth_descriptor *place(const struct hth_set_layout *layout, void *table,
				       struct hearth_descriptor *dynamic, uint32_t *binding,
				       uint32_t *at)
{
	const struct hth_binding *b;

	while (*binding < layout->binding_count &&
	       (!layout->bindings[*binding].used || *at >= layout->bindings[*binding].count)) {
		*at -= layout->bindings[*binding].used ? layout->bindings[*binding].count : 0;
		(*binding)++;
	}
	if (*binding >= layout->binding_count)
		return NULL;
	b = &layout->bindings[*binding];
	if (is_dynamic(b->type))
		return &dynamic[b->slot + *at];
	if (slots_of(b->type))
		return &((struct hearth_descriptor *)table)[b->slot + *at * slots_of(b->type)];
	return NULL;
}

/* @samplers: the binding's own, from this element on, or NULL. */
static void write_image(VkDescriptorType type, const VkDescriptorImageInfo *info,
			const struct hearth_sampler_descriptor *samplers, void *to)
{
	const struct hth_image_view *view = hth_image_view_from_handle(info->imageView);
	const struct hth_sampler *sampler = hth_sampler_from_handle(info->sampler);
	struct hearth_image_descriptor out = { 0 };

	if (!samplers && has_sampler(type) && sampler)
		samplers = &sampler->descriptor;
	if (type == VK_DESCRIPTOR_TYPE_SAMPLER) {
		if (samplers)
			memcpy(to, samplers, sizeof(*samplers));
		return;
	}
	if (view)
		out = view->descriptor;
	if (samplers)
		memcpy(out.sampler, samplers, sizeof(*samplers));
	memcpy(to, &out, sizeof(out));
}

/* One descriptor; @info: VkDescriptorBufferInfo, VkDescriptorImageInfo or VkBufferView, as its type asks for. */
static void write_one(const struct hth_set_layout *layout, void *table,
		      struct hearth_descriptor *dynamic, uint32_t *binding, uint32_t *at,
		      VkDescriptorType type, const void *info)
{
	struct hearth_descriptor *to = place(layout, table, dynamic, binding, at);
	const struct hth_binding *b;

	if (!to)
		return;
	b = &layout->bindings[*binding];
	/* A hostile write must not take more room than the binding gave. */
	if (slots_of(b->type) != slots_of(type) || is_dynamic(b->type) != is_dynamic(type))
		return;
	if (is_buffer(type) || is_dynamic(type)) {
		*to = buffer_descriptor(info);
	} else if (is_texel_buffer(type)) {
		const VkDescriptorImageInfo view = { .imageView = *(const VkImageView *)info };

		write_image(type, &view, NULL, to);
	} else {
		write_image(type, info, b->samplers ? &b->samplers[*at] : NULL, to);
	}
}

void hth_descriptor_write(const struct hth_set_layout *layout, void *table,
			  struct hearth_descriptor *dynamic, const VkWriteDescriptorSet *write)
{
	uint32_t binding = write->dstBinding;
	uint32_t at = write->dstArrayElement;
	VkDescriptorType type = write->descriptorType;

	if (is_inline(type)) {
		for (const VkBaseInStructure *next = write->pNext; next; next = next->pNext) {
			const VkWriteDescriptorSetInlineUniformBlock *block = (const void *)next;

			if (next->sType ==
			    VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK)
				memcpy((uint8_t *)table + layout->bindings[binding].data + at,
				       block->pData, block->dataSize);
		}
		return;
	}
	if (!slots_of(type) && !is_dynamic(type))
		return;
	for (uint32_t i = 0; i < write->descriptorCount; i++, at++) {
		const void *info = is_texel_buffer(type) ? (const void *)&write->pTexelBufferView[i]
				   : is_buffer(type) || is_dynamic(type)
					   ? (const void *)&write->pBufferInfo[i]
					   : (const void *)&write->pImageInfo[i];

		write_one(layout, table, dynamic, &binding, &at, type, info);
	}
}

void hth_descriptor_write_template(const struct hth_set_layout *layout, void *table,
				   struct hearth_descriptor *dynamic,
				   const struct hth_update_template *update, const void *data)
{
	for (uint32_t e = 0; e < update->entry_count; e++) {
		const VkDescriptorUpdateTemplateEntry *entry = &update->entries[e];
		const uint8_t *from = (const uint8_t *)data + entry->offset;
		uint32_t binding = entry->dstBinding;
		uint32_t at = entry->dstArrayElement;

		if (is_inline(entry->descriptorType)) {
			memcpy((uint8_t *)table + layout->bindings[binding].data + at, from,
			       entry->descriptorCount);
			continue;
		}
		if (!slots_of(entry->descriptorType) && !is_dynamic(entry->descriptorType))
			continue;
		for (uint32_t i = 0; i < entry->descriptorCount; i++, at++)
			write_one(layout, table, dynamic, &binding, &at, entry->descriptorType,
				  from + i * entry->stride);
	}
}

static void copy_set(const VkCopyDescriptorSet *copy)
{
	const struct hth_descriptor_set *from = hth_descriptor_set_from_handle(copy->srcSet);
	struct hth_descriptor_set *to = hth_descriptor_set_from_handle(copy->dstSet);
	uint32_t from_binding = copy->srcBinding, from_at = copy->srcArrayElement;
	uint32_t to_binding = copy->dstBinding, to_at = copy->dstArrayElement;

	if (is_inline(from->layout->bindings[from_binding].type)) {
		memcpy((uint8_t *)to->table + to->layout->bindings[to_binding].data + to_at,
		       (const uint8_t *)from->table + from->layout->bindings[from_binding].data +
			       from_at,
		       copy->descriptorCount);
		return;
	}
	for (uint32_t i = 0; i < copy->descriptorCount; i++, from_at++, to_at++) {
		const struct hearth_descriptor *source =
			place(from->layout, from->table, from->dynamic, &from_binding, &from_at);
		struct hearth_descriptor *target =
			place(to->layout, to->table, to->dynamic, &to_binding, &to_at);

		if (source && target)
			memcpy(target, source,
			       HTH_MAX(slots_of(to->layout->bindings[to_binding].type), 1u) *
				       sizeof(*target));
	}
}

VKAPI_ATTR void VKAPI_CALL hth_UpdateDescriptorSets(VkDevice device, uint32_t write_count,
						    const VkWriteDescriptorSet *writes,
						    uint32_t copy_count,
						    const VkCopyDescriptorSet *copies)
{
	(void)device;
	for (uint32_t i = 0; i < write_count; i++) {
		struct hth_descriptor_set *set = hth_descriptor_set_from_handle(writes[i].dstSet);

		hth_descriptor_write(set->layout, set->table, set->dynamic, &writes[i]);
	}
	for (uint32_t i = 0; i < copy_count; i++)
		copy_set(&copies[i]);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateDescriptorUpdateTemplate(
	VkDevice handle, const VkDescriptorUpdateTemplateCreateInfo *info,
	const VkAllocationCallbacks *callbacks, VkDescriptorUpdateTemplate *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	size_t entries =
		info->descriptorUpdateEntryCount * sizeof(info->pDescriptorUpdateEntries[0]);
	struct hth_update_template *update =
		hth_object_alloc(device, callbacks, sizeof(*update) + entries,
				 VK_OBJECT_TYPE_DESCRIPTOR_UPDATE_TEMPLATE);

	if (!update)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	update->set = info->set;
	update->entry_count = info->descriptorUpdateEntryCount;
	memcpy(update->entries, info->pDescriptorUpdateEntries, entries);
	*out = hth_update_template_to_handle(update);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyDescriptorUpdateTemplate(
	VkDevice device, VkDescriptorUpdateTemplate update, const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks,
			hth_update_template_from_handle(update));
}

VKAPI_ATTR void VKAPI_CALL hth_UpdateDescriptorSetWithTemplate(VkDevice device,
							       VkDescriptorSet handle,
							       VkDescriptorUpdateTemplate update,
							       const void *data)
{
	struct hth_descriptor_set *set = hth_descriptor_set_from_handle(handle);

	(void)device;
	hth_descriptor_write_template(set->layout, set->table, set->dynamic,
				      hth_update_template_from_handle(update), data);
}

/* ---- Pools and sets ---- */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateDescriptorPool(VkDevice handle,
							const VkDescriptorPoolCreateInfo *info,
							const VkAllocationCallbacks *callbacks,
							VkDescriptorPool *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_descriptor_pool *pool;
	uint64_t bytes = 0;
	VkResult result;

	for (uint32_t i = 0; i < info->poolSizeCount; i++) {
		const VkDescriptorPoolSize *size = &info->pPoolSizes[i];

		if (slots_of(size->type))
			bytes += (uint64_t)size->descriptorCount * slots_of(size->type) *
				 sizeof(struct hearth_descriptor);
		else if (is_inline(size->type))
			bytes += size->descriptorCount;
	}
	for (const VkBaseInStructure *next = info->pNext; next; next = next->pNext) {
		const VkDescriptorPoolInlineUniformBlockCreateInfo *blocks = (const void *)next;

		/* Each has a descriptor and starts on a line of its own. */
		if (next->sType ==
		    VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO)
			bytes += (uint64_t)blocks->maxInlineUniformBlockBindings * 128;
	}
	if (bytes)
		bytes += (uint64_t)info->maxSets * 128; /* tables start and end on lines */
	if (bytes > UINT32_MAX)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	pool = hth_object_alloc(device, callbacks, sizeof(*pool), VK_OBJECT_TYPE_DESCRIPTOR_POOL);
	if (!pool)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	pool->flags = info->flags;
	pool->max_sets = info->maxSets;
	if (bytes) {
		result = device->backend->bo_create(device, HTH_PLACEMENT_DEVICE, bytes, &pool->bo);
		if (result != VK_SUCCESS) {
			hth_object_free(device, callbacks, pool);
			return result;
		}
	}
	*out = hth_descriptor_pool_to_handle(pool);
	return VK_SUCCESS;
}

static void set_free(struct hth_device *device, struct hth_descriptor_set *set)
{
	*set->link = set->next;
	if (set->next)
		set->next->link = set->link;
	set->pool->set_count--;
	hth_set_layout_unref(device, set->layout);
	hth_object_free(device, NULL, set);
}

static void pool_reset(struct hth_device *device, struct hth_descriptor_pool *pool)
{
	while (pool->sets)
		set_free(device, pool->sets);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_ResetDescriptorPool(VkDevice device, VkDescriptorPool pool,
						       VkDescriptorPoolResetFlags flags)
{
	(void)flags;
	pool_reset(hth_device_from_handle(device), hth_descriptor_pool_from_handle(pool));
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyDescriptorPool(VkDevice handle, VkDescriptorPool pool_handle,
						     const VkAllocationCallbacks *callbacks)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_descriptor_pool *pool = hth_descriptor_pool_from_handle(pool_handle);

	if (!pool)
		return;
	pool_reset(device, pool);
	if (pool->bo.size)
		device->backend->bo_destroy(device, &pool->bo);
	hth_object_free(device, callbacks, pool);
}

/* First fit between the sets that are there, which the list keeps in the order of their memory. */
static struct hth_descriptor_set **find_room(struct hth_descriptor_pool *pool, uint32_t size,
					     uint32_t *offset)
{
	struct hth_descriptor_set **link = &pool->sets;
	uint64_t end = 0;

	for (; *link; link = &(*link)->next) {
		if (end + size <= (*link)->offset)
			break;
		end = (uint64_t)(*link)->offset + (*link)->size_bytes;
	}
	*offset = (uint32_t)end;
	return *link || end + size <= pool->bo.size || !size ? link : NULL;
}

static VkResult set_create(struct hth_device *device, struct hth_descriptor_pool *pool,
			   struct hth_set_layout *layout, struct hth_descriptor_set **out)
{
	uint32_t size = HTH_ALIGN(layout->size_bytes, 64u);
	struct hth_descriptor_set *set, **link;
	uint32_t offset;

	if (pool->set_count >= pool->max_sets)
		return VK_ERROR_OUT_OF_POOL_MEMORY;
	link = find_room(pool, size, &offset);
	if (!link)
		return VK_ERROR_OUT_OF_POOL_MEMORY;
	set = hth_object_alloc(device, NULL,
			       sizeof(*set) + layout->dynamic_count * sizeof(set->dynamic[0]),
			       VK_OBJECT_TYPE_DESCRIPTOR_SET);
	if (!set)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	set->pool = pool;
	set->layout = hth_set_layout_ref(layout);
	set->offset = offset;
	set->size_bytes = size;
	set->dynamic = (struct hearth_descriptor *)(set + 1);
	if (size) {
		set->va = pool->bo.va + offset;
		set->table = (uint8_t *)pool->bo.map + offset;
		hth_descriptor_table_init(layout, set->va, set->table);
	}
	set->link = link;
	set->next = *link;
	if (set->next)
		set->next->link = &set->next;
	*link = set;
	pool->set_count++;
	*out = set;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_AllocateDescriptorSets(VkDevice handle,
							  const VkDescriptorSetAllocateInfo *info,
							  VkDescriptorSet *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_descriptor_pool *pool = hth_descriptor_pool_from_handle(info->descriptorPool);
	VkResult result = VK_SUCCESS;
	uint32_t done;

	for (done = 0; done < info->descriptorSetCount; done++) {
		struct hth_descriptor_set *set;

		result = set_create(device, pool,
				    hth_set_layout_from_handle(info->pSetLayouts[done]), &set);
		if (result != VK_SUCCESS)
			break;
		out[done] = hth_descriptor_set_to_handle(set);
	}
	if (result == VK_SUCCESS)
		return VK_SUCCESS;
	while (done)
		set_free(device, hth_descriptor_set_from_handle(out[--done]));
	for (uint32_t i = 0; i < info->descriptorSetCount; i++)
		out[i] = VK_NULL_HANDLE;
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_FreeDescriptorSets(VkDevice device, VkDescriptorPool pool,
						      uint32_t count, const VkDescriptorSet *sets)
{
	(void)pool;
	for (uint32_t i = 0; i < count; i++)
		if (sets[i])
			set_free(hth_device_from_handle(device),
				 hth_descriptor_set_from_handle(sets[i]));
	return VK_SUCCESS;
}
