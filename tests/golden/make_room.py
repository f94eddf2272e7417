#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/data/room.f32: responses of rooms by the image method of pyroomacoustics 0.10.

For each room size, source, microphone (x, y, z), the reflection of the walls, then N samples from the arrival of the direct
sound on, which has height 1. No air absorption, no high-pass. Little-endian floats.

Usage: make_room.py [FOLDER]     needs numpy and pyroomacoustics
"""
import pathlib
import sys

import numpy as np
import pyroomacoustics as pra

RATE, N, FFT = 16000, 1600, 1 << 16
ROOMS = [
    ([5, 4, 3], [1, 1.5, 1.2], [3.2, 2.1, 1.6], 0.8),
    ([3.1, 6.7, 2.4], [2.5, 6, 0.6], [0.6, 0.7, 1.9], 0.6),
    ([9.3, 7.2, 3.9], [4, 3.1, 1.7], [4.9, 2.2, 1.1], 0.9),
]


def response(size, source, microphone, reflection):
    room = pra.ShoeBox(size, fs=RATE, materials=pra.Material(1 - reflection**2), max_order=40, air_absorption=False)
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    distance = np.linalg.norm(np.subtract(source, microphone))
    late = pra.constants.get("frac_delay_length") // 2 + distance / pra.constants.get("c") * RATE
    spectrum = np.fft.rfft(room.rir[0][0], FFT)
    turn = np.exp(2j * np.pi * np.arange(len(spectrum)) / FFT * late)
    return np.fft.irfft(spectrum * turn)[:N] * distance


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "data")
    pra.constants.set("c", 343.0)
    pra.constants.set("rir_hpf_enable", False)
    with open(folder / "room.f32", "wb") as f:
        for size, source, microphone, reflection in ROOMS:
            np.asarray(size + source + microphone + [reflection], dtype="<f4").tofile(f)
            response(size, source, microphone, reflection).astype("<f4").tofile(f)


main()
