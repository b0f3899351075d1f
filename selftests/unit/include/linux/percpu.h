/* SPDX-License-Identifier: GPL-2.0 */
/* There is one CPU. */
#ifndef STANDIN_PERCPU_H
#define STANDIN_PERCPU_H

#define __percpu
#define this_cpu_add(v, n)		((v) += (n))
#define this_cpu_inc(v)			((v)++)

#endif /* STANDIN_PERCPU_H */
