// SPDX-License-Identifier: GPL-2.0
/*
 * A disk as the command line and xenstore describe it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "disk.h"
#include "tool.h"

#define KEYS		"accepted: params=PATH, mode=r or mode=w, serial=TEXT"
#define PARAMS_MAX	1024	/* of a xenstore value, less than its limit */

void disk_free(struct disk *disk)
{
	free(disk->params);
	free(disk->mode);
	free(disk->serial);
	memset(disk, 0, sizeof(*disk));
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

/*
 * Cuts one pair off *@text in place: returns it without its doubled commas, and
 * moves *@text behind the separator, to NULL at the end.
 */
static char *next_pair(char **text)
{
	char *pair = *text, *in = *text, *out = *text;

	*text = NULL;
	for (; *in; in++) {
		if (*in == ',') {
			if (in[1] != ',') {
				*text = in + 1;
				break;
			}
			in++;
		}
		*out++ = *in;
	}
	*out = '\0';
	return pair;
}

static char **value_of_key(struct disk *disk, const char *key)
{
	if (!strcmp(key, "params"))
		return &disk->params;
	if (!strcmp(key, "mode"))
		return &disk->mode;
	if (!strcmp(key, "serial"))
		return &disk->serial;
	return NULL;
}

static bool take_pair(struct disk *disk, char *pair)
{
	char *value = strchr(pair, '=');
	char **place;

	if (!value) {
		complain("--disk: '%s' is not of the form KEY=VALUE; " KEYS,
			 pair);
		return false;
	}
	*value++ = '\0';
	place = value_of_key(disk, pair);
	if (!place) {
		complain("--disk: unknown key '%s'; " KEYS, pair);
		return false;
	}
	if (*place) {
		complain("--disk: key '%s' is given twice", pair);
		return false;
	}
	*place = xstrdup(value);
	return true;
}

static bool take_pairs(struct disk *disk, const char *text)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	bool ok = true;

	while (ok && rest)
		ok = take_pair(disk, next_pair(&rest));
	free(copy);
	return ok;
}

static bool valid(const struct disk *disk)
{
	if (!disk->params) {
		complain("--disk: params= is missing; " KEYS);
		return false;
	}
	if (disk->params[0] != '/' || strlen(disk->params) > PARAMS_MAX) {
		complain("--disk: params='%s'; accepted: the absolute path of a block device, up to %d characters",
			 disk->params, PARAMS_MAX);
		return false;
	}
	if (strcmp(disk->mode, "r") != 0 && strcmp(disk->mode, "w") != 0) {
		complain("--disk: mode='%s'; accepted: r (read only) or w (read and write)",
			 disk->mode);
		return false;
	}
	return !disk->serial || serial_check("--disk: serial", disk->serial);
}

bool disk_parse(struct disk *disk, const char *text)
{
	memset(disk, 0, sizeof(*disk));
	if (!take_pairs(disk, text))
		goto bad;
	if (!disk->mode)
		disk->mode = xstrdup("w");
	if (!valid(disk))
		goto bad;
	return true;

bad:
	disk_free(disk);
	return false;
}

bool disk_check(const struct disk *disk)
{
	struct stat st;

	if (stat(disk->params, &st)) {
		complain("--disk: params='%s': %s", disk->params,
			 strerror(errno));
		return false;
	}
	if (!S_ISBLK(st.st_mode)) {
		complain("--disk: params='%s' is not a block device (losetup makes one of a file)",
			 disk->params);
		return false;
	}
	return true;
}
