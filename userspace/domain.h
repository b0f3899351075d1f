/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Domains by number or name.
 */
#ifndef XEN_IOEMU_DOMAIN_H
#define XEN_IOEMU_DOMAIN_H

#include "xs.h"

#define DOMID_LAST	0x7fef	/* higher numbers are Xen's own */

/**
 * domain_find() - the domain that somebody means, or complain
 * @store: connection
 * @text: its number or its name
 * @domid: the number; untouched on failure
 *
 * A number need not be that of a domain that runs: devices outlive it.
 *
 * Return: TOOL_OK; TOOL_NOT_FOUND; TOOL_USAGE when several have this name.
 */
enum tool_status domain_find(struct store *store, const char *text,
			     unsigned int *domid);

/**
 * backend_option() - parse the value of --backend, or complain
 * @text: value
 * @backend_id: the number
 */
bool backend_option(const char *text, unsigned int *backend_id);

/**
 * domain_name() - name of a domain
 * @store: connection
 * @domid: domain
 *
 * Return: string to be freed by the caller; NULL when it has none.
 */
char *domain_name(struct store *store, unsigned int domid);

/**
 * domain_exists() - does a domain run?
 * @store: connection
 * @domid: domain
 */
bool domain_exists(struct store *store, unsigned int domid);

#endif /* XEN_IOEMU_DOMAIN_H */
