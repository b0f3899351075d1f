// SPDX-License-Identifier: GPL-2.0
/*
 * BAR 0: the controller's registers and doorbells, section 3.1.
 *
 * Everything here runs in any context, hard irq included. What takes time is
 * left to the controller's thread (see ctrl.c) or to a queue's.
 */
#include <linux/rcupdate.h>

#include "nvme.h"
#include "trace.h"

#define NVME_CAP ((u64)(NVME_MAX_ENTRIES - 1) << NVME_CAP_MQES_SHIFT |	\
		  NVME_CAP_CQR |					\
		  60ull << NVME_CAP_TO_SHIFT | /* in 500 ms */		\
		  NVME_CAP_CSS_NVM)

/* Eight bytes of registers at a multiple of eight. */
static u64 nvme_reg_quad(struct ioemu_nvme *ctrl, u64 offset)
{
	switch (offset) {
	case NVME_REG_CAP:
		return NVME_CAP;
	case NVME_REG_VS:
		return NVME_VS_1_4 | (u64)READ_ONCE(ctrl->intms) << 32;
	case NVME_REG_INTMC:
		return READ_ONCE(ctrl->intms) | (u64)READ_ONCE(ctrl->cc) << 32;
	case NVME_REG_CSTS & ~7:
		return (u64)READ_ONCE(ctrl->csts) << 32;
	case NVME_REG_AQA & ~7:
		return (u64)READ_ONCE(ctrl->aqa) << 32;
	case NVME_REG_ASQ:
		return READ_ONCE(ctrl->asq);
	case NVME_REG_ACQ:
		return READ_ONCE(ctrl->acq);
	default:
		return 0;
	}
}

/**
 * ioemu_nvme_bar_read() - read registers
 * @pci: the controller's PCI function
 * @bar: which base address register
 * @offset: in it
 * @size: 1, 2, 4 or 8 bytes at any alignment
 *
 * Context: any.
 * Return: the value; 0 for what is reserved and for doorbells.
 */
u64 ioemu_nvme_bar_read(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			unsigned int size)
{
	struct ioemu_nvme *ctrl = ioemu_nvme_from_pci(pci);
	unsigned int shift = (offset & 7) * 8;
	u64 value;

	value = nvme_reg_quad(ctrl, offset & ~7ull) >> shift;
	if (shift && shift + size * 8 > 64)
		value |= nvme_reg_quad(ctrl, (offset & ~7ull) + 8) <<
			 (64 - shift);
	if (size < 8)
		value &= (1ull << (size * 8)) - 1;
	trace_ioemu_nvme_reg_read(ctrl, offset, size, value);
	return value;
}

/* CC, section 3.1.5; ctrl->reg_lock is held. Returns true if there is work. */
static bool nvme_write_cc(struct ioemu_nvme *ctrl, u32 value)
{
	u32 old = ctrl->cc, changed;

	value &= NVME_CC_WRITABLE;
	changed = value ^ old;
	WRITE_ONCE(ctrl->cc, value);
	if ((changed & NVME_CC_EN) && !(value & NVME_CC_EN)) {
		ctrl->requests |= NVME_REQ_RESET;
		/*
		 * The guest waits for RDY to be clear. Where it is already, the
		 * fatal status that kept it so must not outlast the write.
		 */
		if (!(ctrl->csts & NVME_CSTS_RDY))
			WRITE_ONCE(ctrl->csts, ctrl->csts & ~NVME_CSTS_CFS);
	}
	if ((changed & NVME_CC_SHN_MASK) && (value & NVME_CC_SHN_MASK)) {
		ctrl->requests |= NVME_REQ_SHUTDOWN;
		WRITE_ONCE(ctrl->csts,
			   (ctrl->csts & ~NVME_CSTS_SHST_MASK) |
			   NVME_CSTS_SHST_BUSY);
	}
	return (changed & NVME_CC_EN) || ctrl->requests;
}

