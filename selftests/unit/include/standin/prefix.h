/* SPDX-License-Identifier: GPL-2.0 */
/* Included before everything else, as the kernel's kconfig and types are. */
#ifndef STANDIN_PREFIX_H
#define STANDIN_PREFIX_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#endif /* STANDIN_PREFIX_H */
