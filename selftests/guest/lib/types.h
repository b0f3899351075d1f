/* SPDX-License-Identifier: GPL-2.0 */
/* Basic types and helpers of the tiny guest. */
#ifndef TINY_TYPES_H
#define TINY_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define PAGE_SHIFT	12
#define PAGE_SIZE	4096u
#define PAGE_MASK	(PAGE_SIZE - 1)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(n)		(1u << (n))
#define BIT_ULL(n)	(1ull << (n))
#define ALIGN_UP(x, a)	(((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))

#define min(a, b)	({ __auto_type _n = (a); __auto_type _m = (b); _n < _m ? _n : _m; })
#define max(a, b)	({ __auto_type _x = (a); __auto_type _y = (b); _x > _y ? _x : _y; })

#define __section(s)	__attribute__((section(s)))
#define __used		__attribute__((used))
#define __packed	__attribute__((packed))
#define __aligned(n)	__attribute__((aligned(n)))
#define __noreturn	__attribute__((noreturn))
#define __printf(f, a)	__attribute__((format(printf, f, a)))
#define __unused	__attribute__((unused))

#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* Keeps the compiler from moving memory accesses across this point. */
#define barrier()	({ __asm__ __volatile__("" ::: "memory"); })
/* Full barrier for the CPU as well; works on every CPU, no SSE2 needed. */
#define mb()		({ __asm__ __volatile__("lock; addl $0, (%%esp)" ::: "memory", "cc"); })
/* x86 orders stores with stores and loads with loads. */
#define wmb()		barrier()
#define rmb()		barrier()

/* The guest runs without paging: an address is a guest physical address. */
static inline u64 phys(const volatile void *p)
{
	return (u64)(uintptr_t)p;
}

#endif
