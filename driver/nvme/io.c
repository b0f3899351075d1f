// SPDX-License-Identifier: GPL-2.0
/*
 * I/O commands: the NVM command set, section 6.
 *
 * Every command is checked against the copy in the scratch, then goes to the
 * disk.
 */
#include "nvme.h"

/*
 * What the block layer says, for reads and for writes. What may succeed later
 * has DNR clear.
 */
static const struct {
	blk_status_t from;
	u16 read;
	u16 write;
} nvme_blk_statuses[] = {
	{ BLK_STS_NOTSUPP, NVME_SC_INVALID_FIELD | NVME_SC_DNR,
	  NVME_SC_INVALID_FIELD | NVME_SC_DNR },
	{ BLK_STS_TIMEOUT, NVME_SC_INTERRUPTED, NVME_SC_INTERRUPTED },
	{ BLK_STS_NOSPC, NVME_SC_READ_ERROR,
	  NVME_SC_CAPACITY | NVME_SC_DNR },
	{ BLK_STS_TRANSPORT, NVME_SC_TRANSIENT_TRANSPORT,
	  NVME_SC_TRANSIENT_TRANSPORT },
	{ BLK_STS_TARGET, NVME_SC_READ_ERROR | NVME_SC_DNR,
	  NVME_SC_WRITE_FAULT | NVME_SC_DNR },
	{ BLK_STS_MEDIUM, NVME_SC_READ_ERROR | NVME_SC_DNR,
	  NVME_SC_WRITE_FAULT | NVME_SC_DNR },
	{ BLK_STS_PROTECTION, NVME_SC_GUARD | NVME_SC_DNR,
	  NVME_SC_GUARD | NVME_SC_DNR },
	{ BLK_STS_RESOURCE, NVME_SC_INTERRUPTED, NVME_SC_INTERRUPTED },
	{ BLK_STS_DEV_RESOURCE, NVME_SC_INTERRUPTED, NVME_SC_INTERRUPTED },
	{ BLK_STS_AGAIN, NVME_SC_INTERRUPTED, NVME_SC_INTERRUPTED },
	{ BLK_STS_OFFLINE, NVME_SC_NS_NOT_READY | NVME_SC_DNR,
	  NVME_SC_NS_NOT_READY | NVME_SC_DNR },
};

/**
 * ioemu_nvme_blk_status() - status of a disk request
 * @status: what the disk said
 * @write: of a command that changes the medium
 *
 * Context: any.
 * Return: status field.
 */
u16 ioemu_nvme_blk_status(blk_status_t status, bool write)
{
	unsigned int i;

	if (likely(status == BLK_STS_OK))
		return NVME_SC_SUCCESS;
	for (i = 0; i < ARRAY_SIZE(nvme_blk_statuses); i++)
		if (nvme_blk_statuses[i].from == status)
			return write ? nvme_blk_statuses[i].write :
				       nvme_blk_statuses[i].read;
	return write ? NVME_SC_WRITE_FAULT : NVME_SC_READ_ERROR;
}

static void nvme_io_done(struct ioemu_disk_io *io, blk_status_t status)
{
	struct ioemu_nvme_req *req = container_of(io, struct ioemu_nvme_req,
						  io);
	bool write = req->opcode != NVME_CMD_READ;

	if (unlikely(io->polled))
		clear_bit(req - req->sq->reqs, req->sq->polled);
	if (unlikely(status == BLK_STS_AGAIN && READ_ONCE(req->sq->halt)))
		ioemu_nvme_complete(req, ioemu_nvme_halt_status(req->sq));
	else if (unlikely(status != BLK_STS_OK))
		ioemu_nvme_complete(req, ioemu_nvme_blk_status(status, write));
	else if (unlikely(req->step))
		ioemu_nvme_continue(req);
	else
		ioemu_nvme_complete(req, NVME_SC_SUCCESS);
}

