/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a disk has done and how long it took, and what a controller costs its
 * guest, in sysfs.
 *
 * Counters are per CPU: counting writes no cache line that CPUs share.
 */
#ifndef _IOEMU_STATS_H
#define _IOEMU_STATS_H

#include <linux/kobject.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <ioemu/disk.h>
#include <ioemu/model.h>

/* In the order of sysfs; IN_FLIGHT is what was started less what was finished. */
enum ioemu_counter {
	IOEMU_READS,
	IOEMU_READ_BYTES,
	IOEMU_WRITES,
	IOEMU_WRITE_BYTES,
	IOEMU_FLUSHES,
	IOEMU_DISCARDS,
	IOEMU_DISCARD_BYTES,
	IOEMU_WRITE_ZEROES,
	IOEMU_WRITE_ZEROES_BYTES,
	IOEMU_ERRORS,
	IOEMU_IN_FLIGHT,
	IOEMU_BOUNCED,
	IOEMU_THROTTLED,
	IOEMU_COUNTERS
};

/* Bucket i counts [2^i, 2^(i+1)) ns, the first 0 too, the last all above. */
#define IOEMU_BUCKETS		36

/**
 * struct ioemu_counters - one CPU's part
 * @counter: see enum ioemu_counter
 * @latency: histogram of each stage
 * @latency_sum: nanoseconds of all that are in it
 */
struct ioemu_counters {
	u64 counter[IOEMU_COUNTERS];
	u64 latency[IOEMU_STAGES][IOEMU_BUCKETS];
	u64 latency_sum[IOEMU_STAGES];
};

/**
 * struct ioemu_stats - a disk's
 * @kobj: its directory
 * @cpu: the counters
 */
struct ioemu_stats {
	struct kobject kobj;
	struct ioemu_counters __percpu *cpu;
};

/**
 * struct ioemu_ctrl_stats - a controller's
 * @kobj: its directory
 * @exits: the counters
 */
struct ioemu_ctrl_stats {
	struct kobject kobj;
	struct ioemu_exits __percpu *exits;
};

/**
 * ioemu_ctrl_stats_create() - make counters and their directory "controller"
 * @parent: the controller's directory
 *
 * Context: process context.
 * Return: the counters, or an ERR_PTR.
 */
struct ioemu_ctrl_stats *ioemu_ctrl_stats_create(struct kobject *parent);

/**
 * ioemu_ctrl_stats_destroy() - remove them
 * @stats: counters that nothing uses any more
 *
 * Context: process context.
 */
void ioemu_ctrl_stats_destroy(struct ioemu_ctrl_stats *stats);

/**
 * ioemu_stats_create() - make counters and their directory disk<index>
 * @parent: the controller's directory
 * @index: of the disk
 *
 * Context: process context.
 * Return: the counters, or an ERR_PTR.
 */
struct ioemu_stats *ioemu_stats_create(struct kobject *parent,
				       unsigned int index);

/**
 * ioemu_stats_destroy() - remove them
 * @stats: counters that nothing uses any more
 *
 * Context: process context.
 */
void ioemu_stats_destroy(struct ioemu_stats *stats);

/**
 * ioemu_stats_sum() - a counter over all CPUs
 * @stats: counters
 * @what: which
 *
 * Context: any.
 */
u64 ioemu_stats_sum(const struct ioemu_stats *stats, enum ioemu_counter what);

/**
 * ioemu_stats_add() - count
 * @stats: counters
 * @what: which
 * @n: how many; may be negative as a two's complement
 *
 * Context: any.
 */
static inline void ioemu_stats_add(struct ioemu_stats *stats,
				   enum ioemu_counter what, u64 n)
{
	this_cpu_add(stats->cpu->counter[what], n);
}

/**
 * ioemu_stats_latency() - count one more that took so long
 * @stats: counters
 * @stage: of what
 * @ns: how long
 *
 * Context: any.
 */
static inline void ioemu_stats_latency(struct ioemu_stats *stats,
				       enum ioemu_stage stage, u64 ns)
{
	unsigned int bucket = min(ilog2(ns | 1), IOEMU_BUCKETS - 1);

	this_cpu_inc(stats->cpu->latency[stage][bucket]);
	this_cpu_add(stats->cpu->latency_sum[stage], ns);
}

#endif /* _IOEMU_STATS_H */
