/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Opening and watching the block devices behind <ioemu/disk.h>.
 */
#ifndef _IOEMU_DISK_CORE_H
#define _IOEMU_DISK_CORE_H

#include <linux/types.h>

#include <ioemu/disk.h>

struct ioemu_stats;

/**
 * ioemu_disk_open() - open a block device for a guest, exclusively
 * @path: of the device node
 * @read_only: the guest may not write
 * @serial: NUL terminated, up to 20 characters
 * @stats: its counters, the disk's from now on unless this fails
 *
 * What this domain's page cache has for the device is written out and dropped.
 *
 * Context: process context.
 * Return: the disk or an ERR_PTR: -ENOENT no such file, -ENOTBLK not a block
 *         device, -EBUSY somebody else holds it, -EACCES or -EROFS it is
 *         read-only, -EINVAL a logical block size over 4096, -EMEDIUMTYPE it has
 *         zones, and so on.
 */
struct ioemu_disk *ioemu_disk_open(const char *path, bool read_only,
				   const char *serial,
				   struct ioemu_stats *stats);

/**
 * ioemu_disk_close() - close it
 * @disk: disk to which nobody submits any more
 *
 * Context: process context, sleeps.
 */
void ioemu_disk_close(struct ioemu_disk *disk);

/**
 * ioemu_disk_resized() - did the capacity change since the last call?
 * @disk: disk
 *
 * Context: process context; one caller at a time.
 */
bool ioemu_disk_resized(struct ioemu_disk *disk);

/**
 * ioemu_disk_set_limit() - say how fast the disk may be used
 * @disk: disk
 * @iops: requests in a second, 0 for no limit
 * @bytes: bytes in a second, 0 for no limit
 *
 * Flushes are free, and discards move no bytes.
 *
 * Context: process context, may sleep.
 */
void ioemu_disk_set_limit(struct ioemu_disk *disk, u64 iops, u64 bytes);

#endif /* _IOEMU_DISK_CORE_H */
