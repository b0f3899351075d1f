/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command is about: [DOMAIN [DEVID [DISK]]].
 */
#ifndef XEN_IOEMU_TARGET_H
#define XEN_IOEMU_TARGET_H

#include "device.h"
#include "xs.h"

struct option;

/**
 * struct target - what was named
 * @backend_id: --backend
 * @domain: DOMAIN as given, NULL for all
 * @domid: its number
 * @have_devid: DEVID was given
 * @devid: DEVID
 * @have_disk: DISK was given
 * @disk: DISK
 */
struct target {
	unsigned int backend_id;
	const char *domain;
	unsigned int domid;
	bool have_devid;
	unsigned int devid;
	bool have_disk;
	unsigned int disk;
};

/**
 * reader_options() - parse what those that only show something take, or complain
 * @options: --backend as 'b'; all others are formats, of which one can be given
 * @argc: arguments
 * @argv: arguments
 * @format: 0; the format's letter if one was given
 * @backend_id: --backend, likewise
 */
bool reader_options(const struct option *options, int argc, char **argv,
		    int *format, unsigned int *backend_id);

/**
 * target_parse() - read the arguments after the options, or complain
 * @target: filled, except for @backend_id
 * @command: the command's name, for messages
 * @argc: arguments
 * @argv: arguments; optind is the first of them
 * @min: as many must be given
 * @max: as many may be given, up to 3
 */
bool target_parse(struct target *target, const char *command, int argc,
		  char **argv, int min, int max);

/**
 * target_find() - find the domain, and the device or disk when named, or complain
 * @target: parsed
 * @store: connection
 * @dev: the device, filled if it was named
 */
enum tool_status target_find(struct target *target, struct store *store,
			     struct device *dev);

/**
 * target_known() - is the domain that was found still there, or complain
 * @target: found
 * @store: connection
 *
 * A reboot ends it: what comes then has another number.
 */
enum tool_status target_known(const struct target *target, struct store *store);

/**
 * struct found_disk - a disk of a device
 * @dev: the device
 * @name: the domain's name or NULL
 * @index: the disk
 * @local: the driver that serves and counts it runs in this domain
 */
struct found_disk {
	struct device dev;
	char *name;
	unsigned int index;
	bool local;
};

/**
 * target_disks() - all disks that are meant
 * @target: found
 * @store: connection
 * @n: how many
 *
 * Return: an array for free_disks(); NULL, and @n is 0, when there are none.
 */
struct found_disk *target_disks(const struct target *target,
				struct store *store, unsigned int *n);

/**
 * free_disks() - free what target_disks() returned
 * @disks: array
 * @n: how many
 */
void free_disks(struct found_disk *disks, unsigned int n);

#endif /* XEN_IOEMU_TARGET_H */
