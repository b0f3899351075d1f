/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STANDIN_XEN_INTERFACE_H
#define STANDIN_XEN_INTERFACE_H

#include <standin/types.h>

typedef u16 domid_t;
typedef unsigned long xen_pfn_t;
#define DOMID_FIRST_RESERVED	0x7ff0u

#endif /* STANDIN_XEN_INTERFACE_H */
