/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A xenstore in memory behind the functions of libxenstore that the tool calls,
 * with a driver that a test makes up.
 */
#ifndef FAKE_XS_H
#define FAKE_XS_H

#include <stdbool.h>
#include <stdio.h>

/**
 * struct fake_xs - what a test sets before it runs the tool
 * @on_change: called after the tool changed the store outside of a transaction,
 *             or committed one: the driver's chance to react
 * @on_watch: called when the tool looks for watch events: the driver's later
 *            reaction, after the tool has seen the first
 * @on_transaction: called before the tool's transaction begins: what others do at the
 *                  last moment
 * @on_call: called at the begin of each call
 * @refuse_open: xs_open() fails
 * @conflicts: this many commits fail with EAGAIN first
 * @fail_call: the call of this number fails, counted from 1; 0 for none
 * @fail_error: with this errno; EIO if not set
 * @calls: calls so far
 */
struct fake_xs {
	void (*on_change)(void);
	void (*on_watch)(void);
	void (*on_transaction)(void);
	void (*on_call)(void);
	bool refuse_open;
	unsigned int conflicts;
	unsigned int fail_call;
	int fail_error;
	unsigned int calls;
};

extern struct fake_xs fake_xs;

/* Empties the store and forgets all settings. */
void fake_xs_reset(void);

/* The store as others see it; changes make watches fire. */
void fake_xs_set(const char *path, const char *value);
const char *fake_xs_get(const char *path);
void fake_xs_remove(const char *path);
/* Rights in xenstore's notation, such as "n0,r3". */
const char *fake_xs_rights(const char *path);
/* Prints all nodes below @path that have a value: "relative/path = value". */
void fake_xs_dump(FILE *out, const char *path);
/* Nodes that exist, at all and below @path. */
unsigned int fake_xs_count(const char *path);
/* Watches and transactions that nobody has ended. */
unsigned int fake_xs_open_ends(void);

#endif /* FAKE_XS_H */
