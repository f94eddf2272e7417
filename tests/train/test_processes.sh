#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Several processes train to the same bytes as one, with any number of threads; when one of them is killed at any moment the run
# ends with its checkpoint intact and leaves no process behind, and goes on to the same bytes with another number of processes.
# OTOLITH_KILLS=N: how many kills at random moments (8).
. "$SOURCE_DIR/tests/train/common.sh"

cat > "$dir/recipe.conf" <<'RECIPE'
layers = 2
hidden = 48
epochs = 8
batch-seconds = 3
lr = 0.01
warmup-steps = 5
dropout = 0.2
ema = 0.9
speeds = 0.9,1.0,1.1
time-masks = 1
freq-masks = 1
tempo = 0.1
perturb = warp:0.8:0.85:1.2,reverb:0.3:0.1:0.5,colour:0.7:3:12,noise:0.8:0:35
feature-noise = 0.2
auxiliary-layer = 1
label-smoothing = 0.05
weight-noise = 0.01
consistency = 0.2
average-best = 2
chunk-share = 0.5
chunk-cmvn = sliding
dev-decode = beam
parts = 8
checkpoint-minutes = 0
log-steps = 1
RECIPE

# same NAME: against the run of one process and one thread. Metrics but for what depends on time.
same() {
    same_files "$1" best.oto last.oto average.oto best-dev.tsv
    sed -E 's/,"(audio_s_per_s|seconds|[a-z_]*_share)":[^,}]*//g' "$dir/$1/metrics.jsonl" > "$dir/metrics"
    cmp "$dir/whole.metrics" "$dir/metrics" || fail "$1: metrics differ: $(diff "$dir/whole.metrics" "$dir/metrics" | head -3)"
}

# Processes whose parent is $1.
children() {
    cat /proc/[0-9]*/stat 2> /dev/null | sed -E 's/^([0-9]+) \(.*\) . ([0-9]+) .*/\1 \2/' |
        awk -v parent="$1" '$2 == parent { print $1 }'
}

train whole --threads=1
wait $! || fail "one process: $(cat "$dir/whole.err")"
sed -E 's/,"(audio_s_per_s|seconds|[a-z_]*_share)":[^,}]*//g' "$dir/whole/metrics.jsonl" > "$dir/whole.metrics"
total=$(steps whole)
[ "$total" -gt 60 ] || fail "only $total steps"
for run in 1-2 2-1 2-2 3-1 4-1 4-2 8-1; do
    processes=${run%-*}
    train "$run" --processes="$processes" --threads="${run#*-}"
    wait $! || fail "$run: $(cat "$dir/$run.err")"
    same "$run"
    [ "$(wc -l < "$dir/$run.out")" -eq 1 ] || fail "$run: not one line of result: $(cat "$dir/$run.out")"
    [ "$processes" -eq 1 ] || grep -q "$processes processes" "$dir/$run.err" || fail "$run: does not tell its processes"
    rm -r "${dir:?}/$run"
done
for loaders in 0 3; do
    train "loaders$loaders" --processes=2 --loaders=$loaders --threads=1
    wait $! || fail "$loaders loaders: $(cat "$dir/loaders$loaders.err")"
    same "loaders$loaders"
done
grep -q '"wait_share":0' "$dir/loaders3/metrics.jsonl" || fail "metrics do not tell of waiting"
grep -q "% of it waiting for data" "$dir/loaders3.err" || fail "nobody tells of waiting: $(cat "$dir/loaders3.err")"
echo "1, 2, 3, 4 and 8 processes, 1 and 2 threads, 0 to 3 loaders: the same bytes after $total steps"

# What cannot be is said.
train few --processes=3 --parts=2
wait $! && fail "more processes than parts"
grep -q -- "--parts" "$dir/few.err" || fail "no hint at --parts: $(cat "$dir/few.err")"
train odd --parts=3
wait $! && fail "three parts"
grep -q "power of two" "$dir/odd.err" || fail "parts: $(cat "$dir/odd.err")"

gone() { # PID...: all have ended, within seconds
    local pid i
    for pid in "$@"; do
        for ((i = 0; i < 500; i++)); do
            kill -0 "$pid" 2> /dev/null || break
            sleep 0.02
        done
        ! kill -0 "$pid" 2> /dev/null || fail "process $pid is left"
    done
}

