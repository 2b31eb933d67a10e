// SPDX-License-Identifier: MIT
/*
 * Every allocation and every copy to or from user space that a call makes fails once: of each call the first, then the
 * second, and so on until the call does not get that far (the kernel's /proc/self/fail-nth, which needs
 * CONFIG_FAULT_INJECTION). Each time the call must do what was asked or end with an error that says why, and what it
 * did not do must not be half done: the same call succeeds on the same handles later, the queue beside it works, and
 * when all is closed the user's account and the board's memory are as before. kmemleak looks for the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xf86drm.h>

#include "guest.h"
#include "inject.h"

#define MOST_POINTS 1000
#define BYTES	    65536
#define MIDDLE	    16384
#define MARK_A	    0xaaaaaaaau
#define MARK_B	    0xbbbbbbbbu

/* One context serves all rounds of a call: what a failure leaves behind, the next round meets. */
struct scene {
	struct context context;
	struct buffer a, b, sink; /* a and b in board memory, filled with their marks */
	uint32_t made;		  /* by the call: a handle or an id, 0 if there is none */
	struct hearth_drm_queue queue;
	bool has_queue;
	void *own, *map;
	int dmabuf, file;
	uint32_t mark; /* that the middle of what is bound at a.va has */
	uint32_t syncobj;
	uint64_t point; /* of its timeline */
	bool ended;	/* the context, by the call */
};

static void must(int ret, const char *what)
{
	if (ret)
		die(what, ret);
}

/* ---- Calls: what is done, and what undoes it ---- */

static int call_open(struct scene *s)
{
	s->file = open(guest_node(), O_RDWR | O_CLOEXEC);
	return s->file < 0 ? -errno : 0;
}

static void undo_open(struct scene *s)
{
	close(s->file);
}

static int call_query_device(struct scene *s)
{
	struct drm_hearth_query_device out;

	return hearth_drm_query_device(s->context.fd, &out);
}

static int call_query_firmware(struct scene *s)
{
	struct drm_hearth_query_firmware out;

	return hearth_drm_query_firmware(s->context.fd, &out);
}

static int call_query_telemetry(struct scene *s)
{
	struct drm_hearth_query_telemetry out;

	return hearth_drm_query_telemetry(s->context.fd, &out);
}

/* Of memory, quota and state. */
static int call_query_others(struct scene *s)
{
	struct drm_hearth_query_memory memory;
	struct drm_hearth_query_quota quota;
	struct drm_hearth_query_state state;
	int ret = hearth_drm_query_memory(s->context.fd, &memory);

	ret = ret ?: hearth_drm_query_quota(s->context.fd, &quota);
	return ret ?: hearth_drm_query_state(s->context.fd, &state);
}

static int call_create_board(struct scene *s)
{
	return hearth_drm_bo_create(s->context.fd, 1 << 20, DRM_HEARTH_PLACEMENT_BOARD, &s->made);
}

static int call_create_host(struct scene *s)
{
	return hearth_drm_bo_create(s->context.fd, BYTES, DRM_HEARTH_PLACEMENT_HOST, &s->made);
}

static void undo_create(struct scene *s)
{
	must(hearth_drm_bo_close(s->context.fd, s->made), "close a buffer");
	s->made = 0;
}

static void before_userptr(struct scene *s)
{
	if (s->own)
		return;
	s->own = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	must(s->own == MAP_FAILED ? -errno : 0, "mmap");
}

static int call_userptr(struct scene *s)
{
	return hearth_drm_bo_userptr(s->context.fd, s->own, BYTES, 0, &s->made);
}

static int call_info(struct scene *s)
{
	struct drm_hearth_bo_info out;

	return hearth_drm_bo_info(s->context.fd, s->a.handle, &out);
}

static void before_close(struct scene *s)
{
	if (!s->made)
		must(hearth_drm_bo_create(s->context.fd, BYTES, DRM_HEARTH_PLACEMENT_BOARD,
					  &s->made),
		     "make a buffer");
}

