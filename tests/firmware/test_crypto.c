// SPDX-License-Identifier: MIT
/*
 * The boot ROM's cryptography on the host: the vectors of RFC 8032 and FIPS 180-4, and the same
 * questions put to OpenSSL: random keys and messages, signatures with each bit turned, encodings
 * at the edge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../firmware/rom/rom_crypto.h"
#ifdef HAVE_OPENSSL
#include <openssl/evp.h>
#endif

static void unhex(const char *text, uint8_t *bytes)
{
	unsigned int byte;

	for (; *text; text += 2) {
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		*bytes++ = byte;
	}
}

/* RFC 8032 7.1, tests 1, 2, 3 and SHA(abc). */
static const struct {
	const char *key;
	const char *message;
	const char *signature;
} vectors[] = {
	{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	{ "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	  "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
};

static void test_rfc8032(void **state)
{
	uint8_t key[32], signature[64], message[64];
	size_t i, bit, bytes;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		bytes = strlen(vectors[i].message) / 2;
		unhex(vectors[i].key, key);
		unhex(vectors[i].message, message);
		unhex(vectors[i].signature, signature);
		assert_true(rom_ed25519_verify(key, signature, message, bytes, NULL, 0));
		assert_true(rom_ed25519_verify(key, signature, message, bytes / 2,
					       message + bytes / 2, bytes - bytes / 2));
		for (bit = 0; bit < 512; bit += 7) {
			signature[bit / 8] ^= 1 << bit % 8;
			assert_false(rom_ed25519_verify(key, signature, message, bytes, NULL, 0));
			signature[bit / 8] ^= 1 << bit % 8;
		}
		for (bit = 0; bit < 256; bit += 11) {
			key[bit / 8] ^= 1 << bit % 8;
			assert_false(rom_ed25519_verify(key, signature, message, bytes, NULL, 0));
			key[bit / 8] ^= 1 << bit % 8;
		}
	}
}

/* S + the order is another number for the same point; y + the modulus another name of the same key. */
static void test_encodings(void **state)
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
					   0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
					   0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
	uint8_t key[32], signature[64], high[32];
	unsigned int sum = 0;
	int i;

	(void)state;
	unhex(vectors[0].key, key);
	unhex(vectors[0].signature, signature);
	for (i = 0; i < 32; i++) {
		sum += signature[32 + i] + order[i];
		signature[32 + i] = sum;
		sum >>= 8;
	}
	assert_false(rom_ed25519_verify(key, signature, NULL, 0, NULL, 0));
	/* y = p, p + 1 and 2^255 - 1, with either sign: 0 and 1 by their long names. */
	for (i = 0; i < 6; i++) {
		memset(high, 0xff, sizeof(high));
		high[0] = i / 2 == 2 ? 0xff : 0xed + i / 2;
		high[31] = i & 1 ? 0xff : 0x7f;
		assert_false(rom_ed25519_verify(high, signature, NULL, 0, NULL, 0));
	}
	/* x = 0 with a sign. */
	memset(high, 0, sizeof(high));
	high[0] = 1;
	high[31] = 0x80;
	assert_false(rom_ed25519_verify(high, signature, NULL, 0, NULL, 0));
}

static void check_hash(const void *data, size_t size, const char *expected)
{
	uint8_t digest[64], right[64];
	struct rom_sha512 hash;

	rom_sha512_begin(&hash);
	rom_sha512_add(&hash, data, size);
	rom_sha512_end(&hash, digest);
	unhex(expected, right);
	assert_memory_equal(digest, right, sizeof(right));
}

static void test_sha512(void **state)
{
	(void)state;
	check_hash("", 0,
		   "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
		   "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
	check_hash("abc", 3,
		   "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		   "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

#ifdef HAVE_OPENSSL

static uint32_t seed = 1;

static void random_bytes(uint8_t *bytes, size_t count)
{
	while (count--) {
		seed = seed * 1664525 + 1013904223;
		*bytes++ = seed >> 24;
	}
}

static bool openssl_verify(const uint8_t *key, const uint8_t *signature, const uint8_t *message,
			   size_t bytes)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
		    EVP_DigestVerify(context, signature, 64, message, bytes) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	return good;
}

static void test_against_openssl(void **state)
{
	uint8_t secret[32], key[32], signature[64], message[300], digest[64], right[64];
	unsigned int round, accepted = 0, damaged;
	struct rom_sha512 hash;

	(void)state;
	for (round = 0; round < 400; round++) {
		size_t bytes = round % sizeof(message), size = 32, room = 64;
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		EVP_PKEY *private;

		random_bytes(secret, sizeof(secret));
		random_bytes(message, bytes);
		private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
		assert_int_equal(EVP_PKEY_get_raw_public_key(private, key, &size), 1);
		assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, private), 1);
		assert_int_equal(EVP_DigestSign(context, signature, &room, message, bytes), 1);
		EVP_MD_CTX_free(context);
		EVP_PKEY_free(private);
		assert_true(rom_ed25519_verify(key, signature, message, bytes, NULL, 0));
		accepted++;
		damaged = (seed >> 8) % 768;
		if (damaged < 512)
			signature[damaged / 8] ^= 1 << damaged % 8;
		else
			key[(damaged - 512) / 8] ^= 1 << damaged % 8;
		assert_int_equal(rom_ed25519_verify(key, signature, message, bytes, NULL, 0),
				 openssl_verify(key, signature, message, bytes));
		rom_sha512_begin(&hash);
		rom_sha512_add(&hash, message, bytes / 3);
		rom_sha512_add(&hash, message + bytes / 3, bytes - bytes / 3);
		rom_sha512_end(&hash, digest);
		assert_int_equal(EVP_Digest(message, bytes, right, NULL, EVP_sha512(), NULL), 1);
		assert_memory_equal(digest, right, sizeof(right));
	}
	assert_int_equal(accepted, 400);
}

#else

static void test_against_openssl(void **state)
{
	(void)state;
	print_message("built without OpenSSL\n");
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8032),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_sha512),
		cmocka_unit_test(test_against_openssl),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
