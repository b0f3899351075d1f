// SPDX-License-Identifier: GPL-2.0
/*
 * libxenioemu: what xenioemu.h promises, made of what the tool is made of.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "counters.h"
#include "domain.h"
#include "hotplug.h"
#include "info.h"
#include "xenioemu.h"

/**
 * struct xenioemu - a handle
 * @store: connection
 * @memory: there was not enough
 * @error: what went wrong last
 */
struct xenioemu {
	struct store store;
	bool memory;
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
	if (!strcmp(line, OUT_OF_MEMORY))
		current->memory = true;
}

static void enter(struct xenioemu *handle)
{
	handle->error[0] = '\0';
	handle->memory = false;
	handle->store.trouble = 0;
	current = handle;
	complain_to(to_handle);
}

/* What could not be read, or copied, is neither absent nor wrong. */
static int leave(enum tool_status status)
{
	struct xenioemu *handle = current;

	if (!store_settle(&handle->store) || handle->memory)
		status = TOOL_FAILED;
	if (status == TOOL_OK)
		handle->error[0] = '\0';
	complain_to(NULL);
	current = NULL;
	return status;
}

struct xenioemu *xenioemu_open(void)
{
	struct xenioemu *handle = calloc(1, sizeof(*handle));
	bool ok;
	int err;

	if (!handle)
		return NULL;
	enter(handle);
	ok = store_open(&handle->store);
	handle->store.leave_signals = true;
	err = errno;
	leave(TOOL_OK);
	if (ok)
		return handle;
	free(handle);
	errno = err;
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
	for (; *disks; disks++)
		if (!controller_add_disk(ctrl, "disk", *disks))
			return false;
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
	status = controller_check_domain(&ctrl, &handle->store);
	if (status == TOOL_OK)
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
	return device_find(&handle->store, 0, domid, devid, index, dev);
}

int xenioemu_detach(struct xenioemu *handle, unsigned int domid,
		    unsigned int devid, int force, unsigned int timeout)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = device_find_part(&handle->store, 0, domid, devid, &dev);
	if (status == TOOL_OK && !force)
		status = controller_close(&dev, &handle->store, timeout);
	if (status == TOOL_OK)
		status = device_remove(&handle->store, &dev);
	return leave(status);
}

static int attach_disk(struct xenioemu *handle, unsigned int domid,
		       unsigned int devid, const char *disk,
		       unsigned int timeout, bool have_index,
		       unsigned int *index)
{
	enum tool_status status = TOOL_USAGE;
	struct disk parsed;
	struct device dev;

	enter(handle);
	if (!disk_parse("disk", &parsed, disk))
		return leave(status);
	status = find_disk(handle, domid, devid, NULL, &dev);
	if (status == TOOL_OK)
		status = hotplug_add(&handle->store, &dev, &parsed, have_index,
				     index, timeout);
	disk_free(&parsed);
	return leave(status);
}

int xenioemu_attach_disk(struct xenioemu *handle, unsigned int domid,
			 unsigned int devid, const char *disk,
			 unsigned int timeout, unsigned int *index)
{
	*index = 0;
	return attach_disk(handle, domid, devid, disk, timeout, false, index);
}

int xenioemu_attach_disk_at(struct xenioemu *handle, unsigned int domid,
			    unsigned int devid, unsigned int index,
			    const char *disk, unsigned int timeout)
{
	if (index < DISKS_MAX)
		return attach_disk(handle, domid, devid, disk, timeout, true,
				   &index);
	enter(handle);
	complain("index: %u is not a disk number; accepted: 0 to %d", index,
		 DISKS_MAX - 1);
	return leave(TOOL_USAGE);
}

int xenioemu_detach_disk(struct xenioemu *handle, unsigned int domid,
			 unsigned int devid, unsigned int index,
			 unsigned int timeout)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, NULL, &dev);
	if (status == TOOL_OK)
		status = hotplug_remove(&handle->store, &dev, index, timeout);
	return leave(status);
}

