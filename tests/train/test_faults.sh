#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The real program killed by the kernel at system calls that change files, or refused by a full disk or a broken one there:
# whatever was the moment, it goes on from its checkpoint to the same bytes as an undisturbed run.
. "$SOURCE_DIR/tests/train/common.sh"
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # the leak checker does not work under ptrace
strace -qq -o "$dir/none" true 2>/dev/null || { echo "SKIP: no strace, or it may not trace here"; exit 77; }

cat > "$dir/recipe.conf" <<'RECIPE'
layers = 1
hidden = 16
epochs = 2
batch-seconds = 10
warmup-steps = 2
dropout = 0.2
ema = 0.9
speeds = 0.9,1.1
time-masks = 1
checkpoint-minutes = 0
RECIPE

processes=2
# train NAME [COMMAND...]: in a folder of its own, cache included; the exit code.
train() {
    local name=$1
    shift
    # Every other run by two processes: the first one alone touches files, and strace follows it alone.
    processes=$((3 - processes))
    OTOLITH_DATE=2020-01-02 "$@" "$OTOLITH" train --config="$dir/recipe.conf" --train="$dir/corpus/train.tsv" \
        --dev="$dir/corpus/dev.tsv" --out="$dir/$name" --name=toy --show=0 --threads=1 --processes=$processes $options \
        > "$dir/out" 2> "$dir/err" < /dev/null
}

# finish NAME: goes on, and compares.
finish() {
    options=
    [ -e "$dir/$1/checkpoint.bin" ] && options=--resume
    train "$1" || fail "$2: does not go on: $(cat "$dir/err")"
    for file in best.oto last.oto; do
        cmp "$dir/whole/$file" "$dir/$1/$file" || fail "$2: $file is not that of the undisturbed run"
    done
    ! ls "$dir/$1"/*.tmp-* > /dev/null 2>&1 || fail "$2: left $(ls "$dir/$1"/*.tmp-*)"
    rm -rf "${dir:?}/$1"
}

calls="write fsync rename link unlink"
options=
train whole strace -qq -o "$dir/trace" -e "trace=${calls// /,}" || fail "the undisturbed run: $(cat "$dir/err")"
total=0
for call in $calls; do
    n=$(grep -c "^$call(" "$dir/trace")
    [ "$n" -gt 2 ] || fail "$call is called $n times only: $(cat "$dir/trace")"
    # Each of the rarer calls, and a dozen of the many writes, first and last included.
    step=$((n > 24 ? (n + 11) / 12 : 1))
    for ((k = 1; k <= n; k = k == n ? n + 1 : k + step > n ? n : k + step)); do
        options=
        train killed strace -qq -o "$dir/none" -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$k" 2>/dev/null
        [ $? -eq 137 ] || fail "$call $k: not killed: $(cat "$dir/err")"
        finish killed "killed at $call $k"
        total=$((total + 1))
    done
done
echo "killed at $total moments: the same bytes"

# A full disk or a broken one: exit code 74, the file is named, and the checkpoint before it is still good.
for fault in write:ENOSPC fsync:EIO rename:EIO; do
    call=${fault%:*}
    first=$(grep -c "^$call(" "$dir/trace")
    for k in $((first / 3)) $((first - 3)); do
        options=
        train broken strace -qq -o "$dir/none" -e "trace=$call" -e "inject=$call:error=${fault#*:}:when=$k"
        code=$?
        [ $code -eq 74 ] || fail "$fault $k: exit code $code, expected 74: $(cat "$dir/err")"
        grep -q "broken" "$dir/err" || fail "$fault $k: the message names no file: $(cat "$dir/err")"
        finish broken "$fault at $k"
    done
done
echo "full and broken disks: exit code 74, and the same bytes after going on"
