#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads a model file by models/FORMAT.md alone, with the standard library, and prints what `otolith model info
--format=json` prints. Checksums are XXH3-64 by the system's libxxhash."""
import ctypes
import json
import math
import re
import struct
import sys


def checksum(data):
    function = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
    function.restype, function.argtypes = ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t)
    return function(data, len(data))


class Bad(Exception):
    pass


def check(good, message):
    if not good:
        raise Bad(message)


def sections(data):
    check(data[:8] == b"\x89OTO\r\n\x1a\n", "magic")
    major, minor, n, size = struct.unpack_from("<HHIQ", data, 8)
    check(major == 1, f"major version {major}")
    check(1 <= n <= 32 and size == len(data), "sections or size")
    check(data[24:64] == bytes(40), "reserved bytes")
    end = 64 + 40 * n
    check(struct.unpack_from("<Q", data, end)[0] == checksum(data[:end]), "checksum of the table")
    at, found = -(-(end + 8) // 64) * 64, {}
    check(data[end + 8:at] == bytes(at - end - 8), "padding after the table")
    for k in range(n):
        name, flags, zero, offset, length, stored = struct.unpack_from("<8sIIQQQ", data, 64 + 40 * k)
        name = name.rstrip(b"\0").decode("ascii")
        check(flags in (0, 1) and zero == 0 and offset == at and name not in found, f"entry of {name}")
        payload = data[at:at + length]
        check(len(payload) == length, f"end of {name}")
        check(stored == checksum(payload), f"checksum of {name}")
        at = -(-(offset + length) // 64) * 64
        check(data[offset + length:at] == bytes(at - offset - length), f"padding after {name}")
        found[name] = payload
    check(at == len(data), "bytes after the last section")
    return found


def expected_tensors(net):
    d, layers, h, p, k = (net[key] for key in ("inputs", "layers", "hidden", "projection", "outputs"))
    for layer in range(layers):
        for suffix in ("", "_reverse"):
            yield f"lstm.weight_ih_l{layer}{suffix}", 4 * h, d
            yield f"lstm.weight_hh_l{layer}{suffix}", 4 * h, h
            yield f"lstm.bias_l{layer}{suffix}", 4 * h, 1
        d = 2 * h
        if p > 0 and layer < layers - 1:
            yield f"proj.weight_l{layer}", p, 2 * h
            yield f"proj.bias_l{layer}", p, 1
            d = p
        if layer + 1 in net.get("reduce-after", ()):
            d *= 2
    yield "output.weight", k, 2 * h
    yield "output.bias", k, 1


def tensors(found, net):
    index = found["tensors"]
    n, zero = struct.unpack_from("<II", index)
    names, at = list(expected_tensors(net)), 0
    model_kind, = struct.unpack_from("<I", index, 8 + 56)
    weights = found["weights8" if model_kind == 2 else "weights"]
    check(n == len(names) and zero == 0 and len(index) == 8 + 72 * n, "tensor index")
    for i, (name, rows, cols) in enumerate(names):
        raw, r, c, kind, zero, offset = struct.unpack_from("<48sIIIIQ", index, 8 + 72 * i)
        check(raw.rstrip(b"\0").decode() == name and (r, c, zero, offset) == (rows, cols, 0, at), f"tensor {name}")
        rows_of_codes = model_kind == 2 and name.startswith("lstm.weight_")
        check(kind == (model_kind if model_kind < 2 else 2 if rows_of_codes else 0 if cols == 1 else 1), f"type of {name}")
        if rows_of_codes:
            scales = struct.unpack_from(f"<{rows}f", weights, at)
            check(all(v - v == 0 and v >= 0 for v in scales), f"a scale of {name}")
            check(len(weights) >= at + rows * (4 + cols), f"end of {name}")
            check(b"\x80" not in weights[at + 4 * rows:at + rows * (4 + cols)], f"-128 in {name}")
            at += rows * (4 + cols)
            continue
        width, letter = ((4, "f"), (2, "e"))[kind]
        values = struct.unpack_from(f"<{rows * cols}{letter}", weights, offset)
        check(all(v - v == 0 for v in values), f"a number of {name} that is not finite")
        at += width * rows * cols
    check(at == len(weights), "size of the weights")
    return ("f32", "f16", "i8")[model_kind], sum(rows * cols for _, rows, cols in names)


def place(image, name):
    """Where a section of a container inside the file begins."""
    return next(struct.unpack_from("<8sIIQQQ", image, 64 + 40 * k)[3] for k in range(struct.unpack_from("<I", image, 12)[0])
                if image[64 + 40 * k:64 + 40 * k + 8].rstrip(b"\0") == name)


def front_end(found):
    frontend = json.loads(found["frontend"])
    frontend["dither-seed"] = int(frontend["dither-seed"])
    frontend.setdefault("cmvn-margin", 0)
    return frontend


def second_network(found, rescore):
    """Of a model whose sections are these."""
    inner = sections(found["second"])
    check(not {"second", "lexicon", "grammar", "lm", "lstm"} & inner.keys(), "more than a network in second")
    first, frontend = front_end(found), front_end(inner)
    check(all(frontend[key] == first[key] for key in ("sample-rate", "frame-length", "frame-shift", "snip-edges")), "frames of second")
    check(json.loads(inner["alphabet"])["symbols"] == json.loads(found["alphabet"])["symbols"], "symbols of second")
    check("priors" in inner or "priors" not in found, "priors of second")
    net = json.loads(inner["network"])
    kind, n_parameters = tensors(inner, net)
    return {"inputs": net["inputs"], "layers": net["layers"], "hidden": net["hidden"], "parameters": n_parameters,
            "weights": kind, "search": rescore, "frontend": frontend, "name": json.loads(inner["card"])["name"]}


def main():
    path = sys.argv[1]
    with open(path, "rb") as f:
        data = f.read()
    found = sections(data)
    text = {name: json.loads(found[name]) for name in ("network", "alphabet", "decoder", "card")}
    count, dim, zero = struct.unpack_from("<dII", found["cmvn"])
    check(zero == 0 and len(found["cmvn"]) == 16 + 16 * dim, "cmvn")
    moments = struct.unpack_from(f"<{2 * dim}d", found["cmvn"], 16)
    check((count > 0) == (dim > 0) and all(m >= 0 for m in moments[dim:]), "sums of the cmvn")
    kind, n_parameters = tensors(found, text["network"])
    check(text["alphabet"]["symbols"][0] == "", "blank")
    frontend = front_end(found)
    text["decoder"].setdefault("beam-blank-skip", 0)
    words = found.get("lexicon", b"").decode().splitlines()
    check("lexicon" not in found or (found["lexicon"].endswith(b"\n") and all(words) and len(words) == len(set(words))), "lexicon")
    lm = {}
    grammar = {}
    if "grammar" in found:
        jsgf = found["grammar"].decode()
        name = re.match(r"\ufeff?#JSGF V1\.0[^;]*;(?:\s|//.*)*grammar\s+([^\s;]+)\s*;", jsgf)
        check(name is not None, "grammar")
        grammar = {"grammar": {"bytes": len(found["grammar"]), "name": name[1]}}
    if "confid" in found:
        check(sorted(json.loads(found["confid"])) == ["bias", "least", "length", "mean", "posterior"], "confid")
    priors = {}
    if "priors" in found:
        scale, *logs = struct.unpack(f"<{text['network']['outputs'] + 1}d", found["priors"])
        check(0 <= scale <= 2 and all(math.log(1e-4) <= x <= 0 for x in logs), "priors")
        priors = {"log_priors": logs}
    if "lm" in found:
        search, image = json.loads(found["search"]), found["lm"]
        check(sorted(search) == ["lm-weight", "unknown-weight", "word-bonus"], "search")
        check(image[:8] == b"\x89OTL\r\n\x1a\n" and struct.unpack_from("<Q", image, 16)[0] == len(image), "language model")
        order, _, _, n_words = struct.unpack_from("<IIII", image, place(image, b"info"))
        search["prior-scale"] = scale if priors else 0
        lm = {"lm": {"order": order, "words": n_words, "bytes": len(image), "search": search}}
    rescore = json.loads(found["rescore"]) if "lstm" in found or "second" in found else {}
    if rescore:
        check(sorted(rescore) == ["rescore-best", "rescore-weight"] + ["second-weight"] * ("second" in found), "rescore")
    if "lstm" in found:
        search, image = rescore, found["lstm"]
        check(image[:8] == b"\x89OTN\r\n\x1a\n" and struct.unpack_from("<Q", image, 16)[0] == len(image), "LSTM language model")
        n_words, _, _, hidden, layers, _, _ = struct.unpack_from("<IIIIIIQ", image, place(image, b"info"))
        lm["lstm"] = {"layers": layers, "hidden": hidden, "words": n_words, "bytes": len(image), "search": search}
    if "second" in found:
        lm["second"] = second_network(found, rescore)
    print(json.dumps({
        "v": 1, "file": path, "bytes": len(data), "card": text["card"],
        "network": {**text["network"], "parameters": n_parameters, "weights": kind},
        "frontend": frontend, "cmvn_frames": count, **priors, "decoder": text["decoder"],
        "lexicon_words": len(words), **grammar, **lm,
        "alphabet": {**text["alphabet"], "symbols": text["alphabet"]["symbols"][1:]}}, ensure_ascii=False))


try:
    main()
except (Bad, struct.error, KeyError, ValueError, IndexError, UnicodeDecodeError) as e:
    sys.exit(f"{sys.argv[1]}: not as FORMAT.md says: {e}")
