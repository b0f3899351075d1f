// SPDX-License-Identifier: GPL-2.0
/*
 * The xenstore nodes of one device, which is one controller of a domain.
 */
#include <stdlib.h>
#include <string.h>

#include "device.h"

void device_init(struct device *dev, unsigned int backend_id,
		 unsigned int domid, unsigned int devid)
{
	dev->backend_id = backend_id;
	dev->domid = domid;
	dev->devid = devid;
	snprintf(dev->backend, sizeof(dev->backend),
		 "/local/domain/%u/backend/" DEVICE_TYPE "/%u/%u", backend_id,
		 domid, devid);
	snprintf(dev->frontend, sizeof(dev->frontend),
		 "/local/domain/%u/" DEVICE_TYPE "/%u", domid, devid);
	snprintf(dev->error, sizeof(dev->error),
		 "/local/domain/%u/error/backend/" DEVICE_TYPE "/%u/%u",
		 backend_id, domid, devid);
}

bool device_is_local(struct store *store, const struct device *dev)
{
	unsigned int own = 0;

	store_read_number(store, &own, "domid");
	return dev->backend_id == own;
}

enum device_state device_state(struct store *store, const struct device *dev)
{
	unsigned int state = DEVICE_UNKNOWN;

	if (!store_read_number(store, &state, "%s/state", dev->backend) ||
	    state > DEVICE_RECONFIGURED)
		return DEVICE_UNKNOWN;
	return state;
}

const char *device_state_name(enum device_state state)
{
	static const char *const names[] = {
		[DEVICE_UNKNOWN]	= "Unknown",
		[DEVICE_INITIALISING]	= "Initialising",
		[DEVICE_INIT_WAIT]	= "InitWait",
		[DEVICE_INITIALISED]	= "Initialised",
		[DEVICE_CONNECTED]	= "Connected",
		[DEVICE_CLOSING]	= "Closing",
		[DEVICE_CLOSED]		= "Closed",
		[DEVICE_RECONFIGURING]	= "Reconfiguring",
		[DEVICE_RECONFIGURED]	= "Reconfigured",
	};

	return names[state];
}

bool device_failed(struct store *store, const struct device *dev)
{
	enum device_state state = device_state(store, dev);
	char *status;
	bool failed;

	if (state == DEVICE_CLOSING || state == DEVICE_CLOSED)
		return true;
	status = store_read(store, "%s/hotplug-status", dev->backend);
	failed = status && !strcmp(status, "error");
	free(status);
	return failed;
}

char *device_error(struct store *store, const struct device *dev)
{
	char *text = store_read(store, "%s/hotplug-error", dev->backend);
	size_t digits;

	if (text && *text)
		return text;
	free(text);
	text = store_read(store, "%s/error", dev->error);
	if (!text)
		return NULL;

	/* The kernel puts the number of the error before its text. */
	digits = strspn(text, "-0123456789");
	if (digits && text[digits] == ' ')
		memmove(text, text + digits + 1, strlen(text + digits));
	return text;
}

static enum tool_status remove_nodes(struct store *store, void *arg)
{
	const struct device *dev = arg;
	char parent[80];

	if (!store_remove(store, dev->frontend) ||
	    !store_remove(store, dev->backend) ||
	    !store_remove(store, dev->error))
		return TOOL_FAILED;

	snprintf(parent, sizeof(parent), "/local/domain/%u/" DEVICE_TYPE,
		 dev->domid);
	store_remove_empty(store, parent);
	snprintf(parent, sizeof(parent),
		 "/local/domain/%u/backend/" DEVICE_TYPE "/%u",
		 dev->backend_id, dev->domid);
	store_remove_empty(store, parent);
	snprintf(parent, sizeof(parent),
		 "/local/domain/%u/error/backend/" DEVICE_TYPE "/%u",
		 dev->backend_id, dev->domid);
	store_remove_empty(store, parent);
	return TOOL_OK;
}

enum tool_status device_remove(struct store *store, const struct device *dev)
{
	return store_transaction(store, remove_nodes, (void *)dev);
}
