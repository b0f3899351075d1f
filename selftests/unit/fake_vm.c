// SPDX-License-Identifier: GPL-2.0
/* See fake_vm.h. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include <standin/locks.h>
#include <standin/mem.h>
#include <standin/sched.h>

#include "fake_vm.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAKE_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FAKE_ASAN
#endif
#ifdef FAKE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)		((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n)	((void)(p), (void)(n))
#endif

#define MAX_RANGES	(IOEMU_IO_TYPES * IOEMU_IO_MAX_RANGES)
/* Frames in the driver's view stand this far apart, with nothing between. */
#define STRIDE		(2 * PAGE_SIZE)

/*
 * A frame of guest memory. The guest's view and the driver's are two mappings of
 * one page. @refs: the domain, and each map through which it was looked up.
 * @used: somebody may have written to it since it was cleared.
 */
struct frame {
	struct page page;
	u8 *guest;
	unsigned int slot;
	unsigned int refs;
	unsigned int maps;
	bool used;
};

struct ioemu_gmap {
	struct ioemu_vm *vm;
	struct frame **seen;
	int refs;
	struct ioemu_gmap *next;
};

struct range {
	enum ioemu_io_type type;
	u64 start, end;
};

struct ioemu_vm {
	struct ioemu_iospace space;
	pthread_mutex_t mutex;

	/* Memory: a pool of slots, twice as many as frames, in two views. */
	unsigned int nr_frames;
	unsigned int nr_slots;
	int fd;
	u8 *guest_view;
	u8 *driver_view;
	struct frame *slots;
	struct frame **frames;
	u8 *dirty;
	struct ioemu_gmap *current_map;
	struct ioemu_gmap *maps;
	unsigned long fail_pages;
	int fail_pages_error;

	struct fake_msi *msi;
	unsigned int nr_msi;
	void (*msi_hook)(void *arg, u64 addr, u32 data);
	void *msi_hook_arg;
	void (*dirty_hook)(void *arg, u64 gfn);
	void *dirty_hook_arg;
	void (*lookup_hook)(void *arg);
	void *lookup_hook_arg;
	bool intx[FAKE_VM_SLOTS][FAKE_VM_PINS];
	unsigned int nr_intx;

	struct range ranges[MAX_RANGES];
	unsigned int nr_ranges;
	int fail_claims[IOEMU_IO_TYPES];
	bool claimed;
};

/* Everything below the locks of the driver: a plain mutex of its own. */
static void enter(struct ioemu_vm *vm)
{
	pthread_mutex_lock(&vm->mutex);
}

static void leave(struct ioemu_vm *vm)
{
	pthread_mutex_unlock(&vm->mutex);
}

/* ---- claims ------------------------------------------------------------ */

static int claim(void *owner, enum ioemu_io_type type, u64 start, u64 end)
{
	struct ioemu_vm *vm = owner;
	unsigned int i, of_type = 0;

	standin_might_sleep(__func__);
	if (vm->fail_claims[type])
		return vm->fail_claims[type];
	for (i = 0; i < vm->nr_ranges; i++) {
		const struct range *r = &vm->ranges[i];

		if (r->type != type)
			continue;
		of_type++;
		if (r->start <= end && start <= r->end)
			standin_fail("range claimed twice: type %u %#llx-%#llx",
				     type, start, end);
	}
	if (of_type >= IOEMU_IO_MAX_RANGES)
		standin_fail("too many ranges of type %u claimed", type);
	if (vm->nr_ranges == MAX_RANGES)
		return -ENOSPC;
	vm->ranges[vm->nr_ranges++] = (struct range) { type, start, end };
	return 0;
}

static void unclaim(void *owner, enum ioemu_io_type type, u64 start, u64 end)
{
	struct ioemu_vm *vm = owner;
	unsigned int i;

	standin_might_sleep(__func__);
	for (i = 0; i < vm->nr_ranges; i++) {
		struct range *r = &vm->ranges[i];

		if (r->type == type && r->start == start && r->end == end) {
			*r = vm->ranges[--vm->nr_ranges];
			return;
		}
	}
	standin_fail("range given back that was not claimed: type %u %#llx-%#llx",
		     type, start, end);
}

static const struct ioemu_iospace_ops space_ops = {
	.map	= claim,
	.unmap	= unclaim,
};

unsigned int fake_vm_nr_ranges(struct ioemu_vm *vm)
{
	return vm->nr_ranges;
}

