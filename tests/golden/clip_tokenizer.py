"""CLIP's tokenizer for tests/golden_clip_encoders.rs, from the package open_clip_torch (3.3.0; vocabulary by OpenAI, MIT):

    python tests/golden/clip_tokenizer.py          # the first thousand merges, into tests/golden/clip_tokenizer
    python tests/golden/clip_tokenizer.py DIR      # all of them, into DIR/clip_tokenizer
"""

import gzip
import json
import sys
from pathlib import Path

from open_clip.tokenizer import SimpleTokenizer, default_bpe

SAMPLES = ["a dog on the grass", "A photo of a Dog.", "  two   dogs\n\non the grass!!  ", "it's 2025: they'RE dogs, aren't they?",
           "naïve café, 犬 🐕 dogs", "unbelievably long-winded antidisestablishmentarianism", "", "a photo of a {label}.",
           "it costs $3.50 (50% off)", "word " * 100, "<end_of_text>"]


def main():
    small = len(sys.argv) < 2
    folder = (Path(__file__).parent if small else Path(sys.argv[1])) / "clip_tokenizer"
    folder.mkdir(exist_ok=True, parents=True)
    lines = gzip.open(default_bpe()).read().decode("utf-8").split("\n")
    lines = lines[: 1001 if small else 49152 - 256 - 2 + 1]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    packed = folder / "merges.txt.gz"
    packed.write_bytes(gzip.compress("\n".join(lines).encode()))
    theirs = SimpleTokenizer(str(packed))
    packed.unlink()
    samples = []
    for text in SAMPLES[:-1]:
        ids = theirs(text)[0].tolist()
        samples.append([text, ids[: ids.index(theirs.eot_token_id) + 1]])
    (folder / "samples.json").write_text(json.dumps(samples))
    print(folder, theirs.vocab_size, samples[0])


main()
