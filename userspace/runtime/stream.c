// SPDX-License-Identifier: MIT
/*
 * Streams: where recordings are submitted and waited for. A stream is a timeline semaphore whose value counts
 * its submissions; streams share the device's queues in turn.
 */
#include "runtime.h"

#include <stdlib.h>

struct hearth_stream {
	struct hearth_device *device;
	struct hrt_queue *queue;
	struct hrt_timeline *timeline;
	uint64_t submitted; /* value of the last submission */
};

void hrt_timeline_put(struct hrt_timeline *timeline)
{
	if (!timeline || __atomic_sub_fetch(&timeline->references, 1, __ATOMIC_ACQ_REL))
		return;
	vkDestroySemaphore(timeline->device->vk, timeline->semaphore, NULL);
	free(timeline);
}

static VkResult timeline_create(struct hearth_device *device, struct hrt_timeline **out)
{
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &type,
	};
	struct hrt_timeline *timeline = calloc(1, sizeof(*timeline));
	VkResult result;

	if (!timeline)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	timeline->device = device;
	timeline->references = 1;
	result = vkCreateSemaphore(device->vk, &info, NULL, &timeline->semaphore);
	if (result != VK_SUCCESS) {
		free(timeline);
		return result;
	}
	*out = timeline;
	return VK_SUCCESS;
}

static VkResult timeline_wait(const struct hrt_timeline *timeline, uint64_t value,
			      uint64_t timeout_ns)
{
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &timeline->semaphore,
		.pValues = &value,
	};

	return vkWaitSemaphores(timeline->device->vk, &info, timeout_ns);
}

enum hearth_status hearth_stream_create(struct hearth_device *device, struct hearth_stream **out)
{
	struct hearth_stream *stream;
	VkResult result;
	uint32_t turn;

	if (!device || !out)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_stream_create: device or stream is NULL");
	*out = NULL;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "hearth_stream_create: out of memory");
	result = timeline_create(device, &stream->timeline);
	if (result != VK_SUCCESS) {
		free(stream);
		return hrt_fail_vk(result, "vkCreateSemaphore", "hearth_stream_create");
	}
	turn = __atomic_fetch_add(&device->next_queue, 1, __ATOMIC_RELAXED);
	stream->device = device;
	stream->queue = &device->queues[turn % device->queue_count];
	*out = stream;
	return HEARTH_OK;
}

void hearth_stream_destroy(struct hearth_stream *stream)
{
	if (!stream)
		return;
	/* If this fails the device is lost, and nothing runs any more. */
	timeline_wait(stream->timeline, stream->submitted, UINT64_MAX);
	hrt_timeline_put(stream->timeline);
	free(stream);
}

/* Whether the last submission of @recording, on whatever stream, is still running. */
static bool is_running(const struct hearth_recording *recording)
{
	return recording->timeline &&
	       timeline_wait(recording->timeline, recording->timeline_value, 0) == VK_TIMEOUT;
}

enum hearth_status hearth_stream_submit(struct hearth_stream *stream,
					struct hearth_recording *recording)
{
	uint64_t value;
	enum hearth_status status;

	if (!stream || !recording)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_stream_submit: stream or recording is NULL");
	if (recording->device != stream->device)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"hearth_stream_submit: stream and recording are of different devices");
	if (recording->state != HRT_RECORDING_ENDED)
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT, "hearth_stream_submit: the recording %s",
			recording->state == HRT_RECORDING_OPEN ? "is not ended" : "failed earlier");
	if (is_running(recording))
		return hrt_fail(
			HEARTH_ERROR_INVALID_ARGUMENT,
			"hearth_stream_submit: the recording still runs; wait before submitting "
			"it again");
	value = stream->submitted + 1;

	const VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &value,
	};
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &values,
		.commandBufferCount = 1,
		.pCommandBuffers = &recording->commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &stream->timeline->semaphore,
	};

	status = hrt_queue_submit(stream->queue, &info, VK_NULL_HANDLE, "hearth_stream_submit");
	if (status != HEARTH_OK)
		return status;
	stream->submitted = value;
	if (recording->timeline != stream->timeline) {
		hrt_timeline_put(recording->timeline);
		__atomic_add_fetch(&stream->timeline->references, 1, __ATOMIC_RELAXED);
		recording->timeline = stream->timeline;
	}
	recording->timeline_value = value;
	return HEARTH_OK;
}

enum hearth_status hearth_stream_wait(struct hearth_stream *stream, uint64_t timeout_ns)
{
	VkResult result;

	if (!stream)
		return hrt_fail(HEARTH_ERROR_INVALID_ARGUMENT,
				"hearth_stream_wait: stream is NULL");
	result = timeline_wait(stream->timeline, stream->submitted, timeout_ns);
	if (result == VK_TIMEOUT)
		return hrt_fail(HEARTH_ERROR_TIMEOUT, "hearth_stream_wait: not done after %llu ns",
				(unsigned long long)timeout_ns);
	if (result != VK_SUCCESS)
		return hrt_fail_vk(result, "vkWaitSemaphores", "hearth_stream_wait on %s",
				   stream->device->physical->properties.name);
	return HEARTH_OK;
}
