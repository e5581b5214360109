"""CLIP's preparation of pictures, for tests/golden_clip_openai.rs: python tests/golden/clip_preprocess.py

Written with transformers 5.23, pillow 13.0.0, torchvision 0.29, open_clip_torch 3.3.0. The pictures are `picture(width, height)`,
of whole numbers, which the test makes again. Sizes as photographs have them (Flickr's 500 pixels, COCO's 640, scenes' 320 x 240), a
small one, an odd one, and one that is a square already; the square's side is 64, so that the file stays small.

What is kept is what transformers' processor over PIL makes, before and after the normalisation. Printed besides: how far
transformers' other processor (torchvision's own resize) and open_clip's (PIL, and torchvision's middle) are from it.
"""

import numpy as np
import torch
from open_clip import image_transform
from PIL import Image
from transformers.models.clip.image_processing_clip import CLIPImageProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from fixture import Fixture

SIDE = 64
SIZES = [(500, 375), (333, 500), (640, 427), (320, 240), (75, 50), (107, 64), (64, 64)]


def picture(width, height):
    """Ramps, stripes that alias, hard edges, saturated colours: whole numbers alone, so that Rust makes the same."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    red = x * 255 // max(width - 1, 1)
    green = (x * x // 37 + y * 5) % 256
    blue = np.where((x // 9 + y // 7) % 2 == 0, 240, y * 200 // max(height - 1, 1))
    return Image.fromarray(np.stack([red, green, blue], -1).astype(np.uint8))


def main():
    f = Fixture("clip_preprocess")
    own = dict(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    raw = dict(do_rescale=False, do_normalize=False, return_tensors="pt")
    pil, torchvision = CLIPImageProcessorPil(**own), CLIPImageProcessor(**own)
    theirs = image_transform(SIDE, is_train=False)
    for width, height in SIZES:
        image = picture(width, height)
        pixels = pil(image, **raw)["pixel_values"][0].to(torch.uint8)
        values = pil(image, return_tensors="pt")["pixel_values"][0]
        f.put(f"{width}x{height}", "out", {"pixels": pixels} | ({"values": values} if width == 500 else {}))
        fast = torchvision(image, **raw)["pixel_values"][0].to(torch.int64)
        off = (fast - pixels.long()).abs()
        other = (theirs(image) - values).abs().max()
        print(f"{width} x {height}: torchvision's resize differs by at most {off.max()}, mean {off.float().mean():.3f} of 255; "
              f"open_clip's values by at most {other:.2e}")
    f.save()


if __name__ == "__main__":
    main()
