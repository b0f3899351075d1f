/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Xen's interface for device models that the kernel's own headers lack: the
 * ioreq slots (public/hvm/ioreq.h) and the device model operations
 * (public/hvm/dm_op.h) that this module uses. Layouts are Xen's stable ABI; the
 * names carry a prefix so that a kernel which has its own is not disturbed.
 */
#ifndef _IOEMU_XEN_IOREQ_SERVER_H
#define _IOEMU_XEN_IOREQ_SERVER_H

#include <linux/build_bug.h>
#include <linux/types.h>

/* State of a slot; it only ever moves forward, and from the last to the first. */
#define XEN_IOREQ_STATE_NONE		0
#define XEN_IOREQ_STATE_READY		1	/* Xen: request is complete */
#define XEN_IOREQ_STATE_INPROCESS	2	/* device model: taken */
#define XEN_IOREQ_STATE_RESP_READY	3	/* device model: answered */

#define XEN_IOREQ_TYPE_PIO		0
#define XEN_IOREQ_TYPE_COPY		1	/* memory mapped I/O */
#define XEN_IOREQ_TYPE_PCI_CONFIG	2
#define XEN_IOREQ_TYPE_TIMEOFFSET	7
#define XEN_IOREQ_TYPE_INVALIDATE	8	/* drop cached guest mappings */

/* Bits of xen_ioreq.flags */
#define XEN_IOREQ_STATE_MASK		0x0f
#define XEN_IOREQ_DATA_IS_PTR		0x10	/* data is a guest physical address */
#define XEN_IOREQ_DIR_READ		0x20
#define XEN_IOREQ_DF			0x40	/* addresses go downwards */

/**
 * struct xen_ioreq - one vCPU's slot in the shared page
 * @addr: physical address, port, or SBDF in bits 63..32 and register below
 * @data: value, or address of the values
 * @count: repetitions
 * @size: bytes of one access
 * @vp_eport: Xen's end of the vCPU's event channel
 * @pad0: unused
 * @flags: state, direction and kind of @data
 * @type: XEN_IOREQ_TYPE_*
 */
struct xen_ioreq {
	u64 addr;
	u64 data;
	u32 count;
	u32 size;
	u32 vp_eport;
	u16 pad0;
	u8 flags;
	u8 type;
};

static_assert(sizeof(struct xen_ioreq) == 32);

#define XEN_IOREQ_SLOTS		(4096 / sizeof(struct xen_ioreq))

#define XEN_DMOP_CREATE_IOREQ_SERVER		1
#define XEN_DMOP_MAP_IO_RANGE			3
#define XEN_DMOP_UNMAP_IO_RANGE			4
#define XEN_DMOP_SET_IOREQ_SERVER_STATE		5
#define XEN_DMOP_DESTROY_IOREQ_SERVER		6
#define XEN_DMOP_SET_PCI_INTX_LEVEL		8
#define XEN_DMOP_MODIFIED_MEMORY		11
#define XEN_DMOP_INJECT_MSI			14

#define XEN_DMOP_BUFIOREQ_OFF			0

/* An element of the second buffer of XEN_DMOP_MODIFIED_MEMORY. */
struct xen_dmop_extent {
	u32 nr;
	u32 pad;
	u64 first_pfn;
};

/**
 * struct xen_dmop - first buffer of the dm_op hypercall
 * @op: XEN_DMOP_*
 * @pad: zero
 * @u: arguments by operation
 */
struct xen_dmop {
	u32 op;
	u32 pad;
	union {
		struct {
			u8 handle_bufioreq;
			u8 pad[3];
			u16 id;			/* out */
		} create;
		struct {
			u16 id;
			u16 pad;
			u32 type;
			u64 start;
			u64 end;
		} range;
		struct {
			u16 id;
			u8 enabled;
			u8 pad;
		} state;
		struct {
			u16 id;
			u16 pad;
		} destroy;
		struct {
			u16 domain;
			u8 bus;
			u8 device;
			u8 intx;
			u8 level;
		} intx;
		struct {
			u32 nr_extents;
			u32 opaque;
		} modified;
		struct {
			u32 data;
			u32 pad;
			u64 addr;
		} msi;
		/* The size of the largest operation that Xen knows. */
		u8 raw[24];
	} u;
};

#endif /* _IOEMU_XEN_IOREQ_SERVER_H */
