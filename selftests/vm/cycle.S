/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot sector that does what the letters in block 1 say, one a boot: each is
 * crossed out on the disk first.
 *
 *   R  reset      C  crash      O  turn the machine off      else: halt
 */
	.code16
	.globl	_start
_start:
	ljmp	$0, $1f
1:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$_start, %sp
	cld
	movw	$hello, %si
	call	print
	movb	$0x42, %ah		/* extended read; %dl is the drive */
	movw	$packet, %si
	int	$0x13
	jc	error
	movw	$letters, %si
2:	lodsb
	cmpb	$'x', %al
	je	2b
	pushw	%ax
	movb	$'x', -1(%si)
	movw	$0x4300, %ax		/* extended write */
	movw	$packet, %si
	int	$0x13
	popw	%ax
	jc	error

	movb	%al, told
	movw	$told, %si
	call	print
	cmpb	$'R', %al
	je	reset
	cmpb	$'C', %al
	je	crash
	cmpb	$'O', %al
	je	off
halt:	cli
	hlt
	jmp	halt

error:	movw	$failed, %si
	call	print
	jmp	halt

reset:	movw	$0xcf9, %dx		/* PIIX3's reset control */
	movb	$6, %al
	outb	%al, %dx
	jmp	halt

off:	movw	$0xb004, %dx		/* ACPI's PM1a control: sleep, state S5 */
	movw	$0x2000, %ax
	outw	%ax, %dx
	jmp	halt

crash:	lidt	nothing			/* no handler, not even for that */
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	int	$3

print:	pushw	%ax
	pushw	%dx
	movw	$0x3f8, %dx
1:	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	popw	%dx
	popw	%ax
	ret

hello:	.asciz	"boot:"
failed:	.asciz	"error\n"
told:	.asciz	"?\n"
nothing: .word	0, 0, 0

	.balign	4
packet:	.byte	16, 0
	.word	1			/* blocks */
	.word	letters, 0		/* offset, segment */
	.quad	1			/* first block */

	.org	510
	.word	0xaa55

	.set	letters, 0x8000
