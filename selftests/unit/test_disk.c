// SPDX-License-Identifier: GPL-2.0
/*
 * The block back end, driver/disk.c, on a block layer that is here: a request that
 * goes down ends when the test says so.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <standin/block.h>
#include <standin/sched.h>

#include "disk.h"
#include "harness.h"
#include "stats.h"

#define MAX_BIOS	16
#define SECTORS		(1u << 20)

FIXTURE(disk)
{
	struct kobject parent;
	struct ioemu_stats *stats;
	struct ioemu_disk *disk;
	struct page *page;
	struct bio_vec vec;
};

static struct block_device bdev;
static struct bio *bios[MAX_BIOS];
static unsigned int nr_bios;
/* References that initialised bios have until they end */
static int bio_refs;
/* Sectors that were written as zeroes while the caller waited */
static u64 zeroed;
static char calls[256];
static int sync_fails;

static void called(const char *what)
{
	strcat(calls, what);
	strcat(calls, " ");
}

int ioemu_bdev_open(struct ioemu_bdev_file *f, const char *path,
		    blk_mode_t mode, void *holder)
{
	called("open");
	f->bdev = &bdev;
	return 0;
}

void ioemu_bdev_close(struct ioemu_bdev_file *f, void *holder)
{
	called("close");
}

int sync_blockdev(struct block_device *b)
{
	called("sync");
	return sync_fails;
}

void invalidate_bdev(struct block_device *b)
{
	called("invalidate");
}

void bio_init(struct bio *bio, struct block_device *b, struct bio_vec *vecs,
	      unsigned short nr_vecs, blk_opf_t opf)
{
	memset(bio, 0, sizeof(*bio));
	bio->bi_bdev = b;
	bio->bi_io_vec = vecs;
	bio->bi_opf = opf;
	bio_refs++;
}

void bio_endio(struct bio *bio)
{
	bio_refs--;
	bio->bi_end_io(bio);
}

void bio_put(struct bio *bio)
{
	kfree(bio);
}

static void end_bio(unsigned int i, blk_status_t status)
{
	struct bio *bio = bios[i];

	memmove(bios + i, bios + i + 1, (--nr_bios - i) * sizeof(*bios));
	bio->bi_status = status;
	bio_endio(bio);
}

void submit_bio(struct bio *bio)
{
	standin_might_sleep(__func__);
	if (nr_bios == MAX_BIOS)
		standin_die("too many bios");
	bios[nr_bios++] = bio;
}

int bio_poll(struct bio *bio, void *batch, unsigned int flags)
{
	return 0;
}

static int new_bio(struct block_device *b, sector_t sector, sector_t nr,
		   struct bio **bio, blk_opf_t opf)
{
	*bio = kzalloc(sizeof(**bio), GFP_KERNEL);
	bio_init(*bio, b, NULL, 0, opf);
	(*bio)->bi_iter.bi_sector = sector;
	(*bio)->bi_iter.bi_size = nr << SECTOR_SHIFT;
	return 0;
}

int __blkdev_issue_discard(struct block_device *b, sector_t sector,
			   sector_t nr, gfp_t gfp, struct bio **bio)
{
	if (!b->max_discard_sectors)
		return -EOPNOTSUPP;
	return new_bio(b, sector, nr, bio, REQ_OP_DISCARD);
}

int __blkdev_issue_zeroout(struct block_device *b, sector_t sector,
			   sector_t nr, gfp_t gfp, struct bio **bio,
			   unsigned int flags)
{
	return new_bio(b, sector, nr, bio, REQ_OP_WRITE_ZEROES);
}

int blkdev_issue_zeroout(struct block_device *b, sector_t sector, sector_t nr,
			 gfp_t gfp, unsigned int flags)
{
	standin_might_sleep(__func__);
	zeroed += nr;
	return 0;
}

blk_status_t errno_to_blk_status(int err)
{
	return !err ? BLK_STS_OK : BLK_STS_IOERR;
}

/* A request, and what became of it */
struct request {
	struct ioemu_disk_io io;
	unsigned int done;
	blk_status_t status;
};

static void request_done(struct ioemu_disk_io *io, blk_status_t status)
{
	struct request *r = container_of(io, struct request, io);

	r->done++;
	r->status = status;
}

static void end_all(void)
{
	while (nr_bios)
		end_bio(0, BLK_STS_OK);
}

