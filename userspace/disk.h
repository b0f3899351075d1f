/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk as the command line and xenstore describe it.
 */
#ifndef XEN_IOEMU_DISK_H
#define XEN_IOEMU_DISK_H

#include <stdbool.h>

#define DISKS_MAX	16	/* of one controller */
#define SERIAL_MAX	20	/* characters */

/**
 * struct disk - one disk
 * @params: absolute path of the block device
 * @mode: "r" or "w"
 * @serial: serial number, NULL for the driver's choice
 *
 * All strings are its own.
 */
struct disk {
	char *params;
	char *mode;
	char *serial;
};

/**
 * disk_parse() - read the argument of --disk, or complain
 * @disk: filled; disk_free() it on success
 * @text: key=value pairs, separated by commas; two commas stand for one that
 *        belongs to a value
 *
 * Return: true when @text makes sense.
 */
bool disk_parse(struct disk *disk, const char *text);

/**
 * disk_check() - can the disk be what the driver needs, or complain
 * @disk: disk whose path is one of this domain
 */
bool disk_check(const struct disk *disk);

/**
 * disk_free() - free the strings
 * @disk: disk
 */
void disk_free(struct disk *disk);

/**
 * serial_check() - is this a serial number, or complain
 * @option: where it was given, for the message
 * @serial: as given
 */
bool serial_check(const char *option, const char *serial);

#endif /* XEN_IOEMU_DISK_H */
