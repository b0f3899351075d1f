// SPDX-License-Identifier: GPL-2.0
/*
 * Changing the disks of a controller that is connected.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "hotplug.h"
#include "info.h"
#include "loop.h"

/* What write_disk() needs within a transaction. */
struct addition {
	const struct device *dev;
	const struct disk *disk;
	bool have_index;
	unsigned int index;
};

static bool index_taken(struct store *store, const struct device *dev,
			unsigned int index)
{
	return store_exists(store, "%s/disk/%u", dev->backend, index);
}

static enum tool_status complain_state(const struct device *dev,
				       enum device_state state)
{
	complain("device %u of domain %u is not connected, its state is %s",
		 dev->devid, dev->domid, device_state_name(state));
	return TOOL_FAILED;
}

static enum tool_status write_disk(struct store *store, void *arg)
{
	struct addition *add = arg;
	enum device_state state = device_state(store, add->dev);
	unsigned int index = add->have_index ? add->index : 0;
	bool taken = index_taken(store, add->dev, index);

	while (!add->have_index && taken && ++index < DISKS_MAX)
		taken = index_taken(store, add->dev, index);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (state != DEVICE_CONNECTED)
		return complain_state(add->dev, state);
	if (index == DISKS_MAX) {
		complain("device %u of domain %u has %d disks already, which is all that it can have",
			 add->dev->devid, add->dev->domid, DISKS_MAX);
		return TOOL_FAILED;
	}
	if (taken) {
		complain("--index: device %u of domain %u has a disk %u already",
			 add->dev->devid, add->dev->domid, index);
		return TOOL_FAILED;
	}
	add->index = index;
	return disk_write(store, add->dev, index, add->disk) ? TOOL_OK :
							       TOOL_FAILED;
}

static enum tool_status report_refusal(struct store *store,
				       const struct device *dev,
				       unsigned int index)
{
	char *text = store_read(store, "%s/disk/%u/hotplug-error",
				dev->backend, index);

	complain("the driver refused the disk: %s",
		 text ? text : "no reason given; see the kernel's log");
	free(text);
	return TOOL_FAILED;
}

/* TOOL_TIMEOUT while the driver may still answer. */
static enum tool_status look_added(struct store *store,
				   const struct device *dev, unsigned int index)
{
	char *word = store_read(store, "%s/disk/%u/hotplug-status",
				dev->backend, index);
	bool connected = word && !strcmp(word, "connected");
	bool refused = word && !strcmp(word, "error");
	enum device_state state = device_state(store, dev);
	bool there = store_exists(store, "%s", dev->backend);
	bool disk = store_exists(store, "%s/disk/%u/params", dev->backend,
				 index);

	free(word);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (connected)
		return TOOL_OK;
	if (refused)
		return report_refusal(store, dev, index);
	if (there && state != DEVICE_CONNECTED)
		return complain_state(dev, state);
	if (there && disk)
		return TOOL_TIMEOUT;
	complain("somebody removed the %s meanwhile", there ? "disk" : "device");
	return TOOL_FAILED;
}

static enum tool_status wait_added(struct store *store,
				   const struct device *dev,
				   unsigned int index, struct store_wait *wait,
				   unsigned int timeout)
{
	enum tool_status status;

	for (;;) {
		status = look_added(store, dev, index);
		if (status != TOOL_TIMEOUT)
			return status;
		status = store_wait_next(wait);
		if (status == TOOL_TIMEOUT)
			complain("the driver did not take the disk within %u s: is it too old to add disks?",
				 timeout);
		if (status != TOOL_OK)
			return status;
	}
}

static bool remove_disk(struct store *store, const struct device *dev,
			unsigned int index)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/disk/%u", dev->backend, index);
	return store_remove(store, path);
}

