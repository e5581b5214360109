"""The lecture's and mini's encoders at full size, for tests/full_size.rs: python tests/golden/full_size.py DIR

Writes DIR/*.safetensors and the weights beside them in the forms in which they are published: some 1.5 GB, which are not
committed. `VL_FULL_SIZE=DIR cargo test --test full_size` compares. Random weights, seed 0; the references are computed in
float64, so that it can be said how far off PyTorch's own float32 is: printed here for every case.
"""

import copy
import pathlib
import sys

import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from transformers import (BertConfig, BertModel, DistilBertConfig, DistilBertForMaskedLM, ResNetConfig,
                          ResNetForImageClassification)

from fixture import randomise
from mini import mean_of_tokens

OUT = pathlib.Path(sys.argv[1])


def losses(model, inputs, call, weight):
    """Output, gradients by name, and buffers afterwards."""
    model.zero_grad()
    inputs = {k: v.clone() for k, v in inputs.items()}
    if "x" in inputs:
        inputs["x"].requires_grad_(True)
    out = call(model, **inputs)
    (weight * out).sum().backward()
    grads = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
    if "x" in inputs:
        grads["x"] = inputs["x"].grad
    after = {k: v for k, v in model.named_buffers() if "running_" in k}
    return out.detach(), grads, after


def worst(got, expected):
    """The length of the error as a part of each tensor's length; short tensors are measured by a thousandth of the longest.

    The length and not the largest entry: where a value lies within rounding of ReLU's kink, a gradient goes another way.
    """
    of_all = max(t.norm() for t in expected.values())
    return float(max((got[k].double() - t).norm() / t.norm().clamp(min=1e-3 * of_all) for k, t in expected.items()))


class File:
    def __init__(self, name):
        self.name, self.tensors = name, {}

    def put(self, case, what, tensors):
        for k, v in tensors.items():
            v = v.detach()
            self.tensors[f"{case}/{what}/{k}"] = (v.float() if v.is_floating_point() else v).clone().contiguous()

    def case(self, case, model, inputs, call, features, train):
        model.train(train)
        first = next(iter(inputs.values()))
        weight = torch.randn(len(first), features)
        double = copy.deepcopy(model).double()
        to = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
        y, grads, after = losses(double, to, call, weight.double())
        y32, grads32, _ = losses(copy.deepcopy(model), inputs, call, weight)
        self.put(case, "in", inputs | {"weight": weight})
        self.put(case, "out", {"y": y})
        self.put(case, "grad", grads)
        self.put(case, "after", after)
        own = {"features": worst({"y": y32}, {"y": y}), "gradients": worst(grads32, grads)}
        self.put(case, "float32", {k: torch.tensor(v) for k, v in own.items()})
        print(f"{self.name}, {case}: PyTorch's float32 is off by", *(f"{v:.1e} in the {k}" for k, v in own.items()),
              flush=True)

    def save(self):
        save_file(self.tensors, OUT / f"{self.name}.safetensors")


def weights(folder, name, state):
    place = OUT / folder
    place.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().clone().contiguous() for k, v in state.items()}
    save_file(state, place / name) if name.endswith(".safetensors") else torch.save(state, place / name)


def pictures(name, model, call, features):
    f = File(name)
    f.case("eval", model, {"x": torch.randn(2, 3, 224, 224)}, call, features, False)
    f.case("odd", model, {"x": torch.randn(2, 3, 161, 193)}, call, features, False)
    f.case("train", model, {"x": torch.randn(4, 3, 128, 128)}, call, features, True)
    f.save()


def texts(name, model, call, features):
    f = File(name)
    ids = torch.randint(1, 30522, (4, 32))
    mask = (torch.arange(32) < torch.tensor([32, 9, 20, 3])[:, None]).long()
    f.case("padded", model, {"ids": ids * mask, "mask": mask}, call, features, True)
    f.case("full", model, {"ids": ids[:2], "mask": torch.ones(2, 32, dtype=torch.long)}, call, features, True)
    f.save()


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(2)

    resnet = randomise(ResNetForImageClassification(ResNetConfig()))
    weights("resnet-50", "model.safetensors", resnet.state_dict())
    pictures("resnet50", resnet.resnet, lambda m, x: m(pixel_values=x).pooler_output.flatten(1), 2048)

    resnet = randomise(torchvision.models.resnet50())
    weights("torchvision", "resnet50.pth", resnet.state_dict())
    resnet.fc = nn.Identity()
    f = File("torchvision_resnet50")
    f.case("eval", resnet, {"x": torch.randn(2, 3, 224, 224)}, lambda m, x: m(x), 2048, False)
    f.save()

    none = dict(dropout=0.0, attention_dropout=0.0, attn_implementation="eager")
    bert = randomise(DistilBertForMaskedLM(DistilBertConfig(**none)))
    weights("distilbert-base-uncased", "pytorch_model.bin", bert.state_dict())
    texts("distilbert", bert.distilbert,
          lambda m, ids, mask: m(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0], 768)

    bert = randomise(BertModel(BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, attn_implementation="eager")))
    weights("all-MiniLM-L6-v2", "model.safetensors", bert.state_dict())
    texts("minilm", bert, lambda m, ids, mask: mean_of_tokens(
        m(input_ids=ids, attention_mask=mask).last_hidden_state, mask), 384)

    lite = randomise(timm.create_model("tf_efficientnet_lite0"))
    weights("tf_efficientnet_lite0.in1k", "model.safetensors", lite.state_dict())
    lite.reset_classifier(0)
    pictures("efficientnet_lite0", lite, lambda m, x: m(x), 1280)


if __name__ == "__main__":
    main()