bool fake_vm_has_range(struct ioemu_vm *vm, enum ioemu_io_type type, u64 start,
		       u64 end)
{
	unsigned int i;

	for (i = 0; i < vm->nr_ranges; i++)
		if (vm->ranges[i].type == type &&
		    vm->ranges[i].start == start && vm->ranges[i].end == end)
			return true;
	return false;
}

void fake_vm_fail_claims(struct ioemu_vm *vm, enum ioemu_io_type type,
			 int error)
{
	vm->fail_claims[type] = error;
}

/* ---- guest memory ------------------------------------------------------ */

static void frame_put(struct frame *f)
{
	f->refs--;
}

static struct frame *frame_new(struct ioemu_vm *vm, u64 gfn)
{
	unsigned int i;

	for (i = 0; i < vm->nr_slots; i++) {
		struct frame *f = &vm->slots[i];

		if (f->refs)
			continue;
		f->refs = 1;
		f->maps = 0;
		f->page.index = gfn;
		if (f->used)
			memset(f->guest, 0, PAGE_SIZE);
		f->used = false;
		return f;
	}
	standin_die("fake_vm: no memory left for another frame");
}

static void map_drop(struct ioemu_vm *vm, struct ioemu_gmap *map)
{
	struct ioemu_gmap **link = &vm->maps;
	unsigned int i;

	while (*link != map)
		link = &(*link)->next;
	*link = map->next;
	for (i = 0; i < vm->nr_frames; i++) {
		struct frame *f = map->seen[i];

		if (!f)
			continue;
		if (!--f->maps)
			ASAN_POISON_MEMORY_REGION(f->page.virtual, PAGE_SIZE);
		frame_put(f);
	}
	free(map->seen);
	free(map);
}

static struct ioemu_gmap *map_new(struct ioemu_vm *vm)
{
	struct ioemu_gmap *map = calloc(1, sizeof(*map));

	map->seen = calloc(vm->nr_frames + 1, sizeof(*map->seen));
	map->vm = vm;
	map->refs = 1;
	map->next = vm->maps;
	vm->maps = map;
	return map;
}

static void map_put(struct ioemu_gmap *map)
{
	struct ioemu_vm *vm = map->vm;

	if (map->refs <= 0)
		standin_die("gmap: dropped below zero");
	if (!--map->refs)
		map_drop(vm, map);
}

struct ioemu_gmap *ioemu_vm_gmap_get(struct ioemu_vm *vm)
{
	struct ioemu_gmap *map;

	enter(vm);
	map = vm->current_map;
	if (map)
		map->refs++;
	leave(vm);
	return map;
}

void ioemu_gmap_get(struct ioemu_gmap *map)
{
	struct ioemu_vm *vm = map->vm;

	enter(vm);
	/* One reference of the current map is the domain's own. */
	if (map->refs <= (map == vm->current_map))
		standin_die("gmap: taken when it was not held");
	map->refs++;
	leave(vm);
}

void ioemu_gmap_put(struct ioemu_gmap *map)
{
	struct ioemu_vm *vm = map->vm;

	enter(vm);
	if (map == vm->current_map && map->refs == 1)
		standin_die("gmap: dropped when it was not held");
	map_put(map);
	leave(vm);
}

int ioemu_gmap_pages(struct ioemu_gmap *map, const u64 *gfns, unsigned int nr,
		     struct page **pages)
{
	struct ioemu_vm *vm = map->vm;
	unsigned int i;
	int ret = 0;

	standin_might_sleep(__func__);
	enter(vm);
	if (map->refs <= (map == vm->current_map))
		standin_die("gmap: used when it was not held");
	if (vm->fail_pages && !--vm->fail_pages) {
		ret = vm->fail_pages_error;
		goto out;
	}
	if (!vm->current_map) {
		ret = -ESHUTDOWN;
		goto out;
	}
	for (i = 0; i < nr; i++) {
		u64 gfn = READ_ONCE(gfns[i]);
		struct frame *f;

		if (gfn >= vm->nr_frames) {
			ret = -EFAULT;
			goto out;
		}
		f = map->seen[gfn];
		if (!f) {
			f = vm->frames[gfn];
			if (!f) {
				ret = -EFAULT;
				goto out;
			}
			map->seen[gfn] = f;
			f->used = true;
			f->refs++;
			if (!f->maps++)
				ASAN_UNPOISON_MEMORY_REGION(f->page.virtual,
							    PAGE_SIZE);
		}
		pages[i] = &f->page;
	}
out:
	leave(vm);
	if (vm->lookup_hook)
		vm->lookup_hook(vm->lookup_hook_arg);
	return ret;
}

