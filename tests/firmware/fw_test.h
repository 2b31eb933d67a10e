/* SPDX-License-Identifier: MIT */
/* Offsets in the aperture that the tests on the board and their host agree on. */
#ifndef FW_TEST_H
#define FW_TEST_H

#define FW_TEST_LENGTH	 0x200000 /* 64 bits, then the text; 0: not done */
#define FW_TEST_TEXT_MAX 0x10000
#define FW_TEST_SCRATCH	 0x400000
#define VB_FIRMWARE_PAGE 0x80000000ull /* not in the aperture */

#endif /* FW_TEST_H */
