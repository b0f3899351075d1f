/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts: descriptor table, vectors with counters, the local APIC. */
#ifndef TINY_APIC_H
#define TINY_APIC_H

#include "types.h"

/* Vectors for devices; smp.c takes VEC_WAKE, the APIC itself VEC_SPURIOUS. */
#define VEC_DEVICE	0x40
#define VEC_WAKE	0xf0
#define VEC_SPURIOUS	0xff

struct int_frame {
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
	u32 vector, error;
	u32 eip, cs, eflags;
};

typedef void (*irq_handler)(u32 vector);

/* Build the table on the boot CPU; load it on this CPU. */
void idt_init(void);
void idt_load(void);

/* Mask the two PICs, enable this CPU's local APIC. */
void pic_mask(void);
void apic_enable(void);
u32 apic_id(void);
void apic_icr(u32 dest_apic_id, u32 low);

/*
 * Aim pin @gsi of the I/O APIC, level triggered as PCI's are, at @vector on this
 * CPU; and mask it.
 */
void ioapic_set(u32 gsi, u32 vector);
void ioapic_mask(u32 gsi);

/* How often each vector came in, on all CPUs. */
u32 irq_count(u32 vector);
/* Called at interrupt level after counting; NULL for none. */
void irq_handle(u32 vector, irq_handler fn);
/* With interrupts on, wait until the vector's count reaches @count. */
bool irq_wait_count(u32 vector, u32 count, u64 ns);
/* Take what is pending, and whatever comes within @ns nanoseconds. */
void irq_settle(u64 ns);

/* Address and data of an MSI to the local APIC with that id. */
static inline u32 msi_address(u32 dest_apic_id)
{
	return 0xfee00000 | dest_apic_id << 12;
}

static inline u32 msi_data(u32 vector)
{
	return vector;		/* fixed, edge */
}

#endif
