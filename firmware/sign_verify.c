// SPDX-License-Identifier: MIT
/*
 * Firmware images and owners' public keys as tools on the host read them: whether a file is an image,
 * and whether an owner signed it. The board has a verification of its own, which is the one that
 * counts; this one saves an operator from asking the board.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include "sign_verify.h"

#define MAX_IMAGE_BYTES (64u << 20)

uint8_t *sign_read_all(const char *path, size_t *size)
{
	struct stat stat;
	uint8_t *data;
	ssize_t count;
	size_t done;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat))
		sign_fail("%s: %s", path, strerror(errno));
	if (!S_ISREG(stat.st_mode) || stat.st_size > MAX_IMAGE_BYTES)
		sign_fail("%s: not a file of at most %u bytes", path, MAX_IMAGE_BYTES);
	*size = stat.st_size;
	data = malloc(*size + 1);
	if (!data)
		sign_fail("%s: %s", path, strerror(ENOMEM));
	for (done = 0; done < *size; done += count) {
		count = read(fd, data + done, *size - done);
		if (count <= 0)
			sign_fail("%s: %s", path, count ? strerror(errno) : "became shorter");
	}
	data[*size] = 0;
	close(fd);
	return data;
}

void sign_key_id(const uint8_t key[SIGN_KEY_BYTES], uint8_t id[16])
{
	uint8_t digest[64];

	if (EVP_Digest(key, SIGN_KEY_BYTES, digest, NULL, EVP_sha512(), NULL) != 1)
		sign_fail("SHA-512 failed");
	memcpy(id, digest, 16);
}

void sign_read_public(const char *path, uint8_t key[SIGN_KEY_BYTES])
{
	size_t size, i;
	char *text = (char *)sign_read_all(path, &size);
	unsigned int byte;

	while (size && (text[size - 1] == '\n' || text[size - 1] == ' '))
		size--;
	for (i = 0; size == 2 * SIGN_KEY_BYTES && i < SIGN_KEY_BYTES; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			break;
		key[i] = byte;
	}
	if (i != SIGN_KEY_BYTES)
		sign_fail("%s: not 64 hexadecimal digits", path);
	free(text);
}

struct hbi_fw_header *sign_read_image(const char *path, size_t *size)
{
	struct hbi_fw_header *header = (void *)sign_read_all(path, size);

	if (*size < sizeof(*header) || header->magic != HBI_FW_MAGIC ||
	    header->header_bytes != sizeof(*header))
		sign_fail("%s: no firmware image", path);
	if (header->image_bytes != *size - sizeof(*header))
		sign_fail("%s: %zu bytes, but the header says %llu + %zu", path, *size,
			  (unsigned long long)header->image_bytes, sizeof(*header));
	header->version[sizeof(header->version) - 1] = 0;
	return header;
}

uint8_t *sign_message(const struct hbi_fw_header *header, size_t size, size_t *bytes)
{
	uint8_t *message = malloc(size);
	size_t body = size - sizeof(*header);

	if (!message)
		sign_fail("%s", strerror(ENOMEM));
	memcpy(message, header, HBI_FW_SIGNED_HEADER_BYTES);
	memcpy(message + HBI_FW_SIGNED_HEADER_BYTES, header + 1, body);
	*bytes = HBI_FW_SIGNED_HEADER_BYTES + body;
	return message;
}

const char *sign_check(const struct hbi_fw_header *header, size_t size,
		       const uint8_t public[SIGN_KEY_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, SIGN_KEY_BYTES);
	size_t bytes;
	uint8_t id[16], *message = sign_message(header, size, &bytes);
	const char *wrong = NULL;

	sign_key_id(public, id);
	if (!(header->flags & HBI_FW_SIGNED))
		wrong = "not signed";
	else if (memcmp(id, header->key_id, sizeof(id)))
		wrong = "signed with another key";
	else if (!key || !context || EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1 ||
		 EVP_DigestVerify(context, header->signature, sizeof(header->signature), message,
				  bytes) != 1)
		wrong = "the signature is wrong";
	free(message);
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(context);
	return wrong;
}
