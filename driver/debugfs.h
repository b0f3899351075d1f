/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /sys/kernel/debug/xen-ioemu: state and counters for people.
 */
#ifndef _IOEMU_DEBUGFS_H
#define _IOEMU_DEBUGFS_H

#include <linux/debugfs.h>

struct ioemu_controller;

void ioemu_debugfs_init(void);
void ioemu_debugfs_exit(void);

/**
 * ioemu_debugfs_root() - the module's directory
 */
struct dentry *ioemu_debugfs_root(void);

/**
 * ioemu_debugfs_add_controller() - show a controller
 * @dir: the domain's directory
 * @name: of the file
 * @ctrl: controller that is started
 *
 * Return: for debugfs_remove(), before the controller is stopped.
 */
struct dentry *ioemu_debugfs_add_controller(struct dentry *dir,
					    const char *name,
					    struct ioemu_controller *ctrl);

#endif /* _IOEMU_DEBUGFS_H */
