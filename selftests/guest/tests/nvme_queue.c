// SPDX-License-Identifier: GPL-2.0
/*
 * Creation and deletion of I/O queues, with each parameter wrong in turn: NVMe
 * 1.4 sections 4.1, 5.3 to 5.6.
 */
#include "harness.h"
#include "mem.h"
#include "nvme.h"
#include "string.h"
#include "time.h"

SUITE(nvme_queue, .setup = nvme_start, .teardown = nvme_stop);

static struct nvme_cq cq;
static struct nvme_sq sq;

static void pair(u16 id, u16 depth)
{
	nvme_create_pair(&sq, &cq, id, depth, false);
}

static u16 works(struct nvme_sq *q)
{
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };

	return nvme_exec(q, &c, NULL);
}

/* The commands as they go out, for the fields that the library does not offer. */
static struct nvme_cmd cq_cmd(u16 id, u16 qsize, u32 vector_flags)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_CQ,
		.prp1 = phys(page_alloc(1)),
		.cdw10 = (u32)qsize << 16 | id,
		.cdw11 = vector_flags,
	};

	return c;
}

static struct nvme_cmd sq_cmd(u16 id, u16 qsize, u16 cqid, u16 flags)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_CREATE_SQ,
		.prp1 = phys(page_alloc(1)),
		.cdw10 = (u32)qsize << 16 | id,
		.cdw11 = (u32)cqid << 16 | flags,
	};

	return c;
}

static u16 send(struct nvme_cmd c)
{
	return nvme_exec(&nvme.asq, &c, NULL);
}

TEST(nvme_queue, create_use_delete)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		pair(1, 8);
		EXPECT_STATUS(works(&sq), SC_SUCCESS);
		EXPECT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
		EXPECT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	}
}

TEST(nvme_queue, without_set_features)
{
	/* EDK2 and others never ask for a number of queues. */
	nvme.nr_ioq = 2;
	pair(1, 8);
	EXPECT_STATUS(works(&sq), SC_SUCCESS);
	pair(2, 8);
	EXPECT_STATUS(works(&sq), SC_SUCCESS);
}

TEST(nvme_queue, cq_identifier)
{
	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	EXPECT_STATUS(send(cq_cmd(0, 7, 1)), SC_QID_INVALID);
	EXPECT_STATUS(send(cq_cmd(0xffff, 7, 1)), SC_QID_INVALID);
	if (nvme.nr_ioq < 0xffff)
		EXPECT_STATUS(send(cq_cmd(nvme.nr_ioq + 1, 7, 1)), SC_QID_INVALID);
	EXPECT_STATUS(send(cq_cmd(1, 7, 1)), SC_SUCCESS);
	EXPECT_STATUS(send(cq_cmd(1, 7, 1)), SC_QID_INVALID);
	EXPECT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	EXPECT_STATUS(send(cq_cmd(1, 7, 1)), SC_SUCCESS);
}

TEST(nvme_queue, cq_size)
{
	u32 mqes = CAP_MQES(nvme.cap);

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	EXPECT_STATUS(send(cq_cmd(1, 0, 1)), SC_QUEUE_SIZE);
	if (mqes < 0xffff) {
		EXPECT_STATUS(send(cq_cmd(1, mqes + 1, 1)), SC_QUEUE_SIZE);
		EXPECT_STATUS(send(cq_cmd(1, 0xffff, 1)), SC_QUEUE_SIZE);
	}
	EXPECT_STATUS(send(cq_cmd(1, 1, 1)), SC_SUCCESS);
}

TEST(nvme_queue, cq_vector)
{
	u32 n = nvme.pci.msix_count;

	SKIP_IF(!n, "no MSI-X");
	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	EXPECT_STATUS(send(cq_cmd(1, 7, n << 16 | 3)), SC_INVALID_VECTOR);
	EXPECT_STATUS(send(cq_cmd(1, 7, 0xffff << 16 | 3)), SC_INVALID_VECTOR);
	EXPECT_STATUS(send(cq_cmd(1, 7, (n - 1) << 16 | 3)), SC_SUCCESS);
}

TEST(nvme_queue, cq_base)
{
	struct nvme_cmd c;

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	c = cq_cmd(1, 7, 1);
	c.prp1 += 0x10;
	EXPECT_STATUS(send(c), SC_PRP_OFFSET, SC_INVALID_FIELD);
	c.prp1 += 0x7f0;
	EXPECT_STATUS(send(c), SC_PRP_OFFSET, SC_INVALID_FIELD);
}

TEST(nvme_queue, not_contiguous)
{
	struct nvme_cmd c;
	u64 *list = page_alloc(1);

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	list[0] = phys(page_alloc(1));
	c = cq_cmd(1, 7, 0);
	c.prp1 = phys(list);
	if (nvme.cap & CAP_CQR) {
		EXPECT_STATUS(send(c), SC_INVALID_FIELD);
		EXPECT_STATUS(send(cq_cmd(1, 7, 1)), SC_SUCCESS);
		c = sq_cmd(1, 7, 1, 0);
		c.prp1 = phys(list);
		EXPECT_STATUS(send(c), SC_INVALID_FIELD);
	} else {
		EXPECT_STATUS(send(c), SC_SUCCESS);
	}
}

