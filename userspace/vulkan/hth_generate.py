#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generates the tables of the ICD from the Vulkan registry (vk.xml).

Two files are written to the folder given on the command line:

hth_tables.h  prototypes of all entry points (weak: what nobody defines is NULL), the numbers of the
              known extensions, and the flat structures of features and properties;
hth_tables.c  the sorted name table with what gates each name, the extension names, and the functions that
              spread the flat structures over the pNext chains of applications.
"""

import sys
import xml.etree.ElementTree as ET

# The newest core version that the devices report.
CORE = ["VK_VERSION_1_0", "VK_VERSION_1_1", "VK_VERSION_1_2", "VK_VERSION_1_3"]

# Extensions that the ICD knows. Which of them a device offers is decided in hth_physical_device.c.
EXTENSIONS = [
    # instance
    "VK_EXT_debug_utils",
    "VK_KHR_device_group_creation",
    "VK_KHR_external_fence_capabilities",
    "VK_KHR_external_memory_capabilities",
    "VK_KHR_external_semaphore_capabilities",
    "VK_KHR_get_physical_device_properties2",
    # device
    "VK_EXT_external_memory_dma_buf",
    "VK_EXT_external_memory_host",
    "VK_EXT_host_query_reset",
    "VK_EXT_inline_uniform_block",
    "VK_EXT_memory_budget",
    "VK_EXT_pipeline_creation_cache_control",
    "VK_EXT_pipeline_creation_feedback",
    "VK_EXT_pipeline_robustness",
    "VK_EXT_private_data",
    "VK_EXT_scalar_block_layout",
    "VK_EXT_shader_atomic_float",
    "VK_EXT_shader_atomic_float2",
    "VK_EXT_subgroup_size_control",
    "VK_EXT_tooling_info",
    "VK_KHR_16bit_storage",
    "VK_KHR_8bit_storage",
    "VK_KHR_bind_memory2",
    "VK_KHR_buffer_device_address",
    "VK_KHR_cooperative_matrix",
    "VK_KHR_copy_commands2",
    "VK_KHR_dedicated_allocation",
    "VK_KHR_descriptor_update_template",
    "VK_KHR_device_group",
    "VK_KHR_driver_properties",
    "VK_KHR_external_fence",
    "VK_KHR_external_memory",
    "VK_KHR_external_memory_fd",
    "VK_KHR_external_semaphore",
    "VK_KHR_format_feature_flags2",
    "VK_KHR_get_memory_requirements2",
    "VK_KHR_image_format_list",
    "VK_KHR_maintenance1",
    "VK_KHR_maintenance2",
    "VK_KHR_maintenance3",
    "VK_KHR_maintenance4",
    "VK_KHR_map_memory2",
    "VK_KHR_push_descriptor",
    "VK_KHR_relaxed_block_layout",
    "VK_KHR_sampler_mirror_clamp_to_edge",
    "VK_KHR_shader_expect_assume",
    "VK_KHR_shader_float16_int8",
    "VK_KHR_shader_float_controls",
    "VK_KHR_shader_integer_dot_product",
    "VK_KHR_shader_maximal_reconvergence",
    "VK_KHR_shader_non_semantic_info",
    "VK_KHR_shader_subgroup_extended_types",
    "VK_KHR_shader_subgroup_rotate",
    "VK_KHR_shader_subgroup_uniform_control_flow",
    "VK_KHR_spirv_1_4",
    "VK_KHR_storage_buffer_storage_class",
    "VK_KHR_synchronization2",
    "VK_KHR_timeline_semaphore",
    "VK_KHR_uniform_buffer_standard_layout",
    "VK_KHR_variable_pointers",
    "VK_KHR_vulkan_memory_model",
    "VK_KHR_workgroup_memory_explicit_layout",
    "VK_KHR_zero_initialize_workgroup_memory",
]

GLOBAL_COMMANDS = {
    "vkCreateInstance",
    "vkEnumerateInstanceExtensionProperties",
    "vkEnumerateInstanceLayerProperties",
    "vkEnumerateInstanceVersion",
}

# Members of a structure that has another name than the flat property.
PROPERTY_NAMES = {
    ("VkPhysicalDeviceSubgroupProperties", "supportedStages"): "subgroupSupportedStages",
    ("VkPhysicalDeviceSubgroupProperties", "supportedOperations"): "subgroupSupportedOperations",
    ("VkPhysicalDeviceSubgroupProperties", "quadOperationsInAllStages"):
        "subgroupQuadOperationsInAllStages",
}


def is_vulkan(element):
    api = element.get("api")
    return api is None or "vulkan" in api.split(",")


class Registry:
    def __init__(self, path):
        self.root = ET.parse(path).getroot()
        self.commands = {}
        self.aliases = {}
        for command in self.root.findall("commands/command"):
            if not is_vulkan(command):
                continue
            if command.get("alias"):
                self.aliases[command.get("name")] = command.get("alias")
            else:
                proto = command.find("proto")
                self.commands[proto.find("name").text] = command
        self.structs = {}
        self.type_aliases = {}
        for kind in self.root.findall("types/type"):
            if kind.get("category") == "struct" and not kind.get("alias") and is_vulkan(kind):
                self.structs[kind.get("name")] = kind
            elif kind.get("category") == "struct" and kind.get("alias"):
                self.type_aliases[kind.get("name")] = kind.get("alias")

    def prototype(self, name):
        command = self.commands[name]
        result = "".join(command.find("proto").itertext())
        result = result[:result.rindex(name)].strip()
        params = [" ".join("".join(p.itertext()).split())
                  for p in command.findall("param") if is_vulkan(p)]
        return result, params

    def level(self, name):
        if name in GLOBAL_COMMANDS:
            return "HTH_LEVEL_GLOBAL"
        first = self.commands[name].find("param/type").text
        if name == "vkGetInstanceProcAddr" or first == "VkInstance":
            return "HTH_LEVEL_INSTANCE"
        if first == "VkPhysicalDevice":
            return "HTH_LEVEL_PHYSICAL_DEVICE"
        return "HTH_LEVEL_DEVICE"

    def extension(self, name):
        for extension in self.root.findall("extensions/extension"):
            if extension.get("name") == name:
                return extension
        raise SystemExit(f"vk.xml does not know {name}")

    def requires(self, block, have):
        """Commands and types of a <feature> or <extension>, honouring depends of its parts."""
        commands, types = [], []
        for require in block.findall("require"):
            if not is_vulkan(require):
                continue
            depends = require.get("depends")
            if depends and not self.satisfied(depends, have):
                continue
            commands += [c.get("name") for c in require.findall("command")]
            types += [t.get("name") for t in require.findall("type")]
        return commands, types

    @staticmethod
    def satisfied(depends, have):
        # "+" is and, "," is or; parentheses only group.
        text, expression = "", ""
        for char in depends + " ":
            if char in "+,() ":
                if text:
                    expression += str(text in have)
                    text = ""
                expression += {"+": " and ", ",": " or ", " ": ""}.get(char, char)
            else:
                text += char
        return bool(eval(expression))

    def members(self, struct):
        for member in self.structs[struct].findall("member"):
            if not is_vulkan(member):
                continue
            name = member.find("name").text
            if name in ("sType", "pNext"):
                continue
            array = ""
            if member.find("name").tail and "[" in member.find("name").tail:
                enum = member.find("enum")
                array = f"[{enum.text}]" if enum is not None else member.find("name").tail.strip()
            yield member.find("type").text, name, array

    def stype(self, struct):
        for member in self.structs[struct].findall("member"):
            if member.find("name").text == "sType":
                return member.get("values")
        return None


def flat(registry, structs, names):
    """Union of the members of several structures, by name."""
    seen = {}
    for struct in structs:
        for kind, name, array in registry.members(struct):
            seen.setdefault(names.get((struct, name), name), (kind, array))
    return seen


def main():
    registry = Registry(sys.argv[1])
    folder = sys.argv[2]
    have = set(CORE) | set(EXTENSIONS)
    gates = {}  # command -> list of gates
    types = []
    spec_versions = {}
    ext_type = {}

    for feature in registry.root.findall("feature"):
        if feature.get("name") in CORE and is_vulkan(feature):
            version = feature.get("name").replace("VK_VERSION_1_", "VK_API_VERSION_1_")
            commands, kinds = registry.requires(feature, have)
            types += kinds
            for command in commands:
                gates.setdefault(command, []).append(("version", version))
    for name in EXTENSIONS:
        extension = registry.extension(name)
        commands, kinds = registry.requires(extension, have)
        types += kinds
        ext_type[name] = extension.get("type")
        for enum in extension.iter("enum"):
            if enum.get("name", "").endswith("_SPEC_VERSION"):
                spec_versions[name] = enum.get("name")
        for command in commands:
            gates.setdefault(command, []).append(("extension", name))

    def resolve(command):
        return registry.aliases.get(command, command)

    targets = sorted({resolve(c) for c in gates})
    feature_structs, property_structs = [], []
    for kind in sorted({registry.type_aliases.get(kind, kind) for kind in types}):
        struct = registry.structs.get(kind)
        if struct is None:
            continue
        extends = (struct.get("structextends") or "").split(",")
        if "VkPhysicalDeviceFeatures2" in extends:
            feature_structs.append(kind)
        elif "VkPhysicalDeviceProperties2" in extends:
            property_structs.append(kind)
    features = flat(registry, ["VkPhysicalDeviceFeatures"] + feature_structs, {})
    properties = flat(registry, property_structs, PROPERTY_NAMES)

    out = []
    emit = out.append
    emit("/* SPDX-License-Identifier: MIT */")
    emit("/* Made by hth_generate.py from vk.xml. */")
    emit("#ifndef HTH_TABLES_H\n#define HTH_TABLES_H\n")
    emit("#include <stdbool.h>\n#include <stdint.h>\n#include <vulkan/vulkan_core.h>\n")
    emit("enum hth_extension {")
    for name in EXTENSIONS:
        emit(f"\tHTH_{name[3:].upper()},")
    emit("\tHTH_EXTENSION_COUNT\n};\n")
    emit("struct hth_extension_info {\n\tconst char *name;\n\tuint32_t spec_version;\n"
         "\tbool instance;\n};\n")
    emit("extern const struct hth_extension_info hth_extensions[HTH_EXTENSION_COUNT];\n")
    emit("enum hth_level {\n\tHTH_LEVEL_GLOBAL,\n\tHTH_LEVEL_INSTANCE,\n"
         "\tHTH_LEVEL_PHYSICAL_DEVICE,\n\tHTH_LEVEL_DEVICE,\n};\n")
    emit("/* A name is there from @version on (0: never by version) or with one of @extensions"
         " (-1: none). */")
    emit("struct hth_entry {\n\tconst char *name;\n\tPFN_vkVoidFunction function;\n"
         "\tenum hth_level level;\n\tuint32_t version;\n\tint16_t extensions[2];\n};\n")
    emit("extern const struct hth_entry hth_entries[];\nextern const uint32_t hth_entry_count;\n")
    emit("struct hth_features {")
    for name in features:
        emit(f"\tVkBool32 {name};")
    emit("};\n")
    emit("struct hth_properties {")
    for name, (kind, array) in properties.items():
        emit(f"\t{kind} {name}{array};")
    emit("};\n")
    emit("/* Fills every known structure of a VkPhysicalDeviceFeatures2 chain, and the core ones. */")
    emit("void hth_features_core(const struct hth_features *from, VkPhysicalDeviceFeatures *to);")
    emit("void hth_features_chain(const struct hth_features *from, void *chain);")
    emit("/*\n * Adds to @enabled what a chain asks for. Returns NULL, or the name of a feature that"
         " @supported lacks.\n */")
    emit("const char *hth_features_request(const struct hth_features *supported,\n"
         "\t\t\t\t const VkPhysicalDeviceFeatures *core, const void *chain,\n"
         "\t\t\t\t struct hth_features *enabled);")
    emit("void hth_properties_chain(const struct hth_properties *from, void *chain);\n")
    emit("#define HTH_WEAK __attribute__((weak))\n")
    for name in targets:
        result, params = registry.prototype(name)
        emit(f"VKAPI_ATTR {result} VKAPI_CALL hth_{name[2:]}({', '.join(params)}) HTH_WEAK;")
    emit("\n#endif")
    with open(f"{folder}/hth_tables.h", "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")

    out = []
    emit = out.append
    emit("/* SPDX-License-Identifier: MIT */")
    emit("/* Made by hth_generate.py from vk.xml. */\n")
    emit('#include <string.h>\n#include <vulkan/vulkan_core.h>\n\n#include "hth_tables.h"\n')
    emit("const struct hth_extension_info hth_extensions[HTH_EXTENSION_COUNT] = {")
    for name in EXTENSIONS:
        instance = "true" if ext_type[name] == "instance" else "false"
        emit(f'\t{{ "{name}", {spec_versions[name]}, {instance} }},')
    emit("};\n")
    emit("const struct hth_entry hth_entries[] = {")
    for name in sorted(gates):
        version = "0"
        extensions = []
        for gate, value in gates[name]:
            if gate == "version":
                version = value
            else:
                extensions.append(f"HTH_{value[3:].upper()}")
        extensions = (extensions + ["-1", "-1"])[:2]
        target = resolve(name)
        emit(f'\t{{ "{name}", (PFN_vkVoidFunction)hth_{target[2:]}, {registry.level(target)}, '
             f'{version}, {{ {", ".join(extensions)} }} }},')
    emit("};\n\nconst uint32_t hth_entry_count = sizeof(hth_entries) / sizeof(hth_entries[0]);\n")

    emit("void hth_features_core(const struct hth_features *from, VkPhysicalDeviceFeatures *to)\n{")
    for _, name, _ in registry.members("VkPhysicalDeviceFeatures"):
        emit(f"\tto->{name} = from->{name};")
    emit("}\n")
    emit("void hth_features_chain(const struct hth_features *from, void *chain)\n{")
    emit("\tfor (VkBaseOutStructure *next = chain; next; next = next->pNext) {")
    emit("\t\tswitch ((uint32_t)next->sType) {")
    for struct in feature_structs:
        emit(f"\t\tcase {registry.stype(struct)}: {{")
        emit(f"\t\t\t{struct} *to = (void *)next;\n")
        for _, name, _ in registry.members(struct):
            emit(f"\t\t\tto->{name} = from->{name};")
        emit("\t\t\tbreak;\n\t\t}")
    emit("\t\tdefault:\n\t\t\tbreak;\n\t\t}\n\t}\n}\n")
    emit("#define HTH_REQUEST(feature)                                 \\")
    emit("\tdo {                                                 \\")
    emit("\t\tif (asked->feature && !supported->feature)   \\")
    emit("\t\t\treturn #feature;                     \\")
    emit("\t\tif (asked->feature)                          \\")
    emit("\t\t\tenabled->feature = VK_TRUE;          \\")
    emit("\t} while (0)\n")
    emit("const char *hth_features_request(const struct hth_features *supported,\n"
         "\t\t\t\t const VkPhysicalDeviceFeatures *core, const void *chain,\n"
         "\t\t\t\t struct hth_features *enabled)\n{")
    emit("\tif (core) {\n\t\tconst VkPhysicalDeviceFeatures *asked = core;\n")
    for _, name, _ in registry.members("VkPhysicalDeviceFeatures"):
        emit(f"\t\tHTH_REQUEST({name});")
    emit("\t}")
    emit("\tfor (const VkBaseInStructure *next = chain; next; next = next->pNext) {")
    emit("\t\tswitch ((uint32_t)next->sType) {")
    emit("\t\tcase VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2: {")
    emit("\t\t\tconst VkPhysicalDeviceFeatures *asked =\n"
         "\t\t\t\t&((const VkPhysicalDeviceFeatures2 *)next)->features;\n")
    for _, name, _ in registry.members("VkPhysicalDeviceFeatures"):
        emit(f"\t\t\tHTH_REQUEST({name});")
    emit("\t\t\tbreak;\n\t\t}")
    for struct in feature_structs:
        emit(f"\t\tcase {registry.stype(struct)}: {{")
        emit(f"\t\t\tconst {struct} *asked = (const void *)next;\n")
        for _, name, _ in registry.members(struct):
            emit(f"\t\t\tHTH_REQUEST({name});")
        emit("\t\t\tbreak;\n\t\t}")
    emit("\t\tdefault:\n\t\t\tbreak;\n\t\t}\n\t}\n\treturn NULL;\n}\n")
    emit("void hth_properties_chain(const struct hth_properties *from, void *chain)\n{")
    emit("\tfor (VkBaseOutStructure *next = chain; next; next = next->pNext) {")
    emit("\t\tswitch ((uint32_t)next->sType) {")
    for struct in property_structs:
        emit(f"\t\tcase {registry.stype(struct)}: {{")
        emit(f"\t\t\t{struct} *to = (void *)next;\n")
        for _, name, _ in registry.members(struct):
            source = PROPERTY_NAMES.get((struct, name), name)
            emit(f"\t\t\tmemcpy(&to->{name}, &from->{source}, sizeof(to->{name}));")
        emit("\t\t\tbreak;\n\t\t}")
    emit("\t\tdefault:\n\t\t\tbreak;\n\t\t}\n\t}\n}")
    with open(f"{folder}/hth_tables.c", "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


main()
