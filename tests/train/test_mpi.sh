#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Training under mpirun: the same bytes as one process alone with any number of processes and threads; a killed process ends the run,
# which goes on from its checkpoint with another number of them; what differs between machines is said.
. "$SOURCE_DIR/tests/train/common.sh"
command -v mpirun > /dev/null || { echo "SKIP: no mpirun"; exit 77; }

# More processes than processors; containers often forbid reading another process's memory.
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
mpi=(mpirun --oversubscribe)
[ "$(id -u)" -ne 0 ] || mpi+=(--allow-run-as-root)
"${mpi[@]}" -np 2 true 2> "$dir/err" || { echo "SKIP: mpirun does not run here: $(head -3 "$dir/err")"; exit 77; }

cat > "$dir/recipe.conf" <<'RECIPE'
layers = 1
hidden = 32
epochs = 3
batch-seconds = 3
lr = 0.01
warmup-steps = 5
dropout = 0.2
ema = 0.9
speeds = 0.9,1.1
time-masks = 1
checkpoint-minutes = 0
log-steps = 1
RECIPE

# train NAME COMMAND...: the program's own options stand last.
train() {
    local name=$1
    shift
    OTOLITH_DATE=2020-01-02 "$@" --config="$dir/recipe.conf" --train="$dir/corpus/train.tsv" --dev="$dir/corpus/dev.tsv" \
        --cache="$dir/cache" --out="$dir/$name" --name=toy --show=0 > "$dir/$name.out" 2> "$dir/$name.err" < /dev/null
}

same() {
    same_files "$1" best.oto last.oto best-dev.tsv
}

train refused "${mpi[@]}" -np 2 "$OTOLITH" train --parts=1
grep -q "this build has no MPI" "$dir/refused.err" && { echo "SKIP: built without MPI"; exit 77; }
grep -q "2 processes for batches of 1 parts" "$dir/refused.err" || fail "two processes, one part: $(cat "$dir/refused.err")"
[ ! -e "$dir/refused/checkpoint.bin" ] || fail "two processes, one part: trained"

train whole "$OTOLITH" train --threads=1 || fail "one process: $(cat "$dir/whole.err")"
rm -r "$dir/cache" # made again by the first process of mpirun
for run in 2-1 4-1 3-2 1-1; do
    train "$run" "${mpi[@]}" -np "${run%-*}" "$OTOLITH" train --threads="${run#*-}" || fail "$run: $(cat "$dir/$run.err")"
    same "$run"
    [ "$(grep -c 'best.oto' "$dir/$run.out")" -eq 1 ] || fail "$run: not one line of result: $(cat "$dir/$run.out")"
    [ "$(grep -c '^epoch 3' "$dir/$run.err")" -eq 1 ] || fail "$run: more than one process tells of an epoch"
done
grep -q "4 processes by MPI" "$dir/4-1.err" || fail "does not tell its processes: $(cat "$dir/4-1.err")"
[ "$(ls "$dir/cache" | wc -l)" -eq 2 ] || fail "features were made more than once: $(ls "$dir/cache")"
echo "1 to 4 processes of mpirun, 1 and 2 threads: the same bytes"

# What cannot be is said, and the run ends.
train both "${mpi[@]}" -np 2 "$OTOLITH" train --processes=2 && fail "--processes under mpirun"
grep -q -- "--processes=2 under mpirun" "$dir/both.err" || fail "--processes under mpirun: $(cat "$dir/both.err")"
common=(--config="$dir/recipe.conf" --train="$dir/corpus/train.tsv" --dev="$dir/corpus/dev.tsv" --cache="$dir/cache" --out="$dir/unlike")
"${mpi[@]}" -np 1 "$OTOLITH" train "${common[@]}" : -np 1 "$OTOLITH" train "${common[@]}" --seed=7 2> "$dir/err" > "$dir/out" &&
    fail "trained with two seeds"
grep -q "has other options than the first" "$dir/err" || fail "two seeds: $(cat "$dir/err")"
train again "${mpi[@]}" -np 2 "$OTOLITH" train || fail "again: $(cat "$dir/again.err")"
train again "${mpi[@]}" -np 2 "$OTOLITH" train && fail "overwrote a run"
grep -q -- "--resume" "$dir/again.err" || fail "no hint at --resume: $(cat "$dir/again.err")"

# wait_for NAME N: until so many steps are done.
wait_for() {
    local i n
    for ((i = 0; i < 3000; i++)); do
        n=$(grep -c '"kind":"step"' "$dir/$1/metrics.jsonl" 2> /dev/null)
        [ "${n:-0}" -ge "$2" ] && return
        sleep 0.01
    done
    fail "$1: $2 steps take too long: $(cat "$dir/$1.err")"
}

# Processes of ours that were started for --out=NAME.
members() {
    local p
    for p in /proc/[0-9]*; do
        [ "$(readlink "$p/exe" 2> /dev/null)" = "$(readlink -f "$OTOLITH")" ] || continue
        tr '\0' ' ' 2> /dev/null < "$p/cmdline" | grep -q -- "--out=$dir/$1 " && echo "${p#/proc/}"
    done
}

gone() { # NAME
    local i
    for ((i = 0; i < 200; i++)); do
        [ -z "$(members "$1")" ] && return
        sleep 0.1
    done
    fail "$1: processes are left: $(members "$1")"
}

train victim "${mpi[@]}" -np 3 "$OTOLITH" train --epochs=200 --schedule=constant &
pid=$!
wait_for victim 5
mapfile -t others < <(members victim)
[ ${#others[@]} -eq 3 ] || fail "3 processes, but ${#others[@]} run"
kill -KILL "${others[2]}"
wait $pid && fail "a killed process: exit code 0"
gone victim
[ -e "$dir/victim/checkpoint.bin" ] || fail "a killed process: no checkpoint"
train stopped "${mpi[@]}" -np 2 "$OTOLITH" train --epochs=200 --schedule=constant &
pid=$!
wait_for stopped 5
# The first process, wherever mpirun is: it tells the others.
mapfile -t others < <(members stopped)
kill -TERM "${others[0]}"
wait $pid && fail "stopped: exit code 0"
gone stopped
grep -q "go on with --resume" "$dir/stopped.err" || fail "stopped: $(cat "$dir/stopped.err")"
echo "a killed process, a stopped one: all end"

# Both go on: killed and stopped runs by another number of processes, with and without mpirun, to the bytes of an undisturbed one.
step=$(grep -c '"kind":"step"' "$dir/whole/metrics.jsonl")
for run in 2 4; do
    train "on$run" "${mpi[@]}" -np $run "$OTOLITH" train &
    pid=$!
    wait_for "on$run" $((step / 3))
    mapfile -t others < <(members "on$run")
    kill -KILL "${others[$((run - 1))]}" 2> /dev/null
    wait $pid
    gone "on$run"
    if [ $run -eq 2 ]; then
        train "on$run" "$OTOLITH" train --resume --processes=2 || fail "on$run: $(cat "$dir/on$run.err")"
    else
        train "on$run" "${mpi[@]}" -np 2 "$OTOLITH" train --resume || fail "on$run: $(cat "$dir/on$run.err")"
        grep -q "resumed at" "$dir/on$run.err" || fail "on$run: did not resume: $(cat "$dir/on$run.err")"
    fi
    same "on$run"
done
echo "killed and gone on with another number of processes: the same bytes"
