// SPDX-License-Identifier: MIT
/* The GGUF reader and the model's parameters: right files, and every way of being wrong that has a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gguf_builder.h"
#include "params.h"

#define VOCABULARY 8

/* A whole one-layer model: dim 32, 4 heads of 8, 2 of them for keys and values, 64 hidden. */
static void model_metadata(struct gguf_builder *b)
{
	gb_string(b, "general.architecture", "llama");
	gb_string(b, "general.name", "test");
	gb_u32(b, "llama.context_length", 16);
	gb_u32(b, "llama.embedding_length", 32);
	gb_u32(b, "llama.block_count", 1);
	gb_u32(b, "llama.feed_forward_length", 64);
	gb_u32(b, "llama.attention.head_count", 4);
	gb_u32(b, "llama.attention.head_count_kv", 2);
	gb_f32(b, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
}

static void model_tensors(struct gguf_builder *b)
{
	gb_tensor(b, "token_embd.weight", 8, 32, VOCABULARY, 34 * VOCABULARY);
	gb_tensor(b, "output_norm.weight", 0, 32, 1, 128);
	gb_tensor(b, "blk.0.attn_norm.weight", 0, 32, 1, 128);
	gb_tensor(b, "blk.0.attn_q.weight", 1, 32, 32, 2048);
	gb_tensor(b, "blk.0.attn_k.weight", 1, 32, 16, 1024);
	gb_tensor(b, "blk.0.attn_v.weight", 1, 32, 16, 1024);
	gb_tensor(b, "blk.0.attn_output.weight", 2, 32, 32, 18 * 32);
	gb_tensor(b, "blk.0.ffn_norm.weight", 0, 32, 1, 128);
	gb_tensor(b, "blk.0.ffn_gate.weight", 0, 32, 64, 8192);
	gb_tensor(b, "blk.0.ffn_up.weight", 0, 32, 64, 8192);
	gb_tensor(b, "blk.0.ffn_down.weight", 0, 64, 32, 8192);
}

static void model(struct gguf_builder *b)
{
	gb_start(b);
	model_metadata(b);
	model_tensors(b);
	gb_finish(b);
}

/* Opens a private copy of exactly @size bytes, so that ASan sees any read behind them. */
static int open_copy(const void *bytes, size_t size, struct hm_gguf **gguf, void **copy,
		     struct hm_error *error)
{
	*copy = malloc(size ? size : 1);
	assert_non_null(*copy);
	memcpy(*copy, bytes, size);
	return hm_gguf_open_memory("test.gguf", *copy, size, gguf, error);
}

static int read_model(const void *bytes, size_t size, struct hm_error *error)
{
	struct hm_tensors tensors;
	struct hm_params params;
	struct hm_gguf *gguf;
	void *copy;
	int ret;

	ret = open_copy(bytes, size, &gguf, &copy, error);
	if (!ret) {
		ret = hm_params_read(gguf, &params, error);
		if (!ret)
			ret = hm_tensors_read(gguf, &params, &tensors, error);
		if (!ret)
			hm_tensors_free(&tensors);
		hm_gguf_close(gguf);
	}
	free(copy);
	return ret;
}

static void expect_error(struct gguf_builder *b, int code, const char *part)
{
	struct hm_error error = { "" };

	assert_int_equal(read_model(b->bytes, b->size, &error), code);
	if (!strstr(error.text, part))
		fail_msg("message \"%s\" does not say \"%s\"", error.text, part);
	gb_free(b);
}

static void test_whole_model(void **state)
{
	struct gguf_builder b;
	struct hm_error error;

	(void)state;
	model(&b);
	if (read_model(b.bytes, b.size, &error))
		fail_msg("%s", error.text);
	gb_free(&b);
}

static void test_accessors(void **state)
{
	static const char *const words[] = { "a", "", "ccc" };
	const struct hm_gguf_entry *entry;
	struct hm_string string;
	struct gguf_builder b;
	struct hm_error error;
	struct hm_gguf *gguf;
	const uint8_t *cursor;
	uint32_t number = 7;
	bool truth = false;
	float real = 0;
	void *copy;

	(void)state;
	gb_start(&b);
	gb_u32(&b, "u", 41);
	gb_f32(&b, "f", 0.5f);
	gb_bool(&b, "b", 1);
	gb_string(&b, "s", "text");
	gb_strings(&b, "a", words, 3);
	gb_finish(&b);
	assert_int_equal(open_copy(b.bytes, b.size, &gguf, &copy, &error), 0);
	assert_int_equal(hm_gguf_u32(gguf, "u", true, &number, &error), 0);
	assert_int_equal(number, 41);
	assert_int_equal(hm_gguf_u32(gguf, "none", false, &number, &error), -ENOENT);
	assert_int_equal(number, 41);
	assert_int_equal(hm_gguf_u32(gguf, "s", true, &number, &error), -EINVAL);
	assert_int_equal(hm_gguf_f32(gguf, "f", true, &real, &error), 0);
	assert_true(real == 0.5f);
	assert_int_equal(hm_gguf_bool(gguf, "b", true, &truth, &error), 0);
	assert_true(truth);
	assert_int_equal(hm_gguf_string(gguf, "s", true, &string, &error), 0);
	assert_int_equal(string.length, 4);
	assert_int_equal(hm_gguf_array(gguf, "a", HM_GGUF_STRING, true, &entry, &error), 0);
	assert_int_equal(entry->count, 3);
	cursor = entry->data;
	hm_gguf_next_string(&cursor);
	assert_int_equal(hm_gguf_next_string(&cursor).length, 0);
	string = hm_gguf_next_string(&cursor);
	assert_memory_equal(string.bytes, "ccc", 3);
	assert_int_equal(hm_gguf_array(gguf, "a", HM_GGUF_F32, true, &entry, &error), -EINVAL);
	hm_gguf_close(gguf);
	free(copy);
	gb_free(&b);
}

/* Every prefix of a right file is refused, none is read beyond. */
static void test_truncated(void **state)
{
	struct gguf_builder b;
	struct hm_error error;
	size_t size;

	(void)state;
	model(&b);
	for (size = 0; size < b.size; size += size < 4096 ? 1 : 997) {
		error.text[0] = '\0';
		assert_int_not_equal(read_model(b.bytes, size, &error), 0);
		assert_non_null(strstr(error.text, "test.gguf"));
	}
	gb_free(&b);
}

/* Bytes of the header and of the tables changed at random: any result but a crash. */
static void test_mutated(void **state)
{
	uint64_t random = 88172645463325252ull;
	struct gguf_builder b;
	struct hm_error error;
	uint8_t *bytes;
	int round, i;

	(void)state;
	model(&b);
	bytes = malloc(b.size);
	assert_non_null(bytes);
	for (round = 0; round < 20000; round++) {
		memcpy(bytes, b.bytes, b.size);
		for (i = 0; i < 1 + round % 4; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[random % 1200] = (uint8_t)(random >> 32);
		}
		read_model(bytes, b.size, &error);
	}
	free(bytes);
	gb_free(&b);
}

static void test_bad_headers(void **state)
{
	struct gguf_builder b;
	uint64_t huge = UINT64_MAX / 2;
	uint32_t version = 1;

	(void)state;
	model(&b);
	b.bytes[0] = 'X';
	expect_error(&b, -EINVAL, "magic");
	model(&b);
	memcpy(b.bytes + 4, &version, 4);
	expect_error(&b, -EINVAL, "version is 1");
	model(&b);
	memcpy(b.bytes + 8, &huge, 8);
	expect_error(&b, -EINVAL, "tensor count");
	model(&b);
	memcpy(b.bytes + 16, &huge, 8);
	expect_error(&b, -EINVAL, "metadata count");
}

static void test_bad_metadata(void **state)
{
	struct gguf_builder b;

	(void)state;
	gb_start(&b);
	gb_string_raw(&b, "key");
	gb_u32_raw(&b, 99);
	b.entries = 1;
	gb_finish(&b);
	expect_error(&b, -EINVAL, "value type 99");

	gb_start(&b);
	gb_string_raw(&b, "key");
	gb_u32_raw(&b, HM_GGUF_ARRAY);
	gb_u32_raw(&b, HM_GGUF_U64);
	gb_u64_raw(&b, UINT64_MAX);
	b.entries = 1;
	gb_finish(&b);
	expect_error(&b, -EINVAL, "metadata key");

	gb_start(&b);
	gb_u32(&b, "general.alignment", 12);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "general.alignment is 12");

	gb_start(&b);
	gb_string(&b, "general.architecture", "mamba");
	gb_finish(&b);
	expect_error(&b, -ENOTSUP, "\"mamba\" is not supported");

	gb_start(&b);
	model_metadata(&b);
	gb_string(&b, "llama.rope.scaling.type", "yarn");
	model_tensors(&b);
	gb_finish(&b);
	expect_error(&b, -ENOTSUP, "llama.rope.scaling.type");
}

