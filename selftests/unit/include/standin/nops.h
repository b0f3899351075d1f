/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in, no meaning: what a test can do without. */
#ifndef STANDIN_NOPS_H
#define STANDIN_NOPS_H

#include <standin/types.h>

struct module;
struct device;
struct dentry;

#define debugfs_remove(d)		((void)(d))
#define THIS_MODULE			((struct module *)NULL)
#define MODULE_LICENSE(x)		struct standin_nop
#define MODULE_AUTHOR(x)		struct standin_nop
#define MODULE_DESCRIPTION(x)		struct standin_nop
#define MODULE_PARM_DESC(n, x)		struct standin_nop
#define MODULE_ALIAS(x)			struct standin_nop
#define MODULE_VERSION(x)		struct standin_nop
#define MODULE_IMPORT_NS(x)		struct standin_nop
#define module_param(n, t, p)		struct standin_nop
#define module_param_named(n, v, t, p)	struct standin_nop
/* Its operations and its variable, for tests that change it */
#define module_param_cb(n, o, v, p)					\
	extern const void *const standin_param_##n[2];			\
	const void *const standin_param_##n[2] = { o, v }
#define module_init(f)			struct standin_nop
#define module_exit(f)			struct standin_nop
#define EXPORT_SYMBOL(x)		struct standin_nop
#define EXPORT_SYMBOL_GPL(x)		struct standin_nop
#define try_module_get(m)		true
#define module_put(m)			((void)(m))

struct kernel_param;
struct kernel_param_ops {
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
};

static inline int param_set_uint_minmax(const char *val,
					const struct kernel_param *kp,
					unsigned int min, unsigned int max)
{
	return 0;
}

static inline int param_get_uint(char *buffer, const struct kernel_param *kp)
{
	return 0;
}

/* Trace events: nothing but the call that the driver makes. */
#define TP_PROTO(...)			__VA_ARGS__
#define TP_ARGS(...)			__VA_ARGS__
#define TP_STRUCT__entry(...)
#define TP_fast_assign(...)
#define TP_printk(...)
#define TP_CONDITION(...)
#define TRACE_DEFINE_ENUM(x)
#define DECLARE_EVENT_CLASS(name, ...)
#define DEFINE_EVENT(class, name, proto, args)				\
	static inline void trace_##name(proto) {}			\
	static inline bool trace_##name##_enabled(void) { return false; }
#define DEFINE_EVENT_PRINT(class, name, proto, args, print)		\
	DEFINE_EVENT(class, name, proto, args)
#define TRACE_EVENT(name, proto, args, ...)				\
	static inline void trace_##name(proto) {}			\
	static inline bool trace_##name##_enabled(void) { return false; }
#define TRACE_EVENT_CONDITION(name, proto, args, ...)			\
	TRACE_EVENT(name, proto, args)

#endif /* STANDIN_NOPS_H */
