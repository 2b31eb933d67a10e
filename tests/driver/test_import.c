// SPDX-License-Identifier: MIT
/*
 * Other exporters' memory on the board, and the board's buffers in other devices: udmabuf, vgem where it is
 * loaded, and a second board where there is one (its node is the argument). What cannot be shared is
 * refused; what is shared outlives handles, files and, for host memory, the board it came from.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xf86drm.h>

#include "guest.h"

#define MIB (1ull << 20)
#define VA  0x30000000ull

struct foreign {
	const char *name;
	int dmabuf;
	uint8_t *map;
	uint64_t size;
};

static bool udmabuf_open(struct foreign *foreign)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = MIB };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("foreign", MFD_ALLOW_SEALING);

	*foreign = (struct foreign){ .name = "udmabuf", .size = MIB };
	if (device < 0 || memfd < 0 || ftruncate(memfd, MIB) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return false;
	foreign->map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	create.memfd = (uint32_t)memfd;
	foreign->dmabuf = ioctl(device, UDMABUF_CREATE, &create);
	close(memfd);
	close(device);
	return foreign->dmabuf >= 0;
}

static bool vgem_open(struct foreign *foreign)
{
	struct drm_mode_create_dumb create = { .width = 512, .height = 512, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	int fd = drmOpen("vgem", NULL);

	*foreign = (struct foreign){ .name = "vgem", .size = MIB };
	if (fd < 0 || ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		return false;
	map.handle = create.handle;
	if (create.size != MIB || ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map) ||
	    drmPrimeHandleToFD(fd, create.handle, DRM_CLOEXEC | DRM_RDWR, &foreign->dmabuf))
		return false;
	foreign->map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)map.offset);
	close(fd);
	return foreign->map != MAP_FAILED;
}

static void foreign_close(struct foreign *foreign)
{
	munmap(foreign->map, foreign->size);
	close(foreign->dmabuf);
}

static void test_foreign(struct foreign *foreign)
{
	struct drm_hearth_bo_info info = { 0 };
	struct context context;
	uint32_t handle, again;
	uint64_t i, wrong = 0;
	int other = open_board(), dmabuf;
	uint8_t *map;

	printf("# memory of %s\n", foreign->name);
	context_open(&context, 0);
	for (i = 0; i < foreign->size / 2; i++)
		foreign->map[i] = (uint8_t)(i * 5 + i / 4096);
	is(hearth_drm_bo_import(context.fd, foreign->dmabuf, &handle), 0, "it is imported");
	is(hearth_drm_bo_info(context.fd, handle, &info), 0, "and asked about");
	ok(info.size == foreign->size && info.placement == DRM_HEARTH_PLACEMENT_HOST &&
		   info.flags == DRM_HEARTH_BO_IS_IMPORTED,
	   "it is host memory, imported");
	is(hearth_drm_bo_import(context.fd, foreign->dmabuf, &again), 0, "imported once more");
	is(again, handle, "it is the same buffer");
	is(hearth_drm_vm_map(context.fd, context.vm, handle, 0, VA, 4096, DRM_HEARTH_VM_BIND_EXEC),
	   -EINVAL, "it is not executed");
	is(hearth_drm_vm_map(context.fd, context.vm, handle, 4096, VA, foreign->size, 0), -EINVAL,
	   "nor bound beyond its end");
	is(hearth_drm_vm_map(context.fd, context.vm, handle, 0, VA, foreign->size, 0), 0,
	   "it is bound");
	push_copy(&context, VA, VA + foreign->size / 2, foreign->size / 2);
	is(context_submit(&context), 0, "the board copies in it");
	for (i = 0; i < foreign->size / 2; i++)
		wrong += foreign->map[foreign->size / 2 + i] != (uint8_t)(i * 5 + i / 4096);
	is((int64_t)wrong, 0, "and its owner sees it");
	is(hearth_drm_bo_map(context.fd, handle, foreign->size, (void **)&map), 0,
	   "it is mapped by way of the board");
	is(map[foreign->size - 1], foreign->map[foreign->size - 1], "and is the same");
	is(hearth_drm_bo_export(context.fd, handle, &dmabuf), 0, "it is exported again");
	is(hearth_drm_bo_import(other, dmabuf, &again), 0, "to another file");
	close(dmabuf);
	close(other);

	hearth_drm_bo_close(context.fd, handle);
	foreign->map[0] = 0x99;
	push_copy(&context, VA, VA + 4096, 1);
	is(context_submit(&context), 0, "bound, it outlives the handle");
	is(foreign->map[4096], 0x99, "with the same memory");
	map[1] = 0x42;
	is(foreign->map[1], 0x42, "and the mapping lives, too");
	munmap(map, foreign->size);
	context_close(&context);
}

/* Buffers of the board in vgem, which maps what it imports page by page. */
static void test_to_vgem(void)
{
	int fd = open_board(), vgem = drmOpen("vgem", NULL), dmabuf, ret;
	uint32_t handle, there;
	uint8_t *ours;

	hearth_drm_bo_create(fd, MIB, DRM_HEARTH_PLACEMENT_HOST, &handle);
	hearth_drm_bo_map(fd, handle, MIB, (void **)&ours);
	ours[MIB - 1] = 0x12;
	is(hearth_drm_bo_export(fd, handle, &dmabuf), 0, "host memory is exported");
	is(drmPrimeFDToHandle(vgem, dmabuf, &there), 0, "and imported by vgem");
	close(dmabuf);
	hearth_drm_bo_close(fd, handle);
	is(ours[MIB - 1], 0x12, "it lives on");
	munmap(ours, MIB);

	hearth_drm_bo_create(fd, MIB, DRM_HEARTH_PLACEMENT_BOARD, &handle);
	is(hearth_drm_bo_export(fd, handle, &dmabuf), 0, "board memory is exported");
	ret = drmPrimeFDToHandle(vgem, dmabuf, &there);
	ok(ret && errno == EOPNOTSUPP, "and refused to a device that wants pages");
	close(dmabuf);
	close(vgem);
	close(fd);
}

