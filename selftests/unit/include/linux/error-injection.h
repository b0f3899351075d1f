/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in: nobody makes functions fail here. */
#define ALLOW_ERROR_INJECTION(fname, type)
