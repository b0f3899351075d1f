// SPDX-License-Identifier: GPL-2.0
/*
 * libxenioemu: what xenioemu.h promises, made of what the tool is made of.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "counters.h"
#include "domain.h"
#include "hotplug.h"
#include "xenioemu.h"

/**
 * struct xenioemu - a handle
 * @store: connection
 * @error: what went wrong last
 */
struct xenioemu {
	struct store store;
	char error[1024];
};

/* Whose call it is that may complain. */
static _Thread_local struct xenioemu *current;

static void to_handle(const char *line)
{
	if (!current)
		return;
	/* The first complaint is the closest to the cause. */
	if (!current->error[0])
		snprintf(current->error, sizeof(current->error), "%s", line);
}

static void enter(struct xenioemu *handle)
{
	handle->error[0] = '\0';
	current = handle;
	complain_to(to_handle);
}

static int leave(enum tool_status status)
{
	complain_to(NULL);
	current = NULL;
	return status;
}

struct xenioemu *xenioemu_open(void)
{
	struct xenioemu *handle = calloc(1, sizeof(*handle));
	bool ok;

	if (!handle)
		return NULL;
	enter(handle);
	ok = store_open(&handle->store);
	handle->store.leave_signals = true;
	leave(TOOL_OK);
	if (ok)
		return handle;
	free(handle);
	return NULL;
}

void xenioemu_close(struct xenioemu *handle)
{
	if (!handle)
		return;
	store_close(&handle->store);
	free(handle);
}

const char *xenioemu_error(const struct xenioemu *handle)
{
	return handle->error;
}

int xenioemu_find_domain(struct xenioemu *handle, const char *domain,
			 unsigned int *domid)
{
	enter(handle);
	return leave(domain_find(&handle->store, domain, domid));
}

/* The words of @text, all optional. */
static bool parse_controller(struct controller *ctrl, const char *text,
			     char **serial)
{
	char *model = NULL, *slot = NULL, *devid = NULL;
	const struct pair pairs[] = {
		{ "model", "model=nvme", &model },
		{ "slot", "slot=NUMBER", &slot },
		{ "serial", "serial=TEXT", serial },
		{ "devid", "devid=NUMBER", &devid },
		{ }
	};
	bool ok = !text || pairs_parse("controller", text, pairs);

	ctrl->model = controller_model("model", model ? model : "nvme");
	ctrl->have_slot = slot;
	ctrl->have_devid = devid;
	ok = ok && ctrl->model &&
	     (!slot || parse_option("slot", "a PCI device number", slot,
				    SLOT_MIN, SLOT_MAX, &ctrl->slot)) &&
	     (!devid || parse_option("devid", "a device number", devid, 0,
				     DEVID_MAX, &ctrl->devid)) &&
	     (!*serial || serial_check("serial", *serial));
	ctrl->serial = *serial;
	free(model);
	free(slot);
	free(devid);
	return ok;
}

static bool parse_disks(struct controller *ctrl, const char *const disks[])
{
	for (; *disks; disks++) {
		if (ctrl->nr_disks == DISKS_MAX) {
			complain("too many disks; accepted: 1 to %d",
				 DISKS_MAX);
			return false;
		}
		if (!disk_parse("disk", &ctrl->disks[ctrl->nr_disks], *disks))
			return false;
		ctrl->nr_disks++;
	}
	if (!ctrl->nr_disks)
		complain("a controller has 1 to %d disks", DISKS_MAX);
	return ctrl->nr_disks;
}

