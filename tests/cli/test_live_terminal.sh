# SPDX-License-Identifier: BSD-2-Clause
# otolith live in a terminal of 80 and of 40 columns: what a person sees while it runs and afterwards.
. "$SOURCE_DIR/tests/cli/common.sh"

command -v tmux >/dev/null || {
    echo "skipped: no tmux here, which is the terminal of this test"
    exit 77
}
"$make_files" model tiny.oto 3 || exit 1
"$make_files" raw a.raw 5 64000 16000 || exit 1
"$make_files" raw b.raw 6 64000 16000 || exit 1
head -c 64000 /dev/zero >pause.raw
cat a.raw pause.raw b.raw pause.raw >talk.raw # 12 s

export LC_ALL=C.UTF-8 TERM=xterm-256color
unset NO_COLOR
server=otolith-test-$$
tm() { tmux -L "$server" "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$work"' EXIT

# start COLUMNS OPTIONS...: runs it in a terminal; its exit code goes to the file code.
start() {
    local columns=$1
    shift
    rm -f code
    tm -f /dev/null new-session -d -s live -x "$columns" -y 24 \
        "'$OTOLITH' live --model=./tiny.oto --min-confidence=0 --raw=s16le:16000:1 --input=talk.raw $*; echo \$? >code; printf 'READY\n'; sleep 60" ||
        fail "tmux does not start"
}
screen() { tm capture-pane -p -t live; }
coloured() { tm capture-pane -p -e -t live; }
# wait_for PATTERN: until the screen shows it.
wait_for() {
    for i in $(seq 600); do
        screen | grep -q -- "$1" && return 0
        sleep 0.1
    done
    fail "never on the screen: $1"
    screen
    return 1
}
end() {
    for i in $(seq 600); do
        [ -s code ] && break
        sleep 0.1
    done
    wait_for READY
    [ "$(cat code)" = "$1" ] || fail "exit code $(cat code), expected $1"
    [ "$(tm display-message -p -t live '#{cursor_flag}')" = 1 ] || fail "the cursor is hidden afterwards"
    tm kill-session -t live
}

"$OTOLITH" live --model=./tiny.oto --min-confidence=0 --raw=s16le:16000:1 --input=talk.raw --unpaced >final || fail "no final lines"
first=$(head -1 final)
[ "$(wc -l <final)" -ge 2 ] || fail "too little text: $(cat final)"

for columns in 80 40; do
    start $columns
    wait_for '^Listening to talk.raw, 16000 Hz'
    wait_for '^\[#[# ]*\] [a-z]' # the meter moves, words appear
    [ "$(tm display-message -p -t live '#{cursor_flag}')" = 0 ] || fail "$columns: the cursor flickers over the text"
    until coloured >row && grep -q $'\033\[90m' row; do # not in every moment, but before it ends
        [ -s code ] && fail "$columns: no grey words: $(cat row)" && break
        sleep 0.05
    done
    screen | awk -v n=$columns 'length($0) > n { exit 1 }' || fail "$columns: a row is too long"
    end 0
    # What stays: the text, wrapped between words, and nothing of the live area.
    start $columns --unpaced
    end_text=$(tr '\n' ' ' <final | sed 's/  */ /g; s/ $//')
    wait_for READY
    shown=$(screen | sed '/^READY/d; /^ *$/d' | tr '\n' ' ' | sed 's/Listening.*ends\. *//; s/  */ /g; s/ $//')
    [ "$(echo "$shown" | tr -d ' ')" = "$(echo "$end_text" | tr -d ' ')" ] || fail "$columns: '$shown' is not '$end_text'"
    screen | grep -q '\[#' && fail "$columns: the meter stayed"
    end 0
done

# Ctrl-C: the utterance in work is finished and stays.
start 80
wait_for '^\[#[# ]*\] [a-z]'
tm send-keys -t live C-c
end 130
# Narrower while it runs: nothing is left over of the wider rows.
start 80
wait_for '^\[#[# ]*\] [a-z].\{20\}'
tm resize-window -t live -x 30 -y 24 2>/dev/null && sleep 0.5 &&
    [ "$(screen | grep -c '^\[')" -le 1 ] || fail "two meters after the window was narrowed: $(screen)"
tm send-keys -t live C-c
end 130
# No colour where nobody wants it; -q hides the screen, not the text.
NO_COLOR=1 start 80
wait_for '^\[#[# ]*\] [a-z]'
coloured | grep -q $'\033\[90m' && fail "colour in spite of NO_COLOR"
tm send-keys -t live C-c
end 130
start 200 -q --unpaced
wait_for READY
screen | head -1 | grep -qF -- "$(echo "$first" | cut -c1-60)" || fail "-q: $(screen)"
end 0
finish
