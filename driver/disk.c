// SPDX-License-Identifier: GPL-2.0
/*
 * The block back end: one exclusively opened block device.
 *
 * A read or write becomes one bio on the memory that the model names, normally
 * the guest's own. Memory that the block layer cannot take as it is (pieces that
 * are not whole blocks, or not aligned as the device wants, or too many, or what is
 * written where it must not change meanwhile) is replaced by private pages for the
 * time of the request.
 *
 * Every request ends in disk_done(), once.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/error-injection.h>
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "disk.h"
#include "limit.h"
#include "stats.h"

/**
 * struct ioemu_disk - a disk
 * @file: the open device
 * @bdev: the device
 * @read_only: the guest may not write
 * @block_shift: log2 of the logical block size
 * @dma_mask: address bits that must be zero for direct I/O
 * @polls: the device can finish requests without an interrupt, when it is looked at
 * @offloads_zeroes: write zeroes has been seen to work, so that it need not be
 *                   waited for; by whether it may deallocate, since a device
 *                   may be able to do one and not the other
 * @seen_blocks: capacity when ioemu_disk_resized() was last called
 * @limit: how fast it may be used
 * @stats: counters
 * @serial: identity towards the guest
 *
 * Fixed while open, except for @offloads_zeroes, @seen_blocks and @limit.
 */
struct ioemu_disk {
	struct ioemu_bdev_file file;
	struct block_device *bdev;
	bool read_only;
	unsigned int block_shift;
	unsigned int dma_mask;
	bool polls;
	bool offloads_zeroes[2];
	u64 seen_blocks;
	struct ioemu_limit limit;
	struct ioemu_stats *stats;
	char serial[21];
};

/**
 * struct ioemu_bounce - private pages of one request
 * @owner_vecs: the owner's memory
 * @nr_owner_vecs: entries
 * @nr_vecs: entries of @vecs
 * @vecs: one private page each
 */
struct ioemu_bounce {
	struct bio_vec *owner_vecs;
	unsigned int nr_owner_vecs;
	unsigned int nr_vecs;
	struct bio_vec vecs[];
};

static void disk_zero_or_discard(struct ioemu_disk_io *io);

/* To the block layer. */
static void disk_go(struct ioemu_disk_io *io)
{
	u64 now = ktime_get_ns();

	ioemu_stats_latency(io->disk->stats, IOEMU_STAGE_SUBMIT,
			    now - io->stamp);
	io->stamp = now;
	if (likely(io->submit))
		submit_bio(io->submit);
	else
		disk_zero_or_discard(io);
}

static void disk_submit(struct ioemu_disk_io *io, struct bio *bio, u64 bytes)
{
	struct ioemu_disk *disk = io->disk;

	io->submit = bio;
	if (unlikely(ioemu_limit_hold(&disk->limit, io, bytes)))
		ioemu_stats_add(disk->stats, IOEMU_THROTTLED, 1);
	else
		disk_go(io);
}

struct ioemu_disk *ioemu_disk_open(const char *path, bool read_only,
				   const char *serial,
				   struct ioemu_stats *stats)
{
	blk_mode_t mode = BLK_OPEN_READ | (read_only ? 0 : BLK_OPEN_WRITE);
	struct ioemu_disk *disk;
	unsigned int block;
	int ret;

	disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	if (!disk)
		return ERR_PTR(-ENOMEM);
	ret = ioemu_bdev_open(&disk->file, path, mode, disk);
	if (ret)
		goto err_free;
	disk->bdev = disk->file.bdev;
	/*
	 * Somebody may have written through dom0's cache and have the device
	 * open still: the guest shall read that, and it must not be written
	 * over the guest's data later.
	 */
	ret = sync_blockdev(disk->bdev);
	if (ret)
		goto err_close;
	invalidate_bdev(disk->bdev);
	ret = -EROFS;
	if (!read_only && bdev_read_only(disk->bdev))
		goto err_close;
	block = bdev_logical_block_size(disk->bdev);
	ret = -EINVAL;
	if (block > PAGE_SIZE)
		goto err_close;
	ret = -EMEDIUMTYPE;
	if (bdev_is_zoned(disk->bdev))
		goto err_close;
	disk->block_shift = ilog2(block);
	/*
	 * Pieces that are not whole blocks are legal, but so rare elsewhere
	 * that not every driver is ready for them.
	 */
	disk->dma_mask = bdev_dma_alignment(disk->bdev) | (block - 1);
	disk->polls = ioemu_bdev_polls(disk->bdev);
	disk->read_only = read_only;
	disk->seen_blocks = ioemu_disk_nr_blocks(disk);
	disk->stats = stats;
	ioemu_limit_init(&disk->limit, disk_go);
	strscpy(disk->serial, serial, sizeof(disk->serial));
	return disk;

err_close:
	ioemu_bdev_close(&disk->file, disk);
err_free:
	kfree(disk);
	return ERR_PTR(ret);
}
ALLOW_ERROR_INJECTION(ioemu_disk_open, ERRNO);

