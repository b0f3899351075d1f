// SPDX-License-Identifier: GPL-2.0
/*
 * Disks that are served to guests in another way.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "domain.h"
#include "rival.h"
#include "tool.h"

static const char *const types[] = { "vbd", "qdisk", "qnbd" };

/**
 * struct rival - a disk of another back end
 * @dir: its directory
 * @domid: the guest that has it
 */
struct rival {
	char dir[80];
	unsigned int domid;
};

/* The script of xl has opened it by this number. */
static bool same_number(const char *number, const struct stat *st)
{
	unsigned int major, minor;

	return S_ISBLK(st->st_mode) &&
	       sscanf(number, "%x:%x", &major, &minor) == 2 &&
	       st->st_rdev == makedev(major, minor);
}

/* QEMU's names are "FORMAT:PATH", others are paths. */
static bool same_file(const char *name, const struct stat *st)
{
	const char *path = strchr(name, '/');
	struct stat other;

	if (!path || stat(path, &other) ||
	    (st->st_mode & S_IFMT) != (other.st_mode & S_IFMT))
		return false;
	if (S_ISBLK(st->st_mode))
		return st->st_rdev == other.st_rdev;
	return st->st_dev == other.st_dev && st->st_ino == other.st_ino;
}

static bool is_same(struct store *store, const struct rival *rival,
		    const struct stat *st)
{
	char *number = store_read(store, "%s/physical-device", rival->dir);
	char *name = store_read(store, "%s/params", rival->dir);
	bool same = (number && same_number(number, st)) ||
		    (name && same_file(name, st));

	free(number);
	free(name);
	return same;
}

/* Complains when it must not be used by both. */
static bool tolerates(struct store *store, const struct rival *rival,
		      const char *params, bool read_only)
{
	char *mode = store_read(store, "%s/mode", rival->dir);
	bool reads = mode && !strcmp(mode, "r");
	char *name = NULL;

	free(mode);
	if (reads && read_only)
		return true;
	name = domain_name(store, rival->domid);
	complain("params='%s' is a disk of domain %u (%s) already, which %s it (%s); a disk must not be used by two, unless both have it with mode=r",
		 params, rival->domid, name ? name : "-",
		 reads ? "reads" : "writes", rival->dir);
	free(name);
	return false;
}

static bool check_domain(struct store *store, unsigned int own,
			 const char *type, unsigned int domid,
			 const char *params, const struct stat *st,
			 bool read_only)
{
	struct rival rival = { .domid = domid };
	unsigned int *devids, n, i;
	bool ok = true;

	devids = store_list_numbers(store, &n,
				    "/local/domain/%u/backend/%s/%u", own,
				    type, domid);
	for (i = 0; i < n && ok; i++) {
		snprintf(rival.dir, sizeof(rival.dir),
			 "/local/domain/%u/backend/%s/%u/%u", own, type, domid,
			 devids[i]);
		ok = !is_same(store, &rival, st) ||
		     tolerates(store, &rival, params, read_only);
	}
	free(devids);
	return ok;
}

bool rival_check(struct store *store, unsigned int own, const char *params,
		 const struct stat *st, bool read_only)
{
	unsigned int *domids, n, i;
	bool ok = true;
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types) && ok; t++) {
		domids = store_list_numbers(store, &n,
					    "/local/domain/%u/backend/%s", own,
					    types[t]);
		for (i = 0; i < n && ok; i++)
			ok = check_domain(store, own, types[t], domids[i],
					  params, st, read_only);
		free(domids);
	}
	return store_settle(store) && ok;
}
