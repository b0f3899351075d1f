// SPDX-License-Identifier: GPL-2.0
/*
 * When the thread of a submission queue waits.
 *
 * A doorbell costs the guest an exit, and dom0 an event, an interrupt and a
 * wake-up; an interrupt costs the guest another exit. With shadow doorbells both
 * can be shared by many commands, if the thread is in no hurry at two points:
 *
 * - before it fetches, it may wait for company: commands that arrive within a
 *   few microseconds are executed and completed together. A guest that has more
 *   than one command to give writes the next ones meanwhile, without an exit.
 *   Whether it does cannot be seen from outside, so the thread tries, goes on
 *   for as long as it gains, and tries ever less often when it does not: a guest
 *   with one command at a time is held up by one try in 256 commands.
 * - before it asks for a doorbell, it may look for the next command for a while.
 *   It looks only if commands have lately come soon enough, for about twice as
 *   long as they took, and never longer than the limit.
 *
 * An idle queue does neither: its thread sleeps until the doorbell.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "nvme.h"

/* The thread looks this often, at least, whether it is wanted elsewhere. */
#define NVME_LOOKS		32

/* Commands that must have gathered for the wait to have been worth it */
#define NVME_COMPANY		4

/* Tries that may fail after one that was worth it */
#define NVME_CREDIT		3

/* Runs between two tries that fail, at the most */
#define NVME_BACKOFF_MAX	255

static int nvme_param_set_us(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 100000);
}

static const struct kernel_param_ops nvme_param_us_ops = {
	.set = nvme_param_set_us,
	.get = param_get_uint,
};

/*
 * Looking for commands burns the CPU that it runs on. The default is of the
 * order of what a wake-up with its exits takes.
 */
static unsigned int nvme_poll_us = 200;
module_param_cb(nvme_poll_us, &nvme_param_us_ops, &nvme_poll_us, 0644);
MODULE_PARM_DESC(nvme_poll_us,
		 "microseconds for which a busy queue looks for the next command before it asks for a doorbell, 0 to 100000, 0 for never (default 200)");

/* Long enough for a guest to write some commands. */
static unsigned int nvme_gather_us = 50;
module_param_cb(nvme_gather_us, &nvme_param_us_ops, &nvme_gather_us, 0644);
MODULE_PARM_DESC(nvme_gather_us,
		 "microseconds for which a queue with many commands waits for one more before it executes them, 0 to 100000, 0 for never (default 50)");

static u32 nvme_pending(struct ioemu_nvme_sq *sq)
{
	u32 tail = ioemu_nvme_sq_tail(sq);

	return tail >= sq->head ? tail - sq->head : tail + sq->size - sq->head;
}

static bool nvme_stop_waiting(const struct ioemu_nvme_sq *sq)
{
	return READ_ONCE(sq->halt) || READ_ONCE(sq->cont);
}

/*
 * Look for up to @ns whether there are more than @pending commands. Sleeps
 * instead where looking is switched off.
 */
static u32 nvme_look(struct ioemu_nvme_sq *sq, u32 pending, u64 ns, bool spin)
{
	u64 end = ktime_get_ns() + ns;
	unsigned int i;
	u32 now;

	do {
		if (!spin) {
			unsigned int us = ns / NSEC_PER_USEC;

			usleep_range(us, us + us / 4);
			return nvme_pending(sq);
		}
		for (i = 0; i < NVME_LOOKS; i++) {
			now = nvme_pending(sq);
			if (now > pending)
				return now;
			cpu_relax();
		}
		cond_resched();
	} while (!nvme_stop_waiting(sq) && ktime_get_ns() < end);
	return pending;
}

/**
 * ioemu_nvme_gather() - wait for company before fetching
 * @sq: submission queue
 *
 * Context: the queue's thread, sq->run_lock held; may sleep.
 */
void ioemu_nvme_gather(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme_pace *pace = &sq->pace;
	unsigned int us = READ_ONCE(nvme_gather_us);
	u32 pending, before;

	if (!sq->shadow_tail || !us)
		return;
	if (pace->gather_skip) {
		pace->gather_skip--;
		return;
	}
	pending = nvme_pending(sq);
	if (!pending)
		return;
	do {
		before = pending;
		pending = nvme_look(sq, before, (u64)us * NSEC_PER_USEC,
				    READ_ONCE(nvme_poll_us));
	} while (pending > before && pending < NVME_BATCH &&
		 !nvme_stop_waiting(sq));

	if (pending >= NVME_COMPANY) {
		pace->gathers++;
		pace->gather_backoff = 0;
		pace->gather_credit = NVME_CREDIT;
	} else if (pace->gather_credit) {
		pace->gather_credit--;
	} else {
		pace->gather_backoff = min_t(u32, 2 * pace->gather_backoff + 1,
					     NVME_BACKOFF_MAX);
		pace->gather_skip = pace->gather_backoff;
	}
}

/**
 * ioemu_nvme_poll() - look for the next command before asking for a doorbell
 * @sq: submission queue, which is empty
 *
 * Context: the queue's thread, sq->run_lock held; may sleep.
 * Return: true if there are commands.
 */
bool ioemu_nvme_poll(struct ioemu_nvme_sq *sq)
{
	u32 limit = READ_ONCE(nvme_poll_us) * NSEC_PER_USEC;
	struct ioemu_nvme_pace *pace = &sq->pace;
	u64 now, gap;

	if (!sq->shadow_tail || !limit)
		return false;

	now = ktime_get_ns();
	gap = now - pace->asleep;
	if (pace->asleep && gap <= limit)
		pace->poll_ns = min_t(u64, 2 * gap, limit);
	pace->asleep = 0;

	if (pace->poll_ns) {
		if (nvme_look(sq, 0, min(pace->poll_ns, limit), true)) {
			/* Follow a guest that becomes slower. */
			gap = ktime_get_ns() - now;
			pace->poll_ns = min_t(u64, limit,
					      max_t(u64, 2 * gap,
						    pace->poll_ns - pace->poll_ns / 8));
			pace->polls++;
			return true;
		}
		/* One miss is no proof; several are. */
		pace->poll_ns /= 2;
		now = ktime_get_ns();
	}
	pace->asleep = now;
	return false;
}
