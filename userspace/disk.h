/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk as the command line and xenstore describe it.
 */
#ifndef XEN_IOEMU_DISK_H
#define XEN_IOEMU_DISK_H

#include <stdbool.h>

#include "device.h"
#include "pairs.h"

#define DISKS_MAX	16	/* of one controller */
#define SERIAL_MAX	20	/* characters */

/**
 * struct disk - one disk
 * @params: absolute path of the block device or file
 * @mode: "r" or "w"
 * @format: "raw" for a file whose data may look like another format; NULL otherwise
 * @serial: serial number, NULL for the driver's choice
 * @iops_limit: I/Os per second, NULL for no limit
 * @bw_limit: bytes per second, NULL for no limit
 * @file: the file, when @params is a loop device made of it; NULL otherwise
 * @loop_fd: the open loop device, only if @file; the device goes with its last
 *           user
 *
 * All strings are its own.
 */
struct disk {
	char *params;
	char *mode;
	char *format;
	char *serial;
	char *iops_limit;
	char *bw_limit;
	char *file;
	int loop_fd;
};

#define DISK_KEYS	6	/* keys that describe a disk */

/**
 * disk_pairs() - name the keys of a disk
 * @disk: where the values are to go
 * @pairs: the first DISK_KEYS entries are filled
 */
void disk_pairs(struct disk *disk, struct pair *pairs);

/**
 * disk_parse() - read a description, or complain
 * @option: where it was given, for messages
 * @disk: filled; disk_free() it on success
 * @text: key=value pairs, see pairs_parse()
 *
 * Return: true when @text makes sense.
 */
bool disk_parse(const char *option, struct disk *disk, const char *text);

/**
 * disk_complete() - check what was given and set defaults, or complain
 * @option: where it was given, for messages
 * @disk: disk
 */
bool disk_complete(const char *option, struct disk *disk);

/**
 * disk_prepare() - make it what the driver needs, or complain
 * @disk: disk whose path is one of this domain
 * @store: connection
 * @own: number of this domain
 * @until: time of now_ms() up to which to wait for others to let go of it; 0 for
 *         not at all
 *
 * A file becomes a loop device that lasts until disk_free(), or longer while
 * somebody else has it open, unless it is in a format of its own. A disk that this
 * domain serves to a guest in another way is refused, unless both only read.
 */
enum tool_status disk_prepare(struct disk *disk, struct store *store,
			      unsigned int own, long long until);

/**
 * disk_write() - write the nodes of a disk, or complain
 * @store: connection
 * @dev: the controller
 * @index: number of the disk
 * @disk: disk
 *
 * The node "params" comes last: it makes the disk whole.
 */
bool disk_write(struct store *store, const struct device *dev,
		unsigned int index, const struct disk *disk);

/**
 * disk_read() - read the nodes of a disk
 * @store: connection
 * @dev: the controller
 * @index: number of the disk
 * @disk: filled; nodes that do not exist are NULL; disk_free() it
 */
void disk_read(struct store *store, const struct device *dev,
	       unsigned int index, struct disk *disk);

/**
 * disk_free() - free the strings, close what disk_prepare() opened
 * @disk: disk
 */
void disk_free(struct disk *disk);

/**
 * disk_bequeath() - leave what disk_prepare() opened to the program that follows
 * @disk: disk; from here on its loop device lasts as long as this process
 */
void disk_bequeath(struct disk *disk);

/**
 * serial_check() - is this a serial number, or complain
 * @option: where it was given, for the message
 * @serial: as given
 */
bool serial_check(const char *option, const char *serial);

#endif /* XEN_IOEMU_DISK_H */
