// SPDX-License-Identifier: GPL-2.0
/*
 * What a disk has done and how long it took: a directory disk<index> in the
 * controller's own in sysfs, with a file of counters, one of histograms and one of
 * the sums of what is in these.
 * What the controller costs its guest: a directory "controller" beside them.
 */

#include <linux/err.h>
#include <linux/error-injection.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "stats.h"

static const char * const counter_names[] = {
	[IOEMU_READS]			= "reads",
	[IOEMU_READ_BYTES]		= "read_bytes",
	[IOEMU_WRITES]			= "writes",
	[IOEMU_WRITE_BYTES]		= "write_bytes",
	[IOEMU_FLUSHES]			= "flushes",
	[IOEMU_DISCARDS]		= "discards",
	[IOEMU_DISCARD_BYTES]		= "discard_bytes",
	[IOEMU_WRITE_ZEROES]		= "write_zeroes",
	[IOEMU_WRITE_ZEROES_BYTES]	= "write_zeroes_bytes",
	[IOEMU_ERRORS]			= "errors",
	[IOEMU_IN_FLIGHT]		= "in_flight",
	[IOEMU_BOUNCED]			= "bounced",
	[IOEMU_THROTTLED]		= "throttled",
};

static const char * const stage_names[] = {
	[IOEMU_STAGE_FETCH]	= "fetch",
	[IOEMU_STAGE_SUBMIT]	= "submit",
	[IOEMU_STAGE_DISK]	= "disk",
	[IOEMU_STAGE_POST]	= "post",
	[IOEMU_STAGE_TOTAL]	= "total",
};

static struct ioemu_stats *stats_from_kobj(struct kobject *kobj)
{
	return container_of(kobj, struct ioemu_stats, kobj);
}

u64 ioemu_stats_sum(const struct ioemu_stats *stats, enum ioemu_counter what)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats->cpu, cpu)->counter[what]);
	return sum;
}

static ssize_t stat_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	struct ioemu_stats *stats = stats_from_kobj(kobj);
	unsigned int i;
	int len = 0;

	/*
	 * A request may begin on a CPU that was counted before that, and end on
	 * one that is counted after: then fewer than none are in flight.
	 */
	for (i = 0; i < IOEMU_COUNTERS; i++)
		len += sysfs_emit_at(buf, len, "%s %lld\n", counter_names[i],
				     max_t(s64, ioemu_stats_sum(stats, i), 0));
	return len;
}

static u64 latency_count(const struct ioemu_stats *stats, unsigned int stage,
			 unsigned int bucket)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats->cpu,
					     cpu)->latency[stage][bucket]);
	return sum;
}

static ssize_t latency_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	struct ioemu_stats *stats = stats_from_kobj(kobj);
	unsigned int stage, i;
	int len = 0;

	for (stage = 0; stage < IOEMU_STAGES; stage++) {
		len += sysfs_emit_at(buf, len, "%s", stage_names[stage]);
		for (i = 0; i < IOEMU_BUCKETS; i++)
			len += sysfs_emit_at(buf, len, " %llu",
					     latency_count(stats, stage, i));
		len += sysfs_emit_at(buf, len, "\n");
	}
	return len;
}

static ssize_t latency_sum_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	struct ioemu_stats *stats = stats_from_kobj(kobj);
	unsigned int stage;
	int len = 0, cpu;
	u64 sum;

	for (stage = 0; stage < IOEMU_STAGES; stage++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(stats->cpu,
						     cpu)->latency_sum[stage]);
		len += sysfs_emit_at(buf, len, "%s %llu\n", stage_names[stage],
				     sum);
	}
	return len;
}

static struct kobj_attribute stat_attr = __ATTR_RO(stat);
static struct kobj_attribute latency_attr = __ATTR_RO(latency);
static struct kobj_attribute latency_sum_attr = __ATTR_RO(latency_sum);

static struct attribute *stats_attrs[] = {
	&stat_attr.attr,
	&latency_attr.attr,
	&latency_sum_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(stats);

static void stats_release(struct kobject *kobj)
{
	struct ioemu_stats *stats = stats_from_kobj(kobj);

	free_percpu(stats->cpu);
	kfree(stats);
}

static const struct kobj_type stats_ktype = {
	.release = stats_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = stats_groups,
};

static noinline int stats_alloc(struct ioemu_stats *stats)
{
	stats->cpu = alloc_percpu(struct ioemu_counters);
	return stats->cpu ? 0 : -ENOMEM;
}
ALLOW_ERROR_INJECTION(stats_alloc, ERRNO);

struct ioemu_stats *ioemu_stats_create(struct kobject *parent,
				       unsigned int index)
{
	struct ioemu_stats *stats;
	int ret;

	stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	if (!stats)
		return ERR_PTR(-ENOMEM);
	ret = stats_alloc(stats);
	if (ret) {
		kfree(stats);
		return ERR_PTR(ret);
	}
	ret = kobject_init_and_add(&stats->kobj, &stats_ktype, parent, "disk%u",
				   index);
	if (ret) {
		kobject_put(&stats->kobj);
		return ERR_PTR(ret);
	}
	return stats;
}

void ioemu_stats_destroy(struct ioemu_stats *stats)
{
	kobject_del(&stats->kobj);
	kobject_put(&stats->kobj);
}

/* ---- of a controller --------------------------------------------------- */

static struct ioemu_ctrl_stats *ctrl_stats_from_kobj(struct kobject *kobj)
{
	return container_of(kobj, struct ioemu_ctrl_stats, kobj);
}

static ssize_t ctrl_stat_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	struct ioemu_ctrl_stats *stats = ctrl_stats_from_kobj(kobj);
	const struct ioemu_exits *exits;
	struct ioemu_exits sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		exits = per_cpu_ptr(stats->exits, cpu);
		sum.commands += READ_ONCE(exits->commands);
		sum.doorbells += READ_ONCE(exits->doorbells);
		sum.interrupts += READ_ONCE(exits->interrupts);
	}
	return sysfs_emit_at(buf, 0,
			     "commands %llu\ndoorbells %llu\ninterrupts %llu\n",
			     sum.commands, sum.doorbells, sum.interrupts);
}

static struct kobj_attribute ctrl_stat_attr =
	__ATTR(stat, 0444, ctrl_stat_show, NULL);

static struct attribute *ctrl_stats_attrs[] = {
	&ctrl_stat_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(ctrl_stats);

static void ctrl_stats_release(struct kobject *kobj)
{
	struct ioemu_ctrl_stats *stats = ctrl_stats_from_kobj(kobj);

	free_percpu(stats->exits);
	kfree(stats);
}

static const struct kobj_type ctrl_stats_ktype = {
	.release = ctrl_stats_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = ctrl_stats_groups,
};

struct ioemu_ctrl_stats *ioemu_ctrl_stats_create(struct kobject *parent)
{
	struct ioemu_ctrl_stats *stats;
	int ret;

	stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	if (!stats)
		return ERR_PTR(-ENOMEM);
	stats->exits = alloc_percpu(struct ioemu_exits);
	if (!stats->exits) {
		kfree(stats);
		return ERR_PTR(-ENOMEM);
	}
	ret = kobject_init_and_add(&stats->kobj, &ctrl_stats_ktype, parent,
				   "controller");
	if (ret) {
		kobject_put(&stats->kobj);
		return ERR_PTR(ret);
	}
	return stats;
}

void ioemu_ctrl_stats_destroy(struct ioemu_ctrl_stats *stats)
{
	kobject_del(&stats->kobj);
	kobject_put(&stats->kobj);
}