void ioemu_gmap_dirty(struct ioemu_gmap *map, u64 gfn, unsigned int nr)
{
	struct ioemu_vm *vm = map->vm;

	enter(vm);
	if (map->refs <= (map == vm->current_map))
		standin_die("gmap: used when it was not held");
	for (; nr--; gfn++) {
		if (gfn >= vm->nr_frames || !map->seen[gfn])
			standin_fail("frame %#llx reported as written, never looked up",
				     gfn);
		else
			vm->dirty[gfn] = 1;
	}
	leave(vm);
	if (vm->dirty_hook)
		vm->dirty_hook(vm->dirty_hook_arg, gfn - 1);
}

void *fake_vm_ptr(struct ioemu_vm *vm, u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT;

	if (gfn >= vm->nr_frames || !vm->frames[gfn])
		return NULL;
	vm->frames[gfn]->used = true;
	return vm->frames[gfn]->guest + offset_in_page(gpa);
}

static bool copy(struct ioemu_vm *vm, u64 gpa, u8 *to, const u8 *from, int fill,
		 size_t n)
{
	while (n) {
		size_t part = min(n, PAGE_SIZE - offset_in_page(gpa));
		u8 *p = fake_vm_ptr(vm, gpa);

		if (!p)
			return false;
		if (to) {
			memcpy(to, p, part);
			to += part;
		} else if (from) {
			memcpy(p, from, part);
			from += part;
		} else {
			memset(p, fill, part);
		}
		gpa += part;
		n -= part;
	}
	return true;
}

bool fake_vm_write(struct ioemu_vm *vm, u64 gpa, const void *from, size_t n)
{
	return copy(vm, gpa, NULL, from, 0, n);
}

bool fake_vm_read(struct ioemu_vm *vm, u64 gpa, void *to, size_t n)
{
	return copy(vm, gpa, to, NULL, 0, n);
}

bool fake_vm_set(struct ioemu_vm *vm, u64 gpa, u8 value, size_t n)
{
	return copy(vm, gpa, NULL, NULL, value, n);
}

void fake_vm_hole(struct ioemu_vm *vm, u64 gfn)
{
	enter(vm);
	if (gfn < vm->nr_frames && vm->frames[gfn]) {
		frame_put(vm->frames[gfn]);
		vm->frames[gfn] = NULL;
	}
	leave(vm);
}

void fake_vm_replace_map(struct ioemu_vm *vm)
{
	struct ioemu_gmap *old;

	enter(vm);
	old = vm->current_map;
	if (old) {
		vm->current_map = map_new(vm);
		map_put(old);
	}
	leave(vm);
}

void fake_vm_vanish(struct ioemu_vm *vm, u64 gfn)
{
	fake_vm_hole(vm, gfn);
	fake_vm_replace_map(vm);
}

void fake_vm_fill(struct ioemu_vm *vm, u64 gfn)
{
	enter(vm);
	if (gfn < vm->nr_frames && !vm->frames[gfn])
		vm->frames[gfn] = frame_new(vm, gfn);
	leave(vm);
}

void fake_vm_shutdown(struct ioemu_vm *vm)
{
	struct ioemu_gmap *old;

	enter(vm);
	old = vm->current_map;
	vm->current_map = NULL;
	if (old)
		map_put(old);
	leave(vm);
}

void fake_vm_fail_pages(struct ioemu_vm *vm, unsigned long nth, int error)
{
	vm->fail_pages = nth;
	vm->fail_pages_error = error;
}

long fake_vm_map_refs(struct ioemu_vm *vm)
{
	struct ioemu_gmap *map;
	long refs = vm->current_map ? -1 : 0;

	enter(vm);
	for (map = vm->maps; map; map = map->next)
		refs += map->refs;
	leave(vm);
	return refs;
}

bool fake_vm_dirty(struct ioemu_vm *vm, u64 gfn)
{
	return gfn < vm->nr_frames && vm->dirty[gfn];
}

void fake_vm_clear_dirty(struct ioemu_vm *vm)
{
	memset(vm->dirty, 0, vm->nr_frames);
}

/* ---- the domain -------------------------------------------------------- */

u16 ioemu_vm_domid(const struct ioemu_vm *vm)
{
	(void)vm;
	return 7;
}

struct ioemu_iospace *ioemu_vm_iospace(struct ioemu_vm *vm)
{
	return &vm->space;
}

