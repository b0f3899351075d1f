/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in: xenstore's client and the bus of its devices. Who links a driver of
 * this bus defines the functions.
 */
#ifndef STANDIN_XENBUS_H
#define STANDIN_XENBUS_H

#include <stdio.h>
#include <linux/kobject.h>
#include <standin/io.h>
#include <standin/mem.h>

enum xenbus_state {
	XenbusStateUnknown,
	XenbusStateInitialising,
	XenbusStateInitWait,
	XenbusStateInitialised,
	XenbusStateConnected,
	XenbusStateClosing,
	XenbusStateClosed,
};

struct device {
	void *drvdata;
	struct kobject kobj;
	int refs;
};

#define get_device(d)		((d)->refs++, (d))
#define put_device(d)		((void)(d)->refs--)

#define dev_set_drvdata(d, p)	((d)->drvdata = (p))
#define dev_get_drvdata(d)	((d)->drvdata)

struct xenbus_device {
	const char *nodename;
	const char *otherend;
	int otherend_id;
	enum xenbus_state state;
	struct device dev;
};

struct xenbus_device_id {
	char devicetype[32];
};

struct xenbus_driver {
	const char *name;
	const struct xenbus_device_id *ids;
	bool allow_rebind;
	int (*probe)(struct xenbus_device *xdev,
		     const struct xenbus_device_id *id);
	void (*remove)(struct xenbus_device *xdev);
	void (*otherend_changed)(struct xenbus_device *xdev,
				 enum xenbus_state state);
};

struct xenbus_watch {
	const char *node;
	void (*callback)(struct xenbus_watch *watch, const char *path,
			 const char *token);
};

struct xenbus_transaction {
	u32 id;
};

#define XBT_NIL	((struct xenbus_transaction) { 0 })

void *xenbus_read(struct xenbus_transaction xbt, const char *dir,
		  const char *node, unsigned int *len);
char **xenbus_directory(struct xenbus_transaction xbt, const char *dir,
			const char *node, unsigned int *num);
int xenbus_write(struct xenbus_transaction xbt, const char *dir,
		 const char *node, const char *string);
int xenbus_rm(struct xenbus_transaction xbt, const char *dir, const char *node);
int xenbus_transaction_start(struct xenbus_transaction *xbt);
int xenbus_transaction_end(struct xenbus_transaction xbt, int abort);

int xenbus_register_backend(struct xenbus_driver *drv);
void xenbus_unregister_driver(struct xenbus_driver *drv);
int register_xenbus_watch(struct xenbus_watch *watch);
void unregister_xenbus_watch(struct xenbus_watch *watch);

void xenbus_dev_fatal(struct xenbus_device *xdev, int err, const char *fmt, ...)
	__printf(3, 4);

#endif /* STANDIN_XENBUS_H */
