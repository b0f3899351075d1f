// SPDX-License-Identifier: GPL-2.0
/*
 * The ioreq transport (Xen's public/hvm/ioreq.h and common/ioreq.c).
 *
 * Xen gives a server one page with a slot for each vCPU, and an event channel
 * for each vCPU. A vCPU that accesses a range of the server fills its slot, sets
 * the slot READY, raises the event and is blocked. This side takes the request
 * (INPROCESS), answers it (RESP_READY) and raises the event in the other
 * direction; Xen then resumes the vCPU and sets the slot to NONE.
 *
 * A slot belongs to Xen in NONE and RESP_READY and to this side in READY and
 * INPROCESS; only its owner writes it. On this side, the slot of a vCPU is
 * handled by its interrupt handler, or, between a refused fast answer and the
 * slow one, by its work item; never by both, since Xen raises no event for a
 * vCPU that waits. An event that is raised nevertheless finds the slot
 * INPROCESS and does nothing.
 */

#include <linux/error-injection.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/memory.h>
#include <asm/xen/hypercall.h>

#include "dmop.h"
#include "foreign.h"
#include "ioreq.h"
#include "trace.h"

/**
 * struct ioreq_vcpu - this side of a vCPU's channel
 * @server: server
 * @slot: slot in the shared page
 * @id: number of the vCPU
 * @irq: Linux interrupt of the channel, 0 if not bound
 * @port: this side's port
 * @work: the slow answer
 * @req: the request between the fast and the slow answer
 * @nr_fast: requests answered in the interrupt handler
 * @nr_slow: requests answered in process context
 * @name: of the interrupt
 */
struct ioreq_vcpu {
	struct ioemu_ioreq_server *server;
	struct xen_ioreq *slot;
	unsigned int id;
	int irq;
	evtchn_port_t port;
	struct work_struct work;
	struct ioemu_ioreq req;
	unsigned long nr_fast;
	unsigned long nr_slow;
	char name[24];
};

/**
 * struct ioemu_ioreq_server - a server
 * @domid: domain
 * @id: Xen's number of the server
 * @ops: who answers
 * @owner: first argument of @ops
 * @page: the shared page
 * @wq: runs slow answers
 * @nr_vcpus: entries of @vcpus
 * @vcpus: channels
 *
 * Fixed between creation and destruction.
 */
struct ioemu_ioreq_server {
	domid_t domid;
	u16 id;
	const struct ioemu_ioreq_ops *ops;
	void *owner;
	struct page *page;
	struct workqueue_struct *wq;
	unsigned int nr_vcpus;
	struct ioreq_vcpu vcpus[];
};

static u8 slot_state(const struct xen_ioreq *slot)
{
	return READ_ONCE(slot->flags) & XEN_IOREQ_STATE_MASK;
}

static void slot_set_state(struct xen_ioreq *slot, u8 state)
{
	u8 flags = READ_ONCE(slot->flags) & ~XEN_IOREQ_STATE_MASK;

	WRITE_ONCE(slot->flags, flags | state);
}

static void slot_take(struct xen_ioreq *slot, struct ioemu_ioreq *req)
{
	u8 flags;

	/* Xen publishes the request before its state becomes READY. */
	smp_rmb();
	flags = READ_ONCE(slot->flags);
	req->addr = slot->addr;
	req->data = slot->data;
	req->count = slot->count;
	req->size = slot->size;
	req->type = slot->type;
	req->read = flags & XEN_IOREQ_DIR_READ;
	req->data_is_ptr = flags & XEN_IOREQ_DATA_IS_PTR;
	req->down = flags & XEN_IOREQ_DF;
	slot_set_state(slot, XEN_IOREQ_STATE_INPROCESS);
}

static void slot_answer(struct ioreq_vcpu *vcpu, const struct ioemu_ioreq *req,
			bool fast)
{
	trace_ioemu_ioreq(vcpu->server->domid, vcpu->id, fast, req);
	if (req->read && !req->data_is_ptr)
		vcpu->slot->data = req->data;
	/* Pairs with Xen's barrier between reading the state and the data. */
	smp_wmb();
	slot_set_state(vcpu->slot, XEN_IOREQ_STATE_RESP_READY);
	notify_remote_via_evtchn(vcpu->port);
}

