/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events of the module. Device models' events carry the domain and the PCI
 * slot first, so that one filter follows one controller.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_ioemu

#if !defined(_IOEMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _IOEMU_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

struct ioemu_ioreq;
struct ioemu_nvme;
struct ioemu_nvme_req;
struct ioemu_nvme_sq;
struct nvme_sqe;

#ifndef _IOEMU_TRACE_NAMES
#define _IOEMU_TRACE_NAMES

#define ioemu_show_ioreq(type)						\
	__print_symbolic(type,						\
		{ 0, "pio" }, { 1, "mmio" }, { 2, "pci_config" },	\
		{ 7, "timeoffset" }, { 8, "invalidate" })

#define ioemu_show_nvme_register(offset)				\
	__print_symbolic(offset,					\
		{ 0x00, "CAP" }, { 0x04, "CAP+4" }, { 0x08, "VS" },	\
		{ 0x0c, "INTMS" }, { 0x10, "INTMC" }, { 0x14, "CC" },	\
		{ 0x1c, "CSTS" }, { 0x20, "NSSR" }, { 0x24, "AQA" },	\
		{ 0x28, "ASQ" }, { 0x2c, "ASQ+4" }, { 0x30, "ACQ" },	\
		{ 0x34, "ACQ+4" })

#define ioemu_show_nvme_admin(opcode)					\
	__print_symbolic(opcode,					\
		{ 0x00, "delete_sq" }, { 0x01, "create_sq" },		\
		{ 0x02, "get_log_page" }, { 0x04, "delete_cq" },	\
		{ 0x05, "create_cq" }, { 0x06, "identify" },		\
		{ 0x08, "abort" }, { 0x09, "set_features" },		\
		{ 0x0a, "get_features" }, { 0x0c, "async_event" },	\
		{ 0x7c, "doorbell_buffer" })

#define ioemu_show_nvme_io(opcode)					\
	__print_symbolic(opcode,					\
		{ 0x00, "flush" }, { 0x01, "write" },			\
		{ 0x02, "read" }, { 0x08, "write_zeroes" },		\
		{ 0x09, "dsm" })

#endif /* _IOEMU_TRACE_NAMES */

TRACE_EVENT(ioemu_ioreq,
	TP_PROTO(u16 domid, unsigned int vcpu, bool fast,
		 const struct ioemu_ioreq *req),
	TP_ARGS(domid, vcpu, fast, req),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(u64, data)
		__field(u32, size)
		__field(u32, count)
		__field(u16, domid)
		__field(u8, vcpu)
		__field(u8, type)
		__field(bool, read)
		__field(bool, fast)
	),
	TP_fast_assign(
		__entry->addr = req->addr;
		__entry->data = req->data;
		__entry->size = req->size;
		__entry->count = req->count;
		__entry->domid = domid;
		__entry->vcpu = vcpu;
		__entry->type = req->type;
		__entry->read = req->read;
		__entry->fast = fast;
	),
	TP_printk("domid=%u vcpu=%u %s %s addr=0x%llx size=%u count=%u data=0x%llx %s",
		  __entry->domid, __entry->vcpu, ioemu_show_ioreq(__entry->type),
		  __entry->read ? "read" : "write", __entry->addr,
		  __entry->size, __entry->count, __entry->data,
		  __entry->fast ? "irq" : "task")
);

DECLARE_EVENT_CLASS(ioemu_nvme_reg,
	TP_PROTO(const struct ioemu_nvme *ctrl, u64 offset, unsigned int size,
		 u64 value),
	TP_ARGS(ctrl, offset, size, value),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u8, slot)
		__field(u8, size)
		__field(u32, offset)
		__field(u64, value)
	),
	TP_fast_assign(
		__entry->domid = ioemu_vm_domid(ctrl->vm);
		__entry->slot = ctrl->slot;
		__entry->size = size;
		__entry->offset = offset;
		__entry->value = value;
	),
	TP_printk("domid=%u slot=%u offset=0x%x %s size=%u value=0x%llx",
		  __entry->domid, __entry->slot, __entry->offset,
		  ioemu_show_nvme_register(__entry->offset), __entry->size,
		  __entry->value)
);

