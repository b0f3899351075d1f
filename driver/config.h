/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the toolstack wants a controller to be, as xenstore has it, checked.
 */
#ifndef _IOEMU_CONFIG_H
#define _IOEMU_CONFIG_H

#include <linux/types.h>

#include <ioemu/model.h>

struct ioemu_node;

#define IOEMU_CONFIG_SERIAL_MAX	20

/**
 * struct ioemu_disk_config - what xenstore says of a disk
 * @path: of the block device; NULL where there is no such disk
 * @read_only: the guest may not write
 * @iops: requests in a second, 0 for no limit
 * @bytes: bytes in a second, 0 for no limit
 * @serial: serial number
 */
struct ioemu_disk_config {
	char *path;
	bool read_only;
	u64 iops;
	u64 bytes;
	char serial[IOEMU_CONFIG_SERIAL_MAX + 1];
};

/**
 * struct ioemu_config - what xenstore says of a controller
 * @model: kind of controller
 * @slot: PCI device number
 * @serial: serial number
 * @disks: by index
 */
struct ioemu_config {
	const struct ioemu_model *model;
	unsigned int slot;
	char serial[IOEMU_CONFIG_SERIAL_MAX + 1];
	struct ioemu_disk_config disks[IOEMU_MAX_DISKS];
};

/**
 * ioemu_config_read() - read what a controller is to be
 * @node: back-end directory
 *
 * Context: process context; waits for xenstore, as all here do.
 * Return: the configuration or an ERR_PTR, when what is wrong has been said.
 */
struct ioemu_config *ioemu_config_read(const struct ioemu_node *node);

/**
 * ioemu_config_free() - free it
 * @cfg: configuration
 */
void ioemu_config_free(struct ioemu_config *cfg);

/**
 * ioemu_config_read_disk() - read what a disk is to be
 * @node: back-end directory
 * @index: the disk's
 * @disk: is set; its path is the caller's to kfree(), also after an error
 *
 * Return: 0 or a negative errno, when what is wrong has been said.
 */
int ioemu_config_read_disk(const struct ioemu_node *node, unsigned int index,
			   struct ioemu_disk_config *disk);

/**
 * ioemu_config_read_limits() - read how fast a disk may be
 * @node: back-end directory
 * @index: the disk's
 * @disk: iops and bytes are set
 *
 * Return: 0 or a negative errno, when what is wrong has been said.
 */
int ioemu_config_read_limits(const struct ioemu_node *node, unsigned int index,
			     struct ioemu_disk_config *disk);

/**
 * ioemu_config_disk_number() - is this the name of a disk?
 * @name: of a node in "disk/"
 * @index: set to the disk's index
 *
 * Return: true if it is.
 */
bool ioemu_config_disk_number(const char *name, unsigned int *index);

#endif /* _IOEMU_CONFIG_H */
