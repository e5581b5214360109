"""The worked numbers of the exercises' checks, from PyTorch: what is right, and what comes of well-known wrong ways.

Run: python tests/golden/exercises.py > src/exercise/check/goldens.json
Seed 20 for the head, 21 for the loss, 22 for the perplexity, 23 for the captions' loss, 24 for the code and for the zero-shot classifier. Written by PyTorch 2.x on a CPU; the numbers are rounded to seven digits.
"""

import json
import math

import torch
import torch.nn.functional as F


def numbers(x):
    return [float(f"{v:.7g}") for v in x.flatten().tolist()]


def head():
    """b = 2, d = 3, p = 4."""
    torch.manual_seed(20)
    p = {
        "projection.weight": torch.randn(4, 3), "projection.bias": torch.randn(4),
        "fc.weight": torch.randn(4, 4), "fc.bias": torch.randn(4),
        "layer_norm.weight": 1 + 0.5 * torch.randn(4), "layer_norm.bias": torch.randn(4),
    }
    x = torch.randn(2, 3)

    def ways(p):
        u = F.linear(x, p["projection.weight"], p["projection.bias"])
        fc = lambda v: F.linear(v, p["fc.weight"], p["fc.bias"])
        norm = lambda v: F.layer_norm(v, (4,), p["layer_norm.weight"], p["layer_norm.bias"], 1e-5)
        g = F.gelu(u)
        return {
            "right": norm(fc(g) + u),
            "no_skip": norm(fc(g)),
            "skip_after_gelu": norm(fc(g) + g),
            "skip_subtracted": norm(fc(g) - u),
            "skip_subtracted ": norm(u - fc(g)),
            "no_gelu": norm(fc(u) + u),
            "relu_for_gelu": norm(fc(F.relu(u)) + u),
            "gelu_after_fc": norm(F.gelu(fc(u)) + u),
            "gelu_at_the_end": F.gelu(norm(fc(g) + u)),
            "no_fc": norm(g + u),
            "no_layer_norm": fc(g) + u,
            "norm_before_skip": norm(fc(g)) + u,
            "tanh_gelu": norm(fc(F.gelu(u, approximate="tanh")) + u),
        }

    general = ways(p)
    zero = {**p, "fc.weight": torch.zeros(4, 4), "fc.bias": torch.zeros(4)}
    return {
        "params": {name: {"shape": list(v.shape), "values": numbers(v)} for name, v in p.items()},
        "x": numbers(x),
        "general": {name: numbers(v) for name, v in general.items()},
        "fc_zero": {name: numbers(v) for name, v in ways(zero).items()},
    }


def loss():
    """b = 3, p = 4, t = 0.7."""
    torch.manual_seed(21)
    images, texts, t = 2 * torch.randn(3, 4), torch.randn(3, 4) / 2, torch.tensor(0.7)
    labels = torch.arange(3)
    n = lambda x, dim=1: F.normalize(x, dim=dim)

    def both(s, labels=labels):
        return (F.cross_entropy(s, labels) + F.cross_entropy(s.T, labels)) / 2

    cosines = n(images) @ n(texts).T
    s = cosines * t.exp()
    ways = {
        "right": both(s),
        "not_normalised": both(images @ texts.T * t.exp()),
        "wrong_axis": both(n(images, 0) @ n(texts, 0).T * t.exp()),
        "one_side_not_normalised": both(images @ n(texts).T * t.exp()),
        "one_side_not_normalised ": both(n(images) @ texts.T * t.exp()),
        "one_sided": F.cross_entropy(s, labels),
        "one_sided ": F.cross_entropy(s.T, labels),
        "not_halved": 2 * both(s),
        "temperature_ignored": both(cosines),
        "temperature_not_exponent": both(cosines * t),
        "temperature_divides": both(cosines / t.exp()),
        "temperature_divides ": both(cosines / t),
        "wrong_labels": both(s, torch.zeros(3, dtype=torch.long)),
        "wrong_labels ": both(s, torch.arange(2, -1, -1)),
        "softmax_twice": both(s.softmax(1)),
        "softmax_twice ": (F.cross_entropy(s.softmax(1), labels) + F.cross_entropy(s.T.softmax(1), labels)) / 2,
        "log_softmax_sign": -both(s),
        "not_averaged": 3 * both(s),
        "tables_averaged": F.cross_entropy((s + s.T) / 2, labels),
        "other_length": both((images / images.abs().sum(1, True)) @ (texts / texts.abs().sum(1, True)).T * t.exp()),
    }
    return {
        "images": numbers(images), "texts": numbers(texts), "t": 0.7,
        "general": {name: numbers(v) for name, v in ways.items()},
    }


