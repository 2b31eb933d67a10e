// SPDX-License-Identifier: MIT
/*
 * Memory of one board on another, over PCI with no copy in the host: test-driver-peer OTHER works on GUEST_NODE with
 * memory of the board at OTHER. With `refused` after it, it checks that a kernel without peer-to-peer says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define MIB   (1ull << 20)
#define VA    0x30000000ull
#define BYTES (2 * MIB)

struct peer {
	int fd;
	uint32_t handle;
	uint8_t *map;
	int dmabuf;
};

static const char *pci_ours, *pci_theirs;

static void bind_again(const char *pci, const char *node)
{
	ok(driver_bind(pci, node), "bound again, %s is there", node);
}

/* Board memory of @node, exported. Parts of it are given back first, so that it lies in pieces. */
static void peer_open(struct peer *peer, const char *node)
{
	uint32_t holes[16];
	int i;

	peer->fd = hearth_drm_open(node);
	if (peer->fd < 0)
		die(node, peer->fd);
	for (i = 0; i < 16; i++)
		hearth_drm_bo_create(peer->fd, 64 << 10, DRM_HEARTH_PLACEMENT_BOARD, &holes[i]);
	for (i = 0; i < 16; i += 2)
		hearth_drm_bo_close(peer->fd, holes[i]);
	if (hearth_drm_bo_create(peer->fd, BYTES, DRM_HEARTH_PLACEMENT_BOARD, &peer->handle) ||
	    hearth_drm_bo_map(peer->fd, peer->handle, BYTES, (void **)&peer->map) ||
	    hearth_drm_bo_export(peer->fd, peer->handle, &peer->dmabuf))
		die("memory of the other board", -ENOMEM);
}

static void peer_close(struct peer *peer)
{
	munmap(peer->map, BYTES);
	close(peer->dmabuf);
	close(peer->fd);
}

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 7 + i / 4096 + 3);
}

static void test_copies(const char *other)
{
	struct drm_hearth_bo_info info = { 0 };
	struct context context;
	struct buffer local;
	uint32_t there, again;
	struct peer peer;
	uint64_t i, wrong = 0;

	peer_open(&peer, other);
	context_open(&context, 0);
	for (i = 0; i < BYTES; i++)
		peer.map[i] = pattern(i);
	is(hearth_drm_bo_import(context.fd, peer.dmabuf, &there), 0,
	   "another board's memory is imported");
	is(hearth_drm_bo_import(context.fd, peer.dmabuf, &again), 0, "and once more");
	is(again, there, "it is the same buffer");
	is(hearth_drm_bo_info(context.fd, there, &info), 0, "it is asked about");
	ok(info.size == BYTES && info.flags == DRM_HEARTH_BO_IS_IMPORTED &&
		   info.placement == DRM_HEARTH_PLACEMENT_HOST,
	   "it is imported, and not this board's own");
	is(hearth_drm_vm_map(context.fd, context.vm, there, 0, VA, 4096, DRM_HEARTH_VM_BIND_EXEC),
	   -EINVAL, "it is not executed");
	is(hearth_drm_vm_map(context.fd, context.vm, there, 0, VA, BYTES, 0), 0, "it is bound");
	local = context_buffer(&context, BYTES, DRM_HEARTH_PLACEMENT_BOARD, 0);
	push_copy(&context, VA, local.va, BYTES);
	is(context_submit(&context), 0, "this board reads it");
	for (i = 0; i < BYTES; i++)
		wrong += ((uint8_t *)local.map)[i] != pattern(i);
	is((int64_t)wrong, 0, "every byte");
	for (i = 0; i < BYTES; i++)
		((uint8_t *)local.map)[i] = (uint8_t)~pattern(i);
	push_copy(&context, local.va, VA, BYTES);
	push_fill(&context, VA + 4096, 4096, 0x01020304);
	push_signal(&context, VA + 8192, 0x1122334455667788);
	is(context_submit(&context), 0, "and writes it");
	for (i = 0, wrong = 0; i < BYTES; i++) {
		uint8_t expected = (uint8_t)~pattern(i);

		if (i >= 4096 && i < 8192)
			expected = (uint8_t)(4 - i % 4);
		else if (i >= 8192 && i < 8200)
			expected = (uint8_t)(0x11 * (8 - (i - 8192)));
		wrong += peer.map[i] != expected;
	}
	is((int64_t)wrong, 0, "every byte, for the other to see");
	peer_close(&peer);
	push_copy(&context, VA, VA + MIB, 64);
	is(context_submit(&context), 0, "bound, it outlives the file that it came from");
	/* A mapping keeps the file open, and that the other board's memory. */
	munmap(local.map, local.size);
	context_close(&context);
}

struct worker {
	struct context context;
	atomic_bool started;
	int result;
};

