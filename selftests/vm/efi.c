// SPDX-License-Identifier: GPL-2.0
/*
 * An EFI program: reads block 34 of the disk that it was loaded from, by way of
 * the firmware's own driver, sends the text there to the serial port, writes the
 * text in capitals to block 35, and turns the machine off.
 */
#include <efi.h>

static EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;

static char block[4096] __attribute__((aligned(4096)));

static void print(const char *s)
{
	for (; *s; s++)
		asm volatile("outb %0, %w1" : : "a"(*s), "Nd"(0x3f8));
}

static void print_number(UINT64 n)
{
	if (n >= 10)
		print_number(n / 10);
	print((char [2]){ (char)('0' + n % 10) });
}

static int failed(const char *what, EFI_STATUS status)
{
	if (!EFI_ERROR(status))
		return 0;
	print("failed: ");
	print(what);
	print(", error ");
	print_number(status & ~EFI_ERROR_MASK);
	print("\n");
	return 1;
}

/*
 * The whole disk, not the partition with this program; the disk is the only one
 * that the machine has.
 */
static EFI_BLOCK_IO *find_disk(EFI_BOOT_SERVICES *boot)
{
	EFI_BLOCK_IO *io, *disk = NULL;
	EFI_HANDLE *handles;
	UINTN n, i;

	if (failed("LocateHandleBuffer",
		   boot->LocateHandleBuffer(ByProtocol, &block_io_guid, NULL, &n,
					    &handles)))
		return NULL;
	for (i = 0; i < n; i++) {
		if (EFI_ERROR(boot->HandleProtocol(handles[i], &block_io_guid,
						   (void **)&io)) ||
		    io->Media->LogicalPartition || !io->Media->MediaPresent)
			continue;
		if (disk) {
			print("failed: there are several disks\n");
			return NULL;
		}
		disk = io;
	}
	if (!disk)
		print("failed: no disk\n");
	return disk;
}

static void use_disk(EFI_BLOCK_IO *io)
{
	UINTN size = io->Media->BlockSize;
	UINTN i;

	print("disk: ");
	print_number(io->Media->LastBlock + 1);
	print(" blocks of ");
	print_number(size);
	print("\n");
	if (size >= sizeof(block) ||
	    failed("read", io->ReadBlocks(io, io->Media->MediaId, 34, size, block)))
		return;
	block[size] = '\0';
	print(block);
	for (i = 0; i < size; i++)
		if (block[i] >= 'a' && block[i] <= 'z')
			block[i] -= 'a' - 'A';
	if (failed("write", io->WriteBlocks(io, io->Media->MediaId, 35, size,
					    block)) ||
	    failed("flush", io->FlushBlocks(io)))
		return;
	print("written\n");
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_BOOT_SERVICES *boot = system->BootServices;
	EFI_LOADED_IMAGE *loaded;
	EFI_BLOCK_IO *io;

	print("the EFI program runs\n");
	/* It came from a disk, not from memory or the network. */
	if (!failed("its image", boot->HandleProtocol(image, &loaded_image_guid,
						      (void **)&loaded)) &&
	    !failed("its device", boot->HandleProtocol(loaded->DeviceHandle,
						       &block_io_guid,
						       (void **)&io))) {
		io = find_disk(boot);
		if (io)
			use_disk(io);
	}
	system->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
	for (;;)
		asm volatile("hlt");
}