def caption():
    """b = 2, t = 6, v = 6; 5 is the image token; the second text has a picture inside and a place of padding."""
    torch.manual_seed(23)
    logits = torch.randn(2, 6, 6, requires_grad=True)
    ids = torch.tensor([[5, 5, 1, 4, 0, 2], [3, 5, 5, 2, 0, 0]])
    mask = torch.tensor([[1] * 6, [1, 1, 1, 1, 1, 0]])
    image = ids == 5

    def loss(x, targets, counted, reduction="mean"):
        return F.cross_entropy(x.flatten(0, 1), targets.masked_fill(~counted, -100).flatten(), reduction=reduction)

    now, coming = logits[:, :-1], ids[:, 1:]
    counted = (mask[:, 1:] == 1) & ~image[:, 1:]
    right = loss(now, coming, counted)
    rows = torch.stack([loss(now[i:i + 1], coming[i:i + 1], counted[i:i + 1]) for i in range(2)])
    ways = {
        "right": right,
        "not_shifted": loss(logits, ids, (mask == 1) & ~image),
        "shifted_back": loss(logits[:, 1:], ids[:, :-1], (mask[:, :-1] == 1) & ~image[:, :-1]),
        "padding_counted": loss(now, coming, ~image[:, 1:]),
        "images_counted": loss(now, coming, mask[:, 1:] == 1),
        "first_word_lost": loss(now, coming, counted & ~image[:, :-1]),
        "last_word_lost": loss(now[:, :-1], coming[:, :-1], counted[:, :-1]),
        "summed": loss(now, coming, counted, "sum"),
        "divided_by_all": loss(now, coming, counted, "sum") / 10,
        "divided_by_all ": loss(now, coming, counted, "sum") / 12,
        "texts_averaged": rows.mean(),
        "softmax_twice": loss(now.softmax(-1), coming, counted),
        "sign": -right,
    }
    gradient = torch.autograd.grad(right, logits)[0]
    return {"logits": numbers(logits), "gradient": numbers(gradient),
            "general": {name: numbers(v) for name, v in ways.items()}}


def quantize():
    """b = 2, k = 3, 2 x 2 places, temperature 0.7."""
    torch.manual_seed(24)
    logits = torch.randn(2, 3, 2, 2, requires_grad=True)
    noise = -torch.log(-torch.log(torch.rand(2, 3, 2, 2)))
    weights, tau = torch.randn(2, 3, 2, 2), 0.7
    one_hot = lambda x, dim=1: F.one_hot(x.argmax(dim), x.shape[dim]).float().movedim(-1, dim)
    cooled = (logits + noise) / tau
    soft = {
        "right": cooled.softmax(1),
        "wrong_axis": cooled.softmax(-1),
        "wrong_axis ": cooled.softmax(2),
        "noise_forgotten": (logits / tau).softmax(1),
        "noise_subtracted": ((logits - noise) / tau).softmax(1),
        "noise_not_divided": (logits / tau + noise).softmax(1),
        "noise_afterwards": (logits / tau).softmax(1) + noise,
        "noise_afterwards ": logits.softmax(1) + noise,
        "temperature_multiplies": ((logits + noise) * tau).softmax(1),
        "temperature_ignored": (logits + noise).softmax(1),
        "log_softmax": cooled.log_softmax(1),
        "hard_in_training": one_hot(logits + noise),
        "hard_in_training ": one_hot(logits),
    }
    hard = {
        "right": one_hot(logits),
        "soft_at_inference": logits.softmax(1),
        "soft_at_inference ": (logits / tau).softmax(1),
        "smallest": one_hot(-logits),
        "wrong_axis": one_hot(logits, 3),
        "wrong_axis ": one_hot(logits, 2),
    }
    gradient = torch.autograd.grad((weights * cooled.softmax(1)).sum(), logits)[0]
    return {"logits": numbers(logits), "noise": numbers(noise), "weights": numbers(weights), "gradient": numbers(gradient),
            "soft": {name: numbers(v) for name, v in soft.items()}, "hard": {name: numbers(v) for name, v in hard.items()}}


