/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in, same meaning: macros and small functions of general use. */
#ifndef STANDIN_KERNEL_H
#define STANDIN_KERNEL_H

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/errno.h>
#include <standin/hooks.h>
#include <standin/types.h>

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define data_race(x)		(x)

#define barrier()		__asm__ __volatile__("" : : : "memory")
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define mb()			smp_mb()
#define rmb()			smp_rmb()
#define wmb()			smp_wmb()
#define virt_mb()		smp_mb()
#define virt_rmb()		smp_rmb()
#define virt_wmb()		smp_wmb()
#define dma_rmb()		smp_rmb()
#define dma_wmb()		smp_wmb()
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_store_mb(x, v)	do { WRITE_ONCE(x, v); smp_mb(); } while (0)

#define xchg(p, v)		__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define cmpxchg(p, o, n) ({						\
	__typeof__(*(p)) __old = (o);					\
	__atomic_compare_exchange_n((p), &__old, (n), 0,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);\
	__old; })
#define try_cmpxchg(p, o, n)						\
	__atomic_compare_exchange_n((p), (o), (n), 0, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_SEQ_CST)

#ifndef offsetof
#define offsetof(t, m)		__builtin_offsetof(t, m)
#endif
#define offsetofend(t, m)	(offsetof(t, m) + sizeof(((t *)0)->m))
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define container_of(p, t, m)						\
	((t *)((char *)(p) - offsetof(t, m)))
#define struct_size(p, m, n)						\
	(sizeof(*(p)) + sizeof((p)->m[0]) * (size_t)(n))
#define flex_array_size(p, m, n) (sizeof((p)->m[0]) * (size_t)(n))
#define array_size(a, b)	((size_t)(a) * (size_t)(b))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#undef min
#undef max
#define min(a, b) ({							\
	__auto_type __a = (a); __auto_type __b = (b);			\
	__a < __b ? __a : __b; })
#define max(a, b) ({							\
	__auto_type __a = (a); __auto_type __b = (b);			\
	__a > __b ? __a : __b; })
#define min_t(t, a, b) ({						\
	t __a = (a); t __b = (b); __a < __b ? __a : __b; })
#define max_t(t, a, b) ({						\
	t __a = (a); t __b = (b); __a > __b ? __a : __b; })
#define min3(a, b, c)		min(min(a, b), c)
#define max3(a, b, c)		max(max(a, b), c)
#define min_not_zero(a, b) ({						\
	__auto_type __x = (a); __auto_type __y = (b);			\
	__x == 0 ? __y : __y == 0 ? __x : __x < __y ? __x : __y; })
#define umin(a, b)		min((a) + 0ULL, (b) + 0ULL)
#define umax(a, b)		max((a) + 0ULL, (b) + 0ULL)
#define clamp(v, l, h)		min(max(v, l), h)
#define clamp_t(t, v, l, h)	min_t(t, max_t(t, v, l), h)
#define clamp_val(v, l, h)	clamp_t(__typeof__(v), v, l, h)
#define swap(a, b) do {							\
	__typeof__(a) __t = (a); (a) = (b); (b) = __t; } while (0)
#define abs(x) ({ __auto_type __v = (x); __v < 0 ? -__v : __v; })

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((u64)(n), (d))
#define DIV_ROUND_CLOSEST(n, d)	(((n) + (d) / 2) / (d))
#define roundup(x, y)		(DIV_ROUND_UP(x, y) * (y))
#define rounddown(x, y)		((x) - (x) % (y))
#define round_up(x, y)		((((x) - 1) | ((__typeof__(x))(y) - 1)) + 1)
#define round_down(x, y)	((x) & ~((__typeof__(x))(y) - 1))
#define ALIGN(x, a)							\
	(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a)		((__typeof__(p))ALIGN((unsigned long)(p), (a)))
#define upper_32_bits(x)	((u32)(((u64)(x)) >> 32))
#define lower_32_bits(x)	((u32)((x) & 0xffffffff))
#define do_div(n, base) ({						\
	u32 __rem = (n) % (u32)(base); (n) /= (u32)(base); __rem; })
static inline u64 div_u64(u64 a, u32 b) { return a / b; }
static inline u64 div64_u64(u64 a, u64 b) { return a / b; }
static inline u64 mul_u64_u32_shr(u64 a, u32 b, unsigned int s)
{
	return (unsigned __int128)a * b >> s;
}

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)
static inline size_t size_add(size_t a, size_t b)
{
	size_t r;

	return __builtin_add_overflow(a, b, &r) ? SIZE_MAX : r;
}

