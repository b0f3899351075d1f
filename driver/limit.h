/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How fast a disk may be used.
 */
#ifndef _IOEMU_LIMIT_H
#define _IOEMU_LIMIT_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct ioemu_disk_io;

/**
 * struct ioemu_limit - the limits of a disk and what waits for them
 * @on: there is a limit, or something waits
 * @lock: guards all that follows
 * @iops: requests in a second, 0 for no limit
 * @bytes: bytes in a second, 0 for no limit
 * @next_request: when, in ns, all requests so far have had their time
 * @next_byte: likewise for their bytes
 * @first: requests that wait, oldest first
 * @last: the end of the list
 * @nr: how many they are
 * @work: lets them go
 * @go: submits a request
 */
struct ioemu_limit {
	bool on;
	spinlock_t lock;
	u64 iops;
	u64 bytes;
	u64 next_request;
	u64 next_byte;
	struct ioemu_disk_io *first;
	struct ioemu_disk_io *last;
	unsigned int nr;
	struct delayed_work work;
	void (*go)(struct ioemu_disk_io *io);
};

/**
 * ioemu_limit_init() - no limit
 * @limit: limits
 * @go: submits a request; process context, may sleep
 */
void ioemu_limit_init(struct ioemu_limit *limit,
		      void (*go)(struct ioemu_disk_io *io));

/**
 * ioemu_limit_exit() - undo ioemu_limit_init()
 * @limit: limits for which nothing waits
 */
void ioemu_limit_exit(struct ioemu_limit *limit);

/**
 * ioemu_limit_set() - change the limits
 * @limit: limits
 * @iops: requests in a second, 0 for no limit
 * @bytes: bytes in a second, 0 for no limit
 *
 * Context: process context.
 */
void ioemu_limit_set(struct ioemu_limit *limit, u64 iops, u64 bytes);

/**
 * ioemu_limit_hold() - may a request start?
 * @limit: limits
 * @io: request
 * @bytes: what it moves, up to 2^33
 *
 * Context: process context.
 * Return: false if it may; true if it was put aside and starts by itself later.
 */
bool ioemu_limit_hold(struct ioemu_limit *limit, struct ioemu_disk_io *io,
		      u64 bytes);

/**
 * ioemu_limit_take() - take requests out that wait
 * @limit: limits
 * @owner: of the requests; NULL for all
 *
 * They cost nothing, and the others need not wait for them any more.
 *
 * Context: process context.
 * Return: a list, linked by @next, oldest first; or NULL.
 */
struct ioemu_disk_io *ioemu_limit_take(struct ioemu_limit *limit,
				       const void *owner);

/**
 * ioemu_limit_hurry() - let all that waits start now
 * @limit: limits
 *
 * What they cost is still to be paid by later requests, also by those that come
 * while this runs.
 *
 * Context: process context, may sleep.
 */
void ioemu_limit_hurry(struct ioemu_limit *limit);

#endif /* _IOEMU_LIMIT_H */
