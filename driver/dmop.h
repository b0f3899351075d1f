/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The dm_op hypercall.
 */
#ifndef _IOEMU_DMOP_H
#define _IOEMU_DMOP_H

#include <linux/mm.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/dm_op.h>
#include <asm/xen/hypercall.h>
#include <xen/interface/hvm/ioreq_server.h>

/**
 * ioemu_dmop() - perform a device model operation on a domain
 * @domid: domain
 * @op: operation and arguments; results are written back
 *
 * Context: any.
 * Return: 0 or a negative errno: -ESRCH no such domain, -EINVAL not an HVM
 *         domain or bad arguments, -EPERM no right to be its device model.
 */
static inline int ioemu_dmop(domid_t domid, struct xen_dmop *op)
{
	struct xen_dm_op_buf buf;

	set_xen_guest_handle(buf.h, op);
	buf.size = sizeof(*op);
	return HYPERVISOR_dm_op(domid, 1, &buf);
}

#endif /* _IOEMU_DMOP_H */