static int call_close(struct scene *s)
{
	int ret = hearth_drm_bo_close(s->context.fd, s->made);

	if (!ret)
		s->made = 0;
	return ret;
}

/* Mapped and touched: the fault handler allocates too. What it lacks it asks for again, and is not an error. */
static int call_mmap(struct scene *s, uint32_t handle)
{
	int ret = hearth_drm_bo_map(s->context.fd, handle, BYTES, &s->map);

	if (!ret)
		*(volatile uint32_t *)s->map = *(volatile uint32_t *)s->map;
	return ret;
}

static int call_mmap_board(struct scene *s)
{
	return call_mmap(s, s->a.handle);
}

static int call_mmap_host(struct scene *s)
{
	return call_mmap(s, s->sink.handle);
}

static void undo_mmap(struct scene *s)
{
	munmap(s->map, BYTES);
}

/* A dma-buf is made at the first export of a buffer and lives with it: each round has a buffer of its own. */
static void before_export(struct scene *s)
{
	if (s->dmabuf >= 0)
		close(s->dmabuf);
	s->dmabuf = -1;
	if (s->made)
		undo_create(s);
	must(hearth_drm_bo_create(s->context.fd, BYTES, DRM_HEARTH_PLACEMENT_HOST, &s->made),
	     "make a buffer");
}

static int call_export(struct scene *s)
{
	int ret = hearth_drm_bo_export(s->context.fd, s->made, &s->dmabuf);

	if (ret)
		s->dmabuf = -1;
	return ret;
}

/* Of the board's own buffer into another file of the same board. */
static void before_import_own(struct scene *s)
{
	if (s->dmabuf < 0)
		must(hearth_drm_bo_export(s->context.fd, s->sink.handle, &s->dmabuf), "export");
	if (s->file < 0)
		s->file = open_board();
}

static int make_udmabuf(void)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = BYTES };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("foreign", MFD_ALLOW_SEALING), dmabuf = -1;

	if (device >= 0 && memfd >= 0 && !ftruncate(memfd, BYTES) &&
	    !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		create.memfd = (uint32_t)memfd;
		dmabuf = ioctl(device, UDMABUF_CREATE, &create);
	}
	if (dmabuf < 0)
		die("udmabuf", -errno);
	close(memfd);
	close(device);
	return dmabuf;
}

/* Of memory that udmabuf exports. */
static void before_import_other(struct scene *s)
{
	if (s->dmabuf < 0)
		s->dmabuf = make_udmabuf();
	if (s->file < 0)
		s->file = open_board();
}

static int call_import(struct scene *s)
{
	return hearth_drm_bo_import(s->file, s->dmabuf, &s->made);
}

static void undo_import(struct scene *s)
{
	must(hearth_drm_bo_close(s->file, s->made), "close an import");
	s->made = 0;
}

static int call_vm_create(struct scene *s)
{
	return hearth_drm_vm_create(s->context.fd, &s->made);
}

static void undo_vm_create(struct scene *s)
{
	must(hearth_drm_vm_destroy(s->context.fd, s->made), "destroy an address space");
	s->made = 0;
}

/* With mappings in it. */
static void before_vm_destroy(struct scene *s)
{
	if (s->made)
		return;
	must(hearth_drm_vm_create(s->context.fd, &s->made), "make an address space");
	must(hearth_drm_vm_map(s->context.fd, s->made, s->a.handle, 0, s->a.va, BYTES, 0), "bind");
}

static int call_vm_destroy(struct scene *s)
{
	int ret = hearth_drm_vm_destroy(s->context.fd, s->made);

	if (!ret)
		s->made = 0;
	return ret;
}

#define FAR (1ull << 44) /* where no table is yet */

static int call_map(struct scene *s)
{
	return hearth_drm_vm_map(s->context.fd, s->context.vm, s->b.handle, 0, FAR, BYTES, 0);
}

