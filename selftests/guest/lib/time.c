// SPDX-License-Identifier: GPL-2.0
#include "time.h"
#include "io.h"
#include "string.h"
#include "xen.h"

#define PIT_HZ		1193182
#define PIT_MS		50
#define PIT_CH2		0x42
#define PIT_CMD		0x43
#define PORT_B		0x61

static u32 khz = 1000000;
static u32 mult;		/* ns per cycle, 22 fractional bits */
static u64 tsc_base;

/* Count the cycles of one shot of the PIT's channel 2. */
static u32 pit_calibrate(void)
{
	u32 ticks = PIT_HZ / 1000 * PIT_MS, tries = 0;
	u64 t0, t1;

	outb(PORT_B, (inb(PORT_B) & ~2) | 1);
	outb(PIT_CMD, 0xb0);		/* channel 2, both bytes, mode 0 */
	outb(PIT_CH2, (u8)ticks);
	outb(PIT_CH2, ticks >> 8);
	t0 = rdtsc();
	while (!(inb(PORT_B) & 0x20))
		if (++tries > 100000000)
			return 1000000;
	t1 = rdtsc();
	return (u32)div_u64(t1 - t0, PIT_MS, NULL);
}

void time_init(void)
{
	khz = xen_tsc_khz();
	if (!khz)
		khz = pit_calibrate();
	if (!khz)
		khz = 1000000;
	mult = (u32)div_u64(1000000ull << 22, khz, NULL);
	tsc_base = rdtsc();
}

u32 tsc_khz(void)
{
	return khz;
}

u64 cycles_to_ns(u64 cycles)
{
	return (((cycles >> 32) * mult) << 10) + (((cycles & 0xffffffff) * mult) >> 22);
}

u64 now_ns(void)
{
	u64 t = rdtsc();

	/* Another CPU's counter may be a little behind. */
	return t > tsc_base ? cycles_to_ns(t - tsc_base) : 0;
}

void wait_relax(u64 start_ns)
{
	u32 i;

	for (i = 0; i < 16; i++)
		cpu_pause();
	if (now_ns() - start_ns > NSEC_PER_MSEC)
		xen_yield();
}

void delay_ns(u64 ns)
{
	u64 start = now_ns();

	while (now_ns() - start < ns)
		wait_relax(start);
}