enum tool_status hotplug_add(struct store *store, const struct device *dev,
			     struct disk *disk, bool have_index,
			     unsigned int *index, unsigned int timeout)
{
	struct addition add = {
		.dev = dev,
		.disk = disk,
		.have_index = have_index,
		.index = *index,
	};
	enum tool_status status = TOOL_OK;
	struct store_wait wait;

	if (device_is_local(store, dev))
		status = disk_prepare(disk, store, dev->backend_id, 0);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (status != TOOL_OK)
		return status;
	if (!store_wait_begin(&wait, store, dev->backend, timeout))
		return TOOL_FAILED;
	status = store_transaction(store, write_disk, &add);
	if (status == TOOL_OK) {
		*index = add.index;
		status = wait_added(store, dev, *index, &wait, timeout);
		if (status != TOOL_OK)
			remove_disk(store, dev, *index);
	}
	store_wait_end(&wait);
	return status;
}

static bool in_sysfs(const struct device *dev, unsigned int index)
{
	return host_exists("/sys/bus/xen-backend/devices/" DEVICE_TYPE "-%u-%u/disk%u",
			   dev->domid, dev->devid, index);
}

/* The nodes are gone by then, so only sysfs tells. */
static enum tool_status wait_removed(const struct device *dev,
				     unsigned int index, unsigned int timeout)
{
	struct timespec ts = { .tv_nsec = 50000000 };
	uint64_t i;

	for (i = 0; i < timeout * 20ULL; i++) {
		if (!in_sysfs(dev, index))
			return TOOL_OK;
		nanosleep(&ts, NULL);
	}
	complain("the driver still has the disk after %u s: requests in the block layer have not ended; the same command waits on",
		 timeout);
	return TOOL_TIMEOUT;
}

/* What the functions below need within a transaction. */
struct change {
	const struct device *dev;
	unsigned int index;
	const uint64_t *iops;
	const uint64_t *bw;
};

/* Within a transaction: the disk that is to change has not gone meanwhile. */
static enum tool_status disk_is_there(struct store *store,
				      const struct change *change)
{
	const struct device *dev = change->dev;
	struct device same;

	return device_find(store, dev->backend_id, dev->domid, dev->devid,
			   &change->index, &same);
}

/* Two who remove a disk each must not both find another one. */
static enum tool_status remove_one(struct store *store, void *arg)
{
	const struct change *change = arg;
	const struct device *dev = change->dev;
	enum tool_status status = disk_is_there(store, change);
	unsigned int *indices, n;

	if (status != TOOL_OK)
		return status;
	indices = device_disks(store, dev, &n);
	free(indices);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (n < 2) {
		complain("disk %u is the last of device %u; xen-ioemu detach takes both away",
			 change->index, dev->devid);
		return TOOL_FAILED;
	}
	return remove_disk(store, dev, change->index) ? TOOL_OK : TOOL_FAILED;
}

enum tool_status hotplug_remove(struct store *store, const struct device *dev,
				unsigned int index, unsigned int timeout)
{
	struct change change = { .dev = dev, .index = index };
	enum tool_status status = TOOL_OK;
	bool local, leaving;

	local = device_is_local(store, dev);
	/* One that was removed, and not waited for to the end. */
	leaving = local && !index_taken(store, dev, index) &&
		  in_sysfs(dev, index);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (!leaving)
		status = store_transaction(store, remove_one, &change);
	if (status == TOOL_OK && local)
		status = wait_removed(dev, index, timeout);
	return status;
}

static bool write_limit(struct store *store, const struct device *dev,
			unsigned int index, const char *key,
			const uint64_t *value)
{
	char text[24];

	if (!value)
		return true;
	snprintf(text, sizeof(text), "%" PRIu64, *value);
	return store_write(store, text, "%s/disk/%u/%s", dev->backend, index,
			   key);
}

/* A disk that has gone meanwhile must not come back as its limits. */
static enum tool_status write_limits(struct store *store, void *arg)
{
	const struct change *change = arg;
	const struct device *dev = change->dev;
	enum device_state state = device_state(store, dev);
	enum tool_status status = disk_is_there(store, change);

