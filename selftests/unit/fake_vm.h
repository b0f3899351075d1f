/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A domain for tests: <ioemu/vm.h> and <ioemu/guestmem.h> without a hypervisor.
 *
 * Guest memory is there twice: as the guest sees it, through the functions
 * below, and as the driver sees it, through struct page. In the driver's view
 * frames never adjoin, and a frame that no map holds is poisoned: use of a page
 * after ioemu_gmap_put() or beyond its end is caught.
 */
#ifndef FAKE_VM_H
#define FAKE_VM_H

#include <ioemu/guestmem.h>
#include <ioemu/iospace.h>
#include <ioemu/vm.h>

#define FAKE_VM_MAX_MSI		65536
#define FAKE_VM_SLOTS		32
#define FAKE_VM_PINS		4

struct fake_msi {
	u64 addr;
	u32 data;
};

/* A domain with @nr_frames of memory from address 0 on. */
struct ioemu_vm *fake_vm_new(unsigned int nr_frames);
/* Fails the test when a reference, a region or an asserted pin is left. */
void fake_vm_free(struct ioemu_vm *vm);
/* Put a domain that has no devices back to its first state; for fuzzers. */
void fake_vm_reset(struct ioemu_vm *vm);

/* ---- guest memory, the guest's view ------------------------------------ */

/* Where a guest address is; NULL in a hole. Valid up to the frame's end. */
void *fake_vm_ptr(struct ioemu_vm *vm, u64 gpa);
/* False when part of it is in a hole. */
bool fake_vm_write(struct ioemu_vm *vm, u64 gpa, const void *from, size_t n);
bool fake_vm_read(struct ioemu_vm *vm, u64 gpa, void *to, size_t n);
bool fake_vm_set(struct ioemu_vm *vm, u64 gpa, u8 value, size_t n);

/* A frame is not there, and never was. */
void fake_vm_hole(struct ioemu_vm *vm, u64 gfn);
/*
 * The guest gives a frame back: it becomes a hole, and a new map replaces the
 * current one. Who holds the old map may use the old page until it lets go.
 * The caller then tells the device (memory_changed), as the transport would.
 */
void fake_vm_vanish(struct ioemu_vm *vm, u64 gfn);
/* Put a fresh frame where a hole is. */
void fake_vm_fill(struct ioemu_vm *vm, u64 gfn);
/* A new map replaces the current one, with no frame changed. */
void fake_vm_replace_map(struct ioemu_vm *vm);
/* The domain goes away: no map any more. */
void fake_vm_shutdown(struct ioemu_vm *vm);
/* The @nth call of ioemu_gmap_pages() from now, 1 for the next, fails so. */
void fake_vm_fail_pages(struct ioemu_vm *vm, unsigned long nth, int error);

/* Called after each lookup of frames, when the caller is about to use them. */
void fake_vm_on_lookup(struct ioemu_vm *vm, void (*hook)(void *arg), void *arg);

/* References that devices hold, on all maps together. */
long fake_vm_map_refs(struct ioemu_vm *vm);
/* Was the frame reported as written? Cleared by fake_vm_clear_dirty(). */
bool fake_vm_dirty(struct ioemu_vm *vm, u64 gfn);
void fake_vm_clear_dirty(struct ioemu_vm *vm);
/* Called after each report, with the last frame of it. */
void fake_vm_on_dirty(struct ioemu_vm *vm, void (*hook)(void *arg, u64 gfn),
		      void *arg);

/* ---- interrupts -------------------------------------------------------- */

/* Messages since the last fake_vm_clear_msi(); only so many are kept. */
unsigned int fake_vm_nr_msi(struct ioemu_vm *vm);
struct fake_msi fake_vm_msi(struct ioemu_vm *vm, unsigned int index);
void fake_vm_clear_msi(struct ioemu_vm *vm);
unsigned int fake_vm_count_msi(struct ioemu_vm *vm, u64 addr, u32 data);
/* Called within each injection, in the caller's context. */
void fake_vm_on_msi(struct ioemu_vm *vm,
		    void (*hook)(void *arg, u64 addr, u32 data), void *arg);

bool fake_vm_intx(struct ioemu_vm *vm, unsigned int slot, unsigned int pin);
/* Level changes that were asked for, on all pins. */
unsigned int fake_vm_nr_intx(struct ioemu_vm *vm);

/* ---- accesses of the guest --------------------------------------------- */

/*
 * As the transport does it: in hard irq first, in process context when that is
 * asked for. Nobody answers: reads are all ones.
 */
u64 fake_vm_io_read(struct ioemu_vm *vm, enum ioemu_io_type type, u64 addr,
		    unsigned int size);
void fake_vm_io_write(struct ioemu_vm *vm, enum ioemu_io_type type, u64 addr,
		      unsigned int size, u64 value);
/* Did anybody answer the last access? */
bool fake_vm_io_claimed(struct ioemu_vm *vm);

#define fake_mmio_read(vm, addr, size)					\
	fake_vm_io_read(vm, IOEMU_IO_MEMORY, addr, size)
#define fake_mmio_write(vm, addr, size, value)				\
	fake_vm_io_write(vm, IOEMU_IO_MEMORY, addr, size, value)
#define fake_port_read(vm, addr, size)					\
	fake_vm_io_read(vm, IOEMU_IO_PORT, addr, size)
#define fake_port_write(vm, addr, size, value)				\
	fake_vm_io_write(vm, IOEMU_IO_PORT, addr, size, value)
u64 fake_config_read(struct ioemu_vm *vm, unsigned int slot, unsigned int reg,
		     unsigned int size);
void fake_config_write(struct ioemu_vm *vm, unsigned int slot, unsigned int reg,
		       unsigned int size, u64 value);

/* Ranges claimed from the hypervisor now, and is this one of them? */
unsigned int fake_vm_nr_ranges(struct ioemu_vm *vm);
bool fake_vm_has_range(struct ioemu_vm *vm, enum ioemu_io_type type, u64 start,
		       u64 end);
/* Claims of a type fail from now on; 0 ends it. */
void fake_vm_fail_claims(struct ioemu_vm *vm, enum ioemu_io_type type,
			 int error);

#endif /* FAKE_VM_H */
