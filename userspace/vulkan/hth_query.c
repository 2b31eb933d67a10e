// SPDX-License-Identifier: MIT
/* Query pools: timestamps, the only kind a compute queue must have. */
#include <string.h>

#include "hth_private.h"

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateQueryPool(VkDevice handle,
						   const VkQueryPoolCreateInfo *info,
						   const VkAllocationCallbacks *callbacks,
						   VkQueryPool *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_query_pool *pool;
	VkResult result;

	if (info->queryType != VK_QUERY_TYPE_TIMESTAMP)
		return VK_ERROR_FEATURE_NOT_PRESENT;
	pool = hth_object_alloc(device, callbacks, sizeof(*pool), VK_OBJECT_TYPE_QUERY_POOL);
	if (!pool)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	pool->type = info->queryType;
	pool->count = info->queryCount;
	result = device->backend->bo_create(device, HTH_PLACEMENT_HOST,
					    (uint64_t)info->queryCount * sizeof(struct hth_query),
					    &pool->bo);
	if (result != VK_SUCCESS) {
		hth_object_free(device, callbacks, pool);
		return result;
	}
	memset(pool->bo.map, 0, info->queryCount * sizeof(struct hth_query));
	*out = hth_query_pool_to_handle(pool);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyQueryPool(VkDevice handle, VkQueryPool pool_handle,
						const VkAllocationCallbacks *callbacks)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_query_pool *pool = hth_query_pool_from_handle(pool_handle);

	if (!pool)
		return;
	device->backend->bo_destroy(device, &pool->bo);
	hth_object_free(device, callbacks, pool);
}

VKAPI_ATTR void VKAPI_CALL hth_ResetQueryPool(VkDevice device, VkQueryPool handle, uint32_t first,
					      uint32_t count)
{
	struct hth_query *queries = hth_query_pool_from_handle(handle)->bo.map;

	(void)device;
	memset(&queries[first], 0, count * sizeof(*queries));
}

static void write_result(uint8_t *to, uint64_t value, bool wide)
{
	uint32_t narrow = (uint32_t)value;

	memcpy(to, wide ? (const void *)&value : (const void *)&narrow, wide ? 8 : 4);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetQueryPoolResults(VkDevice handle, VkQueryPool pool_handle,
						       uint32_t first, uint32_t count, size_t size,
						       void *data, VkDeviceSize stride,
						       VkQueryResultFlags flags)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_query *queries = hth_query_pool_from_handle(pool_handle)->bo.map;
	bool wide = flags & VK_QUERY_RESULT_64_BIT;
	VkResult result = VK_SUCCESS;
	uint8_t *to = data;

	(void)size;
	for (uint32_t i = 0; i < count; i++, to += stride) {
		struct hth_query *query = &queries[first + i];
		uint64_t available;

		/* Acquire: pairs with the SIGNAL packet that follows the TIMESTAMP packet. */
		available = __atomic_load_n(&query->available, __ATOMIC_ACQUIRE);
		while (!available && (flags & VK_QUERY_RESULT_WAIT_BIT)) {
			/* What writes it is on a queue by now; sleep until some work has ended. */
			if (atomic_load(&device->lost))
				return VK_ERROR_DEVICE_LOST;
			pthread_mutex_lock(&device->sync_lock);
			hth_sync_sleep(device, hth_now_ns() + 50000);
			pthread_mutex_unlock(&device->sync_lock);
			available = __atomic_load_n(&query->available, __ATOMIC_ACQUIRE);
		}
		if (available || (flags & VK_QUERY_RESULT_PARTIAL_BIT))
			write_result(to, query->value, wide);
		if (!available)
			result = VK_NOT_READY;
		if (flags & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT)
			write_result(to + (wide ? 8 : 4), available, wide);
	}
	return result;
}
