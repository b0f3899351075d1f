// SPDX-License-Identifier: GPL-2.0
/*
 * What the toolstack wants a controller to be: each key is read, checked and, where
 * it is wrong, named with its value and what is accepted.
 */

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/xenbus.h>

#include "config.h"
#include "node.h"
#include "xenstore.h"

/* Device numbers 0 to 2 are the host bridge, the ISA bridge and Xen's own. */
#define SLOT_MIN	3
#define SLOT_MAX	31

/* Hexadecimal digits of the domain's UUID in serial numbers */
#define UUID_DIGITS	12

static const struct ioemu_model *const models[] = {
	&ioemu_nvme_model,
};

/* A key's value, or NULL; *err is set unless the key is simply missing. */
static char *config_read(const struct ioemu_node *node, const char *owner,
			 const char *key, int *err)
{
	char *value = ioemu_node_read(node, owner, key);

	if (!IS_ERR(value))
		return value;
	if (PTR_ERR(value) != -ENOENT)
		*err = ioemu_node_fail(node, PTR_ERR(value),
				       "%s%s: cannot be read", owner, key);
	return NULL;
}

static int config_read_model(const struct ioemu_node *node,
			     struct ioemu_config *cfg)
{
	char accepted[64] = "";
	unsigned int i;
	char *value;
	int err = 0;

	value = config_read(node, "", "model", &err);
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(models); i++) {
		if (value && !strcmp(value, models[i]->name))
			cfg->model = models[i];
		if (i)
			strlcat(accepted, ", ", sizeof(accepted));
		strlcat(accepted, models[i]->name, sizeof(accepted));
	}
	if (!cfg->model)
		err = ioemu_node_fail(node, -EINVAL,
				      "model: \"%s\" is not known, accepted: %s",
				      value ?: "", accepted);
	kfree(value);
	return err;
}

static int config_read_slot(const struct ioemu_node *node,
			    struct ioemu_config *cfg)
{
	char *value;
	int err = 0;

	value = config_read(node, "", "slot", &err);
	if (err)
		return err;
	if (!value || kstrtouint(value, 10, &cfg->slot) ||
	    cfg->slot < SLOT_MIN || cfg->slot > SLOT_MAX)
		err = ioemu_node_fail(node, -EINVAL,
				      "slot: \"%s\" is not a PCI device number, accepted: %u to %u",
				      value ?: "", SLOT_MIN, SLOT_MAX);
	kfree(value);
	return err;
}

static bool serial_ok(const char *serial)
{
	size_t len = strlen(serial);

	if (!len || len > IOEMU_CONFIG_SERIAL_MAX)
		return false;
	for (; *serial; serial++)
		if (!isascii(*serial) || !isprint(*serial))
			return false;
	return true;
}

/* Read a serial number; @serial keeps its default where there is none. */
static int config_read_serial(const struct ioemu_node *node, const char *owner,
			      char *serial)
{
	char *value;
	int err = 0;

	value = config_read(node, owner, "serial", &err);
	if (!value)
		return err;
	if (serial_ok(value))
		strscpy(serial, value, IOEMU_CONFIG_SERIAL_MAX + 1);
	else
		err = ioemu_node_fail(node, -EINVAL,
				      "%sserial: \"%s\", accepted: 1 to %u printable ASCII characters",
				      owner, value, IOEMU_CONFIG_SERIAL_MAX);
	kfree(value);
	return err;
}

/* The first digits of the domain's UUID. */
static void config_uuid_digits(const struct ioemu_node *node, char *digits)
{
	char path[32];
	const char *p;
	char *vm;
	int n = 0;

	snprintf(path, sizeof(path), "/local/domain/%d",
		 node->xdev->otherend_id);
	vm = ioemu_xs_read(path, "vm");
	if (!IS_ERR(vm)) {
		for (p = kbasename(vm); *p && n < UUID_DIGITS; p++)
			if (isxdigit(*p))
				digits[n++] = *p;
		kfree(vm);
	}
	digits[n] = '\0';
}

/* Read a limit, 0 where there is none. */
static int config_read_limit(const struct ioemu_node *node, const char *owner,
			     const char *key, u64 *limit)
{
	char *value;
	int err = 0;

	*limit = 0;
	value = config_read(node, owner, key, &err);
	if (!value)
		return err;
	if (kstrtou64(value, 10, limit))
		err = ioemu_node_fail(node, -EINVAL,
				      "%s%s: \"%s\", accepted: a number, 0 for no limit",
				      owner, key, value);
	kfree(value);
	return err;
}

