// SPDX-License-Identifier: MIT
/*
 * Queues. Every submission gets a ticket, a number that grows by one; "ticket done" is the one fact
 * that fences, semaphores and idle waits are made of.
 *
 * A submission goes straight to the backend, without a system call, if the backend is asynchronous
 * and nothing must be waited for but earlier work of the same queue. Otherwise the queue's thread
 * takes it, in order.
 */
#include <errno.h>
#include <fenv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hth_private.h"

/* How long one sleep lasts at most where a change need not wake us: a board that is lost. */
#define SLICE_NS 100000000

int hth_sync_sleep(struct hth_device *device, int64_t deadline_ns)
{
	int64_t until = deadline_ns;
	struct timespec time;

	if (device->backend->asynchronous)
		until = HTH_MIN(until, hth_now_ns() + SLICE_NS);
	if (until == HTH_NO_DEADLINE)
		return pthread_cond_wait(&device->sync_cond, &device->sync_lock);
	time.tv_sec = until / 1000000000;
	time.tv_nsec = until % 1000000000;
	return pthread_cond_timedwait(&device->sync_cond, &device->sync_lock, &time);
}

void hth_sync_wake(struct hth_device *device)
{
	pthread_mutex_lock(&device->sync_lock);
	pthread_cond_broadcast(&device->sync_cond);
	pthread_mutex_unlock(&device->sync_lock);
}

bool hth_point_done(const struct hth_point *point)
{
	struct hth_queue *queue = point->queue;
	uint64_t completed;
	bool lost = false;

	if (!queue || atomic_load(&queue->completed) >= point->ticket)
		return true;
	if (!queue->device->backend->asynchronous)
		return false;
	completed = queue->device->backend->queue_completed(queue, &lost);
	/* Only marked here, for the caller may hold sync_lock; sleepers look again by themselves. */
	if (lost)
		atomic_store(&queue->device->lost, true);
	for (uint64_t old = atomic_load(&queue->completed); old < completed;)
		if (atomic_compare_exchange_weak(&queue->completed, &old, completed))
			break;
	return completed >= point->ticket;
}

VkResult hth_point_wait(const struct hth_point *point, int64_t deadline_ns)
{
	struct hth_queue *queue = point->queue;
	struct hth_device *device;
	VkResult result;

	if (!queue)
		return VK_SUCCESS;
	device = queue->device;
	while (!hth_point_done(point)) {
		if (atomic_load(&device->lost))
			return VK_ERROR_DEVICE_LOST;
		if (device->backend->asynchronous && atomic_load(&queue->pushed) >= point->ticket) {
			result = device->backend->queue_wait(queue, point->ticket, deadline_ns);
			if (result == VK_ERROR_DEVICE_LOST)
				return hth_device_lost(device);
			if (result != VK_SUCCESS)
				return result;
			continue;
		}
		pthread_mutex_lock(&device->sync_lock);
		if (atomic_load(&queue->completed) < point->ticket &&
		    !(device->backend->asynchronous &&
		      atomic_load(&queue->pushed) >= point->ticket) &&
		    !atomic_load(&device->lost))
			hth_sync_sleep(device, deadline_ns);
		pthread_mutex_unlock(&device->sync_lock);
		if (deadline_ns != HTH_NO_DEADLINE && hth_now_ns() >= deadline_ns)
			return hth_point_done(point) ? VK_SUCCESS : VK_TIMEOUT;
	}
	return VK_SUCCESS;
}

/* True if the wait needs no CPU: it is over, or the queue's own order before @ticket sees to it. */
static bool wait_resolved(struct hth_queue *queue, uint64_t ticket, const struct hth_wait *wait)
{
	struct hth_point point = wait->point;
	bool found = true;

	if (wait->timeline) {
		pthread_mutex_lock(&queue->device->sync_lock);
		found = hth_semaphore_find(wait->timeline, wait->value, &point);
		pthread_mutex_unlock(&queue->device->sync_lock);
	}
	return found && ((point.queue == queue && point.ticket < ticket) || hth_point_done(&point));
}