/* The board is unbound while it has others' memory bound. */
static void test_removed(const char *pci)
{
	struct foreign foreign;
	struct context context;
	uint32_t handle, again;
	uint8_t *map;

	if (!udmabuf_open(&foreign))
		return;
	context_open(&context, 0);
	hearth_drm_bo_import(context.fd, foreign.dmabuf, &handle);
	hearth_drm_vm_map(context.fd, context.vm, handle, 0, VA, MIB, 0);
	hearth_drm_bo_map(context.fd, handle, MIB, (void **)&map);
	map[0] = 1;
	push_wait(&context, VA, ~0ull);
	hearth_drm_queue_ring(&context.queue);
	driver_unbind(pci);
	foreign.map[0] = 77;
	is(map[0], 77, "with the board gone, others' memory stays mapped");
	is(hearth_drm_bo_import(context.fd, foreign.dmabuf, &again), -ENODEV,
	   "but is not imported any more");
	munmap(map, MIB);
	context_close(&context);
	driver_bind(pci, NULL);
	test_foreign(&foreign);
	foreign_close(&foreign);
}

static void *pinner(void *data)
{
	struct context *context = data;
	uint32_t handle;

	return (void *)(intptr_t)hearth_drm_bo_userptr(context->fd, context->code.map, 4096, 0,
						       &handle);
}

/* A page that is pinned, and does not come: the board's removal does not wait for it. */
static void test_late_page(const char *pci)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage zero = { 0 };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffd_msg message;
	struct context context;
	pthread_t thread;
	void *result;

	context_open(&context, 0);
	context.code.size = 4096;
	context.code.map =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = zero.range.start = (uintptr_t)context.code.map;
	range.range.len = zero.range.len = 4096;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &range)) {
		skip("a page that does not come", "this kernel has no userfaultfd");
		context_close(&context);
		return;
	}
	pthread_create(&thread, NULL, pinner, &context);
	is(read(uffd, &message, sizeof(message)), sizeof(message), "a page is waited for");
	driver_unbind(pci);
	ok(true, "the board is unbound meanwhile");
	ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
	pthread_join(thread, &result);
	is((intptr_t)result, -ENODEV, "when the page is there, the board is not");
	close(uffd);
	context_close(&context);
	driver_bind(pci, NULL);
}

/* Memory of one board on another. */
static void test_other_board(const char *node)
{
	uint32_t handle, there, vm;
	struct context context;
	uint8_t *map;
	int other = hearth_drm_open(node), dmabuf;

	printf("# memory of the board at %s\n", node);
	if (other < 0)
		die(node, other);
	context_open(&context, 0);
	is(hearth_drm_bo_create(other, MIB, DRM_HEARTH_PLACEMENT_HOST, &handle), 0,
	   "host memory of another board");
	hearth_drm_bo_map(other, handle, MIB, (void **)&map);
	hearth_drm_vm_create(other, &vm);
	hearth_drm_vm_map(other, vm, handle, 0, VA, MIB, 0);
	map[0] = 0x5c;
	is(hearth_drm_bo_export(other, handle, &dmabuf), 0, "is exported");
	is(hearth_drm_bo_import(context.fd, dmabuf, &there), 0, "imported");
	is(hearth_drm_vm_map(context.fd, context.vm, there, 0, VA, MIB, 0), 0, "and bound");
	close(dmabuf);
	push_copy(&context, VA, VA + MIB - 64, 64);
	is(context_submit(&context), 0, "this board reads and writes it");
	is(map[MIB - 64], 0x5c, "and the process sees it");
	munmap(map, MIB);
	hearth_drm_bo_create(other, MIB, DRM_HEARTH_PLACEMENT_BOARD, &handle);
	hearth_drm_bo_export(other, handle, &dmabuf);
	is(hearth_drm_bo_import(context.fd, dmabuf, &there), -EOPNOTSUPP,
	   "its board memory stays its own");
	close(dmabuf);
	close(other);
	push_copy(&context, VA, VA + 128, 64);
	is(context_submit(&context), 0, "what is bound outlives the file it came from");
	context_close(&context);
}

int main(int argc, char **argv)
{
	const char *pci = pci_of(guest_node());
	struct foreign foreign;

	if (udmabuf_open(&foreign)) {
		test_foreign(&foreign);
		foreign_close(&foreign);
	} else {
		skip("udmabuf", "this kernel has none");
	}
	if (vgem_open(&foreign)) {
		test_foreign(&foreign);
		foreign_close(&foreign);
		test_to_vgem();
	} else {
		skip("vgem", "it is not loaded");
	}
	if (argc > 1)
		test_other_board(argv[1]);
	test_late_page(pci);
	test_removed(pci);
	return done();
}
