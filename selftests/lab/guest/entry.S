/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way of the guest's kernel into memory. A kernel that is given to the
 * device model as a bzImage reaches the guest byte by byte through an I/O port
 * and is then unpacked by emulated instructions, which takes minutes. An ELF
 * file with a PVH entry is put into the guest's memory before the guest runs.
 *
 * This file is linked with the unpacked kernel and its initramfs to such an ELF
 * file. The device model enters it after the firmware, in 32-bit protected mode
 * with the PVH start info in %ebx; it starts the kernel by the 64-bit boot
 * protocol, so that the kernel sees an ordinary HVM guest and not a PVH one.
 */

	.section .note.pvh, "a", @note
	.long	4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	entry

	.text
	.code32
	.globl	entry
entry:
	cli
	cld
	movl	$stack_top, %esp
	pushl	%ebx
	call	fill_boot_params		/* leaves them in boot_params */

	movl	%cr4, %eax
	orl	$(1 << 5), %eax			/* PAE */
	movl	%eax, %cr4
	movl	$page_map, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER */
	rdmsr
	orl	$(1 << 8), %eax			/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$(1 << 31 | 1), %eax		/* PG, PE */
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$0x10, $long_mode

	.code64
long_mode:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$boot_params, %esi
	movl	$KERNEL_ADDR, %eax
	jmp	*%rax

	.data
	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9a000000ffff		/* 0x10: 64-bit code */
	.quad	0x00cf92000000ffff		/* 0x18: data */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	/* The first 4 GiB, one to one, in pages of 2 MiB. */
	.balign	4096
page_map:
	.long	page_directories + 3, 0
	.fill	511, 8, 0
page_directories:
	.set	i, 0
	.rept	4
	.long	page_directory + i * 4096 + 3, 0
	.set	i, i + 1
	.endr
	.fill	508, 8, 0
page_directory:
	.set	i, 0
	.rept	4 * 512
	.quad	(i << 21) + 0x83
	.set	i, i + 1
	.endr

	.globl	setup_header, setup_header_end
setup_header:
	.incbin	"setup_header"
setup_header_end:

	.section .kernel, "ax"
	.incbin	"vmlinux.bin"

	.section .initrd, "a"
	.incbin	"initrd.img"

	.bss
	.balign	16
	.fill	4096
stack_top:
	.section .note.GNU-stack, "", @progbits