TEST(nvme_queue, sq_identifier)
{
	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	ASSERT_STATUS(send(cq_cmd(1, 7, 1)), SC_SUCCESS);
	EXPECT_STATUS(send(sq_cmd(0, 7, 1, 1)), SC_QID_INVALID);
	EXPECT_STATUS(send(sq_cmd(0xffff, 7, 1, 1)), SC_QID_INVALID);
	if (nvme.nr_ioq < 0xffff)
		EXPECT_STATUS(send(sq_cmd(nvme.nr_ioq + 1, 7, 1, 1)), SC_QID_INVALID);
	EXPECT_STATUS(send(sq_cmd(1, 7, 1, 1)), SC_SUCCESS);
	EXPECT_STATUS(send(sq_cmd(1, 7, 1, 1)), SC_QID_INVALID);
}

TEST(nvme_queue, sq_size)
{
	u32 mqes = CAP_MQES(nvme.cap);

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	ASSERT_STATUS(send(cq_cmd(1, 7, 1)), SC_SUCCESS);
	EXPECT_STATUS(send(sq_cmd(1, 0, 1, 1)), SC_QUEUE_SIZE);
	if (mqes < 0xffff) {
		EXPECT_STATUS(send(sq_cmd(1, mqes + 1, 1, 1)), SC_QUEUE_SIZE);
		EXPECT_STATUS(send(sq_cmd(1, 0xffff, 1, 1)), SC_QUEUE_SIZE);
	}
	EXPECT_STATUS(send(sq_cmd(1, 1, 1, 1)), SC_SUCCESS);
}

TEST(nvme_queue, sq_completion_queue)
{
	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	/* In range, but not created */
	EXPECT_STATUS(send(sq_cmd(1, 7, 1, 1)), SC_CQ_INVALID);
	/* Never a completion queue for I/O: both statuses fit */
	EXPECT_STATUS(send(sq_cmd(1, 7, 0, 1)), SC_CQ_INVALID, SC_QID_INVALID);
	EXPECT_STATUS(send(sq_cmd(1, 7, 0xffff, 1)), SC_CQ_INVALID, SC_QID_INVALID);
}

TEST(nvme_queue, sq_base)
{
	struct nvme_cmd c;

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	ASSERT_STATUS(send(cq_cmd(1, 7, 1)), SC_SUCCESS);
	c = sq_cmd(1, 7, 1, 1);
	c.prp1 += 0x40;
	EXPECT_STATUS(send(c), SC_PRP_OFFSET, SC_INVALID_FIELD);
}

/* With round robin only, the priority means nothing. */
TEST(nvme_queue, sq_priority)
{
	u32 prio;

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	ASSERT_STATUS(send(cq_cmd(1, 7, 1)), SC_SUCCESS);
	for (prio = 0; prio < 4; prio++) {
		EXPECT_STATUS(send(sq_cmd(1, 7, 1, prio << 1 | 1)), SC_SUCCESS);
		EXPECT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
	}
}

TEST(nvme_queue, delete_order)
{
	pair(1, 8);
	EXPECT_STATUS(nvme_delete_cq(1), SC_QUEUE_DELETION);
	EXPECT_STATUS(works(&sq), SC_SUCCESS);
	EXPECT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
	EXPECT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
}

TEST(nvme_queue, delete_invalid)
{
	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	EXPECT_STATUS(nvme_delete_sq(0), SC_QID_INVALID);
	EXPECT_STATUS(nvme_delete_cq(0), SC_QID_INVALID);
	EXPECT_STATUS(nvme_delete_sq(1), SC_QID_INVALID);
	EXPECT_STATUS(nvme_delete_cq(1), SC_QID_INVALID);
	EXPECT_STATUS(nvme_delete_sq(0xffff), SC_QID_INVALID);
	EXPECT_STATUS(nvme_delete_cq(0xffff), SC_QID_INVALID);
	pair(1, 4);
	EXPECT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
	EXPECT_STATUS(nvme_delete_sq(1), SC_QID_INVALID);
	EXPECT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	EXPECT_STATUS(nvme_delete_cq(1), SC_QID_INVALID);
}

/* Several submission queues on one completion queue, deleted one by one. */
TEST(nvme_queue, shared_completion_queue)
{
	struct nvme_sq sqs[3];
	u32 i, n;

	ASSERT_STATUS(nvme_set_queues(3), SC_SUCCESS);
	n = min(nvme.nr_ioq, 3u);
	nvme_cq_init(&cq, 1, 16, 0, false);
	ASSERT_STATUS(nvme_create_cq(&cq), SC_SUCCESS);
	for (i = 0; i < n; i++) {
		nvme_sq_init(&sqs[i], i + 1, 4 + i, &cq);
		ASSERT_STATUS(nvme_create_sq(&sqs[i]), SC_SUCCESS);
	}
	for (i = 0; i < 4 * n; i++)
		EXPECT_STATUS(works(&sqs[i % n]), SC_SUCCESS);
	for (i = 0; i < n; i++) {
		EXPECT_STATUS(nvme_delete_cq(1), SC_QUEUE_DELETION);
		EXPECT_STATUS(nvme_delete_sq(i + 1), SC_SUCCESS);
	}
	EXPECT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
}

