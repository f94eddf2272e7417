#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Memory does not grow with the corpus but for an index of it: features of many utterances are computed, read and changed in the
# memory that few of them take.
. "$SOURCE_DIR/tests/train/common.sh"
nm "$OTOLITH" 2> /dev/null | grep -q __asan_init && { echo "SKIP: AddressSanitizer keeps freed memory"; exit 77; }

# manifest N: the same recordings under N names.
manifest() {
    awk -F '\t' -v OFS='\t' -v n="$1" 'NR == 1 { print; for (i = 1; i <= NF; i++) if ($i == "id") id = i; next }
        { line[NR - 2] = $0 } END { for (i = 0; i < n; i++) { $0 = line[i % (NR - 1)]; $id = "utt" i; print } }' \
        "$dir/corpus/train.tsv" > "$dir/corpus/$1.tsv"
}

# peak N: kB that a training on N utterances has held at most.
peak() {
    "$BUILD_DIR/tests/peak_memory" "$dir/peak" "$OTOLITH" train --train="$dir/corpus/$1.tsv" --out="$dir/$1" --layers=1 --hidden=8 \
        --epochs=2 --batch-seconds=20 --warmup-steps=5 --perturb=noise:0.8:5:30 --cache-half=false --threads=2 --loaders=2 \
        --show=0 > "$dir/out" 2> "$dir/err" || fail "$1 utterances: $(cat "$dir/err")"
    cat "$dir/peak"
}

few=500
many=6000
manifest $few
manifest $many
[ "$(wc -l < "$dir/corpus/$many.tsv")" -eq $((many + 1)) ] || fail "no manifest"
before=$(peak $few) || exit 1
after=$(peak $many) || exit 1
features=$(($(stat -c %s "$dir/$many"/features-*.bin) / 1024))
bytes=$(((after - before) * 1024 / (many - few)))
echo "$few utterances: $before kB; $many: $after kB, $bytes bytes for each more; their features: $features kB"
[ $features -gt 30000 ] || fail "only $features kB of features: nothing is shown"
[ $bytes -lt 2000 ] || fail "$bytes bytes for each utterance, expected an index of less than 2000"
