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


def main():
    f = Fixture("encoders")

    def pictures(case, model, x, train):
        model.train(train)
        pooled = lambda x: model(pixel_values=x).pooler_output.flatten(1)
        f.module(case, model, {"x": x}, ("x",), pooled)

    for name, model in (("basic", basic()), ("small_stem", basic("small")), ("bottleneck", bottleneck())):
        pictures(f"{name}_eval", model, torch.randn(2, 3, 23, 26), train=False)
        pictures(f"{name}_train", model, torch.randn(3, 3, 23, 26), train=True)

    model = distilbert().train()
    rows = lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state
    ids, mask = captions(4, 7, 23)
    f.module("text_padded", model, {"ids": ids, "mask": mask}, (), lambda ids, mask: rows(ids, mask)[:, 0])
    ids = torch.randint(0, 23, (3, 12))
    full = torch.ones_like(ids)
    f.module("text_full", model, {"ids": ids, "mask": full}, (), lambda ids, mask: rows(ids, mask)[:, 0])
    # Every token's row at once, unpadded: what masked-word pretraining sees.
    f.module("text_rows", model, {"ids": ids, "mask": full}, (), rows)
    f.save()


if __name__ == "__main__":
    main()
