// SPDX-License-Identifier: GPL-2.0
/*
 * How fast a disk may be used: requests and bytes in a second.
 *
 * Every request moves the point in time at which the disk has earned all requests
 * so far. One that comes before that point waits for it, first come, first served;
 * a disk that was idle may run ahead by a short time, which also covers that a
 * waiting request starts up to a jiffy late.
 */

#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include <ioemu/disk.h>

#include "limit.h"

#define LIMIT_AHEAD_NS		(20 * NSEC_PER_MSEC)

static void limit_arm(struct ioemu_limit *limit, u64 now)
{
	u64 due;

	lockdep_assert_held(&limit->lock);

	if (!limit->first) {
		WRITE_ONCE(limit->on, limit->iops || limit->bytes);
		return;
	}
	due = limit->first->due;
	mod_delayed_work(system_unbound_wq, &limit->work,
			 due > now ? nsecs_to_jiffies(due - now) + 1 : 0);
}

/* Let go what is due until then, but not what comes meanwhile. */
static void limit_run(struct ioemu_limit *limit, u64 until)
{
	struct ioemu_disk_io *io;
	struct blk_plug plug;
	unsigned int left;

	blk_start_plug(&plug);
	spin_lock_irq(&limit->lock);
	left = limit->nr;
	while ((io = limit->first) && left-- && io->due <= until) {
		limit->first = io->next;
		limit->nr--;
		spin_unlock_irq(&limit->lock);
		limit->go(io);
		spin_lock_irq(&limit->lock);
	}
	limit_arm(limit, ktime_get_ns());
	spin_unlock_irq(&limit->lock);
	blk_finish_plug(&plug);
}

static void limit_work(struct work_struct *work)
{
	limit_run(container_of(to_delayed_work(work), struct ioemu_limit, work),
		  ktime_get_ns());
}

void ioemu_limit_init(struct ioemu_limit *limit,
		      void (*go)(struct ioemu_disk_io *io))
{
	spin_lock_init(&limit->lock);
	INIT_DELAYED_WORK(&limit->work, limit_work);
	limit->go = go;
}

void ioemu_limit_exit(struct ioemu_limit *limit)
{
	WARN_ON_ONCE(limit->first);
	cancel_delayed_work_sync(&limit->work);
}

void ioemu_limit_set(struct ioemu_limit *limit, u64 iops, u64 bytes)
{
	bool changed;

	spin_lock_irq(&limit->lock);
	changed = limit->iops != iops || limit->bytes != bytes;
	if (changed) {
		limit->iops = iops;
		limit->bytes = bytes;
		limit->next_request = 0;
		limit->next_byte = 0;
		WRITE_ONCE(limit->on, iops || bytes || limit->first);
	}
	spin_unlock_irq(&limit->lock);
	/* What waits was measured by the old limits. */
	if (changed)
		ioemu_limit_hurry(limit);
}

/* Give a request its turn, and say what is due after it. */
static void limit_charge(struct ioemu_limit *limit, struct ioemu_disk_io *io,
			 u64 now)
{
	u64 ahead = now - LIMIT_AHEAD_NS;

	lockdep_assert_held(&limit->lock);

	limit->next_request = max(limit->next_request, ahead);
	limit->next_byte = max(limit->next_byte, ahead);
	io->due = max(limit->next_request, limit->next_byte);
	if (limit->iops)
		limit->next_request += div64_u64(NSEC_PER_SEC, limit->iops);
	if (limit->bytes)
		limit->next_byte += div64_u64(io->charge * NSEC_PER_SEC,
					      limit->bytes);
}

static void limit_append(struct ioemu_limit *limit, struct ioemu_disk_io *io)
{
	lockdep_assert_held(&limit->lock);

	io->next = NULL;
	if (limit->first)
		limit->last->next = io;
	else
		limit->first = io;
	limit->last = io;
	limit->nr++;
}

bool ioemu_limit_hold(struct ioemu_limit *limit, struct ioemu_disk_io *io,
		      u64 bytes)
{
	bool first, hold;
	u64 now;

	if (likely(!READ_ONCE(limit->on)))
		return false;

	spin_lock_irq(&limit->lock);
	now = ktime_get_ns();
	first = !limit->first;
	io->charge = bytes;
	limit_charge(limit, io, now);
	hold = !first || io->due > now;
	if (hold)
		limit_append(limit, io);
	if (hold && first)
		limit_arm(limit, now);
	spin_unlock_irq(&limit->lock);
	return hold;
}

struct ioemu_disk_io *ioemu_limit_take(struct ioemu_limit *limit,
				       const void *owner)
{
	struct ioemu_disk_io *io, *next, *taken = NULL, **end = &taken;
	u64 now;

	spin_lock_irq(&limit->lock);
	now = ktime_get_ns();
	io = limit->first;
	if (io) {
		/* Back to when the first of them came, and again without those taken. */
		limit->next_request = io->due;
		limit->next_byte = io->due;
		limit->first = NULL;
		limit->nr = 0;
	}
	for (; io; io = next) {
		next = io->next;
		if (owner && io->owner != owner) {
			limit_charge(limit, io, now);
			limit_append(limit, io);
		} else {
			*end = io;
			end = &io->next;
		}
	}
	*end = NULL;
	limit_arm(limit, now);
	spin_unlock_irq(&limit->lock);
	return taken;
}

void ioemu_limit_hurry(struct ioemu_limit *limit)
{
	limit_run(limit, U64_MAX);
}
