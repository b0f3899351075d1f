/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests with TAP output.
 *
 *	TEST(name) { EXPECT_EQ(1, f()); }
 *
 *	FIXTURE(thing) { int x; };
 *	FIXTURE_SETUP(thing) { self->x = 1; }
 *	FIXTURE_TEARDOWN(thing) { }
 *	TEST_F(thing, name) { ASSERT_EQ(1, self->x); }
 *
 *	FIXTURE_VARIANT(thing) { int y; };
 *	FIXTURE_VARIANT_ADD(thing, one) { .y = 1 };
 *
 * variant->y is then there in set-up, test and teardown, and each test runs once
 * for each variant; a fixture with variants uses TEST_FV().
 *
 * Each test runs in a process of its own, so that one that crashes or leaks is
 * known by its name. A leak, a lock that is still held or a check of a stand-in
 * that failed fails the test too. EXPECT_* goes on after a failure, ASSERT_* goes
 * to the teardown.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <standin/hooks.h>
#include <standin/kernel.h>

struct harness_test {
	const char *fixture;
	const char *variant;
	const char *name;
	void (*run)(const void *variant);
	const void *variant_data;
	struct harness_test *next;
};

extern jmp_buf harness_out;
void harness_add(struct harness_test *t);
void harness_failed(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void harness_skip(const char *why) __attribute__((noreturn));

#define HARNESS_REGISTER(sym, fx, var, nm, fn, data)			\
	static struct harness_test sym = {				\
		.fixture = fx, .variant = var, .name = nm, .run = fn,	\
		.variant_data = data };					\
	__attribute__((constructor)) static void sym##_add(void)	\
	{ harness_add(&sym); }

#define TEST(nm)							\
	static void test_##nm(void);					\
	static void run_##nm(const void *v __attribute__((unused)))	\
	{ if (!setjmp(harness_out)) test_##nm(); }			\
	HARNESS_REGISTER(reg_##nm, NULL, NULL, #nm, run_##nm, NULL)	\
	static void test_##nm(void)

#define FIXTURE(fx)		struct fixture_##fx
#define FIXTURE_VARIANT(fx)	struct variant_##fx
#define FIXTURE_SETUP(fx)						\
	struct variant_##fx;						\
	static void setup_##fx(struct fixture_##fx *self,		\
		const struct variant_##fx *variant __attribute__((unused)))
#define FIXTURE_TEARDOWN(fx)						\
	static void teardown_##fx(struct fixture_##fx *self,		\
		const struct variant_##fx *variant __attribute__((unused)))

#define HARNESS_TEST_BODY(fx, nm)					\
	static void test_##fx##_##nm(struct fixture_##fx *self,		\
		const struct variant_##fx *variant);			\
	static void run_##fx##_##nm(const void *v)			\
	{								\
		static struct fixture_##fx self;			\
									\
		memset(&self, 0, sizeof(self));				\
		if (!setjmp(harness_out)) {				\
			setup_##fx(&self, v);				\
			test_##fx##_##nm(&self, v);			\
		}							\
		if (!setjmp(harness_out))				\
			teardown_##fx(&self, v);			\
	}
#define HARNESS_TEST_HEAD(fx, nm)					\
	static void test_##fx##_##nm(					\
		struct fixture_##fx *self __attribute__((unused)),	\
		const struct variant_##fx *variant __attribute__((unused)))

#define TEST_F(fx, nm)							\
	HARNESS_TEST_BODY(fx, nm)					\
	HARNESS_REGISTER(reg_##fx##_##nm, #fx, NULL, #nm,		\
			 run_##fx##_##nm, NULL)				\
	HARNESS_TEST_HEAD(fx, nm)

/* Variants are found at run time, by fixture. */
struct harness_variant {
	const char *fixture;
	const char *name;
	const void *data;
	struct harness_variant *next;
};

void harness_add_variant(struct harness_variant *v);
void harness_add_for_variants(struct harness_test *t);

#define FIXTURE_VARIANT_ADD(fx, nm)					\
	static const struct variant_##fx variant_##fx##_##nm;		\
	static struct harness_variant regv_##fx##_##nm = {		\
		.fixture = #fx, .name = #nm,				\
		.data = &variant_##fx##_##nm };				\
	__attribute__((constructor)) static void addv_##fx##_##nm(void)	\
	{ harness_add_variant(&regv_##fx##_##nm); }			\
	static const struct variant_##fx variant_##fx##_##nm =

#define TEST_FV(fx, nm)							\
	HARNESS_TEST_BODY(fx, nm)					\
	static struct harness_test reg_##fx##_##nm = {			\
		.fixture = #fx, .name = #nm, .run = run_##fx##_##nm };	\
	__attribute__((constructor)) static void reg_##fx##_##nm##_add(void)\
	{ harness_add_for_variants(&reg_##fx##_##nm); }			\
	HARNESS_TEST_HEAD(fx, nm)

#define HARNESS_COMPARE(a, op, b, out) do {				\
	__auto_type __e = (a);						\
	__auto_type __s = (b);						\
	if (!(__e op __s)) {						\
		harness_failed(__FILE__, __LINE__,			\
			"%s (0x%llx) " #op " %s (0x%llx)", #a,		\
			(unsigned long long)(uintptr_t)__e, #b,		\
			(unsigned long long)(uintptr_t)__s);		\
		out;							\
	} } while (0)
#define HARNESS_BOOL(c, want, out) do {					\
	if ((!!(c)) != (want)) {					\
		harness_failed(__FILE__, __LINE__, "%s is %s", #c,	\
			       (want) ? "false" : "true");		\
		out;							\
	} } while (0)
#define HARNESS_STR(a, b, want, out) do {				\
	const char *__e = (a), *__s = (b);				\
	if (!strcmp(__e, __s) != (want)) {				\
		harness_failed(__FILE__, __LINE__, "\"%s\" and \"%s\"", __e, __s);\
		out;							\
	} } while (0)
#define HARNESS_MEM(a, b, n, out) do {					\
	if (memcmp((a), (b), (n))) {					\
		harness_failed(__FILE__, __LINE__, "%s and %s differ", #a, #b);\
		out;							\
	} } while (0)
#define HARNESS_LEAVE	longjmp(harness_out, 1)

#define EXPECT_EQ(a, b)		HARNESS_COMPARE(a, ==, b, )
#define EXPECT_NE(a, b)		HARNESS_COMPARE(a, !=, b, )
#define EXPECT_LT(a, b)		HARNESS_COMPARE(a, <, b, )
#define EXPECT_LE(a, b)		HARNESS_COMPARE(a, <=, b, )
#define EXPECT_GT(a, b)		HARNESS_COMPARE(a, >, b, )
#define EXPECT_GE(a, b)		HARNESS_COMPARE(a, >=, b, )
#define EXPECT_NULL(a)		EXPECT_EQ((void *)(a), NULL)
#define EXPECT_TRUE(c)		HARNESS_BOOL(c, 1, )
#define EXPECT_FALSE(c)		HARNESS_BOOL(c, 0, )
#define EXPECT_STREQ(a, b)	HARNESS_STR(a, b, 1, )
#define EXPECT_STRNE(a, b)	HARNESS_STR(a, b, 0, )
#define EXPECT_MEMEQ(a, b, n)	HARNESS_MEM(a, b, n, )
#define ASSERT_EQ(a, b)		HARNESS_COMPARE(a, ==, b, HARNESS_LEAVE)
#define ASSERT_NE(a, b)		HARNESS_COMPARE(a, !=, b, HARNESS_LEAVE)
#define ASSERT_LT(a, b)		HARNESS_COMPARE(a, <, b, HARNESS_LEAVE)
#define ASSERT_LE(a, b)		HARNESS_COMPARE(a, <=, b, HARNESS_LEAVE)
#define ASSERT_GT(a, b)		HARNESS_COMPARE(a, >, b, HARNESS_LEAVE)
#define ASSERT_GE(a, b)		HARNESS_COMPARE(a, >=, b, HARNESS_LEAVE)
#define ASSERT_NULL(a)		ASSERT_EQ((void *)(a), NULL)
#define ASSERT_TRUE(c)		HARNESS_BOOL(c, 1, HARNESS_LEAVE)
#define ASSERT_FALSE(c)		HARNESS_BOOL(c, 0, HARNESS_LEAVE)
#define ASSERT_STREQ(a, b)	HARNESS_STR(a, b, 1, HARNESS_LEAVE)
#define ASSERT_MEMEQ(a, b, n)	HARNESS_MEM(a, b, n, HARNESS_LEAVE)
#define SKIP(why)		harness_skip(why)

#endif /* HARNESS_H */
