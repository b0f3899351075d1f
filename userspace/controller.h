/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Giving a controller to a domain, and taking it away.
 */
#ifndef XEN_IOEMU_CONTROLLER_H
#define XEN_IOEMU_CONTROLLER_H

#include "device.h"
#include "disk.h"
#include "xs.h"

/**
 * struct controller - a controller to be
 * @backend_id: domain where the driver runs
 * @domid: domain that gets it
 * @model: kind of controller
 * @serial: serial number, NULL for the driver's choice
 * @have_slot: @slot is the caller's choice
 * @slot: PCI device number; filled unless @have_slot
 * @reserved: bitmap of slots that are not to be chosen for it
 * @have_devid: @devid is the caller's choice
 * @devid: device number; filled unless @have_devid
 * @disks: its disks, as disk/0 and on
 * @nr_disks: how many
 * @dev: the device; filled
 * @written: its nodes are in xenstore, and are this one's; filled
 */
struct controller {
	unsigned int backend_id;
	unsigned int domid;
	const char *model;
	const char *serial;
	bool have_slot;
	unsigned int slot;
	unsigned int reserved;
	bool have_devid;
	unsigned int devid;
	struct disk disks[DISKS_MAX];
	unsigned int nr_disks;
	struct device dev;
	bool written;
};

/**
 * controller_model() - name of a model, or complain
 * @option: where it was given, for the message
 * @text: as given
 *
 * Return: a string for struct controller; NULL when there is no such model.
 */
const char *controller_model(const char *option, const char *text);

/**
 * controller_add_disk() - one more disk, or complain
 * @ctrl: what is wanted
 * @option: where it was given, for messages
 * @text: its description, see disk_parse()
 */
bool controller_add_disk(struct controller *ctrl, const char *option,
			 const char *text);

/**
 * controller_check_domain() - can the domain have a controller, or complain
 * @ctrl: what is wanted
 * @store: connection
 */
enum tool_status controller_check_domain(const struct controller *ctrl,
					 struct store *store);

/**
 * controller_prepare() - have disks ready that lie in this domain, or complain
 * @ctrl: what is wanted
 * @store: connection
 * @until: time of now_ms() up to which to wait for disks that others still use; 0
 *         for not at all
 *
 * Files get loop devices here, which vanish with disk_free() unless the driver
 * has them by then.
 */
enum tool_status controller_prepare(struct controller *ctrl,
				    struct store *store, long long until);

/**
 * controller_wait_ruins() - wait until nothing is left of before, or complain
 * @backend_id: domain where the driver runs
 * @domid: domain that is to get controllers
 * @store: connection
 * @timeout: seconds for the driver to remove what there is
 *
 * A domain keeps its number when it is reset by its toolstack, for kexec for
 * instance: its own nodes go, and the driver is about to remove those of the devices
 * that it had.
 */
enum tool_status controller_wait_ruins(unsigned int backend_id,
				       unsigned int domid, struct store *store,
				       unsigned int timeout);

/**
 * controller_attach() - write the nodes and wait for the driver, or complain
 * @ctrl: what is wanted
 * @store: connection
 * @timeout: seconds for the driver to answer
 *
 * Leaves nothing in xenstore when it fails.
 */
enum tool_status controller_attach(struct controller *ctrl,
				   struct store *store, unsigned int timeout);

/**
 * controller_close() - ask the driver to give a device up and wait, or complain
 * @dev: the device
 * @store: connection
 * @timeout: seconds for the driver to answer
 *
 * The nodes stay, for device_remove().
 */
enum tool_status controller_close(const struct device *dev,
				  struct store *store, unsigned int timeout);

#endif /* XEN_IOEMU_CONTROLLER_H */