void ioemu_vm_inject_msi(struct ioemu_vm *vm, u64 addr, u32 data)
{
	enter(vm);
	if (vm->nr_msi < FAKE_VM_MAX_MSI)
		vm->msi[vm->nr_msi] = (struct fake_msi) { addr, data };
	vm->nr_msi++;
	leave(vm);
	if (vm->msi_hook)
		vm->msi_hook(vm->msi_hook_arg, addr, data);
}

void ioemu_vm_set_intx(struct ioemu_vm *vm, unsigned int slot,
		       unsigned int pin, bool level)
{
	if (slot >= FAKE_VM_SLOTS || pin >= FAKE_VM_PINS) {
		standin_fail("no such pin: slot %u, pin %u", slot, pin);
		return;
	}
	enter(vm);
	vm->intx[slot][pin] = level;
	vm->nr_intx++;
	leave(vm);
}

unsigned int fake_vm_nr_msi(struct ioemu_vm *vm)
{
	return vm->nr_msi;
}

struct fake_msi fake_vm_msi(struct ioemu_vm *vm, unsigned int index)
{
	if (index >= vm->nr_msi || index >= FAKE_VM_MAX_MSI)
		return (struct fake_msi) { ~0ULL, ~0U };
	return vm->msi[index];
}

void fake_vm_clear_msi(struct ioemu_vm *vm)
{
	vm->nr_msi = 0;
}

unsigned int fake_vm_count_msi(struct ioemu_vm *vm, u64 addr, u32 data)
{
	unsigned int i, n = 0;

	for (i = 0; i < vm->nr_msi && i < FAKE_VM_MAX_MSI; i++)
		n += vm->msi[i].addr == addr && vm->msi[i].data == data;
	return n;
}

void fake_vm_on_msi(struct ioemu_vm *vm,
		    void (*hook)(void *arg, u64 addr, u32 data), void *arg)
{
	vm->msi_hook = hook;
	vm->msi_hook_arg = arg;
}

void fake_vm_on_dirty(struct ioemu_vm *vm, void (*hook)(void *arg, u64 gfn),
		      void *arg)
{
	vm->dirty_hook = hook;
	vm->dirty_hook_arg = arg;
}

void fake_vm_on_lookup(struct ioemu_vm *vm, void (*hook)(void *arg), void *arg)
{
	vm->lookup_hook = hook;
	vm->lookup_hook_arg = arg;
}

bool fake_vm_intx(struct ioemu_vm *vm, unsigned int slot, unsigned int pin)
{
	return vm->intx[slot][pin];
}

unsigned int fake_vm_nr_intx(struct ioemu_vm *vm)
{
	return vm->nr_intx;
}

static void fill_all(struct ioemu_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_frames; i++)
		if (!vm->frames[i])
			vm->frames[i] = frame_new(vm, i);
}

static void *view(struct ioemu_vm *vm, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)vm;
	if (p == MAP_FAILED)
		standin_die("fake_vm: mmap");
	return p;
}

static void *place(struct ioemu_vm *vm, u8 *at, unsigned int slot)
{
	void *p = mmap(at, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, vm->fd, slot * PAGE_SIZE);

	if (p == MAP_FAILED)
		standin_die("fake_vm: mmap");
	return p;
}

struct ioemu_vm *fake_vm_new(unsigned int nr_frames)
{
	struct ioemu_vm *vm = calloc(1, sizeof(*vm));
	unsigned int i;

	pthread_mutex_init(&vm->mutex, NULL);
	vm->nr_frames = nr_frames;
	vm->nr_slots = 2 * nr_frames + 1;
	vm->frames = calloc(nr_frames + 1, sizeof(*vm->frames));
	vm->dirty = calloc(nr_frames + 1, 1);
	vm->slots = calloc(vm->nr_slots, sizeof(*vm->slots));
	vm->msi = calloc(FAKE_VM_MAX_MSI, sizeof(*vm->msi));
	vm->fd = memfd_create("guest", 0);
	if (vm->fd < 0 || ftruncate(vm->fd, vm->nr_slots * PAGE_SIZE))
		standin_die("fake_vm: memfd");
	vm->guest_view = view(vm, vm->nr_slots * PAGE_SIZE);
	vm->driver_view = view(vm, vm->nr_slots * STRIDE);
	for (i = 0; i < vm->nr_slots; i++) {
		struct frame *f = &vm->slots[i];

		f->slot = i;
		f->guest = place(vm, vm->guest_view + i * PAGE_SIZE, i);
		f->page.virtual = place(vm, vm->driver_view + i * STRIDE, i);
		ASAN_POISON_MEMORY_REGION(f->page.virtual, PAGE_SIZE);
	}
	fill_all(vm);
	vm->current_map = map_new(vm);
	standin_fail_alloc(0, false);
	if (ioemu_iospace_init(&vm->space, &space_ops, vm))
		standin_die("fake_vm: iospace");
	return vm;
}

