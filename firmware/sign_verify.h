/* SPDX-License-Identifier: MIT */
/*
 * Reading and checking of firmware images by tools on the host. What cannot go on calls sign_fail(),
 * which the program defines and which does not return. What is returned is freed with free().
 */
#ifndef SIGN_VERIFY_H
#define SIGN_VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include <hearth/hbi.h>

#define SIGN_KEY_BYTES 32 /* of a public key */

void __attribute__((noreturn, format(printf, 1, 2))) sign_fail(const char *format, ...);
/* The whole of a file, and a zero after it. */
uint8_t *sign_read_all(const char *path, size_t *size);
/* An image whose header fits its size; its version ends with a zero. */
struct hbi_fw_header *sign_read_image(const char *path, size_t *size);
/* A file of 64 hexadecimal digits, as `hearth-sign public` prints. */
void sign_read_public(const char *path, uint8_t key[SIGN_KEY_BYTES]);
void sign_key_id(const uint8_t key[SIGN_KEY_BYTES], uint8_t id[16]);
/* The signed message: the header up to the signature, then the body. */
uint8_t *sign_message(const struct hbi_fw_header *header, size_t size, size_t *bytes);
/* NULL if @public signed the image, or what is wrong. */
const char *sign_check(const struct hbi_fw_header *header, size_t size,
		       const uint8_t public[SIGN_KEY_BYTES]);

#endif /* SIGN_VERIFY_H */
