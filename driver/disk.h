/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Opening and watching the block devices behind <ioemu/disk.h>.
 */
#ifndef _IOEMU_DISK_CORE_H
#define _IOEMU_DISK_CORE_H

#include <linux/types.h>

#include <ioemu/disk.h>

/**
 * ioemu_disk_open() - open a block device for a guest, exclusively
 * @path: of the device node
 * @read_only: the guest may not write
 * @serial: NUL terminated, up to 20 characters
 *
 * Context: process context.
 * Return: the disk or an ERR_PTR: -ENOENT no such file, -ENOTBLK not a block
 *         device, -EBUSY somebody else holds it, -EACCES or -EROFS it is
 *         read-only, -EINVAL a logical block size over 4096, and so on.
 */
struct ioemu_disk *ioemu_disk_open(const char *path, bool read_only,
				   const char *serial);

/**
 * ioemu_disk_close() - close it
 * @disk: disk without requests
 *
 * Context: process context.
 */
void ioemu_disk_close(struct ioemu_disk *disk);

/**
 * ioemu_disk_resized() - did the capacity change since the last call?
 * @disk: disk
 *
 * Context: process context; one caller at a time.
 */
bool ioemu_disk_resized(struct ioemu_disk *disk);

#endif /* _IOEMU_DISK_CORE_H */
