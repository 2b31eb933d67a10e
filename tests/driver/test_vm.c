// SPDX-License-Identifier: MIT
/*
 * Address spaces as the board sees them: what is bound where, after splits and replacements, and that
 * nothing else can be reached. Each fault kills its address space, so each gets one of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../board/kernels.h"
#include "guest.h"

#define MIB (1ull << 20)

/* Copies 8 bytes from @va to the host. Returns what submit says. */
static int peek(struct context *context, uint64_t va, uint64_t *value)
{
	struct buffer out = context_buffer(context, 4096, DRM_HEARTH_PLACEMENT_HOST, 0);
	int ret;

	push_copy(context, va, out.va, 8);
	ret = context_submit(context);
	memcpy(value, out.map, 8);
	munmap(out.map, out.size);
	hearth_drm_vm_unmap(context->fd, context->vm, out.va, out.size);
	hearth_drm_bo_close(context->fd, out.handle);
	return ret;
}

static struct buffer numbered(struct context *context, uint64_t size, uint32_t placement,
			      uint64_t base)
{
	struct buffer buffer = context_buffer(context, size, placement, 0);
	uint64_t page;

	for (page = 0; page < size / 4096; page++)
		((volatile uint64_t *)buffer.map)[page * 512] = base + page;
	return buffer;
}

static void expect(struct context *context, uint64_t va, uint64_t value, const char *what)
{
	uint64_t found = ~0ull;
	int ret = peek(context, va, &found);

	ok(!ret && found == value, "%s", what);
	if (ret || found != value)
		printf("#   at %#llx: ret %d, found %#llx, expected %#llx\n",
		       (unsigned long long)va, ret, (unsigned long long)found,
		       (unsigned long long)value);
}

static void expect_fault(struct context *context, uint64_t va, uint32_t error, const char *what)
{
	struct drm_hearth_queue_state state;
	uint64_t value;

	is(peek(context, va, &value), -ECANCELED, what);
	hearth_drm_queue_state(&context->queue, &state);
	ok(state.state == HBI_QUEUE_ERROR && state.error == error, "state tells the error %u",
	   state.error);
	ok((state.fault_address & ~0xfffull) == (va & ~0xfffull), "and the address %#llx",
	   (unsigned long long)state.fault_address);
}

static void test_split(uint32_t placement, const char *what)
{
	struct context context;
	struct buffer big, small;
	uint64_t va;

	context_open(&context, 0);
	context.next_va = 0x40000000;
	big = numbered(&context, 8 * MIB, placement, 1000);
	va = big.va;
	ok(true, "%s memory of 8 MiB is bound", what);
	expect(&context, va, 1000, "first page");
	expect(&context, va + 2047 * 4096ull, 1000 + 2047, "last page");
	is(hearth_drm_vm_unmap(context.fd, context.vm, va + 700 * 4096ull, 4096), 0,
	   "a page of the middle is unbound");
	expect(&context, va + 699 * 4096ull, 1699, "the page before");
	expect(&context, va + 701 * 4096ull, 1701, "the page after");

	small = numbered(&context, 65536, DRM_HEARTH_PLACEMENT_BOARD, 5000);
	is(hearth_drm_vm_map(context.fd, context.vm, small.handle, 8192, va + 699 * 4096ull, 12288,
			     0),
	   0, "another buffer is bound over the hole and its edges");
	expect(&context, va + 698 * 4096ull, 1698, "before it, the old");
	expect(&context, va + 699 * 4096ull, 5002, "then the new");
	expect(&context, va + 701 * 4096ull, 5004, "to its end");
	expect(&context, va + 702 * 4096ull, 1702, "then the old again");
	hearth_drm_bo_close(context.fd, big.handle);
	hearth_drm_bo_close(context.fd, small.handle);
	expect(&context, va + 2046 * 4096ull, 3046, "a bound buffer outlives its handle");
	is(hearth_drm_vm_unmap(context.fd, context.vm, va + 512 * 4096ull, 2 * MIB), 0,
	   "2 MiB are unbound");
	expect(&context, va + 511 * 4096ull, 1511, "the page before");
	expect(&context, va + 1024 * 4096ull, 2024, "the page after");
	expect_fault(&context, va + 600 * 4096ull, HBI_ERROR_LOAD, "what is unbound faults");
	context_close(&context);
}

