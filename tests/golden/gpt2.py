"""transformers' GPT-2 for tests/golden_gpt2.rs: python tests/golden/gpt2.py

Written with PyTorch 2.15, transformers 5.23, seed 0. Random weights, small sizes; large initial values, so that greedy
continuations say something.
"""

import json
import pathlib

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast
from transformers.generation.logits_process import (
    TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

from fixture import Fixture, randomise

HERE = pathlib.Path(__file__).parent
V, T = 29, 24


def model():
    config = GPT2Config(vocab_size=V, n_positions=T, n_embd=16, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
                        attn_pdrop=0.0, initializer_range=0.4, attn_implementation="eager",
                        bos_token_id=0, eos_token_id=0, pad_token_id=0)
    return randomise(GPT2LMHeadModel(config))


def texts(b, t, left):
    ids = torch.randint(1, V, (b, t))
    lengths = torch.tensor([t, 3, t - 2, 1])[:b, None]
    mask = (torch.arange(t) >= t - lengths if left else torch.arange(t) < lengths).long()
    return ids * mask, mask


def places(mask):
    return (mask.cumsum(1) - mask).clamp(min=0)


def forward(f, m):
    """Logits and the gradient of every parameter; with padding only where a token stands."""
    for case, left in (("right", False), ("left", True)):
        ids, mask = texts(4, 7, left)
        call = lambda ids, mask: m(input_ids=ids, attention_mask=mask, position_ids=places(mask)).logits * mask[..., None]
        f.module(case, m, {"ids": ids, "mask": mask}, (), call, params=False)


def from_embeddings(f, m):
    """A prefix that is no word: its gradient through the frozen model."""
    ids, mask = texts(3, 6, False)
    prefix = torch.randn(3, 2, 16)
    mask = torch.cat([torch.ones(3, 2, dtype=torch.long), mask], 1)

    def call(prefix, ids, mask):
        x = torch.cat([prefix, m.transformer.wte(ids)], 1)
        return m(inputs_embeds=x, attention_mask=mask, position_ids=places(mask)).logits * mask[..., None]

    f.module("prefix", m, {"prefix": prefix, "ids": ids, "mask": mask}, ("prefix",), call, params=False)


def greedy(f, m):
    ids, mask = texts(4, 5, True)
    out = m.generate(input_ids=ids, attention_mask=mask, max_new_tokens=16, do_sample=False, eos_token_id=None,
                     pad_token_id=0)
    f.put("greedy", "in", {"ids": ids, "mask": mask})
    f.put("greedy", "out", {"new": out[:, 5:]})


def warped(f):
    logits = torch.randn(1, V) * 2
    f.put("warp", "in", {"logits": logits})
    for name, chain in {
        "temperature": [TemperatureLogitsWarper(0.7)],
        "top_k": [TemperatureLogitsWarper(1.3), TopKLogitsWarper(5)],
        "top_p": [TopPLogitsWarper(0.8)],
        "all": [TemperatureLogitsWarper(0.6), TopKLogitsWarper(9), TopPLogitsWarper(0.75)],
    }.items():
        scores = logits
        for warper in chain:
            scores = warper(None, scores)
        f.put("warp", "out", {name: scores.softmax(-1)})


def nll(m, ids, mask):
    with torch.no_grad():
        logits = m(input_ids=ids, attention_mask=mask, position_ids=places(mask)).logits
    targets = ids[:, 1:].masked_fill(mask[:, 1:] == 0, -100)
    losses = torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), targets, reduction="none")
    return losses.sum(1), (targets != -100).sum(1)


def perplexity(f, m):
    """A padded batch; and a text longer than the model, by the sliding window of transformers' guide to perplexity."""
    ids, mask = texts(3, 9, False)
    nats, tokens = nll(m, ids, mask)
    f.put("batch", "in", {"ids": ids, "mask": mask})
    f.put("batch", "out", {"nats": nats, "tokens": tokens})
    long, total, count, previous = torch.randint(1, V, (1, 61)), 0.0, 0, 0
    for begin in range(0, 61, 8):
        end = min(begin + 20, 61)
        window = long[:, begin:end]
        targets = window.clone()
        targets[:, :-(end - previous)] = -100
        with torch.no_grad():
            logits = m(input_ids=window).logits
        losses = torch.nn.functional.cross_entropy(logits[0, :-1], targets[0, 1:], reduction="none")
        total, count, previous = total + losses.double().sum(), count + (targets[0, 1:] != -100).sum(), end
        if end == 61:
            break
    f.put("long", "in", {"ids": long[0]})
    f.put("long", "out", {"nats": total, "tokens": count})


def attentions(f, m):
    """The weights of every layer; what stands in rows of padding means nothing."""
    ids, mask = texts(3, 6, True)
    with torch.no_grad():
        out = m(input_ids=ids, attention_mask=mask, position_ids=places(mask), output_attentions=True).attentions
    f.put("attentions", "in", {"ids": ids, "mask": mask})
    f.put("attentions", "out", {str(layer): w * mask[:, None, :, None] for layer, w in enumerate(out)})


def tokenizer():
    folder = HERE / "gpt2_tokenizer"
    folder.mkdir(exist_ok=True)
    bpe = ByteLevelBPETokenizer()
    lines = ["a dog on the grass, two dogs on the grass", "Question: how many dogs are there? Answer: two.",
             "it's the dog's grass; they're dogs", "the the the 2024 2025"]
    bpe.train_from_iterator(lines, vocab_size=300, special_tokens=["<|endoftext|>"], show_progress=False)
    bpe.save_model(str(folder))
    theirs = GPT2TokenizerFast.from_pretrained(folder)
    samples = ["a dog on the grass", " two  dogs\n\non the grass!!", "it's 2025: they'RE dogs?", "naïve 犬 🐕 dogs\t",
               "the end<|endoftext|>the dog", "", "   "]
    (folder / "samples.json").write_text(json.dumps([[s, theirs(s)["input_ids"]] for s in samples], indent=1))


if __name__ == "__main__":
    f = Fixture("gpt2")
    m = model().eval()
    f.put("lm", "param", m.state_dict())
    forward(f, m)
    from_embeddings(f, m)
    greedy(f, m)
    warped(f)
    perplexity(f, m)
    attentions(f, m)
    f.save()
    tokenizer()
