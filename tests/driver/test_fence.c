// SPDX-License-Identifier: MIT
/*
 * Fences of queues: in syncobjs and timelines, as sync files, in another exporter's buffer. In the order
 * of the queue, in time or not at all, and with an error when the queue, the board or the time is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xf86drm.h>

#include "guest.h"

#define SECOND_NS 1000000000ll

struct fenced {
	struct context context;
	struct buffer ring, host;
	volatile uint64_t *words;
	struct hearth_drm_queue queue;
	uint64_t next; /* value that the next WAIT waits for */
};

static void fenced_queue(struct fenced *fenced)
{
	struct context *context = &fenced->context;
	int ret = hearth_drm_queue_create_flags(context->fd, context->vm, fenced->ring.va,
						fenced->ring.map, 6, 0, 0, DRM_HEARTH_QUEUE_FENCES,
						&fenced->queue);

	if (ret)
		die("create a queue with fences", ret);
}

static void fenced_open(struct fenced *fenced)
{
	memset(fenced, 0, sizeof(*fenced));
	context_open(&fenced->context, 0);
	fenced->host = context_buffer(&fenced->context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	fenced->words = fenced->host.map;
	fenced->ring = context_buffer(&fenced->context, 4096, DRM_HEARTH_PLACEMENT_HOST,
				      DRM_HEARTH_VM_BIND_READONLY);
	fenced_queue(fenced);
}

static void fenced_close(struct fenced *fenced)
{
	if (fenced->queue.status)
		hearth_drm_queue_destroy(&fenced->queue);
	munmap(fenced->ring.map, fenced->ring.size);
	munmap(fenced->host.map, fenced->host.size);
	context_close(&fenced->context);
}

/* @count packets at once, each of which waits for the host to write one more; returns the last number. */
static uint64_t push_blocked(struct fenced *fenced, int count)
{
	union hbi_packet packet = {
		.signal = {
			.header.type = HBI_PACKET_WAIT,
			.address = fenced->host.va,
		},
	};

	while (count--) {
		packet.signal.value = ++fenced->next;
		hearth_drm_queue_push(&fenced->queue, &packet);
	}
	hearth_drm_queue_ring(&fenced->queue);
	return fenced->next;
}

static uint32_t syncobj_create(struct fenced *fenced)
{
	uint32_t handle;

	if (drmSyncobjCreate(fenced->context.fd, 0, &handle))
		die("create a syncobj", -errno);
	return handle;
}

/* Of all packets but the @but last, as soon as the board has taken them. */
static int fence(struct fenced *fenced, int but, uint32_t syncobj, uint64_t point,
		 int64_t deadline_ns)
{
	int64_t until = now_ns() + GUEST_WAIT_NS;
	int ret;

	do {
		ret = hearth_drm_queue_fence(&fenced->queue, fenced->queue.tail - but, syncobj,
					     point, deadline_ns);
		if (ret == -EAGAIN)
			usleep(100);
	} while (ret == -EAGAIN && now_ns() < until);
	return ret;
}

/* A sync file of such a fence. */
static int fence_file(struct fenced *fenced, int but, int64_t deadline_ns)
{
	uint32_t syncobj = syncobj_create(fenced);
	int file, ret = fence(fenced, but, syncobj, 0, deadline_ns);

	if (ret)
		die("make a fence", ret);
	if (drmSyncobjExportSyncFile(fenced->context.fd, syncobj, &file))
		die("export a sync file", -errno);
	drmSyncobjDestroy(fenced->context.fd, syncobj);
	return file;
}

static bool ready(int file, int timeout_ms)
{
	struct pollfd poll_file = { .fd = file, .events = POLLIN };

	return poll(&poll_file, 1, timeout_ms) == 1 && poll_file.revents & POLLIN;
}

/* 0: not signalled. 1: signalled. A negative errno: with that error. */
static int file_status(int file)
{
	struct sync_fence_info fences[4] = { 0 };
	struct sync_file_info info = { .num_fences = 4, .sync_fence_info = (uintptr_t)fences };

	return ioctl(file, SYNC_IOC_FILE_INFO, &info) ? -errno : fences[0].status;
}

static void test_arguments(struct fenced *fenced)
{
	const unsigned long request = DRM_IOCTL_HEARTH_QUEUE_FENCE;
	struct drm_hearth_queue_fence good = { .queue_id = fenced->queue.queue_id }, args;
	int fd = fenced->context.fd;

	good.syncobj = syncobj_create(fenced);
	args = good;
	args.flags = 1;
	is(raw_ioctl(fd, request, &args), -EINVAL, "a flag");
	args = good;
	args.pad = 1;
	is(raw_ioctl(fd, request, &args), -EINVAL, "padding");
	args = good;
	args.queue_id = 99;
	is(raw_ioctl(fd, request, &args), -ENOENT, "no such queue");
	args = good;
	args.syncobj = 99;
	is(raw_ioctl(fd, request, &args), -ENOENT, "no such syncobj");
	args = good;
	args.queue_id = fenced->context.queue.queue_id;
	is(raw_ioctl(fd, request, &args), -EINVAL, "a queue that has no fences");
	args = good;
	args.deadline_ns = 1;
	is(raw_ioctl(fd, request, &args), -ETIME, "a deadline that is over");
	args = good;
	args.completed = 1;
	is(raw_ioctl(fd, request, &args), -EAGAIN, "a packet that is not there yet");
	args = good;
	is(raw_ioctl(fd, request, &args), 0, "no packets");
	is(drmSyncobjWait(fd, &good.syncobj, 1, 0, 0, NULL), 0, "are complete");
	drmSyncobjDestroy(fd, good.syncobj);
}

static void test_file(struct fenced *fenced)
{
	uint64_t value = push_blocked(fenced, 1);
	int file = fence_file(fenced, 0, now_ns() + 8 * SECOND_NS);

	ok(!ready(file, 50) && !file_status(file), "a sync file does not signal before the work");
	fenced->words[0] = value;
	ok(ready(file, 60000), "it does after");
	is(file_status(file), 1, "without an error");
	close(file);
}

static void test_timeline(struct fenced *fenced)
{
	uint32_t syncobj = syncobj_create(fenced);
	int fd = fenced->context.fd, i, wrong = 0;
	uint64_t value, point;

	value = push_blocked(fenced, 5) - 4;
	for (i = 0; i < 5; i++)
		wrong += fence(fenced, 4 - i, syncobj, 10 * (i + 1), 0) != 0;
	is(wrong, 0, "five points of a timeline");
	for (i = 0; i < 5; i++) {
		fenced->words[0] = value + i;
		point = 10 * (i + 1);
		wrong += drmSyncobjTimelineWait(fd, &syncobj, &point, 1, now_ns() + GUEST_WAIT_NS,
						0, NULL) != 0;
		wrong += drmSyncobjQuery(fd, &syncobj, &point, 1) != 0 || point != 10u * (i + 1);
	}
	is(wrong, 0, "are reached one after the other");
	drmSyncobjDestroy(fd, syncobj);
}

/* Many fences of one count. */
static void test_row(struct fenced *fenced)
{
	uint32_t syncobj = syncobj_create(fenced);
	int fd = fenced->context.fd, i, wrong = 0, files[32];
	uint64_t value = push_blocked(fenced, 1);

	for (i = 0; i < 32; i++)
		files[i] = fence_file(fenced, 0, 0);
	fenced->words[0] = value;
	for (i = 31; i >= 0; i--) {
		wrong += !ready(files[i], 60000) || file_status(files[i]) != 1;
		close(files[i]);
	}
	is(wrong, 0, "32 fences of one packet");
	drmSyncobjDestroy(fd, syncobj);
}

static int udmabuf(void)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 4096 };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("foreign", MFD_ALLOW_SEALING);
	int dmabuf = -1;

	if (device >= 0 && memfd >= 0 && !ftruncate(memfd, 4096) &&
	    !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		create.memfd = (uint32_t)memfd;
		dmabuf = ioctl(device, UDMABUF_CREATE, &create);
	}
	close(memfd);
	close(device);
	return dmabuf;
}