FIXTURE_SETUP(disk)
{
	bdev = (struct block_device) {
		.sectors = SECTORS, .dma_alignment = 511,
		.max_discard_sectors = SECTORS,
	};
	self->stats = ioemu_stats_create(&self->parent, 0);
	ASSERT_TRUE(!IS_ERR(self->stats));
	self->disk = ioemu_disk_open("/dev/disk", false, "SERIAL", self->stats);
	ASSERT_TRUE(!IS_ERR(self->disk));
	self->page = alloc_page(GFP_KERNEL);
	memset(page_address(self->page), 'a', PAGE_SIZE);
	bvec_set_page(&self->vec, self->page, PAGE_SIZE, 0);
}

FIXTURE_TEARDOWN(disk)
{
	ioemu_disk_close(self->disk);
	__free_page(self->page);
	EXPECT_EQ(0, nr_bios);
}

static void request_init(struct request *r)
{
	*r = (struct request) {
		.io = { .done = request_done, .stamp = ktime_get_ns() },
	};
}

/* What dom0 cached is written before the guest's data, and not read after them. */
TEST_F(disk, cache_of_dom0_is_no_cache_of_the_guest)
{
	struct ioemu_stats *stats;

	EXPECT_EQ(0, strcmp(calls, "open sync invalidate "));
	calls[0] = 0;
	ioemu_disk_close(self->disk);
	EXPECT_EQ(0, strcmp(calls, "invalidate close "));

	stats = ioemu_stats_create(&self->parent, 0);
	calls[0] = 0;
	sync_fails = -EIO;
	EXPECT_EQ(-EIO, PTR_ERR(ioemu_disk_open("/dev/disk", false, "", stats)));
	EXPECT_EQ(0, strcmp(calls, "open sync close "));
	sync_fails = 0;
	self->disk = ioemu_disk_open("/dev/disk", true, "", stats);
	ASSERT_TRUE(!IS_ERR(self->disk));
	EXPECT_EQ(0, strcmp(calls, "open sync close open sync invalidate "));
}

static void write_zeroes(struct fixture_disk *self, struct request *r,
			 u64 block, u64 nr, bool fua)
{
	request_init(r);
	ioemu_disk_write_zeroes(self->disk, &r->io, block, nr, true, fua);
}

static u64 counted(struct fixture_disk *self, enum ioemu_counter what)
{
	return ioemu_stats_sum(self->stats, what);
}

TEST_F(disk, zeroes_are_offloaded_once_that_has_worked)
{
	struct request r;

	write_zeroes(self, &r, 8, 16, false);
	EXPECT_EQ(1, r.done);
	EXPECT_EQ(16, zeroed);
	write_zeroes(self, &r, 8, 32, false);
	EXPECT_EQ(0, r.done);
	ASSERT_EQ(1, nr_bios);
	EXPECT_EQ(REQ_OP_WRITE_ZEROES, bio_op(bios[0]));
	EXPECT_EQ(8, bios[0]->bi_iter.bi_sector);
	EXPECT_EQ(32 * 512, bios[0]->bi_iter.bi_size);
	end_all();
	EXPECT_EQ(1, r.done);
	EXPECT_EQ(16, zeroed);
}

TEST_F(disk, zeroes_with_fua_end_with_a_flush)
{
	struct request r;

	write_zeroes(self, &r, 0, 16, true);
	EXPECT_EQ(16, zeroed);
	EXPECT_EQ(0, r.done);
	ASSERT_EQ(1, nr_bios);
	EXPECT_TRUE(bios[0]->bi_opf & REQ_PREFLUSH);
	end_all();
	EXPECT_EQ(1, r.done);
}

/* Whether they are waited for or not. */
TEST_F(disk, zeroes_wait_for_their_turn)
{
	struct request r[3][2];
	unsigned int how, i;
	u64 start;

	/* At first it is not known whether the device does it by itself; then FUA. */
	for (how = 0; how < 3; how++) {
		ioemu_disk_set_limit(self->disk, 0, 1 << 20);
		start = ktime_get_ns();
		for (i = 0; i < 2; i++)
			write_zeroes(self, &r[how][i], 0, 2048, how == 1);
		end_all();
		EXPECT_EQ(1, r[how][0].done);
		EXPECT_EQ(0, r[how][1].done);
		standin_advance_ms(900);
		run_pending();
		end_all();
		EXPECT_EQ(0, r[how][1].done);
		standin_advance_ms(200);
		run_pending();
		end_all();
		EXPECT_EQ(1, r[how][1].done);
		EXPECT_TRUE(ktime_get_ns() - start < 2 * NSEC_PER_SEC);
		ioemu_disk_set_limit(self->disk, 0, 0);
	}
	EXPECT_EQ(3, counted(self, IOEMU_THROTTLED));
	EXPECT_EQ(3 * 2048, zeroed);
	/* Of all of the time, the disk had next to none: 2^30 ns are 1.07 s. */
	EXPECT_EQ(3, self->stats->cpu->latency[IOEMU_STAGE_TOTAL][30]);
	EXPECT_EQ(0, self->stats->cpu->latency[IOEMU_STAGE_DISK][30]);
}

