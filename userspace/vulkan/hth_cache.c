// SPDX-License-Identifier: MIT
/*
 * Compiled kernels, kept in VkPipelineCache objects and on disk.
 *
 * On disk a kernel is one file named by its key, in $HEARTH_CACHE_DIR, else
 * $XDG_CACHE_HOME/hearth/kernels, else ~/.cache/hearth/kernels. Files appear by rename, so readers
 * see whole ones; what does not check is as if it were not there. HEARTH_CACHE=0 turns this off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hth_private.h"

#define FILE_MAGIC     0x4b485448 /* "HTHK" */
#define FILE_VERSION   1
#define MAX_IMAGE      (64u << 20)
#define MAX_DISK_BYTES (512ull << 20) /* of the folder, before the oldest files go */
#define PRUNE_EVERY    64	      /* files written by this process between two looks */

/* Head of a file, and of an entry in the data of a VkPipelineCache; the image follows. */
struct entry_head {
	uint32_t magic;
	uint32_t version;
	uint8_t key[32];
	uint32_t image_bytes;
	uint32_t entry_offset;
	uint32_t scratch_bytes;
	uint32_t stack_bytes;
	uint32_t local_size[3];
	uint32_t subgroup_size;
	uint32_t shared_bytes;
	uint32_t reserved;
	uint8_t digest[32]; /* of this head with zeros here, and the image */
};

_Static_assert(sizeof(struct entry_head) == 112, "cache entry head");

static void digest_of(const struct entry_head *head, const void *image, uint8_t digest[32])
{
	struct entry_head copy = *head;
	struct hth_sha256 hash;

	memset(copy.digest, 0, sizeof(copy.digest));
	hth_sha256_init(&hash);
	hth_sha256_add(&hash, &copy, sizeof(copy));
	hth_sha256_add(&hash, image, head->image_bytes);
	hth_sha256_finish(&hash, digest);
}

static void head_fill(struct entry_head *head, const struct hth_kernel *kernel)
{
	memset(head, 0, sizeof(*head));
	head->magic = FILE_MAGIC;
	head->version = FILE_VERSION;
	memcpy(head->key, kernel->key, sizeof(head->key));
	head->image_bytes = kernel->image_bytes;
	head->entry_offset = kernel->entry_offset;
	head->scratch_bytes = kernel->scratch_bytes;
	head->stack_bytes = kernel->stack_bytes;
	memcpy(head->local_size, kernel->local_size, sizeof(head->local_size));
	head->subgroup_size = kernel->subgroup_size;
	head->shared_bytes = kernel->shared_bytes;
	digest_of(head, kernel->image, head->digest);
}

/* Reads one entry at @data; NULL if it is not whole and right. @used: its bytes. */
static struct hth_kernel *entry_parse(const uint8_t *data, size_t size, size_t *used)
{
	struct hth_kernel *kernel;
	struct entry_head head;
	uint8_t digest[32];

	if (size < sizeof(head))
		return NULL;
	memcpy(&head, data, sizeof(head));
	if (head.magic != FILE_MAGIC || head.version != FILE_VERSION || !head.image_bytes ||
	    head.image_bytes > MAX_IMAGE || head.image_bytes > size - sizeof(head) ||
	    head.entry_offset >= head.image_bytes)
		return NULL;
	digest_of(&head, data + sizeof(head), digest);
	if (memcmp(digest, head.digest, sizeof(digest)))
		return NULL;
	kernel = malloc(sizeof(*kernel) + head.image_bytes);
	if (!kernel)
		return NULL;
	atomic_init(&kernel->references, 1);
	memcpy(kernel->key, head.key, sizeof(kernel->key));
	kernel->image_bytes = head.image_bytes;
	kernel->entry_offset = head.entry_offset;
	kernel->scratch_bytes = head.scratch_bytes;
	kernel->stack_bytes = head.stack_bytes;
	memcpy(kernel->local_size, head.local_size, sizeof(kernel->local_size));
	kernel->subgroup_size = head.subgroup_size;
	kernel->shared_bytes = head.shared_bytes;
	memcpy(kernel->image, data + sizeof(head), head.image_bytes);
	*used = sizeof(head) + head.image_bytes;
	return kernel;
}