static VkResult wait_all(struct hth_queue *queue, const struct hth_submission *submission)
{
	for (uint32_t i = 0; i < submission->wait_count; i++) {
		const struct hth_wait *wait = &submission->waits[i];
		VkResult result;

		if (wait_resolved(queue, submission->ticket, wait))
			continue;
		if (wait->timeline)
			result = hth_semaphore_wait(queue->device, wait->timeline, wait->value,
						    HTH_NO_DEADLINE);
		else
			result = hth_point_wait(&wait->point, HTH_NO_DEADLINE);
		if (result != VK_SUCCESS)
			return result;
	}
	return VK_SUCCESS;
}

static void run_submission(struct hth_queue *queue, struct hth_submission *submission)
{
	struct hth_device *device = queue->device;
	VkResult result = wait_all(queue, submission);

	if (result == VK_SUCCESS && !atomic_load(&device->lost)) {
		if (device->backend->asynchronous)
			pthread_mutex_lock(&queue->lock);
		result = device->backend->queue_submit(
			queue, submission->segments, submission->segment_count, submission->ticket);
		if (device->backend->asynchronous)
			pthread_mutex_unlock(&queue->lock);
	}
	if (result != VK_SUCCESS)
		hth_device_lost(device);
	pthread_mutex_lock(&device->sync_lock);
	atomic_store(&queue->pushed, submission->ticket);
	if (!device->backend->asynchronous && result == VK_SUCCESS)
		atomic_store(&queue->completed, submission->ticket);
	pthread_cond_broadcast(&device->sync_cond);
	pthread_mutex_unlock(&device->sync_lock);
}

static void *queue_thread(void *argument)
{
	struct hth_queue *queue = argument;

	/* Kernels expect the standard modes, whatever the creating thread had chosen. */
	fesetenv(FE_DFL_ENV);
	pthread_mutex_lock(&queue->lock);
	for (;;) {
		struct hth_submission *submission;

		while (!queue->first && !queue->stop)
			pthread_cond_wait(&queue->cond, &queue->lock);
		submission = queue->first;
		if (!submission)
			break;
		queue->first = submission->next;
		if (!queue->first)
			queue->last = &queue->first;
		queue->busy = true;
		pthread_mutex_unlock(&queue->lock);
		run_submission(queue, submission);
		free(submission);
		pthread_mutex_lock(&queue->lock);
		queue->busy = false;
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

static VkResult start_thread(struct hth_queue *queue)
{
	pthread_attr_t attributes;
	int error;

	if (queue->thread_running)
		return VK_SUCCESS;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 8u << 20);
	error = pthread_create(&queue->thread, &attributes, queue_thread, queue);
	pthread_attr_destroy(&attributes);
	if (error)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	queue->thread_running = true;
	return VK_SUCCESS;
}

VkResult hth_queue_init(struct hth_device *device, uint32_t index)
{
	struct hth_queue *queue = &device->queues[index];
	VkResult result;

	hth_object_init(queue, VK_OBJECT_TYPE_QUEUE);
	queue->device = device;
	queue->index = index;
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->cond, NULL);
	result = device->backend->queue_init(queue);
	if (result != VK_SUCCESS) {
		pthread_cond_destroy(&queue->cond);
		pthread_mutex_destroy(&queue->lock);
	}
	return result;
}

void hth_queue_finish(struct hth_queue *queue)
{
	if (queue->thread_running) {
		pthread_mutex_lock(&queue->lock);
		queue->stop = true;
		pthread_cond_signal(&queue->cond);
		pthread_mutex_unlock(&queue->lock);
		pthread_join(queue->thread, NULL);
	}
	queue->device->backend->queue_finish(queue);
	pthread_cond_destroy(&queue->cond);
	pthread_mutex_destroy(&queue->lock);
	hth_object_finish(queue);
}

/* ---- Submission ---- */

