// SPDX-License-Identifier: GPL-2.0
/*
 * When the thread of a submission queue waits.
 *
 * A doorbell costs the guest an exit that Xen has to emulate, and dom0 an event,
 * an interrupt and a wake-up; an interrupt costs the guest another exit. With
 * shadow doorbells both can be shared by many commands, or done without, if the
 * thread is in no hurry at two points:
 *
 * - before it fetches, it may wait for company: commands that arrive within the
 *   time of a wake-up are executed and completed together. A guest that has more
 *   than one command to give writes the next ones meanwhile, without an exit.
 *   Whether it does cannot be seen from outside, so the thread tries, goes on
 *   for as long as it gains, and tries ever less often when it does not: a guest
 *   with one command at a time is held up by one try in 256 commands.
 * - before it asks for a doorbell, it may wait for the next commands, if they
 *   have lately come soon enough. It looks for them all the time for about twice
 *   as long as they took: "polling", which burns the CPU that it runs on, never
 *   for longer than some wake-ups would take. Where polling is switched off it
 *   naps: it sleeps on a timer for as long as the commands are expected to take
 *   and looks once. Naps become shorter as long as the commands are there in
 *   time and longer when they are not.
 *
 * An idle queue does neither: its thread sleeps until the doorbell.
 */
#include <linux/hrtimer.h>
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

/* Wake-ups that polling may cost at the most */
#define NVME_POLL_WAKES		20

/* A wake-up that takes longer than this was held up by something else. */
#define NVME_WAKE_MAX_NS	NSEC_PER_MSEC

/* Between two looks at a slow disk that has to be looked at */
#define NVME_DISK_NAP_NS	(100 * NSEC_PER_USEC)

/*
 * How fast naps become shorter, as powers of two of their length: first to find
 * the right one, then to follow it.
 */
#define NVME_NAP_SEEK		4
#define NVME_NAP_FOLLOW		7

/* Naps that may be too short in a row, and the shortest that is worth a timer */
#define NVME_NAP_MISSES		8
#define NVME_NAP_MIN_NS		(10 * NSEC_PER_USEC)

static unsigned int nvme_poll_us = 5000;
module_param_cb(nvme_poll_us, &nvme_param_us_ops, &nvme_poll_us, 0644);
MODULE_PARM_DESC(nvme_poll_us,
		 "microseconds for which a busy queue looks for the next command before it asks for a doorbell, 0 to 100000, but no longer than 20 wake-ups take; 0 to nap instead (default 5000)");

static unsigned int nvme_nap_us = 1000;
module_param_cb(nvme_nap_us, &nvme_param_us_ops, &nvme_nap_us, 0644);
MODULE_PARM_DESC(nvme_nap_us,
		 "with nvme_poll_us=0, microseconds for which a busy queue sleeps before it looks for the next commands, 0 to 100000, 0 for never (default 1000)");

/* Long enough for a guest to write some commands, even a slow one. */
static unsigned int nvme_gather_us = 200;
module_param_cb(nvme_gather_us, &nvme_param_us_ops, &nvme_gather_us, 0644);
MODULE_PARM_DESC(nvme_gather_us,
		 "microseconds for which a queue with many commands waits for one more before it executes them, 0 to 100000, but no longer than a wake-up takes; 0 for never (default 200)");

static u32 nvme_pending(struct ioemu_nvme_sq *sq)
{
	u32 tail = ioemu_nvme_sq_tail(sq);

	return tail >= sq->head ? tail - sq->head : tail + sq->size - sq->head;
}

static bool nvme_stop_waiting(const struct ioemu_nvme_sq *sq)
{
	return READ_ONCE(sq->halt) || READ_ONCE(sq->cont);
}

/* Let others run for a while that a timer ends. */
static void nvme_sleep(u64 ns)
{
	ktime_t timeout = ns_to_ktime(ns);

	set_current_state(TASK_IDLE);
	schedule_hrtimeout_range(&timeout, ns / 16, HRTIMER_MODE_REL);
}

