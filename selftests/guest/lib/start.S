/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry points: the boot CPU (flat protected mode, paging off, from either
 * loader), the other CPUs (real mode, copied below 1 MiB), interrupts; and the
 * register part of jump_save()/jump_restore().
 */

#define MB_MAGIC	0x1badb002
#define MB_FLAGS	0x00000003	/* page-aligned modules, memory map */

	.section .multiboot, "a"
	.balign	4
	.long	MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.text
	.globl	_start
_start:
	cli
	cld
	movl	%eax, %ebp
	movl	$__bss_start, %edi
	movl	$__bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	rep stosb

	movl	$boot_stack_top, %esp
	lgdt	gdt_desc
	ljmp	$0x08, $1f
1:	call	load_segments
	pushl	%ebx
	pushl	%ebp
	call	boot_main
2:	cli
	hlt
	jmp	2b

load_segments:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	ret

/*
 * The other CPUs begin here, in real mode at a page below 1 MiB to which
 * smp_start() copies this code; it runs at any page, as %cs tells.
 */
	.code16
	.globl	ap_boot16, ap_boot16_end
ap_boot16:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	ap_gdt_desc - ap_boot16
	movl	%cr0, %eax
	orl	$1, %eax
	andl	$0x9fffffff, %eax	/* caches on */
	movl	%eax, %cr0
	ljmpl	$0x08, $ap_boot32
	.balign	4
ap_gdt_desc:
	.word	gdt_end - gdt - 1
	.long	gdt
ap_boot16_end:

	.code32
ap_boot32:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	/* Each CPU takes a number, and the stack that goes with it. */
	movl	$1, %eax
	lock xaddl %eax, ap_ticket
	cmpl	$8, %eax		/* MAX_CPUS in smp.h */
	jae	1f
	movl	ap_stacks(,%eax,4), %esp
	testl	%esp, %esp
	jz	1f
	pushl	%eax
	call	ap_main
1:	cli
	hlt
	jmp	1b

	.data
	.balign	4
	.globl	ap_ticket
ap_ticket:
	.long	1

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* 08: code, 4 GiB */
	.quad	0x00cf93000000ffff	/* 10: data, 4 GiB */
gdt_end:
gdt_desc:
	.word	gdt_end - gdt - 1
	.long	gdt

/* One stub per vector, 16 bytes apart: idt_init() counts on that. */
	.text
	.balign	16
	.globl	vector_stubs
vector_stubs:
	.set	vec, 0
	.rept	256
	.balign	16
	/* These exceptions push an error code themselves. */
	.if	(vec == 8) || (vec >= 10 && vec <= 14) || (vec == 17) || (vec == 21) || (vec == 29) || (vec == 30)
	.else
	pushl	$0
	.endif
	pushl	$vec
	jmp	vector_common
	.set	vec, vec + 1
	.endr

vector_common:
	pusha
	cld
	pushl	%esp
	call	interrupt
	addl	$4, %esp
	popa
	addl	$8, %esp
	iret

/* int jump_save(struct jump *j): 0, or the value given to jump_restore(). */
	.globl	jump_save, jump_restore
jump_save:
	movl	4(%esp), %ecx
	movl	(%esp), %edx
	movl	%edx, 0(%ecx)
	leal	4(%esp), %edx
	movl	%edx, 4(%ecx)
	movl	%ebx, 8(%ecx)
	movl	%esi, 12(%ecx)
	movl	%edi, 16(%ecx)
	movl	%ebp, 20(%ecx)
	xorl	%eax, %eax
	ret

/* void jump_restore(struct jump *j, int value) */
jump_restore:
	movl	4(%esp), %ecx
	movl	8(%esp), %eax
	movl	8(%ecx), %ebx
	movl	12(%ecx), %esi
	movl	16(%ecx), %edi
	movl	20(%ecx), %ebp
	movl	4(%ecx), %esp
	jmp	*0(%ecx)

	.bss
	.balign	4096
	.globl	xen_hypercall_page
xen_hypercall_page:
	.skip	4096
boot_stack:
	.skip	32768
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
