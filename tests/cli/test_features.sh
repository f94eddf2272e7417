#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# otolith features: formats, stages, options, failures.
set -u
data=$SOURCE_DIR/tests/data/features
clip=$data/librispeech.wav
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

check() { # NAME COMMAND...: the command must succeed
    if ! "${@:2}"; then
        echo "FAILED: $1" >&2
        failures=$((failures + 1))
    fi
}
exits() { # CODE TEXT ARGUMENT...: exit code, and TEXT on standard error
    "$OTOLITH" features "${@:3}" >"$work/out" 2>"$work/err"
    local code=$?
    if [ $code -ne "$1" ] || ! grep -qF -- "$2" "$work/err"; then
        echo "FAILED: features ${*:3}: exit $code, expected $1 with '$2'" >&2
        cat "$work/err" >&2
        failures=$((failures + 1))
    fi
}
floats() { # COLUMNS FILE [SKIP]: little-endian floats as rows of text
    od -An -v -w$((4 * $1)) -tf4 -j "${3:-0}" "$2"
}
same() { # A B TOLERANCE: two tables of numbers, largest difference over rms
    paste -d ' ' "$1" "$2" | awk -v tolerance="$3" '
        { n = NF / 2
          for (i = 1; i <= n; i++) { d = $i - $(n + i); if (d < 0) d = -d; if (d > worst) worst = d; power += $i * $i; count++ } }
        END { exit !(count > 0 && worst <= tolerance * sqrt(power / count)) }'
}

# Static frames are kaldi-native-fbank's (the vectors of tests/golden), in every format.
floats 40 "$data/hires.f32" >"$work/golden"
"$OTOLITH" features --stage=static "$clip" >"$work/static.tsv"
check "tsv values" same <(cut -f3- "$work/static.tsv" | tr '\t' ' ') "$work/golden" 1e-4
check "tsv rows" test "$(wc -l <"$work/static.tsv")" -eq 98
check "tsv id and second" test "$(sed -n 98p "$work/static.tsv" | cut -f1,2)" = "librispeech"$'\t'"0.9700"
"$OTOLITH" features --stage=static --format=kaldi "$clip" >"$work/static.kaldi"
check "kaldi head" test "$(head -1 "$work/static.kaldi")" = "librispeech  ["
check "kaldi end" grep -q ' \]$' <(tail -1 "$work/static.kaldi")
check "kaldi rows" test "$(wc -l <"$work/static.kaldi")" -eq 99
check "kaldi values" cmp <(sed 1d "$work/static.kaldi" | tr -d ']' | xargs -n 40) <(cut -f3- "$work/static.tsv" | tr '\t' ' ')
"$OTOLITH" features --stage=static --format=npy "$clip" >"$work/static.npy"
check "npy size" test "$(stat -c %s "$work/static.npy")" -eq $((128 + 98 * 40 * 4))
check "npy head" grep -aqF "'descr': '<f4', 'fortran_order': False, 'shape': (98, 40)" <(head -c 128 "$work/static.npy")
check "npy values" same <(floats 40 "$work/static.npy" 128) "$work/golden" 1e-4

# What the network reads: three frames a vector, mean 0 and variance 1 in each column.
"$OTOLITH" features "$clip" >"$work/full.tsv"
check "full rows" test "$(wc -l <"$work/full.tsv")" -eq 33
check "full columns" test "$(awk '{ print NF }' "$work/full.tsv" | sort -u)" -eq 122
check "full second" test "$(sed -n 33p "$work/full.tsv" | cut -f2)" = 0.9600
check "full moments" awk '
    { for (i = 3; i <= NF; i++) { s += $i; q += $i * $i; n++ } }
    END { exit !(s / n < 0.02 && s / n > -0.02 && q / n > 0.95 && q / n < 1.05) }' "$work/full.tsv"

