/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that hold a disk in a format of their own.
 */
#ifndef XEN_IOEMU_IMAGE_H
#define XEN_IOEMU_IMAGE_H

/**
 * image_format() - what a file is that is more than the blocks of a disk
 * @path: the file
 *
 * Return: name of its format, as others have it; NULL for a raw one, and for one
 * that cannot be read.
 */
const char *image_format(const char *path);

#endif /* XEN_IOEMU_IMAGE_H */
