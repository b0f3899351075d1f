// SPDX-License-Identifier: GPL-2.0
/*
 * An NVMe controller and a guest that does what it likes: registers, doorbells,
 * commands of all kinds, guest memory that changes between and within accesses,
 * memory that goes away, disks that take their time and fail.
 *
 * Each command has an identifier of its own. As long as the guest plays by the
 * rules with its rings, whatever else it does, every command completes, and once;
 * this is checked for each entry and at the end.
 */
#include <linux/pci_regs.h>
#include <linux/seq_file.h>
#include <standin/kernel.h>
#include <standin/sched.h>

#include "input.h"
#define HOST_FRAMES	512
#include "nvme_host.h"

#define MAX_STEPS	600
#define NR_DISKS	3
#define NR_SQS		4	/* admin and three more */
#define NR_CQS		3
#define POOL_PAGES	24

#define CHECK(c) do {							\
	if (!(c))							\
		standin_die("%s:%d: %s", __func__, __LINE__, #c); } while (0)

enum cid_state {
	CID_FREE,
	CID_OUT,	/* submitted, not completed */
	CID_PARKED,	/* an event request: may stay */
	CID_LOST,	/* its queue is gone: may complete, once */
};

static struct nvme_host h;
static struct input in;
static u64 pool;
static u64 shadow;	/* page of shadow doorbells, event indexes after it */
static u8 cids[65536];
static bool strict;	/* the guest played by the rules with its rings */
static bool have_sq[NR_SQS], have_cq[NR_CQS], have_dbbuf;
static bool mutating;	/* within interrupts */
static unsigned int relaxes;
static bool quiet;	/* no commands meanwhile */
static bool present[NR_DISKS];
static bool racing;	/* between the driver's lookups and its use of them */

static const u8 cq_of[NR_SQS] = { 0, 1, 2, 1 };

static bool idle(void *arg)
{
	unsigned int i;

	for (i = 0; i < NR_DISKS; i++)
		if (fake_disk_idle(h.disks[i]))
			return true;
	return false;
}

/* ---- the guest's side of the rings ------------------------------------- */

static void doorbell(unsigned int index, u32 value)
{
	u64 at = shadow + index * 4;
	u32 old, event, le = cpu_to_le32(value);

	if (have_dbbuf && index > 1) {
		if (!fake_vm_read(h.vm, at, &old, 4) ||
		    !fake_vm_write(h.vm, at, &le, 4) ||
		    !fake_vm_read(h.vm, at + 4096, &event, 4)) {
			strict = false;
			return;
		}
		old = le32_to_cpu(old);
		event = le32_to_cpu(event);
		if ((u16)(value - event - 1) >= (u16)(value - old))
			return;
	}
	w32(&h, NVME_REG_DBS + index * 4, value);
}

static void entry_seen(const struct nvme_cqe *cqe, unsigned int cqid)
{
	u16 cid = le16_to_cpu(cqe->cid), sqid = le16_to_cpu(cqe->sq_id);

	if (!strict)
		return;
	CHECK(sqid < NR_SQS && cq_of[sqid] == cqid);
	CHECK(cids[cid] != CID_FREE);
	if (cids[cid] != CID_LOST) {
		CHECK(le16_to_cpu(cqe->sq_head) < h.sq[sqid].size);
		h.sq[sqid].head = le16_to_cpu(cqe->sq_head);
	}
	cids[cid] = CID_FREE;
}

/* Consume entries; the doorbell may be left out. Returns how many. */
static unsigned int consume(unsigned int cqid, unsigned int max, bool ring,
			    struct nvme_cqe *last)
{
	struct nvme_cqe cqe;
	unsigned int n;

	if (!have_cq[cqid])
		return 0;
	for (n = 0; n < max && host_take(&h, cqid, &cqe); n++) {
		entry_seen(&cqe, cqid);
		if (last)
			*last = cqe;
	}
	if (ring && n)
		doorbell(cqid * 2 + 1, h.cq[cqid].head);
	return n;
}

static bool sq_full(unsigned int qid)
{
	const struct host_queue *q = &h.sq[qid];

	return (q->tail + 1) % q->size == q->head;
}

static bool submit(unsigned int qid, struct nvme_sqe sqe, bool ring)
{
	if (!have_sq[qid] || sq_full(qid))
		return false;
	/* Identifiers are not used again within a run. */
	CHECK(h.next_cid < U16_MAX);
	cids[h.next_cid] = !qid && sqe.opcode == NVME_ADMIN_ASYNC_EVENT ?
			   CID_PARKED : CID_OUT;
	host_queue_cmd(&h, qid, sqe);
	if (ring)
		doorbell(qid * 2, h.sq[qid].tail);
	return true;
}

/* An admin command to its end. Returns its status, or HOST_NO_ENTRY. */
static u16 admin(struct nvme_sqe sqe)
{
	struct nvme_cqe cqe;
	u16 cid;

	consume(0, 4096, true, NULL);
	if (!submit(0, sqe, true))
		return HOST_NO_ENTRY;
	cid = h.next_cid - 1;
	/* What it changes, doorbells perhaps, is not known to the guest yet. */
	quiet = true;
	run_pending();
	quiet = false;
	while (consume(0, 1, true, &cqe))
		if (le16_to_cpu(cqe.cid) == cid)
			return cqe_status(&cqe);
	return HOST_NO_ENTRY;
}

static void lose(unsigned int qid)
{
	unsigned int i;

	/* Not by queue: what is told of others is merely checked less. */
	for (i = 0; i < h.next_cid; i++)
		if (cids[i] == CID_OUT || (!qid && cids[i] == CID_PARKED))
			cids[i] = CID_LOST;
}

static void forget(void)
{
	memset(cids, 0, h.next_cid);
	memset(have_sq, 0, sizeof(have_sq));
	memset(have_cq, 0, sizeof(have_cq));
	have_dbbuf = false;
}

static void disable(void)
{
	w32(&h, NVME_REG_CC, 0);
	run_pending();
	forget();
}

static void enable(u32 size)
{
	disable();
	h.next_page = 64;
	if (!host_enable_sized(&h, size, size + 2)) {
		strict = false;
		return;
	}
	have_sq[0] = true;
	have_cq[0] = true;
}

static void create_cq(unsigned int qid, u32 size, u16 vector)
{
	u16 flags = NVME_QUEUE_PC | (vector & 1 ? NVME_CQ_IEN : 0);
	u16 status;

	if (have_cq[qid] || !have_cq[0])
		return;
	host_queue_init(&h, &h.cq[qid], qid, size, 4);
	status = admin(sqe_create_cq(qid, size, h.cq[qid].addr, vector % 65,
				     flags));
	have_cq[qid] = !status;
	if (status == HOST_NO_ENTRY)
		strict = false;
}

static void create_sq(unsigned int qid, u32 size)
{
	u16 status;

	if (have_sq[qid] || !have_cq[cq_of[qid]])
		return;
	host_queue_init(&h, &h.sq[qid], qid, size, 6);
	status = admin(sqe_create_sq(qid, size, h.sq[qid].addr, cq_of[qid],
				     NVME_QUEUE_PC));
	have_sq[qid] = !status;
	if (status == HOST_NO_ENTRY)
		strict = false;
}

static void delete(bool sq, unsigned int qid)
{
	u16 status;

	if (!qid || !(sq ? have_sq[qid] : have_cq[qid]))
		return;
	if (sq)
		lose(qid);
	status = admin((struct nvme_sqe) {
		.opcode = sq ? NVME_ADMIN_DELETE_SQ : NVME_ADMIN_DELETE_CQ,
		.cdw10 = cpu_to_le32(qid) });
	if (!status && sq)
		have_sq[qid] = false;
	else if (!status)
		have_cq[qid] = false;
	else if (status == HOST_NO_ENTRY)
		strict = false;
}

static void shadow_doorbells(void)
{
	u16 status = admin((struct nvme_sqe) {
		.opcode = NVME_ADMIN_DBBUF, .prp1 = cpu_to_le64(shadow),
		.prp2 = cpu_to_le64(shadow + 4096) });

	have_dbbuf = !status;
	/* Perhaps it is done later. */
	if (status == HOST_NO_ENTRY)
		strict = false;
}

/* ---- what the input says ----------------------------------------------- */

/* Small, mostly: they fill, and cost little to make. */
static u32 queue_size(void)
{
	u8 size = input_u8(&in);

	return 2 + (size < 0xe0 ? size % 7 : size % 63);
}

/* Somewhere in the pool, mostly; never in the rings unless nothing is checked. */
static u64 address(void)
{
	u8 how = input_u8(&in);
	u64 a;

	if (how < 0xf0)
		return pool + how % POOL_PAGES * 4096ull +
		       (how & 0x80 ? input_u16(&in) & 0xfff : 0);
	a = input_u64(&in);
	if (how & 1)
		a |= 0xffffff0000000000;
	if (!strict)
		return a;
	return a | (u64)HOST_FRAMES << 12;
}

static struct nvme_sqe io_cmd(void)
{
	static const u8 opcodes[] = {
		NVME_CMD_READ, NVME_CMD_READ, NVME_CMD_WRITE, NVME_CMD_WRITE,
		NVME_CMD_FLUSH, NVME_CMD_WRITE_ZEROES, NVME_CMD_DSM,
	};
	u8 how = input_u8(&in), what = input_u8(&in);
	struct nvme_sqe sqe = {
		.opcode = opcodes[how % ARRAY_SIZE(opcodes)],
		.nsid = cpu_to_le32(1 + what % NR_DISKS),
		.prp1 = cpu_to_le64(address()),
		.prp2 = cpu_to_le64(address()),
		.cdw10 = cpu_to_le32(input_u8(&in)),
		.cdw12 = cpu_to_le32(input_u8(&in)),
	};

	if (what & 0x80)
		sqe.cdw12 = cpu_to_le32(input_u32(&in));
	if (what & 0x40)
		sqe.cdw11 = cpu_to_le32(input_u8(&in));
	if (sqe.opcode == NVME_CMD_DSM) {
		sqe.cdw10 = cpu_to_le32(what & 0x20 ? 255 : what >> 2 & 7);
		sqe.cdw11 = cpu_to_le32(4);
	}
	if (how & 0x80) {
		sqe.flags = NVME_CMD_PSDT_SGL;
		sqe.sgl.length = cpu_to_le32(input_u16(&in));
		sqe.sgl.type = (what & 0x30) == 0x10 ? 0 : what & 0x30;
	}
	if (how == 0x7f)
		input_take(&in, &sqe, sizeof(sqe));
	return sqe;
}

static struct nvme_sqe admin_cmd(void)
{
	static const u8 opcodes[] = {
		NVME_ADMIN_GET_LOG_PAGE, NVME_ADMIN_IDENTIFY, NVME_ADMIN_ABORT,
		NVME_ADMIN_SET_FEATURES, NVME_ADMIN_GET_FEATURES,
		NVME_ADMIN_ASYNC_EVENT, NVME_ADMIN_GET_LOG_PAGE,
	};
	u8 how = input_u8(&in);
	struct nvme_sqe sqe = {
		.opcode = opcodes[how % ARRAY_SIZE(opcodes)],
		.nsid = cpu_to_le32(how & 0x80 ? NVME_NSID_ALL : how >> 4 & 3),
		.prp1 = cpu_to_le64(address()),
		.prp2 = cpu_to_le64(address()),
		.cdw10 = cpu_to_le32(input_u32(&in)),
		.cdw11 = cpu_to_le32(input_u32(&in)),
	};

	/* Features, log pages and structures have small numbers, and few bytes. */
	if (!(how & 0x20))
		sqe.cdw10 &= cpu_to_le32(0x80ff871f);
	if (how & 0x40)
		sqe.cdw12 = cpu_to_le32(input_u32(&in));
	/* One that may be parked */
	if (sqe.opcode == NVME_ADMIN_ABORT && how & 0x10)
		sqe.cdw10 = cpu_to_le32((u32)(h.next_cid - 1 -
					      input_u8(&in) % 16) << 16);
	if (how == 0x3f) {
		sqe.opcode = input_u8(&in);
		sqe.flags = input_u8(&in);
		/* Queues are made and removed by functions that remember it. */
		if (sqe.opcode <= 5 || sqe.opcode == NVME_ADMIN_DBBUF)
			strict = false;
	}
	return sqe;
}

/* Guest memory: lists that make sense, ranges, or anything. */
static void scribble(void)
{
	u64 at = pool + input_u8(&in) % POOL_PAGES * 4096ull, value;
	u8 how = input_u8(&in);
	unsigned int i, n = input_u8(&in) % 130;
	struct nvme_dsm_range r = {};
	struct nvme_sgl sgl = {};

	switch (how & 3) {
	case 0:
		/* The end of the page, where lists are chained */
		if (how & 4)
			at += 4096 - (how >> 3) * 8;
		for (i = 0; i < n; i++) {
			value = cpu_to_le64(pool + (how + i) % POOL_PAGES *
					    4096ull);
			fake_vm_write(h.vm, at + i * 8, &value, 8);
		}
		break;
	case 1:
		for (i = 0; i < n; i++) {
			sgl.addr = cpu_to_le64(address());
			sgl.length = cpu_to_le32(input_u16(&in));
			sgl.type = how & 0xf0 ? 0 : input_u8(&in);
			fake_vm_write(h.vm, at + i * 16, &sgl, 16);
		}
		break;
	case 2:
		for (i = 0; i < n; i++) {
			r.nlb = cpu_to_le32(input_u8(&in));
			r.slba = cpu_to_le64(input_u8(&in));
			fake_vm_write(h.vm, at + i * 16, &r, 16);
		}
		break;
	case 3:
		value = input_u64(&in);
		fake_vm_write(h.vm, at + n * 8, &value, 8);
		break;
	}
}

/* While an interrupt is delivered, a guest's other CPU changes its mind. */
static void on_msi(void *arg, u64 addr, u32 data)
{
	u8 bytes[64];
	unsigned int qid;

	if (!mutating)
		return;
	for (qid = 1; qid < NR_SQS; qid++) {
		if (!have_sq[qid])
			continue;
		/* Entries that were consumed are the guest's to overwrite. */
		memset(bytes, 0x5a, sizeof(bytes));
		if (sq_full(qid))
			continue;
		fake_vm_write(h.vm, h.sq[qid].addr + h.sq[qid].tail * 64ull,
			      bytes, sizeof(bytes));
	}
	scribble();
}

/* Another CPU writes to where the driver has just found a list, or data. */
static void on_lookup(void *arg)
{
	u64 value, at;

	if (!racing || !in.left)
		return;
	at = pool + (input_u16(&in) % (POOL_PAGES * 512)) * 8;
	value = cpu_to_le64(address());
	fake_vm_write(h.vm, at, &value, 8);
}

/* While the driver looks for commands, some come. */
static void on_relax(void)
{
	u8 how;

	if (quiet || !in.left || ++relaxes % 64)
		return;
	how = input_u8(&in);
	if (how & 3)
		submit(how & 3, io_cmd(), true);
}

extern const void *const standin_param_nvme_poll_us[2];
extern const void *const standin_param_nvme_nap_us[2];
extern const void *const standin_param_nvme_gather_us[2];

/* How it waits: by looking, napping or neither. */
static void waiting(u8 how)
{
	*(unsigned int *)standin_param_nvme_poll_us[1] = how & 1 ? 0 : 100;
	*(unsigned int *)standin_param_nvme_nap_us[1] = how & 2 ? 0 : 1000;
	*(unsigned int *)standin_param_nvme_gather_us[1] = how & 4 ? 0 : 20;
}

/* A disk is taken away, or comes back. */
static void plug(unsigned int i)
{
	if (!present[i])
		ioemu_nvme_model.disk_added(h.ctrl, i, h.disks[i]);
	else
		ioemu_nvme_model.disk_removed(h.ctrl, i);
	present[i] = !present[i];
}

static void show(void)
{
	static char text[16384];
	struct seq_file m = { .buf = text, .size = sizeof(text) };

	ioemu_nvme_model.show(h.ctrl, &m);
	CHECK(m.buf == text && m.count);
}

static void flr(void)
{
	unsigned int pos = host_cap(&h, PCI_CAP_ID_EXP);

	fake_config_write(h.vm, HOST_SLOT, pos + PCI_EXP_DEVCTL, 2,
			  PCI_EXP_DEVCTL_BCR_FLR);
	forget();
	host_pci_setup(&h);
	CHECK(!r32(&h, NVME_REG_CSTS));
}

static void memory(u8 arg)
{
	u64 gfn = (pool >> 12) + arg % POOL_PAGES;

	switch (arg >> 6) {
	case 0:
		fake_vm_replace_map(h.vm);
		break;
	case 1:
		if (!fake_vm_ptr(h.vm, gfn << 12))
			return;
		fake_vm_vanish(h.vm, gfn);
		break;
	case 2:
		if (!fake_vm_ptr(h.vm, gfn << 12))
			fake_vm_fill(h.vm, gfn);
		return;
	case 3:
		/* Of a ring */
		gfn = 64 + arg % 8;
		if (!fake_vm_ptr(h.vm, gfn << 12)) {
			fake_vm_fill(h.vm, gfn);
			return;
		}
		fake_vm_vanish(h.vm, gfn);
		strict = false;
		break;
	}
	ioemu_nvme_model.memory_changed(h.ctrl);
}

static void step(void)
{
	static const u16 regs[] = {
		NVME_REG_INTMS, NVME_REG_INTMC, NVME_REG_CC, NVME_REG_CSTS,
		NVME_REG_AQA, NVME_REG_ASQ, NVME_REG_ACQ, NVME_REG_NSSR,
	};
	u8 op = input_u8(&in), arg = input_u8(&in);
	struct ioemu_disk *disk = h.disks[arg % NR_DISKS];
	unsigned int qid = arg & 3, n;

	switch (op % 32) {
	case 0 ... 5:
		if (qid)
			submit(qid, io_cmd(), arg & 0xc0);
		break;
	case 6:
		for (n = arg >> 2; n && qid && submit(qid, io_cmd(), false); n--)
			;
		if (have_sq[qid])
			doorbell(qid * 2, h.sq[qid].tail);
		break;
	case 7: case 8:
		submit(0, admin_cmd(), arg & 0xfe);
		break;
	case 9: case 10:
		run_pending_one();
		break;
	case 11: case 12:
		run_pending();
		break;
	case 13: case 14:
		consume(arg % NR_CQS, arg >> 4, arg & 4, NULL);
		break;
	case 15:
		scribble();
		break;
	case 16:
		fake_disk_hold(disk, arg & 4);
		fake_disk_complete_in_irq(disk, arg & 8);
		fake_disk_limit(disk, arg & 16);
		break;
	case 17:
		n = fake_disk_nr_held(disk);
		if (n)
			fake_disk_release(disk, (arg >> 2) % n);
		break;
	case 18:
		fake_disk_fail(disk, 1 + (arg >> 6),
			       (__force blk_status_t)(1 + (arg >> 2) % 16),
			       false);
		break;
	case 19:
		memory(arg);
		break;
	case 20:
		if (arg & 0x80)
			fake_disk_info(disk)->nr_blocks = 1 + input_u8(&in);
		fake_disk_info(disk)->max_discard_blocks = 1 + (arg & 0x7f);
		if (present[arg % NR_DISKS])
			ioemu_nvme_model.disk_changed(h.ctrl, arg % NR_DISKS);
		break;
	case 21:
		if (arg & 0x80)
			host_msix(&h);
		else
			host_command(&h, PCI_COMMAND_MEMORY |
				     (arg & 1 ? PCI_COMMAND_MASTER : 0));
		break;
	case 22:
		mutating = arg & 1;
		racing = arg & 2;
		if (arg >= 0xe0)
			standin_fail_alloc(arg & 0xf, false);
		break;
	case 23:
		if (arg & 0x80)
			delete(arg & 0x40, arg % (arg & 0x40 ? NR_SQS : NR_CQS));
		else if (arg & 0x40)
			create_cq(1 + arg % 2, queue_size(), arg);
		else
			create_sq(1 + arg % 3, queue_size());
		break;
	case 24:
		if (arg & 0x80)
			flr();
		else if (arg & 0x40)
			enable(queue_size());
		else if (have_cq[0] && !have_dbbuf)
			shadow_doorbells();
		break;
	case 25:
		/* The map is full; or from here on anything goes. */
		if (arg < 0x40)
			fake_vm_fail_pages(h.vm, 1, -EAGAIN);
		else if (arg >= 0xf0)
			strict = false;
		break;
	case 26:
		fake_mmio_read(h.vm, HOST_BAR + (input_u16(&in) & 0x3fff),
			       1u << (arg & 3));
		break;
	case 27:
		if (strict) {
			/* Doorbells that change nothing, masks */
			w32(&h, arg & 1 ? NVME_REG_INTMS : NVME_REG_INTMC, arg);
			ring_sq(&h, 40 + arg, arg);
			ring_cq(&h, 1, 0xffff0000 | arg);
		} else if (arg & 0x80) {
			w32(&h, regs[arg % ARRAY_SIZE(regs)], input_u32(&in));
		} else if (arg & 0x40) {
			fake_mmio_write(h.vm, HOST_BAR + 0x1000 +
					(input_u8(&in) & 0x1f) * 4,
					1u << (arg & 3), input_u64(&in));
		} else {
			u8 bytes[64];

			input_take(&in, bytes, sizeof(bytes));
			fake_vm_write(h.vm, h.sq[qid].addr + (arg >> 2) * 64ull,
				      bytes, sizeof(bytes));
		}
		break;
	case 28:
		if (arg & 0x80)
			show();
		else
			plug(arg % NR_DISKS);
		break;
	case 29: case 30:
		standin_advance_ns((u64)arg * (op & 0x80 ? 1000 : 100000));
		break;
	case 31:
		waiting(arg);
		break;
	}
	if (r32(&h, NVME_REG_CSTS) & NVME_CSTS_CFS)
		strict = false;
}

/* Everything that is due comes, whatever happened before. */
static void finish(void)
{
	unsigned int i, n;

	mutating = false;
	racing = false;
	standin_fail_alloc(0, false);
	fake_vm_fail_pages(h.vm, 0, 0);
	ioemu_nvme_model.memory_changed(h.ctrl);
	host_command(&h, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (i = 0; i < NR_DISKS; i++) {
		fake_disk_hold(h.disks[i], false);
		fake_disk_limit(h.disks[i], false);
	}
	if (!strict)
		return;
	for (i = 0; i < NR_SQS; i++)
		if (have_sq[i])
			doorbell(i * 2, h.sq[i].tail);
	for (i = 0; i < NR_CQS; i++)
		if (have_cq[i])
			doorbell(i * 2 + 1, h.cq[i].head);
	do {
		n = run_pending();
		for (i = 0; i < NR_DISKS; i++)
			while (fake_disk_idle(h.disks[i]))
				n++;
		for (i = 0; i < NR_CQS; i++)
			n += consume(i, 3, true, NULL);
	} while (n && strict);
	for (i = 0; i < h.next_cid && strict; i++) {
		if (cids[i] == CID_OUT) {
			static char text[16384];
			struct seq_file m = { .buf = text,
					      .size = sizeof(text) - 1 };

			ioemu_nvme_model.show(h.ctrl, &m);
			standin_die("command %u is lost:\n%s", i, text);
		}
	}
}

/* Disks are used again, since they are large. */
static struct ioemu_disk *kept[NR_DISKS];

static void setup(void)
{
	unsigned int i;

	memset(&h.sq, 0, sizeof(h.sq));
	memset(&h.cq, 0, sizeof(h.cq));
	h.next_page = 16;
	for (i = 0; i < NR_DISKS; i++) {
		if (!kept[i])
			kept[i] = fake_disk_new(256, i == 1 ? 12 : 9);
		h.disks[i] = kept[i];
		fake_disk_info(h.disks[i])->read_only = i == 2;
		fake_disk_info(h.disks[i])->max_discard_blocks = 100;
		present[i] = true;
	}
	/* Behind it, as much as an SGL descriptor may go beyond its end */
	pool = host_page(&h, POOL_PAGES + 17);
	shadow = host_page(&h, 2);
	host_create(&h);
	standin_idle = idle;
	standin_relax = on_relax;
	/* Looking for commands is to end soon. */
	standin_clock_step_ns = 1000;
	fake_vm_on_msi(h.vm, on_msi, NULL);
	fake_vm_on_lookup(h.vm, on_lookup, NULL);
	forget();
	h.next_cid = 0;
	strict = true;
	mutating = false;
	racing = false;
	relaxes = 0;
	waiting(0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	unsigned long allocs;
	unsigned int i, n;
	u8 how;

	in = (struct input) { data, size };
	if (!h.vm) {
		standin_fail_aborts = true;
		h.vm = fake_vm_new(HOST_FRAMES);
	}
	allocs = standin_live_allocs();
	setup();
	how = input_u8(&in);
	if (how & 1)
		host_msix(&h);
	enable(queue_size());
	/* One pair of queues mostly, all of them, or none */
	n = how & 0x80 ? how >> 5 & 3 : 1;
	for (i = 1; i < NR_CQS && i <= n; i++)
		create_cq(i, queue_size(), i | 1);
	for (i = 1; i < NR_SQS && i <= n; i++)
		create_sq(i, queue_size());
	for (n = 0; n < MAX_STEPS && in.left; n++) {
		step();
		/* Ring memory is not given back within a run. */
		if (h.next_page > HOST_FRAMES - 8)
			break;
	}
	finish();
	ioemu_nvme_model.stop(h.ctrl);
	CHECK(!fake_vm_map_refs(h.vm));
	ioemu_nvme_model.destroy(h.ctrl);
	fake_vm_on_msi(h.vm, NULL, NULL);
	for (i = 0; i < NR_DISKS; i++) {
		CHECK(!fake_disk_nr_held(h.disks[i]));
		fake_disk_reset(h.disks[i]);
		h.disks[i] = NULL;
	}
	standin_rcu_drain();
	fake_vm_reset(h.vm);
	CHECK(standin_live_allocs() == allocs);
	return 0;
}
