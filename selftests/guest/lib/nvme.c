// SPDX-License-Identifier: GPL-2.0
#include "nvme.h"
#include "apic.h"
#include "harness.h"
#include "mem.h"
#include "string.h"
#include "time.h"

#define NVME_CLASS	0x010802
#define ADMIN_DEPTH	32
#define TRANSFER_LIMIT	(1u << 20)	/* where the controller has none */

struct nvme nvme;

void nvme_attach(void)
{
	const char *where = arg_find("dev");
	struct pci_dev *d = &nvme.pci;
	u32 i;

	if (!nvme.bar) {
		if (where ? !pci_at(d, where) : !pci_find(d, NVME_CLASS, -1, 0))
			test_skip("no NVMe controller");
		pci_enable(d);
		nvme.bar = (uintptr_t)d->bar[0].addr;
		test_note("controller %04x:%04x at %02x.%x, BAR 0 at %x",
			  d->vendor, d->device, d->dev, d->fn, nvme.bar);
	}
	nvme.cap = nvme_r64(NVME_CAP);
	nvme.stride = 4u << CAP_DSTRD(nvme.cap);
	if (!nvme.vectors) {
		if (msix_init(d)) {
			nvme.vectors = min(d->msix_count, NVME_VECTORS);
			for (i = 0; i < nvme.vectors; i++)
				msix_set(d, i, VEC_DEVICE + i);
			msix_control(d, MSIX_CONTROL_MASKALL, MSIX_CONTROL_ENABLE);
		}
		pci_command(d, 0, PCI_COMMAND_INTX_DISABLE);
	}
}

void nvme_forget(bool msix)
{
	if (msix)
		nvme.vectors = 0;
	pci_enable(&nvme.pci);
	nvme.bar = (uintptr_t)nvme.pci.bar[0].addr;
}

u64 nvme_ready_ns(void)
{
	return CAP_TO(nvme.cap) * 500 * NSEC_PER_MSEC + 2 * NSEC_PER_SEC;
}

bool nvme_disable(void)
{
	nvme_w32(NVME_CC, nvme_r32(NVME_CC) & ~(CC_EN | CC_SHN_MASK));
	nvme.dbbuf = NULL;
	nvme.eventidx = NULL;
	nvme.nr_ioq = 0;
	return wait_for(!(nvme_r32(NVME_CSTS) & CSTS_RDY), nvme_ready_ns());
}

void nvme_admin_setup(u16 sq_depth, u16 cq_depth)
{
	nvme_cq_init(&nvme.acq, 0, cq_depth, 0, true);
	nvme_sq_init(&nvme.asq, 0, sq_depth, &nvme.acq);
	nvme_w32(NVME_AQA, (u32)(cq_depth - 1) << 16 | (sq_depth - 1));
	nvme_w64(NVME_ASQ, phys(nvme.asq.ring));
	nvme_w64(NVME_ACQ, phys(nvme.acq.ring));
}

bool nvme_enable(u32 cc)
{
	nvme_w32(NVME_CC, cc | CC_EN);
	return wait_for(nvme_r32(NVME_CSTS) & (CSTS_RDY | CSTS_CFS), nvme_ready_ns()) &&
	       (nvme_r32(NVME_CSTS) & (CSTS_RDY | CSTS_CFS)) == CSTS_RDY;
}

