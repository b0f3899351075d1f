// SPDX-License-Identifier: GPL-2.0
/*
 * The I/O address map of a domain.
 *
 * All regions stand in one table, grouped by type and sorted by address. A
 * table that was published is never written: a change fills the spare table,
 * publishes it, and what was published becomes the spare. Two tables of one
 * capacity exist at any time, so that removing a region cannot fail.
 *
 * Lookups are under RCU and cost one binary search; the bounds stand in the
 * table itself, so that a miss touches no device's memory.
 *
 * Lock order: config_sem -> (a PCI function's own mutex) -> lock.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/pci_regs.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <ioemu/iospace.h>

#define TABLE_MIN_CAPACITY	8
#define PORT_MAX		0xffffULL
#define SBDF_MAX		0xffffffffULL

/* Bounds are copies of the region's, which are fixed while it is added. */
struct io_entry {
	u64 start;
	u64 end;
	struct ioemu_io_region *region;
};

/**
 * struct ioemu_io_table - all regions at one moment
 * @rcu: to free it behind the backs of readers
 * @first: index of each type's first entry; the last element is the number of
 *         all entries
 * @capacity: size of @entries
 * @entries: sorted by type, then by address; no two overlap
 */
struct ioemu_io_table {
	struct rcu_head rcu;
	unsigned int first[IOEMU_IO_TYPES + 1];
	unsigned int capacity;
	struct io_entry entries[];
};

static struct ioemu_io_table *table_alloc(unsigned int capacity)
{
	struct ioemu_io_table *table;

	table = kzalloc(struct_size(table, entries, capacity), GFP_KERNEL);
	if (table)
		table->capacity = capacity;
	return table;
}

