#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who may include whom, and one seam per dependency (docs/architecture.md, "Who may include whom").
set -u
. "$(dirname "$0")/lib.sh"

# Rooms that a room may include, besides itself. Everybody may include base/ and otolith/.
declare -A allowed=(
    [base]="" [audio]="" [features]="" [acoustic]="" [decoder]=""
    [models]="features acoustic decoder"
    [api]="models features acoustic decoder"
    [training]="models audio features acoustic decoder"
    [cli]="training api models audio features acoustic decoder"
)
# The only file that sees a dependency. jansson: files named *json*.c.
declare -A seam=(
    [kiss_fftr.h]=features/fft_kiss.c [kiss_fft.h]=features/fft_kiss.c [fftw3.h]=features/fft_fftw.c
    [blis.h]=acoustic/gemm.c [portaudio.h]=audio/portaudio.c [sndfile.h]=audio/source_sndfile.c
    [soxr.h]=audio/resample.c [utf8proc.h]=base/utf8.c [xxhash.h]=base/bytes.c [cpuid.h]=base/cpu.c
    [lzma.h]=base/lines_xz.c [zlib.h]=base/lines_gzip.c
    [csv.h]=training/corpus_csv.c [mpi.h]=training/comm_mpi.c
)
standard=" assert complex ctype errno fenv float inttypes limits locale math setjmp signal stdalign stdarg stdatomic
 stdbool stddef stdint stdio stdlib stdnoreturn string threads time tgmath uchar wchar wctype
 dirent fcntl langinfo libgen poll pthread pwd sched strings termios unistd
 sys/ioctl sys/mman sys/resource sys/select sys/socket sys/stat sys/time sys/times sys/types sys/uio sys/wait "
standard=$(echo "$standard" | tr '\n' ' ')

check_include() { # FILE LINE ROOM INCLUDED
    local file=$1 line=$2 room=$3 included=$4 name target
    name=${included:1:-1}
    checked
    if [ "${included:0:1}" = '"' ]; then
        target=${name%%/*}
        case "$name" in
        */*) ;;
        *)
            fault "$file:$line: \"$name\": write the room, too (\"$room/$name\")"
            return
            ;;
        esac
        case " base otolith $room ${allowed[$room]} " in
        *" $target "*) ;;
        *) fault "$file:$line: $room/ may not include $target/ (\"$name\")" ;;
        esac
        return
    fi
    case "$name" in
    jansson.h)
        case "${file##*/}" in
        *json*.c) ;;
        *) fault "$file:$line: <jansson.h> only in files named *json*.c" ;;
        esac
        ;;
    immintrin.h)
        case "$file" in
        acoustic/x86/*) ;;
        *) fault "$file:$line: <immintrin.h> only in acoustic/x86/, where the flags for it are set" ;;
        esac
        ;;
    *)
        if [ -n "${seam[$name]:-}" ]; then
            [ "${seam[$name]}" = "$file" ] || fault "$file:$line: <$name> only in ${seam[$name]}"
        else
            case "$standard" in
            *" ${name%.h} "*) ;;
            *) fault "$file:$line: <$name> is neither C11, POSIX nor a known dependency" ;;
            esac
        fi
        ;;
    esac
}

for room in $rooms; do
    while IFS=: read -r file line text; do
        included=$(sed -E 's/^ *# *include *(<[^>]*>|"[^"]*").*/\1/' <<<"$text")
        check_include "$file" "$line" "$room" "$included"
    done < <(find "$room" -name '*.[ch]' -exec grep -nHE '^ *# *include' {} + | sort)
done

# Public headers are leaves; kernels see intrinsics and headers of their own room only.
while IFS=: read -r file line text; do
    checked
    case "$text" in
    *"<stddef.h>"* | *"<stdint.h>"* | *'"otolith/status.h"'* | *'"otolith/otolith.h"'*) ;;
    *) fault "$file:$line: a public header may include <stddef.h>, <stdint.h>, otolith/status.h and otolith/otolith.h only" ;;
    esac
done < <(grep -nHE '^ *# *include' include/otolith/*.h)
while IFS=: read -r file line text; do
    checked
    case "$text" in
    *"<immintrin.h>"* | *'"acoustic/'* | *"<stddef.h>"* | *"<stdint.h>"* | *"<stdbool.h>"* | *"<string.h>"*) ;;
    *) fault "$file:$line: a kernel includes <immintrin.h> and headers of acoustic/ only" ;;
    esac
done < <(grep -nHE '^ *# *include' acoustic/x86/*.[ch])

# The program is a client of the public interface where there is one: transcribe must not go round it.
if [ -f cli/cmd_transcribe.c ]; then
    checked
    grep -q '"otolith/otolith.h"' cli/cmd_transcribe.c cli/*.h ||
        fault "cli/cmd_transcribe.c: must use otolith/otolith.h"
    while IFS=: read -r file line text; do
        fault "$file:$line: transcribe goes through the public interface, not through a room's header"
    done < <(grep -nHE '^ *# *include *"(acoustic|decoder|features|models|api)/' cli/cmd_transcribe.c)
fi
finish "includes" 200