# One of them is killed: a clear error, no process left, and it goes on.
train victim --processes=3
pid=$!
halt victim 5 || fail "victim: ended before step 5: $(cat "$dir/victim.err")"
mapfile -t others < <(children $pid)
[ ${#others[@]} -eq 2 ] || fail "3 processes, but ${#others[@]} were made"
kill -KILL "${others[1]}"
kill -CONT $pid
wait $pid
code=$?
[ $code -eq 71 ] || fail "a killed process: exit code $code, expected 71: $(cat "$dir/victim.err")"
grep -q "process . of 3 was ended by signal 9" "$dir/victim.err" || fail "a killed process: $(cat "$dir/victim.err")"
gone "${others[@]}"
train victim --processes=2 --resume
wait $! || fail "victim does not go on: $(cat "$dir/victim.err")"
same victim
echo "a killed process: named, none left, the same bytes"

# The first one is killed: the others notice.
train first --processes=4
pid=$!
halt first 5 || fail "first: ended before step 5: $(cat "$dir/first.err")"
mapfile -t others < <(children $pid)
kill -KILL $pid
wait $pid 2> /dev/null
gone "${others[@]}"
train first --resume
wait $! || fail "first does not go on: $(cat "$dir/first.err")"
same first
echo "the first process killed: none left, the same bytes"

# A disk that is full for the first process ends all of them with its error.
train full --processes=2
pid=$!
halt full 3 || fail "full: ended before step 3: $(cat "$dir/full.err")"
mapfile -t others < <(children $pid)
mv "$dir/full" "$dir/moved"
kill -CONT $pid
wait $pid
code=$?
[ $code -ne 0 ] && [ $code -ne 71 ] || fail "no folder to write to: exit code $code: $(cat "$dir/full.err")"
grep -q "full/" "$dir/full.err" || fail "no folder to write to: $(cat "$dir/full.err")"
gone "${others[@]}"

# Ctrl-C, which a terminal sends to all, and SIGTERM to the first.
for signal in INT TERM; do
    train "stop$signal" --processes=2
    pid=$!
    halt "stop$signal" 5 || fail "stop$signal: ended before step 5: $(cat "$dir/stop$signal.err")"
    mapfile -t others < <(children $pid)
    if [ $signal = INT ]; then
        kill -INT "${others[@]}" $pid # bash lets a background job ignore SIGINT; the program does not
    else
        kill -TERM $pid
    fi
    kill -CONT $pid
    wait $pid
    code=$?
    [ $code -eq $((128 + $(kill -l $signal))) ] || fail "SIG$signal: exit code $code: $(cat "$dir/stop$signal.err")"
    gone "${others[@]}"
    train "stop$signal" --processes=4 --resume
    wait $! || fail "stop$signal does not go on: $(cat "$dir/stop$signal.err")"
    same "stop$signal"
done
echo "stopped by signals: a checkpoint, the same bytes"

# kill -9 at random moments, now the first process, now another one, each time with another number of processes.
kills=${OTOLITH_KILLS:-8}
done_kills=0
runs=0
RANDOM=$((${OTOLITH_SEED:-1}))
while [ $done_kills -lt "$kills" ]; do
    runs=$((runs + 1))
    rm -rf "$dir/random"
    while :; do
        resume=
        [ -e "$dir/random/checkpoint.bin" ] && resume=--resume
        [ -z "$resume" ] && rm -rf "$dir/random"
        # shellcheck disable=SC2086
        train random $resume --processes=$((1 + RANDOM % 4)) --threads=$((1 + RANDOM % 2))
        pid=$!
        if [ $done_kills -lt "$kills" ]; then
            sleep "0.$(printf '%03d' $((50 + RANDOM % 600)))"
            mapfile -t others < <(children $pid)
            target=$pid
            [ ${#others[@]} -gt 0 ] && [ $((RANDOM % 2)) -eq 0 ] && target=${others[$((RANDOM % ${#others[@]}))]}
            kill -KILL "$target" 2> /dev/null && done_kills=$((done_kills + 1))
            wait $pid 2> /dev/null
            code=$?
            gone "${others[@]}"
            [ $code -eq 0 ] && break
            [ $code -eq 137 ] || [ $code -eq 71 ] || fail "random: exit code $code: $(cat "$dir/random.err")"
        else
            wait $pid || fail "random does not go on: $(cat "$dir/random.err")"
            break
        fi
    done
    same random
done
echo "killed at $done_kills random moments in $runs runs: the same bytes"
