/* SPDX-License-Identifier: GPL-2.0 */
/* Tests: how they are declared, chosen, run and reported (TAP). */
#ifndef TINY_HARNESS_H
#define TINY_HARNESS_H

#include "boot.h"
#include "console.h"
#include "types.h"

struct test {
	const char *suite, *name;
	void (*fn)(void);
} __aligned(16);

/* Runs around each test of the suite; teardown also after a failed one. */
struct suite {
	const char *name;
	void (*setup)(void), (*teardown)(void);
	u32 flags;
} __aligned(16);

/* Runs only when a name on the command line asks for the suite itself. */
#define SUITE_MANUAL	BIT(0)

#define TEST(s, n)							\
	static void s##__##n(void);					\
	static const struct test test__##s##__##n			\
		__used __section(".tests") = { #s, #n, s##__##n };	\
	static void s##__##n(void)

#define SUITE(s, ...)							\
	static const struct suite suite__##s				\
		__used __section(".suites") = { .name = #s, __VA_ARGS__ }

/*
 * EXPECT_* note a failure and go on; their value tells. ASSERT_* end the test,
 * also from within functions that it calls. Values are compared and shown as
 * unsigned 64-bit numbers.
 */
#define EXPECT(cond) \
	expect_true(!!(cond), __FILE__, __LINE__, #cond)
#define EXPECT_EQ(got, want) \
	expect_eq((u64)(got), (u64)(want), __FILE__, __LINE__, #got)
#define EXPECT_NE(got, other) \
	expect_ne((u64)(got), (u64)(other), __FILE__, __LINE__, #got)
#define ASSERT(cond) \
	do { if (!EXPECT(cond)) test_abort(); } while (0)
#define ASSERT_EQ(got, want) \
	do { if (!EXPECT_EQ(got, want)) test_abort(); } while (0)
#define ASSERT_NE(got, other) \
	do { if (!EXPECT_NE(got, other)) test_abort(); } while (0)

#define SKIP(...)	test_skip(__VA_ARGS__)
#define SKIP_IF(cond, ...) \
	do { if (cond) test_skip(__VA_ARGS__); } while (0)

bool expect_true(bool ok, const char *file, int line, const char *expr);
bool expect_eq(u64 got, u64 want, const char *file, int line, const char *expr);
bool expect_ne(u64 got, u64 other, const char *file, int line, const char *expr);

/* Note a failure in words: the first one of a test stands in its result. */
void test_fail(const char *fmt, ...) __printf(1, 2);
/* A line of explanation under the test. */
void test_note(const char *fmt, ...) __printf(1, 2);
void test_fatal(const char *fmt, ...) __printf(1, 2) __noreturn;
void test_skip(const char *fmt, ...) __printf(1, 2) __noreturn;
void test_abort(void) __noreturn;
bool test_failed(void);

struct int_frame;
void test_exception(const char *name, const struct int_frame *f) __noreturn;

/*
 * The longest that an expected event may take, and how long one looks before
 * saying that something does not happen; arguments timeout= (s) and quiet= (ms).
 */
u64 timeout_ns(void);
u64 quiet_ns(void);

/* Run the tests that the arguments choose; the number of failed ones. */
int harness_run(void);

struct jump {
	u32 eip, esp, ebx, esi, edi, ebp;
};

int jump_save(struct jump *j) __attribute__((returns_twice));
void jump_restore(struct jump *j, int value) __noreturn;

/* Per-CPU: allow SSE for the 8-byte accesses in mmio.h. */
void cpu_features_enable(void);

#endif