struct hth_kernel *hth_kernel_create(const struct hc_kernel *compiled, const uint8_t key[32])
{
	struct hth_kernel *kernel;

	if (compiled->image_bytes > MAX_IMAGE)
		return NULL;
	kernel = malloc(sizeof(*kernel) + compiled->image_bytes);
	if (!kernel)
		return NULL;
	atomic_init(&kernel->references, 1);
	memcpy(kernel->key, key, sizeof(kernel->key));
	kernel->image_bytes = compiled->image_bytes;
	kernel->entry_offset = compiled->entry_offset;
	kernel->scratch_bytes = compiled->scratch_bytes;
	kernel->stack_bytes = compiled->stack_bytes;
	memcpy(kernel->local_size, compiled->local_size, sizeof(kernel->local_size));
	kernel->subgroup_size = compiled->subgroup_size;
	kernel->shared_bytes = compiled->shared_bytes;
	memcpy(kernel->image, compiled->image, compiled->image_bytes);
	return kernel;
}

void hth_kernel_unref(struct hth_kernel *kernel)
{
	if (kernel && atomic_fetch_sub(&kernel->references, 1) == 1)
		free(kernel);
}

/* ---- VkPipelineCache ---- */

struct hth_kernel *hth_pipeline_cache_find(struct hth_pipeline_cache *cache, const uint8_t key[32])
{
	struct hth_kernel *found = NULL;

	if (!cache->external)
		pthread_mutex_lock(&cache->lock);
	for (uint32_t i = 0; i < cache->count && !found; i++)
		if (!memcmp(cache->kernels[i]->key, key, 32))
			found = cache->kernels[i];
	if (found)
		atomic_fetch_add(&found->references, 1);
	if (!cache->external)
		pthread_mutex_unlock(&cache->lock);
	return found;
}

/* Takes a reference of its own. That memory for the list runs out is no error: a cache may forget. */
void hth_pipeline_cache_add(struct hth_pipeline_cache *cache, struct hth_kernel *kernel)
{
	struct hth_kernel *have = hth_pipeline_cache_find(cache, kernel->key);

	if (have) {
		hth_kernel_unref(have);
		return;
	}
	if (!cache->external)
		pthread_mutex_lock(&cache->lock);
	if (cache->count == cache->capacity) {
		uint32_t capacity = cache->capacity ? 2 * cache->capacity : 16;
		struct hth_kernel **grown =
			realloc(cache->kernels, capacity * sizeof(struct hth_kernel *));

		if (grown) {
			cache->kernels = grown;
			cache->capacity = capacity;
		}
	}
	if (cache->count < cache->capacity) {
		atomic_fetch_add(&kernel->references, 1);
		cache->kernels[cache->count++] = kernel;
	}
	if (!cache->external)
		pthread_mutex_unlock(&cache->lock);
}

