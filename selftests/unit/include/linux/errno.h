/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in: the system's numbers, which the C library wants from here too. */
#ifndef STANDIN_ERRNO_H
#define STANDIN_ERRNO_H

#include <asm/errno.h>

#define ERESTARTSYS	512
#define ENOTSUPP	524

#endif /* STANDIN_ERRNO_H */