/* Copies until it cannot. */
static void *work(void *data)
{
	struct worker *worker = data;

	do {
		push_copy(&worker->context, VA, VA + MIB, 65536);
		worker->result = context_submit(&worker->context);
		atomic_store(&worker->started, true);
	} while (!worker->result);
	return NULL;
}

/* The other board goes while this one reads and writes its memory. */
static void test_exporter_gone(const char *other)
{
	struct drm_hearth_queue_state state = { 0 };
	struct context bystander;
	struct worker worker = { 0 };
	struct buffer local;
	pthread_t thread;
	struct peer peer;
	uint32_t there;

	peer_open(&peer, other);
	context_open(&worker.context, 0);
	context_open(&bystander, 0);
	local = context_buffer(&bystander, 8192, DRM_HEARTH_PLACEMENT_HOST, 0);
	is(hearth_drm_bo_import(worker.context.fd, peer.dmabuf, &there), 0, "imported");
	is(hearth_drm_vm_map(worker.context.fd, worker.context.vm, there, 0, VA, BYTES, 0), 0,
	   "and bound");
	/* One range in three pieces, one of them elsewhere. */
	hearth_drm_vm_unmap(worker.context.fd, worker.context.vm, VA + MIB + 65536, 4096);
	pthread_create(&thread, NULL, work, &worker);
	while (!atomic_load(&worker.started))
		usleep(1000);
	driver_unbind(pci_theirs);
	ok(true, "its board is unbound while it is used");
	pthread_join(thread, NULL);
	is(worker.result, -ECANCELED, "who uses it runs into a fault");
	is(hearth_drm_queue_state(&worker.context.queue, &state), 0, "it can be seen");
	ok(state.state == HBI_QUEUE_ERROR && state.fault_address >= VA &&
		   state.fault_address < VA + BYTES,
	   "the address is one of that memory (%#llx)", (unsigned long long)state.fault_address);
	is(hearth_drm_vm_map(bystander.fd, bystander.vm, local.handle, 0, VA, 4096, 0), 0,
	   "another context binds");
	push_fill(&bystander, VA, 4096, 0x5a5a5a5a);
	is(context_submit(&bystander), 0, "and works on");
	is(*(uint32_t *)local.map, 0x5a5a5a5a, "with its result");
	is(hearth_drm_vm_map(worker.context.fd, worker.context.vm, there, 0, VA, 4096, 0), -ENODEV,
	   "what is gone cannot be bound again");
	is(hearth_drm_vm_unmap(worker.context.fd, worker.context.vm, VA, BYTES), 0,
	   "but be unbound");
	peer.map[0] = 9;
	is(peer.map[0], 9, "CPU mappings stay, of other memory");
	munmap(local.map, local.size);
	context_close(&worker.context);
	context_close(&bystander);
	peer_close(&peer);
	bind_again(pci_theirs, other);
}

/* This board goes while it has the other's memory. */
static void test_importer_gone(const char *other)
{
	struct context context;
	struct peer peer;
	uint32_t there;

	peer_open(&peer, other);
	context_open(&context, 0);
	is(hearth_drm_bo_import(context.fd, peer.dmabuf, &there), 0, "imported");
	is(hearth_drm_vm_map(context.fd, context.vm, there, 0, VA, BYTES, 0), 0, "and bound");
	push_wait(&context, VA, ~0ull);
	hearth_drm_queue_ring(&context.queue);
	driver_unbind(pci_ours);
	peer.map[5] = 6;
	is(peer.map[5], 6, "the importer goes, the memory stays");
	driver_unbind(pci_theirs);
	ok(true, "then its board goes, too");
	context_close(&context);
	peer_close(&peer);
	/* Nodes are numbered as boards come. */
	if (strcmp(other, guest_node()) < 0)
		bind_again(pci_theirs, other);
	bind_again(pci_ours, guest_node());
	if (strcmp(other, guest_node()) > 0)
		bind_again(pci_theirs, other);
}

static void test_refused(const char *other)
{
	struct peer peer;
	uint32_t there;
	int fd = open_board();

	peer_open(&peer, other);
	is(hearth_drm_bo_import(fd, peer.dmabuf, &there), -EOPNOTSUPP,
	   "this kernel has no peer-to-peer: the other board's memory stays its own");
	peer_close(&peer);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		die("usage: test-driver-peer OTHER [refused]", -EINVAL);
	pci_ours = pci_of(guest_node());
	pci_theirs = pci_of(argv[1]);
	if (argc > 2) {
		test_refused(argv[1]);
		return done();
	}
	test_copies(argv[1]);
	test_exporter_gone(argv[1]);
	test_copies(argv[1]);
	test_importer_gone(argv[1]);
	return done();
}
