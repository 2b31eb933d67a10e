/* SPDX-License-Identifier: MIT */
/* Constants that start.S and the C files share. */
#ifndef FW_ASM_H
#define FW_ASM_H

#define FW_MAX_HARTS   16
#define FW_STACK_BYTES 16384
#define FW_HART_MCAUSE 256
#define FW_HART_MTVAL  264
#define FW_HART_MSP    272
#define FW_HART_BYTES  296

#endif /* FW_ASM_H */
