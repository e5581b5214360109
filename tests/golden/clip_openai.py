"""open_clip's CLIP for tests/golden_clip_openai.rs: python tests/golden/clip_openai.py

Written with PyTorch 2.15, open_clip_torch 3.3.0, seed 0. Random weights, small sizes: the mean pooling, CLIP's ResNet
(`ModifiedResNet`), and two whole CLIPs under OpenAI's names, with a ResNet and with a vision transformer.
"""

import torch
from torch import nn
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from open_clip.modified_resnet import ModifiedResNet

from fixture import Fixture, randomise

# 22 is the end of a text, as 49407 is in CLIP's vocabulary: the largest id, where open_clip looks for the sentence.
V, END, LONG = 23, 22, 9
TEXT = dict(context_length=LONG, vocab_size=V, width=16, heads=4, layers=2, mlp_ratio=1.5)
VISION = {"resnet": dict(image_size=64, layers=[1, 2, 1, 1], width=2, head_width=16),
          "vit": dict(image_size=24, layers=2, width=16, head_width=4, patch_size=6, mlp_ratio=1.5)}


def texts(b):
    """Texts that end in END, the first one as long as can be; 0 behind."""
    ids = torch.randint(1, END, (b, LONG))
    last = torch.tensor([LONG - 1, 3, 6, 1])[:b, None]
    at = torch.arange(LONG)[None]
    ids = torch.where(at < last, ids, torch.where(at == last, END, 0))
    return ids, (at <= last).long()


def spread(module):
    """`randomise`, and weights large enough that attention looks somewhere; a last norm of zero would hide its block."""
    randomise(module)
    for name, parameter in module.named_parameters():
        if "embedding" in name or "in_proj_weight" in name or name.endswith("proj"):
            nn.init.normal_(parameter, std=0.5)
        if "q_proj.weight" in name or "k_proj.weight" in name:
            nn.init.normal_(parameter, std=0.3)
    return module


def main():
    f = Fixture("clip_openai")
    for k in (2, 3):
        f.module(f"avg_pool_{k}", nn.AvgPool2d(k), {"x": torch.randn(2, 3, 7, 5)}, ("x",))
    resnet = spread(ModifiedResNet([1, 2, 1, 1], output_dim=12, heads=4, image_size=64, width=2))
    f.put("resnet", "param", resnet.state_dict())
    for mode, inputs in (("eval", ("x",)), ("train", ())):
        f.module(f"resnet_{mode}", resnet.train(mode == "train"), {"x": torch.randn(2, 3, 64, 64)}, inputs, params=False)
    for name, vision in VISION.items():
        vision, text = CLIPVisionCfg(**vision), CLIPTextCfg(**TEXT)
        if name == "resnet":
            text.mlp_ratio = 4.0
        model = spread(CLIP(12, vision, text, quick_gelu=True)).eval()
        ids, mask = texts(4)
        x = torch.randn(2, 3, vision.image_size, vision.image_size)
        image, words = model.encode_image(x, normalize=True), model.encode_text(ids, normalize=True)
        logits = model.logit_scale.exp() * image @ words.T
        weight = torch.randn_like(logits)
        (weight * logits).sum().backward()
        case = f"clip_{name}"
        f.put(case, "param", model.state_dict())
        f.put(case, "in", {"x": x, "ids": ids, "mask": mask, "weight": weight})
        f.put(case, "out", {"image": image, "text": words, "logits": logits})
        f.put(case, "grad", {k: p.grad for k, p in model.named_parameters()})
    f.save()


if __name__ == "__main__":
    main()
