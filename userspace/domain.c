// SPDX-License-Identifier: GPL-2.0
/*
 * Domains by number or name.
 */
#include <stdlib.h>
#include <string.h>

#include "domain.h"

bool backend_option(const char *text, unsigned int *backend_id)
{
	return parse_option("--backend", "a domain number", text, 0, DOMID_LAST,
			    backend_id);
}

char *domain_name(struct store *store, unsigned int domid)
{
	return store_read(store, "/local/domain/%u/name", domid);
}

bool domain_exists(struct store *store, unsigned int domid)
{
	return store_exists(store, "/local/domain/%u", domid);
}

enum tool_status domain_find(struct store *store, const char *text,
			     unsigned int *domid)
{
	unsigned int found = 0, n, i;
	unsigned int *domids;
	char *name;

	if (parse_number(text, 0, DOMID_LAST, domid))
		return TOOL_OK;

	domids = store_list_numbers(store, &n, "/local/domain");
	for (i = 0; i < n; i++) {
		name = domain_name(store, domids[i]);
		if (name && !strcmp(name, text)) {
			if (!found)
				*domid = domids[i];
			found++;
		}
		free(name);
	}
	free(domids);

	if (!store_settle(store))
		return TOOL_FAILED;
	if (!found) {
		complain("there is no domain '%s'; accepted: a domain number or the name of a running domain",
			 text);
		return TOOL_NOT_FOUND;
	}
	if (found > 1) {
		complain("%u domains have the name '%s'; give the domain's number",
			 found, text);
		return TOOL_USAGE;
	}
	return TOOL_OK;
}