static int call_map_host(struct scene *s)
{
	return hearth_drm_vm_map(s->context.fd, s->context.vm, s->sink.handle, 0, FAR, BYTES, 0);
}

static void undo_map(struct scene *s)
{
	must(hearth_drm_vm_unmap(s->context.fd, s->context.vm, FAR, BYTES), "unbind");
}

/* Of the middle, so that the mapping is split. */
static int call_unmap(struct scene *s)
{
	int ret = hearth_drm_vm_unmap(s->context.fd, s->context.vm, s->a.va + MIDDLE, MIDDLE);

	s->mark = ret ? MARK_A : 0;
	return ret;
}

static int call_remap(struct scene *s)
{
	int ret = hearth_drm_vm_map(s->context.fd, s->context.vm, s->b.handle, MIDDLE,
				    s->a.va + MIDDLE, MIDDLE, 0);

	s->mark = ret ? MARK_A : MARK_B;
	return ret;
}

static void undo_remap(struct scene *s)
{
	must(hearth_drm_vm_map(s->context.fd, s->context.vm, s->a.handle, 0, s->a.va, BYTES, 0),
	     "bind as it was");
	s->mark = MARK_A;
}

static int call_queue_create(struct scene *s)
{
	int ret = hearth_drm_queue_create(s->context.fd, s->context.vm, s->context.ring.va,
					  s->context.ring.map, 8, 1000, 0, &s->queue);

	s->has_queue = !ret;
	return ret;
}

static void undo_queue_create(struct scene *s)
{
	must(hearth_drm_queue_destroy(&s->queue), "destroy a queue");
	s->has_queue = false;
}

static void before_queue_destroy(struct scene *s)
{
	if (!s->has_queue)
		must(call_queue_create(s), "make a queue");
}

static int call_queue_destroy(struct scene *s)
{
	struct drm_hearth_queue_destroy args = { .queue_id = s->queue.queue_id };
	int ret = raw_ioctl(s->context.fd, DRM_IOCTL_HEARTH_QUEUE_DESTROY, &args);

	/* Destroyed already: the rest of it is the process's. */
	if (!ret) {
		hearth_drm_queue_destroy(&s->queue);
		s->has_queue = false;
	}
	return ret;
}

static int call_queue_state(struct scene *s)
{
	struct drm_hearth_queue_state out;

	return hearth_drm_queue_state(&s->context.queue, &out);
}

/* Sleeps for what does not come. */
static int call_queue_wait(struct scene *s)
{
	int ret = hearth_drm_queue_wait(&s->context.queue, s->context.queue.tail + 1,
					now_ns() + 2000000);

	return ret == -ETIME ? 0 : ret;
}

static int call_queue_wait_many(struct scene *s)
{
	struct drm_hearth_queue_point points[2] = {
		{ .queue_id = s->context.queue.queue_id, .completed = s->context.queue.tail + 1 },
		{ .queue_id = s->context.queue.queue_id, .completed = s->context.queue.tail + 2 },
	};
	int ret = hearth_drm_queue_wait_many(s->context.fd, points, 2, true, now_ns() + 2000000,
					     NULL);

	return ret == -ETIME ? 0 : ret;
}

/* A queue with fences that the board has taken a packet from. */
static void before_fence(struct scene *s)
{
	union hbi_packet nop = { .header.type = HBI_PACKET_NOP };

	if (s->has_queue)
		return;
	must(hearth_drm_queue_create_flags(s->context.fd, s->context.vm, s->context.ring.va,
					   s->context.ring.map, 8, 1000, 0, DRM_HEARTH_QUEUE_FENCES,
					   &s->queue),
	     "make a queue with fences");
	s->has_queue = true;
	hearth_drm_queue_push(&s->queue, &nop);
	hearth_drm_queue_ring(&s->queue);
	must(hearth_drm_queue_wait(&s->queue, 1, now_ns() + GUEST_WAIT_NS), "wait for a packet");
	if (drmSyncobjCreate(s->context.fd, 0, &s->syncobj))
		die("make a syncobj", -errno);
}

