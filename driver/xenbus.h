/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IOEMU_XENBUS_H
#define _IOEMU_XENBUS_H

/**
 * ioemu_xenbus_init() - begin to serve back-end nodes of type ioemu
 *
 * Return: 0 or a negative errno.
 */
int ioemu_xenbus_init(void);

/**
 * ioemu_xenbus_exit() - stop; every device was unbound before
 */
void ioemu_xenbus_exit(void);

#endif /* _IOEMU_XENBUS_H */
