/* SPDX-License-Identifier: GPL-2.0 */
/* Data buffers of any shape, and the PRPs and SGLs which describe them. */
#ifndef TINY_DBUF_H
#define TINY_DBUF_H

#include "nvme.h"
#include "types.h"

#define DBUF_PAGES	258

enum dbuf_shape {
	DBUF_CONTIGUOUS,
	DBUF_SCATTERED,		/* pages in falling order, none next to another */
};

/* @len bytes from offset @off of the first page on. */
struct dbuf {
	u32 off, len, pages;
	u8 *page[DBUF_PAGES];
};

void dbuf_alloc(struct dbuf *b, enum dbuf_shape shape, u32 off, u32 len);
/* Pattern into the buffer; a guard value into the rest of its pages. */
void dbuf_fill(struct dbuf *b, u32 seed);
/* Poison all of it, so that each byte which is not written shows. */
void dbuf_poison(struct dbuf *b);
/* The pattern is there and nothing around it changed: notes a failure if not. */
bool dbuf_check(struct dbuf *b, u32 seed);
/* Buffer bytes from @pos on, @len of them, are the pattern counted from @seed_pos. */
bool dbuf_check_part(struct dbuf *b, u32 pos, u32 len, u32 seed, u32 seed_pos);
bool dbuf_is_poison(struct dbuf *b);
u8 *dbuf_at(struct dbuf *b, u32 pos);

/*
 * PRP1 and PRP2 for the buffer. A list, if one is needed, begins at byte
 * @list_off of its page, so that lists of any number of pages come about.
 */
void dbuf_prp(struct dbuf *b, struct nvme_cmd *c, u32 list_off);

/*
 * An SGL for the buffer: one data block descriptor in the command if it is
 * contiguous, else segments of @per_segment descriptors each.
 */
void dbuf_sgl(struct dbuf *b, struct nvme_cmd *c, u32 per_segment);

#endif
