// SPDX-License-Identifier: GPL-2.0
/*
 * A disk as the command line and xenstore describe it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "image.h"
#include "loop.h"
#include "rival.h"
#include "tool.h"

#define CONVERT		"qemu-img convert -O raw OLD NEW"
#define PARAMS_MAX	1024	/* of a xenstore value, less than its limit */

void disk_pairs(struct disk *disk, struct pair *pairs)
{
	const struct pair keys[DISK_KEYS] = {
		{ "params", "params=PATH", &disk->params },
		{ "mode", "mode=r or mode=w", &disk->mode },
		{ "format", "format=raw", &disk->format },
		{ "serial", "serial=TEXT", &disk->serial },
		{ "iops-limit", "iops-limit=NUMBER", &disk->iops_limit },
		{ "bw-limit", "bw-limit=BYTES", &disk->bw_limit },
	};

	memcpy(pairs, keys, sizeof(keys));
}

void disk_free(struct disk *disk)
{
	if (disk->file)
		close(disk->loop_fd);
	free(disk->params);
	free(disk->mode);
	free(disk->format);
	free(disk->serial);
	free(disk->iops_limit);
	free(disk->bw_limit);
	free(disk->file);
	memset(disk, 0, sizeof(*disk));
}

void disk_bequeath(struct disk *disk)
{
	if (!disk->file)
		return;
	fcntl(disk->loop_fd, F_SETFD, 0);
	free(disk->file);
	disk->file = NULL;
}

bool serial_check(const char *option, const char *serial)
{
	size_t n = strlen(serial);

	if (n >= 1 && n <= SERIAL_MAX && is_printable(serial))
		return true;
	complain("%s: '%s' is not a serial number; accepted: 1 to %d printable ASCII characters",
		 option, serial, SERIAL_MAX);
	return false;
}

/* Replaces "2M" by "2097152". */
static bool complete_limit(const char *option, const char *key, char **text)
{
	char number[24];
	uint64_t value;

	if (!*text)
		return true;
	if (!parse_size(*text, &value)) {
		complain("%s: %s='%s'; accepted: a number, also with k, M or G (1024 each), 0 for no limit",
			 option, key, *text);
		return false;
	}
	snprintf(number, sizeof(number), "%" PRIu64, value);
	free(*text);
	*text = copy_text(number);
	return *text;
}

bool disk_complete(const char *option, struct disk *disk)
{
	struct pair pairs[DISK_KEYS + 1] = { };
	char where[128];

	disk_pairs(disk, pairs);
	if (!disk->params) {
		complain("%s: params= is missing; %s", option,
			 pairs_usage(pairs));
		return false;
	}
	if (disk->params[0] != '/' || strlen(disk->params) > PARAMS_MAX) {
		complain("%s: params='%s'; accepted: the absolute path of a block device or file, up to %d characters",
			 option, disk->params, PARAMS_MAX);
		return false;
	}
	if (!disk->mode)
		disk->mode = copy_text("w");
	if (!disk->mode)
		return false;
	if (strcmp(disk->mode, "r") != 0 && strcmp(disk->mode, "w") != 0) {
		complain("%s: mode='%s'; accepted: r (read only) or w (read and write)",
			 option, disk->mode);
		return false;
	}
	if (disk->format && strcmp(disk->format, "raw") != 0) {
		complain("%s: format='%s'; accepted: raw; convert it (" CONVERT ")",
			 option, disk->format);
		return false;
	}
	snprintf(where, sizeof(where), "%s: serial", option);
	if (disk->serial && !serial_check(where, disk->serial))
		return false;
	return complete_limit(option, "iops-limit", &disk->iops_limit) &&
	       complete_limit(option, "bw-limit", &disk->bw_limit);
}

bool disk_parse(const char *option, struct disk *disk, const char *text)
{
	struct pair pairs[DISK_KEYS + 1] = { };

	memset(disk, 0, sizeof(*disk));
	disk_pairs(disk, pairs);
	if (pairs_parse(option, text, pairs) && disk_complete(option, disk))
		return true;
	disk_free(disk);
	return false;
}

/*
 * The guest would see the format instead of the disk, and destroy it. It can only
 * write the like to its own raw disk, which is refused until somebody says so.
 */
static bool is_raw(const struct disk *disk)
{
	const char *format = disk->format ? NULL : image_format(disk->params);

	if (!format)
		return true;
	complain("params='%s' is a %s image, which the guest would see as it is; convert it (" CONVERT "), or say format=raw if only its data look like that",
		 disk->params, format);
	return false;
}

static enum tool_status prepare_file(struct disk *disk, long long until)
{
	char *device;

	if (!is_raw(disk))
		return TOOL_USAGE;

	disk->loop_fd = loop_open(disk->params, disk->mode[0] == 'r', until,
				  &device);
	if (disk->loop_fd < 0)
		return TOOL_FAILED;
	disk->file = disk->params;
	disk->params = device;
	return TOOL_OK;
}

enum tool_status disk_prepare(struct disk *disk, struct store *store,
			      unsigned int own, long long until)
{
	struct stat st;

	if (stat(disk->params, &st)) {
		complain("params='%s': %s", disk->params, strerror(errno));
		return TOOL_USAGE;
	}
	if (!rival_check(store, own, disk->params, &st, disk->mode[0] == 'r'))
		return TOOL_FAILED;
	if (S_ISREG(st.st_mode))
		return prepare_file(disk, until);
	if (!S_ISBLK(st.st_mode)) {
		complain("params='%s' is not a block device or file",
			 disk->params);
		return TOOL_USAGE;
	}
	/* If somebody keeps it, the driver will say so. */
	if (until)
		device_wait_free(disk->params, until);
	return TOOL_OK;
}

static bool write_if(struct store *store, const char *value,
		     const struct device *dev, unsigned int index,
		     const char *key)
{
	return !value || store_write(store, value, "%s/disk/%u/%s",
				     dev->backend, index, key);
}

bool disk_write(struct store *store, const struct device *dev,
		unsigned int index, const struct disk *disk)
{
	return write_if(store, disk->mode, dev, index, "mode") &&
	       write_if(store, disk->serial, dev, index, "serial") &&
	       write_if(store, disk->iops_limit, dev, index, "iops-limit") &&
	       write_if(store, disk->bw_limit, dev, index, "bw-limit") &&
	       write_if(store, disk->params, dev, index, "params");
}

static char *read_key(struct store *store, const struct device *dev,
		      unsigned int index, const char *key)
{
	return store_read(store, "%s/disk/%u/%s", dev->backend, index, key);
}

void disk_read(struct store *store, const struct device *dev,
	       unsigned int index, struct disk *disk)
{
	memset(disk, 0, sizeof(*disk));
	disk->params = read_key(store, dev, index, "params");
	disk->mode = read_key(store, dev, index, "mode");
	disk->serial = read_key(store, dev, index, "serial");
	disk->iops_limit = read_key(store, dev, index, "iops-limit");
	disk->bw_limit = read_key(store, dev, index, "bw-limit");
}
