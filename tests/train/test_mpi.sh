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

# begin NAME N [OPTIONS]: N processes in the background; their numbers by rank in the array ranks, that of the first in pid for
# halt, that of mpirun in run.
begin() {
    local name=$1 n=$2 i
    shift 2
    mkdir "$dir/$name.ranks"
    # shellcheck disable=SC2016
    train "$name" "${mpi[@]}" -np "$n" bash -c 'echo $$ > "$0/new-$OMPI_COMM_WORLD_RANK"; mv "$0/new-$OMPI_COMM_WORLD_RANK" "$0/$OMPI_COMM_WORLD_RANK"; exec "$@"' \
        "$dir/$name.ranks" "$OTOLITH" train "$@" &
    run=$!
    ranks=()
    for ((i = 0; i < n; i++)); do
        until [ -e "$dir/$name.ranks/$i" ]; do
            kill -0 $run 2> /dev/null || fail "$name: does not begin: $(cat "$dir/$name.err")"
            sleep 0.01
        done
        ranks+=("$(cat "$dir/$name.ranks/$i")")
    done
    pid=${ranks[0]}
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

begin victim 3 --epochs=200 --schedule=constant
halt victim 5 || fail "victim: ended before step 5: $(cat "$dir/victim.err")"
kill -KILL "${ranks[2]}"
kill -CONT $pid
wait $run && fail "a killed process: exit code 0"
gone victim
[ -e "$dir/victim/checkpoint.bin" ] || fail "a killed process: no checkpoint"
begin stopped 2 --epochs=200 --schedule=constant
halt stopped 5 || fail "stopped: ended before step 5: $(cat "$dir/stopped.err")"
kill -TERM $pid # the first process, wherever mpirun is: it tells the others
kill -CONT $pid
wait $run && fail "stopped: exit code 0"
gone stopped
grep -q "go on with --resume" "$dir/stopped.err" || fail "stopped: $(cat "$dir/stopped.err")"
echo "a killed process, a stopped one: all end"

# Both go on: killed and stopped runs by another number of processes, with and without mpirun, to the bytes of an undisturbed one.
step=$(steps whole)
for n in 2 4; do
    begin "on$n" $n
    halt "on$n" $((step / 3)) || fail "on$n: ended before step $((step / 3)): $(cat "$dir/on$n.err")"
    kill -KILL "${ranks[n - 1]}"
    kill -CONT $pid
    wait $run
    gone "on$n"
    if [ $n -eq 2 ]; then
        train "on$n" "$OTOLITH" train --resume --processes=2 || fail "on$n: $(cat "$dir/on$n.err")"
    else
        train "on$n" "${mpi[@]}" -np 2 "$OTOLITH" train --resume || fail "on$n: $(cat "$dir/on$n.err")"
        grep -q "resumed at" "$dir/on$n.err" || fail "on$n: did not resume: $(cat "$dir/on$n.err")"
    fi
    same "on$n"
done
echo "killed and gone on with another number of processes: the same bytes"
