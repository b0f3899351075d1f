/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk in memory: <ioemu/disk.h> for tests. Requests complete within the
 * submitting call, or are held until the test lets them go, in any order. Data
 * moves when a request completes. Every request is judged: alignment, range,
 * lengths, and that it is submitted once at a time.
 */
#ifndef FAKE_DISK_H
#define FAKE_DISK_H

#include <ioemu/disk.h>

#define FAKE_DISK_MAX_LOG	4096

enum fake_disk_op {
	FAKE_DISK_READ,
	FAKE_DISK_WRITE,
	FAKE_DISK_FLUSH,
	FAKE_DISK_DISCARD,
	FAKE_DISK_ZEROES,
};

/* A request as it was submitted; the log keeps the first so many. */
struct fake_disk_entry {
	enum fake_disk_op op;
	u64 block;
	u64 nr_blocks;
	unsigned int nr_vecs;
	bool fua;
	bool unmap;
};

struct ioemu_disk *fake_disk_new(u64 nr_blocks, unsigned int block_shift);
/* Fails the test when requests are left. */
void fake_disk_free(struct ioemu_disk *disk);

/* As new, for fuzzers; likewise. */
void fake_disk_reset(struct ioemu_disk *disk);

/* What the guest may know; change it at will. nr_blocks only shrinks. */
struct ioemu_disk_info *fake_disk_info(struct ioemu_disk *disk);
/* The contents. */
u8 *fake_disk_data(struct ioemu_disk *disk);

/* Hold requests from now on, or complete them at once. */
void fake_disk_hold(struct ioemu_disk *disk, bool hold);
unsigned int fake_disk_nr_held(struct ioemu_disk *disk);
/* Hold them as a limit does, or no more: all but flushes, and they can be cancelled. */
void fake_disk_limit(struct ioemu_disk *disk, bool limit);
/* Complete the held request with this index, oldest first. */
void fake_disk_release(struct ioemu_disk *disk, unsigned int index);
void fake_disk_release_all(struct ioemu_disk *disk);
/* For standin_idle: release the oldest held request. */
bool fake_disk_idle(void *disk);

/* The @nth request from now, 1 for the next, ends so; with @on all after it. */
void fake_disk_fail(struct ioemu_disk *disk, unsigned long nth,
		    blk_status_t status, bool on);
/* Complete in hard irq context (the default) or as the caller is. */
void fake_disk_complete_in_irq(struct ioemu_disk *disk, bool irq);

/*
 * Reads and writes of an owner who polls are held until it has looked @times in
 * vain; 0 for a disk that need not be polled.
 */
void fake_disk_poll(struct ioemu_disk *disk, unsigned int times);

unsigned int fake_disk_nr_log(struct ioemu_disk *disk);
struct fake_disk_entry fake_disk_log(struct ioemu_disk *disk,
				     unsigned int index);
void fake_disk_clear_log(struct ioemu_disk *disk);
unsigned int fake_disk_count(struct ioemu_disk *disk, enum fake_disk_op op);

#endif /* FAKE_DISK_H */
