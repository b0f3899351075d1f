/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block back end: what a device model does with a disk.
 *
 * A model fills a struct ioemu_disk_io that lives in its own request, and gets
 * it back exactly once, through @done.
 */
#ifndef _IOEMU_DISK_H
#define _IOEMU_DISK_H

#include <linux/bio.h>
#include <linux/blk_types.h>
#include <linux/types.h>

struct ioemu_disk;
struct ioemu_disk_io;

/**
 * typedef ioemu_disk_done_t - a request is finished
 * @io: the request; the disk does not touch it any more
 * @status: outcome
 *
 * Context: any, hard irq included; may run before the submitting function
 * returns, on the same stack.
 */
typedef void (*ioemu_disk_done_t)(struct ioemu_disk_io *io,
				  blk_status_t status);

/**
 * enum ioemu_stage - the parts of a request's time
 * @IOEMU_STAGE_FETCH: from the doorbell until the model looked; once for all that
 *                     it found
 * @IOEMU_STAGE_SUBMIT: from then until it was given to the block layer
 * @IOEMU_STAGE_DISK: from then until the block layer was done
 * @IOEMU_STAGE_POST: from then until the guest was interrupted; only where
 *                    others could share the interrupt
 * @IOEMU_STAGE_TOTAL: submit and disk together, of each request
 * @IOEMU_STAGES: number of stages
 */
enum ioemu_stage {
	IOEMU_STAGE_FETCH,
	IOEMU_STAGE_SUBMIT,
	IOEMU_STAGE_DISK,
	IOEMU_STAGE_POST,
	IOEMU_STAGE_TOTAL,
	IOEMU_STAGES
};

/**
 * struct ioemu_disk_io - one request to a disk
 * @disk: set by the submitting functions
 * @done: set by the owner before submitting
 * @owner: set by the owner before submitting: what ioemu_disk_cancel() is called
 *         with
 * @polled: set by the owner before ioemu_disk_rw() if it will call
 *          ioemu_disk_poll() until @done; only where ioemu_disk_polls()
 * @stamp: when the last stage was over, ktime_get_ns(); the owner sets it before
 *         submitting, the disk afterwards
 * @begun: the disk's: what @stamp was at first
 * @bio: the disk's
 * @submit: the disk's: what goes to the block layer, @bio; or NULL for zeroes and
 *          discards, which are made when it is their turn
 * @bounce: the disk's: private pages where the owner's cannot be used directly
 * @bytes: the disk's: how much is to become zeroes or be discarded
 * @next: the disk's: next one to wait for its turn
 * @charge: the disk's: bytes by which those after it wait longer
 * @due: the disk's: its turn
 *
 * The owner may reuse it as soon as @done was called.
 */
struct ioemu_disk_io {
	struct ioemu_disk *disk;
	ioemu_disk_done_t done;
	const void *owner;
	bool polled;
	u64 stamp;
	u64 begun;
	struct bio bio;
	struct bio *submit;
	struct ioemu_bounce *bounce;
	u64 bytes;
	struct ioemu_disk_io *next;
	u64 charge;
	u64 due;
};

/**
 * struct ioemu_disk_info - properties of a disk that a guest may know
 * @nr_blocks: capacity in logical blocks; may change at any time
 * @block_shift: log2 of the logical block size, 9 to 12
 * @physical_shift: log2 of the physical block size
 * @optimal_blocks: preferred multiple of I/O in logical blocks, 0 if unknown
 * @read_only: writes fail
 * @max_discard_blocks: limit of one discard range, 0 for no discard
 * @discard_granularity: in logical blocks, 0 if unknown
 * @rotational: a disk that turns
 * @serial: NUL terminated, never empty, printable ASCII, up to 20 characters
 */
struct ioemu_disk_info {
	u64 nr_blocks;
	unsigned int block_shift;
	unsigned int physical_shift;
	unsigned int optimal_blocks;
	bool read_only;
	u32 max_discard_blocks;
	u32 discard_granularity;
	bool rotational;
	char serial[21];
};

/**
 * ioemu_disk_info() - read a disk's properties
 * @disk: disk
 * @info: filled
 *
 * Context: any.
 */
