// SPDX-License-Identifier: GPL-2.0
/*
 * What the tool's objects call instead of malloc() and friends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fake_mem.h"

struct fake_mem fake_mem;

void *test_calloc(size_t n, size_t size);
void *test_reallocarray(void *p, size_t n, size_t size);
char *test_strdup(const char *text);

static bool fails(void)
{
	fake_mem.calls++;
	if (fake_mem.calls != fake_mem.fail)
		return false;
	errno = ENOMEM;
	return true;
}

void *test_calloc(size_t n, size_t size)
{
	return fails() ? NULL : calloc(n, size);
}

void *test_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : reallocarray(p, n, size);
}

char *test_strdup(const char *text)
{
	return fails() ? NULL : strdup(text);
}
