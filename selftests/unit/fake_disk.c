// SPDX-License-Identifier: GPL-2.0
/* See fake_disk.h. */
#include <standin/sched.h>
#include <standin/io.h>
#include <standin/mem.h>

#include "fake_disk.h"

#define MAX_HELD	8192

struct held {
	struct ioemu_disk_io *io;
	struct bio_vec *vecs;
	struct fake_disk_entry e;
	unsigned int bytes;
	bool limited;
	blk_status_t status;
};

struct ioemu_disk {
	struct ioemu_disk_info info;
	u64 nr_blocks;
	u8 *data;
	u64 written_from, written_to;	/* bytes, for the next reset */
	bool hold;
	bool limit;
	bool irq;
	unsigned int polls;
	unsigned int looks;
	unsigned long latencies;
	struct held held[MAX_HELD];
	unsigned int nr_held;
	unsigned long fail_countdown;
	blk_status_t fail_status;
	bool fail_on;
	struct fake_disk_entry log[FAKE_DISK_MAX_LOG];
	unsigned int nr_log;
};

static void first_state(struct ioemu_disk *d, unsigned int block_shift)
{
	d->irq = true;
	d->info = (struct ioemu_disk_info) {
		.nr_blocks		= d->nr_blocks,
		.block_shift		= block_shift,
		.physical_shift		= block_shift,
		.max_discard_blocks	= 0xffff,
		.discard_granularity	= 1,
		.serial			= "fake",
	};
}

struct ioemu_disk *fake_disk_new(u64 nr_blocks, unsigned int block_shift)
{
	struct ioemu_disk *d = calloc(1, sizeof(*d));

	d->nr_blocks = nr_blocks;
	d->data = calloc(nr_blocks ? nr_blocks : 1, 1UL << block_shift);
	d->written_from = U64_MAX;
	first_state(d, block_shift);
	return d;
}

void fake_disk_reset(struct ioemu_disk *d)
{
	if (d->nr_held)
		standin_fail("%u disk requests are left", d->nr_held);
	if (d->written_from < d->written_to)
		memset(d->data + d->written_from, 0,
		       d->written_to - d->written_from);
	d->written_from = U64_MAX;
	d->written_to = 0;
	d->hold = false;
	d->limit = false;
	d->fail_countdown = 0;
	d->nr_log = 0;
	first_state(d, d->info.block_shift);
}

void fake_disk_free(struct ioemu_disk *d)
{
	if (d->nr_held)
		standin_fail("%u disk requests are left", d->nr_held);
	free(d->data);
	free(d);
}

struct ioemu_disk_info *fake_disk_info(struct ioemu_disk *d)
{
	return &d->info;
}

u8 *fake_disk_data(struct ioemu_disk *d)
{
	return d->data;
}

void fake_disk_hold(struct ioemu_disk *d, bool hold)
{
	d->hold = hold;
}

void fake_disk_limit(struct ioemu_disk *d, bool limit)
{
	d->limit = limit;
}

unsigned int fake_disk_nr_held(struct ioemu_disk *d)
{
	return d->nr_held;
}

void fake_disk_fail(struct ioemu_disk *d, unsigned long nth,
		    blk_status_t status, bool on)
{
	d->fail_countdown = nth;
	d->fail_status = status;
	d->fail_on = on;
}

void fake_disk_complete_in_irq(struct ioemu_disk *d, bool irq)
{
	d->irq = irq;
}

void fake_disk_poll(struct ioemu_disk *d, unsigned int times)
{
	d->polls = times;
}

unsigned int fake_disk_nr_log(struct ioemu_disk *d)
{
	return d->nr_log;
}

struct fake_disk_entry fake_disk_log(struct ioemu_disk *d, unsigned int index)
{
	if (index >= d->nr_log || index >= FAKE_DISK_MAX_LOG)
		standin_die("fake_disk: no entry %u in the log", index);
	return d->log[index];
}

void fake_disk_clear_log(struct ioemu_disk *d)
{
	d->nr_log = 0;
}

unsigned int fake_disk_count(struct ioemu_disk *d, enum fake_disk_op op)
{
	unsigned int i, n = 0;

	for (i = 0; i < d->nr_log && i < FAKE_DISK_MAX_LOG; i++)
		n += d->log[i].op == op;
	return n;
}

