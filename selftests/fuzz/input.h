/* SPDX-License-Identifier: GPL-2.0 */
/* A fuzzer's input, taken piece by piece. What is not there is zero. */
#ifndef INPUT_H
#define INPUT_H

#include <string.h>
#include <standin/types.h>

struct input {
	const u8 *data;
	size_t left;
};

static inline void input_take(struct input *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	memcpy(to, in->data, have);
	in->data += have;
	in->left -= have;
}

#define INPUT_TAKE(bits)						\
static inline u##bits input_u##bits(struct input *in)			\
{ u##bits v; input_take(in, &v, sizeof(v)); return v; }
INPUT_TAKE(8)
INPUT_TAKE(16)
INPUT_TAKE(32)
INPUT_TAKE(64)

#endif /* INPUT_H */
