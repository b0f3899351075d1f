/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The I/O address map of a domain: which device answers an access to PCI
 * configuration space, to a memory BAR or to an I/O port.
 *
 * Two kinds of regions:
 *  - memory and port regions are answered in whatever context the access
 *    arrives in, normally hard irq. They are looked up under RCU.
 *  - PCI configuration regions are answered in process context and may sleep,
 *    since a write may move other regions. They are looked up under
 *    &ioemu_iospace.config_sem.
 *
 * Lock order: config_sem -> (a PCI function's own mutex) -> lock.
 */
#ifndef _IOEMU_IOSPACE_H
#define _IOEMU_IOSPACE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>

/* The values are Xen's XEN_DMOP_IO_RANGE_*. */
enum ioemu_io_type {
	IOEMU_IO_PORT	= 0,
	IOEMU_IO_MEMORY	= 1,
	IOEMU_IO_PCI	= 2,
};

#define IOEMU_IO_TYPES		3
/* Xen accepts this many ranges of each type from one ioreq server. */
#define IOEMU_IO_MAX_RANGES	256

struct ioemu_io_region;

/**
 * struct ioemu_io_ops - how a region answers
 * @read: returns the value of @size bytes (1, 2, 4, 8) at @offset into the
 *        region, zero extended. @offset + @size lies within the region; it need
 *        not be aligned.
 * @write: takes the low @size bytes of @value
 *
 * Context: any including hard irq for memory and port regions, process context
 * for PCI configuration regions.
 */
struct ioemu_io_ops {
	u64 (*read)(struct ioemu_io_region *region, u64 offset,
		    unsigned int size);
	void (*write)(struct ioemu_io_region *region, u64 offset,
		      unsigned int size, u64 value);
};

/**
 * struct ioemu_io_region - a claimed range, owned and embedded by a device
 * @type: which address space
 * @start: first address; for PCI the value of XEN_DMOP_PCI_SBDF
 * @end: last address, inclusive; for PCI the same as @start
 * @ops: how it answers
 *
 * Fixed while the region is added.
 */
struct ioemu_io_region {
	enum ioemu_io_type type;
	u64 start;
	u64 end;
	const struct ioemu_io_ops *ops;
};

/**
 * struct ioemu_iospace_ops - how ranges are claimed from the hypervisor
 * @map: claim a range; returns 0 or a negative errno
 * @unmap: give it back; cannot fail in a way that matters
 *
 * Context: process context.
 */
struct ioemu_iospace_ops {
	int (*map)(void *owner, enum ioemu_io_type type, u64 start, u64 end);
	void (*unmap)(void *owner, enum ioemu_io_type type, u64 start, u64 end);
};

struct ioemu_io_table;

/**
 * struct ioemu_iospace - an address map
 * @ops: claims ranges
 * @owner: first argument of @ops
 * @lock: serialises changes of @table and of what is claimed
 * @config_sem: read held over an access to PCI configuration space, write held
 *              to add or remove a configuration region
 * @table: all regions, replaced as a whole; RCU for memory and port regions
 * @spare: table of the same capacity, to be filled and published by the next
 *         change; under @lock
 * @spare_gp: RCU grace period after which nobody reads @spare; under @lock
 */
struct ioemu_iospace {
	const struct ioemu_iospace_ops *ops;
	void *owner;
	struct mutex lock;
	struct rw_semaphore config_sem;
	struct ioemu_io_table __rcu *table;
	struct ioemu_io_table *spare;
	unsigned long spare_gp;
};

/**
 * enum ioemu_io_result - outcome of an access
 * @IOEMU_IO_DONE: answered
 * @IOEMU_IO_SLEEPS: must be repeated from process context
 * @IOEMU_IO_UNCLAIMED: nobody answers; reads are all ones, writes are lost
 */
enum ioemu_io_result {
	IOEMU_IO_DONE,
	IOEMU_IO_SLEEPS,
	IOEMU_IO_UNCLAIMED,
};

int ioemu_iospace_init(struct ioemu_iospace *space,
		       const struct ioemu_iospace_ops *ops, void *owner);
void ioemu_iospace_destroy(struct ioemu_iospace *space);

/**
 * ioemu_iospace_add() - claim a region
 * @space: address map
 * @region: region, owned by the caller until it is removed
 *
 * Context: process context. A PCI configuration region must not be added from
 * within an access to one.
 * Return: 0; -EBUSY when it overlaps another region; -ENOSPC when there are too
 *         many; -EINVAL when the region makes no sense; -ENOMEM; or what the
 *         hypervisor said.
 */
int ioemu_iospace_add(struct ioemu_iospace *space,
		      struct ioemu_io_region *region);

/**
 * ioemu_iospace_remove() - give a region back
 * @space: address map
 * @region: region that was added
 *
 * When it returns nobody is in the region's operations any more.
 *
 * Context: process context, sleeps. Memory and port regions may be removed from
 * within an access to PCI configuration space.
 */
void ioemu_iospace_remove(struct ioemu_iospace *space,
			  struct ioemu_io_region *region);

/**
 * ioemu_iospace_read() - read at an address
 * @space: address map
 * @type: address space
 * @addr: address; for PCI the SBDF in bits 63..32 and the offset below
 * @size: 1, 2, 4 or 8; any other is answered by nobody
 * @may_sleep: the caller is in process context
 * @value: the value read; all ones of @size where nobody answers
 *
 * A region answers only what lies within it as a whole.
 *
 * Context: any with @may_sleep false.
 * Return: %IOEMU_IO_DONE or %IOEMU_IO_UNCLAIMED; %IOEMU_IO_SLEEPS, without a
 *         look at the address, for PCI when @may_sleep is false.
 */
enum ioemu_io_result ioemu_iospace_read(struct ioemu_iospace *space,
					enum ioemu_io_type type, u64 addr,
					unsigned int size, bool may_sleep,
					u64 *value);

/**
 * ioemu_iospace_write() - write at an address
 * @space: address map
 * @type: address space
 * @addr: address; for PCI the SBDF in bits 63..32 and the offset below
 * @size: 1, 2, 4 or 8; any other is answered by nobody
 * @may_sleep: the caller is in process context
 * @value: what is written; only the low @size bytes count
 *
 * Context: any with @may_sleep false.
 * Return: like ioemu_iospace_read().
 */
enum ioemu_io_result ioemu_iospace_write(struct ioemu_iospace *space,
					 enum ioemu_io_type type, u64 addr,
					 unsigned int size, bool may_sleep,
					 u64 value);

#endif /* _IOEMU_IOSPACE_H */
