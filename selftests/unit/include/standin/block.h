/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in: the block layer as driver/disk.c sees it, which alone is compiled with
 * this. test_disk.c is what lies behind it.
 */
#ifndef STANDIN_BLOCK_H
#define STANDIN_BLOCK_H

#include <standin/bio.h>
#include <standin/kernel.h>

enum req_op {
	REQ_OP_READ		= 0,
	REQ_OP_WRITE		= 1,
	REQ_OP_DISCARD		= 3,
	REQ_OP_WRITE_ZEROES	= 9,
};

#define REQ_SYNC		(1u << 11)
#define REQ_IDLE		(1u << 15)
#define REQ_FUA			(1u << 17)
#define REQ_PREFLUSH		(1u << 18)
#define REQ_POLLED		(1u << 22)
#define REQ_NOUNMAP		(1u << 25)
#define bio_op(bio)		((enum req_op)((bio)->bi_opf & 0xff))

#define BLKDEV_ZERO_NOUNMAP	1
#define BLKDEV_ZERO_NOFALLBACK	2
#define BLK_POLL_ONESHOT	1

typedef unsigned int blk_mode_t;
#define BLK_OPEN_READ		1u
#define BLK_OPEN_WRITE		2u

struct block_device {
	u64 sectors;
	unsigned int dma_alignment;
	unsigned int max_discard_sectors;
	bool stable_writes;
	bool zoned;
};

struct ioemu_bdev_file {
	struct block_device *bdev;
};

int ioemu_bdev_open(struct ioemu_bdev_file *f, const char *path,
		    blk_mode_t mode, void *holder);
void ioemu_bdev_close(struct ioemu_bdev_file *f, void *holder);
#define ioemu_bdev_polls(bdev)		((void)(bdev), false)

int sync_blockdev(struct block_device *bdev);
void invalidate_bdev(struct block_device *bdev);

#define bdev_nr_sectors(bdev)		((bdev)->sectors)
#define bdev_read_only(bdev)		((void)(bdev), false)
#define bdev_logical_block_size(bdev)	((void)(bdev), 512u)
#define bdev_physical_block_size(bdev)	((void)(bdev), 512u)
#define bdev_io_opt(bdev)		((void)(bdev), 0u)
#define bdev_dma_alignment(bdev)	((bdev)->dma_alignment)
#define bdev_max_discard_sectors(bdev)	((bdev)->max_discard_sectors)
#define bdev_discard_granularity(bdev)	((void)(bdev), 512u)
#define bdev_nonrot(bdev)		((void)(bdev), true)
#define bdev_stable_writes(bdev)	((bdev)->stable_writes)
#define bdev_is_zoned(bdev)		((bdev)->zoned)

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *vecs,
	      unsigned short nr_vecs, blk_opf_t opf);
void bio_put(struct bio *bio);
void bio_endio(struct bio *bio);
void submit_bio(struct bio *bio);
int bio_poll(struct bio *bio, void *batch, unsigned int flags);

int __blkdev_issue_discard(struct block_device *bdev, sector_t sector,
			   sector_t nr, gfp_t gfp, struct bio **bio);
int __blkdev_issue_zeroout(struct block_device *bdev, sector_t sector,
			   sector_t nr, gfp_t gfp, struct bio **bio,
			   unsigned int flags);
int blkdev_issue_zeroout(struct block_device *bdev, sector_t sector,
			 sector_t nr, gfp_t gfp, unsigned int flags);
blk_status_t errno_to_blk_status(int err);

#endif /* STANDIN_BLOCK_H */
