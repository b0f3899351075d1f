// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments that are lists of KEY=VALUE.
 */
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "tool.h"

const char *pairs_usage(const struct pair *pairs)
{
	static _Thread_local char usage[512];
	size_t n;

	n = (size_t)snprintf(usage, sizeof(usage), "accepted: ");
	for (; pairs->key && n < sizeof(usage); pairs++)
		n += (size_t)snprintf(usage + n, sizeof(usage) - n, "%s%s",
				      pairs->usage, pairs[1].key ? ", " : "");
	return usage;
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

static bool take_pair(const char *option, char *text, const struct pair *pairs)
{
	char *value = strchr(text, '=');
	const struct pair *p;

	if (!value) {
		complain("%s: '%s' is not of the form KEY=VALUE; %s", option,
			 text, pairs_usage(pairs));
		return false;
	}
	*value++ = '\0';
	for (p = pairs; p->key && strcmp(p->key, text) != 0; p++)
		;
	if (!p->key) {
		complain("%s: unknown key '%s'; %s", option, text,
			 pairs_usage(pairs));
		return false;
	}
	if (*p->value) {
		complain("%s: key '%s' is given twice", option, text);
		return false;
	}
	*p->value = copy_text(value);
	return *p->value;
}

bool pairs_parse(const char *option, const char *text, const struct pair *pairs)
{
	char *copy = copy_text(text);
	char *rest = copy;
	bool ok = copy;

	while (ok && rest)
		ok = take_pair(option, next_pair(&rest), pairs);
	free(copy);
	return ok;
}
