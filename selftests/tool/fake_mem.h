/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that runs out, for the objects of the tool and the library.
 */
#ifndef FAKE_MEM_H
#define FAKE_MEM_H

/**
 * struct fake_mem - what a test sets
 * @fail: the allocation of this number fails, counted from 1; 0 for none
 * @calls: allocations so far
 */
struct fake_mem {
	unsigned int fail;
	unsigned int calls;
};

extern struct fake_mem fake_mem;

#endif /* FAKE_MEM_H */
