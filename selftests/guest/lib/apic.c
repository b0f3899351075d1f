// SPDX-License-Identifier: GPL-2.0
#include "apic.h"
#include "boot.h"
#include "console.h"
#include "harness.h"
#include "io.h"
#include "mmio.h"
#include "string.h"
#include "time.h"

#define APIC_BASE	0xfee00000
#define APIC_ID		0x20
#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_SVR	0xf0
#define APIC_ICR_LO	0x300
#define APIC_ICR_HI	0x310
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LINT1	0x360
#define APIC_MASKED	BIT(16)

#define IOAPIC_SELECT	0xfec00000
#define IOAPIC_WINDOW	0xfec00010
#define IOAPIC_LEVEL	BIT(15)
#define IOAPIC_LOW	BIT(13)

#define MSR_APIC_BASE	0x1b

extern u8 vector_stubs[];
void interrupt(struct int_frame *f);

static u64 idt[256] __aligned(16);
static volatile u32 counts[256];
static irq_handler handlers[256];

static const char *const exception_names[] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range",
	"invalid opcode", "no FPU", "double fault", "9", "invalid TSS",
	"segment not present", "stack fault", "general protection", "page fault",
	"15", "FPU error", "alignment check", "machine check", "SIMD error",
};

void idt_init(void)
{
	u32 i;

	for (i = 0; i < 256; i++) {
		u32 addr = (u32)phys(vector_stubs + i * 16);

		/* 32-bit interrupt gate in the code segment, ring 0 */
		idt[i] = (addr & 0xffff) | 0x08u << 16 |
			 (u64)((addr & 0xffff0000) | 0x8e00) << 32;
	}
	idt_load();
}

void idt_load(void)
{
	struct {
		u16 limit;
		u32 base;
	} __packed d = { sizeof(idt) - 1, (u32)phys(idt) };

	__asm__ __volatile__("lidt %0" :: "m"(d));
}

void pic_mask(void)
{
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

void apic_enable(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BIT(11));
	mmio_write32(APIC_BASE + APIC_TPR, 0);
	mmio_write32(APIC_BASE + APIC_SVR, 0x100 | VEC_SPURIOUS);
	mmio_write32(APIC_BASE + APIC_LVT_LINT0, APIC_MASKED);
	mmio_write32(APIC_BASE + APIC_LVT_LINT1, APIC_MASKED);
}

u32 apic_id(void)
{
	return mmio_read32(APIC_BASE + APIC_ID) >> 24;
}

void apic_icr(u32 dest_apic_id, u32 low)
{
	mmio_write32(APIC_BASE + APIC_ICR_HI, dest_apic_id << 24);
	mmio_write32(APIC_BASE + APIC_ICR_LO, low);
	wait_for(!(mmio_read32(APIC_BASE + APIC_ICR_LO) & BIT(12)), NSEC_PER_SEC);
}

static void ioapic_write(u32 reg, u32 v)
{
	mmio_write32(IOAPIC_SELECT, reg);
	mmio_write32(IOAPIC_WINDOW, v);
}

void ioapic_set(u32 gsi, u32 vector)
{
	ioapic_write(0x11 + 2 * gsi, apic_id() << 24);
	ioapic_write(0x10 + 2 * gsi, IOAPIC_LEVEL | IOAPIC_LOW | vector);
}

void ioapic_mask(u32 gsi)
{
	ioapic_write(0x10 + 2 * gsi, APIC_MASKED);
}

u32 irq_count(u32 vector)
{
	return counts[vector & 0xff];
}

void irq_handle(u32 vector, irq_handler fn)
{
	handlers[vector & 0xff] = fn;
}

bool irq_wait_count(u32 vector, u32 count, u64 ns)
{
	bool ok;

	irq_enable();
	ok = wait_for((int)(irq_count(vector) - count) >= 0, ns);
	irq_disable();
	return ok;
}

void irq_settle(u64 ns)
{
	irq_enable();
	delay_ns(ns);
	irq_disable();
}

/* From start.S, interrupts off. */
void interrupt(struct int_frame *f)
{
	u32 vec = f->vector & 0xff;

	if (vec < 32)
		test_exception(vec < ARRAY_SIZE(exception_names) ?
			       exception_names[vec] : "exception", f);

	__sync_fetch_and_add(&counts[vec], 1);
	if (handlers[vec])
		handlers[vec](vec);
	if (vec != VEC_SPURIOUS)
		mmio_write32(APIC_BASE + APIC_EOI, 0);
	/*
	 * No interrupt comes between sti and hlt, but a QEMU that emulates the host
	 * of Xen forgets that when the host has one of its own there. What hlt would
	 * wait for was this one.
	 */
	if (*(const u8 *)f->eip == 0xf4)
		f->eip++;
}
