/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What boot sectors have in common. Each begins with "prologue" and ends with
 * "epilogue"; both keep %dl, the drive that firmware booted from.
 */
	.code16
	.globl	_start

/* Segments are 0, the stack lies below the sector, strings go upwards. */
.macro prologue
_start:	ljmp	$0, $9f
9:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$_start, %sp
	cld
.endm

/* Text with a zero at its end to the serial port. */
.macro say text
	movw	$\text, %si
	call	print
.endm

/* Extended read or write of what "packet" says; carry tells of an error. */
	.set	READ, 0x4200
	.set	WRITE, 0x4300
.macro transfer how
	movw	$\how, %ax
	movw	$packet, %si
	int	$0x13
.endm

/* print, the packet for one block, and what makes it a boot sector */
.macro epilogue buffer, block
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

	.balign	4
packet:	.byte	16, 0
	.word	1			/* blocks */
	.word	\buffer, 0		/* offset, segment */
	.quad	\block			/* first block */

	.org	510
	.word	0xaa55
.endm
