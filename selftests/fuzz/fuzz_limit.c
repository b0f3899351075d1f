// SPDX-License-Identifier: GPL-2.0
/*
 * The limits of a disk: requests of any size at any time, limits that change.
 * None is lost, none starts twice or before its elders, and no more start than
 * the limits allow, worked out here from totals alone.
 */
#include <linux/blkdev.h>
#include <standin/kernel.h>
#include <standin/mem.h>
#include <standin/sched.h>

#include <ioemu/disk.h>

#include "input.h"
#include "limit.h"

#define NR_IOS		64
#define MAX_STEPS	200
#define AHEAD_NS	(20 * NSEC_PER_MSEC)

#define CHECK(c) do {							\
	if (!(c))							\
		standin_die("%s:%d: %s", __func__, __LINE__, #c); } while (0)

static struct ioemu_limit limit;
static struct input in;
static struct ioemu_disk_io ios[NR_IOS];
static const int owners[2];
static u64 sizes[NR_IOS];
static bool waits[NR_IOS];
static unsigned int order[NR_IOS];	/* of those that wait, oldest first */
static unsigned int nr_waiting;
static u64 iops, bandwidth;
/* Since the limits are in force: when, and what started but for the last one. */
static u64 since, started, bytes, last_bytes;
static bool hurried;
/* Requests that are still to come again at once when they have started */
static unsigned int again;
/* What had waited and was let go */
static u64 released;

static void count(u64 n)
{
	u64 now = standin_clock_quiet();
	unsigned __int128 time = (u64)(now - since) + AHEAD_NS;

	bytes += last_bytes;
	last_bytes = n;
	if (!hurried && iops)
		CHECK(started * (unsigned __int128)(NSEC_PER_SEC / iops) <= time);
	/* Each request's share is rounded down to a nanosecond. */
	if (!hurried && bandwidth)
		CHECK((unsigned __int128)bytes * NSEC_PER_SEC / bandwidth <=
		      time + started);
	started++;
}

static void start(unsigned int i)
{
	CHECK(i < NR_IOS && waits[i]);
	CHECK(nr_waiting && order[0] == i);
	memmove(order, order + 1, --nr_waiting * sizeof(order[0]));
	waits[i] = false;
	count(sizes[i]);
}

static void begin_io(unsigned int i, u64 size)
{
	sizes[i] = size;
	order[nr_waiting++] = i;
	waits[i] = true;
	if (!ioemu_limit_hold(&limit, &ios[i], size)) {
		/* Those that wait go first. */
		CHECK(nr_waiting == 1);
		start(i);
	}
}

static void go(struct ioemu_disk_io *io)
{
	unsigned int i = io - ios;

	start(i);
	released++;
	if (again) {
		again--;
		begin_io(i, sizes[i]);
	}
}

static void begin(void)
{
	since = standin_clock_quiet();
	started = 0;
	bytes = 0;
	last_bytes = 0;
	/* What waits is let go, and was measured by other limits. */
	hurried = false;
}

static void set(u64 new_iops, u64 new_bandwidth)
{
	bool same = new_iops == iops && new_bandwidth == bandwidth;

	if (!same)
		hurried = true;
	ioemu_limit_set(&limit, new_iops, new_bandwidth);
	CHECK(same || !nr_waiting);
	iops = new_iops;
	bandwidth = new_bandwidth;
	if (!same)
		begin();
}

static u64 number(void)
{
	u8 how = input_u8(&in);

	switch (how >> 6) {
	case 0:
		return 0;
	case 1:
		return how & 0x3f;
	case 2:
		return (u64)(how & 0x3f) * 1000;
	default:
		return how & 0x20 ? input_u64(&in) : input_u32(&in);
	}
}

static u64 size(void)
{
	u8 how = input_u8(&in);

	if (how < 0xf0)
		return (how + 1) * 512ull;
	return how & 1 ? 1ull << 33 : input_u32(&in);
}

/* A guest that always has one more holds nobody up. */
static void hurry(bool busy)
{
	unsigned int n = nr_waiting;
	u64 before = released;

	hurried = true;
	again = busy ? 2 * NR_IOS : 0;
	ioemu_limit_hurry(&limit);
	again = 0;
	CHECK(released - before == n);
	CHECK(busy || !nr_waiting);
}

/* Some, or all, are not wanted any more. */
static void take(const void *owner)
{
	struct ioemu_disk_io *io;
	unsigned int i, n = 0;

	io = ioemu_limit_take(&limit, owner);
	for (i = 0; i < nr_waiting; i++) {
		if (owner && ios[order[i]].owner != owner) {
			order[n++] = order[i];
			continue;
		}
		CHECK(io == &ios[order[i]]);
		waits[order[i]] = false;
		io = io->next;
	}
	CHECK(!io);
	nr_waiting = n;
}

static void step(void)
{
	u8 op = input_u8(&in);
	unsigned int i, n = op >> 4;

	switch (op % 8) {
	case 0:
		set(number(), number());
		break;
	case 1 ... 3:
		for (i = 0; i < NR_IOS && waits[i]; i++)
			;
		if (i == NR_IOS)
			break;
		ios[i].owner = &owners[n & 1];
		begin_io(i, size());
		break;
	case 4 ... 5:
		standin_advance_ms(n + 1);
		run_pending();
		break;
	case 6:
		standin_advance_ms((n + 1) * 1000);
		run_pending();
		break;
	case 7:
		if (n >= 12)
			hurry(n & 1);
		else if (n >= 8)
			take(n & 1 ? &owners[n >> 1 & 1] : NULL);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	unsigned int n;

	in = (struct input) { data, size };
	standin_fail_aborts = true;
	memset(&limit, 0, sizeof(limit));
	memset(waits, 0, sizeof(waits));
	nr_waiting = 0;
	iops = 0;
	bandwidth = 0;
	ioemu_limit_init(&limit, go);
	begin();
	set(number(), number());
	for (n = 0; n < MAX_STEPS && in.left; n++)
		step();
	/* With no limit any more, all go at once. */
	set(0, 0);
	if (!iops && !bandwidth)
		ioemu_limit_hurry(&limit);
	run_pending();
	CHECK(!nr_waiting);
	ioemu_limit_exit(&limit);
	CHECK(!nr_pending());
	return 0;
}
