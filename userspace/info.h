/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of controllers and disks, by the names of their members in JSON.
 */
#ifndef XEN_IOEMU_INFO_H
#define XEN_IOEMU_INFO_H

#include "device.h"
#include "xs.h"

/**
 * struct info_key - a member
 * @name: its name
 * @number: a number, 0 when there is none; otherwise a string
 * @nullable: a number, null when there is none
 */
struct info_key {
	const char *name;
	bool number;
	bool nullable;
};

/* All that there are, in the order in which they are shown; the last has no name. */
extern const struct info_key controller_keys[];
extern const struct info_key disk_keys[];

/**
 * device_find() - is there such a controller, and disk, or complain
 * @store: connection
 * @backend_id: domain where the driver runs
 * @domid: domain that has the controller
 * @devid: number of the controller
 * @index: number of the disk; NULL when it does not matter
 * @dev: filled
 */
enum tool_status device_find(struct store *store, unsigned int backend_id,
			     unsigned int domid, unsigned int devid,
			     const unsigned int *index, struct device *dev);

/**
 * device_find_part() - is there anything of a controller, or complain
 * @store: connection
 * @backend_id: domain where the driver runs
 * @domid: domain that has the controller
 * @devid: number of the controller
 * @dev: filled
 *
 * One of its directories is enough; a front-end directory that leads to another
 * controller is none of its.
 */
enum tool_status device_find_part(struct store *store, unsigned int backend_id,
				  unsigned int domid, unsigned int devid,
				  struct device *dev);

/**
 * domain_known() - is there such a domain, or are devices of it left, or complain
 * @store: connection
 * @backend_id: domain where the driver runs
 * @domid: the domain
 */
enum tool_status domain_known(struct store *store, unsigned int backend_id,
			      unsigned int domid);

/**
 * domain_look_at() - the same, and say so when it has no devices, which is no failure
 * @store: connection
 * @backend_id: domain where the driver runs
 * @domid: the domain
 */
enum tool_status domain_look_at(struct store *store, unsigned int backend_id,
				unsigned int domid);

/**
 * device_ids() - the controllers of a domain
 * @store: connection
 * @backend_id: domain where the driver runs
 * @domid: domain that has the controllers
 * @n: how many
 *
 * Return: their numbers, to be freed by the caller; NULL when there are none.
 */
unsigned int *device_ids(struct store *store, unsigned int backend_id,
			 unsigned int domid, unsigned int *n);

/**
 * device_domains() - domains that have controllers
 * @store: connection
 * @backend_id: domain where the driver runs
 * @n: how many
 *
 * Return: their numbers, to be freed by the caller; NULL when there are none.
 */
unsigned int *device_domains(struct store *store, unsigned int backend_id,
			     unsigned int *n);

/**
 * device_disks() - the disks of a controller
 * @store: connection
 * @dev: the controller
 * @n: how many
 *
 * Return: their numbers, to be freed by the caller; NULL when there are none.
 */
unsigned int *device_disks(struct store *store, const struct device *dev,
			   unsigned int *n);

/**
 * controller_value() - what is known of a controller
 * @store: connection
 * @dev: the controller
 * @key: one of controller_keys
 *
 * Return: text to be freed by the caller; NULL when nothing is known.
 */
char *controller_value(struct store *store, const struct device *dev,
		       const char *key);

/**
 * disk_value() - what is known of a disk
 * @store: connection
 * @dev: the controller
 * @index: number of the disk
 * @key: one of disk_keys
 *
 * Return: text to be freed by the caller; NULL when nothing is known.
 */
char *disk_value(struct store *store, const struct device *dev,
		 unsigned int index, const char *key);

/**
 * info_key() - find a member, or complain
 * @keys: controller_keys or disk_keys
 * @name: its name
 */
const struct info_key *info_key(const struct info_key *keys, const char *name);

#endif /* XEN_IOEMU_INFO_H */