static inline size_t size_mul(size_t a, size_t b)
{
	size_t r;

	return __builtin_mul_overflow(a, b, &r) ? SIZE_MAX : r;
}

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define BIT_MASK(n)		(1UL << ((n) % BITS_PER_LONG))
#define BIT_WORD(n)		((n) / BITS_PER_LONG)
#define GENMASK(h, l)		(~0UL << (l) & ~0UL >> (63 - (h)))
#define GENMASK_ULL(h, l)	(~0ULL << (l) & ~0ULL >> (63 - (h)))
#define BITS_TO_LONGS(n)	DIV_ROUND_UP(n, BITS_PER_LONG)
#define FIELD_GET(m, v)							\
	((__typeof__(m))(((v) & (m)) >> __builtin_ctzll(m)))
#define FIELD_PREP(m, v)						\
	(((__typeof__(m))(v) << __builtin_ctzll(m)) & (m))
#define FIELD_MAX(m)		((__typeof__(m))((m) >> __builtin_ctzll(m)))

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline int fls_long(unsigned long x) { return fls64(x); }
static inline int ffs_long(unsigned long x) { return __builtin_ffsl(x); }
static inline unsigned long __ffs(unsigned long x) { return __builtin_ctzl(x); }
static inline unsigned long __fls(unsigned long x) { return fls64(x) - 1; }
static inline unsigned long ffz(unsigned long x) { return __builtin_ctzl(~x); }
#define hweight8(x)		__builtin_popcount((u8)(x))
#define hweight16(x)		__builtin_popcount((u16)(x))
#define hweight32(x)		__builtin_popcount((u32)(x))
#define hweight64(x)		__builtin_popcountll((u64)(x))
#define hweight_long(x)		__builtin_popcountl(x)
#define ilog2(x)		(fls64((u64)(x)) - 1)
static inline bool is_power_of_2(unsigned long x)
{
	return x && !(x & (x - 1));
}

static inline int order_base_2(unsigned long x)
{
	return x > 1 ? fls64(x - 1) : 0;
}

static inline unsigned long roundup_pow_of_two(unsigned long x)
{
	return 1UL << order_base_2(x);
}

static inline unsigned long rounddown_pow_of_two(unsigned long x)
{
	return 1UL << ilog2(x);
}

#define array_index_nospec(i, n) ({ (void)(n); (i); })
#define barrier_nospec()	((void)0)

#define BUILD_BUG_ON(c)		_Static_assert(!(c), "BUILD_BUG_ON")
#define BUILD_BUG_ON_ZERO(c)	((int)sizeof(struct { int : -!!(c); }))
#define BUILD_BUG_ON_MSG(c, m)	_Static_assert(!(c), m)
#undef static_assert
#define static_assert(c, ...)	_Static_assert(c, #c)

#define BUG()			standin_die("BUG at %s:%d", __FILE__, __LINE__)
#define BUG_ON(c)		do { if (c) BUG(); } while (0)
#define WARN_ON(c)							\
	standin_warn(!!(c), #c, __FILE__, __LINE__)
#define WARN_ON_ONCE(c)		WARN_ON(c)
#define WARN(c, ...)		WARN_ON(c)
#define WARN_ONCE(c, ...)	WARN_ON(c)

#define might_sleep()		standin_might_sleep(__func__)
#define cant_sleep()		((void)0)
#define cond_resched()		standin_might_sleep(__func__)

#define IS_ENABLED(x)		0
#define IS_REACHABLE(x)		0
#define __stringify_1(x...)	#x
#define __stringify(x...)	__stringify_1(x)

#define MAX_ERRNO		4095
#define IS_ERR_VALUE(x)		((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)
static inline void *ERR_PTR(long e) { return (void *)e; }
static inline long PTR_ERR(const void *p) { return (long)p; }
static inline bool IS_ERR(const void *p)
{
	return IS_ERR_VALUE((unsigned long)p);
}

static inline bool IS_ERR_OR_NULL(const void *p) { return !p || IS_ERR(p); }
static inline void *ERR_CAST(const void *p) { return (void *)p; }
static inline int PTR_ERR_OR_ZERO(const void *p)
{
	return IS_ERR(p) ? PTR_ERR(p) : 0;
}

#define SZ_1			0x00000001
#define SZ_256			0x00000100
#define SZ_512			0x00000200
#define SZ_1K			0x00000400
#define SZ_2K			0x00000800
#define SZ_4K			0x00001000
#define SZ_8K			0x00002000
#define SZ_16K			0x00004000
#define SZ_32K			0x00008000
#define SZ_64K			0x00010000
#define SZ_128K			0x00020000
#define SZ_256K			0x00040000
#define SZ_512K			0x00080000
#define SZ_1M			0x00100000
#define SZ_2M			0x00200000
#define SZ_4M			0x00400000
#define SZ_1G			0x40000000

#endif /* STANDIN_KERNEL_H */
