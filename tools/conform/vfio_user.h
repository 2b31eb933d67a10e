/* SPDX-License-Identifier: MIT */
/* Messages of the vfio-user protocol, version 0.0, as far as the virtual board and its clients use them. */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <stdint.h>

#define VU_MAX_TRANSFER (1u << 20)

enum vu_command {
	VU_VERSION = 1,
	VU_DMA_MAP = 2,
	VU_DMA_UNMAP = 3,
	VU_DEVICE_GET_INFO = 4,
	VU_DEVICE_GET_REGION_INFO = 5,
	VU_DEVICE_GET_IRQ_INFO = 7,
	VU_DEVICE_SET_IRQS = 8,
	VU_REGION_READ = 9,
	VU_REGION_WRITE = 10,
	VU_DMA_READ_MESSAGE = 11,
	VU_DMA_WRITE_MESSAGE = 12,
	VU_DEVICE_RESET = 13,
};

#define VU_FLAG_TYPE	 0x0fu
#define VU_FLAG_REPLY	 0x01u
#define VU_FLAG_NO_REPLY 0x10u
#define VU_FLAG_ERROR	 0x20u

/* @size: of the whole message. */
struct vu_header {
	uint16_t id;
	uint16_t command;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};

/* Followed by JSON text. */
struct vu_version {
	uint16_t major;
	uint16_t minor;
};

#define VU_DMA_READ  1u
#define VU_DMA_WRITE 2u

struct vu_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t size;
};

#define VU_UNMAP_ALL 2u

struct vu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t size;
};

#define VU_DEVICE_RESETS 1u
#define VU_DEVICE_PCI	 2u
#define VU_PCI_REGIONS	 9
#define VU_PCI_CONFIG	 7
#define VU_PCI_IRQS	 5
#define VU_IRQ_MSIX	 2
#define VU_IRQ_ERROR	 3

struct vu_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t regions;
	uint32_t irqs;
};

#define VU_REGION_READABLE 1u
#define VU_REGION_WRITABLE 2u
#define VU_REGION_MMAP	   4u
#define VU_REGION_CAPS	   8u

struct vu_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};

#define VU_CAP_SPARSE_MMAP 1

/* With its one area. */
struct vu_sparse_cap {
	uint16_t id;
	uint16_t version;
	uint32_t next;
	uint32_t areas;
	uint32_t reserved;
	uint64_t offset;
	uint64_t size;
};

#define VU_IRQ_EVENTFD 1u

struct vu_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

#define VU_IRQ_DATA_NONE      0x01u
#define VU_IRQ_DATA_EVENTFD   0x04u
#define VU_IRQ_ACTION_TRIGGER 0x20u

struct vu_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};

/* Followed by the data of a write, or of a reply to a read. */
struct vu_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

/* Likewise. */
struct vu_dma_access {
	uint64_t address;
	uint64_t count;
};

#endif /* VFIO_USER_H */
