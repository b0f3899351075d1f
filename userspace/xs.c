// SPDX-License-Identifier: GPL-2.0
/*
 * xenstore with formatted paths, retried transactions and bounded waiting.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"

#define PATH_SIZE	3073	/* XENSTORE_ABS_PATH_MAX and a NUL */
#define WATCH_TOKEN	"xen-ioemu"

/* Since the connection was made; what it ends is never taken up again. */
static volatile sig_atomic_t caught_signal;

static const int wait_signals[STORE_WAIT_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

bool store_open(struct store *store)
{
	store->tx = XBT_NULL;
	store->leave_signals = false;
	store->trouble = 0;
	caught_signal = 0;
	store->xs = xs_open(0);
	if (store->xs)
		return true;
	complain("cannot connect to xenstore: %s; is this a Xen host with a running xenstored, and are you root?",
		 strerror(errno));
	return false;
}

void store_close(struct store *store)
{
	if (store->xs)
		xs_close(store->xs);
	store->xs = NULL;
}

static bool format_path(char *path, const char *fmt, va_list ap)
{
	int n = vsnprintf(path, PATH_SIZE, fmt, ap);

	if (n >= 0 && n < PATH_SIZE)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

/* Puts the path that @fmt and the arguments after it make into @path. */
#define FORMAT_PATH(path, fmt) ({				\
	va_list ap_;						\
	bool ok_;						\
								\
	va_start(ap_, fmt);					\
	ok_ = format_path(path, fmt, ap_);			\
	va_end(ap_);						\
	ok_;							\
})

static void note_trouble(struct store *store)
{
	if (errno != ENOENT && errno != EACCES && errno != EINVAL)
		store->trouble = errno;
}

bool store_settle(struct store *store)
{
	int err = store->trouble;

	store->trouble = 0;
	if (err)
		complain("cannot read from xenstore: %s", strerror(err));
	return !err;
}

static char *read_path(struct store *store, const char *path)
{
	char *value = xs_read(store->xs, store->tx, path, NULL);

	if (!value)
		note_trouble(store);
	return value;
}

static char **list_path(struct store *store, const char *path, unsigned int *n)
{
	char **names = xs_directory(store->xs, store->tx, path, n);

	if (names)
		return names;
	note_trouble(store);
	*n = 0;
	return NULL;
}

char *store_read(struct store *store, const char *fmt, ...)
{
	char path[PATH_SIZE];

	if (!FORMAT_PATH(path, fmt))
		return NULL;
	return read_path(store, path);
}

bool store_read_number(struct store *store, unsigned int *value,
		       const char *fmt, ...)
{
	char path[PATH_SIZE];
	char *text;
	bool ok;

	if (!FORMAT_PATH(path, fmt))
		return false;
	text = read_path(store, path);
	if (!text)
		return false;
	ok = parse_number(text, 0, UINT_MAX, value);
	free(text);
	return ok;
}

bool store_exists(struct store *store, const char *fmt, ...)
{
	char path[PATH_SIZE];
	char *text;

	if (!FORMAT_PATH(path, fmt))
		return false;
	text = read_path(store, path);
	free(text);
	return text;
}

char **store_list(struct store *store, unsigned int *n, const char *fmt, ...)
{
	char path[PATH_SIZE];

	*n = 0;
	if (!FORMAT_PATH(path, fmt))
		return NULL;
	return list_path(store, path, n);
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a;
	unsigned int y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

unsigned int *store_list_numbers(struct store *store, unsigned int *n,
				 const char *fmt, ...)
{
	unsigned int nr_names, i, count = 0;
	unsigned int *numbers = NULL;
	char path[PATH_SIZE];
	char **names;

	*n = 0;
	if (!FORMAT_PATH(path, fmt))
		return NULL;
	names = list_path(store, path, &nr_names);
	if (nr_names) {
		numbers = calloc(nr_names, sizeof(*numbers));
		if (!numbers)
			store->trouble = errno;
	}
	for (i = 0; numbers && i < nr_names; i++)
		if (parse_number(names[i], 0, UINT_MAX, &numbers[count]))
			count++;
	free(names);
	if (!count) {
		free(numbers);
		return NULL;
	}
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	*n = count;
	return numbers;
}

bool store_write(struct store *store, const char *value, const char *fmt, ...)
{
	char path[PATH_SIZE];

	if (!FORMAT_PATH(path, fmt)) {
		complain("a path in xenstore would be too long");
		return false;
	}
	if (xs_write(store->xs, store->tx, path, value,
		     (unsigned int)strlen(value)))
		return true;
	complain("cannot write %s in xenstore: %s", path, strerror(errno));
	return false;
}

bool store_mkdir(struct store *store, unsigned int owner, unsigned int reader,
		 const char *path)
{
	struct xs_permissions perms[] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};

	if (xs_mkdir(store->xs, store->tx, path) &&
	    xs_set_permissions(store->xs, store->tx, path, perms,
			       ARRAY_SIZE(perms)))
		return true;
	complain("cannot make %s in xenstore: %s", path, strerror(errno));
	return false;
}