/* First block and number of blocks of Read, Write and Write Zeroes */
static u16 nvme_lba_range(struct ioemu_nvme_req *req,
			  const struct ioemu_nvme_ns *ns,
			  const struct nvme_sqe *sqe, u32 *nlb)
{
	u64 slba = (u64)le32_to_cpu(sqe->cdw11) << 32 | le32_to_cpu(sqe->cdw10);
	u32 nr = (le32_to_cpu(sqe->cdw12) & NVME_RW_NLB_MASK) + 1;
	u64 nsze = READ_ONCE(ns->nsze);

	req->slba = slba;
	*nlb = nr;
	if (unlikely(slba >= nsze || nr > nsze - slba))
		return ioemu_nvme_dnr(NVME_SC_LBA_RANGE);
	return NVME_SC_SUCCESS;
}

static void nvme_submit(struct ioemu_nvme_req *req, struct ioemu_disk *disk,
			u32 bytes, bool write, bool fua)
{
	struct ioemu_nvme_sq *sq = req->sq;

	if (unlikely(ioemu_nvme_polls_disk(disk))) {
		sq->stats.polled++;
		req->io.polled = true;
		set_bit(req - sq->reqs, sq->polled);
	}
	ioemu_disk_rw(disk, &req->io, req->slba, req->vecs, req->nr_vecs, bytes,
		      write, fua);
}

/* The disk of a request's next step; NULL when it is gone and the request done. */
static struct ioemu_disk *nvme_step_disk(struct ioemu_nvme_req *req)
{
	struct ioemu_disk *disk = READ_ONCE(req->step_ns->disk);

	if (!disk)
		ioemu_nvme_complete(req, ioemu_nvme_dnr(NVME_SC_INVALID_NS));
	return disk;
}

/* What a Read with FUA returns is on the medium now, in the queue's thread. */
static void nvme_read_step(struct ioemu_nvme_req *req)
{
	struct ioemu_disk *disk = nvme_step_disk(req);

	if (!disk)
		return;
	req->step = NULL;
	nvme_submit(req, disk, req->step_count, false, false);
}

/* Read and Write, sections 6.9 and 6.15 */
static u16 nvme_read_write(struct ioemu_nvme_req *req, struct ioemu_nvme_ns *ns,
			   bool write)
{
	struct ioemu_nvme_sq *sq = req->sq;
	const struct nvme_sqe *sqe = &sq->scratch->sqe;
	bool fua = le32_to_cpu(sqe->cdw12) & NVME_RW_FUA;
	u32 bytes, nlb;
	u16 status;

	if (unlikely(write && ns->read_only))
		return ioemu_nvme_dnr(NVME_SC_WRITE_PROTECTED);
	status = nvme_lba_range(req, ns, sqe, &nlb);
	if (unlikely(status))
		return status;
	if (unlikely(nlb > NVME_MAX_BYTES >> ns->block_shift))
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	bytes = nlb << ns->block_shift;
	status = ioemu_nvme_map_data(req, bytes);
	if (unlikely(status))
		return status;

	if (write) {
		sq->stats.writes++;
		sq->stats.write_blocks += bytes >> 9;
		if (unlikely(READ_ONCE(sq->ctrl->force_fua)))
			fua = true;
	} else {
		sq->stats.reads++;
		sq->stats.read_blocks += bytes >> 9;
		req->dirty = true;
		if (unlikely(fua)) {
			req->step = nvme_read_step;
			req->step_ns = ns;
			req->step_count = bytes;
			ioemu_disk_flush(ns->disk, &req->io);
			return NVME_PENDING;
		}
	}
	nvme_submit(req, ns->disk, bytes, write, fua);
	return NVME_PENDING;
}

/*
 * The next piece of a long Write Zeroes command, in the queue's thread: a disk that
 * cannot do it by itself is written to while the thread waits.
 */
