// SPDX-License-Identifier: GPL-2.0
/*
 * Giving a controller to a domain, and taking it away.
 */
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "domain.h"
#include "info.h"

#define SLOT_FIRST	16	/* where the search for a free slot starts */

static const char *const models[] = { "nvme" };

const char *controller_model(const char *option, const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(models); i++)
		if (!strcmp(text, models[i]))
			return models[i];
	complain("%s: '%s' is not a model; accepted: nvme", option, text);
	return NULL;
}

bool controller_add_disk(struct controller *ctrl, const char *option,
			 const char *text)
{
	if (ctrl->nr_disks == DISKS_MAX) {
		complain("%s: too many; accepted: 1 to %d of them", option,
			 DISKS_MAX);
		return false;
	}
	if (!disk_parse(option, &ctrl->disks[ctrl->nr_disks], text))
		return false;
	ctrl->nr_disks++;
	return true;
}

enum tool_status controller_check_domain(const struct controller *ctrl,
					 struct store *store)
{
	bool there;

	if (ctrl->domid == ctrl->backend_id) {
		complain("domain %u is where the driver runs; it cannot have its own devices",
			 ctrl->domid);
		return TOOL_USAGE;
	}
	there = domain_exists(store, ctrl->domid);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (there)
		return TOOL_OK;
	complain("there is no domain %u", ctrl->domid);
	return TOOL_NOT_FOUND;
}

/* The driver in another domain has its own /dev. */
enum tool_status controller_prepare(struct controller *ctrl,
				    struct store *store, long long until)
{
	enum tool_status status = TOOL_OK;
	unsigned int own = 0, i;

	store_read_number(store, &own, "domid");
	if (!store_settle(store))
		return TOOL_FAILED;
	if (ctrl->backend_id != own)
		return TOOL_OK;
	for (i = 0; i < ctrl->nr_disks && status == TOOL_OK; i++)
		status = disk_prepare(&ctrl->disks[i], store, own, until);
	return status;
}

static bool devid_taken(struct store *store, const struct device *dev)
{
	return store_exists(store, "%s", dev->backend) ||
	       store_exists(store, "%s", dev->frontend);
}

static enum tool_status choose_devid(struct controller *ctrl,
				     struct store *store)
{
	unsigned int devid = ctrl->devid;

	if (ctrl->have_devid) {
		device_init(&ctrl->dev, ctrl->backend_id, ctrl->domid, devid);
		if (!devid_taken(store, &ctrl->dev))
			return TOOL_OK;
		complain("devid: domain %u has a device %u already; see xen-ioemu list",
			 ctrl->domid, devid);
		return TOOL_FAILED;
	}
	for (devid = 0; devid <= DEVID_MAX; devid++) {
		device_init(&ctrl->dev, ctrl->backend_id, ctrl->domid, devid);
		if (!devid_taken(store, &ctrl->dev))
			return TOOL_OK;
	}
	complain("domain %u has no free device number", ctrl->domid);
	return TOOL_FAILED;
}

/* Bitmap of the slots that this domain's other devices have. */
static unsigned int slots_in_use(struct controller *ctrl, struct store *store)
{
	unsigned int slots = 0, slot, n, i;
	unsigned int *devids;

	devids = device_ids(store, ctrl->backend_id, ctrl->domid, &n);
	for (i = 0; i < n; i++)
		if (store_read_number(store, &slot,
				      "/local/domain/%u/backend/" DEVICE_TYPE "/%u/%u/slot",
				      ctrl->backend_id, ctrl->domid,
				      devids[i]) &&
		    slot <= SLOT_MAX)
			slots |= 1U << slot;
	free(devids);
	return slots;
}

static enum tool_status choose_slot(struct controller *ctrl,
				    struct store *store)
{
	unsigned int used = slots_in_use(ctrl, store);
	unsigned int slot;

	if (ctrl->have_slot) {
		if (!(used & 1U << ctrl->slot))
			return TOOL_OK;
		complain("slot: domain %u has a device in slot %u already; see xen-ioemu list",
			 ctrl->domid, ctrl->slot);
		return TOOL_FAILED;
	}
	used |= ctrl->reserved;
	for (slot = SLOT_FIRST; slot <= SLOT_MAX; slot++) {
		if (!(used & 1U << slot)) {
			ctrl->slot = slot;
			return TOOL_OK;
		}
	}
	complain("domain %u has no free slot from %d to %d; name a lower one as slot",
		 ctrl->domid, SLOT_FIRST, SLOT_MAX);
	return TOOL_FAILED;
}

