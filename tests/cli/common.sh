# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the shell tests: a scratch folder, small files, and checks that say what they found.
set -u
if [ ! -x "$OTOLITH" ]; then
    echo "skipped: this build has no program $OTOLITH (OTOLITH_AUDIO=OFF)"
    exit 77
fi
unset OTOLITH_MODEL_PATH OTOLITH_ISA XDG_DATA_HOME XDG_DATA_DIRS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
make_files=$BUILD_DIR/tests/make_files
n_failed=0

fail() {
    echo "FAILED: $*"
    n_failed=$((n_failed + 1))
}

# run CODE COMMAND...: runs it, output to the files out and err; checks the exit code.
run() {
    local expected=$1 code=0
    shift
    "$@" >out 2>err </dev/null || code=$?
    [ "$code" -eq "$expected" ] || {
        fail "exit code $code, expected $expected: $*"
        head -5 out err
    }
}

# has FILE TEXT: the file contains the text.
has() {
    grep -qF -- "$2" "$1" || {
        fail "no \"$2\" in $1:"
        head -20 "$1"
    }
}

# hasnt FILE TEXT
hasnt() {
    grep -qF -- "$2" "$1" && {
        fail "\"$2\" in $1:"
        head -20 "$1"
    }
}

# is FILE TEXT: the file is exactly the text and a line end.
is() {
    [ "$(cat "$1")" = "$2" ] || {
        fail "$1 is not \"$2\":"
        head -20 "$1"
    }
}

empty() {
    [ ! -s "$1" ] || {
        fail "$1 is not empty:"
        head -20 "$1"
    }
}

# wait_for N PATTERN FILE: until the file has so many lines with it. A busy machine takes its time.
wait_for() {
    for ((i = 0; i < 600; i++)); do
        [ "$(grep -c -- "$2" "$3")" -ge "$1" ] && return 0
        sleep 0.1
    done
    fail "not $1 times $2 in $3: $(tail -3 "$3")"
    return 1
}

# runs PID: whether that process is there and has not ended.
runs() {
    [ -r "/proc/$1/stat" ] && case "$(sed -E 's/.*\) (.).*/\1/' "/proc/$1/stat" 2>/dev/null)" in
    "" | Z | X) false ;;
    esac
}

# children PID: the numbers of its child processes, dead ones that it has not waited for among them.
children() {
    cat /proc/[0-9]*/stat 2>/dev/null | sed -nE "s/^([0-9]+) \\(.*\\) . $1 .*/\1/p"
}

# wait_end PID: until it has ended; a process of this shell leaves its exit code in the variable code.
wait_end() {
    for ((i = 0; i < 600; i++)); do
        runs "$1" || break
        sleep 0.1
    done
    runs "$1" && {
        fail "process $1 does not end"
        kill -9 "$1"
    }
    code=0
    wait "$1" 2>/dev/null || code=$?
}

finish() {
    [ "$n_failed" -eq 0 ] || {
        echo "$n_failed checks failed"
        exit 1
    }
    exit 0
}
