"""transformers' encoders for tests/golden_encoders.rs: python tests/golden/encoders.py

Written with PyTorch 2.15, transformers 5.23, seed 0. Random weights, small sizes, every kind of layer of the large ones.
"""

import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertModel, ResNetConfig, ResNetModel

from fixture import Fixture, randomise


def resnet(stem="large", **config):
    model = ResNetModel(ResNetConfig(**config))
    if stem == "small":
        model.embedder.embedder.convolution = nn.Conv2d(3, config["embedding_size"], 3, 2, padding=1, bias=False)
        model.embedder.pooler = nn.Identity()
    return randomise(model)


def basic(stem="large"):
    return resnet(stem, embedding_size=6, hidden_sizes=[6, 10], depths=[1, 2], layer_type="basic")


def bottleneck():
    return resnet(embedding_size=8, hidden_sizes=[16, 24], depths=[2, 2], layer_type="bottleneck")


def distilbert(**changes):
    config = dict(vocab_size=23, max_position_embeddings=12, dim=16, n_layers=2, n_heads=4, hidden_dim=24,
                  dropout=0.0, attention_dropout=0.0, attn_implementation="eager", initializer_range=0.2)
    return randomise(DistilBertModel(DistilBertConfig(**config | changes)))


def captions(b, t, vocabulary):
    """Texts of different lengths, the first one unpadded."""
    ids = torch.randint(1, vocabulary, (b, t))
    mask = (torch.arange(t) < torch.tensor([t, 2, 5, 1, 3])[:b, None]).long()
    return ids * mask, mask


def pictures(file, models):
    f = Fixture(file)
    for name, model in models.items():
        f.put(name, "param", model.state_dict())
        pooled = lambda x: model(pixel_values=x).pooler_output.flatten(1)
        for mode, b in (("eval", 2), ("train", 3)):
            model.train(mode == "train")
            f.module(f"{name}_{mode}", model, {"x": torch.randn(b, 3, 23, 26)}, ("x",), pooled, params=False)
    f.save()


def texts():
    f = Fixture("distilbert")
    model = distilbert().train()
    f.put("text", "param", model.state_dict())
    rows = lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state
    cls = lambda ids, mask: rows(ids, mask)[:, 0]
    ids, mask = captions(4, 7, 23)
    f.module("text_padded", model, {"ids": ids, "mask": mask}, (), cls, params=False)
    # From 1: token 0 is [PAD], whose row torch's nn.Embedding(padding_idx=0) never trains.
    ids = torch.randint(1, 23, (3, 12))
    full = torch.ones_like(ids)
    f.module("text_full", model, {"ids": ids, "mask": full}, (), cls, params=False)
    # Every token's row at once: what masked-word pretraining sees.
    f.module("text_rows", model, {"ids": ids, "mask": full}, (), rows, params=False)
    f.save()


if __name__ == "__main__":
    torch.manual_seed(0)
    pictures("resnet_basic", {"basic": basic(), "small_stem": basic("small")})
    pictures("resnet_bottleneck", {"bottleneck": bottleneck()})
    texts()
