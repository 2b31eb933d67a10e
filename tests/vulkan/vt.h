/* SPDX-License-Identifier: MIT */
/*
 * What the Vulkan tests share: a device with a queue, buffers, kernels, and TAP.
 *
 * The tests run on any Vulkan 1.3 device: VK_DRIVER_FILES says whose, HEARTH_TEST_DEVICE=N (or the
 * first argument) which. With HEARTH_TEST_VALIDATION=1 the validation layer watches, and a message of it
 * fails the run.
 */
#ifndef VT_H
#define VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

struct vt {
	VkInstance instance;
	VkDebugUtilsMessengerEXT messenger;
	VkPhysicalDevice physical;
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceVulkan11Properties properties11;
	VkPhysicalDeviceVulkan13Properties properties13;
	VkPhysicalDeviceMemoryProperties memory;
	VkPhysicalDeviceFeatures2 features;
	VkPhysicalDeviceVulkan11Features features11;
	VkPhysicalDeviceVulkan12Features features12;
	VkPhysicalDeviceVulkan13Features features13;
	VkDevice device;
	uint32_t family;
	uint32_t queue_count;
	VkQueue queues[2];
	VkCommandPool pool;
	VkDescriptorPool sets;
	bool hearth; /* the device is ours */
	bool has_push_descriptor;
	bool has_map_memory2;
	bool has_external_fd, has_dma_buf, has_host_pointer;
	bool has_matrix; /* cooperative matrices */
	/* For the kernels made next: what they ask for, and whether the application's cache had the last. */
	VkPipelineCreateFlags kernel_flags;
	uint32_t kernel_subgroup_size; /* 0: the device's choice */
	bool cache_hit;
	unsigned int warnings; /* of layers */
	char last_error[4096]; /* last message of the driver itself */
};

struct vt_buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkDeviceSize size;
	void *map;
};

/* @robust: with robustBufferAccess. Exits with a TAP "bail out" if there is no such device. */
void vt_open(struct vt *vt, int argc, char **argv, bool robust);
void vt_close(struct vt *vt);

struct vt_buffer vt_buffer(struct vt *vt, VkDeviceSize size, VkBufferUsageFlags usage);
/* In memory that only packets must reach, where the device has such. */
struct vt_buffer vt_staging(struct vt *vt, VkDeviceSize size);
void vt_buffer_free(struct vt *vt, struct vt_buffer *buffer);

VkCommandBuffer vt_begin(struct vt *vt, VkCommandBufferUsageFlags flags);
/* Ends, submits to the first queue, waits with a fence, frees. */
void vt_run(struct vt *vt, VkCommandBuffer buffer);
void vt_barrier(VkCommandBuffer buffer);

struct vt_kernel {
	VkDescriptorSetLayout layouts[4];
	uint32_t layout_count;
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

VkShaderModule vt_module(struct vt *vt, const uint32_t *code, size_t bytes);
VkDescriptorSetLayout vt_set_layout(struct vt *vt, VkDescriptorSetLayoutCreateFlags flags,
				    const VkDescriptorSetLayoutBinding *bindings, uint32_t count,
				    const VkDescriptorBindingFlags *binding_flags);
/* @layouts become the kernel's. */
VkResult vt_kernel_try(struct vt *vt, struct vt_kernel *kernel, const uint32_t *code, size_t bytes,
		       const VkDescriptorSetLayout *layouts, uint32_t layout_count,
		       uint32_t push_bytes, const VkSpecializationInfo *constants,
		       VkPipelineCache cache);
void vt_kernel(struct vt *vt, struct vt_kernel *kernel, const uint32_t *code, size_t bytes,
	       const VkDescriptorSetLayout *layouts, uint32_t layout_count, uint32_t push_bytes,
	       const VkSpecializationInfo *constants);
void vt_kernel_free(struct vt *vt, struct vt_kernel *kernel);
VkDescriptorSet vt_set(struct vt *vt, VkDescriptorSetLayout layout);
void vt_write_buffer(struct vt *vt, VkDescriptorSet set, uint32_t binding, uint32_t element,
		     VkDescriptorType type, const struct vt_buffer *buffer, VkDeviceSize offset,
		     VkDeviceSize range);

/* A failed check is printed with its place and fails the running test. */
#define VT_CHECK(condition, ...) \
	vt_check((condition), __FILE__, __LINE__, #condition, " " __VA_ARGS__)
#define VT_OK(call)                                                                          \
	do {                                                                                 \
		VkResult vt_result_ = (call);                                                \
		vt_check(vt_result_ == VK_SUCCESS, __FILE__, __LINE__, #call, "VkResult %d", \
			 vt_result_);                                                        \
	} while (0)

bool vt_check(bool good, const char *file, int line, const char *what, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* Marks the running test as skipped. */
void vt_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct vt_test {
	const char *name;
	void (*run)(struct vt *vt);
};

/* Runs one test and prints its line of TAP; true if it passed. */
bool vt_run_test(struct vt *vt, const struct vt_test *test, size_t number);
/* Runs the tests, then asks whether layers had something to say. Returns main's result. */
int vt_main(struct vt *vt, const struct vt_test *tests, size_t count);

#endif /* VT_H */
