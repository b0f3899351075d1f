// SPDX-License-Identifier: GPL-2.0
/*
 * Where a command's data is: PRP entries and lists (section 4.3), and what PRPs
 * and SGLs have in common.
 *
 * Each piece of a list is copied once and only the copy is looked at. The walk is
 * bounded by the length of the data, whatever the lists say.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include <ioemu/guestmem.h>

#include "nvme.h"

/**
 * ioemu_nvme_map_status() - what a lookup of guest frames means for a command
 * @err: what it returned
 *
 * Context: any.
 * Return: status, or NVME_PARK: the queue runs again when its map was replaced.
 */
u16 ioemu_nvme_map_status(int err)
{
	switch (err) {
	case 0:
		return NVME_SC_SUCCESS;
	case -EFAULT:
		return ioemu_nvme_dnr(NVME_SC_DATA_TRANSFER);
	case -EAGAIN:
		return NVME_PARK;
	default:
		return NVME_SC_INTERNAL;
	}
}

/**
 * ioemu_nvme_guest_read() - copy from guest memory, once
 * @sq: queue on whose behalf
 * @addr: guest physical address, whatever the guest says
 * @to: where to
 * @bytes: how much
 *
 * Context: the queue's thread.
 * Return: status, or NVME_PARK.
 */
u16 ioemu_nvme_guest_read(struct ioemu_nvme_sq *sq, u64 addr, void *to,
			  size_t bytes)
{
	unsigned int offset, len;
	struct page *page;
	u64 gfn;
	int err;

	while (bytes) {
		gfn = addr >> NVME_PAGE_SHIFT;
		offset = addr & NVME_PAGE_MASK;
		len = min_t(size_t, bytes, NVME_PAGE_SIZE - offset);
		err = ioemu_gmap_pages(sq->ring.map, &gfn, 1, &page);
		if (err)
			return ioemu_nvme_map_status(err);
		memcpy(to, page_address(page) + offset, len);
		to += len;
		addr += len;
		bytes -= len;
	}
	/* The copy is what is looked at from here on. */
	barrier();
	return NVME_SC_SUCCESS;
}

/* Room for @nr pieces. False if there is none now. */
static bool nvme_room(struct ioemu_nvme_req *req, unsigned int nr)
{
	if (likely(nr <= NVME_INLINE_SEGS)) {
		req->vecs = req->inline_vecs;
		req->gfns = req->inline_gfns;
		return true;
	}
	if (!ioemu_nvme_take_big(req))
		return false;
	req->vecs = req->big->vecs;
	req->gfns = req->big->gfns;
	return true;
}

/* Look up the frames in req->gfns, and hold them. */
static u16 nvme_hold(struct ioemu_nvme_req *req, unsigned int nr)
{
	struct ioemu_nvme_sq *sq = req->sq;
	int err;

	err = ioemu_gmap_pages(sq->ring.map, req->gfns, nr, sq->scratch->pages);
	if (unlikely(err))
		return ioemu_nvme_map_status(err);
	ioemu_gmap_get(sq->ring.map);
	req->map = sq->ring.map;
	req->nr_vecs = nr;
	return NVME_SC_SUCCESS;
}

/**
 * ioemu_nvme_map_segs() - turn pieces of guest memory into a request's data
 * @req: request
 * @segs: pieces, each within one frame
 * @nr: how many
 *
 * Context: the queue's thread.
 * Return: status or NVME_PARK.
 */
u16 ioemu_nvme_map_segs(struct ioemu_nvme_req *req,
			const struct ioemu_nvme_seg *segs, unsigned int nr)
{
	struct page **pages = req->sq->scratch->pages;
	unsigned int i;
	u16 status;

	if (!nvme_room(req, nr))
		return NVME_PARK;
	for (i = 0; i < nr; i++)
		req->gfns[i] = segs[i].gfn;
	status = nvme_hold(req, nr);
	if (status)
		return status;
	for (i = 0; i < nr; i++) {
		req->vecs[i].bv_page = pages[i];
		req->vecs[i].bv_offset = segs[i].offset;
		req->vecs[i].bv_len = segs[i].len;
	}
	return NVME_SC_SUCCESS;
}

/*
 * Frames 1 to @nr - 1 from the list at @addr. The last entry of a list page
 * points to the next page if more are needed than fit.
 */