static blk_status_t perform(struct ioemu_disk *d, const struct held *h)
{
	u8 *at = d->data + (h->e.block << d->info.block_shift);
	u64 bytes = h->e.nr_blocks << d->info.block_shift;
	unsigned int i;

	if (h->e.op != FAKE_DISK_READ && bytes) {
		d->written_from = min_t(u64, d->written_from, at - d->data);
		d->written_to = max_t(u64, d->written_to, at + bytes - d->data);
	}
	switch (h->e.op) {
	case FAKE_DISK_READ:
	case FAKE_DISK_WRITE:
		for (i = 0; i < h->e.nr_vecs; i++) {
			const struct bio_vec *v = &h->vecs[i];

			if (h->e.op == FAKE_DISK_READ)
				memcpy(bvec_virt(v), at, v->bv_len);
			else
				memcpy(at, bvec_virt(v), v->bv_len);
			at += v->bv_len;
		}
		break;
	case FAKE_DISK_DISCARD:
	case FAKE_DISK_ZEROES:
		memset(at, 0, bytes);
		break;
	case FAKE_DISK_FLUSH:
		break;
	}
	return BLK_STS_OK;
}

static void finish(struct ioemu_disk *d, const struct held *h)
{
	blk_status_t status = h->status;
	struct ioemu_disk_io *io = h->io;

	if (!status)
		status = perform(d, h);
	if (d->irq)
		standin_irq_enter();
	io->done(io, status);
	if (d->irq)
		standin_irq_exit();
}

static bool in_range(struct ioemu_disk *d, u64 block, u64 nr)
{
	u64 room = min(d->nr_blocks, d->info.nr_blocks);

	return block <= room && nr <= room - block;
}

static void submit(struct ioemu_disk *d, struct ioemu_disk_io *io,
		   struct bio_vec *vecs, unsigned int bytes,
		   struct fake_disk_entry e, blk_status_t status)
{
	struct held h = {
		.io = io, .vecs = vecs, .e = e, .bytes = bytes,
		.status = status,
	};
	unsigned int i;

	standin_might_sleep(__func__);
	if (!io->done)
		standin_die("fake_disk: request without done()");
	for (i = 0; i < d->nr_held; i++)
		if (d->held[i].io == io)
			standin_die("fake_disk: request submitted twice");
	io->disk = d;

	if (d->nr_log < FAKE_DISK_MAX_LOG)
		d->log[d->nr_log] = e;
	d->nr_log++;
	if (d->fail_countdown) {
		if (d->fail_countdown == 1)
			h.status = d->fail_status;
		if (d->fail_countdown > 1 || !d->fail_on)
			d->fail_countdown--;
	}
	if (bytes && io->polled && !d->polls)
		standin_fail("disk: is not one to be polled");
	h.limited = d->limit && e.op != FAKE_DISK_FLUSH;
	if (!d->hold && !h.limited && !(d->polls && bytes)) {
		finish(d, &h);
		return;
	}
	if (d->nr_held == MAX_HELD)
		standin_die("fake_disk: too many requests");
	d->held[d->nr_held++] = h;
}

void fake_disk_release(struct ioemu_disk *d, unsigned int index)
{
	struct held h;

	if (index >= d->nr_held)
		standin_die("fake_disk: no held request %u", index);
	h = d->held[index];
	d->nr_held--;
	memmove(&d->held[index], &d->held[index + 1],
		(d->nr_held - index) * sizeof(h));
	finish(d, &h);
}

void fake_disk_release_all(struct ioemu_disk *d)
{
	while (d->nr_held)
		fake_disk_release(d, 0);
}

bool ioemu_disk_polls(const struct ioemu_disk *d)
{
	return d->polls;
}

/* All that is polled ends after as many looks at any of them. */
void ioemu_disk_poll(struct ioemu_disk_io *io)
{
	struct ioemu_disk *d = io->disk;
	bool irq = d->irq;
	unsigned int i;

	standin_might_sleep(__func__);
	if (!io->polled)
		standin_fail("disk: polled for a request that is not");
	if (d->hold || ++d->looks <= d->polls)
		return;
	d->looks = 0;
	d->irq = false;
	for (i = 0; i < d->nr_held;)
		if (d->held[i].bytes && d->held[i].io->polled)
			fake_disk_release(d, i);
		else
			i++;
	d->irq = irq;
}

