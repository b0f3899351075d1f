/* SPDX-License-Identifier: GPL-2.0 */
/* Xen as a guest sees it: detection and a few hypercalls. */
#ifndef TINY_XEN_H
#define TINY_XEN_H

#include "types.h"

#define HYPERVISOR_memory_op	12
#define HYPERVISOR_xen_version	17
#define HYPERVISOR_sched_op	29
#define HYPERVISOR_event_channel_op 32
#define HYPERVISOR_hvm_op	34

enum { SHUTDOWN_POWEROFF = 0, SHUTDOWN_REBOOT = 1, SHUTDOWN_SUSPEND = 2,
       SHUTDOWN_CRASH = 3 };

/* Find Xen's CPUID leaves and install the hypercall page. */
void xen_init(void);
bool xen_present(void);
/* The guest's TSC in kHz as Xen reports it, 0 if it does not. */
u32 xen_tsc_khz(void);

/* Raw hypercall; only with xen_present(). */
long xen_hypercall(u32 nr, u32 a1, u32 a2, u32 a3);

void xen_yield(void);
void xen_shutdown(u32 reason);
/*
 * Give a frame back to Xen, so that it has no memory behind it, and ask for
 * memory there again. Return the number of frames done (0 or 1), or an error.
 */
long xen_balloon_out(u32 gfn);
long xen_balloon_in(u32 gfn);

/* What Xen keeps for a domain, which it may have as frames of its memory */
enum { XEN_SHARED_INFO = 0, XEN_GRANT_TABLE = 1 };

/* Have page @idx of that at @gfn; and take a frame from there. 0 or an error. */
long xen_map_special(u32 space, u32 idx, u32 gfn);
long xen_unmap(u32 gfn);

/* Event channels: operations, of which the argument begins with these words. */
enum {
	EVTCHN_BIND_INTERDOMAIN = 0, EVTCHN_BIND_VIRQ = 1, EVTCHN_CLOSE = 3,
	EVTCHN_SEND = 4, EVTCHN_STATUS = 5, EVTCHN_ALLOC_UNBOUND = 6,
	EVTCHN_BIND_IPI = 7, EVTCHN_BIND_VCPU = 8, EVTCHN_UNMASK = 9,
	EVTCHN_RESET = 10, EVTCHN_SET_PRIORITY = 13,
};

#define EVTCHN_CLOSED	0	/* a status */
#define XEN_SELF		0x7ff0	/* this domain */

/* @arg is left with Xen's answer. */
long xen_evtchn(u32 op, u32 arg[6]);

#endif
