/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioreq transport: one server of a domain, its shared page and its vCPUs'
 * event channels.
 */
#ifndef _IOEMU_IOREQ_H
#define _IOEMU_IOREQ_H

#include <linux/types.h>
#include <xen/interface/xen.h>

#include <ioemu/iospace.h>

struct ioemu_ioreq_server;
struct seq_file;

/**
 * struct ioemu_ioreq - a request as its owner sees it, copied from the slot
 * @addr: physical address, port, or SBDF in bits 63..32 and register below
 * @data: value to write, or the value read; a guest physical address of them
 *        when @data_is_ptr
 * @count: repetitions, 1 if not repeated
 * @size: bytes of one access
 * @type: XEN_IOREQ_TYPE_*
 * @read: direction
 * @data_is_ptr: @data points to guest memory
 * @down: repetitions go to lower addresses
 */
struct ioemu_ioreq {
	u64 addr;
	u64 data;
	u32 count;
	u32 size;
	u8 type;
	bool read;
	bool data_is_ptr;
	bool down;
};

/**
 * struct ioemu_ioreq_ops - who answers requests
 * @fast: answer in hard irq context; false when that is not possible, then
 *        @slow follows
 * @slow: answer in process context
 *
 * The vCPU waits until the answer. Both put what was read into @data, unless
 * it points to guest memory. At most one request per vCPU is under way.
 */
struct ioemu_ioreq_ops {
	bool (*fast)(void *owner, struct ioemu_ioreq *req);
	void (*slow)(void *owner, struct ioemu_ioreq *req);
};

/**
 * ioemu_ioreq_create() - become a device model of a domain
 * @domid: domain
 * @ops: who answers
 * @owner: first argument of @ops
 *
 * Requests come as soon as a range is mapped, and INVALIDATE requests at once.
 *
 * Context: process context.
 * Return: the server or an ERR_PTR: -ESRCH no such domain, -EINVAL not an HVM
 *         domain, -EPERM no right to be its device model, -ENOSPC too many
 *         device models, -ENOMEM, -EOPNOTSUPP.
 */
struct ioemu_ioreq_server *ioemu_ioreq_create(domid_t domid,
					      const struct ioemu_ioreq_ops *ops,
					      void *owner);

/**
 * ioemu_ioreq_destroy() - stop being one
 * @server: server
 *
 * Requests under way are answered first. No operation runs after it returns.
 *
 * Context: process context.
 */
void ioemu_ioreq_destroy(struct ioemu_ioreq_server *server);

/**
 * ioemu_ioreq_map_range() - have accesses to a range sent to this server
 * @server: server
 * @type: address space
 * @start: first address, or SBDF
 * @end: last address, inclusive
 *
 * Context: process context.
 * Return: 0 or Xen's error.
 */
int ioemu_ioreq_map_range(struct ioemu_ioreq_server *server,
			  enum ioemu_io_type type, u64 start, u64 end);

/**
 * ioemu_ioreq_unmap_range() - have them no longer sent here
 * @server: server
 * @type: address space
 * @start: first address, or SBDF
 * @end: last address, inclusive
 *
 * Accesses that Xen has sent already may still arrive.
 *
 * Context: process context.
 */
void ioemu_ioreq_unmap_range(struct ioemu_ioreq_server *server,
			     enum ioemu_io_type type, u64 start, u64 end);

/**
 * ioemu_ioreq_domain_alive() - has Xen begun to tear the domain down?
 * @server: server
 *
 * Xen closes its event channels first, which shows on this side.
 *
 * Context: process context.
 */
bool ioemu_ioreq_domain_alive(const struct ioemu_ioreq_server *server);

/**
 * ioemu_ioreq_show() - print counters
 * @server: server
 * @m: where to
 */
void ioemu_ioreq_show(const struct ioemu_ioreq_server *server,
		      struct seq_file *m);

#endif /* _IOEMU_IOREQ_H */
