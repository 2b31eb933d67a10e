// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hearth.ko does not have: submission by a system call for each batch, as most drivers do it.
 * The kernel takes the packets from the process, checks their types, writes them to the ring and
 * rings the doorbell. For comparison alone, in a test: it takes ring and doorbell from the
 * process's own mappings and trusts its root.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "hearth_submit.h"

#define PACKET	  64u
#define MAX_PAGES 64u
#define LAST_TYPE 9u

struct submit_file {
	struct mutex lock;
	void *ring;
	u32 packets;
	void __iomem *doorbell;
};

static int submit_pfn(u64 address, unsigned long *pfn)
{
	struct follow_pfnmap_args args = { .address = address };
	int ret;

	mmap_read_lock(current->mm);
	args.vma = vma_lookup(current->mm, address);
	ret = args.vma ? follow_pfnmap_start(&args) : -EFAULT;
	if (!ret) {
		*pfn = args.pfn;
		follow_pfnmap_end(&args);
	}
	mmap_read_unlock(current->mm);
	return ret;
}

static int submit_setup(struct submit_file *file, const struct hearth_submit_setup *setup)
{
	unsigned int i, count = DIV_ROUND_UP(PACKET << setup->ring_log2, PAGE_SIZE);
	struct page *pages[MAX_PAGES];
	unsigned long pfn;
	int ret;

	if (file->ring || setup->ring_log2 < 6 || setup->ring_log2 > 12)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		ret = submit_pfn(setup->ring + i * PAGE_SIZE, &pfn);
		if (ret)
			return ret;
		if (!pfn_valid(pfn))
			return -EINVAL;
		pages[i] = pfn_to_page(pfn);
	}
	ret = submit_pfn(setup->doorbell, &pfn);
	if (ret)
		return ret;
	file->doorbell = ioremap((phys_addr_t)pfn << PAGE_SHIFT, PAGE_SIZE);
	if (!file->doorbell)
		return -ENOMEM;
	file->ring = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	if (!file->ring)
		return -ENOMEM;
	file->packets = 1u << setup->ring_log2;
	return 0;
}

static int submit_packets(struct submit_file *file, struct hearth_submit_packets *submit)
{
	const u8 __user *from = u64_to_user_ptr(submit->packets);
	u8 *slot;
	u32 i;

	if (!file->ring || submit->count > file->packets)
		return -EINVAL;
	for (i = 0; i < submit->count; i++) {
		slot = file->ring + ((submit->tail + i) & (file->packets - 1)) * PACKET;
		if (copy_from_user(slot, from + i * PACKET, PACKET))
			return -EFAULT;
		if (*(u16 *)slot > LAST_TYPE)
			return -EINVAL;
	}
	submit->tail += submit->count;
	/* Packets before the tail: writeq() orders. */
	writeq(submit->tail, file->doorbell);
	return 0;
}

static long submit_ioctl(struct file *filp, unsigned int command, unsigned long argument)
{
	struct submit_file *file = filp->private_data;
	void __user *user = (void __user *)argument;
	struct hearth_submit_packets submit;
	struct hearth_submit_setup setup;
	int ret;

	mutex_lock(&file->lock);
	switch (command) {
	case HEARTH_SUBMIT_SETUP:
		ret = copy_from_user(&setup, user, sizeof(setup)) ? -EFAULT
								  : submit_setup(file, &setup);
		break;
	case HEARTH_SUBMIT_PACKETS:
		ret = copy_from_user(&submit, user, sizeof(submit)) ? -EFAULT
								    : submit_packets(file, &submit);
		if (!ret && copy_to_user(user, &submit, sizeof(submit)))
			ret = -EFAULT;
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&file->lock);
	return ret;
}

static int submit_open(struct inode *inode, struct file *filp)
{
	struct submit_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	filp->private_data = file;
	return 0;
}

static int submit_release(struct inode *inode, struct file *filp)
{
	struct submit_file *file = filp->private_data;

	vunmap(file->ring);
	if (file->doorbell)
		iounmap(file->doorbell);
	kfree(file);
	return 0;
}

static const struct file_operations submit_fops = {
	.owner = THIS_MODULE,
	.open = submit_open,
	.release = submit_release,
	.unlocked_ioctl = submit_ioctl,
};

static struct miscdevice submit_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hearth-submit",
	.fops = &submit_fops,
	.mode = 0600,
};
module_misc_device(submit_misc);

MODULE_DESCRIPTION("Submission by system calls, to compare with");
MODULE_AUTHOR("The Hearth project");
MODULE_LICENSE("GPL");
