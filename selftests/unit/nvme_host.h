/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small host for the NVMe controller under test: a domain with disks, a
 * controller on PCI slot 5, queues in guest memory, commands one at a time or in
 * batches. Nothing runs before run_pending(), which the functions that wait for
 * a completion call.
 */
#ifndef NVME_HOST_H
#define NVME_HOST_H

#include <linux/pci_regs.h>

#include <ioemu/model.h>

#include "nvme/spec.h"

#include "fake_disk.h"
#include "fake_vm.h"
#include "harness.h"

#define HOST_SLOT	5
#define HOST_BAR	0xf0000000ull
#ifndef HOST_FRAMES
#define HOST_FRAMES	4096
#endif
#define HOST_MSI_ADDR	0xfee00000ull
#define HOST_VECTORS	65
#define HOST_QUEUES	65

#define DNR(status)	((status) | NVME_SC_DNR | NVME_SC_MORE)
#define ERR(status)	((status) | NVME_SC_MORE)

struct host_queue {
	u16 qid;
	u32 size;
	u64 addr;
	u32 tail;	/* submission: next entry to write */
	u32 head;	/* submission: as last reported; completion: next to read */
	u16 phase;
};

struct nvme_host {
	struct ioemu_vm *vm;
	struct ioemu_disk *disks[IOEMU_MAX_DISKS];
	struct ioemu_controller *ctrl;
	struct ioemu_exits exits;
	u64 next_page;
	u16 next_cid;
	struct host_queue sq[HOST_QUEUES];
	struct host_queue cq[HOST_QUEUES];
};

static inline u64 host_page(struct nvme_host *h, unsigned int nr)
{
	u64 addr = h->next_page << 12;

	h->next_page += nr;
	if (h->next_page > HOST_FRAMES)
		standin_die("the host is out of memory");
	fake_vm_set(h->vm, addr, 0, (u64)nr << 12);
	return addr;
}

static inline u32 r32(struct nvme_host *h, u64 reg)
{
	return fake_mmio_read(h->vm, HOST_BAR + reg, 4);
}

static inline u64 r64(struct nvme_host *h, u64 reg)
{
	return fake_mmio_read(h->vm, HOST_BAR + reg, 8);
}

static inline void w32(struct nvme_host *h, u64 reg, u32 value)
{
	fake_mmio_write(h->vm, HOST_BAR + reg, 4, value);
}

static inline void w64(struct nvme_host *h, u64 reg, u64 value)
{
	fake_mmio_write(h->vm, HOST_BAR + reg, 8, value);
}

static inline void ring_sq(struct nvme_host *h, unsigned int qid, u32 value)
{
	w32(h, NVME_REG_DBS + qid * 8, value);
}

static inline void ring_cq(struct nvme_host *h, unsigned int qid, u32 value)
{
	w32(h, NVME_REG_DBS + qid * 8 + 4, value);
}

/* ---- PCI --------------------------------------------------------------- */

static inline unsigned int host_cap(struct nvme_host *h, u8 id)
{
	unsigned int pos = fake_config_read(h->vm, HOST_SLOT,
					    PCI_CAPABILITY_LIST, 1);

	while (pos && fake_config_read(h->vm, HOST_SLOT, pos, 1) != id)
		pos = fake_config_read(h->vm, HOST_SLOT, pos + 1, 1);
	return pos;
}

static inline void host_command(struct nvme_host *h, u16 command)
{
	fake_config_write(h->vm, HOST_SLOT, PCI_COMMAND, 2, command);
}