/* Identifiers of the two kinds are independent of each other. */
TEST(nvme_queue, crossed_identifiers)
{
	struct nvme_cq c1, c2;
	struct nvme_sq s1, s2;

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	SKIP_IF(nvme.nr_ioq < 2, "one queue pair only");
	nvme_cq_init(&c1, 1, 4, 0, false);
	nvme_cq_init(&c2, 2, 4, 0, false);
	ASSERT_STATUS(nvme_create_cq(&c1), SC_SUCCESS);
	ASSERT_STATUS(nvme_create_cq(&c2), SC_SUCCESS);
	nvme_sq_init(&s1, 1, 4, &c2);
	nvme_sq_init(&s2, 2, 4, &c1);
	ASSERT_STATUS(nvme_create_sq(&s1), SC_SUCCESS);
	ASSERT_STATUS(nvme_create_sq(&s2), SC_SUCCESS);
	EXPECT_STATUS(works(&s1), SC_SUCCESS);
	EXPECT_STATUS(works(&s2), SC_SUCCESS);
	EXPECT_STATUS(nvme_delete_cq(1), SC_QUEUE_DELETION);
	EXPECT_STATUS(nvme_delete_sq(2), SC_SUCCESS);
	EXPECT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	EXPECT_STATUS(works(&s1), SC_SUCCESS);
}

TEST(nvme_queue, as_many_as_allocated)
{
	struct nvme_sq sqs[8];
	struct nvme_cq cqs[8];
	u32 i, n;

	ASSERT_STATUS(nvme_set_queues(8), SC_SUCCESS);
	n = min(nvme.nr_ioq, 8u);
	/* In falling order, as nothing asks for another */
	for (i = n; i--;)
		nvme_create_pair(&sqs[i], &cqs[i], i + 1, 16, false);
	for (i = 0; i < 2 * n; i++)
		EXPECT_STATUS(works(&sqs[i % n]), SC_SUCCESS);
}

TEST(nvme_queue, largest)
{
	u32 depth = CAP_MQES(nvme.cap) + 1, i;

	SKIP_IF(depth > 4096, "%u entries", depth);
	pair(1, depth);
	for (i = 0; i < 5; i++)
		EXPECT_STATUS(works(&sq), SC_SUCCESS);
}

/* Reset deletes queues: their identifiers are free, their doorbells dead. */
TEST(nvme_queue, reset_deletes)
{
	struct nvme_cq old;

	pair(1, 8);
	EXPECT_STATUS(works(&sq), SC_SUCCESS);
	old = cq;
	nvme_start();
	nvme_w32(nvme_sq_db(1), 3);
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&old));
	EXPECT_EQ(nvme_r32(NVME_CSTS) & (CSTS_RDY | CSTS_CFS), CSTS_RDY);
	pair(1, 8);
	EXPECT_STATUS(works(&sq), SC_SUCCESS);
}

/* Deleting a queue completes or aborts what is outstanding in it. */
TEST(nvme_queue, delete_with_commands)
{
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };
	struct nvme_cqe e;
	u32 i, done = 0;

	SKIP_IF(!nvme.nsid, "no active namespace");
	pair(1, 32);
	for (i = 0; i < 20; i++) {
		c.cid = i;
		nvme_put(&sq, &c);
	}
	nvme_ring_sq(&sq);
	EXPECT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
	/* All that will ever complete has been posted by now. */
	while (nvme_cq_ready(&cq)) {
		ASSERT(nvme_reap(&cq, &e, 0, false));
		EXPECT_STATUS(cqe_status(&e), SC_SUCCESS, SC_ABORT_SQ_DELETED);
		done++;
	}
	test_note("%u of 20 were posted", done);
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&cq));
	EXPECT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
}

/* Queue memory which does not exist: the queue is the guest's loss alone. */
TEST(nvme_queue, base_nowhere)
{
	void *page = page_alloc(1);
	struct nvme_cmd c;

	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	c = cq_cmd(1, 7, 1);
	c.prp1 = 0x0000ffff00000000ull;
	if (send(c) == SC_SUCCESS) {
		c = sq_cmd(1, 7, 1, 1);
		c.prp1 = 0x0000fffe00000000ull;
		if (send(c) == SC_SUCCESS) {
			nvme_w32(nvme_sq_db(1), 2);
			delay_ns(quiet_ns());
		}
	}
	/* Working on, or fatal and cured by a reset */
	if (!(nvme_r32(NVME_CSTS) & CSTS_CFS))
		EXPECT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
	nvme_start();
}
