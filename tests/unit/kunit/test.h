/* SPDX-License-Identifier: MIT */
/*
 * As much of the kernel's KUnit as its tests of pure logic use, for user space: kunit_test_suite() makes a main() that
 * prints TAP, one result for each case, with the expectations that failed above it.
 */
#ifndef UNIT_KUNIT_TEST_H
#define UNIT_KUNIT_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct kunit {
	int failed;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function)          \
	{                             \
		.run_case = function, \
		.name = #function,    \
	}

/* The condition is evaluated once; the message is a format. */
#define KUNIT_EXPECT_TRUE_MSG(test, condition, ...)                                       \
	do {                                                                              \
		if (!(condition)) {                                                       \
			(test)->failed++;                                                 \
			printf("# %s:%d: expected %s: ", __FILE__, __LINE__, #condition); \
			printf(__VA_ARGS__);                                              \
			printf("\n");                                                     \
		}                                                                         \
	} while (0)

static inline int kunit_run(const struct kunit_suite *suite)
{
	int count = 0, failed = 0;

	for (; suite->test_cases[count].run_case; count++) {
		const struct kunit_case *one = &suite->test_cases[count];
		struct kunit test = { 0 };

		one->run_case(&test);
		printf("%sok %d - %s: %s\n", test.failed ? "not " : "", count + 1, suite->name,
		       one->name);
		failed += test.failed;
	}
	printf("1..%d\n", count);
	return failed ? 1 : 0;
}

#define kunit_test_suite(suite)             \
	int main(void)                      \
	{                                   \
		return kunit_run(&(suite)); \
	}                                   \
	_Static_assert(true, "")

#define MODULE_DESCRIPTION(text) _Static_assert(true, "")
#define MODULE_LICENSE(text)	 _Static_assert(true, "")

#endif /* UNIT_KUNIT_TEST_H */
