/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An NVMe controller from the host's side, by the NVM Express Base Specification
 * 1.4. Nothing here checks what it sends: illegal commands are what tests are for.
 */
#ifndef TINY_NVME_H
#define TINY_NVME_H

#include "mmio.h"
#include "pci.h"
#include "types.h"

/* Controller registers (section 3.1) */
#define NVME_CAP	0x00
#define  CAP_MQES(c)	((u32)((c) & 0xffff))
#define  CAP_CQR	BIT_ULL(16)
#define  CAP_AMS(c)	((u32)((c) >> 17 & 3))
#define  CAP_TO(c)	((u32)((c) >> 24 & 0xff))
#define  CAP_DSTRD(c)	((u32)((c) >> 32 & 15))
#define  CAP_NSSRS	BIT_ULL(36)
#define  CAP_CSS(c)	((u32)((c) >> 37 & 0xff))
#define  CAP_BPS	BIT_ULL(45)
#define  CAP_MPSMIN(c)	((u32)((c) >> 48 & 15))
#define  CAP_MPSMAX(c)	((u32)((c) >> 52 & 15))
#define  CAP_PMRS	BIT_ULL(56)
#define  CAP_CMBS	BIT_ULL(57)
#define NVME_VS		0x08
#define NVME_INTMS	0x0c
#define NVME_INTMC	0x10
#define NVME_CC		0x14
#define  CC_EN		BIT(0)
#define  CC_CSS(n)	((u32)(n) << 4)
#define  CC_MPS(n)	((u32)(n) << 7)
#define  CC_AMS(n)	((u32)(n) << 11)
#define  CC_SHN(n)	((u32)(n) << 14)
#define  CC_SHN_MASK	CC_SHN(3)
#define  CC_IOSQES(n)	((u32)(n) << 16)
#define  CC_IOCQES(n)	((u32)(n) << 20)
#define  CC_DEFAULT	(CC_IOSQES(6) | CC_IOCQES(4))
#define NVME_CSTS	0x1c
#define  CSTS_RDY	BIT(0)
#define  CSTS_CFS	BIT(1)
#define  CSTS_SHST(v)	((v) >> 2 & 3)
#define  CSTS_NSSRO	BIT(4)
#define  CSTS_PP	BIT(5)
#define NVME_NSSR	0x20
#define NVME_AQA	0x24
#define NVME_ASQ	0x28
#define NVME_ACQ	0x30
#define NVME_DOORBELLS	0x1000

/* Admin commands (section 5) */
#define ADMIN_DELETE_SQ		0x00
#define ADMIN_CREATE_SQ		0x01
#define ADMIN_GET_LOG		0x02
#define ADMIN_DELETE_CQ		0x04
#define ADMIN_CREATE_CQ		0x05
#define ADMIN_IDENTIFY		0x06
#define ADMIN_ABORT		0x08
#define ADMIN_SET_FEATURES	0x09
#define ADMIN_GET_FEATURES	0x0a
#define ADMIN_ASYNC_EVENT	0x0c
#define ADMIN_NS_MGMT		0x0d
#define ADMIN_FW_COMMIT		0x10
#define ADMIN_FW_DOWNLOAD	0x11
#define ADMIN_NS_ATTACH		0x15
#define ADMIN_DBBUF		0x7c
#define ADMIN_FORMAT		0x80
#define ADMIN_SECURITY_SEND	0x81

/* NVM commands (section 6) */
#define IO_FLUSH		0x00
#define IO_WRITE		0x01
#define IO_READ			0x02
#define IO_WRITE_UNCOR		0x04
#define IO_COMPARE		0x05
#define IO_WRITE_ZEROES		0x08
#define IO_DSM			0x09
#define IO_VERIFY		0x0c

/* Feature identifiers (section 5.21) */
#define FEAT_ARBITRATION	0x01
#define FEAT_POWER_MGMT		0x02
#define FEAT_TEMP_THRESH	0x04
#define FEAT_ERROR_RECOVERY	0x05
#define FEAT_VWC		0x06
#define FEAT_NUM_QUEUES		0x07
#define FEAT_IRQ_COALESCE	0x08
#define FEAT_IRQ_CONFIG		0x09
#define FEAT_WRITE_ATOMICITY	0x0a
#define FEAT_ASYNC_EVENT	0x0b

/* Log page identifiers (section 5.14) */
#define LOG_ERROR	0x01
#define LOG_SMART	0x02
#define LOG_FW_SLOT	0x03