void nvme_start(void)
{
	u32 i, lbaf, mdts, *list;
	void *page;

	nvme_attach();
	if (!nvme_disable())
		test_fatal("CSTS.RDY stays 1 after CC.EN=0: CSTS %x", nvme_r32(NVME_CSTS));
	nvme_admin_setup(ADMIN_DEPTH, ADMIN_DEPTH);
	if (!nvme_enable(CC_DEFAULT | CC_MPS(CAP_MPSMIN(nvme.cap))))
		test_fatal("not ready after CC.EN=1: CSTS %x", nvme_r32(NVME_CSTS));

	page = page_alloc(1);
	ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
	memcpy(nvme.idctrl, page, sizeof(nvme.idctrl));
	mdts = nvme.idctrl[77];
	nvme.max_transfer = TRANSFER_LIMIT;
	if (mdts && mdts + 12 + CAP_MPSMIN(nvme.cap) < 20)
		nvme.max_transfer = 1u << (mdts + 12 + CAP_MPSMIN(nvme.cap));

	memset(page, 0, PAGE_SIZE);
	ASSERT_STATUS(nvme_identify(2, 0, page), SC_SUCCESS);
	list = page;
	nvme.nsid = (u32)arg_u64("nsid", list[0]);
	nvme.lba_size = 0;
	nvme.lbas = 0;
	if (!nvme.nsid)
		return;
	ASSERT_STATUS(nvme_identify(0, nvme.nsid, page), SC_SUCCESS);
	memcpy(nvme.idns, page, sizeof(nvme.idns));
	memcpy(&nvme.lbas, nvme.idns, 8);
	i = nvme.idns[26] & 15;
	memcpy(&lbaf, nvme.idns + 128 + i * 4, 4);
	nvme.lba_size = 1u << (lbaf >> 16 & 31);
}

void nvme_stop(void)
{
	u32 i;

	if (!nvme.bar)
		return;
	nvme_disable();
	for (i = 0; i < NVME_VECTORS; i++)
		irq_handle(VEC_DEVICE + i, NULL);
}

u32 nvme_sq_db(u16 qid)
{
	return NVME_DOORBELLS + 2 * qid * nvme.stride;
}

u32 nvme_cq_db(u16 qid)
{
	return NVME_DOORBELLS + (2 * qid + 1) * nvme.stride;
}

/*
 * Shadow doorbells (section 7.13): publish the value, then look whether the
 * controller asked for a doorbell at a value that was passed by it.
 */
static void doorbell(u16 qid, u32 reg, u16 v)
{
	u32 idx = (reg - NVME_DOORBELLS) / 4;
	u16 old, event;

	if (!nvme.dbbuf || !qid) {
		wmb();		/* the entry before the doorbell that publishes it */
		nvme_w32(reg, v);
		return;
	}
	old = (u16)nvme.dbbuf[idx];
	wmb();		/* the entry before the shadow that publishes it */
	nvme.dbbuf[idx] = v;
	mb();		/* the shadow before reading the event index */
	event = (u16)nvme.eventidx[idx];
	if ((u16)(v - event - 1) < (u16)(v - old)) {
		nvme.doorbell_writes++;
		nvme_w32(reg, v);
	}
}

void nvme_ring_sq(struct nvme_sq *sq)
{
	doorbell(sq->id, nvme_sq_db(sq->id), sq->tail);
}

void nvme_ring_cq(struct nvme_cq *cq)
{
	doorbell(cq->id, nvme_cq_db(cq->id), cq->head);
}

void nvme_put(struct nvme_sq *sq, const struct nvme_cmd *cmd)
{
	memcpy((void *)&sq->ring[sq->tail], cmd, sizeof(*cmd));
	if (++sq->tail == sq->depth)
		sq->tail = 0;
}

u16 nvme_submit(struct nvme_sq *sq, struct nvme_cmd *cmd)
{
	cmd->cid = ++nvme.next_cid;
	nvme_put(sq, cmd);
	nvme_ring_sq(sq);
	return cmd->cid;
}

bool nvme_cq_ready(struct nvme_cq *cq)
{
	bool ready = (cq->ring[cq->head].status & 1) == cq->phase;

	rmb();		/* the phase before the rest of the entry */
	return ready;
}

bool nvme_reap(struct nvme_cq *cq, struct nvme_cqe *cqe, u64 ns, bool ring)
{
	if (!wait_for(nvme_cq_ready(cq), ns))
		return false;
	memcpy(cqe, (void *)&cq->ring[cq->head], sizeof(*cqe));
	if (++cq->head == cq->depth) {
		cq->head = 0;
		cq->phase ^= 1;
	}
	if (ring)
		nvme_ring_cq(cq);
	return true;
}