static bool write_number(struct store *store, unsigned int value,
			 const char *dir, const char *node)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return store_write(store, text, "%s/%s", dir, node);
}

static bool write_backend(struct controller *ctrl, struct store *store)
{
	const struct device *dev = &ctrl->dev;
	unsigned int i;

	if (!store_mkdir(store, dev->backend_id, dev->domid, dev->backend) ||
	    !store_write(store, dev->frontend, "%s/frontend", dev->backend) ||
	    !write_number(store, dev->domid, dev->backend, "frontend-id") ||
	    !store_write(store, "1", "%s/online", dev->backend) ||
	    !store_write(store, ctrl->model, "%s/model", dev->backend) ||
	    !write_number(store, ctrl->slot, dev->backend, "slot"))
		return false;
	if (ctrl->serial &&
	    !store_write(store, ctrl->serial, "%s/serial", dev->backend))
		return false;
	for (i = 0; i < ctrl->nr_disks; i++)
		if (!disk_write(store, dev, i, &ctrl->disks[i]))
			return false;
	return write_number(store, DEVICE_INITIALISING, dev->backend, "state");
}

static bool write_frontend(struct controller *ctrl, struct store *store)
{
	const struct device *dev = &ctrl->dev;

	return store_mkdir(store, dev->backend_id, dev->domid, dev->frontend) &&
	       store_write(store, dev->backend, "%s/backend", dev->frontend) &&
	       write_number(store, dev->backend_id, dev->frontend,
			    "backend-id") &&
	       write_number(store, DEVICE_INITIALISING, dev->frontend, "state");
}

/*
 * Runs within a transaction, perhaps several times. A domain that has gone meanwhile
 * must not come back as a few nodes.
 */
static enum tool_status write_nodes(struct store *store, void *arg)
{
	struct controller *ctrl = arg;
	enum tool_status status;

	status = controller_check_domain(ctrl, store);
	if (status != TOOL_OK)
		return status;
	status = choose_devid(ctrl, store);
	if (status != TOOL_OK)
		return status;
	status = choose_slot(ctrl, store);
	if (status != TOOL_OK)
		return status;
	/* A message that an earlier device left would be taken for this one's. */
	if (!store_remove(store, ctrl->dev.error) ||
	    !write_frontend(ctrl, store) || !write_backend(ctrl, store))
		return TOOL_FAILED;
	return TOOL_OK;
}

static void report_refusal(struct controller *ctrl, struct store *store)
{
	char *text = device_error(store, &ctrl->dev);

	if (text)
		complain("the driver refused the device: %s", text);
	else
		complain("the driver refused the device without saying why; see the kernel's log");
	free(text);
}

static enum tool_status report_timeout(struct controller *ctrl,
				       struct store *store,
				       unsigned int timeout)
{
	enum device_state state = device_state(store, &ctrl->dev);

	if (device_failed(store, &ctrl->dev)) {
		report_refusal(ctrl, store);
		return TOOL_FAILED;
	}
	if (state == DEVICE_INITIALISING)
		complain("no driver took the device within %u s: is the module loaded in domain %u? (lsmod | grep xen_ioemu; modprobe xen-ioemu)",
			 timeout, ctrl->backend_id);
	else
		complain("the device is not connected after %u s, its state is %s; see the kernel's log",
			 timeout, device_state_name(state));
	return TOOL_TIMEOUT;
}

/*
 * Closed is the last that a driver writes of a device that it refuses: before,
 * it could write nodes anew that are being removed.
 */
static enum tool_status wait_connected(struct controller *ctrl,
				       struct store *store,
				       struct store_wait *wait,
				       unsigned int timeout)
{
	enum device_state state;
	enum tool_status status;
	bool there;

	for (;;) {
		state = device_state(store, &ctrl->dev);
		if (state == DEVICE_CONNECTED)
			return TOOL_OK;
		if (state == DEVICE_CLOSED) {
			report_refusal(ctrl, store);
			return TOOL_FAILED;
		}
		there = store_exists(store, "%s", ctrl->dev.backend);
		if (!store_settle(store))
			return TOOL_FAILED;
		if (!there) {
			complain("somebody removed the device meanwhile");
			return TOOL_FAILED;
		}
		status = store_wait_next(wait);
		if (status == TOOL_TIMEOUT)
			return report_timeout(ctrl, store, timeout);
		if (status != TOOL_OK)
			return status;
	}
}

/* Where all devices of a domain are. */
static void name_devices(char *path, size_t size, unsigned int backend_id,
			 unsigned int domid)
{
	snprintf(path, size, "/local/domain/%u/backend/" DEVICE_TYPE "/%u",
		 backend_id, domid);
}

