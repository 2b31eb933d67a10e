// SPDX-License-Identifier: MIT
/*
 * GLSL at run time, through glslang's C interface.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#include <glslang/Include/glslang_c_interface.h>
#include <glslang/Public/resource_limits_c.h>

static pthread_once_t glslang_once = PTHREAD_ONCE_INIT;
static bool glslang_ready;

static void start_glslang(void)
{
	glslang_ready = glslang_initialize_process();
}

enum hearth_status hrt_glsl_compile(const char *source, const char *entry_point, uint32_t **words,
				    size_t *bytes)
{
	const glslang_input_t input = {
		.language = GLSLANG_SOURCE_GLSL,
		.stage = GLSLANG_STAGE_COMPUTE,
		.client = GLSLANG_CLIENT_VULKAN,
		.client_version = GLSLANG_TARGET_VULKAN_1_2,
		.target_language = GLSLANG_TARGET_SPV,
		.target_language_version = GLSLANG_TARGET_SPV_1_5,
		.code = source,
		.default_version = 450,
		.default_profile = GLSLANG_NO_PROFILE,
		.messages = GLSLANG_MSG_SPV_RULES_BIT | GLSLANG_MSG_VULKAN_RULES_BIT,
		.resource = glslang_default_resource(),
	};
	enum hearth_status status = HEARTH_OK;
	glslang_program_t *program = NULL;
	glslang_shader_t *shader;

	pthread_once(&glslang_once, start_glslang);
	shader = glslang_ready ? glslang_shader_create(&input) : NULL;
	if (!shader)
		return hrt_fail(HEARTH_ERROR_OUT_OF_MEMORY, "GLSL: glslang does not start");
	if (strcmp(entry_point, "main")) {
		status = hrt_fail(HEARTH_ERROR_COMPILE,
				  "GLSL: the entry point of GLSL is main, not %s", entry_point);
		goto out;
	}
	if (!glslang_shader_preprocess(shader, &input) || !glslang_shader_parse(shader, &input)) {
		status = hrt_fail(HEARTH_ERROR_COMPILE, "GLSL: %s",
				  glslang_shader_get_info_log(shader));
		goto out;
	}
	program = glslang_program_create();
	glslang_program_add_shader(program, shader);
	if (!glslang_program_link(program, input.messages)) {
		status = hrt_fail(HEARTH_ERROR_COMPILE, "GLSL: %s",
				  glslang_program_get_info_log(program));
		goto out;
	}
	glslang_program_SPIRV_generate(program, GLSLANG_STAGE_COMPUTE);
	*bytes = glslang_program_SPIRV_get_size(program) * sizeof(uint32_t);
	*words = *bytes ? malloc(*bytes) : NULL;
	if (!*words) {
		status = hrt_fail(*bytes ? HEARTH_ERROR_OUT_OF_MEMORY : HEARTH_ERROR_COMPILE,
				  "GLSL: no SPIR-V was made");
		goto out;
	}
	glslang_program_SPIRV_get(program, *words);
out:
	if (program)
		glslang_program_delete(program);
	glslang_shader_delete(shader);
	return status;
}