static void rw(struct fixture_disk *self, struct request *r, u64 block,
	       unsigned int offset, bool write)
{
	request_init(r);
	bvec_set_page(&self->vec, self->page, 512, offset);
	ioemu_disk_rw(self->disk, &r->io, block, &self->vec, 1, 512, write,
		      false);
}

/*
 * Those of one owner go, whatever they are, having done nothing: the others come as
 * soon as if they had never been, and no sooner.
 */
TEST_F(disk, held_requests_can_be_cancelled)
{
	static const int owners[2];
	struct request r[8];
	unsigned int i;

	self->vec.bv_len = 512;
	ioemu_disk_set_limit(self->disk, 1, 0);
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		request_init(&r[i]);
		r[i].io.owner = &owners[i & 1];
		if (i < 4)
			ioemu_disk_rw(self->disk, &r[i].io, i, &self->vec, 1, 512,
				      false, false);
		else if (i < 6)
			ioemu_disk_discard(self->disk, &r[i].io, i, 1);
		else
			ioemu_disk_write_zeroes(self->disk, &r[i].io, i, 1, true,
						false);
	}
	EXPECT_EQ(1, nr_bios);
	end_all();
	EXPECT_EQ(1, r[0].done);
	/* Discards and zeroes have no bio yet. */
	EXPECT_EQ(3, bio_refs);
	ioemu_disk_cancel(self->disk, &owners[1]);
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		EXPECT_EQ(!i || i & 1, r[i].done);
		if (i & 1)
			EXPECT_EQ(BLK_STS_AGAIN, r[i].status);
	}
	EXPECT_EQ(0, nr_bios);
	EXPECT_EQ(0, zeroed);
	EXPECT_EQ(0, counted(self, IOEMU_ERRORS));
	EXPECT_EQ(3, ioemu_stats_sum(self->stats, IOEMU_IN_FLIGHT));
	for (i = 2; i < ARRAY_SIZE(r); i += 2) {
		standin_advance_ms(900);
		run_pending();
		end_all();
		EXPECT_EQ(0, r[i].done);
		standin_advance_ms(100);
		run_pending();
		end_all();
		EXPECT_EQ(1, r[i].done);
		EXPECT_EQ(BLK_STS_OK, r[i].status);
	}

	for (i = 0; i < 4; i++)
		rw(self, &r[i], 0, 0, false);
	EXPECT_EQ(0, nr_bios);
	ioemu_disk_cancel(self->disk, NULL);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(BLK_STS_AGAIN, r[i].status);
	EXPECT_EQ(0, ioemu_stats_sum(self->stats, IOEMU_IN_FLIGHT));
	EXPECT_EQ(0, bio_refs);
}

/* What is not submitted, or in another bio, has taken nothing that it must give back. */
TEST_F(disk, bios_leave_no_references)
{
	struct request r;
	bool write;
	u64 block;

	for (block = SECTORS - 1; block <= SECTORS; block++) {
		for (write = false;; write = true) {
			rw(self, &r, block, 0, write);
			end_all();
			EXPECT_EQ(1, r.done);
			rw(self, &r, block, 4, write);
			end_all();
			EXPECT_EQ(1, r.done);
			write_zeroes(self, &r, block, 1, write);
			end_all();
			EXPECT_EQ(1, r.done);
			if (write)
				break;
		}
		write_zeroes(self, &r, block, 1, false);
		end_all();
		EXPECT_EQ(1, r.done);
		request_init(&r);
		ioemu_disk_discard(self->disk, &r.io, block, 1);
		end_all();
		EXPECT_EQ(1, r.done);
		EXPECT_EQ(0, bio_refs);
	}
	standin_fail_alloc(1, true);
	rw(self, &r, 0, 4, true);
	standin_fail_alloc(0, false);
	EXPECT_EQ(BLK_STS_RESOURCE, r.status);
	bdev.max_discard_sectors = 0;
	request_init(&r);
	ioemu_disk_discard(self->disk, &r.io, 0, 1);
	EXPECT_EQ(BLK_STS_OK, r.status);
	EXPECT_EQ(1, r.done);
	EXPECT_EQ(0, bio_refs);
	EXPECT_EQ(2, counted(self, IOEMU_BOUNCED));
}