void ioemu_disk_close(struct ioemu_disk *disk)
{
	/* What was given back may be counted still. */
	ioemu_disk_drain(disk);
	ioemu_limit_exit(&disk->limit);
	/* What was read through dom0's cache may be older than the guest's. */
	invalidate_bdev(disk->bdev);
	ioemu_bdev_close(&disk->file, disk);
	ioemu_stats_destroy(disk->stats);
	kfree(disk);
}

void ioemu_disk_drain(struct ioemu_disk *disk)
{
	ioemu_limit_hurry(&disk->limit);
	while (ioemu_stats_sum(disk->stats, IOEMU_IN_FLIGHT))
		usleep_range(500, 1000);
}

void ioemu_disk_set_limit(struct ioemu_disk *disk, u64 iops, u64 bytes)
{
	ioemu_limit_set(&disk->limit, iops, bytes);
}

void ioemu_disk_latency(struct ioemu_disk *disk, enum ioemu_stage stage,
			u64 ns)
{
	ioemu_stats_latency(disk->stats, stage, ns);
}

u64 ioemu_disk_nr_blocks(const struct ioemu_disk *disk)
{
	return bdev_nr_sectors(disk->bdev) >>
	       (disk->block_shift - SECTOR_SHIFT);
}

bool ioemu_disk_resized(struct ioemu_disk *disk)
{
	u64 blocks = ioemu_disk_nr_blocks(disk);

	if (blocks == disk->seen_blocks)
		return false;
	disk->seen_blocks = blocks;
	return true;
}

void ioemu_disk_info(const struct ioemu_disk *disk,
		     struct ioemu_disk_info *info)
{
	struct block_device *bdev = disk->bdev;
	unsigned int shift = disk->block_shift;

	memset(info, 0, sizeof(*info));
	info->nr_blocks = ioemu_disk_nr_blocks(disk);
	info->block_shift = shift;
	info->physical_shift = ilog2(bdev_physical_block_size(bdev));
	info->optimal_blocks = bdev_io_opt(bdev) >> shift;
	info->read_only = disk->read_only;
	info->max_discard_blocks =
		bdev_max_discard_sectors(bdev) >> (shift - SECTOR_SHIFT);
	info->discard_granularity = bdev_discard_granularity(bdev) >> shift;
	info->rotational = !bdev_nonrot(bdev);
	memcpy(info->serial, disk->serial, sizeof(info->serial));
}

static sector_t disk_sector(const struct ioemu_disk *disk, u64 block)
{
	return block << (disk->block_shift - SECTOR_SHIFT);
}

/* The range is checked here too: a disk may have shrunk since the owner did. */
static bool disk_range_ok(const struct ioemu_disk *disk, u64 block,
			  u64 nr_blocks)
{
	u64 size = ioemu_disk_nr_blocks(disk);

	return nr_blocks <= size && block <= size - nr_blocks;
}

/* Copy between the private pages and the owner's memory. */
static void bounce_copy(struct ioemu_bounce *bounce, bool to_owner)
{
	unsigned int i, private = 0, private_off = 0;

	for (i = 0; i < bounce->nr_owner_vecs; i++) {
		struct bio_vec *vec = &bounce->owner_vecs[i];
		void *owner = page_address(vec->bv_page) + vec->bv_offset;
		unsigned int left = vec->bv_len;

		while (left) {
			struct bio_vec *own = &bounce->vecs[private];
			void *ours = page_address(own->bv_page) + private_off;
			unsigned int len = min(left, own->bv_len - private_off);

			if (to_owner)
				memcpy(owner, ours, len);
			else
				memcpy(ours, owner, len);
			owner += len;
			left -= len;
			private_off += len;
			if (private_off == own->bv_len) {
				private++;
				private_off = 0;
			}
		}
	}
}

