#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Errors and delays of live transcription over the look-ahead, as the tables of docs/live.md.
#
#     tests/bench/live_curve.sh [--build=FOLDER] [--manifest=FILE] [--every=12] [--latencies="160 200 400 500 600 1000 2000"]
#                               [--part=errors|delays] [--log=FILE] [MODEL]
#
# MODEL       english
# --build     build tree; build
# --manifest  utterances; ../shared/corpora/english/dev.tsv
# --every     so many utterances one is taken for the delays
# --part      one of the two tables; both
# --log       JSON lines are added to it; what it has already is not run again. A file of its own for each model
#
# Errors are those of the first pass alone, an utterance at a time (otolith eval --latency), 0 being whole utterances in full
# context: greedy and without a language model, then as the model decides. Delays are those of bench_live, with one
# pass and with two.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/build manifest=$top/../shared/corpora/english/dev.tsv every=12 latencies="160 200 400 500 600 1000 2000" part="errors delays" log= model=english
for argument in "$@"; do
    case "$argument" in
    --build=*) build=${argument#*=} ;;
    --manifest=*) manifest=${argument#*=} ;;
    --every=*) every=${argument#*=} ;;
    --latencies=*) latencies=${argument#*=} ;;
    --part=*) part=${argument#*=} ;;
    --log=*) log=${argument#*=} ;;
    -h | --help)
        sed -n '3,/^set -eu/s/^# \{0,1\}//p' "$0" | head -n -1
        exit 0
        ;;
    -*)
        echo "live_curve.sh: unknown option $argument" >&2
        exit 64
        ;;
    *) model=$argument ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "$log" ] || log=$work/log
touch "$log"
export OTOLITH_MODEL_PATH=${OTOLITH_MODEL_PATH:-$top/models}

# measured KEY: its line of JSON in the log, made by the command that follows unless it is there.
measured() {
    local key=$1
    shift
    grep -qF "\"key\":\"$key\"," "$log" ||
        "$@" | tail -n 1 | jq -c --arg key "$key" '{key: $key} + .' >>"$log"
    grep -F "\"key\":\"$key\"," "$log" | tail -n 1
}

eval_one() { # --latency and further options
    "$build/otolith" eval --model="$model" --manifest="$manifest" --format=json --resamples=0 --jobs=2 "$@" | jq -c '{wer, cer}'
}

case "$part" in *errors*)
    echo "| \`--latency\` | greedy, no language model: WER %, CER % | as the model decides: WER %, CER % |"
    echo "|---|---|---|"
    for latency in $latencies 0; do
        greedy=$(measured "greedy $latency" eval_one --latency="$latency" --beam=1 --lm=none)
        whole=$(measured "whole $latency" eval_one --latency="$latency")
        printf '%s\n' "$greedy" "$whole" | jq -rs --arg latency "$latency" 'def percent: . * 1000 | round / 10 | tostring;
            "| " + (if $latency == "0" then "0, full context" else $latency end) +
            (map(" | " + (.wer | percent) + ", " + (.cer | percent)) | add) + " |"'
    done
    ;;
esac
case "$part" in *delays*)
    folder=$(cd "$(dirname "$manifest")" && pwd)
    awk -F '\t' -v OFS='\t' -v folder="$folder" -v every="$every" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "path") at = i; print; next }
        (NR - 2) % every == 0 { if ($at !~ /^\//) $at = folder "/" $at; print }' "$manifest" >"$work/part.tsv"
    echo "| \`--latency\` | WER % | shown early % | after p50, p90, p99 ms | settled p50, p90 s | one core |"
    echo "|---|---|---|---|---|---|"
    for passes in 1 2; do
        for latency in $latencies; do
            measured "delays $latency $passes" "$build/tests/bench_live" "$model" "$work/part.tsv" --latency="$latency" --passes=$passes |
                jq -r '"| \(.latency_ms), \(["one pass", "two passes"][.passes - 1]) | \(.wer * 1000 | round / 10) | \(.shown * 100 | round) | " +
                    "\(.first_ms.p50), \(.first_ms.p90), \(.first_ms.p99) | \(.settled_ms.p50 / 100 | round / 10), " +
                    "\(.settled_ms.p90 / 100 | round / 10) | \(.cpu_share * 1000 | round / 10) % |"'
        done
    done
    ;;
esac
