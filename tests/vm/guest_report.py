# SPDX-License-Identifier: MIT
"""Turns what a guest says into one TAP stream: results of all programs are numbered through, a program that
prints fewer results than it planned or dies is a failed result, and so is a suite that ends early."""

import re

RESULT = re.compile(r'^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)(?:\s*#\s*[Ss][Kk][Ii][Pp]\S*\s*(.*))?$')


class Report:
    """Feed it lines; it writes TAP through the function that it was given."""

    def __init__(self, write):
        self.write = write
        self.count = self.failed = 0
        self.program = None
        self.planned = None
        self.seen = 0
        self.status = None

    def result(self, ok, text):
        self.count += 1
        self.failed += not ok
        self.write(f'{"ok" if ok else "not ok"} {self.count} - {text}\n')

    def say(self, text):
        self.write(f'# {text}\n')

    def feed(self, line):
        if line.startswith('#@'):
            self.command(line[2:])
        elif RESULT.match(line):
            bad, _, text = RESULT.match(line).groups()
            self.seen += 1
            if self.program:
                text = f'{self.program}: {text}'
            # A test that is expected to fail counts as passed when it does.
            self.result(not bad or bool(re.search(r'#\s*TODO', text, re.I)), text)
        elif PLAN.match(line):
            planned, reason = PLAN.match(line).groups()
            if reason is not None and planned == '0':
                self.result(True, f'{self.program} # SKIP {reason}')
            self.planned = (self.planned or 0) + int(planned)
        elif line.startswith('Bail out!'):
            self.result(False, f'{self.program or "suite"}: {line}')
        elif line.strip() and not line.startswith(('TAP version', 'pragma')):
            self.say(line.lstrip('# '))

    def command(self, line):
        word, _, rest = line.partition(' ')
        if word == 'begin':
            self.program, self.planned, self.seen = rest, None, 0
        elif word == 'end' and self.program:
            if self.planned is None:
                self.result(False, f'{self.program}: ended with status {rest} and printed no plan')
            elif self.seen != self.planned:
                self.result(False, f'{self.program}: printed {self.seen} results of {self.planned}, '
                                   f'ended with status {rest}')
            elif rest not in ('0', '1'):
                self.result(False, f'{self.program}: ended with status {rest}')
            self.program = None
        elif word == 'say':
            self.say(rest)
        elif word == 'exit':
            self.status = int(rest) if rest.isdigit() else 255

    def finish(self, why_ended, log_clean):
        """Adds the harness's own results and the plan; true if all is well."""
        if self.program:
            self.result(False, f'{self.program}: did not end ({why_ended})')
        self.result(self.status == 0, 'the suite ran to its end' + ('' if self.status == 0 else f' ({why_ended})'))
        self.result(log_clean, 'the kernel log is clean')
        self.write(f'1..{self.count}\n')
        return not self.failed
