#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The real program, stopped by Ctrl-C, by SIGTERM and by kill -9 at any moment, ends with the same bytes as undisturbed.
. "$SOURCE_DIR/tests/train/common.sh"

cat > "$dir/recipe.conf" <<'RECIPE'
layers = 2
hidden = 48
epochs = 4
batch-seconds = 3
lr = 0.01
warmup-steps = 5
dropout = 0.2
ema = 0.9
speeds = 0.9,1.0,1.1
time-masks = 1
freq-masks = 1
tempo = 0.1
perturb = warp:0.8:0.85:1.2,reverb:0.3:0.1:0.5,highpass:0.3:100:300,lowpass:0.3:3000:7000,colour:0.7:3:12,noise:0.8:0:35:@CORPUS@,gain:0.5:-6:6,@WAVE@
perturb-copies = 2
checkpoint-minutes = 0
RECIPE
sed -i "s|@CORPUS@|$dir/corpus|; s|@WAVE@|speed:0.3:0.9:1.1,room:0.5:0.1:0.2,background:0.5:5:20:$dir/corpus,telephone:0.3:-30:-10,codec:0.3:10:20|" "$dir/recipe.conf"

same() {
    same_files "$1" best.oto last.oto
    echo "$1: the same bytes"
}

train whole --log-steps=1
wait $! || fail "the undisturbed run: $(cat "$dir/whole.err")"
total=$(steps whole)
[ "$total" -gt 40 ] || fail "only $total steps"
grep -q "best.oto" "$dir/whole.out" || fail "no result on standard output"
! grep -q $'\r' "$dir/whole.err" || fail "a progress line on what is no terminal"

# Its report is one page with six curves and nothing to fetch.
"$OTOLITH" train report "$dir/whole" > "$dir/page" 2> "$dir/page.err" || fail "report: $(cat "$dir/page.err")"
[ "$(cat "$dir/page")" = "$dir/whole/report.html" ] || fail "report: $(cat "$dir/page")"
[ "$(grep -c '<svg' "$dir/whole/report.html")" -eq 6 ] || fail "report: not six curves"
grep -q 'Worst utterances' "$dir/whole/report.html" || fail "report: no utterances"
"$OTOLITH" train report "$dir/corpus" > "$dir/page" 2> "$dir/page.err"
[ $? -eq 66 ] || fail "report of what is no run: $(cat "$dir/page.err")"

# A second run in the same folder is refused.
train whole
wait $! && fail "overwrote a run"
grep -q -- "--resume" "$dir/whole.err" || fail "no hint at --resume: $(cat "$dir/whole.err")"

# stop NAME SIGNAL CODE: signals as soon as more steps are there than before, until the run gets through.
stop() {
    local name=$1 signal=$2 code=$3 stops=0 before=0 resume="" result pid
    while :; do
        # shellcheck disable=SC2086
        train "$name" --log-steps=1 $resume --threads=$((1 + stops % 2))
        pid=$!
        halt "$name" $((before + 8)) && kill -"$signal" $pid && kill -CONT $pid
        wait $pid 2> /dev/null
        result=$?
        [ $result -eq 0 ] && break
        [ $result -eq "$code" ] || fail "$name: exit code $result, expected $code: $(cat "$dir/$name.err")"
        stops=$((stops + 1))
        [ $stops -lt 100 ] || fail "$name: never ends"
        [ -e "$dir/$name/checkpoint.bin" ] && resume=--resume
        [ "$signal" = KILL ] || [ -n "$resume" ] || fail "$name: no checkpoint after $signal"
        before=$(steps "$name")
    done
    [ $stops -ge 2 ] || fail "$name: ended after $stops stops, so nothing was tried"
    echo "$name: $stops stops"
    same "$name"
    ls "$dir/$name"/*.tmp-* > /dev/null 2>&1 && fail "$name: left $(ls "$dir/$name"/*.tmp-*)"
    return 0
}
stop interrupted INT 130
stop terminated TERM 143
stop killed KILL 137

echo "all runs end alike after $total steps"