static bool header_matches(const struct hth_physical_device *pd, const void *data, size_t size)
{
	VkPipelineCacheHeaderVersionOne header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	return header.headerSize == sizeof(header) &&
	       header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
	       header.vendorID == pd->vendor_id && header.deviceID == pd->device_id &&
	       !memcmp(header.pipelineCacheUUID, pd->cache_uuid, VK_UUID_SIZE);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_CreatePipelineCache(VkDevice handle,
						       const VkPipelineCacheCreateInfo *info,
						       const VkAllocationCallbacks *callbacks,
						       VkPipelineCache *out)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_pipeline_cache *cache =
		hth_object_alloc(device, callbacks, sizeof(*cache), VK_OBJECT_TYPE_PIPELINE_CACHE);
	const uint8_t *data = info->pInitialData;
	size_t size = info->initialDataSize, used;

	if (!cache)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	pthread_mutex_init(&cache->lock, NULL);
	cache->external = info->flags & VK_PIPELINE_CACHE_CREATE_EXTERNALLY_SYNCHRONIZED_BIT;
	if (data && header_matches(device->physical_device, data, size)) {
		data += sizeof(VkPipelineCacheHeaderVersionOne);
		size -= sizeof(VkPipelineCacheHeaderVersionOne);
		while (size) {
			struct hth_kernel *kernel = entry_parse(data, size, &used);

			if (!kernel)
				break;
			hth_pipeline_cache_add(cache, kernel);
			hth_kernel_unref(kernel);
			data += used;
			size -= used;
		}
	}
	*out = hth_pipeline_cache_to_handle(cache);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL hth_DestroyPipelineCache(VkDevice device, VkPipelineCache handle,
						    const VkAllocationCallbacks *callbacks)
{
	struct hth_pipeline_cache *cache = hth_pipeline_cache_from_handle(handle);

	if (!cache)
		return;
	for (uint32_t i = 0; i < cache->count; i++)
		hth_kernel_unref(cache->kernels[i]);
	free(cache->kernels);
	pthread_mutex_destroy(&cache->lock);
	hth_object_free(hth_device_from_handle(device), callbacks, cache);
}

VKAPI_ATTR VkResult VKAPI_CALL hth_GetPipelineCacheData(VkDevice handle,
							VkPipelineCache cache_handle, size_t *size,
							void *data)
{
	struct hth_device *device = hth_device_from_handle(handle);
	struct hth_pipeline_cache *cache = hth_pipeline_cache_from_handle(cache_handle);
	struct hth_physical_device *pd = device->physical_device;
	VkPipelineCacheHeaderVersionOne header = {
		.headerSize = sizeof(header),
		.headerVersion = VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
		.vendorID = pd->vendor_id,
		.deviceID = pd->device_id,
	};
	VkResult result = VK_SUCCESS;
	size_t at = sizeof(header);

	memcpy(header.pipelineCacheUUID, pd->cache_uuid, VK_UUID_SIZE);
	if (data && *size < sizeof(header)) {
		*size = 0;
		return VK_INCOMPLETE;
	}
	if (data)
		memcpy(data, &header, sizeof(header));
	pthread_mutex_lock(&cache->lock);
	for (uint32_t i = 0; i < cache->count; i++) {
		const struct hth_kernel *kernel = cache->kernels[i];
		size_t bytes = sizeof(struct entry_head) + kernel->image_bytes;
		struct entry_head head;

		if (data) {
			if (bytes > *size - at) {
				result = VK_INCOMPLETE;
				break;
			}
			head_fill(&head, kernel);
			memcpy((uint8_t *)data + at, &head, sizeof(head));
			memcpy((uint8_t *)data + at + sizeof(head), kernel->image,
			       kernel->image_bytes);
		}
		at += bytes;
	}
	pthread_mutex_unlock(&cache->lock);
	*size = at;
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL hth_MergePipelineCaches(VkDevice device, VkPipelineCache into,
						       uint32_t count,
						       const VkPipelineCache *caches)
{
	(void)device;
	for (uint32_t c = 0; c < count; c++) {
		struct hth_pipeline_cache *from = hth_pipeline_cache_from_handle(caches[c]);

		for (uint32_t i = 0; i < from->count; i++)
			hth_pipeline_cache_add(hth_pipeline_cache_from_handle(into),
					       from->kernels[i]);
	}
	return VK_SUCCESS;
}

/* ---- Disk ---- */

static bool make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST) {
			*slash = '/';
			return false;
		}
		*slash = '/';
	}
	return true;
}

bool hth_disk_cache_path(char *path, size_t size, const char *file)
{
	const char *wanted = secure_getenv("HEARTH_CACHE");
	const char *own = secure_getenv("HEARTH_CACHE_DIR");
	const char *xdg = secure_getenv("XDG_CACHE_HOME");
	const char *home = secure_getenv("HOME");
	int length;

	if (wanted && !strcmp(wanted, "0"))
		return false;
	if (own && own[0] == '/')
		length = snprintf(path, size, "%s/%s", own, file);
	else if (xdg && xdg[0] == '/')
		length = snprintf(path, size, "%s/hearth/kernels/%s", xdg, file);
	else if (home && home[0] == '/')
		length = snprintf(path, size, "%s/.cache/hearth/kernels/%s", home, file);
	else
		return false;
	return length > 0 && (size_t)length < size;
}

