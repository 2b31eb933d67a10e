// SPDX-License-Identifier: MIT
/*
 * The linker: lays the code and constants of one relocatable ELF64 object out in one blob and resolves
 * every relocation there, so that the blob runs at any address. It knows the relocations that LLVM makes
 * for position-independent code without outside symbols, and refuses all others by number. The object is
 * LLVM's work, but nothing in it is believed: every offset and index is checked.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hc_codegen.h"

#define IMAGE_ALIGN 64u
#define MAX_IMAGE   (64u << 20) /* far above any kernel; keeps 32-bit displacements safe */
#define MAX_ALIGN   4096u

#ifndef R_RISCV_SET_ULEB128
#define R_RISCV_SET_ULEB128 60
#define R_RISCV_SUB_ULEB128 61
#endif

struct elf {
	const uint8_t *data;
	size_t bytes;
	enum hc_arch arch;
	const Elf64_Shdr *sections; /* copied, so that they are aligned */
	Elf64_Shdr *sections_copy;
	uint32_t section_count;
	const char *section_names;
	size_t section_names_bytes;
	Elf64_Sym *symbols;
	uint32_t symbol_count;
	const char *names;
	size_t names_bytes;
	uint32_t *place; /* of each section in the image; NOT_PLACED if it is left out */
	uint8_t *image;
	size_t image_bytes;
	size_t code_bytes;
	char **message;
};

#define NOT_PLACED UINT32_MAX

static bool range_ok(size_t total, uint64_t offset, uint64_t bytes)
{
	return offset <= total && bytes <= total - offset;
}

static const char *name_at(const char *names, size_t bytes, uint32_t offset)
{
	if (offset >= bytes || !memchr(names + offset, 0, bytes - offset))
		return "(bad name)";
	return names + offset;
}

#define bad(e, ...) hc_fail(HC_ERROR_INTERNAL, (e)->message, "object: " __VA_ARGS__)

static enum hc_result read_header(struct elf *e)
{
	Elf64_Ehdr h;

	if (e->bytes < sizeof(h))
		return bad(e, "%zu bytes are fewer than an ELF header", e->bytes);
	memcpy(&h, e->data, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB || h.e_type != ET_REL)
		return bad(e, "not a little-endian relocatable ELF64 file");

	uint16_t machine = e->arch == HC_ARCH_X86_64 ? EM_X86_64 : EM_RISCV;

	if (h.e_machine != machine)
		return bad(e, "machine %u instead of %u", h.e_machine, machine);
	if (h.e_shentsize != sizeof(Elf64_Shdr) || !h.e_shnum ||
	    !range_ok(e->bytes, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr)))
		return bad(e, "section table of %u entries at %llu lies outside", h.e_shnum,
			   (unsigned long long)h.e_shoff);

	e->section_count = h.e_shnum;
	e->sections_copy = malloc((size_t)h.e_shnum * sizeof(Elf64_Shdr));
	e->place = malloc((size_t)h.e_shnum * sizeof(*e->place));
	if (!e->sections_copy || !e->place)
		return HC_ERROR_OUT_OF_MEMORY;
	memcpy(e->sections_copy, e->data + h.e_shoff, (size_t)h.e_shnum * sizeof(Elf64_Shdr));
	e->sections = e->sections_copy;

	for (uint32_t i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		e->place[i] = NOT_PLACED;
		if (s->sh_type != SHT_NOBITS && s->sh_type != SHT_NULL &&
		    !range_ok(e->bytes, s->sh_offset, s->sh_size))
			return bad(e, "section %u lies outside", i);
	}
	if (h.e_shstrndx < e->section_count && e->sections[h.e_shstrndx].sh_type == SHT_STRTAB) {
		e->section_names = (const char *)e->data + e->sections[h.e_shstrndx].sh_offset;
		e->section_names_bytes = e->sections[h.e_shstrndx].sh_size;
	}
	return HC_OK;
}

static const char *section_name(const struct elf *e, uint32_t i)
{
	return name_at(e->section_names, e->section_names_bytes, e->sections[i].sh_name);
}