static int call_fence(struct scene *s)
{
	return hearth_drm_queue_fence(&s->queue, 1, s->syncobj, 0, 0);
}

static int call_fence_point(struct scene *s)
{
	return hearth_drm_queue_fence(&s->queue, 1, s->syncobj, ++s->point, 0);
}

/* A file with an address space, a mapping and a queue in it; its end fails nowhere. */
static void before_end(struct scene *s)
{
	uint32_t vm, handle;
	void *map;

	s->file = open_board();
	must(hearth_drm_vm_create(s->file, &vm), "make an address space");
	must(hearth_drm_bo_create(s->file, 16384, DRM_HEARTH_PLACEMENT_HOST, &handle), "a buffer");
	must(hearth_drm_bo_map(s->file, handle, 16384, &map), "map it");
	must(hearth_drm_vm_map(s->file, vm, handle, 0, GUEST_FIRST_VA, 16384, 0), "bind it");
	must(hearth_drm_queue_create(s->file, vm, GUEST_FIRST_VA, map, 8, 1000, 0, &s->queue),
	     "make a queue");
	/* A mapping would keep the file. */
	munmap(map, 16384);
	munmap((void *)s->queue.doorbell, 4096);
	munmap((void *)s->queue.status, 4096);
}

static int call_end(struct scene *s)
{
	int ret = close(s->file) ? -errno : 0;

	s->file = -1;
	return ret;
}

static int read_all(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int call_fdinfo(struct scene *s)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->context.fd);
	return read_all(path);
}

static int call_sysfs(struct scene *s)
{
	(void)s;
	return read_all("/sys/class/accel/accel0/device/hearth/busy_ns");
}

static char sensor[128], sensor_text[32];

/* Finds a file of the board's hwmon device. */
static bool find_sensor(const char *name)
{
	glob_t found;
	int fd;

	snprintf(sensor, sizeof(sensor), "/sys/class/accel/accel0/device/hwmon/hwmon*/%s", name);
	if (glob(sensor, 0, NULL, &found))
		return false;
	snprintf(sensor, sizeof(sensor), "%s", found.gl_pathv[0]);
	globfree(&found);
	memset(sensor_text, 0, sizeof(sensor_text));
	fd = open(sensor, O_RDONLY);
	if (fd < 0 || read(fd, sensor_text, sizeof(sensor_text) - 1) <= 0)
		die(sensor, -errno);
	close(fd);
	return true;
}

static bool has_temperature(void)
{
	return find_sensor("temp1_input");
}

static bool has_cap(void)
{
	return find_sensor("power1_cap");
}

static int call_sensor(struct scene *s)
{
	(void)s;
	return read_all(sensor);
}

/* What it is already. */
static int call_set_sensor(struct scene *s)
{
	(void)s;
	return write_text(sensor, sensor_text);
}

/* The context that is there ends by it; the next is made on the board of after. */
static int call_reset(struct scene *s)
{
	int ret = write_text("/sys/class/accel/accel0/device/hearth/reset", "1");

	s->ended = !ret;
	return ret;
}

