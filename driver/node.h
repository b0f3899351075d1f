/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The back-end directory of a controller in xenstore: its nodes, and what is wrong
 * with them.
 */
#ifndef _IOEMU_NODE_H
#define _IOEMU_NODE_H

#include <linux/compiler_attributes.h>
#include <linux/types.h>

struct xenbus_device;

/* "disk/N/" */
#define IOEMU_NODE_OWNER_SIZE	12

/**
 * struct ioemu_node - a back-end directory
 * @xdev: the controller's xenbus device
 * @hot: "disk/N/" when errors are that disk's and not the controller's, or NULL
 *
 * Nodes in it are named by their owner ("disk/N/", or "" for the controller) and
 * their key, here and in messages.
 */
struct ioemu_node {
	struct xenbus_device *xdev;
	const char *hot;
};

/**
 * ioemu_node_owner() - name a disk as the owner of nodes
 * @owner: is set, IOEMU_NODE_OWNER_SIZE bytes
 * @index: the disk's
 */
void ioemu_node_owner(char *owner, unsigned int index);

/**
 * ioemu_node_read() - read a value
 * @node: directory
 * @owner: of the key
 * @key: key
 *
 * Context: process context; waits for xenstore, as all here do.
 * Return: the value, to be freed with kfree(), or an ERR_PTR: -ENOENT where there
 *         is none.
 */
char *ioemu_node_read(const struct ioemu_node *node, const char *owner,
		      const char *key);

/**
 * ioemu_node_write() - write a value, if its owner is still there
 * @node: directory
 * @owner: of the key
 * @key: key
 * @value: what
 *
 * Return: 0 or a negative errno.
 */
int ioemu_node_write(const struct ioemu_node *node, const char *owner,
		     const char *key, const char *value);

/**
 * ioemu_node_rm() - remove a key
 * @node: directory
 * @owner: of the key
 * @key: one that is not there is fine
 */
void ioemu_node_rm(const struct ioemu_node *node, const char *owner,
		   const char *key);

/**
 * ioemu_node_missing() - is there no such key?
 * @node: directory
 * @owner: of the key
 * @key: key
 *
 * Return: true if xenstore says so; not if it cannot be asked.
 */
bool ioemu_node_missing(const struct ioemu_node *node, const char *owner,
			const char *key);

/**
 * ioemu_node_fail() - say what is wrong, in the log and in xenstore
 * @node: directory
 * @err: a negative errno
 * @fmt: message
 *
 * What is wrong with a disk of a connected controller is said once.
 *
 * Return: @err.
 */
__printf(3, 4) int ioemu_node_fail(const struct ioemu_node *node, int err,
				   const char *fmt, ...);

#endif /* _IOEMU_NODE_H */
