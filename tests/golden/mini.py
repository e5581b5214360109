"""The encoders of `mini` for tests/golden_encoders.rs: python tests/golden/mini.py

Written with PyTorch 2.15, transformers 5.24, timm 1.0.31, seed 0. Random weights, small sizes, every kind of layer of the
large ones.
"""

from functools import partial

import torch
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet
from torch import nn
from transformers import BertConfig, BertModel

from encoders import captions
from fixture import Fixture, randomise


def bert(**changes):
    config = dict(vocab_size=23, max_position_embeddings=12, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                  intermediate_size=24, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
                  attn_implementation="eager", initializer_range=0.2)
    return randomise(BertModel(BertConfig(**config | changes), add_pooling_layer=False))


def mean_of_tokens(rows, mask):
    """What the package sentence-transformers calls mean pooling."""
    mask = mask.unsqueeze(-1).float()
    return (rows * mask).sum(1) / mask.sum(1).clamp(min=1e-9)


def efficientnet():
    """Every kind of block: without expansion, with stride 2 and 1, filters of 3 and 5."""
    stages = [["ds_r1_k3_s1_e1_c8"], ["ir_r2_k3_s2_e4_c8"], ["ir_r1_k5_s2_e3_c16"], ["ir_r1_k5_s1_e3_c16"]]
    model = EfficientNet(
        decode_arch_def(stages), stem_size=8, fix_stem=True, num_features=20, pad_type="same", act_layer=nn.ReLU6,
        norm_layer=partial(nn.BatchNorm2d, eps=1e-3), num_classes=0)
    randomise(model)
    # Far enough from zero that ReLU6 cuts above, too.
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 2.0, 0.3)
            nn.init.normal_(module.bias, 1.0, 1.0)
    return model


def texts():
    f = Fixture("bert")
    model = bert().train()
    f.put("text", "param", model.state_dict())
    rows = lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state
    mean = lambda ids, mask: mean_of_tokens(rows(ids, mask), mask)
    cls = lambda ids, mask: rows(ids, mask)[:, 0]
    ids, mask = captions(4, 7, 23)
    f.module("mean_padded", model, {"ids": ids, "mask": mask}, (), mean, params=False)
    f.module("cls_padded", model, {"ids": ids, "mask": mask}, (), cls, params=False)
    ids = torch.randint(1, 23, (3, 12))
    f.module("mean_full", model, {"ids": ids, "mask": torch.ones_like(ids)}, (), mean, params=False)
    f.save()


def pictures():
    f = Fixture("efficientnet")
    model = efficientnet()
    f.put("lite", "param", model.state_dict())
    # Odd and even sides: `SAME` pads them differently. Training comes last, since it moves the running statistics.
    for mode, b, sides in (("eval", 2, (23, 26)), ("even", 2, (32, 32)), ("train", 3, (26, 23))):
        model.train(mode == "train")
        f.module(f"lite_{mode}", model, {"x": torch.randn(b, 3, *sides)}, ("x",), model, params=False)
    f.save()


if __name__ == "__main__":
    torch.manual_seed(0)
    texts()
    pictures()
