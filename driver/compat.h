/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows kernel versions; included before everything else.
 * The source is written for the newest kernel of the range.
 */
#ifndef _IOEMU_COMPAT_H
#define _IOEMU_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "xen-ioemu needs Linux 6.1 or newer"
#endif

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/hrtimer.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* A device some of whose queues have to be looked at; a flag until 6.11 */
static inline bool ioemu_bdev_polls(struct block_device *bdev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	return test_bit(QUEUE_FLAG_POLL, &bdev_get_queue(bdev)->queue_flags);
#else
	return bdev_get_queue(bdev)->limits.features & BLK_FEAT_POLL;
#endif
}

/*
 * Opening a block device by path: an open file since 6.9, a handle before,
 * the bare block device until 6.6.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)

typedef fmode_t blk_mode_t;
#define BLK_OPEN_READ	FMODE_READ
#define BLK_OPEN_WRITE	FMODE_WRITE

struct ioemu_bdev_file {
	struct block_device *bdev;
	fmode_t mode;
};

static inline int ioemu_bdev_open(struct ioemu_bdev_file *f, const char *path,
				  blk_mode_t mode, void *holder)
{
	f->mode = mode | FMODE_EXCL;
	f->bdev = blkdev_get_by_path(path, f->mode, holder);
	return PTR_ERR_OR_ZERO(f->bdev);
}

static inline void ioemu_bdev_close(struct ioemu_bdev_file *f, void *holder)
{
	blkdev_put(f->bdev, f->mode);
}

#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#error "Linux 6.5 to 6.8 opens block devices in a way that is not supported"
#else

struct ioemu_bdev_file {
	struct block_device *bdev;
	struct file *file;
};

static inline int ioemu_bdev_open(struct ioemu_bdev_file *f, const char *path,
				  blk_mode_t mode, void *holder)
{
	f->file = bdev_file_open_by_path(path, mode, holder, NULL);
	if (IS_ERR(f->file))
		return PTR_ERR(f->file);
	f->bdev = file_bdev(f->file);
	return 0;
}

static inline void ioemu_bdev_close(struct ioemu_bdev_file *f, void *holder)
{
	/* The claim goes now; with fput() it would when the work runs. */
	bdev_fput(f->file);
}

#endif

#endif /* _IOEMU_COMPAT_H */
