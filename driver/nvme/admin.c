// SPDX-License-Identifier: GPL-2.0
/*
 * Admin commands, section 5. They run one after the other in the controller's
 * thread, under ctrl->lock.
 */
#include <linux/errno.h>

#include "nvme.h"

/**
 * ioemu_nvme_reply() - send an admin command's data to the guest
 * @req: request
 * @data: data
 * @bytes: how much, a multiple of 4; may be 0
 *
 * Context: the controller's thread.
 * Return: status, or NVME_PARK.
 */
u16 ioemu_nvme_reply(struct ioemu_nvme_req *req, const void *data,
		     size_t bytes)
{
	u16 status;

	if (!bytes)
		return NVME_SC_SUCCESS;
	status = ioemu_nvme_map_data(req, bytes);
	if (!status)
		ioemu_nvme_copy_out(req, data, bytes);
	return status;
}

/*
 * What Create I/O Submission Queue and Create I/O Completion Queue have in
 * common: identifier, size, where it is. CC.IOSQES or CC.IOCQES has to be what
 * Identify says, figure 78.
 */
static u16 nvme_check_create(const struct nvme_sqe *sqe, bool exists,
			     unsigned int es, unsigned int es_wanted)
{
	u32 cdw10 = le32_to_cpu(sqe->cdw10);
	u32 qid = cdw10 & 0xffff, qsize = cdw10 >> 16;

	if (!qid || qid > NVME_MAX_QID || exists)
		return ioemu_nvme_dnr(NVME_SC_QID_INVALID);
	if (!qsize || qsize >= NVME_MAX_ENTRIES || es != es_wanted)
		return ioemu_nvme_dnr(NVME_SC_QUEUE_SIZE);
	/* CAP.CQR: one piece of memory */
	if (!(le32_to_cpu(sqe->cdw11) & NVME_QUEUE_PC))
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	if (le64_to_cpu(sqe->prp1) & NVME_PAGE_MASK)
		return ioemu_nvme_dnr(NVME_SC_PRP_OFFSET);
	return NVME_SC_SUCCESS;
}

static struct ioemu_nvme_sq *nvme_find_sq(struct ioemu_nvme *ctrl, u32 qid)
{
	return qid <= NVME_MAX_QID ? ioemu_nvme_sq(ctrl, qid) : NULL;
}

static struct ioemu_nvme_cq *nvme_find_cq(struct ioemu_nvme *ctrl, u32 qid)
{
	return qid <= NVME_MAX_QID ? ioemu_nvme_cq(ctrl, qid) : NULL;
}

/* Section 5.3 */
static u16 nvme_create_cq(struct ioemu_nvme *ctrl, const struct nvme_sqe *sqe)
{
	u32 cdw10 = le32_to_cpu(sqe->cdw10), cdw11 = le32_to_cpu(sqe->cdw11);
	u32 qid = cdw10 & 0xffff, vector = cdw11 >> 16;
	u16 status;
	int err;

	status = nvme_check_create(sqe, nvme_find_cq(ctrl, qid),
				   READ_ONCE(ctrl->cc) >>
				   NVME_CC_IOCQES_SHIFT & 0xf, NVME_CQES);
	if (status)
		return status;
	if (vector >= NVME_NR_VECTORS)
		return ioemu_nvme_dnr(NVME_SC_VECTOR);
	err = ioemu_nvme_cq_create(ctrl, qid, le64_to_cpu(sqe->prp1),
				   (cdw10 >> 16) + 1, vector,
				   cdw11 & NVME_CQ_IEN);
	return ioemu_nvme_map_status(err);
}

