// SPDX-License-Identifier: MIT
/*
 * Fences, semaphores (binary and timeline) and events.
 *
 * A fence or semaphore holds no state of its own beside tickets of queues: it is signalled when the
 * ticket is done. Timeline values are brought up to date by whoever looks.
 */
#include <stdlib.h>
#include <string.h>

#include "hth_private.h"

/* How long a wait for any of several things stays with one of them on an asynchronous backend. */
#define ANY_SLICE_NS 1000000

/* ---- Fences ---- */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateFence(VkDevice handle, const VkFenceCreateInfo *info,
					       const VkAllocationCallbacks *callbacks, VkFence *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_fence *fence =
		hth_object_alloc(device, callbacks, sizeof(*fence), VK_OBJECT_TYPE_FENCE);

	if (!fence)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	fence->signaled = info->flags & VK_FENCE_CREATE_SIGNALED_BIT;
	*out = hth_fence_to_handle(fence);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyFence(VkDevice device, VkFence fence,
					    const VkAllocationCallbacks *callbacks)
{
	hth_object_free(hth_device_from_handle(device), callbacks, hth_fence_from_handle(fence));
}

VKAPI_ATTR VkResult VKAPI_CALL hth_ResetFences(VkDevice handle, uint32_t count,
					       const VkFence *fences)
{
	struct hth_device *device = hth_device_from_handle(handle);

	pthread_mutex_lock(&device->sync_lock);
	for (uint32_t i = 0; i < count; i++) {
		struct hth_fence *fence = hth_fence_from_handle(fences[i]);

		fence->signaled = false;
		fence->in_flight = false;
	}
	pthread_mutex_unlock(&device->sync_lock);
	return VK_SUCCESS;
}

/* With sync_lock. */
static bool fence_done(struct hth_fence *fence)
{
	if (!fence->signaled && fence->in_flight && hth_point_done(&fence->point))
		fence->signaled = true;
	return fence->signaled;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetFenceStatus(VkDevice handle, VkFence fence)
{
	struct hth_device *device = hth_device_from_handle(handle);
	bool done;

	pthread_mutex_lock(&device->sync_lock);
	done = fence_done(hth_fence_from_handle(fence));
	pthread_mutex_unlock(&device->sync_lock);
	if (done)
		return VK_SUCCESS;
	return atomic_load(&device->lost) ? VK_ERROR_DEVICE_LOST : VK_NOT_READY;
}

/*
 * One look at what is waited for, with sync_lock. Returns true if the wait is over; else @point is
 * something in flight whose end may end the wait (queue NULL: nothing is in flight).
 */
typedef bool (*look_fn)(void *what, struct hth_point *point);

static VkResult wait_loop(struct hth_device *device, look_fn look, void *what, bool any,
			  int64_t deadline_ns)
{
	for (;;) {
		struct hth_point point = { 0 };
		VkResult result = VK_SUCCESS;
		bool done, in_backend;

		pthread_mutex_lock(&device->sync_lock);
		done = look(what, &point);
		/* What the backend does not have yet may need us, or come about in another way. */
		in_backend = device->backend->asynchronous && point.queue &&
			     atomic_load(&point.queue->pushed) >= point.ticket;
		if (!done && !atomic_load(&device->lost) && hth_now_ns() < deadline_ns &&
		    !in_backend)
			hth_sync_sleep(device, deadline_ns);
		pthread_mutex_unlock(&device->sync_lock);
		if (done)
			return VK_SUCCESS;
		if (atomic_load(&device->lost))
			return VK_ERROR_DEVICE_LOST;
		if (in_backend) {
			int64_t until = deadline_ns;

			if (any)
				until = HTH_MIN(until, hth_now_ns() + ANY_SLICE_NS);
			result = hth_point_wait(&point, until);
			if (result != VK_SUCCESS && result != VK_TIMEOUT)
				return result;
			if (result == VK_SUCCESS)
				continue;
		}
		if (hth_now_ns() >= deadline_ns) {
			pthread_mutex_lock(&device->sync_lock);
			done = look(what, &point);
			pthread_mutex_unlock(&device->sync_lock);
			return done ? VK_SUCCESS : VK_TIMEOUT;
		}
	}
}

struct fence_wait {
	uint32_t count;
	const VkFence *fences;
	bool all;
};

static bool look_fences(void *what, struct hth_point *point)
{
	const struct fence_wait *wait = what;
	uint32_t done = 0;

	for (uint32_t i = 0; i < wait->count; i++) {
		struct hth_fence *fence = hth_fence_from_handle(wait->fences[i]);

		if (fence_done(fence))
			done++;
		else if (fence->in_flight && !point->queue)
			*point = fence->point;
	}
	return wait->all ? done == wait->count : done > 0;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_WaitForFences(VkDevice handle, uint32_t count,
						 const VkFence *fences, VkBool32 all,
						 uint64_t timeout)
{
	struct fence_wait wait = { count, fences, all || count == 1 };

	return wait_loop(hth_device_from_handle(handle), look_fences, &wait, !wait.all,
			 hth_deadline(timeout));
}

/* ---- Semaphores ---- */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateSemaphore(VkDevice handle,
						   const VkSemaphoreCreateInfo *info,
						   const VkAllocationCallbacks *callbacks,
						   VkSemaphore *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_semaphore *semaphore =
		hth_object_alloc(device, callbacks, sizeof(*semaphore), VK_OBJECT_TYPE_SEMAPHORE);

	if (!semaphore)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	for (const VkBaseInStructure *next = info->pNext; next; next = next->pNext) {
		const VkSemaphoreTypeCreateInfo *type = (const void *)next;

		if (next->sType != VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO)
			continue;
		semaphore->timeline = type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE;
		semaphore->value = type->initialValue;
	}
	*out = hth_semaphore_to_handle(semaphore);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroySemaphore(VkDevice device, VkSemaphore handle,
						const VkAllocationCallbacks *callbacks)
{
	struct hth_semaphore *semaphore = hth_semaphore_from_handle(handle);

	if (!semaphore)
		return;
	free(semaphore->pending);
	hth_object_free(hth_device_from_handle(device), callbacks, semaphore);
}

VkResult hth_semaphore_signal_later(struct hth_semaphore *semaphore, uint64_t value,
				    const struct hth_point *point)
{
	if (!semaphore->timeline) {
		semaphore->point = *point;
		return VK_SUCCESS;
	}
	if (semaphore->pending_count == semaphore->pending_capacity)
		hth_semaphore_update(semaphore);
	if (semaphore->pending_count == semaphore->pending_capacity) {
		uint32_t capacity =
			semaphore->pending_capacity ? 2 * semaphore->pending_capacity : 8;
		struct hth_timeline_point *grown =
			realloc(semaphore->pending, capacity * sizeof(*grown));

		if (!grown)
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		semaphore->pending = grown;
		semaphore->pending_capacity = capacity;
	}
	semaphore->pending[semaphore->pending_count++] =
		(struct hth_timeline_point){ value, *point };
	return VK_SUCCESS;
}

void hth_semaphore_update(struct hth_semaphore *semaphore)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < semaphore->pending_count; i++) {
		if (hth_point_done(&semaphore->pending[i].point))
			semaphore->value = HTH_MAX(semaphore->value, semaphore->pending[i].value);
		else
			semaphore->pending[kept++] = semaphore->pending[i];
	}
	semaphore->pending_count = kept;
}

/*
 * True if the value is reached (@point is then empty) or will be when @point is done; false if
 * nothing submitted so far brings it.
 */
bool hth_semaphore_find(struct hth_semaphore *semaphore, uint64_t value, struct hth_point *point)
{
	uint64_t best = 0;

	memset(point, 0, sizeof(*point));
	hth_semaphore_update(semaphore);
	if (semaphore->value >= value)
		return true;
	for (uint32_t i = 0; i < semaphore->pending_count; i++) {
		const struct hth_timeline_point *pending = &semaphore->pending[i];

		if (pending->value >= value && (!point->queue || pending->value < best)) {
			*point = pending->point;
			best = pending->value;
		}
	}
	return point->queue != NULL;
}

struct semaphore_wait {
	uint32_t count;
	const VkSemaphore *semaphores;
	const uint64_t *values;
	bool any;
};

static bool look_semaphores(void *what, struct hth_point *point)
{
	const struct semaphore_wait *wait = what;
	uint32_t done = 0;

	for (uint32_t i = 0; i < wait->count; i++) {
		struct hth_point one;

		if (!hth_semaphore_find(hth_semaphore_from_handle(wait->semaphores[i]),
					wait->values[i], &one))
			continue;
		if (!one.queue)
			done++;
		else if (!point->queue)
			*point = one;
	}
	return wait->any ? done > 0 : done == wait->count;
}

VkResult hth_semaphore_wait(struct hth_device *device, struct hth_semaphore *semaphore,
			    uint64_t value, int64_t deadline_ns)
{
	VkSemaphore handle = hth_semaphore_to_handle(semaphore);
	struct semaphore_wait wait = { 1, &handle, &value, false };

	return wait_loop(device, look_semaphores, &wait, false, deadline_ns);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo *info,
						  uint64_t timeout)
{
	struct semaphore_wait wait = {
		info->semaphoreCount,
		info->pSemaphores,
		info->pValues,
		(info->flags & VK_SEMAPHORE_WAIT_ANY_BIT) && info->semaphoreCount > 1,
	};

	/* A host signal may come while work is waited for, so only short stays when there are several. */
	return wait_loop(hth_device_from_handle(handle), look_semaphores, &wait, wait.any,
			 hth_deadline(timeout));
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetSemaphoreCounterValue(VkDevice handle,
							    VkSemaphore semaphore_handle,
							    uint64_t *value)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_semaphore *semaphore = hth_semaphore_from_handle(semaphore_handle);

	pthread_mutex_lock(&device->sync_lock);
	hth_semaphore_update(semaphore);
	*value = semaphore->value;
	pthread_mutex_unlock(&device->sync_lock);
	return atomic_load(&device->lost) ? VK_ERROR_DEVICE_LOST : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_SignalSemaphore(VkDevice handle,
						   const VkSemaphoreSignalInfo *info)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_semaphore *semaphore = hth_semaphore_from_handle(info->semaphore);

	pthread_mutex_lock(&device->sync_lock);
	hth_semaphore_update(semaphore);
	semaphore->value = HTH_MAX(semaphore->value, info->value);
	pthread_cond_broadcast(&device->sync_cond);
	pthread_mutex_unlock(&device->sync_lock);
	return VK_SUCCESS;
}

/* ---- Events ---- */

VKAPI_ATTR VkResult VKAPI_CALL hth_CreateEvent(VkDevice handle, const VkEventCreateInfo *info,
					       const VkAllocationCallbacks *callbacks, VkEvent *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_event *event =
		hth_object_alloc(device, callbacks, sizeof(*event), VK_OBJECT_TYPE_EVENT);
	VkResult result;

	(void)info;
	if (!event)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	result = device->backend->bo_create(device, HTH_PLACEMENT_HOST, sizeof(uint64_t),
					    &event->bo);
	if (result != VK_SUCCESS) {
		hth_object_free(device, callbacks, event);
		return result;
	}
	__atomic_store_n((uint64_t *)event->bo.map, 0, __ATOMIC_RELEASE);
	*out = hth_event_to_handle(event);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyEvent(VkDevice handle, VkEvent event_handle,
					    const VkAllocationCallbacks *callbacks)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_event *event = hth_event_from_handle(event_handle);

	if (!event)
		return;
	device->backend->bo_destroy(device, &event->bo);
	hth_object_free(device, callbacks, event);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetEventStatus(VkDevice handle, VkEvent event)
{
	/* Acquire: what the device wrote before it set the event is visible after this. */
	uint64_t *word = hth_event_from_handle(event)->bo.map;

	if (atomic_load(&hth_device_from_handle(handle)->lost))
		return VK_ERROR_DEVICE_LOST;
	return __atomic_load_n(word, __ATOMIC_ACQUIRE) ? VK_EVENT_SET : VK_EVENT_RESET;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_SetEvent(VkDevice device, VkEvent event)
{
	(void)device;
	__atomic_store_n((uint64_t *)hth_event_from_handle(event)->bo.map, 1, __ATOMIC_RELEASE);
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_ResetEvent(VkDevice device, VkEvent event)
{
	(void)device;
	__atomic_store_n((uint64_t *)hth_event_from_handle(event)->bo.map, 0, __ATOMIC_RELEASE);
	return VK_SUCCESS;
}