/* Status: status code type in bits 10:8, status code in bits 7:0 (section 4.6.1) */
#define SC_SUCCESS		0x000
#define SC_INVALID_OPCODE	0x001
#define SC_INVALID_FIELD	0x002
#define SC_CID_CONFLICT		0x003
#define SC_DATA_TRANSFER	0x004
#define SC_INTERNAL		0x006
#define SC_ABORT_REQUESTED	0x007
#define SC_ABORT_SQ_DELETED	0x008
#define SC_INVALID_NS		0x00b
#define SC_CMD_SEQUENCE		0x00c
#define SC_SGL_INVALID_SEGMENT	0x00d
#define SC_SGL_INVALID_COUNT	0x00e
#define SC_SGL_DATA_LENGTH	0x00f
#define SC_SGL_METADATA_LENGTH	0x010
#define SC_SGL_TYPE		0x011
#define SC_PRP_OFFSET		0x013
#define SC_SGL_OFFSET		0x016
#define SC_SGL_GRANULARITY	0x01e
#define SC_NS_WRITE_PROTECTED	0x020
#define SC_INTERRUPTED		0x021
#define SC_LBA_RANGE		0x080
#define SC_CAP_EXCEEDED		0x081
#define SC_CQ_INVALID		0x100
#define SC_QID_INVALID		0x101
#define SC_QUEUE_SIZE		0x102
#define SC_ABORT_LIMIT		0x103
#define SC_AER_LIMIT		0x105
#define SC_INVALID_VECTOR	0x108
#define SC_INVALID_LOG_PAGE	0x109
#define SC_INVALID_FORMAT	0x10a
#define SC_QUEUE_DELETION	0x10c
#define SC_FEAT_NOT_SAVEABLE	0x10d
#define SC_FEAT_NOT_CHANGEABLE	0x10e
#define SC_FEAT_NOT_NS		0x10f
#define SC_ATTRIBUTES		0x180
#define SC_READ_ONLY_RANGE	0x182
#define SC_WRITE_FAULT		0x280
#define SC_READ_ERROR		0x281
#define SC_COMPARE_FAILURE	0x285
#define SC_NONE			0xffff	/* no completion came */

/* SGL descriptors (section 4.4) */
#define SGL_DATA	0x00
#define SGL_BIT_BUCKET	0x10
#define SGL_SEGMENT	0x20
#define SGL_LAST	0x30

struct sgl_desc {
	u64 addr;
	u32 len;
	u8 rsvd[3], type;
} __packed;

/* flags: FUSE in bits 1:0, PSDT in bits 7:6 */
#define CMD_PSDT_SGL	0x40

struct nvme_cmd {
	u8 opcode, flags;
	u16 cid;
	u32 nsid;
	u32 cdw2, cdw3;
	u64 mptr;
	union {
		struct { u64 prp1, prp2; };
		struct sgl_desc sgl;
	};
	u32 cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
} __packed;

struct nvme_cqe {
	u32 result, rsvd;
	u16 sq_head, sq_id;
	u16 cid, status;	/* bit 0 of the status is the phase */
} __packed;

static inline u16 cqe_status(const struct nvme_cqe *c)
{
	return c->status >> 1 & 0x7ff;
}

struct nvme_cq {
	u16 id, depth, head, vector;
	u8 phase;
	bool irq;
	volatile struct nvme_cqe *ring;
};

struct nvme_sq {
	u16 id, depth, tail;
	u16 head;		/* the controller's, as of the last completion */
	struct nvme_cq *cq;
	volatile struct nvme_cmd *ring;
};

struct nvme {
	struct pci_dev pci;
	uintptr_t bar;
	u64 cap;
	u32 stride;		/* of the doorbells, in bytes */
	struct nvme_sq asq;
	struct nvme_cq acq;
	u16 next_cid;
	u32 vectors;		/* MSI-X entries set up, 0: none yet */
	/* Learned by nvme_start() */
	u32 nsid, lba_size, max_transfer;
	u64 lbas;
	u32 nr_ioq;		/* I/O queue pairs allocated, 0: not asked for yet */
	u8 idctrl[4096] __aligned(8);
	u8 idns[4096] __aligned(8);
	/* Shadow doorbells and event indexes, once Doorbell Buffer Config is on */
	volatile u32 *dbbuf, *eventidx;
	u32 doorbell_writes;
};

#define NVME_VECTORS	8u

/* The controller that the tests are about; found by nvme_attach(). */
extern struct nvme nvme;