static void test_bad_tensors(void **state)
{
	struct gguf_builder b;

	(void)state;
	gb_start(&b);
	gb_tensor(&b, "t", 5, 32, 1, 128);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "element type 5");

	gb_start(&b);
	gb_tensor(&b, "t", 8, 33, 1, 128);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "multiple of Q8_0's 32");

	gb_start(&b);
	gb_tensor(&b, "t", 0, 1ull << 20, 1ull << 20, 128);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "lie outside");

	gb_start(&b);
	gb_tensor(&b, "t", 0, 1ull << 31, 1ull << 31, 128);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "too large");

	gb_start(&b);
	gb_tensor(&b, "t", 0, 32, 0, 128);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "dimension 1 is 0");

	gb_start(&b);
	gb_tensor(&b, "t", 0, 32, 1, 128);
	gb_tensor(&b, "t", 0, 32, 1, 128);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "stands in the file twice");

	gb_start(&b);
	model_metadata(&b);
	gb_tensor(&b, "token_embd.weight", 14, 256, VOCABULARY, 210 * VOCABULARY);
	gb_finish(&b);
	expect_error(&b, -EINVAL, "token_embd.weight: shape [256, 8, 1, 1], expected [32, 8]");

	gb_start(&b);
	model_metadata(&b);
	gb_tensor(&b, "token_embd.weight", 6, 32, VOCABULARY, 22 * VOCABULARY);
	gb_finish(&b);
	expect_error(&b, -ENOTSUP,
		     "type Q5_0 is not supported (supported: F32 F16 BF16 Q8_0 Q4_0 ");

	gb_start(&b);
	model_metadata(&b);
	model_tensors(&b);
	gb_tensor(&b, "blk.0.attn_q_norm.weight", 0, 8, 1, 32);
	gb_finish(&b);
	expect_error(&b, -ENOTSUP,
		     "blk.0.attn_q_norm.weight: is not part of a 1-layer llama model");
}

static void test_missing(void **state)
{
	struct gguf_builder b;

	(void)state;
	gb_start(&b);
	gb_string(&b, "general.architecture", "llama");
	gb_finish(&b);
	expect_error(&b, -ENOENT, "llama.context_length: missing");

	gb_start(&b);
	model_metadata(&b);
	gb_tensor(&b, "token_embd.weight", 0, 32, VOCABULARY, 128 * VOCABULARY);
	gb_tensor(&b, "output_norm.weight", 0, 32, 1, 128);
	gb_finish(&b);
	expect_error(&b, -ENOENT, "blk.0.attn_norm.weight: missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_model), cmocka_unit_test(test_accessors),
		cmocka_unit_test(test_truncated),   cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_bad_headers), cmocka_unit_test(test_bad_metadata),
		cmocka_unit_test(test_bad_tensors), cmocka_unit_test(test_missing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
