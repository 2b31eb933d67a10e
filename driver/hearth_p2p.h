/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HEARTH_P2P_H
#define HEARTH_P2P_H

#include <linux/dma-buf.h>
#include <linux/err.h>

#include "hearth_device.h"

struct hearth_bo;

#ifdef HEARTH_HAVE_DMA_BUF_PHYS_VEC
int hearth_p2p_init(struct hearth_device *hdev);
int hearth_p2p_attach(struct hearth_bo *bo, struct dma_buf_attachment *attach);
struct sg_table *hearth_p2p_map(struct hearth_bo *bo, struct dma_buf_attachment *attach,
				enum dma_data_direction direction);
void hearth_p2p_unmap(struct hearth_bo *bo, struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction direction);
struct hearth_bo *hearth_p2p_import(struct hearth_device *hdev, struct dma_buf *dma_buf);
void hearth_p2p_revoke_all(struct hearth_device *hdev);
void hearth_p2p_flush(struct hearth_device *hdev);
#else
/* This kernel has no way to take a peer's mapping back, so none is given. */
static inline int hearth_p2p_init(struct hearth_device *hdev)
{
	return 0;
}

static inline int hearth_p2p_attach(struct hearth_bo *bo, struct dma_buf_attachment *attach)
{
	return -EOPNOTSUPP;
}

static inline struct sg_table *hearth_p2p_map(struct hearth_bo *bo,
					      struct dma_buf_attachment *attach,
					      enum dma_data_direction direction)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void hearth_p2p_unmap(struct hearth_bo *bo, struct dma_buf_attachment *attach,
				    struct sg_table *sgt, enum dma_data_direction direction)
{
}

static inline struct hearth_bo *hearth_p2p_import(struct hearth_device *hdev,
						  struct dma_buf *dma_buf)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void hearth_p2p_revoke_all(struct hearth_device *hdev)
{
}

static inline void hearth_p2p_flush(struct hearth_device *hdev)
{
}
#endif

#endif /* HEARTH_P2P_H */
