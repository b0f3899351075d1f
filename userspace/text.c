// SPDX-License-Identifier: GPL-2.0
/*
 * Messages and small parsers.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static void to_stderr(const char *line)
{
	fprintf(stderr, "xen-ioemu: %s\n", line);
}

static _Thread_local void (*complaints)(const char *line) = to_stderr;

void complain_to(void (*sink)(const char *line))
{
	complaints = sink ? sink : to_stderr;
}

void complain(const char *fmt, ...)
{
	int err = errno;
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	complaints(line);
	errno = err;
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

bool parse_size(const char *text, uint64_t *value)
{
	static const char units[] = "kMG";
	uint64_t n = 0;
	const char *p, *unit;
	size_t i;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (n > (UINT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (p == text)
		return false;
	if (*p) {
		unit = strchr(units, *p == 'K' ? 'k' : *p);
		if (!unit || p[1])
			return false;
		for (i = 0; i <= (size_t)(unit - units); i++) {
			if (n > UINT64_MAX / 1024)
				return false;
			n *= 1024;
		}
	}
	*value = n;
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

char *copy_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		complain(OUT_OF_MEMORY);
	return copy;
}