int ioemu_config_read_limits(const struct ioemu_node *node, unsigned int index,
			     struct ioemu_disk_config *disk)
{
	char owner[IOEMU_NODE_OWNER_SIZE];
	int err;

	ioemu_node_owner(owner, index);
	err = config_read_limit(node, owner, "iops-limit", &disk->iops);
	if (err)
		return err;
	return config_read_limit(node, owner, "bw-limit", &disk->bytes);
}

/* A disk has one name: digits, without what kstrtouint() takes besides. */
bool ioemu_config_disk_number(const char *name, unsigned int *index)
{
	return isdigit(name[0]) && (name[0] != '0' || !name[1]) &&
	       !kstrtouint(name, 10, index) && *index < IOEMU_MAX_DISKS;
}

static int config_read_disk(const struct ioemu_node *node, unsigned int index,
			    const char *digits, struct ioemu_disk_config *disk)
{
	char owner[IOEMU_NODE_OWNER_SIZE];
	int err = 0;
	char *mode;

	ioemu_node_owner(owner, index);

	disk->path = config_read(node, owner, "params", &err);
	if (err)
		return err;
	if (!disk->path || disk->path[0] != '/')
		return ioemu_node_fail(node, -EINVAL,
				       "%sparams: \"%s\", accepted: the absolute path of a block device",
				       owner, disk->path ?: "");

	mode = config_read(node, owner, "mode", &err);
	disk->read_only = mode && !strcmp(mode, "r");
	if (mode && !disk->read_only && strcmp(mode, "w"))
		err = ioemu_node_fail(node, -EINVAL,
				      "%smode: \"%s\", accepted: r, w", owner,
				      mode);
	kfree(mode);
	if (err)
		return err;

	snprintf(disk->serial, sizeof(disk->serial), "%s-%.4s.%u", digits,
		 kbasename(node->xdev->nodename), index);
	err = config_read_serial(node, owner, disk->serial);
	if (err)
		return err;
	return ioemu_config_read_limits(node, index, disk);
}

int ioemu_config_read_disk(const struct ioemu_node *node, unsigned int index,
			   struct ioemu_disk_config *disk)
{
	char digits[UUID_DIGITS + 1];

	config_uuid_digits(node, digits);
	return config_read_disk(node, index, digits, disk);
}

static int config_read_disks(const struct ioemu_node *node, const char *digits,
			     struct ioemu_disk_config *disks)
{
	unsigned int i, n, index;
	char **names;
	int err = 0;

	names = ioemu_xs_directory(node->xdev->nodename, "disk", &n);
	if (IS_ERR(names) || !n) {
		if (!IS_ERR(names))
			kfree(names);
		return ioemu_node_fail(node, -EINVAL,
				       "disk: none given, accepted: disk/0/params to disk/%u/params",
				       IOEMU_MAX_DISKS - 1);
	}
	for (i = 0; i < n && !err; i++) {
		if (ioemu_config_disk_number(names[i], &index))
			err = config_read_disk(node, index, digits,
					       &disks[index]);
		else
			err = ioemu_node_fail(node, -EINVAL,
					      "disk/%s: not a disk number, accepted: 0 to %u",
					      names[i], IOEMU_MAX_DISKS - 1);
	}
	kfree(names);
	return err;
}

static int config_read_all(const struct ioemu_node *node,
			   struct ioemu_config *cfg)
{
	const char *devid = kbasename(node->xdev->nodename);
	char digits[UUID_DIGITS + 1];
	int err;

	err = config_read_model(node, cfg);
	if (err)
		return err;
	err = config_read_slot(node, cfg);
	if (err)
		return err;
	config_uuid_digits(node, digits);
	snprintf(cfg->serial, sizeof(cfg->serial), "%s-%.7s", digits, devid);
	err = config_read_serial(node, "", cfg->serial);
	if (err)
		return err;
	return config_read_disks(node, digits, cfg->disks);
}

struct ioemu_config *ioemu_config_read(const struct ioemu_node *node)
{
	struct ioemu_config *cfg;
	int err;

	cfg = kzalloc(sizeof(*cfg), GFP_KERNEL);
	if (!cfg)
		return ERR_PTR(ioemu_node_fail(node, -ENOMEM, "out of memory"));
	err = config_read_all(node, cfg);
	if (!err)
		return cfg;
	ioemu_config_free(cfg);
	return ERR_PTR(err);
}

void ioemu_config_free(struct ioemu_config *cfg)
{
	unsigned int i;

	for (i = 0; i < IOEMU_MAX_DISKS; i++)
		kfree(cfg->disks[i].path);
	kfree(cfg);
}