static void nvme_zeroes_step(struct ioemu_nvme_req *req)
{
	struct ioemu_disk *disk = nvme_step_disk(req);
	bool fua = false;
	u32 left, nlb;
	u64 slba;

	if (!disk)
		return;
	slba = req->slba + req->step_index;
	left = req->step_count - req->step_index;
	nlb = min(left, NVME_MAX_BYTES >> req->step_ns->block_shift);
	req->step_index += nlb;
	if (nlb == left) {
		req->step = NULL;
		/* It covers the pieces before. */
		fua = (req->step_flags & NVME_RW_FUA) ||
		      READ_ONCE(req->sq->ctrl->force_fua);
	}
	ioemu_disk_write_zeroes(disk, &req->io, slba, nlb,
				req->step_flags & NVME_RW_DEAC, fua);
}

/* Write Zeroes, section 6.17 */
static u16 nvme_write_zeroes(struct ioemu_nvme_req *req,
			     struct ioemu_nvme_ns *ns)
{
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	u16 status;
	u32 nlb;

	if (ns->read_only)
		return ioemu_nvme_dnr(NVME_SC_WRITE_PROTECTED);
	status = nvme_lba_range(req, ns, sqe, &nlb);
	if (status)
		return status;
	req->step = nvme_zeroes_step;
	req->step_ns = ns;
	req->step_index = 0;
	req->step_count = nlb;
	req->step_flags = le32_to_cpu(sqe->cdw12);
	nvme_zeroes_step(req);
	return NVME_PENDING;
}

/* The next piece of a Dataset Management command, in the queue's thread */
static void nvme_dsm_step(struct ioemu_nvme_req *req)
{
	struct ioemu_disk *disk = nvme_step_disk(req);
	const struct nvme_dsm_range *range;
	struct ioemu_disk_info info;
	u64 nr;

	if (!disk)
		return;
	ioemu_disk_info(disk, &info);
	while (info.max_discard_blocks && req->step_index < req->step_count) {
		range = &req->big->ranges[req->step_index];
		nr = min_t(u64, le32_to_cpu(range->nlb) - req->step_done,
			   info.max_discard_blocks);
		if (nr) {
			req->slba = le64_to_cpu(range->slba) + req->step_done;
			req->step_done += nr;
			ioemu_disk_discard(disk, &req->io, req->slba, nr);
			return;
		}
		req->step_index++;
		req->step_done = 0;
	}
	ioemu_nvme_complete(req, NVME_SC_SUCCESS);
}

/* Dataset Management, section 6.7: only deallocation does something. */
static u16 nvme_dsm(struct ioemu_nvme_req *req, struct ioemu_nvme_ns *ns)
{
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	u32 i, nlb, nr = (le32_to_cpu(sqe->cdw10) & NVME_DSM_NR_MASK) + 1;
	bool deallocate = le32_to_cpu(sqe->cdw11) & NVME_DSM_AD;
	u64 slba, nsze = READ_ONCE(ns->nsze);
	struct nvme_dsm_range *ranges;
	u16 status;

	if (deallocate && ns->read_only)
		return ioemu_nvme_dnr(NVME_SC_WRITE_PROTECTED);
	if (!ioemu_nvme_take_big(req))
		return NVME_PARK;
	/* At most two frames, so that the large room is not used for them */
	status = ioemu_nvme_map_data(req, nr * sizeof(*ranges));
	if (status)
		return status;
	if (req->vecs != req->inline_vecs) {
		/* An SGL of very small pieces */
		return ioemu_nvme_dnr(NVME_SC_SGL_COUNT);
	}
	ranges = req->big->ranges;
	ioemu_nvme_copy_in(req, ranges, nr * sizeof(*ranges));
	ioemu_nvme_req_unmap(req);

	for (i = 0; i < nr; i++) {
		slba = le64_to_cpu(ranges[i].slba);
		nlb = le32_to_cpu(ranges[i].nlb);
		if (slba > nsze || nlb > nsze - slba) {
			req->slba = slba;
			return ioemu_nvme_dnr(NVME_SC_LBA_RANGE);
		}
	}
	if (!deallocate)
		return NVME_SC_SUCCESS;
	req->step = nvme_dsm_step;
	req->step_ns = ns;
	req->step_index = 0;
	req->step_count = nr;
	req->step_done = 0;
	nvme_dsm_step(req);
	return NVME_PENDING;
}