static enum hc_result read_symbols(struct elf *e)
{
	for (uint32_t i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (s->sh_type != SHT_SYMTAB)
			continue;
		if (e->symbols)
			return bad(e, "two symbol tables");
		if (s->sh_link >= e->section_count ||
		    e->sections[s->sh_link].sh_type != SHT_STRTAB || s->sh_size % sizeof(Elf64_Sym))
			return bad(e, "malformed symbol table");
		e->symbol_count = s->sh_size / sizeof(Elf64_Sym);
		e->symbols = malloc(s->sh_size + 1);
		if (!e->symbols)
			return HC_ERROR_OUT_OF_MEMORY;
		memcpy(e->symbols, e->data + s->sh_offset, s->sh_size);
		e->names = (const char *)e->data + e->sections[s->sh_link].sh_offset;
		e->names_bytes = e->sections[s->sh_link].sh_size;
	}
	if (!e->symbols)
		return bad(e, "no symbol table");
	return HC_OK;
}

/* Unwind tables and the like are allocated too, but nothing in a kernel refers to them. */
static bool is_wanted(const struct elf *e, uint32_t i)
{
	const Elf64_Shdr *s = &e->sections[i];

	if (!(s->sh_flags & SHF_ALLOC) || !s->sh_size)
		return false;
	return s->sh_type != SHT_X86_64_UNWIND && s->sh_type != SHT_NOTE &&
	       strcmp(section_name(e, i), ".eh_frame") &&
	       strcmp(section_name(e, i), ".eh_frame_hdr");
}

static enum hc_result lay_out(struct elf *e)
{
	uint64_t at = 0;

	/* Code first, then constants. */
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < e->section_count; i++) {
			const Elf64_Shdr *s = &e->sections[i];
			bool code = s->sh_flags & SHF_EXECINSTR;
			uint64_t align = s->sh_addralign ? s->sh_addralign : 1;

			if (code != (pass == 0) || !is_wanted(e, i))
				continue;
			if (s->sh_type == SHT_NOBITS ||
			    ((s->sh_flags & SHF_WRITE) &&
			     strncmp(section_name(e, i), ".data.rel.ro", 12)))
				return bad(e, "section %s is writable; kernels have no variables",
					   section_name(e, i));
			if (align > MAX_ALIGN || (align & (align - 1)))
				return bad(e, "section %s has alignment %llu", section_name(e, i),
					   (unsigned long long)align);
			/* LLVM aligns constants by their size; no instruction asks for more than an image has. */
			if (align > IMAGE_ALIGN)
				align = IMAGE_ALIGN;
			at = (at + align - 1) & ~(align - 1);
			if (s->sh_size > MAX_IMAGE || at + s->sh_size > MAX_IMAGE)
				return bad(e, "image larger than %u bytes", MAX_IMAGE);
			e->place[i] = at;
			at += s->sh_size;
			if (code)
				e->code_bytes = at;
		}
	}
	if (!at)
		return bad(e, "no code");
	at = (at + IMAGE_ALIGN - 1) & ~(uint64_t)(IMAGE_ALIGN - 1);
	e->image = aligned_alloc(IMAGE_ALIGN, at);
	if (!e->image)
		return HC_ERROR_OUT_OF_MEMORY;
	memset(e->image, 0, at);
	e->image_bytes = at;
	for (uint32_t i = 0; i < e->section_count; i++) {
		if (e->place[i] != NOT_PLACED)
			memcpy(e->image + e->place[i], e->data + e->sections[i].sh_offset,
			       e->sections[i].sh_size);
	}
	return HC_OK;
}

/* The place of a symbol in the image. */
static enum hc_result symbol_place(const struct elf *e, uint32_t index, int64_t *place)
{
	if (index >= e->symbol_count)
		return bad(e, "symbol %u of %u", index, e->symbol_count);

	const Elf64_Sym *s = &e->symbols[index];
	const char *name = name_at(e->names, e->names_bytes, s->st_name);

	if (s->st_shndx == SHN_UNDEF)
		return bad(e, "the code refers to '%s', which is not in the kernel", name);
	if (s->st_shndx >= e->section_count || e->place[s->st_shndx] == NOT_PLACED)
		return bad(e, "symbol '%s' lies in section %u, which is not in the image", name,
			   s->st_shndx);
	if (s->st_value > e->sections[s->st_shndx].sh_size)
		return bad(e, "symbol '%s' lies outside its section", name);
	*place = (int64_t)e->place[s->st_shndx] + (int64_t)s->st_value;
	return HC_OK;
}