	if (status != TOOL_OK)
		return status;
	if (state != DEVICE_CONNECTED)
		return complain_state(dev, state);
	if (write_limit(store, dev, change->index, "iops-limit", change->iops) &&
	    write_limit(store, dev, change->index, "bw-limit", change->bw))
		return TOOL_OK;
	return TOOL_FAILED;
}

enum tool_status hotplug_limit(struct store *store, const struct device *dev,
			       unsigned int index, const uint64_t *iops,
			       const uint64_t *bw)
{
	struct change change = {
		.dev = dev,
		.index = index,
		.iops = iops,
		.bw = bw,
	};

	return store_transaction(store, write_limits, &change);
}

static uint64_t read_limit(struct store *store, const struct device *dev,
			   unsigned int index, const char *key)
{
	char *text = disk_value(store, dev, index, key);
	uint64_t value = 0;

	if (text)
		parse_size(text, &value);
	free(text);
	return value;
}

enum tool_status hotplug_limits(struct store *store, const struct device *dev,
				unsigned int index, uint64_t *iops,
				uint64_t *bw)
{
	*iops = read_limit(store, dev, index, "iops-limit");
	*bw = read_limit(store, dev, index, "bw-limit");
	return store_settle(store) ? TOOL_OK : TOOL_FAILED;
}

static enum tool_status resize_file(int fd, const char *file, uint64_t size,
				    bool shrink)
{
	struct stat st;

	if (fstat(fd, &st)) {
		complain("%s: %s", file, strerror(errno));
		return TOOL_FAILED;
	}
	if (size % 512) {
		complain("SIZE: %" PRIu64 " is not a multiple of 512 bytes",
			 size);
		return TOOL_USAGE;
	}
	if (size < (uint64_t)st.st_size && !shrink) {
		complain("SIZE: %" PRIu64 " is less than the %" PRIu64 " bytes of %s; what lies beyond would be lost, --shrink allows it",
			 size, (uint64_t)st.st_size, file);
		return TOOL_USAGE;
	}
	if (ftruncate(fd, (off_t)size)) {
		complain("%s: %s", file, strerror(errno));
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

static enum tool_status resize_behind(const char *params, const char *file,
				      uint64_t size, bool shrink)
{
	int fd = loop_open_file(params, file);
	enum tool_status status;

	if (fd < 0)
		return TOOL_FAILED;
	status = resize_file(fd, file, size, shrink);
	close(fd);
	return status;
}

static enum tool_status resize(const char *params, const char *file,
			       const uint64_t *size, bool shrink,
			       uint64_t *bytes)
{
	enum tool_status status = TOOL_OK;

	if (size && !file) {
		complain("SIZE is for files, and %s is a device: change it with its own tool (lvextend and the like); the guest is told without this command",
			 params);
		return TOOL_USAGE;
	}
	if (size)
		status = resize_behind(params, file, *size, shrink);
	if (status == TOOL_OK && file && !loop_resize(params))
		status = TOOL_FAILED;
	if (status == TOOL_OK && !device_bytes(params, bytes)) {
		complain("%s: its size cannot be found out: %s", params,
			 strerror(errno));
		status = TOOL_FAILED;
	}
	return status;
}

enum tool_status hotplug_resize(struct store *store, const struct device *dev,
				unsigned int index, const uint64_t *size,
				bool shrink, uint64_t *bytes)
{
	enum tool_status status = TOOL_FAILED;
	char *params, *file;
	bool local;

	local = device_is_local(store, dev);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (!local) {
		complain("the disk is one of domain %u; resize it there",
			 dev->backend_id);
		return TOOL_USAGE;
	}
	params = store_read(store, "%s/disk/%u/params", dev->backend, index);
	if (!store_settle(store))
		goto out;
	if (!params) {
		complain("disk %u has no params", index);
		return TOOL_FAILED;
	}
	file = loop_file(params);
	status = resize(params, file, size, shrink, bytes);
	free(file);
out:
	free(params);
	return status;
}
