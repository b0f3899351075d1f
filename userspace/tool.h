/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands of xen-ioemu share: exit codes, messages, small parsers.
 */
#ifndef XEN_IOEMU_TOOL_H
#define XEN_IOEMU_TOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(f, a)	__attribute__((format(printf, f, a)))

/* The exit codes are documented in xen-ioemu(8). */
enum tool_status {
	TOOL_OK		= 0,
	TOOL_FAILED	= 1,	/* the driver or xenstore refused */
	TOOL_USAGE	= 2,	/* the command line makes no sense */
	TOOL_NOT_FOUND	= 3,	/* no such domain or device */
	TOOL_TIMEOUT	= 4,	/* the driver did not answer in time */
};

#define TOOL_TIMEOUT_DEFAULT	10
#define TOOL_TIMEOUT_MAX	3600

/**
 * struct command - one word after "xen-ioemu"
 * @name: the word
 * @summary: one line for the list of commands
 * @usage: whole help text
 * @run: does it; @argv[0] is "xen-ioemu" and @name, for messages
 */
struct command {
	const char *name;
	const char *summary;
	const char *usage;
	enum tool_status (*run)(int argc, char **argv);
};

extern const struct command attach_command;
extern const struct command attach_disk_command;
extern const struct command check_command;
extern const struct command detach_command;
extern const struct command detach_disk_command;
extern const struct command histogram_command;
extern const struct command limit_command;
extern const struct command list_command;
extern const struct command resize_command;
extern const struct command show_command;
extern const struct command stats_command;
extern const struct command top_command;
extern const struct command trace_command;

/**
 * complain() - print one line on standard error
 * @fmt: text without the program's name and without a newline
 */
void complain(const char *fmt, ...) __printf(1, 2);

/**
 * complain_to() - have complaints go elsewhere than to standard error
 * @sink: gets each, without a newline; NULL for standard error
 */
void complain_to(void (*sink)(const char *line));

/**
 * parse_size() - read a whole number that may end in k, M or G
 * @text: digits and perhaps one of these, which stand for 1024 each
 * @value: the number; untouched on failure
 *
 * Return: true when @text is such a number.
 */
bool parse_size(const char *text, uint64_t *value);

/**
 * parse_number() - read a whole decimal number
 * @text: digits and nothing else
 * @min: smallest accepted value
 * @max: largest accepted value
 * @value: the number; untouched on failure
 *
 * Return: true when @text is such a number.
 */
bool parse_number(const char *text, unsigned int min, unsigned int max,
		  unsigned int *value);

/**
 * parse_option() - read a number given to an option, or complain
 * @option: name of the option, for the message
 * @what: what the number is, for the message
 * @text: as given
 * @min: smallest accepted value
 * @max: largest accepted value
 * @value: the number; untouched on failure
 *
 * Return: true when @text is such a number.
 */
bool parse_option(const char *option, const char *what, const char *text,
		  unsigned int min, unsigned int max, unsigned int *value);

/**
 * is_printable() - printable ASCII only?
 * @text: any string
 */
bool is_printable(const char *text);

/**
 * print_safe() - print a string that somebody else chose
 * @out: where
 * @text: string; what could steer a terminal becomes a question mark
 */
void print_safe(FILE *out, const char *text);

#define OUT_OF_MEMORY	"out of memory"

/**
 * copy_text() - copy a string, or complain
 * @text: any string
 *
 * Return: a copy to be freed by the caller; NULL when memory is short.
 */
char *copy_text(const char *text);

/*
 * Like malloc() and friends, but end the program when memory is short. For what is
 * no part of the library.
 */
void *xcalloc(size_t n, size_t size);
char *xstrdup(const char *text);

#endif /* XEN_IOEMU_TOOL_H */
