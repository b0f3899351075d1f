// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to xenstore that get through.
 */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "xenstore.h"

#define XS_TRIES	50
#define XS_WAIT_MS	20

/* A call that has ended like this: is it to be made again? */
static bool xs_again(long err, unsigned int *tries)
{
	if (err != -ENOMEM || ++*tries > XS_TRIES)
		return false;
	msleep(XS_WAIT_MS);
	return true;
}

char *ioemu_xs_read(const char *dir, const char *key)
{
	unsigned int tries = 0;
	char *value;

	do {
		value = xenbus_read(XBT_NIL, dir, key, NULL);
	} while (IS_ERR(value) && xs_again(PTR_ERR(value), &tries));
	return value;
}

char **ioemu_xs_directory(const char *dir, const char *key, unsigned int *nr)
{
	unsigned int tries = 0;
	char **names;

	do {
		names = xenbus_directory(XBT_NIL, dir, key, nr);
	} while (IS_ERR(names) && xs_again(PTR_ERR(names), &tries));
	return names;
}

void ioemu_xs_rm(const char *dir, const char *key)
{
	unsigned int tries = 0;

	while (xs_again(xenbus_rm(XBT_NIL, dir, key), &tries))
		;
}

bool ioemu_xs_missing(const char *dir, const char *key)
{
	char *value = ioemu_xs_read(dir, key);

	if (IS_ERR(value))
		return PTR_ERR(value) == -ENOENT;
	kfree(value);
	return false;
}

int ioemu_xs_state(const char *dir, enum xenbus_state *state)
{
	char *value = ioemu_xs_read(dir, "state");
	unsigned int number;

	*state = XenbusStateUnknown;
	if (IS_ERR(value))
		return PTR_ERR(value) == -ENOENT ? 0 : PTR_ERR(value);
	if (!kstrtouint(value, 10, &number))
		*state = number;
	kfree(value);
	return 0;
}

/*
 * xenstored, and a suspension of this domain, wait for the end of what was begun:
 * one that could not be sent is sent again. With @err, it is as if nothing was done.
 */
static int xs_end(struct xenbus_transaction xbt, int err)
{
	unsigned int tries = 0;
	int end;

	do {
		end = xenbus_transaction_end(xbt, err);
	} while (xs_again(end, &tries));
	return err ?: end;
}

/* An error other than -EAGAIN is the transaction's end. */
static int xs_try_write(const char *dir, const char *there, const char *key,
			const char *value)
{
	struct xenbus_transaction xbt;
	char *now;
	int err;

	err = xenbus_transaction_start(&xbt);
	if (err)
		return err;
	now = xenbus_read(xbt, dir, there, NULL);
	if (IS_ERR(now)) {
		err = PTR_ERR(now);
	} else {
		err = xenbus_write(xbt, dir, key, value);
		kfree(now);
	}
	return xs_end(xbt, err);
}

int ioemu_xs_write(const char *dir, const char *there, const char *key,
		   const char *value)
{
	unsigned int tries = 0;
	int err;

	do {
		err = xs_try_write(dir, there, key, value);
	} while (err == -EAGAIN || xs_again(err, &tries));
	return err;
}

void ioemu_xs_switch_state(struct xenbus_device *xdev, enum xenbus_state state)
{
	char value[12];
	int err;

	if (state == xdev->state)
		return;
	snprintf(value, sizeof(value), "%d", state);
	err = ioemu_xs_write(xdev->nodename, "state", "state", value);
	if (err && err != -ENOENT)
		dev_err(&xdev->dev, "state %d: cannot be written: %d\n", state,
			err);
	else
		xdev->state = state;
}

static int xs_remove_within(struct xenbus_transaction xbt, const char *node,
			    const char *dir, const char *otherend)
{
	char *value, **names;
	unsigned int nr;
	int err;

	value = xenbus_read(xbt, otherend, "", NULL);
	if (!IS_ERR(value)) {
		kfree(value);
		return -EEXIST;
	}
	if (PTR_ERR(value) != -ENOENT)
		return PTR_ERR(value);
	err = xenbus_rm(xbt, node, "");
	if (err)
		return err;
	names = xenbus_directory(xbt, dir, "", &nr);
	if (IS_ERR(names))
		return PTR_ERR(names);
	kfree(names);
	return nr ? 0 : xenbus_rm(xbt, dir, "");
}

static int xs_try_remove(const char *node, const char *otherend)
{
	struct xenbus_transaction xbt;
	char *dir;
	int err;

	dir = kstrndup(node, kbasename(node) - node - 1, GFP_KERNEL);
	if (!dir)
		return -ENOMEM;
	err = xenbus_transaction_start(&xbt);
	if (!err)
		err = xs_end(xbt, xs_remove_within(xbt, node, dir, otherend));
	kfree(dir);
	return err;
}

void ioemu_xs_remove(struct xenbus_device *xdev, const char *otherend)
{
	unsigned int tries = 0;
	int err;

	do {
		err = xs_try_remove(xdev->nodename, otherend);
	} while (err == -EAGAIN || xs_again(err, &tries));
}
