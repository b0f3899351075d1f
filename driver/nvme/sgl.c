// SPDX-License-Identifier: GPL-2.0
/*
 * Scatter gather lists, section 4.4: data blocks, segments and last segments with
 * addresses; dword alignment; a list may be longer than the data.
 */
#include "nvme.h"

/* Looked at for one command, so that empty ones do not go on for ever. */
#define NVME_MAX_SGL_DESCS	1024

struct nvme_sgl_walk {
	struct ioemu_nvme_seg *segs;
	unsigned int nr;
	unsigned int left;	/* bytes of data still to find */
};

static unsigned int nvme_sgl_type(const struct nvme_sgl *sgl)
{
	return NVME_SGL_TYPE(sgl->type);
}

static bool nvme_sgl_is_segment(const struct nvme_sgl *sgl)
{
	return nvme_sgl_type(sgl) == NVME_SGL_SEGMENT ||
	       nvme_sgl_type(sgl) == NVME_SGL_LAST_SEGMENT;
}

static u16 nvme_sgl_check_type(const struct nvme_sgl *sgl)
{
	if (NVME_SGL_SUBTYPE(sgl->type) ||
	    (nvme_sgl_type(sgl) != NVME_SGL_DATA && !nvme_sgl_is_segment(sgl)))
		return ioemu_nvme_dnr(NVME_SC_SGL_TYPE);
	return NVME_SC_SUCCESS;
}

static u16 nvme_sgl_data(struct nvme_sgl_walk *walk, const struct nvme_sgl *sgl)
{
	u64 addr = le64_to_cpu(sgl->addr);
	u32 len, length = le32_to_cpu(sgl->length);

	if ((addr & 3) || (length & 3))
		return ioemu_nvme_dnr(NVME_SC_SGL_GRANULARITY);
	length = min(length, walk->left);
	while (length) {
		if (walk->nr == NVME_MAX_SEGS)
			return ioemu_nvme_dnr(NVME_SC_SGL_COUNT);
		len = min_t(u32, length,
			    NVME_PAGE_SIZE - (addr & NVME_PAGE_MASK));
		walk->segs[walk->nr].gfn = addr >> NVME_PAGE_SHIFT;
		walk->segs[walk->nr].offset = addr & NVME_PAGE_MASK;
		walk->segs[walk->nr].len = len;
		walk->nr++;
		walk->left -= len;
		addr += len;
		length -= len;
	}
	return NVME_SC_SUCCESS;
}

/*
 * Walk segments, beginning with the one that @sgl describes. @sgl is a private
 * copy.
 */
static u16 nvme_sgl_segments(struct ioemu_nvme_req *req,
			     struct nvme_sgl_walk *walk, struct nvme_sgl sgl)
{
	struct nvme_sgl *sgls = req->sq->scratch->sgls;
	unsigned int budget = NVME_MAX_SGL_DESCS;
	u32 i, nr, total;
	u64 addr;
	u16 status;
	bool last;

next_segment:
	addr = le64_to_cpu(sgl.addr);
	total = le32_to_cpu(sgl.length);
	last = nvme_sgl_type(&sgl) == NVME_SGL_LAST_SEGMENT;
	if (!total || total % sizeof(sgl) || (addr & 7))
		return ioemu_nvme_dnr(NVME_SC_SGL_SEGMENT);

	for (total /= sizeof(sgl); total; total -= nr) {
		nr = min_t(u32, total, ARRAY_SIZE(req->sq->scratch->sgls));
		if (nr > budget)
			return ioemu_nvme_dnr(NVME_SC_SGL_COUNT);
		budget -= nr;
		status = ioemu_nvme_guest_read(req->sq, addr, sgls,
					       nr * sizeof(sgl));
		if (status)
			return status;
		addr += nr * sizeof(sgl);
		for (i = 0; i < nr; i++) {
			if (!walk->left)
				return NVME_SC_SUCCESS;
			status = nvme_sgl_check_type(&sgls[i]);
			if (status)
				return status;
			if (nvme_sgl_is_segment(&sgls[i])) {
				/* Only at the end, and of no last segment */
				if (i + 1 != total)
					return ioemu_nvme_dnr(NVME_SC_SGL_COUNT);
				if (last)
					return ioemu_nvme_dnr(NVME_SC_SGL_SEGMENT);
				sgl = sgls[i];
				goto next_segment;
			}
			status = nvme_sgl_data(walk, &sgls[i]);
			if (status)
				return status;
		}
	}
	if (!walk->left)
		return NVME_SC_SUCCESS;
	/* What is not the last segment has to lead to another one. */
	return ioemu_nvme_dnr(last ? NVME_SC_SGL_DATA_LENGTH :
			      NVME_SC_SGL_SEGMENT);
}

/**
 * ioemu_nvme_map_sgl() - find the data of the command in the scratch
 * @req: request
 * @bytes: how much
 *
 * Context: the queue's thread.
 * Return: status, or NVME_PARK.
 */
u16 ioemu_nvme_map_sgl(struct ioemu_nvme_req *req, unsigned int bytes)
{
	const struct nvme_sgl *sgl = &req->sq->scratch->sqe.sgl;
	struct nvme_sgl_walk walk = {
		.segs = req->sq->scratch->segs,
		.left = bytes,
	};
	u16 status;

	status = nvme_sgl_check_type(sgl);
	if (status)
		return status;
	if (nvme_sgl_is_segment(sgl)) {
		status = nvme_sgl_segments(req, &walk, *sgl);
	} else {
		status = nvme_sgl_data(&walk, sgl);
		if (!status && walk.left)
			status = ioemu_nvme_dnr(NVME_SC_SGL_DATA_LENGTH);
	}
	if (status)
		return status;
	return ioemu_nvme_map_segs(req, walk.segs, walk.nr);
}