/* Another exporter's buffer is busy until the board is done. */
static void test_foreign(struct fenced *fenced)
{
	struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_WRITE };
	int dmabuf = udmabuf();
	uint64_t value;

	if (dmabuf < 0) {
		skip("a fence in another's buffer", "no udmabuf");
		return;
	}
	value = push_blocked(fenced, 1);
	import.fd = fence_file(fenced, 0, 0);
	is(ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import) ? -errno : 0, 0,
	   "a sync file goes into another exporter's dma-buf");
	ok(!ready(dmabuf, 50), "which is busy");
	fenced->words[0] = value;
	ok(ready(dmabuf, 60000), "until the board is done");
	close(import.fd);
	close(dmabuf);
}

static void test_deadline(struct fenced *fenced)
{
	struct drm_hearth_queue_state state = { 0 };
	int64_t from = now_ns(), until;
	int early, late;

	push_blocked(fenced, 2);
	early = fence_file(fenced, 1, 0);
	late = fence_file(fenced, 0, from + SECOND_NS / 5);
	ok(ready(late, 60000) && now_ns() - from >= SECOND_NS / 5, "a deadline passes");
	is(file_status(late), -ETIMEDOUT, "the fence tells of it");
	ok(ready(early, 60000), "the queue's other fence signals");
	is(file_status(early), -ETIMEDOUT, "likewise");
	close(early);
	close(late);
	is(hearth_drm_queue_wait(&fenced->queue, fenced->queue.tail, now_ns() + GUEST_WAIT_NS),
	   -ECANCELED, "the queue is ended");
	until = now_ns() + GUEST_WAIT_NS;
	while (fenced->queue.status->state != HBI_QUEUE_ERROR && now_ns() < until)
		usleep(1000);
	is(fenced->queue.status->state, HBI_QUEUE_ERROR, "its status page tells of it");
	is(hearth_drm_queue_wait(&fenced->queue, fenced->queue.tail, now_ns() + GUEST_WAIT_NS),
	   -ECANCELED, "and who waits then");
	hearth_drm_queue_state(&fenced->queue, &state);
	is(state.error, HBI_ERROR_CANCELED, "and its state");
	*fenced->queue.doorbell = 1000;
	push_nop(&fenced->context);
	is(context_submit(&fenced->context), 0, "the other queue of the address space goes on");
	hearth_drm_queue_destroy(&fenced->queue);
	fenced_queue(fenced);
	push_blocked(fenced, 1);
	early = fence_file(fenced, 0, 0);
	fenced->words[0] = fenced->next;
	ok(ready(early, 60000) && file_status(early) == 1, "and so does a new one");
	close(early);
}