/*
 * Find the controller (argument "dev=SLOT[.FN]", else the first with the class
 * code of NVMe), place its BARs, set up MSI-X with entry n at vector
 * VEC_DEVICE + n. Done once; skips the test if there is none.
 */
void nvme_attach(void);

static inline u32 nvme_r32(u32 reg)
{
	return mmio_read32(nvme.bar + reg);
}

static inline void nvme_w32(u32 reg, u32 v)
{
	mmio_write32(nvme.bar + reg, v);
}

static inline u64 nvme_r64(u32 reg)
{
	return mmio_read64(nvme.bar + reg);
}

static inline void nvme_w64(u32 reg, u64 v)
{
	mmio_write64(nvme.bar + reg, v);
}

/* CAP.TO in nanoseconds, at least a second, and slack for slow machines. */
u64 nvme_ready_ns(void);
/* CC.EN to 0 and CSTS.RDY too. */
bool nvme_disable(void);
/* New admin queues of these depths; CC is written with @cc and EN. */
void nvme_admin_setup(u16 sq_depth, u16 cq_depth);
bool nvme_enable(u32 cc);
/* All of it with default values, then Identify; ends the test on failure. */
void nvme_start(void);
/* Disable if it is enabled. */
void nvme_stop(void);
/*
 * For tests which changed BARs or the command register: put them right now, and
 * MSI-X, if @msix, with the next nvme_attach().
 */
void nvme_forget(bool msix);

/* Doorbell offsets in BAR 0 */
u32 nvme_sq_db(u16 qid);
u32 nvme_cq_db(u16 qid);
void nvme_ring_sq(struct nvme_sq *sq);
void nvme_ring_cq(struct nvme_cq *cq);

/* Put a command on the queue, as it is, without the doorbell. */
void nvme_put(struct nvme_sq *sq, const struct nvme_cmd *cmd);
/* Put with a new command identifier, and ring; returns the identifier. */
u16 nvme_submit(struct nvme_sq *sq, struct nvme_cmd *cmd);
/* Is there a new entry? Does not consume it. */
bool nvme_cq_ready(struct nvme_cq *cq);
/* Take one entry, waiting up to @ns; rings the head doorbell if @ring. */
bool nvme_reap(struct nvme_cq *cq, struct nvme_cqe *cqe, u64 ns, bool ring);
/*
 * Submit and wait for its completion, the only one outstanding on that queue.
 * Returns the status, SC_NONE when none came; *@result gets dword 0.
 */
u16 nvme_exec(struct nvme_sq *sq, struct nvme_cmd *cmd, u32 *result);

/* Set up queue memory. A queue's ring may be changed before its creation. */
void nvme_cq_init(struct nvme_cq *cq, u16 id, u16 depth, u16 vector, bool irq);
void nvme_sq_init(struct nvme_sq *sq, u16 id, u16 depth, struct nvme_cq *cq);
u16 nvme_create_cq(struct nvme_cq *cq);
u16 nvme_create_sq(struct nvme_sq *sq);
u16 nvme_delete_cq(u16 id);
u16 nvme_delete_sq(u16 id);
/* Set Features, Number of Queues: @n pairs, zero's based in the command. */
u16 nvme_set_queues(u32 n);
/* One pair, of that identifier; polled unless @irq. Ends the test on failure. */
void nvme_create_pair(struct nvme_sq *sq, struct nvme_cq *cq, u16 id, u16 depth, bool irq);

u16 nvme_identify(u32 cns, u32 nsid, void *page);
u16 nvme_set_feature(u32 fid, u32 dw11, u32 *result);
u16 nvme_get_feature(u32 fid, u32 sel, u32 dw11, u32 *result);
/* @bytes a multiple of 4 and not over a page. */
u16 nvme_get_log(u32 lid, u32 nsid, void *page, u32 bytes);
/* Doorbell Buffer Config with two fresh pages; from then on doorbells use them. */
u16 nvme_dbbuf_enable(void);

/* "Invalid Field in Command" and so on. */
const char *nvme_status_name(u16 status);

/* The status must be this one, or one of several. */
#define EXPECT_STATUS(got, ...)						\
	nvme_expect_status((got), (const u16[]){ __VA_ARGS__ },		\
			   sizeof((const u16[]){ __VA_ARGS__ }) / sizeof(u16), \
			   __FILE__, __LINE__, #got)
#define ASSERT_STATUS(got, ...) \
	do { if (!EXPECT_STATUS(got, __VA_ARGS__)) test_abort(); } while (0)
bool nvme_expect_status(u16 got, const u16 *want, u32 n, const char *file,
			int line, const char *expr);

#endif
