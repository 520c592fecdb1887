"""Make ``spoken_digits.npz``: ten English words spoken by 32 voices of espeak-ng, twice each.

    python data/make_spoken_digits.py [FILE]

Needs the program espeak-ng (Debian's package of that name, 1.51) besides NumPy and SciPy. The same version of
espeak-ng gives the same sounds each time; what differs between the two takes of a voice, speed and pitch, is
drawn with a fixed seed.

espeak-ng is silent about a speaker that it does not use: "en-gb+f2" sounds like "en-gb+m1", while "en+f2", the
same accent, sounds as it should. So the script compares the voices before it speaks, and stops if two are alike.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = {"en-us": "en-us", "en-gb": "en", "en-gb-scotland": "en-gb-scotland", "en-029": "en-029"}  # ours: espeak's
SPEAKERS = ("m1", "m3", "m7", "m8", "f2", "f4", "f5", "linda")
VOICES = tuple(f"{accent}+{speaker}" for accent in ACCENTS for speaker in SPEAKERS)
TAKES, RATE, SEED = 2, 8000, 20
MU = 255


def speak(word: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    """One word as float64 samples at 8 kHz, shape (samples,). Speed is in words a minute, pitch from 0 to 99."""
    accent, speaker = voice.split("+")
    voice = f"{ACCENTS[accent]}+{speaker}"
    with tempfile.TemporaryDirectory() as folder:  # a file, because the header of a stream has no length
        sound = str(Path(folder) / "word.wav")
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", sound, word], check=True)
        rate, samples = wavfile.read(sound)
    return resample_poly(samples / 32768, RATE, rate)


def trim(samples: np.ndarray, floor: float = 0.02, margin: int = 80) -> np.ndarray:
    """Without the silence at both ends: what is below a part of the loudest sample."""
    loud = np.flatnonzero(np.abs(samples) > floor * np.abs(samples).max())
    return samples[max(loud[0] - margin, 0) : loud[-1] + margin]


def mu_law(samples: np.ndarray) -> np.ndarray:
    """Samples between -1 and 1 as 8-bit codes (ITU-T G.711's mu-law curve)."""
    curved = np.sign(samples) * np.log1p(MU * np.abs(samples)) / np.log1p(MU)
    return np.round((curved + 1) / 2 * MU).astype(np.uint8)


def check_voices(chosen=VOICES) -> None:
    """Let every voice say the same word in the same way.

    Raises:
        ValueError: two voices sound exactly alike; the message names them.
    """
    heard: dict[bytes, str] = {}
    for voice in chosen:
        twin = heard.setdefault(speak("seven", voice, 160, 50).tobytes(), voice)
        if twin != voice:
            raise ValueError(f"espeak-ng speaks with one voice as {twin} and as {voice}: rename one.")


def make(chosen=VOICES) -> dict[str, np.ndarray]:
    """All arrays of the file: codes of all clips behind each other, their lengths, digits and voices.

    Args:
        chosen: the voices; the first few of ``VOICES`` give the first clips of the file.
    """
    check_voices(chosen)
    random = np.random.default_rng(SEED)
    clips, digits, voices = [], [], []
    for number, voice in enumerate(chosen):
        for _ in range(TAKES):
            speed, pitch = int(random.integers(90, 280)), int(random.integers(5, 95))
            for digit, word in enumerate(WORDS):
                samples = trim(speak(word, voice, speed, pitch))
                clips.append(mu_law(0.9 * samples / np.abs(samples).max()))
                digits.append(digit)
                voices.append(number)
    return {
        "codes": np.concatenate(clips),
        "lengths": np.array([len(clip) for clip in clips], dtype=np.int32),
        "digits": np.array(digits, dtype=np.int8),
        "voices": np.array(voices, dtype=np.int8),
        "voice_names": np.array(chosen),
    }


if __name__ == "__main__":
    if shutil.which("espeak-ng") is None:
        sys.exit("espeak-ng is not installed. On Debian and Ubuntu: apt-get install espeak-ng")
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("spoken_digits.npz")
    arrays = make()
    np.savez_compressed(target, **arrays)
    seconds, size = arrays["lengths"].sum() / RATE, target.stat().st_size / 1e6
    print(f"{len(arrays['digits'])} clips, {seconds:.0f} s, {size:.2f} MB: {target.name}")