/* The next namespace of a Flush of all, in the queue's thread */
static void nvme_flush_step(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	struct ioemu_disk *disk;

	while (req->step_index < READ_ONCE(ctrl->nn)) {
		disk = READ_ONCE(ctrl->ns[req->step_index++].disk);
		if (disk) {
			ioemu_disk_flush(disk, &req->io);
			return;
		}
	}
	ioemu_nvme_complete(req, NVME_SC_SUCCESS);
}

/* Flush, section 6.8 */
static u16 nvme_flush(struct ioemu_nvme_req *req, struct ioemu_nvme_ns *ns)
{
	if (ns) {
		ioemu_disk_flush(ns->disk, &req->io);
	} else {
		req->step = nvme_flush_step;
		req->step_index = 0;
		nvme_flush_step(req);
	}
	return NVME_PENDING;
}

/* The opcode is unknown or the namespace is not one, section 6.1. */
static noinline u16 nvme_io_refuse(struct ioemu_nvme *ctrl,
				   struct ioemu_nvme_req *req)
{
	switch (req->opcode) {
	case NVME_CMD_FLUSH:
		if (req->nsid == NVME_NSID_ALL)
			return nvme_flush(req, NULL);
		break;
	case NVME_CMD_READ:
	case NVME_CMD_WRITE:
	case NVME_CMD_WRITE_ZEROES:
	case NVME_CMD_DSM:
		break;
	default:
		return ioemu_nvme_dnr(NVME_SC_INVALID_OPCODE);
	}
	/* Inactive, or all of them where the command takes one only */
	if ((req->nsid && req->nsid <= ctrl->nn) || req->nsid == NVME_NSID_ALL)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	return ioemu_nvme_dnr(NVME_SC_INVALID_NS);
}

/**
 * ioemu_nvme_exec_io() - execute the I/O command in the scratch
 * @req: its request
 *
 * Context: the queue's thread.
 * Return: status to complete @req with, NVME_PENDING, or NVME_PARK.
 */
u16 ioemu_nvme_exec_io(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	struct ioemu_nvme_ns *ns;

	req->slba = 0;
	req->io.done = nvme_io_done;
	if (unlikely(sqe->flags & NVME_CMD_FUSE_MASK))
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	if (unlikely(req->nsid - 1 >= READ_ONCE(ctrl->nn)))
		return nvme_io_refuse(ctrl, req);
	ns = &ctrl->ns[req->nsid - 1];
	/*
	 * Once it is seen here it stays until the end of this batch. Pairs with
	 * the one in ioemu_nvme_ns_add().
	 */
	if (unlikely(!smp_load_acquire(&ns->disk)))
		return nvme_io_refuse(ctrl, req);
	if (req->sq->fetch_new) {
		req->sq->fetch_new = false;
		ioemu_disk_latency(ns->disk, IOEMU_STAGE_FETCH,
				   req->sq->fetch_ns);
	}

	switch (req->opcode) {
	case NVME_CMD_READ:
		return nvme_read_write(req, ns, false);
	case NVME_CMD_WRITE:
		return nvme_read_write(req, ns, true);
	case NVME_CMD_FLUSH:
		return nvme_flush(req, ns);
	case NVME_CMD_WRITE_ZEROES:
		return nvme_write_zeroes(req, ns);
	case NVME_CMD_DSM:
		return nvme_dsm(req, ns);
	default:
		return ioemu_nvme_dnr(NVME_SC_INVALID_OPCODE);
	}
}