u16 nvme_exec(struct nvme_sq *sq, struct nvme_cmd *cmd, u32 *result)
{
	u16 cid = nvme_submit(sq, cmd);
	struct nvme_cqe c;

	if (!nvme_reap(sq->cq, &c, timeout_ns(), true)) {
		test_fail("no completion of opcode %02x on queue %u, CSTS %x",
			  cmd->opcode, sq->id, nvme_r32(NVME_CSTS));
		return SC_NONE;
	}
	sq->head = c.sq_head;
	if (c.cid != cid || c.sq_id != sq->id || c.sq_head != sq->tail)
		test_fail("completion of cid %x sq %u head %u, expected %x %u %u",
			  c.cid, c.sq_id, c.sq_head, cid, sq->id, sq->tail);
	if (result)
		*result = c.result;
	return cqe_status(&c);
}

void nvme_cq_init(struct nvme_cq *cq, u16 id, u16 depth, u16 vector, bool irq)
{
	memset(cq, 0, sizeof(*cq));
	cq->id = id;
	cq->depth = depth;
	cq->vector = vector;
	cq->irq = irq;
	cq->phase = 1;
	cq->ring = page_alloc(ALIGN_UP(depth * sizeof(struct nvme_cqe), PAGE_SIZE) >> PAGE_SHIFT);
}

void nvme_sq_init(struct nvme_sq *sq, u16 id, u16 depth, struct nvme_cq *cq)
{
	memset(sq, 0, sizeof(*sq));
	sq->id = id;
	sq->depth = depth;
	sq->cq = cq;
	sq->ring = page_alloc(ALIGN_UP(depth * sizeof(struct nvme_cmd), PAGE_SIZE) >> PAGE_SHIFT);
}

u16 nvme_create_cq(struct nvme_cq *cq)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_CQ,
		.prp1 = phys(cq->ring),
		.cdw10 = (u32)(cq->depth - 1) << 16 | cq->id,
		.cdw11 = (u32)cq->vector << 16 | (cq->irq ? 2 : 0) | 1,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

u16 nvme_create_sq(struct nvme_sq *sq)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_SQ,
		.prp1 = phys(sq->ring),
		.cdw10 = (u32)(sq->depth - 1) << 16 | sq->id,
		.cdw11 = (u32)sq->cq->id << 16 | 1,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

u16 nvme_delete_cq(u16 id)
{
	struct nvme_cmd c = { .opcode = ADMIN_DELETE_CQ, .cdw10 = id };

	return nvme_exec(&nvme.asq, &c, NULL);
}

u16 nvme_delete_sq(u16 id)
{
	struct nvme_cmd c = { .opcode = ADMIN_DELETE_SQ, .cdw10 = id };

	return nvme_exec(&nvme.asq, &c, NULL);
}

u16 nvme_set_queues(u32 n)
{
	u32 got;
	u16 status = nvme_set_feature(FEAT_NUM_QUEUES, (n - 1) << 16 | (n - 1), &got);

	if (status == SC_SUCCESS)
		nvme.nr_ioq = min(got & 0xffff, got >> 16) + 1;
	return status;
}

void nvme_create_pair(struct nvme_sq *sq, struct nvme_cq *cq, u16 id, u16 depth, bool irq)
{
	u16 vec = 0;

	if (nvme.vectors)
		vec = id % nvme.vectors;
	if (!nvme.nr_ioq)
		ASSERT_STATUS(nvme_set_queues(4), SC_SUCCESS);
	nvme_cq_init(cq, id, depth, vec, irq);
	nvme_sq_init(sq, id, depth, cq);
	ASSERT_STATUS(nvme_create_cq(cq), SC_SUCCESS);
	ASSERT_STATUS(nvme_create_sq(sq), SC_SUCCESS);
}

u16 nvme_identify(u32 cns, u32 nsid, void *page)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_IDENTIFY,
		.nsid = nsid,
		.prp1 = phys(page),
		.cdw10 = cns,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

u16 nvme_set_feature(u32 fid, u32 dw11, u32 *result)
{
	struct nvme_cmd c = { .opcode = ADMIN_SET_FEATURES, .cdw10 = fid, .cdw11 = dw11 };

	return nvme_exec(&nvme.asq, &c, result);
}

u16 nvme_get_feature(u32 fid, u32 sel, u32 dw11, u32 *result)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_GET_FEATURES,
		.cdw10 = sel << 8 | fid,
		.cdw11 = dw11,
	};

	return nvme_exec(&nvme.asq, &c, result);
}