int xenioemu_limit(struct xenioemu *handle, unsigned int domid,
		   unsigned int devid, unsigned int index, uint64_t iops,
		   uint64_t bw)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		status = hotplug_limit(&handle->store, &dev, index,
				       iops == XENIOEMU_KEEP ? NULL : &iops,
				       bw == XENIOEMU_KEEP ? NULL : &bw);
	return leave(status);
}

int xenioemu_limits(struct xenioemu *handle, unsigned int domid,
		    unsigned int devid, unsigned int index, uint64_t *iops,
		    uint64_t *bw)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		status = hotplug_limits(&handle->store, &dev, index, iops, bw);
	return leave(status);
}

int xenioemu_resize(struct xenioemu *handle, unsigned int domid,
		    unsigned int devid, unsigned int index, uint64_t size,
		    int shrink, uint64_t *bytes)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		status = hotplug_resize(&handle->store, &dev, index,
					size == XENIOEMU_KEEP ? NULL : &size,
					shrink, bytes);
	return leave(status);
}

void xenioemu_free(void *p)
{
	free(p);
}

/* One domain more in an array that grows. */
static bool list_domain(struct xenioemu *handle, unsigned int domid,
			struct xenioemu_controller **list, unsigned int *n)
{
	struct xenioemu_controller *longer;
	unsigned int *devids, nr, i;

	devids = device_ids(&handle->store, 0, domid, &nr);
	if (!nr)
		return true;
	longer = reallocarray(*list, *n + nr, sizeof(*longer));
	if (!longer) {
		complain(OUT_OF_MEMORY);
		free(devids);
		return false;
	}
	for (i = 0; i < nr; i++)
		longer[(*n)++] = (struct xenioemu_controller) {
			.domid = domid, .devid = devids[i],
		};
	*list = longer;
	free(devids);
	return true;
}

int xenioemu_list(struct xenioemu *handle, unsigned int domid,
		  struct xenioemu_controller **controllers, unsigned int *n)
{
	struct xenioemu_controller *list = NULL;
	unsigned int *domids = NULL, nr = 1, count = 0, i;
	bool all = domid == XENIOEMU_ALL;
	bool ok = true;
	int status;

	*controllers = NULL;
	*n = 0;
	enter(handle);
	if (all)
		domids = device_domains(&handle->store, 0, &nr);
	for (i = 0; i < nr && ok; i++)
		ok = list_domain(handle, all ? domids[i] : domid, &list,
				 &count);
	free(domids);
	status = leave(ok ? TOOL_OK : TOOL_FAILED);
	if (status == XENIOEMU_OK) {
		*controllers = list;
		*n = count;
	} else {
		free(list);
	}
	return status;
}

int xenioemu_list_disks(struct xenioemu *handle, unsigned int domid,
			unsigned int devid, unsigned int **indices,
			unsigned int *n)
{
	struct device dev;
	int status;

	*indices = NULL;
	*n = 0;
	enter(handle);
	status = find_disk(handle, domid, devid, NULL, &dev);
	if (status == TOOL_OK)
		*indices = device_disks(&handle->store, &dev, n);
	status = leave(status);
	if (status != XENIOEMU_OK) {
		free(*indices);
		*indices = NULL;
		*n = 0;
	}
	return status;
}

/* The common end of what reads a value. */
static int leave_value(enum tool_status status, char *found, char **value)
{
	int ret = leave(status);

	if (ret != XENIOEMU_OK) {
		free(found);
		found = NULL;
	}
	*value = found;
	return ret;
}

int xenioemu_controller_value(struct xenioemu *handle, unsigned int domid,
			      unsigned int devid, const char *key,
			      char **value)
{
	enum tool_status status = TOOL_USAGE;
	char *found = NULL;
	struct device dev;

	enter(handle);
	if (info_key(controller_keys, key))
		status = find_disk(handle, domid, devid, NULL, &dev);
	if (status == TOOL_OK)
		found = controller_value(&handle->store, &dev, key);
	return leave_value(status, found, value);
}

