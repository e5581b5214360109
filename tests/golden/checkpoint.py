"""Checkpoints as PyTorch writes them, for src/checkpoint/tests.rs; and the proof that PyTorch reads ours.

    python tests/golden/checkpoint.py                       writes tests/golden/checkpoint/*
    python tests/golden/checkpoint.py --verify OURS THEIRS  OURS, written by save_pt, holds what THEIRS holds

Written with PyTorch 2.15 and safetensors; seed 0.
"""

import argparse
import collections
import os
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent / "checkpoint"


class ProjectionHead(nn.Module):
    def __init__(self, embedding_dim, projection_dim):
        super().__init__()
        self.projection = nn.Linear(embedding_dim, projection_dim)
        self.gelu = nn.GELU()
        self.fc = nn.Linear(projection_dim, projection_dim)
        self.dropout = nn.Dropout(0.1)
        self.layer_norm = nn.LayerNorm(projection_dim)


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model


class CLIPModel(nn.Module):
    """The names of the lecture's model over tiny stand-ins for its encoders."""

    def __init__(self):
        super().__init__()
        image = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
        text = nn.ModuleDict({"embeddings": nn.Embedding(7, 6), "LayerNorm": nn.LayerNorm(6)})
        self.image_encoder, self.text_encoder = Encoder(image), Encoder(text)
        self.image_projection, self.text_projection = ProjectionHead(4, 5), ProjectionHead(6, 5)
        self.logit_scale = nn.Parameter(torch.tensor(2.6592))


def types():
    """One tensor of each type; a scalar; one without elements."""
    values = torch.tensor([0.0, 1.0, 2.0, 100.0])
    of_type = {str(t).removeprefix("torch."): values.to(t) for t in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16,
        torch.int64, torch.int32, torch.int16, torch.uint8, torch.bool)}
    of_type["negative"] = torch.tensor([-1, -(1 << 40)])
    return of_type | {"scalar": torch.tensor(-1.5), "empty": torch.zeros(0, 3)}


def views():
    """Views on shared storages."""
    base = torch.randn(4, 6)
    cube = torch.randn(2, 3, 4)
    return {
        "base": base, "tied": base, "transposed": base.t(), "row": base[2], "column": base[:, 3],
        "every_second": base[::2, 1::2], "element": base[3, 5], "permuted": cube.permute(2, 0, 1),
        "expanded": torch.randn(3, 1).expand(3, 4), "cube": cube,
    }


class Stranger:
    def __reduce__(self):
        return os.system, ("touch the-file-was-run",)


def write():
    HERE.mkdir(exist_ok=True)
    torch.manual_seed(0)
    model = CLIPModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    sum(p.sum() for p in model.parameters()).backward()
    optimizer.step()
    files = {
        "lecture": model.state_dict(),
        "parameters": dict(model.named_parameters()),
        "nested": {"epoch": 3, "best_loss": 0.25, "optimizer_state_dict": optimizer.state_dict(),
                   "model_state_dict": model.state_dict(), "classes": ["a", "b"], "best": torch.tensor(1.0)},
        "types": types(),
        "views": views(),
    }
    for name, state in files.items():
        torch.save(state, HERE / f"{name}.pt")
    torch.save(files["nested"], HERE / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(files["views"], HERE / "legacy_views.pt", _use_new_zipfile_serialization=False)
    torch.save(collections.OrderedDict(weight=torch.ones(2), config=argparse.Namespace(size=224)), HERE / "foreign.pt")
    torch.save({"weight": torch.ones(2), "x": Stranger()}, HERE / "stranger.pt")
    torch.save(model.image_projection, HERE / "module.pt")
    torch.jit.script(nn.Linear(2, 2)).save(HERE / "script.pt")
    for name in ("lecture", "types", "views"):
        plain = {k: v.detach().clone().contiguous() for k, v in files[name].items()}
        save_file({k: v.to(torch.uint8) if v.dtype == torch.bool else v for k, v in plain.items()},
                  HERE / f"{name}.safetensors")


def verify(ours, theirs):
    for mmap in (False, True):
        state = torch.load(ours, weights_only=True, mmap=mmap)
        expected = torch.load(theirs, weights_only=True)
        assert type(state) is collections.OrderedDict, type(state)
        assert sorted(state) == sorted(expected), set(state) ^ set(expected)
        for key, value in expected.items():
            got = state[key]
            dtype = torch.uint8 if value.dtype == torch.bool else value.dtype
            assert got.dtype == dtype and got.shape == value.shape, (key, got.dtype, got.shape)
            assert torch.equal(got, value.detach().to(dtype)), key
    if "logit_scale" in state:
        CLIPModel().load_state_dict(state, strict=True)
    print(f"{len(state)} tensors equal")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--verify"]:
        verify(*sys.argv[2:4])
    else:
        write()
