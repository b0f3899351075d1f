// SPDX-License-Identifier: GPL-2.0
#include "fake_vm.h"
#include "harness.h"
TEST(x) { struct ioemu_vm *vm = fake_vm_new(4); EXPECT_EQ(0xff, fake_mmio_read(vm, 0, 1)); fake_vm_free(vm); }