bool hth_disk_cache_read(const char *path, void **data, size_t *size, size_t limit)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat info;
	size_t at = 0;

	if (fd < 0)
		return false;
	if (fstat(fd, &info) || !S_ISREG(info.st_mode) || info.st_size <= 0 ||
	    (uint64_t)info.st_size > limit)
		goto out_close;
	*size = info.st_size;
	*data = malloc(*size);
	if (!*data)
		goto out_close;
	while (at < *size) {
		ssize_t got = read(fd, (uint8_t *)*data + at, *size - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		at += got;
	}
	if (at < *size) {
		free(*data);
		goto out_close;
	}
	close(fd);
	return true;

out_close:
	close(fd);
	return false;
}

void hth_disk_cache_write(const char *path, const void *data, size_t size)
{
	char folder[4096], temporary[4200];
	size_t at = 0;
	int fd;

	snprintf(folder, sizeof(folder), "%s", path);
	if (!make_folders(folder))
		return;
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return;
	while (at < size) {
		ssize_t put = write(fd, (const uint8_t *)data + at, size - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		at += put;
	}
	if (close(fd) || at < size || rename(temporary, path))
		unlink(temporary);
}

struct cache_file {
	char name[80];
	int64_t used;
	uint64_t size;
};

static int older(const void *a, const void *b)
{
	const struct cache_file *left = a, *right = b;

	return (left->used > right->used) - (left->used < right->used);
}

/* Removes the files that were not used for longest until the folder is small enough again. */
static void prune(void)
{
	char path[4096];
	struct cache_file *files = NULL;
	size_t count = 0, capacity = 0;
	uint64_t total = 0;
	struct dirent *item;
	DIR *folder;

	if (!hth_disk_cache_path(path, sizeof(path), ""))
		return;
	folder = opendir(path);
	if (!folder)
		return;
	while ((item = readdir(folder))) {
		struct stat info;

		if (item->d_name[0] == '.' || strlen(item->d_name) >= sizeof(files->name) ||
		    fstatat(dirfd(folder), item->d_name, &info, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(info.st_mode))
			continue;
		if (count == capacity) {
			size_t more = capacity ? 2 * capacity : 256;
			struct cache_file *grown = realloc(files, more * sizeof(*grown));

			if (!grown)
				break;
			files = grown;
			capacity = more;
		}
		memcpy(files[count].name, item->d_name, strlen(item->d_name) + 1);
		files[count].used = HTH_MAX(info.st_atime, info.st_mtime);
		files[count++].size = info.st_size;
		total += info.st_size;
	}
	if (total > MAX_DISK_BYTES) {
		qsort(files, count, sizeof(*files), older);
		for (size_t i = 0; i < count && total > MAX_DISK_BYTES / 4 * 3; i++)
			if (!unlinkat(dirfd(folder), files[i].name, 0))
				total -= files[i].size;
	}
	free(files);
	closedir(folder);
}

static bool kernel_path(char *path, size_t size, const uint8_t key[32])
{
	char name[80];

	for (int i = 0; i < 32; i++)
		snprintf(name + 2 * i, 3, "%02x", key[i]);
	return hth_disk_cache_path(path, size, name);
}

struct hth_kernel *hth_disk_cache_load(const uint8_t key[32])
{
	struct hth_kernel *kernel;
	char path[4096];
	size_t size, used;
	void *data;

	if (!kernel_path(path, sizeof(path), key) ||
	    !hth_disk_cache_read(path, &data, &size, sizeof(struct entry_head) + MAX_IMAGE))
		return NULL;
	kernel = entry_parse(data, size, &used);
	free(data);
	if (kernel && memcmp(kernel->key, key, 32)) {
		hth_kernel_unref(kernel);
		return NULL;
	}
	return kernel;
}

void hth_disk_cache_store(const struct hth_kernel *kernel)
{
	static _Atomic uint32_t written;
	struct entry_head head;
	char path[4096];
	uint8_t *data;

	if (!kernel_path(path, sizeof(path), kernel->key))
		return;
	data = malloc(sizeof(head) + kernel->image_bytes);
	if (!data)
		return;
	head_fill(&head, kernel);
	memcpy(data, &head, sizeof(head));
	memcpy(data + sizeof(head), kernel->image, kernel->image_bytes);
	hth_disk_cache_write(path, data, sizeof(head) + kernel->image_bytes);
	free(data);
	if (atomic_fetch_add(&written, 1) % PRUNE_EVERY == PRUNE_EVERY - 1)
		prune();
}
