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
#include "sign_verify.h"

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

void sign_fail(const char *format, ...)
{
	va_list arguments;

	fputs("hearth-sign: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(FAILED);
}

static void write_all(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		sign_fail("%s: %s", path, strerror(errno));
}

/* ---- Keys ---- */

static EVP_PKEY *load_key(const char *path, bool private_half)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key;

	if (!file)
		sign_fail("%s: %s", path, strerror(errno));
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	if (!key && !private_half) {
		rewind(file);
		key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
	}
	fclose(file);
	if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519)
		sign_fail("%s: no %sEd25519 key in PEM form", path, private_half ? "private " : "");
	return key;
}

static void public_half(EVP_PKEY *key, uint8_t bytes[SIGN_KEY_BYTES])
{
	size_t size = SIGN_KEY_BYTES;

	if (EVP_PKEY_get_raw_public_key(key, bytes, &size) != 1 || size != SIGN_KEY_BYTES)
		sign_fail("the key has no public half");
}

static void print_hex(const uint8_t *bytes, size_t count)
{
	while (count--)
		printf("%02x", *bytes++);
}

static int command_keygen(const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *file;
	int fd;

	if (!key)
		sign_fail("cannot make a key");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file || PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    fclose(file))
		sign_fail("%s: %s", path, strerror(errno));
	EVP_PKEY_free(key);
	return GOOD;
}

static int command_public(const char *path)
{
	EVP_PKEY *key = load_key(path, false);
	uint8_t bytes[SIGN_KEY_BYTES];

	public_half(key, bytes);
	print_hex(bytes, SIGN_KEY_BYTES);
	putchar('\n');
	EVP_PKEY_free(key);
	return GOOD;
}

/* ---- Images ---- */

static int command_sign(const char *key_path, const char *in, const char *out, uint32_t rollback,
			uint32_t board_id)
{
	EVP_PKEY *key = load_key(key_path, true);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size, bytes, signature_bytes;
	struct hbi_fw_header *header = sign_read_image(in, &size);
	uint8_t public[SIGN_KEY_BYTES], *message;

	public_half(key, public);
	header->rollback = rollback;
	header->board_id = board_id;
	header->flags = HBI_FW_SIGNED;
	sign_key_id(public, header->key_id);
	message = sign_message(header, size, &bytes);
	signature_bytes = sizeof(header->signature);
	if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, header->signature, &signature_bytes, message, bytes) != 1 ||
	    signature_bytes != sizeof(header->signature))
		sign_fail("%s: signing failed", in);
	write_all(out, header, size);
	free(message);
	free(header);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return GOOD;
}

static int command_verify(const char *key_path, const char *path)
{
	uint8_t public[SIGN_KEY_BYTES];
	size_t size;
	struct hbi_fw_header *header = sign_read_image(path, &size);
	const char *wrong;

	sign_read_public(key_path, public);
	wrong = sign_check(header, size, public);
	printf("%s: %s\n", path, wrong ? wrong : "signature is right");
	free(header);
	return wrong ? REFUSED : GOOD;
}

static int command_show(const char *path, bool json)
{
	size_t size;
	struct hbi_fw_header *header = sign_read_image(path, &size);
	bool is_signed = header->flags & HBI_FW_SIGNED;
	const uint8_t *c;

	for (c = header->version; *c; c++)
		if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\')
			sign_fail("%s: the version is not plain text", path);
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