/* One relocation with everything that resolving it takes. @at, @target: places in the image. */
struct fixup {
	uint32_t type;
	uint32_t section;
	int64_t at;
	int64_t target;
	int64_t addend;
	uint8_t *p;
	size_t room; /* bytes of the section from p on */
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

static enum hc_result need(const struct elf *e, const struct fixup *f, size_t bytes)
{
	if (f->room < bytes)
		return bad(e, "relocation %u at the end of section %s", f->type,
			   section_name(e, f->section));
	return HC_OK;
}

static enum hc_result check_range(const struct elf *e, const struct fixup *f, int64_t value,
				  int bits)
{
	int64_t limit = (int64_t)1 << (bits - 1);

	if (value < -limit || value >= limit)
		return bad(e, "relocation %u in section %s: displacement %lld does not fit %d bits",
			   f->type, section_name(e, f->section), (long long)value, bits);
	return HC_OK;
}

static enum hc_result unknown(const struct elf *e, const struct fixup *f)
{
	return bad(e, "relocation type %u in section %s is not position-independent or not known",
		   f->type, section_name(e, f->section));
}

/* mov symbol@GOTPCREL(%rip), %r becomes lea symbol(%rip), %r: there is no table of addresses. */
static enum hc_result relax_got(const struct elf *e, const struct fixup *f)
{
	if (f->at < (int64_t)e->place[f->section] + 2 || f->p[-2] != 0x8b)
		return bad(e, "an address is loaded from a table in a way that cannot be undone");
	f->p[-2] = 0x8d;
	return HC_OK;
}

static enum hc_result fix_x86(const struct elf *e, const struct fixup *f)
{
	int64_t value = f->target + f->addend - f->at;
	enum hc_result result;

	switch (f->type) {
	case R_X86_64_NONE:
		return HC_OK;
	case R_X86_64_GOTPCREL:
	case R_X86_64_GOTPCRELX:
	case R_X86_64_REX_GOTPCRELX:
		result = need(e, f, 4);
		if (!result)
			result = relax_got(e, f);
		if (result)
			return result;
		break;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		result = need(e, f, 4);
		if (result)
			return result;
		break;
	case R_X86_64_PC64:
		result = need(e, f, 8);
		if (!result)
			put64(f->p, value);
		return result;
	default:
		return unknown(e, f);
	}
	result = check_range(e, f, value, 32);
	if (!result)
		put32(f->p, value);
	return result;
}

static uint32_t u_type(uint32_t insn, int64_t value)
{
	return (insn & 0xfff) | ((uint32_t)(value + 0x800) & 0xfffff000);
}

static uint32_t i_type(uint32_t insn, int64_t value)
{
	return (insn & 0xfffff) | (uint32_t)value << 20;
}

static uint32_t s_type(uint32_t insn, int64_t value)
{
	uint32_t v = value;

	return (insn & 0x01fff07f) | (v >> 5 & 0x7f) << 25 | (v & 0x1f) << 7;
}

static uint32_t b_type(uint32_t insn, int64_t value)
{
	uint32_t v = value;

	return (insn & 0x01fff07f) | (v >> 12 & 1) << 31 | (v >> 5 & 0x3f) << 25 |
	       (v >> 1 & 0xf) << 8 | (v >> 11 & 1) << 7;
}

static uint32_t j_type(uint32_t insn, int64_t value)
{
	uint32_t v = value;

	return (insn & 0xfff) | (v >> 20 & 1) << 31 | (v >> 1 & 0x3ff) << 21 | (v >> 11 & 1) << 20 |
	       (v >> 12 & 0xff) << 12;
}

static uint16_t cb_type(uint16_t insn, int64_t value)
{
	uint32_t v = value;

	return (insn & 0xe383) | (v >> 8 & 1) << 12 | (v >> 3 & 3) << 10 | (v >> 6 & 3) << 5 |
	       (v >> 1 & 3) << 3 | (v >> 5 & 1) << 2;
}

static uint16_t cj_type(uint16_t insn, int64_t value)
{
	uint32_t v = value;

	return (insn & 0xe003) | (v >> 11 & 1) << 12 | (v >> 4 & 1) << 11 | (v >> 8 & 3) << 9 |
	       (v >> 10 & 1) << 8 | (v >> 6 & 1) << 7 | (v >> 7 & 1) << 6 | (v >> 1 & 7) << 3 |
	       (v >> 5 & 1) << 2;
}

/*
 * The low half of a pair: its symbol is the place of the auipc, whose own relocation says what is meant.
 * @hi_at: that place. Finds its displacement, and whether it went through a table of addresses.
 */
static enum hc_result find_hi20(const struct elf *e, uint32_t section, int64_t hi_at,
				int64_t *value, bool *through_got)
{
	for (uint32_t i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (s->sh_type != SHT_RELA || s->sh_info != section)
			continue;
		for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= s->sh_size;
		     at += sizeof(Elf64_Rela)) {
			Elf64_Rela r;
			int64_t target;
			enum hc_result result;

			memcpy(&r, e->data + s->sh_offset + at, sizeof(r));
			if ((int64_t)(e->place[section] + r.r_offset) != hi_at)
				continue;

			uint32_t type = ELF64_R_TYPE(r.r_info);

			if (type != R_RISCV_PCREL_HI20 && type != R_RISCV_GOT_HI20)
				continue;
			result = symbol_place(e, ELF64_R_SYM(r.r_info), &target);
			if (result)
				return result;
			*value = target + r.r_addend - hi_at;
			*through_got = type == R_RISCV_GOT_HI20;
			return HC_OK;
		}
	}
	return bad(e, "low half of an address without its high half");
}

