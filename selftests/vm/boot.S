/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot sector: reads block 2048 of the drive that it came from, as boot
 * loaders do, and sends the text there to the serial port.
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
	movw	$packet, %si
	movb	$0x42, %ah		/* extended read; %dl is the drive */
	int	$0x13
	movw	$text, %si
	jnc	2f
	movw	$failed, %si
2:	call	print
3:	cli
	hlt
	jmp	3b

print:
	pushw	%dx
	movw	$0x3f8, %dx
1:	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	popw	%dx
	ret

hello:	.asciz	"boot sector runs\n"
failed:	.asciz	"read failed\n"

	.balign	4
packet:	.byte	16, 0
	.word	1			/* blocks */
	.word	text, 0			/* offset, segment */
	.quad	2048			/* first block */

	.org	510
	.word	0xaa55

	.set	text, 0x8000
