/* SPDX-License-Identifier: GPL-2.0 */
/* The other CPUs: started once, then each runs what it is given. */
#ifndef TINY_SMP_H
#define TINY_SMP_H

#include "types.h"

#define MAX_CPUS	8u	/* start.S knows it too */

/* Start all CPUs there are; the number running, with this one. Idempotent. */
u32 smp_start(void);
/* The number of this CPU, 0 the boot CPU. */
u32 smp_cpu(void);
u32 smp_apic_id(u32 cpu);
/*
 * Have CPU @cpu (1 and up, idle) run fn(arg), and wait for its end. An EXPECT()
 * may be used there, an ASSERT() may not: it leaves the function of CPU 0 only.
 */
void smp_call(u32 cpu, void (*fn)(void *arg), void *arg);
bool smp_wait(u32 cpu, u64 ns);

#endif