static enum hc_result fix_lo12(const struct elf *e, const struct fixup *f, bool store)
{
	int64_t value = 0;
	bool through_got = false;
	enum hc_result result = need(e, f, 4);

	if (!result)
		result = find_hi20(e, f->section, f->target, &value, &through_got);
	if (result)
		return result;

	uint32_t insn = get32(f->p);

	/* ld rd, lo(rs) from a table of addresses becomes addi rd, rs, lo. */
	if (through_got) {
		if (store || (insn & 0x707f) != 0x3003)
			return bad(
				e,
				"an address is loaded from a table in a way that cannot be undone");
		insn = (insn & ~0x707fu) | 0x13;
	}
	put32(f->p, store ? s_type(insn, value) : i_type(insn, value));
	return HC_OK;
}

static enum hc_result fix_add(const struct elf *e, const struct fixup *f, size_t bytes, int sign)
{
	uint64_t value = f->target + f->addend;
	enum hc_result result = need(e, f, bytes);

	if (result)
		return result;
	if (sign < 0)
		value = -value;
	switch (bytes) {
	case 1:
		*f->p += value;
		break;
	case 2:
		put16(f->p, get16(f->p) + value);
		break;
	case 4:
		put32(f->p, get32(f->p) + value);
		break;
	default:
		put64(f->p, get64(f->p) + value);
		break;
	}
	return HC_OK;
}

static enum hc_result fix_riscv(const struct elf *e, const struct fixup *f)
{
	int64_t value = f->target + f->addend - f->at;
	enum hc_result result;

	switch (f->type) {
	case R_RISCV_NONE:
	case R_RISCV_RELAX:
	case R_RISCV_ALIGN:
		return f->type == R_RISCV_ALIGN ? unknown(e, f) : HC_OK;
	case R_RISCV_PCREL_HI20:
	case R_RISCV_GOT_HI20:
		result = need(e, f, 4);
		if (!result)
			result = check_range(e, f, value + 0x800, 32);
		if (!result)
			put32(f->p, u_type(get32(f->p), value));
		return result;
	case R_RISCV_PCREL_LO12_I:
		return fix_lo12(e, f, false);
	case R_RISCV_PCREL_LO12_S:
		return fix_lo12(e, f, true);
	case R_RISCV_CALL:
	case R_RISCV_CALL_PLT:
		result = need(e, f, 8);
		if (!result)
			result = check_range(e, f, value + 0x800, 32);
		if (!result) {
			put32(f->p, u_type(get32(f->p), value));
			put32(f->p + 4, i_type(get32(f->p + 4), value));
		}
		return result;
	case R_RISCV_BRANCH:
		result = need(e, f, 4);
		if (!result)
			result = check_range(e, f, value, 13);
		if (!result)
			put32(f->p, b_type(get32(f->p), value));
		return result;
	case R_RISCV_JAL:
		result = need(e, f, 4);
		if (!result)
			result = check_range(e, f, value, 21);
		if (!result)
			put32(f->p, j_type(get32(f->p), value));
		return result;
	case R_RISCV_RVC_BRANCH:
		result = need(e, f, 2);
		if (!result)
			result = check_range(e, f, value, 9);
		if (!result)
			put16(f->p, cb_type(get16(f->p), value));
		return result;
	case R_RISCV_RVC_JUMP:
		result = need(e, f, 2);
		if (!result)
			result = check_range(e, f, value, 12);
		if (!result)
			put16(f->p, cj_type(get16(f->p), value));
		return result;
	case R_RISCV_32_PCREL:
		result = need(e, f, 4);
		if (!result)
			result = check_range(e, f, value, 32);
		if (!result)
			put32(f->p, value);
		return result;
	case R_RISCV_ADD8:
		return fix_add(e, f, 1, 1);
	case R_RISCV_ADD16:
		return fix_add(e, f, 2, 1);
	case R_RISCV_ADD32:
		return fix_add(e, f, 4, 1);
	case R_RISCV_ADD64:
		return fix_add(e, f, 8, 1);
	case R_RISCV_SUB8:
		return fix_add(e, f, 1, -1);
	case R_RISCV_SUB16:
		return fix_add(e, f, 2, -1);
	case R_RISCV_SUB32:
		return fix_add(e, f, 4, -1);
	case R_RISCV_SUB64:
		return fix_add(e, f, 8, -1);
	default:
		return unknown(e, f);
	}
}