/* Gives one filled submission, whose ticket is set, to the backend or to the thread. */
static VkResult queue_give(struct hth_queue *queue, struct hth_submission *submission)
{
	struct hth_device *device = queue->device;
	VkResult result = VK_SUCCESS;
	bool direct = device->backend->asynchronous;

	for (uint32_t i = 0; direct && i < submission->wait_count; i++)
		direct = wait_resolved(queue, submission->ticket, &submission->waits[i]);
	pthread_mutex_lock(&queue->lock);
	queue->statistics.submissions++;
	for (uint32_t i = 0; i < submission->segment_count; i++)
		queue->statistics.packets += submission->segments[i].count;
	if (direct && !queue->first && !queue->busy) {
		result = device->backend->queue_submit(
			queue, submission->segments, submission->segment_count, submission->ticket);
		atomic_store(&queue->pushed, submission->ticket);
		pthread_mutex_unlock(&queue->lock);
		free(submission);
		hth_sync_wake(device);
		return result == VK_SUCCESS ? result : hth_device_lost(device);
	}
	result = start_thread(queue);
	if (result == VK_SUCCESS) {
		queue->statistics.submit_system_calls++;
		submission->next = NULL;
		*queue->last = submission;
		queue->last = &submission->next;
		pthread_cond_signal(&queue->cond);
	}
	pthread_mutex_unlock(&queue->lock);
	if (result != VK_SUCCESS)
		free(submission);
	return result;
}

struct signal {
	struct hth_semaphore *semaphore;
	uint64_t value;
};

/* What VkSubmitInfo and VkSubmitInfo2 have in common, read through one pair of functions. */
struct batch {
	uint32_t wait_count, buffer_count, signal_count;
	const VkSubmitInfo *v1;
	const VkTimelineSemaphoreSubmitInfo *timeline;
	const VkSubmitInfo2 *v2;
};

static struct signal batch_wait(const struct batch *batch, uint32_t i)
{
	struct signal out = { 0 };

	if (batch->v2) {
		out.semaphore =
			hth_semaphore_from_handle(batch->v2->pWaitSemaphoreInfos[i].semaphore);
		out.value = batch->v2->pWaitSemaphoreInfos[i].value;
		return out;
	}
	out.semaphore = hth_semaphore_from_handle(batch->v1->pWaitSemaphores[i]);
	if (batch->timeline && i < batch->timeline->waitSemaphoreValueCount)
		out.value = batch->timeline->pWaitSemaphoreValues[i];
	return out;
}

static struct signal batch_signal(const struct batch *batch, uint32_t i)
{
	struct signal out = { 0 };

	if (batch->v2) {
		out.semaphore =
			hth_semaphore_from_handle(batch->v2->pSignalSemaphoreInfos[i].semaphore);
		out.value = batch->v2->pSignalSemaphoreInfos[i].value;
		return out;
	}
	out.semaphore = hth_semaphore_from_handle(batch->v1->pSignalSemaphores[i]);
	if (batch->timeline && i < batch->timeline->signalSemaphoreValueCount)
		out.value = batch->timeline->pSignalSemaphoreValues[i];
	return out;
}

static struct hth_cmd_buffer *batch_buffer(const struct batch *batch, uint32_t i)
{
	return hth_cmd_buffer_from_handle(batch->v2
						  ? batch->v2->pCommandBufferInfos[i].commandBuffer
						  : batch->v1->pCommandBuffers[i]);
}

static VkResult queue_submit(struct hth_queue *queue, const struct batch *batch,
			     struct hth_fence *fence)
{
	struct hth_device *device = queue->device;
	struct hth_point point = { queue, atomic_load(&queue->submitted) + 1 };
	struct hth_submission *submission;
	uint32_t segment_count = 0;
	VkResult result = VK_SUCCESS;
	size_t bytes;

	if (atomic_load(&device->lost))
		return VK_ERROR_DEVICE_LOST;
	for (uint32_t i = 0; i < batch->buffer_count; i++)
		segment_count += batch_buffer(batch, i)->segment_count;
	bytes = sizeof(*submission) + batch->wait_count * sizeof(struct hth_wait) +
		segment_count * sizeof(struct hth_segment);
	submission = malloc(bytes);
	if (!submission)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	submission->next = NULL;
	submission->ticket = point.ticket;
	submission->wait_count = batch->wait_count;
	submission->segment_count = 0;
	submission->waits = (struct hth_wait *)(submission + 1);
	submission->segments = (struct hth_segment *)(submission->waits + batch->wait_count);
	for (uint32_t i = 0; i < batch->buffer_count; i++) {
		struct hth_cmd_buffer *buffer = batch_buffer(batch, i);

		for (uint32_t s = 0; s < buffer->segment_count; s++)
			if (buffer->segments[s].count)
				submission->segments[submission->segment_count++] =
					buffer->segments[s];
	}

