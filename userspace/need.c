// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for programs, which may end when there is none. No part of the library.
 */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static void *need(void *p)
{
	if (!p) {
		complain(OUT_OF_MEMORY);
		exit(TOOL_FAILED);
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return need(calloc(n, size));
}

char *xstrdup(const char *text)
{
	return need(strdup(text));
}
