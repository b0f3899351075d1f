/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arguments that are lists of KEY=VALUE.
 */
#ifndef XEN_IOEMU_PAIRS_H
#define XEN_IOEMU_PAIRS_H

#include <stdbool.h>

/**
 * struct pair - a key that is understood
 * @key: the word before the "="
 * @usage: how it is written, for messages: "mode=r or mode=w"
 * @value: where the value goes; NULL there until it was given
 */
struct pair {
	const char *key;
	const char *usage;
	char **value;
};

/**
 * pairs_parse() - read a list, or complain
 * @option: where it was given, for messages
 * @text: key=value pairs, separated by commas; two commas stand for one that
 *        belongs to a value
 * @pairs: what is understood; ends with a @key of NULL
 *
 * The values are allocated; some may be even after a failure.
 *
 * Return: true when @text makes sense.
 */
bool pairs_parse(const char *option, const char *text,
		 const struct pair *pairs);

/**
 * pairs_usage() - how all keys are written
 * @pairs: what is understood
 *
 * Return: "accepted: ...", valid until the next call.
 */
const char *pairs_usage(const struct pair *pairs);

#endif /* XEN_IOEMU_PAIRS_H */