u16 nvme_get_log(u32 lid, u32 nsid, void *page, u32 bytes)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_GET_LOG,
		.nsid = nsid,
		.prp1 = phys(page),
		.cdw10 = (bytes / 4 - 1) << 16 | lid,
	};

	return nvme_exec(&nvme.asq, &c, NULL);
}

u16 nvme_dbbuf_enable(void)
{
	u8 *pages = page_alloc(2);
	struct nvme_cmd c = {
		.opcode = ADMIN_DBBUF,
		.prp1 = phys(pages),
		.prp2 = phys(pages + PAGE_SIZE),
	};
	u16 status = nvme_exec(&nvme.asq, &c, NULL);

	if (status == SC_SUCCESS) {
		nvme.dbbuf = (void *)pages;
		nvme.eventidx = (void *)(pages + PAGE_SIZE);
	}
	return status;
}

static const struct {
	u16 status;
	const char *name;
} names[] = {
	{ SC_SUCCESS, "Success" },
	{ SC_INVALID_OPCODE, "Invalid Opcode" },
	{ SC_INVALID_FIELD, "Invalid Field" },
	{ SC_CID_CONFLICT, "Command ID Conflict" },
	{ SC_DATA_TRANSFER, "Data Transfer Error" },
	{ SC_INTERNAL, "Internal Error" },
	{ SC_ABORT_REQUESTED, "Abort Requested" },
	{ SC_ABORT_SQ_DELETED, "Aborted, SQ Deletion" },
	{ SC_INVALID_NS, "Invalid Namespace" },
	{ SC_CMD_SEQUENCE, "Command Sequence Error" },
	{ SC_SGL_INVALID_SEGMENT, "Invalid SGL Segment" },
	{ SC_SGL_INVALID_COUNT, "Invalid SGL Count" },
	{ SC_SGL_DATA_LENGTH, "Data SGL Length" },
	{ SC_SGL_METADATA_LENGTH, "Metadata SGL Length" },
	{ SC_SGL_TYPE, "SGL Descriptor Type" },
	{ SC_PRP_OFFSET, "PRP Offset" },
	{ SC_SGL_OFFSET, "SGL Offset" },
	{ SC_SGL_GRANULARITY, "SGL Granularity" },
	{ SC_NS_WRITE_PROTECTED, "Write Protected" },
	{ SC_LBA_RANGE, "LBA Range" },
	{ SC_CAP_EXCEEDED, "Capacity Exceeded" },
	{ SC_CQ_INVALID, "Completion Queue Invalid" },
	{ SC_QID_INVALID, "Invalid Queue Identifier" },
	{ SC_QUEUE_SIZE, "Invalid Queue Size" },
	{ SC_ABORT_LIMIT, "Abort Limit" },
	{ SC_AER_LIMIT, "Async Event Limit" },
	{ SC_INVALID_VECTOR, "Invalid Interrupt Vector" },
	{ SC_INVALID_LOG_PAGE, "Invalid Log Page" },
	{ SC_INVALID_FORMAT, "Invalid Format" },
	{ SC_QUEUE_DELETION, "Invalid Queue Deletion" },
	{ SC_FEAT_NOT_SAVEABLE, "Feature Not Saveable" },
	{ SC_FEAT_NOT_CHANGEABLE, "Feature Not Changeable" },
	{ SC_FEAT_NOT_NS, "Feature Not Namespace Specific" },
	{ SC_ATTRIBUTES, "Conflicting Attributes" },
	{ SC_READ_ONLY_RANGE, "Read Only Range" },
	{ SC_COMPARE_FAILURE, "Compare Failure" },
	{ SC_NONE, "no completion" },
};

const char *nvme_status_name(u16 status)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].status == status)
			return names[i].name;
	return "?";
}

bool nvme_expect_status(u16 got, const u16 *want, u32 n, const char *file,
			int line, const char *expr)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (got == want[i])
			return true;
	for (i = 0; file[i]; i++)
		if (file[i] == '/') {
			file += i + 1;
			i = (u32)-1;
		}
	test_fail("%s:%d: status %03x (%s), expected %03x (%s)%s: %s", file, line,
		  got, nvme_status_name(got), want[0], nvme_status_name(want[0]),
		  n > 1 ? " or another" : "", expr);
	return false;
}