/* Memory that the device cannot take is copied, to it and from it. */
TEST_F(disk, bounced_data_is_the_same)
{
	char *owner = page_address(self->page);
	struct request r;

	memset(owner + 4, 'b', 512);
	rw(self, &r, 0, 4, true);
	ASSERT_EQ(1, nr_bios);
	EXPECT_EQ(0, memcmp(bvec_virt(bios[0]->bi_io_vec), owner + 4, 512));
	EXPECT_NE(bvec_virt(bios[0]->bi_io_vec), owner + 4);
	end_all();
	rw(self, &r, 0, 4, false);
	ASSERT_EQ(1, nr_bios);
	memset(bvec_virt(bios[0]->bi_io_vec), 'c', 512);
	end_all();
	EXPECT_EQ('a', owner[3]);
	EXPECT_EQ('c', owner[4]);
	EXPECT_EQ('c', owner[515]);
	EXPECT_EQ('a', owner[516]);
}

/* What is being written stays as it was, where the device needs that. */
TEST_F(disk, more_pieces_than_a_bio_takes_are_copied)
{
	struct bio_vec vecs[BIO_MAX_VECS + 256];
	unsigned int i, n = ARRAY_SIZE(vecs);
	struct request r;
	u8 *page = page_address(self->page);

	for (i = 0; i < n; i++)
		bvec_set_page(&vecs[i], self->page, 512, i % 8 * 512);
	for (i = 0; i < PAGE_SIZE; i++)
		page[i] = i >> 9;
	request_init(&r);
	ioemu_disk_rw(self->disk, &r.io, 0, vecs, n, n * 512, true, false);
	ASSERT_EQ(1, nr_bios);
	EXPECT_EQ(n * 512 / PAGE_SIZE, bios[0]->bi_vcnt);
	EXPECT_EQ(n * 512, bios[0]->bi_iter.bi_size);
	EXPECT_MEMEQ(page, page_address(bios[0]->bi_io_vec[63].bv_page), PAGE_SIZE);
	end_all();
	EXPECT_EQ(1, r.done);
	EXPECT_EQ(1, counted(self, IOEMU_BOUNCED));
}

TEST_F(disk, stable_writes_are_copied)
{
	char *owner = page_address(self->page);
	struct request r[3];

	rw(self, &r[0], 0, 0, true);
	bdev.stable_writes = true;
	rw(self, &r[1], 0, 0, true);
	rw(self, &r[2], 0, 0, false);
	ASSERT_EQ(3, nr_bios);
	EXPECT_EQ(owner, bvec_virt(bios[0]->bi_io_vec));
	EXPECT_NE(owner, bvec_virt(bios[1]->bi_io_vec));
	EXPECT_EQ(owner, bvec_virt(bios[2]->bi_io_vec));
	memset(owner, 'b', 512);
	EXPECT_EQ('a', *(char *)bvec_virt(bios[1]->bi_io_vec));
	end_all();
	EXPECT_EQ('b', *owner);
	EXPECT_EQ(1, counted(self, IOEMU_BOUNCED));
}

/* A discard that fails since there are none was a hint all the same. */
TEST_F(disk, unsupported_discards_succeed)
{
	struct request r;

	request_init(&r);
	ioemu_disk_discard(self->disk, &r.io, 0, 1);
	ASSERT_EQ(1, nr_bios);
	end_bio(0, BLK_STS_NOTSUPP);
	EXPECT_EQ(1, r.done);
	EXPECT_EQ(BLK_STS_OK, r.status);
}

static void end_later(struct work_struct *work)
{
	end_all();
}

static u64 in_flight_when_done;
static struct ioemu_stats *stats_of_done;

static void done_counts(struct ioemu_disk_io *io, blk_status_t status)
{
	in_flight_when_done = ioemu_stats_sum(stats_of_done, IOEMU_IN_FLIGHT);
}

/* Who drains a disk may take it that all owners were told. */
TEST_F(disk, drained_when_owners_know)
{
	struct work_struct work;
	struct request r;

	request_init(&r);
	r.io.done = done_counts;
	stats_of_done = self->stats;
	ioemu_disk_flush(self->disk, &r.io);
	ASSERT_EQ(1, nr_bios);
	INIT_WORK(&work, end_later);
	queue_work(system_unbound_wq, &work);
	ioemu_disk_drain(self->disk);
	EXPECT_EQ(0, nr_bios);
	EXPECT_EQ(1, in_flight_when_done);
	EXPECT_EQ(0, counted(self, IOEMU_IN_FLIGHT));

	/* So is one that closes it. */
	ioemu_disk_flush(self->disk, &r.io);
	queue_work(system_unbound_wq, &work);
	ioemu_disk_close(self->disk);
	EXPECT_EQ(0, nr_bios);
	self->stats = ioemu_stats_create(&self->parent, 0);
	self->disk = ioemu_disk_open("/dev/disk", false, "", self->stats);
}
