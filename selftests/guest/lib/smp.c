// SPDX-License-Identifier: GPL-2.0
#include "smp.h"
#include "apic.h"
#include "boot.h"
#include "harness.h"
#include "io.h"
#include "mem.h"
#include "string.h"
#include "time.h"

#define AP_PAGE		0x8000		/* below 1 MiB, free after boot */
#define AP_STACK	16384

#define ICR_INIT_ALL_OTHERS	0x000c4500
#define ICR_SIPI_ALL_OTHERS	0x000c4600
#define ICR_FIXED		0x00004000

extern u8 ap_boot16[], ap_boot16_end[];
extern volatile u32 ap_ticket;

void *ap_stacks[MAX_CPUS];
void ap_main(u32 cpu);

static u8 stacks[MAX_CPUS - 1][AP_STACK] __aligned(16);

static struct cpu {
	volatile bool online;
	u32 apic_id;
	void (*volatile fn)(void *arg);		/* NULL: idle */
	void *volatile arg;
} cpus[MAX_CPUS];

static u32 nr_cpus;

/* A CPU out of start.S, on its own stack, interrupts off. */
void ap_main(u32 cpu)
{
	struct cpu *c = &cpus[cpu];

	idt_load();
	apic_enable();
	cpu_features_enable();
	c->apic_id = apic_id();
	c->online = true;
	for (;;) {
		while (!c->fn)
			irq_wait();
		c->fn(c->arg);
		barrier();
		c->fn = NULL;
	}
}

u32 smp_start(void)
{
	u32 i, online;
	u64 start;

	if (nr_cpus)
		return nr_cpus;
	cpus[0].apic_id = apic_id();
	cpus[0].online = true;
	for (i = 1; i < MAX_CPUS; i++)
		ap_stacks[i] = stacks[i - 1] + AP_STACK;
	memcpy((void *)AP_PAGE, ap_boot16, ap_boot16_end - ap_boot16);
	barrier();

	apic_icr(0, ICR_INIT_ALL_OTHERS);
	delay_ns(10 * NSEC_PER_MSEC);
	apic_icr(0, ICR_SIPI_ALL_OTHERS | AP_PAGE >> PAGE_SHIFT);

	/* Wait for the number told, else until no more come. */
	start = now_ns();
	do {
		delay_ns(NSEC_PER_MSEC);
		for (online = 0, i = 0; i < MAX_CPUS; i++)
			online += cpus[i].online;
		if (boot.nr_cpus && online == min(boot.nr_cpus, MAX_CPUS))
			break;
	} while (now_ns() - start < (boot.nr_cpus ? 5000 : 200) * NSEC_PER_MSEC);

	/* Numbers are dense unless a CPU got stuck on its way. */
	for (nr_cpus = 0; nr_cpus < MAX_CPUS && cpus[nr_cpus].online; nr_cpus++)
		;
	return nr_cpus;
}

u32 smp_cpu(void)
{
	u32 i, id = apic_id();

	for (i = 0; i < MAX_CPUS; i++)
		if (cpus[i].online && cpus[i].apic_id == id)
			return i;
	return 0;
}

u32 smp_apic_id(u32 cpu)
{
	return cpus[cpu].apic_id;
}

void smp_call(u32 cpu, void (*fn)(void *arg), void *arg)
{
	struct cpu *c = &cpus[cpu];

	if (!cpu || cpu >= nr_cpus)
		test_fatal("no CPU %u to call", cpu);
	if (c->fn)
		test_fatal("CPU %u is not idle", cpu);
	c->arg = arg;
	barrier();
	c->fn = fn;
	apic_icr(c->apic_id, ICR_FIXED | VEC_WAKE);
}

bool smp_wait(u32 cpu, u64 ns)
{
	return wait_for(!cpus[cpu].fn, ns);
}
