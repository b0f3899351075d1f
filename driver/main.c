// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu: emulated disks of Xen HVM domains, served by the kernel.
 */

#include <linux/module.h>
#include <xen/xen.h>

#include "debugfs.h"
#include "foreign.h"
#include "xenbus.h"

static int __init ioemu_init(void)
{
	int ret;

	if (!xen_domain())
		return -ENODEV;
	ioemu_debugfs_init();
	ret = ioemu_xenbus_init();
	if (ret)
		ioemu_debugfs_exit();
	return ret;
}
module_init(ioemu_init);

static void __exit ioemu_exit(void)
{
	ioemu_xenbus_exit();
	ioemu_foreign_exit();
	ioemu_debugfs_exit();
	/* kfree_rcu() runs no code of the module when it is time. */
}
module_exit(ioemu_exit);

MODULE_DESCRIPTION("Emulated disks of Xen HVM domains");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS("xen-backend:ioemu");