static const struct {
	const char *name;
	void (*before)(struct scene *s);
	int (*call)(struct scene *s);
	void (*undo)(struct scene *s);
	bool (*there)(void); /* NULL: always */
} calls[] = {
	{ "open", NULL, call_open, undo_open },
	{ "DEV_QUERY of the device", NULL, call_query_device, NULL },
	{ "DEV_QUERY of the firmware", NULL, call_query_firmware, NULL },
	{ "DEV_QUERY of telemetry", NULL, call_query_telemetry, NULL },
	{ "DEV_QUERY of memory, quota and state", NULL, call_query_others, NULL },
	{ "BO_CREATE of board memory", NULL, call_create_board, undo_create },
	{ "BO_CREATE of host memory", NULL, call_create_host, undo_create },
	{ "BO_USERPTR", before_userptr, call_userptr, undo_create },
	{ "BO_INFO", NULL, call_info, NULL },
	{ "GEM_CLOSE", before_close, call_close, NULL },
	{ "mmap of board memory", NULL, call_mmap_board, undo_mmap },
	{ "mmap of host memory", NULL, call_mmap_host, undo_mmap },
	{ "PRIME export", before_export, call_export, NULL },
	{ "PRIME import of its own", before_import_own, call_import, undo_import },
	{ "PRIME import of udmabuf", before_import_other, call_import, undo_import },
	{ "VM_CREATE", NULL, call_vm_create, undo_vm_create },
	{ "VM_DESTROY", before_vm_destroy, call_vm_destroy, NULL },
	{ "VM_BIND of board memory", NULL, call_map, undo_map },
	{ "VM_BIND of host memory", NULL, call_map_host, undo_map },
	{ "VM_BIND that unmaps a middle", NULL, call_unmap, undo_remap },
	{ "VM_BIND over a middle", NULL, call_remap, undo_remap },
	{ "QUEUE_CREATE and its mappings", NULL, call_queue_create, undo_queue_create },
	{ "QUEUE_DESTROY", before_queue_destroy, call_queue_destroy, NULL },
	{ "QUEUE_WAIT", NULL, call_queue_wait, NULL },
	{ "QUEUE_STATE", NULL, call_queue_state, NULL },
	{ "QUEUE_WAIT_MANY", NULL, call_queue_wait_many, NULL },
	{ "QUEUE_FENCE", before_fence, call_fence, NULL },
	{ "QUEUE_FENCE in a timeline", before_fence, call_fence_point, NULL },
	{ "close of a file with a queue", before_end, call_end, NULL },
	{ "fdinfo", NULL, call_fdinfo, NULL },
	{ "sysfs busy_ns", NULL, call_sysfs, NULL },
	{ "hwmon temp1_input", NULL, call_sensor, NULL, has_temperature },
	{ "hwmon power1_cap", NULL, call_set_sensor, NULL, has_cap },
	{ "sysfs reset", NULL, call_reset, NULL },
};

/* ---- Rounds ---- */

static void begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->dmabuf = s->file = -1;
	s->mark = MARK_A;
	context_open(&s->context, 0);
	s->a = context_buffer(&s->context, BYTES, DRM_HEARTH_PLACEMENT_BOARD, 0);
	s->b = context_buffer(&s->context, BYTES, DRM_HEARTH_PLACEMENT_BOARD, 0);
	s->sink = context_buffer(&s->context, BYTES, DRM_HEARTH_PLACEMENT_HOST, 0);
	push_fill(&s->context, s->a.va, BYTES, MARK_A);
	push_fill(&s->context, s->b.va, BYTES, MARK_B);
	must(context_submit(&s->context), "fill");
}

static void end(struct scene *s)
{
	if (s->has_queue)
		hearth_drm_queue_destroy(&s->queue);
	if (s->own)
		munmap(s->own, BYTES);
	munmap(s->a.map, BYTES);
	munmap(s->b.map, BYTES);
	munmap(s->sink.map, BYTES);
	context_close(&s->context);
	/* Descriptors that a call made and could not tell of among them. */
	close_range(inject_fd() + 1, ~0u, 0);
}