static void test_ended(struct fenced *fenced)
{
	int file;

	push_blocked(fenced, 1);
	file = fence_file(fenced, 0, 0);
	hearth_drm_queue_destroy(&fenced->queue);
	ok(ready(file, 0), "a queue is destroyed: its fence has signalled");
	is(file_status(file), -ECANCELED, "as canceled");
	close(file);

	fenced_queue(fenced);
	push_blocked(fenced, 1);
	file = fence_file(fenced, 0, 0);
	fenced->words[0] = fenced->next;
	ok(ready(file, 60000), "a fence of a queue that will fail");
	close(file);
	push_blocked(fenced, 1);
	file = fence_file(fenced, 0, 0);
	context_push(&fenced->context, &(union hbi_packet){ .header.type = 0xff });
	is(context_submit(&fenced->context), -ECANCELED,
	   "another queue of the address space fails");
	ok(ready(file, 60000), "the fence signals");
	is(file_status(file), -ECANCELED, "as canceled");
	close(file);
}

/* A fence that is pending when somebody writes @text to @path; returns what it signals with. */
static int pending_over(const char *path, const char *text)
{
	struct fenced fenced;
	int file, status;

	fenced_open(&fenced);
	push_blocked(&fenced, 1);
	file = fence_file(&fenced, 0, 0);
	put_text(path, text);
	ok(ready(file, 60000), "a fence that is pending signals");
	status = file_status(file);
	fenced_close(&fenced);
	is(file_status(file), status, "and stays so when its file is closed");
	close(file);
	return status;
}

static void test_gone(void)
{
	const char *pci = pci_of(guest_node());
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/hearth/reset", pci);
	is(pending_over(path, "1"), -ECANCELED, "as canceled, when the board is reset");
	is(pending_over("/sys/bus/pci/drivers/hearth/unbind", pci), -ENODEV,
	   "as gone, when the driver is unbound");
	driver_bind(pci, NULL);
}

/* The module's code is needed as long as a fence is there, though no file is open. */
static void test_module(void)
{
	struct fenced fenced;
	int file, ret;

	fenced_open(&fenced);
	push_blocked(&fenced, 1);
	file = fence_file(&fenced, 0, 0);
	fenced_close(&fenced);
	ret = syscall(SYS_delete_module, "hearth", O_NONBLOCK) ? -errno : 0;
	is(ret, -EWOULDBLOCK, "the module stays as long as a sync file");
	is(file_status(file), -ECANCELED, "which can still be asked");
	close(file);
}

int main(void)
{
	struct fenced fenced;

	fenced_open(&fenced);
	test_arguments(&fenced);
	test_file(&fenced);
	test_timeline(&fenced);
	test_row(&fenced);
	test_foreign(&fenced);
	test_deadline(&fenced);
	test_ended(&fenced);
	fenced_close(&fenced);
	test_gone();
	test_module();
	return done();
}
