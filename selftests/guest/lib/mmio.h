/* SPDX-License-Identifier: GPL-2.0 */
/* Access to memory-mapped registers, one instruction of the named width each. */
#ifndef TINY_MMIO_H
#define TINY_MMIO_H

#include "types.h"

static inline u8 mmio_read8(uintptr_t addr)
{
	u8 v;

	__asm__ __volatile__("movb (%1), %0" : "=q"(v) : "r"(addr) : "memory");
	return v;
}

static inline u16 mmio_read16(uintptr_t addr)
{
	u16 v;

	__asm__ __volatile__("movw (%1), %0" : "=r"(v) : "r"(addr) : "memory");
	return v;
}

static inline u32 mmio_read32(uintptr_t addr)
{
	u32 v;

	__asm__ __volatile__("movl (%1), %0" : "=r"(v) : "r"(addr) : "memory");
	return v;
}

static inline void mmio_write8(uintptr_t addr, u8 v)
{
	__asm__ __volatile__("movb %0, (%1)" :: "q"(v), "r"(addr) : "memory");
}

static inline void mmio_write16(uintptr_t addr, u16 v)
{
	__asm__ __volatile__("movw %0, (%1)" :: "r"(v), "r"(addr) : "memory");
}

static inline void mmio_write32(uintptr_t addr, u32 v)
{
	__asm__ __volatile__("movl %0, (%1)" :: "r"(v), "r"(addr) : "memory");
}

/* 64-bit registers as two halves, lower half first. */
static inline u64 mmio_read64(uintptr_t addr)
{
	u32 lo = mmio_read32(addr);

	return lo | (u64)mmio_read32(addr + 4) << 32;
}

static inline void mmio_write64(uintptr_t addr, u64 v)
{
	mmio_write32(addr, (u32)v);
	mmio_write32(addr + 4, v >> 32);
}

/*
 * 64-bit registers by one 8-byte access, through an SSE register, as 64-bit
 * guests do. Only valid when cpu_has_sse2; nothing else here uses SSE.
 */
static inline u64 mmio_read64_once(uintptr_t addr)
{
	u64 v;

	__asm__ __volatile__("movq (%1), %%xmm0; movq %%xmm0, %0"
			     : "=m"(v) : "r"(addr) : "memory");
	return v;
}

static inline void mmio_write64_once(uintptr_t addr, u64 v)
{
	__asm__ __volatile__("movq %0, %%xmm0; movq %%xmm0, (%1)"
			     :: "m"(v), "r"(addr) : "memory");
}

#endif
