#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes ember's corpus: little stories, one a line, from the grammars in grammar/.

A story takes its hero, helper, places and things from one binding, so that they stay the same from the
first sentence to the last, and every word that depends on a gender names whose. Choices are skewed, and
which one leads depends on the hero: what a trained model finds likeliest then stands clear of the next.
"""
import argparse
import pathlib
import random
import re
import sys
import zlib

LANGUAGES = ("en", "fr", "pt", "hi")
SKEW = 1.3  # weight of the choice at rank r is (r + 1) ** -SKEW
PLACEHOLDER = re.compile(r"\{(\w+)(?:\.(\w+)|:([^|{}]*)\|([^|{}]*))?\}")
FRENCH_VOWELS = "aeiouâàéèêîôûœ"


class Grammar:
    """One language's words and sentences: lists by name, and story parts as slots of variants."""

    def __init__(self, language):
        self.language = language
        self.lists = {}
        self.parts = {}
        path = pathlib.Path(__file__).parent / "grammar" / (language + ".txt")
        section = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("#"):
                continue
            if line.startswith("["):
                section = line.strip("[]")
                target = self.parts if section in ("open", "end") or section.startswith("plot ") \
                    else self.lists
                target[section] = [[]] if target is self.parts else []
            elif section in self.parts:
                if line.startswith("- "):
                    self.parts[section][-1].append(line[2:])
                elif not line:
                    self.parts[section].append([])
                else:
                    sys.exit(f"{path}:{number}: expected '- sentence' or an empty line")
            elif line:
                self.lists[section].append([field.strip() for field in line.split(";")])
        self.plots = [part for part in self.parts if part.startswith("plot ")]

    def forms(self, fields):
        """The forms of a noun: '' with its article where the language wants one, b bare, a with 'a'."""
        gender, phrase = fields[0], fields[1]
        bare = fields[2] if len(fields) > 2 else phrase
        forms = {"g": gender, "b": bare}
        feminine = gender == "f"
        if self.language == "en":
            forms.update({"": bare, "a": phrase})
        elif self.language == "fr":
            elided = bare[0] in FRENCH_VOWELS
            article = "l'" if elided else "la " if feminine else "le "
            forms.update({"": article + bare, "a": ("une " if feminine else "un ") + phrase})
        elif self.language == "pt":
            forms.update({"": ("a " if feminine else "o ") + bare,
                          "a": ("uma " if feminine else "um ") + phrase})
        else:
            oblique = fields[3:5] if len(fields) > 4 else (phrase, bare)
            forms.update({"": bare, "a": "एक " + phrase, "ao": "एक " + oblique[0], "o": oblique[1]})
        return forms


def pick(chance, options, key=""):
    """One of the options; the key says which of them is the likeliest, which comes second, and so on."""
    order = list(range(len(options)))
    if key:
        random.Random(zlib.crc32(key.encode())).shuffle(order)
    weights = [(rank + 1) ** -SKEW for rank in range(len(order))]
    return options[chance.choices(order, weights)[0]]


def bind(grammar, chance):
    """Chooses everything that stays the same throughout one story."""
    hero = pick(chance, grammar.lists["hero"])
    species = hero[1]
    bound = {"h": grammar.forms(hero)}
    bound["n"] = pick(chance, grammar.lists["names " + hero[0]][0], "name" + species)
    bound["plot"] = pick(chance, grammar.plots, "plot" + species)
    bound["k"] = grammar.forms(pick(chance, grammar.lists["helper"], "helper" + species))
    bound["o"] = grammar.forms(pick(chance, grammar.lists["object"], "object" + species))
    bound["p"] = {"g": "f" if bound["h"]["g"] == bound["k"]["g"] == "f" else "m"}
    for name, options in grammar.lists.items():
        if name not in ("hero", "helper", "object") and not name.startswith("names "):
            bound[name] = pick(chance, options, name + species)
    return bound


def fill(sentence, bound):
    """The sentence with its placeholders replaced and its first letters capital.

    {x} and {x.form} name what is bound; {x:a|b} is a or b as x is masculine or feminine.
    """
    def replace(match):
        name, form, masculine, feminine = match.groups()
        what = bound[name]
        if masculine is not None:
            return feminine if what["g"] == "f" else masculine
        if isinstance(what, str):
            return what
        if isinstance(what, dict):
            return what[form or ""]
        if what[0] == "m/f":
            return what[2 if bound[form]["g"] == "f" else 1]
        return what[int(form or 0)]

    text = PLACEHOLDER.sub(replace, sentence)
    return re.sub(r"(^|[.!?] )(\w)", lambda match: match[1] + match[2].upper(), text)


def story(grammar, chance):
    """One story, as a line of text."""
    bound = bind(grammar, chance)
    sentences = []
    for part in ("open", bound["plot"], "end"):
        for slot, variants in enumerate(grammar.parts[part]):
            sentences.append(fill(pick(chance, variants, f"{part}{slot}"), bound))
    return " ".join(sentences)


def stories(count, seed):
    """Yields (language, story), the languages in turn."""
    chance = random.Random(seed)
    grammars = [Grammar(language) for language in LANGUAGES]
    for index in range(count):
        grammar = grammars[index % len(grammars)]
        yield grammar.language, story(grammar, chance)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8, help="stories, the four languages in turn")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for _, text in stories(arguments.count, arguments.seed):
        print(text)


if __name__ == "__main__":
    main()
