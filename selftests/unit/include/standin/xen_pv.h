/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in: what a PV domain has of its own page tables and asks Xen for. Who links
 * driver/foreign_pv.c defines the functions.
 */
#ifndef STANDIN_XEN_PV_H
#define STANDIN_XEN_PV_H

#include <standin/io.h>
#include <standin/mem.h>
#include <standin/sched.h>
#include <xen/interface/xen.h>

typedef struct { u64 pte; } pte_t;

#define PAGE_KERNEL			1u
#define PG_LEVEL_4K			1
#define MAX_PHYSMEM_BITS		46
#define mfn_pte(mfn, prot)		((pte_t){ (u64)(mfn) << PAGE_SHIFT | (prot) })
#define pte_val_ma(p)			((p).pte)
#define pte_present(p)			((p).pte & 1)
#define pte_mfn(p)			((p).pte >> PAGE_SHIFT)
pte_t *lookup_address(unsigned long address, unsigned int *level);
#define arbitrary_virt_to_machine(p)	((struct { u64 maddr; }){ (u64)(uintptr_t)(p) })

#define page_to_pfn(p)			((p)->index)
#define page_count(p)			atomic_read(&(p)->refs)
#define page_private(p)			((p)->private)
#define set_page_private(p, v)		((void)((p)->private = (v)))

#define DOMID_SELF			0x7ff0
#define FOREIGN_FRAME(mfn)		((mfn) | 1UL << 62)
#define INVALID_P2M_ENTRY		(~0UL)
extern unsigned long xen_p2m_addr[];
#define xen_pv_domain()			true

/* In the lowest bits of mmu_update.ptr */
#define MMU_NORMAL_PT_UPDATE		0
#define MMU_PT_UPDATE_NO_TRANSLATE	3
#define MMUEXT_TLB_FLUSH_ALL		7

struct mmu_update {
	u64 ptr;
	u64 val;
};

struct mmuext_op {
	unsigned int cmd;
};

int HYPERVISOR_mmu_update(struct mmu_update *req, int count, int *done,
			  domid_t domid);
int HYPERVISOR_mmuext_op(struct mmuext_op *op, int count, int *done,
			 domid_t domid);
int xen_alloc_unpopulated_pages(unsigned int nr, struct page **pages);
void xen_free_unpopulated_pages(unsigned int nr, struct page **pages);

#endif /* STANDIN_XEN_PV_H */
