// SPDX-License-Identifier: MIT
/*
 * hearth-sign: keys of a board's owner, and firmware images signed with them. It runs on a machine
 * of the owner's choice, away from boards; the board has a verification of its own (rom/). OpenSSL
 * does the arithmetic. Nothing is ever overwritten but the output that was named.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <hearth/hbi.h>

#define KEY_BYTES	32
#define MAX_IMAGE_BYTES (64u << 20)

enum status { GOOD = 0, REFUSED = 1, USAGE = 2, FAILED = 3 };

static const char usage[] =
	"usage: hearth-sign COMMAND\n"
	"  keygen PRIVATE                   makes a new Ed25519 key, PEM, readable by its owner "
	"alone\n"
	"  public KEY                       prints the public half, as hearth-board --owner-key "
	"takes it\n"
	"  sign --key PRIVATE [--rollback N] [--board-id N] IMAGE OUTPUT\n"
	"                                   signs a firmware image\n"
	"  verify --key PUBLIC IMAGE        checks a signature against a file that `public` "
	"printed\n"
	"  show [--json] IMAGE              tells what an image says of itself\n"
	"  --help, --version\n"
	"Exit status: 0 done, or the signature is right; 1 the signature is wrong or missing;\n"
	"2 usage; 3 a file or key cannot be used.\n";

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list arguments;

	fputs("hearth-sign: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(FAILED);
}

static uint8_t *read_all(const char *path, size_t *size)
{
	struct stat stat;
	uint8_t *data;
	ssize_t count;
	size_t done;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat))
		fail("%s: %s", path, strerror(errno));
	if (!S_ISREG(stat.st_mode) || stat.st_size > MAX_IMAGE_BYTES)
		fail("%s: not a file of at most %u bytes", path, MAX_IMAGE_BYTES);
	*size = stat.st_size;
	data = malloc(*size + 1);
	if (!data)
		fail("%s: %s", path, strerror(ENOMEM));
	for (done = 0; done < *size; done += count) {
		count = read(fd, data + done, *size - done);
		if (count <= 0)
			fail("%s: %s", path, count ? strerror(errno) : "became shorter");
	}
	data[*size] = 0;
	close(fd);
	return data;
}

static void write_all(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		fail("%s: %s", path, strerror(errno));
}

/* ---- Keys ---- */

static EVP_PKEY *load_key(const char *path, bool private_half)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key;

	if (!file)
		fail("%s: %s", path, strerror(errno));
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	if (!key && !private_half) {
		rewind(file);
		key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
	}
	fclose(file);
	if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519)
		fail("%s: no %sEd25519 key in PEM form", path, private_half ? "private " : "");
	return key;
}

static void public_half(EVP_PKEY *key, uint8_t bytes[KEY_BYTES])
{
	size_t size = KEY_BYTES;

	if (EVP_PKEY_get_raw_public_key(key, bytes, &size) != 1 || size != KEY_BYTES)
		fail("the key has no public half");
}

static void key_id(const uint8_t key[KEY_BYTES], uint8_t id[16])
{
	uint8_t digest[64];

	if (EVP_Digest(key, KEY_BYTES, digest, NULL, EVP_sha512(), NULL) != 1)
		fail("SHA-512 failed");
	memcpy(id, digest, 16);
}

static void print_hex(const uint8_t *bytes, size_t count)
{
	while (count--)
		printf("%02x", *bytes++);
}

static void read_public(const char *path, uint8_t key[KEY_BYTES])
{
	size_t size, i;
	char *text = (char *)read_all(path, &size);
	unsigned int byte;

	while (size && (text[size - 1] == '\n' || text[size - 1] == ' '))
		size--;
	for (i = 0; size == 2 * KEY_BYTES && i < KEY_BYTES; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			break;
		key[i] = byte;
	}
	if (i != KEY_BYTES)
		fail("%s: not 64 hexadecimal digits", path);
	free(text);
}

static int command_keygen(const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *file;
	int fd;

	if (!key)
		fail("cannot make a key");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file || PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    fclose(file))
		fail("%s: %s", path, strerror(errno));
	EVP_PKEY_free(key);
	return GOOD;
}

static int command_public(const char *path)
{
	EVP_PKEY *key = load_key(path, false);
	uint8_t bytes[KEY_BYTES];

	public_half(key, bytes);
	print_hex(bytes, KEY_BYTES);
	putchar('\n');
	EVP_PKEY_free(key);
	return GOOD;
}

/* ---- Images ---- */

static struct hbi_fw_header *read_image(const char *path, size_t *size)
{
	struct hbi_fw_header *header = (void *)read_all(path, size);

	if (*size < sizeof(*header) || header->magic != HBI_FW_MAGIC ||
	    header->header_bytes != sizeof(*header))
		fail("%s: no firmware image", path);
	if (header->image_bytes != *size - sizeof(*header))
		fail("%s: %zu bytes, but the header says %llu + %zu", path, *size,
		     (unsigned long long)header->image_bytes, sizeof(*header));
	header->version[sizeof(header->version) - 1] = 0;
	return header;
}