/* Look for up to @ns whether there are more than @pending commands. */
static u32 nvme_look(struct ioemu_nvme_sq *sq, u32 pending, u64 ns)
{
	u64 end = ktime_get_ns() + ns;
	unsigned int i;
	u32 now;

	do {
		for (i = 0; i < NVME_LOOKS; i++) {
			now = nvme_pending(sq);
			if (now > pending)
				return now;
			cpu_relax();
		}
		ioemu_nvme_cq_settle(sq->cq);
		/* Only a CPU that has nothing else to do is burnt. */
		if (need_resched())
			break;
	} while (!nvme_stop_waiting(sq) && ktime_get_ns() < end);
	return pending;
}

/*
 * Wait until nothing is added for @ns any more; where the thread has to sleep for
 * it, for longer each time, but for a wake-up's time at the most.
 */
static u32 nvme_gather(struct ioemu_nvme_sq *sq, u32 pending, u64 ns, bool poll)
{
	u32 before;

	do {
		before = pending;
		if (poll) {
			pending = nvme_look(sq, before, ns);
		} else {
			nvme_sleep(ns);
			pending = nvme_pending(sq);
			ns = min_t(u64, 2 * ns, NVME_WAKE_MAX_NS);
		}
	} while (pending > before && pending < NVME_BATCH &&
		 !nvme_stop_waiting(sq));
	return pending;
}

/**
 * ioemu_nvme_polls() - does the thread look by itself while it runs?
 * @sq: submission queue
 *
 * Context: the queue's thread, sq->run_lock held.
 * Return: true if it waits by looking, not by sleeping.
 */
bool ioemu_nvme_polls(const struct ioemu_nvme_sq *sq)
{
	return sq->shadow_tail && READ_ONCE(nvme_poll_us);
}

/**
 * ioemu_nvme_polls_disk() - shall the thread look for the end of a request?
 * @disk: disk that the request is for
 *
 * Context: the queue's thread.
 */
bool ioemu_nvme_polls_disk(const struct ioemu_disk *disk)
{
	return ioemu_disk_polls(disk) && READ_ONCE(nvme_poll_us);
}

/**
 * ioemu_nvme_polled_in_vain() - a disk had finished nothing
 * @sq: submission queue
 *
 * A disk that takes longer than a queue polls for is looked at now and then.
 *
 * Context: the queue's thread, sq->run_lock held; may sleep.
 */
