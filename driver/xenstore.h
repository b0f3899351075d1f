/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xenstore, as the binding needs it: what is missing is told from what could not
 * be asked, and what has to be said is said.
 */
#ifndef _IOEMU_XENSTORE_H
#define _IOEMU_XENSTORE_H

#include <xen/xenbus.h>

/*
 * A message takes some bytes of memory, and what it says may be that a disk goes
 * or that a migration may begin. All functions here wait for a second for memory;
 * process context. Strings and lists are the caller's to kfree().
 */

/**
 * ioemu_xs_read() - read a value
 * @dir: directory
 * @key: node in it
 *
 * Return: the value or an ERR_PTR: -ENOENT where there is no such node.
 */
char *ioemu_xs_read(const char *dir, const char *key);

/**
 * ioemu_xs_directory() - list a directory
 * @dir: where it is
 * @key: its name
 * @nr: set to the number of names
 *
 * Return: names or an ERR_PTR: -ENOENT where there is no such directory.
 */
char **ioemu_xs_directory(const char *dir, const char *key, unsigned int *nr);

/**
 * ioemu_xs_write() - write a value
 * @dir: directory
 * @there: node in it without which nothing is written: who removed it is not to
 *         find @key made anew
 * @key: node in it
 * @value: what
 *
 * Return: 0 or a negative errno: -ENOENT where @there is not.
 */
int ioemu_xs_write(const char *dir, const char *there, const char *key,
		   const char *value);

/**
 * ioemu_xs_rm() - remove a node
 * @dir: directory
 * @key: node in it; one that is not there is fine
 */
void ioemu_xs_rm(const char *dir, const char *key);

/**
 * ioemu_xs_missing() - is there no such node?
 * @dir: directory
 * @key: node in it
 *
 * Return: true if xenstore says so; not if it cannot be asked.
 */
bool ioemu_xs_missing(const char *dir, const char *key);

/**
 * ioemu_xs_state() - read a state of xenbus
 * @dir: directory with a node "state"
 * @state: set to it; Unknown where the node is missing or makes no sense
 *
 * Return: 0, or a negative errno if it could not be asked.
 */
int ioemu_xs_state(const char *dir, enum xenbus_state *state);

/**
 * ioemu_xs_switch_state() - set the state of a device
 * @xdev: device
 * @state: new state
 *
 * A node that is gone is not made anew. Other than xenbus_switch_state(), this
 * has no opinion on what a state that cannot be written means for the device.
 */
void ioemu_xs_switch_state(struct xenbus_device *xdev, enum xenbus_state state);

/**
 * ioemu_xs_remove() - remove a device's directory when the front-end's is gone
 * @xdev: device
 * @otherend: directory of the front-end
 *
 * Nothing is removed if it is there again. The domain's directory above goes with
 * the last of its devices.
 */
void ioemu_xs_remove(struct xenbus_device *xdev, const char *otherend);

#endif /* _IOEMU_XENSTORE_H */
