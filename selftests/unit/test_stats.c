// SPDX-License-Identifier: GPL-2.0
/* What a disk did, as sysfs shows it: driver/stats.c. */
#include <linux/err.h>

#include "harness.h"
#include "stats.h"

FIXTURE(stats)
{
	struct kobject parent;
	struct ioemu_stats *s;
	char text[4096];
};

FIXTURE_SETUP(stats)
{
	self->s = ioemu_stats_create(&self->parent, 11);
	ASSERT_TRUE(!IS_ERR(self->s));
}

FIXTURE_TEARDOWN(stats)
{
	ioemu_stats_destroy(self->s);
}

TEST_F(stats, directory)
{
	EXPECT_TRUE(!strcmp(self->s->kobj.name, "disk11"));
	EXPECT_TRUE(self->s->kobj.parent == &self->parent);
}

TEST_F(stats, counters_by_name)
{
	ioemu_stats_add(self->s, IOEMU_READS, 2);
	ioemu_stats_add(self->s, IOEMU_READ_BYTES, 1ull << 40);
	ioemu_stats_add(self->s, IOEMU_IN_FLIGHT, 3);
	ioemu_stats_add(self->s, IOEMU_IN_FLIGHT, -1);
	ioemu_stats_add(self->s, IOEMU_THROTTLED, 7);
	EXPECT_EQ(2, ioemu_stats_sum(self->s, IOEMU_IN_FLIGHT));
	ASSERT_TRUE(standin_kobject_read(&self->s->kobj, "stat", self->text) > 0);
	EXPECT_TRUE(!strcmp(self->text,
			    "reads 2\nread_bytes 1099511627776\nwrites 0\n"
			    "write_bytes 0\nflushes 0\ndiscards 0\ndiscard_bytes 0\n"
			    "write_zeroes 0\nwrite_zeroes_bytes 0\nerrors 0\n"
			    "in_flight 2\nbounced 0\nthrottled 7\n"));
}

/* One that began behind the reader's back, and ended before its eyes */
TEST_F(stats, no_fewer_than_none_in_flight)
{
	ioemu_stats_add(self->s, IOEMU_IN_FLIGHT, -1);
	ASSERT_TRUE(standin_kobject_read(&self->s->kobj, "stat", self->text) > 0);
	EXPECT_TRUE(!!strstr(self->text, "\nin_flight 0\n"));
	EXPECT_EQ(-1, (s64)ioemu_stats_sum(self->s, IOEMU_IN_FLIGHT));
}

/* The number at place @n of the line that begins with @stage. */
static unsigned long long bucket(const char *text, const char *stage,
				 unsigned int n)
{
	const char *p = strstr(text, stage);

	if (!p)
		return -1ull;
	for (p += strlen(stage); n && p; n--)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : -1ull;
}

TEST_F(stats, times_by_powers_of_two)
{
	ioemu_stats_latency(self->s, IOEMU_STAGE_DISK, 0);
	ioemu_stats_latency(self->s, IOEMU_STAGE_DISK, 1);
	ioemu_stats_latency(self->s, IOEMU_STAGE_DISK, 1023);
	ioemu_stats_latency(self->s, IOEMU_STAGE_DISK, 1024);
	ioemu_stats_latency(self->s, IOEMU_STAGE_POST, U64_MAX);
	ASSERT_TRUE(standin_kobject_read(&self->s->kobj, "latency",
					 self->text) > 0);
	EXPECT_EQ(2, bucket(self->text, "\ndisk ", 0));
	EXPECT_EQ(1, bucket(self->text, "\ndisk ", 9));
	EXPECT_EQ(1, bucket(self->text, "\ndisk ", 10));
	EXPECT_EQ(0, bucket(self->text, "\ndisk ", 11));
	EXPECT_EQ(1, bucket(self->text, "\npost ", IOEMU_BUCKETS - 1));
}

TEST_F(stats, times_add_up)
{
	ioemu_stats_latency(self->s, IOEMU_STAGE_FETCH, 7);
	ioemu_stats_latency(self->s, IOEMU_STAGE_DISK, 0);
	ioemu_stats_latency(self->s, IOEMU_STAGE_DISK, 1023);
	ioemu_stats_latency(self->s, IOEMU_STAGE_DISK, 1ull << 40);
	ASSERT_TRUE(standin_kobject_read(&self->s->kobj, "latency_sum",
					 self->text) > 0);
	EXPECT_EQ(0, strcmp(self->text,
			    "fetch 7\nsubmit 0\ndisk 1099511628799\npost 0\ntotal 0\n"));
}

/* As much as there can be is less than what a file of sysfs can show. */
TEST_F(stats, largest_numbers_fit)
{
	unsigned int i, k;
	ssize_t n;

	for (i = 0; i < IOEMU_STAGES; i++)
		for (k = 0; k < IOEMU_BUCKETS; k++)
			self->s->cpu->latency[i][k] = U64_MAX;
	n = standin_kobject_read(&self->s->kobj, "latency", self->text);
	EXPECT_TRUE(n > 0 && n < 4095 && self->text[n - 1] == '\n');
}

TEST(no_memory)
{
	struct kobject parent = {};
	struct ioemu_stats *s;
	unsigned int n;

	for (n = 1; n < 10; n++) {
		standin_fail_alloc(n, false);
		s = ioemu_stats_create(&parent, 0);
		standin_fail_alloc(0, false);
		if (!IS_ERR(s))
			break;
		EXPECT_EQ(-ENOMEM, PTR_ERR(s));
	}
	EXPECT_EQ(4, n);
	ioemu_stats_destroy(s);
}

TEST(what_a_controller_costs)
{
	struct ioemu_ctrl_stats *s;
	struct kobject parent = {};
	unsigned int n;
	char text[4096];

	for (n = 1; n < 10; n++) {
		standin_fail_alloc(n, false);
		s = ioemu_ctrl_stats_create(&parent);
		standin_fail_alloc(0, false);
		if (!IS_ERR(s))
			break;
		EXPECT_EQ(-ENOMEM, PTR_ERR(s));
	}
	EXPECT_EQ(4, n);
	EXPECT_TRUE(!strcmp(s->kobj.name, "controller"));
	this_cpu_add(s->exits->commands, 3);
	this_cpu_add(s->exits->doorbells, 1ull << 40);
	this_cpu_inc(s->exits->interrupts);
	ASSERT_TRUE(standin_kobject_read(&s->kobj, "stat", text) > 0);
	EXPECT_TRUE(!strcmp(text, "commands 3\ndoorbells 1099511627776\ninterrupts 1\n"));
	ioemu_ctrl_stats_destroy(s);
}
