/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in: what a device model may name of the block layer. */
#ifndef STANDIN_BIO_H
#define STANDIN_BIO_H

#include <standin/mem.h>

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

typedef u32 blk_opf_t;

/* The disk's; models embed it and leave it alone. */
struct bio {
	void *bi_private;
	void (*bi_end_io)(struct bio *bio);
	struct block_device *bi_bdev;
	struct bio_vec *bi_io_vec;
	blk_opf_t bi_opf;
	unsigned short bi_vcnt;
	blk_status_t bi_status;
	struct {
		sector_t bi_sector;
		unsigned int bi_size;
	} bi_iter;
};

struct blk_plug {
	int unused;
};

#define BIO_MAX_VECS		256U
#define SECTOR_SHIFT		9
#define SECTOR_SIZE		512

#define BLK_STS_OK		((blk_status_t)0)
#define BLK_STS_NOTSUPP		((blk_status_t)1)
#define BLK_STS_TIMEOUT		((blk_status_t)2)
#define BLK_STS_NOSPC		((blk_status_t)3)
#define BLK_STS_TRANSPORT	((blk_status_t)4)
#define BLK_STS_TARGET		((blk_status_t)5)
#define BLK_STS_RESV_CONFLICT	((blk_status_t)6)
#define BLK_STS_NEXUS		BLK_STS_RESV_CONFLICT
#define BLK_STS_MEDIUM		((blk_status_t)7)
#define BLK_STS_PROTECTION	((blk_status_t)8)
#define BLK_STS_RESOURCE	((blk_status_t)9)
#define BLK_STS_IOERR		((blk_status_t)10)
#define BLK_STS_AGAIN		((blk_status_t)12)
#define BLK_STS_DEV_RESOURCE	((blk_status_t)13)
#define BLK_STS_OFFLINE		((blk_status_t)16)
#define BLK_STS_INVAL		((blk_status_t)19)

#define blk_start_plug(p)	((void)((p)->unused = 1))
#define blk_finish_plug(p)	((void)((p)->unused = 0))

static inline void bvec_set_page(struct bio_vec *v, struct page *page,
				 unsigned int len, unsigned int offset)
{
	v->bv_page = page;
	v->bv_len = len;
	v->bv_offset = offset;
}

static inline void *bvec_virt(const struct bio_vec *v)
{
	return (char *)page_address(v->bv_page) + v->bv_offset;
}

#define bvec_kmap_local(v)	bvec_virt(v)

#endif /* STANDIN_BIO_H */
