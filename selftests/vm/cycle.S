/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot sector that does what the letters in block 1 say, one a boot: each is
 * crossed out on the disk first.
 *
 *   R  reset      C  crash      O  turn the machine off      else: halt
 */
#include "sector.h"

	.set	letters, 0x8000

	prologue
	say	hello
	transfer READ
	jc	error
	movw	$letters, %si
1:	lodsb
	cmpb	$'x', %al
	je	1b
	pushw	%ax
	movb	$'x', -1(%si)
	transfer WRITE
	popw	%ax
	jc	error

	movb	%al, told
	say	told
	cmpb	$'R', %al
	je	reset
	cmpb	$'C', %al
	je	crash
	cmpb	$'O', %al
	je	off
halt:	cli
	hlt
	jmp	halt

error:	say	failed
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

hello:	.asciz	"boot:"
failed:	.asciz	"error\n"
told:	.asciz	"?\n"
nothing: .word	0, 0, 0

	epilogue letters, 1