	pthread_mutex_lock(&device->sync_lock);
	for (uint32_t i = 0; i < batch->wait_count; i++) {
		struct signal wait = batch_wait(batch, i);
		struct hth_wait *out = &submission->waits[i];

		memset(out, 0, sizeof(*out));
		if (wait.semaphore->timeline) {
			out->timeline = wait.semaphore;
			out->value = wait.value;
		} else {
			/* A binary semaphore's wait consumes its signal. */
			out->point = wait.semaphore->point;
			memset(&wait.semaphore->point, 0, sizeof(wait.semaphore->point));
		}
	}
	for (uint32_t i = 0; i < batch->signal_count && result == VK_SUCCESS; i++) {
		struct signal signal = batch_signal(batch, i);

		result = hth_semaphore_signal_later(signal.semaphore, signal.value, &point);
	}
	if (fence && result == VK_SUCCESS) {
		fence->in_flight = true;
		fence->point = point;
	}
	if (result == VK_SUCCESS)
		atomic_store(&queue->submitted, point.ticket);
	pthread_cond_broadcast(&device->sync_cond);
	pthread_mutex_unlock(&device->sync_lock);
	if (result != VK_SUCCESS) {
		free(submission);
		return result;
	}
	result = queue_give(queue, submission);
	/* Its signals are already promised: nothing less than a lost device can follow. */
	return result == VK_SUCCESS ? result : hth_device_lost(device);
}

/* A fence alone, or after batches none of which carried it. */
static VkResult queue_submit_fence(struct hth_queue *queue, struct hth_fence *fence)
{
	const struct batch empty = { 0 };

	return fence ? queue_submit(queue, &empty, fence) : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_QueueSubmit(VkQueue handle, uint32_t count,
					       const VkSubmitInfo *infos, VkFence fence_handle)
{
	struct hth_queue *queue = hth_queue_from_handle(handle);
	struct hth_fence *fence = hth_fence_from_handle(fence_handle);

	for (uint32_t i = 0; i < count; i++) {
		struct batch batch = {
			.wait_count = infos[i].waitSemaphoreCount,
			.buffer_count = infos[i].commandBufferCount,
			.signal_count = infos[i].signalSemaphoreCount,
			.v1 = &infos[i],
		};
		VkResult result;

		for (const VkBaseInStructure *next = infos[i].pNext; next; next = next->pNext)
			if (next->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO)
				batch.timeline = (const void *)next;
		result = queue_submit(queue, &batch, i + 1 == count ? fence : NULL);
		if (result != VK_SUCCESS)
			return result;
	}
	return count ? VK_SUCCESS : queue_submit_fence(queue, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_QueueSubmit2(VkQueue handle, uint32_t count,
						const VkSubmitInfo2 *infos, VkFence fence_handle)
{
	struct hth_queue *queue = hth_queue_from_handle(handle);
	struct hth_fence *fence = hth_fence_from_handle(fence_handle);

	for (uint32_t i = 0; i < count; i++) {
		struct batch batch = {
			.wait_count = infos[i].waitSemaphoreInfoCount,
			.buffer_count = infos[i].commandBufferInfoCount,
			.signal_count = infos[i].signalSemaphoreInfoCount,
			.v2 = &infos[i],
		};
		VkResult result = queue_submit(queue, &batch, i + 1 == count ? fence : NULL);

		if (result != VK_SUCCESS)
			return result;
	}
	return count ? VK_SUCCESS : queue_submit_fence(queue, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_QueueWaitIdle(VkQueue handle)
{
	struct hth_queue *queue = hth_queue_from_handle(handle);
	struct hth_point point = { queue, atomic_load(&queue->submitted) };

	return hth_point_wait(&point, HTH_NO_DEADLINE);
}

VKAPI_ATTR void VKAPI_CALL hth_GetQueueStatisticsHEARTH(VkQueue handle,
							struct hearth_queue_statistics *out)
{
	struct hth_queue *queue = hth_queue_from_handle(handle);

	pthread_mutex_lock(&queue->lock);
	*out = queue->statistics;
	if (queue->device->backend->queue_statistics)
		queue->device->backend->queue_statistics(queue, out);
	pthread_mutex_unlock(&queue->lock);
}