static inline void host_pci_setup(struct nvme_host *h)
{
	fake_config_write(h->vm, HOST_SLOT, PCI_BASE_ADDRESS_0, 4,
			  (u32)HOST_BAR);
	fake_config_write(h->vm, HOST_SLOT, PCI_BASE_ADDRESS_1, 4,
			  HOST_BAR >> 32);
	host_command(h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static inline void host_msix(struct nvme_host *h)
{
	unsigned int i, pos = host_cap(h, PCI_CAP_ID_MSIX);

	for (i = 0; i < HOST_VECTORS; i++) {
		w32(h, 0x2000 + i * 16, (u32)HOST_MSI_ADDR);
		w32(h, 0x2004 + i * 16, HOST_MSI_ADDR >> 32);
		w32(h, 0x2008 + i * 16, 0x4000 + i);
		w32(h, 0x200c + i * 16, 0);
	}
	fake_config_write(h->vm, HOST_SLOT, pos + PCI_MSIX_FLAGS, 2,
			  PCI_MSIX_FLAGS_ENABLE);
}

/* Interrupts of a vector since fake_vm_clear_msi() */
static inline unsigned int host_irqs(struct nvme_host *h, unsigned int vector)
{
	return fake_vm_count_msi(h->vm, HOST_MSI_ADDR, 0x4000 + vector);
}

/* ---- controller -------------------------------------------------------- */

static inline void host_create(struct nvme_host *h)
{
	struct ioemu_model_config cfg = {
		.vm = h->vm, .slot = HOST_SLOT, .serial = "CTRL0001",
		.exits = &h->exits,
	};

	memcpy(cfg.disks, h->disks, sizeof(cfg.disks));
	h->ctrl = ioemu_nvme_model.create(&cfg);
	if (IS_ERR(h->ctrl))
		standin_die("no controller");
	if (ioemu_nvme_model.start(h->ctrl))
		standin_die("controller does not start");
	host_pci_setup(h);
}

/* A domain, one disk of @blocks blocks, a controller that is not enabled. */
static inline void host_init(struct nvme_host *h, u64 blocks,
			     unsigned int shift)
{
	memset(h, 0, sizeof(*h));
	h->next_page = 16;
	h->vm = fake_vm_new(HOST_FRAMES);
	h->disks[0] = fake_disk_new(blocks, shift);
	strcpy(fake_disk_info(h->disks[0])->serial, "DISK0001");
	host_create(h);
}

static inline void host_exit(struct nvme_host *h)
{
	unsigned int i;

	ioemu_nvme_model.stop(h->ctrl);
	EXPECT_EQ(0, fake_vm_map_refs(h->vm));
	ioemu_nvme_model.destroy(h->ctrl);
	for (i = 0; i < IOEMU_MAX_DISKS; i++)
		if (h->disks[i])
			fake_disk_free(h->disks[i]);
	fake_vm_free(h->vm);
}

static inline void host_queue_init(struct nvme_host *h, struct host_queue *q,
				   u16 qid, u32 size, unsigned int shift)
{
	q->qid = qid;
	q->size = size;
	q->addr = host_page(h, DIV_ROUND_UP(size << shift, 4096));
	q->tail = 0;
	q->head = 0;
	q->phase = 1;
}

static inline bool host_wait_ready(struct nvme_host *h, u32 ready)
{
	run_pending();
	return (r32(h, NVME_REG_CSTS) & NVME_CSTS_RDY) == ready;
}

#define HOST_CC	(NVME_CC_EN | 6u << NVME_CC_IOSQES_SHIFT | \
		 4u << NVME_CC_IOCQES_SHIFT)

static inline bool host_enable_sized(struct nvme_host *h, u32 sqs, u32 cqs)
{
	host_queue_init(h, &h->sq[0], 0, sqs, 6);
	host_queue_init(h, &h->cq[0], 0, cqs, 4);
	w32(h, NVME_REG_AQA, (cqs - 1) << 16 | (sqs - 1));
	w64(h, NVME_REG_ASQ, h->sq[0].addr);
	w64(h, NVME_REG_ACQ, h->cq[0].addr);
	w32(h, NVME_REG_CC, HOST_CC);
	return host_wait_ready(h, 1);
}

static inline bool host_enable(struct nvme_host *h)
{
	return host_enable_sized(h, 32, 32);
}

static inline bool host_disable(struct nvme_host *h)
{
	w32(h, NVME_REG_CC, HOST_CC & ~NVME_CC_EN);
	return host_wait_ready(h, 0);
}

/* ---- commands ---------------------------------------------------------- */

/* Write a command; the doorbell comes later. Returns its identifier. */
static inline u16 host_queue_cmd(struct nvme_host *h, unsigned int qid,
				 struct nvme_sqe sqe)
{
	struct host_queue *q = &h->sq[qid];

	sqe.cid = cpu_to_le16(h->next_cid);
	fake_vm_write(h->vm, q->addr + q->tail * 64, &sqe, 64);
	q->tail = (q->tail + 1) % q->size;
	return h->next_cid++;
}

static inline u16 host_submit(struct nvme_host *h, unsigned int qid,
			      struct nvme_sqe sqe)
{
	u16 cid = host_queue_cmd(h, qid, sqe);

	ring_sq(h, qid, h->sq[qid].tail);
	return cid;
}

/* Is there an entry? It is taken, but the doorbell comes later. */
static inline bool host_take(struct nvme_host *h, unsigned int qid,
			     struct nvme_cqe *cqe)
{
	struct host_queue *q = &h->cq[qid];

	fake_vm_read(h->vm, q->addr + q->head * 16, cqe, 16);
	if ((le16_to_cpu(cqe->status) & 1) != q->phase)
		return false;
	q->head++;
	if (q->head == q->size) {
		q->head = 0;
		q->phase ^= 1;
	}
	return true;
}

/* The same with the doorbell */
static inline bool host_reap(struct nvme_host *h, unsigned int qid,
			     struct nvme_cqe *cqe)
{
	if (!host_take(h, qid, cqe))
		return false;
	ring_cq(h, qid, h->cq[qid].head);
	return true;
}

#define HOST_NO_ENTRY	0xdead

static inline u16 cqe_status(const struct nvme_cqe *cqe)
{
	return le16_to_cpu(cqe->status) >> 1;
}

/* Run a command to its end; @cqid is where it ends. Returns its status. */
static inline u16 host_exec_on(struct nvme_host *h, unsigned int qid,
			       unsigned int cqid, struct nvme_sqe sqe,
			       struct nvme_cqe *cqe)
{
	struct nvme_cqe local;
	u16 cid = host_submit(h, qid, sqe);

	if (!cqe)
		cqe = &local;
	run_pending();
	if (!host_reap(h, cqid, cqe))
		return HOST_NO_ENTRY;
	EXPECT_EQ(cid, le16_to_cpu(cqe->cid));
	EXPECT_EQ(qid, le16_to_cpu(cqe->sq_id));
	EXPECT_EQ(h->sq[qid].tail, le16_to_cpu(cqe->sq_head));
	EXPECT_EQ(0, cqe->rsvd);
	return cqe_status(cqe);
}

static inline u16 host_exec(struct nvme_host *h, unsigned int qid,
			    struct nvme_sqe sqe)
{
	return host_exec_on(h, qid, qid, sqe, NULL);
}

static inline u16 host_admin(struct nvme_host *h, struct nvme_sqe sqe,
			     u32 *result)
{
	struct nvme_cqe cqe = {};
	u16 status = host_exec_on(h, 0, 0, sqe, &cqe);

	if (result)
		*result = le32_to_cpu(cqe.result);
	return status;
}

static inline struct nvme_sqe sqe_create_cq(u16 qid, u32 size, u64 addr,
					    u16 vector, u16 flags)
{
	return (struct nvme_sqe) {
		.opcode = NVME_ADMIN_CREATE_CQ, .prp1 = cpu_to_le64(addr),
		.cdw10 = cpu_to_le32((size - 1) << 16 | qid),
		.cdw11 = cpu_to_le32((u32)vector << 16 | flags),
	};
}

static inline struct nvme_sqe sqe_create_sq(u16 qid, u32 size, u64 addr,
					    u16 cqid, u16 flags)
{
	return (struct nvme_sqe) {
		.opcode = NVME_ADMIN_CREATE_SQ, .prp1 = cpu_to_le64(addr),
		.cdw10 = cpu_to_le32((size - 1) << 16 | qid),
		.cdw11 = cpu_to_le32((u32)cqid << 16 | flags),
	};
}

static inline u16 host_create_cq(struct nvme_host *h, u16 qid, u32 size)
{
	host_queue_init(h, &h->cq[qid], qid, size, 4);
	return host_admin(h, sqe_create_cq(qid, size, h->cq[qid].addr, qid,
					   NVME_QUEUE_PC | NVME_CQ_IEN), NULL);
}

static inline u16 host_create_sq(struct nvme_host *h, u16 qid, u32 size,
				 u16 cqid)
{
	host_queue_init(h, &h->sq[qid], qid, size, 6);
	return host_admin(h, sqe_create_sq(qid, size, h->sq[qid].addr, cqid,
					   NVME_QUEUE_PC), NULL);
}

/* Enabled, with I/O queue pair 1 of @size entries */
static inline void host_ready(struct nvme_host *h, u32 size)
{
	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	ASSERT_EQ(0, host_create_cq(h, 1, size));
	ASSERT_EQ(0, host_create_sq(h, 1, size, 1));
	fake_vm_clear_msi(h->vm);
	fake_vm_clear_dirty(h->vm);
}

static inline u16 host_delete(struct nvme_host *h, u8 opcode, u16 qid)
{
	return host_admin(h, (struct nvme_sqe) {
		.opcode = opcode, .cdw10 = cpu_to_le32(qid) }, NULL);
}

static inline struct nvme_sqe sqe_rw(bool write, u64 slba, u32 nlb, u64 prp1,
				     u64 prp2)
{
	return (struct nvme_sqe) {
		.opcode = write ? NVME_CMD_WRITE : NVME_CMD_READ,
		.nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(prp1), .prp2 = cpu_to_le64(prp2),
		.cdw10 = cpu_to_le32((u32)slba),
		.cdw11 = cpu_to_le32(slba >> 32),
		.cdw12 = cpu_to_le32(nlb - 1),
	};
}

static inline u16 host_identify(struct nvme_host *h, u32 cns, u32 nsid,
				u64 addr)
{
	return host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_IDENTIFY, .nsid = cpu_to_le32(nsid),
		.prp1 = cpu_to_le64(addr), .cdw10 = cpu_to_le32(cns) }, NULL);
}

