/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's statistics of a disk, as sysfs has them.
 */
#ifndef XEN_IOEMU_COUNTERS_H
#define XEN_IOEMU_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

#define BUCKETS		36	/* of a histogram: powers of two of nanoseconds */
#define STAGES_MAX	8

/* In the order of counter_info. */
enum counter {
	COUNTER_READS,
	COUNTER_READ_BYTES,
	COUNTER_WRITES,
	COUNTER_WRITE_BYTES,
	COUNTER_FLUSHES,
	COUNTER_DISCARDS,
	COUNTER_DISCARD_BYTES,
	COUNTER_WRITE_ZEROES,
	COUNTER_WRITE_ZEROES_BYTES,
	COUNTER_ERRORS,
	COUNTER_IN_FLIGHT,
	COUNTER_BOUNCED,
	COUNTER_THROTTLED,
	COUNTERS
};

/**
 * struct counter_info - what a counter is
 * @name: in sysfs, JSON and metrics
 * @help: one line
 * @bytes: it counts bytes
 * @gauge: it goes up and down
 */
struct counter_info {
	const char *name;
	const char *help;
	bool bytes;
	bool gauge;
};

extern const struct counter_info counter_info[COUNTERS];

/**
 * struct counters - statistics of a disk
 * @value: by enum counter
 * @have: which of them the driver has, as a bitmap
 */
struct counters {
	uint64_t value[COUNTERS];
	uint32_t have;
};

/* Of a controller, in the order of exit_info. */
enum exit_counter {
	EXIT_COMMANDS,
	EXIT_DOORBELLS,
	EXIT_INTERRUPTS,
	EXIT_SAVED,
	EXITS
};

extern const struct counter_info exit_info[EXITS];

/**
 * struct exits - what a controller costs its guest
 * @value: by enum exit_counter
 * @there: the driver has them
 */
struct exits {
	uint64_t value[EXITS];
	bool there;
};

/**
 * struct latencies - how long the stages of requests took
 * @stage: names of the stages
 * @count: requests whose stage took 2^i to 2^(i+1) ns, for each i
 * @sum: nanoseconds that all of them took together
 * @have_sum: the driver has @sum
 * @n: how many stages
 */
struct latencies {
	char stage[STAGES_MAX][16];
	uint64_t count[STAGES_MAX][BUCKETS];
	uint64_t sum[STAGES_MAX];
	bool have_sum;
	unsigned int n;
};

/**
 * counters_read() - read a disk's statistics
 * @dev: the controller
 * @index: the disk
 * @counters: filled
 *
 * Return: false, without a message, when there are none.
 */
bool counters_read(const struct device *dev, unsigned int index,
		   struct counters *counters);

/**
 * exits_read() - read what a controller costs its guest
 * @dev: the controller
 * @exits: filled
 *
 * Return: @exits->there; false without a message.
 */
bool exits_read(const struct device *dev, struct exits *exits);

/**
 * exits_between() - what it has cost since
 * @before: an earlier look
 * @now: a later one
 * @between: filled; all 0 when the controller began anew in between
 *
 * Return: @between->there: both looks have them.
 */
bool exits_between(const struct exits *before, const struct exits *now,
		   struct exits *between);

/**
 * latencies_read() - read a disk's histograms
 * @dev: the controller
 * @index: the disk
 * @latencies: filled
 *
 * Return: false, without a message, when there are none.
 */
bool latencies_read(const struct device *dev, unsigned int index,
		    struct latencies *latencies);

/**
 * latency_percentile() - what a share of the requests did not exceed
 * @count: histogram of a stage
 * @percent: the share
 *
 * Return: upper bound in nanoseconds; 0 when nothing was counted.
 */
uint64_t latency_percentile(const uint64_t *count, unsigned int percent);

/**
 * latency_text() - a time for people
 * @text: filled with "1.0us" or the like
 * @size: size of @text
 * @ns: nanoseconds
 */
void latency_text(char *text, size_t size, uint64_t ns);

/**
 * complain_no_counters() - say why there are no statistics
 * @dev: the controller
 * @index: the disk
 */
void complain_no_counters(const struct device *dev, unsigned int index);

#endif /* XEN_IOEMU_COUNTERS_H */