bool fake_disk_idle(void *arg)
{
	struct ioemu_disk *d = arg;

	if (!d->nr_held)
		return false;
	fake_disk_release(d, 0);
	return true;
}

void ioemu_disk_info(const struct ioemu_disk *d, struct ioemu_disk_info *info)
{
	*info = d->info;
}

u64 ioemu_disk_nr_blocks(const struct ioemu_disk *d)
{
	return READ_ONCE(d->info.nr_blocks);
}

void ioemu_disk_rw(struct ioemu_disk *d, struct ioemu_disk_io *io, u64 block,
		   struct bio_vec *vecs, unsigned int nr_vecs,
		   unsigned int bytes, bool write, bool fua)
{
	u64 nr = bytes >> d->info.block_shift;
	blk_status_t status = BLK_STS_OK;
	unsigned int i;
	u64 sum = 0;

	if (!nr_vecs)
		standin_fail("disk: %u pieces", nr_vecs);
	for (i = 0; i < nr_vecs; i++) {
		const struct bio_vec *v = &vecs[i];

		if (!v->bv_len || (v->bv_len | v->bv_offset) % 4 ||
		    v->bv_len > PAGE_SIZE || v->bv_offset > PAGE_SIZE - v->bv_len)
			standin_fail("disk: piece %u: offset %u, length %u", i,
				     v->bv_offset, v->bv_len);
		sum += v->bv_len;
	}
	if (!bytes || sum != bytes || bytes % (1U << d->info.block_shift))
		standin_fail("disk: %u bytes, pieces make %llu", bytes, sum);
	if (fua && !write)
		standin_fail("disk: FUA on a read");
	if (!in_range(d, block, nr))
		status = BLK_STS_IOERR;
	else if (write && d->info.read_only)
		status = BLK_STS_IOERR;
	submit(d, io, vecs, bytes, (struct fake_disk_entry) {
		.op		= write ? FAKE_DISK_WRITE : FAKE_DISK_READ,
		.block		= block,
		.nr_blocks	= nr,
		.nr_vecs	= nr_vecs,
		.fua		= fua,
	}, status);
}

void ioemu_disk_flush(struct ioemu_disk *d, struct ioemu_disk_io *io)
{
	submit(d, io, NULL, 0, (struct fake_disk_entry) {
		.op = FAKE_DISK_FLUSH,
	}, BLK_STS_OK);
}

void ioemu_disk_discard(struct ioemu_disk *d, struct ioemu_disk_io *io,
			u64 block, u64 nr_blocks)
{
	bool ok = in_range(d, block, nr_blocks) && !d->info.read_only;

	submit(d, io, NULL, 0, (struct fake_disk_entry) {
		.op		= FAKE_DISK_DISCARD,
		.block		= block,
		.nr_blocks	= nr_blocks,
	}, ok ? BLK_STS_OK : BLK_STS_IOERR);
}

void ioemu_disk_write_zeroes(struct ioemu_disk *d, struct ioemu_disk_io *io,
			     u64 block, u64 nr_blocks, bool unmap, bool fua)
{
	bool ok = in_range(d, block, nr_blocks) && !d->info.read_only;

	submit(d, io, NULL, 0, (struct fake_disk_entry) {
		.op		= FAKE_DISK_ZEROES,
		.block		= block,
		.nr_blocks	= nr_blocks,
		.fua		= fua,
		.unmap		= unmap,
	}, ok ? BLK_STS_OK : BLK_STS_IOERR);
}

/* Written so that a sanitizer sees who is late. */
void ioemu_disk_latency(struct ioemu_disk *d, enum ioemu_stage stage, u64 ns)
{
	d->latencies++;
}

void ioemu_disk_cancel(struct ioemu_disk *d, const void *owner)
{
	bool irq = d->irq;
	unsigned int i;

	standin_might_sleep(__func__);
	d->irq = false;
	for (i = 0; i < d->nr_held;)
		if (d->held[i].limited && (!owner || d->held[i].io->owner == owner)) {
			d->held[i].status = BLK_STS_AGAIN;
			fake_disk_release(d, i);
		} else {
			i++;
		}
	d->irq = irq;
}

void ioemu_disk_drain(struct ioemu_disk *d)
{
	fake_disk_release_all(d);
}
