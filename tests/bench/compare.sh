#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Ours beside its peers on the same work, in turn (A B A B), with the ratio of each row and whether it is met.
#
#     tests/bench/compare.sh [--peers=FOLDER] [--build=FOLDER] [--rounds=2] [--log=FILE] [--table] [ROW...]
#
# ROW         avx2 one two batch int8 train train-bf16 memory ctc mfcc mfcc-kiss beam; none is all but beam (compare.py has the table)
# --peers     virtual environment of the peers, made when it is not there (several GB); $OTOLITH_PEERS or ~/.cache/otolith-peers
# --build     build tree of ours; build
# --log       JSON lines are added to it, and the table is made of all of it: rows can be run one by one
# --table     runs nothing
#
# Rows on one thread go by processor time and bear other work on the machine. Rows on two threads (two, batch, train) go by the wall clock and
# want the machine for themselves: OpenMP's barriers in every peer collapse beside a third busy thread.
# oneDNN takes part where its development files are installed (Debian: libdnnl-dev).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
peers=${OTOLITH_PEERS:-$HOME/.cache/otolith-peers}
build=$here/../../build
arguments=()
for argument in "$@"; do
    case "$argument" in
    --peers=*) peers=${argument#*=} ;;
    --build=*) build=${argument#*=} ;;
    -h | --help)
        sed -n '3,/^set -eu/s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *) arguments+=("$argument") ;;
    esac
done

[ -x "$build/tests/bench_blstm" ] || {
    echo "$build/tests/bench_blstm is not there: build first (cmake --preset release && cmake --build --preset release)" >&2
    exit 66
}
if [ ! -x "$peers/bin/python" ]; then
    echo "installing the peers of $here/peers.txt in $peers" >&2
    python3 -m venv "$peers"
    "$peers/bin/pip" install --quiet --requirement "$here/peers.txt"
fi
onednn=$(mktemp -d)
trap 'rm -rf "$onednn"' EXIT
if ! cc -O2 -o "$onednn/peer_onednn" "$here/peer_onednn.c" -ldnnl -lm 2>"$onednn/log"; then
    echo "without oneDNN: $(head -1 "$onednn/log")" >&2
fi
"$peers/bin/python" "$here/compare.py" "$build/tests" "$onednn/peer_onednn" ${arguments[@]+"${arguments[@]}"}