/* Index of the first entry of @type that starts above @addr. */
static unsigned int table_above(const struct ioemu_io_table *table,
				enum ioemu_io_type type, u64 addr)
{
	unsigned int low = table->first[type];
	unsigned int high = table->first[type + 1];

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (table->entries[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The region that holds all bytes from @addr to @last. */
static struct ioemu_io_region *table_find(const struct ioemu_io_table *table,
					  enum ioemu_io_type type, u64 addr,
					  u64 last)
{
	unsigned int above = table_above(table, type, addr);
	const struct io_entry *entry;

	if (above == table->first[type])
		return NULL;
	entry = &table->entries[above - 1];
	return last <= entry->end ? entry->region : NULL;
}

static struct ioemu_io_table *current_table(struct ioemu_iospace *space)
{
	return rcu_dereference_protected(space->table,
					 lockdep_is_held(&space->lock));
}

/* The spare table, once nobody reads it any more. */
static struct ioemu_io_table *quiet_spare(struct ioemu_iospace *space)
{
	lockdep_assert_held(&space->lock);

	cond_synchronize_rcu(space->spare_gp);
	return space->spare;
}

/* Make the filled spare the table that lookups see. */
static void publish_spare(struct ioemu_iospace *space)
{
	struct ioemu_io_table *old = current_table(space);

	/*
	 * Publishes the entries and the regions that they point to. Pairs with
	 * rcu_dereference() in the lookups.
	 */
	rcu_assign_pointer(space->table, space->spare);
	space->spare = old;
	space->spare_gp = get_state_synchronize_rcu();
}

/* Make room for one more entry in both tables. */
static int reserve(struct ioemu_iospace *space)
{
	struct ioemu_io_table *old = current_table(space);
	struct ioemu_io_table *table, *spare;
	unsigned int nr = old->first[IOEMU_IO_TYPES];
	unsigned int capacity = old->capacity * 2;

	if (nr < old->capacity)
		return 0;

	table = table_alloc(capacity);
	if (!table)
		return -ENOMEM;
	spare = table_alloc(capacity);
	if (!spare) {
		kfree(table);
		return -ENOMEM;
	}

	memcpy(table->first, old->first, sizeof(table->first));
	memcpy(table->entries, old->entries, nr * sizeof(old->entries[0]));
	rcu_assign_pointer(space->table, table);
	kfree_rcu(old, rcu);
	kfree_rcu(space->spare, rcu);
	space->spare = spare;
	space->spare_gp = get_completed_synchronize_rcu();
	return 0;
}

static void insert_entry(struct ioemu_iospace *space,
			 struct ioemu_io_region *region, unsigned int index)
{
	const struct ioemu_io_table *from = current_table(space);
	struct ioemu_io_table *to = quiet_spare(space);
	unsigned int nr = from->first[IOEMU_IO_TYPES];
	unsigned int type;

	memcpy(to->entries, from->entries, index * sizeof(to->entries[0]));
	memcpy(&to->entries[index + 1], &from->entries[index],
	       (nr - index) * sizeof(to->entries[0]));
	to->entries[index] = (struct io_entry) {
		.start	= region->start,
		.end	= region->end,
		.region	= region,
	};
	for (type = 0; type <= IOEMU_IO_TYPES; type++)
		to->first[type] = from->first[type] + (type > region->type);
	publish_spare(space);
}

static void delete_entry(struct ioemu_iospace *space,
			 enum ioemu_io_type of, unsigned int index)
{
	const struct ioemu_io_table *from = current_table(space);
	struct ioemu_io_table *to = quiet_spare(space);
	unsigned int nr = from->first[IOEMU_IO_TYPES];
	unsigned int type;

	memcpy(to->entries, from->entries, index * sizeof(to->entries[0]));
	memcpy(&to->entries[index], &from->entries[index + 1],
	       (nr - index - 1) * sizeof(to->entries[0]));
	for (type = 0; type <= IOEMU_IO_TYPES; type++)
		to->first[type] = from->first[type] - (type > of);
	publish_spare(space);
}

static bool region_valid(const struct ioemu_io_region *region)
{
	if (!region->ops || region->end < region->start)
		return false;

	switch (region->type) {
	case IOEMU_IO_PORT:
		return region->end <= PORT_MAX;
	case IOEMU_IO_MEMORY:
		return true;
	case IOEMU_IO_PCI:
		return region->start == region->end && region->end <= SBDF_MAX;
	}
	return false;
}

static int add_locked(struct ioemu_iospace *space,
		      struct ioemu_io_region *region)
{
	enum ioemu_io_type type = region->type;
	const struct ioemu_io_table *table;
	unsigned int above;
	int ret;

	lockdep_assert_held(&space->lock);

	table = current_table(space);
	if (table->first[type + 1] - table->first[type] >= IOEMU_IO_MAX_RANGES)
		return -ENOSPC;

	/* Everything below @above starts at or below the region's last byte. */
	above = table_above(table, type, region->end);
	if (above > table->first[type] &&
	    table->entries[above - 1].end >= region->start)
		return -EBUSY;

	ret = reserve(space);
	if (ret)
		return ret;

	/*
	 * Visible before it is claimed: the guest may touch the range as soon
	 * as the hypervisor knows of it.
	 */
	insert_entry(space, region, above);
	ret = space->ops->map(space->owner, type, region->start, region->end);
	if (ret) {
		delete_entry(space, type, above);
		synchronize_rcu();
	}
	return ret;
}

static void remove_locked(struct ioemu_iospace *space,
			  struct ioemu_io_region *region)
{
	const struct ioemu_io_table *table;
	unsigned int above;

	lockdep_assert_held(&space->lock);

	table = current_table(space);
	above = table_above(table, region->type, region->start);
	if (WARN_ON_ONCE(above == table->first[region->type] ||
			 table->entries[above - 1].region != region))
		return;

	space->ops->unmap(space->owner, region->type, region->start,
			  region->end);
	delete_entry(space, region->type, above - 1);
}

/**
 * ioemu_iospace_init() - make an empty address map
 * @space: address map
 * @ops: claims ranges
 * @owner: first argument of @ops
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int ioemu_iospace_init(struct ioemu_iospace *space,
		       const struct ioemu_iospace_ops *ops, void *owner)
{
	struct ioemu_io_table *table;

	table = table_alloc(TABLE_MIN_CAPACITY);
	if (!table)
		return -ENOMEM;
	space->spare = table_alloc(TABLE_MIN_CAPACITY);
	if (!space->spare) {
		kfree(table);
		return -ENOMEM;
	}
	space->spare_gp = get_completed_synchronize_rcu();
	space->ops = ops;
	space->owner = owner;
	mutex_init(&space->lock);
	init_rwsem(&space->config_sem);
	RCU_INIT_POINTER(space->table, table);
	return 0;
}

/**
 * ioemu_iospace_destroy() - undo ioemu_iospace_init()
 * @space: address map without regions, which nobody looks into any more
 *
 * Context: process context.
 */
void ioemu_iospace_destroy(struct ioemu_iospace *space)
{
	struct ioemu_io_table *table;

	table = rcu_dereference_protected(space->table, true);
	WARN_ON_ONCE(table->first[IOEMU_IO_TYPES]);
	RCU_INIT_POINTER(space->table, NULL);
	kfree(table);
	kfree(space->spare);
	space->spare = NULL;
	mutex_destroy(&space->lock);
}

int ioemu_iospace_add(struct ioemu_iospace *space,
		      struct ioemu_io_region *region)
{
	bool config = region->type == IOEMU_IO_PCI;
	int ret;

	if (!region_valid(region))
		return -EINVAL;

	if (config)
		down_write(&space->config_sem);
	mutex_lock(&space->lock);
	ret = add_locked(space, region);
	mutex_unlock(&space->lock);
	if (config)
		up_write(&space->config_sem);
	return ret;
}

void ioemu_iospace_remove(struct ioemu_iospace *space,
			  struct ioemu_io_region *region)
{
	bool config = region->type == IOEMU_IO_PCI;

	/*
	 * Whoever is in the region's operations holds config_sem, or is within
	 * an RCU read section.
	 */
	if (config)
		down_write(&space->config_sem);
	mutex_lock(&space->lock);
	remove_locked(space, region);
	mutex_unlock(&space->lock);
	if (config)
		up_write(&space->config_sem);
	else
		synchronize_rcu();
}

static bool size_valid(unsigned int size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static u64 all_ones(unsigned int size)
{
	return size < 8 ? (1ULL << 8 * size) - 1 : ~0ULL;
}

/*
 * The configuration region of an access. Regions of that type stay while
 * config_sem is held; RCU guards the table, which BAR moves replace meanwhile.
 */
static struct ioemu_io_region *find_config(struct ioemu_iospace *space,
					   u64 addr, unsigned int size)
{
	const struct ioemu_io_table *table;
	struct ioemu_io_region *region;
	u32 offset = addr;

	lockdep_assert_held(&space->config_sem);

	if (!size_valid(size) || offset > PCI_CFG_SPACE_EXP_SIZE - size)
		return NULL;

	rcu_read_lock();
	table = rcu_dereference(space->table);
	region = table_find(table, IOEMU_IO_PCI, addr >> 32, addr >> 32);
	rcu_read_unlock();
	return region;
}

/* The memory or port region of an access, in an RCU read section. */
static struct ioemu_io_region *find_fast(struct ioemu_iospace *space,
					 enum ioemu_io_type type, u64 addr,
					 unsigned int size)
{
	u64 last = addr + size - 1;

	if (!size_valid(size) || last < addr)
		return NULL;
	return table_find(rcu_dereference(space->table), type, addr, last);
}

enum ioemu_io_result ioemu_iospace_read(struct ioemu_iospace *space,
					enum ioemu_io_type type, u64 addr,
					unsigned int size, bool may_sleep,
					u64 *value)
{
	struct ioemu_io_region *region = NULL;

	switch (type) {
	case IOEMU_IO_PORT:
	case IOEMU_IO_MEMORY:
		rcu_read_lock();
		region = find_fast(space, type, addr, size);
		if (region)
			*value = region->ops->read(region, addr - region->start,
						   size) & all_ones(size);
		rcu_read_unlock();
		break;
	case IOEMU_IO_PCI:
		if (!may_sleep)
			return IOEMU_IO_SLEEPS;
		down_read(&space->config_sem);
		region = find_config(space, addr, size);
		if (region)
			*value = region->ops->read(region, (u32)addr, size) &
				 all_ones(size);
		up_read(&space->config_sem);
		break;
	}

	if (region)
		return IOEMU_IO_DONE;
	*value = all_ones(size);
	return IOEMU_IO_UNCLAIMED;
}

enum ioemu_io_result ioemu_iospace_write(struct ioemu_iospace *space,
					 enum ioemu_io_type type, u64 addr,
					 unsigned int size, bool may_sleep,
					 u64 value)
{
	struct ioemu_io_region *region = NULL;

	value &= all_ones(size);
	switch (type) {
	case IOEMU_IO_PORT:
	case IOEMU_IO_MEMORY:
		rcu_read_lock();
		region = find_fast(space, type, addr, size);
		if (region)
			region->ops->write(region, addr - region->start, size,
					   value);
		rcu_read_unlock();
		break;
	case IOEMU_IO_PCI:
		if (!may_sleep)
			return IOEMU_IO_SLEEPS;
		down_read(&space->config_sem);
		region = find_config(space, addr, size);
		if (region)
			region->ops->write(region, (u32)addr, size, value);
		up_read(&space->config_sem);
		break;
	}

	return region ? IOEMU_IO_DONE : IOEMU_IO_UNCLAIMED;
}