int xenioemu_disk_value(struct xenioemu *handle, unsigned int domid,
			unsigned int devid, unsigned int index,
			const char *key, char **value)
{
	enum tool_status status = TOOL_USAGE;
	char *found = NULL;
	struct device dev;

	enter(handle);
	if (info_key(disk_keys, key))
		status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		found = disk_value(&handle->store, &dev, index, key);
	return leave_value(status, found, value);
}

/* Does the driver run, and count, in this domain? */
static enum tool_status check_local(struct store *store,
				    const struct device *dev)
{
	bool local = device_is_local(store, dev);

	if (!store_settle(store))
		return TOOL_FAILED;
	if (local)
		return TOOL_OK;
	complain("the driver does not run in this domain");
	return TOOL_FAILED;
}

static enum tool_status pick(const struct counter_info *info, unsigned int n,
			     const uint64_t *values, uint32_t have,
			     const char *name, uint64_t *value)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (strcmp(info[i].name, name) != 0 || !(have & 1U << i))
			continue;
		*value = values[i];
		return TOOL_OK;
	}
	complain("there is no counter '%s'", name);
	return TOOL_NOT_FOUND;
}

static enum tool_status read_counter(struct store *store,
				     const struct device *dev,
				     unsigned int index, const char *name,
				     uint64_t *value)
{
	enum tool_status status = check_local(store, dev);
	struct counters counters;

	if (status != TOOL_OK)
		return status;
	if (!counters_read(dev, index, &counters)) {
		complain_no_counters(dev, index);
		return TOOL_FAILED;
	}
	return pick(counter_info, COUNTERS, counters.value, counters.have, name,
		    value);
}

static enum tool_status read_exits(struct store *store,
				   const struct device *dev, const char *name,
				   uint64_t *value)
{
	enum tool_status status = check_local(store, dev);
	struct exits exits;

	if (status != TOOL_OK)
		return status;
	if (!exits_read(dev, &exits)) {
		complain("domain %u device %u has no statistics: is it connected (xen-ioemu list), and is the driver new enough?",
			 dev->domid, dev->devid);
		return TOOL_FAILED;
	}
	return pick(exit_info, EXITS, exits.value, UINT32_MAX, name, value);
}

static enum tool_status read_histogram(struct store *store,
				       const struct device *dev,
				       unsigned int index, const char *stage,
				       uint64_t *counts, uint64_t *sum)
{
	enum tool_status status = check_local(store, dev);
	struct latencies latencies;
	unsigned int i;

	if (status != TOOL_OK)
		return status;
	if (!latencies_read(dev, index, &latencies)) {
		complain_no_counters(dev, index);
		return TOOL_FAILED;
	}
	for (i = 0; i < latencies.n; i++) {
		if (strcmp(latencies.stage[i], stage) != 0)
			continue;
		memcpy(counts, latencies.count[i], sizeof(latencies.count[i]));
		*sum = latencies.have_sum ? latencies.sum[i] : UINT64_MAX;
		return TOOL_OK;
	}
	complain("there is no stage '%s'", stage);
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
		status = read_counter(&handle->store, &dev, index, name, value);
	return leave(status);
}

int xenioemu_controller_counter(struct xenioemu *handle, unsigned int domid,
				unsigned int devid, const char *name,
				uint64_t *value)
{
	enum tool_status status;
	struct device dev;

	enter(handle);
	status = find_disk(handle, domid, devid, NULL, &dev);
	if (status == TOOL_OK)
		status = read_exits(&handle->store, &dev, name, value);
	return leave(status);
}

int xenioemu_histogram(struct xenioemu *handle, unsigned int domid,
		       unsigned int devid, unsigned int index,
		       const char *stage, uint64_t counts[XENIOEMU_BUCKETS],
		       uint64_t *sum)
{
	enum tool_status status;
	struct device dev;

	_Static_assert(XENIOEMU_BUCKETS == BUCKETS, "the size that callers have");
	enter(handle);
	status = find_disk(handle, domid, devid, &index, &dev);
	if (status == TOOL_OK)
		status = read_histogram(&handle->store, &dev, index, stage,
					counts, sum);
	return leave(status);
}
