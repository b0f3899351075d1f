/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changing the disks of a controller that is connected.
 */
#ifndef XEN_IOEMU_HOTPLUG_H
#define XEN_IOEMU_HOTPLUG_H

#include "device.h"
#include "disk.h"
#include "xs.h"

/**
 * hotplug_add() - add a disk, or complain
 * @store: connection
 * @dev: the controller
 * @disk: the disk, checked; a file becomes a loop device
 * @have_index: *@index is the caller's choice
 * @index: number of the disk; filled unless @have_index
 * @timeout: seconds for the driver to answer
 */
enum tool_status hotplug_add(struct store *store, const struct device *dev,
			     struct disk *disk, bool have_index,
			     unsigned int *index, unsigned int timeout);

/**
 * hotplug_remove() - remove a disk and wait until it is free, or complain
 * @store: connection
 * @dev: the controller
 * @index: the disk
 * @timeout: seconds for the driver to let go of it
 *
 * One that was removed already, but that the driver still has, is waited for.
 */
enum tool_status hotplug_remove(struct store *store, const struct device *dev,
				unsigned int index, unsigned int timeout);

/**
 * hotplug_limit() - change the limits of a disk, or complain
 * @store: connection
 * @dev: the controller
 * @index: the disk, which exists
 * @iops: I/Os per second, 0 for no limit; NULL to leave that alone
 * @bw: bytes per second, likewise
 */
enum tool_status hotplug_limit(struct store *store, const struct device *dev,
			       unsigned int index, const uint64_t *iops,
			       const uint64_t *bw);

/**
 * hotplug_limits() - the limits of a disk, or complain
 * @store: connection
 * @dev: the controller
 * @index: the disk, which exists
 * @iops: filled with I/Os per second, 0 for no limit
 * @bw: filled with bytes per second, likewise
 */
enum tool_status hotplug_limits(struct store *store, const struct device *dev,
				unsigned int index, uint64_t *iops,
				uint64_t *bw);

/**
 * hotplug_resize() - have a disk take over another size, or complain
 * @store: connection
 * @dev: the controller
 * @index: the disk, which exists
 * @size: bytes that the file below gets; NULL to take over what there is
 * @shrink: it may become smaller
 * @bytes: filled with the size that the disk has now
 */
enum tool_status hotplug_resize(struct store *store, const struct device *dev,
				unsigned int index, const uint64_t *size,
				bool shrink, uint64_t *bytes);

#endif /* XEN_IOEMU_HOTPLUG_H */