static void ioreq_slow(struct work_struct *work)
{
	struct ioreq_vcpu *vcpu = container_of(work, struct ioreq_vcpu, work);
	struct ioemu_ioreq_server *server = vcpu->server;

	server->ops->slow(server->owner, &vcpu->req);
	vcpu->nr_slow++;
	slot_answer(vcpu, &vcpu->req, false);
}

static irqreturn_t ioreq_event(int irq, void *data)
{
	struct ioreq_vcpu *vcpu = data;
	struct ioemu_ioreq_server *server = vcpu->server;

	if (slot_state(vcpu->slot) != XEN_IOREQ_STATE_READY) {
		xen_irq_lateeoi(irq, XEN_EOI_FLAG_SPURIOUS);
		return IRQ_HANDLED;
	}

	slot_take(vcpu->slot, &vcpu->req);
	if (server->ops->fast(server->owner, &vcpu->req)) {
		vcpu->nr_fast++;
		slot_answer(vcpu, &vcpu->req, true);
	} else {
		queue_work(server->wq, &vcpu->work);
	}
	xen_irq_lateeoi(irq, 0);
	return IRQ_HANDLED;
}

static void evtchn_close(evtchn_port_t port)
{
	struct evtchn_close close = { .port = port };

	HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
}

/* Is the vCPU's port still the one that was bound to its slot? */
static bool ioreq_vcpu_bound(const struct ioreq_vcpu *vcpu)
{
	struct evtchn_status status = {
		.dom = DOMID_SELF,
		.port = vcpu->port,
	};

	return !HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) &&
	       status.status == EVTCHNSTAT_interdomain &&
	       status.u.interdomain.dom == vcpu->server->domid &&
	       status.u.interdomain.port == READ_ONCE(vcpu->slot->vp_eport);
}

static int ioreq_connect_vcpu(struct ioreq_vcpu *vcpu)
{
	struct evtchn_bind_interdomain bind = {
		.remote_dom = vcpu->server->domid,
		.remote_port = READ_ONCE(vcpu->slot->vp_eport),
	};
	int ret;

	ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind);
	if (!ret)
		vcpu->port = bind.local_port;
	return ret;
}

/*
 * The channel is bound by hand rather than through a xenbus device, since all
 * controllers of the domain share it and each of them may go first.
 */
static noinline int ioreq_bind_vcpu(struct ioreq_vcpu *vcpu)
{
	int ret;

	ret = ioreq_connect_vcpu(vcpu);
	if (ret)
		return ret;
	snprintf(vcpu->name, sizeof(vcpu->name), "ioemu-%u.%u",
		 vcpu->server->domid, vcpu->id);
	ret = bind_evtchn_to_irqhandler_lateeoi(vcpu->port, ioreq_event, 0,
						vcpu->name, vcpu);
	if (ret < 0) {
		/* Some failures close the port, and it may be another's by now. */
		if (ioreq_vcpu_bound(vcpu))
			evtchn_close(vcpu->port);
		return ret;
	}
	vcpu->irq = ret;
	return 0;
}
ALLOW_ERROR_INJECTION(ioreq_bind_vcpu, ERRNO);

static void ioreq_unbind_vcpus(struct ioemu_ioreq_server *server)
{
	unsigned int i;

	for (i = 0; i < server->nr_vcpus; i++) {
		struct ioreq_vcpu *vcpu = &server->vcpus[i];

		if (vcpu->irq)
			unbind_from_irqhandler(vcpu->irq, vcpu);
		vcpu->irq = 0;
	}
}

static int ioreq_set_state(struct ioemu_ioreq_server *server, bool enabled)
{
	struct xen_dmop op = {
		.op = XEN_DMOP_SET_IOREQ_SERVER_STATE,
		.u.state = { .id = server->id, .enabled = enabled },
	};

	return ioemu_dmop(server->domid, &op);
}

static noinline int ioreq_enable(struct ioemu_ioreq_server *server)
{
	return ioreq_set_state(server, true);
}
ALLOW_ERROR_INJECTION(ioreq_enable, ERRNO);

