"""pycocoevalcap's figures for tests/golden_metrics.rs: python tests/golden/metrics.py

Written with pycocoevalcap 1.2, seed 0, on texts that are cut into words already (its PTB tokenizer is not asked). Captions are
random walks through a few words, so that short and long ones, repeated and missing words all occur.
"""

import contextlib
import io
import json
import pathlib
import random

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

WORDS = "a two dog dogs cat on the grass sand with ball red and sits behind".split()


def sentence(rng, low, high):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))


def sets():
    rng = random.Random(0)
    real = [
        ("two dogs on the grass", ["two dogs sit on the grass", "a pair of dogs on grass", "two dogs on the grass"]),
        ("a cat", ["a red cat sleeps on a sofa", "there is a cat on the sofa"]),
        ("a a a a dog", ["a dog with a ball"]),
        ("a boat on the sea with a red sail and a flag and a bird above it", ["a boat on the sea", "a red boat"]),
    ]
    yield "captions", real
    for size in (1, 12, 40):
        yield f"random_{size}", [
            (sentence(rng, 1, 14), [sentence(rng, 1, 14) for _ in range(rng.randint(1, 5))]) for _ in range(size)]
    # Each reference with a word exchanged: long runs in common.
    near = []
    for _ in range(20):
        words = sentence(rng, 6, 12).split()
        other = list(words)
        other[rng.randrange(len(other))] = rng.choice(WORDS)
        near.append((" ".join(other), [" ".join(words), sentence(rng, 4, 9)]))
    yield "near", near


def scored(pairs):
    gts = {i: refs for i, (_, refs) in enumerate(pairs)}
    res = {i: [cand] for i, (cand, _) in enumerate(pairs)}
    with contextlib.redirect_stdout(io.StringIO()):
        bleu, _ = Bleu(4).compute_score(gts, res, verbose=0)
    rouge, rouges = Rouge().compute_score(gts, res)
    cider, ciders = Cider().compute_score(gts, res)
    return {
        "candidates": [cand for cand, _ in pairs], "references": [refs for _, refs in pairs],
        "bleu": [float(b) for b in bleu], "rouge_l": float(rouge), "rouge_l_each": [float(r) for r in rouges],
        "cider_d": float(cider), "cider_d_each": [float(c) for c in ciders],
    }


out = pathlib.Path(__file__).parent / "metrics.json"
out.write_text(json.dumps({name: scored(pairs) for name, pairs in sets()}, indent=1) + "\n")
print(out.name, out.stat().st_size, "bytes")