static inline u16 host_set_feature(struct nvme_host *h, u32 fid, u32 value,
				   u32 *result)
{
	return host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = cpu_to_le32(fid),
		.cdw11 = cpu_to_le32(value) }, result);
}

static inline u16 host_get_feature(struct nvme_host *h, u32 fid, u32 *result)
{
	return host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = cpu_to_le32(fid) },
		result);
}

static inline u16 host_log_page(struct nvme_host *h, u32 lid, u32 bytes,
				u64 offset, u64 addr)
{
	u32 numd = bytes / 4 - 1;

	return host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_GET_LOG_PAGE,
		.nsid = cpu_to_le32(NVME_NSID_ALL),
		.prp1 = cpu_to_le64(addr),
		.cdw10 = cpu_to_le32(numd << 16 | lid),
		.cdw11 = cpu_to_le32(numd >> 16),
		.cdw12 = cpu_to_le32((u32)offset),
		.cdw13 = cpu_to_le32(offset >> 32) }, NULL);
}

/* Contents that depend on the seed and the place */
static inline void host_pattern(u8 *to, size_t n, u32 seed)
{
	u32 x = seed * 2654435761u + 1;

	while (n--) {
		x = x * 1664525 + 1013904223;
		*to++ = x >> 24;
	}
}

#endif /* NVME_HOST_H */
