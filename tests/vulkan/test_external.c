// SPDX-License-Identifier: MIT
/*
 * Memory shared with others: between two devices by file descriptor and by dma-buf, with the application
 * by its address, and what must be refused; what the device says of its heaps.
 */
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vt.h"

#define BYTES (256u << 10)
#define USAGE (VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT)

static int arguments;
static char **argument;

/* A buffer whose memory goes out, or came in. */
struct shared {
	VkBuffer buffer;
	VkDeviceMemory memory;
	uint32_t *map;
};

static const char *handle_name(VkExternalMemoryHandleTypeFlagBits type)
{
	return type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT ? "opaque" : "dma-buf";
}

static VkExternalMemoryFeatureFlags features(struct vt *vt, VkExternalMemoryHandleTypeFlagBits type)
{
	const VkPhysicalDeviceExternalBufferInfo info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
		.usage = USAGE,
		.handleType = type,
	};
	VkExternalBufferProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
	};

	vkGetPhysicalDeviceExternalBufferProperties(vt->physical, &info, &properties);
	return properties.externalMemoryProperties.externalMemoryFeatures;
}

static VkBuffer make_buffer(struct vt *vt, VkExternalMemoryHandleTypeFlagBits type,
			    VkMemoryRequirements *needs)
{
	const VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = type,
	};
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = &external,
		.size = BYTES,
		.usage = USAGE,
	};
	VkBuffer buffer;

	VT_OK(vkCreateBuffer(vt->device, &info, NULL, &buffer));
	vkGetBufferMemoryRequirements(vt->device, buffer, needs);
	return buffer;
}

static VkResult finish(struct vt *vt, const void *chain, uint32_t type_index, struct shared *out)
{
	const VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = chain,
		.allocationSize = BYTES,
		.memoryTypeIndex = type_index,
	};
	VkResult result = vkAllocateMemory(vt->device, &allocate, NULL, &out->memory);
	void *map;

	if (result != VK_SUCCESS) {
		vkDestroyBuffer(vt->device, out->buffer, NULL);
		return result;
	}
	VT_OK(vkBindBufferMemory(vt->device, out->buffer, out->memory, 0));
	VT_OK(vkMapMemory(vt->device, out->memory, 0, VK_WHOLE_SIZE, 0, &map));
	out->map = map;
	return VK_SUCCESS;
}

static VkResult export(struct vt *vt, VkExternalMemoryHandleTypeFlagBits type, uint32_t type_index,
		       struct shared *out, int *fd)
{
	const VkExportMemoryAllocateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = type,
	};
	VkMemoryGetFdInfoKHR get = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
		.handleType = type,
	};
	PFN_vkGetMemoryFdKHR get_fd =
		(PFN_vkGetMemoryFdKHR)vkGetDeviceProcAddr(vt->device, "vkGetMemoryFdKHR");
	VkMemoryRequirements needs;
	VkResult result;

	out->buffer = make_buffer(vt, type, &needs);
	result = finish(vt, &export, type_index, out);
	if (result != VK_SUCCESS)
		return result;
	get.memory = out->memory;
	return get_fd(vt->device, &get, fd);
}

static VkResult import(struct vt *vt, VkExternalMemoryHandleTypeFlagBits type, uint32_t type_index,
		       int fd, struct shared *out)
{
	const VkImportMemoryFdInfoKHR import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.handleType = type,
		.fd = fd,
	};
	VkMemoryRequirements needs;

	out->buffer = make_buffer(vt, type, &needs);
	return finish(vt, &import, type_index, out);
}

static void shared_free(struct vt *vt, struct shared *shared)
{
	vkDestroyBuffer(vt->device, shared->buffer, NULL);
	vkFreeMemory(vt->device, shared->memory, NULL);
}

static uint32_t fd_types(struct vt *vt, int fd)
{
	PFN_vkGetMemoryFdPropertiesKHR ask = (PFN_vkGetMemoryFdPropertiesKHR)vkGetDeviceProcAddr(
		vt->device, "vkGetMemoryFdPropertiesKHR");
	VkMemoryFdPropertiesKHR properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR,
	};

	if (ask(vt->device, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, fd, &properties) !=
	    VK_SUCCESS)
		return 0;
	return properties.memoryTypeBits;
}