void ioemu_disk_info(const struct ioemu_disk *disk,
		     struct ioemu_disk_info *info);

/**
 * ioemu_disk_nr_blocks() - current capacity in logical blocks
 * @disk: disk
 *
 * Context: any.
 */
u64 ioemu_disk_nr_blocks(const struct ioemu_disk *disk);

/**
 * ioemu_disk_rw() - read or write
 * @disk: disk
 * @io: request with @done set
 * @block: first logical block; the owner has checked the range against the
 *         capacity, the disk checks it once more
 * @vecs: the memory, which stays valid until @done; any alignment of 4 bytes
 * @nr_vecs: entries in use
 * @bytes: sum of their lengths, a multiple of the logical block
 * @write: direction
 * @fua: on stable storage before @done (writes only)
 *
 * Context: process context; may sleep while the device's queue is full. Callers
 * plug with blk_start_plug().
 */
void ioemu_disk_rw(struct ioemu_disk *disk, struct ioemu_disk_io *io,
		   u64 block, struct bio_vec *vecs, unsigned int nr_vecs,
		   unsigned int bytes, bool write, bool fua);

/**
 * ioemu_disk_polls() - can the device finish requests without an interrupt?
 * @disk: disk
 *
 * Not while its use is limited: requests that wait for their turn are not to be
 * looked for.
 *
 * Context: any.
 */
bool ioemu_disk_polls(const struct ioemu_disk *disk);

/**
 * ioemu_disk_poll() - look whether the device has finished something
 * @io: request that was submitted with @polled, whether it is finished or not, but
 *      was not submitted again since
 *
 * Whatever the device has finished in the queue that took the request is done,
 * in the caller's context.
 *
 * Context: process context.
 */
void ioemu_disk_poll(struct ioemu_disk_io *io);

/**
 * ioemu_disk_flush() - put all completed writes on stable storage
 * @disk: disk
 * @io: request with @done set
 *
 * Context: process context, may sleep.
 */
void ioemu_disk_flush(struct ioemu_disk *disk, struct ioemu_disk_io *io);

/**
 * ioemu_disk_discard() - deallocate a range
 * @disk: disk
 * @io: request with @done set
 * @block: first logical block
 * @nr_blocks: number of blocks
 *
 * A hint: what the device does not support completes with success.
 *
 * Context: process context, may sleep and allocate.
 */
void ioemu_disk_discard(struct ioemu_disk *disk, struct ioemu_disk_io *io,
			u64 block, u64 nr_blocks);

/**
 * ioemu_disk_write_zeroes() - make a range read as zeroes
 * @disk: disk
 * @io: request with @done set
 * @block: first logical block
 * @nr_blocks: number of blocks, less than 4 GiB of them
 * @unmap: the range may be deallocated if it then reads as zeroes
 * @fua: on stable storage before @done
 *
 * Context: process context, may sleep and allocate.
 */
void ioemu_disk_write_zeroes(struct ioemu_disk *disk, struct ioemu_disk_io *io,
			     u64 block, u64 nr_blocks, bool unmap, bool fua);

/**
 * ioemu_disk_latency() - account a stage that the disk does not see
 * @disk: disk
 * @stage: which
 * @ns: how long it took
 *
 * Context: any.
 */
void ioemu_disk_latency(struct ioemu_disk *disk, enum ioemu_stage stage,
			u64 ns);

/**
 * ioemu_disk_cancel() - end requests that a limit holds back
 * @disk: disk
 * @owner: whose; NULL for all
 *
 * They end with %BLK_STS_AGAIN and have done nothing. For owners that are about to
 * wait for their requests because the guest wants it: what it gave up must neither
 * make it wait nor be done faster than the limit says.
 *
 * Context: process context.
 */
void ioemu_disk_cancel(struct ioemu_disk *disk, const void *owner);

/**
 * ioemu_disk_drain() - wait until the disk has no request
 * @disk: disk to which nobody submits any more
 *
 * When this returns, @done has returned for all of them.
 *
 * Context: process context, sleeps.
 */
void ioemu_disk_drain(struct ioemu_disk *disk);

#endif /* _IOEMU_DISK_H */