static void test_rights(void)
{
	struct context context;
	struct drm_hearth_queue_state state;
	struct buffer buffer;

	context_open(&context, 0);
	buffer = numbered(&context, 4096, DRM_HEARTH_PLACEMENT_BOARD, 1);
	hearth_drm_vm_map(context.fd, context.vm, buffer.handle, 0, 0x20000000, 4096,
			  DRM_HEARTH_VM_BIND_READONLY);
	expect(&context, 0x20000000, 1, "a read-only page is read");
	push_fill(&context, 0x20000000, 4096, 7);
	is(context_submit(&context), -ECANCELED, "and not written");
	hearth_drm_queue_state(&context.queue, &state);
	is(state.error, HBI_ERROR_STORE, "the state says so");
	ok(((volatile uint64_t *)buffer.map)[0] == 1, "it is unchanged");
	context_close(&context);

	context_open(&context, 0);
	context_load_kernels(&context);
	push_dispatch(&context, KERNEL_STORE, 0, context.code.va, 0, 1);
	is(context_submit(&context), -ECANCELED, "a kernel cannot write code");
	hearth_drm_queue_state(&context.queue, &state);
	is(state.error, HBI_ERROR_STORE, "the state says so");
	context_close(&context);

	context_open(&context, 0);
	context_load_kernels(&context);
	buffer = numbered(&context, 4096, DRM_HEARTH_PLACEMENT_BOARD, 1);
	push_dispatch(&context, KERNEL_JUMP, 0, buffer.va, 0, 1);
	is(context_submit(&context), -ECANCELED, "a kernel cannot execute data");
	hearth_drm_queue_state(&context.queue, &state);
	is(state.error, HBI_ERROR_FETCH, "the state says so");
	context_close(&context);
}

static void test_outside(void)
{
	static const struct {
		uint64_t va;
		const char *what;
	} places[] = {
		{ 0, "address 0" },
		{ 0x80000000, "where board memory lies" },
		{ HBI_RETURN_ADDRESS, "the return page" },
		{ 0x7fffffffe000, "the page before it, unbound" },
	};
	struct context context;
	unsigned int i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		context_open(&context, 0);
		expect_fault(&context, places[i].va, HBI_ERROR_LOAD, places[i].what);
		context_close(&context);
	}
}

/* Two contexts with one address: each sees its own. */
static void test_apart(void)
{
	struct context first, second;
	struct buffer a, b;

	context_open(&first, 0);
	context_open(&second, 0);
	first.next_va = second.next_va = 0x50000000;
	a = numbered(&first, 4096, DRM_HEARTH_PLACEMENT_BOARD, 111);
	b = numbered(&second, 4096, DRM_HEARTH_PLACEMENT_BOARD, 222);
	is(a.va, b.va, "two contexts use one address");
	expect(&first, a.va, 111, "the first sees its own");
	expect(&second, b.va, 222, "the second its own");
	context_close(&first);
	expect(&second, b.va, 222, "also when the first is gone");
	context_close(&second);
}

/* Bound, used, unbound, over and over: no translation is kept beyond its time. */
static void test_rebind(void)
{
	struct context context;
	struct buffer one, two;
	bool right = true;
	uint64_t value;
	int i;

	context_open(&context, 0);
	one = numbered(&context, 4096, DRM_HEARTH_PLACEMENT_BOARD, 1);
	two = numbered(&context, 4096, DRM_HEARTH_PLACEMENT_HOST, 2);
	for (i = 0; i < 50; i++) {
		hearth_drm_vm_map(context.fd, context.vm, i & 1 ? two.handle : one.handle, 0,
				  0x60000000, 4096, 0);
		right = right && !peek(&context, 0x60000000, &value) && value == 1u + (i & 1);
	}
	ok(right, "50 times rebound, always the new is seen");
	context_close(&context);
}

int main(void)
{
	test_split(DRM_HEARTH_PLACEMENT_BOARD, "board");
	test_split(DRM_HEARTH_PLACEMENT_HOST, "host");
	test_rights();
	test_outside();
	test_apart();
	test_rebind();
	return done();
}
