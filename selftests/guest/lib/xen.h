/* SPDX-License-Identifier: GPL-2.0 */
/* Xen as a guest sees it: detection and a few hypercalls. */
#ifndef TINY_XEN_H
#define TINY_XEN_H

#include "types.h"

#define HYPERVISOR_memory_op	12
#define HYPERVISOR_xen_version	17
#define HYPERVISOR_sched_op	29
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

#endif
