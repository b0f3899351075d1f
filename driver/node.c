// SPDX-License-Identifier: GPL-2.0
/*
 * The back-end directory of a controller in xenstore.
 */

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/xenbus.h>

#include "node.h"
#include "xenstore.h"

/* The longest key is shorter. */
#define NAME_SIZE	(IOEMU_NODE_OWNER_SIZE + 20)

/* Who sends xenstored more than 4096 bytes, path and all, is heard no more. */
#define TEXT_MAX	512

void ioemu_node_owner(char *owner, unsigned int index)
{
	snprintf(owner, IOEMU_NODE_OWNER_SIZE, "disk/%u/", index);
}

static const char *node_name(char *name, const char *owner, const char *key)
{
	snprintf(name, NAME_SIZE, "%s%s", owner, key);
	return name;
}

char *ioemu_node_read(const struct ioemu_node *node, const char *owner,
		      const char *key)
{
	char name[NAME_SIZE];

	return ioemu_xs_read(node->xdev->nodename, node_name(name, owner, key));
}

int ioemu_node_write(const struct ioemu_node *node, const char *owner,
		     const char *key, const char *value)
{
	char there[NAME_SIZE], name[NAME_SIZE];

	/* What its owner has for as long as it is there. */
	node_name(there, owner, *owner ? "params" : "state");
	return ioemu_xs_write(node->xdev->nodename, there,
			      node_name(name, owner, key), value);
}

void ioemu_node_rm(const struct ioemu_node *node, const char *owner,
		   const char *key)
{
	char name[NAME_SIZE];

	ioemu_xs_rm(node->xdev->nodename, node_name(name, owner, key));
}

bool ioemu_node_missing(const struct ioemu_node *node, const char *owner,
			const char *key)
{
	char name[NAME_SIZE];

	return ioemu_xs_missing(node->xdev->nodename, node_name(name, owner, key));
}

/* Said once: what is written here makes the directory's watch fire. */
static void node_fail_disk(const struct ioemu_node *node, const char *text)
{
	char *said = ioemu_node_read(node, node->hot, "hotplug-error");

	if (IS_ERR(said) || strcmp(said, text)) {
		dev_err(&node->xdev->dev, "%s\n", text);
		ioemu_node_write(node, node->hot, "hotplug-error", text);
		ioemu_node_write(node, node->hot, "hotplug-status", "error");
	}
	if (!IS_ERR(said))
		kfree(said);
}

/* Take out the middle of what is too long: the ends say what is wrong. */
static void node_shorten(char *text)
{
	size_t len = strlen(text), half = TEXT_MAX / 2;

	if (len < TEXT_MAX)
		return;
	memcpy(text + half - 3, "...", 3);
	memmove(text + half, text + len - (half - 1), half);
}

int ioemu_node_fail(const struct ioemu_node *node, int err, const char *fmt,
		    ...)
{
	const char *said;
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	if (text)
		node_shorten(text);
	said = text ?: "out of memory";

	if (node->hot) {
		node_fail_disk(node, said);
	} else {
		ioemu_node_write(node, "", "hotplug-error", said);
		ioemu_node_write(node, "", "hotplug-status", "error");
		xenbus_dev_fatal(node->xdev, err, "%s", said);
	}
	kfree(text);
	return err;
}