# Options of the front end arrive; both transforms agree; other rates are converted.
"$OTOLITH" features --stage=static --mels=23 --ceps=13 --window=hamming "$clip" | cut -f3- | tr '\t' ' ' >"$work/hamming"
check "hamming" same "$work/hamming" <(floats 13 "$data/hamming.f32") 1e-4
"$OTOLITH" features --stage=static --fft=kissfft "$clip" | cut -f3- >"$work/kissfft"
check "kissfft" same <(tr '\t' ' ' <"$work/kissfft") "$work/golden" 1e-4
if "$OTOLITH" features --stage=static --fft=fftw "$clip" >"$work/fftw" 2>"$work/err"; then
    check "fftw" same <(cut -f3- "$work/fftw" | tr '\t' ' ') "$work/golden" 1e-4
else
    check "no FFTW is told" grep -q "no FFTW" "$work/err"
fi
check "8 kHz source" test "$("$OTOLITH" features --stage=static "$data/librispeech-8k.wav" | wc -l)" -eq 98
check "8 kHz features" same <("$OTOLITH" features --stage=static --sample-rate=8000 "$data/librispeech-8k.wav" | cut -f3- | tr '\t' ' ') \
    <(floats 40 "$data/telephone.f32") 1e-4
check "environment" test "$(OTOLITH_STAGE=static OTOLITH_MELS=30 OTOLITH_CEPS=20 "$OTOLITH" features "$clip" | awk '{ print NF }' | sort -u)" -eq 22
check "flags win over a model of the environment" cmp <(OTOLITH_MODEL=nothing "$OTOLITH" features --stack=3 "$clip") "$work/full.tsv"

# Standard input, with and without a header.
check "stdin" cmp <("$OTOLITH" features - <"$clip" | cut -f2-) <(cut -f2- "$work/full.tsv")
check "stdin id" test "$("$OTOLITH" features - <"$clip" | cut -f1 | sort -u)" = stdin
check "raw" cmp <(tail -c +45 "$clip" | "$OTOLITH" features --raw=s16le:16000:1 - | cut -f2-) <(cut -f2- "$work/full.tsv")

# Failures.
head -c 600 "$clip" >"$work/short.wav"
exits 64 "no file named"
exits 64 "did you mean --stage" --stag=full "$clip"
exits 64 "ceps" --ceps=50 "$clip"
exits 64 "no statistics of the training set" --cmvn=global "$clip"
exits 64 "--mels and --model" --model=english --mels=23 "$clip"
exits 64 "npy holds one file" --format=npy "$clip" "$clip"
exits 64 "once only" - -
exits 66 "nothing.wav" "$work/nothing.wav"
exits 66 "nothing.oto" --model="$work/nothing.oto" "$clip"
exits 65 "shorter than one window" "$work/short.wav"
exits 65 "" --model="$clip" "$clip"
exits 1 "1 done, 1 failed" "$work/nothing.wav" "$clip"
check "the others are done" cmp "$work/out" "$work/full.tsv"
check "full disk" test "$("$OTOLITH" features "$clip" >/dev/full 2>"$work/err"; echo $?)" -eq 74
check "help" grep -q -- --preemphasis <("$OTOLITH" help features)

# A model's own front end: the same vectors as with its options by hand.
model=${OTOLITH_TEST_MODEL:-$SOURCE_DIR/models/digits-en.oto}
if [ -f "$model" ]; then
    "$OTOLITH" features --model="$model" "$clip" >"$work/model.tsv"
    info=$("$OTOLITH" model info --format=json "$model")
    inputs=$(sed 's/.*"inputs":\([0-9]*\).*/\1/' <<<"$info")
    check "model width" test "$(awk '{ print NF }' "$work/model.tsv" | sort -u)" -eq $((inputs + 2))
    mapfile -t flags < <(sed 's/.*"frontend":{\([^}]*\)}.*/\1/; s/"//g; s/,/\n/g' <<<"$info" | sed 's/^/--/; s/:/=/')
    check "model options" test ${#flags[@]} -ge 20
    if ! printf '%s\n' "${flags[@]}" | grep -qE '^--cmvn=(global|sliding)'; then # those need the model's statistics
        check "model values" cmp <("$OTOLITH" features "${flags[@]}" "$clip") "$work/model.tsv"
    fi
fi

[ $failures -eq 0 ]
