/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xenstore with formatted paths, retried transactions and bounded waiting.
 *
 * Paths are given like printf() formats, values are strings.
 */
#ifndef XEN_IOEMU_XS_H
#define XEN_IOEMU_XS_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <xenstore.h>

#include "tool.h"

/**
 * struct store - a connection, and the transaction that is open on it
 * @xs: libxenstore's handle
 * @tx: current transaction or XBT_NULL
 * @leave_signals: waiting does not look for signals
 * @trouble: why a node could not be read, other than that there is none; an errno
 *
 * Functions that read take a node that cannot be read for one that does not exist;
 * store_settle() tells.
 */
struct store {
	struct xs_handle *xs;
	xs_transaction_t tx;
	bool leave_signals;
	int trouble;
};

/**
 * store_open() - connect, or complain
 * @store: filled
 *
 * Return: true on success.
 */
bool store_open(struct store *store);

/**
 * store_close() - disconnect
 * @store: connection; closed ones are fine
 */
void store_close(struct store *store);

/**
 * store_settle() - could all be read that was looked at, or complain
 * @store: connection
 *
 * Return: false, once, when something could not.
 */
bool store_settle(struct store *store);

/**
 * store_read() - read a node
 * @store: connection
 * @fmt: path
 *
 * Return: its value, to be freed by the caller; NULL when there is none.
 */
char *store_read(struct store *store, const char *fmt, ...) __printf(2, 3);

/**
 * store_read_number() - read a node that holds a decimal number
 * @store: connection
 * @value: the number; untouched on failure
 * @fmt: path
 *
 * Return: false when there is no such node, or it is no number.
 */
bool store_read_number(struct store *store, unsigned int *value,
		       const char *fmt, ...) __printf(3, 4);

/**
 * store_exists() - is there a node?
 * @store: connection
 * @fmt: path
 */
bool store_exists(struct store *store, const char *fmt, ...) __printf(2, 3);

/**
 * store_list() - names of a node's children
 * @store: connection
 * @n: number of names
 * @fmt: path
 *
 * Return: names in one block, to be freed by the caller; NULL, and @n is 0, when
 *         there is no such node.
 */
char **store_list(struct store *store, unsigned int *n, const char *fmt, ...)
	__printf(3, 4);

/**
 * store_list_numbers() - those children of a node whose names are numbers
 * @store: connection
 * @n: number of them
 * @fmt: path
 *
 * Return: the numbers in ascending order, to be freed by the caller; NULL, and
 *         @n is 0, when there are none.
 */
unsigned int *store_list_numbers(struct store *store, unsigned int *n,
				 const char *fmt, ...) __printf(3, 4);

/**
 * store_write() - write a node, or complain
 * @store: connection
 * @value: string
 * @fmt: path
 *
 * Return: true on success.
 */
bool store_write(struct store *store, const char *value, const char *fmt, ...)
	__printf(3, 4);

/**
 * store_mkdir() - make a directory that a domain owns and a guest reads
 * @store: connection
 * @owner: domid with all rights
 * @reader: domid that may read
 * @path: directory
 *
 * What is written into it later inherits these rights. Complains on failure.
 *
 * Return: true on success.
 */
bool store_mkdir(struct store *store, unsigned int owner, unsigned int reader,
		 const char *path);

/**
 * store_remove() - remove a node and all below it
 * @store: connection
 * @path: node
 *
 * Return: true when it is gone.
 */
bool store_remove(struct store *store, const char *path);

/**
 * store_remove_empty() - remove a directory that has no children left
 * @store: connection
 * @path: node
 */
void store_remove_empty(struct store *store, const char *path);

/**
 * store_transaction() - run a function within a transaction, or complain
 * @store: connection
 * @change: does the changes; called again, from the start, after a conflict
 * @arg: its argument
 *
 * Return: TOOL_OK when all of it was committed, otherwise nothing was.
 */
enum tool_status store_transaction(struct store *store,
				   enum tool_status (*change)(struct store *store,
							      void *arg),
				   void *arg);

#define STORE_WAIT_SIGNALS	3	/* end a wait */

/**
 * struct store_wait - waiting for changes below a node
 * @store: connection
 * @path: node
 * @deadline: CLOCK_MONOTONIC
 * @old_mask: the signals that were blocked before
 * @old_actions: what they did before
 */
struct store_wait {
	struct store *store;
	const char *path;
	struct timespec deadline;
	sigset_t old_mask;
	struct sigaction old_actions[STORE_WAIT_SIGNALS];
};

/**
 * store_wait_begin() - start to watch, or complain
 * @wait: filled
 * @store: connection
 * @path: node, which need not exist; must stay until store_wait_end()
 * @seconds: for how long store_wait_next() may sleep in total
 *
 * Unless @store->leave_signals, SIGINT, SIGTERM and SIGHUP are held back from here
 * to store_wait_end(), where they do not end the program but the waiting, so that
 * the caller can tidy up. One that came too late for a wait ends the next one, here.
 * Those that were ignored still are.
 *
 * Return: true on success.
 */
bool store_wait_begin(struct store_wait *wait, struct store *store,
		      const char *path, unsigned int seconds);

/**
 * store_wait_next() - sleep until something may have changed
 * @wait: begun
 *
 * Return: TOOL_OK after a change; TOOL_TIMEOUT; TOOL_FAILED, with a message,
 *         when the connection broke or a signal came.
 */
enum tool_status store_wait_next(struct store_wait *wait);

/**
 * store_wait_end() - stop watching
 * @wait: begun
 */
void store_wait_end(struct store_wait *wait);

/**
 * store_interrupted() - did a signal come that ended no wait, or complain
 * @store: connection
 */
bool store_interrupted(const struct store *store);

#endif /* XEN_IOEMU_XS_H */
