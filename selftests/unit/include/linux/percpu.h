/* SPDX-License-Identifier: GPL-2.0 */
/* There is one CPU. */
#ifndef STANDIN_PERCPU_H
#define STANDIN_PERCPU_H

#include <standin/mem.h>
#include <standin/sched.h>

#define __percpu
#define this_cpu_add(v, n)		((v) += (n))
#define this_cpu_inc(v)			((v)++)
#define alloc_percpu(type)		((type *)kzalloc(sizeof(type), GFP_KERNEL))
#define free_percpu(p)			kfree(p)
#define per_cpu_ptr(p, cpu)		((void)(cpu), (p))

#endif /* STANDIN_PERCPU_H */
