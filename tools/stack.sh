#!/bin/sh
# Runs the tests of one heavy stack in an environment of its own: tools/stack.sh NAME PYTHON.
# What was asked of it names its stamp, as in the Makefile; a stack that cannot be had is skipped by name.
set -eu
name=$1
python=$2
asked=requirements/stacks/$name.txt
venv=.venv-$name
ready=$venv/.ready-$(cat "$asked" requirements/core.txt requirements/stack.txt | cksum | cut -d ' ' -f 1)
if [ ! -e "$ready" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    if ! "$venv/bin/python" -m pip install -q --require-virtualenv -r requirements/stack.txt -r "$asked"; then
        echo "SKIPPED stack $name: its libraries cannot be had here"
        exit 0
    fi
    "$venv/bin/python" -m pip install -q --require-virtualenv --no-deps -e .
    touch "$ready"
fi
echo "stack $name"
# One process a file: a library's backend is chosen once in a process. 5 says that a file had nothing to test here.
for file in tests/stacks/test_*.py; do
    "$venv/bin/python" -m pytest -q -rs "$file" || [ $? -eq 5 ]
done
