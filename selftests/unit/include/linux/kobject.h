/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in: a directory of sysfs, of which a test can read the files. */
#ifndef STANDIN_KOBJECT_H
#define STANDIN_KOBJECT_H

#include <standin/mem.h>
#include <linux/sysfs.h>

struct kobj_type;

struct kobject {
	struct kobject *parent;
	const struct kobj_type *ktype;
	char name[32];
	int refs;
	bool shown;
};

struct kobj_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr,
			char *buf);
	ssize_t (*store)(struct kobject *kobj, struct kobj_attribute *attr,
			 const char *buf, size_t n);
};

struct sysfs_ops {
	int unused;
};

struct kobj_type {
	void (*release)(struct kobject *kobj);
	const struct sysfs_ops *sysfs_ops;
	const struct attribute_group **default_groups;
};

static const struct sysfs_ops kobj_sysfs_ops __attribute__((unused));

static inline void kobject_put(struct kobject *k)
{
	if (!--k->refs && k->ktype)
		k->ktype->release(k);
}

static inline void kobject_del(struct kobject *k)
{
	k->shown = false;
}

/* Fails for want of memory, with a reference that is the caller's to drop. */
static inline int kobject_init_and_add(struct kobject *k,
				       const struct kobj_type *type,
				       struct kobject *parent, const char *fmt,
				       ...)
{
	void *memory = kzalloc(1, GFP_KERNEL);
	va_list args;

	k->refs = 1;
	k->ktype = type;
	k->parent = parent;
	va_start(args, fmt);
	vsnprintf(k->name, sizeof(k->name), fmt, args);
	va_end(args);
	k->shown = memory;
	kfree(memory);
	return memory ? 0 : -ENOMEM;
}

/* What the file shows, in @buf of a page; -1 if there is no such file. */
static inline ssize_t standin_kobject_read(struct kobject *k, const char *name,
					   char *buf)
{
	struct attribute **a;
	struct kobj_attribute *ka;

	if (!k->shown)
		return -1;
	for (a = k->ktype->default_groups[0]->attrs; *a; a++) {
		ka = container_of(*a, struct kobj_attribute, attr);
		if (!strcmp((*a)->name, name))
			return ka->show(k, ka, buf);
	}
	return -1;
}

#endif /* STANDIN_KOBJECT_H */