/* Finds a device whose front-end directory has gone. */
static bool find_ruin(struct store *store, unsigned int backend_id,
		      unsigned int domid, struct device *dev)
{
	unsigned int *devids, n, i;
	bool found = false;

	devids = device_ids(store, backend_id, domid, &n);
	for (i = 0; i < n && !found; i++) {
		device_init(dev, backend_id, domid, devids[i]);
		found = !store_exists(store, "%s", dev->frontend);
	}
	free(devids);
	return found;
}

static enum tool_status wait_ruins(unsigned int backend_id, unsigned int domid,
				   struct store *store, struct store_wait *wait,
				   unsigned int timeout)
{
	enum tool_status status;
	struct device dev;
	bool ruin;

	for (;;) {
		ruin = find_ruin(store, backend_id, domid, &dev);
		if (!store_settle(store))
			return TOOL_FAILED;
		if (!ruin)
			return TOOL_OK;
		status = store_wait_next(wait);
		if (status == TOOL_TIMEOUT)
			complain("device %u is left of what domain %u was before, and the driver has not removed it within %u s: is the module loaded, have its requests ended? xen-ioemu detach --force %u %u removes it",
				 dev.devid, domid, timeout, domid, dev.devid);
		if (status != TOOL_OK)
			return status;
	}
}

enum tool_status controller_wait_ruins(unsigned int backend_id,
				       unsigned int domid, struct store *store,
				       unsigned int timeout)
{
	struct store_wait wait;
	enum tool_status status;
	char watched[80];

	name_devices(watched, sizeof(watched), backend_id, domid);
	if (!store_wait_begin(&wait, store, watched, timeout))
		return TOOL_FAILED;
	status = wait_ruins(backend_id, domid, store, &wait, timeout);
	store_wait_end(&wait);
	return status;
}

enum tool_status controller_attach(struct controller *ctrl,
				   struct store *store, unsigned int timeout)
{
	struct store_wait wait;
	enum tool_status status;
	char watched[80];

	name_devices(watched, sizeof(watched), ctrl->backend_id, ctrl->domid);
	if (!store_wait_begin(&wait, store, watched, timeout))
		return TOOL_FAILED;
	status = store_transaction(store, write_nodes, ctrl);
	if (status == TOOL_OK) {
		ctrl->written = true;
		status = wait_connected(ctrl, store, &wait, timeout);
		if (status != TOOL_OK)
			ctrl->written = device_remove(store, &ctrl->dev) !=
					TOOL_OK;
	}
	store_wait_end(&wait);
	return status;
}

/*
 * What ask_to_close() is about, and what it found: without one of its directories,
 * the device is a ruin (the domain is gone, for instance) and nobody is left to close
 * it in an orderly way.
 */
struct closing {
	const struct device *dev;
	bool ruin;
};

static enum tool_status ask_to_close(struct store *store, void *arg)
{
	struct closing *closing = arg;
	const struct device *dev = closing->dev;

	closing->ruin = !store_exists(store, "%s", dev->frontend) ||
			!store_exists(store, "%s", dev->backend);
	if (closing->ruin)
		return TOOL_OK;
	if (!store_write(store, "0", "%s/online", dev->backend) ||
	    !store_write(store, "5", "%s/state", dev->frontend))
		return TOOL_FAILED;
	return TOOL_OK;
}

static enum tool_status wait_closed(const struct device *dev,
				    struct store *store,
				    struct store_wait *wait,
				    unsigned int timeout)
{
	enum device_state state;
	enum tool_status status;
	bool there;

	for (;;) {
		state = device_state(store, dev);
		there = store_exists(store, "%s", dev->backend);
		if (!store_settle(store))
			return TOOL_FAILED;
		if (state == DEVICE_CLOSED || !there)
			return TOOL_OK;
		status = store_wait_next(wait);
		if (status == TOOL_TIMEOUT)
			complain("the device is not closed after %u s, its state is %s; its nodes stay, --force removes them",
				 timeout,
				 device_state_name(device_state(store, dev)));
		if (status != TOOL_OK)
			return status;
	}
}

enum tool_status controller_close(const struct device *dev, struct store *store,
				  unsigned int timeout)
{
	struct closing closing = { .dev = dev };
	struct store_wait wait;
	enum tool_status status;

	if (!store_wait_begin(&wait, store, dev->backend, timeout))
		return TOOL_FAILED;
	status = store_transaction(store, ask_to_close, &closing);
	if (status == TOOL_OK && !closing.ruin)
		status = wait_closed(dev, store, &wait, timeout);
	store_wait_end(&wait);
	return status;
}