DEFINE_EVENT(ioemu_nvme_reg, ioemu_nvme_reg_read,
	TP_PROTO(const struct ioemu_nvme *ctrl, u64 offset, unsigned int size,
		 u64 value),
	TP_ARGS(ctrl, offset, size, value)
);

DEFINE_EVENT(ioemu_nvme_reg, ioemu_nvme_reg_write,
	TP_PROTO(const struct ioemu_nvme *ctrl, u64 offset, unsigned int size,
		 u64 value),
	TP_ARGS(ctrl, offset, size, value)
);

TRACE_EVENT(ioemu_nvme_ctrl,
	TP_PROTO(const struct ioemu_nvme *ctrl, u32 cc, u32 csts),
	TP_ARGS(ctrl, cc, csts),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u8, slot)
		__field(u32, cc)
		__field(u32, csts)
	),
	TP_fast_assign(
		__entry->domid = ioemu_vm_domid(ctrl->vm);
		__entry->slot = ctrl->slot;
		__entry->cc = cc;
		__entry->csts = csts;
	),
	TP_printk("domid=%u slot=%u cc=0x%x csts=0x%x", __entry->domid,
		  __entry->slot, __entry->cc, __entry->csts)
);

TRACE_EVENT(ioemu_nvme_cmd,
	TP_PROTO(const struct ioemu_nvme_sq *sq, const struct nvme_sqe *sqe),
	TP_ARGS(sq, sqe),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u16, qid)
		__field(u16, cid)
		__field(u8, slot)
		__field(u8, opcode)
		__field(u8, flags)
		__field(u32, nsid)
		__field(u32, cdw10)
		__field(u32, cdw11)
		__field(u32, cdw12)
		__field(u64, prp1)
		__field(u64, prp2)
	),
	TP_fast_assign(
		__entry->domid = ioemu_vm_domid(sq->ctrl->vm);
		__entry->slot = sq->ctrl->slot;
		__entry->qid = sq->qid;
		__entry->cid = le16_to_cpu(sqe->cid);
		__entry->opcode = sqe->opcode;
		__entry->flags = sqe->flags;
		__entry->nsid = le32_to_cpu(sqe->nsid);
		__entry->cdw10 = le32_to_cpu(sqe->cdw10);
		__entry->cdw11 = le32_to_cpu(sqe->cdw11);
		__entry->cdw12 = le32_to_cpu(sqe->cdw12);
		__entry->prp1 = le64_to_cpu(sqe->prp1);
		__entry->prp2 = le64_to_cpu(sqe->prp2);
	),
	TP_printk("domid=%u slot=%u qid=%u cid=%u opcode=0x%x %s flags=0x%x nsid=0x%x cdw10=0x%x cdw11=0x%x cdw12=0x%x prp1=0x%llx prp2=0x%llx",
		  __entry->domid, __entry->slot, __entry->qid, __entry->cid,
		  __entry->opcode,
		  __entry->qid ? ioemu_show_nvme_io(__entry->opcode) :
				 ioemu_show_nvme_admin(__entry->opcode),
		  __entry->flags, __entry->nsid, __entry->cdw10,
		  __entry->cdw11, __entry->cdw12, __entry->prp1,
		  __entry->prp2)
);

TRACE_EVENT(ioemu_nvme_complete,
	TP_PROTO(const struct ioemu_nvme_req *req),
	TP_ARGS(req),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u16, qid)
		__field(u16, cid)
		__field(u16, status)
		__field(u8, slot)
		__field(u8, opcode)
		__field(u32, result)
	),
	TP_fast_assign(
		__entry->domid = ioemu_vm_domid(req->sq->ctrl->vm);
		__entry->slot = req->sq->ctrl->slot;
		__entry->qid = req->sq->qid;
		__entry->cid = req->cid;
		__entry->opcode = req->opcode;
		__entry->status = req->status;
		__entry->result = req->result;
	),
	TP_printk("domid=%u slot=%u qid=%u cid=%u opcode=0x%x %s status=0x%x result=0x%x",
		  __entry->domid, __entry->slot, __entry->qid, __entry->cid,
		  __entry->opcode,
		  __entry->qid ? ioemu_show_nvme_io(__entry->opcode) :
				 ioemu_show_nvme_admin(__entry->opcode),
		  __entry->status, __entry->result)
);

#endif /* _IOEMU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