/* The queue beside works, and what is bound is what it should be, all of it. */
static bool whole(struct scene *s)
{
	const uint32_t *words = s->sink.map;
	unsigned int i;

	memset(s->sink.map, 0, BYTES);
	push_copy(&s->context, s->a.va, s->sink.va, MIDDLE);
	if (s->mark)
		push_copy(&s->context, s->a.va + MIDDLE, s->sink.va + MIDDLE, MIDDLE);
	push_copy(&s->context, s->a.va + 2 * MIDDLE, s->sink.va + 2 * MIDDLE, BYTES - 2 * MIDDLE);
	if (context_submit(&s->context))
		return false;
	for (i = 0; i < BYTES / 4; i++) {
		bool middle = i >= MIDDLE / 4 && i < 2 * MIDDLE / 4;

		if (words[i] != (middle ? s->mark : MARK_A))
			return false;
	}
	return true;
}

struct outcome {
	unsigned int points, succeeded;
	unsigned int bad; /* the point that was not as it should be, or 0 */
	int ret;
	const char *why;
};

static const char *judge(struct scene *s, bool hit, int ret)
{
	if (hit && ret && ret != -ENOMEM && ret != -ENOSPC && ret != -EFAULT)
		return "an error that does not tell of a lack of memory";
	if (!hit && ret)
		return "an error although nothing failed";
	if (ret == -EFAULT) {
		push_nop(&s->context);
		return context_submit(&s->context) ? "the queue beside does not work" : NULL;
	}
	if (s->ended) {
		push_nop(&s->context);
		return context_submit(&s->context) == -ECANCELED
			       ? NULL
			       : "the context that it ended is not told";
	}
	return whole(s) ? NULL : "the context beside is not whole";
}

static struct outcome sweep(unsigned int which)
{
	struct outcome out = { 0 };
	unsigned int nth, missed = 0;
	struct scene s;

	begin(&s);
	/* How many points a call has differs a little from time to time. */
	for (nth = 1; nth <= MOST_POINTS && missed < 3 && !out.bad; nth++) {
		bool hit;
		int ret;

		if (calls[which].before)
			calls[which].before(&s);
		inject_arm(nth);
		ret = calls[which].call(&s);
		hit = inject_met(NULL);
		out.why = judge(&s, hit, ret);
		if (out.why) {
			out.bad = nth;
			out.ret = ret;
		}
		if (!ret && calls[which].undo)
			calls[which].undo(&s);
		out.points += hit;
		out.succeeded += hit && !ret;
		missed = hit ? 0 : missed + 1;
		if (ret == -EFAULT || s.ended) {
			/* Of EFAULT none can tell whether it was before it was done or after. */
			end(&s);
			begin(&s);
		}
	}
	end(&s);
	return out;
}

static void account(uint64_t *board, uint64_t *host)
{
	struct drm_hearth_query_memory memory = { 0 };
	struct drm_hearth_query_quota quota = { 0 };
	int fd = open_board();

	must(hearth_drm_query_memory(fd, &memory), "query the memory");
	must(hearth_drm_query_quota(fd, &quota), "query the quota");
	close(fd);
	*board = memory.board_free;
	*host = quota.host_used;
}

int main(int argc, char **argv)
{
	unsigned int i, all = 0;

	if (!inject_open()) {
		printf("1..0 # SKIP this kernel injects no faults (CONFIG_FAULT_INJECTION)\n");
		return 0;
	}
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		uint64_t board, host, board_after, host_after;
		struct outcome out;

		if (argc > 1 && !strstr(calls[i].name, argv[1]))
			continue;
		if (calls[i].there && !calls[i].there()) {
			skip(calls[i].name, "this board has none");
			continue;
		}
		account(&board, &host);
		out = sweep(i);
		account(&board_after, &host_after);
		ok(!out.bad && out.points < MOST_POINTS, "%s: %u points, %u of them done without",
		   calls[i].name, out.points, out.succeeded);
		if (out.bad)
			printf("#   point %u: %s: %s\n", out.bad, out.why, strerror(-out.ret));
		ok(board == board_after && host == host_after, "%s: no memory is lost",
		   calls[i].name);
		all += out.points;
	}
	printf("# %u points\n", all);
	ok(all > 0, "faults were met");
	return done();
}