int xenioemu_attach(struct xenioemu *handle, unsigned int domid,
		    const char *controller, const char *const disks[],
		    unsigned int timeout, unsigned int *devid)
{
	struct controller ctrl = { .domid = domid };
	enum tool_status status = TOOL_USAGE;
	char *serial = NULL;
	unsigned int i;

	enter(handle);
	if (!parse_controller(&ctrl, controller, &serial) ||
	    !parse_disks(&ctrl, disks))
		goto out;
	if (!domain_exists(&handle->store, domid)) {
		complain("there is no domain %u", domid);
		status = TOOL_NOT_FOUND;
		goto out;
	}
	status = controller_prepare(&ctrl, &handle->store, 0);
	if (status == TOOL_OK)
		status = controller_attach(&ctrl, &handle->store, timeout);
	if (status == TOOL_OK)
		*devid = ctrl.dev.devid;
out:
	for (i = 0; i < ctrl.nr_disks; i++)
		disk_free(&ctrl.disks[i]);
	free(serial);
	return leave(status);
}

static enum tool_status find_disk(struct xenioemu *handle, unsigned int domid,
				  unsigned int devid, const unsigned int *index,
				  struct device *dev)
{
	device_init(dev, 0, domid, devid);
	if (!store_exists(&handle->store, "%s", dev->backend)) {
		complain("domain %u has no device %u", domid, devid);
		return TOOL_NOT_FOUND;
	}
	if (index && !store_exists(&handle->store, "%s/disk/%u", dev->backend,
				   *index)) {
		complain("device %u of domain %u has no disk %u", devid, domid,
			 *index);
		return TOOL_NOT_FOUND;
	}
	return TOOL_OK;
}

int xenioemu_detach(struct xenioemu *handle, unsigned int domid,
		    unsigned int devid, int force, unsigned int timeout)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, NULL, &dev);
	if (status == TOOL_OK && !force)
		status = controller_close(&dev, &handle->store, timeout);
	if (status == TOOL_OK)
		status = device_remove(&handle->store, &dev);
	return leave(status);
}

int xenioemu_attach_disk(struct xenioemu *handle, unsigned int domid,
			 unsigned int devid, const char *disk,
			 unsigned int timeout, unsigned int *index)
{
	enum tool_status status = TOOL_USAGE;
	struct disk parsed;
	struct device dev;

	enter(handle);
	if (!disk_parse("disk", &parsed, disk))
		return leave(status);
	status = find_disk(handle, domid, devid, NULL, &dev);
	*index = 0;
	if (status == TOOL_OK)
		status = hotplug_add(&handle->store, &dev, &parsed, false,
				     index, timeout);
	disk_free(&parsed);
	return leave(status);
}

int xenioemu_detach_disk(struct xenioemu *handle, unsigned int domid,
			 unsigned int devid, unsigned int index,
			 unsigned int timeout)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		status = hotplug_remove(&handle->store, &dev, index, timeout);
	return leave(status);
}

int xenioemu_limit(struct xenioemu *handle, unsigned int domid,
		   unsigned int devid, unsigned int index, uint64_t iops,
		   uint64_t bw)
{
	char iops_text[24], bw_text[24];
	enum tool_status status;
	struct device dev;

	enter(handle);
	snprintf(iops_text, sizeof(iops_text), "%" PRIu64, iops);
	snprintf(bw_text, sizeof(bw_text), "%" PRIu64, bw);
	status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		status = hotplug_limit(&handle->store, &dev, index,
				       iops == XENIOEMU_KEEP ? NULL : iops_text,
				       bw == XENIOEMU_KEEP ? NULL : bw_text);
	return leave(status);
}

static enum tool_status read_counter(const struct device *dev,
				     unsigned int index, const char *name,
				     uint64_t *value)
{
	struct counters counters;
	unsigned int i;

	if (!counters_read(dev, index, &counters)) {
		complain_no_counters(dev, index);
		return TOOL_FAILED;
	}
	for (i = 0; i < COUNTERS; i++) {
		if (strcmp(counter_info[i].name, name) != 0 ||
		    !(counters.have & 1U << i))
			continue;
		*value = counters.value[i];
		return TOOL_OK;
	}
	complain("there is no counter '%s'", name);
	return TOOL_NOT_FOUND;
}

int xenioemu_counter(struct xenioemu *handle, unsigned int domid,
		     unsigned int devid, unsigned int index, const char *name,
		     uint64_t *value)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		status = read_counter(&dev, index, name, value);
	return leave(status);
}