/* Where the admin queues are; fixed while the controller is enabled. */
static void nvme_write_aq(struct ioemu_nvme *ctrl, u64 offset, u32 value)
{
	if (ctrl->cc & NVME_CC_EN)
		return;
	switch (offset) {
	case NVME_REG_AQA:
		WRITE_ONCE(ctrl->aqa, value & NVME_AQA_WRITABLE);
		break;
	case NVME_REG_ASQ:
		WRITE_ONCE(ctrl->asq, (ctrl->asq & ~0xffffffffull) |
			   (value & NVME_AQ_BASE_MASK));
		break;
	case NVME_REG_ASQ + 4:
		WRITE_ONCE(ctrl->asq, (u32)ctrl->asq | (u64)value << 32);
		break;
	case NVME_REG_ACQ:
		WRITE_ONCE(ctrl->acq, (ctrl->acq & ~0xffffffffull) |
			   (value & NVME_AQ_BASE_MASK));
		break;
	case NVME_REG_ACQ + 4:
		WRITE_ONCE(ctrl->acq, (u32)ctrl->acq | (u64)value << 32);
		break;
	}
}

static void nvme_reg_write(struct ioemu_nvme *ctrl, u64 offset, u32 value)
{
	unsigned long flags;
	u32 cleared = 0;
	bool work = false;

	spin_lock_irqsave(&ctrl->reg_lock, flags);
	switch (offset) {
	case NVME_REG_INTMS:
		WRITE_ONCE(ctrl->intms, ctrl->intms | value);
		break;
	case NVME_REG_INTMC:
		cleared = ctrl->intms & value;
		WRITE_ONCE(ctrl->intms, ctrl->intms & ~value);
		break;
	case NVME_REG_CC:
		work = nvme_write_cc(ctrl, value);
		break;
	default:
		nvme_write_aq(ctrl, offset, value);
		break;
	}
	spin_unlock_irqrestore(&ctrl->reg_lock, flags);

	if (work)
		kthread_queue_work(ctrl->worker, &ctrl->work);
	if (offset == NVME_REG_INTMS)
		ioemu_nvme_irq_update(ctrl);
	else if (offset == NVME_REG_INTMC)
		ioemu_nvme_irq_unmasked(ctrl, cleared);
}

static void nvme_doorbell(struct ioemu_nvme *ctrl, u64 offset, u32 value)
{
	unsigned int index = (offset - NVME_REG_DBS) / 4;
	unsigned int qid = index / 2;
	struct ioemu_nvme_sq *sq;
	struct ioemu_nvme_cq *cq;
	bool found = false;

	rcu_read_lock();
	if (likely(qid <= NVME_MAX_QID)) {
		if (index & 1) {
			cq = rcu_dereference(ctrl->cqs[qid]);
			found = cq;
			if (likely(cq))
				ioemu_nvme_cq_doorbell(cq, value);
		} else {
			sq = rcu_dereference(ctrl->sqs[qid]);
			found = sq;
			if (likely(sq))
				ioemu_nvme_sq_doorbell(sq, value);
		}
	}
	rcu_read_unlock();

	if (unlikely(!found) && (READ_ONCE(ctrl->csts) & NVME_CSTS_RDY)) {
		ioemu_nvme_log_doorbell(ctrl, qid);
		ioemu_nvme_event_raise(ctrl, NVME_AER_ERROR,
				       NVME_AER_ERR_DB_REGISTER,
				       NVME_LOG_ERROR);
	}
}

static void nvme_write32(struct ioemu_nvme *ctrl, u64 offset, u32 value)
{
	if (offset >= NVME_REG_DBS)
		nvme_doorbell(ctrl, offset, value);
	else
		nvme_reg_write(ctrl, offset, value);
}

/**
 * ioemu_nvme_bar_write() - write registers or ring a doorbell
 * @pci: the controller's PCI function
 * @bar: which base address register
 * @offset: in it
 * @size: 4 or 8 bytes, aligned; what else comes has no meaning in the
 *        specification and is dropped
 * @value: what is written
 *
 * Context: any.
 */
void ioemu_nvme_bar_write(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			  unsigned int size, u64 value)
{
	struct ioemu_nvme *ctrl = ioemu_nvme_from_pci(pci);

	trace_ioemu_nvme_reg_write(ctrl, offset, size, value);
	if (likely(offset >= NVME_REG_DBS))
		this_cpu_inc(ctrl->exits->doorbells);
	if (unlikely(size < 4 || (offset & 3)))
		return;
	nvme_write32(ctrl, offset, value);
	if (size == 8)
		nvme_write32(ctrl, offset + 4, value >> 32);
}