static noinline int ioreq_create_server(struct ioemu_ioreq_server *server)
{
	struct xen_dmop op = {
		.op = XEN_DMOP_CREATE_IOREQ_SERVER,
		.u.create.handle_bufioreq = XEN_DMOP_BUFIOREQ_OFF,
	};
	int ret;

	ret = ioemu_dmop(server->domid, &op);
	server->id = op.u.create.id;
	return ret;
}
ALLOW_ERROR_INJECTION(ioreq_create_server, ERRNO);

static void ioreq_destroy_server(domid_t domid, u16 id)
{
	struct xen_dmop op = {
		.op = XEN_DMOP_DESTROY_IOREQ_SERVER,
		.u.destroy.id = id,
	};

	/* Fails only when Xen has destroyed it with the domain. */
	ioemu_dmop(domid, &op);
}

static noinline struct page *ioreq_map_page(domid_t domid, u16 id)
{
	xen_pfn_t frame = 0;
	struct xen_mem_acquire_resource res = {
		.domid = domid,
		.type = XENMEM_resource_ioreq_server,
		.id = id,
		.nr_frames = 1,
		.frame = XENMEM_resource_ioreq_server_frame_ioreq(0),
	};
	int ret;

	set_xen_guest_handle(res.frame_list, &frame);
	ret = HYPERVISOR_memory_op(XENMEM_acquire_resource, &res);
	if (ret)
		return ERR_PTR(ret);
	return ioemu_foreign_map_mfn(domid, frame);
}
ALLOW_ERROR_INJECTION(ioreq_map_page, ERRNO);

/*
 * Xen fills in an event channel for every vCPU when the server is enabled; all
 * vCPUs of a domain exist from its creation. NULL if there is no vCPU @i.
 */
static struct ioreq_vcpu *ioreq_init_vcpu(struct ioemu_ioreq_server *server,
					  unsigned int i)
{
	struct xen_ioreq *slots = page_address(server->page);
	struct ioreq_vcpu *vcpu = &server->vcpus[i];

	if (i == XEN_IOREQ_SLOTS || !READ_ONCE(slots[i].vp_eport))
		return NULL;
	vcpu->server = server;
	vcpu->slot = &slots[i];
	vcpu->id = i;
	INIT_WORK(&vcpu->work, ioreq_slow);
	return vcpu;
}

static int ioreq_bind_vcpus(struct ioemu_ioreq_server *server)
{
	struct ioreq_vcpu *vcpu;
	int ret;

	while ((vcpu = ioreq_init_vcpu(server, server->nr_vcpus))) {
		ret = ioreq_bind_vcpu(vcpu);
		if (ret)
			return ret;
		server->nr_vcpus++;
	}
	return server->nr_vcpus ? 0 : -ENXIO;
}

/*
 * A vCPU that waits for an answer would wait for ever once the server is gone.
 * So: have Xen send nothing more (the domain is paused while it takes note, no
 * vCPU is in the middle of sending), answer what was sent, then unbind. Like its
 * interrupt handler, which is not running, this takes what is in a slot.
 */
static void ioreq_drain(struct ioemu_ioreq_server *server)
{
	unsigned int i;

	ioreq_set_state(server, false);
	for (i = 0; i < server->nr_vcpus; i++) {
		struct ioreq_vcpu *vcpu = &server->vcpus[i];

		disable_irq(vcpu->irq);
		if (slot_state(vcpu->slot) == XEN_IOREQ_STATE_READY) {
			slot_take(vcpu->slot, &vcpu->req);
			queue_work(server->wq, &vcpu->work);
		}
		enable_irq(vcpu->irq);
	}
	flush_workqueue(server->wq);
}

/*
 * For channels that could not be bound: whoever waits there is told by
 * way of a channel without an interrupt. Nothing more is sent.
 */
static void ioreq_answer_unbound(struct ioemu_ioreq_server *server)
{
	struct ioreq_vcpu *vcpu;
	unsigned int i;

	for (i = server->nr_vcpus; (vcpu = ioreq_init_vcpu(server, i)); i++) {
		if (slot_state(vcpu->slot) != XEN_IOREQ_STATE_READY)
			continue;
		if (ioreq_connect_vcpu(vcpu)) {
			pr_err("domain %u: vCPU %u waits for ever\n",
			       server->domid, i);
			continue;
		}
		slot_take(vcpu->slot, &vcpu->req);
		ioreq_slow(&vcpu->work);
		evtchn_close(vcpu->port);
	}
}

