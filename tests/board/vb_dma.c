// SPDX-License-Identifier: MIT
/*
 * Host memory as far as the client has mapped it for the board, and the DMA engine. The engine
 * reaches nothing else: a bus address outside the table, or against its permissions, is refused,
 * and the client is told, so that an IOMMU can note who tried what.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "vb.h"

/* One file of the client's memory, mapped once however many ranges of it are mapped for DMA. */
struct file {
	dev_t device;
	ino_t inode;
	uint8_t *base;
	uint64_t size;
	size_t uses;
	struct file *next;
};

struct map {
	uint64_t bus;
	uint64_t size;
	struct file *file; /* NULL: only the client can reach it */
	uint64_t offset;
	bool read;
	bool write;
};

static struct file *files;
static struct map *maps; /* sorted by bus address, never overlapping */
static size_t map_count;
static size_t map_room;

/* Most bytes of one message to the client about memory that only it reaches. */
#define VB_FAR_BYTES 4096

/* A queue whose last order was refused; see VB_OP_STATUS. */
static bool refused[VB_QUEUES];

static struct file *file_get(int fd)
{
	struct stat stat;
	struct file *file;

	if (fstat(fd, &stat) || stat.st_size <= 0)
		return NULL;
	for (file = files; file; file = file->next)
		if (file->device == stat.st_dev && file->inode == stat.st_ino &&
		    file->size == (uint64_t)stat.st_size)
			break;
	if (!file) {
		file = calloc(1, sizeof(*file));
		if (!file)
			return NULL;
		file->device = stat.st_dev;
		file->inode = stat.st_ino;
		file->size = stat.st_size;
		file->base = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (file->base == MAP_FAILED) {
			free(file);
			return NULL;
		}
		file->next = files;
		files = file;
	}
	file->uses++;
	return file;
}

static void file_put(struct file *file)
{
	struct file **link = &files;

	if (!file || --file->uses)
		return;
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	munmap(file->base, file->size);
	free(file);
}

