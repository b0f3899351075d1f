// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of controllers and disks.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "info.h"
#include "loop.h"

const struct info_key controller_keys[] = {
	{ .name = "name" },
	{ .name = "model" },
	{ .name = "slot", .number = true, .nullable = true },
	{ .name = "serial" },
	{ .name = "state" },
	{ .name = "error" },
	{ }
};

const struct info_key disk_keys[] = {
	{ .name = "params" },
	{ .name = "file" },
	{ .name = "mode" },
	{ .name = "serial" },
	{ .name = "iops-limit", .number = true },
	{ .name = "bw-limit", .number = true },
	{ .name = "status" },
	{ .name = "error" },
	{ .name = "bytes", .number = true, .nullable = true },
	{ }
};

const struct info_key *info_key(const struct info_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return keys;
	complain("there is no key '%s'", name);
	return NULL;
}

static enum tool_status complain_no_device(const struct device *dev)
{
	complain("domain %u has no device %u; see xen-ioemu list", dev->domid,
		 dev->devid);
	return TOOL_NOT_FOUND;
}

enum tool_status device_find(struct store *store, unsigned int backend_id,
			     unsigned int domid, unsigned int devid,
			     const unsigned int *index, struct device *dev)
{
	bool there;

	device_init(dev, backend_id, domid, devid);
	there = store_exists(store, "%s", dev->backend);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (!there)
		return complain_no_device(dev);
	there = !index || store_exists(store, "%s/disk/%u", dev->backend,
				       *index);
	if (!store_settle(store))
		return TOOL_FAILED;
	if (there)
		return TOOL_OK;
	complain("device %u of domain %u has no disk %u; see xen-ioemu list",
		 devid, domid, *index);
	return TOOL_NOT_FOUND;
}

static bool has_frontend(struct store *store, const struct device *dev)
{
	char *backend = store_read(store, "%s/backend", dev->frontend);
	bool has = backend ? !strcmp(backend, dev->backend) :
			     store_exists(store, "%s", dev->frontend);

	free(backend);
	return has;
}

enum tool_status device_find_part(struct store *store, unsigned int backend_id,
				  unsigned int domid, unsigned int devid,
				  struct device *dev)
{
	bool there;

	device_init(dev, backend_id, domid, devid);
	there = store_exists(store, "%s", dev->backend) ||
		has_frontend(store, dev);
	if (!store_settle(store))
		return TOOL_FAILED;
	return there ? TOOL_OK : complain_no_device(dev);
}

static enum tool_status count_devices(struct store *store,
				      unsigned int backend_id,
				      unsigned int domid, unsigned int *n)
{
	bool known = domain_exists(store, domid);

	free(device_ids(store, backend_id, domid, n));
	if (!store_settle(store))
		return TOOL_FAILED;
	if (known || *n)
		return TOOL_OK;
	complain("there is no domain %u", domid);
	return TOOL_NOT_FOUND;
}

enum tool_status domain_known(struct store *store, unsigned int backend_id,
			      unsigned int domid)
{
	unsigned int n;

	return count_devices(store, backend_id, domid, &n);
}

enum tool_status domain_look_at(struct store *store, unsigned int backend_id,
				unsigned int domid)
{
	enum tool_status status;
	unsigned int n;

	status = count_devices(store, backend_id, domid, &n);
	if (status == TOOL_OK && !n)
		complain("domain %u has no emulated controller", domid);
	return status;
}

unsigned int *device_ids(struct store *store, unsigned int backend_id,
			 unsigned int domid, unsigned int *n)
{
	return store_list_numbers(store, n,
				  "/local/domain/%u/backend/" DEVICE_TYPE "/%u",
				  backend_id, domid);
}

unsigned int *device_domains(struct store *store, unsigned int backend_id,
			     unsigned int *n)
{
	return store_list_numbers(store, n,
				  "/local/domain/%u/backend/" DEVICE_TYPE,
				  backend_id);
}

unsigned int *device_disks(struct store *store, const struct device *dev,
			   unsigned int *n)
{
	return store_list_numbers(store, n, "%s/disk", dev->backend);
}

char *controller_value(struct store *store, const struct device *dev,
		       const char *key)
{
	if (!strcmp(key, "name"))
		return domain_name(store, dev->domid);
	if (!strcmp(key, "state"))
		return copy_text(device_state_name(device_state(store, dev)));
	if (!strcmp(key, "error"))
		return device_error(store, dev);
	return store_read(store, "%s/%s", dev->backend, key);
}

static char *disk_bytes(const char *params)
{
	char text[24];
	uint64_t bytes;

	if (!device_bytes(params, &bytes))
		return NULL;
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	return copy_text(text);
}

char *disk_value(struct store *store, const struct device *dev,
		 unsigned int index, const char *key)
{
	bool file = !strcmp(key, "file"), bytes = !strcmp(key, "bytes");
	const char *prefix = "";
	char *params, *value;

	if (file || bytes) {
		/* A driver in another domain has its own /dev. */
		if (!device_is_local(store, dev))
			return NULL;
		params = store_read(store, "%s/disk/%u/params", dev->backend,
				    index);
		if (!params)
			return NULL;
		value = file ? loop_file(params) : disk_bytes(params);
		free(params);
		return value;
	}
	if (!strcmp(key, "status") || !strcmp(key, "error"))
		prefix = "hotplug-";
	return store_read(store, "%s/disk/%u/%s%s", dev->backend, index, prefix,
			  key);
}
