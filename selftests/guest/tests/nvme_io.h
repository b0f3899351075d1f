/* SPDX-License-Identifier: GPL-2.0 */
/* What the suites of I/O commands share. Their tests overwrite the namespace. */
#ifndef TINY_NVME_IO_H
#define TINY_NVME_IO_H

#include "dbuf.h"
#include "harness.h"
#include "mem.h"
#include "nvme.h"
#include "string.h"
#include "time.h"

#define IO_DEPTH	64

/* The queue pair of the running test: identifier 1, polled. */
extern struct nvme_sq io_sq;
extern struct nvme_cq io_cq;

/* Fixture: controller started, pair created; skips without a namespace. */
void io_setup(void);

/* A command for @blocks from @slba on, without data pointer. */
struct nvme_cmd io_cmd(u8 opcode, u64 slba, u32 blocks);
u16 io_exec(struct nvme_cmd *c);
/* Read or write the whole buffer; a PRP list begins at @list_off of its page. */
u16 io_rw(u8 opcode, u64 slba, struct dbuf *b, u32 list_off);
/* Write the pattern of @seed to, or expect it in, @bytes from @slba on. */
void io_write_pattern(u64 slba, u32 bytes, u32 seed);
void io_expect_pattern(u64 slba, u32 bytes, u32 seed);
void io_expect_bytes(u64 slba, u32 bytes, u8 value);
/* The controller still does what it should. */
void io_expect_alive(void);

u32 rnd(void);

#endif
