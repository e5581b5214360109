"""CLIP at full size for tests/full_size.rs: python tests/golden/full_size_clip.py DIR

Writes DIR/clip*.safetensors, DIR/clip_photos and two folders of weights as they are published, 1.9 GB, which are not committed:
`clip-vit-base-patch32` as transformers saves it, `resnet50_clip.openai` as open_clip does. `VL_FULL_SIZE=DIR cargo test --test
full_size` compares. Random weights, seed 0; references in float64, as in full_size.py, whose file forms these are; written with
PyTorch 2.15, transformers 5.23, open_clip_torch 3.3.0, pillow 13.0.0.

The logits are those of photographs, through transformers' CLIPImageProcessor, and of sentences, through open_clip's tokenizer. The
photographs: china and flower (CC BY 2.0, danielbuechele, says its README) from scikit-learn, as JPEG and as PNG (no decoder between
us), upright, and small.
"""

import copy
import gzip
import json
import pathlib

import open_clip
import sklearn
import torch
from open_clip.tokenizer import default_bpe
from PIL import Image
from torch import nn
from transformers import CLIPConfig, CLIPModel
from transformers.models.clip.image_processing_clip import CLIPImageProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from fixture import randomise
from full_size import OUT, File, worst

SENTENCES = ["a dog on the grass", "A photo of a Flower.", "a temple in China, seen from below", "two   dogs, 3 cats & a boat",
             "naïve café", "a photo of a " + "very " * 80 + "long caption"]


def photographs():
    place = OUT / "clip_photos"
    place.mkdir(exist_ok=True)
    images = {n: Image.open(pathlib.Path(sklearn.__file__).parent / f"datasets/images/{n}.jpg") for n in ("china", "flower")}
    images["china"].save(place / "china.jpg", quality=92)
    images["china"].save(place / "china.png")
    images["flower"].save(place / "flower.png")
    images["flower"].rotate(90, expand=True).save(place / "upright.png")
    images["flower"].resize((150, 101)).save(place / "small.png")
    return sorted(place.iterdir())


def merges(place):
    lines = gzip.open(default_bpe()).read().decode("utf-8").split("\n")
    (place / "merges.txt").write_text("\n".join(lines[: 49152 - 256 - 2 + 1]) + "\n")


def logits(name, model, call):
    """What the model says to every photograph, in float64, and how far off its own float32 and PIL's resize are."""
    f = File(name)
    ids = open_clip.get_tokenizer("RN50")(SENTENCES)
    double = copy.deepcopy(model).double()
    for path in photographs():
        image = Image.open(path).convert("RGB")
        x = CLIPImageProcessor()(image, return_tensors="pt")["pixel_values"]
        pil = CLIPImageProcessorPil()(image, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            y, y32, y_pil = call(double, x.double(), ids), call(model, x, ids), call(double, pil.double(), ids)
        f.put(path.name, "in", {"x": x})
        f.put(path.name, "out", {"logits": y})
        own = {"logits": worst({"y": y32}, {"y": y}), "pil": worst({"y": y_pil}, {"y": y})}
        f.put(path.name, "float32", {k: torch.tensor(v) for k, v in own.items()})
        print(f"{name}, {path.name}: {[round(v, 3) for v in y[0].tolist()]}, float32 off by {own['logits']:.1e}, "
              f"PIL's resize by {own['pil']:.1e}", flush=True)
    f.save()


def vit():
    model = randomise(CLIPModel(CLIPConfig(attn_implementation="eager")))
    place = OUT / "clip-vit-base-patch32"
    model.eval().save_pretrained(place)
    CLIPImageProcessor().save_pretrained(place)
    merges(place)
    f = File("clip_vit")
    f.case("eval", model.vision_model, {"x": torch.randn(2, 3, 224, 224)}, lambda m, x: m(pixel_values=x).pooler_output, 768, False)
    f.save()
    logits("clip_vit_logits", model,
           lambda m, x, ids: m(input_ids=ids, pixel_values=x, attention_mask=(ids != 0).long()).logits_per_image)


def resnet():
    model = randomise(open_clip.create_model("RN50-quickgelu", pretrained=None))
    place = OUT / "resnet50_clip.openai"
    place.mkdir(exist_ok=True)
    torch.save(model.state_dict(), place / "open_clip_pytorch_model.bin")
    about = {"model_cfg": open_clip.get_model_config("RN50-quickgelu"), "preprocess_cfg": open_clip.get_model_preprocess_cfg(model)}
    (place / "open_clip_config.json").write_text(json.dumps(about, indent=1))
    merges(place)
    f = File("clip_rn50")
    f.case("eval", model.visual, {"x": torch.randn(2, 3, 224, 224)}, lambda m, x: m(x), 1024, False)
    f.case("train", model.visual, {"x": torch.randn(3, 3, 224, 224)}, lambda m, x: m(x), 1024, True)
    f.save()
    model.eval()
    logits("clip_rn50_logits", model, lambda m, x, ids: m.logit_scale.exp() * nn.functional.normalize(m.encode_image(x))
           @ nn.functional.normalize(m.encode_text(ids)).T)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(2)
    vit()
    resnet()
