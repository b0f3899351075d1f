/* SPDX-License-Identifier: GPL-2.0 */
/* Port I/O, MSRs, CPUID and interrupt flag. */
#ifndef TINY_IO_H
#define TINY_IO_H

#include "types.h"

static inline void outb(u16 port, u8 v)
{
	__asm__ __volatile__("outb %0, %1" :: "a"(v), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 v)
{
	__asm__ __volatile__("outw %0, %1" :: "a"(v), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 v)
{
	__asm__ __volatile__("outl %0, %1" :: "a"(v), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ __volatile__("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ __volatile__("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ __volatile__("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

/* One string instruction: a hypervisor may pass the whole run on at once. */
static inline void outsb(u16 port, const void *buf, u32 count)
{
	__asm__ __volatile__("cld; rep outsb"
			     : "+S"(buf), "+c"(count) : "d"(port) : "memory", "cc");
}

static inline void insb(u16 port, void *buf, u32 count)
{
	__asm__ __volatile__("cld; rep insb"
			     : "+D"(buf), "+c"(count) : "d"(port) : "memory", "cc");
}

static inline u64 rdmsr(u32 msr)
{
	u64 v;

	__asm__ __volatile__("rdmsr" : "=A"(v) : "c"(msr));
	return v;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ __volatile__("wrmsr" :: "A"(v), "c"(msr) : "memory");
}

static inline void cpuid(u32 leaf, u32 sub, u32 r[4])
{
	__asm__ __volatile__("cpuid"
			     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			     : "a"(leaf), "c"(sub));
}

static inline void cpu_pause(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

static inline void irq_enable(void)
{
	__asm__ __volatile__("sti" ::: "memory");
}

static inline void irq_disable(void)
{
	__asm__ __volatile__("cli" ::: "memory");
}

/* Sleep until an interrupt; the caller has them disabled, and has again after. */
static inline void irq_wait(void)
{
	__asm__ __volatile__("sti; hlt; cli" ::: "memory");
}

#endif
