// SPDX-License-Identifier: GPL-2.0
/*
 * KASAN in a PV domain, for a Linux that has it on bare metal only: there, a
 * shadow of all memory exists before the first instrumented function runs. A
 * PV domain starts on page tables of Xen's and gets its own in many steps, so
 * here nothing is looked at until kasan_init() is through.
 *
 * Memory without a shadow of its own has one that says that all of it may be
 * accessed: one page, by tables that refer to it from everywhere.
 */
#include <linux/kasan.h>
#include <linux/mm.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

bool kasan_pv_ready __read_mostly;

/* Xen takes a page as a table only where nothing can write to it. */
static void __init write_protect(void *table)
{
	pte_t pte = pfn_pte(PFN_DOWN(__pa_symbol(table)), PAGE_KERNEL_RO);

	if (HYPERVISOR_update_va_mapping((unsigned long)table, pte, UVMF_INVLPG) ||
	    HYPERVISOR_update_va_mapping((unsigned long)lm_alias(table), pte, UVMF_INVLPG))
		panic("KASAN: Xen refuses a table");
}

/**
 * kasan_pv_tables() - the tables for memory without a shadow of its own
 *
 * Context: before kasan_populate_early_shadow() refers to them, once.
 */
void __init kasan_pv_tables(void)
{
	unsigned long page = __pa_symbol(kasan_early_shadow_page);
	unsigned long pte = __pa_symbol(kasan_early_shadow_pte) | _KERNPG_TABLE;
	unsigned long pmd = __pa_symbol(kasan_early_shadow_pmd) | _KERNPG_TABLE;
	int i;

	for (i = 0; i < PTRS_PER_PTE; i++) {
		kasan_early_shadow_pte[i] = pfn_pte(PFN_DOWN(page), PAGE_KERNEL_RO);
		kasan_early_shadow_pmd[i] = __pmd(pte);
		kasan_early_shadow_pud[i] = __pud(pmd);
	}
	write_protect(kasan_early_shadow_pte);
	write_protect(kasan_early_shadow_pmd);
	write_protect(kasan_early_shadow_pud);
}
