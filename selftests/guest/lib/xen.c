// SPDX-License-Identifier: GPL-2.0
/* Xen's CPUID leaves and hypercalls, from Xen's public interface. */
#include "xen.h"
#include "io.h"
#include "string.h"

#define SCHEDOP_yield			0
#define SCHEDOP_shutdown		2
#define XENMEM_decrease_reservation	1
#define XENMEM_populate_physmap		6
#define XENMEM_add_to_physmap		7
#define XENMEM_remove_from_physmap	15

struct xen_memory_reservation {
	u32 extent_start;	/* guest handle: address of the frame numbers */
	u32 nr_extents;
	u32 extent_order;
	u32 mem_flags;
	u16 domid;
};

extern u8 xen_hypercall_page[];

static u32 xen_leaf;

void xen_init(void)
{
	u32 leaf, r[4], sig[3];

	for (leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
		cpuid(leaf, 0, r);
		memcpy(sig, &r[1], sizeof(sig));
		if (!memcmp(sig, "XenVMMXenVMM", 12) && r[0] >= leaf + 2)
			break;
	}
	if (leaf == 0x40010000)
		return;
	xen_leaf = leaf;
	cpuid(leaf + 2, 0, r);
	wrmsr(r[1], phys(xen_hypercall_page));
	barrier();
}

bool xen_present(void)
{
	return xen_leaf;
}

u32 xen_tsc_khz(void)
{
	u32 r[4];

	if (!xen_leaf)
		return 0;
	cpuid(xen_leaf, 0, r);
	if (r[0] < xen_leaf + 3)
		return 0;
	cpuid(xen_leaf + 3, 0, r);
	return r[2];
}

long xen_hypercall(u32 nr, u32 a1, u32 a2, u32 a3)
{
	void *entry = xen_hypercall_page + nr * 32;
	long ret;

	__asm__ __volatile__("call *%4"
			     : "=a"(ret), "+b"(a1), "+c"(a2), "+d"(a3)
			     : "0"(entry) : "memory", "cc");
	return ret;
}

void xen_yield(void)
{
	if (xen_leaf)
		xen_hypercall(HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
}

void xen_shutdown(u32 reason)
{
	if (xen_leaf)
		xen_hypercall(HYPERVISOR_sched_op, SCHEDOP_shutdown,
			      (u32)phys(&reason), 0);
}

static long xen_reservation(u32 op, u32 gfn)
{
	struct xen_memory_reservation r = {
		.extent_start = (u32)phys(&gfn),
		.nr_extents = 1,
		.domid = XEN_SELF,
	};

	return xen_hypercall(HYPERVISOR_memory_op, op, (u32)phys(&r), 0);
}

long xen_balloon_out(u32 gfn)
{
	return xen_reservation(XENMEM_decrease_reservation, gfn);
}

long xen_balloon_in(u32 gfn)
{
	return xen_reservation(XENMEM_populate_physmap, gfn);
}

long xen_map_special(u32 space, u32 idx, u32 gfn)
{
	struct {
		u16 domid, size;
		u32 space, idx, gfn;
	} a = { XEN_SELF, 0, space, idx, gfn };

	return xen_hypercall(HYPERVISOR_memory_op, XENMEM_add_to_physmap,
			     (u32)phys(&a), 0);
}

long xen_unmap(u32 gfn)
{
	struct {
		u16 domid;
		u32 gfn;
	} a = { XEN_SELF, gfn };

	return xen_hypercall(HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
			     (u32)phys(&a), 0);
}

long xen_evtchn(u32 op, u32 arg[6])
{
	return xen_hypercall(HYPERVISOR_event_channel_op, op, (u32)phys(arg), 0);
}
