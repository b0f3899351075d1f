/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot sector: reads block 2048 of the drive that it came from, as boot
 * loaders do, and sends the text there to the serial port.
 */
#include "sector.h"

	.set	text, 0x8000

	prologue
	say	hello
	transfer READ
	jc	1f
	say	text
	jmp	2f
1:	say	failed
2:	cli
	hlt
	jmp	2b

hello:	.asciz	"boot sector runs\n"
failed:	.asciz	"read failed\n"

	epilogue text, 2048
