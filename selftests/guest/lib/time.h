/* SPDX-License-Identifier: GPL-2.0 */
/* Time by the time stamp counter. */
#ifndef TINY_TIME_H
#define TINY_TIME_H

#include "types.h"

#define NSEC_PER_USEC	1000ull
#define NSEC_PER_MSEC	1000000ull
#define NSEC_PER_SEC	1000000000ull

/* Learn the counter's rate: from Xen, else against the PIT (50 ms). */
void time_init(void);
u32 tsc_khz(void);

static inline u64 rdtsc(void)
{
	u64 v;

	__asm__ __volatile__("rdtsc" : "=A"(v) :: "memory");
	return v;
}

u64 cycles_to_ns(u64 cycles);
/* Nanoseconds since time_init(). */
u64 now_ns(void);
void delay_ns(u64 ns);
/*
 * One turn of a wait loop begun at @start_ns (from now_ns()): after the first
 * millisecond it lets other virtual CPUs have this processor.
 */
void wait_relax(u64 start_ns);

/*
 * Wait until @cond holds, for at most @ns nanoseconds; true if it held. The
 * condition is looked at once more after the time is over.
 */
#define wait_for(cond, ns) ({						\
	u64 _start = now_ns(), _limit = (ns);				\
	bool _ok;							\
									\
	while (!(_ok = !!(cond))) {					\
		if (now_ns() - _start > _limit) {			\
			_ok = !!(cond);					\
			break;						\
		}							\
		wait_relax(_start);					\
	}								\
	_ok;								\
})

#endif
