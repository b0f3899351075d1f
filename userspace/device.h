/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The xenstore nodes of one device, which is one controller of a domain.
 */
#ifndef XEN_IOEMU_DEVICE_H
#define XEN_IOEMU_DEVICE_H

#include "xs.h"

#define DEVICE_TYPE	"ioemu"
#define DEVID_MAX	65535
#define SLOT_MIN	3	/* QEMU's chipset has the lower ones */
#define SLOT_MAX	31

/* The values are Xen's, from public/io/xenbus.h. */
enum device_state {
	DEVICE_UNKNOWN		= 0,
	DEVICE_INITIALISING	= 1,
	DEVICE_INIT_WAIT	= 2,
	DEVICE_INITIALISED	= 3,
	DEVICE_CONNECTED	= 4,
	DEVICE_CLOSING		= 5,
	DEVICE_CLOSED		= 6,
	DEVICE_RECONFIGURING	= 7,
	DEVICE_RECONFIGURED	= 8,
};

/**
 * struct device - names of a device
 * @backend_id: domain where the driver runs
 * @domid: domain that has the device
 * @devid: number among the domain's devices
 * @backend: absolute path of the backend directory
 * @frontend: absolute path of the frontend directory
 * @error: absolute path of the directory where the driver leaves its message
 */
struct device {
	unsigned int backend_id;
	unsigned int domid;
	unsigned int devid;
	char backend[80];
	char frontend[80];
	char error[80];
};

/**
 * device_init() - name a device
 * @dev: filled
 * @backend_id: domain where the driver runs
 * @domid: domain that has the device
 * @devid: number among the domain's devices
 */
void device_init(struct device *dev, unsigned int backend_id,
		 unsigned int domid, unsigned int devid);

/**
 * device_is_local() - does the driver run in this domain?
 * @store: connection
 * @dev: device
 */
bool device_is_local(struct store *store, const struct device *dev);

/**
 * device_state() - state of the driver's side
 * @store: connection
 * @dev: device
 *
 * Return: the state; DEVICE_UNKNOWN also when there is no node.
 */
enum device_state device_state(struct store *store, const struct device *dev);

/**
 * device_state_name() - word for a state
 * @state: state
 */
const char *device_state_name(enum device_state state);

/**
 * device_failed() - is the driver about to give the device up, or has it?
 * @store: connection
 * @dev: device
 */
bool device_failed(struct store *store, const struct device *dev);

/**
 * device_error() - what the driver said
 * @store: connection
 * @dev: device
 *
 * Return: text to be freed by the caller; NULL when there is none.
 */
char *device_error(struct store *store, const struct device *dev);

/**
 * device_remove() - remove all nodes of a device in one transaction, or complain
 * @store: connection
 * @dev: device
 */
enum tool_status device_remove(struct store *store, const struct device *dev);

#endif /* XEN_IOEMU_DEVICE_H */