static void fill(struct vt *vt, struct shared *shared, uint32_t value)
{
	VkCommandBuffer commands = vt_begin(vt, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);

	vkCmdFillBuffer(commands, shared->buffer, 0, BYTES, value);
	vt_run(vt, commands);
}

static bool all(const volatile uint32_t *words, uint32_t value)
{
	for (uint32_t i = 0; i < BYTES / 4; i++)
		if (words[i] != value)
			return false;
	return true;
}

/* What one device writes the other has, and it lives as long as either does. */
static void share(struct vt *vt, struct vt *other, VkExternalMemoryHandleTypeFlagBits type,
		  uint32_t type_index, uint32_t other_index)
{
	struct shared ours, theirs, third;
	int fd = -1, second;

	if (!VT_CHECK(export(vt, type, type_index, &ours, &fd) == VK_SUCCESS))
		return;
	VT_CHECK(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
	if (type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) {
		VT_CHECK(fd_types(other, fd) == 1u << other_index);
		VT_CHECK(lseek(fd, 0, SEEK_END) >= BYTES);
	}
	second = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (!VT_CHECK(import(other, type, other_index, fd, &theirs) == VK_SUCCESS)) {
		close(fd);
		close(second);
		shared_free(vt, &ours);
		return;
	}
	VT_CHECK(fcntl(fd, F_GETFD) < 0, "an imported descriptor is the driver's");
	fill(vt, &ours, 0x11112222);
	VT_CHECK(all(theirs.map, 0x11112222));
	fill(other, &theirs, 0x33334444);
	VT_CHECK(all(ours.map, 0x33334444));

	/* Once more into one device: the kernel may know it by one handle only. */
	VT_OK(import(other, type, other_index, second, &third));
	shared_free(other, &third);
	fill(other, &theirs, 0x55556666);
	VT_CHECK(all(ours.map, 0x55556666));
	shared_free(vt, &ours);
	VT_CHECK(all(theirs.map, 0x55556666));
	fill(other, &theirs, 0x77778888);
	VT_CHECK(all(theirs.map, 0x77778888));
	shared_free(other, &theirs);
}

static void test_fd(struct vt *vt, VkExternalMemoryHandleTypeFlagBits type)
{
	const VkExternalMemoryFeatureFlags both = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT |
						  VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
	VkMemoryRequirements needs;
	struct vt other;

	if ((features(vt, type) & both) != both) {
		vt_skip("the device does not export a %s", handle_name(type));
		return;
	}
	vkDestroyBuffer(vt->device, make_buffer(vt, type, &needs), NULL);
	vt_open(&other, arguments, argument, false);
	for (uint32_t i = 0; i < vt->memory.memoryTypeCount; i++)
		if (needs.memoryTypeBits & 1u << i)
			share(vt, &other, type, i, i);
	/* And back into the device that it came from. */
	share(vt, vt, type, 0, 0);
	VT_CHECK(other.warnings == 0);
	vt_close(&other);
}

static void test_opaque(struct vt *vt)
{
	test_fd(vt, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT);
}

static void test_dma_buf(struct vt *vt)
{
	test_fd(vt, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
}

/* Memory that no Vulkan device made. */
static void test_foreign(struct vt *vt)
{
	const VkExternalMemoryHandleTypeFlagBits type =
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = BYTES };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("foreign", MFD_ALLOW_SEALING), fd = -1;
	struct shared shared;
	uint32_t *map, types, index = 0;

	if (device < 0 || !(features(vt, type) & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT)) {
		vt_skip("no udmabuf, or no import");
		close(memfd);
		return;
	}
	VT_CHECK(!ftruncate(memfd, BYTES) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	create.memfd = (uint32_t)memfd;
	fd = ioctl(device, UDMABUF_CREATE, &create);
	types = fd_types(vt, fd);
	VT_CHECK(types != 0);
	while (types && !(types & 1u << index))
		index++;
	if (VT_CHECK(import(vt, type, index, fd, &shared) == VK_SUCCESS)) {
		fill(vt, &shared, 0xabcdef01);
		VT_CHECK(all(map, 0xabcdef01));
		map[7] = 5;
		VT_CHECK(shared.map[7] == 5);
		shared_free(vt, &shared);
	}
	munmap(map, BYTES);
	close(memfd);
	close(device);
}

/* The memory of a device of another kind, the CPU's on a board for one. */
static void test_other_device(struct vt *vt)
{
	const VkExternalMemoryHandleTypeFlagBits type =
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	char number[2] = { vt->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU ? '0' : '1' };
	char *arguments_of[3] = { argument[0], number, NULL };
	VkMemoryRequirements needs;
	uint32_t count = 0, index;
	struct vt other;

	vkEnumeratePhysicalDevices(vt->instance, &count, NULL);
	if (!vt->hearth || count < 2 ||
	    !(features(vt, type) & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT)) {
		vt_skip("there is no other device, or this one exports no dma-buf");
		return;
	}
	vt_open(&other, 2, arguments_of, false);
	vkDestroyBuffer(other.device, make_buffer(&other, type, &needs), NULL);
	/* Host memory is what both can have. */
	index = other.memory.memoryTypeCount - 1;
	share(vt, &other, type, vt->memory.memoryTypeCount - 1, index);
	VT_CHECK(other.warnings == 0);
	vt_close(&other);
}

static void test_refused(struct vt *vt)
{
	const VkExternalMemoryHandleTypeFlagBits kinds[] = {
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT,
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int plain = memfd_create("not sealed", MFD_ALLOW_SEALING);
	struct shared shared;

	if (!vt->hearth || !vt->has_dma_buf) {
		vt_skip("the device is not one of ours");
		close(null);
		close(plain);
		return;
	}
	VT_CHECK(!ftruncate(plain, BYTES));
	for (int i = 0; i < 2; i++) {
		VT_CHECK(import(vt, kinds[i], 0, null, &shared) ==
			 VK_ERROR_INVALID_EXTERNAL_HANDLE);
		VT_CHECK(import(vt, kinds[i], 0, plain, &shared) ==
			 VK_ERROR_INVALID_EXTERNAL_HANDLE);
		VT_CHECK(fcntl(null, F_GETFD) >= 0 && fcntl(plain, F_GETFD) >= 0,
			 "what is refused stays the application's");
	}
	VT_CHECK(strlen(vt->last_error) > 0);
	close(null);
	close(plain);
}

static void test_pointer(struct vt *vt)
{
	const VkExternalMemoryHandleTypeFlagBits type =
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
	PFN_vkGetMemoryHostPointerPropertiesEXT ask =
		(PFN_vkGetMemoryHostPointerPropertiesEXT)vkGetDeviceProcAddr(
			vt->device, "vkGetMemoryHostPointerPropertiesEXT");
	VkMemoryHostPointerPropertiesEXT properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT,
	};
	VkImportMemoryHostPointerInfoEXT import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
		.handleType = type,
	};
	VkMemoryRequirements needs;
	struct shared shared;
	uint32_t *memory, index = 0;

	if (!vt->has_host_pointer) {
		vt_skip("the device takes no pointers");
		return;
	}
	VT_CHECK(features(vt, type) & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
	memory = mmap(NULL, 2 * BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	VT_OK(ask(vt->device, type, memory, &properties));
	shared.buffer = make_buffer(vt, type, &needs);
	while (index < 31 && !(properties.memoryTypeBits & needs.memoryTypeBits & 1u << index))
		index++;
	import.pHostPointer = memory;
	if (!VT_CHECK(finish(vt, &import, index, &shared) == VK_SUCCESS))
		return;
	VT_CHECK(shared.map == memory);
	memory[BYTES / 4] = 0x5eed;
	fill(vt, &shared, 0xfeedface);
	VT_CHECK(all(memory, 0xfeedface));
	VT_CHECK(memory[BYTES / 4] == 0x5eed, "and not a byte beyond it");
	shared_free(vt, &shared);
	memory[0] = 1;
	munmap(memory, 2 * BYTES);
}

static void budget_of(VkPhysicalDevice physical, VkPhysicalDeviceMemoryBudgetPropertiesEXT *out)
{
	VkPhysicalDeviceMemoryProperties2 memory = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
		.pNext = out,
	};

	*out = (VkPhysicalDeviceMemoryBudgetPropertiesEXT){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT,
	};
	vkGetPhysicalDeviceMemoryProperties2(physical, &memory);
}

static void budget(struct vt *vt, VkPhysicalDeviceMemoryBudgetPropertiesEXT *out)
{
	budget_of(vt->physical, out);
}

/* What the process uses is the same seen from another instance. */
static void check_other_instance(struct vt *vt, uint64_t usage)
{
	const VkApplicationInfo app = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
					.apiVersion = VK_API_VERSION_1_3 };
	const VkInstanceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
					    .pApplicationInfo = &app };
	VkPhysicalDeviceMemoryBudgetPropertiesEXT seen;
	VkPhysicalDeviceProperties own, properties;
	VkPhysicalDevice devices[16];
	uint32_t i, count = 16;
	VkInstance instance;

	vkGetPhysicalDeviceProperties(vt->physical, &own);
	VT_CHECK(vkCreateInstance(&info, NULL, &instance) == VK_SUCCESS);
	VT_CHECK(vkEnumeratePhysicalDevices(instance, &count, devices) >= 0);
	for (i = 0; i < count; i++) {
		vkGetPhysicalDeviceProperties(devices[i], &properties);
		if (!strcmp(own.deviceName, properties.deviceName))
			break;
	}
	VT_CHECK(i < count, "no device of the name %s", own.deviceName);
	if (i < count) {
		budget_of(devices[i], &seen);
		VT_CHECK(seen.heapUsage[0] == usage, "%llu, expected %llu",
			 (unsigned long long)seen.heapUsage[0], (unsigned long long)usage);
	}
	vkDestroyInstance(instance, NULL);
}