static enum hc_result relocate_section(struct elf *e, const Elf64_Shdr *s)
{
	uint32_t section = s->sh_info;

	for (uint64_t i = 0; i < s->sh_size / sizeof(Elf64_Rela); i++) {
		Elf64_Rela r;
		struct fixup f;
		enum hc_result result;

		memcpy(&r, e->data + s->sh_offset + i * sizeof(r), sizeof(r));
		if (r.r_offset >= e->sections[section].sh_size)
			return bad(e, "relocation %llu lies outside section %s",
				   (unsigned long long)i, section_name(e, section));
		f.type = ELF64_R_TYPE(r.r_info);
		if (f.type == 0)
			continue;
		/* Keeps every sum below far from overflow. */
		if (r.r_addend > MAX_IMAGE || r.r_addend < -(int64_t)MAX_IMAGE)
			return bad(e, "relocation %llu has addend %lld", (unsigned long long)i,
				   (long long)r.r_addend);
		if (e->arch == HC_ARCH_RISCV64 && f.type == R_RISCV_RELAX)
			continue;
		f.section = section;
		f.at = (int64_t)(e->place[section] + r.r_offset);
		f.addend = r.r_addend;
		f.p = e->image + f.at;
		f.room = e->sections[section].sh_size - r.r_offset;
		result = symbol_place(e, ELF64_R_SYM(r.r_info), &f.target);
		if (!result)
			result = e->arch == HC_ARCH_X86_64 ? fix_x86(e, &f) : fix_riscv(e, &f);
		if (result)
			return result;
	}
	return HC_OK;
}

static enum hc_result relocate(struct elf *e)
{
	for (uint32_t i = 0; i < e->section_count; i++) {
		const Elf64_Shdr *s = &e->sections[i];
		enum hc_result result;

		if ((s->sh_type != SHT_RELA && s->sh_type != SHT_REL) ||
		    s->sh_info >= e->section_count || e->place[s->sh_info] == NOT_PLACED)
			continue;
		if (s->sh_type == SHT_REL || s->sh_size % sizeof(Elf64_Rela))
			return bad(e, "malformed relocation section %u", i);
		result = relocate_section(e, s);
		if (result)
			return result;
	}
	return HC_OK;
}

static enum hc_result find_entry(const struct elf *e, const char *entry, uint32_t *offset)
{
	for (uint32_t i = 1; i < e->symbol_count; i++) {
		const Elf64_Sym *s = &e->symbols[i];
		int64_t place;
		enum hc_result result;

		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC ||
		    strcmp(name_at(e->names, e->names_bytes, s->st_name), entry))
			continue;
		result = symbol_place(e, i, &place);
		if (result)
			return result;
		if (!(e->sections[s->st_shndx].sh_flags & SHF_EXECINSTR))
			return bad(e, "entry '%s' is not code", entry);
		*offset = place;
		return HC_OK;
	}
	return bad(e, "no function '%s'", entry);
}

enum hc_result hc_elf_link(const void *object, size_t object_bytes, enum hc_arch arch,
			   const char *entry, struct hc_image *image, char **message)
{
	struct elf e = { .data = object, .bytes = object_bytes, .arch = arch, .message = message };
	uint32_t offset = 0;
	enum hc_result result;

	if (arch != HC_ARCH_X86_64 && arch != HC_ARCH_RISCV64)
		return hc_fail(HC_ERROR_UNSUPPORTED, message, "linking for this architecture");

	result = read_header(&e);
	if (!result)
		result = read_symbols(&e);
	if (!result)
		result = lay_out(&e);
	if (!result)
		result = relocate(&e);
	if (!result)
		result = find_entry(&e, entry, &offset);

	if (!result) {
		image->image = e.image;
		image->image_bytes = e.image_bytes;
		image->code_bytes = (uint32_t)e.code_bytes;
		image->entry_offset = offset;
		e.image = NULL;
	}
	free(e.image);
	free(e.symbols);
	free(e.place);
	free(e.sections_copy);
	return result;
}