static void check_balance(struct ioemu_vm *vm)
{
	unsigned int slot, pin;
	long refs = fake_vm_map_refs(vm);

	if (refs)
		standin_fail("%ld references on guest memory are left", refs);
	if (vm->nr_ranges)
		standin_fail("%u ranges are left", vm->nr_ranges);
	for (slot = 0; slot < FAKE_VM_SLOTS; slot++)
		for (pin = 0; pin < FAKE_VM_PINS; pin++)
			if (vm->intx[slot][pin])
				standin_fail("slot %u, pin %u is asserted", slot,
					     pin);
}

void fake_vm_reset(struct ioemu_vm *vm)
{
	unsigned int i;

	check_balance(vm);
	fake_vm_shutdown(vm);
	fill_all(vm);
	for (i = 0; i < vm->nr_frames; i++) {
		if (vm->frames[i]->used)
			memset(vm->frames[i]->guest, 0, PAGE_SIZE);
		vm->frames[i]->used = false;
	}
	vm->current_map = map_new(vm);
	fake_vm_clear_dirty(vm);
	vm->fail_pages = 0;
	vm->nr_msi = 0;
	vm->nr_intx = 0;
	vm->msi_hook = NULL;
	vm->dirty_hook = NULL;
	vm->lookup_hook = NULL;
	memset(vm->fail_claims, 0, sizeof(vm->fail_claims));
}

void fake_vm_free(struct ioemu_vm *vm)
{
	check_balance(vm);
	fake_vm_shutdown(vm);
	ioemu_iospace_destroy(&vm->space);
	ASAN_UNPOISON_MEMORY_REGION(vm->driver_view, vm->nr_slots * STRIDE);
	munmap(vm->driver_view, vm->nr_slots * STRIDE);
	munmap(vm->guest_view, vm->nr_slots * PAGE_SIZE);
	close(vm->fd);
	pthread_mutex_destroy(&vm->mutex);
	free(vm->frames);
	free(vm->dirty);
	free(vm->slots);
	free(vm->msi);
	free(vm);
}

/* ---- accesses ---------------------------------------------------------- */

u64 fake_vm_io_read(struct ioemu_vm *vm, enum ioemu_io_type type, u64 addr,
		    unsigned int size)
{
	enum ioemu_io_result result;
	u64 value = 0x5a5a5a5a5a5a5a5aULL;

	standin_irq_enter();
	result = ioemu_iospace_read(&vm->space, type, addr, size, false,
				    &value);
	standin_irq_exit();
	if (result == IOEMU_IO_SLEEPS)
		result = ioemu_iospace_read(&vm->space, type, addr, size, true,
					    &value);
	if (result == IOEMU_IO_SLEEPS)
		standin_fail("an access sleeps for ever");
	if (size < 8 && value >> (8 * size))
		standin_fail("a read of %u bytes returned %#llx", size, value);
	WRITE_ONCE(vm->claimed, result == IOEMU_IO_DONE);
	return value;
}

void fake_vm_io_write(struct ioemu_vm *vm, enum ioemu_io_type type, u64 addr,
		      unsigned int size, u64 value)
{
	enum ioemu_io_result result;

	standin_irq_enter();
	result = ioemu_iospace_write(&vm->space, type, addr, size, false,
				     value);
	standin_irq_exit();
	if (result == IOEMU_IO_SLEEPS)
		result = ioemu_iospace_write(&vm->space, type, addr, size, true,
					     value);
	if (result == IOEMU_IO_SLEEPS)
		standin_fail("an access sleeps for ever");
	WRITE_ONCE(vm->claimed, result == IOEMU_IO_DONE);
}

bool fake_vm_io_claimed(struct ioemu_vm *vm)
{
	return vm->claimed;
}

u64 fake_config_read(struct ioemu_vm *vm, unsigned int slot, unsigned int reg,
		     unsigned int size)
{
	return fake_vm_io_read(vm, IOEMU_IO_PCI, (u64)slot << 35 | reg, size);
}

void fake_config_write(struct ioemu_vm *vm, unsigned int slot, unsigned int reg,
		       unsigned int size, u64 value)
{
	fake_vm_io_write(vm, IOEMU_IO_PCI, (u64)slot << 35 | reg, size, value);
}
