/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STANDIN_KOBJECT_H
#define STANDIN_KOBJECT_H

struct kobject {
	int unused;
};

#endif /* STANDIN_KOBJECT_H */