/* Index of the first map that ends after @bus. */
static size_t find(uint64_t bus)
{
	size_t low = 0, high = map_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (maps[middle].bus + (maps[middle].size - 1) < bus)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int vb_dma_map(uint64_t bus, uint64_t size, int fd, uint64_t offset, bool read, bool write)
{
	struct file *file = NULL;
	size_t at;
	int error = 0;

	if (!size || bus + (size - 1) < bus) {
		error = EINVAL;
		goto out;
	}
	at = find(bus);
	if (at < map_count && maps[at].bus <= bus + (size - 1)) {
		error = EEXIST;
		goto out;
	}
	if (map_count == map_room) {
		size_t room = map_room ? 2 * map_room : 64;
		struct map *more = realloc(maps, room * sizeof(*maps));

		if (!more) {
			error = ENOMEM;
			goto out;
		}
		maps = more;
		map_room = room;
	}
	if (fd >= 0) {
		file = file_get(fd);
		if (!file || offset > file->size || size > file->size - offset) {
			file_put(file);
			error = EINVAL;
			goto out;
		}
	}
	memmove(maps + at + 1, maps + at, (map_count - at) * sizeof(*maps));
	maps[at] = (struct map){ bus, size, file, offset, read, write };
	map_count++;
out:
	if (fd >= 0)
		close(fd);
	return error;
}

int vb_dma_unmap(uint64_t bus, uint64_t size)
{
	size_t first = find(bus), last = first, i;

	if (!size || bus + (size - 1) < bus)
		return EINVAL;
	while (last < map_count && maps[last].bus <= bus + (size - 1)) {
		/* Part of a range cannot be unmapped. */
		if (maps[last].bus < bus ||
		    maps[last].bus + (maps[last].size - 1) > bus + (size - 1))
			return EINVAL;
		last++;
	}
	for (i = first; i < last; i++)
		file_put(maps[i].file);
	memmove(maps + first, maps + last, (map_count - last) * sizeof(*maps));
	map_count -= last - first;
	return 0;
}

void vb_dma_unmap_all(void)
{
	size_t i;

	for (i = 0; i < map_count; i++)
		file_put(maps[i].file);
	map_count = 0;
}

/* ---- The engine ---- */

static bool is_host(uint64_t address)
{
	return address >= VB_HOST_WINDOW && address - VB_HOST_WINDOW < 1ull << VB_HOST_BITS;
}

/* Where @address is for us, and how many bytes from there on, at most @size. NULL: out of reach. */
static void *reach(uint64_t address, uint64_t size, bool write, uint64_t *bytes)
{
	struct map *map;
	uint64_t offset;
	size_t at;

	if (!is_host(address)) {
		offset = address - VB_DRAM_BASE;
		if (address < VB_DRAM_BASE || offset >= vb_dram_bytes())
			return NULL;
		*bytes = vb_dram_bytes() - offset < size ? vb_dram_bytes() - offset : size;
		return vb_dram + offset;
	}
	address -= VB_HOST_WINDOW;
	at = find(address);
	map = maps + at;
	if (at == map_count || map->bus > address || !map->file ||
	    !(write ? map->write : map->read))
		return NULL;
	offset = address - map->bus;
	*bytes = map->size - offset < size ? map->size - offset : size;
	return map->file->base + map->offset + offset;
}

/* How many bytes from @address on, at most @size, the client reaches for us; 0: none. */
static uint64_t reach_far(uint64_t address, uint64_t size, bool write)
{
	struct map *map;
	size_t at;

	if (!is_host(address))
		return 0;
	address -= VB_HOST_WINDOW;
	at = find(address);
	map = maps + at;
	if (at == map_count || map->bus > address || map->file || !(write ? map->write : map->read))
		return 0;
	size = map->size - (address - map->bus) < size ? map->size - (address - map->bus) : size;
	return size < VB_FAR_BYTES ? size : VB_FAR_BYTES;
}

/* Writes at most @size bytes through the client; how many, 0 if it is out of reach. */
static uint64_t write_far(uint64_t address, void *data, uint64_t size)
{
	uint64_t bytes = reach_far(address, size, true);

	return bytes && vb_vfio_dma(address - VB_HOST_WINDOW, data, bytes, true) ? bytes : 0;
}

static enum vb_result refuse(uint64_t address, const void *data, uint64_t size)
{
	if (!is_host(address))
		return VB_BAD;
	vb_log("DMA %s of bus address 0x%llx refused", data ? "write" : "read",
	       (unsigned long long)(address - VB_HOST_WINDOW));
	vb_vfio_report_dma(address - VB_HOST_WINDOW, data, size < 8 ? size : 8);
	return VB_REFUSED;
}

static enum vb_result move(uint64_t destination, uint64_t source, uint64_t size)
{
	uint8_t far[VB_FAR_BYTES];

	while (size) {
		uint64_t bytes;
		void *from, *to;

		from = reach(source, size, false, &bytes);
		if (!from) {
			bytes = reach_far(source, size, false);
			from = far;
			if (!bytes || !vb_vfio_dma(source - VB_HOST_WINDOW, far, bytes, false))
				return refuse(source, NULL, size);
		}
		to = reach(destination, bytes, true, &bytes);
		if (to) {
			memmove(to, from, bytes);
		} else {
			uint64_t written = write_far(destination, from, bytes);

			if (!written)
				return refuse(destination, from, bytes);
			bytes = written;
		}
		source += bytes;
		destination += bytes;
		size -= bytes;
	}
	return VB_OK;
}

static enum vb_result fill(uint64_t destination, uint64_t size, uint32_t value)
{
	if (size % 4 || destination % 4)
		return VB_BAD;
	while (size) {
		uint64_t bytes, i;
		uint32_t *to = reach(destination, size, true, &bytes), *far = NULL;
		uint32_t words[VB_FAR_BYTES / 4];

		if (!to) {
			bytes = reach_far(destination, size, true);
			to = far = words;
		}
		if (bytes < 4)
			return refuse(destination, &value, 4);
		for (i = 0; i < bytes / 4; i++)
			to[i] = value;
		if (far && !write_far(destination, far, bytes & ~3ull))
			return refuse(destination, &value, 4);
		destination += bytes & ~3ull;
		size -= bytes & ~3ull;
	}
	return VB_OK;
}

static enum vb_result write_value(uint64_t destination, uint64_t value)
{
	uint64_t bytes, *to;

	if (destination % 8)
		return VB_BAD;
	to = reach(destination, 8, true, &bytes);
	if (!to && write_far(destination, &value, 8) == 8)
		return VB_OK;
	if (!to || bytes < 8)
		return refuse(destination, &value, 8);
	__atomic_store_n(to, value, __ATOMIC_SEQ_CST);
	return VB_OK;
}

/* The reader takes the first word as the sign that the rest is there. */
static enum vb_result record(uint64_t destination, const uint64_t *payload, uint64_t size)
{
	uint64_t bytes, *to;

	if (destination % 8 || size % 8 || !size ||
	    size > sizeof(((struct vb_descriptor *)0)->payload))
		return VB_BAD;
	to = reach(destination, size, true, &bytes);
	if (!to || bytes < size)
		return refuse(destination, payload, 8);
	memcpy(to + 1, payload + 1, size - 8);
	__atomic_store_n(to, payload[0], __ATOMIC_SEQ_CST);
	return VB_OK;
}

static enum vb_result status(const struct vb_descriptor *d)
{
	struct hbi_queue_status block;
	enum vb_result result;

	memcpy(&block, d->payload, sizeof(block));
	if (d->queue >= VB_QUEUES || d->size != sizeof(block))
		return VB_BAD;
	if (refused[d->queue] && block.state == HBI_QUEUE_LIVE)
		return VB_OK;
	if (vb_misbehaves(VB_STUCK_STATUS))
		return VB_OK;
	result = record(d->destination, d->payload, d->size);
	vb_regs_queue_status(d->queue, &block);
	return result;
}

/*
 * A board that strays copies a page to or from the bus address that it was led to, by the client and with no look at
 * what the client has mapped: whether that is refused is for the machine's IOMMU alone. False: no such copy.
 */
static bool stray(const struct vb_descriptor *d, enum vb_result *result)
{
	bool write = is_host(d->destination), good;
	uint64_t instead = vb_stray.instead & ~1ull, bytes;
	uint8_t *page;

	if (!vb_misbehaves(VB_STRAYS) || d->op != VB_OP_MOVE || d->queue >= VB_QUEUES ||
	    d->size != VB_FAR_BYTES || write == is_host(d->source))
		return false;
	vb_stray.copied = (write ? d->destination : d->source) - VB_HOST_WINDOW;
	page = reach(write ? d->source : d->destination, d->size, !write, &bytes);
	if (!vb_stray.instead || !page || bytes < d->size)
		return false;
	/* The first bytes by themselves: an access that is refused is one fault then, not hundreds. */
	good = vb_vfio_dma(instead, page, 8, write) &&
	       vb_vfio_dma(instead + 8, page + 8, d->size - 8, write);
	*result = good ? VB_OK : VB_REFUSED;
	vb_log("stray %s of bus address 0x%llx: %d", write ? "write" : "read",
	       (unsigned long long)instead, *result);
	return true;
}

/* What a board that misbehaves does to an order; false if it is not carried out at all. */
static bool spoil(struct vb_descriptor *d, enum vb_result *result)
{
	if (vb_misbehaves(VB_SLOW))
		usleep(50000);
	if (vb_misbehaves(VB_WRONG_COMPLETION) && d->op == VB_OP_RECORD &&
	    d->size == sizeof(struct hbi_admin_completion))
		d->payload[0] ^= 1ull << 32; /* the command's id */
	if (vb_misbehaves(VB_NO_COMPLETION) && d->op == VB_OP_RECORD &&
	    d->size == sizeof(struct hbi_admin_completion))
		return false;
	if (vb_misbehaves(VB_LOSES_INTERRUPTS) && d->op == VB_OP_INTERRUPT)
		return false;
	if (vb_misbehaves(VB_DMA_ERRORS) && d->op == VB_OP_MOVE && d->queue < VB_QUEUES &&
	    (is_host(d->source) || is_host(d->destination))) {
		*result = VB_REFUSED;
		return false;
	}
	return !stray(d, result);
}

/* The first byte of what a copy of a queue has written. */
static void corrupt(const struct vb_descriptor *d)
{
	uint64_t bytes;
	uint8_t *at;

	if (!vb_misbehaves(VB_CORRUPTS) || d->op != VB_OP_MOVE || d->queue >= VB_QUEUES ||
	    d->destination < VB_APERTURE_BASE)
		return;
	at = reach(d->destination, 1, true, &bytes);
	if (at)
		*at ^= 0x10;
}

void vb_dma_execute(struct vb_descriptor *shared)
{
	struct vb_descriptor d = *shared;
	enum vb_result result = VB_OK;

	if (!spoil(&d, &result))
		goto out;

	switch (d.op) {
	case VB_OP_MOVE:
		result = move(d.destination, d.source, d.size);
		break;
	case VB_OP_FILL:
		result = fill(d.destination, d.size, d.value);
		break;
	case VB_OP_WRITE:
		result = write_value(d.destination, d.value);
		break;
	case VB_OP_RECORD:
		result = record(d.destination, d.payload, d.size);
		break;
	case VB_OP_STATUS:
		result = status(&d);
		break;
	case VB_OP_INTERRUPT:
		vb_interrupt(d.value);
		break;
	case VB_OP_QUEUE:
		if (d.queue < VB_QUEUES) {
			refused[d.queue] = false;
			vb_regs_queue_reset(d.queue, d.value);
		}
		break;
	default:
		result = VB_BAD;
	}
	if (result == VB_OK)
		corrupt(&d);
out:
	if (result != VB_OK && d.queue < VB_QUEUES)
		refused[d.queue] = true;
	__atomic_store_n(&shared->result, result, __ATOMIC_SEQ_CST);
}
