#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The network's own tests on an emulated processor without AVX: the C kernels are chosen, and everything still passes.
# The gradient tests compute in double, which has C kernels alone: nothing is chosen there.
set -u
programs="checkasm_test_checkasm unit_test_gemm unit_test_linear golden_test_network"

if ! command -v qemu-x86_64 >/dev/null; then
    echo "skipped: no qemu-x86_64 (Debian package qemu-user)"
    exit 77
fi
if [ "$(uname -m)" != x86_64 ]; then
    echo "skipped: the programs are for $(uname -m), the emulator is for x86_64"
    exit 77
fi
if grep -q __asan_init "$BUILD_DIR/tests/checkasm_test_checkasm"; then
    echo "skipped: AddressSanitizer's shadow memory does not fit into the emulator"
    exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
for program in $programs; do
    if [ ! -x "$BUILD_DIR/tests/$program" ]; then
        echo "FAILED: $BUILD_DIR/tests/$program is not there"
        failed=1
        continue
    fi
    options=()
    [ "$program" = checkasm_test_checkasm ] && options=(--max-units=20) # the emulator takes 20 times as long
    if ! OTOLITH_ISA=auto qemu-x86_64 -cpu Nehalem "$BUILD_DIR/tests/$program" "${options[@]}" \
        >"$scratch/$program" 2>&1; then
        echo "FAILED: $program on a processor without AVX; the end of its output:"
        tail -n 20 "$scratch/$program"
        failed=1
    fi
done
if ! grep -q "best of this processor: scalar" "$scratch/checkasm_test_checkasm"; then
    echo "FAILED: the dispatch did not take the C kernels on a processor without AVX:"
    head -n 1 "$scratch/checkasm_test_checkasm"
    failed=1
fi
[ "$failed" = 0 ] && echo "passed without AVX: $programs"
exit "$failed"
