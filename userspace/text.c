// SPDX-License-Identifier: GPL-2.0
/*
 * Messages and small parsers.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

void complain(const char *fmt, ...)
{
	va_list ap;

	fputs("xen-ioemu: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

bool parse_number(const char *text, unsigned int min, unsigned int max,
		  unsigned int *value)
{
	unsigned long long n = 0;
	const char *p;

	if (!*text)
		return false;
	for (p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (unsigned int)(*p - '0');
		if (n > max)
			return false;
	}
	if (n < min)
		return false;
	*value = (unsigned int)n;
	return true;
}

bool parse_option(const char *option, const char *what, const char *text,
		  unsigned int min, unsigned int max, unsigned int *value)
{
	if (parse_number(text, min, max, value))
		return true;
	complain("%s: '%s' is not %s; accepted: %u to %u", option, text, what,
		 min, max);
	return false;
}

static bool printable(char c)
{
	return c >= ' ' && c <= '~';
}

bool is_printable(const char *text)
{
	for (; *text; text++)
		if (!printable(*text))
			return false;
	return true;
}

void print_safe(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(printable(*text) ? *text : '?', out);
}

static void *need(void *p)
{
	if (!p) {
		complain("out of memory");
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
