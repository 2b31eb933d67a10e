// SPDX-License-Identifier: MIT
/*
 * What all objects share: memory by the application's callbacks, the common head with its private
 * data, and time.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hth_private.h"

/* Large enough for every member of every object, and a cache line. */
#define HTH_OBJECT_ALIGNMENT 64

void hth_object_init(void *object, VkObjectType type)
{
	struct hth_object *head = object;

	head->loader_data.loaderMagic = ICD_LOADER_MAGIC;
	head->type = type;
	head->private_count = 0;
	head->private_entries = NULL;
}

void hth_object_finish(void *object)
{
	struct hth_object *head = object;

	free(head->private_entries);
	head->private_entries = NULL;
	head->private_count = 0;
}

void *hth_alloc(const VkAllocationCallbacks *parent, const VkAllocationCallbacks *callbacks,
		size_t size, VkSystemAllocationScope scope)
{
	const VkAllocationCallbacks *use = callbacks ? callbacks : parent;
	void *memory;

	if (use) {
		memory = use->pfnAllocation(use->pUserData, size, HTH_OBJECT_ALIGNMENT, scope);
	} else {
		if (size > SIZE_MAX - HTH_OBJECT_ALIGNMENT)
			return NULL;
		memory = aligned_alloc(HTH_OBJECT_ALIGNMENT,
				       HTH_ALIGN(size, (size_t)HTH_OBJECT_ALIGNMENT));
	}
	if (memory)
		memset(memory, 0, size);
	return memory;
}

void hth_free(const VkAllocationCallbacks *parent, const VkAllocationCallbacks *callbacks,
	      void *memory)
{
	const VkAllocationCallbacks *use = callbacks ? callbacks : parent;

	if (!memory)
		return;
	if (use)
		use->pfnFree(use->pUserData, memory);
	else
		free(memory);
}

const VkAllocationCallbacks *hth_device_callbacks(const struct hth_device *device)
{
	return device->has_callbacks ? &device->callbacks : NULL;
}

void *hth_object_alloc(struct hth_device *device, const VkAllocationCallbacks *callbacks,
		       size_t size, VkObjectType type)
{
	void *object = hth_alloc(hth_device_callbacks(device), callbacks, size,
				 VK_SYSTEM_ALLOCATION_SCOPE_OBJECT);

	if (object)
		hth_object_init(object, type);
	return object;
}

void hth_object_free(struct hth_device *device, const VkAllocationCallbacks *callbacks,
		     void *object)
{
	if (!object)
		return;
	hth_object_finish(object);
	hth_free(hth_device_callbacks(device), callbacks, object);
}

int64_t hth_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t hth_deadline(uint64_t timeout_ns)
{
	int64_t now = hth_now_ns();

	if (timeout_ns >= (uint64_t)(HTH_NO_DEADLINE - now))
		return HTH_NO_DEADLINE;
	return now + (int64_t)timeout_ns;
}

/* ---- Private data ---- */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreatePrivateDataSlot(VkDevice handle,
							 const VkPrivateDataSlotCreateInfo *info,
							 const VkAllocationCallbacks *callbacks,
							 VkPrivateDataSlot *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_private_slot *slot = hth_object_alloc(device, callbacks, sizeof(*slot),
							 VK_OBJECT_TYPE_PRIVATE_DATA_SLOT);

	(void)info;
	if (!slot)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	/* Numbers are never used twice, so what a dead slot left in objects is never found. */
	slot->id = atomic_fetch_add(&device->next_private_slot, 1) + 1;
	*out = hth_private_slot_to_handle(slot);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyPrivateDataSlot(VkDevice device, VkPrivateDataSlot slot,
						      const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks,
			hth_private_slot_from_handle(slot));
}

static struct hth_private_entry *private_find(struct hth_object *object, uint64_t slot)
{
	for (uint32_t i = 0; i < object->private_count; i++)
		if (object->private_entries[i].slot == slot)
			return &object->private_entries[i];
	return NULL;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_SetPrivateData(VkDevice handle, VkObjectType type,
						  uint64_t object_handle, VkPrivateDataSlot slot,
						  uint64_t data)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_object *object = (struct hth_object *)(uintptr_t)object_handle;
	uint64_t id = hth_private_slot_from_handle(slot)->id;
	struct hth_private_entry *entry;
	VkResult result = VK_SUCCESS;

	(void)type;
	pthread_mutex_lock(&device->private_lock);
	entry = private_find(object, id);
	if (!entry) {
		struct hth_private_entry *grown = realloc(
			object->private_entries, (object->private_count + 1) * sizeof(*grown));

		if (grown) {
			object->private_entries = grown;
			entry = &grown[object->private_count++];
			entry->slot = id;
		} else {
			result = VK_ERROR_OUT_OF_HOST_MEMORY;
		}
	}
	if (entry)
		entry->data = data;
	pthread_mutex_unlock(&device->private_lock);
	return result;
}

VKAPI_ATTR void VKAPI_CALL hth_GetPrivateData(VkDevice handle, VkObjectType type,
					      uint64_t object_handle, VkPrivateDataSlot slot,
					      uint64_t *data)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_object *object = (struct hth_object *)(uintptr_t)object_handle;
	struct hth_private_entry *entry;

	(void)type;
	pthread_mutex_lock(&device->private_lock);
	entry = private_find(object, hth_private_slot_from_handle(slot)->id);
	*data = entry ? entry->data : 0;
	pthread_mutex_unlock(&device->private_lock);
}