static void test_budget(struct vt *vt)
{
	VkPhysicalDeviceMemoryBudgetPropertiesEXT before, during, after;
	struct vt_buffer buffer;

	if (!vt->hearth) {
		vt_skip("the device is not one of ours");
		return;
	}
	budget(vt, &before);
	buffer = vt_buffer(vt, 8u << 20, USAGE | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	memset(buffer.map, 1, 8u << 20);
	budget(vt, &during);
	check_other_instance(vt, during.heapUsage[0]);
	vt_buffer_free(vt, &buffer);
	budget(vt, &after);
	VT_CHECK(during.heapUsage[0] >= before.heapUsage[0] + (8u << 20), "%llu then %llu",
		 (unsigned long long)before.heapUsage[0], (unsigned long long)during.heapUsage[0]);
	VT_CHECK(after.heapUsage[0] == before.heapUsage[0]);
	for (uint32_t i = 0; i < vt->memory.memoryHeapCount; i++) {
		VT_CHECK(during.heapBudget[i] > 0 &&
			 during.heapBudget[i] <= vt->memory.memoryHeaps[i].size);
		VT_CHECK(during.heapUsage[i] <= during.heapBudget[i]);
	}
}

int main(int argc, char **argv)
{
	static const struct vt_test tests[] = {
		{ "memory shared by opaque descriptors", test_opaque },
		{ "memory shared as dma-bufs", test_dma_buf },
		{ "memory of another driver's", test_foreign },
		{ "memory of another device", test_other_device },
		{ "what cannot be imported is refused", test_refused },
		{ "memory of the application's own", test_pointer },
		{ "heaps and budgets", test_budget },
	};
	struct vt vt;

	arguments = argc;
	argument = argv;
	vt_open(&vt, argc, argv, false);
	return vt_main(&vt, tests, sizeof(tests) / sizeof(tests[0]));
}