/* Section 5.4 */
static u16 nvme_create_sq(struct ioemu_nvme *ctrl, const struct nvme_sqe *sqe)
{
	u32 cdw10 = le32_to_cpu(sqe->cdw10), cdw11 = le32_to_cpu(sqe->cdw11);
	u32 qid = cdw10 & 0xffff, cqid = cdw11 >> 16;
	u16 status;
	int err;

	if (!cqid || !nvme_find_cq(ctrl, cqid))
		return ioemu_nvme_dnr(cqid > NVME_MAX_QID || !cqid ?
				      NVME_SC_QID_INVALID : NVME_SC_CQ_INVALID);
	status = nvme_check_create(sqe, nvme_find_sq(ctrl, qid),
				   READ_ONCE(ctrl->cc) >>
				   NVME_CC_IOSQES_SHIFT & 0xf, NVME_SQES);
	if (status)
		return status;
	err = ioemu_nvme_sq_create(ctrl, qid, le64_to_cpu(sqe->prp1),
				   (cdw10 >> 16) + 1, cqid);
	return ioemu_nvme_map_status(err);
}

/* Section 5.6 */
static u16 nvme_delete_sq(struct ioemu_nvme *ctrl, const struct nvme_sqe *sqe)
{
	u32 qid = le32_to_cpu(sqe->cdw10) & 0xffff;

	if (!qid || !nvme_find_sq(ctrl, qid))
		return ioemu_nvme_dnr(NVME_SC_QID_INVALID);
	ioemu_nvme_sq_delete(ctrl, qid);
	return NVME_SC_SUCCESS;
}

/* Section 5.5 */
static u16 nvme_delete_cq(struct ioemu_nvme *ctrl, const struct nvme_sqe *sqe)
{
	u32 qid = le32_to_cpu(sqe->cdw10) & 0xffff;
	struct ioemu_nvme_cq *cq = nvme_find_cq(ctrl, qid);

	if (!qid || !cq)
		return ioemu_nvme_dnr(NVME_SC_QID_INVALID);
	if (cq->nr_sqs)
		return ioemu_nvme_dnr(NVME_SC_QUEUE_DELETION);
	ioemu_nvme_cq_delete(ctrl, qid);
	return NVME_SC_SUCCESS;
}

/*
 * Section 5.1. What the disk has cannot be called back; a parked event request
 * can.
 */
static u16 nvme_abort(struct ioemu_nvme_req *req, const struct nvme_sqe *sqe)
{
	u32 cdw10 = le32_to_cpu(sqe->cdw10);

	req->result = 1;	/* not aborted */
	if (!(cdw10 & 0xffff) &&
	    ioemu_nvme_abort_aer(req->sq->ctrl, cdw10 >> 16))
		req->result = 0;
	return NVME_SC_SUCCESS;
}

/**
 * ioemu_nvme_exec_admin() - execute the admin command in the scratch
 * @req: its request
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: status to complete @req with, NVME_PENDING, or NVME_PARK.
 */
u16 ioemu_nvme_exec_admin(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;

	req->slba = 0;
	if (sqe->flags & (NVME_CMD_FUSE_MASK | NVME_CMD_PSDT_MASK))
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);

	switch (req->opcode) {
	case NVME_ADMIN_DELETE_SQ:
		return nvme_delete_sq(ctrl, sqe);
	case NVME_ADMIN_CREATE_SQ:
		return nvme_create_sq(ctrl, sqe);
	case NVME_ADMIN_GET_LOG_PAGE:
		return ioemu_nvme_get_log_page(req);
	case NVME_ADMIN_DELETE_CQ:
		return nvme_delete_cq(ctrl, sqe);
	case NVME_ADMIN_CREATE_CQ:
		return nvme_create_cq(ctrl, sqe);
	case NVME_ADMIN_IDENTIFY:
		return ioemu_nvme_identify(req);
	case NVME_ADMIN_ABORT:
		return nvme_abort(req, sqe);
	case NVME_ADMIN_SET_FEATURES:
		return ioemu_nvme_set_features(req);
	case NVME_ADMIN_GET_FEATURES:
		return ioemu_nvme_get_features(req);
	case NVME_ADMIN_ASYNC_EVENT:
		return ioemu_nvme_async_event(req);
	case NVME_ADMIN_DBBUF:
		return ioemu_nvme_dbbuf_config(req);
	default:
		return ioemu_nvme_dnr(NVME_SC_INVALID_OPCODE);
	}
}
