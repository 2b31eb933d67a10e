/* SPDX-License-Identifier: MIT */
/*
 * What the boot ROM needs of cryptography: SHA-512, and verification of Ed25519 signatures (RFC
 * 8032). Only public data is handled, so nothing here hides its timing, and nothing here can sign.
 * Freestanding C of 64-bit machines: the same files run in the ROM and in the tests on the host.
 */
#ifndef ROM_CRYPTO_H
#define ROM_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

#define ROM_KEY_BYTES	    32
#define ROM_KEY_ID_BYTES    16
#define ROM_SIGNATURE_BYTES 64

struct rom_sha512 {
	uint64_t state[8];
	uint64_t bytes;
	uint8_t block[128];
};

void rom_sha512_begin(struct rom_sha512 *hash);
void rom_sha512_add(struct rom_sha512 *hash, const void *data, uint64_t size);
void rom_sha512_end(struct rom_sha512 *hash, uint8_t digest[64]);

/*
 * True if @signature is one of the message by the holder of @key. The message is @head and then
 * @body. Encodings that are not the shortest are refused: a key's y or a signature's S out of range.
 */
bool rom_ed25519_verify(const uint8_t key[ROM_KEY_BYTES],
			const uint8_t signature[ROM_SIGNATURE_BYTES], const void *head,
			uint64_t head_bytes, const void *body, uint64_t body_bytes);

/* The first bytes of the SHA-512 of a public key; names it in image headers. */
void rom_key_id(const uint8_t key[ROM_KEY_BYTES], uint8_t id[ROM_KEY_ID_BYTES]);

#endif /* ROM_CRYPTO_H */