static void bounce_free(struct ioemu_bounce *bounce)
{
	unsigned int i;

	for (i = 0; i < bounce->nr_vecs; i++)
		__free_page(bounce->vecs[i].bv_page);
	kfree(bounce);
}

static struct ioemu_bounce *bounce_alloc(struct bio_vec *vecs,
					 unsigned int nr_vecs,
					 unsigned int bytes)
{
	unsigned int nr = DIV_ROUND_UP(bytes, PAGE_SIZE);
	struct ioemu_bounce *bounce;

	/* GFP_NOIO: the disk may be what memory would be written out to. */
	bounce = kmalloc(struct_size(bounce, vecs, nr), GFP_NOIO);
	if (!bounce)
		return NULL;
	bounce->owner_vecs = vecs;
	bounce->nr_owner_vecs = nr_vecs;
	for (bounce->nr_vecs = 0; bounce->nr_vecs < nr; bounce->nr_vecs++) {
		struct bio_vec *vec = &bounce->vecs[bounce->nr_vecs];

		vec->bv_page = alloc_page(GFP_NOIO);
		if (!vec->bv_page) {
			bounce_free(bounce);
			return NULL;
		}
		vec->bv_offset = 0;
		vec->bv_len = min_t(unsigned int, bytes, PAGE_SIZE);
		bytes -= vec->bv_len;
	}
	return bounce;
}

static void disk_done(struct ioemu_disk_io *io, blk_status_t status)
{
	struct ioemu_stats *stats = io->disk->stats;
	struct ioemu_bounce *bounce = io->bounce;
	u64 now = ktime_get_ns();

	if (unlikely(bounce)) {
		if (bio_op(&io->bio) == REQ_OP_READ && !status)
			bounce_copy(bounce, true);
		bounce_free(bounce);
		io->bounce = NULL;
	}
	/* What was cancelled is no error of the disk. */
	if (unlikely(status) && status != BLK_STS_AGAIN)
		ioemu_stats_add(stats, IOEMU_ERRORS, 1);
	ioemu_stats_latency(stats, IOEMU_STAGE_DISK, now - io->stamp);
	ioemu_stats_latency(stats, IOEMU_STAGE_TOTAL, now - io->begun);
	io->stamp = now;
	io->done(io, status);
	/* After this the disk may go. */
	ioemu_stats_add(stats, IOEMU_IN_FLIGHT, -1);
}

static void disk_end_io(struct bio *bio)
{
	struct ioemu_disk_io *io = bio->bi_private;

	disk_done(io, bio->bi_status);
}

/*
 * For bios that the block layer's helpers allocated. That a device does not do
 * what it said it does may come out only now: a discard was a hint anyway, and
 * the next write zeroes is done in another way.
 */
static void disk_end_io_put(struct bio *bio)
{
	struct ioemu_disk_io *io = bio->bi_private;
	blk_status_t status = bio->bi_status;

	if (status == BLK_STS_NOTSUPP) {
		if (bio_op(bio) == REQ_OP_DISCARD)
			status = BLK_STS_OK;
		else
			memset(io->disk->offloads_zeroes, 0,
			       sizeof(io->disk->offloads_zeroes));
	}
	bio_put(bio);
	disk_done(io, status);
}

static bool vecs_aligned(const struct bio_vec *vecs, unsigned int nr,
			 unsigned int mask)
{
	unsigned int bits = 0;

	while (nr--) {
		bits |= vecs->bv_offset | vecs->bv_len;
		vecs++;
	}
	return !(bits & mask);
}

/*
 * One bio takes no more pieces; there are so many only where they are small. A device
 * that works out checksums of what is written (network storage, integrity)
 * may find it changed when it sends it: nothing keeps a guest from doing so.
 */
static bool disk_bounces(const struct ioemu_disk *disk,
			 const struct bio_vec *vecs, unsigned int nr_vecs,
			 bool write)
{
	return nr_vecs > BIO_MAX_VECS ||
	       !vecs_aligned(vecs, nr_vecs, disk->dma_mask) ||
	       (write && bdev_stable_writes(disk->bdev));
}