bool store_remove(struct store *store, const char *path)
{
	if (xs_rm(store->xs, store->tx, path) || errno == ENOENT)
		return true;
	complain("cannot remove %s from xenstore: %s", path, strerror(errno));
	return false;
}

void store_remove_empty(struct store *store, const char *path)
{
	unsigned int n;
	char **names;

	names = store_list(store, &n, "%s", path);
	if (names && !n)
		xs_rm(store->xs, store->tx, path);
	free(names);
}

enum tool_status store_transaction(struct store *store,
				   enum tool_status (*change)(struct store *store,
							      void *arg),
				   void *arg)
{
	enum tool_status status;

	for (;;) {
		store->tx = xs_transaction_start(store->xs);
		if (!store->tx) {
			complain("cannot start a xenstore transaction: %s",
				 strerror(errno));
			return TOOL_FAILED;
		}
		store->trouble = 0;
		status = change(store, arg);
		if (!store_settle(store))
			status = TOOL_FAILED;
		if (xs_transaction_end(store->xs, store->tx,
				       status != TOOL_OK)) {
			store->tx = XBT_NULL;
			return status;
		}
		store->tx = XBT_NULL;
		if (status != TOOL_OK)
			return status;
		if (errno != EAGAIN) {
			complain("cannot commit a xenstore transaction: %s",
				 strerror(errno));
			return TOOL_FAILED;
		}
	}
}

static void note_signal(int sig)
{
	caught_signal = sig;
}

bool store_interrupted(const struct store *store)
{
	if (store->leave_signals || !caught_signal)
		return false;
	complain("interrupted by a signal (%s)", strsignal(caught_signal));
	return true;
}

bool store_wait_begin(struct store_wait *wait, struct store *store,
		      const char *path, unsigned int seconds)
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t mask;
	size_t i;

	wait->store = store;
	wait->path = path;
	clock_gettime(CLOCK_MONOTONIC, &wait->deadline);
	wait->deadline.tv_sec += seconds;

	if (store_interrupted(store))
		return false;
	if (!xs_watch(store->xs, path, WATCH_TOKEN)) {
		complain("cannot watch %s in xenstore: %s", path,
			 strerror(errno));
		return false;
	}

	if (store->leave_signals) {
		sigprocmask(SIG_SETMASK, NULL, &wait->old_mask);
		return true;
	}
	/* Blocked except while ppoll() sleeps, so that none is missed. */
	sigemptyset(&mask);
	for (i = 0; i < ARRAY_SIZE(wait_signals); i++)
		sigaddset(&mask, wait_signals[i]);
	sigprocmask(SIG_BLOCK, &mask, &wait->old_mask);
	for (i = 0; i < ARRAY_SIZE(wait_signals); i++) {
		sigaction(wait_signals[i], NULL, &wait->old_actions[i]);
		/* By nohup, for instance. */
		if (wait->old_actions[i].sa_handler != SIG_IGN)
			sigaction(wait_signals[i], &action, NULL);
	}
	return true;
}

static bool time_left(const struct timespec *deadline, struct timespec *left)
{
	clock_gettime(CLOCK_MONOTONIC, left);
	left->tv_sec = deadline->tv_sec - left->tv_sec;
	left->tv_nsec = deadline->tv_nsec - left->tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_nsec += 1000000000;
		left->tv_sec--;
	}
	return left->tv_sec >= 0;
}

enum tool_status store_wait_next(struct store_wait *wait)
{
	struct pollfd pfd = {
		.fd = xs_fileno(wait->store->xs),
		.events = POLLIN,
	};
	struct timespec left;
	bool changed = false;
	char **event;
	int n;

	while (!changed) {
		if (!time_left(&wait->deadline, &left))
			return TOOL_TIMEOUT;
		n = ppoll(&pfd, 1, &left, &wait->old_mask);
		if (n < 0 && errno != EINTR) {
			complain("cannot wait for xenstore: %s",
				 strerror(errno));
			return TOOL_FAILED;
		}
		if (store_interrupted(wait->store))
			return TOOL_FAILED;
		if (n <= 0)
			continue;
		/* All that is pending counts as one change. */
		while ((event = xs_check_watch(wait->store->xs))) {
			free(event);
			changed = true;
		}
		if (errno != EAGAIN) {
			complain("lost the connection to xenstore: %s",
				 strerror(errno));
			return TOOL_FAILED;
		}
	}
	return TOOL_OK;
}

void store_wait_end(struct store_wait *wait)
{
	size_t i;

	xs_unwatch(wait->store->xs, wait->path, WATCH_TOKEN);
	if (wait->store->leave_signals)
		return;
	/* What was held back is noted before it would do what it did. */
	sigprocmask(SIG_SETMASK, &wait->old_mask, NULL);
	for (i = 0; i < ARRAY_SIZE(wait_signals); i++)
		sigaction(wait_signals[i], &wait->old_actions[i], NULL);
}
