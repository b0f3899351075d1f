/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running the tool within the test program, and TAP.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>

#include "fake_xs.h"

/* Report one test; @fmt is its name. Returns @good. */
bool ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Report one test; when it fails, show both strings. */
bool same(const char *got, const char *wanted, const char *name);

/**
 * tool() - run the tool
 * @args: its arguments, separated by single spaces; a "%" stands for a space
 *        within an argument
 *
 * Return: its exit status.
 */
int tool(const char *args);

/* Run ioemu-dm likewise; it execs by way of fake_execv(). */
int dm(const char *args);

/* What the last run printed. */
extern char tool_out[65536];
extern char tool_err[65536];

/* Report one test: @text is part of what the last run printed. */
bool out_has(const char *text, const char *name);

/* Report one test: exit status and part of what stands on standard error. */
bool tool_says(const char *args, int status, const char *err);

/* Prepare a store with domain 0, and domain 3 named "guest". */
void fresh_store(void);

/* Fake drivers, for fake_xs.on_change: take any device; refuse any device. */
void driver_connects(void);
void driver_refuses(void);
/* Closes devices whose frontend does. */
void driver_closes(void);

/* Loop devices that the tool has open. */
unsigned int fake_loops_open(void);

/* Does the last one go to the program that is executed? Closes it. */
bool fake_loop_inherited(void);

/* The file behind the loop device is another one than it was. */
extern bool fake_other_file;

/* The size that the tool last gave to a file. */
extern long long truncated_to;

/*
 * Called instead of sleeping; while it is set, nothing else takes time. What
 * happens to the host meanwhile is its to do.
 */
extern void (*fake_sleep)(void);

/* Called before a read. */
extern void (*fake_read)(void);

/* The next read fails with this errno; 0 for none. */
extern int fake_read_error;

/* What the kernel traces in the instance that there is; its reader waits for more. */
void fake_trace(const char *text);

/* Make a file of the host, below a directory that host_root names. */
void fake_file(const char *path, const char *text);

/* One that can be executed. */
void fake_program(const char *path);

/* Remove all of them; host_root is that of this machine again. */
void forget_fake_files(void);

void test_args(void);
void test_attach(void);
void test_detach(void);
void test_disks(void);
void test_dm(void);
void test_lib(void);
void test_list(void);
void test_loop(void);
void test_stats(void);
void test_trace(void);

#define BACKEND		"/local/domain/0/backend/ioemu/3/0"
#define FRONTEND	"/local/domain/3/ioemu/0"
#define DRIVER_ERROR	"/local/domain/0/error/backend/ioemu/3/0"

#endif /* HARNESS_H */
