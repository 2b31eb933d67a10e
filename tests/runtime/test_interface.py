#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_interface.py SOURCE BUILD LIBRARY CC CXX: the public header and library as other programs use them: the example as C
and as C++, each function that the header declares under the version that the symbol map gives, and the library opened
with dlopen. Prints TAP."""

import ctypes
import os
import re
import subprocess
import sys
import tempfile

EXPECTED = '190\n194\n198\n'


def run(command, **environment):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=200, env=dict(os.environ, **environment))
    return done.returncode, done.stdout.decode('utf-8', 'replace')


class Tap:
    count = failed = 0

    def result(self, ok, text, detail=''):
        self.count += 1
        self.failed += not ok
        print(f'{"ok" if ok else "not ok"} {self.count} - {text}', flush=True)
        for line in [] if ok else detail.splitlines()[-15:]:
            print('#   ' + line)


def main():
    source, build, library, cc, cxx = sys.argv[1:]
    folder = f'{source}/userspace/runtime'
    tap = Tap()
    declared = set(re.findall(r'\b(hearth_[a-z0-9_]+)\(', re.sub(r'/\*.*?\*/', '', open(f'{folder}/hearth.h').read(),
                                                                 flags=re.S)))
    versions = {}
    for name, body in re.findall(r'(HEARTH_[0-9.]+) \{(.*?)\}', open(f'{folder}/libhearth.map').read(), re.S):
        versions.update({symbol: name for symbol in re.findall(r'\b(hearth_[a-z0-9_]+);', body)})
    tap.result(declared == set(versions), 'the symbol map has the functions that the header declares',
               f'only in the header: {declared - set(versions)}\nonly in the map: {set(versions) - declared}')
    exported = {}
    for line in run(['nm', '-D', '--with-symbol-versions', '--defined-only', library])[1].splitlines():
        match = re.search(r' T (\w+)@@(\w+[.\w]*)', line)
        if match:
            exported[match.group(1)] = match.group(2)
    tap.result(exported == versions, 'the library exports these functions, with their versions, and no others',
               str(set(exported.items()) ^ set(versions.items())))
    with tempfile.TemporaryDirectory() as work:
        for language, compiler in (('C', [cc, '-std=c11']), ('C++', [cxx, '-x', 'c++', '-std=c++11'])):
            program = f'{work}/example'
            status, text = run(compiler + ['-Wall', '-Wextra', '-Werror', f'-I{folder}', f'{folder}/example.c', '-o', program,
                                           f'-L{os.path.dirname(library)}', '-lhearth',
                                           f'-Wl,-rpath,{os.path.dirname(library)}'])
            tap.result(status == 0, f'the example compiles as {language}', text)
            status, text = run([program])
            tap.result(status == 0 and text == EXPECTED, f'the example runs as {language}', text)
    hearth = ctypes.CDLL(library, mode=os.RTLD_NOW | os.RTLD_LOCAL)
    hearth.hearth_status_string.restype = ctypes.c_char_p
    instance = ctypes.c_void_p()
    status = hearth.hearth_instance_create(None, ctypes.byref(instance))
    hearth.hearth_device_count.restype = ctypes.c_uint32
    count = hearth.hearth_device_count(instance) if status == 0 else 0
    hearth.hearth_instance_destroy(instance)
    tap.result(status == 0 and count > 0, f'opened with dlopen, the library finds {count} devices',
               hearth.hearth_status_string(status).decode())
    print(f'1..{tap.count}')
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
