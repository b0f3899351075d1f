/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of attacks share. They run when they are named, and may leave
 * the controller in any state; each ends with hostile_recover(): after a reset,
 * whatever came before, the controller does what it should.
 */
#ifndef TINY_HOSTILE_H
#define TINY_HOSTILE_H

#include "nvme_io.h"

/* Controller and queue pair; without an end in sight of the last attack. */
void hostile_setup(void);
/* And another CPU at work, until the test's first hostile_recover(). */
void hostile_noisy_setup(void);
void hostile_teardown(void);
/* BARs, decoding, MSI-X, reset, queue pair, and data that comes back. */
void hostile_recover(void);

/* Page addresses at which no queue, list or data should be. */
#define HOSTILE_ADDRS	16
u64 hostile_addr(u32 n);

/* Function-level reset; false if there is none. */
bool hostile_flr(void);
/* Power state 0 or 3; false without the capability. */
bool hostile_power(u32 state);

/*
 * Another CPU that keeps a queue pair of its own busy and expects nothing of it.
 * It uses the pair as nvme_create_pair() left it until it is stopped. The first of
 * its commands is done when it was started; false with one CPU.
 */
bool noise_start(void);
void noise_stop(void);

/*
 * Take the completions of @n commands of queue 1, with the identifiers 0 to @n - 1:
 * each comes once, and @right says whether its status is what it should be. It
 * ends the test when one is missing or a stranger.
 */
void hostile_reap(u32 n, bool (*right)(u16 cid, u16 status));
bool hostile_success(u16 cid, u16 status);

/* For so many milliseconds: argument ms=, per attack. */
u64 hostile_ns(u32 dflt_ms);

#endif