/* The signed message: the header up to the signature, then the body. */
static uint8_t *message_of(const struct hbi_fw_header *header, size_t size, size_t *bytes)
{
	uint8_t *message = malloc(size);
	size_t body = size - sizeof(*header);

	if (!message)
		fail("%s", strerror(ENOMEM));
	memcpy(message, header, HBI_FW_SIGNED_HEADER_BYTES);
	memcpy(message + HBI_FW_SIGNED_HEADER_BYTES, header + 1, body);
	*bytes = HBI_FW_SIGNED_HEADER_BYTES + body;
	return message;
}

static int command_sign(const char *key_path, const char *in, const char *out, uint32_t rollback,
			uint32_t board_id)
{
	EVP_PKEY *key = load_key(key_path, true);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size, bytes, signature_bytes;
	struct hbi_fw_header *header = read_image(in, &size);
	uint8_t public[KEY_BYTES], *message;

	public_half(key, public);
	header->rollback = rollback;
	header->board_id = board_id;
	header->flags = HBI_FW_SIGNED;
	key_id(public, header->key_id);
	message = message_of(header, size, &bytes);
	signature_bytes = sizeof(header->signature);
	if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, header->signature, &signature_bytes, message, bytes) != 1 ||
	    signature_bytes != sizeof(header->signature))
		fail("%s: signing failed", in);
	write_all(out, header, size);
	free(message);
	free(header);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return GOOD;
}

static int command_verify(const char *key_path, const char *path)
{
	uint8_t public[KEY_BYTES], id[16], *message;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size, bytes;
	struct hbi_fw_header *header = read_image(path, &size);
	const char *wrong = NULL;
	EVP_PKEY *key;

	read_public(key_path, public);
	key_id(public, id);
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, sizeof(public));
	message = message_of(header, size, &bytes);
	if (!(header->flags & HBI_FW_SIGNED))
		wrong = "not signed";
	else if (memcmp(id, header->key_id, sizeof(id)))
		wrong = "signed with another key";
	else if (!key || !context || EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1 ||
		 EVP_DigestVerify(context, header->signature, sizeof(header->signature), message,
				  bytes) != 1)
		wrong = "the signature is wrong";
	printf("%s: %s\n", path, wrong ? wrong : "signature is right");
	free(message);
	free(header);
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(context);
	return wrong ? REFUSED : GOOD;
}

static int command_show(const char *path, bool json)
{
	size_t size;
	struct hbi_fw_header *header = read_image(path, &size);
	bool is_signed = header->flags & HBI_FW_SIGNED;
	const uint8_t *c;

	for (c = header->version; *c; c++)
		if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\')
			fail("%s: the version is not plain text", path);
	printf(json ? "{\"version\":\"%s\",\"interface\":\"%u.%u\",\"bytes\":%llu,\"rollback\":%u,"
		      "\"board_id\":%u,\"signed\":%s,\"key_id\":\""
		    : "version    %s\ninterface  %u.%u\nbytes      %llu\nrollback   %u\n"
		      "board id   %u\nsigned     %s\nkey id     ",
	       (const char *)header->version, header->hbi_version >> 16,
	       header->hbi_version & 0xffff, (unsigned long long)header->image_bytes,
	       header->rollback, header->board_id,
	       json	   ? is_signed ? "true" : "false"
	       : is_signed ? "yes"
			   : "no");
	print_hex(header->key_id, is_signed ? sizeof(header->key_id) : 0);
	puts(json ? "\"}" : "");
	free(header);
	return GOOD;
}

/* ---- Command line ---- */

static uint32_t number(const char *option, const char *text)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value > UINT32_MAX) {
		fprintf(stderr, "hearth-sign: --%s %s: not a number of 32 bits\n", option, text);
		exit(USAGE);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "rollback", required_argument, NULL, 'r' },
		{ "board-id", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	uint32_t rollback = 0, board_id = 0;
	const char *key = NULL, *command;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			key = optarg;
			break;
		case 'r':
			rollback = number("rollback", optarg);
			break;
		case 'b':
			board_id = number("board-id", optarg);
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return GOOD;
		case 'V':
			puts("hearth-sign " HEARTH_VERSION);
			return GOOD;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	command = optind < argc ? argv[optind++] : "";
	argc -= optind;
	argv += optind;
	if (!strcmp(command, "keygen") && argc == 1)
		return command_keygen(argv[0]);
	if (!strcmp(command, "public") && argc == 1)
		return command_public(argv[0]);
	if (!strcmp(command, "sign") && argc == 2 && key)
		return command_sign(key, argv[0], argv[1], rollback, board_id);
	if (!strcmp(command, "verify") && argc == 1 && key)
		return command_verify(key, argv[0]);
	if (!strcmp(command, "show") && argc == 1)
		return command_show(argv[0], json);
	fputs(usage, stderr);
	return USAGE;
}