/* Count a request that begins. */
static void disk_begin(struct ioemu_disk *disk, struct ioemu_disk_io *io,
		       enum ioemu_counter requests)
{
	io->disk = disk;
	io->begun = io->stamp;
	io->bounce = NULL;
	ioemu_stats_add(disk->stats, requests, 1);
	ioemu_stats_add(disk->stats, IOEMU_IN_FLIGHT, 1);
}

/* From here on the bio must end, which gives back what it refers to. */
static void disk_init_bio(struct ioemu_disk *disk, struct ioemu_disk_io *io,
			  struct bio_vec *vecs, unsigned int nr_vecs,
			  blk_opf_t opf)
{
	bio_init(&io->bio, disk->bdev, vecs, nr_vecs, opf);
	io->bio.bi_private = io;
	io->bio.bi_end_io = disk_end_io;
}

void ioemu_disk_rw(struct ioemu_disk *disk, struct ioemu_disk_io *io,
		   u64 block, struct bio_vec *vecs, unsigned int nr_vecs,
		   unsigned int bytes, bool write, bool fua)
{
	blk_opf_t opf = write ? REQ_OP_WRITE | REQ_SYNC | REQ_IDLE :
				REQ_OP_READ;

	if (write && fua)
		opf |= REQ_FUA;
	if (io->polled)
		opf |= REQ_POLLED;
	disk_begin(disk, io, write ? IOEMU_WRITES : IOEMU_READS);
	ioemu_stats_add(disk->stats,
			write ? IOEMU_WRITE_BYTES : IOEMU_READ_BYTES, bytes);

	if (unlikely(!disk_range_ok(disk, block, bytes >> disk->block_shift))) {
		disk_done(io, BLK_STS_IOERR);
		return;
	}
	if (unlikely(disk_bounces(disk, vecs, nr_vecs, write))) {
		io->bounce = bounce_alloc(vecs, nr_vecs, bytes);
		if (!io->bounce) {
			disk_done(io, BLK_STS_RESOURCE);
			return;
		}
		ioemu_stats_add(disk->stats, IOEMU_BOUNCED, 1);
		if (write)
			bounce_copy(io->bounce, false);
		vecs = io->bounce->vecs;
		nr_vecs = io->bounce->nr_vecs;
	}
	disk_init_bio(disk, io, vecs, nr_vecs, opf);
	io->bio.bi_vcnt = nr_vecs;
	io->bio.bi_iter.bi_size = bytes;
	io->bio.bi_iter.bi_sector = disk_sector(disk, block);
	disk_submit(io, &io->bio, bytes);
}

bool ioemu_disk_polls(const struct ioemu_disk *disk)
{
	return disk->polls && !READ_ONCE(disk->limit.on);
}

void ioemu_disk_poll(struct ioemu_disk_io *io)
{
	bio_poll(&io->bio, NULL, BLK_POLL_ONESHOT);
}

void ioemu_disk_flush(struct ioemu_disk *disk, struct ioemu_disk_io *io)
{
	disk_begin(disk, io, IOEMU_FLUSHES);
	disk_init_bio(disk, io, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH);
	io->submit = &io->bio;
	disk_go(io);
}

void ioemu_disk_discard(struct ioemu_disk *disk, struct ioemu_disk_io *io,
			u64 block, u64 nr_blocks)
{
	u64 bytes = nr_blocks << disk->block_shift;

	disk_begin(disk, io, IOEMU_DISCARDS);
	ioemu_stats_add(disk->stats, IOEMU_DISCARD_BYTES, bytes);
	if (!disk_range_ok(disk, block, nr_blocks)) {
		disk_done(io, BLK_STS_IOERR);
		return;
	}
	io->bio.bi_opf = REQ_OP_DISCARD;
	io->bio.bi_iter.bi_sector = disk_sector(disk, block);
	io->bytes = bytes;
	disk_submit(io, NULL, 0);
}

/* A bio that a helper of the block layer made, or why there is none. */
static void disk_submit_made(struct ioemu_disk_io *io, struct bio *bio, int ret)
{
	if (bio) {
		bio->bi_private = io;
		bio->bi_end_io = disk_end_io_put;
		submit_bio(bio);
		return;
	}
	disk_done(io, errno_to_blk_status(ret));
}

