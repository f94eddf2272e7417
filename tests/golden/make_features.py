#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/data/features/*.f32 and index.tsv: features of the clips there by kaldi-native-fbank 1.23.

Usage: make_features.py [FOLDER]     needs numpy and kaldi-native-fbank
"""
import pathlib
import struct
import sys

import kaldi_native_fbank as knf
import numpy as np

# name, clip, options of ours, the same options of kaldi-native-fbank
STATIC = [
    ("hires", "librispeech", "", dict(num_bins=40, num_ceps=40)),
    ("classic", "speechocean762", "mels=23 ceps=13", dict(num_bins=23, num_ceps=13)),
    ("fbank80", "librispeech", "feature=fbank mels=80", dict(kind="fbank", num_bins=80)),
    ("hamming", "librispeech", "mels=23 ceps=13 window=hamming",
     dict(num_bins=23, num_ceps=13, window_type="hamming")),
    ("hanning", "librispeech", "mels=23 ceps=13 window=hanning",
     dict(num_bins=23, num_ceps=13, window_type="hanning")),
    ("blackman", "librispeech", "mels=23 ceps=13 window=blackman blackman-coeff=0.40",
     dict(num_bins=23, num_ceps=13, window_type="blackman", blackman_coeff=0.40)),
    ("rectangular", "librispeech", "mels=23 ceps=13 window=rectangular",
     dict(num_bins=23, num_ceps=13, window_type="rectangular")),
    ("no_snip", "speechocean762", "mels=23 ceps=13 snip-edges=false",
     dict(num_bins=23, num_ceps=13, snip_edges=False)),
    ("raw_energy", "speechocean762", "mels=23 ceps=13 use-energy=true",
     dict(num_bins=23, num_ceps=13, use_energy=True)),
    ("energy", "speechocean762", "mels=23 ceps=13 use-energy=true raw-energy=false energy-floor=1e6",
     dict(num_bins=23, num_ceps=13, use_energy=True, raw_energy=False, energy_floor=1e6)),
    ("fbank_energy", "librispeech", "feature=fbank mels=24 use-energy=true use-power=false low-hz=64 high-hz=-400",
     dict(kind="fbank", num_bins=24, use_energy=True, use_power=False, low_freq=64.0, high_freq=-400.0)),
    ("plain", "librispeech", "mels=30 ceps=20 preemphasis=0 remove-dc=false lifter=0 frame-length=32 frame-shift=12.5 high-hz=7000",
     dict(num_bins=30, num_ceps=20, preemph_coeff=0.0, remove_dc_offset=False, cepstral_lifter=0.0,
          frame_length_ms=32.0, frame_shift_ms=12.5, high_freq=7000.0)),
    ("telephone", "librispeech-8k", "sample-rate=8000", dict(num_bins=40, num_ceps=40)),
]


def read_wav(path):
    """Rate and samples of a 44-byte-header mono 16-bit WAV, as floats in the 16-bit range."""
    data = path.read_bytes()
    assert data[:4] == b"RIFF" and data[36:40] == b"data", path
    channels, rate = struct.unpack("<HI", data[22:28])
    assert channels == 1, path
    return rate, np.frombuffer(data[44:], "<i2").astype(np.float32)


def features(rate, samples, kind="mfcc", **options):
    config = knf.MfccOptions() if kind == "mfcc" else knf.FbankOptions()
    config.frame_opts.dither = 0.0
    config.frame_opts.samp_freq = rate
    config.use_energy = False
    for name, value in options.items():
        owners = [o for o in (config.frame_opts, config.mel_opts, config) if hasattr(o, name)]
        setattr(owners[0], name, value)
    computer = knf.OnlineMfcc(config) if kind == "mfcc" else knf.OnlineFbank(config)
    computer.accept_waveform(rate, samples.tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(t) for t in range(computer.num_frames_ready)])


def normalise(x):
    options = knf.CmvnOptions()
    options.norm_vars = True
    return knf.apply_cmvn(knf.compute_cmvn_stats(x), options, x)


def stack(x, n, stride):
    rows = [np.concatenate([x[min(t + s, len(x) - 1)] for s in range(n)]) for t in range(0, len(x), stride)]
    return np.stack(rows)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "data/features")
    index = ["name\tclip\tstage\trows\tcolumns\toptions"]

    def write(name, clip, stage, options, x):
        (folder / f"{name}.f32").write_bytes(x.astype("<f4").tobytes())
        index.append(f"{name}\t{clip}\t{stage}\t{x.shape[0]}\t{x.shape[1]}\t{options or '-'}")

    for name, clip, options, theirs in STATIC:
        rate, samples = read_wav(folder / f"{clip}.wav")
        write(name, clip, "static", options, features(rate, samples, **theirs))

    rate, samples = read_wav(folder / "speechocean762.wav")
    x = features(rate, samples, num_bins=23, num_ceps=13)
    delta = knf.DeltaOptions(order=2, window=2)
    write("deltas", "speechocean762", "full", "mels=23 ceps=13 cmvn=none delta-order=2 stack=1 stride=1",
          knf.compute_deltas(delta, x))
    write("network", "speechocean762", "full", "mels=23 ceps=13 delta-order=1 delta-window=3",
          stack(knf.compute_deltas(knf.DeltaOptions(order=1, window=3), normalise(x)), 3, 3))
    (folder / "index.tsv").write_text("\n".join(index) + "\n")


if __name__ == "__main__":
    main()