def perplexity():
    """Seven tokens of a random model; P is the slide's product."""
    torch.manual_seed(22)
    chances = torch.randn(7, 5).double().log_softmax(1)
    tokens = torch.randint(0, 5, (7,))
    nats = F.nll_loss(chances, tokens)
    ln_p = chances[torch.arange(7), tokens]
    p = ln_p.exp()
    ways = {
        "right": nats.exp(),
        "no_root": (-ln_p.sum()).exp(),
        "sign_forgotten": (-nats).exp(),
        "not_exponentiated": nats,
        "not_exponentiated ": nats / math.log(2),
        "other_base": 2 ** nats,
        "other_base ": 10 ** nats,
        "arithmetic_mean": (1 / p).mean(),
        "arithmetic_mean ": 1 / p.mean(),
        "off_by_one": (nats * 7 / 6).exp(),
        "off_by_one ": (nats * 7 / 8).exp(),
        "first_token_dropped": (-ln_p[1:].mean()).exp(),
        "square_root": (-ln_p.sum() / 2).exp(),
    }
    return {"log_probabilities": numbers(ln_p), "general": {name: numbers(v) for name, v in ways.items()}}


def zero_shot():
    """3 classes, 3 templates, p = 4; embeddings of lengths from 0.3 to 6."""
    torch.manual_seed(24)
    names, templates = ["dog", "cat", "boat"], ["a photo of a {label}.", "the {label}, a kind of {label}", "{label} at night"]
    texts = [t.replace("{label}", name) for name in names for t in templates]
    lengths = torch.tensor([6.0, 0.5, 1.0, 0.3, 2.0, 4.0, 1.0, 5.0, 0.4])
    table = F.normalize(torch.randn(9, 4), dim=1) * lengths[:, None]
    raw = table.reshape(3, 3, 4)  # class, template
    n = lambda x, dim=-1: F.normalize(x, dim=dim)
    unit = n(raw)
    ways = {
        "right": n(unit.mean(1)),
        "not_normalised_first": n(raw.mean(1)),
        "not_unit_length": unit.mean(1),
        "not_normalised": raw.mean(1),
        "one_template": unit[:, 0],
        "one_template ": unit[:, 1],
        "one_template  ": unit[:, 2],
        "classes_mixed_up": n(unit.mean(0)),
        "wrong_axis": n(n(raw, 0).mean(1)),
        "wrong_axis ": n(n(raw, 1).mean(1)),
        "wrong_axis  ": n(unit.mean(1), 0),
        "largest": n(unit.max(1).values),
        "rows_mixed_up": n(unit.mean(1)).flip(0),
    }
    by_name = sorted(range(3), key=lambda i: names[i])
    ways["rows_mixed_up "] = ways["right"][by_name]
    return {"class_names": names, "templates": templates, "texts": texts, "table": numbers(table),
            "general": {name: numbers(v) for name, v in ways.items()}}


assert math.isclose(math.log(1 + math.exp(-1)), 0.3133, abs_tol=1e-4)
print(json.dumps({"projection_head": head(), "clip_loss": loss(), "caption_loss": caption(),
                  "perplexity": perplexity(), "quantize": quantize(),
                  "zero_shot_classifier": zero_shot()}, indent=1))