static u16 nvme_prp_list(struct ioemu_nvme_req *req, u64 addr, unsigned int nr)
{
	__le64 *list = req->sq->scratch->list;
	unsigned int i, room, use, done = 1;
	u16 status;
	u64 entry;

	if (addr & 7)
		return ioemu_nvme_dnr(NVME_SC_PRP_OFFSET);

	while (done < nr) {
		room = (NVME_PAGE_SIZE - (addr & NVME_PAGE_MASK)) / 8;
		use = min(room, nr - done);
		status = ioemu_nvme_guest_read(req->sq, addr, list, use * 8);
		if (status)
			return status;
		/* A page whose last entry is a pointer, not data */
		if (use < nr - done)
			use--;
		for (i = 0; i < use; i++) {
			entry = le64_to_cpu(list[i]);
			if (entry & NVME_PAGE_MASK)
				return ioemu_nvme_dnr(NVME_SC_PRP_OFFSET);
			req->gfns[done++] = entry >> NVME_PAGE_SHIFT;
		}
		if (done < nr) {
			addr = le64_to_cpu(list[use]);
			if (addr & NVME_PAGE_MASK)
				return ioemu_nvme_dnr(NVME_SC_PRP_OFFSET);
		}
	}
	return NVME_SC_SUCCESS;
}

/* PRP1 and PRP2 of a command, figure 104. @bytes is 4 at least. */
static u16 nvme_map_prp(struct ioemu_nvme_req *req, u64 prp1, u64 prp2,
			unsigned int bytes)
{
	unsigned int offset = prp1 & NVME_PAGE_MASK;
	unsigned int nr = DIV_ROUND_UP(offset + bytes, NVME_PAGE_SIZE);
	struct page **pages = req->sq->scratch->pages;
	struct bio_vec *vec;
	unsigned int i;
	u16 status;

	if (unlikely(offset & 3))
		return ioemu_nvme_dnr(NVME_SC_PRP_OFFSET);
	if (unlikely(!nvme_room(req, nr)))
		return NVME_PARK;

	req->gfns[0] = prp1 >> NVME_PAGE_SHIFT;
	if (nr == 2) {
		if (unlikely(prp2 & NVME_PAGE_MASK))
			return ioemu_nvme_dnr(NVME_SC_PRP_OFFSET);
		req->gfns[1] = prp2 >> NVME_PAGE_SHIFT;
	} else if (nr > 2) {
		status = nvme_prp_list(req, prp2, nr);
		if (unlikely(status))
			return status;
	}
	status = nvme_hold(req, nr);
	if (unlikely(status))
		return status;

	vec = req->vecs;
	for (i = 0; i < nr; i++, vec++) {
		vec->bv_page = pages[i];
		vec->bv_offset = offset;
		vec->bv_len = min(bytes, NVME_PAGE_SIZE - offset);
		bytes -= vec->bv_len;
		offset = 0;
	}
	return NVME_SC_SUCCESS;
}

/**
 * ioemu_nvme_map_data() - find the data of the command in the scratch
 * @req: request; its @vecs are set, and its @map is held until
 *       ioemu_nvme_req_unmap()
 * @bytes: how much, a multiple of 4, from 4 to NVME_MAX_BYTES
 *
 * Context: the queue's thread.
 * Return: status, or NVME_PARK.
 */
u16 ioemu_nvme_map_data(struct ioemu_nvme_req *req, unsigned int bytes)
{
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;

	switch (sqe->flags & NVME_CMD_PSDT_MASK) {
	case NVME_CMD_PSDT_PRP:
		return nvme_map_prp(req, le64_to_cpu(sqe->prp1),
				    le64_to_cpu(sqe->prp2), bytes);
	case NVME_CMD_PSDT_SGL:
	case NVME_CMD_PSDT_SGL_META:
		/* Admin commands use PRPs with PCI Express, section 4.2. */
		if (req->sq->qid)
			return ioemu_nvme_map_sgl(req, bytes);
		fallthrough;
	default:
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	}
}

/**
 * ioemu_nvme_copy_in() - copy a request's data from the guest
 * @req: request whose data is mapped
 * @to: where to
 * @bytes: at most what was mapped
 *
 * Context: any.
 */
void ioemu_nvme_copy_in(struct ioemu_nvme_req *req, void *to, size_t bytes)
{
	const struct bio_vec *vec;
	size_t len;

	for (vec = req->vecs; bytes; vec++) {
		len = min_t(size_t, bytes, vec->bv_len);
		memcpy(to, page_address(vec->bv_page) + vec->bv_offset, len);
		to += len;
		bytes -= len;
	}
	/* The copy is what is looked at from here on. */
	barrier();
}

/**
 * ioemu_nvme_copy_out() - copy a request's data to the guest
 * @req: request whose data is mapped
 * @from: where from
 * @bytes: at most what was mapped; the rest becomes zeroes
 *
 * Context: any.
 */
void ioemu_nvme_copy_out(struct ioemu_nvme_req *req, const void *from,
			 size_t bytes)
{
	const struct bio_vec *vec;
	unsigned int i;
	size_t len;
	void *to;

	req->dirty = true;
	for (i = 0; i < req->nr_vecs; i++) {
		vec = &req->vecs[i];
		to = page_address(vec->bv_page) + vec->bv_offset;
		len = min_t(size_t, bytes, vec->bv_len);
		memcpy(to, from, len);
		memset(to + len, 0, vec->bv_len - len);
		from += len;
		bytes -= len;
	}
}
