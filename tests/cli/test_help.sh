# SPDX-License-Identifier: BSD-2-Clause
# Help of every subcommand, the version, and what is said to mistakes.
. "$SOURCE_DIR/tests/cli/common.sh"

run 0 "$OTOLITH" --version
grep -qE '^otolith [0-9]+\.[0-9]+\.[0-9]+$' out || fail "--version prints $(cat out)"
run 0 "$OTOLITH" -V

run 0 "$OTOLITH" help
empty err
cp out help
run 0 "$OTOLITH" --help
cmp -s out help || fail "--help and help differ"
run 0 "$OTOLITH" -h
has help 'Exit codes:'
has help 'OTOLITH_MODEL_PATH'
run 64 "$OTOLITH"
empty out
has err 'Subcommands:'

# Every subcommand of the list has the same help by both ways, with examples before the options.
verbs=$(sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p' help)
[ "$(echo "$verbs" | wc -w)" -ge 3 ] || fail "only these subcommands: $verbs"
for verb in $verbs; do
    run 0 "$OTOLITH" help "$verb"
    empty err
    cp out one
    run 0 "$OTOLITH" "$verb" --help
    cmp -s out one || fail "otolith help $verb and otolith $verb --help differ"
    run 0 "$OTOLITH" "$verb" -h
    has out "otolith $verb"
    has out '--help'
    has out '--quiet'
    usage=$(grep -n '^Usage:' out | head -1 | cut -d: -f1)
    examples=$(grep -n '^Examples:' out | head -1 | cut -d: -f1)
    general=$(grep -n '^General:' out | head -1 | cut -d: -f1)
    { [ "${usage:-0}" -eq 1 ] && [ "${examples:-0}" -gt 1 ] && [ "${general:-0}" -gt "$examples" ]; } ||
        fail "help of $verb is not in the order usage, examples, options"
    awk -v verb="$verb" 'length($0) > 104 { print "FAILED: help of " verb " has a line of " length($0); bad = 1 } END { exit bad }' out ||
        n_failed=$((n_failed + 1))
    run 64 "$OTOLITH" "$verb" --no-such-option
    has err 'unknown option --no-such-option'
    has err "See 'otolith help $verb'"
    empty out
    run 64 "$OTOLITH" "$verb" --hepl
    has err 'did you mean --help?'
    run 74 sh -c '"$1" help "$2" >/dev/full' sh "$OTOLITH" "$verb"
    has err 'standard output: No space left on device'
done

# Mistakes.
run 64 "$OTOLITH" trancribe
has err "unknown subcommand 'trancribe'; did you mean 'transcribe'?"
run 64 "$OTOLITH" help trancribe
has err "did you mean 'transcribe'?"
run 64 "$OTOLITH" qqqqqq
hasnt err 'did you mean'
run 64 "$OTOLITH" --verson
has err "unknown option '--verson'"
run 64 "$OTOLITH" help model transcribe
run 64 "$OTOLITH" transcribe --fromat=tsv x.wav
has err 'did you mean --format?'
run 64 "$OTOLITH" transcribe --format=xml x.wav
has err "format 'xml' is none of text, tsv"
run 64 "$OTOLITH" transcribe --beam=many x.wav
has err '--beam'
run 64 "$OTOLITH" transcribe
has err 'no file named'
run 64 "$OTOLITH" transcribe - -
has err 'once only'
run 64 "$OTOLITH" transcribe --n-best=3 x.wav
has err '--n-best needs --format=json'
run 64 "$OTOLITH" model
has err 'info, verify, convert, quantize, prune, average, set, import or export expected'
run 64 "$OTOLITH" model imfo
has err "found 'imfo'"
run 64 "$OTOLITH" model convert x
has err 'convert takes IN and OUT'
OTOLITH_JOBS=many run 78 "$OTOLITH" transcribe x.wav
has err 'OTOLITH_JOBS'
finish
