/* SPDX-License-Identifier: GPL-2.0 */
#include <standin/xen_pv.h>