static noinline void disk_discard(struct ioemu_disk_io *io)
{
	struct bio *bio = NULL;
	int ret;

	ret = __blkdev_issue_discard(io->disk->bdev, io->bio.bi_iter.bi_sector,
				     io->bytes >> SECTOR_SHIFT, GFP_NOIO, &bio);
	/* Not supported: it was a hint. */
	disk_submit_made(io, bio, ret == -EOPNOTSUPP ? 0 : ret);
}

/*
 * Write zeroes and wait. The block layer writes pages of zeroes where the device
 * fails to offload it.
 */
static int disk_zero_wait(struct ioemu_disk *disk, sector_t sector, sector_t nr,
			  bool unmap)
{
	unsigned int flags = unmap ? 0 : BLKDEV_ZERO_NOUNMAP;
	int ret;

	ret = blkdev_issue_zeroout(disk->bdev, sector, nr, GFP_NOIO,
				   flags | BLKDEV_ZERO_NOFALLBACK);
	if (!ret)
		WRITE_ONCE(disk->offloads_zeroes[unmap], true);
	else if (ret == -EOPNOTSUPP)
		ret = blkdev_issue_zeroout(disk->bdev, sector, nr, GFP_NOIO,
					   flags);
	return ret;
}

static noinline void disk_write_zeroes(struct ioemu_disk_io *io)
{
	sector_t sector = io->bio.bi_iter.bi_sector;
	sector_t nr = io->bytes >> SECTOR_SHIFT;
	bool unmap = !(io->bio.bi_opf & REQ_NOUNMAP);
	bool fua = io->bio.bi_opf & REQ_FUA;
	struct ioemu_disk *disk = io->disk;
	struct bio *bio = NULL;
	int ret;

	if (fua || !READ_ONCE(disk->offloads_zeroes[unmap])) {
		ret = disk_zero_wait(disk, sector, nr, unmap);
		/* No flag makes all bios of the range durable: flush. */
		if (!ret && fua) {
			disk_init_bio(disk, io, NULL, 0,
				      REQ_OP_WRITE | REQ_PREFLUSH);
			submit_bio(&io->bio);
			return;
		}
		disk_done(io, errno_to_blk_status(ret));
		return;
	}
	ret = __blkdev_issue_zeroout(disk->bdev, sector, nr, GFP_NOIO, &bio,
				     unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
	disk_submit_made(io, bio, ret);
}

/* Its turn has come. What it is was left in io->bio and io->bytes. */
static void disk_zero_or_discard(struct ioemu_disk_io *io)
{
	if (bio_op(&io->bio) == REQ_OP_DISCARD)
		disk_discard(io);
	else
		disk_write_zeroes(io);
}

void ioemu_disk_write_zeroes(struct ioemu_disk *disk, struct ioemu_disk_io *io,
			     u64 block, u64 nr_blocks, bool unmap, bool fua)
{
	u64 bytes = nr_blocks << disk->block_shift;

	disk_begin(disk, io, IOEMU_WRITE_ZEROES);
	ioemu_stats_add(disk->stats, IOEMU_WRITE_ZEROES_BYTES, bytes);
	if (!disk_range_ok(disk, block, nr_blocks)) {
		disk_done(io, BLK_STS_IOERR);
		return;
	}
	io->bio.bi_opf = REQ_OP_WRITE_ZEROES | (unmap ? 0 : REQ_NOUNMAP) |
			 (fua ? REQ_FUA : 0);
	io->bio.bi_iter.bi_sector = disk_sector(disk, block);
	io->bytes = bytes;
	disk_submit(io, NULL, bytes);
}

/* One that has not been given to the block layer ends. */
static void disk_cancel(struct ioemu_disk_io *io)
{
	if (!io->submit) {
		disk_done(io, BLK_STS_AGAIN);
		return;
	}
	io->submit->bi_status = BLK_STS_AGAIN;
	bio_endio(io->submit);
}

void ioemu_disk_cancel(struct ioemu_disk *disk, const void *owner)
{
	struct ioemu_disk_io *io, *next;

	for (io = ioemu_limit_take(&disk->limit, owner); io; io = next) {
		next = io->next;
		disk_cancel(io);
	}
}
