// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/xen-ioemu/<domid>/{domain,<model>-<devid>}
 */

#include <linux/seq_file.h>

#include <ioemu/model.h>

#include "debugfs.h"

static struct dentry *debugfs_root;

void ioemu_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("xen-ioemu", NULL);
}

void ioemu_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}

struct dentry *ioemu_debugfs_root(void)
{
	return debugfs_root;
}

static int controller_show(struct seq_file *m, void *unused)
{
	struct ioemu_controller *ctrl = m->private;

	ctrl->model->show(ctrl, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(controller);

struct dentry *ioemu_debugfs_add_controller(struct dentry *dir,
					    const char *name,
					    struct ioemu_controller *ctrl)
{
	return debugfs_create_file(name, 0400, dir, ctrl, &controller_fops);
}
