/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test controls and asks that the kernel does not have: context, time,
 * deferred work, allocation failures, log lines.
 *
 * A stand-in that sees a rule broken (sleeping in atomic context, a lock taken
 * twice, a wait that nobody can end) ends the program: there is no way on.
 */
#ifndef STANDIN_HOOKS_H
#define STANDIN_HOOKS_H

#include <standin/types.h>

/* Print and abort. */
void standin_die(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/*
 * A check failed that lets the program go on: counted, and the current test
 * fails. In a fuzzer it aborts.
 */
void standin_fail(const char *fmt, ...) __printf(1, 2);
unsigned int standin_failures(void);
extern bool standin_fail_aborts;

/* WARN_ON and friends, counted as failures unless they are expected. */
bool standin_warn(bool condition, const char *what, const char *file, int line);
extern bool standin_warn_expected;
extern unsigned int standin_warnings;

/* Context: locks that forbid sleeping and hard irqs add up, thread by thread. */
void standin_atomic_enter(void);
void standin_atomic_exit(void);
bool standin_in_atomic(void);
void standin_might_sleep(const char *where);

/* RCU: number of grace periods waited for; objects not yet freed. */
extern unsigned long standin_grace_periods;
void standin_rcu_drain(void);

/*
 * Memory. The @nth allocation from now fails, 1 for the next; 0 for none. With
 * @on the ones after it fail too.
 */
void standin_fail_alloc(unsigned long nth, bool on);
unsigned long standin_live_allocs(void);
/* How many allocations there were so far. */
unsigned long standin_nr_allocs(void);

/*
 * Deferred work runs when the test says so, or when somebody waits for it.
 * run_pending() runs what is queued, and what that queues, until nothing is
 * left; it returns how much ran.
 */
unsigned long run_pending(void);
bool run_pending_one(void);
unsigned long nr_pending(void);

/*
 * Called when somebody waits and no work is pending. It returns true when it
 * brought the program on (completed a request ...); when it does not, or is not
 * set, the wait can never end.
 */
extern bool (*standin_idle)(void *arg);
extern void *standin_idle_arg;

/*
 * Time. It stands still, but for standin_clock_step_ns that go by on each look
 * at the clock, so that a loop that polls until a deadline ends. Timers that
 * expire run within standin_advance_ns(), in atomic context.
 */
extern u64 standin_clock_step_ns;
void standin_advance_ns(u64 ns);
#define standin_advance_ms(ms) standin_advance_ns((u64)(ms) * 1000000)

/* Log: lines so far at warning level or worse, and the last of any level. */
extern unsigned int standin_log_warnings;
extern char standin_log_last[512];
extern bool standin_log_print;

extern unsigned int standin_nr_cpus;

#endif /* STANDIN_HOOKS_H */
