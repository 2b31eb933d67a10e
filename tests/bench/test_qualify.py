#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_qualify.py HEARTH-BENCH SHIM DEVICE: qualification of a device that is right, and of one that is wrong in each way, as
qualify_shim.c has it; and that the runtime then does without what was wrong. Prints TAP."""

import os
import re
import subprocess
import sys
import tempfile

program, shim, device = sys.argv[1:]
ABILITIES = ['plain', 'subgroup', 'storage16', 'integer_dot']
count = failed = 0


def result(good, text, detail=''):
    global count, failed
    count += 1
    failed += not good
    print(f'{"ok" if good else "not ok"} {count} - {text}', flush=True)
    for line in str(detail).splitlines()[-20:] if not good else []:
        print('#   ' + line)


def main():
    with tempfile.TemporaryDirectory() as folder:
        def run(*arguments, **more):
            done = subprocess.run([program, '--device', device, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=False, timeout=250, env=dict(os.environ, HEARTH_CACHE_DIR=folder, **more))
            return done.returncode, done.stdout + done.stderr

        def verdict():
            names = os.listdir(f'{folder}/verdicts') if os.path.isdir(f'{folder}/verdicts') else []
            text = open(f'{folder}/verdicts/{names[0]}').read() if len(names) == 1 else f'{names}'
            return dict(re.findall(r'^(\w+) (right|wrong|absent)$', text, re.M)), text

        def qualify(ability='', how='', *arguments):
            more = {'LD_PRELOAD': shim, 'SHIM_ABILITY': ability, 'SHIM_HOW': how} if ability else {}
            status, text = run('--qualify', '--quick', *arguments, **more)
            return status, text, *verdict()

        status, text, got, raw = qualify()
        result(status == 0 and list(got) == ABILITIES and 'wrong' not in got.values() and raw.endswith('\nend\n'),
               'a device that is right', text + raw)
        has = {name for name in ABILITIES if got.get(name) == 'right'}
        status, text = run('--list')
        result(status == 0 and 'unused' not in text and 'ignored' not in text, 'nothing is left unused then', text)

        for ability, how in [('integer_dot', 'wrong'), ('storage16', 'crash'), ('subgroup', 'lost')]:
            if ability not in has:
                result(True, f'{ability} # SKIP the device does not have it')
                continue
            status, text, got, raw = qualify(ability, how)
            result(status == 1 and got.get(ability) == 'wrong' and got.get('plain') == 'right', f'{ability}, {how}: found', text + raw)
            others = [name for name in ABILITIES if name in has and name != ability]
            if ability == 'subgroup':
                result(got.get('integer_dot') == 'absent', 'what needs subgroups is not tried', raw)
            else:
                result(all(got.get(name) == 'right' for name in others), f'{ability}, {how}: the others are right', raw)
            status, text = run('--list')
            result(status == 0 and f'{ability} is unused' in text, f'{ability}: the runtime does without it, and says so', text)
        status, text, got, raw = qualify('plain', 'wrong')
        result(status == 1 and got.get('plain') == 'wrong', 'a device that is wrong without any ability', text + raw)
        result('do not trust it' in run('--list')[1], 'the runtime says so')
        status, text, got, raw = qualify()
        result(status == 0 and 'wrong' not in got.values(), 'a verdict is replaced by the next', text + raw)
        status, text = run('--qualify-one=magic')
        result(status == 2 and 'magic' in text, 'an ability that there is not is wrong usage', text)
        os.chmod(f'{folder}/verdicts', 0o500)
        if os.geteuid():
            status, text, got, raw = qualify()
            result(status == 1 and 'verdicts' in text, 'a verdict that cannot be written is an error', text)
        os.chmod(f'{folder}/verdicts', 0o700)
    print(f'1..{count}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