struct ioemu_ioreq_server *ioemu_ioreq_create(domid_t domid,
					      const struct ioemu_ioreq_ops *ops,
					      void *owner)
{
	struct ioemu_ioreq_server *server;
	int ret;

	ret = ioemu_foreign_supported();
	if (ret)
		return ERR_PTR(ret);

	server = kvzalloc(struct_size(server, vcpus, XEN_IOREQ_SLOTS),
			  GFP_KERNEL);
	if (!server)
		return ERR_PTR(-ENOMEM);
	server->domid = domid;
	server->ops = ops;
	server->owner = owner;

	server->wq = alloc_workqueue("ioemu-ioreq/%u", WQ_UNBOUND | WQ_HIGHPRI,
				     0, domid);
	if (!server->wq) {
		ret = -ENOMEM;
		goto err_free;
	}

	ret = ioreq_create_server(server);
	if (ret)
		goto err_wq;

	server->page = ioreq_map_page(domid, server->id);
	if (IS_ERR(server->page)) {
		ret = PTR_ERR(server->page);
		goto err_server;
	}
	/* Nobody else writes the slots until the server is enabled. */
	clear_page(page_address(server->page));

	ret = ioreq_enable(server);
	if (ret)
		goto err_page;
	/* Xen raises an event on each channel when it is bound: none is missed. */
	ret = ioreq_bind_vcpus(server);
	if (ret)
		goto err_vcpus;
	return server;

err_vcpus:
	/* A guest that runs may have sent something already. */
	ioreq_drain(server);
	ioreq_answer_unbound(server);
	ioreq_unbind_vcpus(server);
	flush_workqueue(server->wq);
err_page:
	ioemu_foreign_unmap(&server->page, 1);
err_server:
	ioreq_destroy_server(domid, server->id);
err_wq:
	destroy_workqueue(server->wq);
err_free:
	kvfree(server);
	return ERR_PTR(ret);
}

void ioemu_ioreq_destroy(struct ioemu_ioreq_server *server)
{
	ioreq_drain(server);
	ioreq_unbind_vcpus(server);
	flush_workqueue(server->wq);
	ioemu_foreign_unmap(&server->page, 1);
	ioreq_destroy_server(server->domid, server->id);
	destroy_workqueue(server->wq);
	kvfree(server);
}

static int ioreq_range(struct ioemu_ioreq_server *server, u32 command,
		       enum ioemu_io_type type, u64 start, u64 end)
{
	struct xen_dmop op = {
		.op = command,
		.u.range = {
			.id = server->id,
			.type = type,
			.start = start,
			.end = end,
		},
	};

	return ioemu_dmop(server->domid, &op);
}

int ioemu_ioreq_map_range(struct ioemu_ioreq_server *server,
			  enum ioemu_io_type type, u64 start, u64 end)
{
	return ioreq_range(server, XEN_DMOP_MAP_IO_RANGE, type, start, end);
}
ALLOW_ERROR_INJECTION(ioemu_ioreq_map_range, ERRNO);

void ioemu_ioreq_unmap_range(struct ioemu_ioreq_server *server,
			     enum ioemu_io_type type, u64 start, u64 end)
{
	/* Fails only when Xen has dropped it with the domain. */
	ioreq_range(server, XEN_DMOP_UNMAP_IO_RANGE, type, start, end);
}

bool ioemu_ioreq_domain_alive(const struct ioemu_ioreq_server *server)
{
	return ioreq_vcpu_bound(&server->vcpus[0]);
}

void ioemu_ioreq_show(const struct ioemu_ioreq_server *server,
		      struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < server->nr_vcpus; i++)
		seq_printf(m, "vcpu %u: fast %lu slow %lu\n", i,
			   READ_ONCE(server->vcpus[i].nr_fast),
			   READ_ONCE(server->vcpus[i].nr_slow));
}