void ioemu_nvme_polled_in_vain(struct ioemu_nvme_sq *sq)
{
	u64 now = ktime_get_ns();

	if (!sq->polled_ns)
		sq->polled_ns = now;
	else if (now - sq->polled_ns >
		 (u64)READ_ONCE(nvme_poll_us) * NSEC_PER_USEC)
		nvme_sleep(NVME_DISK_NAP_NS);
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
	u32 pending;
	u64 ns;

	if (!sq->shadow_tail || !us)
		return;
	/* They waited together already. */
	if (pace->napped) {
		pace->napped = false;
		return;
	}
	if (pace->gather_skip) {
		pace->gather_skip--;
		return;
	}
	pending = nvme_pending(sq);
	if (!pending)
		return;
	/* To wait is worth as much as the interrupt that it may save. */
	ns = (u64)us * NSEC_PER_USEC;
	if (pace->wake_ns)
		ns = min_t(u64, ns, pace->wake_ns);
	pending = nvme_gather(sq, pending, ns, READ_ONCE(nvme_poll_us));
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
 * ioemu_nvme_woken() - a queue's thread runs
 * @sq: submission queue
 *
 * Learns how long a wake-up takes, and how long the guest took.
 *
 * Context: the queue's thread, sq->run_lock held.
 */
void ioemu_nvme_woken(struct ioemu_nvme_sq *sq)
{
	struct ioemu_nvme_pace *pace = &sq->pace;
	u64 now, rung, wake;

	if (likely(!pace->asleep))
		return;
	now = ktime_get_ns();
	rung = READ_ONCE(sq->rung);
	/* Something else may have woken it. */
	if (rung > pace->asleep && rung < now) {
		wake = min_t(u64, now - rung, NVME_WAKE_MAX_NS);
		pace->wake_ns = pace->wake_ns ?
				(7 * (u64)pace->wake_ns + wake) / 8 : wake;
		pace->gap_ns = min_t(u64, rung - pace->asleep, U32_MAX);
	} else {
		pace->gap_ns = U32_MAX;
	}
	pace->asleep = 0;
}

/* Look for the next command for up to @limit. Returns true if there is one. */
static bool nvme_poll(struct ioemu_nvme_sq *sq, u64 limit)
{
	struct ioemu_nvme_pace *pace = &sq->pace;
	u64 start, gap;

	limit = min_t(u64, limit, (u64)NVME_POLL_WAKES * pace->wake_ns);
	if (pace->gap_ns && pace->gap_ns <= limit)
		pace->poll_ns = min_t(u64, 2 * (u64)pace->gap_ns, limit);
	pace->gap_ns = 0;
	if (!pace->poll_ns)
		return false;

	start = ktime_get_ns();
	if (nvme_look(sq, 0, min_t(u64, pace->poll_ns, limit))) {
		/* Follow a guest that becomes slower. */
		gap = ktime_get_ns() - start;
		pace->poll_ns = min_t(u64, limit,
				      max_t(u64, 2 * gap,
					    pace->poll_ns - pace->poll_ns / 8));
		pace->polls++;
		return true;
	}
	/* One miss is no proof; several are. */
	pace->poll_ns /= 2;
	return false;
}

/*
 * Sleep until about as many commands should be there as last time. Returns true
 * if there are any.
 */
static bool nvme_nap(struct ioemu_nvme_sq *sq, u64 limit)
{
	struct ioemu_nvme_pace *pace = &sq->pace;
	u32 pending, want = max(1U, pace->batch - pace->batch / 4);

	if (!pace->nap_ns && pace->gap_ns && pace->gap_ns <= limit) {
		pace->nap_ns = max_t(u32, pace->gap_ns, NVME_NAP_MIN_NS);
		pace->nap_shift = NVME_NAP_SEEK;
		pace->nap_misses = 0;
	}
	pace->gap_ns = 0;
	if (!pace->nap_ns)
		return false;

	nvme_sleep(pace->nap_ns);
	pending = nvme_pending(sq);
	if (pending >= want) {
		pace->nap_ns = max_t(u32, pace->nap_ns -
					  (pace->nap_ns >> pace->nap_shift),
				     NVME_NAP_MIN_NS);
		pace->nap_misses = 0;
	} else {
		if (pending)
			pending = nvme_gather(sq, pending, pace->nap_ns / 4,
					      false);
		pace->nap_ns = min_t(u64, pace->nap_ns + pace->nap_ns / 8,
				     limit);
		pace->nap_shift = NVME_NAP_FOLLOW;
		if (!pending && ++pace->nap_misses > NVME_NAP_MISSES)
			pace->nap_ns = 0;
	}
	if (pending) {
		pace->napped = true;
		pace->naps++;
	}
	return pending;
}

/**
 * ioemu_nvme_wait() - wait for commands before asking for a doorbell
 * @sq: submission queue, which is empty
 *
 * Context: the queue's thread, sq->run_lock held; may sleep.
 * Return: true if there are commands.
 */
bool ioemu_nvme_wait(struct ioemu_nvme_sq *sq)
{
	u64 poll = READ_ONCE(nvme_poll_us) * NSEC_PER_USEC;
	u64 nap = READ_ONCE(nvme_nap_us) * NSEC_PER_USEC;

	if (!sq->shadow_tail)
		return false;
	if (poll ? nvme_poll(sq, poll) : nap && nvme_nap(sq, nap))
		return true;
	sq->pace.asleep = ktime_get_ns();
	return false;
}
